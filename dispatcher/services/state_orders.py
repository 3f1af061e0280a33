"""Stored work orders as those of a problem document: what is left of them on the dates asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.model import LEVELS
from dispatcher.services.state_assets import Required, with_needs
from dispatcher.services.state_values import Span, Values, text_of
from dispatcher.services.state_visits import Day, service_seconds
from dispatcher.validate_values import instant


@dataclass(frozen=True, slots=True)
class Promises:
    """What clocks and links say of orders: deadlines by order, and the order that another one waits with."""

    deadlines: Mapping[str, Mapping[str, datetime]]
    parents: Mapping[str, str]


class OrderWriter:
    """Writes the orders of one snapshot; `orders` are all that are known, by id, `needs` the skills by asset."""

    def __init__(
        self,
        day: Day,
        orders: Mapping[str, Values],
        finished_at: Mapping[str, datetime],
        horizon: Span,
        now: datetime,
        zone: ZoneInfo,
        needs: Mapping[str, Sequence[Required]],
        promises: Promises,
    ) -> None:
        self._needs, self._promises = needs, promises
        self._day, self._orders, self._finished_at = day, orders, finished_at
        self._horizon, self._now, self._zone = horizon, now, zone
        # By parent the levels of the orders that wait with it.
        self._waiting: dict[str, list[str]] = {}
        for child, parent in promises.parents.items():
            self._waiting.setdefault(parent, []).append(orders[child]["level"])

    def left_out(self, order: Values) -> str | None:
        """Why an unfinished order is not part of the problem, a key of `LEFT_OUT`; None if it is."""
        name = order["external_id"]
        if self._day.in_other_hands(name):
            return "in_other_hands"
        if self._day.in_hand(name):
            return None
        if name in self._promises.parents:
            return "linked"
        if order["status"] == "in_progress":
            return "under_way"
        given = order["body"].get("time_windows") or ()
        kept = [self._window(window) for window in given]
        still_to_come = [kept[place] for place, window in enumerate(given) if not self._is_past(window)]
        return "other_dates" if still_to_come and not any(still_to_come) else None

    def order(self, order: Values, known: Collection[str]) -> dict[str, Any]:
        """The order of the document; `known` are the ids of all orders in it."""
        name = order["external_id"]
        body = with_needs(order["body"], self._needs.get(order["asset"], ()))
        # Who comes for it comes for what waits with it too, and as soon as the gravest of them asks.
        level = min([order["level"], *self._waiting.get(name, ())], key=LEVELS.index)
        document: dict[str, Any] = {"id": name, "location": order["site"], "level": level}
        for key in ("territory", "asset"):
            if order[key] is not None:
                document[key] = order[key]
        body["time_windows"] = [
            window for window in map(self._window, body.get("time_windows") or ()) if window is not None
        ]
        body["related_to"] = [other for other in body.get("related_to") or () if other in known]
        body["depends_on"] = [self._dependency(entry, known) for entry in body.get("depends_on") or ()]
        body["pin"] = self._pin(name, body.get("pin"))
        # What the order says itself counts more than what its contract says of it.
        body["deadlines"] = body.get("deadlines") or {
            kind: text_of(at, self._zone) for kind, at in self._promises.deadlines.get(name, {}).items()
        }
        for of_clocks in ("opened_at", "grading"):
            body.pop(of_clocks, None)
        work = self._day.running(name)
        if work is not None:
            # Who is there stays there; the others of a team are kept busy by later starts of their shifts.
            setup = int(body.get("setup_seconds") or 0)
            seconds = service_seconds(order, work.visit["role"], len(self._day.live(name))) - setup
            body |= {"team": None, "service_seconds": seconds}
            if work.visit.get("expected_end") is not None:
                # It ends when its engineer says so: no skill may stretch it, and running work asks for none.
                whole = int((work.end - work.start).total_seconds())
                body |= {"required_skills": None, "setup_seconds": None, "service_seconds": whole}
        return document | {key: value for key, value in body.items() if value not in (None, [], {})}

    def _pin(self, name: str, stored: Mapping[str, Any] | None) -> dict[str, Any] | None:
        work = self._day.running(name)
        if work is not None:
            return {"engineer": work.visit["engineer"], "start": text_of(work.start, self._zone)}
        engineer = self._day.engineer_of(name)
        if engineer is not None:
            return {"engineer": engineer}
        if not stored:
            return None
        start = instant(stored.get("start"))
        if start is not None and start < self._now.timestamp():
            # To the format a start that lies behind is running work, and only visits say what is running.
            return {"engineer": stored["engineer"]}
        return dict(stored)

    def _window(self, window: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the horizon leaves of a window that is not past: no shift lies outside, so nothing is lost by it."""
        start, end = instant(window.get("start")), instant(window.get("end"))
        if start is None or end is None or start > end or self._is_past(window):
            return dict(window)
        first, last = int(self._horizon.start.timestamp()), int(self._horizon.end.timestamp())
        if end < first or start > last:
            return None
        return {
            "start": window["start"] if start >= first else text_of(self._horizon.start, self._zone),
            "end": window["end"] if end <= last else text_of(self._horizon.end, self._zone),
        }

    def _is_past(self, window: Mapping[str, Any]) -> bool:
        end = instant(window.get("end"))
        return end is not None and end < self._now.timestamp()

    def _dependency(self, entry: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
        other = entry.get("work_order")
        if other is None or other in known:
            return dict(entry)
        order = self._orders.get(other)
        completed = None if order is None else self._day.completed(order)
        if completed is None and order is not None and order["status"] == "done":
            completed = self._finished_at.get(other)
        if completed is None:
            # Nobody knows when; it will not be in time for this problem, and the reasons of the plan say so.
            completed = self._horizon.end + timedelta(seconds=1)
        rest = {key: value for key, value in entry.items() if key != "work_order"}
        return {**rest, "completed_at": text_of(completed, self._zone)}
