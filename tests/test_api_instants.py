"""Instants in answers have one form: that of the planning document, in whole seconds, with Z where they are in UTC."""

import re
from collections.abc import Iterator
from typing import Any

from starlette.testclient import TestClient

from data.session import Database
from dispatcher.validate_values import INSTANT_PATTERN
from tests.databases import SetClock
from tests.http_service import Json, sqlite_client, sqlite_database, sqlite_url
from tests.planning_over_http import DAY, accept, at, order, planned, put, store_day

__all__ = ["sqlite_client", "sqlite_database", "sqlite_url"]

_LIKE_AN_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9].*")
_IN_UTC = {"created_at", "updated_at", "occurred_at", "recorded_at", "planned_start", "planned_end", "due"}


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text of an answer with the name of its field, but for what was told and is kept as it was."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from () if key == "body" else texts(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, name)
    elif isinstance(value, str):
        yield name, value


def test_every_answer_writes_instants_in_one_form(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    clock = sqlite_database.clock
    assert isinstance(clock, SetClock)
    # A clock that stands between two seconds shows what nobody cut off.
    clock.advance(0.123456)
    store_day(client)
    plan_id = planned(client, sqlite_database)
    accept(client, plan_id)
    put(client, "work-orders", order("W9", "S2", level="L2", opened_at=at("07:00")))
    answers: list[Json] = []

    def kept(answer: Any) -> Json:
        assert answer.status_code in (200, 202), answer.text
        answers.append(answer.json())
        found: Json = answer.json()
        return found

    because = {"level": "L1", "reason": "the ship leaves at noon"}
    kept(client.put("/v1/work-orders/W9/level", json=because, headers={"If-Match": "*"}))
    told = {"client_id": "1", "kind": "engineer_off_sick", "occurred_at": at("07:20")}
    kept(client.post("/v1/events", json={"events": [{**told, "body": {"engineer": "E2", "shift": DAY}}]}))
    [run] = kept(client.get("/v1/runs"))["items"]
    for path in (
        f"runs/{run['id']}",
        "plans",
        f"plans/{plan_id}/record",
        f"plans/{plan_id}/on-time",
        "events",
        "engineers/E1/next",
        f"engineers/E1/route?date={DAY}",
        "engineers",
        "shifts",
        "visits",
        "work-orders",
        "work-orders/W9/clocks",
        "work-orders/W9/candidates",
        "work-orders/W9/slots",
        "work-orders/W9/explanation",
        "sla/at-risk?territory=east",
        f"skills/coverage?territory=east&date={DAY}",
        f"skills/gaps?territory=east&date={DAY}",
        "skills/history?territory=east",
    ):
        kept(client.get(f"/v1/{path}"))
    kept(client.post(f"/v1/plans/{plan_id}/repair", json={"mode": "instant"}))
    kept(client.post("/v1/sla/crossings?territory=east"))
    found = [(name, text) for answer in answers for name, text in texts(answer) if _LIKE_AN_INSTANT.fullmatch(text)]
    assert len(found) > 100
    assert [pair for pair in found if not re.fullmatch(INSTANT_PATTERN, pair[1]) or "." in pair[1]] == []
    assert [pair for pair in found if pair[0] in _IN_UTC and not pair[1].endswith("Z")] == []
    assert {name for name, _ in found} >= _IN_UTC
