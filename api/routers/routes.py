"""An engineer's route of a day, as a phone asks for it: often, and mostly for what it has already."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.http.actors import permitted, services_of
from api.http.answers import json_response
from api.http.conditions import IfNoneMatch, is_unchanged, not_modified
from api.http.parameters import LocalDate, PathId
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.run_schemas import DayRoutes
from data.repositories import Plans, Repository
from dispatcher.actor import Actor

_ETAG_HEADER = {
    "ETag": {
        "description": "Weak: the same while the routes are, also by another plan.",
        "schema": {"type": "string"},
    }
}
router = APIRouter(route_class=KnowingRoute, tags=["planning"])


@router.get(
    "/engineers/{engineer}/route",
    summary="Get an engineer's routes of a day",
    operation_id="get_route",
    responses={
        200: {"model": DayRoutes, "headers": _ETAG_HEADER},
        304: {"description": "Not Modified", "headers": _ETAG_HEADER},
        **problem_responses(404),
    },
)
def route(
    request: Request,
    engineer: PathId,
    date: Annotated[LocalDate, Query(description="The local date of the shift, where it is worked.")],
    actor: Annotated[Actor, permitted("read", "route")],
    if_none_match: IfNoneMatch = None,  # noqa: ARG001  read from the request, here for its description
) -> Response:
    """By the plan in force for the engineer's territory on that date, one route per shift with work.

    Where there is no such plan, or it has no work for the engineer, `routes` is empty.
    """
    with services_of(request).database.read(actor) as work:
        found = Plans(work).in_force(engineer, date)
        if not found:
            # Only an empty answer needs to know whether there is such an engineer.
            Repository(work, "engineer").get(engineer)
    tag = f'"{_sha256([item.sha256 for item in found])}"'
    etag = f"W/{tag}"
    if is_unchanged(request, tag):
        return not_modified(etag)
    body = {
        "date": date.isoformat(),
        "engineer": engineer,
        "plan_id": found[0].plan_id if found else None,
        "routes": [item.route for item in found],
    }
    return json_response(body, headers={"ETag": etag, "Cache-Control": "private, no-cache"})


def _sha256(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode()).hexdigest()
