"""The lives of what is stored: which states there are, and for a planning run which step leads where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

WORK_ORDER_STATES = ("open", "planned", "in_progress", "done", "cancelled")
SHIFT_STATES = ("planned", "active", "ended", "cancelled")
VISIT_STATES = ("planned", "accepted", "en_route", "on_site", "paused", "done", "failed")
PLAN_STATES = ("published", "accepted", "superseded")

RunState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
RunStep = Literal[
    "claim",  # a worker takes it
    "heartbeat",  # the worker is alive
    "report",  # the worker says how far it is
    "ask_to_cancel",  # somebody does not want it any more
    "succeed",  # the worker has a plan
    "fail",  # the worker has an error that would come again
    "stop",  # the worker has obeyed a request to cancel
    "requeue",  # the worker was lost or gives the run back, and somebody else may try
    "give_up",  # the worker was lost, and there is no attempt left
    "drop",  # the worker was lost or gives the run back after a request to cancel
]

RUN_STATES: tuple[RunState, ...] = ("queued", "running", "succeeded", "failed", "cancelled")
TERMINAL_RUN_STATES: frozenset[RunState] = frozenset({"succeeded", "failed", "cancelled"})

RUN_STEPS: Mapping[tuple[RunState, RunStep], RunState] = {
    ("queued", "claim"): "running",
    # Nobody works on it, so nobody has to obey.
    ("queued", "ask_to_cancel"): "cancelled",
    ("running", "heartbeat"): "running",
    ("running", "report"): "running",
    ("running", "ask_to_cancel"): "running",
    ("running", "succeed"): "succeeded",
    ("running", "fail"): "failed",
    ("running", "stop"): "cancelled",
    ("running", "requeue"): "queued",
    ("running", "give_up"): "failed",
    ("running", "drop"): "cancelled",
}
"""Every step a planning run can take; what is not here is not possible."""
