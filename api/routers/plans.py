"""Plans over what is stored: asked for, read, and put in force."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.http.actors import permitted, services_of
from api.http.answers import json_response
from api.http.conditions import IfMatch, IfNoneMatch, etag_of, is_unchanged, not_modified, required_version
from api.http.documents import JsonBody, body_of, describes_body
from api.http.parameters import OwnId
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.planning_state import accept_plan, scopes_of
from api.references import in_words_of_the_request
from api.routers.solve import LOCATION_HEADER, IdempotencyKey, run_accepted
from api.run_schemas import QUESTION_EXAMPLE, Plan, PlanPage, PlanQuery, PlanRequest, Run, shown_plan
from api.schemas import PlanDocument, ProblemDocument
from data.job_store import Runs
from data.repositories import Plans, Scope
from dispatcher.actor import Actor
from dispatcher.errors import InvalidInput, Issue, UnknownEngine, UnknownReference
from dispatcher.validate import LIMITS

MAX_SCOPES = 10_000
ETAG_HEADER = {"ETag": {"description": "The version of the plan, for accepting it.", "schema": {"type": "string"}}}
router = APIRouter(route_class=KnowingRoute, tags=["planning"])


@router.post(
    "/plans",
    summary="Ask for a plan of territories on dates",
    operation_id="ask_for_plan",
    status_code=202,
    responses={
        202: {"model": Run, "description": "A run to follow", "headers": LOCATION_HEADER},
        **problem_responses(409),
    },
    openapi_extra=describes_body(PlanRequest, one_day=QUESTION_EXAMPLE),
)
def asked(
    request: Request,
    actor: Annotated[Actor, permitted("plan", "plan")],
    raw: JsonBody,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The run plans what is stored when a worker takes it. Nothing else changes until its plan is accepted."""
    question = body_of(PlanRequest, raw)
    _refuse_too_much(question.territories, question.dates)
    options = {} if question.options is None else question.options.model_dump(exclude_none=True)
    _refuse_unknown_engine(options.get("engine"))
    wanted: dict[str, Any] = {
        "territories": list(dict.fromkeys(question.territories)),
        "dates": sorted({day.isoformat() for day in question.dates}),
        "options": options,
    }
    for name, part in (("travel", question.travel), ("objective", question.objective)):
        if part is not None:
            wanted[name] = part.model_dump(by_alias=True, exclude_none=True)
    with services_of(request).database.write(actor) as work:
        try:
            Plans(work).versions(scopes_of(question.territories, question.dates[:1]))
        except UnknownReference as error:
            raise in_words_of_the_request(error, "territories") from None
        run = Runs(work).enqueue("plan", wanted, idempotency_key=idempotency_key)
    return run_accepted(request, run)


@router.get(
    "/plans",
    summary="List plans",
    operation_id="list_plans",
    responses={200: {"model": PlanPage}, **problem_responses()},
)
def listed(
    request: Request, query: Annotated[PlanQuery, Query()], actor: Annotated[Actor, permitted("read", "plan")]
) -> Response:
    """The newest first."""
    scope = _scope(query.territory, query.date)
    with services_of(request).database.read(actor) as work:
        page = Plans(work).page(state=query.state, scope=scope, after=query.after, limit=query.limit)
    return json_response({"items": [shown_plan(plan) for plan in page.items], "next": page.next})


@router.get(
    "/plans/{plan_id}",
    summary="Get the document of a plan",
    operation_id="get_plan",
    responses={
        200: {"model": PlanDocument, "headers": ETAG_HEADER},
        304: {"description": "Not Modified", "headers": ETAG_HEADER},
        **problem_responses(404),
    },
)
def got(
    request: Request,
    plan_id: OwnId,
    actor: Annotated[Actor, permitted("read", "plan")],
    if_none_match: IfNoneMatch = None,  # noqa: ARG001  read from the request, here for its description
) -> Response:
    """The document never changes; the version rises when the plan is accepted or superseded."""
    with services_of(request).database.read(actor) as work:
        etag = etag_of(Plans(work).get(plan_id).version)
        if is_unchanged(request, etag):
            return not_modified(etag)
        document = Plans(work).document(plan_id)
    return json_response(document, headers={"ETag": etag})


@router.get(
    "/plans/{plan_id}/record",
    summary="Get what became of a plan",
    operation_id="get_plan_record",
    responses={200: {"model": Plan, "headers": ETAG_HEADER}, **problem_responses(404)},
)
def record(request: Request, plan_id: OwnId, actor: Annotated[Actor, permitted("read", "plan")]) -> Response:
    with services_of(request).database.read(actor) as work:
        plan = Plans(work).get(plan_id)
    return json_response(shown_plan(plan), headers={"ETag": etag_of(plan.version)})


@router.get(
    "/plans/{plan_id}/problem",
    summary="Get the problem that a plan answers",
    operation_id="get_problem_of_plan",
    responses={200: {"model": ProblemDocument}, **problem_responses(404)},
)
def problem(request: Request, plan_id: OwnId, actor: Annotated[Actor, permitted("read", "plan")]) -> Response:
    """What was stored when the run began, as a planning document; `attributes.left_out` says what is not part of it."""
    with services_of(request).database.read(actor) as work:
        document = Plans(work).problem(plan_id)
    return json_response(document)


@router.post(
    "/plans/{plan_id}/accept",
    summary="Put a plan in force",
    operation_id="accept_plan",
    responses={200: {"model": Plan, "headers": ETAG_HEADER}, **problem_responses(404, 409, 412, 428)},
)
def accepted(
    request: Request,
    plan_id: OwnId,
    actor: Annotated[Actor, permitted("accept", "plan")],
    if_match: IfMatch = None,
) -> Response:
    """Its work orders become `planned` and get their visits; those that it leaves out are `open` again.

    Refused (409 `SCOPE_CONFLICT`) if another plan was accepted for one of its territories and dates since it was begun.
    """
    version = required_version(if_match)
    with services_of(request).database.write(actor) as work:
        plan = accept_plan(work, plan_id, version)
    return json_response(shown_plan(plan), headers={"ETag": etag_of(plan.version)})


def _scope(territory: str | None, day: date | None) -> Scope | None:
    if territory is not None and day is not None:
        return Scope(territory, day)
    if territory is None and day is None:
        return None
    missing = "date" if day is None else "territory"
    issue = Issue(missing, "MISSING_FIELD", "`territory` and `date` belong together", f"Add `{missing}`.")
    raise InvalidInput([issue])


def _refuse_too_much(territories: Iterable[str], dates: Iterable[date]) -> None:
    days = sorted(set(dates))
    span = (days[-1] - days[0]).days + 1
    # The horizon of a plan may reach a day further on both sides, by zones and by shifts over midnight.
    if span > LIMITS.horizon_days - 3:
        message = f"the dates reach over {span} days"
        limit = LIMITS.horizon_days - 3
        raise InvalidInput([Issue("dates", "TOO_LARGE", message, f"Plan at most {limit} days at once.")])
    scopes = len(set(territories)) * len(days)
    if scopes > MAX_SCOPES:
        message = f"these are {scopes} pairs of a territory and a date"
        raise InvalidInput([Issue("", "TOO_LARGE", message, f"Ask for at most {MAX_SCOPES} at once.")])


def _refuse_unknown_engine(name: str | None) -> None:
    if name is None:
        return
    # Engines bring large libraries with them, which a server needs for nothing else.
    from solver.engines import ENGINES

    if name not in ENGINES:
        raise UnknownEngine(f"there is no engine {name!r}; there is {', '.join(sorted(ENGINES))}")
