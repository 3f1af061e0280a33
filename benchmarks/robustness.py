"""Kill workers and servers at random moments and see that no run is lost, hangs, or has two plans.

    python -m benchmarks.robustness --database sqlite:///var/robustness.db --worker-kills 50 --server-kills 10

A server with one worker is started on a database of its own. Requests for runs come in steadily, each with an
idempotency key and sent again until it is answered, while the worker process or the server process is killed with
SIGKILL. At the end everything has to be in order; the exit code is 1 otherwise. Reads /proc, so it runs on Linux.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from data.synthetic import FleetSpec, synthetic_problem

TERMINAL = ("succeeded", "failed", "cancelled")
LEASE_SECONDS = 5
_START_SECONDS = 60.0
_END_SECONDS = 600.0
_SIGN_OF_LIFE_SECONDS = 1.5
# More would only wait for each other at the end.
_MOST_WAITING = 5


@dataclass
class Requests:
    """What callers were told: the run of every key, and how often they had to ask again."""

    runs: dict[str, str] = field(default_factory=dict)
    repeated: int = 0
    wrong: list[str] = field(default_factory=list)


class Service:
    """The server process with its worker, started again after each kill."""

    def __init__(self, database: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._database, self._log = database, folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.seen: set[int] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server and wait until it can serve."""
        command = [sys.executable, "-m", "api.cli", "serve", "--port", str(self.port), "--database", self._database]
        own = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
        settings = {"MUSTER_LEASE_SECONDS": str(LEASE_SECONDS), "MUSTER_POLL_SECONDS": "0.1", "MUSTER_WORKERS": "1"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=own | settings, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"the server did not start; see {self._log}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def kill_server(self) -> None:
        """Kill the server, then start it again."""
        assert self._process is not None
        self.note_processes()
        self._process.kill()
        self._process.wait()
        self.start()

    def worker(self) -> int | None:
        """The process id of the worker."""
        assert self._process is not None
        workers = [pid for pid in _children(self._process.pid) if "api.worker" in _command(pid)]
        return workers[0] if workers else None

    def is_working(self) -> bool:
        """Whether a worker has a run in its hands: it gives a sign of life every second."""
        try:
            runs = httpx.get(f"{self.url}/v1/runs", params={"state": "running", "limit": 1}, timeout=5).json()["items"]
        except httpx.TransportError:
            return False
        alive_seconds = [time.time() - datetime.fromisoformat(run["updated_at"]).timestamp() for run in runs]
        return bool(alive_seconds) and alive_seconds[0] < _SIGN_OF_LIFE_SECONDS

    def kill_worker(self) -> bool:
        """Kill the worker; whether there was one."""
        worker = self.worker()
        if worker is None:
            return False
        self.note_processes()
        os.kill(worker, signal.SIGKILL)
        return True

    def note_processes(self) -> None:
        """Remember who is there, to see later that nobody outlived the server."""
        assert self._process is not None
        for worker in _children(self._process.pid):
            self.seen |= {worker, *_children(worker)}


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            # The name may hold spaces and brackets; the parent is the second field behind it.
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(folder.name))
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _ask(service: Service, requests: Requests, every_seconds: float, stop: threading.Event) -> None:
    """Ask for runs until told to stop; each is asked for until there is an answer."""
    number = 0
    # Large enough that a worker is at work for a few seconds, and so most of the time.
    problem = synthetic_problem(FleetSpec(orders=200, engineers=25))
    with httpx.Client(timeout=30) as client:
        while not stop.is_set():
            number += 1
            key = f"request-{number}"
            solve = {"time_limit_seconds": 2 + number % 3, "seed": number}
            document = {**problem, "id": key, "solve": solve}
            headers = {"Idempotency-Key": key, "Prefer": "respond-async"}
            while True:
                try:
                    answer = client.post(f"{service.url}/v1/solve", json=document, headers=headers)
                except httpx.TransportError:
                    requests.repeated += 1
                    time.sleep(0.2)
                    continue
                if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                    requests.repeated += 1
                    time.sleep(0.5)
                    continue
                if answer.status_code == httpx.codes.ACCEPTED:
                    requests.runs[key] = answer.json()["id"]
                else:
                    requests.wrong.append(f"{key}: {answer.status_code} {answer.text[:200]}")
                break
            while not stop.wait(every_seconds) and _waiting(client, service) >= _MOST_WAITING:
                pass


def _waiting(client: httpx.Client, service: Service) -> int:
    """How many runs wait for a worker, as far as the server can say now."""
    try:
        answer = client.get(f"{service.url}/v1/runs", params={"state": "queued", "limit": _MOST_WAITING})
        return len(answer.raise_for_status().json()["items"])
    except httpx.HTTPError:
        return 0


