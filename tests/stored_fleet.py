"""A small stored state that tests of storage begin with: one record of every kind, all of them connected."""

from datetime import UTC, date, datetime
from typing import Any

from data.job_store import JobStore, Runs
from data.repositories import Change, Publication, Repository, Scope
from data.session import Database, UnitOfWork
from dispatcher.actor import Actor
from dispatcher.documents import problem_sha256
from tests.databases import ACTOR

MONDAY = date(2026, 11, 23)


def at(hour: int, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


RECORDS: list[tuple[str, dict[str, Any]]] = [
    ("territory", {"external_id": "east", "timezone": "Asia/Shanghai"}),
    ("territory", {"external_id": "west", "timezone": "Asia/Shanghai"}),
    ("customer", {"external_id": "C1", "name": "Harbour"}),
    ("contract", {"external_id": "K1", "customer": "C1", "starts_on": date(2026, 1, 1)}),
    (
        "site",
        {
            "external_id": "S1",
            "customer": "C1",
            "territory": "east",
            "latitude": 31.2,
            "longitude": 121.5,
            "timezone": "Asia/Shanghai",
        },
    ),
    ("site", {"external_id": "depot", "timezone": "Asia/Shanghai"}),
    ("asset_model", {"external_id": "M1"}),
    ("asset", {"external_id": "A1", "site": "S1", "asset_model": "M1", "contract": "K1"}),
    ("asset", {"external_id": "A2", "site": "S1"}),
    ("asset_relation", {"external_id": "AR1", "type": "part_of", "from_asset": "A1", "to_asset": "A2"}),
    ("skill", {"external_id": "hydraulics"}),
    ("skill", {"external_id": "pumps"}),
    (
        "skill_relation",
        {
            "external_id": "R1",
            "type": "implies",
            "from_skill": "hydraulics",
            "to_skill": "pumps",
            "body": {"level_loss": 1},
        },
    ),
    (
        "engineer",
        {
            "external_id": "E1",
            "territory": "east",
            "body": {"skills": [{"skill": "hydraulics", "level": 4}], "speed_factor": 1.1},
        },
    ),
    (
        "shift",
        {
            "external_id": "mon",
            "engineer": "E1",
            "local_date": MONDAY,
            "start": at(0),
            "end": at(9),
            "latest_end": at(10),
            "body": {"start_location": "depot"},
        },
    ),
    (
        "engineer_position",
        {"engineer": "E1", "latitude": 31.3, "longitude": 121.4, "recorded_at": at(1)},
    ),
    (
        "work_order",
        {
            "external_id": "W1",
            "site": "S1",
            "asset": "A1",
            "territory": "east",
            "level": "L2",
            "body": {"service_seconds": 3600, "required_skills": [{"skill": "pumps", "level": 2}]},
        },
    ),
    ("visit", {"external_id": "V1", "work_order": "W1", "engineer": "E1", "shift": "mon"}),
]


def store(work: UnitOfWork, kind: str, **values: Any) -> None:
    Repository(work, kind).upsert([Change(values)])


def store_fleet(database: Database, actor: Actor = ACTOR) -> None:
    with database.write(actor) as work:
        for kind, values in RECORDS:
            store(work, kind, **values)


def publication(
    *routes: tuple[str, str, int], scopes: dict[Scope, int] | None = None, total: int = 7, name: str = "problem"
) -> Publication:
    """A plan as a planner hands it over, with `routes` of (engineer, shift, any number that tells routes apart)."""
    # Numbers and an order of keys that a database of its own mind would rewrite.
    problem = {"version": 1, "id": name, "z": [1e22, -0.0, 1.10, 10**30], "a": {"é": "\u2028😀"}}
    plan = {
        "version": 1,
        "score": {"total": total, "terms": []},
        "routes": [
            {"engineer": engineer, "shift": shift, "stops": [{"travel_seconds": number}]}
            for engineer, shift, number in routes
        ],
        "receipt": {"problem_sha256": problem_sha256(problem)},
    }
    return Publication(problem, plan, scopes or {})


def publish(database: Database, made: Publication, actor: Actor = ACTOR) -> str:
    """A plan of a run that asked for it, a worker made it; its id."""
    with database.write(actor) as work:
        Runs(work).enqueue("plan", {"problem": made.problem["id"]})
    store = JobStore(database)
    claim = store.claim("worker-1")
    assert claim is not None
    return store.finish_succeeded(claim, made)
