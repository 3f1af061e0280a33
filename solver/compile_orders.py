"""Orders as visits: one row for an order without a team, one for each member of a team that stays as it is composed,
one for each seat of a team that the search composes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from dispatcher.facts import WorkStop
from dispatcher.model import LEAD, WorkOrder
from solver.compile_rows import Rows, flags, table
from solver.compile_shifts import Crew, covering_shift
from solver.compile_teams import Requirement, TeamArrays, is_searched, roles_in_order, seat_row, seats_of
from solver.compile_travel import Places
from solver.kernel import layout as at
from solver.kernel.layout import FAR_FUTURE, FAR_PAST, NONE
from solver.stint import unserved_cost

PIN_BONUS = 10**13
"""What leaving a pinned order costs the search beside its value, in thousandths: far more than driving. Between plans
pinned orders count before all prices (`solver.rank`)."""


class OrderArrays:
    """The visits of all orders [V, VISIT_COLUMNS] and the arrays their columns point into.

    `work` says of each visit its order and role; `visit_of` finds it again by order and, for members of teams, shift.
    `held` are the starts of members, and the shifts of who stands by, of teams that the search composes, as they are
    in the plan given.
    """

    def __init__(self, crew: Crew, places: Places, *, teams_stay: bool) -> None:
        self.crew = crew
        self._teams_stay = teams_stay
        self.places = places
        self.windows, self.gaps = Rows(), Rows()
        self.parts: list[tuple[int, int]] = []
        self.part_index: dict[str, int] = {}
        self.related: list[int] = []
        self.requirements: list[Requirement] = []
        self.teams = TeamArrays(crew.problem)
        self.held: dict[int, int] = {}
        self.work: list[tuple[str, str | None]] = []
        self.visit_of: dict[tuple[str, int], int] = {}
        self.closed_times: dict[int, tuple[int, int, int]] = {}
        self.late_teams: list[tuple[int, ...]] = []
        self._admits: list[NDArray[np.bool_]] = []
        self._prefers: list[NDArray[np.bool_]] = []
        self._shifts_of_fixed: set[int] = set()
        self._classes: dict[object, int] = {}
        self._rows: list[list[int]] = []
        for order in crew.problem.work_orders:
            self._add_order(order)
        self.members, self.member_visits = self._groups()
        self._lock_what_others_wait_for()
        self.visits = table(self._rows, at.VISIT_COLUMNS)
        groups = {order.id: number for number, order in enumerate(crew.problem.work_orders)}
        self._add_relations(self.visits, groups)
        self._add_late_teams(self.visits, groups)
        self.admits = flags(self._admits, len(crew.engineers))
        self.prefers = flags(self._prefers, len(crew.engineers))

    @property
    def is_personal(self) -> bool:
        """Whether it matters for any order who exactly comes."""
        return bool(self._admits or self._prefers or self.related or self.crew.problem.previous)

    @property
    def shifts_of_teams(self) -> frozenset[int]:
        """Shifts with a stop that belongs to one member of a team."""
        return frozenset(self._shifts_of_fixed)

    @property
    def searched_teams(self) -> frozenset[str]:
        """Orders whose teams the search composes."""
        return frozenset(self.work[row[at.HEAD]][0] for row in self.teams.rows)

    def _add_order(self, order: WorkOrder) -> None:
        service = self.crew.facts.services.get(order.id)
        if self._is_free(order):
            self._add_seats(order)
        elif order.team is not None:
            for stop in service.stops if service is not None else ():
                self._add_visit(order, stop)
        elif service is not None:
            self._add_visit(order, service.on_site[0])
        elif not self.crew.problem.is_running(order):
            self._add_visit(order, None)

    def _is_free(self, order: WorkOrder) -> bool:
        """Whether the search composes the order's team, and may touch the one it has in the plan given."""
        if self._teams_stay or not is_searched(self.crew.problem, order):
            return False
        service = self.crew.facts.services.get(order.id)
        if service is None:
            return True
        team = self.crew.facts.teams[order.id]
        held = [stop.role for stop in service.stops] + [member.role for member in team.standby]
        if any(held.count(role.name) > seats_of(role) for role in roles_in_order(order)):
            return False
        shifts = {self.crew.shift_index[(stop.engineer.id, stop.shift.id)] for stop in service.stops}
        on_call = [covering_shift(self.crew, member.engineer, service) for member in team.standby]
        return shifts.isdisjoint(self.crew.closed) and self.crew.closed.isdisjoint(on_call) and NONE not in on_call

    def _add_seats(self, order: WorkOrder) -> None:
        """A visit for every seat; those of the plan given are taken."""
        problem, place = self.crew.problem, self.places.index(order.location)
        admits = NONE
        if order.allowed_engineers or order.excluded_engineers:
            admits = len(self._admits)
            self._admits.append(self._admitted(order))
        service = self.crew.facts.services.get(order.id)
        standby = () if service is None else self.crew.facts.teams[order.id].standby
        seats = []
        for role in roles_in_order(order):
            seats.append((role, len(self._rows)))
            if role.presence == "standby":
                skills = self._class(Requirement(role.required_skills))
            else:
                wanted = Requirement(order.required_of(role.name), order, role.name, answers=role.name == LEAD)
                skills = self._class(wanted)
            taken = [] if service is None else [stop for stop in service.stops if stop.role == role.name]
            on_call = [member.engineer for member in standby if member.role == role.name]
            weight = problem.weights.of("late_start", order.level)
            for number in range(seats_of(role)):
                seat = len(self._rows)
                row = seat_row(order, role, place, len(self.teams.rows), skills, admits, weight)
                if seat == seats[0][1]:
                    row[at.UNSERVED] = unserved_cost(problem, order)
                if number < len(taken):
                    stop = taken[number]
                    self.visit_of[(order.id, self.crew.shift_index[(stop.engineer.id, stop.shift.id)])] = seat
                    self.held[seat] = stop.start
                elif service is not None and number < len(on_call):
                    self.held[seat] = covering_shift(self.crew, on_call[number], service)
                self.work.append((order.id, role.name))
                self._rows.append(row)
        prefers, crew = NONE, (NONE, 0)
        if order.preferred_engineers:
            prefers = len(self._prefers)
            self._prefers.append(self._among(order.preferred_engineers))
        previous = problem.previous.get(order.id)
        if previous is not None:
            crew = (len(self._prefers), len(previous.engineers))
            self._prefers.append(self._among(previous.engineers))
        assert order.team is not None
        collective = [self._class(Requirement((skill,))) for skill in order.team.collective_skills]
        windows = self.windows.add(sorted((window.start, window.end) for window in order.time_windows))
        self.teams.add(order, place, seats, collective, prefers, crew, windows)

    def _add_visit(self, order: WorkOrder, stop: WorkStop | None) -> None:
        problem, weight = self.crew.problem, self.crew.problem.weights.of
        row = [0] * at.VISIT_COLUMNS
        is_member = order.team is not None
        shift = NONE if stop is None else self.crew.shift_index[(stop.engineer.id, stop.shift.id)]
        is_running = stop is not None and self.crew.running.get(shift) is not None and self.crew.running[shift] == stop
        is_remote = stop is not None and stop.presence == "remote"
        pin = order.pin
        row[at.PLACE] = self.places.index(order.location)
        row[at.SETUP] = 0 if is_remote else order.setup_seconds
        row[at.SERVICE], row[at.FIXED_SECONDS] = order.service_seconds, NONE
        row[at.NOT_BEFORE], row[at.NOT_AFTER] = FAR_PAST, FAR_FUTURE
        row[at.SETUP_PAID], row[at.PREVIOUS_START] = NONE, FAR_PAST
        row[at.PREVIOUS_ENGINEER] = at.NOBODY
        row[at.ADMIT] = row[at.PREFER] = NONE
        row[at.CLASS] = self._class(Requirement(order.required_skills, order))
        row[at.TEAM] = NONE
        row[at.MEMBER], row[at.REMOTE], row[at.IS_RUNNING] = int(is_member), int(is_remote), int(is_running)
        row[at.UNSERVED] = unserved_cost(problem, order) + (PIN_BONUS if pin is not None and stop is None else 0)
        deadlines = order.deadlines
        for column, deadline in (
            (at.ARRIVE_BY, None if is_member else deadlines.arrive_by),
            (at.START_BY, None if is_remote else deadlines.start_by),
            (at.RESTORE_BY, None if is_remote else deadlines.restore_by),
        ):
            row[column] = FAR_FUTURE if deadline is None else deadline
        is_locked = is_member or is_running or (pin is not None and stop is not None) or shift in self.crew.closed
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
        if stop is not None and shift in self.crew.closed:
            self.closed_times[len(self._rows)] = (stop.arrival, stop.start, stop.end)
        self.visit_of[(order.id, shift if is_member else NONE)] = len(self._rows)
        if is_member:
            self._shifts_of_fixed.add(shift)
        self.work.append((order.id, None if stop is None else stop.role))
        self._rows.append(row)

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
            for other in self.crew.facts.routes[self._route_position(stop)].work
            if other.position < stop.position and other.presence == "on_site"
        ]
        return not before or before[-1].location != stop.location

    def _route_position(self, stop: WorkStop) -> int:
        return next(place for place, route in enumerate(self.crew.facts.routes) if route.index == stop.route)

    def _add_freedom(self, row: list[int], order: WorkOrder) -> None:
        """Who may come, who should, who came before, from when on, and with which parts."""
        if order.allowed_engineers or order.excluded_engineers or order.pin is not None:
            row[at.ADMIT] = len(self._admits)
            admitted = self._admitted(order)
            if order.pin is not None:
                admitted &= self._among([order.pin.engineer])
            self._admits.append(admitted)
        if order.preferred_engineers:
            row[at.PREFER] = len(self._prefers)
            self._prefers.append(self._among(order.preferred_engineers))
        if order.pin is not None and order.pin.start is not None:
            row[at.NOT_BEFORE] = row[at.NOT_AFTER] = order.pin.start
        for dependency in order.depends_on:
            if dependency.completed_at is not None and not row[at.IS_RUNNING]:
                row[at.NOT_BEFORE] = max(row[at.NOT_BEFORE], dependency.completed_at + dependency.min_gap_seconds)
                if dependency.max_gap_seconds is not None:
                    row[at.NOT_AFTER] = min(row[at.NOT_AFTER], dependency.completed_at + dependency.max_gap_seconds)
        previous = self.crew.problem.previous.get(order.id)
        if previous is not None:
            (only, *others) = previous.engineers
            row[at.PREVIOUS_ENGINEER] = at.SEVERAL if others else self.crew.engineer_index.get(only, at.SEVERAL)
            if previous.first_start is not None:
                row[at.PREVIOUS_START] = previous.first_start
        first = len(self.parts)
        for part, count in order.parts.items():
            self.parts.append((self.part_index.setdefault(part, len(self.part_index)), count))
        row[at.PARTS_FROM], row[at.PARTS_TO] = first, len(self.parts)

    def _admitted(self, order: WorkOrder) -> NDArray[np.bool_]:
        """Which engineers the lists of an order let come [E]."""
        admitted = ~self._among(order.excluded_engineers)
        if order.allowed_engineers:
            admitted &= self._among(order.allowed_engineers)
        return admitted

    def _among(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """Which engineers are named [E]; others may be."""
        index = self.crew.engineer_index
        named = np.zeros(len(index), dtype=np.bool_)
        named[[index[name] for name in names if name in index]] = True
        return named

    def _class(self, wanted: Requirement) -> int:
        """Whoever asks for the same skills asks the same engineers, with the same factors and penalties.

        Where repeat visits have a price, that depends on the engineer and on how long the order takes.
        """
        priced = wanted.order is not None and wanted.answers and self.crew.problem.weights.of("repeat_visit")
        key = (wanted.skills, wanted.order is None, wanted.order.service_seconds if wanted.order and priced else None)
        number = self._classes.get(key)
        if number is None:
            number = self._classes[key] = len(self.requirements)
            self.requirements.append(wanted)
        return number

    def _groups(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The on-site visits of every order, in the order of the problem."""
        of_order: dict[str, list[int]] = {}
        for visit, (name, _) in enumerate(self.work):
            if not self._rows[visit][at.REMOTE]:
                of_order.setdefault(name, []).append(visit)
        members, flat = [0], []
        for group, order in enumerate(self.crew.problem.work_orders):
            for visit in of_order.get(order.id, ()):
                self._rows[visit][at.GROUP] = group
                flat.append(visit)
            members.append(len(flat))
        return np.array(members, dtype=np.int64), np.array(flat, dtype=np.int64)

    def _lock_what_others_wait_for(self) -> None:
        """An order whose follower cannot be removed cannot be either."""
        by_order: dict[str, list[int]] = {}
        for visit, (name, _) in enumerate(self.work):
            by_order.setdefault(name, []).append(visit)
        waiting = [order for order in self.crew.problem.work_orders if order.depends_on and order.id in by_order]
        is_moving = True
        while is_moving:
            is_moving = False
            for order in waiting:
                if order.id not in self.crew.facts.services:
                    continue
                if not any(self._rows[visit][at.LOCKED] for visit in by_order[order.id]):
                    continue
                for dependency in order.depends_on:
                    for visit in by_order.get(dependency.work_order or "", ()):
                        if not self._rows[visit][at.LOCKED]:
                            self._rows[visit][at.LOCKED] = 1
                            is_moving = True

    def _add_relations(self, visits: NDArray[np.int64], groups: Mapping[str, int]) -> None:
        followers: dict[str, list[tuple[str, int, int]]] = {}
        for order in self.crew.problem.work_orders:
            for dependency in order.depends_on:
                if dependency.work_order is not None:
                    longest = FAR_FUTURE if dependency.max_gap_seconds is None else dependency.max_gap_seconds
                    gap = (order.id, dependency.min_gap_seconds, longest)
                    followers.setdefault(dependency.work_order, []).append(gap)
        related: dict[str, list[str]] = {}
        for one, other in self.crew.problem.related_pairs:
            related.setdefault(one, []).append(other)
            related.setdefault(other, []).append(one)
        for visit, (name, _) in enumerate(self.work):
            row, order = visits[visit], self.crew.problem.order_by_id[name]
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
        for team in self.teams.rows:
            name = self.work[team[at.HEAD]][0]
            team[at.TEAM_RELATED_FROM] = len(self.related)
            self.related.extend(groups[other] for other in related.get(name, ()))
            team[at.TEAM_RELATED_TO] = len(self.related)

    def _add_late_teams(self, visits: NDArray[np.int64], groups: Mapping[str, int]) -> None:
        """A team that starts after it should have arrived costs what its first member's arrival makes of it.

        Its herald, who is there first in the plan given, carries that cost on its route, so that the search sees it.
        """
        for order in self.crew.problem.work_orders:
            service, arrive_by = self.crew.facts.services.get(order.id), order.deadlines.arrive_by
            if order.team is None or service is None or arrive_by is None or service.first_start <= arrive_by:
                continue
            if order.id in self.searched_teams:
                continue
            herald = min(service.on_site, key=lambda stop: stop.arrival)
            visit = self.visit_of[(order.id, self.crew.shift_index[(herald.engineer.id, herald.shift.id)])]
            row = visits[visit]
            row[at.ARRIVE_BY] = arrive_by
            row[at.ARRIVAL_WEIGHT] = self.crew.problem.weights.of("late_arrival", order.level)
            row[at.ARRIVAL_ONCE] = self.crew.problem.weights.of("late_arrival_once", order.level)
            weights = (int(row[at.ARRIVAL_WEIGHT]), int(row[at.ARRIVAL_ONCE]))
            self.late_teams.append((groups[order.id], arrive_by, *weights, visit))
