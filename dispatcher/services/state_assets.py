"""What work on a machine needs by its model, put into the work orders that name the machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dispatcher.services.state_values import Values

Required = Mapping[str, Any]
"""A required skill of the planning document: `skill` and `level`."""


def needs_of_assets(assets: Iterable[Values], models: Iterable[Values]) -> Mapping[str, Sequence[Required]]:
    """By asset, the skills that its model requires; assets without any are left out."""
    by_model = {model["external_id"]: model["body"].get("required_skills") or () for model in models}
    needs = {asset["external_id"]: by_model.get(asset["asset_model"], ()) for asset in assets}
    return {asset: required for asset, required in needs.items() if required}


def with_needs(body: Mapping[str, Any], needs: Sequence[Required]) -> dict[str, Any]:
    """The body of a work order with what the model of its asset requires.

    Whoever works alone has to meet it; of a team at least one on-site or remote member each, since supporters need not
    know what the lead knows. A skill that the order asks for itself keeps its place, at the higher of both levels; the
    others come behind, so that the engineer's pace is still judged by what the order asks for first.
    """
    if not needs:
        return dict(body)
    if not body.get("team"):
        return {**body, "required_skills": _merged(body.get("required_skills") or (), needs)}
    team = body["team"]
    return {**body, "team": {**team, "collective_skills": _merged(team.get("collective_skills") or (), needs)}}


def _merged(own: Sequence[Required], needs: Sequence[Required]) -> list[dict[str, Any]]:
    wanted: dict[str, int] = {}
    for required in needs:
        skill = required["skill"]
        wanted[skill] = max(wanted.get(skill, 1), required.get("level") or 1)
    merged = [
        {**required, "level": max(required.get("level") or 1, wanted.pop(required["skill"]))}
        if required["skill"] in wanted
        else dict(required)
        for required in own
    ]
    return merged + [{"skill": skill, "level": level} for skill, level in wanted.items()]
