"""What every request meets: limits, media types, who asks, logs, figures, health, and answers to what goes wrong."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from api.http.actors import Forbidden
from api.http.logs import configure_logs
from api.http.problems import _STATUS, HTTP_CODES
from api.settings import Settings
from data.job_store import Runs
from data.session import Database, downgrade
from dispatcher.actor import Actor
from dispatcher.errors import Contention, Refusal, Unavailable
from tests.databases import SetClock, open_database
from tests.http_service import application, client, open_services, refusing, sqlite_client, sqlite_database, sqlite_url

__all__ = ["client", "refusing", "sqlite_client", "sqlite_database", "sqlite_url"]

ERRORS_PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
JSON = {"Content-Type": "application/json"}
TOKEN = "s3cret-token"


def code_of(answer: Any) -> str:
    """The code of a refusal that has the form every refusal has."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["type"] == f"urn:muster:error:{problem['code']}"
    code: str = problem["code"]
    return code


@pytest.fixture
def small(sqlite_url: str, sqlite_database: Database) -> Iterator[TestClient]:
    """A service that takes bodies of up to 1024 bytes."""
    with TestClient(application(open_services(sqlite_database, sqlite_url, max_body_bytes=1024))) as client:
        yield client


@pytest.fixture
def guarded(sqlite_url: str, sqlite_database: Database) -> Iterator[TestClient]:
    """A service with a token."""
    with TestClient(application(open_services(sqlite_database, sqlite_url, token=TOKEN))) as client:
        yield client


# -- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": 1}}', b"\xff\xfe", b"\x1f\x8b\x08", b"nul", b"{'name': 'x'}"], ids=repr
)
def test_what_is_no_json_is_refused(body: bytes, refusing: TestClient) -> None:
    answer = refusing.put("/v1/skills/s", content=body, headers=JSON)
    assert (answer.status_code, code_of(answer)) == (400, "UNREADABLE_BODY")
    assert len(answer.json()["issues"]) == 1


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        (b'{"name": "a", "name": "b"}', "DUPLICATE_KEY"),
        (b'{"attributes": {"a": NaN}}', "NOT_FINITE"),
        (b'{"attributes": {"a": 1e999}}', "NOT_FINITE"),
        (b'{"attributes": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "TOO_DEEP"),
    ],
    ids=["twice", "nan", "infinite", "deep"],
)
def test_json_that_readers_would_read_differently_is_refused(body: bytes, issue: str, refusing: TestClient) -> None:
    answer = refusing.put("/v1/skills/s", content=body, headers=JSON)
    assert (answer.status_code, code_of(answer)) == (422, "INVALID_INPUT")
    assert [found["code"] for found in answer.json()["issues"]] == [issue]


@pytest.mark.parametrize(
    ("method", "path", "body", "found"),
    [
        ("PUT", "sites/S1", b'{"lat": NaN, "timezone": "Mars", "x": 1}', {"lat", "timezone", "x"}),
        ("PUT", "sites", b'[{"id": "S1", "lat": Infinity, "lon": 999, "timezone": "UTC"}]', {"[0].lat", "[0].lon"}),
        ("POST", "sla/grade", b'{"facts": {"machines_down": NaN, "core": 1}}', {"facts.machines_down", "facts.core"}),
        ("POST", "events", b'{"events": [{"kind": "x"}], "y": 1e999}', {"events[0].kind", "y"}),
        ("POST", "solve", b'{"version": 2, "id": NaN}', {"version", "id", "horizon", "timezone", "travel"}),
    ],
)
def test_a_number_that_is_not_finite_hides_nothing_else(
    method: str, path: str, body: bytes, found: set[str], refusing: TestClient
) -> None:
    answer = refusing.request(method, f"/v1/{path}", content=body, headers=JSON)
    assert (answer.status_code, code_of(answer)) == (422, "INVALID_INPUT")
    issues = [(issue["path"], issue["code"]) for issue in answer.json()["issues"]]
    assert {place for place, _ in issues} == found
    assert [code for _, code in issues].count("NOT_FINITE") == 1


