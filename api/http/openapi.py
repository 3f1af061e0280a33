"""The description of the service for machines: what FastAPI finds in the routes, and what it cannot see."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.http.documents import body_models
from api.http.problems import ProblemDetail

_REFERENCE = "#/components/schemas/{model}"
_METHODS = ("get", "put", "post", "delete", "patch")


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
            separate_input_output_schemas=False,
        )
        _add_models(document)
        _keep_to_our_problems(document)
        _leave_out_null(document)
        if app.state.services.settings.token is not None:
            _ask_for_token(document)
        app.openapi_schema = document
    return app.openapi_schema


def _add_models(document: dict[str, Any]) -> None:
    """The models of bodies that routes read by themselves; where an answer has one of them too, it is the same."""
    models = [(model, "validation") for model in (ProblemDetail, *body_models())]
    _, schema = models_json_schema(models, ref_template=_REFERENCE)  # type: ignore[arg-type]
    known = document.setdefault("components", {}).setdefault("schemas", {})
    for name, definition in schema["$defs"].items():
        fields = definition.get("properties", {}).keys()
        assert name not in known or known[name].get("properties", {}).keys() == fields, f"two models are called {name}"
        known[name] = _without_null_defaults(definition)


def _without_null_defaults(value: Any) -> Any:
    """A default of null says nothing, and would be wrong for `end_location`."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if not (key == "default" and item is None)}
        return {key: _without_null_defaults(item) for key, item in kept.items()}
    return [_without_null_defaults(item) for item in value] if isinstance(value, list) else value


def _keep_to_our_problems(document: dict[str, Any]) -> None:
    """FastAPI promises an answer of its own for wrong parameters, which is a problem document here."""
    schemas = document["components"]["schemas"]
    for path in document["paths"].values():
        for method in _METHODS:
            answer = path.get(method, {}).get("responses", {}).get("422", {})
            if "application/json" in answer.get("content", {}):
                answer["description"] = "Unprocessable Content"
                answer["content"] = {
                    "application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="ProblemDetail")}}
                }
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)


def _leave_out_null(document: dict[str, Any]) -> None:
    """A header or a parameter may be absent, and is never null."""
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                schema = parameter["schema"]
                choices = [choice for choice in schema.pop("anyOf", ()) if choice != {"type": "null"}]
                if len(choices) == 1:
                    schema.update(choices[0])
                elif choices:
                    schema["anyOf"] = choices


def _ask_for_token(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for name, path in document["paths"].items():
        for method in _METHODS:
            if method in path and name not in ("/healthz", "/readyz"):
                path[method]["security"] = [{"token": []}]
