"""Planning one document: answered at once where that is quick, as a run otherwise."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.documents import check_problem
from api.http.actors import permitted, services_of
from api.http.answers import json_response
from api.http.documents import describes_body, problem_of
from api.http.parameters import KEY_PATTERN
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.run_schemas import Run, shown_run
from api.schemas import PlanDocument, ProblemDocument, problem_schema
from api.solve_pool import SolvePool
from data.job_store import RunRecord, Runs
from dispatcher.actor import Actor
from dispatcher.errors import InvalidInput

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=KEY_PATTERN,
        description="Any text of yours; the same request sent again with the same key is the same run.",
    ),
]
LOCATION_HEADER = {"Location": {"description": "The run.", "schema": {"type": "string"}}}
# Reading, reasons and the check come on top of the search.
_OVERHEAD_SECONDS = 10.0


@asynccontextmanager
async def _pool(app: FastAPI) -> AsyncIterator[None]:
    yield
    pool = getattr(app.state, "solve_pool", None)
    if pool is not None:
        pool.close()


router = APIRouter(route_class=KnowingRoute, tags=["planning"], lifespan=_pool)


@router.post(
    "/solve",
    summary="Plan one document",
    operation_id="solve",
    responses={
        200: {"model": PlanDocument, "description": "The plan"},
        202: {"model": Run, "description": "A run to follow", "headers": LOCATION_HEADER},
        **problem_responses(409),
    },
    openapi_extra=describes_body(ProblemDocument, two_orders=problem_schema()["examples"][0]),
)
async def solve(
    request: Request,
    actor: Annotated[Actor, permitted("plan", "document")],
    idempotency_key: IdempotencyKey = None,
    prefer: Annotated[
        str | None, Header(description="`respond-async` asks for a run in any case.", examples=["respond-async"])
    ] = None,
) -> Response:
    """Nothing is stored of a plan that is answered at once.

    Answered with a run to follow (202): a time limit above the server's `MUSTER_MAX_REQUEST_SOLVE_SECONDS`, the header
    `Prefer: respond-async`, a server whose cores are all busy with requests, and what takes longer than it should.
    """
    document = await problem_of(request)
    settings = services_of(request).settings
    limit = settings.max_request_solve_seconds
    if not _wants_run(prefer) and await run_in_threadpool(_fits, document, limit):
        plan = await _pool_of(request.app).solve(document, limit, 2 * limit + _OVERHEAD_SECONDS)
        if plan is not None:
            return await run_in_threadpool(json_response, plan)
    run = await run_in_threadpool(_enqueued, request, actor, document, idempotency_key)
    return run_accepted(request, run)


def run_accepted(request: Request, run: RunRecord) -> Response:
    """The answer to a request that became a run."""
    request.state.run_id = run.id
    return json_response(shown_run(run), 202, {"Location": f"/v1/runs/{run.id}"})


def _pool_of(app: Any) -> SolvePool:
    pool: SolvePool | None = getattr(app.state, "solve_pool", None)
    if pool is None:
        pool = app.state.solve_pool = SolvePool()
    return pool


def _wants_run(prefer: str | None) -> bool:
    return "respond-async" in {part.split(";")[0].strip().lower() for part in (prefer or "").split(",")}


def _fits(document: Mapping[str, Any], limit_seconds: float) -> bool:
    """Whether a search keeps within a request; one without a time limit is let try."""
    # The engines come with this, and a server that never solves need not load them.
    from api.problems import SolveOptions, search_limits

    try:
        seconds = search_limits(document, SolveOptions()).time_limit_seconds
    except (AttributeError, TypeError, ValueError, OverflowError):
        # Not a document; the check says so, in the child and at once.
        return True
    return seconds is None or seconds <= limit_seconds


def _enqueued(request: Request, actor: Actor, document: dict[str, Any], key: str | None) -> RunRecord:
    issues = check_problem(document)
    if issues:
        raise InvalidInput(issues)
    with services_of(request).database.write(actor) as work:
        return Runs(work).enqueue("solve", {"document": document, "options": {}}, idempotency_key=key)
