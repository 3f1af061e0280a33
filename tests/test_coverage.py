"""Coverage by the hour against a naive count at every instant at which anything changes, and case by case."""

import doctest
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dispatcher.coverage
import dispatcher.spans
from data.synthetic_random import random_problem
from data.travel import problem_travel
from dispatcher.coverage import Cell, Coverage, Row, clock_hours, coverage, territories
from dispatcher.demand import (
    asked_skills,
    asks_of,
    longest_work,
    open_orders,
    people_at_once,
    promised_spans,
    work_seconds,
)
from dispatcher.documents import read_problem
from dispatcher.model import Engineer, round_half_up
from dispatcher.problem import Problem
from dispatcher.spans import Span, common, merged
from skills import RequiredSkill, qualify
from tests.small_days import clock, day, engineer, order, read, role, seconds, shift, skill, window


def random_day(seed: int) -> Problem:
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(0, 8), engineers=rng.randint(0, 5))
    return read_problem(document, problem_travel)


seeds = st.integers(0, 2**32)


def to_the_minute(problem: Problem) -> Problem:
    """The problem with certificates that end with the minute nearest to their end."""
    crew = [
        replace(
            one,
            skills=tuple(
                held
                if held.valid_until is None
                else replace(held, valid_until=round_half_up(Fraction(held.valid_until, 60)) * 60 - 1)
                for held in one.skills
            ),
        )
        for one in problem.engineers
    ]
    return replace(problem, engineers=tuple(crew))


def on_shift(engineer: Engineer, at: int) -> bool:
    return any(item.start <= at < item.end for item in engineer.shifts)


def holders(problem: Problem, required: RequiredSkill, at: int) -> set[str]:
    """By the definition: on shift, and qualified by any path."""
    return {
        item.id
        for item in problem.engineers
        if on_shift(item, at) and qualify(problem.skill_graph, item.skills, [required], at).qualified
    }


def instants(problem: Problem, hour: Span) -> list[int]:
    """The first instant of the hour, and all in it at which anybody comes, goes or loses a certificate."""
    changes = {shift.start for item in problem.engineers for shift in item.shifts}
    changes |= {shift.end for item in problem.engineers for shift in item.shifts}
    changes |= {held.valid_until + 1 for item in problem.engineers for held in item.skills if held.valid_until}
    return sorted({hour.start, *(at for at in changes if hour.start <= at < hour.end)})


def row_of(found: Coverage, name: str, level: int) -> Row:
    return next(row for row in found.rows if (row.skill, row.level) == (name, level))


def cells_by_clock(found: Coverage, row: Row) -> dict[str, Cell]:
    return {clock(hour.start): cell for hour, cell in zip(found.hours, row.cells, strict=True)}


def a_day(engineers: Iterable[dict[str, Any]], *orders: dict[str, Any], **fields: Any) -> Coverage:
    return coverage(read(day(engineers, orders, **fields)))


def pump_row(engineers: Iterable[dict[str, Any]], *orders: dict[str, Any], **fields: Any) -> dict[str, Cell]:
    """The cells of the one row by the time at which their hours begin."""
    found = a_day(engineers, *orders, **fields)
    [row] = found.rows
    return cells_by_clock(found, row)


PUMP = [skill("pump", 2)]
MORNING = window("08:00", "12:00")


# -- against a naive oracle ----------------------------------------------------------------------------------------


def naive_demand(problem: Problem, required: RequiredSkill) -> dict[str, set[int]]:
    """Each order that asks for the skill with the seconds at which it counts, by the definition, second by second."""
    cuts = [instant for hour in [Span(problem.now, problem.end + 1)] for instant in instants(problem, hour)]
    found = {}
    for item in open_orders(problem):
        promised = {at for span in promised_spans(problem, item) for at in range(span.start, span.end)}
        if not promised or not people_at_once(item, required):
            continue
        ends = [*cuts[1:], max(promised) + 1]
        could, manned = set(), set()
        for start, end in zip(cuts, ends, strict=True):
            stretch = promised & set(range(start, end))
            could |= stretch if holders(problem, required, start) else set()
            manned |= stretch if any(on_shift(one, start) for one in problem.engineers) else set()
        chosen = could or manned or promised
        missing = longest_work(item) - len(chosen)
        found[item.id] = chosen | set(range(max(chosen) + 1, max(chosen) + 1 + max(0, missing)))
    return found


