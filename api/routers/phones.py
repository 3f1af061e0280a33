"""What an engineer does next, as a phone asks for it: a small answer, and mostly one it has already."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.event_schemas import NextJob
from api.http.actors import permitted, services_of
from api.http.answers import json_bytes, json_response
from api.http.conditions import IfNoneMatch, is_unchanged, not_modified
from api.http.parameters import PathId
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from data.repositories import Repository
from data.session import UnitOfWork
from dispatcher.actor import Actor
from dispatcher.documents import utc_text
from dispatcher.live_state import LIVE
from dispatcher.services.state_visits import next_visits, service_seconds

_ETAG_HEADER = {"ETag": {"description": "The same while the answer is.", "schema": {"type": "string"}}}
router = APIRouter(route_class=KnowingRoute, tags=["running day"])


@router.get(
    "/engineers/{engineer}/next",
    summary="Get what an engineer does next",
    operation_id="get_next_job",
    responses={
        200: {"model": NextJob, "headers": _ETAG_HEADER},
        304: {"description": "Not Modified", "headers": _ETAG_HEADER},
        **problem_responses(404),
    },
)
def following(
    request: Request,
    engineer: PathId,
    actor: Annotated[Actor, permitted("read", "route")],
    if_none_match: IfNoneMatch = None,  # noqa: ARG001  read from the request, here for its description
) -> Response:
    """The visit under way, else the one that is planned first; also where the route still shows what was cancelled."""
    with services_of(request).database.read(actor) as work:
        body = _next(work, engineer)
    etag = f'"{hashlib.sha256(json_bytes(body)).hexdigest()}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    return json_response(body, headers={"ETag": etag, "Cache-Control": "private, no-cache"})


def _next(work: UnitOfWork, engineer: str) -> dict[str, Any]:
    live = [item.values for item in Repository(work, "visit").iterate({"engineer": engineer, "status": sorted(LIVE)})]
    if not live:
        # Only an empty answer needs to know whether there is such an engineer.
        Repository(work, "engineer").get(engineer)
        return {"engineer": engineer, "job": None, "waiting": 0}
    visit = next_visits(live)[0]
    order = Repository(work, "work_order").get(visit["work_order"]).values
    site = Repository(work, "site").get(order["site"]).values
    size = len(list(Repository(work, "visit").iterate({"work_order": visit["work_order"], "status": sorted(LIVE)})))
    job = {
        "work_order": visit["work_order"],
        "visit": visit["external_id"],
        "shift": visit["shift"],
        "role": visit["role"],
        "status": visit["status"],
        "level": order["level"],
        "location": order["site"],
        "lat": site["latitude"],
        "lon": site["longitude"],
        **{
            name: None if visit[name] is None else utc_text(visit[name])
            for name in ("planned_start", "planned_end", "expected_end")
        },
        "service_seconds": service_seconds(order, visit["role"], size),
        "parts": {part: count for part, count in (order["body"].get("parts") or {}).items() if count},
    }
    return {"engineer": engineer, "job": job, "waiting": len(live) - 1}
