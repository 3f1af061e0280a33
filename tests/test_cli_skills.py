"""The commands `muster skills`: what they answer, what they write, and what they refuse."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.skill_schemas import SkillCoverage, SkillGaps
from skills.exchange import read_graph_document, read_graphml
from tests.small_days import Document, day, engineer, order, role, shift, skill, window

MORNING = window("08:00", "12:00")
GRAPH = {
    "skills": [{"id": "oil"}, {"id": "pump"}],
    "relations": [
        {"type": "substitutes", "from": "oil", "to": "pump", "level_loss": 1, "duration_factor": 1.5, "penalty": 300}
    ],
}
ROLES = [role("lead", skill("pump", 4)), role("support", skill("pump", 2))]


def a_day(**fields: Any) -> Document:
    crew = [
        engineer("A", skill("pump", 4, "14:00"), territory="east"),
        engineer("B", skill("oil", 4), territory="east") | {"name": "Bea"},
        engineer("C", skill("pump", 1), territory="west", shifts=[shift("10:00", "16:00")]),
        engineer("D", skill("pump", 5), territory="west", shifts=[]),
    ]
    orders = [
        order("V", required_skills=[skill("pump", 3)], time_windows=[MORNING], territory="east"),
        order("T", team={"roles": ROLES}, time_windows=[MORNING], territory="west", excluded_engineers=["D"]),
    ]
    return day(crew, orders, **{"skill_graph": GRAPH, **fields})


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(a_day()), encoding="utf-8")
    return path


def skills(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["skills", *(str(argument) for argument in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def answer(*arguments: object) -> Document:
    result = skills(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def codes(result: Result) -> list[str]:
    assert result.exit_code == 2
    return [error["code"] for error in json.loads(result.stdout)["errors"]]


# -- who -----------------------------------------------------------------------------------------------------------


def test_who_names_the_path_the_certificate_and_the_price_of_everybody_who_can(problem: Path) -> None:
    found = answer("who", problem, "--order", "V")
    assert found["at"] == "2026-11-23T08:00:00+00:00"
    [asked] = found["asks"]
    assert [item["engineer"] for item in asked["qualified"]] == ["A", "B", "D"]
    direct, substitute, off = asked["qualified"]
    assert direct["paths"][0]["held"] == {"skill": "pump", "level": 4, "valid_until": "2026-11-23T14:00:00+00:00"}
    assert (substitute["paths"][0]["via"], substitute["paths"][0]["reached"]) == (["oil", "pump"], 3)
    assert (substitute["penalty"], substitute["duration_factor"]) == (300, 1.5)
    assert (direct["on_shift"], off["on_shift"]) == (True, False)


def test_who_asks_for_each_role_of_a_team_and_leaves_out_whom_the_order_does_not_let(problem: Path) -> None:
    lead, support = answer("who", problem, "--order", "T")["asks"]
    assert (lead["role"], [item["engineer"] for item in lead["qualified"]]) == ("lead", ["A"])
    assert [item["engineer"] for item in support["qualified"]] == ["A", "B"]
    assert lead["not_admitted"] == ["D"]
    assert [(near["engineer"], near["reached"]) for near in lead["nearly"]] == [("B", 3)]


def test_who_knows_which_certificate_ran_out(problem: Path) -> None:
    found = answer("who", problem, "--skill", "pump", "--level", 4, "--at", "2026-11-23T15:00:00+00:00")
    [asked] = found["asks"]
    assert [item["engineer"] for item in asked["qualified"]] == ["D"]
    expired = {near["engineer"]: near["expired"] for near in asked["nearly"]}
    assert expired["A"]["valid_until"] == "2026-11-23T14:00:00+00:00"


def test_who_as_a_table_says_the_same_to_people(problem: Path) -> None:
    text = skills("who", problem, "--order", "T").stdout
    assert "1 × lead: pump ≥ 4, on Mon 23 Nov 08:00" in text
    assert "1 of 4 engineers qualify" in text
    assert "oil 4 → pump 3" in text
    assert "× 1.5" in text
    assert "B Bea" in text
    assert "pump 3, 4 is needed" in text
    assert "not let by the order: D" in text


def test_where_nobody_qualifies_it_says_so_and_who_is_nearest(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    crew = [engineer("A", skill("pump", 2)), engineer("B", skill("pump", 4, "07:00"))]
    path.write_text(json.dumps(day(crew, [order("V", required_skills=[skill("pump", 3)], time_windows=[MORNING])])))
    result = skills("who", path, "--order", "V")
    assert result.exit_code == 0
    assert "Nobody of 2 engineers qualifies." in result.stdout
    assert "pump 2, 3 is needed" in result.stdout
    assert "certificate of pump 4 ran out Mon 23 Nov 07:00" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["EXACTLY_ONE"]),
        (("--order", "V", "--skill", "pump"), ["EXACTLY_ONE"]),
        (("--order", "V", "--level", "3"), ["EXACTLY_ONE"]),
        (("--order", "Z"), ["NOT_FOUND"]),
        (("--skill", "magic", "--at", "noon"), ["NOT_FOUND", "BAD_INSTANT"]),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_all_that_is_wrong(
    problem: Path, options: Sequence[str], expected: list[str]
) -> None:
    assert codes(skills("who", problem, *options, "--json")) == expected


# -- coverage and gaps ---------------------------------------------------------------------------------------------


def test_coverage_is_what_the_service_answers_and_draws_a_picture(problem: Path, tmp_path: Path) -> None:
    picture = tmp_path / "pictures" / "coverage.png"
    found = answer("coverage", problem, "-o", picture)
    assert found.pop("picture") == str(picture)
    SkillCoverage.model_validate({**found, "territory": "all"})
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert {(row["skill"], row["level"]): row["on_shift"][0] for row in found["rows"]} == {
        ("pump", 2): 2,
        ("pump", 3): 2,
        ("pump", 4): 1,
    }


def test_coverage_as_tables_names_thin_hours_and_every_territory(problem: Path) -> None:
    text = skills("coverage", problem).stdout
    assert "Coverage: 3 engineers on shift, Mon 23 Nov 2026 · UTC" in text
    assert "08:00–12:00" in text
    assert "Each territory by itself" in text
    east = skills("coverage", problem, "--territory", "east").stdout
    assert "2 engineers on shift" in east
    assert "Each territory" not in east


def test_gaps_are_what_the_service_answers(problem: Path) -> None:
    found = answer("gaps", problem)
    SkillGaps.model_validate({**found, "territory": "all"})
    assert [(point["engineers"], point["hours"]) for point in found["single_points"]] == [(["A"], 4)]
    assert [(item["engineer"], item["skill"], item["ends"]) for item in found["trainings"]] == [("B", "oil", 4)]
    assert answer("gaps", problem, "--territory", "west")["uncovered"]


def test_gaps_as_tables_say_who_is_alone_and_why_the_training_helps(problem: Path) -> None:
    text = skills("gaps", problem).stdout
    for part in ("4 hours with one person only", "08:00–12:00", "Open orders with nobody to spare", "B Bea: pump 3"):
        assert part in text
    assert "pump ≥ 4, 4 hours beside A" in text
    assert "4 → 5" in text


def test_a_crew_without_gaps_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(day([], [])))
    assert "There is none." in skills("gaps", path).stdout
    assert "No open order asks for a skill." in skills("coverage", path).stdout


@pytest.mark.parametrize("command", ["coverage", "gaps"])
def test_a_territory_that_nobody_names_is_refused(problem: Path, command: str) -> None:
    result = skills(command, problem, "--territory", "eest", "--json")
    assert codes(result) == ["NOT_FOUND"]
    assert "east" in json.loads(result.stdout)["errors"][0]["remedy"]


# -- graph ---------------------------------------------------------------------------------------------------------


def test_the_graph_is_written_as_picture_or_for_other_programs(problem: Path, tmp_path: Path) -> None:
    for name in ("graph.png", "graph.graphml", "graph.json"):
        assert answer("graph", problem, "-o", tmp_path / name) == {"graph": str(tmp_path / name)}
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    written = read_graph_document(json.loads((tmp_path / "graph.json").read_text(encoding="utf-8")))
    drawn = read_graphml((tmp_path / "graph.graphml").read_bytes()).graph
    for graph in (written, drawn):
        [path] = graph.routes("oil", "pump")
        assert (path.level_loss, int(path.penalty)) == (1, 300)


def test_a_format_that_there_is_not_and_a_file_that_cannot_be_written_are_refused(
    problem: Path, tmp_path: Path
) -> None:
    assert codes(skills("graph", problem, "-o", tmp_path / "graph.svg", "--json")) == ["UNKNOWN_VALUE"]
    for command, name in (("graph", "x.png"), ("coverage", "x.png")):
        assert codes(skills(command, problem, "-o", problem / name, "--json")) == ["UNWRITABLE_FILE"]


def test_a_name_that_xml_cannot_hold_is_refused_in_graphml_only(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(day([], [], skill_graph={"skills": [{"id": "a\u0001b"}]})))
    result = skills("graph", path, "-o", tmp_path / "graph.graphml", "--json")
    assert codes(result) == ["INVALID_GRAPHML"]
    assert skills("graph", path, "-o", tmp_path / "graph.json").exit_code == 0
