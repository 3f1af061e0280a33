"""ETags and the conditions of requests: `If-Match` for who writes, `If-None-Match` for who reads again."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header, Request
from pydantic import WithJsonSchema
from starlette.responses import Response

from api.http.problems import HttpRefusal, bad_header
from dispatcher.errors import RecordKey

_ETAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')
_OURS = re.compile(r'"([1-9][0-9]{0,17})"')

_RECORD_ETAG = {"anyOf": [{"type": "string", "pattern": r'^("[1-9][0-9]{0,17}"|\*)$'}, {"type": "null"}]}
IfMatch = Annotated[
    str | None,
    WithJsonSchema(_RECORD_ETAG),
    Header(
        alias="If-Match",
        description='The version that is to be changed: the ETag you were given, like `"3"`; `*` is whatever there is.',
    ),
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="The ETag you have: 304 while it is still the one.")
]
OnlyNew = Annotated[
    str | None,
    WithJsonSchema({"anyOf": [{"type": "string", "enum": ["*"]}, {"type": "null"}]}),
    Header(alias="If-None-Match", description="`*`: the record must not exist yet."),
]


EXISTING = -1
"""Instead of a version: whichever is stored, as long as there is one (`If-Match: *`, RFC 9110 §13.1.1)."""


def etag_of(version: int) -> str:
    """The ETag of a record's version."""
    return f'"{version}"'


def version_to_match(if_match: str | None) -> int | None:
    """The version in an `If-Match`, EXISTING for `*`; None where there is none.

    Raises:
        HttpRefusal: for anything but `*` or one ETag of a record.
    """
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return EXISTING
    match = _OURS.fullmatch(if_match.strip())
    if match is None:
        raise bad_header("If-Match", 'has to hold one ETag as it was given, like "3" with its quotes, or *')
    return int(match[1])


def required_version(if_match: str | None) -> int | None:
    """The version that a change or deletion has to name; None is whatever there is (`*`).

    Raises:
        HttpRefusal: if it names none (428), or none that could be ours (400).
    """
    version = version_to_match(if_match)
    if version is None:
        raise precondition_required()
    return None if version == EXISTING else version


def version_to_write(if_match: str | None, if_none_match: str | None) -> int | None:
    """The version that a PUT says must be stored: 0 for none at all, EXISTING for any, None where it says nothing.

    Raises:
        HttpRefusal: for headers that cannot be read, or both at once.
    """
    if if_none_match is None:
        return version_to_match(if_match)
    if if_none_match.strip() != "*":
        raise bad_header("If-None-Match", "has to be * here: the record must not exist yet")
    if if_match is not None:
        raise bad_header("If-None-Match", "contradicts If-Match: send one of them")
    return 0


def precondition_required() -> HttpRefusal:
    message = "the record exists: send If-Match with the ETag of the version that you mean"
    return HttpRefusal(428, "PRECONDITION_REQUIRED", message)


def nothing_exists(record: RecordKey) -> HttpRefusal:
    """The refusal of `If-Match: *` where nothing is stored."""
    params = {"records": [{**record.as_params(), "expected": "*", "actual": 0}]}
    return HttpRefusal(412, "STALE_VERSION", f"there is no {record}, and If-Match: * asks for one", params=params)


def is_unchanged(request: Request, etag: str) -> bool:
    """Whether the caller has this version already, by `If-None-Match` (weak comparison, RFC 9110 §13.1.2)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or etag[1:-1] in _ETAG.findall(given)


def not_modified(etag: str) -> Response:
    return Response(status_code=304, headers={"ETag": etag})
