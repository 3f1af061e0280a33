"""One thread's search on the kernel: a plan loaded, searched in slices, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from dispatcher.plan import Sequences
from solver.compile import Arrangement, Compiled, Stay, sequences_of
from solver.compile_orders import PIN_BONUS
from solver.compile_travel import CannotCompile
from solver.day_arrays import make_day
from solver.kernel import layout as at
from solver.kernel.address import address_of
from solver.kernel.change import settle
from solver.kernel.compose import compose
from solver.kernel.dice import seed_dice
from solver.kernel.iterate import begin, driven, remember, search, start
from solver.kernel.layout import Day
from solver.kernel.recreate import FIRST_BATCH
from solver.kernel.schedule import trace_all

PLACED_AT_ONCE = 8 * FIRST_BATCH
"""Visits of a first plan that are put in before a look at what that gave."""
PAYING_SHARE = 0.25
"""Share of the visits tried that must find a place for others to be tried whatever the time."""


class BrokenRoute(Exception):  # noqa: N818  named for what it says
    """A route given to the kernel breaks a rule as the kernel drives it; `shift` is its position."""

    def __init__(self, shift: int) -> None:
        self.shift = shift
        super().__init__(f"shift {shift}")


class Searcher:
    """Totals are in thousandths of the score, without what the compiled problem's constant leaves out."""

    def __init__(self, compiled: Compiled, plan: Arrangement, seed: int) -> None:
        self.compiled = compiled
        self.given = plan
        self.day: Day = make_day(compiled)
        self.day.functions[at.COMPOSE_AT] = address_of(compose, compiled.case, self.day, 0, True)
        self.day.functions[at.SETTLE_AT] = address_of(settle, compiled.case, self.day, 0)
        seed_dice(self.day.dice, seed)
        self.load(plan)
        remember(compiled.case, self.day)

    def fork(self, seed: int) -> Searcher:
        """One for another thread, that begins with the same plan, or as much of it as can be driven."""
        other = Searcher(self.compiled, self.given, seed)
        other.take_up(self.arrangement())
        other.note_best()
        return other

    @property
    def total(self) -> int:
        return int(self.day.counts[at.TOTAL])

    @property
    def best_total(self) -> int:
        return int(self.day.counts[at.BEST_TOTAL])

    def load(self, plan: Arrangement) -> None:
        """Go on from another plan; the best so far stays.

        Raises:
            BrokenRoute: if one of them breaks a rule or is too long; the plan is then in no defined state.
            CannotCompile: if one that has to stay as it is is too long.
        """
        case, day = self.compiled.case, self.day
        best = int(day.counts[at.BEST_TOTAL])
        day.stock[:] = case.stock
        day.standing[:, at.HELD] = plan.held
        day.routes[:, at.CALLED] = 0
        day.routes[:, at.STAY_FROM], day.routes[:, at.STAY_FOR] = at.FAR_FUTURE, at.NONE
        for shift, stay in plan.stays.items():
            day.routes[shift, at.STAY_FROM : at.STAY_FOR + 1] = stay
        for seat in _standing_by(self.compiled):
            shift = plan.held[seat]
            if shift >= 0:
                if day.routes[shift, at.CALLED] == at.MOST_CALLS:
                    raise BrokenRoute(int(shift))
                day.routes[shift, at.CALLS + day.routes[shift, at.CALLED]] = seat
                day.routes[shift, at.CALLED] += 1
        for shift, visits in enumerate(plan.routes):
            if len(visits) > day.sequence.shape[1]:
                if case.shifts[shift, at.CLOSED]:
                    raise CannotCompile(f"a route has to keep {len(visits)} stops")
                raise BrokenRoute(shift)
            day.sequence[shift, : len(visits)] = visits
            day.routes[shift, at.LENGTH] = len(visits)
            if not case.shifts[shift, at.CLOSED]:
                for visit in visits:
                    parts = slice(case.visits[visit, at.PARTS_FROM], case.visits[visit, at.PARTS_TO])
                    for part, count in zip(case.part_of[parts], case.part_count[parts], strict=True):
                        day.stock[shift, part] -= count
        for visit, times in self.compiled.closed_times.items():
            day.standing[visit, [at.ARRIVAL, at.BEGIN, at.FINISH]] = times
        for shift, figures in self.compiled.closed_figures.items():
            day.routes[shift, [at.WORST, at.BUSY]] = figures
        begin(case, day)
        # They are told by a number that begins at 0 again.
        day.stamps[:], day.marks[:] = 0, 0
        day.counts[at.BESIDE] = _associated(self.compiled, day)
        day.counts[at.BEST_TOTAL] = best
        broken = start(case, day)
        if broken >= 0:
            raise BrokenRoute(int(broken))
        day.dirty[:] = True

    def take_up(
        self, plan: Arrangement, goes_on: Callable[[], bool] = lambda: True, most_broken: int | None = None
    ) -> bool:
        """Go on from a plan, or where a route of it cannot be driven by itself from the plan without that, with what
        was on it put in elsewhere; whether it is the whole plan.

        Where routes wait for each other, the way to their times may matter, and a plan that was found may be refused;
        routes of several plans need not go together at all. `goes_on` as for `place_all`.

        Raises:
            BrokenRoute: if more than `most_broken` routes cannot be driven; the plan is then in no defined state.
        """
        left, broken_routes = plan, 0
        while True:
            try:
                self.load(left)
            except BrokenRoute as broken:
                broken_routes += 1
                if left is self.given or (most_broken is not None and broken_routes > most_broken):
                    raise
                less = _without_route(self.compiled, left, broken.shift)
                left = self.given if less == left else less
            else:
                break
        if left is not plan:
            self.place_all(goes_on)
        return left is plan

    def note_best(self) -> None:
        """Make the present plan the best one if it is."""
        if self.total < self.best_total:
            remember(self.compiled.case, self.day)

    def place_all(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Put in what is not served yet, the most valuable first; nothing that is in moves.

        `goes_on` is asked after visits of which hardly any found a place: many more such may take longer than they
        are worth.
        """
        whole = self.day.first_order.copy()
        if self._place(whole, goes_on):
            self._place_waiting(whole, goes_on)
        self.day.first_order[:] = whole

    def complete(self, before: Arrangement, goes_on: Callable[[], bool]) -> None:
        """Put in what is not served but has room now, unless that makes the plan dearer; `before` was made by
        `place_all`.

        What was left out there, as a single order that waits for no other, is tried only on routes that have changed
        since. `goes_on` as for `place_all`.
        """
        visits, day = self.compiled.case.visits, self.day
        self.note_best()
        whole = day.first_order.copy()
        undone = whole[(day.standing[whole, at.ROUTE] < 0) & ~self._waits(whole)]
        were_in = [visit for route in before.routes for visit in route]
        is_new = np.isin(undone, were_in) | (visits[undone, at.TEAM] >= 0)
        is_whole = self._place(undone[is_new], goes_on)
        same = self._routes_as_in(before)
        rooms = day.routes[:, at.MOST_ROOM].copy()
        day.routes[same, at.MOST_ROOM] = at.FAR_PAST
        is_whole = is_whole and self._place(undone[~is_new], goes_on)
        is_left = day.routes[:, at.MOST_ROOM] == at.FAR_PAST
        day.routes[is_left, at.MOST_ROOM] = rooms[is_left]
        if is_whole:
            self._place_waiting(whole, goes_on)
        day.first_order[:] = whole
        if self.total > self.best_total:
            # Rules over all routes, as of how many people are used, are not seen place by place.
            self.take_up(self.best(), goes_on)

    def _routes_as_in(self, plan: Arrangement) -> list[int]:
        """The shifts with the same visits as in another plan, at the same starts where they are held to one, and that
        stand by in neither."""
        now = self.arrangement()
        on_call = {held[seat] for seat in _standing_by(self.compiled) for held in (plan.held, now.held)}
        return [
            shift
            for shift, route in enumerate(now.routes)
            if shift not in on_call
            and route == plan.routes[shift]
            and all(now.held[visit] == plan.held[visit] for visit in route)
        ]

    def _waits(self, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of some visits wait for others."""
        visits = self.compiled.case.visits[wanted]
        return np.asarray(visits[:, at.BEFORE_FROM] < visits[:, at.BEFORE_TO])

    def _place_waiting(self, wanted: NDArray[np.int64], goes_on: Callable[[], bool]) -> None:
        """Put in those that wait for others, which are in by then, or by the time after that."""
        waiting, undone = wanted[self._waits(wanted)], len(wanted) + 1
        while 0 < self._undone(waiting) < undone:
            undone = self._undone(waiting)
            if not self._place(waiting, goes_on):
                break

    def _place(self, wanted: NDArray[np.int64], goes_on: Callable[[], bool]) -> bool:
        """Put in some visits, and what is in the last batch of `first_order` with them; whether all were tried."""
        for first in range(0, len(wanted), PLACED_AT_ONCE):
            some = wanted[first : first + PLACED_AT_ONCE]
            missing = self._undone(some)
            self.day.first_order[: len(some)] = some
            search(self.compiled.case, self.day, 0, 1.0, 1.0, -(-len(some) // FIRST_BATCH))
            if missing - self._undone(some) < PAYING_SHARE * missing and not goes_on():
                return False
        return True

    def _undone(self, visits: NDArray[np.int64]) -> int:
        return int(np.count_nonzero(self.day.standing[visits, at.ROUTE] < 0))

    def leg_cost(self) -> float:
        """What a leg from one place to the next costs in the mean: the scale on which trades are judged."""
        whole, legs, between, inner_legs = driven(self.compiled.case, self.day)
        if inner_legs:
            return max(1000.0, between / inner_legs)
        return max(1000.0, whole / max(1, legs))

    def at_stake(self) -> int:
        """What the present plan costs beside its driving, but for orders that no change could get done."""
        visits, day = self.compiled.case.visits, self.day
        undone = visits[day.bank[: day.counts[at.BANKED]]]
        hopeless = undone[(undone[:, at.SCARCITY] == 0) | (undone[:, at.UNSERVED] >= PIN_BONUS), at.UNSERVED]
        return max(0, self.total - int(hopeless.sum()) - driven(self.compiled.case, day)[0])

    def stops_of_route(self) -> float:
        """How many visits a route has in the mean, where it has any."""
        lengths = self.day.routes[:, at.LENGTH]
        return float(lengths.sum() / max(1, np.count_nonzero(lengths)))

    def columns(self) -> list[tuple[int, list[int], list[int], int]]:
        """(shift, visits, seats it stands by in, cost) of the routes there are now."""
        day = self.day
        return [
            (
                shift,
                visits,
                day.routes[shift, at.CALLS : at.CALLS + day.routes[shift, at.CALLED]].tolist(),
                int(day.routes[shift, at.ROUTE_COST]),
            )
            for shift, visits in enumerate(self.arrangement().routes)
            if visits or day.routes[shift, at.CALLED]
        ]

    def run(self, iterations: int, first: float, last: float) -> int:
        """Search so many iterations between two temperatures; how often the best fell."""
        return int(search(self.compiled.case, self.day, iterations, first, last, 0))

    def best(self) -> Arrangement:
        day = self.day
        return Arrangement(
            [
                day.best_sequence[shift, : day.best_lengths[shift]].tolist()
                for shift in range(len(self.compiled.shifts))
            ],
            day.best_held.tolist(),
            _stays(day.best_stays),
        )

    def arrangement(self) -> Arrangement:
        """The present plan."""
        return Arrangement(self.routes(), self._held(), self._stays())

    def routes(self) -> list[list[int]]:
        day = self.day
        return [
            day.sequence[shift, : day.routes[shift, at.LENGTH]].tolist() for shift in range(len(self.compiled.shifts))
        ]

    def _held(self) -> list[int]:
        held: list[int] = self.day.standing[:, at.HELD].tolist()
        return held

    def _stays(self) -> dict[int, Stay]:
        return _stays(self.day.routes[:, at.STAY_FROM : at.STAY_FOR + 1])

    def sequences(self) -> Sequences:
        """The present plan as sequences, with its breaks."""
        case, day = self.compiled.case, self.day
        lengths = day.routes[:, at.LENGTH]
        rests = np.zeros((len(lengths), int(lengths.max(initial=0)) + 1), dtype=np.int64)
        trace_all(case, day, rests)
        departures = {}
        for shift, (_, until, _) in self._stays().items():
            for visit in day.sequence[shift, : day.routes[shift, at.LENGTH]].tolist():
                if day.standing[visit, at.LEFT] == until + 1 and not case.visits[visit, at.REMOTE]:
                    departures[visit] = until + 1
                    break
        return sequences_of(self.compiled, self.routes(), rests.tolist(), self._held(), departures)


def _stays(columns: NDArray[np.int64]) -> dict[int, Stay]:
    """By shift, from columns STAY_FROM .. STAY_FOR of every shift."""
    return {
        int(shift): (int(columns[shift, 0]), int(columns[shift, 1]), int(columns[shift, 2]))
        for shift in np.flatnonzero(columns[:, 0] < at.FAR_FUTURE)
    }


def _without_route(compiled: Compiled, plan: Arrangement, shift: int) -> Arrangement:
    """A plan without the orders on a route or for which its engineer stands by, and without all that waits for them;
    what has to stay where it is stays."""
    firm = {compiled.work[visit][0] for visit in np.flatnonzero(compiled.case.visits[:, at.LOCKED])}
    firm |= {compiled.work[visit][0] for visit in compiled.closed_times}
    called = [seat for seat in _standing_by(compiled) if plan.held[seat] == shift]
    loose = {compiled.work[visit][0] for visit in [*plan.routes[shift], *called]} - firm
    waiting = [(order.id, {other.work_order for other in order.depends_on}) for order in compiled.problem.work_orders]
    while more := {name for name, others in waiting if others & loose} - loose - firm:
        loose |= more
    routes = [[visit for visit in route if compiled.work[visit][0] not in loose] for route in plan.routes]
    held = [at.NONE if compiled.work[visit][0] in loose else start for visit, start in enumerate(plan.held)]
    stays = {number: stay for number, stay in plan.stays.items() if routes[number] == plan.routes[number]}
    return Arrangement(routes, held, stays)


def _standing_by(compiled: Compiled) -> Iterator[int]:
    """The seats of all standby roles."""
    roles = compiled.case.roles
    for role in roles[roles[:, at.PRESENCE] == at.STANDING_BY]:
        yield from range(role[at.SEAT], role[at.SEAT] + role[at.MOST])


def _associated(compiled: Compiled, day: Day) -> int:
    """Cost of the pairs of related orders that are both served, apart from each other, at least one by one visit."""
    case = compiled.case
    engineers: dict[int, set[int]] = {}
    for visit in range(len(case.visits)):
        shift = int(day.standing[visit, at.ROUTE])
        if shift >= 0 and not case.visits[visit, at.REMOTE]:
            engineers.setdefault(int(case.visits[visit, at.GROUP]), set()).add(int(case.shifts[shift, at.ENGINEER]))
    apart: set[frozenset[int]] = set()
    stretches = [(int(row[at.GROUP]), row[at.RELATED_FROM], row[at.RELATED_TO]) for row in case.visits]
    stretches += [
        (int(case.visits[row[at.HEAD], at.GROUP]), row[at.TEAM_RELATED_FROM], row[at.TEAM_RELATED_TO])
        for row in case.teams
    ]
    for group, first, last in stretches:
        if group not in engineers:
            continue
        for other in case.related[first:last].tolist():
            if other in engineers and engineers[group].isdisjoint(engineers[other]):
                apart.add(frozenset((group, other)))
    return len(apart) * int(case.numbers[at.ASSOCIATION_WEIGHT])
