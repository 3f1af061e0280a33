"""Engineers and shifts as arrays: who may do what at which pace, when, where, and with which parts on board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dispatcher.facts import Facts, Service, WorkStop
from dispatcher.model import Engineer, Exact, Shift
from dispatcher.plan import Sequences, Visit
from dispatcher.problem import Problem
from dispatcher.service import engineer_factor, repeat_visit_seconds
from skills.qualification import breakpoints, highest_level
from solver.compile_rows import Rows, table
from solver.compile_teams import Requirement
from solver.compile_travel import CannotCompile, Places, TravelArrays
from solver.kernel import layout as at
from solver.kernel.layout import FAR_FUTURE, NONE

_NO_LIMIT = 1 << 30
_ALIKE = (at.START_TIME, at.SHIFT_END, at.LATEST_END, at.START_PLACE, at.END_PLACE, at.MAX_STOPS, at.SPEED)
"""Columns that shifts must have in common for their routes to be swapped at no cost."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works when, numbered as in the arrays, and what the plan given says of them.

    `running` is the work a shift is at now; `closed` are the shifts whose routes stay as they are.
    """

    problem: Problem
    facts: Facts
    engineers: tuple[Engineer, ...]
    engineer_index: Mapping[str, int]
    shifts: tuple[tuple[Engineer, Shift], ...]
    shift_index: Mapping[tuple[str, str], int]
    running: Mapping[int, WorkStop]
    closed: frozenset[int]


def make_crew(problem: Problem, given: Sequences, facts: Facts, closed: frozenset[int]) -> Crew:
    """Number engineers with shifts and their shifts; more shifts than asked for may have to be closed."""
    engineers = tuple(engineer for engineer in problem.engineers if engineer.shifts)
    shifts = tuple(
        (engineer, shift) for engineer in engineers for shift in sorted(engineer.shifts, key=lambda shift: shift.start)
    )
    shift_index = {(engineer.id, shift.id): index for index, (engineer, shift) in enumerate(shifts)}
    running = {
        shift_index[(route.engineer.id, route.shift.id)]: route.running
        for route in facts.routes
        if route.running is not None
    }
    held = {
        shift_index[(route.engineer, route.shift)]
        for route in given.routes
        if any(isinstance(visit, Visit) and visit.leave_not_before is not None for visit in route.visits)
    }
    # Nobody goes back to a shift before the one he is at work on.
    over = {
        other
        for index in running
        for other, (engineer, _) in enumerate(shifts)
        if engineer is shifts[index][0] and other < index
    }
    return Crew(
        problem,
        facts,
        engineers,
        {engineer.id: index for index, engineer in enumerate(engineers)},
        shifts,
        shift_index,
        running,
        closed | held | over,
    )


def closed_figures(crew: Crew) -> dict[int, tuple[int, int]]:
    """Worst lateness and busy seconds of the routes that stay as they are."""
    figures = {}
    for route in crew.facts.routes:
        number = crew.shift_index[(route.engineer.id, route.shift.id)]
        if number in crew.closed:
            busy = sum(stop.travel_seconds for stop in route.stops) + sum(s.end - s.start for s in route.work)
            late = [0]
            for stop in route.work:
                deadlines = stop.order.deadlines
                pairs = [(stop.start, deadlines.start_by), (stop.end, deadlines.restore_by)]
                if stop.order.team is None:
                    pairs.append((stop.arrival, deadlines.arrive_by))
                if stop.presence == "on_site":
                    late.extend(instant - by for instant, by in pairs if by is not None)
            figures[number] = (max(late), busy)
    return figures


def option_arrays(crew: Crew, requirements: Sequence[Requirement]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`Case.options` and `Case.option_of`: who meets which requirement, until when, at which pace.

    Engineers alike in skills and pace share their rows.
    """
    options, repeat = Rows(), crew.problem.weights.of("repeat_visit")
    option_of = np.full((max(1, len(requirements)), len(crew.engineers)), NONE, dtype=np.int64)
    profiles: dict[object, int] = {}
    profile_of = [profiles.setdefault(_profile(engineer), len(profiles)) for engineer in crew.engineers]
    stored: dict[tuple[tuple[int, ...], ...], int] = {}
    plain: dict[object, tuple[tuple[int, ...], ...]] = {}
    able = _able_profiles(crew, requirements, dict(zip(profile_of, crew.engineers, strict=True)))
    for number, wanted in enumerate(requirements):
        known: dict[int, int] = {}
        for index, engineer in enumerate(crew.engineers):
            profile = profile_of[index]
            if not able[number, profile]:
                continue
            if profile not in known:
                # Classes may differ in nothing but how long their orders take.
                key = wanted.skills, wanted.order is None, profile
                if key not in plain:
                    plain[key] = _option_rows(crew.problem, engineer, wanted)
                rows = plain[key]
                if repeat and wanted.order is not None and wanted.answers:
                    again = repeat * repeat_visit_seconds(wanted.order, [(engineer, wanted.role)])
                    rows = tuple((*row[:3], row[3] + again) for row in rows)
                if all(row[at.NUMERATOR] == 0 for row in rows):
                    known[profile] = NONE
                else:
                    if rows not in stored:
                        stored[rows] = options.add(rows)[0]
                    known[profile] = stored[rows]
            option_of[number, index] = known[profile]
    return options.array(4), option_of


