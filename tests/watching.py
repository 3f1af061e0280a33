"""The watch of a server, plans for it to watch, and what it told."""

from typing import Any

from starlette.testclient import TestClient

from api.watch import Watch
from data.event_log import EventLog, EventRecord
from data.session import Database
from dispatcher.actor import Actor
from tests.http_service import Json, open_services
from tests.planning_over_http import DAY, accept, at, order, planned, put, shift

ANYBODY = Actor("default", "anybody")
QUICKLY: Json = {"territories": ["east"], "dates": [DAY], "options": {"engine": "insertion", "iteration_limit": 100}}


def watch(database: Database, **settings: Any) -> Watch:
    """The watch of a server of its own; without the search, so that nothing depends on how fast a machine is."""
    services = open_services(database, "sqlite:///unused.db", watch_seconds=30, **settings)
    return Watch(services, search_seconds=0.0)


def log(database: Database, *kinds: str) -> list[EventRecord]:
    with database.read(ANYBODY) as work:
        return [item for item in EventLog(work).read(limit=10_000) if item.type in kinds]


def in_force(client: TestClient, database: Database) -> str:
    plan_id = planned(client, database, QUICKLY)
    accept(client, plan_id)
    return plan_id


def following(client: TestClient, database: Database) -> Watch:
    """The watch of a server that has seen a plan come into force."""
    in_force(client, database)
    follower = watch(database)
    follower.look()
    return follower


def held(client: TestClient) -> dict[str, str]:
    """Who is to do what."""
    return {item["work_order"]: item["engineer"] for item in client.get("/v1/visits").json()["items"]}


def crowded(client: TestClient) -> None:
    """One engineer, whose only order has to begin at once: an L1 at the same time makes it late."""
    put(client, "territories", {"id": "east", "timezone": "UTC"})
    places = {"depot": 13.40, "S1": 13.42, "S2": 13.44}
    put(client, "sites", *({"id": n, "timezone": "UTC", "lat": 52.5, "lon": lon} for n, lon in places.items()))
    put(client, "engineers", {"id": "E1", "territory": "east"})
    put(client, "shifts", shift("E1"))
    put(client, "work-orders", order("W1", level="L2", deadlines={"arrive_by": at("08:20")}))


URGENT: Json = order("W9", "S2", level="L1", deadlines={"arrive_by": at("08:20")})
