"""Documents become the domain: defaults, exact decimals, and nothing is nothing however it is written."""

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields
from fractions import Fraction
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import check_problem
from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import exact, instant, instant_text, problem_sha256, read_plan, read_problem
from dispatcher.model import Arrival, Break, Deadlines, Dependency, Pin, Role, TimeWindow
from dispatcher.plan import Member, Route, Stop, TeamAssignment
from dispatcher.problem import PreviousService
from dispatcher.verify import verify
from skills.graph import Relation
from skills.qualification import HeldSkill, RequiredSkill
from tests.days import back, plan, route, start, team, work
from tests.mutations import Document
from tests.planning_documents import full_plan, full_problem
from tests.small_days import at, day, engineer, order, role, shift

# Nothing is nothing

LISTS: tuple[Any, ...] = (None, [])
OBJECTS: tuple[Any, ...] = (None, {})
SCALARS: tuple[Any, ...] = (None,)

Empties = dict[str, tuple[Any, ...]]

PROBLEM: Empties = {
    **dict.fromkeys(("engineers", "work_orders"), LISTS),
    **dict.fromkeys(("locations", "skill_graph", "objective", "current_plan", "solve"), OBJECTS),
    "now": SCALARS,
    "attributes": OBJECTS,
}
ENGINEER: Empties = {
    **dict.fromkeys(("skills", "shifts"), LISTS),
    **dict.fromkeys(("duration_factors", "fix_probability", "parts"), OBJECTS),
    "attributes": OBJECTS,
    **dict.fromkeys(("name", "territory", "speed_factor", "on_call"), SCALARS),
}
SHIFT: Empties = {"breaks": LISTS, "latest_end": SCALARS, "max_work_orders": SCALARS, "attributes": OBJECTS}
ORDER: Empties = {
    **dict.fromkeys(("required_skills", "time_windows", "related_to", "depends_on"), LISTS),
    **dict.fromkeys(("allowed_engineers", "excluded_engineers", "preferred_engineers"), LISTS),
    **dict.fromkeys(("deadlines", "team", "parts", "pin"), OBJECTS),
    "attributes": OBJECTS,
    **dict.fromkeys(("territory", "setup_seconds", "level", "value", "asset"), SCALARS),
}
TEAM: Empties = {"collective_skills": LISTS, "arrival": OBJECTS, "service_seconds_by_size": OBJECTS}
ROLE: Empties = {
    **dict.fromkeys(("min", "max", "presence", "service_seconds"), SCALARS),
    "required_skills": LISTS,
}
GAPS: Empties = {"min_gap_seconds": SCALARS, "max_gap_seconds": SCALARS}
RELATION: Empties = dict.fromkeys(("level_loss", "duration_factor", "penalty"), SCALARS)


def objects(document: Document) -> Iterator[tuple[Document, Empties]]:
    """Every object of a problem with the fields it may leave out, and the ways to say that nothing is there."""
    yield document, PROBLEM
    for item in document.get("engineers") or ():
        yield item, ENGINEER
        yield from ((held, {"level": SCALARS, "valid_until": SCALARS}) for held in item.get("skills") or ())
        yield from ((each, SHIFT) for each in item.get("shifts") or ())
    for item in document.get("work_orders") or ():
        yield item, ORDER
        yield from ((required, {"level": SCALARS}) for required in item.get("required_skills") or ())
        yield from ((waits, GAPS) for waits in item.get("depends_on") or ())
        if item.get("pin"):
            yield item["pin"], {"start": SCALARS}
        if item.get("deadlines"):
            yield item["deadlines"], dict.fromkeys(("arrive_by", "start_by", "restore_by"), SCALARS)
        if item.get("team"):
            yield item["team"], TEAM
            yield from ((each, ROLE) for each in item["team"]["roles"])
            if item["team"].get("arrival"):
                yield item["team"]["arrival"], {"mode": SCALARS, **GAPS}
    yield from ((relation, RELATION) for relation in (document.get("skill_graph") or {}).get("relations", ()))
    if document.get("objective"):
        yield document["objective"], {"profile": SCALARS, "weights": OBJECTS}
    traffic = {"traffic": LISTS}
    yield document["travel"], traffic | ({"detour_factor": SCALARS} if document["travel"]["kind"] == "geodesic" else {})