def _kill(service: Service, worker_kills: int, server_kills: int, randomness: random.Random) -> None:
    """Kill in a random order, at random moments of the life of what is killed."""
    kills = ["worker"] * worker_kills + ["server"] * server_kills
    randomness.shuffle(kills)
    for number, kill in enumerate(kills, 1):
        # Four of five hit a worker that has a run, the others one that starts, waits or looks for one.
        wanted = service.is_working if randomness.random() < 0.8 else lambda: service.worker() is not None
        deadline = time.monotonic() + _START_SECONDS
        while not wanted() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(randomness.uniform(0.0, 4.0))
        if kill == "server":
            service.kill_server()
        else:
            while not service.kill_worker():
                time.sleep(0.05)
        print(f"\r{number} of {len(kills)} kills", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _all(url: str, path: str) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        params: dict[str, str | int] = {"limit": 1000} | ({} if after is None else {"after": after})
        page = httpx.get(f"{url}{path}", params=params, timeout=60).raise_for_status().json()
        yield from page["items"]
        after = page["next"]
        if after is None:
            return


def _settled(service: Service) -> list[dict[str, Any]]:
    """All runs once each has ended, or as they are when that takes too long."""
    deadline = time.monotonic() + _END_SECONDS
    while True:
        runs = list(_all(service.url, "/v1/runs"))
        if all(run["state"] in TERMINAL for run in runs) or time.monotonic() > deadline:
            return runs
        time.sleep(1)


def _faults(service: Service, requests: Requests, runs: list[dict[str, Any]]) -> list[str]:
    """Everything that is not as it should be."""
    found = list(requests.wrong)
    by_id = {run["id"]: run for run in runs}
    lost = [key for key, run in requests.runs.items() if run not in by_id]
    found += [f"{key} was accepted, and there is no run of it" for key in lost]
    if len(set(requests.runs.values())) != len(requests.runs):
        found.append("two requests have the same run")
    if len(runs) != len(requests.runs):
        found.append(f"{len(requests.runs)} requests were accepted, and there are {len(runs)} runs")
    found += [f"run {run['id']} is still {run['state']}" for run in runs if run["state"] not in TERMINAL]
    plans = Counter(plan["run_id"] for plan in _all(service.url, "/v1/plans"))
    found += [f"run {run} has {count} plans" for run, count in plans.items() if count > 1]
    for run in runs:
        if (run["state"] == "succeeded") != (plans[run["id"]] == 1) or (run["plan_id"] is None) != (
            not plans[run["id"]]
        ):
            found.append(f"run {run['id']} is {run['state']} and has {plans[run['id']]} plans")
        if run["state"] == "failed" and run["error"]["code"] not in ("WORKER_LOST", "PROCESS_LOST"):
            found.append(f"run {run['id']} failed: {run['error']}")
    return found


def _orphans(service: Service) -> list[str]:
    """Who of the service's processes is left a while after its end."""
    time.sleep(8)
    left = [pid for pid in service.seen if "python" in _command(pid)]
    return [f"process {pid} outlived the server: {_command(pid)}" for pid in left]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", help="the URL of an empty database; a SQLite file that goes again without it")
    parser.add_argument("--worker-kills", type=int, default=50)
    parser.add_argument("--server-kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two requests")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="muster-robustness-"))
    database = arguments.database or f"sqlite:///{folder}/muster.db"
    service, requests, stop = Service(database, folder), Requests(), threading.Event()
    began = time.monotonic()
    service.start()
    if any(True for _ in _all(service.url, "/v1/runs")):
        service.stop()
        print("the database holds runs already: give an empty one", file=sys.stderr)
        return 2
    asking = threading.Thread(target=_ask, args=(service, requests, arguments.every, stop))
    asking.start()
    try:
        _kill(service, arguments.worker_kills, arguments.server_kills, random.Random(arguments.seed))
        stop.set()
        asking.join()
        runs = _settled(service)
        faults = _faults(service, requests, runs)
    finally:
        stop.set()
        asking.join()
        service.note_processes()
        service.stop()
    faults += _orphans(service)
    states = Counter(run["state"] for run in runs)
    table = Table("figure", "count")
    table.columns[1].justify = "right"
    for name, count in (
        ("worker kills", arguments.worker_kills),
        ("server kills", arguments.server_kills),
        ("requests accepted", len(requests.runs)),
        ("requests sent again", requests.repeated),
        *((f"runs {state}", states[state]) for state in TERMINAL),
        ("runs taken more than once", sum(run["attempts"] > 1 for run in runs)),
        ("faults", len(faults)),
        ("seconds", round(time.monotonic() - began)),
    ):
        table.add_row(name, str(count))
    Console().print(f"{database.partition(':')[0]}, seed {arguments.seed}", table)
    for fault in faults[:20]:
        print(fault)
    if not faults:
        shutil.rmtree(folder)
    else:
        print(f"the log of the server is {folder}/server.log")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
