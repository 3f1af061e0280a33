"""Whether the service runs, whether it can work, and its figures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.http.actors import permitted, services_of
from api.http.metrics import CONTENT_TYPE, Metrics
from api.http.problems import PROBLEM_JSON, HttpRefusal
from api.http.routing import KnowingRoute
from api.warm import KernelWarmth
from data.session import schema_is_current
from dispatcher.actor import Actor

router = APIRouter(route_class=KnowingRoute, tags=["health"])
_PROBLEM = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDetail"}}}
_UNKNOWN_PARAMETER: dict[str, Any] = {"description": "There are no parameters", "content": _PROBLEM}


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Ready(BaseModel):
    """Requests can be served."""

    status: Literal["ready"]


@router.get("/healthz", summary="Is the process up?", responses={422: _UNKNOWN_PARAMETER})
async def healthz() -> Alive:
    return Alive(status="ok")


@router.get(
    "/readyz",
    summary="Can requests be served?",
    responses={
        422: _UNKNOWN_PARAMETER,
        503: {
            "description": "No database, another schema, or the search kernel is not compiled yet",
            "content": _PROBLEM,
        },
    },
)
def readyz(request: Request) -> Ready:
    kernel: KernelWarmth | None = request.app.state.kernel
    if kernel is not None and not kernel.is_ready():
        message = "the search kernel is being compiled, once on this machine: about a minute"
        raise HttpRefusal(503, "NOT_READY", message, headers={"Retry-After": "5"})
    if not schema_is_current(services_of(request).database.engine):
        message = "the schema of the database is not the one of this version"
        raise HttpRefusal(503, "NOT_READY", message, headers={"Retry-After": "5"})
    return Ready(status="ready")


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {"description": "Prometheus' text format", "content": {"text/plain": {"schema": {"type": "string"}}}},
        400: {"description": "Bad Request", "content": _PROBLEM},
        401: {"description": "Unauthorized", "content": _PROBLEM},
        403: {"description": "Forbidden", "content": _PROBLEM},
        422: _UNKNOWN_PARAMETER,
    },
)
def metrics(request: Request, actor: Annotated[Actor, permitted("read", "metrics")]) -> Response:  # noqa: ARG001
    found: Metrics = request.app.state.metrics
    return Response(found.text(), media_type=CONTENT_TYPE)
