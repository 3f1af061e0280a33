"""What the planner is told of promises: the soft deadlines of a work order, from its clocks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from dispatcher.sla.clocks import ClockState


def deadlines(states: Iterable[ClockState]) -> dict[str, datetime]:
    """The deadlines of the planning document that running clocks ask for: `arrive_by`, `restore_by`, or neither.

    A clock that rests, is met or has no hour left asks for nothing. At a level that promises a consultation and no
    arrival, an expert on site is the consultation: `arrive_by` is the end of that clock.
    """
    due = {state.clock: state.due for state in states if state.status == "running" and state.due is not None}
    arrival_promised = any(state.clock == "arrive" for state in states)
    found: dict[str, datetime] = {}
    if arrival_promised and "arrive" in due:
        found["arrive_by"] = due["arrive"]
    elif not arrival_promised and "consult" in due:
        found["arrive_by"] = due["consult"]
    if "restore" in due:
        found["restore_by"] = due["restore"]
    return found


def tightest(many: Iterable[dict[str, datetime]]) -> dict[str, datetime]:
    """The earliest of each deadline: what one visit for several linked orders has to keep."""
    found: dict[str, datetime] = {}
    for one in many:
        for name, at in one.items():
            found[name] = min(at, found.get(name, at))
    return found