@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "application/xml", "multipart/form-data", "application/json; charset=latin-1"]
)
def test_another_media_type_is_refused(kind: str | None, refusing: TestClient) -> None:
    answer = refusing.put("/v1/skills/s", content=b"{}", headers={} if kind is None else {"Content-Type": kind})
    assert (answer.status_code, code_of(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip"])
def test_a_compressed_body_is_refused(coding: str, refusing: TestClient) -> None:
    answer = refusing.put("/v1/skills/s", content=b"{}", headers={**JSON, "Content-Encoding": coding})
    assert (answer.status_code, code_of(answer)) == (415, "COMPRESSED_BODY")


def test_a_body_above_the_limit_is_refused_however_it_comes(small: TestClient) -> None:
    body = json.dumps({"name": "x" * 2000}).encode()
    answer = small.put("/v1/skills/s", content=body, headers=JSON)
    assert (answer.status_code, code_of(answer)) == (413, "BODY_TOO_LARGE")
    chunked = small.put("/v1/skills/s", content=iter([body[:600], body[600:]]), headers=JSON)
    assert (chunked.status_code, code_of(chunked)) == (413, "BODY_TOO_LARGE")
    assert small.get("/v1/skills/s").status_code == 404


def test_a_length_that_is_a_lie_does_not_raise_the_limit(small: TestClient) -> None:
    body = iter([b'{"name": "' + b"x" * 2000 + b'"}'])
    answer = small.put("/v1/skills/s", content=body, headers={**JSON, "Content-Length": "10"})
    assert answer.status_code == 413


# -- paths and methods ---------------------------------------------------------------------------------------------


def test_unknown_paths_and_methods_are_told_as_problems(refusing: TestClient) -> None:
    missing = refusing.get("/v2/engineers")
    assert (missing.status_code, code_of(missing)) == (404, "NO_SUCH_PATH")
    wrong = refusing.patch("/v1/engineers/E1")
    assert (wrong.status_code, code_of(wrong)) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["allow"] == "GET, PUT, DELETE, HEAD"
    assert refusing.patch("/v1/engineers").headers["allow"] == "GET, PUT, HEAD"
    assert refusing.head("/v1/solve").headers["allow"] == "POST"


def test_head_is_get_without_the_body(sqlite_client: TestClient) -> None:
    sqlite_client.put("/v1/skills/s", json={})
    for path in ("/v1/skills/s", "/v1/skills", "/healthz", "/v1/skills/missing", "/openapi.json"):
        got, head = sqlite_client.get(path), sqlite_client.head(path)
        assert head.status_code == got.status_code
        assert head.content == b""
        for name in ("content-type", "content-length", "etag"):
            assert head.headers.get(name) == got.headers.get(name)


# -- who asks ------------------------------------------------------------------------------------------------------


def test_a_service_with_a_token_answers_only_those_who_have_it(guarded: TestClient) -> None:
    for header in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
    ):
        for path in ("/v1/skills", "/metrics", "/v1/runs"):
            answer = guarded.get(path, headers=header)
            assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
            assert answer.headers["www-authenticate"] == "Bearer"
    for path in ("/v1/skills", "/v1/skills/s"):  # nothing of the body is looked at before
        assert guarded.put(path, content=b"x" * 10).status_code == 401
    assert guarded.post("/v1/plans", content=b"x" * 10).status_code == 401
    assert guarded.get("/v1/skills", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/readyz").status_code == 200
    assert guarded.get("/openapi.json").json()["paths"]["/v1/skills"]["get"]["security"] == [{"token": []}]


def test_a_record_says_who_changed_it(sqlite_client: TestClient) -> None:
    sqlite_client.put("/v1/skills/s", json={}, headers={"X-Principal": "night shift 7"})
    assert sqlite_client.get("/v1/skills/s").json()["updated_by"] == "night shift 7"
    sqlite_client.put("/v1/skills/t", json={})
    assert sqlite_client.get("/v1/skills/t").json()["updated_by"] == "anonymous"


@pytest.mark.parametrize("name", [" ", "a" * 201, "caf\u00e9".encode(), b"a\x01b"], ids=repr)
def test_a_principal_that_cannot_be_stored_is_refused(name: Any, refusing: TestClient) -> None:
    answer = refusing.get("/v1/skills", headers={b"X-Principal": name.encode() if isinstance(name, str) else name})
    assert (answer.status_code, code_of(answer)) == (400, "BAD_HEADER")


def test_every_route_asks_whether_the_caller_may(sqlite_url: str, sqlite_database: Database) -> None:
    asked: list[tuple[str, str]] = []

    def nobody_may(actor: Actor, action: str, kind: str) -> None:
        asked.append((action, kind))
        raise Forbidden(actor, action, kind)

    services = open_services(sqlite_database, sqlite_url, authorise=nobody_may)
    with TestClient(application(services)) as client:
        paths = client.get("/openapi.json").json()["paths"]
        own_id = "01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB"
        count = 0
        for template, methods in paths.items():
            if not template.startswith("/v1"):
                continue
            path = re.sub(r"\{(\w+)\}", lambda match: own_id if match[1].endswith("_id") else "x", template)
            for method in methods:
                answer = client.request(method, path, params={"date": "2026-11-23"}, content=b"{}", headers=JSON)
                if method == "get" and "{" not in template:
                    answer = client.request(method, path)
                assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN"), (method, path, answer.text)
                count += 1
    assert len(asked) >= count > 50


# -- what nobody expected ------------------------------------------------------------------------------------------


def failing_with(error: Exception, url: str, database: Database) -> TestClient:
    """A client of a service that fails behind the door."""

    def fails(_actor: Actor, _action: str, _kind: str) -> None:
        raise error

    return TestClient(application(open_services(database, url, authorise=fails)))


def test_a_defect_is_logged_with_its_reason_and_answered_without(sqlite_url: str, sqlite_database: Database) -> None:
    client = failing_with(RuntimeError("the secret is 42"), sqlite_url, sqlite_database)
    with capture_logs() as lines:
        answer = client.get("/v1/skills", headers={"X-Request-ID": "r-1"})
    assert (answer.status_code, code_of(answer)) == (500, "INTERNAL_ERROR")
    assert answer.json()["request_id"] == "r-1"
    assert "42" not in answer.text
    assert [(line["event"], line["request_id"]) for line in lines] == [("unexpected", "r-1"), ("request", "r-1")]
    assert lines[0]["exc_info"]
    assert lines[1]["status"] == 500


@pytest.mark.parametrize("error", [Contention(), Unavailable()], ids=lambda error: error.code)
def test_what_may_succeed_later_says_when(error: Refusal, sqlite_url: str, sqlite_database: Database) -> None:
    answer = failing_with(error, sqlite_url, sqlite_database).get("/v1/skills")
    assert (answer.status_code, code_of(answer)) == (503, error.code)
    assert int(answer.headers["retry-after"]) >= 1


def test_every_refusal_of_the_domain_has_a_status() -> None:
    kinds = set(Refusal.__subclasses__())
    for kind in list(kinds):
        kinds |= set(kind.__subclasses__())
    assert kinds == set(_STATUS)


def test_the_page_of_errors_lists_every_code_of_the_service() -> None:
    page = ERRORS_PAGE.read_text(encoding="utf-8")
    section = page.partition("## Answers of the service")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([0-9]{3})", section, re.M))
    assert set(rows) == set(HTTP_CODES)


# -- logs and figures ----------------------------------------------------------------------------------------------


def test_a_request_leaves_one_line_without_ids_of_records_or_bodies(sqlite_client: TestClient) -> None:
    with capture_logs() as lines:
        sqlite_client.put("/v1/skills/secret", json={"name": "private"}, headers={"X-Principal": "d-7"})
    [line] = lines
    assert line["event"] == "request"
    assert (line["method"], line["route"], line["status"]) == ("PUT", "/v1/skills/{id}", 201)
    assert line["principal"] == "d-7"
    assert line["duration_ms"] > 0
    assert "secret" not in str(line)
    assert "private" not in str(line)


def test_a_line_about_a_run_names_it(sqlite_client: TestClient) -> None:
    run_id = "01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB"
    with capture_logs() as lines:
        sqlite_client.get(f"/v1/runs/{run_id}")
    assert (lines[0]["route"], lines[0]["run_id"]) == ("/v1/runs/{run_id}", run_id)


@pytest.mark.parametrize("given", ["abc-123", "a" * 128])
def test_a_sane_request_id_is_kept(given: str, refusing: TestClient) -> None:
    assert refusing.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a" * 129, "a b", "a\tb", "<script>"])
def test_another_request_id_is_replaced(given: str, refusing: TestClient) -> None:
    found = refusing.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", found)


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Leaves logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    logging.getLogger("uvicorn.access").disabled = False
    logging.getLogger("alembic").setLevel(logging.NOTSET)


@pytest.mark.usefixtures("own_logging")
def test_lines_are_json_objects_also_those_of_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json")
    structlog.stdlib.get_logger("ours").info("said", number=1, text="é\n")
    logging.getLogger("theirs").warning("told %s", "something")
    try:
        raise ValueError("why")
    except ValueError:
        structlog.stdlib.get_logger("ours").exception("broken")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["said", "told something", "broken"]
    assert all(line["timestamp"].endswith("Z") and line["level"] and line["logger"] for line in lines)
    assert lines[0]["text"] == "é\n"
    assert "ValueError: why" in lines[2]["exception"]


def test_figures_count_requests_by_route_and_runs_by_state(client: TestClient, database: Database) -> None:
    for name in ("a", "b"):
        client.get(f"/v1/skills/{name}")
    with database.write(Actor("default", "test")) as work:
        Runs(work).enqueue("solve", {})
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'muster_http_requests_total{method="GET",route="/v1/skills/{id}",status="404"} 2.0' in lines
    assert 'muster_http_request_duration_seconds_count{route="/v1/skills/{id}"} 2.0' in lines
    assert 'muster_runs{state="queued"} 1.0' in lines
    assert 'muster_plans{state="accepted"} 0.0' in lines
    assert "muster_database_up 1.0" in lines


# -- health --------------------------------------------------------------------------------------------------------


def test_a_service_is_ready_when_its_database_is(sqlite_url: str, tmp_path: Path) -> None:
    database = open_database(sqlite_url, SetClock())
    client = TestClient(application(open_services(database, sqlite_url)))
    assert client.get("/readyz").json() == {"status": "ready"}
    downgrade(sqlite_url, "base")
    older = client.get("/readyz")
    assert (older.status_code, code_of(older)) == (503, "NOT_READY")
    database.close()
    for file in tmp_path.glob("muster.db*"):
        file.unlink()
    (tmp_path / "muster.db").mkdir()
    gone = client.get("/readyz")
    assert (gone.status_code, code_of(gone)) == (503, "UNAVAILABLE")
    assert "muster_database_up 0.0" in client.get("/metrics").text
    assert client.get("/healthz").json() == {"status": "ok"}


# -- settings ------------------------------------------------------------------------------------------------------


def test_a_service_that_others_can_reach_needs_a_token() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "muster.example.com"):
        with pytest.raises(ValueError, match="MUSTER_TOKEN"):
            Settings(host=host)
        assert Settings(host=host, token=SecretStr(TOKEN)).token is not None
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        assert Settings(host=host).token is None


def test_settings_come_from_the_environment_and_keep_the_token_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_PORT", "9000")
    monkeypatch.setenv("MUSTER_TOKEN", TOKEN)
    settings = Settings()
    assert settings.port == 9000
    assert TOKEN not in repr(settings)
    monkeypatch.setenv("MUSTER_PORT", "none")
    monkeypatch.setenv("MUSTER_TOKEN", "two words")
    with pytest.raises(ValueError, match="port") as refused:
        Settings()
    assert "two words" not in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [{"database_url": "mysql://x/y"}, {"database_url": "nonsense"}, {"tenant": "a b"}, {"workers": -1}, {"hots": "x"}],
    ids=str,
)
def test_settings_that_cannot_be_meant_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        Settings(**values)


