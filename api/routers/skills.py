"""Questions about the skills of a crew: who covers what, hour by hour, and where it is thin."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.http.actors import permitted, services_of
from api.http.answers import json_response
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.planning_state import stored_state
from api.problems import build_problem
from api.references import named
from api.skill_answers import coverage_document, gaps_document
from api.skill_schemas import SkillCoverage, SkillGaps, SkillQuery
from data.session import UnitOfWork
from dispatcher.actor import Actor
from dispatcher.coverage import coverage
from dispatcher.problem import Problem
from dispatcher.services.state import PlanQuestion, problem_document
from dispatcher.services.state_visits import WAITING
from dispatcher.skill_gaps import gaps

router = APIRouter(route_class=KnowingRoute, prefix="/skills", tags=["skills"])


@router.get(
    "/coverage",
    summary="Get who covers which skill, hour by hour",
    operation_id="get_skill_coverage",
    responses={200: {"model": SkillCoverage}, **problem_responses()},
)
def covered(
    request: Request, query: Annotated[SkillQuery, Query()], actor: Annotated[Actor, permitted("read", "skill")]
) -> Response:
    """The engineers on shift of a territory on a date against what its open orders ask for, in local hours from now on.

    A row is a skill at a level that an order asks for; people count in every row that they fit, by any path of the
    skill graph.
    """
    with services_of(request).database.read(actor) as work:
        problem = _problem(work, query)
    return json_response(coverage_document(coverage(problem, query.territory)))


@router.get(
    "/gaps",
    summary="Get where the skills of a crew are thin",
    operation_id="get_skill_gaps",
    responses={200: {"model": SkillGaps}, **problem_responses()},
)
def thin(
    request: Request, query: Annotated[SkillQuery, Query()], actor: Annotated[Actor, permitted("read", "skill")]
) -> Response:
    """Single points of failure, hours that nobody covers, orders with nobody to spare and who is one step short of
    them, and the trainings that end most single points.
    """
    with services_of(request).database.read(actor) as work:
        problem = _problem(work, query)
    found = coverage(problem, query.territory)
    return json_response(gaps_document(found, gaps(problem, found)))


def _problem(work: UnitOfWork, query: SkillQuery) -> Problem:
    """What is stored about the territory on the date.

    Raises:
        UnknownReference: if there is no such territory.
        InvalidInput: if what is stored makes no valid problem.
    """
    named(work, "territory", query.territory, "territory")
    question = PlanQuestion("skills", [query.territory], [query.date])
    state = stored_state(work, question)
    # An order asks for its skills as long as nobody is there, also where somebody of another territory has it.
    state = replace(state, visits=[visit for visit in state.visits if visit["status"] not in WAITING])
    document = problem_document(state, question, work.now)
    # Nobody travels here: a site whose coordinates are not known yet is no reason to refuse an answer.
    document["locations"] = {name: {"lat": 0.0, "lon": 0.0} for name in document["locations"]}
    for order in document["work_orders"]:
        # It is the territory's by its site where it names none.
        order.setdefault("territory", query.territory)
    return build_problem(document)
