"""From a problem and a plan to the arrays the kernel works on, and from its arrays back to sequences.

Orders without a team become visits that may go anywhere. Teams are taken from the plan as they are: each member's
stop is a visit whose start is fixed. What the arrays cannot hold raises `CannotCompile`, and another engine has to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from dispatcher.facts import Facts, WorkStop, read_facts
from dispatcher.model import Engineer, Exact, Shift, WorkOrder
from dispatcher.plan import Plan, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem, ShiftKey
from dispatcher.service import engineer_factor
from solver.compile_travel import CannotCompile, Places, TravelArrays, compile_travel
from solver.kernel import layout as at
from solver.kernel.layout import FAR_FUTURE, FAR_PAST, NONE, Case, Day
from solver.nearness import nearest_shifts, nearest_visits
from solver.stint import unserved_cost

MOST_STOPS = 400
"""Work stops one shift may have; more are not planned by the kernel."""
PIN_BONUS = 10**13
"""A pinned order is worth more than any other reason to leave it."""
SCANNED_WHOLE = 30
"""Up to so many visits every route is looked at for every one of them."""
_NO_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class Compiled:
    """A problem with the teams of a plan, and who is who in the arrays.

    `work` says of each visit its order and role; `shifts` of each shift its key. `closed` are
    the shifts the kernel leaves alone, with arrival, start and end of their
    visits, and their worst lateness and busy seconds.
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


@dataclass
class _Rows:
    """Rows of different lengths laid end to end."""

    rows: list[list[int]] = field(default_factory=list)

    def add(self, rows: Iterable[Sequence[int]]) -> tuple[int, int]:
        first = len(self.rows)
        self.rows.extend([*row] for row in rows)
        return first, len(self.rows)

    def array(self, width: int) -> np.ndarray:
        return np.array(self.rows or np.zeros((0, width)), dtype=np.int64).reshape(-1, width)


def compile_problem(problem: Problem, given: Sequences, plan: Plan, *, closed: frozenset[int] = frozenset()) -> Compiled:
    """The arrays of a problem whose teams are composed and timed as in a feasible plan.

    Args:
        problem: what to plan.
        given: the sequences the plan was made of.
        plan: `build_plan` of them.
        closed: positions of shifts whose routes stay as they are.

    Raises:
        CannotCompile: where numbers do not fit.
    """
    return _Compiler(problem, given, plan, closed).compiled()


