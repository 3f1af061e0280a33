"""Whether the worst cost a plan of a problem could have fits into a signed 64-bit integer, in thousandths.

The bound follows the table of costs rule by rule and takes the worst of each: everything unserved and
everything served as late as the horizon allows, each second of every shift spent driving.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from dispatcher.model import LEVELS, VALUE_BY_LEVEL, Level
from dispatcher.objective import (
    LATENESS_ONCE_RULES,
    LATENESS_RULES,
    PROFILES,
    RULES_BY_LEVEL,
    Weights,
    make_weights,
)
from dispatcher.validate_values import LIMITS, IssueList, JsonObject, instant, items, mapping, number, whole

_DEADLINES = dict(zip(LATENESS_RULES, ("arrive_by", "start_by", "restore_by"), strict=True))
_SECONDS_PER_YEAR = 366 * 86_400
_LONGEST_MOVE_SECONDS = (LIMITS.last_year - LIMITS.first_year + 1) * _SECONDS_PER_YEAR
_HALF_EARTH_METERS = 20_015_115


def cost_issues(document: JsonObject, issues: IssueList) -> None:
    """Reports COST_TOO_LARGE where the worst cost in thousandths is above the limit."""
    bounds = worst_cost_by_rule(document)
    total = sum(bounds.values())
    if total <= LIMITS.cost_thousandths:
        return
    largest = max(bounds, key=lambda rule: bounds[rule])
    issues.report(
        ("objective",),
        "COST_TOO_LARGE",
        f"a plan could cost about {_rounded(total)} thousandths, most of it by `{largest}`; "
        f"the limit is {_rounded(LIMITS.cost_thousandths)}",
        f"Lower the weight of `{largest}` or what it is multiplied with: only ratios between weights matter.",
        rule=largest,
        bound=_rounded(total),
        limit=_rounded(LIMITS.cost_thousandths),
    )


def worst_cost_by_rule(document: JsonObject) -> dict[str, int]:
    """An upper bound of each rule's cost in thousandths; whatever is malformed counts nothing."""
    orders = [order for order in items(document.get("work_orders")) if isinstance(order, dict)]
    engineers = [engineer for engineer in items(document.get("engineers")) if isinstance(engineer, dict)]
    weights = _weights(mapping(document.get("objective")))
    members = [_largest_team(order, len(engineers)) for order in orders]
    shift_seconds, overtime_seconds, shifts = _shift_totals(engineers)
    path_penalty = sum(
        ceil(_penalty(mapping(relation))) for relation in items(mapping(document.get("skill_graph")).get("relations"))
    )
    amounts = {
        "unserved": sum(ceil(_value(order)) for order in orders),
        "travel": shift_seconds,
        "distance": (sum(members) + shifts) * _longest_leg_meters(mapping(document.get("travel"))),
        "overtime": overtime_seconds,
        "substitution": path_penalty
        * sum(count * _required_skills(order) for order, count in zip(orders, members, strict=True)),
        "preference": len(orders),
        "association": sum(len(items(order.get("related_to"))) for order in orders),
        "change": len(orders) if document.get("current_plan") else 0,
        "change_shift": len(orders) * _LONGEST_MOVE_SECONDS if document.get("current_plan") else 0,
        "fairness": shift_seconds,
        "engineers_used": len(engineers),
        "repeat_visit": sum(max(0, whole(order.get("service_seconds")) or 0) for order in orders),
    }
    bounds = {rule: amount * weights.of(rule) for rule, amount in amounts.items()}
    bounds |= _lateness(document, orders, members, weights)
    return bounds


def _lateness(
    document: JsonObject, orders: list[dict[str, Any]], members: list[int], weights: Weights
) -> dict[str, int]:
    bounds = dict.fromkeys((*LATENESS_RULES, *LATENESS_ONCE_RULES), 0)
    end = instant(mapping(document.get("horizon")).get("end"))
    worst = 0
    for order, count in zip(orders, members, strict=True):
        level = _level(order)
        for rule, once in zip(LATENESS_RULES, LATENESS_ONCE_RULES, strict=True):
            deadline = instant(mapping(order.get("deadlines")).get(_DEADLINES[rule]))
            if deadline is None or end is None:
                continue
            late = max(0, end - deadline)
            worst = max(worst, late)
            bounds[rule] += late * weights.of(rule, level) * (count if rule == "late_start" else 1)
            bounds[once] += weights.of(once, level)
    bounds["worst_lateness"] = worst * weights.of("worst_lateness")
    return bounds


def _weights(objective: JsonObject) -> Weights:
    """The weights that apply, without the malformed ones among the overrides."""
    profile = objective.get("profile")
    known = make_weights().flat
    sound: dict[str, object] = {}
    for rule, weight in mapping(objective.get("weights")).items():
        if rule in RULES_BY_LEVEL and isinstance(weight, dict):
            sound[rule] = {level: given for level, given in weight.items() if level in LEVELS and _is_weight(given)}
        elif (rule in RULES_BY_LEVEL or rule in known) and _is_weight(weight):
            sound[rule] = weight
    return make_weights(profile if isinstance(profile, str) and profile in PROFILES else "balanced", sound)


def has_weight(document: JsonObject, rule: str) -> bool:
    """Whether a rule that is not graded by level has a weight above 0, in thousandths as it counts."""
    return _weights(mapping(document.get("objective"))).of(rule) > 0


def _is_weight(value: object) -> bool:
    given = number(value)
    return given is not None and 0 <= given <= LIMITS.weight


def _level(order: Mapping[str, object]) -> Level:
    level = order.get("level")
    return level if level in LEVELS else "L4"


def _value(order: Mapping[str, object]) -> int | float:
    given = number(order.get("value"))
    return VALUE_BY_LEVEL[_level(order)] if given is None or not 0 <= given <= LIMITS.value else given


def _penalty(relation: JsonObject) -> int | float:
    given = number(relation.get("penalty"))
    return 0 if given is None or not 0 <= given <= LIMITS.value else given


def _largest_team(order: JsonObject, engineers: int) -> int:
    roles = [mapping(role) for role in items(mapping(order.get("team")).get("roles"))]
    sizes = [max(whole(role.get("min")) or 1, whole(role.get("max")) or 1) for role in roles]
    return max(1, min(sum(sizes), engineers))


def _required_skills(order: JsonObject) -> int:
    roles = [mapping(role) for role in items(mapping(order.get("team")).get("roles"))]
    of_roles = max((len(items(role.get("required_skills"))) for role in roles), default=0)
    return len(items(order.get("required_skills"))) + of_roles


def _shift_totals(engineers: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Seconds of all shifts to their latest end, seconds of possible overtime, number of shifts."""
    total, overtime, count = 0, 0, 0
    for engineer in engineers:
        for item in items(engineer.get("shifts")):
            shift = mapping(item)
            start, end, latest = (instant(shift.get(key)) for key in ("start", "end", "latest_end"))
            if start is None or end is None:
                continue
            last = end if latest is None else max(latest, end)
            total += max(0, last - start)
            overtime += last - end
            count += 1
    return total, overtime, count


def _longest_leg_meters(travel: JsonObject) -> int:
    if travel.get("kind") == "matrix":
        return LIMITS.leg_meters
    detour = number(travel.get("detour_factor")) or 1
    return ceil(_HALF_EARTH_METERS * detour) if 0 < detour <= LIMITS.largest_factor else _HALF_EARTH_METERS


def _rounded(amount: int) -> str:
    # Not every bound fits into a float, and nobody reads twenty digits.
    written = str(amount)
    return written if len(written) <= 6 else f"{written[0]}.{written[1:3]}e{len(written) - 1}"
