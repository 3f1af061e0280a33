"""The files of an import and their columns. docs/importing.md explains each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file of an import; `attributes` says whether columns `attributes.…` are carried through."""

    name: str
    needed: bool
    required: tuple[str, ...]
    optional: tuple[str, ...]
    attributes: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.required + self.optional


FILES: Mapping[str, FileSpec] = {
    spec.name: spec
    for spec in (
        FileSpec("settings.csv", True, ("setting", "value"), ()),
        FileSpec("locations.csv", True, ("location", "lat", "lon"), ()),
        FileSpec(
            "engineers.csv",
            True,
            ("engineer",),
            ("name", "territory", "skills", "speed_factor", "duration_factors", "fix_probability", "parts", "on_call"),
            attributes=True,
        ),
        FileSpec(
            "shifts.csv",
            True,
            ("engineer", "start", "end", "start_location"),
            ("shift", "date", "latest_end", "end_location", "breaks", "max_work_orders"),
            attributes=True,
        ),
        FileSpec(
            "work_orders.csv",
            True,
            ("work_order", "location", "service_minutes"),
            (
                "setup_minutes",
                "level",
                "value",
                "territory",
                "skills",
                "time_windows",
                "arrive_by",
                "start_by",
                "restore_by",
                "parts",
                "asset",
                "allowed_engineers",
                "excluded_engineers",
                "preferred_engineers",
                "related_to",
                "depends_on",
                "pin_engineer",
                "pin_start",
            ),
            attributes=True,
        ),
        FileSpec("skills.csv", False, ("skill",), ("implies", "substitutes")),
        FileSpec(
            "teams.csv",
            False,
            ("work_order", "role"),
            (
                "min",
                "max",
                "skills",
                "presence",
                "service_minutes",
                "arrival",
                "min_gap_minutes",
                "max_gap_minutes",
                "collective_skills",
                "minutes_by_size",
            ),
        ),
    )
}

SETTINGS: Mapping[str, str | None] = {
    "timezone": None,
    "date": None,
    "id": "",
    "now": "",
    "speed_kmh": "35",
    "detour_factor": "1.3",
    "traffic": "",
    "profile": "balanced",
}
"""Settings and their defaults; None has to be given."""

ATTRIBUTE_PREFIX = "attributes."
OPEN_ROUTE = "open"
