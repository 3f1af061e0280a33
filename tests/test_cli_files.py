"""Files that commands read and write: devices stay devices, links lead on, nothing a command reads is overwritten, and
plans of the right shape that hold nothing are plans."""

import json
import os
import stat
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from tests.planning_documents import full_plan, full_problem

OWN_PLAN = {**full_plan(), "problem_id": full_problem()["id"]}
LIVE = ("candidates", "slots", "explain")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, document in (("problem", full_problem()), ("plan", OWN_PLAN)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def muster(folder: Path, *words: str, code: int = 0) -> str:
    arguments = [str(folder / word) if Path(word).suffix else word for word in words]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result.stdout


def plan_with(folder: Path, **fields: Any) -> None:
    (folder / "plan.json").write_text(json.dumps({**OWN_PLAN, **fields}), encoding="utf-8")


def codes(answer: str) -> list[str]:
    return [error["code"] for error in json.loads(answer)["errors"]]


def test_a_plan_goes_into_a_pipe_that_stays_one(folder: Path) -> None:
    pipe = folder / "pipe.json"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    muster(folder, "solve", "problem.json", "--iterations", "1", "-o", "pipe.json")
    reader.join(10)
    assert json.loads(read[0])["routes"] is not None
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_a_link_leads_to_is_written_and_the_link_stays(folder: Path) -> None:
    (folder / "link.json").symlink_to(folder / "there.json")
    muster(folder, "solve", "problem.json", "--iterations", "1", "-o", "link.json")
    assert (folder / "link.json").is_symlink()
    assert json.loads((folder / "there.json").read_text(encoding="utf-8"))["routes"] is not None


def test_no_command_writes_over_what_it_reads_by_whatever_name(folder: Path) -> None:
    (folder / "same.json").symlink_to(folder / "problem.json")
    assert codes(muster(folder, "solve", "problem.json", "-o", "same.json", "--json", code=2)) == ["UNWRITABLE_FILE"]
    shop = folder / "shop"
    CliRunner().invoke(app, ["import-csv", str(shop), "--template"])
    [*tables] = sorted(shop.glob("*.csv"))
    before = tables[0].read_bytes()
    answer = CliRunner().invoke(app, ["import-csv", str(shop), "-o", str(tables[0]), "--json"])
    assert (answer.exit_code, tables[0].read_bytes()) == (2, before)
    # What an import wrote may be written again, also beside the tables.
    for _ in range(2):
        muster(folder, "import-csv", str(shop), "-o", "shop/problem.json")


@pytest.mark.parametrize("fields", [{"routes": None}, {"routes": [{"engineer": "E1", "shift": "am"}]}])
def test_a_plan_that_holds_nothing_is_a_plan(folder: Path, fields: dict[str, Any]) -> None:
    order = full_problem()["work_orders"][0]["id"]
    plan_with(folder, teams=[], unassigned=[], **fields)
    for command in LIVE:
        muster(folder, command, "problem.json", "plan.json", order, "--json")
    muster(folder, "diff", "problem.json", "plan.json", "plan.json", "--json")
    muster(folder, "repair", "problem.json", "plan.json", "--seconds", "0", "--json")
    muster(folder, "render", "problem.json", "plan.json", "-o", "day.png")
    CliRunner().invoke(
        app, ["teams", "options", str(folder / "problem.json"), str(folder / "plan.json"), "--order", order]
    )


def test_a_plan_of_another_problem_is_refused_by_every_command_that_builds_on_it(folder: Path) -> None:
    order = full_problem()["work_orders"][0]["id"]
    plan_with(folder, problem_id="another")
    both = ("problem.json", "plan.json")
    for words in (
        *((command, *both, order) for command in LIVE),
        ("repair", *both),
        ("diff", *both, "plan.json"),
        ("teams", "options", *both, "--order", order),
        ("render", *both, "-o", "day.png"),
    ):
        assert codes(muster(folder, *words, "--json", code=2)) == ["OTHER_PROBLEM"], words


def test_errors_of_all_documents_are_told_at_once(folder: Path) -> None:
    for name in ("problem.json", "plan.json"):
        (folder / name).write_text("{", encoding="utf-8")
    for words in (("repair",), ("candidates", "W1"), ("teams", "options", "--order", "W1")):
        command = words[:2] if words[0] == "teams" else words[:1]
        answer = muster(folder, *command, "problem.json", "plan.json", *words[len(command) :], "--json", code=2)
        assert len(codes(answer)) == 2, words


def test_a_problem_from_a_pipe_is_read_once(folder: Path) -> None:
    pipe = folder / "pipe.json"
    os.mkfifo(pipe)
    text = (folder / "problem.json").read_text(encoding="utf-8")
    writer = Thread(target=lambda: pipe.write_text(text, encoding="utf-8"))
    writer.start()
    muster(folder, "repair", "pipe.json", "plan.json", "--seconds", "0", "--json")
    writer.join(10)