# -- the description -----------------------------------------------------------------------------------------------


def test_the_page_to_try_it_out_needs_no_other_machine(refusing: TestClient) -> None:
    page = refusing.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert addresses
    for address in addresses:
        assert address.startswith("/")
        assert refusing.get(address).status_code == 200


def test_every_operation_is_described_with_an_example_and_its_problems(refusing: TestClient) -> None:
    document = refusing.get("/openapi.json").json()
    names = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            names.append(operation["operationId"])
            assert operation["summary"]
            if path.startswith("/v1"):
                assert {"400", "401", "403", "422", "500", "503"} <= set(operation["responses"]), (method, path)
            for parameter in operation.get("parameters", ()):
                assert "null" not in str(parameter["schema"]), (method, path, parameter["name"])
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert content["examples"], (method, path)
    assert len(names) == len(set(names))
    assert "HTTPValidationError" not in document["components"]["schemas"]


@pytest.mark.parametrize("path", ["/", "/docs/"])
def test_whoever_comes_to_the_door_is_led_to_the_page_to_try_it_out(path: str, refusing: TestClient) -> None:
    answer = refusing.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    assert refusing.get(path).status_code == 200


def test_a_method_that_a_path_does_not_know_is_answered_with_those_it_does(refusing: TestClient) -> None:
    answer = refusing.post("/v1/work-orders", json={}).json()
    assert answer["detail"] == (
        "/v1/work-orders does not know POST: use GET or PUT or HEAD; PUT /v1/work-orders/{id} writes one record"
    )
    assert answer["params"] == {"allowed": ["GET", "PUT", "HEAD"]}
    assert refusing.delete("/v1/solve").json()["detail"] == "/v1/solve does not know DELETE: use POST"
