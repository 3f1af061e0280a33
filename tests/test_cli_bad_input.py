"""Bad input through the real command line: exit code 2 with every error listed, and never a traceback."""

import json
import math
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from api.cli import app
from api.documents import check_problem, read_json
from dispatcher.errors import ISSUE_CODES, InvalidInput, path_text
from dispatcher.validate import LIMITS
from tests.planning_documents import (
    GARBAGE,
    Change,
    at,
    full_plan,
    full_problem,
    matrix_problem,
    parent_of,
    places,
    setting,
)

PROBLEM, PLAN = "problem.json", "plan.json"
COMMANDS_OF_A_PROBLEM = (["validate"], ["solve"])


def muster(*arguments: object) -> Result:
    """A run of the command; only an exit code may come out of it, and no traceback may be shown."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    return result


def written(folder: Path, name: str, document: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def errors_of(path: Path) -> set[tuple[str, str]]:
    """(path, code) of every error `validate` reports; its two ways of answering must agree."""
    result = muster("validate", path, "--json")
    assert (result.exit_code, result.stderr) == (2, "")
    answer = json.loads(result.stdout)
    assert answer["valid"] is False
    for error in answer["errors"]:
        assert error["code"] in ISSUE_CODES
        assert error["message"]
        assert error["remedy"]
    told = muster("validate", path)
    assert (told.exit_code, told.stdout) == (2, "")
    assert len(answer["errors"]) == sum(line.startswith("    →") for line in told.stderr.splitlines())
    return {(error["path"], error["code"]) for error in answer["errors"]}


def appended(key: str, index: int) -> Change:
    def change(document: dict[str, Any]) -> None:
        document[key].append(deepcopy(document[key][index]))

    return change


def waiting_in_a_circle(document: dict[str, Any]) -> None:
    document["work_orders"][0]["depends_on"] = [{"work_order": "W2"}]


def overlapping(document: dict[str, Any]) -> None:
    document["engineers"][0]["shifts"][1]["start"] = at("12:59")


def too_short_a_row(document: dict[str, Any]) -> None:
    document["travel"]["seconds"][1].pop()


def too_few_rows(document: dict[str, Any]) -> None:
    document["travel"]["meters"].pop()


KINDS: dict[str, tuple[Change, str, str]] = {
    "an unknown field": (setting("work_orders[0].colour", "red"), "work_orders[0].colour", "UNKNOWN_FIELD"),
    "a wrong type": (
        setting("work_orders[0].service_seconds", "3600"),
        "work_orders[0].service_seconds",
        "WRONG_TYPE",
    ),
    "an order twice": (appended("work_orders", 0), "work_orders[2].id", "DUPLICATE_ID"),
    "an engineer twice": (appended("engineers", 1), "engineers[2].id", "DUPLICATE_ID"),
    "a location not found": (setting("work_orders[0].location", "n18"), "work_orders[0].location", "NOT_FOUND"),
    "an engineer not found": (
        setting("work_orders[0].pin.engineer", "E9"),
        "work_orders[0].pin.engineer",
        "NOT_FOUND",
    ),
    "a skill not found": (
        setting("work_orders[0].required_skills[0].skill", "hydraulic"),
        "work_orders[0].required_skills[0].skill",
        "NOT_FOUND",
    ),
    "a circle of dependencies": (waiting_in_a_circle, "work_orders[1].depends_on[0].work_order", "CYCLE"),
    "a window outside the horizon": (
        setting("work_orders[0].time_windows[0].end", "2026-11-25T00:00:00+08:00"),
        "work_orders[0].time_windows[0].end",
        "OUTSIDE_HORIZON",
    ),
    "a negative duration": (
        setting("work_orders[0].service_seconds", -1),
        "work_orders[0].service_seconds",
        "OUT_OF_RANGE",
    ),
    "a negative break": (
        setting("engineers[0].shifts[0].breaks[0].duration_seconds", -900),
        "engineers[0].shifts[0].breaks[0].duration_seconds",
        "OUT_OF_RANGE",
    ),
    "a coordinate that is NaN": (setting("locations.depot.lat", math.nan), "locations.depot.lat", "NOT_FINITE"),
    "a coordinate that is infinite": (setting("locations.depot.lon", math.inf), "locations.depot.lon", "NOT_FINITE"),
    "a latitude out of range": (setting("locations.depot.lat", 90.1), "locations.depot.lat", "OUT_OF_RANGE"),
    "a longitude out of range": (setting("locations.depot.lon", -181), "locations.depot.lon", "OUT_OF_RANGE"),
    "overlapping shifts": (overlapping, "engineers[0].shifts[1].start", "OVERLAP"),
    "an instant without an offset": (setting("now", "2026-11-23T09:30:00"), "now", "BAD_INSTANT"),
}


def expected_path(found: set[tuple[str, str]], path: str, code: str) -> bool:
    """Whether an error with the code stands at the path, or where it may as well be said: one level above."""
    return any(code == other and (at_ == path or path.startswith(at_)) for at_, other in found)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_bad_input_is_named_with_its_place(kind: str, tmp_path: Path) -> None:
    change, path, code = KINDS[kind]
    document = full_problem()
    change(document)
    found = errors_of(written(tmp_path, PROBLEM, document))
    assert expected_path(found, path, code), found


@pytest.mark.parametrize(("change", "path"), [(too_short_a_row, "travel.seconds[1]"), (too_few_rows, "travel.meters")])
def test_a_matrix_of_the_wrong_size_is_named(change: Change, path: str, tmp_path: Path) -> None:
    document = matrix_problem()
    change(document)
    assert (path, "MATRIX_SIZE") in errors_of(written(tmp_path, PROBLEM, document))


@pytest.mark.parametrize("command", ["validate", "solve", "check", "render"])
def test_every_command_that_reads_a_problem_refuses_it_whole(command: str, tmp_path: Path) -> None:
    document = full_problem()
    for change, _, _ in (KINDS["an unknown field"], KINDS["a negative duration"]):
        change(document)
    problem, plan = written(tmp_path, PROBLEM, document), written(tmp_path, PLAN, full_plan())
    more = [plan] if command in ("check", "render") else []
    result = muster(command, problem, *more)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "work_orders[0].colour" in result.stderr
    assert "work_orders[0].service_seconds" in result.stderr


def test_errors_of_many_kinds_are_all_listed_at_once(tmp_path: Path) -> None:
    document = full_problem()
    chosen = [name for name in KINDS if "twice" not in name]
    apart = {"a wrong type", "a negative duration", "a latitude out of range", "a longitude out of range"}
    for name in chosen:
        if name not in apart:
            KINDS[name][0](document)
    setting("work_orders[1].service_seconds", -5)(document)
    document["locations"]["n17"] = {"lat": 99, "lon": "west"}
    found = errors_of(written(tmp_path, PROBLEM, document))
    for name in chosen:
        if name not in apart:
            _, path, code = KINDS[name]
            assert expected_path(found, path, code), name
    assert ("work_orders[1].service_seconds", "OUT_OF_RANGE") in found
    assert ("locations.n17.lat", "OUT_OF_RANGE") in found
    assert ("locations.n17.lon", "WRONG_TYPE") in found


def test_a_number_that_is_not_finite_hides_no_other_error() -> None:
    for path in places(full_problem()):
        document = {**full_problem(), "colour": "red"}
        parent_of(document, path)[path[-1]] = math.nan
        with pytest.raises(InvalidInput) as caught:
            read_json(json.dumps(document).encode(), refuse_issues, name=PROBLEM)
        found = [(issue.path, issue.code) for issue in caught.value.issues]
        assert (path_text(path), "NOT_FINITE") in found
        assert ("colour", "UNKNOWN_FIELD") in found
        assert [place for place, _ in found].count(path_text(path)) == 1


def test_what_is_odd_is_told_once_where_it_is_and_where_it_lies_in_another() -> None:
    """However many there are: each is looked up, not sought."""
    odd = [{"id": f"W{number}", "location": "n1", "attributes": {"x": math.nan}} for number in range(20_000)]
    with pytest.raises(InvalidInput) as caught:
        read_json(json.dumps({**full_problem(), "work_orders": odd}).encode(), refuse_issues, name=PROBLEM)
    paths = [issue.path for issue in caught.value.issues if issue.code == "NOT_FINITE"]
    assert len(paths) == len(set(paths)) == 20_000
    assert not any(path.endswith("attributes") for path in paths)


def refuse_issues(document: object) -> None:
    raise InvalidInput(check_problem(document))


def test_every_number_that_is_not_finite_is_listed(tmp_path: Path) -> None:
    document = full_problem()
    setting("locations.depot.lat", math.nan)(document)
    setting("travel.speed_kmh", math.inf)(document)
    assert errors_of(written(tmp_path, PROBLEM, document)) == {
        ("locations.depot.lat", "NOT_FINITE"),
        ("travel.speed_kmh", "NOT_FINITE"),
    }


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "INVALID_JSON"),
        (b"   \n", "INVALID_JSON"),
        (b'{"version": 1,', "INVALID_JSON"),
        (b"{'version': 1}", "INVALID_JSON"),
        (b'{"version": 1}{"version": 1}', "INVALID_JSON"),
        (b"id,location\nW1,n17\n", "INVALID_JSON"),
        (b'{"version": 1, "version": 1}', "DUPLICATE_KEY"),
        (b'\xff\xfe{"version": 1}', "NOT_UTF8"),
        (b"\x1f\x8b\x08\x00", "COMPRESSED_FILE"),
        (b"[" * 100_000, "TOO_DEEP"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "TOO_DEEP"),
        (b'{"id": "\\ud800"}', "INVALID_TEXT"),
        (b'{"id": ' + b"9" * 5000 + b"}", "NOT_FINITE"),
        (b"[]", "WRONG_TYPE"),
        (b'"a text"', "WRONG_TYPE"),
        (b"null", "WRONG_TYPE"),
        (b"{}", "MISSING_FIELD"),
    ],
)
def test_what_is_no_document_is_refused_by_every_command(raw: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / PROBLEM
    path.write_bytes(raw)
    plan = tmp_path / PLAN
    plan.write_bytes(raw)
    picture = tmp_path / "plan.png"
    for command in (
        ["validate", path],
        ["solve", path],
        ["check", path, plan],
        ["show", plan],
        ["render", path, plan, "-o", picture],
    ):
        result = muster(*command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert code in result.stderr
    assert not picture.exists()


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / PROBLEM
    with path.open("wb") as file:
        file.truncate(LIMITS.bytes + 1)
    assert errors_of(path) == {("", "TOO_LARGE")}


def test_files_that_cannot_be_read_are_bad_input(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.json", tmp_path, tmp_path / "problem.json" / "inside"):
        assert errors_of(path) == {("", "UNREADABLE_FILE")}


@pytest.mark.parametrize(
    "command",
    [
        ["validate", PROBLEM],
        ["check", PROBLEM, PLAN],
        ["diff", PROBLEM, PLAN, PLAN, "--problem", PROBLEM],
        ["import-csv", "."],
        ["import", "torn.json"],
        ["skills", "coverage", PROBLEM],
        ["skills", "history", PLAN],
        ["sla", "grade", "--policy", "policy.yaml"],
        ["teams", "options", PROBLEM, PLAN, "--order", "W1", "--policy", "policy.yaml"],
    ],
)
def test_a_file_that_may_not_be_read_gets_our_answer_and_no_usage(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, PROBLEM, full_problem())
    written(tmp_path, PLAN, full_plan())
    for name in ("policy.yaml", "torn.json"):
        (tmp_path / name).write_text("[", encoding="utf-8")
    # Who runs the tests may read everything, so only what the command line asks beforehand is answered otherwise.
    monkeypatch.setattr(os, "access", lambda path, mode, **options: False)
    result = muster(*command)
    assert "Usage:" not in result.stderr
    assert "not readable" not in result.stderr


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["solve", PROBLEM], "--time-limit"),
        (["plan", "--territory", "t", "--date", "2026-11-23"], "--time-limit"),
        (["repair", PROBLEM, PLAN], "--seconds"),
        (["sla", "grade"], "--capacity"),
    ],
)
def test_a_number_of_an_option_is_refused_in_plain_words(command: list[str], option: str) -> None:
    for value, said in (("nan", "not a finite number"), ("1e9", "out of bounds"), ("ten", "not a number")):
        result = muster(*command, option, value)
        assert (result.exit_code, result.stdout) == (2, "")
        words = " ".join(result.stderr.replace("│", " ").split())
        assert f"Invalid value for '{option}'" in words
        assert said in words
        assert "should be" not in words


@pytest.mark.parametrize("command", [["sla", "grade"], ["teams", "options", PROBLEM, PLAN, "--order", "W1"]])
def test_a_policy_that_cannot_be_read_is_named_with_the_reason(command: list[str], tmp_path: Path) -> None:
    problem, plan = written(tmp_path, PROBLEM, full_problem()), written(tmp_path, PLAN, full_plan())
    files = {PROBLEM: problem, PLAN: plan}
    (tmp_path / "latin.yaml").write_bytes("levels: f\xfcr".encode("latin-1"))
    for name, why in (
        ("none.yaml", "cannot be read: No such file or directory"),
        (".", "cannot be read: Is a directory"),
        ("latin.yaml", "is not UTF-8 text"),
    ):
        path = tmp_path / name
        result = muster(*(files.get(word, word) for word in command), "--policy", path, "--json")
        [error] = json.loads(result.stdout)["errors"]
        assert (result.exit_code, error["path"], error["code"]) == (2, str(path), "UNREADABLE_FILE")
        assert error["message"] == f"{path} {why}"
        assert error["remedy"].startswith("Name a YAML or JSON file in UTF-8 like data/")


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_what_is_legal_and_hardly_meant_is_said_and_nothing_is_refused(
    as_json: tuple[str, ...], tmp_path: Path
) -> None:
    over = [{"start": at("00:00"), "end": at("00:01")}]
    orders = [
        {"id": "alone", "location": "depot", "service_seconds": 60, "team": {}},
        {"id": "missed", "location": "depot", "service_seconds": 60, "time_windows": over},
    ]
    document = {**full_problem(), "now": at("09:00"), "work_orders": orders, "current_plan": None}
    result = muster("validate", written(tmp_path, PROBLEM, document), *as_json)
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == [
        "1 work order with an empty team, for which one engineer comes: alone. "
        "Name the roles where several have to come.",
        "1 work order that cannot be served any more, since all time windows ended before now: missed.",
    ]
    sound = [{"id": "sound", "location": "depot", "service_seconds": 60, "team": None, "time_windows": []}]
    assert muster("validate", written(tmp_path, PROBLEM, {**document, "work_orders": sound})).stderr == ""


def test_names_with_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    document = full_problem()
    document["work_orders"][0]["location"] = "\x1b[31mred\x1b[0m"
    document["work_orders"][0]["bell\x07"] = 1
    result = muster("validate", written(tmp_path, PROBLEM, document))
    assert result.exit_code == 2
    assert "\x1b" not in result.output
    assert "\x07" not in result.output


def test_the_real_command_shows_errors_and_no_warning(tmp_path: Path) -> None:
    document = full_problem()
    KINDS["an unknown field"][0](document)
    arguments = [sys.executable, "-W", "always", "-m", "api.cli", "validate", str(written(tmp_path, PROBLEM, document))]
    run = subprocess.run(arguments, capture_output=True, check=False)
    assert run.returncode == 2
    assert run.stdout == b""
    assert b"work_orders[0].colour" in run.stderr
    assert b"Warning" not in run.stderr


# -- garbage -----------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("garbage")


@given(raw=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(raw=b"\xef\xbb\xbf{}")
@example(raw=b'{"a":1e999}')
@example(raw=b"-0")
def test_random_bytes_are_refused_everywhere(raw: bytes, folder: Path) -> None:
    problem, plan = folder / PROBLEM, folder / PLAN
    problem.write_bytes(raw)
    plan.write_bytes(raw)
    for command in (["validate", problem], ["check", problem, plan], ["show", plan]):
        assert muster(*command).exit_code == 2


@given(value=json_values)
def test_random_json_is_refused_everywhere(value: object, folder: Path) -> None:
    problem, plan = written(folder, PROBLEM, value), written(folder, PLAN, value)
    for command in (["validate", problem], ["check", problem, plan], ["show", plan], ["render", problem, plan]):
        assert muster(*command).exit_code == 2


PROBLEM_PLACES = list(places(full_problem()))
PLAN_PLACES = list(places(full_plan()))


def damaged(document: dict[str, Any], where: list[tuple[str | int, ...]], seed: int) -> dict[str, Any]:
    """The document with one to three of its places removed or replaced by garbage."""
    rng = Random(seed)
    for path in rng.sample(where, rng.randint(1, 3)):
        try:
            parent = parent_of(document, path)
            if rng.random() < 0.2:
                del parent[path[-1]]
            else:
                parent[path[-1]] = rng.choice(GARBAGE)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return document


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60)
def test_a_damaged_problem_is_refused_or_still_valid(seed: int, folder: Path) -> None:
    problem = written(folder, PROBLEM, damaged(full_problem(), PROBLEM_PLACES, seed))
    code = muster("validate", problem).exit_code
    assert code in (0, 2)
    if code == 0:
        assert muster("solve", problem, "-o", folder / "solved.json", "--iterations", 3).exit_code == 0
        assert muster("check", problem, folder / "solved.json").exit_code == 0


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60)
def test_a_damaged_plan_is_refused_or_judged(seed: int, folder: Path) -> None:
    problem = written(folder, PROBLEM, full_problem())
    plan = written(folder, PLAN, damaged(full_plan(), PLAN_PLACES, seed))
    judged, shown = muster("check", problem, plan), muster("show", plan)
    assert judged.exit_code in (1, 2)
    assert shown.exit_code == (2 if judged.exit_code == 2 else 0)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_plan_is_refused_or_drawn(seed: int, tmp_path: Path) -> None:
    problem = written(tmp_path, PROBLEM, full_problem())
    made_for_it = {**full_plan(), "problem_id": full_problem()["id"]}
    where = [path for path in PLAN_PLACES if path != ("problem_id",)]
    plan = written(tmp_path, PLAN, damaged(made_for_it, where, seed))
    readable = muster("show", plan).exit_code == 0
    result = muster("render", problem, plan, "-o", tmp_path / "plan.png")
    assert result.exit_code == (0 if readable else 2)
    assert (tmp_path / "plan.png").exists() == readable
