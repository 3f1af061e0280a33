"""The search kernel is compiled before anybody waits for a plan, in a process of its own beside the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import structlog

_LOG = structlog.stdlib.get_logger("muster.kernel")


class KernelWarmth:
    """Whether planning processes find the search kernel compiled.

    That takes a minute, once on a machine, and a few seconds to find out later. The server compiles nothing itself:
    it needs neither the compiler's memory nor its hold on the interpreter, and has requests to answer.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._done = threading.Event()
        self._is_stopped = False

    def start(self) -> None:
        """Begin; what there is to say goes to standard output."""
        # Its own group: Ctrl-C in a terminal is for the server, which then ends it.
        self._process = subprocess.Popen([sys.executable, "-m", "solver.warm"], process_group=0)
        threading.Thread(target=self._await, args=(self._process,), name="kernel", daemon=True).start()

    def is_ready(self) -> bool:
        return self._done.is_set()

    def wait(self, timeout_seconds: float) -> bool:
        """Whether it is ready, after so long at most."""
        return self._done.wait(timeout_seconds)

    def stop(self) -> None:
        """Do without, if it is not ready yet."""
        self._is_stopped = True
        if self._process is not None and not self.is_ready() and self._process.poll() is None:
            # Compiling takes two processes: the whole group, or one would go on.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        exit_code = process.wait()
        if self._is_stopped:
            return
        if exit_code:
            # Runs will say why, those of other engines can do without it.
            _LOG.warning("kernel_not_compiled", exit_code=exit_code)
        self._done.set()
