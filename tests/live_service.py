"""A server in a thread of this process, on a test's own database and clock, and clients that tell and follow events."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from starlette.testclient import TestClient

from api.bootstrap import Services
from dispatcher.events import Event, LiveState, rebuild
from dispatcher.told_records import moment
from tests.http_service import application
from tests.planning_over_http import at

Json = dict[str, Any]
Client = httpx.Client | TestClient
_NUMBERS = itertools.count()


@contextmanager
def running(services: Services) -> Iterator[str]:
    """The address of a server that serves these services, until its clients are gone."""
    server = uvicorn.Server(uvicorn.Config(application(services), port=0, log_config=None, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def event(kind: str, clock: str = "07:30", client_id: str | None = None, **body: Any) -> Json:
    name = client_id or f"test-{next(_NUMBERS)}"
    return {"client_id": name, "kind": kind, "occurred_at": at(clock), "body": body}


def send(client: Client, *events: Json) -> list[Json]:
    """What became of each event of a batch."""
    answer = client.post("/v1/events", json={"events": list(events)})
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["events"]
    assert [item["client_id"] for item in found] == [item["client_id"] for item in events]
    return found


def tell(client: Client, *events: Json) -> list[str]:
    """The outcome of each event, or the code with which it was refused."""
    return [item["refusal"]["code"] if item["refusal"] else item["outcome"] for item in send(client, *events)]


def logged(client: Client, limit: int = 100) -> list[Json]:
    """All events of the log, page by page."""
    found: list[Json] = []
    after: int | None = 0
    while after is not None:
        page = client.get("/v1/events", params={"after": after, "limit": limit}).json()
        found += page["items"]
        after = page["next"]
    return found


def streamed(lines: Iterator[str]) -> Iterator[Json]:
    """The events of a stream, each as its data."""
    fields: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields and not line:
            data: Json = json.loads(fields["data"])
            assert (fields["event"], fields["id"]) == (data["kind"], str(data["sequence"]))
            fields = {}
            yield data


def seen(events: list[Json]) -> LiveState:
    """The state that a client comes to who reads the log."""
    return rebuild(Event(item["kind"], moment(item["occurred_at"]), item["body"]) for item in events)
