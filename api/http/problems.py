"""Errors as problem documents (RFC 9457), every one with a stable code of docs/errors.md.

`response_to` says which error of the product becomes which status; `install` registers that with the application. An
`HttpRefusal` is for what only exists in HTTP: headers, media types, tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.http.parameters import parameter_issues
from dispatcher.errors import (
    REFUSAL_CODES,
    BadCursor,
    Contention,
    EngineRefuses,
    IdempotencyConflict,
    InUse,
    InvalidInput,
    Issue,
    LeaseLost,
    MusterError,
    NoPlanInForce,
    NoResult,
    NotFound,
    OptionGone,
    PlanRefused,
    Refusal,
    ScopeConflict,
    Stale,
    Unavailable,
    UnknownEngine,
    UnknownReference,
    WrongState,
)

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = 1
_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")

HTTP_CODES: Mapping[str, str] = {
    "UNREADABLE_BODY": "the body of the request is not JSON",
    "INVALID_INPUT": "the request has issues",
    "BAD_HEADER": "a header of the request has a value that cannot be read",
    "BAD_ADDRESS": "the path or the query of the request is not UTF-8",
    "UNAUTHENTICATED": "the token is missing or wrong",
    "FORBIDDEN": "the caller may not do this",
    "NO_SUCH_PATH": "the service has no such path",
    "METHOD_NOT_ALLOWED": "the path knows other methods",
    "BODY_TOO_LARGE": "the body of the request is larger than the service takes",
    "UNSUPPORTED_MEDIA_TYPE": "the body of the request is of another type than JSON",
    "COMPRESSED_BODY": "the body of the request is compressed",
    "PRECONDITION_REQUIRED": "a change of what exists has to say which version it is about",
    "UNKNOWN_ENGINE": "there is no engine of this name",
    "ENGINE_REFUSES": "the engine cannot keep a rule of the problem",
    "NO_RESULT": "the engine ended without a plan",
    "PLAN_REFUSED": "a plan failed its own check: a defect",
    "INTERNAL_ERROR": "something went wrong inside: a defect",
    "NOT_READY": "the service is not ready",
}
"""Codes that only the service gives, beside those of `dispatcher.errors`, with their meaning in half a line."""

_TITLES: Mapping[str, str] = {**REFUSAL_CODES, **HTTP_CODES}
# Issues that say that there is no document to speak of.
_UNREADABLE = frozenset({"NOT_UTF8", "INVALID_JSON", "COMPRESSED_FILE"})

_STATUS: Mapping[type[MusterError], int] = {
    UnknownReference: 422,
    NotFound: 404,
    InUse: 409,
    Stale: 412,
    WrongState: 409,
    NoPlanInForce: 409,
    ScopeConflict: 409,
    OptionGone: 409,
    IdempotencyConflict: 409,
    LeaseLost: 409,
    BadCursor: 400,
    Contention: 503,
    Unavailable: 503,
}


class ProblemIssue(BaseModel):
    """One thing wrong with the request, with a code of docs/errors.md."""

    path: str = Field(description="The place in the body, or the name of a parameter; empty for the whole.")
    code: str
    message: str
    remedy: str
    params: dict[str, Any]


class ProblemDetail(BaseModel):
    """Why a request was not answered as hoped (RFC 9457). `code` is stable, texts are for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:muster:error:NOT_FOUND",
                    "title": "nothing has this key",
                    "status": 404,
                    "detail": "there is no engineer E9",
                    "instance": "/v1/engineers/E9",
                    "code": "NOT_FOUND",
                    "params": {"kind": "engineer", "key": ["E9"]},
                    "issues": [],
                    "request_id": "4f1c2a9b7d3e4b0c",
                }
            ]
        }
    )

    type: str = Field(description="`urn:muster:error:` and the code.")
    title: str
    status: int
    detail: str
    instance: str
    code: str
    params: dict[str, Any] = Field(description="The facts of `detail` as JSON values.")
    issues: list[ProblemIssue] = Field(description="Everything wrong with the request, not only the first thing.")
    request_id: str


class HttpRefusal(MusterError):  # noqa: N818  named like the refusals of the domain
    """A request that HTTP itself gives a reason to refuse; `code` is one of `HTTP_CODES`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.headers, self.params = dict(headers or {}), dict(params or {})


def bad_header(name: str, why: str) -> HttpRefusal:
    return HttpRefusal(400, "BAD_HEADER", f"the header {name} {why}", params={"header": name})


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route for these statuses, and for those that every route under `/v1` can give."""
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDetail"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted({*statuses, 400, 401, 403, 413, 415, 422, 500, 503})
    }


