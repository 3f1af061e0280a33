"""The command `muster`: its answers, its exit codes, and what goes to which stream."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api import cli
from api.cli import app
from api.documents import check_plan, check_problem
from api.problems import SolveOptions
from api.schemas import plan_schema, problem_schema
from data.synthetic import DEMO, EVERYTHING, HARD_WINDOWS
from dispatcher.verify import verify
from solver.engines import DEFAULT_ENGINE
from tests.small_days import Document, at, day, engineer, order, shift, skill

MUSTER = [sys.executable, "-m", "api.cli"]
SMALL = {
    **day(
        [engineer("A", skill("pump", 2)), engineer("B")],
        [order("V", "p10"), order("W", "p20", required_skills=[skill("pump", 3)])],
    ),
    # The default engine uses all of its time.
    "solve": {"iteration_limit": 100},
}


def muster(*arguments: object) -> Result:
    """A run of the command inside this process; nothing but an exit code may come out of it."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def said(result: Result) -> str:
    """What was said on standard error, in one line: terminals wrap."""
    return " ".join(result.stderr.split())


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(SMALL), encoding="utf-8")
    return path


@pytest.fixture
def plan(problem: Path) -> Path:
    path = problem.with_name("plan.json")
    assert muster("solve", problem, "-o", path).exit_code == 0
    return path


def read(path: Path) -> Document:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def changed(path: Path, **fields: Any) -> Path:
    path.write_text(json.dumps({**read(path), **fields}), encoding="utf-8")
    return path


# -- solve -------------------------------------------------------------------------------------------------------


def test_solve_writes_a_plan_that_passes_the_check_and_says_what_it_costs(problem: Path, tmp_path: Path) -> None:
    result = muster("solve", problem, "-o", tmp_path / "plan.json")
    assert (result.exit_code, result.stderr) == (0, "")
    plan = read(tmp_path / "plan.json")
    assert check_plan(plan) == []
    assert verify(SMALL, plan).feasible
    assert f"total cost {plan['score']['total']:,}" in result.stdout
    assert str(tmp_path / "plan.json") in result.stdout


def test_solve_without_a_file_prints_the_plan_and_nothing_else(problem: Path) -> None:
    result = muster("solve", problem)
    assert (result.exit_code, result.stderr) == (0, "")
    assert verify(SMALL, json.loads(result.stdout)).feasible


def test_solve_as_json_answers_with_one_object(problem: Path, tmp_path: Path) -> None:
    result = muster("solve", problem, "-o", tmp_path / "plan.json", "--json")
    answer = json.loads(result.stdout)
    assert answer["plan"] == str(tmp_path / "plan.json")
    assert answer["score"]["total"] == read(tmp_path / "plan.json")["score"]["total"]
    assert result.stderr == ""


def test_solve_makes_the_folders_that_are_missing(problem: Path, tmp_path: Path) -> None:
    path = tmp_path / "some" / "folder" / "plan.json"
    assert muster("solve", problem, "-o", path).exit_code == 0
    assert check_plan(read(path)) == []


