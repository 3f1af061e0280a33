"""One line per request, with an id that the answer bears too; no body, no address, nobody's name."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.metrics import Metrics
from api.http.problems import problem_response

REQUEST_ID_HEADER = "X-Request-ID"
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_LOG = structlog.stdlib.get_logger("muster.http")
_PREFIX = "/v1"


def configure_logs(log_format: str) -> None:
    """Send everything that is logged in this process to standard error: `json` lines, or `console` for people."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    rendering: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Every request has its line here already; the server's own would name addresses and queries.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("alembic").setLevel(logging.WARNING)


class RequestLog:
    """Gives every request an id, counts and logs it, and answers what nobody expected with a 500."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = _request_id(scope)
        # A client that goes away before it is answered.
        status = 499

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, marked)
        except Exception:
            _LOG.exception("unexpected", request_id=request_id, method=scope["method"], route=_template(scope))
            if status != 499:  # the answer has begun: all that is left is to break it off
                raise
            detail = "something went wrong inside; the log has the reason under this request_id"
            await problem_response(scope, 500, "INTERNAL_ERROR", detail)(scope, receive, marked)
        finally:
            seconds = time.perf_counter() - began
            route = _template(scope)
            self._metrics.observe(scope["method"], route, status, seconds)
            _LOG.info(
                "request",
                request_id=request_id,
                method=scope["method"],
                route=route,
                status=status,
                duration_ms=round(seconds * 1000, 1),
                **_known(scope),
            )


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    return given if _SANE_REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _template(scope: Scope) -> str:
    """The route with its parameters unfilled: the same text for every engineer."""
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is None:
        return "(none)"
    # What is included under a prefix does not know it.
    return path if path.startswith(_PREFIX) or not scope["path"].startswith(_PREFIX) else _PREFIX + path


def _known(scope: Scope) -> dict[str, Any]:
    """Who asked, and which run it was about, where that is known."""
    state = scope["state"]
    known = {"principal": state.get("principal")}
    run_id = state.get("run_id") or scope.get("path_params", {}).get("run_id")
    if run_id is not None:
        known["run_id"] = run_id
    return known