def problem_document(
    scope: Mapping[str, Any],
    status: int,
    code: str,
    detail: str,
    *,
    params: Mapping[str, object] | None = None,
    issues: Sequence[Issue] = (),
) -> dict[str, Any]:
    """The problem document of a request's ASGI scope as JSON values."""
    return {
        "type": f"urn:muster:error:{code}",
        "title": _TITLES[code],
        "status": status,
        "detail": _encodable(detail),
        "instance": _encodable(scope.get("path", "")),
        "code": code,
        "params": _encodable(dict(params or {})),
        "issues": [
            {
                "path": _encodable(issue.path),
                "code": issue.code,
                "message": _encodable(issue.message),
                "remedy": _encodable(issue.remedy),
                "params": _encodable(dict(issue.params)),
            }
            for issue in issues
        ],
        "request_id": scope.get("state", {}).get("request_id", ""),
    }


def problem_response(
    scope: Mapping[str, Any],
    status: int,
    code: str,
    detail: str,
    *,
    params: Mapping[str, object] | None = None,
    issues: Sequence[Issue] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    document = problem_document(scope, status, code, detail, params=params, issues=issues)
    return JSONResponse(document, status, headers, media_type=PROBLEM_JSON)


def response_to(scope: Mapping[str, Any], error: MusterError) -> JSONResponse:
    """The answer to a request that ended with an error of the product."""
    if isinstance(error, HttpRefusal):
        return problem_response(scope, error.status, error.code, str(error), params=error.params, headers=error.headers)
    if isinstance(error, InvalidInput):
        return _invalid(scope, error.issues)
    if isinstance(error, Refusal):
        status = _STATUS[type(error)]
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None
        issues = error.issues if isinstance(error, UnknownReference) else ()
        detail = str(error)
        return problem_response(scope, status, error.code, detail, params=error.params, issues=issues, headers=headers)
    if isinstance(error, EngineRefuses):
        why = {"rule": error.rule, "why": error.why}
        return problem_response(scope, 422, "ENGINE_REFUSES", str(error), params=why)
    if isinstance(error, UnknownEngine):
        return problem_response(scope, 422, "UNKNOWN_ENGINE", str(error))
    if isinstance(error, NoResult):
        return problem_response(scope, 422, "NO_RESULT", str(error))
    if isinstance(error, PlanRefused):
        found = {"differences": list(error.differences)}
        return problem_response(scope, 500, "PLAN_REFUSED", "the plan failed its check", params=found)
    raise error


def install(app: FastAPI) -> None:
    """Answer every expected error with a problem document; unexpected ones are caught by the log of requests."""

    async def expected(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, MusterError)
        return response_to(request.scope, error)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return _invalid(request.scope, parameter_issues(error.errors()))

    async def of_the_router(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return _of_the_router(request.scope, error)

    app.add_exception_handler(MusterError, expected)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, of_the_router)


def _invalid(scope: Mapping[str, Any], issues: Sequence[Issue]) -> JSONResponse:
    readable = _UNREADABLE.isdisjoint(issue.code for issue in issues)
    status, code = (422, "INVALID_INPUT") if readable else (400, "UNREADABLE_BODY")
    count = "1 issue" if len(issues) == 1 else f"{len(issues)} issues"
    detail = f"{count}: {issues[0]}" if len(issues) == 1 else f"{count}, the first one: {issues[0]}"
    return problem_response(scope, status, code, detail, issues=issues)


def _of_the_router(scope: Mapping[str, Any], error: HTTPException) -> JSONResponse:
    path = scope.get("path", "")
    if error.status_code == 404:
        return problem_response(scope, 404, "NO_SUCH_PATH", f"there is no {path}", params={"path": path})
    if error.status_code == 405:
        allowed = _methods_of(scope)
        detail = f"{path} does not know {scope.get('method', '')}: use {' or '.join(allowed)}"
        if "PUT" in _methods_of({**scope, "path": f"{path}/id"}):
            detail += f"; PUT {path}/{{id}} writes one record"
        headers = {"Allow": ", ".join(allowed)}
        params = {"allowed": allowed}
        return problem_response(scope, 405, "METHOD_NOT_ALLOWED", detail, params=params, headers=headers)
    return problem_response(scope, 400, "UNREADABLE_BODY", str(error.detail))


def _methods_of(scope: Mapping[str, Any]) -> list[str]:
    """What the path of a request knows; each route knows only its own method."""
    app: FastAPI = scope["app"]
    known = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in app.routes)
    ]
    return [*known, "HEAD"] if "GET" in known else known


def _encodable(value: Any) -> Any:
    """The value with half surrogate pairs replaced: an answer has to be UTF-8 whatever was asked."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encodable(item) for item in value]
    return value
