"""Workers as processes of a server: started with it, started again when they are lost, and gone when it is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import structlog

from api.settings import Settings
from api.sla_policy import VARIABLE
from api.warm import KernelWarmth

_LONGEST_PAUSE_SECONDS = 30.0
# A worker that lived for so long has nothing wrong with its settings.
_SOUND_SECONDS = 10.0
_END_SECONDS = 8.0
# What a worker reads from the environment itself: the deadlines in its problems follow the policy of promises.
_KEPT = frozenset({"MUSTER_KERNEL_CACHE", VARIABLE})
_LOG = structlog.stdlib.get_logger("muster.supervisor")


class Supervisor:
    """Keeps `settings.workers` workers running between `start` and `stop`.

    Each holds the reading end of a pipe to this process as its standard input: when the pipe closes, by `stop` or
    because the server was killed, the worker gives its run back and ends.
    """

    def __init__(self, settings: Settings, kernel: KernelWarmth | None = None) -> None:
        self._settings, self._kernel = settings, kernel
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for number in range(self._settings.workers):
            thread = threading.Thread(target=self._keep, name=f"supervisor-{number + 1}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End the workers in order, or after a while without it."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _keep(self) -> None:
        # Two that compile at once would take twice as long.
        while self._kernel is not None and not self._stop.is_set() and not self._kernel.wait(0.2):
            pass
        pause = 0.1
        while not self._stop.is_set():
            began = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "api.worker"],
                stdin=subprocess.PIPE,
                env=self._environment(),
                # Ctrl-C in a terminal is for the server, which then ends its workers; they would be taken for lost.
                process_group=0,
            )
            _LOG.info("worker_started", pid=process.pid)
            while process.poll() is None and not self._stop.wait(0.2):
                pass
            if self._stop.is_set():
                _end(process)
                return
            _close(process)
            _LOG.warning("worker_lost", pid=process.pid, exit_code=process.returncode)
            pause = 0.1 if time.monotonic() - began > _SOUND_SECONDS else min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self._stop.wait(pause)

    def _environment(self) -> dict[str, str]:
        """A worker gets what it needs; the token and the address are the server's."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_") or name in _KEPT}
        settings = self._settings
        return own | {
            "MUSTER_DATABASE_URL": settings.database_url,
            "MUSTER_POLL_SECONDS": str(settings.poll_seconds),
            "MUSTER_LEASE_SECONDS": str(settings.lease_seconds),
            "MUSTER_LOG_FORMAT": settings.log_format,
        }


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    _close(process)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
