"""Events over HTTP: told in batches, applied once, read back and followed, and what a phone fetches next."""

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from api.event_schemas import BODIES
from data.live_records import stored_live_state
from data.session import Database
from dispatcher.actor import Actor
from dispatcher.errors import EVENT_CODES
from dispatcher.events import KINDS
from dispatcher.live_state import differences
from tests.databases import SetClock
from tests.http_service import Json, client, open_services, sqlite_client, sqlite_database, sqlite_url
from tests.live_service import event, logged, running, seen, send, streamed, tell
from tests.planning_over_http import DAY, accept, at, change, order, planned, put, store_day
from tests.service_process import serving
from tests.test_docs import DOCS, names_in, section, table_rows

__all__ = ["client", "sqlite_client", "sqlite_database", "sqlite_url"]

ANYBODY = Actor("default", "anybody")
# Any plan will do, and this one is there at once.
QUICKLY: Json = {"territories": ["east"], "dates": [DAY], "options": {"engine": "insertion", "iteration_limit": 100}}


def visits(client: TestClient) -> dict[str, Json]:
    """The one visit of each order."""
    return {item["work_order"]: item for item in client.get("/v1/visits").json()["items"]}


def status(client: TestClient, name: str) -> str:
    return str(client.get(f"/v1/work-orders/{name}").json()["status"])


def day_in_force(client: TestClient, database: Database) -> None:
    store_day(client)
    accept(client, planned(client, database, QUICKLY))


def who(client: TestClient, name: str = "W1") -> Json:
    visit = visits(client)[name]
    return {"work_order": name, "engineer": visit["engineer"]}


# Both databases


def test_a_day_of_events_is_stored_and_its_log_leads_to_what_is_stored(client: TestClient, database: Database) -> None:
    day_in_force(client, database)
    first = who(client)
    batch = [
        event("visit_accepted", "07:00", **first),
        event("visit_en_route", "07:10", **first),
        event("visit_arrived", "07:15", **first),
        event("visit_finished", "07:25", notes="done", **first),
        event("order_opened", order=order("W9", level="L1")),
        event("order_regraded", work_order="W2", level="L1", reason="customer rang"),
        event("order_cancelled", work_order="W3"),
        event("engineer_position", engineer="E1", lat=52.5, lon=13.4),
        event("travel_slower", territory="east", factor=1.5, until=at("12:00")),
        event("engineer_off_sick", engineer="E2", shift=DAY),
    ]
    assert tell(client, *batch) == ["applied"] * len(batch)
    assert (status(client, "W1"), status(client, "W3"), status(client, "W9")) == ("done", "cancelled", "open")
    assert client.get("/v1/work-orders/W2").json()["level"] == "L1"
    told = logged(client, limit=3)
    assert [item["sequence"] for item in told] == list(range(1, len(told) + 1))
    regraded = next(item for item in told if item["kind"] == "order_regraded")
    assert (regraded["subject"], regraded["reason"]) == ("work_order W2", "customer rang")
    with database.read(ANYBODY) as work:
        assert differences(seen(told), stored_live_state(work)) == []
    # The next plan knows all of it.
    problem = client.get(f"/v1/plans/{planned(client, database, QUICKLY)}/problem").json()
    assert problem["travel"]["traffic"][0]["factor"] == 1.5
    assert [item["id"] for item in problem["engineers"] if item["shifts"]] == ["E1"]
    assert {item["id"] for item in problem["work_orders"]} == {"W2", "W9"}


def test_what_was_told_before_counts_once(client: TestClient, database: Database) -> None:
    day_in_force(client, database)
    first = who(client)
    batch = [event("visit_arrived", **first), event("visit_finished", **first)]
    before = send(client, *batch)
    again = send(client, *batch, event("visit_noted", notes="x", **first), batch[0])
    assert [item["outcome"] for item in again] == ["known", "known", "applied", "known"]
    assert [item["sequence"] for item in again[:2]] == [item["sequence"] for item in before]
    other = {**batch[0], "occurred_at": at("07:29")}
    assert tell(client, other, {**batch[0], "body": {**first, "shift": DAY}}) == ["IDEMPOTENCY_CONFLICT"] * 2


