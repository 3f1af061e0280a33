"""What events about work orders change: opened, regraded, edited, cancelled."""

from __future__ import annotations

from dispatcher.event_values import GRADED_LEVEL, Event, refuse, there, wrong_state
from dispatcher.live_state import LIVE, Effects, LiveState
from dispatcher.services.state_visits import IN_HAND
from dispatcher.told_records import TOLD, Values

AT_WORK = frozenset({"on_site", "paused"})
_OVER = frozenset({"done", "cancelled"})
_ORDER = TOLD["work_order"]
# Whoever drives there, or works there, cannot be somewhere else by an edit.
_PLACE = "location"


def opened(state: LiveState, event: Event) -> Effects:
    """The order as it is told is there, and open; its clocks begin when that happened, unless it says when."""
    known_since = {"opened_at": event.occurred_at.isoformat()}
    order = _ORDER.from_words({**known_since, **_graded(event), **event.body["order"]}) | {"status": "open"}
    if state.find("work_order", order["external_id"]) is not None:
        name = order["external_id"]
        message = f"work order {name} is there already"
        refuse("body.order.id", "ALREADY_EXISTS", message, "Edit it, or use another id.", work_order=name)
    return Effects({"work_order": [order]})


def regraded(state: LiveState, event: Event) -> Effects:
    """The order has another level."""
    order = unfinished(state, event)
    if order["level"] == event.body["level"]:
        return Effects()
    return Effects({"work_order": [{**order, "level": event.body["level"]}]})


def edited(state: LiveState, event: Event) -> Effects:
    """The fields of `changes` are what they say, null takes one away; all others stay."""
    order = unfinished(state, event)
    changes = event.body["changes"]
    told = _ORDER.to_words(order)
    moved = _PLACE in changes and changes[_PLACE] != told[_PLACE]
    if moved and any(visit["status"] in IN_HAND for visit in state.visits_of(order["external_id"])):
        wrong_state(
            event,
            f"changes.{_PLACE}",
            f"somebody is on the way to work order {order['external_id']} or at work on it",
            "Open another order for the other place.",
            work_order=order["external_id"],
        )
    kept = {
        name: value
        for name, value in (told | _graded(event) | changes).items()
        if name not in changes or value is not None
    }
    after = _ORDER.from_words(kept)
    return Effects() if after == order else Effects({"work_order": [after]})


def cancelled(state: LiveState, event: Event) -> Effects:
    """The order is cancelled and its visits will not take place; work that has begun is not stopped by it."""
    name = event.text("work_order")
    if there(state, "work_order", event, "work_order")["status"] == "cancelled":
        return Effects()
    order = unfinished(state, event)
    visits = state.visits_of(name)
    busy = sorted(visit["engineer"] for visit in visits if visit["status"] in AT_WORK)
    if busy:
        wrong_state(
            event,
            "work_order",
            f"{', '.join(busy)} is at work on work order {name}",
            "Let the visit finish or fail first.",
            work_order=name,
            engineers=busy,
        )
    dropped = [(visit["external_id"],) for visit in visits if visit["status"] in LIVE]
    return Effects({"work_order": [{**order, "status": "cancelled"}]}, {"visit": dropped})


def unfinished(state: LiveState, event: Event) -> Values:
    """The order that an event is about, which must neither be done nor cancelled."""
    order = there(state, "work_order", event, "work_order")
    if order["status"] in _OVER:
        wrong_state(
            event,
            "work_order",
            f"work order {order['external_id']} is {order['status']}",
            "Open another order if there is more to do.",
            work_order=order["external_id"],
            state=order["status"],
        )
    return order


def _graded(event: Event) -> dict[str, str]:
    return {"level": event.text(GRADED_LEVEL)} if GRADED_LEVEL in event.body else {}
