"""What accepting a plan changes in the stored work orders and visits; a pure function over plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dispatcher.errors import RecordKey, WrongState
from dispatcher.services.state_values import ShiftKey, Values
from dispatcher.services.state_visits import IN_HAND, WAITING, shift_key

_ACTION = "accept a plan that serves it"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A work stop of a plan."""

    work_order: str
    engineer: str
    shift: str
    role: str | None
    start: datetime
    end: datetime


@dataclass(slots=True)
class Consequences:
    """What has to be written when a plan is accepted.

    `orders` are new statuses by id; `visits` the fields of visits to replace, `new_visits` of visits without an id;
    `dropped` are ids of visits that will not take place.
    """

    orders: dict[str, str] = field(default_factory=dict)
    visits: list[dict[str, Any]] = field(default_factory=list)
    new_visits: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def assignments(plan: Mapping[str, Any]) -> dict[str, list[Assignment]]:
    """The work stops of a plan document by work order."""
    found: dict[str, list[Assignment]] = {}
    for route in plan.get("routes") or ():
        for stop in route.get("stops") or ():
            if stop["kind"] == "work_order":
                start, end = (datetime.fromisoformat(stop[key]) for key in ("start", "end"))
                stay = Assignment(stop["work_order"], route["engineer"], route["shift"], stop.get("role"), start, end)
                found.setdefault(stay.work_order, []).append(stay)
    return found


def consequences(
    problem: Mapping[str, Any],
    plan: Mapping[str, Any],
    orders: Mapping[str, Values],
    visits: Sequence[Values],
    shifts_elsewhere: frozenset[ShiftKey],
) -> Consequences:
    """What accepting a plan means for what is stored now.

    `orders` are the stored ones of the problem by id, `visits` all of theirs. `shifts_elsewhere` are those that are not
    over or cancelled, of other dates or territories than the plan's.

    Raises:
        WrongState: if the plan serves an order that was cancelled since, that another plan gave to a shift of other
            dates or territories, or that somebody else has begun since or is on the way to.
    """
    found = Consequences()
    by_order: dict[str, list[Values]] = {}
    for visit in sorted(visits, key=lambda item: str(item["external_id"])):
        by_order.setdefault(visit["work_order"], []).append(visit)
    stays = assignments(plan)
    for item in problem.get("work_orders") or ():
        name = item["id"]
        order = orders.get(name)
        if order is None or order["status"] == "done":
            continue
        own = by_order.get(name, [])
        if name in stays:
            _refuse(order, own, shifts_elsewhere)
            _refuse_begun(item, stays[name], own)
        in_hand = any(visit["status"] in IN_HAND for visit in own)
        _move(stays.get(name, []), [visit for visit in own if visit["status"] in IN_HAND | WAITING], in_hand, found)
        if order["status"] in ("open", "planned") and not in_hand:
            wanted = "planned" if name in stays else "open"
            if wanted != order["status"]:
                found.orders[name] = wanted
    return found


def _refuse(order: Values, visits: Sequence[Values], shifts_elsewhere: frozenset[ShiftKey]) -> None:
    key = RecordKey("work_order", (order["external_id"],))
    if order["status"] == "cancelled":
        raise WrongState(key, "cancelled", _ACTION)
    for visit in visits:
        if visit["status"] in IN_HAND | WAITING and shift_key(visit) in shifts_elsewhere:
            status = visit["status"].replace("_", " ")
            raise WrongState(key, f"{status} in shift {visit['shift']} of {visit['engineer']}", _ACTION)


def _refuse_begun(order: Values, stays: Sequence[Assignment], visits: Sequence[Values]) -> None:
    """Refuse a plan that sends others to what somebody has begun, or is on the way to, since it was made."""
    begun = {visit["engineer"]: visit["status"] for visit in visits if visit["status"] in IN_HAND}
    known = (order.get("pin") or {}).get("engineer") in begun
    if not known and not begun.keys() <= {stay.engineer for stay in stays}:
        engineer, status = sorted(begun.items())[0]
        where = f"in the hands of {engineer} ({status.replace('_', ' ')})"
        raise WrongState(RecordKey("work_order", (order["id"],)), where, _ACTION)


def _move(stays: Sequence[Assignment], visits: Sequence[Values], in_hand: bool, found: Consequences) -> None:
    """Give the stays of a plan to the visits there are: first to those of the same engineer, then to any that waits."""
    left = list(stays)
    free = []
    for visit in visits:
        same = next((stay for stay in left if stay.engineer == visit["engineer"]), None)
        if same is not None:
            left.remove(same)
            if visit["status"] in WAITING:
                found.visits.append(_moved(visit, same, visit["status"]))
        elif visit["status"] in WAITING and not in_hand:
            # Who helps with work that has begun is on no route for it, and stays where they are.
            free.append(visit)
    for stay, visit in zip(left, free, strict=False):
        found.visits.append(_moved(visit, stay, "planned") | {"accepted_at": None})
    found.new_visits.extend(_moved({"work_order": stay.work_order}, stay, "planned") for stay in left[len(free) :])
    found.dropped.extend(visit["external_id"] for visit in free[len(left) :])


def _moved(visit: Mapping[str, Any], stay: Assignment, status: str) -> dict[str, Any]:
    return {
        **visit,
        "engineer": stay.engineer,
        "shift": stay.shift,
        "role": stay.role,
        "status": status,
        "planned_start": stay.start,
        "planned_end": stay.end,
    }