def _able_profiles(
    crew: Crew, requirements: Sequence[Requirement], engineer_of: Mapping[int, Engineer]
) -> NDArray[np.bool_]:
    """Which profiles may ever meet which requirement, dates of certificates aside [Q, P]."""
    able = np.ones((len(requirements), len(engineer_of)), dtype=np.bool_)
    graph = crew.problem.skill_graph
    wanted = {required.skill for requirement in requirements for required in requirement.skills}
    levels = {
        skill: np.array([highest_level(graph, engineer_of[number].skills, skill) for number in range(len(engineer_of))])
        for skill in wanted
    }
    for number, requirement in enumerate(requirements):
        for required in requirement.skills:
            able[number] &= levels[required.skill] >= required.level
    return able


def _profile(engineer: Engineer) -> tuple[object, ...]:
    """What two engineers must have in common to do the same work at the same price."""
    given = (engineer.duration_factors, engineer.fix_probability)
    return engineer.skills, *(tuple(sorted(by_skill.items())) for by_skill in given)


def _option_rows(problem: Problem, engineer: Engineer, wanted: Requirement) -> tuple[tuple[int, ...], ...]:
    if wanted.order is None:
        instants = breakpoints(problem.skill_graph, engineer.skills, wanted.skills)
        return tuple(
            (until, int(problem.holds(engineer, wanted.skills, until)), 1, 0) for until in (*instants, FAR_FUTURE)
        )
    rows: list[tuple[int, ...]] = []
    order, role, weight = wanted.order, wanted.role, problem.weights.of("substitution")
    pace: Exact = engineer_factor(engineer, order, role)
    for until in (*problem.qualification_instants(engineer, order, role), FAR_FUTURE):
        answer = problem.qualification(engineer, order, role, until)
        if not answer.qualified:
            rows.append((until, 0, 1, 0))
            continue
        factor = Fraction(pace) * answer.duration_factor
        rows.append((until, factor.numerator, factor.denominator, int(answer.penalty * weight)))
        if 4 * factor.numerator * max(1, problem.end - problem.start) >= 1 << 62:
            raise CannotCompile("a duration factor has too many digits")
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class ShiftArrays:
    """See `solver.kernel.layout.Case`, whose fields these are; and how many `kinds` of shifts there are."""

    shifts: NDArray[np.int64]
    breaks: NDArray[np.int64]
    break_index: NDArray[np.int64]
    duties: NDArray[np.int64]
    kinds: int


