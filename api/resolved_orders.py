"""Resolved orders as a JSON document, and what they say about a crew as JSON values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from api.documents import in_order, load_json
from api.documents_shape import shape_issues
from api.schemas_values import Document, Id, Instant, Seconds, absent
from dispatcher.documents import instant
from dispatcher.errors import InvalidInput
from skills.history import Estimate, Experience, History, ResolvedOrder

Json = dict[str, Any]


class ResolvedOrderDocument(Document):
    """What one resolved order says about one engineer and one skill that it required."""

    engineer: Id
    skill: Id
    resolved_at: Instant
    asset_model: Id | None = absent("The type of machine, if known.")
    first_time_fix: bool | None = absent("Whether this visit fixed it for good.")
    actual_seconds: Seconds | None = Field(default=None, ge=1, description="How long the work took.")
    estimated_seconds: Seconds | None = Field(default=None, ge=1, description="The estimate before any factor.")


class ResolvedOrdersDocument(Document):
    """Resolved orders; one that required several skills stands once for each."""

    resolved_orders: list[ResolvedOrderDocument]


def load_resolved_document(path: Path) -> list[ResolvedOrder]:
    """The resolved orders of a JSON file.

    Raises:
        InvalidInput: with every issue; also where there is no such file, or it cannot be read.
    """
    return load_json(path, _resolved)


def _resolved(document: object) -> list[ResolvedOrder]:
    issues = in_order(document, shape_issues(ResolvedOrdersDocument, document))
    if issues or not isinstance(document, dict):
        raise InvalidInput(issues)
    return [
        ResolvedOrder(**{**item, "resolved_at": instant(item["resolved_at"])}) for item in document["resolved_orders"]
    ]


def history_document(as_of: str, found: History) -> Json:
    """Every figure with its bounds; `groups` is what to expect of somebody without any resolved order."""
    return {
        "as_of": as_of,
        "experiences": [_experience(item) for item in found.experiences.values()],
        "groups": [_experience(item) for item in found.groups.values()],
    }


def _experience(item: Experience) -> Json:
    who = {"engineer": item.engineer} if item.engineer else {}
    return {
        **who,
        "skill": item.skill,
        "duration_factor": _estimate(item.duration_factor),
        "fix_probability": _estimate(item.fix_probability),
    }


def _estimate(item: Estimate | None) -> Json | None:
    if item is None:
        return None
    return {name: round(getattr(item, name), 3) for name in ("value", "low", "high", "orders")}
