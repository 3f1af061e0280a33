"""Questions about the running plan: who could, when, why, what if, what changed; and repairing it."""

import time
from datetime import date as Date  # noqa: N812  a parameter of routes is called `date`
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.http.actors import permitted, services_of
from api.http.answers import json_response
from api.http.conditions import etag_of
from api.http.documents import JsonBody, body_of, describes_body
from api.http.parameters import Moment, OnDate, OwnId, PathId
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.live_answers import about, bare_document, broken_rules, difference_json, shown_of
from api.live_days import LiveDays, WarmDay
from api.live_schemas import (
    REPAIR_EXAMPLE,
    WHAT_IF_EXAMPLE,
    LiveCandidates,
    LiveExplanation,
    LiveSlots,
    OnTime,
    PlanDifference,
    RepairAnswer,
    RepairQuestion,
    WhatIf,
    WhatIfAnswer,
)
from api.run_schemas import shown_plan
from api.running_day import plan_in_force, receipt_of, store_plan
from data.repositories import Plans
from dispatcher.actor import Actor
from dispatcher.difference import difference
from dispatcher.errors import InvalidInput, Issue
from dispatcher.on_time import chances
from dispatcher.services.planning import checked_document
from solver.live.background import improve
from solver.live.candidates import candidates
from solver.live.day import LivePolicy
from solver.live.explanation import explanation
from solver.live.moves import Move, what_if
from solver.live.repair import Repaired
from solver.live.slots import slots, window_grid

REPAIR_SECONDS, BACKGROUND_SECONDS = 0.5, 5.0
_ETAG = {"ETag": {"description": "The version of the plan in force.", "schema": {"type": "string"}}}
HOURS = Literal["1", "2", "3", "4", "6", "8", "12", "24"]
router = APIRouter(route_class=KnowingRoute, tags=["live"])


@router.get(
    "/work-orders/{id}/candidates",
    summary="Rank everybody for a work order",
    operation_id="get_candidates",
    responses={200: {"model": LiveCandidates, "headers": _ETAG}, **problem_responses(404, 409)},
)
def ranked(
    request: Request,
    id: PathId,
    actor: Annotated[Actor, permitted("read", "plan")],
    date: OnDate = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="How many candidates at most.")] = 10_000,
) -> Response:
    """Who could do it at which cost, when they would be there, and what other orders would feel; or why they cannot.

    A planned order is thought away first, so that its engineer is one candidate among others.
    """
    warm = _of_order(request, actor, id, date)
    return _answer(warm, shown_of(warm).candidates(candidates(warm.day, warm.why_not, id), limit))


@router.get(
    "/work-orders/{id}/slots",
    summary="Find windows to offer",
    operation_id="get_slots",
    responses={200: {"model": LiveSlots, "headers": _ETAG}, **problem_responses(404, 409)},
)
def offered(
    request: Request,
    id: PathId,
    actor: Annotated[Actor, permitted("read", "plan")],
    date: OnDate = None,
    hours: Annotated[HOURS, Query(description="How long a window is.")] = "4",
    since: Annotated[Moment | None, Query(description="No window begins before; now without.")] = None,
    limit: Annotated[int, Query(ge=1, le=120, description="How many windows at most.")] = 120,
) -> Response:
    """Windows from midnight on in the plan's zone, the cheapest first; those that nobody can keep come last.

    The windows that the order has do not count.
    """
    warm = _of_order(request, actor, id, date)
    start = None if since is None else int(since.timestamp())
    grid = list(window_grid(warm.running.problem, int(hours), start=start))
    return _answer(warm, shown_of(warm).slots(id, slots(warm.day, id, grid), limit))


@router.get(
    "/work-orders/{id}/explanation",
    summary="Explain where a work order is in the running plan",
    operation_id="get_explanation",
    responses={200: {"model": LiveExplanation, "headers": _ETAG}, **problem_responses(404, 409)},
)
def explained(
    request: Request,
    id: PathId,
    actor: Annotated[Actor, permitted("read", "plan")],
    date: OnDate = None,
    others: Annotated[int, Query(ge=0, le=10_000, description="How many other candidates are told.")] = 3,
) -> Response:
    """Why this engineer, why then, why not the others, and what it would take."""
    warm = _of_order(request, actor, id, date)
    return _answer(warm, shown_of(warm).explanation(explanation(warm.day, warm.why_not, id), others))


@router.post(
    "/plans/{plan_id}/what-if",
    summary="Try moves on the running plan",
    operation_id="ask_what_if",
    responses={200: {"model": WhatIfAnswer, "headers": _ETAG}, **problem_responses(404, 409)},
    openapi_extra=describes_body(WhatIf, assign=WHAT_IF_EXAMPLE),
)
def tried(
    request: Request, plan_id: OwnId, actor: Annotated[Actor, permitted("read", "plan")], raw: JsonBody
) -> Response:
    """Whether the plan would still keep every rule, which it would break, and what would be different. Nothing is
    stored."""
    question = body_of(WhatIf, raw)
    warm = _of_plan(request, actor, plan_id)
    moves = [Move(m.move, m.work_order, m.engineer, m.shift, m.position, m.other) for m in question.moves]
    found = what_if(warm.day, moves)
    after = bare_document(warm.running.problem, found.plan, found.evaluation)
    body = {
        **about(warm),
        "feasible": found.evaluation.feasible,
        "broken_rules": [] if found.evaluation.feasible else broken_rules(warm.running.document, after),
        "difference": _difference(warm, _as_it_is(warm), after),
    }
    return _answer(warm, body)


