"""How the service bears a large fleet and many phones: `python -m benchmarks.load`, with `--write` into the docs.

A server of its own on an empty SQLite file gets a fleet over HTTP, is paged through while its memory is watched, makes
a plan and puts it in force. Then routes are asked for at a fixed rate while the next plan is being searched, beside a
server that shares the machine with the search and with this client. A request's time counts from when it was due, not
from when a connection was free, so that a server that stalls cannot hide it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from api.client import Service
from api.import_state import FleetRecords, fleet_records
from benchmarks.options import positive_seconds
from data.synthetic import DEMO, synthetic_problem

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks-service.md"
CONNECTIONS = 32
START_SECONDS = 60.0
_ADDRESS = re.compile(r"http://[\d.]+:\d+")

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the server: status, ETag, and the seconds since the request was due."""

    status: int
    tag: str
    seconds: float


@dataclass(slots=True)
class Figures:
    """What was measured, in the order of the steps; `answers` are those of the load, `errors` what had none."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note(self, what: str, figure: str) -> None:
        self.lines.append((what, figure))
        Console().print(f"{what}: {figure}", highlight=False)


class Connection:
    """One kept connection that asks for routes. Raw, since a full client would need the core that it measures."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, tag: str | None, due: float) -> Answer:
        """Raises OSError or ValueError where there is no whole answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        condition = f"If-None-Match: {tag}\r\n" if tag else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n{condition}\r\n".encode())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status = int(head.split(" ", 2)[1])
            headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
            await reader.readexactly(int(headers.get("content-length", "0")))
        except asyncio.IncompleteReadError as error:
            self.close()
            raise OSError("the connection was closed") from error
        return Answer(status, headers.get("etag", ""), time.monotonic() - due)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@contextmanager
def running_server(folder: Path) -> Iterator[tuple[str, int]]:
    """The address of a server with a worker on an empty database, and its process."""
    command = [sys.executable, "-m", "api.cli", "serve", "--port", "0", "--database", f"sqlite:///{folder}/muster.db"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert server.stdout is not None
            found = next((_ADDRESS.search(line) for line in server.stdout if _ADDRESS.search(line)), None)
            if found is None:
                raise SystemExit(f"the server did not start:\n{(folder / 'server.log').read_text()}")
            yield found[0], server.pid
        finally:
            server.terminate()
            server.wait(START_SECONDS)


def memory_mb(process: int) -> float | None:
    """The resident memory of a process in MB, or None where the system does not tell."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return None
    kilobytes = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
    return int(kilobytes[1]) / 1024 if kilobytes else None


def cpu_seconds(process: int) -> float | None:
    """The CPU time of a process without its children, or None where the system does not tell."""
    status = Path(f"/proc/{process}/stat")
    if not status.exists():
        return None
    user, system = status.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def import_fleet(service: Service, fleet: FleetRecords, figures: Figures) -> None:
    began = time.perf_counter()
    for collection in fleet.collections:
        service.store(collection, lambda records: None)
    records = sum(len(collection.records) for collection in fleet.collections)
    figures.note("import", f"{records:,} records in {time.perf_counter() - began:.1f} s")


def page_through(service: Service, fleet: FleetRecords, process: int, figures: Figures) -> None:
    """Read every list to its end, twice, and look at the server's memory before, between and after."""
    before = memory_mb(process)
    readings = []
    began = time.perf_counter()
    for _ in range(2):
        for collection in fleet.collections:
            read = sum(len(page["items"]) for page in service.pages(collection.name))
            if read != len(collection.records):
                raise SystemExit(f"{collection.name}: {read} records were read, {len(collection.records)} stored")
        readings.append(memory_mb(process))
    figures.note("paging through all lists, twice", f"{time.perf_counter() - began:.1f} s")
    told = " → ".join("–" if reading is None else f"{reading:.0f} MB" for reading in (before, *readings))
    figures.note("memory of the server before, after once, after twice", told)


