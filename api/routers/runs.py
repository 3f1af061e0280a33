"""Runs: what became of requests for plans, and how to follow and stop them."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import anyio
from fastapi import APIRouter, FastAPI, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.http.actors import permitted, services_of
from api.http.answers import json_bytes, json_response
from api.http.parameters import OwnId
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.run_schemas import Best, Run, RunPage, RunQuery, shown_run
from api.schemas import ProblemDocument
from api.supervise import Supervisor
from data.job_store import RunRecord, Runs
from data.repositories import Plans
from data.session import UnitOfWork
from dispatcher.actor import Actor
from dispatcher.errors import Contention, NotFound, RecordKey, Unavailable
from dispatcher.lifecycle import TERMINAL_RUN_STATES

POLL_SECONDS = 0.3
HEARTBEAT_SECONDS = 15.0
Answer = TypeVar("Answer")


@asynccontextmanager
async def _workers(app: FastAPI) -> AsyncIterator[None]:
    supervisor = Supervisor(app.state.services.settings, app.state.kernel)
    supervisor.start()
    try:
        yield
    finally:
        await run_in_threadpool(supervisor.stop)


router = APIRouter(route_class=KnowingRoute, tags=["planning"], lifespan=_workers)


@router.get(
    "/runs",
    summary="List runs",
    operation_id="list_runs",
    responses={200: {"model": RunPage}, **problem_responses()},
)
def listed(
    request: Request, query: Annotated[RunQuery, Query()], actor: Annotated[Actor, permitted("read", "run")]
) -> Response:
    """The newest first."""
    page = _read(request, actor, lambda work: Runs(work).page(state=query.state, after=query.after, limit=query.limit))
    return json_response({"items": [shown_run(run) for run in page.items], "next": page.next})


@router.get(
    "/runs/{run_id}",
    summary="Get one run",
    operation_id="get_run",
    responses={200: {"model": Run}, **problem_responses(404)},
)
def got(request: Request, run_id: OwnId, actor: Annotated[Actor, permitted("read", "run")]) -> Response:
    return json_response(shown_run(_run(request, actor, run_id)))


@router.get(
    "/runs/{run_id}/best",
    summary="Get the best that a run has so far",
    operation_id="get_best_of_run",
    responses={200: {"model": Best}, **problem_responses(404)},
)
def best(request: Request, run_id: OwnId, actor: Annotated[Actor, permitted("read", "run")]) -> Response:
    """Cancel a run to have its best so far as a whole plan; `plan_id` names it then."""

    def found(work: UnitOfWork) -> dict[str, Any]:
        runs = Runs(work)
        run = runs.get(run_id)
        if run.plan_id is None:
            told = runs.best_so_far(run_id) or {}
        else:
            plan = Plans(work).document(run.plan_id)
            unassigned = len(plan.get("unassigned") or ())
            served = {stop["work_order"] for route in plan["routes"] for stop in route["stops"] if "work_order" in stop}
            told = {"total": plan["score"]["total"], "served": len(served), "unassigned": unassigned}
        figures = {name: told.get(name) for name in ("total", "served", "unassigned")}
        return {"run_id": run.id, "state": run.state, "plan_id": run.plan_id, **figures}

    return json_response(_read(request, actor, found))


@router.get(
    "/runs/{run_id}/problem",
    summary="Get the problem of a run",
    operation_id="get_problem_of_run",
    responses={200: {"model": ProblemDocument}, **problem_responses(404)},
)
def problem(request: Request, run_id: OwnId, actor: Annotated[Actor, permitted("read", "run")]) -> Response:
    """What was sent to `POST /v1/solve`; of a plan over what is stored the snapshot, once there is a plan."""

    def found(work: UnitOfWork) -> dict[str, Any]:
        runs = Runs(work)
        run = runs.get(run_id)
        if run.plan_id is not None:
            return Plans(work).problem(run.plan_id)
        document: dict[str, Any] | None = runs.request(run_id).get("document")
        if document is None:
            raise NotFound(RecordKey("problem_of_run", (run_id,)))
        return document

    return json_response(_read(request, actor, found))


@router.post(
    "/runs/{run_id}/cancel",
    summary="Ask a run to end with its best so far",
    operation_id="cancel_run",
    responses={200: {"model": Run}, **problem_responses(404)},
)
def cancel(request: Request, run_id: OwnId, actor: Annotated[Actor, permitted("cancel", "run")]) -> Response:
    """A run that waits is cancelled at once, one that has ended stays as it is. Follow the others to their end."""
    with services_of(request).database.write(actor) as work:
        run = Runs(work).request_cancel(run_id)
    return json_response(shown_run(run))


@router.get(
    "/runs/{run_id}/events",
    summary="Follow a run",
    operation_id="follow_run",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events `progress`, and `ended` at the end; the data of each is the run.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problem_responses(404),
    },
)
async def events(
    request: Request,
    run_id: OwnId,
    actor: Annotated[Actor, permitted("read", "run")],
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="Sent by browsers; the stream begins with what is now.")
    ] = None,
) -> StreamingResponse:
    """Server-sent events (text/event-stream). The id of an event is the run's version; a broken stream can be taken up
    again at any time. Lines that begin with a colon are signs of life."""
    first = await run_in_threadpool(_run, request, actor, run_id)
    return StreamingResponse(
        _events(request, actor, first, last_event_id),
        media_type="text/event-stream",
        # Proxies would keep back what is small.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(request: Request, actor: Actor, run: RunRecord, known: str | None) -> AsyncIterator[bytes]:
    told = None if known != str(run.version) else _visible(run)
    spoke = time.monotonic()
    yield b": muster\n\n"
    while True:
        if run.state in TERMINAL_RUN_STATES:
            yield _event("ended", run)
            return
        if _visible(run) != told:
            told, spoke = _visible(run), time.monotonic()
            yield _event("progress", run)
        elif time.monotonic() - spoke >= HEARTBEAT_SECONDS:
            spoke = time.monotonic()
            yield b": still there\n\n"
        await anyio.sleep(POLL_SECONDS)
        try:
            run = await run_in_threadpool(_run, request, actor, run.id)
        except (Contention, Unavailable):
            # The database may come back; the stream says nothing new meanwhile.
            continue


def _visible(run: RunRecord) -> tuple[object, ...]:
    """What a follower sees change; signs of life change the version alone."""
    return run.state, run.attempts, run.progress, run.progress_text, run.cancel_requested


def _event(name: str, run: RunRecord) -> bytes:
    return b"event: %b\nid: %d\ndata: %b\n\n" % (name.encode(), run.version, json_bytes(shown_run(run)))


def _run(request: Request, actor: Actor, run_id: str) -> RunRecord:
    return _read(request, actor, lambda work: Runs(work).get(run_id))


def _read(request: Request, actor: Actor, ask: Callable[[UnitOfWork], Answer]) -> Answer:
    with services_of(request).database.read(actor) as work:
        return ask(work)
