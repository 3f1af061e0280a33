"""One route under construction: exact cost, exact best insertion, break places chosen along the way.

A route is driven forward with labels, one or a few per set of breaks already taken: (free at, cost so far, …). At
every gap each break still due may be taken. So a sequence of work stops is priced over all places of its breaks, and
an insertion only drives what lies behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple

from dispatcher.model import Engineer, Shift
from dispatcher.problem import Problem
from solver.route_floors import Gap, RouteFloors
from solver.stint import FAR_FUTURE, FAR_PAST, Stint, in_windows, judged, latest_start, segment_at, shortest_seconds

MAX_LABELS = 4
"""Labels kept per set of breaks; more than two are rare (they differ in time and cost)."""
MAX_LABELS_OF_STANDBY = 64
"""The same for an engineer who stands by: waiting and going are both kept until the promise can be judged."""


class Made(NamedTuple):
    """One thing done along a route, linked to what was done before: a stint, or a break (`stint` None)."""

    before: Made | None
    stint: Stint | None
    rest: int
    arrival: int
    start: int
    end: int
    travel: int


class Label(NamedTuple):
    """A way to get this far: `free` at, cost in thousandths, busy seconds, largest lateness, what was done."""

    free: int
    cost: int
    busy: int
    worst: int
    made: Made | None


Labels = dict[int, list[Label]]
"""Labels by the set of breaks taken (a bit mask over the due ones)."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """The result of putting a stint at a position: the finished route's label, with its end home."""

    position: int
    label: Label
    home_travel: int


