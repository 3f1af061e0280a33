"""The client of the service when a server is busy, restarts or breaks off: what can be asked again is asked again."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from api.client import Refused, Service, Unreachable

Answer = tuple[int, dict[str, str], bytes]
RUN = {"id": "R1", "state": "running", "progress": 0.5}
ENDED = RUN | {"state": "succeeded", "progress": 1.0, "plan_id": "P1"}
BUSY: Answer = (503, {"Retry-After": "0"}, b'{"code": "UNAVAILABLE", "title": "Service Unavailable"}')
HUNG_UP: Answer = (0, {}, b"")


def told(*runs: dict[str, Any]) -> Answer:
    """A stream of events, each with a run, that ends behind the last one."""
    text = "".join(f": comment\n\nevent: progress\nid: 1\ndata: {json.dumps(run)}\n\n" for run in runs)
    return 200, {"Content-Type": "text/event-stream"}, text.encode()


@contextmanager
def answering(answers: Sequence[Answer]) -> Iterator[tuple[Service, list[tuple[str, str | None]]]]:
    """A client of a server that gives these answers in turn, and what the server was asked: method and key."""
    asked: list[tuple[str, str | None]] = []
    left = iter(answers)

    class Script(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.command, self.headers.get("Idempotency-Key")))
            status, headers, body = next(left)
            if status:
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            else:
                self.close_connection = True

        do_GET = do_PUT = do_POST = answer  # noqa: N815  named by the standard library

        def log_message(self, *_: object) -> None:
            """Nothing: the tests look at what was asked."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Script) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with Service(f"http://127.0.0.1:{server.server_port}") as service:
                yield service, asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("trouble", [BUSY, HUNG_UP], ids=["busy", "hung up"])
def test_a_request_that_met_trouble_is_sent_again_under_the_same_key(trouble: Answer) -> None:
    with answering([trouble, (202, {}, json.dumps(RUN).encode())]) as (service, asked):
        assert service.ask_for_plan({}) == RUN
    assert len(asked) == 2
    assert asked[0] == asked[1]
    assert asked[0][1]


def test_a_plan_whose_acceptance_was_told_to_nobody_is_in_force_all_the_same() -> None:
    stale: Answer = (412, {}, b'{"code": "STALE_VERSION", "title": "Precondition Failed"}')
    proposed, accepted = ((200, {"ETag": '"1"'}, json.dumps({"state": s}).encode()) for s in ("proposed", "accepted"))
    with answering([proposed, HUNG_UP, stale, accepted]) as (service, _):
        assert service.accept("P1") == {"state": "accepted"}
    with answering([proposed, stale, proposed]) as (service, _), pytest.raises(Refused, match="Precondition"):
        service.accept("P1")


def test_a_server_that_stays_busy_is_given_up() -> None:
    with answering([BUSY] * 20) as (service, asked), pytest.raises(Refused) as refused:
        service.get("/v1/engineers")
    assert (refused.value.status, refused.value.code) == (503, "UNAVAILABLE")
    assert 1 < len(asked) < 20


def test_a_server_that_keeps_hanging_up_is_unreachable() -> None:
    with answering([HUNG_UP] * 20) as (service, _), pytest.raises(Unreachable):
        service.get("/v1/engineers")


@pytest.mark.parametrize("trouble", [BUSY, HUNG_UP], ids=["busy", "hung up"])
def test_a_stream_that_breaks_off_is_taken_up_again(trouble: Answer) -> None:
    with answering([told(RUN), trouble, told(RUN, ENDED)]) as (service, _):
        assert list(service.follow("R1")) == [RUN, RUN, ENDED]


def test_following_what_there_is_not_is_refused_at_once() -> None:
    missing: Answer = (404, {}, b'{"code": "NOT_FOUND", "title": "Not Found", "detail": "there is no run R1"}')
    with answering([missing]) as (service, _), pytest.raises(Refused, match="there is no run R1"):
        list(service.follow("R1"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "no"}'])
def test_an_error_that_is_no_problem_document_is_not_from_this_service(body: bytes) -> None:
    with answering([(500, {}, body)]) as (service, _), pytest.raises(Unreachable, match="not like a Muster server"):
        service.get("/v1/engineers")
