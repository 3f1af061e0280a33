"""What is different between two plans: per order, per engineer and per rule, by how much, and why.

A pure function over plan documents with the problems they answer, which need not be the same: of a running plan the
problem moves on while the day does. A reason is a code with parameters; the wording comes from `WHY`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from dispatcher.documents import instant
from dispatcher.reasons import worded

Document = Mapping[str, Any]
Kind = Literal["placed", "dropped", "reassigned", "retimed", "added", "removed"]

TOLD_SECONDS = 60
"""Starts that move by less are not told."""

WHY: Mapping[str, str] = {
    "NEW_ORDER": "it is new",
    "NO_LONGER_OPEN": "it is no longer part of the day: done, cancelled or planned elsewhere",
    "UNDER_WAY": "{engineer} has begun it",
    "PINNED": "it is pinned to {engineer} now",
    "ORDER_CHANGED": "the order itself changed: {fields}",
    "SHIFT_GONE": "{engineer} has no such shift any more",
    "SHIFT_CHANGED": "the shift of {engineer} changed: {fields}",
    "MAKES_ROOM": "{engineer} does {other} ({level}) at that time instead",
    "TAKES_PLACE": "{engineer} no longer does {other} at that time",
    "KEEPS_PROMISE": "it was to be {late} late, and is in time now",
    "LESS_LATE": "it was to be {late} late, and is only {now_late} late now",
    "COMES_AFTER": "{engineer} does {other} before it now",
    "NO_LONGER_AFTER": "{engineer} no longer does {other} before it",
    "MOVES_ALONG": "what {engineer} does before it has moved",
    "FITS": "{engineer} has room for it, and doing it costs less than leaving it undone",
    "NOT_SERVED": "{message}",
    "CHEAPER": "the plan as a whole costs {saved:,} less with all its changes",
    "DEARER": "the plan as a whole costs {more:,} more with all its changes",
}
"""Every reason of a change, with its wording."""

_ORDER_FIELDS = (
    "level",
    "value",
    "location",
    "service_seconds",
    "setup_seconds",
    "time_windows",
    "deadlines",
    "required_skills",
    "team",
    "parts",
    "allowed_engineers",
    "excluded_engineers",
)
_SHIFT_FIELDS = ("start", "end", "latest_end", "start_location", "end_location", "breaks", "max_work_orders")


@dataclass(frozen=True, slots=True)
class Why:
    """Why something is different; `params` are the parts of the message."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return worded(WHY[self.code], self.params)


@dataclass(frozen=True, slots=True)
class OrderChange:
    """One order that is served otherwise. Starts are epoch seconds, None where it is not served.

    `kind`: `placed` and `dropped` (served in one of the plans only), `reassigned` (by others), `retimed`, `added` and
    `removed` (part of one of the problems only).
    """

    work_order: str
    level: str
    kind: Kind
    engineers_before: tuple[str, ...]
    engineers_after: tuple[str, ...]
    start_before: int | None
    start_after: int | None
    late_before_seconds: int
    late_after_seconds: int
    why: tuple[Why, ...]

    @property
    def moved_seconds(self) -> int | None:
        """By how much it starts later; None where one of the plans does not serve it."""
        if self.start_before is None or self.start_after is None:
            return None
        return self.start_after - self.start_before


@dataclass(frozen=True, slots=True)
class EngineerChange:
    """One engineer whose day is different: orders gained and lost, and how much more is driven and worked over."""

    engineer: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    travel_seconds: int
    overtime_seconds: int
    end_before: int | None
    end_after: int | None


@dataclass(frozen=True, slots=True)
class TermChange:
    """One rule whose cost is different."""

    rule: str
    amount_before: float
    amount_after: float
    cost: float


@dataclass(frozen=True, slots=True)
class Difference:
    """All of it; totals are None where a plan states none."""

    total_before: int | None
    total_after: int | None
    orders: tuple[OrderChange, ...]
    engineers: tuple[EngineerChange, ...]
    terms: tuple[TermChange, ...]

    @property
    def reassigned(self) -> int:
        """How many orders that both plans serve have other engineers."""
        return sum(change.kind == "reassigned" for change in self.orders)


