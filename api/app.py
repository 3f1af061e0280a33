"""The application: routers, what every request passes through, and the description of it all."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi_offline import FastAPIOffline

from api.bootstrap import Services
from api.http import problems
from api.http.limits import BodyLimit
from api.http.logs import RequestLog
from api.http.metrics import Metrics
from api.http.openapi import describe
from api.http.paths import Head, SlashesInIds, Utf8Only
from api.live_days import LiveDays
from api.routers import (
    events,
    health,
    live,
    phones,
    plans,
    resources,
    routes,
    runs,
    skill_history,
    skills,
    sla,
    solve,
    teams,
)
from api.self_repair import live_policy
from api.team_accepting import RecentTeams
from api.team_answers import team_policy
from api.warm import KernelWarmth
from api.watch import Watch

_DESCRIPTION = """\
Plans field service: who goes where, when, with whom, and why.

`POST /v1/solve` plans one document and stores nothing. The other paths keep engineers, sites and work orders, plan
territories on dates from them, and answer phones. Names and units are those of the planning document. Every error is a
problem document with a stable `code`.
"""


def create_app(services: Services, kernel: KernelWarmth | None = None) -> FastAPI:
    """The application on these services, which stay the caller's to close.

    Before `kernel` is ready the application is not, and its workers wait; without one nobody waits for it.
    """
    # The page to try it out brings its scripts along: it works without any other machine.
    app = FastAPIOffline(
        title="Muster",
        version=version("muster"),
        description=_DESCRIPTION,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        # Nothing is measured here that `RequestLog` does not measure, and nothing leaves the machine.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.services = services
    app.state.kernel = kernel
    app.state.stopping = False
    app.state.metrics = Metrics(services.database)
    app.state.live_days = LiveDays(live_policy(services.settings))
    app.state.watch = Watch(services, kernel)
    app.state.team_policy = team_policy(services.settings.team_policy)
    app.state.recent_teams = RecentTeams()
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    problems.install(app)
    for path in ("/", "/docs/"):
        # Where people begin; the page is linked to from nowhere else.
        app.add_route(path, _to_the_docs, include_in_schema=False)
    app.include_router(health.router)
    # In the order in which they are looked through: phones ask for routes, and often.
    for part in (routes, phones, events, solve, runs, plans, live, skills, skill_history, teams, sla, resources):
        app.include_router(part.router, prefix="/v1")
    # The last one added is the first one a request meets.
    app.add_middleware(Head)
    app.add_middleware(SlashesInIds)
    app.add_middleware(Utf8Only)
    app.add_middleware(BodyLimit, max_bytes=services.settings.max_body_bytes)
    app.add_middleware(RequestLog, metrics=app.state.metrics)
    return app


async def _to_the_docs(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/docs")