def test_a_batch_out_of_a_dead_spot_is_applied_in_the_order_in_which_it_happened(
    client: TestClient, database: Database
) -> None:
    day_in_force(client, database)
    first = who(client)
    finished, arrived, set_out = (
        event("visit_finished", "07:20", **first),
        event("visit_arrived", "07:10", **first),
        event("visit_en_route", "07:00", **first),
    )
    assert tell(client, finished, arrived, set_out) == ["applied"] * 3
    visit = visits(client)["W1"]
    assert [visit[name] for name in ("departed_at", "arrived_at", "ended_at")] == [
        at("07:00"),
        at("07:10"),
        at("07:20"),
    ]


def test_each_event_is_applied_or_refused_for_itself(client: TestClient, database: Database) -> None:
    day_in_force(client, database)
    first = who(client)
    good = event("order_regraded", work_order="W2", level="L2", reason="x")
    missing = [{"skill": "unheard of"}]
    bad = [
        event("order_cancelled", work_order="W9"),
        event("visit_failed", cause="skill", missing_skills=missing, **first),
        event("order_opened", order=order("W8", "nowhere")),
        event("visit_arrived", "09:00", **first),
        event("order_edited", work_order="W1", changes={"parts": {"P": 1}}, version=99),
        event("order_edited", work_order="W99", changes={}, version=1),
        event("engineer_position", engineer="E99", lat=0, lon=0),
    ]
    length = len(logged(client))
    found = send(client, *bad, good)
    assert [item["refusal"]["code"] for item in found[:-1]] == [
        "NOT_FOUND",
        "UNKNOWN_REFERENCE",
        "UNKNOWN_REFERENCE",
        "IN_THE_FUTURE",
        "STALE_VERSION",
        "NOT_FOUND",
        "UNKNOWN_REFERENCE",
    ]
    assert all(item["refusal"]["remedy"] and item["sequence"] is None for item in found[:-1])
    assert found[-1]["outcome"] == "applied"
    assert len(logged(client)) == length + 1
    assert (status(client, "W1"), visits(client)["W1"]["status"]) == ("planned", "planned")


def test_of_two_consoles_that_edit_one_order_the_second_sees_what_the_first_did(client: TestClient) -> None:
    store_day(client)
    version = client.get("/v1/work-orders/W1").json()["version"]
    edits = [
        event("order_edited", work_order="W1", changes={"service_seconds": seconds}, version=version)
        for seconds in (60, 120)
    ]
    assert tell(client, *edits) == ["applied", "STALE_VERSION"]
    found = client.get("/v1/work-orders/W1").json()
    assert (found["service_seconds"], found["version"]) == (60, version + 1)


def test_a_phone_fetches_its_next_job_once_while_it_stays_the_same(client: TestClient, database: Database) -> None:
    day_in_force(client, database)
    by = who(client)["engineer"]
    mine = sorted(
        (item for item in visits(client).values() if item["engineer"] == by), key=lambda v: v["planned_start"]
    )
    path = f"/v1/engineers/{by}/next"
    answer = client.get(path)
    job = answer.json()["job"]
    assert (job["work_order"], job["status"], job["location"]) == (mine[0]["work_order"], "planned", job["location"])
    assert (job["shift"], job["service_seconds"], answer.json()["waiting"]) == (DAY, 1800, len(mine) - 1)
    assert (job["lat"], len(answer.content) < 600) == (52.5, True)
    tag = {"If-None-Match": answer.headers["etag"]}
    assert client.get(path, headers=tag).status_code == 304
    assert tell(client, event("order_cancelled", work_order=job["work_order"])) == ["applied"]
    after = client.get(path, headers=tag)
    assert after.status_code == 200
    assert (after.json()["job"] or {}).get("work_order") != job["work_order"]