def difference(before: tuple[Document, Document], after: tuple[Document, Document]) -> Difference:
    """From one plan to another, each given as (problem document, plan document)."""
    return _Comparison(_Side(*before), _Side(*after)).difference()


@dataclass(frozen=True, slots=True)
class _Stay:
    """A work stop with its times (epoch seconds) and what is done before it on the route."""

    engineer: str
    shift: str
    start: int
    end: int
    late_seconds: int
    before: str | None


class _Side:
    """One plan, read for comparing."""

    def __init__(self, problem: Document, plan: Document) -> None:
        self.problem, self.plan = problem, plan
        self.orders: Mapping[str, Document] = {item["id"]: item for item in problem.get("work_orders") or ()}
        self.shifts: Mapping[tuple[str, str], Document] = {
            (engineer["id"], shift["id"]): shift
            for engineer in problem.get("engineers") or ()
            for shift in engineer.get("shifts") or ()
        }
        self.unassigned = {item["work_order"]: item for item in plan.get("unassigned") or ()}
        self.stays: dict[str, list[_Stay]] = {}
        self.by_engineer: dict[str, list[tuple[str, _Stay]]] = {}
        self._routes_of: dict[str, list[Document]] = {}
        for route in plan.get("routes") or ():
            self._routes_of.setdefault(route["engineer"], []).append(route)
            before: str | None = None
            for stop in route.get("stops") or ():
                if stop["kind"] != "work_order":
                    continue
                stay = _Stay(
                    route["engineer"],
                    route["shift"],
                    instant(stop["start"]),
                    instant(stop["end"]),
                    max(int(stop.get(f"late_{kind}_seconds") or 0) for kind in ("arrival", "start", "restore")),
                    before,
                )
                before = stop["work_order"]
                self.stays.setdefault(stop["work_order"], []).append(stay)
                self.by_engineer.setdefault(stay.engineer, []).append((stop["work_order"], stay))

    @cached_property
    def total(self) -> int | None:
        score = self.plan.get("score")
        return None if score is None else int(score["total"])

    def engineers(self, order: str) -> tuple[str, ...]:
        return tuple(sorted({stay.engineer for stay in self.stays.get(order, ())}))

    def start(self, order: str) -> int | None:
        return min((stay.start for stay in self.stays.get(order, ())), default=None)

    def late_seconds(self, order: str) -> int:
        return max((stay.late_seconds for stay in self.stays.get(order, ())), default=0)

    def level(self, order: str) -> str:
        return str((self.orders.get(order) or {}).get("level") or "L4")

    def during(self, engineer: str, stay: _Stay) -> list[str]:
        """What an engineer does in the time of a stay, longest first."""
        found = [
            (min(stay.end, other.end) - max(stay.start, other.start), order)
            for order, other in self.by_engineer.get(engineer, ())
        ]
        return [order for seconds, order in sorted(found, key=lambda item: (-item[0], item[1])) if seconds > 0]

    def day(self, engineer: str) -> tuple[int, int, int | None]:
        """(seconds driven, seconds of overtime, when the last route is over)."""
        travel = overtime = 0
        over: int | None = None
        for route in self._routes_of.get(engineer, ()):
            travel += sum(int(stop.get("travel_seconds") or 0) for stop in route["stops"])
            last = route["stops"][-1]
            end = instant(last.get("end") or last["arrival"])
            shift = self.shifts.get((engineer, route["shift"]))
            overtime += 0 if shift is None else max(0, end - instant(shift["end"]))
            over = end if over is None else max(over, end)
        return travel, overtime, over


