"""What goes into an engine and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dispatcher.plan import Sequences

StoppedBy = Literal["finished", "time_limit", "iteration_limit", "cancelled"]


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """When to stop (None: no such limit), and what makes a run repeatable."""

    time_limit_seconds: float | None = 10.0
    iteration_limit: int | None = None
    seed: int = 1
    threads: int = 1


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best sequences of a run, what it took and why it stopped.

    `approximated_rules` names the soft rules the engine could only approximate while it searched.
    """

    sequences: Sequences
    iterations: int
    elapsed_seconds: float
    stopped_by: StoppedBy
    approximated_rules: tuple[str, ...] = ()
