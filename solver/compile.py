"""From a problem and a plan to the arrays the kernel works on, and from its arrays back to sequences.

Orders without a team become visits that may go anywhere, and so do the seats of teams the search composes. Other
teams are taken from the plan as they are: each member's stop is a visit whose start is fixed. What the arrays cannot
hold raises `CannotCompile`, and another engine has to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dispatcher.facts import read_facts
from dispatcher.plan import Member, Plan, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem, ShiftKey
from solver.compile_orders import OrderArrays
from solver.compile_rows import table
from solver.compile_shifts import closed_figures, make_crew, option_arrays, shift_arrays, stock_array
from solver.compile_sorting import sort_arrays
from solver.compile_travel import Places, TravelArrays, compile_travel
from solver.kernel import layout as at
from solver.kernel.layout import FAR_PAST, NONE, Case
from solver.nearness import nearest_shifts, nearest_visits

DEAR_PER_MILLE = 100
"""How many of a thousand iterations begin at something dear: left undone, late, or far away."""
SWAPS_PER_MILLE = 100
"""How many of a thousand others that begin on a route that is not short swap its tail for another one's."""
SCANNED_WHOLE = 30
"""Up to so many visits every route is looked at for every one of them."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A problem with a plan's teams, and who is who in the arrays.

    `work` says of each visit its order and role; `shifts` of each shift its key. `closed` are the shifts
    the kernel leaves alone; `closed_times` has arrival, start and end of their visits, `closed_figures` their worst
    lateness and busy seconds. `held` says of every seat when its member starts, or which shift stands by, in the plan
    given; `searched` are the orders whose teams the search composes. `shift_kinds` is how many shifts there are that
    differ in places, hours, breaks, speed, parts or skills.
    """

    problem: Problem
    case: Case
    work: tuple[tuple[str, str | None], ...]
    shifts: tuple[ShiftKey, ...]
    visit_of: Mapping[tuple[str, int], int]
    given: Sequences
    closed: frozenset[int]
    closed_times: Mapping[int, tuple[int, int, int]]
    closed_figures: Mapping[int, tuple[int, int]]
    held: tuple[int, ...]
    searched: frozenset[str]
    shift_kinds: int


Stay = tuple[int, int, int]
"""Who is free from the first instant to the second leaves after it, for the standby of a seat."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A plan as the kernel takes it up: the visits of every shift, and of every seat of a team that the search composes
    the start of its member, or the shift that stands by; and on which shifts somebody stays for that."""

    routes: list[list[int]]
    held: list[int]
    stays: dict[int, Stay] = field(default_factory=dict)


def compile_problem(
    problem: Problem, given: Sequences, plan: Plan, *, closed: frozenset[int] = frozenset(), teams_stay: bool = False
) -> Compiled:
    """The arrays of a problem whose teams are composed and timed as in a feasible plan.

    Args:
        problem: what to plan.
        given: the sequences the plan was made of.
        plan: `build_plan` of them.
        closed: positions of shifts whose routes stay as they are.
        teams_stay: whether all teams stay as they are composed in the plan.

    Raises:
        CannotCompile: where numbers do not fit.
    """
    facts = read_facts(problem, plan)
    crew = make_crew(problem, given, facts, closed)
    places = Places(problem)
    orders = OrderArrays(crew, places, teams_stay=teams_stay)
    travel = compile_travel(problem, places, [engineer for engineer, _ in crew.shifts])
    options, option_of = option_arrays(crew, orders.requirements)
    searched = orders.searched_teams
    own = shift_arrays(crew, places, travel, orders.shifts_of_teams, searched, is_personal=orders.is_personal)
    visits, shifts = orders.visits, own.shifts
    heads = np.array([row[at.HEAD] for row in orders.teams.rows], dtype=np.int64)
    singles = np.flatnonzero(np.isin(np.arange(len(visits)), heads) | (visits[:, at.TEAM] < 0))
    able = (option_of >= 0)[:, shifts[:, at.ENGINEER]] & (shifts[:, at.CLOSED] == 0)
    serving = _serving(visits, shifts, option_of, orders.admits)
    visits[:, at.SCARCITY] = serving.sum(axis=1)
    visits[:, at.WORTH] = _worths(visits, heads, orders.gaps.array(3), orders.members, orders.member_visits)
    windows, parts = orders.windows.array(2), table(orders.parts, 2)
    sort_keys, sort_chances = sort_arrays(visits, windows, parts, travel, shifts)
    case = Case(
        numbers=_numbers(problem, orders, travel, shifts),
        visits=visits,
        windows=windows,
        options=options,
        option_of=option_of,
        able=np.flatnonzero(able.ravel()) % max(1, len(shifts)),
        able_from=np.append(0, np.cumsum(able.sum(axis=1))),
        admits=orders.admits,
        prefers=orders.prefers,
        related=np.array(orders.related, dtype=np.int64),
        members=orders.members,
        member_visits=orders.member_visits,
        part_of=np.ascontiguousarray(parts[:, 0]),
        part_count=np.ascontiguousarray(parts[:, 1]),
        gaps=orders.gaps.array(3),
        shifts=shifts,
        breaks=own.breaks,
        break_index=own.break_index,
        duties=own.duties,
        stock=stock_array(crew, orders.part_index),
        seconds=travel.seconds,
        base=travel.base,
        meters=travel.meters,
        speeds=travel.speeds,
        least_rates=travel.least_rates,
        traffic_from=travel.traffic_from,
        traffic_rate=travel.traffic_rate,
        sphere=travel.sphere,
        near=nearest_visits(travel, visits[:, at.PLACE], singles, _with_all_seats(serving, visits, heads)),
        near_shifts=nearest_shifts(travel, visits[:, at.PLACE], shifts[:, at.START_PLACE], serving),
        late_teams=table(orders.late_teams, 5),
        teams=table(orders.teams.rows, at.TEAM_COLUMNS),
        roles=orders.teams.roles.array(at.ROLE_COLUMNS),
        collective=np.array(orders.teams.collective, dtype=np.int64),
        sizes=orders.teams.sizes.array(2),
        sort_keys=sort_keys,
        sort_chances=sort_chances,
    )
    return Compiled(
        problem,
        case,
        tuple(orders.work),
        tuple((engineer.id, shift.id) for engineer, shift in crew.shifts),
        orders.visit_of,
        given,
        crew.closed,
        orders.closed_times,
        closed_figures(crew),
        tuple(orders.held.get(visit, NONE) for visit in range(len(visits))),
        searched,
        own.kinds,
    )


