"""Query parameters and ids in paths: what a route does not know, or cannot read, is refused and never passed over."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from data.session import Database
from tests.http_service import Json, open_services, refusing, sqlite_client, sqlite_database, sqlite_url

__all__ = ["refusing", "sqlite_client", "sqlite_database", "sqlite_url"]

FILLED = {"plan_id": "01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB", "run_id": "01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB", "other": "0" * 26}
FILLED |= {"option": "1795401600-0a1b2c3d4e5f"}


def operations(client: TestClient) -> Iterator[tuple[str, str, Json]]:
    """Method, path with ids filled in, and description of every operation."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            ids = {item["name"]: item["name"] for item in operation.get("parameters", ()) if item["in"] == "path"}
            yield method, path.format(**{**ids, **{name: FILLED[name] for name in ids if name in FILLED}}), operation


def body(operation: Json) -> Json:
    """A body where there has to be one: its media type is looked at before the parameters are."""
    return {"json": {}} if "requestBody" in operation else {}


def issues(answer: Any) -> dict[str, Json]:
    """The issues of a refusal by the place and the code of each."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_INPUT"), answer.text
    return {f"{issue['path']} {issue['code']}": issue for issue in answer.json()["issues"]}


def test_every_operation_refuses_a_parameter_that_it_does_not_have(refusing: TestClient) -> None:
    walked = 0
    for method, path, operation in operations(refusing):
        found = issues(refusing.request(method, path, params={"colour": "red"}, **body(operation)))
        known = sorted(item["name"] for item in operation.get("parameters", ()) if item["in"] == "query")
        issue = found["colour UNKNOWN_FIELD"]
        assert sorted(issue["params"]["known"]) == known, path
        assert all(name in issue["remedy"] for name in known), path
        assert "422" in operation["responses"], path
        walked += 1
    assert walked > 90


def test_a_parameter_that_takes_one_value_is_refused_when_it_comes_twice(refusing: TestClient) -> None:
    twice = 0
    for method, path, operation in operations(refusing):
        for item in operation.get("parameters", ()):
            if item["in"] != "query" or item["schema"].get("type") == "array":
                continue
            found = issues(refusing.request(method, f"{path}?{item['name']}=1&{item['name']}=2", **body(operation)))
            assert f"{item['name']} DUPLICATE_KEY" in found, (path, item)
            twice += 1
    assert twice > 40


PYDANTICS_WORDS = ("Input ", "String ", "should ", "pattern", "^", "{", "unable to parse")


def test_what_is_wrong_with_a_parameter_is_said_in_plain_words(refusing: TestClient) -> None:
    said = set()
    for method, path, operation in operations(refusing):
        names = [item["name"] for item in operation.get("parameters", ()) if item["in"] == "query"]
        for value in ("", "nan", "-5", "1.5", "9" * 30, "x" * 3000, "opne") if names else ():
            answer = refusing.request(method, path, params=dict.fromkeys(names, value), **body(operation))
            for issue in answer.json().get("issues", ()):
                assert not any(word in issue["message"] + issue["remedy"] for word in PYDANTICS_WORDS), issue
                said.add((issue["path"], issue["code"], issue["message"], issue["remedy"]))
    for expected in (
        ("limit", "WRONG_TYPE", '"1.5" is not a whole number', "Write a whole number in digits."),
        ("limit", "OUT_OF_RANGE", '"-5" is below 1', "Use 1 or more."),
        ("half_life_days", "NOT_FINITE", '"nan" is not a finite number', "Write an ordinary number."),
        ("territory", "OUT_OF_RANGE", "the text is empty", "Give at least 1 character."),
        ("date", "BAD_DATE", '"1.5" is not a date YYYY-MM-DD', 'Write a day like "2026-11-23".'),
    ):
        assert expected in said
    assert any(remedy.startswith('Did you mean "open" or "done"? Use \'open\', ') for _, _, _, remedy in said)


@pytest.mark.parametrize(
    ("method", "path", "headers", "said"),
    [
        ("GET", "plans/abc", {}, '"abc" is no id that the service gives: they have 26 digits and capital letters'),
        ("POST", "work-orders/W1/team-options/x/accept", {"If-Match": "*"}, '"x" is no id of an option'),
        ("POST", "solve", {"Idempotency-Key": "a b"}, '"a b" has a space, or a character that is not ASCII'),
    ],
)
def test_a_text_of_another_form_is_told_what_it_should_be(
    method: str, path: str, headers: dict[str, str], said: str, refusing: TestClient
) -> None:
    answer = refusing.request(method, f"/v1/{path}", headers=headers, json={})
    assert [issue["message"] for issue in issues(answer).values()] == [said]


def test_a_filter_that_takes_several_values_takes_them(refusing: TestClient) -> None:
    assert refusing.get("/v1/work-orders?status=open&status=planned").status_code == 200
    assert refusing.get("/v1/asset-relations?from=a&from=b").status_code == 200


def test_all_that_is_wrong_with_parameters_is_told_at_once(refusing: TestClient) -> None:
    found = issues(refusing.get("/v1/work-orders/W1/candidates?dat=2026-11-23&limit=0"))
    assert found.keys() == {"dat UNKNOWN_FIELD", "limit OUT_OF_RANGE"}
    assert found["dat UNKNOWN_FIELD"]["remedy"] == 'Did you mean "date"?'


def test_nothing_is_done_for_a_request_with_a_parameter_that_is_not_known(sqlite_client: TestClient) -> None:
    issues(sqlite_client.put("/v1/skills/s", json={}, params={"dry_run": "true"}))
    assert sqlite_client.get("/v1/skills/s").status_code == 404


def test_who_asks_is_looked_at_before_what_is_asked(sqlite_url: str, sqlite_database: Database) -> None:
    with TestClient(create_app(open_services(sqlite_database, sqlite_url, token="s3cret-token"))) as guarded:
        assert guarded.get("/v1/skills?colour=red").status_code == 401


# -- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["%FF", "%ED%A0%80", "a%C3", "%C3%28"])
def test_an_address_that_is_not_utf8_is_refused_and_meets_no_other_id(written: str, sqlite_client: TestClient) -> None:
    sqlite_client.put("/v1/skills", json=[{"id": "\ufffd"}, {"id": "a\ufffd"}, {"id": "\ufffd("}])
    for method, address in (
        ("GET", f"/v1/skills/{written}"),
        ("PUT", f"/v1/skills/{written}"),
        ("GET", f"/v1/engineers?territory={written}"),
        ("GET", f"/v1/sla/at-risk?territory={written}"),
    ):
        answer = sqlite_client.request(method, address, json={})
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_ADDRESS"), address
    assert sqlite_client.get("/v1/skills/%EF%BF%BD").json()["id"] == "\ufffd"


# -- what a request names and is not there -------------------------------------------------------------------------

NOBODYS = "nowhere"
DAY = "2026-11-23"


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("GET", f"skills/coverage?territory={NOBODYS}&date={DAY}", None, ("territory", "territory")),
        ("GET", f"skills/gaps?territory={NOBODYS}&date={DAY}", None, ("territory", "territory")),
        ("GET", f"skills/history?territory={NOBODYS}", None, ("territory", "territory")),
        ("GET", f"sla/at-risk?territory={NOBODYS}", None, ("territory", "territory")),
        ("POST", f"sla/crossings?territory={NOBODYS}", None, ("territory", "territory")),
        ("GET", f"sla/report?territory={NOBODYS}&from={DAY}&to={DAY}", None, ("territory", "territory")),
        ("GET", f"sla/links?territory={NOBODYS}", None, ("territory", "territory")),
        ("POST", f"sla/links?territory={NOBODYS}", None, ("territory", "territory")),
        ("POST", "plans", {"territories": [NOBODYS], "dates": [DAY]}, ("territories", "territory")),
        ("POST", "sla/grade", {"facts": {}, "contract": NOBODYS}, ("contract", "contract")),
        ("PUT", "work-orders/W1/parent", {"parent": NOBODYS}, ("parent", "work_order")),
        ("PUT", "engineers/E1", {"territory": NOBODYS}, ("territory", "territory")),
    ],
)
def test_what_a_parameter_or_a_body_names_and_is_not_there_is_an_unknown_reference(
    method: str, path: str, body: Json | None, named: tuple[str, str], sqlite_client: TestClient
) -> None:
    sqlite_client.put("/v1/sites", json=[{"id": "S1", "timezone": "UTC"}])
    sqlite_client.put("/v1/work-orders", json=[{"id": "W1", "location": "S1", "service_seconds": 60}])
    answer = sqlite_client.request(method, f"/v1/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "UNKNOWN_REFERENCE"), answer.text
    [reference] = answer.json()["params"]["references"]
    assert (reference["field"], reference["target"]) == (named[0], {"kind": named[1], "key": [NOBODYS]})


def test_an_order_in_no_territory_is_in_no_running_plan(sqlite_client: TestClient) -> None:
    sqlite_client.put("/v1/sites", json=[{"id": "S1", "timezone": "UTC"}])
    sqlite_client.put("/v1/work-orders", json=[{"id": "W1", "location": "S1", "service_seconds": 60}])
    answer = sqlite_client.get("/v1/work-orders/W1/candidates")
    assert (answer.status_code, answer.json()["code"]) == (409, "WRONG_STATE")
    assert answer.json()["detail"] == (
        "work order W1 is in no territory: it is not possible to ask about a running plan"
    )
