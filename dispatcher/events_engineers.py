"""What events about engineers and roads change: late, off sick, back, position, travel slower."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

from dispatcher.event_values import Event, refuse, there, wrong_state
from dispatcher.live_state import LIVE, Effects, LiveState
from dispatcher.services.state_visits import IN_HAND, WAITING
from dispatcher.told_records import Key, Values

_UNFINISHED = frozenset({"open", "planned", "in_progress"})
_WORKED = frozenset({"planned", "active"})


def late(state: LiveState, event: Event) -> Effects:
    """The shift is worked from `expected_at` on; told again, the last word counts."""
    shift = _shift(state, event)
    if shift["status"] not in _WORKED:
        _over(event, shift)
    return _available(event, shift, event.at("expected_at"), "expected_at")


def off_sick(state: LiveState, event: Event) -> Effects:
    """The shift is not worked, and what has not begun in it is open again. Work that has begun stays as it is.

    A team that loses a member before it begins is opened whole.
    """
    shift = _shift(state, event)
    if shift["status"] == "cancelled":
        return Effects()
    if shift["status"] not in _WORKED:
        _over(event, shift)
    orders: dict[str, Values] = {}
    dropped: dict[Key, None] = {}
    for visit in state.visits_in((shift["engineer"], shift["external_id"])):
        if visit["status"] in WAITING or visit["status"] == "en_route":
            gone, opened = _without(state, visit)
            dropped.update(dict.fromkeys(gone))
            orders.update((order["external_id"], order) for order in opened)
    written: dict[str, list[Values]] = {
        "shift": [{**shift, "status": "cancelled"}],
        "work_order": list(orders.values()),
    }
    return Effects(written, {"visit": list(dropped)})


def back(state: LiveState, event: Event) -> Effects:
    """The shift is worked again, from when it happened on."""
    shift = _shift(state, event)
    if shift["status"] == "ended":
        _over(event, shift)
    if shift["status"] == "cancelled":
        status = "active" if shift["start"] <= event.occurred_at else "planned"
        return _available(event, {**shift, "status": status}, event.occurred_at, "")
    known = shift["available_from"]
    if known is None or known <= event.occurred_at:
        return Effects()
    return _available(event, shift, event.occurred_at, "")


def position(state: LiveState, event: Event) -> Effects:
    """Where an engineer is; of two positions the one that was taken later counts, whichever is told last."""
    known = state.find("engineer_position", event.text("engineer"))
    if known is not None and known["recorded_at"] >= event.occurred_at:
        return Effects()
    now = {
        "engineer": event.text("engineer"),
        "latitude": event.body["lat"],
        "longitude": event.body["lon"],
        "recorded_at": event.occurred_at,
    }
    return Effects({"engineer_position": [now]})


def travel_slower(state: LiveState, event: Event) -> Effects:
    """Every leg in a territory takes `factor` times as long until an instant; a factor of 1 ends it."""
    territory = there(state, "territory", event, "territory")
    until = event.at("until")
    if until <= event.occurred_at:
        message = "`until` is not after `occurred_at`"
        refuse(event.path("until"), "OUT_OF_ORDER", message, "Tell when travel will be as usual again.")
    slower = event.body["factor"] != 1
    after = {
        **territory,
        "travel_factor": event.body["factor"] if slower else None,
        "travel_factor_until": until if slower else None,
    }
    return Effects() if after == territory else Effects({"territory": [after]})


def _without(state: LiveState, visit: Values) -> tuple[list[Key], list[Values]]:
    """The visits that go with one that will not take place, and its order where that is open again by it."""
    others = [
        other
        for other in state.visits_of(visit["work_order"])
        if other["status"] in LIVE and other["external_id"] != visit["external_id"]
    ]
    if any(other["status"] in IN_HAND for other in others):
        return [(visit["external_id"],)], []
    order = state.find("work_order", visit["work_order"])
    gone: list[Key] = [(item["external_id"],) for item in (visit, *others)]
    return gone, [{**order, "status": "open"}] if order is not None and order["status"] in _UNFINISHED else []


def _shift(state: LiveState, event: Event) -> Values:
    return there(state, "shift", event, "shift", event.text("engineer"))


def _available(event: Event, shift: Values, since: datetime, field: str) -> Effects:
    if since >= shift["latest_end"]:
        refuse(
            event.path(field),
            "BEYOND_SHIFT",
            f"shift {shift['external_id']} of {shift['engineer']} ends at {shift['latest_end'].isoformat()}",
            "Tell that the engineer is off, or name the shift that is meant.",
            latest_end=shift["latest_end"].isoformat(),
        )
    return Effects({"shift": [{**shift, "available_from": since if since > shift["start"] else None}]})


def _over(event: Event, shift: Values) -> NoReturn:
    wrong_state(
        event,
        "shift",
        f"shift {shift['external_id']} of {shift['engineer']} is {shift['status']}",
        "Tell that the engineer is back, or name another shift." if shift["status"] == "cancelled" else "Name another.",
        state=shift["status"],
    )