def plan_request(document: Document, seconds: float) -> Document:
    territories = {item["territory"] for item in (*document["engineers"], *document["work_orders"])}
    day = document["horizon"]["start"][:10]
    return {"territories": sorted(territories), "dates": [day], "options": {"time_limit_seconds": seconds}}


def plan_and_accept(service: Service, request: Document, figures: Figures) -> Document:
    """The plan in force."""
    began = time.perf_counter()
    reports = list(service.follow(service.ask_for_plan(request)["id"]))
    run = reports[-1]
    if run.get("plan_id") is None:
        raise SystemExit(f"the run ended without a plan: {run}")
    plan = service.get(f"/v1/plans/{run['plan_id']}")
    seconds = time.perf_counter() - began
    limit = request["options"]["time_limit_seconds"]
    orders = {stop["work_order"] for route in plan["routes"] for stop in route["stops"] if stop.get("work_order")}
    served = f"{len(orders):,} orders served, {len(plan['unassigned']):,} not"
    figures.note("plan", f"{seconds:.0f} s in all with a time limit of {limit:g} s, {len(reports)} reports; {served}")
    began = time.perf_counter()
    service.accept(run["plan_id"])
    figures.note("acceptance", f"{time.perf_counter() - began:.2f} s")
    return plan


async def twice(address: str, path: str, figures: Figures) -> None:
    """One route, and again with its ETag."""
    where = urlsplit(address)
    assert where.hostname is not None
    assert where.port is not None
    connection = Connection(where.hostname, where.port)
    first = await connection.get(path, None, time.monotonic())
    second = await connection.get(path, first.tag, time.monotonic())
    connection.close()
    figures.note("one route, and again with its ETag", f"{first.status}, then {second.status}")
    if (first.status, second.status) != (200, 304):
        raise SystemExit("expected 200, then 304")


