"""Promises as files have them, and the holidays that their calendars name."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

HOLIDAY_YEARS = range(2020, 2041)
"""The years whose public holidays are known to calendars."""


def default_policy() -> dict[str, Any]:
    """The policy that comes with Muster."""
    return read_policy_file(Path(__file__).with_name("sla_policy.yaml"))


def read_policy_file(path: Path) -> dict[str, Any]:
    """The document of a policy, in YAML or JSON.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not UTF-8, no YAML, or no object.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: {error}") from None
    if not isinstance(document, dict):
        raise ValueError(f"{path}: a policy is an object with fields like `levels`")
    return document


class _Loader(yaml.SafeLoader):
    """YAML as JSON would have it: a date stays a text, and a key that stands twice is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            problem = f"{', '.join(twice)} stands twice"
            raise yaml.constructor.ConstructorError("while reading an object", node.start_mark, problem, None)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@lru_cache(maxsize=64)
def public_holidays(country: str, subdivision: str | None = None) -> frozenset[date]:
    """The public holidays of a country (ISO 3166) or one of its subdivisions, in `HOLIDAY_YEARS`.

    Raises:
        LookupError: for a country or a subdivision that is not known.
    """
    # It knows every country of the world, and most processes ask for none.
    import holidays

    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=HOLIDAY_YEARS))
    except NotImplementedError as error:
        raise LookupError(str(error)) from None