@router.get(
    "/plans/{plan_id}/diff/{other}",
    summary="Compare two plans",
    operation_id="compare_plans",
    responses={200: {"model": PlanDifference}, **problem_responses(404)},
)
def compared(
    request: Request, plan_id: OwnId, other: OwnId, actor: Annotated[Actor, permitted("read", "plan")]
) -> Response:
    """From one plan to another: which orders are served otherwise, by whom and when, and why; whose day is different,
    and what costs more or less."""
    with services_of(request).database.read(actor) as work:
        plans = Plans(work)
        before, after = ((plans.problem(name), plans.document(name)) for name in (plan_id, other))
    return json_response(difference_json(difference(before, after), ZoneInfo(before[0]["timezone"])))


@router.get(
    "/plans/{plan_id}/on-time",
    summary="Say how likely each order of the running plan is on time",
    operation_id="get_on_time",
    responses={200: {"model": OnTime, "headers": _ETAG}, **problem_responses(404, 409)},
)
def on_time(request: Request, plan_id: OwnId, actor: Annotated[Actor, permitted("read", "plan")]) -> Response:
    """The most doubtful first; orders to which nothing was promised come last."""
    warm = _of_plan(request, actor, plan_id)
    found = chances(warm.running.problem, warm.day.plan)
    return _answer(warm, shown_of(warm).on_time(found.values()))


@router.post(
    "/plans/{plan_id}/repair",
    summary="Repair the running plan",
    operation_id="repair_plan",
    responses={200: {"model": RepairAnswer, "headers": _ETAG}, **problem_responses(404, 409)},
    openapi_extra=describes_body(RepairQuestion, new_order=REPAIR_EXAMPLE),
)
def repaired(
    request: Request, plan_id: OwnId, actor: Annotated[Actor, permitted("plan", "plan")], raw: JsonBody
) -> Response:
    """A plan to accept (`POST /v1/plans/{plan_id}/accept` with its version), with all that it changes; never in force
    by itself. What runs, what somebody is on the way to and what starts soon stays."""
    question = body_of(RepairQuestion, raw)
    seconds = _seconds(question, services_of(request).settings.max_request_solve_seconds)
    warm = _of_plan(request, actor, plan_id)
    warm = warm.under(_policy(question, warm.policy))
    began = time.monotonic()
    found = _found(question, warm, seconds)
    elapsed = time.monotonic() - began
    before = _as_it_is(warm)
    is_better = found.evaluation.total < before["score"]["total"]
    proposal, after = None, before
    if is_better:
        after = checked_document(
            warm.running.problem,
            warm.running.document,
            found.plan,
            found.evaluation,
            receipt=receipt_of(warm.running, question.mode, elapsed),
            created_at=warm.running.problem.now,
        )
        with services_of(request).database.write(actor) as work:
            proposal = shown_plan(Plans(work).get(store_plan(work, warm.running, after)))
    body = {
        **about(warm),
        "proposal": proposal,
        "reassigned": found.reassigned if is_better else 0,
        "over_budget": found.over_budget and is_better,
        "difference": _difference(warm, before, after),
    }
    return _answer(warm, body)


def _policy(question: RepairQuestion, house: LivePolicy) -> LivePolicy:
    """What stays in a repair: what the question says, and else what the house does."""
    return LivePolicy(
        freeze_seconds=house.freeze_seconds if question.freeze_seconds is None else question.freeze_seconds,
        breaks_in=house.breaks_in if question.breaks_in is None else frozenset(question.breaks_in),
        diverts=house.diverts if question.diverts is None else question.diverts,
        change_budget=house.change_budget if question.change_budget is None else question.change_budget,
    )


def _seconds(question: RepairQuestion, most_seconds: float) -> float:
    """How long to search.

    Raises:
        InvalidInput: if longer is asked for than the service lets a request search.
    """
    if question.mode == "instant":
        return 0.0
    wished = question.seconds
    if wished is None:
        return min(REPAIR_SECONDS if question.mode == "repair" else BACKGROUND_SECONDS, most_seconds)
    if wished > most_seconds:
        message = f"{wished:g} s of search, where this service lets a request search for {most_seconds:g} s at most"
        remedy = f"Ask for at most {most_seconds:g}, or for a new plan with `POST /v1/plans`."
        raise InvalidInput([Issue("seconds", "OUT_OF_RANGE", message, remedy, {"limit": most_seconds})])
    return wished


def _found(question: RepairQuestion, warm: WarmDay, seconds: float) -> Repaired:
    if question.mode == "background":
        return improve(warm.day, question.work_orders, seconds=seconds)
    return warm.repairer().repair(question.work_orders, seconds=seconds)


def _difference(warm: WarmDay, before: dict[str, Any], after: dict[str, Any]) -> Any:
    problem = warm.running.document
    return difference_json(difference((problem, before), (problem, after)), warm.running.problem.timezone)


def _as_it_is(warm: WarmDay) -> dict[str, Any]:
    return bare_document(warm.running.problem, warm.day.plan)


def _of_order(request: Request, actor: Actor, order: str, on: Date | None) -> WarmDay:
    with services_of(request).database.read(actor) as work:
        warm = _days(request).get(work, plan_in_force(work, work_order=order, on=on))
        warm.check(work, order)
    return warm


def _of_plan(request: Request, actor: Actor, plan_id: str) -> WarmDay:
    with services_of(request).database.read(actor) as work:
        return _days(request).get(work, plan_id)


def _days(request: Request) -> LiveDays:
    days: LiveDays = request.app.state.live_days
    return days


def _answer(warm: WarmDay, body: dict[str, Any]) -> Response:
    return json_response(body, headers={"ETag": etag_of(warm.running.plan_version)})