@given(seed=seeds)
@settings(max_examples=15)
def test_an_hour_of_a_row_is_what_a_naive_count_second_by_second_finds(seed: int) -> None:
    problem = random_day(seed)
    found = coverage(problem)
    problem = to_the_minute(problem)
    asked = {one for item in open_orders(problem) if promised_spans(problem, item) for one in asked_skills(item)}
    assert {RequiredSkill(row.skill, row.level) for row in found.rows} == asked
    for row in found.rows:
        required = RequiredSkill(row.skill, row.level)
        demand = naive_demand(problem, required)
        assert row.orders == tuple(sorted(demand))
        for hour, cell in zip(found.hours, row.cells, strict=True):
            seconds_of = {name: {at for at in times if hour.start <= at < hour.end} for name, times in demand.items()}
            asking = [problem.order_by_id[name] for name, times in seconds_of.items() if times]
            work = sum(
                (
                    Fraction(work_seconds(item, required) * len(seconds_of[item.id]), len(demand[item.id]))
                    for item in asking
                ),
                start=Fraction(0),
            )
            assert abs(cell.work_seconds - work) <= len(asking)
            at_once = max((people_at_once(item, required) for item in asking), default=0)
            assert cell.needed == max(at_once, -(-cell.work_seconds // hour.seconds))
            moments = set().union(*seconds_of.values()) or set(range(hour.start, hour.end))
            there = {
                at: holders(problem, required, at)
                for at in {
                    min(moments),
                    *(at for at in instants(problem, hour) if at in moments),
                    *_beginnings(moments),
                }
            }
            assert cell.on_shift == min(len(people) for people in there.values())
            single = [people for people in there.values() if len(people) == 1] if cell.on_shift == 1 else []
            assert set(cell.alone) == set().union(*single)
            assert {at for span in cell.alone_at for at in range(span.start, span.end)} <= moments
            assert all(len(holders(problem, required, span.start)) == 1 for span in cell.alone_at)
            assert bool(cell.alone_at) == bool(cell.alone)


def _beginnings(moments: set[int]) -> set[int]:
    return {at for at in moments if at - 1 not in moments}


@given(seed=seeds)
def test_everybody_on_shift_is_counted_at_the_moment_at_which_they_are_fewest(seed: int) -> None:
    problem = random_day(seed)
    found = coverage(problem)
    for hour, count in zip(found.hours, found.on_shift, strict=True):
        assert count == min(sum(on_shift(one, at) for one in problem.engineers) for at in instants(problem, hour))
        assert {one.id for one in problem.engineers if on_shift(one, hour.start)} <= set(found.engineers)


spans = st.lists(st.builds(Span, st.integers(0, 30), st.integers(0, 30)), max_size=5)


@given(some=spans, others=spans)
def test_spans_are_the_instants_that_they_hold(some: list[Span], others: list[Span]) -> None:
    def held(items: Iterable[Span]) -> set[int]:
        return {at for item in items for at in range(item.start, item.end)}

    for given_spans in (some, others):
        found = merged(given_spans)
        assert held(found) == held(given_spans)
        assert all(before.end < after.start for before, after in pairwise(found))
    assert held(common(merged(some), merged(others))) == held(some) & held(others)
    assert doctest.testmod(dispatcher.spans).failed == 0


@given(seed=seeds)
def test_hours_are_those_of_the_local_clock_without_gaps_from_now_on(seed: int) -> None:
    problem = random_day(seed)
    found = coverage(problem)
    for before, after in pairwise(found.hours):
        assert before.end == after.start
        local = datetime.fromtimestamp(after.start, problem.timezone)
        assert (local.minute, local.second) == (0, 0)
    for hour in found.hours:
        assert max(problem.now, problem.start) <= hour.start < hour.end <= problem.end
        assert hour.seconds <= 3600


@given(seed=seeds)
def test_a_territory_counts_its_own_engineers_and_orders_only(seed: int) -> None:
    problem = random_day(seed)
    for name in territories(problem):
        found = coverage(problem, name)
        own = {item.id for item in problem.engineers if item.territory == name}
        assert set(found.engineers) <= own
        assert {one for row in found.rows for one in row.orders} <= {
            item.id for item in problem.work_orders if item.territory == name
        }


# -- hours ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        ("UTC", (2026, 11, 23), 24),
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("Asia/Kolkata", (2026, 6, 1), 24),
        # The clock goes back, and forward, by half an hour: one hour comes in two parts.
        ("Australia/Lord_Howe", (2026, 4, 5), 25),
        ("Australia/Lord_Howe", (2026, 10, 4), 24),
    ],
)
def test_a_local_day_has_as_many_hours_as_its_clock(zone: str, date: tuple[int, int, int], hours: int) -> None:
    year, month, number = date
    start = int(datetime(year, month, number, tzinfo=ZoneInfo(zone)).timestamp())
    end = int(datetime(year, month, number + 1, tzinfo=ZoneInfo(zone)).timestamp())
    found = clock_hours(start, end, ZoneInfo(zone))
    assert len(found) == hours
    assert (found[0].start, found[-1].end) == (start, end)
    assert doctest.testmod(dispatcher.coverage).failed == 0


