"""Visits that are over, as resolved orders: what `skills.history` learns from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dispatcher.model import LEAD, round_half_up
from dispatcher.services.state_assets import needs_of_assets, with_needs
from dispatcher.services.state_values import Values
from dispatcher.services.state_visits import service_seconds
from dispatcher.validate_values import instant
from skills.graph import SkillGraph
from skills.history import ResolvedOrder
from skills.qualification import HeldSkill, RequiredSkill, qualify

OVER = ("done", "failed")


@dataclass(frozen=True, slots=True)
class PastWork:
    """Stored records, each as its fields by the caller's ids.

    `visits` are over (`OVER`), `orders` those they were of; `engineers` those of the visits, `assets` and
    `asset_models` those that the orders name.
    """

    visits: Sequence[Values]
    orders: Sequence[Values]
    engineers: Sequence[Values]
    assets: Sequence[Values]
    asset_models: Sequence[Values]
    graph: SkillGraph


def resolved_orders(past: PastWork) -> list[ResolvedOrder]:
    """One for each visit and skill that it required.

    A visit that is done fixed the fault, one that failed did not; of a team with a lead only the lead answers for
    that. The pace is that of a visit that is done, without its pauses, against the estimate for its team and role, for
    the skill that the planner's factor goes by: the first one required.
    """
    return list(_resolved(past))


def _resolved(past: PastWork) -> Iterator[ResolvedOrder]:
    orders = {order["external_id"]: order for order in past.orders}
    models = {asset["external_id"]: asset["asset_model"] for asset in past.assets}
    needs = needs_of_assets(past.assets, past.asset_models)
    held = {engineer["external_id"]: _held(engineer["body"]) for engineer in past.engineers}
    sizes = Counter(
        visit["work_order"]
        for visit in past.visits
        if visit["status"] == "done" and visit["work_order"] in orders and not _is_remote(orders, visit)
    )
    for visit in past.visits:
        order = orders.get(visit["work_order"])
        if order is None or visit["ended_at"] is None:
            continue
        body = with_needs(order["body"], needs.get(order["asset"], ()))
        roles = (body.get("team") or {}).get("roles") or ()
        own: Mapping[str, Any] = next((role for role in roles if role["role"] == visit["role"]), {})
        required = [
            RequiredSkill(item["skill"], item.get("level") or 1)
            for item in (*(body.get("required_skills") or ()), *(own.get("required_skills") or ()))
        ]
        answers = visit["role"] == LEAD or all(role["role"] != LEAD for role in roles)
        seconds = _seconds(visit)
        for place, item in enumerate(required):
            actual = seconds if place == 0 else None
            yield ResolvedOrder(
                visit["engineer"],
                item.skill,
                int(visit["ended_at"].timestamp()),
                models.get(order["asset"]),
                visit["status"] == "done" if answers else None,
                actual,
                None if actual is None else _estimate(past, held.get(visit["engineer"], ()), order, visit, item, sizes),
            )


def _seconds(visit: Values) -> int | None:
    """How long the work took, pauses apart; None for who failed, or where no clock can tell."""
    begun = visit["started_at"] or visit["arrived_at"]
    if visit["status"] != "done" or begun is None:
        return None
    seconds = int((visit["ended_at"] - begun).total_seconds()) - (visit["paused_seconds"] or 0)
    return seconds if seconds > 0 else None


def _estimate(
    past: PastWork,
    held: Sequence[HeldSkill],
    order: Values,
    visit: Values,
    required: RequiredSkill,
    sizes: Mapping[str, int],
) -> int | None:
    """The estimate with the factor of a substitution, which the planner multiplies by beside the engineer's own."""
    begun = visit["started_at"] or visit["arrived_at"]
    found = qualify(past.graph, held, [required], int(begun.timestamp()))
    factor = found.duration_factor if found.qualified else Fraction(1)
    size = sizes.get(visit["work_order"], 1)
    seconds = round_half_up(service_seconds(order, visit["role"], size) * factor)
    return seconds if seconds > 0 else None


def _is_remote(orders: Mapping[str, Values], visit: Values) -> bool:
    roles = (orders[visit["work_order"]]["body"].get("team") or {}).get("roles") or ()
    return any(role["role"] == visit["role"] and role.get("presence") == "remote" for role in roles)


def _held(body: Mapping[str, Any]) -> tuple[HeldSkill, ...]:
    return tuple(
        HeldSkill(item["skill"], item.get("level") or 1, instant(item.get("valid_until")))
        for item in body.get("skills") or ()
    )
