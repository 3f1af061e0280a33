"""A client of the service: what the commands `import` and `plan` say to a server, and what they hear.

Errors:
    ServiceError
    ├── Unreachable   nobody answers there, or what answers is no such service
    └── Refused       the server said no; carries its problem document
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx

from api.import_state import Collection, key_of
from api.settings import is_loopback
from dispatcher.errors import InvalidInput, Issue, MusterError

ATTEMPTS = 6
BATCH = PAGE = 1000
OUTCOMES = ("created", "updated", "unchanged")
LONGEST_WAIT_SECONDS = 30.0
# A whole list of work orders is written in one transaction, which may wait for another writer first.
ANSWER_SECONDS = 120.0
# The server sends a sign of life every fifteen seconds.
SILENCE_SECONDS = 45.0
_CONFLICTS = (httpx.codes.CONFLICT, httpx.codes.PRECONDITION_FAILED)
TERMINAL_STATES = ("succeeded", "failed", "cancelled")

Document = dict[str, Any]


class ServiceError(MusterError):
    """What a server does instead of answering."""


class Unreachable(ServiceError):  # noqa: N818  named for what it says, like the one below
    """Nobody answers at the address, or something that is not this service."""


class Refused(ServiceError):  # noqa: N818
    """The server refused; `status` is the HTTP status, `code` the stable code, `issues` every issue it listed."""

    def __init__(self, status: int, code: str, message: str, issues: Sequence[Issue] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.issues = status, code, tuple(issues)


@dataclass(frozen=True, slots=True)
class Event:
    """A server-sent event: `name`, and its data as JSON."""

    name: str
    data: Document


class Service:
    """A server, by its address. Closed at the end of a `with`."""

    def __init__(self, address: str, token: str | None = None) -> None:
        """Raises InvalidInput for an address that is none."""
        issues = []
        url: httpx.URL | None = None
        with suppress(httpx.InvalidURL):
            url = httpx.URL(address)
        if url is None or url.scheme not in ("http", "https") or not url.host:
            issues.append(
                _issue("server", f"{address!r} is no address of a server", "Name one like http://127.0.0.1:8000.")
            )
        if token and not (token.isascii() and token.isprintable()):
            issues.append(_issue("token", "the token cannot be sent: it is not printable ASCII", "Check the token."))
        if url is None or issues:
            raise InvalidInput(issues)
        self.address = str(url).rstrip("/")
        self._client = httpx.Client(
            base_url=self.address,
            headers={"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
            timeout=ANSWER_SECONDS,
            # No proxy reaches this machine's own address.
            trust_env=not is_loopback(url.host),
        )

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, **params: Any) -> Document:
        return self._send("GET", path, params=params)[0]

    def put(self, path: str, body: object) -> Document:
        return self._send("PUT", path, body=body)[0]

    def is_empty(self) -> bool:
        """Whether the store holds neither engineers nor work orders."""
        return not any(self.get(f"/v1/{name}", limit=1)["items"] for name in ("engineers", "work-orders"))

    def store(self, collection: Collection, told: Callable[[int], None]) -> Counter[str]:
        """Create or replace records, in batches that are stored whole or not at all; how many of each outcome.

        `told` hears after each batch how many records it had. After a refusal the batches before stay stored, and the
        same records can be sent again.
        """
        outcomes: Counter[str] = Counter()
        stored = self._stored(collection) if collection.keeps or collection.only_named else {}
        for batch in collection.batches(BATCH):
            wanted = list(batch)
            if collection.only_named:
                wanted = [record for record in batch if key_of(record) not in stored]
                outcomes["unchanged"] += len(batch) - len(wanted)
            if wanted:
                answer = self.put(
                    f"/v1/{collection.name}", [record | stored.get(key_of(record), {}) for record in wanted]
                )
                outcomes.update({outcome: answer[outcome] for outcome in OUTCOMES})
            told(len(batch))
        return outcomes

    def pages(self, name: str) -> Iterator[Document]:
        """The pages of a collection, one after the other."""
        after: Document = {}
        while True:
            page = self.get(f"/v1/{name}", limit=PAGE, **after)
            yield page
            if page["next"] is None:
                return
            after = {"after": page["next"]}

    def _stored(self, collection: Collection) -> dict[tuple[str, str], Document]:
        """What is to be kept of the records that are stored already, and their versions: they may change meanwhile."""
        wanted = {key_of(record) for record in collection.records}
        return {
            key_of(record): {name: record[name] for name in ("version", *collection.keeps) if name in record}
            for page in self.pages(collection.name)
            for record in page["items"]
            if key_of(record) in wanted
        }

    def ask_for_plan(self, request: Document) -> Document:
        """Ask for a plan over what is stored; the run that will make it."""
        # Sent again after a lost answer, the same key stands for the same run.
        return self._send("POST", "/v1/plans", body=request, headers={"Idempotency-Key": uuid.uuid4().hex})[0]

    def cancel(self, run: str) -> Document:
        """Ask for the end of a run, with the best plan so far."""
        return self._send("POST", f"/v1/runs/{run}/cancel")[0]

    def accept(self, plan: str) -> Document:
        """Put a plan in force, in the version it has now."""
        _, tag = self._send("GET", f"/v1/plans/{plan}/record")
        try:
            return self._send("POST", f"/v1/plans/{plan}/accept", headers={"If-Match": tag or "*"})[0]
        except Refused as refused:
            record = self._send("GET", f"/v1/plans/{plan}/record")[0] if refused.status in _CONFLICTS else {}
            # It was put in force all the same, as where the answer was lost and the question sent again.
            if record.get("state") != "accepted":
                raise
            return record

    def follow(self, run: str) -> Iterator[Document]:
        """The run each time something about it changes; the last one has ended. A broken stream is taken up again."""
        failures = 0
        while True:
            try:
                for event in self._events(f"/v1/runs/{run}/events"):
                    failures = 0
                    yield event.data
                    if event.data.get("state") in TERMINAL_STATES:
                        return
            except (httpx.TransportError, Refused) as error:
                if isinstance(error, Refused) and error.status != httpx.codes.SERVICE_UNAVAILABLE:
                    raise
                failures += 1
                if failures == ATTEMPTS:
                    raise self._unreachable(error) from error
            # The stream ended without an end of the run: the server is restarting or went away.
            time.sleep(min(2.0**failures / 2, LONGEST_WAIT_SECONDS))

    def _events(self, path: str) -> Iterator[Event]:
        timeout = httpx.Timeout(ANSWER_SECONDS, read=SILENCE_SECONDS)
        with self._client.stream("GET", path, headers={"Accept": "text/event-stream"}, timeout=timeout) as response:
            if response.status_code != httpx.codes.OK:
                response.read()
                self._refuse(response)
            name, data = "message", list[str]()
            for line in response.iter_lines():
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif not line and data:
                    yield Event(name, json.loads("\n".join(data)))
                    name, data = "message", []

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Document, str | None]:
        """The answer's document and its ETag; what the server cannot do now is asked again when it says so."""
        content = None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        sent = dict(headers or {}) | ({} if content is None else {"Content-Type": "application/json"})
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._client.request(method, path, content=content, params=params or None, headers=sent)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                # A connection that the server closed meanwhile. All that is sent here can be sent twice.
                if attempt > 1:
                    raise self._unreachable(error) from error
                continue
            except httpx.TransportError as error:
                raise self._unreachable(error) from error
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or attempt == ATTEMPTS:
                break
            time.sleep(_wait_seconds(response, attempt))
        if not response.is_success:
            self._refuse(response)
        document = _document(response)
        if document is None:
            raise Unreachable(f"{self.address} answers, but not like a Muster server: is the address right?")
        return document, response.headers.get("ETag")

    def _refuse(self, response: httpx.Response) -> None:
        """Raise what an answer that is no success says."""
        problem = _document(response)
        if problem is None or "code" not in problem:
            raise Unreachable(f"{self.address} answers {response.status_code}, not like a Muster server.")
        raise Refused(
            response.status_code,
            problem["code"],
            problem.get("detail") or problem["title"],
            issues_of(problem.get("issues") or ()),
        )

    def _unreachable(self, error: Exception) -> Unreachable:
        reason = "it does not answer in time" if isinstance(error, httpx.TimeoutException) else str(error)
        return Unreachable(f"{self.address} cannot be reached: {reason}. Is the server running (muster serve)?")


def _issue(path: str, message: str, remedy: str) -> Issue:
    return Issue(path, "UNKNOWN_VALUE", message, remedy)


def issues_of(issues: Iterable[Document]) -> list[Issue]:
    """The issues of a problem document, or of a run's error."""
    return [
        Issue(issue["path"], issue["code"], issue["message"], issue["remedy"], issue.get("params") or {})
        for issue in issues
    ]


def _document(response: httpx.Response) -> Document | None:
    try:
        found = response.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _wait_seconds(response: httpx.Response, attempt: int) -> float:
    try:
        asked = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        asked = float(attempt)
    return min(max(asked, 0.1), LONGEST_WAIT_SECONDS)
