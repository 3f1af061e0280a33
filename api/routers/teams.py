"""Emergency teams: ways to send one, accepting one, and who could come instead of a member who drops out."""

from datetime import date as Date  # noqa: N812  a parameter of routes is called `date`
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api.http.actors import permitted, services_of
from api.http.answers import json_response
from api.http.conditions import IfMatch, etag_of, required_version
from api.http.documents import JsonBody, body_of, describes_body
from api.http.parameters import OPTION_PATTERN, OnDate, PathId
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.run_schemas import shown_plan
from api.running_day import running_day
from api.team_accepting import accept_option, answer_key, option_name
from api.team_answers import ask
from api.team_schemas import AcceptedOption, SubstituteQuestion, TeamOptions, TeamQuestion
from dispatcher.actor import Actor
from dispatcher.errors import InvalidInput, Issue

ETAG_HEADER = {"ETag": {"description": "The version of the plan they rest on.", "schema": {"type": "string"}}}
OptionName = Annotated[
    str,
    Path(pattern=OPTION_PATTERN, description="The id of the option.", examples=["1795401600-0a1b2c3d4e5f"]),
]
_OPTIONS: dict[int | str, dict[str, Any]] = {
    200: {"model": TeamOptions, "headers": ETAG_HEADER},
    **problem_responses(404, 409),
}
router = APIRouter(route_class=KnowingRoute, prefix="/work-orders/{id}", tags=["teams"])


@router.post(
    "/team-options",
    summary="Ask for ways to send a team",
    operation_id="ask_for_team_options",
    responses=_OPTIONS,
    openapi_extra=describes_body(TeamQuestion, defaults={}),
)
def asked(
    request: Request,
    id: PathId,
    actor: Annotated[Actor, permitted("plan", "plan")],
    raw: JsonBody,
    date: OnDate = None,
) -> Response:
    """Up to four teams for an order over the running plan, each with all that it changes. Nothing is stored."""
    question = body_of(TeamQuestion, raw)
    if question.instead_of is not None:
        message = "here teams are asked for, not substitutes"
        remedy = "Ask `substitute`, or leave it out."
        raise InvalidInput([Issue("instead_of", "UNKNOWN_FIELD", message, remedy)])
    return _answered(request, actor, id, question, date)


@router.post(
    "/substitute",
    summary="Ask who could come instead of a member",
    operation_id="ask_for_substitute",
    responses=_OPTIONS,
    openapi_extra=describes_body(SubstituteQuestion, drops_out={"engineer": "E1"}),
)
def substituted(
    request: Request,
    id: PathId,
    actor: Annotated[Actor, permitted("plan", "plan")],
    raw: JsonBody,
    date: OnDate = None,
) -> Response:
    """The others keep their roles. Accept an option with the same question, its `engineer` as `instead_of`."""
    given = body_of(SubstituteQuestion, raw)
    question = TeamQuestion(most=given.most, may_displace=given.may_displace, instead_of=given.engineer)
    return _answered(request, actor, id, question, date)


@router.post(
    "/team-options/{option}/accept",
    summary="Send a team",
    operation_id="accept_team_option",
    responses={
        200: {"model": AcceptedOption, "headers": ETAG_HEADER},
        **problem_responses(404, 409, 412, 428),
    },
    openapi_extra=describes_body(TeamQuestion, defaults={}),
)
def accepted(
    request: Request,
    id: PathId,
    option: OptionName,
    actor: Annotated[Actor, permitted("accept", "plan")],
    raw: JsonBody,
    date: OnDate = None,
    if_match: IfMatch = None,
) -> Response:
    """Puts the option in force: the team, and the displaced work where the option says. The body is the question that
    the options were asked for with, and so is `date`; `If-Match` is the `plan_version` of the answer.

    Refused (409 `OPTION_GONE`) if by now it would break a rule, or a promise that it did not name.
    """
    question = body_of(TeamQuestion, raw)
    version = required_version(if_match)
    services = services_of(request)
    state = request.app.state
    with services.database.write(actor) as work:
        plan, changes = accept_option(
            work, id, option, question, version, state.team_policy, state.recent_teams, on=date
        )
    answer = {"plan": shown_plan(plan), "work_order": id, "changes": changes}
    return json_response(answer, headers={"ETag": etag_of(plan.version)})


def _answered(request: Request, actor: Actor, order: str, question: TeamQuestion, on: Date | None) -> Response:
    services = services_of(request)
    state = request.app.state
    with services.database.read(actor) as work:
        day = running_day(work, work_order=order, on=on)
    teams = ask(day.problem, day.plan, order, question, state.team_policy, day.in_force)
    key = answer_key(actor.tenant_id, day.plan_id, order, day.problem.now, question)
    state.recent_teams.remember(key, teams, day.plan_version)
    document = teams.document(lambda option: option_name(teams, option, day.plan_id))
    document |= {"plan_id": day.plan_id, "plan_version": day.plan_version}
    return json_response(document, headers={"ETag": etag_of(day.plan_version)})