def test_hours_without_anybody_and_without_need_are_left_out_at_both_ends() -> None:
    found = a_day([engineer("A", skill("pump", 2))], order("V", required_skills=PUMP, time_windows=[MORNING]))
    assert [clock(hour.start) for hour in found.hours] == [f"{hour:02}:00" for hour in range(8, 16)]
    assert found.on_shift == (1,) * 8


def test_an_empty_problem_has_no_hours_and_no_rows() -> None:
    found = coverage(read(day([], [])))
    assert (found.hours, found.rows, found.single_points, found.short_cells) == ((), (), 0, 0)


# -- people --------------------------------------------------------------------------------------------------------


def test_a_handover_within_the_hour_names_both_and_is_a_single_point() -> None:
    crew = [
        engineer("A", skill("pump", 2), shifts=[shift(end="09:30")]),
        engineer("B", skill("pump", 2), shifts=[shift("09:30", "12:00")]),
    ]
    cells = pump_row(crew, order("V", required_skills=PUMP, time_windows=[MORNING]))
    assert cells["09:00"].is_single_point
    assert cells["09:00"].alone == ("A", "B")
    assert [clock(span.start) for span in cells["09:00"].alone_at] == ["09:00", "09:30"]
    assert (cells["08:00"].alone, cells["10:00"].alone) == (("A",), ("B",))


def test_a_minute_without_anybody_is_no_gap_while_the_work_may_wait() -> None:
    crew = [
        engineer("A", skill("pump", 2), shifts=[shift(end="09:30")]),
        engineer("B", skill("pump", 2), shifts=[shift("09:31", "12:00")]),
    ]
    cell = pump_row(crew, order("V", required_skills=PUMP, time_windows=[MORNING]))["09:00"]
    assert (cell.on_shift, cell.alone) == (1, ("A", "B"))
    assert [(clock(span.start), clock(span.end)) for span in cell.alone_at] == [("09:00", "09:30"), ("09:31", "10:00")]


