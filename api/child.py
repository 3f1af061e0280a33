"""Planning in a process of its own, so that a search that crashes, eats the memory or hangs takes nobody with it.

A child gets documents through a pipe, one after the other, and answers with what it says on the way and at the end.
It opens no database. It goes when its parent does, however that ends: the pipe closes, and on Linux the kernel
kills it too, for code that does not let the thread at the pipe run.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from dispatcher.errors import MusterError

PROGRESS_SECONDS = 0.5
# Who serves requests goes first where there are fewer cores than work.
NICENESS = 5
_PR_SET_PDEATHSIG = 1
_END_SECONDS = 5.0

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a child is, from 0 to 1."""

    fraction: float
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The plan document, checked."""

    plan: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """An error that would come again: one of the product's, `MemoryError`, or an unexpected one as its traceback."""

    error: MusterError | MemoryError | str


Message = Progress | Finished | Failed


class ChildLost(Exception):  # noqa: N818  like `LeaseLost`
    """The process ended without an answer: killed, out of memory, or crashed in native code."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"the planning process ended with {_exit_text(exit_code)}")
        self.exit_code = exit_code


class Child:
    """A planning process, as its parent sees it. To be used by one thread at a time and killed at the end.

    The thread that makes it has to live as long as it: Linux counts the end of that thread as the parent's.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs,), daemon=True, name="muster-solve")
        self._process.start()
        # As long as this end is open here, nobody would notice that the child is gone.
        theirs.close()
        self._job = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def begin(self, document: Document, options: Mapping[str, Any]) -> None:
        """Plan a document with the fields of `SolveOptions`; it is checked first.

        Raises:
            ChildLost: if the process is gone.
        """
        self._job += 1
        self._send(("solve", self._job, document, dict(options)))

    def cancel(self) -> None:
        """Ask for the best so far; raises ChildLost if the process is gone."""
        self._send(("cancel", self._job))

    def receive(self, timeout_seconds: float) -> Message | None:
        """What the child says next, None if it says nothing in time.

        Raises:
            ChildLost: if the process is gone.
        """
        try:
            if not self._pipe.poll(timeout_seconds):
                return None
            message: Message = self._pipe.recv()
            return message
        except (EOFError, OSError) as error:
            raise self._lost() from error

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join(_END_SECONDS)
        self._pipe.close()

    def _send(self, message: object) -> None:
        try:
            self._pipe.send(message)
        except OSError as error:
            raise self._lost() from error

    def _lost(self) -> ChildLost:
        self._process.join(_END_SECONDS)
        return ChildLost(self._process.exitcode)


def _exit_text(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"code {exit_code}"


def _main(pipe: Connection) -> None:
    """The life of a child: jobs come through the pipe until it closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Ctrl-C and the end of a service reach the whole group; when to stop is the parent's business.
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(NICENESS)
    jobs: SimpleQueue[tuple[int, Document, Mapping[str, Any]]] = SimpleQueue()
    cancelled: set[int] = set()

    def listen() -> None:
        while True:
            try:
                kind, job, *rest = pipe.recv()
            except (EOFError, OSError):
                os._exit(1)
            if kind == "cancel":
                cancelled.add(job)
            else:
                jobs.put((job, *rest))

    threading.Thread(target=listen, daemon=True).start()
    while True:
        job, document, options = jobs.get()
        try:
            pipe.send(_solve(pipe, document, options, job, cancelled))
        except OSError:
            # The parent is gone.
            return


def _solve(
    pipe: Connection, document: Document, options: Mapping[str, Any], job: int, cancelled: set[int]
) -> Finished | Failed:
    # Imported here: the parent needs none of it.
    from api.documents import check_problem
    from api.problems import SolveOptions, solve_document
    from dispatcher.errors import InvalidInput

    said = time.monotonic()
    pipe.send(Progress(0.0, "reading the document"))

    def progress(fraction: float, text: str) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= PROGRESS_SECONDS:
            said = now
            pipe.send(Progress(min(1.0, max(0.0, fraction)), text))

    try:
        issues = check_problem(document)
        if issues:
            return Failed(InvalidInput(issues))
        asked = SolveOptions(**options)
        return Finished(solve_document(document, asked, cancelled=lambda: job in cancelled, progress=progress))
    except (MusterError, MemoryError) as error:
        return Failed(error)
    except OSError:
        raise
    except Exception:
        return Failed(traceback.format_exc())
