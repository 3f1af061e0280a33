"""What happens in a running day: told in batches, read page by page, followed as a stream."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, FastAPI, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.documents import in_order
from api.event_schemas import BATCH_EXAMPLE, EventAnswer, EventBatch, EventPage, EventQuery
from api.http.actors import permitted, services_of
from api.http.answers import json_bytes, json_response
from api.http.documents import JsonBody, checked, describes_body, read_body
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.live_events import Outcome, Told, tell
from api.resource_kinds import KINDS
from api.watch import Watch
from data.event_log import EventLog, EventRecord
from dispatcher.actor import Actor
from dispatcher.documents import utc_text
from dispatcher.errors import Contention, InvalidInput, Issue, Unavailable
from dispatcher.told_records import moment

POLL_SECONDS = 0.3
HEARTBEAT_SECONDS = 15.0
_PAGE = 100
_ORDERS = next(kind for kind in KINDS if kind.kind == "work_order")


@asynccontextmanager
async def _watched(app: FastAPI) -> AsyncIterator[None]:
    watch: Watch = app.state.watch
    watch.start()
    try:
        yield
    finally:
        await run_in_threadpool(watch.stop)


router = APIRouter(route_class=KnowingRoute, tags=["running day"], lifespan=_watched)


@router.post(
    "/events",
    summary="Tell what happened",
    operation_id="tell_events",
    responses={200: {"model": EventAnswer}, **problem_responses()},
    openapi_extra=describes_body(EventBatch, phone=BATCH_EXAMPLE),
)
def told(request: Request, actor: Annotated[Actor, permitted("write", "event")], raw: JsonBody) -> Response:
    """Each event is applied or refused for itself, in the order in which they happened, whatever their order here.

    Send the same batch again whenever no answer came: by its `client_id` each event counts once. A batch in which an
    event is malformed is refused whole (422).
    """
    services = services_of(request)
    batch = read_body(raw, _batch)
    outcomes = tell(services.database, actor, batch)
    with services.database.read(actor) as work:
        last = EventLog(work).last()
    return json_response({"events": [_shown(*pair) for pair in zip(batch, outcomes, strict=True)], "last": last})


@router.get(
    "/events",
    summary="List what happened",
    operation_id="list_events",
    responses={200: {"model": EventPage}, **problem_responses()},
)
def listed(
    request: Request, query: Annotated[EventQuery, Query()], actor: Annotated[Actor, permitted("read", "event")]
) -> Response:
    """In the order in which it was applied. Changes by other requests are in it too, as `records_changed`."""
    with services_of(request).database.read(actor) as work:
        log = EventLog(work)
        found, last = log.read(query.after, query.limit), log.last()
    behind = found[-1].sequence if found and found[-1].sequence < last else None
    return json_response({"items": [shown_event(event) for event in found], "next": behind, "last": last})


@router.get(
    "/events/stream",
    summary="Follow what happens",
    operation_id="follow_events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "An event each, named by its kind; the data is the event as the list has it.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problem_responses(),
    },
)
async def stream(
    request: Request,
    actor: Annotated[Actor, permitted("read", "event")],
    after: Annotated[
        int | None, Query(ge=0, le=10**15, description="Begin behind this number; with what is new where absent.")
    ] = None,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID", description="Sent by browsers: the stream goes on behind it, whatever `after` is."
        ),
    ] = None,
) -> StreamingResponse:
    """Server-sent events (text/event-stream), as long as the server runs.

    The id of an event is its number in the log, so that a broken stream goes on where it broke off. Lines that begin
    with a colon are signs of life.
    """
    known = last_event_id if last_event_id is not None and last_event_id.isascii() else ""
    if known.isdigit() and len(known) < 16:
        after = int(known)
    if after is None:
        after = await run_in_threadpool(_read_last, request, actor)
    return StreamingResponse(
        _stream(request, actor, after),
        media_type="text/event-stream",
        # Proxies would keep back what is small.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, actor: Actor, after: int) -> AsyncIterator[bytes]:
    spoke = time.monotonic()
    yield b": muster\n\n"
    # Who follows takes the stream up again, here or at another server.
    while not request.app.state.stopping:
        try:
            found = await run_in_threadpool(_read_after, request, actor, after)
        except (Contention, Unavailable):
            # The database may come back; the stream says nothing new meanwhile.
            found = ()
        for event in found:
            after, spoke = event.sequence, time.monotonic()
            data = json_bytes(shown_event(event))
            yield b"event: %b\nid: %d\ndata: %b\n\n" % (event.type.encode(), event.sequence, data)
        if len(found) == _PAGE:
            continue
        if time.monotonic() - spoke >= HEARTBEAT_SECONDS:
            spoke = time.monotonic()
            yield b": still there\n\n"
        await anyio.sleep(POLL_SECONDS)


def shown_event(event: EventRecord) -> dict[str, Any]:
    """An event of the log as JSON values."""
    return {
        "sequence": event.sequence,
        "kind": event.type,
        "subject": event.subject,
        "occurred_at": utc_text(event.occurred_at),
        "recorded_at": utc_text(event.recorded_at),
        "principal": event.principal,
        "reason": event.reason,
        "client_id": event.client_id,
        "body": event.payload,
        "sha256": event.sha256,
    }


def _batch(document: object) -> list[Told]:
    """A body as events.

    Raises:
        InvalidInput: with every issue of every event.
    """
    issues: list[Issue] = []
    try:
        checked(EventBatch, document)
    except InvalidInput as error:
        issues += error.issues
    written = document.get("events") if isinstance(document, dict) else None
    for position, item in enumerate(written if isinstance(written, list) else ()):
        issues += _meant(f"events[{position}].body", item)
    if issues:
        raise InvalidInput(in_order(document, issues))
    assert isinstance(written, list)
    return [Told(item["client_id"], item["kind"], moment(item["occurred_at"]), item["body"]) for item in written]


def _meant(path: str, item: object) -> list[Issue]:
    """What the order of an event says that cannot be meant; its shape is checked elsewhere."""
    body = item.get("body") if isinstance(item, dict) else None
    if not isinstance(body, dict):
        return []
    found = []
    for field in ("order", "changes"):
        if isinstance(body.get(field), dict):
            for _, issue in _ORDERS.meant([body[field]]):
                place = ".".join(part for part in (path, field, issue.path) if part)
                found.append(Issue(place, issue.code, issue.message, issue.remedy, issue.params))
    return found


def _shown(told: Told, outcome: Outcome) -> dict[str, Any]:
    refusal = outcome.refusal
    return {
        "client_id": told.client_id,
        "outcome": outcome.outcome,
        "sequence": None if outcome.event is None else outcome.event.sequence,
        "refusal": None
        if refusal is None
        else {
            "path": refusal.path,
            "code": refusal.code,
            "message": refusal.message,
            "remedy": refusal.remedy,
            "params": dict(refusal.params),
        },
    }


def _read_last(request: Request, actor: Actor) -> int:
    with services_of(request).database.read(actor) as work:
        return EventLog(work).last()


def _read_after(request: Request, actor: Actor, after: int) -> Sequence[EventRecord]:
    with services_of(request).database.read(actor) as work:
        return EventLog(work).read(after, _PAGE)
