"""A demo day that is stored, planned and under way, for tests that speak to the service about it."""

from datetime import UTC, date, datetime
from typing import Any

from starlette.testclient import TestClient

from api.import_state import DEFAULT_TERRITORY, fleet_records
from data.session import Database
from data.synthetic import DEMO, FleetSpec
from tests.databases import SetClock
from tests.planning_over_http import planned

Json = dict[str, Any]
DAY = date(2026, 11, 24)


def demo_spec(**fields: Any) -> FleetSpec:
    values = {name: getattr(DEMO, name) for name in DEMO.__dataclass_fields__}
    return FleetSpec(**{**values, "date": DAY, **fields})


def store_and_plan(client: TestClient, database: Database, document: Json) -> str:
    """Store a document's fleet and work, plan it by insertion and put the plan in force; the plan's id."""
    for collection in fleet_records(document).collections:
        for batch in collection.batches(500):
            answer = client.put(f"/v1/{collection.name}", json=list(batch))
            assert answer.status_code == 200, answer.text
    territories = {
        item.get("territory") or DEFAULT_TERRITORY for item in (*document["engineers"], *document["work_orders"])
    }
    question = {
        "territories": sorted(territories),
        "dates": [document["horizon"]["start"][:10]],
        "options": {"engine": "insertion", "iteration_limit": 90},
    }
    plan_id = planned(client, database, question)
    answer = client.post(f"/v1/plans/{plan_id}/accept", headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    return plan_id


def live_until(client: TestClient, database: Database, instant: str) -> None:
    """Let the day run as planned until an instant: work before it is done, work at it is under way."""
    clock = database.clock
    assert isinstance(clock, SetClock)
    now = datetime.fromisoformat(instant)
    clock.advance((now - clock.now()).total_seconds())
    visits = _all(client, "visits")
    orders = {item["id"]: item for item in _all(client, "work-orders")}
    changed: list[Json] = []
    done: dict[str, Json] = {}
    by_order: dict[str, list[Json]] = {}
    for visit in visits:
        by_order.setdefault(visit["work_order"], []).append(visit)
    for name, held in by_order.items():
        starts, ends = ([_instant(visit[key]) for visit in held] for key in ("planned_start", "planned_end"))
        for visit, start, end in zip(held, starts, ends, strict=True):
            if end <= now:
                changed.append({**visit, "status": "done", "started_at": _text(start), "ended_at": _text(end)})
            elif start <= now:
                changed.append({**visit, "status": "on_site", "started_at": _text(start)})
        if max(ends) <= now:
            done[name] = {**orders[name], "status": "done"}
        elif min(starts) <= now:
            done[name] = {**orders[name], "status": "in_progress"}
    for kind, records in (("visits", changed), ("work-orders", list(done.values()))):
        answer = client.put(f"/v1/{kind}", json=[_kept(record) for record in records])
        assert answer.status_code == 200, answer.text


def _all(client: TestClient, kind: str) -> list[Json]:
    found: list[Json] = client.get(f"/v1/{kind}", params={"limit": 1000}).json()["items"]
    return found


def _kept(record: Json) -> Json:
    return {k: v for k, v in record.items() if k not in ("version", "created_at", "updated_at", "updated_by")}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
