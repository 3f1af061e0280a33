"""Solving within a request: a few child processes, so that the server itself stays free to answer."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Mapping
from typing import Any

import anyio
import structlog
from anyio import to_thread

from api.child import Child, ChildLost, Failed, Finished

_LISTEN_SECONDS = 0.5
# A new process loads the engines first, which takes long where the machine is busy.
_START_SECONDS = 60.0
_LOG = structlog.stdlib.get_logger("muster.solve")


class SolvePool:
    """As many planning processes as there are cores, started when they are needed and kept for the next request.

    To be made and used in one event loop.
    """

    def __init__(self, size: int | None = None) -> None:
        self._size = size or os.cpu_count() or 1
        self._free = anyio.Semaphore(self._size)
        # Those who wait for a child sit in threads of their own and take none from the other routes.
        self._threads = anyio.CapacityLimiter(self._size)
        self._idle: list[Child] = []
        self._closed = False

    async def solve(self, document: Mapping[str, Any], patience_seconds: float, limit_seconds: float) -> Any:
        """The plan of a document; None if no process is free in time, takes too long, or is lost.

        Raises:
            InvalidInput, EngineRefuses, UnknownEngine, NoResult, PlanRefused: as planning does.
        """
        with anyio.move_on_after(patience_seconds) as waiting:
            await self._free.acquire()
        if waiting.cancelled_caught:
            return None
        try:
            # Here and not in a thread of the pool, which ends before its child may.
            child = self._idle.pop() if self._idle else Child()
            return await to_thread.run_sync(self._solved, child, document, limit_seconds, limiter=self._threads)
        finally:
            self._free.release()

    def close(self) -> None:
        """End all processes."""
        self._closed = True
        while self._idle:
            self._idle.pop().kill()

    def _solved(self, child: Child, document: Mapping[str, Any], limit_seconds: float) -> Any:
        deadline, working = time.monotonic() + _START_SECONDS, False
        sound = False
        try:
            child.begin(document, {})
            while time.monotonic() < deadline:
                message = child.receive(_LISTEN_SECONDS)
                if message is not None and not working:
                    deadline, working = time.monotonic() + limit_seconds, True
                if isinstance(message, Finished):
                    sound = True
                    return message.plan
                if isinstance(message, Failed):
                    if isinstance(message.error, str):
                        raise RuntimeError(f"planning failed unexpectedly:\n{message.error}")
                    if isinstance(message.error, MemoryError):
                        return None
                    sound = True
                    raise message.error
            return None
        except ChildLost:
            _LOG.warning("process_lost", reason=traceback.format_exc(limit=0).strip())
            return None
        finally:
            if sound and not self._closed:
                self._idle.append(child)
            else:
                child.kill()
