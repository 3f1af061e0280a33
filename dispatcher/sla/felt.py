"""What the customer lived through, beside what the contract counts.

Felt downtime is all time without restoration inside the customer's critical hours. Nothing rests: a customer who waits
for a part stands still all the same, and nights count where the customer works at night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatcher.sla.calendars import Calendar, working_seconds
from dispatcher.sla.clocks import ClockState, Timeline

RED_AFTER_SECONDS = 4 * 3600
"""Felt downtime from which a customer has had a bad day, where the policy says nothing else."""


@dataclass(frozen=True, slots=True)
class Experience:
    """What was promised and what was felt: `green_over_red` is a kept contract over a bad day.

    `down_seconds` is all downtime, `felt_seconds` what of it fell into the critical hours, `counted_seconds` what the
    contract's clock of restoration counted (None without one).
    """

    down_seconds: int
    felt_seconds: int
    counted_seconds: int | None
    kept: bool
    red: bool

    @property
    def green_over_red(self) -> bool:
        return self.kept and self.red


def downtimes(timeline: Timeline, now: datetime) -> tuple[tuple[int, int], ...]:
    """From when to when (epoch seconds) the order was open: several times where a restoration did not hold.

    One that is open still counts up to `now`. A cancelled order was down until it was cancelled.
    """
    opened, until = int(timeline.opened_at.timestamp()), int(now.timestamp())
    found: list[tuple[int, int]] = []
    down_since: int | None = opened
    for change in sorted(timeline.transitions, key=lambda item: item.at):
        at = max(int(change.at.timestamp()), opened)
        if at > until:
            break
        if change.state in ("restored", "cancelled"):
            if down_since is not None:
                found.append((down_since, at))
            down_since = None
        elif down_since is None:
            down_since = at
    if down_since is not None and until > down_since:
        found.append((down_since, until))
    return tuple(found)


def experience(
    timeline: Timeline,
    states: Sequence[ClockState],
    critical: Calendar,
    now: datetime,
    red_after_seconds: int = RED_AFTER_SECONDS,
) -> Experience:
    """What the customer felt until `now`, beside the clocks of the same instant."""
    spans = downtimes(timeline, now)
    felt = sum(working_seconds(critical, start, end) for start, end in spans)
    counted = next((state.elapsed_seconds for state in states if state.clock == "restore"), None)
    return Experience(
        down_seconds=sum(end - start for start, end in spans),
        felt_seconds=felt,
        counted_seconds=counted,
        kept=not any(state.breached for state in states),
        red=felt > red_after_seconds,
    )