def said_by(document: Document) -> dict[str, object]:
    """All that a problem says, in things that can be compared: skill relations as a list, travel as some legs."""
    problem = read_problem(document, problem_travel)
    apart = ("sha256", "travel", "skill_graph", "_qualifications")
    said: dict[str, object] = {
        each.name: getattr(problem, each.name) for each in fields(problem) if each.name not in apart
    }
    relations = [data["relation"] for _, _, data in problem.skill_graph.graph.edges(data=True)]
    places = range(min(4, len(problem.locations)))
    legs = [problem.travel.seconds(a, b, problem.now + 900 * b, Fraction(7, 5)) for a in places for b in places]
    return said | {"relations": relations, "legs": legs}


@given(st.integers(0, 10**6))
def test_absent_null_and_empty_mean_the_same_everywhere(seed: int) -> None:
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(0, 4), engineers=rng.randint(0, 3))
    other = copy.deepcopy(document)
    for item, empties in objects(other):
        for key, ways in empties.items():
            if item.get(key) in (None, [], {}):
                way = rng.choice(("absent", *ways))
                item.pop(key, None)
                if way != "absent":
                    item[key] = copy.deepcopy(way)
    assert check_problem(other) == []
    assert said_by(other) == said_by(document)
    nothing_done = plan(unassigned=tuple(item["id"] for item in document["work_orders"] or ()))
    assert verify(other, nothing_done) == verify(document, nothing_done)


@pytest.mark.parametrize("nothing", [None, 0])
def test_no_pieces_of_a_part_are_none(nothing: int | None) -> None:
    document = day([engineer("E", parts={"p": nothing})], [order("A", parts={"p": nothing})])
    bare = day([engineer("E")], [order("A")])
    assert check_problem(document) == []
    assert read_problem(document, problem_travel).work_orders == read_problem(bare, problem_travel).work_orders
    assert read_problem(document, problem_travel).engineers[0].parts.get("p", 0) == 0


def test_null_for_one_skill_is_no_probability() -> None:
    document = day([engineer("E", fix_probability={"a": None, "b": 0})], [])
    assert check_problem(document) == []
    assert read_problem(document, problem_travel).engineers[0].fix_probability == {"b": 0}


def test_null_for_one_skill_is_no_factor_and_null_for_one_size_no_estimate() -> None:
    team_of_two = {"roles": [role("lead", max=2)], "service_seconds_by_size": {"2": None}}
    document = day([engineer("E", duration_factors={"a": None, "b": 2})], [order("A", team=team_of_two)])
    assert check_problem(document) == []
    problem = read_problem(document, problem_travel)
    assert problem.engineers[0].duration_factors == {"b": 2}
    wanted = problem.work_orders[0].team
    assert wanted is not None
    assert wanted.service_seconds_by_size == ()


@pytest.mark.parametrize(
    ("fields_of_shift", "place"), [({}, "p10"), ({"end_location": "p20"}, "p20"), ({"end_location": None}, None)]
)
def test_only_an_explicit_null_is_an_open_route(fields_of_shift: Document, place: str | None) -> None:
    document = day([engineer("E", shifts=[shift(start_location="p10", **fields_of_shift)])], [])
    assert check_problem(document) == []
    assert read_problem(document, problem_travel).engineers[0].shifts[0].end_location == place


# Defaults


def test_defaults_are_those_of_the_planning_document() -> None:
    bare: Document = {
        "version": 1,
        "id": "bare",
        "timezone": "Asia/Shanghai",
        "horizon": {"start": at("00:00"), "end": at("23:00")},
        "locations": {"x": {"lat": 1.5, "lon": 2}},
        "engineers": [
            {
                "id": "E",
                "skills": [{"skill": "a"}],
                "shifts": [{"id": "s", "start": at("08:00"), "end": at("16:00"), "start_location": "x"}],
            }
        ],
        "work_orders": [
            {"id": "A", "location": "x", "service_seconds": 60, "required_skills": [{"skill": "a"}]},
            {
                "id": "T",
                "location": "x",
                "service_seconds": 60,
                "team": {"roles": [{"role": "lead"}, {"role": "hand", "min": 2}]},
                "depends_on": [{"work_order": "A"}],
            },
        ],
        "travel": {"kind": "geodesic", "speed_kmh": 30},
    }
    assert check_problem(bare) == []
    problem = read_problem(bare, problem_travel)
    assert (problem.now, problem.timezone) == (problem.start, ZoneInfo("Asia/Shanghai"))
    [found] = problem.engineers
    assert found.skills == (HeldSkill("a", 1, None),)
    assert (found.speed_factor, found.duration_factors, found.parts, found.on_call) == (1, {}, {}, False)
    assert found.fix_probability == {}
    [its_shift] = found.shifts
    assert (its_shift.latest_end, its_shift.end_location) == (its_shift.end, "x")
    assert (its_shift.breaks, its_shift.max_work_orders) == ((), None)
    single, joint = problem.work_orders
    assert (single.level, single.value, single.setup_seconds) == ("L4", 7200, 0)
    assert single.required_skills == (RequiredSkill("a", 1),)
    assert (single.deadlines, single.team, single.pin) == (Deadlines(), None, None)
    assert joint.depends_on == (Dependency("A", None, 0, None),)
    assert joint.team is not None
    assert joint.team.roles == (Role("lead"), Role("hand", 2, 2))
    assert joint.team.arrival == Arrival("together", 0, None)
    assert problem.previous == {}