def test_work_that_goes_on_after_the_last_shift_finds_nobody_there() -> None:
    crew = [engineer("A", skill("pump", 2), shifts=[shift(end="10:30")])]
    work = order("V", minutes=120, required_skills=PUMP, time_windows=[window("09:30", "10:15")])
    cells = pump_row(crew, work)
    assert [(at, cell.on_shift, cell.alone) for at, cell in cells.items()] == [
        ("08:00", 1, ("A",)),
        ("09:00", 1, ("A",)),
        ("10:00", 0, ()),
        ("11:00", 0, ()),
    ]
    assert [cell.is_short for cell in cells.values()] == [False, False, True, True]
    assert [cell.is_single_point for cell in cells.values()] == [False, True, False, False]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("09:59:59", [2, 2, 1]),
        ("10:00", [2, 2, 1]),
        ("10:00:29", [2, 2, 1]),
        ("10:00:30", [2, 2, 1]),
        ("09:30", [2, 1, 1]),
    ],
)
def test_a_certificate_counts_to_the_nearest_minute(until: str, expected: list[int]) -> None:
    crew = [engineer("A", skill("pump", 2, until)), engineer("B", skill("pump", 3))]
    cells = pump_row(crew, order("V", required_skills=PUMP, time_windows=[MORNING]))
    assert [cells[at].on_shift for at in ("08:00", "09:00", "10:00")] == expected


def test_a_certificate_that_ends_with_the_hour_asks_nobody_in_the_next() -> None:
    crew = [engineer("A", skill("pump", 2, "10:00"))]
    cells = pump_row(crew, order("V", required_skills=PUMP, time_windows=[MORNING]))
    assert [at for at, cell in cells.items() if cell.needed] == ["08:00", "09:00"]


def test_overtime_covers_nothing_and_whoever_reaches_the_skill_by_a_path_does() -> None:
    graph = {"relations": [{"type": "implies", "from": "oil", "to": "pump", "level_loss": 1}]}
    crew = [engineer("A", skill("oil", 3), shifts=[shift(end="10:00", latest_end="12:00")]), engineer("B")]
    cells = pump_row(crew, order("V", required_skills=PUMP, time_windows=[MORNING]), skill_graph=graph)
    assert [cells[at].on_shift for at in ("09:00", "10:00")] == [1, 0]


# -- need ----------------------------------------------------------------------------------------------------------


def test_the_roles_of_a_team_are_needed_at_once_and_a_row_holds_all_higher_levels() -> None:
    roles = [
        role("lead", skill("pump", 4)),
        role("support", skill("pump", 2), min=2, max=3),
        role("backup", skill("pump", 3), presence="standby"),
        role("helper", skill("pump", 5), min=0, max=1),
    ]
    team = {"roles": roles, "collective_skills": [skill("pump", 1), skill("safety", 2)]}
    found = a_day([engineer("A")], order("T", team=team, time_windows=[MORNING]))
    at_eight = {(row.skill, row.level): cells_by_clock(found, row)["08:00"] for row in found.rows}
    assert {key: cell.needed for key, cell in at_eight.items()} == {
        ("pump", 1): 4,
        ("pump", 2): 4,
        ("pump", 3): 2,
        ("pump", 4): 1,
        ("safety", 2): 1,
    }
    # An hour each of the three who work, over the four hours in which they may start; standby works elsewhere.
    assert at_eight["pump", 2].work_seconds == 3 * 3600 // 4
    assert at_eight["safety", 2].work_seconds == 3600 // 4