# One is enough


def test_there_is_no_next_job_where_there_is_no_visit_and_none_for_nobody(sqlite_client: TestClient) -> None:
    store_day(sqlite_client)
    assert sqlite_client.get("/v1/engineers/E1/next").json() == {"engineer": "E1", "job": None, "waiting": 0}
    assert sqlite_client.get("/v1/engineers/E9/next").status_code == 404


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"events": [{"kind": "visit_arrived"}]}, "events[0].client_id", "MISSING_FIELD"),
        ({"events": [event("order_lost")]}, "events[0].kind", "UNKNOWN_VALUE"),
        ({"events": [event("order_cancelled", work_order=7)]}, "events[0].body.work_order", "WRONG_TYPE"),
        ({"events": [event("order_cancelled", work_order="W1", levl=1)]}, "events[0].body.levl", "UNKNOWN_FIELD"),
        (
            {"events": [event("order_opened", order=order("W8", status="done"))]},
            "events[0].body.order.status",
            "UNKNOWN_VALUE",
        ),
        (
            {"events": [event("order_edited", work_order="W1", changes={"location": None})]},
            "events[0].body.changes.location",
            "WRONG_TYPE",
        ),
        (
            {
                "events": [
                    event(
                        "order_edited",
                        work_order="W1",
                        changes={"time_windows": [{"start": at("09:00"), "end": at("08:00")}]},
                    )
                ]
            },
            "events[0].body.changes.time_windows[0].end",
            "ORDER",
        ),
        ({"events": "none"}, "events", "WRONG_TYPE"),
        ([], "", "WRONG_TYPE"),
    ],
)
def test_a_batch_with_a_malformed_event_is_refused_whole(
    sqlite_client: TestClient, body: Any, path: str, code: str
) -> None:
    if isinstance(body, dict) and isinstance(body["events"], list):
        body["events"].append(event("order_opened", order=order("W7", "S1")))
    answer = sqlite_client.post("/v1/events", json=body)
    assert answer.status_code == 422, answer.text
    assert (path, code) in [(issue["path"], issue["code"]) for issue in answer.json()["issues"]]
    assert logged(sqlite_client) == []


def test_what_consoles_write_themselves_is_in_the_log_too(sqlite_client: TestClient, sqlite_database: Database) -> None:
    day_in_force(sqlite_client, sqlite_database)
    sequence = logged(sqlite_client)[-1]["sequence"]
    put(sqlite_client, "work-orders", order("W5"))
    put(sqlite_client, "work-orders", order("W5"))
    change(sqlite_client, f"engineers/E1/shifts/{DAY}", status="active")
    tag = sqlite_client.get("/v1/work-orders/W5").headers["etag"]
    assert sqlite_client.delete("/v1/work-orders/W5", headers={"If-Match": tag}).status_code == 204
    told = sqlite_client.get("/v1/events", params={"after": sequence}).json()["items"]
    assert [(item["kind"], item["subject"]) for item in told] == [
        ("records_changed", "work_order"),
        ("records_changed", "shift"),
        ("records_changed", "work_order"),
    ]
    assert told[-1]["body"] == {"kind": "work_order", "deleted": [["W5"]]}
    with sqlite_database.read(ANYBODY) as work:
        assert differences(seen(logged(sqlite_client)), stored_live_state(work)) == []


