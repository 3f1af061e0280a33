"""Everything that can happen in a running day, and what it changes.

`apply` is pure: a state and an event give the records as they are from then on, or a refusal with a code, the place
in the event, and a remedy. The log holds the events in the order in which they were applied, so that `rebuild` leads
from it to the same state. docs/live-events.md says in words what each kind means, and what counts when two reports
contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from dispatcher import events_engineers, events_orders, events_visits
from dispatcher.event_values import Event
from dispatcher.events_visits import NEW_VISIT
from dispatcher.live_state import Effects, LiveState
from dispatcher.told_records import TOLD

__all__ = ["KINDS", "NEW_VISIT", "RECORDS_CHANGED", "Effects", "Event", "LiveState", "apply", "rebuild"]

RECORDS_CHANGED = "records_changed"
"""The kind by which the log tells records that were written or deleted in another way than by an event."""

KINDS: Mapping[str, Callable[[LiveState, Event], Effects]] = MappingProxyType(
    {
        "order_opened": events_orders.opened,
        "order_regraded": events_orders.regraded,
        "order_edited": events_orders.edited,
        "order_cancelled": events_orders.cancelled,
        "engineer_late": events_engineers.late,
        "engineer_off_sick": events_engineers.off_sick,
        "engineer_back": events_engineers.back,
        "engineer_position": events_engineers.position,
        "visit_accepted": events_visits.accepted,
        "visit_en_route": events_visits.en_route,
        "visit_arrived": events_visits.arrived,
        "visit_paused": events_visits.paused,
        "visit_resumed": events_visits.resumed,
        "visit_finished": events_visits.finished,
        "visit_running_longer": events_visits.running_longer,
        "visit_failed": events_visits.failed,
        "visit_noted": events_visits.noted,
        "travel_slower": events_engineers.travel_slower,
    }
)
"""What can be told, with what it changes."""


def apply(state: LiveState, event: Event) -> Effects:
    """What an event changes; nothing where it tells what is known. The state stays as it is.

    The state has to hold what the event names, all visits of its order, and the live ones of its engineer. A kind
    that changes no record, like an accepted plan, has no effects.

    Raises:
        EventRefused: if the state does not allow it.
    """
    if event.kind == RECORDS_CHANGED:
        return _records_changed(event)
    kind = KINDS.get(event.kind)
    return Effects() if kind is None else kind(state, event)


def rebuild(events: Iterable[Event], state: LiveState | None = None) -> LiveState:
    """The state after events in the order of the log; after `state`, which changes, where one is given.

    Raises:
        EventRefused: if the log does not begin where the state ends: it tells what cannot have happened.
    """
    found = LiveState() if state is None else state
    for event in events:
        found.take(apply(found, event))
    return found


def _records_changed(event: Event) -> Effects:
    kind = event.text("kind")
    shape = TOLD[kind]
    return Effects(
        {kind: [shape.from_words(item) for item in event.body.get("written") or ()]},
        {kind: [tuple(key) for key in event.body.get("deleted") or ()]},
    )