def test_the_team_works_as_long_as_its_smallest_size_and_setup_counts_on_site_only() -> None:
    roles = [
        role("lead", presence="remote", service_seconds=600),
        role("support", min=2, max=4),
    ]
    team = {"roles": roles, "service_seconds_by_size": {"2": 3000, "4": 1000}}
    problem = read(day([], [order("T", team=team, setup_seconds=60)]))
    assert [(ask.role, ask.count, ask.work_seconds) for ask in asks_of(problem.work_orders[0])] == [
        ("lead", 1, 600),
        ("support", 2, 3060),
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [("06:00", "23:59")]),
        ({"time_windows": [MORNING, window("14:00", "15:00")]}, [("08:00", "12:00"), ("14:00", "15:00")]),
        ({"time_windows": [window("08:00", "08:00")]}, [("08:00", "08:00:01")]),
        ({"time_windows": [window("08:00", "09:00"), window("08:30", "11:00")]}, [("08:00", "11:00")]),
        ({"time_windows": [window("01:00", "07:00")]}, [("06:00", "07:00")]),
        ({"time_windows": [window("01:00", "05:00")]}, []),
        ({"time_windows": [MORNING], "deadlines": {"restore_by": "11:00"}}, [("08:00", "10:00")]),
        ({"time_windows": [MORNING], "deadlines": {"start_by": "09:30", "restore_by": "12:00"}}, [("08:00", "09:30")]),
        ({"deadlines": {"arrive_by": "05:00"}}, [("06:00", "06:00:01")]),
        (
            {"time_windows": [MORNING, window("14:00", "15:00")], "deadlines": {"arrive_by": "10:00"}},
            [("08:00", "10:00")],
        ),
        ({"pin": {"engineer": "A", "start": "09:00"}}, [("09:00", "09:00:01")]),
    ],
)
def test_an_order_may_be_started_as_promised_inside_its_windows_before_its_deadlines_and_from_now_on(
    fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    for key in ("deadlines", "pin"):
        if key in fields:
            times = fields[key].items()
            fields = fields | {
                key: {name: value if name == "engineer" else f"2026-11-23T{value}:00Z" for name, value in times}
            }
    problem = read(day([engineer("A")], [order("V", **fields)], now="2026-11-23T06:00:00Z"))
    found = [(clock(span.start), clock(span.end)) for span in promised_spans(problem, problem.work_orders[0])]
    assert found == expected


def test_work_that_is_under_way_asks_for_nobody() -> None:
    pin = {"engineer": "A", "start": "2026-11-23T08:30:00Z"}
    found = a_day(
        [engineer("A", skill("pump", 2))], order("V", required_skills=PUMP, pin=pin), now="2026-11-23T09:00:00Z"
    )
    assert found.rows == ()


def test_work_is_spread_evenly_to_the_second() -> None:
    cells = pump_row(
        [engineer("A")], order("V", minutes=100, required_skills=PUMP, time_windows=[window("08:30", "12:00")])
    )
    assert [cells[at].work_seconds for at in ("08:00", "09:00", "10:00", "11:00")] == [857, 1714, 1714, 1715]
    assert seconds("12:00") - seconds("08:30") == 12600


def needs(cells: dict[str, Cell]) -> list[str]:
    return [at for at, cell in cells.items() if cell.needed]


def test_what_may_wait_for_somebody_who_can_needs_nobody_before() -> None:
    crew = [engineer("A", shifts=[shift("06:00", "14:00")]), engineer("B", skill("pump", 2), shifts=[shift("09:30")])]
    work = order("V", required_skills=PUMP)
    cells = pump_row(crew, work)
    assert needs(cells) == [f"{hour:02}:00" for hour in range(9, 16)]
    # Half an hour before anybody comes does not count against the hour.
    assert (cells["09:00"].on_shift, cells["09:00"].is_single_point) == (1, True)
    assert cells["09:00"].alone_at == (Span(seconds("09:30"), seconds("10:00")),)


def test_what_nobody_can_do_counts_while_anybody_works_and_without_a_crew_all_the_time() -> None:
    work = order("V", required_skills=PUMP, time_windows=[window("07:00", "10:00")])
    assert needs(pump_row([engineer("A")], work)) == ["08:00", "09:00"]
    assert needs(pump_row([], work)) == ["07:00", "08:00", "09:00"]
    assert all(cell.is_short for cell in pump_row([], work).values())


def test_work_that_must_be_begun_soon_lasts_no_less_for_it() -> None:
    crew = [engineer("A", skill("pump", 2))]
    due = {"arrive_by": "2026-11-23T08:30:00Z"}
    cells = pump_row(crew, order("V", minutes=90, required_skills=PUMP, deadlines=due))
    assert [(cells[at].needed, cells[at].work_seconds) for at in ("08:00", "09:00", "10:00")] == [
        (1, 3600),
        (1, 1800),
        (0, 0),
    ]
