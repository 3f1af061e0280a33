"""Stored records over HTTP: written, read, listed, refused; on both databases where storage decides."""

from typing import Any, get_args
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from api.resource_kinds import KINDS, Kind
from api.resource_schemas import ShiftStatus, VisitStatus, WorkOrderStatus
from api.routers.resources import _writing
from data.repositories import RESOURCES, Repository
from data.session import Database, UnitOfWork
from dispatcher.errors import Contention
from dispatcher.lifecycle import SHIFT_STATES, VISIT_STATES, WORK_ORDER_STATES
from tests.databases import ACTOR, SetClock
from tests.http_service import Json, client, fill, path_of, refusing, sqlite_client, sqlite_database, sqlite_url
from tests.stored_fleet import store

__all__ = ["client", "refusing", "sqlite_client", "sqlite_database", "sqlite_url"]

SHANGHAI = {"timezone": "Asia/Shanghai"}
SHIFT: Json = {
    "date": "2026-11-23",
    "start": "2026-11-23T08:00:00+08:00",
    "end": "2026-11-23T17:00:00+08:00",
}
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


def issues(answer: Any) -> list[tuple[str, str]]:
    """Path and code of every issue of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json"
    return [(issue["path"], issue["code"]) for issue in answer.json()["issues"]]


def test_every_kind_of_record_that_is_stored_has_its_routes() -> None:
    assert {kind.kind for kind in KINDS} == set(RESOURCES)


def test_the_states_that_are_documented_are_those_there_are() -> None:
    assert get_args(ShiftStatus) == SHIFT_STATES
    assert get_args(WorkOrderStatus) == WORK_ORDER_STATES
    assert get_args(VisitStatus) == VISIT_STATES


# -- both databases ------------------------------------------------------------------------------------------------


def test_every_kind_is_read_back_as_it_was_written(client: TestClient) -> None:
    fill(client)
    for kind in KINDS:
        answer = client.get(path_of(kind))
        assert answer.status_code == 200
        assert answer.headers["etag"] == '"1"'
        found = answer.json()
        for name, value in kind.example.items():
            if name in ("start", "end", "recorded_at"):  # the same instant, in UTC
                assert found[name].endswith("Z")
            else:
                assert found[name] == value, (kind.kind, name)
        listed = client.get(f"/v1{kind.list_path}").json()
        assert found in listed["items"]
        assert listed["next"] is None


def test_writing_the_same_again_changes_nothing(client: TestClient) -> None:
    fill(client)
    for kind in KINDS:
        answer = client.put(f"/v1{kind.list_path}", json=[kind.example])
        assert answer.json()["unchanged"] == 1
        assert answer.json()["records"][0]["version"] == 1


def test_a_list_is_written_whole_or_not_at_all(client: TestClient) -> None:
    answer = client.put("/v1/sites", json=[{"id": "S1", **SHANGHAI}, {"id": "S2", "territory": "nowhere", **SHANGHAI}])
    assert answer.status_code == 422
    assert answer.json()["code"] == "UNKNOWN_REFERENCE"
    assert client.get("/v1/sites").json()["items"] == []


def test_everything_that_records_name_and_is_not_there_is_told_at_once(client: TestClient) -> None:
    client.put("/v1/sites", json=[{"id": "S1", **SHANGHAI}])
    wrong = {
        "location": "S9",
        "territory": "nowhere",
        "service_seconds": 60,
        "required_skills": [{"skill": "pumps"}],
        "allowed_engineers": ["E9"],
        "depends_on": [{"work_order": "W9"}],
    }
    named = {
        "location": "there is no site S9",
        "territory": "there is no territory nowhere",
        "required_skills[0].skill": "there is no skill pumps",
        "allowed_engineers[0]": "there is no engineer E9",
        "depends_on[0].work_order": "there is no work order W9",
    }
    one = client.put("/v1/work-orders/W1", json=wrong).json()
    assert one["code"] == "UNKNOWN_REFERENCE"
    assert {issue["path"]: issue["message"] for issue in one["issues"]} == named
    assert {issue["code"] for issue in one["issues"]} == {"UNKNOWN_REFERENCE"}
    assert {issue["remedy"] for issue in one["issues"]} == {"Create it first, or correct the id."}
    assert [item["field"] for item in one["params"]["references"]] == [issue["path"] for issue in one["issues"]]

    sound = {"id": "W2", "location": "S1", "service_seconds": 60, "related_to": ["W1"]}
    elsewhere = {"id": "W3", "location": "S8", "service_seconds": 60}
    both = client.put("/v1/work-orders", json=[elsewhere, sound, {**wrong, "id": "W1"}]).json()
    assert [issue["path"] for issue in both["issues"]] == ["[0].location", *(f"[2].{path}" for path in named)]
    assert both["issues"][-1]["remedy"] == "Create it first or in the same list, or correct the id."


def test_a_change_names_the_version_it_is_about(client: TestClient) -> None:
    assert client.put("/v1/skills/s", json={"name": "one"}).status_code == 201
    assert client.put("/v1/skills/s", json={"name": "two"}).json()["code"] == "PRECONDITION_REQUIRED"
    changed = client.put("/v1/skills/s", json={"name": "two"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    stale = client.put("/v1/skills/s", json={"name": "three"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "STALE_VERSION")
    again = client.put("/v1/skills/s", json={}, headers={"If-None-Match": "*"})
    assert again.status_code == 412
    assert client.get("/v1/skills/s").json()["name"] == "two"


def test_a_record_of_a_list_may_name_its_version_too(client: TestClient) -> None:
    assert client.put("/v1/skills", json=[{"id": "s", "version": 0}]).status_code == 200
    both = [{"id": "s", "name": "new", "version": 1}, {"id": "t", "version": 7}]
    refused = client.put("/v1/skills", json=both)
    assert refused.status_code == 412
    assert refused.json()["params"]["records"] == [{"kind": "skill", "key": ["t"], "expected": 7, "actual": 0}]
    assert client.put("/v1/skills", json=both[:1]).json()["updated"] == 1


def test_deleting_asks_for_the_version_and_spares_what_is_in_use(client: TestClient) -> None:
    fill(client)
    assert client.delete("/v1/skills/hydraulics").status_code == 428
    used = client.delete("/v1/skills/hydraulics", headers={"If-Match": '"1"'})
    assert (used.status_code, used.json()["code"]) == (409, "IN_USE")
    users = {user["kind"] for user in used.json()["params"]["by"]}
    assert users == {"skill_relation", "asset_model", "engineer", "work_order"}
    assert client.delete("/v1/visits/V1", headers={"If-Match": '"2"'}).status_code == 412
    gone = client.delete("/v1/visits/V1", headers={"If-Match": '"1"'})
    assert (gone.status_code, gone.content) == (204, b"")
    assert client.get("/v1/visits/V1").status_code == 404


def test_pages_together_are_the_whole_list_in_order(client: TestClient) -> None:
    names = [f"s{number:02}" for number in range(23)]
    client.put("/v1/skills", json=[{"id": name} for name in reversed(names)])
    found: list[str] = []
    after: str | None = None
    while True:
        page = client.get("/v1/skills", params={"limit": 5, **({"after": after} if after else {})}).json()
        assert len(page["items"]) <= 5
        found += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert found == names


def test_lists_are_filtered(client: TestClient, clock: SetClock) -> None:
    fill(client)
    clock.advance(3600)
    client.put("/v1/work-orders", json=[{"id": "W2", "location": "n17", "service_seconds": 60, "status": "done"}])

    def orders(**filters: Any) -> list[str]:
        answer = client.get("/v1/work-orders", params=filters)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert orders() == ["W1", "W2"]
    assert orders(territory="east") == ["W1"]
    assert orders(status=["open", "done"]) == ["W1", "W2"]
    assert orders(level="L4", location="n17") == ["W2"]
    assert orders(territory="west") == []
    since = client.get("/v1/work-orders/W2").json()["updated_at"]
    assert orders(updated_since=since) == ["W2"]
    shifts = client.get("/v1/shifts", params={"engineer": "E1", "date": ["2026-11-23", "2026-11-24"]}).json()
    assert [item["id"] for item in shifts["items"]] == ["mon"]
    assert client.get("/v1/shifts", params={"date": "2026-11-24"}).json()["items"] == []


def test_what_only_one_database_would_refuse_is_refused_before(client: TestClient) -> None:
    for text in ("a\\u0000b", "\\ud800"):
        body = f'{{"name": "{text}"}}'.encode()
        answer = client.put("/v1/skills/s", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, issues(answer)) == (422, [("name", "INVALID_TEXT")])
    assert client.get("/v1/skills/a%00b").status_code == 422
    assert client.get("/v1/sites", params={"territory": "a\0"}).status_code == 422
    huge = {"version": 2**63, "id": "s"}
    assert issues(client.put("/v1/skills", json=[huge])) == [("[0].version", "OUT_OF_RANGE")]
    stale = client.delete("/v1/skills/s", headers={"If-Match": '"999999999999999999"'})
    assert stale.status_code == 404
    large = {"attributes": {"a": 10**400, "b": [1e300, -0.0], "c": "\u2028😀", "": None}}
    assert client.put("/v1/skills/large", json=large).status_code == 201
    assert client.get("/v1/skills/large").json()["attributes"]["a"] == 10**400


# -- what no database decides --------------------------------------------------------------------------------------


@each_kind
def test_a_kind_refuses_unknown_fields_and_filters(kind: Kind, refusing: TestClient) -> None:
    answer = refusing.put(f"/v1{kind.list_path}", json=[{**kind.example, "colour": "red"}])
    assert (answer.status_code, issues(answer)) == (422, [("[0].colour", "UNKNOWN_FIELD")])
    answer = refusing.get(f"/v1{kind.list_path}", params={"colour": "red"})
    assert (answer.status_code, issues(answer)) == (422, [("colour", "UNKNOWN_FIELD")])


def test_every_issue_is_reported_at_once_shape_and_meaning(refusing: TestClient) -> None:
    orders = [
        {"id": "W1", "location": "n17", "service_seconds": "3600", "level": "L9"},
        {
            "id": "W2",
            "location": "n17",
            "service_seconds": 60,
            "time_windows": [{"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T09:00:00Z"}],
            "team": {"roles": [{"role": "lead", "presence": "standby"}]},
            "depends_on": [{"work_order": "W2"}, {}],
        },
        {"location": "n17"},
    ]
    answer = refusing.put("/v1/work-orders", json=orders)
    assert answer.status_code == 422
    assert set(issues(answer)) == {
        ("[0].service_seconds", "WRONG_TYPE"),
        ("[0].level", "UNKNOWN_VALUE"),
        ("[1].time_windows[0].end", "ORDER"),
        ("[1].team.roles", "TEAM_WITHOUT_ON_SITE_ROLE"),
        ("[1].depends_on[0].work_order", "SELF_REFERENCE"),
        ("[1].depends_on[1]", "EXACTLY_ONE"),
        ("[2].id", "MISSING_FIELD"),
        ("[2].service_seconds", "MISSING_FIELD"),
    }


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("engineers/E1/shifts/s", {**SHIFT, "end": "2026-11-23T07:00:00+08:00"}, ("end", "ORDER")),
        ("engineers/E1/shifts/s", {**SHIFT, "latest_end": "2026-11-23T16:00:00+08:00"}, ("latest_end", "ORDER")),
        ("engineers/E1/shifts/s", {**SHIFT, "date": "2026-02-30"}, ("date", "BAD_DATE")),
        ("engineers/E1/shifts/s", {**SHIFT, "date": "0001-01-01"}, ("date", "BAD_DATE")),
        ("engineers/E1/shifts/s", {**SHIFT, "date": 20260101}, ("date", "BAD_DATE")),
        ("engineers/E1/shifts/s", {**SHIFT, "start": "9999-12-31T00:00:00Z"}, ("start", "BAD_INSTANT")),
        ("engineers/E1/shifts/s", {**SHIFT, "start": "2026-11-23T08:00:00"}, ("start", "BAD_INSTANT")),
        ("contracts/K", {"customer": "C", "starts_on": "2026-02-02", "ends_on": "2026-01-01"}, ("ends_on", "ORDER")),
        ("sites/S", {"timezone": "Mars/Olympus"}, ("timezone", "BAD_TIMEZONE")),
        ("sites/S", {"timezone": "UTC", "lat": 91}, ("lat", "OUT_OF_RANGE")),
        ("sites/S", {"timezone": "UTC", "id": "T"}, ("id", "OTHER_ID")),
        (
            "skill-relations/R",
            {"type": "implies", "from": "a", "to": "b", "penalty": 5},
            ("penalty", "IMPLIES_WITH_PRICE"),
        ),
        ("visits/V", {"work_order": "W", "engineer": "E", "paused_seconds": 2**40}, ("paused_seconds", "OUT_OF_RANGE")),
        (
            "visits/V",
            {
                "work_order": "W",
                "engineer": "E",
                "planned_start": "2026-11-23T10:00:00Z",
                "planned_end": "2026-11-23T09:00:00Z",
            },
            ("planned_end", "ORDER"),
        ),
        ("engineers/E", {"skills": [{"skill": "a", "level": 6}]}, ("skills[0].level", "OUT_OF_RANGE")),
        ("engineers/E", [], ("", "WRONG_TYPE")),
        ("engineers/" + "x" * 201, {}, ("id", "OUT_OF_RANGE")),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(
    path: str, body: object, expected: tuple[str, str], refusing: TestClient
) -> None:
    answer = refusing.put(f"/v1/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert expected in issues(answer)


def test_references_are_told_in_the_words_of_the_caller(sqlite_client: TestClient) -> None:
    order = {"id": "W1", "location": "n17", "service_seconds": 60}
    answer = sqlite_client.put("/v1/work-orders", json=[order])
    assert [item["field"] for item in answer.json()["params"]["references"]] == ["location"]
    sqlite_client.put("/v1/sites", json=[{"id": "n17", **SHANGHAI}])
    answer = sqlite_client.put("/v1/work-orders", json=[{**order, "required_skills": [{"skill": "x"}]}])
    assert [item["field"] for item in answer.json()["params"]["references"]] == ["required_skills[0].skill"]


def test_a_record_twice_in_a_list_is_refused(refusing: TestClient) -> None:
    answer = refusing.put("/v1/skills", json=[{"id": "s"}, {"id": "t"}, {"id": "s"}])
    assert (answer.status_code, issues(answer)) == (422, [("[2]", "DUPLICATE_ID")])


def test_a_list_that_is_too_long_is_refused(refusing: TestClient) -> None:
    answer = refusing.put("/v1/skills", json=[{}] * 10_001)
    assert (answer.status_code, issues(answer)) == (422, [("", "TOO_LARGE")])


@pytest.mark.parametrize("name", ["a/b", "a%2Fb", "100 %", "../x", "é/ü", "a?b#c", "%25"])
def test_any_id_can_stand_in_a_path(name: str, sqlite_client: TestClient) -> None:
    path = f"/v1/skills/{quote(name, safe='')}"
    assert sqlite_client.put(path, json={}).json()["id"] == name
    assert sqlite_client.get(path).json()["id"] == name
    assert [item["id"] for item in sqlite_client.get("/v1/skills").json()["items"]] == [name]


def test_the_last_word_about_a_position_counts(sqlite_client: TestClient) -> None:
    fill(sqlite_client)
    here = {"lat": 1.5, "lon": 2.5, "recorded_at": "2026-11-23T10:00:00Z"}
    answer = sqlite_client.put("/v1/engineers/E1/position", json=here)
    assert (answer.status_code, answer.json()["version"], answer.json()["lat"]) == (200, 2, 1.5)
    refused = sqlite_client.put("/v1/engineers/E1/position", json=here, headers={"If-Match": '"1"'})
    assert refused.status_code == 412


def test_an_open_route_is_not_the_same_as_a_route_without_a_word_about_its_end(sqlite_client: TestClient) -> None:
    fill(sqlite_client)
    sqlite_client.put("/v1/engineers/E1/shifts/open", json={**SHIFT, "start_location": "depot", "end_location": None})
    assert sqlite_client.get("/v1/engineers/E1/shifts/open").json()["end_location"] is None
    assert "end_location" not in sqlite_client.get("/v1/engineers/E1/shifts/mon").json()


def test_a_read_that_changed_nothing_is_answered_with_304(sqlite_client: TestClient) -> None:
    sqlite_client.put("/v1/skills/s", json={})
    etag = sqlite_client.get("/v1/skills/s").headers["etag"]
    for sent in (etag, f'"7", {etag}', f"W/{etag}", "*"):
        answer = sqlite_client.get("/v1/skills/s", headers={"If-None-Match": sent})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert sqlite_client.get("/v1/skills/s", headers={"If-None-Match": '"7"'}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "3"},
        {"If-Match": '"abc"'},
        {"If-Match": 'W/"1"'},
        {"If-Match": '"1", "2"'},
        {"If-Match": '*, "2"'},
        {"If-Match": "*", "If-None-Match": "*"},
        {"If-None-Match": '"1"'},
        {"If-None-Match": "*", "If-Match": '"1"'},
    ],
    ids=str,
)
def test_a_condition_that_cannot_be_meant_is_refused(headers: dict[str, str], refusing: TestClient) -> None:
    answer = refusing.put("/v1/skills/s", json={}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_HEADER")
    assert refusing.get("/v1/skills/s").status_code == 404


def test_any_version_matches_a_record_that_exists_and_none_that_does_not(sqlite_client: TestClient) -> None:
    anything = {"If-Match": "*"}
    missing = sqlite_client.put("/v1/skills/s", json={}, headers=anything)
    assert (missing.status_code, missing.json()["code"]) == (412, "STALE_VERSION")
    assert missing.json()["detail"] == "there is no skill s, and If-Match: * asks for one"
    assert sqlite_client.delete("/v1/skills/s", headers=anything).status_code == 404
    sqlite_client.put("/v1/skills/s", json={"name": "one"})
    changed = sqlite_client.put("/v1/skills/s", json={"name": "two"}, headers=anything)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert sqlite_client.delete("/v1/skills/s", headers=anything).status_code == 204
    assert sqlite_client.get("/v1/skills/s").status_code == 404


def test_a_cursor_of_another_list_is_refused(sqlite_client: TestClient) -> None:
    sqlite_client.put("/v1/skills", json=[{"id": "a"}, {"id": "b"}])
    cursor = sqlite_client.get("/v1/skills", params={"limit": 1}).json()["next"]
    for after in (cursor, "not a cursor", "", "é"):
        answer = sqlite_client.get("/v1/sites", params={"after": after})
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_CURSOR")


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "1e3", "9" * 30])
def test_a_page_size_outside_its_bounds_is_refused(limit: str, refusing: TestClient) -> None:
    answer = refusing.get("/v1/skills", params={"limit": limit})
    assert answer.status_code == 422
    assert [path for path, _ in issues(answer)] == ["limit"]


def test_a_write_that_somebody_came_between_is_tried_once_more(sqlite_database: Database) -> None:
    tries: list[str] = []

    def act(work: UnitOfWork) -> str:
        store(work, "skill", external_id=f"s{len(tries)}")
        tries.append("")
        if len(tries) < 2:
            raise Contention
        return "done"

    assert _writing(sqlite_database, ACTOR, act) == "done"
    with sqlite_database.read(ACTOR) as work:
        assert [record.values["external_id"] for record in Repository(work, "skill").iterate()] == ["s1"]