class RouteState:
    """A shift's route as a list of stints, with labels cached in front of every position."""

    def __init__(self, problem: Problem, engineer: Engineer, shift: Shift, stints: Sequence[Stint] = ()) -> None:
        self.engineer = engineer
        self.shift = shift
        self.key = (engineer.id, shift.id)
        self.stints: list[Stint] = list(stints)
        self.is_closed = False
        self._standby_starts: tuple[int, ...] = ()
        self._keeps_promises: Callable[[list[Made], tuple[int, int]], bool] | None = None
        self._labels: list[Labels] = []
        self._state: list[tuple[int, int]] = []
        self._known_latest: list[tuple[int, int]] | None = None
        self._known_floors: RouteFloors | None = None
        weights = problem.weights
        self._problem = problem
        self._now = problem.now
        self._travel = problem.travel
        self._varies = problem.travel.varies_with_time
        self._travel_weight = weights.of("travel")
        self._distance_weight = weights.of("distance") if problem.travel.has_meters else 0
        self._overtime_weight = weights.of("overtime")
        index = problem.location_index
        self._start_place = index[shift.start_location]
        self._end_place = None if shift.end_location is None else index[shift.end_location]
        self._refresh()

    @classmethod
    def of(cls, problem: Problem, engineer: Engineer, shift: Shift, stints: Sequence[Stint]) -> RouteState:
        """A route that already has these stints."""
        return cls(problem, engineer, shift, stints)

    def fork(self) -> RouteState:
        """A copy that can change while this one stays as it is."""
        route = copy(self)
        route.stints = list(self.stints)
        return route

    def varied(self, shift: Shift, stints: Sequence[Stint], *, promises: bool = True) -> RouteState:
        """What this route would be with another shift or other stints; with or without its promises to stand by."""
        if shift is self.shift and (promises or self._keeps_promises is None):
            route = self.fork()
            route.stints = list(stints)
            changed = (
                place for place, pair in enumerate(zip(self.stints, stints, strict=False)) if pair[0] is not pair[1]
            )
            route._refresh(next(changed, min(len(self.stints), len(stints))))
            return route
        route = RouteState.of(self._problem, self.engineer, shift, stints)
        route.is_closed = self.is_closed
        if promises and self._keeps_promises is not None:
            route.promise(self._standby_starts, self._keeps_promises)
        return route

    # -- reading -----------------------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        return bool(self.stints) and self.stints[0].running_since is not None

    @property
    def cost(self) -> int:
        """Cost of the route in thousandths; 0 without work."""
        return self._best.label.cost if self._best else 0

    @property
    def label(self) -> Label | None:
        """How the route ends; None without work, or where it is not feasible."""
        return self._best.label if self._best else None

    @property
    def busy_seconds(self) -> int:
        return self._best.label.busy if self._best else 0

    @property
    def worst_lateness(self) -> int:
        return self._best.label.worst if self._best else 0

    def made(self) -> list[Made]:
        """What is done along the route, stints and breaks, in order, with times."""
        return trace(self._best.label) if self._best else []

    def end(self) -> tuple[int, int]:
        """(arrival at the end location or end of the last stop, seconds of the way home)."""
        return (self._best.label.free, self._best.home_travel) if self._best else (self.shift.start, 0)

    def start_place(self) -> int:
        return self.stints[0].place if self.is_running else self._start_place

    @property
    def end_place(self) -> int | None:
        """Where the route ends (location index); None for an open one."""
        return self._end_place

    def places(self) -> list[int]:
        """Where the route begins and its on-site stints are (location indices)."""
        return [self.start_place(), *(stint.place for stint in self.stints if not stint.remote)]

    def can_rest_beside(self, stint: Stint) -> bool:
        """Whether each due break could be taken before a stint or behind it, whatever else is left to others.

        Where it cannot, no place will do, and that costs no drive to know.
        """
        free, shortest = self._opens[1 if self.is_running else 0], shortest_seconds(stint)
        return all(
            max(free, earliest) + seconds <= stint.not_after or stint.not_before + shortest <= latest
            for _, earliest, latest, seconds in self._rests
        )

    # -- changing ----------------------------------------------------------------------------------------------

    def insert(self, position: int, stint: Stint) -> None:
        self.stints.insert(position, stint)
        self._refresh(position)

    def replace(self, position: int, stint: Stint) -> None:
        """Another stint of the same work: after its bounds or its company changed."""
        if stint != self.stints[position]:
            self.stints[position] = stint
            self._refresh(position)

    def remove(self, position: int) -> Stint:
        stint = self.stints.pop(position)
        self._refresh(position)
        return stint

    def promise(self, starts: Sequence[int], keeps: Callable[[list[Made], tuple[int, int]], bool]) -> None:
        """From now on the engineer stands by for teams that start at `starts` (epoch seconds).

        `keeps` says of what is done along a route, and of its (end, seconds of the way home), whether every promise
        would be kept; ways that keep none are no longer taken.
        """
        self._standby_starts = tuple(starts)
        self._keeps_promises = keeps
        self._refresh()

    @property
    def feasible(self) -> bool:
        return not self.stints or self._best is not None

    # -- testing -----------------------------------------------------------------------------------------------

    def best_insertion(
        self,
        stint: Stint,
        *,
        price: Callable[[Insertion], int | None] | None = None,
        below: int | None = None,
        after: int = 0,
    ) -> tuple[int, Insertion] | None:
        """The cheapest place for a stint: (price, insertion), or None where none is feasible.

        `price` may judge a finished insertion by more than its own cost (coupled rules), or refuse it with None.
        Without one, places that cannot cost less than `below` need not be tried, and are not. The first `after` stops
        of the route stay the first ones. Of places that cost the same the first one counts.
        """
        limit = self.shift.max_work_orders
        if self.is_closed or (limit is not None and len(self.stints) >= limit):
            return None
        if stint.running_since is not None:
            fits = stint.not_before <= stint.running_since <= stint.not_after and not after
            positions: Sequence[int] = (0,) if fits and not self.is_running else ()
        else:
            first = max(after, 1 if self.is_running else 0)
            if stint.after:
                waits = [place + 1 for place, made in enumerate(self.stints) if made.order.id in stint.after]
                first = max([first, *waits])
            positions = range(first, len(self.stints) + 1)
        if stint.running_since is None:
            positions = list(self._in_time(positions, stint))
        least: dict[int, int] = {}
        floors = self._floors() if price is None and stint.running_since is None else None
        if floors is not None and (below is not None or len(positions) > 1):
            least = {position: floors.of(stint, position) for position in positions}
            positions = sorted(positions, key=least.__getitem__)
        best: tuple[int, Insertion] | None = None
        for position in positions:
            limit = below if least else None
            if least and best is not None:
                first_of_equals = best[0] + (position < best[1].position)
                limit = first_of_equals if limit is None else min(limit, first_of_equals)
            if limit is not None and least[position] - self.cost >= limit:
                continue
            is_bounded = limit is not None and least[position] > FAR_PAST
            insertion = self._try(position, stint, limit + self.cost if limit is not None and is_bounded else None)
            if insertion is None:
                continue
            value = insertion.label.cost - self.cost if price is None else price(insertion)
            if value is not None and (best is None or (value, position) < (best[0], best[1].position)):
                best = (value, insertion)
        return best

    def latest_insertion(self, stint: Stint, most: int) -> tuple[int, Insertion] | None:
        """The cheaper of the last `most` places for a stint whose start is fixed: (cost, insertion), or None.

        Standing earlier in the route only means to wait for the start while other work is left for later.
        """
        limit = self.shift.max_work_orders
        if self.is_closed or (limit is not None and len(self.stints) >= limit):
            return None
        first = 1 if self.is_running else 0
        best: tuple[int, Insertion] | None = None
        for position in self._in_time(range(len(self.stints), first - 1, -1), stint):
            insertion = self._try(position, stint)
            if insertion is None:
                continue
            cost = insertion.label.cost - self.cost
            if best is None or cost < best[0]:
                best = (cost, insertion)
            most -= 1
            if not most:
                break
        return best

    def _in_time(self, positions: Iterable[int], stint: Stint) -> Iterator[int]:
        """The positions where a stint can start, and what follows still can, even without breaks and traffic."""
        speed, seconds, place = self.engineer.speed_factor, shortest_seconds(stint), stint.place
        latest_starts = self._latest_starts()
        for position in positions:
            free, (latest, latest_with_setup) = self._opens[position], latest_starts[position]
            if free > stint.not_after:
                continue
            if latest == FAR_FUTURE:
                yield position
                continue
            where, set_up = self._state[position]
            spent = seconds
            if not stint.remote:
                free += self._travel.free_flow_row(where, speed)[place]
                where = place
                spent += 0 if place == set_up else stint.setup_seconds
            start = max(free, stint.not_before)
            if stint.windows:
                start = in_windows(stint.windows, start)
            if start > stint.not_after:
                continue
            following = self._end_place
            if position < len(self.stints):
                following = None if self.stints[position].remote else self.stints[position].place
                if not stint.remote and following != place:
                    latest = latest_with_setup
            ride = 0 if following is None else self._travel.free_flow_row(where, speed)[following]
            if start + spent + ride <= latest:
                yield position

    def _latest_starts(self) -> list[tuple[int, int]]:
        """Before every position, the latest start of what follows that could still keep all hard bounds: where its
        setup is paid already, and where it is not.

        An optimistic bound: breaks and traffic are left out, which holds where traffic only slows down.
        """
        if self._known_latest is not None:
            return self._known_latest
        if self._travel.may_speed_up:
            self._known_latest = [(FAR_FUTURE, FAR_FUTURE)] * (len(self.stints) + 1)
            return self._known_latest
        found = [(self.shift.latest_end, self.shift.latest_end)]
        following, speed = self._end_place, self.engineer.speed_factor
        for stint in reversed(self.stints):
            over_by = found[-1][0]
            if not stint.remote and following is not None:
                over_by = (
                    found[-1][following != stint.place] - self._travel.free_flow_row(stint.place, speed)[following]
                )
            over_by = min(over_by, stint.end_by) - shortest_seconds(stint)
            found.append((latest_start(stint, over_by), latest_start(stint, over_by - stint.setup_seconds)))
            following = None if stint.remote else stint.place
        found.reverse()
        self._known_latest = found
        return found

    def _floors(self) -> RouteFloors | None:
        """Bounds on the cost of insertions; None where there are none: where traffic may also speed up, and for who
        stands by and may wait."""
        if self._travel.may_speed_up or self._keeps_promises is not None:
            return None
        if self._known_floors is None:
            gaps = [
                Gap(*state, opens, min((label.cost for group in labels.values() for label in group), default=0))
                for state, opens, labels in zip(self._state, self._opens, self._labels, strict=True)
            ]
            self._known_floors = RouteFloors(self._problem, self.engineer, self.shift, self.stints, gaps)
        return self._known_floors

    def _try(self, position: int, stint: Stint, ceiling: int | None = None) -> Insertion | None:
        """The route with a stint at a position; None where that is not feasible, or known to cost `ceiling` or more."""
        if stint.running_since is not None:
            return self._drive_all([stint, *self.stints])
        labels = self._advance(self._rested(self._labels[position]), stint, *self._state[position])
        if not labels:
            return None
        where, set_up = _moved(stint, *self._state[position])
        floors = None if ceiling is None else self._floors()
        for index in range(position, len(self.stints)):
            if floors is not None and ceiling is not None:
                so_far = min([label.cost for group in labels.values() for label in group])
                if so_far + floors.going_on(index, where) >= ceiling:
                    return None
            following = self.stints[index]
            labels = self._advance(self._rested(labels), following, where, set_up)
            if not labels:
                return None
            where, set_up = _moved(following, where, set_up)
        return self._finish(labels, where, position)

    def _drive_all(self, stints: list[Stint]) -> Insertion | None:
        """A route that begins with running work: other breaks are due, so nothing cached helps."""
        before = self.stints
        self.stints = stints
        self._refresh()
        best = self._best
        self.stints = before
        self._refresh()
        return None if best is None else replace(best, position=0)

    # -- driving -----------------------------------------------------------------------------------------------

    def _refresh(self, kept: int = 0) -> None:
        """Drive the route again behind its first `kept` stops, which are driven as before, and keep the labels in front
        of every position."""
        if kept:
            self._labels, self._state = self._labels[: kept + 1], self._state[: kept + 1]
        else:
            self._set_out()
        labels, (where, set_up) = self._labels[-1], self._state[-1]
        for stint in self.stints[kept:]:
            if stint.running_since is not None and len(self._labels) == 1:
                labels = self._advance_running(labels, stint)
            else:
                labels = self._advance(self._rested(labels), stint, where, set_up)
            where, set_up = _moved(stint, where, set_up)
            self._labels.append(labels)
            self._state.append((where, set_up))
        self._opens = [min((group[0].free for group in labels.values()), default=FAR_FUTURE) for labels in self._labels]
        self._best = self._finish(labels, where, len(self.stints)) if self.stints else None
        self._known_latest = None
        self._known_floors = None

    def _set_out(self) -> None:
        """The breaks that are due, and the one label at the start of the route."""
        self._rests = self._due_rests()
        self._all_taken = (1 << len(self._rests)) - 1
        self._last_rest = max((rest[2] for rest in self._rests), default=0)
        self._rest_by = [
            min((rest[2] for bit, rest in enumerate(self._rests) if not mask & (1 << bit)), default=FAR_FUTURE)
            for mask in range(self._all_taken + 1)
        ]
        since = self.stints[0].running_since if self.stints else None
        free = max(self.shift.start, self._now) if since is None else since
        self._labels = [{0: [Label(free, 0, 0, 0, None)]}]
        self._state = [(self.start_place(), -1)]

    def _due_rests(self) -> list[tuple[int, int, int, int]]:
        """(index, earliest start, latest start, seconds) of the breaks still to be taken."""
        earliest = self._now
        if self.is_running:
            stint = self.stints[0]
            since = stint.running_since
            assert since is not None
            earliest = max(earliest, since + (segment_at(stint, since)[1] or 0) + stint.setup_seconds)
        return [
            (index, max(rest.earliest_start, self._now), rest.latest_start, rest.duration_seconds)
            for index, rest in enumerate(self.shift.breaks)
            if rest.latest_start >= earliest
        ]

    def _rested(self, labels: Labels) -> Labels:
        """Labels with every break that may be taken here, taken or not."""
        for mask, group in labels.items():
            # The first label of a group is the earliest one.
            if mask != self._all_taken and group[0].free <= self._last_rest:
                break
        else:
            return labels
        found = dict(labels)
        more: set[int] = set()
        for mask in range(self._all_taken):
            waiting = found.get(mask)
            if not waiting:
                continue
            for bit, (index, earliest, latest, seconds) in enumerate(self._rests):
                if mask & (1 << bit):
                    continue
                rested = []
                for label in waiting:
                    start = max(label.free, earliest)
                    if start <= latest:
                        end = start + seconds
                        made = Made(label.made, None, index, start, start, end, 0)
                        rested.append(Label(end, label.cost, label.busy, label.worst, made))
                if rested:
                    with_it = mask | (1 << bit)
                    found[with_it] = [*found.get(with_it, ()), *rested]
                    more.add(with_it)
        for mask in more:
            found[mask] = self._kept(found[mask])
        return found

    def _advance(self, labels: Labels, stint: Stint, where: int, set_up: int) -> Labels:
        """Labels after the stint; those that can no longer take a due break are dropped."""
        found: Labels = {}
        now, place, is_remote, windows = self._now, stint.place, stint.remote, stint.windows
        earliest, latest, end_by = max(now, stint.not_before), stint.not_after, stint.end_by
        setup = 0 if place == set_up else stint.setup_seconds
        segment = stint.segments[0] if len(stint.segments) == 1 else None
        is_judged = stint.lateness is not None or stint.previous_start is not None
        own_cost, seconds_from = stint.fixed_cost, None
        if not is_remote and where != place:
            seconds_from = self._travel.leg(where, place, self.engineer.speed_factor)
            if self._distance_weight:
                own_cost += self._travel.meters(where, place) * self._distance_weight
        for mask, group in labels.items():
            rest_by, reached = self._rest_by[mask], []
            for free, cost, busy, worst, made in self._departures(group) if self._standby_starts else group:
                travel = 0
                # Running work may have ended before now, but no leg departs before it.
                arrival = free if is_remote or free > now else now
                if seconds_from is not None:
                    travel = seconds_from(arrival)
                    arrival += travel
                start = arrival if arrival > earliest else earliest
                if windows:
                    start = in_windows(windows, start)
                if start > latest:
                    continue
                _, seconds, penalty = segment or segment_at(stint, start)
                if seconds is None:
                    continue
                end = start + setup + seconds
                if end > end_by or end > rest_by:
                    continue
                cost += own_cost + travel * self._travel_weight + penalty
                if is_judged:
                    extra, worst = judged(stint, arrival, start, end, worst)
                    cost += extra
                reached.append(
                    Label(
                        end,
                        cost,
                        busy + travel + end - start,
                        worst,
                        Made(made, stint, -1, arrival, start, end, travel),
                    )
                )
            if reached:
                found[mask] = reached if len(reached) == 1 else self._kept(reached)
        return found

    def _departures(self, group: list[Label]) -> list[Label]:
        """Leaving at once, or just after a team has started for which one stands by: until then they can be called."""
        waiting = [
            label._replace(free=start + 1) for label in group for start in self._standby_starts if label.free <= start
        ]
        return group + waiting

    def _kept(self, group: list[Label]) -> list[Label]:
        """The labels worth going on with; with a promise to keep, dear ones too, since cheap ones may break it."""
        if self._keeps_promises is None:
            return _nondominated(group)
        return sorted(group, key=_by_time)[:MAX_LABELS_OF_STANDBY]

    def _advance_running(self, labels: Labels, stint: Stint) -> Labels:
        """Running work at the head of the route: it started where it is, when it did."""
        free, _, busy, worst, made = labels[0][0]
        _, seconds, penalty = segment_at(stint, free)
        end = free + stint.setup_seconds + (seconds or 0)
        cost, worst = judged(stint, free, free, end, worst)
        done = Made(made, stint, -1, free, free, end, 0)
        return {0: [Label(end, stint.fixed_cost + penalty + cost, busy + end - free, worst, done)]}

    def _finish(self, labels: Labels, where: int, position: int) -> Insertion | None:
        """Drive home; the cheapest label with all breaks taken and the shift's bound kept."""
        best: Insertion | None = None
        for label in self._rested(labels).get(self._all_taken, ()):
            free, travel, cost = label.free, 0, label.cost
            if self._end_place is not None:
                free = max(free, self._now)
                travel = self._travel.seconds(where, self._end_place, free, self.engineer.speed_factor)
                cost += travel * self._travel_weight
                if self._distance_weight:
                    cost += self._travel.meters(where, self._end_place) * self._distance_weight
            end = free + travel
            if end > self.shift.latest_end:
                continue
            cost += max(0, end - self.shift.end) * self._overtime_weight
            if best is None or (cost, end) < (best.label.cost, best.label.free):
                finished = Label(end, cost, label.busy + travel, label.worst, label.made)
                if self._keeps_promises is None or self._keeps_promises(trace(finished), (end, travel)):
                    best = Insertion(position, finished, travel)
        return best


def trace(label: Label) -> list[Made]:
    """What was done along the way to a label, first things first."""
    made: list[Made] = []
    link = label.made
    while link is not None:
        made.append(link)
        link = link.before
    made.reverse()
    return made


def _moved(stint: Stint, where: int, set_up: int) -> tuple[int, int]:
    """Where the engineer is after a stint, and where setup was last paid."""
    return (where, set_up) if stint.remote else (stint.place, stint.place)


def _nondominated(group: list[Label]) -> list[Label]:
    """The labels none other beats in time and cost, earliest first."""
    if len(group) == 1:
        return group
    kept: list[Label] = []
    for label in sorted(group, key=_by_time):
        if not kept or label.cost < kept[-1].cost:
            kept.append(label)
    return kept[:MAX_LABELS]


def _by_time(label: Label) -> tuple[int, int]:
    return label.free, label.cost
