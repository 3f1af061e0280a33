"""Time zones as records and policies name them."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from api.schemas_values import Id


@lru_cache(maxsize=1024)
def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _timezone(name: str) -> str:
    if not _is_timezone(name):
        raise PydanticCustomError("BAD_TIMEZONE", "not in the IANA time zone database")
    return name


TimeZone = Annotated[Id, AfterValidator(_timezone)]
