"""The clock and the source of internal ids that a service runs on."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from dispatcher.ports import Clock

ID_LENGTH = 26
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SortableIds:
    """Ids of 26 characters that sort by the time they were made: 48 bits of milliseconds, 80 random ones.

    In one process each id is greater than the one before, also within a millisecond and when the clock is set
    back. Safe to share between threads. The layout is that of a ULID (https://github.com/ulid/spec).
    """

    def __init__(self, clock: Clock, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._clock = clock
        self._random_bits = random_bits
        self._lock = threading.Lock()
        self._last = 0
        self._process = os.getpid()

    def new(self) -> str:
        milliseconds = int(self._clock.now().timestamp() * 1000)
        with self._lock:
            if self._process != os.getpid():
                # A forked child counts on from the same id as its parent unless it forgets it.
                self._process, self._last = os.getpid(), 0
            fresh = milliseconds << _RANDOM_BITS | self._random_bits(_RANDOM_BITS)
            behind = fresh >> _RANDOM_BITS <= self._last >> _RANDOM_BITS
            self._last = self._last + 1 if behind else fresh
            return _base32(self._last)


def _base32(number: int) -> str:
    return "".join(_ALPHABET[number >> 5 * position & 31] for position in reversed(range(ID_LENGTH)))
