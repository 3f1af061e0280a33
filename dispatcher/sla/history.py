"""From what is stored about a work order to the life that its clocks see.

A mark is written whenever a work order or one of its visits changes (`marks_of_order`, `marks_of_visit`), with the
instant at which it happened, so that nothing is lost when a plan takes a visit away again. `timeline` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from dispatcher.model import Level
from dispatcher.sla.clocks import Regrade, Timeline, Transition

MarkKind = Literal["state", "status", "level", "parent"]
MARK_KINDS: tuple[MarkKind, ...] = ("state", "status", "level", "parent")
VISIT_DONE = "visit_done"
"""The state by which a visit tells its end; the order is restored with the last one, when it is done."""
_STATE_OF_STATUS: Mapping[str, str] = {"open": "opened", "planned": "planned", "cancelled": "cancelled"}
_STATE_OF_TIME: Mapping[str, str] = {
    "accepted_at": "accepted",
    "departed_at": "en_route",
    "arrived_at": "on_site",
    "started_at": "on_site",
}
_STATE_OF_PAUSE: Mapping[object, str] = {
    "customer": "waiting_for_customer",
    "parts": "waiting_for_parts",
    "access": "waiting_for_access",
}
_IN_HAND = frozenset({"en_route", "on_site", *_STATE_OF_PAUSE.values()})

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened to a work order at an instant; see the table `work_order_mark`.

    `parent` is the id of the parent order of a mark of that kind; `by` is who was the cause.
    """

    at: datetime
    kind: MarkKind
    value: str | None = None
    before: str | None = None
    parent: str | None = None
    reason: str | None = None
    by: str | None = None


def marks_of_order(before: Values | None, after: Values, now: datetime, reason: str | None) -> Iterator[Mark]:
    """What a written work order tells of its clocks; one that is new tells nothing but a status that it came with."""
    old_status, old_level = ("open", after["level"]) if before is None else (before["status"], before["level"])
    # Without its opening an order has no clocks, and plans change the status of thousands.
    if old_status != after["status"] and after["body"].get("opened_at"):
        yield Mark(now, "status", after["status"], old_status, reason=reason)
    if old_level != after["level"]:
        yield Mark(now, "level", after["level"], old_level, reason=reason)


def marks_of_visit(before: Values | None, after: Values) -> Iterator[Mark]:
    """What a written visit tells of the clocks of its order, at the times at which it happened."""
    old: Values = before or {}
    for name, state in _STATE_OF_TIME.items():
        if after.get(name) is not None and after[name] != old.get(name):
            yield Mark(after[name], "state", state)
    if after.get("paused_at") is not None and after["paused_at"] != old.get("paused_at"):
        waiting = _waiting(after)
        if waiting is not None:
            yield Mark(after["paused_at"], "state", waiting)
    if old.get("status") == "paused" and after["status"] == "on_site" and _waiting(old) is not None:
        yield Mark(_resumed_at(old, after), "state", "on_site")
    if after.get("ended_at") is not None and after["ended_at"] != old.get("ended_at"):
        if after["status"] == "failed":
            cause = (after.get("failure") or {}).get("cause")
            yield Mark(after["ended_at"], "state", "failed", reason=None if cause is None else str(cause))
        elif after["status"] == "done":
            yield Mark(after["ended_at"], "state", VISIT_DONE)


def timeline(opened_at: datetime, level: Level, marks: Sequence[Mark]) -> Timeline:
    """The life of an order that is of this level now, by its marks in the order in which they were written."""
    transitions: list[Transition] = []
    regrades = []
    for mark in marks:
        if mark.kind == "level":
            regrades.append(Regrade(mark.at, cast("Level", mark.value)))
        elif mark.kind == "status" and mark.value == "done":
            transitions.append(Transition(_restored_at(mark, marks), "restored"))
        elif mark.kind == "status" and (state := _STATE_OF_STATUS.get(mark.value or "")) is not None:
            # An order that is open again after a visit failed stays known as one whose visit failed.
            if not (mark.value == "open" and _failed_with(mark, marks)):
                transitions.append(Transition(mark.at, state, mark.reason))
        elif mark.kind == "state" and mark.value not in (None, VISIT_DONE):
            transitions.append(Transition(mark.at, str(mark.value), mark.reason))
    first = next((mark.before for mark in marks if mark.kind == "level"), None)
    return Timeline(opened_at, cast("Level", first) if first else level, _in_order(transitions), tuple(regrades))


def parent_of(marks: Iterable[Mark]) -> tuple[str | None, bool]:
    """The order that this one is linked to, and whether a person set it apart."""
    links = [mark for mark in marks if mark.kind == "parent"]
    return (None, False) if not links else (links[-1].parent, links[-1].parent is None)


def set_by_hand(marks: Iterable[Mark]) -> Mark | None:
    """The mark of the last level that somebody gave a reason for."""
    given = [mark for mark in marks if mark.kind == "level"]
    return given[-1] if given and given[-1].reason else None


def _in_order(transitions: Sequence[Transition]) -> tuple[Transition, ...]:
    """By time, without a plan that is told of an order on which somebody is under way already."""
    kept: list[Transition] = []
    for change in sorted(transitions, key=lambda item: item.at):
        if change.state == "planned" and kept and kept[-1].state in _IN_HAND:
            continue
        kept.append(change)
    return tuple(kept)


def _restored_at(done: Mark, marks: Sequence[Mark]) -> datetime:
    """When the last visit ended that the order was done with; without a visit, when somebody said that it is done."""
    ends = [mark.at for mark in marks if mark.kind == "state" and mark.value == VISIT_DONE and mark.at <= done.at]
    reopened = [mark.at for mark in marks if mark.kind == "status" and mark.before == "done" and mark.at < done.at]
    since = max(reopened, default=None)
    return max((at for at in ends if since is None or at >= since), default=done.at)


def _failed_with(opened: Mark, marks: Sequence[Mark]) -> bool:
    states = [mark for mark in marks if mark.kind == "state" and mark.at <= opened.at]
    return bool(states) and max(states, key=lambda mark: mark.at).value == "failed"


def _waiting(visit: Values) -> str | None:
    """The state that a pause tells by its cause; pauses without one of these are part of the work."""
    pauses = (visit.get("report") or {}).get("pauses") or ()
    return _STATE_OF_PAUSE.get(pauses[-1].get("cause")) if pauses else None


def _resumed_at(before: Values, after: Values) -> datetime:
    pauses = (after.get("report") or {}).get("pauses") or ()
    told = pauses[-1].get("until") if pauses else None
    paused_at: datetime = before["paused_at"]
    return paused_at if told is None else datetime.fromisoformat(told)
