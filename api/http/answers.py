"""Answers in JSON whose values are known to fit their schema, so that nobody has to look at them again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from fastapi.responses import Response


def json_bytes(value: object) -> bytes:
    """A value as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as the body of an answer; a model per record of a page would take longer than the database does."""
    return Response(json_bytes(value), status, headers, media_type="application/json")
