"""Which other records a body names: what a column would protect has to be protected here too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.errors import Segment, path_text

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Naming:
    """A body names a record of `kind` by the caller's id, in `field` (a path like `skills[0].skill`)."""

    field: str
    kind: str
    external_id: str


Namings = Callable[[Body], Iterator[Naming]]


def named_by_engineer(body: Body) -> Iterator[Naming]:
    yield from _skills(body, "skills")
    for key in ("duration_factors", "fix_probability"):
        for name in body.get(key) or {}:
            yield Naming(path_text((key, name)), "skill", name)


def named_by_shift(body: Body) -> Iterator[Naming]:
    for key in ("start_location", "end_location"):
        if body.get(key):
            yield Naming(key, "site", body[key])


def named_by_asset_model(body: Body) -> Iterator[Naming]:
    yield from _skills(body, "required_skills")


def named_by_work_order(body: Body) -> Iterator[Naming]:
    yield from _skills(body, "required_skills")
    team = body.get("team") or {}
    yield from _skills(team, "collective_skills", "team")
    for position, role in enumerate(team.get("roles") or ()):
        yield from _skills(role, "required_skills", "team", "roles", position)
    for key in ("allowed_engineers", "excluded_engineers", "preferred_engineers"):
        for position, name in enumerate(body.get(key) or ()):
            yield Naming(path_text((key, position)), "engineer", name)
    if body.get("pin"):
        yield Naming("pin.engineer", "engineer", body["pin"]["engineer"])
    for position, name in enumerate(body.get("related_to") or ()):
        yield Naming(path_text(("related_to", position)), "work_order", name)
    for position, dependency in enumerate(body.get("depends_on") or ()):
        if dependency.get("work_order"):
            yield Naming(path_text(("depends_on", position, "work_order")), "work_order", dependency["work_order"])


def _skills(holder: Body, key: str, *path: Segment) -> Iterator[Naming]:
    for position, entry in enumerate(holder.get(key) or ()):
        yield Naming(path_text((*path, key, position, "skill")), "skill", entry["skill"])
