"""About what one more stop would cost in every gap of a running day, all gaps at once.

An estimate that says where to look: driving times are those without traffic, stretched by the hour, and what a delay
does to the stops behind a gap is read from a table made once per day. Whoever decides prices the few best exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dispatcher.model import WorkOrder
from dispatcher.problem import Problem
from solver.route_state import RouteState
from solver.stint import FAR_FUTURE, LatenessCost, lateness_cost

DELAYS = np.array([0, 150, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10800, 21600], dtype=np.float64)
"""Delays (seconds) for which the table says what they cost; between them it is a straight line."""
IMPOSSIBLE = 1e15
"""The cost of what breaks a hard rule."""
NEAR_GAPS = 800
"""Gaps looked at for an order, those with the shortest detour."""
PACE_STEP_SECONDS = 900
"""How often the pace of traffic is looked at."""

Floats = NDArray[np.float64]

_NONE = LatenessCost(FAR_FUTURE, FAR_FUTURE, FAR_FUTURE, 0, 0, 0, 0, 0, 0)
_DUE, _PER_SECOND, _ONCE = slice(0, 3), slice(3, 6), slice(6, 9)


class Gaps:
    """The gaps of some routes: before each thing still to be done, and at the end.

    Args:
        routes: as planned; the estimates speak of them, whatever becomes of forks.
    """

    def __init__(self, problem: Problem, routes: Sequence[RouteState]) -> None:
        self._problem = problem
        self._travel_weight = problem.weights.of("travel")
        gaps: list[tuple[int, int, int, int, int]] = []
        things: list[list[tuple[int, ...]]] = []
        first: list[int] = []
        for route in routes:
            first.append(len(gaps))
            own_gaps, own_things = _read(problem, route)
            gaps += own_gaps
            things.append(own_things)
        self._first = np.array(first, dtype=np.int64)
        self._bounds = [*first, len(gaps)]
        sizes = np.array([last - begin for begin, last in pairwise(self._bounds)], dtype=np.int64)
        self._route = np.repeat(np.arange(len(first)), sizes)
        columns = np.array(gaps, dtype=np.int64).reshape(-1, 5).T
        self.before, self.behind = columns[:2]
        self.rests = np.array([seconds for route in routes for seconds in _rests(route)], dtype=np.float64)
        self.orders = [name for route in routes for name in _names(route)]
        self.free, self.due, self.direct = columns[2:].astype(np.float64)
        self.paces = _Pace(problem).at(self.free)
        self.harm, self.late, self.ends = _harm(problem, routes, things, sizes, self.due[self._first + sizes - 1])

    def of_route(self, route: int) -> tuple[int, int]:
        """The first gap of a route, and the first behind its gaps."""
        return self._bounds[route], self._bounds[route + 1]

    def cost_by_route(self, order: WorkOrder, bounds: tuple[int, int], able: NDArray[np.bool_]) -> Floats:
        """About what an order without a team costs at least on each route [routes], in thousandths.

        Args:
            bounds: the earliest and latest start.
            able: the routes to look at [routes]; the others are said to be impossible.
        """
        ride = self._rides_to(order)
        near = np.flatnonzero(able[self._route])
        there, onward = ride[self.before[near]], ride[self.behind[near]]
        detour = there + onward - self.direct[near]
        if len(near) > NEAR_GAPS:
            # Nothing costs less than its detour, so the cheapest are among the nearest unless these are all late.
            nearest = np.argpartition(detour, NEAR_GAPS)[:NEAR_GAPS]
            near, there, onward, detour = near[nearest], there[nearest], onward[nearest], detour[nearest]
        found = np.full(len(self._first), IMPOSSIBLE)
        np.minimum.at(found, self._route[near], self._costs(order, bounds, near, there, onward, detour))
        return found

    def _rides_to(self, order: WorkOrder) -> Floats:
        """Seconds between an order and every place, and 0 for the place -1, which is nowhere."""
        travel, index = self._problem.travel, self._problem.location_index
        row = travel.free_flow_row(index[order.location], 1)
        ride = np.zeros(len(row) + 1)
        ride[:-1] = row
        return ride

    def _costs(
        self,
        order: WorkOrder,
        bounds: tuple[int, int],
        gaps: NDArray[np.int64],
        there: Floats,
        onward: Floats,
        detour: Floats,
    ) -> Floats:
        """What an order costs in some gaps, by the drives there, onward and both less the one between [gaps]."""
        problem, paces = self._problem, self.paces[gaps]
        arrival = self.free[gaps] + there * paces
        start = np.maximum(arrival, max(problem.now, bounds[0]))
        impossible = start > bounds[1]
        if order.time_windows:
            inside = np.full(len(start), np.inf)
            for window in order.time_windows:
                opened = np.maximum(start, window.start)
                inside = np.where(opened <= window.end, np.minimum(inside, opened), inside)
            start = np.where(np.isinf(inside), start, inside)
            impossible |= np.isinf(inside)
        end = start + order.setup_seconds + order.service_seconds
        cost = detour * paces * self._travel_weight
        lateness = lateness_cost(problem, order)
        if lateness is not None:
            cost += _late_alone(_terms(lateness), (arrival, start, end))
        cost += between(self.harm, gaps, np.maximum(0.0, end + onward * paces - self.due[gaps]))
        cost[impossible] = IMPOSSIBLE
        return cost


class _Pace:
    """By how much traffic stretches a drive that begins at an instant."""

    def __init__(self, problem: Problem) -> None:
        self._start = problem.now
        steps = max(1, (problem.end - problem.now) // PACE_STEP_SECONDS + 1)
        self._factors = np.ones(int(steps))
        row = problem.travel.free_flow_row(0, 1)
        far = max(range(len(row)), key=row.__getitem__)
        if problem.travel.varies_with_time and row[far]:
            # A drive of a quarter of an hour or so tells the pace of its hour; the farthest place may be hours away.
            near = min(range(len(row)), key=lambda place: abs(row[place] - PACE_STEP_SECONDS))
            far = near if row[near] else far
            instants = (self._start + PACE_STEP_SECONDS * step for step in range(int(steps)))
            self._factors = np.array([problem.travel.seconds(0, far, at, 1) / row[far] for at in instants])

    def at(self, instants: Floats) -> Floats:
        steps = ((instants - self._start) // PACE_STEP_SECONDS).astype(np.int64)
        found: Floats = self._factors[np.clip(steps, 0, len(self._factors) - 1)]
        return found


def _read(problem: Problem, route: RouteState) -> tuple[list[tuple[int, int, int, int, int]], list[tuple[int, ...]]]:
    """The gaps of a route: place before and behind, free from, due behind, free-flow drive between; and its things.

    A thing is ready, starts and ends at instants, starts until a latest one, and has its terms of lateness.
    """
    made = route.made()
    end_place = -1 if route.end_place is None else route.end_place
    behind = [end_place] * (len(made) + 1)
    for position in range(len(made) - 1, -1, -1):
        stint = made[position].stint
        behind[position] = behind[position + 1] if stint is None or stint.remote else stint.place
    where, free = route.start_place(), max(route.shift.start, problem.now)
    gaps: list[tuple[int, int, int, int, int]] = []
    things: list[tuple[int, ...]] = []
    nothing = _terms(_NONE)
    for position, item in enumerate(made):
        stint = item.stint
        if stint is None:
            ready, latest, terms = free, route.shift.breaks[item.rest].latest_start, nothing
        else:
            ready = item.arrival
            closing = stint.windows[-1][1] if stint.windows else FAR_FUTURE
            latest = min(stint.not_after, stint.end_by - (item.end - item.start), closing)
            lateness = stint.lateness if stint.order.team is None else None
            terms = nothing if lateness is None else _terms(lateness)
        running = position == 0 and route.is_running
        direct = _direct(problem, where, behind[position])
        on_the_way = 0 if stint is None or stint.remote else direct
        gaps.append((where, behind[position], FAR_FUTURE if running else free, ready - on_the_way + direct, direct))
        things.append((ready, item.start, item.end, latest, *terms))
        free = item.end
        if stint is not None and not stint.remote:
            where = stint.place
    direct = _direct(problem, where, end_place)
    gaps.append((where, end_place, free, route.end()[0] if made else free + direct, direct))
    return gaps, things


def _direct(problem: Problem, origin: int, destination: int) -> int:
    return 0 if destination < 0 else problem.travel.free_flow_row(origin, 1)[destination]


def _terms(lateness: LatenessCost) -> tuple[int, ...]:
    """Arrival, start and restoration: when they are due, what a second costs, and what it costs once."""
    return (
        *(lateness.arrive_by, lateness.start_by, lateness.restore_by),
        *(lateness.arrival, lateness.start, lateness.restore),
        *(lateness.arrival_once, lateness.start_once, lateness.restore_once),
    )


def _late(terms: Floats, times: Floats) -> Floats:
    """What arrivals, starts and ends [3, any] cost by terms of lateness [9, any]."""
    late = np.maximum(0.0, times - terms[_DUE])
    found: Floats = (late * terms[_PER_SECOND] + (late > 0) * terms[_ONCE]).sum(axis=0)
    return found


def _late_alone(terms: tuple[int, ...], times: tuple[Floats, Floats, Floats]) -> Floats | float:
    """The same for one thing: only what is due at all is worked out."""
    cost: Floats | float = 0.0
    for due, per_second, once, at in zip(terms[_DUE], terms[_PER_SECOND], terms[_ONCE], times, strict=True):
        if due < FAR_FUTURE:
            late = np.maximum(0.0, at - due)
            cost = cost + (late * per_second + (late > 0) * once)
    return cost


def _harm(
    problem: Problem,
    routes: Sequence[RouteState],
    things_of: list[list[tuple[int, ...]]],
    sizes: NDArray[np.int64],
    over_at: Floats,
) -> tuple[Floats, Floats, Floats]:
    """What each delay costs everything behind each gap [gaps, delays], from the end of the routes backwards.

    With it how late the thing behind each gap is (cost in thousandths), and when it is over [gaps].
    """
    ends = np.array([route.shift.end for route in routes], dtype=np.float64)[:, None]
    latest_ends = np.array([route.shift.latest_end for route in routes], dtype=np.float64)[:, None]
    over = over_at[:, None] + DELAYS
    weight = problem.weights.of("overtime")
    harm = (np.maximum(0.0, over - ends) - np.maximum(0.0, over[:, :1] - ends)) * weight
    harm[over > latest_ends] = IMPOSSIBLE
    longest = int(sizes.max(initial=1))
    found = np.zeros((len(routes), longest, len(DELAYS)))
    counts = sizes - 1
    found[np.arange(len(routes)), counts] = harm
    things = np.zeros((len(routes), longest, 4 + 9))
    for number, own in enumerate(things_of):
        if own:
            things[number, : len(own)] = own
    planned = np.zeros((len(routes), longest))
    for position in range(longest - 2, -1, -1):
        have = counts > position
        ready, start, end, latest = (things[have, position, part, None] for part in range(4))
        terms = things[have, position, 4:].T[:, :, None]
        begun = np.maximum(start, ready + DELAYS)
        delay = begun - start
        times = np.stack([np.broadcast_to(ready + DELAYS, begun.shape), begun, end + delay])
        late = _late(terms, times)
        planned[have, position] = late[:, 0]
        cost = late - late[:, :1] + between(found[:, position + 1], np.flatnonzero(have)[:, None], delay)
        cost[begun > latest] = IMPOSSIBLE
        found[have, position] = np.minimum(cost, IMPOSSIBLE)
    held = np.arange(longest) < sizes[:, None]
    return found[held], planned[held], things[held][:, 2]


def _rests(route: RouteState) -> list[int]:
    """The seconds of the break behind each gap of a route; 0 where there is none."""
    return [*(made.end - made.start if made.stint is None else 0 for made in route.made()), 0]


def _names(route: RouteState) -> list[str]:
    """The order behind each gap of a route; nothing where that is a break or the end."""
    return [*("" if made.stint is None else made.stint.order.id for made in route.made()), ""]


def between(table: Floats, rows: NDArray[np.int64], delays: Floats) -> Floats:
    """The table's `rows` [any] of [all, delays], each read at its delay [any]; beyond the end on a straight line."""
    right = np.clip(np.searchsorted(DELAYS, delays), 1, len(DELAYS) - 1)
    low, high = table[rows, right - 1], table[rows, right]
    share = (delays - DELAYS[right - 1]) / (DELAYS[right] - DELAYS[right - 1])
    # No delay costs nothing, whatever the next entry of the table says.
    found: Floats = np.where(share <= 0, low, low + np.maximum(high - low, 0) * share)
    return found