@pytest.mark.parametrize(("level", "value"), [("L1", 360000), ("L2", 108000), ("L3", 28800), ("L4", 7200)])
def test_the_value_is_that_of_the_level_unless_it_is_given_even_as_zero(level: str, value: int) -> None:
    document = day([], [order("A", level=level), order("B", level=level, value=0), order("C", level=level, value=2.5)])
    values = [item.value for item in read_problem(document, problem_travel).work_orders]
    assert values == [value, 0, Fraction(5, 2)]


# Every field


def test_every_field_of_a_problem_arrives() -> None:
    document = full_problem()
    problem = read_problem(document, problem_travel)
    assert problem.id == "shanghai-2026-11-23"
    assert (problem.now, problem.start, problem.end) == tuple(
        instant(text) for text in (document["now"], document["horizon"]["start"], document["horizon"]["end"])
    )
    place = problem.locations[0]
    assert (place.id, place.latitude, place.longitude) == ("depot", 31.2, 121.5)
    first, second = problem.engineers
    assert (first.name, first.territory, first.on_call) == ("Li", "east", True)
    assert first.skills == (HeldSkill("hydraulics", 4, instant("2027-01-01T00:00:00+08:00")),)
    assert first.duration_factors == {"hydraulics": Fraction(9, 10)}
    assert first.fix_probability == {"hydraulics": Fraction(17, 20)}
    assert first.parts == {"P-12": 2}
    morning, afternoon = first.shifts
    assert morning.end_location is None
    assert morning.max_work_orders == 12
    ten = instant("2026-11-23T10:00:00+08:00")
    assert morning.breaks == (Break(ten, ten, 900),)
    assert (afternoon.start_location, afternoon.end_location) == ("n17", "n17")
    assert second.shifts[0].end_location == "plant 7"
    pump, crane = problem.work_orders
    assert (pump.territory, pump.asset, pump.setup_seconds, pump.level) == ("east", "crane-7", 300, "L2")
    assert pump.value == Fraction(216001, 2)
    assert pump.allowed_engineers == {"E1"}
    assert pump.excluded_engineers == {"E2"}
    assert pump.preferred_engineers == {"E1", "E2"}
    assert pump.related_to == {"W2"}
    assert pump.parts == {"P-12": 1}
    assert len(pump.time_windows) == 2
    assert isinstance(pump.time_windows[0], TimeWindow)
    assert None not in (pump.deadlines.arrive_by, pump.deadlines.start_by, pump.deadlines.restore_by)
    assert pump.depends_on == (Dependency(None, instant("2026-11-23T07:00:00+08:00"), 0, 86400),)
    assert pump.pin == Pin("E2", instant("2026-11-23T09:00:00+08:00"))
    assert crane.value == 0
    assert crane.team is not None
    lead, support, backup = crane.team.roles
    assert lead == Role("lead", 1, 1, (RequiredSkill("hydraulics", 4),), "remote", 1800)
    assert (support.minimum, support.maximum) == (1, 3)
    assert backup.presence == "standby"
    assert crane.team.collective_skills == (RequiredSkill("pneumatics", 1),)
    assert crane.team.arrival == Arrival("lead_first", 60, 600)
    assert crane.team.service_seconds_by_size == ((2, 5400), (3, 3600))
    relations = [data["relation"] for _, _, data in problem.skill_graph.graph.edges(data=True)]
    assert Relation("substitutes", "pneumatics", "hydraulics", 1, Fraction(13, 10), Fraction(1201, 2)) in relations
    assert problem.weights.of("late_restore", "L3") == 1500


