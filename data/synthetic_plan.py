"""A simple plan for a problem: what a dispatcher without an optimizer would write down.

Orders are placed one after the other at the end of the route that costs the least driving and waiting. Times
are the real ones (travel with traffic, breaks, setup), so that the plan is fit for `current_plan`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.travel import problem_travel
from dispatcher.documents import instant_text, read_problem
from dispatcher.model import Break, Engineer, Role, Shift, WorkOrder
from dispatcher.problem import Problem
from dispatcher.service import service_seconds
from skills import qualify

Document = dict[str, Any]


@dataclass
class _Seat:
    """A shift as far as it is filled: the engineer is free at `location` from `free_at` (epoch seconds).

    `last_end` is the end of the last stop; where that lies in the past, `free_at` is now.
    """

    engineer: Engineer
    shift: Shift
    free_at: int
    last_end: int
    location: str
    start_stop: Document
    breaks: list[Break]
    stock: dict[str, int]
    stops: list[Document] = field(default_factory=list)
    last_site: str | None = None
    work_stops: int = 0
    reserved: bool = False


@dataclass(frozen=True)
class _Placement:
    """One more stop on a seat, with the breaks taken before it."""

    seat: _Seat
    role: str | None
    breaks: tuple[tuple[int, Break], ...]
    departure: int
    travel_seconds: int
    arrival: int
    start: int
    end: int
    site: str
    remote: bool = False


def simple_plan(document: Mapping[str, Any]) -> Document:
    """A plan document for a valid problem document; what finds no simple place is left unassigned."""
    return _Dispatcher(read_problem(document, problem_travel)).plan()


class _Dispatcher:
    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._seats = [
            self._seat(engineer, shift)
            for engineer in problem.engineers
            for shift in engineer.shifts
            if shift.latest_end > problem.now
        ]
        self._ends: dict[str, int] = {}
        self._teams: list[Document] = []

    def plan(self) -> Document:
        problem = self._problem
        for order in problem.work_orders:
            if problem.is_running(order) and order.team is None:
                self._start_running(order)
        waiting = [order for order in problem.work_orders if order.id not in self._ends]
        waiting.sort(key=lambda order: (order.pin is None, order.team is None, order.level))
        for order in [*waiting, *waiting]:
            if order.id in self._ends or problem.is_running(order):
                continue
            placements = self._team(order) if order.team else self._single(order)
            for placement in placements:
                self._commit(order, placement)
        return {
            "version": 1,
            "problem_id": problem.id,
            "created_at": self._text(problem.now),
            "routes": [self._route(seat) for seat in self._seats if seat.work_stops],
            "teams": self._teams,
            "unassigned": [{"work_order": order.id} for order in problem.work_orders if order.id not in self._ends],
        }

    def _seat(self, engineer: Engineer, shift: Shift) -> _Seat:
        begin = max(shift.start, self._problem.now)
        return _Seat(
            engineer=engineer,
            shift=shift,
            free_at=begin,
            last_end=begin,
            location=shift.start_location,
            start_stop={"kind": "start", "location": shift.start_location, "end": self._text(begin)},
            breaks=sorted(
                (rest for rest in shift.breaks if rest.latest_start >= self._problem.now),
                key=lambda rest: rest.latest_start,
            ),
            stock=dict(engineer.parts),
        )

    def _start_running(self, order: WorkOrder) -> None:
        problem, pin = self._problem, order.pin
        assert pin is not None
        assert pin.start is not None
        seat = next((seat for seat in self._seats if seat.engineer.id == pin.engineer and not seat.stops), None)
        if seat is None or order.depends_on or not order.admits(pin.engineer) or not self._stocked(seat, order):
            return
        duration = service_seconds(problem, seat.engineer, order, None, 1, pin.start) + order.setup_seconds
        end = pin.start + duration
        due = [rest for rest in seat.breaks if rest.latest_start >= end]
        placement = _Placement(seat, None, (), pin.start, 0, pin.start, pin.start, end, order.location)
        if self._gets_home(placement, due):
            seat.start_stop = {"kind": "start", "location": order.location, "end": self._text(pin.start)}
            seat.location, seat.breaks = order.location, due
            self._commit(order, placement)
            seat.free_at = max(end, problem.now)

    def _single(self, order: WorkOrder) -> list[_Placement]:
        span = self._dependency_span(order)
        if span is None:
            return []
        found = [
            placement
            for seat in self._seats
            if (placement := self._place(seat, order, None, 1, span[0])) and placement.start <= span[1]
        ]
        best = min(found, key=lambda item: item.start - item.seat.free_at + item.travel_seconds, default=None)
        return [best] if best else []

    def _team(self, order: WorkOrder) -> list[_Placement]:
        """Members for every role at its minimum, all starting together (or the given gap after the lead)."""
        team, span = order.team, self._dependency_span(order)
        if team is None or span is None:
            return []
        size = sum(role.minimum for role in team.roles if role.presence == "on_site")
        start = span[0]
        for _ in range(len(self._seats) + 2):
            chosen = self._members(order, size, start)
            if chosen is None:
                return []
            anchor = max(item.start - self._delay(order, item.role) for item in chosen if not item.remote)
            if anchor == start and all(item.start == start + self._delay(order, item.role) for item in chosen):
                return self._complete_team(order, chosen, span)
            start = max(anchor, start + 1)
        return []

    def _delay(self, order: WorkOrder, role: str | None) -> int:
        """Seconds after the lead (or the first) that a holder of the role starts."""
        team = order.team
        if team is None or team.arrival.mode != "lead_first" or role == "lead":
            return 0
        return team.arrival.min_gap_seconds

    def _members(self, order: WorkOrder, size: int, start: int) -> list[_Placement] | None:
        assert order.team is not None
        chosen: list[_Placement] = []
        roles = [role for role in order.team.roles if role.presence != "standby"]
        pinned = order.pin.engineer if order.pin else None
        for role in roles:
            at = start + self._delay(order, role.name)
            able = [
                placement
                for seat in self._seats
                if seat.engineer.id not in {item.seat.engineer.id for item in chosen}
                and (placement := self._place(seat, order, role, size, at))
            ]
            able.sort(key=lambda item: (item.seat.engineer.id != pinned, item.start, item.travel_seconds))
            if len(able) < role.minimum:
                return None
            chosen += able[: role.minimum]
        if pinned is not None and pinned not in {item.seat.engineer.id for item in chosen}:
            return None
        return chosen

    def _complete_team(self, order: WorkOrder, chosen: list[_Placement], span: tuple[int, int]) -> list[_Placement]:
        """The members, if the team as a whole is in order too; its standby is reserved for the day."""
        team = order.team
        assert team is not None
        on_site = [item for item in chosen if not item.remote]
        start, end = min(item.start for item in on_site), max(item.end for item in on_site)
        graph = self._problem.skill_graph
        in_one_window = not order.time_windows or any(
            all(window.holds(item.start) for item in on_site) for window in order.time_windows
        )
        if start > span[1] or not in_one_window:
            return []
        for skill in team.collective_skills:
            if not any(qualify(graph, item.seat.engineer.skills, [skill], item.start).qualified for item in chosen):
                return []
        taken = {item.seat.engineer.id for item in chosen}
        standby: list[tuple[_Seat, Role]] = []
        for role in (role for role in team.roles if role.presence == "standby" and role.minimum):
            spare = [seat for seat in self._spare(order, role, start, end) if seat.engineer.id not in taken]
            if len(spare) < role.minimum:
                return []
            standby += [(seat, role) for seat in spare[: role.minimum]]
            taken |= {seat.engineer.id for seat in spare[: role.minimum]}
        for seat, _ in standby:
            seat.reserved = True
        self._teams.append(
            {
                "work_order": order.id,
                "start": self._text(start),
                "members": [{"engineer": item.seat.engineer.id, "role": item.role} for item in chosen],
                "standby": [{"engineer": seat.engineer.id, "role": role.name} for seat, role in standby],
            }
        )
        return chosen

    def _spare(self, order: WorkOrder, role: Role, start: int, end: int) -> Iterator[_Seat]:
        """Idle engineers who could step in: on shift throughout and there before the work is over."""
        for seat in self._seats:
            covers = seat.shift.start <= start and end <= seat.shift.latest_end
            if seat.work_stops or seat.reserved or not covers or not order.admits(seat.engineer.id):
                continue
            held = qualify(self._problem.skill_graph, seat.engineer.skills, role.required_skills, start)
            leg = self._problem.leg_seconds(seat.shift.start_location, order.location, start, seat.engineer)
            if held.qualified and start + leg <= end:
                yield seat

    def _place(self, seat: _Seat, order: WorkOrder, role: Role | None, size: int, not_before: int) -> _Placement | None:
        """The order as the next stop of the seat, or None where a rule is in the way."""
        remote = role is not None and role.presence == "remote"
        limit = seat.shift.max_work_orders
        full = limit is not None and seat.work_stops >= limit
        pin = order.pin
        wrong = pin is not None and order.team is None and pin.engineer != seat.engineer.id
        if seat.reserved or full or wrong or not order.admits(seat.engineer.id):
            return None
        if not remote and not self._stocked(seat, order):
            return None
        breaks: list[tuple[int, Break]] = []
        departure, pending = seat.free_at, list(seat.breaks)
        while True:
            placement = self._drive(seat, order, role, size, not_before, tuple(breaks), departure)
            if placement is None:
                return None
            if not pending or pending[0].latest_start >= placement.end:
                break
            rest = pending.pop(0)
            begin = max(departure, rest.earliest_start)
            if begin > rest.latest_start:
                return None
            breaks.append((begin, rest))
            departure = begin + rest.duration_seconds
        return placement if self._gets_home(placement, pending) else None

    def _drive(
        self,
        seat: _Seat,
        order: WorkOrder,
        role: Role | None,
        size: int,
        not_before: int,
        breaks: tuple[tuple[int, Break], ...],
        departure: int,
    ) -> _Placement | None:
        problem, name = self._problem, role.name if role else None
        remote = role is not None and role.presence == "remote"
        leg = 0 if remote else problem.leg_seconds(seat.location, order.location, departure, seat.engineer)
        pin = order.pin if order.pin and order.pin.engineer == seat.engineer.id else None
        start = max(departure + leg, not_before, (pin.start if pin else None) or 0)
        if order.time_windows and not remote:
            opening = [max(start, window.start) for window in order.time_windows if start <= window.end]
            if not opening:
                return None
            start = min(opening)
        if pin is not None and pin.start not in (None, start):
            return None
        if not problem.qualification(seat.engineer, order, name, start).qualified:
            return None
        duration = service_seconds(problem, seat.engineer, order, name, size, start)
        if not remote and order.location != seat.last_site:
            duration += order.setup_seconds
        site = seat.location if remote else order.location
        arrival = seat.last_end if remote and not breaks else departure + leg
        return _Placement(seat, name, breaks, departure, leg, arrival, start, start + duration, site, remote)

    def _gets_home(self, placement: _Placement, pending: list[Break]) -> bool:
        seat, clock = placement.seat, max(placement.end, self._problem.now)
        for rest in pending:
            begin = max(clock, rest.earliest_start)
            if begin > rest.latest_start:
                return False
            clock = begin + rest.duration_seconds
        return clock + self._home_leg(seat, placement.site, clock) <= seat.shift.latest_end

    def _home_leg(self, seat: _Seat, origin: str, departure: int) -> int:
        home = seat.shift.end_location
        return 0 if home is None else self._problem.leg_seconds(origin, home, departure, seat.engineer)

    def _stocked(self, seat: _Seat, order: WorkOrder) -> bool:
        return all(seat.stock.get(part, 0) >= count for part, count in order.parts.items())

    def _dependency_span(self, order: WorkOrder) -> tuple[int, int] | None:
        """The earliest and latest start its dependencies leave; None while one of them is not planned."""
        first, last = self._problem.now, self._problem.end
        for entry in order.depends_on:
            done = self._ends.get(entry.work_order or "", entry.completed_at)
            if done is None:
                return None
            first = max(first, done + entry.min_gap_seconds)
            if entry.max_gap_seconds is not None:
                last = min(last, done + entry.max_gap_seconds)
        return first, last

    def _commit(self, order: WorkOrder, item: _Placement) -> None:
        seat = item.seat
        for begin, rest in item.breaks:
            self._rest(seat.stops, begin, rest)
            seat.breaks.remove(rest)
        stop: Document = {
            "kind": "work_order",
            "work_order": order.id,
            "role": item.role,
            "location": item.site,
            "travel_seconds": item.travel_seconds,
        }
        meters = self._problem.leg_meters(seat.location, item.site)
        if meters is not None:
            stop["travel_meters"] = meters
        stop |= {
            "arrival": self._text(item.arrival),
            "start": self._text(item.start),
            "end": self._text(item.end),
        }
        seat.stops.append(stop)
        seat.free_at = seat.last_end = item.end
        seat.location = item.site
        seat.work_stops += 1
        if not item.remote:
            seat.last_site = item.site
            if order.id not in self._ends:
                # The first member on site brings the parts for all.
                for part, count in order.parts.items():
                    seat.stock[part] -= count
            self._ends[order.id] = max(self._ends.get(order.id, 0), item.end)

    def _route(self, seat: _Seat) -> Document:
        stops, clock = [seat.start_stop, *seat.stops], seat.free_at
        for rest in seat.breaks:
            begin = max(clock, rest.earliest_start)
            self._rest(stops, begin, rest)
            clock = begin + rest.duration_seconds
        home = seat.shift.end_location
        if home is not None:
            leg = self._home_leg(seat, seat.location, clock)
            end: Document = {"kind": "end", "location": home, "travel_seconds": leg}
            meters = self._problem.leg_meters(seat.location, home)
            if meters is not None:
                end["travel_meters"] = meters
            stops.append(end | {"arrival": self._text(clock + leg)})
        return {"engineer": seat.engineer.id, "shift": seat.shift.id, "stops": stops}

    def _rest(self, stops: list[Document], begin: int, rest: Break) -> None:
        end = begin + rest.duration_seconds
        stops.append({"kind": "break", "start": self._text(begin), "end": self._text(end)})

    def _text(self, instant: int) -> str:
        return instant_text(instant, self._problem.timezone)