def shift_arrays(
    crew: Crew,
    places: Places,
    travel: TravelArrays,
    unlike: frozenset[int],
    searched: frozenset[str],
    *,
    is_personal: bool,
) -> ShiftArrays:
    """The shifts, with what their columns point into.

    Shifts of the same places, hours, breaks, speed, parts and skills are of one kind; those of a kind that may swap
    their routes get the same twin class. `unlike` are shifts whose stops are not for others; `is_personal` says that it
    matters for some order who exactly comes, so that no shift is like another. `searched` are the orders whose teams
    the search composes, standby and all.
    """
    problem = crew.problem
    breaks, index_rows, duties = Rows(), Rows(), Rows()
    rows: list[list[int]] = []
    twins: dict[object, int] = {}
    kinds: set[object] = set()
    for number, (engineer, shift) in enumerate(crew.shifts):
        running = crew.running.get(number)
        row = [0] * at.SHIFT_COLUMNS
        row[at.ENGINEER] = crew.engineer_index[engineer.id]
        row[at.START_TIME] = max(shift.start, problem.now) if running is None else running.start
        row[at.SHIFT_END], row[at.LATEST_END] = shift.end, shift.latest_end
        start_place = shift.start_location if running is None else running.location
        row[at.START_PLACE] = places.index(start_place)
        row[at.END_PLACE] = NONE if shift.end_location is None else places.index(shift.end_location)
        since = problem.now if running is None else max(problem.now, running.end)
        due = [
            (rest.earliest_start, rest.latest_start, rest.duration_seconds, index)
            for index, rest in enumerate(shift.breaks)
            if rest.latest_start >= since
        ]
        due.sort()
        row[at.BREAKS_FROM], row[at.BREAKS_TO] = breaks.add(rest[:3] for rest in due)
        index_rows.add((rest[3],) for rest in due)
        row[at.MAX_STOPS] = _NO_LIMIT if shift.max_work_orders is None else shift.max_work_orders
        row[at.SPEED] = travel.speed_of[number]
        row[at.DUTIES_FROM], row[at.DUTIES_TO] = duties.add(_duties(crew, places, number, searched))
        row[at.CLOSED] = int(number in crew.closed)
        row[at.LOCKED_FIRST] = int(running is not None)
        row[at.ON_DUTY_FROM] = shift.start
        is_on_call = row[at.DUTIES_FROM] < row[at.DUTIES_TO]
        # Nobody takes two seats of a team, one on each shift.
        is_several = bool(searched) and len(engineer.shifts) > 1
        is_own = (
            is_personal or is_several or is_on_call or running is not None or number in crew.closed or number in unlike
        )
        alike = (
            *(row[column] for column in _ALIKE),
            tuple(due),
            _profile(engineer),
            tuple(sorted(engineer.parts.items())),
        )
        kinds.add(alike)
        row[at.TWIN] = twins.setdefault((alike, number if is_own else None), number)
        rows.append(row)
    shifts = table(rows, at.SHIFT_COLUMNS)
    return ShiftArrays(shifts, breaks.array(3), index_rows.array(1)[:, 0].copy(), duties.array(3), len(kinds))


def _duties(crew: Crew, places: Places, number: int, searched: frozenset[str]) -> list[tuple[int, int, int]]:
    engineer, shift = crew.shifts[number]
    found = []
    for name, team in crew.facts.teams.items():
        if name not in searched and any(member.engineer == engineer.id for member in team.standby):
            service = crew.facts.services[name]
            if shift.start <= service.first_start and service.last_end <= shift.latest_end:
                site = places.index(service.order.location)
                found.append((service.first_start, site, service.last_end))
    return found


def stock_array(crew: Crew, part_index: Mapping[str, int]) -> NDArray[np.int64]:
    """Pieces of each part on board, less what teams take, from whoever of them has any."""
    stock = np.zeros((len(crew.shifts), max(1, len(part_index))), dtype=np.int64)
    for number, (engineer, _) in enumerate(crew.shifts):
        for part, count in engineer.parts.items():
            if part in part_index:
                stock[number, part_index[part]] = count
    for service in crew.facts.services.values():
        if service.order.team is None:
            continue
        for part, count in service.order.parts.items():
            left = count
            for stop in service.on_site:
                if part in part_index:
                    number = crew.shift_index[(stop.engineer.id, stop.shift.id)]
                    taken = min(left, int(stock[number, part_index[part]]))
                    stock[number, part_index[part]] -= taken
                    left -= taken
    return stock


def covering_shift(crew: Crew, engineer: str, service: Service) -> int:
    """The shift of somebody who stands by that covers a service; NONE without one."""
    for number, (person, shift) in enumerate(crew.shifts):
        if person.id == engineer and shift.start <= service.first_start and service.last_end <= shift.latest_end:
            return number
    return NONE
