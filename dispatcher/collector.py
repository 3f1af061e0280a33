"""The garbage collector, kept out of the way for a moment."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage is collected inside; also a decorator.

    For work of a second or so that makes many small objects and no cycles: they go when it ends, and until then
    the collector would walk through the whole day again and again to find nothing. Of several threads whichever
    found it running starts it again.
    """
    was_running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_running:
            gc.enable()
