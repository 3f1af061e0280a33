"""Bugs that were found in use, each held by the behaviour it broke."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.problems import SolveOptions, read_checked_problem, solve_document
from dispatcher.plan import Member, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.schedule import build_plan
from solver.budget import Budget
from solver.tighten import without_needless_waiting

ENOUGH = SolveOptions(iteration_limit=100)


def at(clock: str) -> str:
    return f"2026-11-23T{clock}:00+00:00"


def engineer(name: str, *skills: str) -> dict[str, Any]:
    shift = {"id": "day", "start": at("08:00"), "end": at("17:00"), "start_location": "depot"}
    return {"id": name, "skills": [{"skill": skill, "level": 3} for skill in skills], "shifts": [shift]}


def order(name: str, *skills: str, **fields: Any) -> dict[str, Any]:
    required = [{"skill": skill} for skill in skills]
    return {"id": name, "location": "site", "service_seconds": 3600, "required_skills": required, **fields}


def day(engineers: list[dict[str, Any]], orders: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "id": "day",
        "timezone": "UTC",
        "horizon": {"start": "2026-11-23T00:00:00+00:00", "end": "2026-11-24T00:00:00+00:00"},
        "locations": {"depot": {"lat": 52.0, "lon": 13.0}, "site": {"lat": 52.0, "lon": 13.1}},
        "engineers": engineers,
        "work_orders": orders,
        "travel": {"kind": "geodesic", "speed_kmh": 30},
        **fields,
    }


def served(plan: dict[str, Any]) -> set[str]:
    return {stop["work_order"] for route in plan["routes"] for stop in route["stops"] if "work_order" in stop}


LEAD_AND_STANDBY = {
    "roles": [
        {"role": "lead", "required_skills": [{"skill": "lead"}]},
        {"role": "backup", "presence": "standby", "required_skills": [{"skill": "help"}]},
    ]
}


@pytest.mark.parametrize(
    "engine",
    [
        "insertion",
        "hybrid",
    ],
)
def test_who_stands_by_in_the_morning_works_in_the_afternoon(engine: str) -> None:
    """The departure to the next order counted as being away from the shift's start on."""
    late = [{"start": at("13:00"), "end": at("13:30")}]
    orders = [order("team", team=LEAD_AND_STANDBY), order("late", "help", time_windows=late)]
    people = [engineer("A", "lead"), engineer("B", "help")]
    plan = solve_document(day(people, orders), SolveOptions(iteration_limit=100, engine=engine))
    assert served(plan) == {"team", "late"}
    assert plan["teams"][0]["standby"] == [{"engineer": "B", "role": "backup"}]


def test_a_null_among_weights_or_sizes_counts_as_absent() -> None:
    """The checker took it for zero, and a good plan was refused."""
    team = {"roles": [{"role": "lead"}], "service_seconds_by_size": {"1": None}}
    orders = [order("W", team=team, level="L4", deadlines={"arrive_by": at("08:00")})]
    objective = {"weights": {"late_arrival": {"L4": None}, "travel": None}}
    plan = solve_document(day([engineer("A")], orders, objective=objective), ENOUGH)
    assert served(plan) == {"W"}


def test_many_substitutes_with_one_quicker_among_them_are_searched_at_once() -> None:
    """The checker walked every simple path as soon as one factor was below 1."""
    names = [f"s{number}" for number in range(14)]
    relations = [
        {"type": "substitutes", "from": one, "to": other, "penalty": 100, "duration_factor": 1.2}
        for one in names
        for other in names
        if one != other
    ]
    relations[0]["duration_factor"] = 0.9
    graph = {"skills": [{"id": name} for name in names], "relations": relations}
    plan = solve_document(day([engineer("A", "s0")], [order("W", "s13")], skill_graph=graph), ENOUGH)
    assert served(plan) == {"W"}


def test_the_pinned_order_with_the_least_room_is_placed_first() -> None:
    """An order that fits any shift took the only place of one that fits just this shift."""
    pinned = engineer("A")
    evening = {"id": "late", "start": at("18:00"), "end": at("22:00"), "start_location": "depot"}
    pinned["shifts"] = [{**pinned["shifts"][0], "max_work_orders": 1}, evening]
    morning = [{"start": at("09:00"), "end": at("10:00")}]
    orders = [
        order("anywhen", pin={"engineer": "A"}),
        order("morning", pin={"engineer": "A"}, time_windows=morning),
    ]
    assert served(solve_document(day([pinned], orders), ENOUGH)) == {"anywhen", "morning"}


def test_a_team_is_not_held_back_without_need() -> None:
    """Teams kept the start they were composed for, though all their members were there before."""
    problem = read_checked_problem(
        day([engineer("A", "lead"), engineer("B", "help")], [order("W", team=LEAD_AND_STANDBY)])
    )
    held = problem.start + 12 * 3600
    routes = (RouteSequence("A", "day", (Visit("W", "lead", not_before=held),)),)
    sequences = Sequences(routes, {"W": (Member("B", "backup"),)})
    assert build_plan(problem, sequences).teams[0].start == held
    free = without_needless_waiting(problem, sequences, Budget(SearchLimits(), lambda: False))
    start = build_plan(problem, free).teams[0].start
    assert start == build_plan(problem, Sequences((RouteSequence("A", "day", (Visit("W", "lead"),)),))).teams[0].start
    assert start < held


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_plan_with_absurd_numbers_is_answered_without_a_traceback(command: str, tmp_path: Path) -> None:
    """An endless drive overflowed the sum of a route's waiting."""
    document = day([engineer("A")], [order("W")])
    plan = solve_document(document, ENOUGH)
    plan["routes"][0]["stops"][1]["travel_seconds"] = 10**18
    problem_file, plan_file = tmp_path / "problem.json", tmp_path / "plan.json"
    problem_file.write_text(json.dumps(document))
    plan_file.write_text(json.dumps(plan))
    arguments = [str(plan_file)] if command == "show" else [str(problem_file), str(plan_file)]
    result = CliRunner().invoke(app, [command, *arguments])
    assert result.exit_code in (0, 1, 2)
    assert result.exception is None or isinstance(result.exception, SystemExit)
