"""Time zones as records and policies name them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from api.schemas_values import Id
from dispatcher.validate import is_timezone


def _timezone(name: str) -> str:
    if not is_timezone(name):
        raise PydanticCustomError("BAD_TIMEZONE", "not in the IANA time zone database")
    return name


TimeZone = Annotated[Id, AfterValidator(_timezone)]