async def load(address: str, paths: Sequence[str], rate: float, seconds: float, figures: Figures) -> None:
    """Ask for routes `rate` times a second. Every second request bears the ETag that the phone has."""
    where = urlsplit(address)
    assert where.hostname is not None
    assert where.port is not None
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(Connection(where.hostname, where.port))
    tags: dict[str, str] = {}

    async def ask(number: int, due: float) -> None:
        path = paths[number % len(paths)]
        connection = await free.get()
        try:
            answer = await connection.get(path, tags.get(path) if number % 2 else None, due)
        except (OSError, ValueError) as error:
            connection.close()
            figures.errors.append(str(error) or type(error).__name__)
        else:
            tags[path] = answer.tag
            figures.answers.append(answer)
            if answer.status not in (200, 304):
                figures.errors.append(f"status {answer.status}")
        finally:
            free.put_nowait(connection)

    began = time.monotonic()
    tasks = set()
    for number in range(int(rate * seconds)):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        task = asyncio.create_task(ask(number, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks)
    while not free.empty():
        free.get_nowait().close()


def percentile(ascending: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of the values do not exceed."""
    return ascending[max(0, -(-len(ascending) * percent // 100) - 1)]


def rows(figures: Figures) -> list[tuple[str, ...]]:
    """The table of the load: answers by status, and all of them."""
    found = []
    statuses: Mapping[str, Sequence[int]] = {"all": range(100, 600), "200": (200,), "304": (304,)}
    for name, wanted in statuses.items():
        seconds = sorted(answer.seconds for answer in figures.answers if answer.status in wanted)
        errors = str(len(figures.errors)) if name == "all" else ""
        if seconds:
            times = [f"{percentile(seconds, percent) * 1000:.1f} ms" for percent in (50, 95, 99, 100)]
            found.append((name, f"{len(seconds):,}", *times, errors))
    return found


HEADINGS = ("answers", "requests", "p50", "p95", "p99", "longest", "errors")


def measure(arguments: argparse.Namespace) -> Figures:
    figures = Figures()
    tomorrow = (datetime.now(ZoneInfo(DEMO.timezone)) + timedelta(days=1)).date()
    spec = replace(DEMO, orders=arguments.orders, engineers=arguments.engineers, date=tomorrow)
    Console().print("Making the fleet ...", highlight=False)
    document = synthetic_problem(spec)
    fleet = fleet_records(document)
    with (
        tempfile.TemporaryDirectory(prefix="muster-load-") as folder,
        running_server(Path(folder)) as (address, process),
    ):
        with Service(address) as service:
            import_fleet(service, fleet, figures)
            page_through(service, fleet, process, figures)
            plan = plan_and_accept(service, plan_request(document, arguments.time_limit), figures)
            engineers = dict.fromkeys(route["engineer"] for route in plan["routes"])
            paths = [f"/v1/engineers/{quote(name)}/route?date={tomorrow}" for name in engineers]
            asyncio.run(twice(address, paths[0], figures))
            solving = service.ask_for_plan(plan_request(document, arguments.seconds + 30))
            wait_until_running(service, solving["id"])
            server_began, client_began = cpu_seconds(process), time.process_time()
            asyncio.run(load(address, paths, arguments.routes_per_second, arguments.seconds, figures))
            server_ended, client_ended = cpu_seconds(process), time.process_time()
            if server_began is not None and server_ended is not None and figures.answers:
                server, client = (
                    f"{1000 * seconds / len(figures.answers):.1f} ms"
                    for seconds in (server_ended - server_began, client_ended - client_began)
                )
                figures.note("CPU time of a route request", f"{server} in the server, {client} in the client")
            state_after = service.get(f"/v1/runs/{solving['id']}")["state"]
            figures.note("the run beside the load", f"{state_after} at its end")
            service.cancel(solving["id"])
        figures.note("memory of the server after the load", f"{memory_mb(process) or 0:.0f} MB")
    return figures


def wait_until_running(service: Service, run: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while service.get(f"/v1/runs/{run}")["state"] == "queued":
        if time.monotonic() > deadline:
            raise SystemExit("no worker takes the run")
        time.sleep(0.2)


def report(figures: Figures, arguments: argparse.Namespace) -> str:
    """The measurements as a page."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    rate, seconds = f"{arguments.routes_per_second:g}", f"{arguments.seconds:g}"
    command = f"python -m benchmarks.load --routes-per-second {rate} --seconds {seconds}"
    head = [
        "# Benchmarks of the service",
        "",
        f"Written by `{command} --write` on {datetime.now(UTC):%-d %B %Y},",
        f"{machine}, SQLite. Server, worker, search and client shared the machine.",
        f"The fleet: {arguments.engineers:,} engineers, {arguments.orders:,} work orders.",
        "",
        "| step | |",
        "|---|---|",
        *(f"| {what} | {figure} |" for what, figure in figures.lines),
        "",
        f"Routes, {rate} requests a second for {seconds} s, while the next plan was searched. A",
        "request's time counts from when it was due. Every second request bore the ETag of the answer before.",
        "",
        f"| {' | '.join(HEADINGS)} |",
        f"|{'---|' * len(HEADINGS)}",
        *(f"| {' | '.join(row)} |" for row in rows(figures)),
    ]
    return "\n".join(head) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engineers", type=int, default=1000)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--routes-per-second", type=float, default=200)
    parser.add_argument("--seconds", type=positive_seconds, default=60, help="how long the routes are asked for")
    parser.add_argument(
        "--time-limit", type=positive_seconds, default=20, help="seconds of search for the plan in force"
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    arguments = parser.parse_args()
    figures = measure(arguments)
    table = Table(*HEADINGS)
    for row in rows(figures):
        table.add_row(*row)
    Console().print(table)
    if figures.errors:
        Console().print(f"errors: {json.dumps(sorted(set(figures.errors))[:10])}", highlight=False)
    if arguments.write:
        PAGE.write_text(report(figures, arguments), encoding="utf-8")
    return 1 if figures.errors else 0


if __name__ == "__main__":
    sys.exit(main())
