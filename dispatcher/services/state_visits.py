"""What visits and shifts say about the state of the day: who is at work on what, and until when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dispatcher.model import LEAD
from dispatcher.services.state_values import ShiftKey, Values

IN_HAND = frozenset({"en_route", "on_site", "paused"})
WAITING = frozenset({"planned", "accepted"})
_LIVE_SHIFTS = frozenset({"planned", "active"})
# Work that rests waits behind a way that is begun: it rests because of it.
_BEGUN = ("on_site", "en_route", "paused")
_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Work:
    """A work order on which somebody has begun: the visit that stands for it, since when, and until when it lasts.

    `start` is later than it was by the pauses, so that what is left of the service is right.
    """

    visit: Values
    start: datetime
    end: datetime


def begins_at(shift: Values) -> datetime:
    """When the engineer of a shift is there."""
    start: datetime = shift["start"]
    return max(start, shift.get("available_from") or start)


def shift_key(visit: Values) -> ShiftKey | None:
    return None if visit["shift"] is None else (visit["engineer"], visit["shift"])


class Day:
    """Shifts and visits read together.

    `shifts` are those of the problem: asked for, not over by their status, and not filled to their latest end by
    work that has begun or by their engineer's coming late.
    """

    def __init__(
        self,
        shifts: Sequence[Values],
        visits: Sequence[Values],
        orders: Mapping[str, Values],
        is_asked_for: Callable[[Values], bool],
        now: datetime,
    ) -> None:
        self._now = now
        self._by_order: dict[str, list[Values]] = {}
        self._finished: dict[ShiftKey, list[Values]] = {}
        for visit in sorted(visits, key=lambda item: str(item["external_id"])):
            self._by_order.setdefault(visit["work_order"], []).append(visit)
            key = shift_key(visit)
            if visit["status"] == "done" and key is not None and visit["ended_at"] is not None:
                self._finished.setdefault(key, []).append(visit)
        self._work = {
            name: work for name, order in orders.items() if (work := self._begun(order, self.live(name))) is not None
        }
        live = {_key(item): item for item in shifts if item["status"] in _LIVE_SHIFTS}
        asked = {key: item for key, item in live.items() if is_asked_for(item)}
        ends = self._work_ends()
        self.shifts = sorted(
            (
                item
                for key, item in asked.items()
                if max(ends.get(key, _ALWAYS), item.get("available_from") or _ALWAYS) < item["latest_end"]
            ),
            key=lambda item: (item["engineer"], item["start"], item["external_id"]),
        )
        self._ours = {_key(item): item for item in self.shifts}
        self._elsewhere = {key for key, item in live.items() if key not in asked and item["latest_end"] >= now}
        self._engineers = {engineer for engineer, _ in self._ours}
        self._running = self._running_orders()

    def live(self, order: str) -> list[Values]:
        """The visits of an order that are still to come or under way."""
        return [visit for visit in self._by_order.get(order, ()) if visit["status"] in IN_HAND | WAITING]

    def in_other_hands(self, order: str) -> bool:
        """Whether a visit that holds the order belongs to no shift of the problem."""
        for visit in self.live(order):
            if visit["status"] in IN_HAND and not self._is_ours(visit):
                return True
            if visit["status"] in WAITING and shift_key(visit) in self._elsewhere:
                return True
        return False

    def in_hand(self, order: str) -> bool:
        """Whether somebody is on the way or at work."""
        return any(visit["status"] in IN_HAND for visit in self.live(order))

    def running(self, order: str) -> Work | None:
        """The work of an order, where it is the one that its engineer is at; a shift has one at most."""
        return self._running.get(order)

    def engineer_of(self, order: str) -> str | None:
        """Who is on the way or has accepted a visit in a shift that is not over; of a team its lead first."""
        for states in (IN_HAND, frozenset({"accepted"})):
            held = [visit for visit in self.live(order) if visit["status"] in states and self._is_ours(visit)]
            held = [visit for visit in held if visit["status"] in IN_HAND or not self._is_over(visit)]
            if held:
                return str(min(held, key=lambda visit: (visit["role"] != LEAD, visit["engineer"]))["engineer"])
        return None

    def finished_in(self, key: ShiftKey) -> list[Values]:
        """The visits that were done in a shift, the last one last."""
        return sorted(self._finished.get(key, ()), key=lambda visit: (visit["ended_at"], visit["external_id"]))

    def helping_in(self, key: ShiftKey) -> list[tuple[str, Work]]:
        """The begun orders that keep a shift's engineer busy without being on the route: others stand for them."""
        found = []
        for order, work in self._work.items():
            stands_for_it = order in self._running and shift_key(work.visit) == key
            if not stands_for_it and any(shift_key(visit) == key for visit in self.live(order)):
                found.append((order, work))
        return found

    def completed(self, order: Values) -> datetime | None:
        """When an order was or will be done, as far as visits say."""
        visits = self._by_order.get(order["external_id"], ())
        if order["status"] == "done":
            ends = [visit["ended_at"] for visit in visits if visit["status"] == "done"]
        else:
            work = self._work.get(order["external_id"])
            ends = [work.end] if work else [visit["planned_end"] for visit in self.live(order["external_id"])]
        known = [end for end in ends if end is not None]
        return max(known, default=None)

    def _begun(self, order: Values, visits: Sequence[Values]) -> Work | None:
        begun = []
        for visit in visits:
            since = visit["started_at"] or visit["arrived_at"]
            if visit["status"] not in ("on_site", "paused") or since is None:
                continue
            pauses = timedelta(seconds=visit["paused_seconds"] or 0)
            if visit["status"] == "paused" and visit["paused_at"] is not None:
                pauses += max(self._now - visit["paused_at"], timedelta())
            # What begins now has not begun; only what lies before is running work to the format.
            start = min((since + pauses).replace(microsecond=0), self._now - timedelta(seconds=1))
            begun.append((visit["role"] != LEAD, start, visit["engineer"], visit))
        if not begun:
            return None
        _, start, _, visit = min(begun, key=lambda item: item[:3])
        end = start + timedelta(seconds=service_seconds(order, visit["role"], len(visits)))
        return Work(visit, start, max(visit.get("expected_end") or end, self._now))

    def _work_ends(self) -> dict[ShiftKey, datetime]:
        ends: dict[ShiftKey, datetime] = {}
        for order, work in self._work.items():
            for visit in self.live(order):
                key = shift_key(visit)
                if key is not None:
                    ends[key] = max(ends.get(key, work.end), work.end)
        return ends

    def _running_orders(self) -> dict[str, Work]:
        latest: dict[object, tuple[datetime, str]] = {}
        for order, work in self._work.items():
            if not self.in_other_hands(order):
                key = shift_key(work.visit) or work.visit["engineer"]
                latest[key] = max(latest.get(key, (work.start, order)), (work.start, order))
        return {order: self._work[order] for _, order in latest.values()}

    def _is_ours(self, visit: Values) -> bool:
        key = shift_key(visit)
        return visit["engineer"] in self._engineers if key is None else key in self._ours

    def _is_over(self, visit: Values) -> bool:
        key = shift_key(visit)
        return key is not None and self._ours[key]["latest_end"] < self._now


def next_visits(visits: Sequence[Values]) -> list[Values]:
    """An engineer's live visits in the order in which they will go on: the work that is begun, the way, the plan."""

    def place(visit: Values) -> tuple[int, datetime, str]:
        step = _BEGUN.index(visit["status"]) if visit["status"] in _BEGUN else len(_BEGUN)
        return step, visit["planned_start"] or _ALWAYS, str(visit["external_id"])

    return sorted(visits, key=place)


def service_seconds(order: Values, role: str | None, size: int) -> int:
    """How long the work takes by the order, for a team of so many and one of its roles; setup included."""
    body = order["body"]
    team = body.get("team") or {}
    seconds = body.get("service_seconds") or 0
    by_size = {int(key): value for key, value in (team.get("service_seconds_by_size") or {}).items() if value}
    reached = [given for given in by_size if given <= size]
    if reached:
        seconds = by_size[max(reached)]
    for item in team.get("roles") or ():
        if item["role"] == role and item.get("service_seconds") is not None:
            seconds = item["service_seconds"]
    return int(seconds) + int(body.get("setup_seconds") or 0)


def _key(shift: Values) -> ShiftKey:
    return shift["engineer"], shift["external_id"]
