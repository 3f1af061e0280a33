"""Request bodies: read once under the limits, parsed strictly, checked whole; and how OpenAPI describes them."""

from __future__ import annotations

from collections.abc import Callable
from email.message import Message
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from api.documents import beside, check_problem, read_json
from api.documents_json import OddValues, parse_json
from api.documents_shape import issues_of
from api.http.problems import HttpRefusal
from dispatcher.errors import InvalidInput, Issue

BODY_NAME = "the body of the request"
Model = TypeVar("Model", bound=BaseModel)
Found = TypeVar("Found")
_NO_OBJECT = Issue("", "WRONG_TYPE", "the document is not an object", "Write an object: { ... }.")


async def read_json_body(request: Request) -> bytes:
    """The bytes of a body that says it is JSON.

    Raises:
        HttpRefusal: for another type (415), or a body above the limit (413).
    """
    message = Message()
    message["Content-Type"] = request.headers.get("content-type", "")
    kind = message.get_content_type() if request.headers.get("content-type") else ""
    charset = message.get_param("charset", "utf-8")
    if kind != "application/json" or str(charset).lower() not in ("utf-8", "utf8"):
        raise HttpRefusal(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "send JSON in UTF-8 with the header Content-Type: application/json",
            headers={"Accept": "application/json"},
        )
    return await request.body()


JsonBody = Annotated[bytes, Depends(read_json_body)]
"""The parameter of a route that reads its body with `read_body` or `body_of`, in its thread and not in the loop."""


def read_body(raw: bytes, read: Callable[[object], Found]) -> Found:
    """What `read` makes of the JSON value of a body.

    Raises:
        InvalidInput: for what is not JSON; where it holds keys twice, infinite numbers or broken texts, with what
            `read` finds wrong beside them.
    """
    return read_json(raw, read, name=BODY_NAME)


def body_of(model: type[Model], raw: bytes) -> Model:
    """A body as the model it should be.

    Raises:
        InvalidInput: with every issue.
    """
    return read_body(raw, lambda document: checked(model, document))


def checked(model: type[Model], document: object) -> Model:
    """A parsed body as the model it should be.

    Raises:
        InvalidInput: with every issue.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InvalidInput(issues_of(model, error)) from None


async def problem_of(request: Request) -> dict[str, Any]:
    """The planning document in a body, parsed and not yet checked (`api.documents.check_problem`).

    Raises:
        HttpRefusal: as `read_json_body`.
        InvalidInput: for what is no JSON object; for one with infinite numbers or the like, with every issue.
    """
    return await run_in_threadpool(_problem_object, await read_json_body(request))


def _problem_object(raw: bytes) -> dict[str, Any]:
    try:
        document = parse_json(raw, name=BODY_NAME)
    except OddValues as odd:
        raise InvalidInput(beside(odd, _refuse_issues)) from None
    if not isinstance(document, dict):
        raise InvalidInput([_NO_OBJECT])
    return document


def _refuse_issues(document: object) -> None:
    raise InvalidInput(check_problem(document))


_BODIES: dict[str, type[BaseModel]] = {}


def describes_body(model: type[BaseModel], **examples: Any) -> dict[str, Any]:
    """`openapi_extra=` of a route that reads its body by itself: its schema and examples by name."""
    known = _BODIES.setdefault(model.__name__, model)
    assert known is model, f"two bodies are called {model.__name__}"
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def body_models() -> list[type[BaseModel]]:
    """Every model that `describes_body` was asked for."""
    return list(_BODIES.values())