class _Compiler:
    def __init__(self, problem: Problem, given: Sequences, plan: Plan, closed: frozenset[int]) -> None:
        self.problem = problem
        self.given = given
        self.facts: Facts = read_facts(problem, plan)
        self.engineers = [engineer for engineer in problem.engineers if engineer.shifts]
        self.engineer_index = {engineer.id: index for index, engineer in enumerate(self.engineers)}
        self.shifts: list[tuple[Engineer, Shift]] = [
            (engineer, shift)
            for engineer in self.engineers
            for shift in sorted(engineer.shifts, key=lambda shift: shift.start)
        ]
        self.shift_index = {(engineer.id, shift.id): index for index, (engineer, shift) in enumerate(self.shifts)}
        self.running = {
            self.shift_index[(route.engineer.id, route.shift.id)]: route.running
            for route in self.facts.routes
            if route.running is not None
        }
        self.closed = closed | self._closed()
        self.places = Places(problem)
        self.windows, self.gaps, self.options = _Rows(), _Rows(), _Rows()
        self.parts: list[tuple[int, int]] = []
        self.part_index: dict[str, int] = {}
        self.related: list[int] = []
        self.admits: list[list[bool]] = []
        self.prefers: list[list[bool]] = []
        self.classes: dict[object, int] = {}
        self.class_orders: list[WorkOrder] = []
        self.work: list[tuple[str, str | None]] = []
        self.visit_of: dict[tuple[str, int], int] = {}
        self.rows: list[list[int]] = []
        self.closed_times: dict[int, tuple[int, int, int]] = {}
        self.late_teams: list[tuple[int, ...]] = []

    def _closed(self) -> frozenset[int]:
        """Routes with a departure held back, and shifts of somebody who is at work on a later one."""
        found = set()
        for route in self.given.routes:
            if any(isinstance(visit, Visit) and visit.leave_not_before is not None for visit in route.visits):
                found.add(self.shift_index[(route.engineer, route.shift)])
        for index in self.running:
            found.update(
                other
                for other, (engineer, _) in enumerate(self.shifts)
                if engineer is self.shifts[index][0] and other < index
            )
        return frozenset(found)

    # -- visits ------------------------------------------------------------------------------------------------

    def compiled(self) -> Compiled:
        problem = self.problem
        for order in problem.work_orders:
            self._add_order(order)
        groups = {order.id: number for number, order in enumerate(problem.work_orders)}
        members, member_visits = self._groups()
        self._lock_what_others_wait_for()
        visits = np.array(self.rows or np.zeros((0, at.VISIT_COLUMNS)), dtype=np.int64).reshape(-1, at.VISIT_COLUMNS)
        self._add_relations(visits, groups)
        self._add_late_teams(visits, groups)
        travel = compile_travel(problem, self.places, [engineer for engineer, _ in self.shifts])
        option_of = self._options()
        shifts, breaks, break_index, duties = self._shifts(travel)
        admits = np.array(self.admits or np.zeros((0, len(self.engineers))), dtype=np.bool_)
        prefers = np.array(self.prefers or np.zeros((0, len(self.engineers))), dtype=np.bool_)
        serving = _serving(visits, shifts, option_of, admits)
        visits[:, at.SCARCITY] = serving.sum(axis=1) if len(visits) else 0
        part_rows = np.array(self.parts or np.zeros((0, 2)), dtype=np.int64).reshape(-1, 2)
        sort_keys, sort_chances = _sort_keys(visits, self.windows.rows, part_rows, travel, shifts)
        near = nearest_visits(travel, visits[:, at.PLACE])
        case = Case(
            numbers=self._numbers(travel, shifts, len(visits), breaks),
            visits=visits,
            windows=self.windows.array(2),
            options=self.options.array(4),
            option_of=option_of,
            admits=admits,
            prefers=prefers,
            related=np.array(self.related, dtype=np.int64),
            members=members,
            member_visits=member_visits,
            part_of=np.ascontiguousarray(part_rows[:, 0]),
            part_count=np.ascontiguousarray(part_rows[:, 1]),
            gaps=self.gaps.array(3),
            shifts=shifts,
            breaks=breaks,
            break_index=break_index,
            duties=duties,
            stock=self._stock(),
            seconds=travel.seconds,
            base=travel.base,
            meters=travel.meters,
            speeds=travel.speeds,
            traffic_from=travel.traffic_from,
            traffic_rate=travel.traffic_rate,
            sphere=travel.sphere,
            near=near,
            near_shifts=nearest_shifts(travel, visits[:, at.PLACE], shifts[:, at.START_PLACE], serving),
            late_teams=np.array(self.late_teams or np.zeros((0, 5)), dtype=np.int64).reshape(-1, 5),
            sort_keys=sort_keys,
            sort_chances=sort_chances,
        )
        keys = tuple((engineer.id, shift.id) for engineer, shift in self.shifts)
        return Compiled(problem, case, tuple(self.work), keys, self.visit_of, self.given, self.closed, self.closed_times, self._closed_figures())

    def _add_order(self, order: WorkOrder) -> None:
        service = self.facts.services.get(order.id)
        if order.team is not None:
            for stop in service.stops if service is not None else ():
                self._add_visit(order, stop)
        elif service is not None:
            self._add_visit(order, service.on_site[0])
        elif not self.problem.is_running(order):
            self._add_visit(order, None)

    def _add_visit(self, order: WorkOrder, stop: WorkStop | None) -> None:
        problem, weight = self.problem, self.problem.weights.of
        row = [0] * at.VISIT_COLUMNS
        is_member = order.team is not None
        shift = NONE if stop is None else self.shift_index[(stop.engineer.id, stop.shift.id)]
        is_running = stop is not None and self.running.get(shift) is not None and self.running[shift] == stop
        is_remote = stop is not None and stop.presence == "remote"
        pin = order.pin
        row[at.PLACE] = self.places.index(order.location)
        row[at.SETUP] = 0 if is_remote else order.setup_seconds
        row[at.SERVICE], row[at.FIXED_SECONDS] = order.service_seconds, NONE
        row[at.NOT_BEFORE], row[at.NOT_AFTER] = FAR_PAST, FAR_FUTURE
        row[at.SETUP_PAID], row[at.PREVIOUS_START] = NONE, FAR_PAST
        row[at.PREVIOUS_ENGINEER] = at.NOBODY
        row[at.ADMIT] = row[at.PREFER] = NONE
        row[at.CLASS] = self._class(order)
        row[at.MEMBER], row[at.REMOTE], row[at.IS_RUNNING] = int(is_member), int(is_remote), int(is_running)
        row[at.UNSERVED] = unserved_cost(problem, order) + (PIN_BONUS if pin is not None and stop is None else 0)
        deadlines = order.deadlines
        for column, deadline in (
            (at.ARRIVE_BY, None if is_member else deadlines.arrive_by),
            (at.START_BY, None if is_remote else deadlines.start_by),
            (at.RESTORE_BY, None if is_remote else deadlines.restore_by),
        ):
            row[column] = FAR_FUTURE if deadline is None else deadline
        is_locked = is_member or is_running or (pin is not None and stop is not None) or shift in self.closed
        row[at.LOCKED] = int(is_locked)
        if stop is not None and (is_member or is_running):
            self._fix(row, order, stop, is_running=is_running)
        if not is_member:
            self._add_freedom(row, order)
        if is_member or is_running:
            row[at.WINDOWS_FROM] = row[at.WINDOWS_TO] = len(self.windows.rows)
        else:
            windows = sorted((window.start, window.end) for window in order.time_windows)
            row[at.WINDOWS_FROM], row[at.WINDOWS_TO] = self.windows.add(windows)
        if not is_member:
            for column, rule in (
                (at.ARRIVAL_WEIGHT, "late_arrival"),
                (at.ARRIVAL_ONCE, "late_arrival_once"),
                (at.START_WEIGHT, "late_start"),
                (at.START_ONCE, "late_start_once"),
                (at.RESTORE_WEIGHT, "late_restore"),
                (at.RESTORE_ONCE, "late_restore_once"),
            ):
                row[column] = weight(rule, order.level)
        if stop is not None and shift in self.closed:
            self.closed_times[len(self.rows)] = (stop.arrival, stop.start, stop.end)
        self.visit_of[(order.id, shift if is_member else NONE)] = len(self.rows)
        self.work.append((order.id, None if stop is None else stop.role))
        self.rows.append(row)

    def _fix(self, row: list[int], order: WorkOrder, stop: WorkStop, *, is_running: bool) -> None:
        """Start and duration of a member, and of running work, are as they are in the plan."""
        paid = stop.presence == "on_site" and order.setup_seconds > 0 and self._pays_setup(stop)
        row[at.FIXED_SECONDS] = stop.end - stop.start - (order.setup_seconds if paid else 0)
        row[at.NOT_BEFORE] = row[at.NOT_AFTER] = stop.start
        if stop.presence == "on_site" and order.setup_seconds > 0 and not is_running:
            row[at.SETUP_PAID] = int(paid)

    def _pays_setup(self, stop: WorkStop) -> bool:
        before = [
            other
            for other in self.facts.routes[self._route_position(stop)].work
            if other.position < stop.position and other.presence == "on_site"
        ]
        return not before or before[-1].location != stop.location

    def _route_position(self, stop: WorkStop) -> int:
        return next(place for place, route in enumerate(self.facts.routes) if route.index == stop.route)

    def _add_freedom(self, row: list[int], order: WorkOrder) -> None:
        """Who may come, who should, who came before, from when on, and with which parts."""
        if order.allowed_engineers or order.excluded_engineers or order.pin is not None:
            pinned = None if order.pin is None else order.pin.engineer
            row[at.ADMIT] = len(self.admits)
            self.admits.append([order.admits(e.id) and pinned in (None, e.id) for e in self.engineers])
        if order.preferred_engineers:
            row[at.PREFER] = len(self.prefers)
            self.prefers.append([engineer.id in order.preferred_engineers for engineer in self.engineers])
        if order.pin is not None and order.pin.start is not None:
            row[at.NOT_BEFORE] = row[at.NOT_AFTER] = order.pin.start
        for dependency in order.depends_on:
            if dependency.completed_at is not None and not row[at.IS_RUNNING]:
                row[at.NOT_BEFORE] = max(row[at.NOT_BEFORE], dependency.completed_at + dependency.min_gap_seconds)
                if dependency.max_gap_seconds is not None:
                    row[at.NOT_AFTER] = min(row[at.NOT_AFTER], dependency.completed_at + dependency.max_gap_seconds)
        previous = self.problem.previous.get(order.id)
        if previous is not None:
            (only, *others) = previous.engineers
            row[at.PREVIOUS_ENGINEER] = at.SEVERAL if others else self.engineer_index.get(only, at.SEVERAL)
            if previous.first_start is not None:
                row[at.PREVIOUS_START] = previous.first_start
        first = len(self.parts)
        for part, count in order.parts.items():
            self.parts.append((self.part_index.setdefault(part, len(self.part_index)), count))
        row[at.PARTS_FROM], row[at.PARTS_TO] = first, len(self.parts)

    def _class(self, order: WorkOrder) -> int:
        """Orders that ask for the same skills qualify the same engineers, with the same factors and penalties."""
        number = self.classes.get(order.required_skills)
        if number is None:
            number = self.classes[order.required_skills] = len(self.class_orders)
            self.class_orders.append(order)
        return number

    def _groups(self) -> tuple[np.ndarray, np.ndarray]:
        """The on-site visits of every order, in the order of the problem."""
        of_order: dict[str, list[int]] = {}
        for visit, (order, _) in enumerate(self.work):
            if not self.rows[visit][at.REMOTE]:
                of_order.setdefault(order, []).append(visit)
        members, flat = [0], []
        for group, order in enumerate(self.problem.work_orders):
            for visit in of_order.get(order.id, ()):
                self.rows[visit][at.GROUP] = group
                flat.append(visit)
            members.append(len(flat))
        return np.array(members, dtype=np.int64), np.array(flat, dtype=np.int64)

    def _lock_what_others_wait_for(self) -> None:
        """An order whose follower cannot be removed cannot be either."""
        by_order: dict[str, list[int]] = {}
        for visit, (order, _) in enumerate(self.work):
            by_order.setdefault(order, []).append(visit)
        waiting = [order for order in self.problem.work_orders if order.depends_on and order.id in by_order]
        is_moving = True
        while is_moving:
            is_moving = False
            for order in waiting:
                if order.id not in self.facts.services:
                    continue
                if not any(self.rows[visit][at.LOCKED] for visit in by_order[order.id]):
                    continue
                for dependency in order.depends_on:
                    for visit in by_order.get(dependency.work_order or "", ()):
                        if not self.rows[visit][at.LOCKED]:
                            self.rows[visit][at.LOCKED] = 1
                            is_moving = True

    def _add_relations(self, visits: np.ndarray, groups: Mapping[str, int]) -> None:
        followers: dict[str, list[tuple[str, int, int]]] = {}
        for order in self.problem.work_orders:
            for dependency in order.depends_on:
                if dependency.work_order is not None:
                    longest = FAR_FUTURE if dependency.max_gap_seconds is None else dependency.max_gap_seconds
                    gap = (order.id, dependency.min_gap_seconds, longest)
                    followers.setdefault(dependency.work_order, []).append(gap)
        related: dict[str, list[str]] = {}
        for one, other in self.problem.related_pairs:
            related.setdefault(one, []).append(other)
            related.setdefault(other, []).append(one)
        for visit, (name, _) in enumerate(self.work):
            row, order = visits[visit], self.problem.order_by_id[name]
            before = [
                (
                    groups[dependency.work_order],
                    dependency.min_gap_seconds,
                    FAR_FUTURE if dependency.max_gap_seconds is None else dependency.max_gap_seconds,
                )
                for dependency in order.depends_on
                if dependency.work_order is not None
            ]
            if row[at.REMOTE] or row[at.IS_RUNNING]:
                before = []
            after = [] if row[at.REMOTE] else [(groups[n], least, most) for n, least, most in followers.get(name, ())]
            row[at.BEFORE_FROM], row[at.BEFORE_TO] = self.gaps.add(before)
            row[at.AFTER_FROM], row[at.AFTER_TO] = self.gaps.add(after)
            row[at.RELATED_FROM] = len(self.related)
            if not row[at.MEMBER]:
                self.related.extend(groups[other] for other in related.get(name, ()))
            row[at.RELATED_TO] = len(self.related)

    def _add_late_teams(self, visits: np.ndarray, groups: Mapping[str, int]) -> None:
        """A team that starts after it should have arrived costs what its first member's arrival makes of it.

        Its herald, who is there first in the plan given, carries that cost on its route, so that the search sees it.
        """
        for order in self.problem.work_orders:
            service, arrive_by = self.facts.services.get(order.id), order.deadlines.arrive_by
            if order.team is None or service is None or arrive_by is None or service.first_start <= arrive_by:
                continue
            herald = min(service.on_site, key=lambda stop: stop.arrival)
            visit = self.visit_of[(order.id, self.shift_index[(herald.engineer.id, herald.shift.id)])]
            row = visits[visit]
            row[at.ARRIVE_BY] = arrive_by
            row[at.ARRIVAL_WEIGHT] = self.problem.weights.of("late_arrival", order.level)
            row[at.ARRIVAL_ONCE] = self.problem.weights.of("late_arrival_once", order.level)
            weights = (int(row[at.ARRIVAL_WEIGHT]), int(row[at.ARRIVAL_ONCE]))
            self.late_teams.append((groups[order.id], arrive_by, *weights, visit))

    def _closed_figures(self) -> dict[int, tuple[int, int]]:
        """Worst lateness and busy seconds of the routes that stay as they are."""
        figures = {}
        for route in self.facts.routes:
            number = self.shift_index[(route.engineer.id, route.shift.id)]
            if number in self.closed:
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

    # -- engineers and shifts ----------------------------------------------------------------------------------

    def _options(self) -> np.ndarray:
        """Per class and engineer the first option row; engineers alike in skills and pace share theirs."""
        problem = self.problem
        option_of = np.full((max(1, len(self.class_orders)), len(self.engineers)), NONE, dtype=np.int64)
        weight = problem.weights.of("substitution")
        profiles: dict[object, int] = {}
        profile_of = [
            profiles.setdefault((engineer.skills, tuple(sorted(engineer.duration_factors.items()))), len(profiles))
            for engineer in self.engineers
        ]
        stored: dict[tuple[tuple[int, ...], ...], int] = {}
        for number, order in enumerate(self.class_orders):
            known: dict[int, int] = {}
            for index, engineer in enumerate(self.engineers):
                profile = profile_of[index]
                if profile not in known:
                    rows = self._option_rows(engineer, order, weight)
                    if all(row[at.NUMERATOR] == 0 for row in rows):
                        known[profile] = NONE
                    else:
                        if rows not in stored:
                            stored[rows] = self.options.add(rows)[0]
                        known[profile] = stored[rows]
                option_of[number, index] = known[profile]
        return option_of

    def _option_rows(self, engineer: Engineer, order: WorkOrder, weight: int) -> tuple[tuple[int, ...], ...]:
        problem, rows = self.problem, []
        pace: Exact = engineer_factor(engineer, order, None)
        for until in (*problem.qualification_instants(engineer, order, None), FAR_FUTURE):
            answer = problem.qualification(engineer, order, None, until)
            if not answer.qualified:
                rows.append((until, 0, 1, 0))
                continue
            factor = Fraction(pace) * answer.duration_factor
            rows.append((until, factor.numerator, factor.denominator, int(answer.penalty * weight)))
            if 4 * factor.numerator * max(1, problem.end - problem.start) >= 1 << 62:
                raise CannotCompile("a duration factor has too many digits")
        return tuple(rows)

    def _shifts(self, travel: TravelArrays) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        problem = self.problem
        breaks, index_rows, duties = _Rows(), _Rows(), _Rows()
        rows, twins = [], dict[object, int]()
        is_personal = bool(self.admits or self.prefers or self.related or problem.previous)
        for number, (engineer, shift) in enumerate(self.shifts):
            running = self.running.get(number)
            row = [0] * at.SHIFT_COLUMNS
            row[at.ENGINEER] = self.engineer_index[engineer.id]
            row[at.START_TIME] = max(shift.start, problem.now) if running is None else running.start
            row[at.SHIFT_END], row[at.LATEST_END] = shift.end, shift.latest_end
            start_place = shift.start_location if running is None else running.location
            row[at.START_PLACE] = self.places.index(start_place)
            row[at.END_PLACE] = NONE if shift.end_location is None else self.places.index(shift.end_location)
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
            row[at.DUTIES_FROM], row[at.DUTIES_TO] = duties.add(self._duties(number))
            row[at.CLOSED] = int(number in self.closed)
            row[at.LOCKED_FIRST] = int(running is not None)
            alike = (
                *row[at.START_TIME : at.MAX_STOPS + 1],
                tuple(due),
                row[at.SPEED],
                engineer.skills,
                tuple(sorted(engineer.duration_factors.items())),
                tuple(sorted(engineer.parts.items())),
                number if is_personal or running is not None or row[at.DUTIES_FROM] < row[at.DUTIES_TO] else None,
            )
            alike = (*alike[:5], *alike[7:])
            row[at.TWIN] = twins.setdefault(alike, number)
            rows.append(row)
        shifts = np.array(rows or np.zeros((0, at.SHIFT_COLUMNS)), dtype=np.int64).reshape(-1, at.SHIFT_COLUMNS)
        return shifts, breaks.array(3), index_rows.array(1)[:, 0].copy(), duties.array(3)

    def _duties(self, number: int) -> list[tuple[int, int, int]]:
        engineer, shift = self.shifts[number]
        found = []
        for name, team in self.facts.teams.items():
            if any(member.engineer == engineer.id for member in team.standby):
                service = self.facts.services[name]
                if shift.start <= service.first_start and service.last_end <= shift.latest_end:
                    site = self.places.index(service.order.location)
                    found.append((service.first_start, site, service.last_end))
        return found

    def _stock(self) -> np.ndarray:
        """Pieces of each part on board, less what teams take, from whoever of them has any."""
        stock = np.zeros((len(self.shifts), max(1, len(self.part_index))), dtype=np.int64)
        for number, (engineer, _) in enumerate(self.shifts):
            for part, count in engineer.parts.items():
                if part in self.part_index:
                    stock[number, self.part_index[part]] = count
        for service in self.facts.services.values():
            if service.order.team is None:
                continue
            for part, count in service.order.parts.items():
                left = count
                for stop in service.on_site:
                    if part in self.part_index:
                        number = self.shift_index[(stop.engineer.id, stop.shift.id)]
                        taken = min(left, int(stock[number, self.part_index[part]]))
                        stock[number, self.part_index[part]] -= taken
                        left -= taken
        return stock

    def _numbers(self, travel: TravelArrays, shifts: np.ndarray, amount: int, breaks: np.ndarray) -> np.ndarray:
        numbers = np.zeros(at.NUMBERS, dtype=np.int64)
        weight = self.problem.weights.of
        numbers[at.NOW] = self.problem.now
        numbers[at.TRAVEL_WEIGHT] = weight("travel")
        numbers[at.DISTANCE_WEIGHT] = weight("distance") if self.problem.travel.has_meters else 0
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
        numbers[at.HAS_TRAFFIC] = int(self.problem.travel.varies_with_time)
        numbers[at.HAS_MATRIX] = int(travel.has_matrix)
        numbers[at.HAS_METERS] = int(travel.has_matrix and weight("distance") != 0)
        numbers[at.TRAFFIC_COMMON] = travel.traffic_common
        shared = numbers[[at.WORST_WEIGHT, at.FAIRNESS_WEIGHT, at.USED_WEIGHT]]
        numbers[at.NEEDS_TIMES] = int(bool(self.late_teams) or bool(shared.any()))
        numbers[at.HAS_DEPENDENCIES] = int(bool(self.gaps.rows))
        numbers[at.HAS_MOVED] = int(any(row[at.PREVIOUS_START] != FAR_PAST for row in self.rows))
        numbers[at.ENGINEERS] = len(self.engineers)
        numbers[at.IS_SCANNED_WHOLE] = int(amount <= SCANNED_WHOLE)
        return numbers


