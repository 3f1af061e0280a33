"""What a run may still use: time, steps, the patience of the caller."""

from __future__ import annotations

import time
from collections.abc import Callable

from dispatcher.planning import SearchLimits, StoppedBy


class Budget:
    """The limits of a run over all its parts. `iterations` counts placements."""

    def __init__(self, limits: SearchLimits, cancelled: Callable[[], bool]) -> None:
        self.began = time.monotonic()
        self.iterations = 0
        self._limits = limits
        self._cancelled = cancelled

    @property
    def elapsed_seconds(self) -> float:
        return time.monotonic() - self.began

    def change(self, limits: SearchLimits) -> None:
        """Go on under other limits; what is used stays used."""
        self._limits = limits

    def is_cancelled(self) -> bool:
        return self._cancelled()

    def apart(self, limits: SearchLimits) -> Budget:
        """One for a part with limits of its own, which begin now; it is cancelled with this one."""
        return Budget(limits, self._cancelled)

    def is_share_used(self, share: float) -> bool:
        """Whether more than a share of the time limit has passed."""
        seconds = self._limits.time_limit_seconds
        return seconds is not None and self.elapsed_seconds >= share * seconds

    def lasts(self, seconds: float) -> bool:
        """Whether something that takes so long would end within the time limit."""
        limit = self._limits.time_limit_seconds
        return limit is None or self.elapsed_seconds + seconds < limit

    def stopped(self) -> StoppedBy | None:
        """Why the run must end now; None while it may go on."""
        if self._cancelled():
            return "cancelled"
        limit = self._limits.iteration_limit
        if limit is not None and self.iterations >= limit:
            return "iteration_limit"
        seconds = self._limits.time_limit_seconds
        if seconds is not None and self.elapsed_seconds >= seconds:
            return "time_limit"
        return None