def test_a_plan_made_before_somebody_fell_ill_is_not_put_in_force(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    store_day(sqlite_client)
    plan_id = planned(sqlite_client, sqlite_database, QUICKLY)
    off = [event("engineer_off_sick", engineer=name, shift=DAY) for name in ("E1", "E2")]
    assert tell(sqlite_client, *off) == ["applied"] * 2
    answer = sqlite_client.post(f"/v1/plans/{plan_id}/accept", headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (409, "WRONG_STATE")
    assert answer.json()["params"]["kind"] == "shift"
    assert visits(sqlite_client) == {}


def test_a_broken_stream_goes_on_where_it_broke_off(
    sqlite_url: str,
    sqlite_database: Database,
) -> None:
    with running(open_services(sqlite_database, sqlite_url)) as address, httpx.Client(base_url=address) as client:
        path = "/v1/events/stream"
        store = [event("order_opened", order=order(f"W{number}")) for number in range(1, 4)]
        put(client, "territories", {"id": "east", "timezone": "UTC"})  # type: ignore[arg-type]
        put(client, "sites", {"id": "S1", "timezone": "UTC"})  # type: ignore[arg-type]
        assert tell(client, store[0]) == ["applied"]
        with client.stream("GET", path, params={"after": 0}) as stream:
            events = streamed(stream.iter_lines())
            assert [next(events)["kind"] for _ in range(2)] == ["records_changed", "order_opened"]
            assert tell(client, store[1]) == ["applied"]
            last = next(events)
        assert last["subject"] == "work_order W2"
        assert tell(client, store[2]) == ["applied"]
        resumed = {"Last-Event-ID": str(last["sequence"])}
        with client.stream("GET", path, params={"after": 0}, headers=resumed) as stream:
            assert next(streamed(stream.iter_lines()))["subject"] == "work_order W3"
        with client.stream("GET", path, headers={"Last-Event-ID": "nonsense"}) as stream:
            lines = stream.iter_lines()
            assert next(lines) == ": muster"
            assert tell(client, event("order_cancelled", work_order="W3")) == ["applied"]
            assert next(streamed(lines))["kind"] == "order_cancelled"


def test_a_follower_hears_signs_of_life(
    sqlite_url: str, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routers.events.HEARTBEAT_SECONDS", 0.0)
    with (
        running(open_services(sqlite_database, sqlite_url)) as address,
        httpx.Client(base_url=address) as client,
        client.stream("GET", "/v1/events/stream") as stream,
    ):
        comments = [line for line, _ in zip(stream.iter_lines(), range(3), strict=False)]
    assert comments == [": muster", "", ": still there"]


@pytest.mark.slow
def test_a_server_that_stops_ends_its_streams_in_order(tmp_path: Path) -> None:
    with serving(tmp_path, "--database", "sqlite:///day.db", "--workers", 0) as server, ExitStack() as open_streams:
        stream = open_streams.enter_context(httpx.stream("GET", f"{server.address}/v1/events/stream", timeout=60))
        lines = stream.iter_lines()
        assert next(lines) == ": muster"
        server.process.send_signal(signal.SIGTERM)
        # It ends by itself; a stream that is broken off would raise.
        assert list(lines) == [""]


def test_a_clock_that_is_a_little_ahead_is_forgiven(sqlite_client: TestClient, sqlite_database: Database) -> None:
    clock = sqlite_database.clock
    assert isinstance(clock, SetClock)
    store_day(sqlite_client)
    events = [event("order_cancelled", minute, work_order="W1") for minute in ("07:35", "07:36")]
    assert tell(sqlite_client, *events) == ["applied", "IN_THE_FUTURE"]


# The pages


def test_the_page_of_events_has_every_kind_with_its_fields() -> None:
    rows = {row[0].strip("`"): row[1] for row in table_rows(section(DOCS / "live-events.md", "Kinds"))}
    assert list(rows) == list(BODIES)
    assert set(BODIES) == set(KINDS)
    common = {"work_order", "engineer"}
    for kind, body in BODIES.items():
        fields = set(body.model_fields) - {"version", "reason" if kind == "order_cancelled" else ""}
        if kind.startswith("visit_") and kind != "visit_accepted":
            fields -= common
        assert {name for name in fields if f"`{name}`" not in rows[kind]} == set(), kind


def test_the_page_of_errors_has_every_code_of_a_refused_event() -> None:
    assert names_in(table_rows(section(DOCS / "errors.md", "Refused events"))) == list(EVENT_CODES)