def _worths(
    visits: NDArray[np.int64],
    heads: NDArray[np.int64],
    gaps: NDArray[np.int64],
    members: NDArray[np.int64],
    member_visits: NDArray[np.int64],
) -> NDArray[np.int64]:
    """What each visit costs undone [V], with all that wait for it and so are undone too, as far as anybody could do
    them; a team costs at its head."""
    worths = visits[:, at.UNSERVED].copy()
    followers = {
        visit: {
            int(other if visits[other, at.TEAM] < 0 else heads[visits[other, at.TEAM]])
            for group in gaps[visits[visit, at.AFTER_FROM] : visits[visit, at.AFTER_TO], 0]
            for other in member_visits[members[group] : members[group + 1]]
        }
        for visit in np.flatnonzero(visits[:, at.AFTER_FROM] < visits[:, at.AFTER_TO]).tolist()
    }
    for visit in followers:
        found, waiting = {visit}, [visit]
        while waiting:
            more = {other for other in followers.get(waiting.pop(), ()) if visits[other, at.SCARCITY] > 0} - found
            found |= more
            waiting += more
        worths[visit] = visits[sorted(found), at.UNSERVED].sum()
    return worths


def _numbers(
    problem: Problem, orders: OrderArrays, travel: TravelArrays, shifts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The scalars of `Case`."""
    numbers = np.zeros(at.NUMBERS, dtype=np.int64)
    weight = problem.weights.of
    numbers[at.NOW] = problem.now
    numbers[at.TRAVEL_WEIGHT] = weight("travel")
    numbers[at.DISTANCE_WEIGHT] = weight("distance") if problem.travel.has_meters else 0
    numbers[at.OVERTIME_WEIGHT] = weight("overtime")
    numbers[at.PREFERENCE_WEIGHT] = weight("preference")
    numbers[at.CHANGE_WEIGHT] = weight("change")
    numbers[at.MOVED_WEIGHT] = weight("change_shift")
    numbers[at.ASSOCIATION_WEIGHT] = weight("association")
    numbers[at.WORST_WEIGHT] = weight("worst_lateness")
    numbers[at.FAIRNESS_WEIGHT] = weight("fairness")
    numbers[at.USED_WEIGHT] = weight("engineers_used")
    most_breaks = int((shifts[:, at.BREAKS_TO] - shifts[:, at.BREAKS_FROM]).max()) if len(shifts) else 0
    numbers[at.LABELS] = 1 + most_breaks
    numbers[at.HAS_TRAFFIC] = int(problem.travel.varies_with_time)
    numbers[at.HAS_MATRIX] = int(travel.has_matrix)
    numbers[at.IS_SYMMETRIC] = int(travel.is_symmetric)
    numbers[at.HAS_METERS] = int(travel.has_matrix and weight("distance") != 0)
    numbers[at.TRAFFIC_COMMON] = travel.traffic_common
    shared = numbers[[at.WORST_WEIGHT, at.FAIRNESS_WEIGHT, at.USED_WEIGHT]]
    numbers[at.NEEDS_TIMES] = int(bool(orders.late_teams) or bool(shared.any()))
    numbers[at.HAS_DEPENDENCIES] = int(bool(orders.gaps.rows))
    numbers[at.HAS_MOVED] = int((orders.visits[:, at.PREVIOUS_START] != FAR_PAST).any())
    numbers[at.ENGINEERS] = len(orders.crew.engineers)
    seats = int((orders.visits[:, at.TEAM] >= 0).sum())
    numbers[at.IS_SCANNED_WHOLE] = int(len(orders.visits) - seats + len(orders.teams.rows) <= SCANNED_WHOLE)
    numbers[at.HORIZON_END] = problem.end
    numbers[at.DEAR_PER_MILLE] = DEAR_PER_MILLE
    numbers[at.SWAPS_PER_MILLE] = SWAPS_PER_MILLE
    return numbers


def _serving(
    visits: NDArray[np.int64], shifts: NDArray[np.int64], option_of: NDArray[np.int64], admits: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which shifts may serve which visits by skill and list [V, R]."""
    if not len(visits) or not len(shifts):
        return np.zeros((len(visits), len(shifts)), dtype=np.bool_)
    engineers = shifts[:, at.ENGINEER]
    serving: NDArray[np.bool_] = (option_of >= 0)[visits[:, at.CLASS]][:, engineers]
    for visit in np.flatnonzero(visits[:, at.ADMIT] != NONE):
        serving[visit] &= admits[visits[visit, at.ADMIT]][engineers]
    return serving


def _with_all_seats(
    serving: NDArray[np.bool_], visits: NDArray[np.int64], heads: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """`serving`, but the heads of teams with those who may take any seat."""
    able = serving.copy()
    seats = np.flatnonzero(visits[:, at.TEAM] >= 0)
    np.logical_or.at(able, heads[visits[seats, at.TEAM]], serving[seats])
    return able


def arrangement_of(compiled: Compiled, sequences: Sequences) -> Arrangement:
    """The plan a problem was compiled with as the kernel takes it up, breaks left out."""
    routes: list[list[int]] = [[] for _ in compiled.shifts]
    index = {key: number for number, key in enumerate(compiled.shifts)}
    for route in sequences.routes:
        number = index[(route.engineer, route.shift)]
        for visit in route.visits:
            if isinstance(visit, Rest):
                continue
            found = compiled.visit_of.get((visit.work_order, NONE))
            routes[number].append(compiled.visit_of[(visit.work_order, number)] if found is None else found)
    return Arrangement(routes, list(compiled.held))


def sequences_of(
    compiled: Compiled,
    routes: Sequence[Sequence[int]],
    rests: Sequence[Sequence[int]],
    held: Sequence[int],
    departures: Mapping[int, int],
) -> Sequences:
    """Sequences of routes as visits, with the number of breaks before each of them and at the end.

    `held` says of every seat when its member starts, or which shift stands by; `departures` to which visits nobody
    leaves before an instant.
    """
    case = compiled.case
    given = {(route.engineer, route.shift): route for route in compiled.given.routes}
    found = []
    for number, key in enumerate(compiled.shifts):
        if number in compiled.closed:
            if key in given:
                found.append(given[key])
            continue
        if not len(routes[number]):
            continue
        rest = int(case.shifts[number, at.BREAKS_FROM])
        items: list[Visit | Rest] = []
        for place, count in enumerate(rests[number]):
            for _ in range(count):
                items.append(Rest(int(case.break_index[rest])))
                rest += 1
            if place < len(routes[number]):
                items.append(_visit(compiled, int(routes[number][place]), held, departures))
        found.append(RouteSequence(*key, tuple(items)))
    standby = {name: people for name, people in compiled.given.standby.items() if name not in compiled.searched}
    for role in case.roles[case.roles[:, at.PRESENCE] == at.STANDING_BY]:
        for seat in range(role[at.SEAT], role[at.SEAT] + role[at.MOST]):
            if held[seat] >= 0:
                order, name = compiled.work[seat]
                member = Member(compiled.shifts[held[seat]][0], name)
                standby[order] = (*standby.get(order, ()), member)
    return Sequences(tuple(found), standby)


def _visit(compiled: Compiled, visit: int, held: Sequence[int], departures: Mapping[int, int]) -> Visit:
    row = compiled.case.visits[visit]
    order, role = compiled.work[visit]
    if row[at.TEAM] >= 0:
        return Visit(order, role, int(held[visit]), departures.get(visit))
    return Visit(order, role, int(row[at.NOT_BEFORE]) if row[at.MEMBER] else None, departures.get(visit))