def test_sizes_of_a_team_are_sorted_as_numbers() -> None:
    sizes = {"10": 1, "9": 2, "2": 3}
    document = day([], [order("T", team={"roles": [role("lead")], "service_seconds_by_size": sizes})])
    wanted = read_problem(document, problem_travel).work_orders[0].team
    assert wanted is not None
    assert wanted.service_seconds_by_size == ((2, 3), (9, 2), (10, 1))


def test_a_plan_arrives_as_it_claims_to_be() -> None:
    stops = [start(), work("T", "p10", "08:10", "09:10", role="lead"), back("09:20")]
    entry = team("T", "08:10", {"E": "lead"}, {"S": "backup"})
    found = read_plan(plan(route("E", *stops), teams=(entry,), unassigned=("A", "B")))
    eight, ten_past, later = instant(at("08:00")), instant(at("08:10")), instant(at("09:10"))
    made = Stop("work_order", "p10", "T", "lead", 600, 10_000, ten_past, ten_past, later)
    home = Stop("end", "p0", travel_seconds=600, travel_meters=10_000, arrival=later + 600)
    assert found.routes == (Route("E", "day", (Stop("start", "p0", end=eight), made, home)),)
    assert found.teams == (TeamAssignment("T", ten_past, (Member("E", "lead"),), (Member("S", "backup"),)),)
    assert found.unassigned == ("A", "B")


def test_what_a_plan_made_elsewhere_leaves_out_is_absent() -> None:
    bare = read_plan({"version": 1, "routes": [{"engineer": "E", "shift": "day"}]})
    assert bare.routes == (Route("E", "day", ()),)
    assert (bare.teams, bare.unassigned) == ((), ())
    elsewhere = full_plan()
    del elsewhere["routes"][0]["stops"][1]["travel_meters"]
    assert read_plan(elsewhere).routes[0].stops[1].travel_meters is None


# The plan in force


def test_the_plan_in_force_tells_members_and_the_first_start_on_site() -> None:
    roles = [role("hand"), role("lead", presence="remote"), role("spare", presence="standby")]
    orders = [order("A"), order("T", team={"roles": roles})]
    before = plan(
        route("E", start(), work("T", "p10", "09:00", "10:00", role="hand"), work("gone", "p10", "10:00", "11:00")),
        route("F", start(), work("T", "p0", "08:00", "09:00", role="lead"), back("09:00")),
        teams=(team("T", "09:00", {"E": "hand", "F": "lead"}, {"S": "spare"}),),
        unassigned=("A",),
    )
    problem = read_problem(day([engineer("E")], orders, current_plan=before), problem_travel)
    assert problem.previous == {"T": PreviousService(frozenset({"E", "F"}), instant(at("09:00")))}


# Numbers and instants


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (1, 1),
        (1.0, 1),
        (1.15, Fraction(23, 20)),
        (0.1, Fraction(1, 10)),
        (1e-7, Fraction(1, 10**7)),
        (1e22, 10**22),
        (-2.5, Fraction(-5, 2)),
    ],
)
def test_decimals_are_what_was_written_and_whole_ones_are_integers(number: float, value: object) -> None:
    assert exact(number) == value
    assert type(exact(number)) is type(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=0, max_value=10**6))
def test_a_decimal_of_six_places_survives_json(written: Any) -> None:
    assert exact(json.loads(str(written))) == Fraction(written)


@given(st.integers(0, 4 * 10**9), st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York", "Europe/Berlin"]))
def test_an_instant_is_the_same_after_it_was_written(seconds: int, zone: str) -> None:
    text = instant_text(seconds, ZoneInfo(zone))
    assert instant(text) == seconds
    assert text[-6] in "+-"


@pytest.mark.parametrize(
    "text", ["2026-11-23T08:00:00+08:00", "2026-11-23T00:00:00Z", "2026-11-23T08:00:00.000+08:00", "20261123T000000+00"]
)
def test_an_instant_may_be_written_in_several_ways(text: str) -> None:
    assert instant(text) == 1795392000


def test_the_hash_is_of_the_canonical_text() -> None:
    document = {"b": [1, 2.5, None], "a": "ü"}
    assert problem_sha256(document) == hashlib.sha256('{"a":"ü","b":[1,2.5,null]}'.encode()).hexdigest()
    assert problem_sha256({"a": "ü", "b": [1, 2.5, None]}) == problem_sha256(document)