class _Comparison:
    def __init__(self, before: _Side, after: _Side) -> None:
        self._before, self._after = before, after

    def difference(self) -> Difference:
        names = sorted({*self._before.orders, *self._after.orders, *self._before.stays, *self._after.stays})
        orders = [change for change in map(self._order, names) if change is not None]
        people = sorted({*self._before.by_engineer, *self._after.by_engineer})
        engineers = [change for change in map(self._engineer, people) if change is not None]
        orders.sort(key=lambda change: (change.level, change.work_order))
        return Difference(self._before.total, self._after.total, tuple(orders), tuple(engineers), self._terms())

    def _order(self, name: str) -> OrderChange | None:
        kind = self._kind(name)
        if kind is None:
            return None
        known = self._after if name in self._after.orders else self._before
        return OrderChange(
            work_order=name,
            level=known.level(name),
            kind=kind,
            engineers_before=self._before.engineers(name),
            engineers_after=self._after.engineers(name),
            start_before=self._before.start(name),
            start_after=self._after.start(name),
            late_before_seconds=self._before.late_seconds(name),
            late_after_seconds=self._after.late_seconds(name),
            why=tuple(self._why(name, kind)),
        )

    def _kind(self, name: str) -> Kind | None:
        before, after = self._before.start(name), self._after.start(name)
        if name not in self._after.orders:
            return "removed"
        if name not in self._before.orders:
            return "added"
        if before is None or after is None:
            return None if before is after else ("placed" if before is None else "dropped")
        if self._before.engineers(name) != self._after.engineers(name):
            return "reassigned"
        felt = self._before.late_seconds(name) != self._after.late_seconds(name)
        return "retimed" if felt or abs(after - before) >= TOLD_SECONDS else None

    # -- why ---------------------------------------------------------------------------------------------------

    def _why(self, name: str, kind: Kind) -> Iterable[Why]:
        """Facts of the two problems first, then what happened on the routes; at least one."""
        if kind == "removed":
            return [Why("NO_LONGER_OPEN")]
        facts = [*self._order_facts(name), *self._shift_facts(name)]
        if kind == "added":
            left = self._left_out(name) if self._after.start(name) is None else []
            return [Why("NEW_ORDER"), *left]
        if kind == "dropped":
            return [*facts, *self._room_made(name), *self._left_out(name)] or [self._balance()]
        if kind == "placed":
            return [*facts, *self._places_taken(name)] or [self._fits(name)]
        if kind == "reassigned":
            kept = self._promise(name)
            return [*facts, *self._room_made(name), *kept] or [self._balance()]
        return [*facts, *self._promise(name), *self._neighbours(name)] or [self._balance()]

    def _order_facts(self, name: str) -> Iterable[Why]:
        if name not in self._before.orders:
            return
        old, new = self._before.orders[name], self._after.orders[name]
        pin, pin_before = new.get("pin") or {}, old.get("pin") or {}
        if pin.get("start") and instant(pin["start"]) < _now(self._after.problem) and pin != pin_before:
            yield Why("UNDER_WAY", {"engineer": pin["engineer"]})
        elif pin and pin.get("engineer") != pin_before.get("engineer"):
            yield Why("PINNED", {"engineer": pin["engineer"]})
        fields = [key for key in _ORDER_FIELDS if (old.get(key) or None) != (new.get(key) or None)]
        if fields and not pin.get("start"):
            yield Why("ORDER_CHANGED", {"fields": ", ".join(fields)})

    def _shift_facts(self, name: str) -> Iterable[Why]:
        for stay in self._before.stays.get(name, ()):
            old = self._before.shifts.get((stay.engineer, stay.shift)) or {}
            new = self._after.shifts.get((stay.engineer, stay.shift))
            if new is None:
                yield Why("SHIFT_GONE", {"engineer": stay.engineer})
                continue
            fields = [key for key in _SHIFT_FIELDS if (old.get(key) or None) != (new.get(key) or None)]
            if fields:
                yield Why("SHIFT_CHANGED", {"engineer": stay.engineer, "fields": ", ".join(fields)})

    def _room_made(self, name: str) -> Iterable[Why]:
        """What those who had the order do in its time instead."""
        for stay in self._before.stays.get(name, ()):
            if stay.engineer in self._after.engineers(name):
                continue
            for other in self._after.during(stay.engineer, stay)[:1]:
                if stay.engineer not in self._before.engineers(other) or self._moved(other):
                    yield Why("MAKES_ROOM", self._doing(stay.engineer, other, self._after))

    def _places_taken(self, name: str) -> Iterable[Why]:
        for stay in self._after.stays.get(name, ()):
            for other in self._before.during(stay.engineer, stay)[:1]:
                if stay.engineer not in self._after.engineers(other):
                    yield Why("TAKES_PLACE", self._doing(stay.engineer, other, self._before))

    def _promise(self, name: str) -> Sequence[Why]:
        late, now_late = self._before.late_seconds(name), self._after.late_seconds(name)
        if now_late >= late:
            return []
        if now_late == 0:
            return [Why("KEEPS_PROMISE", {"late_seconds": late})]
        return [Why("LESS_LATE", {"late_seconds": late, "now_late_seconds": now_late})]

    def _neighbours(self, name: str) -> Iterable[Why]:
        """What is done before an order on its route that was not, or the other way round."""
        for stay in self._after.stays[name]:
            known = next((old for old in self._before.stays[name] if old.engineer == stay.engineer), None)
            if known is None:
                continue
            if known.before == stay.before:
                yield Why("MOVES_ALONG", {"engineer": stay.engineer})
            elif stay.before is not None and stay.engineer not in self._before.engineers(stay.before):
                yield Why("COMES_AFTER", self._doing(stay.engineer, stay.before, self._after))
            elif known.before is not None and stay.engineer not in self._after.engineers(known.before):
                yield Why("NO_LONGER_AFTER", self._doing(stay.engineer, known.before, self._before))
            else:
                yield Why("MOVES_ALONG", {"engineer": stay.engineer})

    def _left_out(self, name: str) -> Sequence[Why]:
        fix = (self._after.unassigned.get(name) or {}).get("cheapest_fix")
        return [] if fix is None or not fix.get("message") else [Why("NOT_SERVED", {"message": fix["message"]})]

    def _fits(self, name: str) -> Why:
        if (self._after.total or 0) > (self._before.total or 0):
            return self._balance()
        return Why("FITS", {"engineer": ", ".join(self._after.engineers(name))})

    def _balance(self) -> Why:
        saved = (self._before.total or 0) - (self._after.total or 0)
        return Why("CHEAPER", {"saved": saved}) if saved >= 0 else Why("DEARER", {"more": -saved})

    @staticmethod
    def _doing(engineer: str, other: str, side: _Side) -> Mapping[str, object]:
        return {"engineer": engineer, "other": other, "level": side.level(other)}

    def _moved(self, name: str) -> bool:
        before, after = self._before.start(name), self._after.start(name)
        return before is None or after is None or abs(after - before) >= TOLD_SECONDS

    # -- people and rules --------------------------------------------------------------------------------------

    def _engineer(self, name: str) -> EngineerChange | None:
        had = {order for order, _ in self._before.by_engineer.get(name, ())}
        has = {order for order, _ in self._after.by_engineer.get(name, ())}
        travel, overtime, end = self._before.day(name)
        travel_after, overtime_after, end_after = self._after.day(name)
        if had == has and (travel, overtime) == (travel_after, overtime_after):
            return None
        return EngineerChange(
            engineer=name,
            gained=tuple(sorted(has - had)),
            lost=tuple(sorted(had - has)),
            travel_seconds=travel_after - travel,
            overtime_seconds=overtime_after - overtime,
            end_before=end,
            end_after=end_after,
        )

    def _terms(self) -> tuple[TermChange, ...]:
        before, after = (
            {term["rule"]: term for term in (side.plan.get("score") or {}).get("terms") or ()}
            for side in (self._before, self._after)
        )
        nothing = {"amount": 0, "cost": 0}
        found = []
        for rule in dict.fromkeys([*before, *after]):
            old, new = before.get(rule, nothing), after.get(rule, nothing)
            if (old["amount"], old["cost"]) != (new["amount"], new["cost"]):
                found.append(TermChange(rule, old["amount"], new["amount"], round(new["cost"] - old["cost"], 3)))
        return tuple(found)


def _now(problem: Document) -> int:
    return instant(problem.get("now") or problem["horizon"]["start"])
