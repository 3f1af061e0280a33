"""The answer about teams as a picture and on the command line: what is said is shown, and files are written whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api import cli
from api.render_teams import MOST_CHANGES, team_options_figure
from api.team_answers import ask, team_policy
from api.team_schemas import TeamOptions, TeamQuestion
from dispatcher.plan import RouteSequence, Sequences, Visit
from dispatcher.publish import plan_document
from tests.small_days import Document, at, day, engineer, order, plan_of, read, shift, skill

EXPERT, FITTER = skill("hydraulics", 4), skill("hydraulics", 3)


def situation() -> tuple[Document, Document]:
    """A problem with a new L1 order that names no team, and the plan in force."""
    people = [
        engineer(name, EXPERT if name.isupper() else FITTER, shifts=[shift(start_location=place)])
        for name, place in (("A", "p30"), ("B", "p60"), ("c", "p30"), ("D", "p60"))
    ]
    orders = [order(f"W{number}", "p30", 20, level="L4") for number in range(13)]
    new = order("NEW", "p30", level="L1", required_skills=[EXPERT], deadlines={"arrive_by": at("10:50")})
    document = day(people, [new, *orders], now=at("10:40"))
    problem = read(document)
    plan, evaluation = plan_of(
        problem, Sequences((RouteSequence("A", "day", tuple(Visit(item["id"]) for item in orders)),))
    )
    return document, plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, document in zip(("problem", "plan"), situation(), strict=True):
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def muster(folder: Path, *arguments: str, code: int = 0) -> str:
    names = [str(folder / word) if word.endswith((".json", ".png")) else word for word in arguments]
    result = CliRunner().invoke(cli.app, ["teams", *names])
    assert result.exit_code == code, result.output
    return result.output


ASKED = ("options", "problem.json", "plan.json", "--order", "NEW")


def test_the_picture_has_a_row_for_everybody_who_comes_and_every_order_that_moves() -> None:
    document, _ = situation()
    problem = read(document)
    plan, _ = plan_of(problem, Sequences((RouteSequence("A", "day", tuple(Visit(f"W{n}") for n in range(13))),)))
    teams = ask(problem, plan, "NEW", TeamQuestion(), team_policy(None))
    answer = teams.document()
    figure = team_options_figure(answer, problem.timezone)
    assert [axes.get_label() for axes in figure.axes] == [option["id"] for option in answer["options"]]
    for axes, option in zip(figure.axes, answer["options"], strict=True):
        labels = [label.get_text() for label in axes.get_yticklabels()]
        people = [*option["members"], *option["standby"]]
        assert [label.split()[0] for label in labels[: len(people)]] == [item["engineer"] for item in people]
        shown = min(MOST_CHANGES, len(option["changes"]))
        more = int(len(option["changes"]) > MOST_CHANGES)
        assert len(labels) == len(people) + shown + more


def test_an_option_is_accepted_into_files_that_pass_the_check(files: Path) -> None:
    taken = ("--accept", "1", "-o", "next.json", "--problem-output", "with-team.json", "--picture", "teams.png")
    answer: dict[str, Any] = json.loads(muster(files, *ASKED, *taken, "--json"))
    TeamOptions.model_validate({**answer, "plan_id": "", "plan_version": 1})
    changed = json.loads((files / "with-team.json").read_text(encoding="utf-8"))
    [new] = [item for item in changed["work_orders"] if item["id"] == "NEW"]
    assert new["team"] == answer["options"][0]["team"]
    checked = CliRunner().invoke(cli.app, ["check", str(files / "with-team.json"), str(files / "next.json")])
    assert checked.exit_code == 0, checked.output
    assert (files / "teams.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--accept", "9", "-o", "next.json"), "OUT_OF_RANGE"),
        (("--accept", "1"), "MISSING_FIELD"),
        (("--accept", "1", "-o", "next.json"), "MISSING_FIELD"),
        (("--accept", "1", "-o", "plan.json", "--problem-output", "with-team.json"), "UNWRITABLE_FILE"),
        (("--accept", "1", "-o", "next.json", "--problem-output", "next.json"), "UNWRITABLE_FILE"),
        (("-o", "next.json"), "MISSING_FIELD"),
        (("--policy", "none.json"), "UNREADABLE_FILE"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(files: Path, arguments: tuple[str, ...], code: str) -> None:
    answer = json.loads(muster(files, *ASKED, *arguments, "--json", code=2))
    assert [error["code"] for error in answer["errors"]] == [code]
    assert {path.name for path in files.iterdir()} == {"problem.json", "plan.json"}


def test_an_order_that_gets_no_team_has_no_result(files: Path) -> None:
    answer = json.loads(muster(files, "options", "problem.json", "plan.json", "--order", "W3", "--json", code=3))
    assert answer["errors"][0]["code"] == "WRONG_STATE"


@pytest.mark.parametrize(
    ("arguments", "path", "said"),
    [
        (("options", "--order", "NOBODY"), "order", "--all lists the orders of the plan."),
        (("substitute", "--order", "NOBODY", "--engineer", "A"), "order", "--all lists the orders of the plan."),
        (("substitute", "--order", "W3", "--engineer", "A"), "order", "muster teams options finds one."),
    ],
)
def test_an_order_or_a_team_that_there_is_not_is_bad_input_with_a_remedy(
    files: Path, arguments: tuple[str, ...], path: str, said: str
) -> None:
    command, *options = arguments
    [error] = json.loads(muster(files, command, "problem.json", "plan.json", *options, "--json", code=2))["errors"]
    assert (error["path"], error["code"]) == (path, "NOT_FOUND")
    assert error["remedy"].endswith(said)


def test_a_substitute_is_sought_for_somebody_of_the_team_and_for_nobody_else(files: Path) -> None:
    muster(files, *ASKED, "--accept", "1", "-o", "next.json", "--problem-output", "with-team.json")
    [team] = json.loads((files / "next.json").read_text(encoding="utf-8"))["teams"]
    people = [member["engineer"] for member in (*team["members"], *team.get("standby", ()))]
    asked = ("substitute", "with-team.json", "next.json", "--order", "NEW", "--json", "--engineer")
    for option in json.loads(muster(files, *asked, people[0]))["options"]:
        assert people[0] not in [member["engineer"] for member in option["members"]]
    [stranger, *_] = {"A", "B", "c", "D"} - set(people)
    [error] = json.loads(muster(files, *asked, stranger, code=2))["errors"]
    assert (error["path"], error["code"]) == ("engineer", "NOT_FOUND")
    assert error["remedy"] == f"Name one of its people: {', '.join(people)}."