def _serving(visits: np.ndarray, shifts: np.ndarray, option_of: np.ndarray, admits: np.ndarray) -> np.ndarray:
    """Which shifts may serve which visits by skill and list [V, R]."""
    if not len(visits) or not len(shifts):
        return np.zeros((len(visits), len(shifts)), dtype=np.bool_)
    engineers = shifts[:, at.ENGINEER]
    serving: np.ndarray = (option_of >= 0)[visits[:, at.CLASS]][:, engineers]
    for visit in np.flatnonzero(visits[:, at.ADMIT] != NONE):
        serving[visit] &= admits[visits[visit, at.ADMIT]][engineers]
    return serving


def _sort_keys(
    visits: np.ndarray,
    windows: list[list[int]],
    parts: np.ndarray,
    travel: TravelArrays,
    shifts: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The orders in which recreate may take visits, each with its chance; the last chance is that of a random order.

    Beside the paper's (random, demand, far, close, and for time windows length, start, end): value, value per second
    of work, and how few may come.
    """
    amount = len(visits)
    seconds = np.maximum(1, visits[:, at.SERVICE] + visits[:, at.SETUP]).astype(float)
    value = visits[:, at.UNSERVED].astype(float)
    home = travel.from_place(int(np.bincount(shifts[:, at.START_PLACE]).argmax())) if len(shifts) else np.zeros(1)
    far = home[visits[:, at.PLACE]] if len(shifts) else np.zeros(amount)
    opens, closes = np.full(amount, float(FAR_PAST)), np.full(amount, float(FAR_FUTURE))
    pieces = np.zeros(amount)
    for visit in range(amount):
        row = visits[visit]
        first, last = row[at.WINDOWS_FROM], row[at.WINDOWS_TO]
        if first < last:
            opens[visit], closes[visit] = windows[first][0], windows[last - 1][1]
        closes[visit] = min(closes[visit], row[at.START_BY], row[at.ARRIVE_BY], row[at.RESTORE_BY] - seconds[visit])
        pieces[visit] = parts[row[at.PARTS_FROM] : row[at.PARTS_TO], 1].sum()
    demand = pieces if pieces.any() else seconds
    candidates = [
        (-demand, 4.0),
        (-far, 2.0),
        (far, 1.0),
        (closes - opens, 2.0),
        (opens, 2.0),
        (-closes, 2.0),
        (-value, 4.0),
        (-value / seconds, 4.0),
        (visits[:, at.SCARCITY].astype(float), 2.0),
    ]
    telling = [(keys, chance) for keys, chance in candidates if amount and keys.min() < keys.max()]
    chances = np.cumsum([chance for _, chance in telling] + [4.0])
    keys = np.array([keys for keys, _ in telling] or np.zeros((0, max(1, amount))))
    return np.ascontiguousarray(keys, dtype=np.float64), chances / chances[-1]


def make_day(compiled: Compiled) -> Day:
    """Empty arrays for one thread."""
    case = compiled.case
    amount, shifts = len(case.visits), len(case.shifts)
    longest = max(1, min(amount, MOST_STOPS))
    columns = at.FIRST_LABEL + at.LABEL_COLUMNS * int(case.numbers[at.LABELS])
    slots = max(1, min(shifts, 256))
    return Day(
        sequence=np.zeros((shifts, longest), dtype=np.int64),
        labels=np.zeros((shifts, longest + 2, columns), dtype=np.int64),
        routes=np.zeros((shifts, at.ROUTE_COLUMNS), dtype=np.int64),
        standing=_empty_standing(amount),
        stock=case.stock.copy(),
        bank=np.zeros(max(1, amount), dtype=np.int64),
        counts=np.zeros(at.COUNTS, dtype=np.int64),
        dice=np.zeros(2, dtype=np.int64),
        work=np.zeros((8, max(columns, longest + 2)), dtype=np.int64),
        saved_sequence=np.zeros((slots, longest), dtype=np.int64),
        saved_labels=np.zeros((slots, longest + 2, columns), dtype=np.int64),
        saved_routes=np.zeros((slots, at.ROUTE_COLUMNS), dtype=np.int64),
        saved_stock=np.zeros((slots, case.stock.shape[1]), dtype=np.int64),
        touched=np.full(shifts, NONE, dtype=np.int64),
        touched_list=np.zeros(slots, dtype=np.int64),
        queue=np.zeros(max(1, shifts), dtype=np.int64),
        removed=np.zeros(max(1, amount), dtype=np.int64),
        inserted=np.zeros(max(1, 2 * amount), dtype=np.int64),
        order=np.zeros(max(1, amount), dtype=np.int64),
        first_order=_first_order(case),
        keys=np.zeros(max(1, amount), dtype=np.float64),
        ranks=np.zeros(max(1, amount), dtype=np.int64),
        looked=np.zeros(max(1, shifts), dtype=np.int64),
        stamps=np.zeros(2 * shifts + amount + 1, dtype=np.int64),
        best_sequence=np.zeros((shifts, longest), dtype=np.int64),
        best_lengths=np.zeros(shifts, dtype=np.int64),
        dirty=np.ones(shifts, dtype=np.bool_),
        busy=np.zeros(max(1, int(case.numbers[at.ENGINEERS])), dtype=np.int64),
    )


def _first_order(case: Case) -> np.ndarray:
    """A first plan takes the most valuable visits first, of these the most urgent; what waits comes after the rest."""
    visits = case.visits
    urgent = np.minimum(visits[:, at.START_BY], visits[:, at.NOT_AFTER])
    waits = visits[:, at.BEFORE_FROM] < visits[:, at.BEFORE_TO]
    return np.lexsort((urgent, -visits[:, at.UNSERVED], waits)).astype(np.int64)


def _empty_standing(amount: int) -> np.ndarray:
    standing = np.zeros((amount, at.STANDING_COLUMNS), dtype=np.int64)
    standing[:, at.ROUTE] = standing[:, at.BANK_PLACE] = NONE
    standing[:, at.FLOOR] = standing[:, at.END_FLOOR] = FAR_PAST
    standing[:, at.CEILING] = standing[:, at.END_CEILING] = FAR_FUTURE
    return standing


def visits_of(compiled: Compiled, sequences: Sequences) -> list[list[int]]:
    """The visits of each shift's route, breaks left out."""
    routes: list[list[int]] = [[] for _ in compiled.shifts]
    index = {key: number for number, key in enumerate(compiled.shifts)}
    for route in sequences.routes:
        number = index[(route.engineer, route.shift)]
        for visit in route.visits:
            if isinstance(visit, Rest):
                continue
            found = compiled.visit_of.get((visit.work_order, NONE))
            routes[number].append(compiled.visit_of[(visit.work_order, number)] if found is None else found)
    return routes


def sequences_of(compiled: Compiled, routes: Sequence[Sequence[int]], rests: Sequence[Sequence[int]]) -> Sequences:
    """Sequences of routes as visits, with the number of breaks before each of them and at the end."""
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
                visit = int(routes[number][place])
                order, role = compiled.work[visit]
                held = int(case.visits[visit, at.NOT_BEFORE]) if case.visits[visit, at.MEMBER] else None
                items.append(Visit(order, role, held))
        found.append(RouteSequence(*key, tuple(items)))
    return Sequences(tuple(found), compiled.given.standby)
