"""What resolved orders say about engineers, put into a problem for the planner to use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skills.exchange import read_graph_document
from skills.graph import LOWEST_LEVEL, SkillGraph
from skills.history import History, engineer_fields

FIELDS = ("duration_factors", "fix_probability")


def with_history(document: Mapping[str, Any], history: History) -> dict[str, Any]:
    """A valid problem document with `duration_factors` and `fix_probability` from a history; the one given stays.

    Each engineer gets a figure for every skill of the history that something they hold leads to: their own, or the
    group's where they have none, so that nobody looks better for want of experience. What the document already says
    of an engineer and a skill stays.
    """
    graph = read_graph_document(document.get("skill_graph") or {})
    engineers = [_with_experience(item, graph, history) for item in document.get("engineers") or ()]
    return {**document, "engineers": engineers}


def _with_experience(engineer: Mapping[str, Any], graph: SkillGraph, history: History) -> dict[str, Any]:
    found = (history.of(engineer["id"], skill) for skill in sorted(history.groups) if _leads_to(engineer, graph, skill))
    fields = engineer_fields(item for item in found if item is not None).get(engineer["id"], {})
    changed = dict(engineer)
    for name in FIELDS:
        stated = {skill: value for skill, value in (engineer.get(name) or {}).items() if value is not None}
        merged = {**fields.get(name, {}), **stated}
        if merged:
            changed[name] = merged
    return changed


def _leads_to(engineer: Mapping[str, Any], graph: SkillGraph, skill: str) -> bool:
    return any(
        (held.get("level") or LOWEST_LEVEL) - path.level_loss >= LOWEST_LEVEL
        for held in engineer.get("skills") or ()
        for path in graph.routes(held["skill"], skill)[:1]
    )