def test_solve_leaves_no_unfinished_file_behind(problem: Path, tmp_path: Path) -> None:
    muster("solve", problem, "-o", tmp_path / "plan.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.json", "problem.json"]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_file_that_cannot_be_written_is_refused_before_any_work(
    problem: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    for path in (tmp_path, problem / "plan.json", Path("/proc/nowhere/plan.json"), problem):
        result = muster("solve", problem, "-o", path, *options)
        assert result.exit_code == 2
        assert "UNWRITABLE_FILE" in result.output
        assert read(problem) == SMALL


def test_the_options_reach_the_engine(problem: Path) -> None:
    result = muster("solve", problem, "--iterations", 1, "--seed", 9, "--threads", 3, "--engine", "insertion")
    receipt = json.loads(result.stdout)["receipt"]
    assert {key: receipt[key] for key in ("iterations", "seed", "threads", "engine", "stopped_by")} == {
        "iterations": 1,
        "seed": 9,
        "threads": 3,
        "engine": "insertion",
        "stopped_by": "iteration_limit",
    }


def test_a_time_limit_is_taken_in_fractions_of_a_second(problem: Path) -> None:
    assert json.loads(muster("solve", problem, "--time-limit", 0.5).stdout)["receipt"]["elapsed_seconds"] < 60


@pytest.mark.parametrize(
    "options",
    [
        ("--time-limit", "0"),
        ("--time-limit", "nan"),
        ("--time-limit", "inf"),
        ("--time-limit", "soon"),
        ("--iterations", "-1"),
        ("--iterations", "2.5"),
        ("--iterations", str(2**63)),
        ("--seed", "-1"),
        ("--seed", str(2**63)),
        ("--threads", "0"),
        ("--threads", "257"),
        ("--engine", "genie"),
        ("--speed", "9"),
    ],
)
def test_options_that_make_no_sense_are_bad_input(problem: Path, options: tuple[str, str]) -> None:
    result = muster("solve", problem, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert options[0] in said(result) or options[1] in said(result)


def test_an_unknown_engine_is_answered_with_the_names_there_are(problem: Path) -> None:
    result = muster("solve", problem, "--engine", "genie", "--json")
    assert result.exit_code == 2
    [error] = json.loads(result.stdout)["errors"]
    assert error["code"] == "UNKNOWN_ENGINE"
    assert "insertion" in error["message"]


def test_a_document_may_ask_for_an_engine_of_another_version(problem: Path) -> None:
    changed(problem, solve={"engine": "from-the-future", "iteration_limit": 100})
    result = muster("solve", problem)
    assert result.exit_code == 0
    assert "from-the-future" in said(result)
    assert DEFAULT_ENGINE in said(result)
    assert json.loads(result.stdout)["receipt"]["engine"] == DEFAULT_ENGINE


@pytest.mark.slow
def test_a_number_of_iterations_gives_the_same_plan_every_time(tmp_path: Path) -> None:
    """In processes of their own, with other hash seeds: nothing may hang on the order of a set."""
    generated = tmp_path / "generated.json"
    muster("generate", "-o", generated, "--orders", 25, "--engineers", 6, "--preset", "everything")
    plans = []
    for seed in ("1", "2"):
        arguments = [*MUSTER, "solve", str(generated), "--iterations", "40"]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(arguments, capture_output=True, check=True, env=environment)
        assert run.stderr == b""
        found = json.loads(run.stdout)
        del found["created_at"], found["receipt"]["elapsed_seconds"]
        plans.append(json.dumps(found))
    assert plans[0] == plans[1]


def test_a_day_without_orders_or_engineers_is_planned(tmp_path: Path) -> None:
    for document in (day([], []), day([engineer("A")], []), day([], [order("W")])):
        path = tmp_path / "problem.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        assert muster("solve", path, "-o", tmp_path / "plan.json", "--iterations", 10).exit_code == 0
        assert muster("check", path, tmp_path / "plan.json").exit_code == 0
        assert muster("show", tmp_path / "plan.json").exit_code == 0
        assert muster("render", path, tmp_path / "plan.json", "-o", tmp_path / "plan.png").exit_code == 0


# -- check -------------------------------------------------------------------------------------------------------


def test_check_says_that_a_plan_keeps_every_rule(problem: Path, plan: Path) -> None:
    result = muster("check", problem, plan)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{read(plan)['score']['total']:,}" in result.stdout


def test_check_names_every_finding_of_a_plan_that_does_not(problem: Path, plan: Path) -> None:
    document = read(plan)
    document["routes"][0]["stops"][1]["start"] = at("07:30")
    document["score"]["total"] += 1
    plan.write_text(json.dumps(document), encoding="utf-8")
    result = muster("check", problem, plan)
    assert result.exit_code == 1
    for rule in ("travel", "service", "score"):
        assert rule in result.stdout


def test_check_as_json_gives_the_verdict_the_terms_and_the_findings(problem: Path, plan: Path) -> None:
    good = json.loads(muster("check", problem, plan, "--json").stdout)
    assert (good["feasible"], good["findings"], good["total"]) == (True, [], read(plan)["score"]["total"])
    assert {"rule": "unserved", "amount": 7200, "cost": 7200} in good["terms"]
    changed(plan, problem_id="another")
    result = muster("check", problem, plan, "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["feasible"]) == (1, False)
    assert [(finding["rule"], finding["code"]) for finding in answer["findings"]] == [("claim", "PROBLEM_ID")]
    assert {"path", "message", "params"} < set(answer["findings"][0])


def test_a_plan_of_the_wrong_shape_is_bad_input_and_a_false_one_fails_the_check(problem: Path, plan: Path) -> None:
    good = read(plan)
    plan.write_text(json.dumps({**good, "routes": [{"engineer": 5, "shift": "day", "stops": {}}]}), encoding="utf-8")
    assert muster("check", problem, plan).exit_code == 2
    plan.write_text(json.dumps({**good, "routes": []}), encoding="utf-8")
    assert muster("check", problem, plan).exit_code == 1


def test_check_reports_the_errors_of_both_documents(problem: Path, plan: Path) -> None:
    changed(problem, timezone="Mars/Olympus")
    changed(plan, version=2)
    result = muster("check", problem, plan)
    assert result.exit_code == 2
    assert "BAD_TIMEZONE" in said(result)
    assert "UNSUPPORTED_VERSION" in said(result)


def test_check_notices_when_problem_and_plan_are_swapped(problem: Path, plan: Path) -> None:
    result = muster("check", plan, problem)
    assert result.exit_code == 2
    assert said(result).count("WRONG_DOCUMENT") == 2


# -- validate ----------------------------------------------------------------------------------------------------


def test_validate_counts_what_is_in_a_valid_problem(problem: Path) -> None:
    result = muster("validate", problem)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2 work orders" in result.stdout
    assert "2 engineers" in result.stdout
    assert json.loads(muster("validate", problem, "--json").stdout) == {"valid": True, "errors": []}


def test_validate_lists_every_error_with_path_code_and_remedy(problem: Path) -> None:
    changed(problem, timezone="Mars/Olympus", horizon={"start": at("00:00")}, colour="red")
    result = muster("validate", problem)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "3 errors" in said(result)
    for path, code in (("timezone", "BAD_TIMEZONE"), ("horizon.end", "MISSING_FIELD"), ("colour", "UNKNOWN_FIELD")):
        assert f"{path} {code}" in said(result)
    assert said(result).count("→") == 3
    answer = json.loads(muster("validate", problem, "--json").stdout)
    assert answer["valid"] is False
    assert [error["code"] for error in answer["errors"]] == ["BAD_TIMEZONE", "MISSING_FIELD", "UNKNOWN_FIELD"]


# -- show and render ---------------------------------------------------------------------------------------------


def test_show_prints_routes_unassigned_orders_with_reasons_and_the_score(plan: Path) -> None:
    result = muster("show", plan)
    assert (result.exit_code, result.stderr) == (0, "")
    for text in ("Routes", "Unassigned", "SKILL_LEVEL", "with one level more", "unserved", "travel"):
        assert text in " ".join(result.stdout.split())


def test_show_all_prints_every_stop(plan: Path) -> None:
    assert "08:10" in muster("show", plan, "--all").stdout


def test_show_as_json_prints_the_document(plan: Path) -> None:
    assert json.loads(muster("show", plan, "--json").stdout) == read(plan)


def test_show_of_a_problem_is_refused(problem: Path) -> None:
    result = muster("show", problem)
    assert result.exit_code == 2
    assert "WRONG_DOCUMENT" in said(result)


def test_render_writes_a_picture(problem: Path, plan: Path, tmp_path: Path) -> None:
    picture = tmp_path / "pictures" / "plan.png"
    result = muster("render", problem, plan, "-o", picture)
    assert result.exit_code == 0
    assert str(picture) in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_picture_is_asked_for_under_no_other_ending(problem: Path, plan: Path, tmp_path: Path) -> None:
    result = muster("render", problem, plan, "-o", tmp_path / "plan.jpg")
    assert result.exit_code == 2
    assert ".jpg is no format for a picture" in said(result)
    assert not (tmp_path / "plan.jpg").exists()


def test_render_as_json_says_where_the_picture_is(problem: Path, plan: Path, tmp_path: Path) -> None:
    result = muster("render", problem, plan, "-o", tmp_path / "plan.png", "--json")
    assert json.loads(result.stdout) == {"picture": str(tmp_path / "plan.png")}


def test_render_refuses_a_plan_of_another_problem(problem: Path, plan: Path, tmp_path: Path) -> None:
    result = muster("render", problem, changed(plan, problem_id="another"), "-o", tmp_path / "plan.png")
    assert result.exit_code == 2
    assert "OTHER_PROBLEM" in said(result)
    assert not (tmp_path / "plan.png").exists()


def test_render_never_writes_over_what_it_reads(problem: Path, plan: Path, tmp_path: Path) -> None:
    before = plan.read_bytes()
    for path in (plan, problem, tmp_path):
        result = muster("render", problem, plan, "-o", path)
        assert result.exit_code == 2
        assert "UNWRITABLE_FILE" in said(result)
    assert plan.read_bytes() == before


# -- demo, generate, import-csv, schema --------------------------------------------------------------------------


def test_generate_writes_a_valid_problem_of_the_size_asked_for(tmp_path: Path) -> None:
    for preset, spec in (("demo", DEMO), ("everything", EVERYTHING), ("hard-windows", HARD_WINDOWS)):
        path = tmp_path / preset / "problem.json"
        assert muster("generate", "-o", path, "--preset", preset, "--orders", 9, "--engineers", 4).exit_code == 0
        document = read(path)
        assert check_problem(document) == []
        assert (len(document["work_orders"]), len(document["engineers"])) == (9, 4)
        assert bool(document.get("skill_graph")) == spec.skill_graph


def test_the_seed_decides_what_is_generated(tmp_path: Path) -> None:
    texts = []
    for number, seed in enumerate((1, 1, 2)):
        path = tmp_path / f"{number}.json"
        answer = muster("generate", "-o", path, "--orders", 5, "--engineers", 2, "--seed", seed, "--json")
        assert json.loads(answer.stdout) == {"problem": str(path), "work_orders": 5, "engineers": 2}
        texts.append(path.read_text(encoding="utf-8"))
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("options", [("--preset", "huge"), ("--orders", "-1"), ("--engineers", "many")])
def test_what_cannot_be_generated_is_bad_input(tmp_path: Path, options: tuple[str, str]) -> None:
    assert muster("generate", "-o", tmp_path / "p.json", *options).exit_code == 2
    assert not (tmp_path / "p.json").exists()


def test_the_template_of_the_csv_import_can_be_planned(tmp_path: Path) -> None:
    folder, problem = tmp_path / "csv", tmp_path / "problem.json"
    result = muster("import-csv", folder, "--template")
    assert result.exit_code == 0
    assert {Path(line).name for line in result.stdout.split()} == {path.name for path in folder.iterdir()}
    assert muster("import-csv", folder, "-o", problem).exit_code == 0
    assert muster("solve", problem, "-o", tmp_path / "plan.json", "--iterations", 100).exit_code == 0
    assert json.loads(muster("import-csv", folder).stdout) == read(problem)
    assert json.loads(muster("import-csv", folder, "-o", problem, "--json").stdout) == {"problem": str(problem)}


def test_errors_of_the_csv_import_name_file_line_and_column(tmp_path: Path) -> None:
    muster("import-csv", tmp_path, "--template")
    orders = tmp_path / "work_orders.csv"
    lines = orders.read_text(encoding="utf-8").splitlines()
    orders.write_text("\n".join([*lines, lines[1].replace(",", ";")]) + "\n", encoding="utf-8")
    result = muster("import-csv", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"work_orders.csv, line {len(lines) + 1}" in said(result)
    answer = muster("import-csv", tmp_path, "--json")
    assert answer.exit_code == 2
    assert {"file", "line", "column"} <= set(json.loads(answer.stdout)["errors"][0])


def test_importing_from_a_folder_that_is_none_is_bad_input(tmp_path: Path, problem: Path) -> None:
    assert muster("import-csv", tmp_path / "nowhere").exit_code == 2
    assert muster("import-csv", problem).exit_code == 2
    assert muster("import-csv", problem, "--template").exit_code == 2


def test_schema_prints_the_schema_of_either_document() -> None:
    assert json.loads(muster("schema").stdout) == problem_schema()
    assert json.loads(muster("schema", "problem").stdout) == problem_schema()
    assert json.loads(muster("schema", "plan").stdout) == plan_schema()
    assert muster("schema", "poem").exit_code == 2


def test_the_version_is_told() -> None:
    assert muster("--version").stdout.startswith("muster ")


@pytest.mark.parametrize("command", [(), ("frobnicate",), ("solve",), ("check", "one.json")])
def test_a_command_line_that_is_none_is_bad_input(command: tuple[str, ...]) -> None:
    assert muster(*command).exit_code == 2


def test_the_demo_plans_a_day_with_teams_and_leaves_everything_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The demo day asks for ten seconds itself.
    monkeypatch.setattr(cli, "SolveOptions", partial(SolveOptions, time_limit_seconds=1.0))
    result = muster("demo", "--out", tmp_path / "demo", "--seed", 4)
    assert result.exit_code == 0
    problem, plan = tmp_path / "demo" / "problem.json", tmp_path / "demo" / "plan.json"
    assert verify(read(problem), read(plan)).feasible
    assert len(read(plan)["teams"]) >= 2
    assert len(read(problem)["work_orders"]) == 120
    assert (tmp_path / "demo" / "plan.png").stat().st_size > 10_000
    for text in ("Routes", "Teams", "unassigned", str(problem), str(plan)):
        assert text in result.stdout


# -- streams and signals of the real command ---------------------------------------------------------------------


def test_the_real_command_keeps_its_streams_apart(problem: Path, tmp_path: Path) -> None:
    good = subprocess.run([*MUSTER, "solve", str(problem)], capture_output=True, check=True)
    assert json.loads(good.stdout)["problem_id"] == "small-day"
    assert good.stderr == b""
    bad = subprocess.run([*MUSTER, "validate", str(tmp_path / "nowhere.json")], capture_output=True, check=False)
    assert (bad.returncode, bad.stdout) == (2, b"")
    assert b"UNREADABLE_FILE" in bad.stderr
    assert b"Traceback" not in bad.stderr


@pytest.mark.parametrize("command", ["show", "schema"])
def test_a_reader_who_leaves_early_is_no_error(plan: Path, command: str) -> None:
    arguments = [*MUSTER, command, *([str(plan)] if command == "show" else [])]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def terminal_of(process: subprocess.Popen[bytes], master: int) -> Iterator[bytes]:
    """What a process writes to its terminal, as it comes, until it ends."""
    while True:
        ready = select.select([master], [], [], 0.2)[0]
        if ready:
            try:
                yield os.read(master, 65_536)
            except OSError:
                return
        elif process.poll() is not None:
            return


def press_again(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C over and over: two signals close together may count as one, and what is left to do may be short."""
    while process.poll() is None:
        time.sleep(0.02)
        process.send_signal(signal.SIGINT)


def interrupted(arguments: list[str], shown: bytes, *, again: bool) -> tuple[int, bool]:
    """Run with a terminal for standard error, press Ctrl-C once it shows that it searches; exit code, and whether it
    did."""
    master, slave = pty.openpty()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=slave, stdin=subprocess.DEVNULL)
    os.close(slave)
    pressed, seen = False, b""
    for text in terminal_of(process, master):
        seen += text
        if shown in seen and not pressed:
            process.send_signal(signal.SIGINT)
            pressed = True
            if again:
                threading.Thread(target=press_again, args=(process,), daemon=True).start()
    os.close(master)
    return process.wait(), pressed


def write_big_day(path: Path, size: int) -> Path:
    people = [engineer(f"E{number}", shifts=[shift(end="23:00")]) for number in range(4)]
    orders = [order(f"W{number}", f"p{(10, 20, 30, 60)[number % 4]}", 1) for number in range(size)]
    traffic = [{"from": "07:00", "to": "20:00", "factor": 1.1}]
    document = day(people, orders)
    document["travel"]["traffic"] = traffic
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize(("engine", "shown"), [("insertion", b"orders placed"), ("hybrid", b"iterations, cost")])
def test_ctrl_c_gives_the_best_so_far(tmp_path: Path, engine: str, shown: bytes) -> None:
    # Many seconds of insertion, and few of explaining whatever is left of it; the other searches as long as it may.
    problem = write_big_day(tmp_path / "problem.json", 900 if engine == "insertion" else 60)
    plan = tmp_path / "plan.json"
    arguments = [*MUSTER, "solve", str(problem), "-o", str(plan), "--time-limit", "300", "--engine", engine]
    assert interrupted(arguments, shown, again=False) == (0, True)
    document = read(plan)
    assert document["receipt"]["stopped_by"] == "cancelled"
    assert verify(read(problem), document).feasible


def test_ctrl_c_twice_ends_at_once_and_writes_nothing(tmp_path: Path) -> None:
    # So many orders are left undone that explaining them outlasts a slow machine's second signal.
    problem = write_big_day(tmp_path / "problem.json", 3000)
    plan = tmp_path / "plan.json"
    arguments = [*MUSTER, "solve", str(problem), "-o", str(plan), "--time-limit", "300", "--engine", "insertion"]
    code, was_planning = interrupted(arguments, b"orders placed", again=True)
    assert was_planning
    assert code not in (0, 1)
    assert not plan.exists()
