"""A small fleet stored over HTTP, and what a worker does, in the test's own process and on its clock."""

from datetime import date
from typing import Any

from starlette.testclient import TestClient

from api.planning_state import snapshot
from api.problems import SolveOptions, solve_document
from data.job_store import JobStore
from data.repositories import Publication, Scope
from data.session import Database
from dispatcher.actor import Actor
from dispatcher.services.state import PlanQuestion

Json = dict[str, Any]
DAY = "2026-11-23"
QUESTION: Json = {"territories": ["east"], "dates": [DAY], "options": {"iteration_limit": 50}}


def at(clock: str, day: str = DAY) -> str:
    return f"{day}T{clock}:00Z"


def shift(engineer: str, day: str = DAY, **fields: Any) -> Json:
    """A shift that begins when the test's clock stands at 07:30."""
    own = {"engineer": engineer, "id": day, "date": day, "start": at("08:00", day), "end": at("16:00", day)}
    return {**own, "start_location": "depot", **fields}


def order(name: str, location: str = "S1", **fields: Any) -> Json:
    return {"id": name, "location": location, "territory": "east", "service_seconds": 1800, **fields}


def put(client: TestClient, name: str, *records: Json) -> None:
    answer = client.put(f"/v1/{name}", json=list(records))
    assert answer.status_code == 200, answer.text


def store_day(client: TestClient) -> None:
    """Two engineers of the east with a shift each, three orders there, one in the west."""
    put(client, "territories", *({"id": name, "timezone": "UTC"} for name in ("east", "west")))
    places = {"depot": 13.40, "S1": 13.42, "S2": 13.44}
    put(client, "sites", *({"id": n, "timezone": "UTC", "lat": 52.5, "lon": lon} for n, lon in places.items()))
    put(client, "engineers", *({"id": name, "territory": "east"} for name in ("E1", "E2")))
    put(client, "shifts", shift("E1"), shift("E2"))
    put(client, "work-orders", order("W1"), order("W2", "S2"), order("W3"), order("W4", territory="west"))


def change(client: TestClient, path: str, **fields: Any) -> Json:
    """Replace some fields of a record that is stored."""
    found = client.get(f"/v1/{path}")
    kept = {k: v for k, v in found.json().items() if k not in ("version", "created_at", "updated_at", "updated_by")}
    answer = client.put(f"/v1/{path}", json={**kept, **fields}, headers={"If-Match": found.headers["etag"]})
    assert answer.status_code == 200, answer.text
    written: Json = answer.json()
    return written


def work_off(database: Database) -> None:
    """Take the run that waits, plan it and publish the plan."""
    store = JobStore(database)
    claim = store.claim("worker-1")
    assert claim is not None
    request = claim.request
    if claim.kind == "solve":
        document, scopes = request["document"], dict[Scope, int]()
    else:
        dates = [date.fromisoformat(day) for day in request["dates"]]
        question = PlanQuestion(f"plan-{claim.run_id}", request["territories"], dates)
        with database.read(Actor(claim.tenant_id, "worker-1")) as work:
            document, scopes = snapshot(work, question)
    plan = solve_document(document, SolveOptions(**request["options"]))
    store.finish_succeeded(claim, Publication(document, plan, scopes))


def planned(client: TestClient, database: Database, question: Json = QUESTION) -> str:
    """The id of a plan over what is stored."""
    asked = client.post("/v1/plans", json=question)
    assert asked.status_code == 202, asked.text
    work_off(database)
    plan_id = client.get(asked.headers["location"]).json()["plan_id"]
    assert isinstance(plan_id, str)
    return plan_id


def accept(client: TestClient, plan_id: str) -> Json:
    answer = client.post(f"/v1/plans/{plan_id}/accept", headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found
