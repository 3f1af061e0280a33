"""How urgent a work order is: from impact, urgency and complexity to a level, with every reason.

The rules are a policy's (`GradingRules`); the first one that fits decides. A dispatcher may overrule the level and
says why; what the rules said is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Literal

from dispatcher.documents import utc_text
from dispatcher.model import Exact, Level
from dispatcher.reasons import worded

Impact = Literal["none", "partial", "severe"]
Urgency = Literal["unaffected", "threatened", "stopped"]
Complexity = Literal["routine", "complex"]

IMPACTS: tuple[Impact, ...] = ("none", "partial", "severe")
URGENCIES: tuple[Urgency, ...] = ("unaffected", "threatened", "stopped")
COMPLEXITIES: tuple[Complexity, ...] = ("routine", "complex")

GRADE_REASONS: Mapping[str, str] = {
    "IMPACT_NONE": "no machine is down and no capacity is lost",
    "IMPACT_PARTIAL": "{share} % of capacity is lost, not more than {limit} %",
    "IMPACT_SEVERE": "{share} % of capacity is lost, more than {limit} %",
    "IMPACT_UNKNOWN_SHARE": "{machines_down} machines are down; of how many is not known",
    "CORE": "core machines are affected",
    "PLANNED": "it is planned or preventive work",
    "URGENCY_UNAFFECTED": "the customer's operation goes on",
    "URGENCY_THREATENED": "the customer's operation is threatened",
    "URGENCY_STOPPED": "the customer's operation has stopped",
    "URGENCY_ASSUMED": "a machine is down and nobody said that the operation goes on, so it counts as threatened",
    "COMPLEX_REPAIR": "the repair is expected to take {repair}, from {limit} on it counts as complex",
    "COMPLEX_SKILLS": "it needs skill level {skill_level}, from {limit} on it counts as complex",
    "ROUTINE": "the repair is routine",
    "RULE": "rule {rule} of the policy gives {level}",
    "OTHERWISE": "no rule of the policy fits, which gives {level}",
    "OVERRULED": "{by} set {level} where the rules give {computed}: {reason}",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a work order when it comes in; None is not known.

    `capacity_lost_percent` is the share of the capacity lost (0 to 100). `machines_total` are those of the region or
    the cluster that `machines_down` belong to. `repair_seconds` is the expected repair, `skill_level` the highest
    skill level it needs (1 to 5).
    """

    capacity_lost_percent: Exact | None = None
    machines_down: int = 0
    machines_total: int | None = None
    core: bool = False
    planned: bool = False
    continuity: Urgency | None = None
    repair_seconds: int | None = None
    skill_level: int | None = None


@dataclass(frozen=True, slots=True)
class GradingRule:
    """Gives `level` to what is at least so bad in every dimension named; None asks nothing."""

    level: Level
    impact: Impact | None = None
    urgency: Urgency | None = None
    complexity: Complexity | None = None
    core: bool | None = None
    planned: bool | None = None


@dataclass(frozen=True, slots=True)
class GradingRules:
    """Where the bands of the dimensions begin, the rules in their order, and the level where none fits."""

    rules: tuple[GradingRule, ...]
    otherwise: Level
    severe_above_percent: Exact = 5
    complex_from_seconds: int = 14_400
    complex_from_skill_level: int = 4


@dataclass(frozen=True, slots=True)
class GradeReason:
    """One reason of a level: a code of `GRADE_REASONS` with its parameters."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return worded(GRADE_REASONS[self.code], self.params)


@dataclass(frozen=True, slots=True)
class Override:
    """A dispatcher's own level: who set it, when, and why."""

    level: Level
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Grade:
    """A level and why. `computed` is what the rules give; `override` what a dispatcher made of it."""

    level: Level
    computed: Level
    impact: Impact
    urgency: Urgency
    complexity: Complexity
    reasons: tuple[GradeReason, ...]
    override: Override | None = None


def grade(facts: Facts, rules: GradingRules) -> Grade:
    """The level of an order by its facts."""
    impact, of_impact = _impact(facts, rules)
    urgency, of_urgency = _urgency(facts, impact)
    complexity, of_complexity = _complexity(facts, rules)
    level, rule = _level(facts, rules, impact, urgency, complexity)
    marks = [GradeReason("CORE")] * facts.core + [GradeReason("PLANNED")] * facts.planned
    return Grade(level, level, impact, urgency, complexity, (rule, of_impact, *marks, of_urgency, of_complexity))


def overruled(found: Grade, override: Override) -> Grade:
    """The same with a dispatcher's level; what the rules gave stays to be seen."""
    params = {
        "by": override.by,
        "level": override.level,
        "computed": found.computed,
        "reason": override.reason,
        "at": utc_text(override.at),
    }
    reasons = (GradeReason("OVERRULED", params), *(item for item in found.reasons if item.code != "OVERRULED"))
    return replace(found, level=override.level, reasons=reasons, override=override)


def _impact(facts: Facts, rules: GradingRules) -> tuple[Impact, GradeReason]:
    shares = [Fraction(facts.capacity_lost_percent)] if facts.capacity_lost_percent is not None else []
    if facts.machines_total:
        shares.append(Fraction(100 * facts.machines_down, facts.machines_total))
    share = max(shares, default=None)
    if not share and not facts.machines_down:
        return "none", GradeReason("IMPACT_NONE")
    if share is None:
        return "partial", GradeReason("IMPACT_UNKNOWN_SHARE", {"machines_down": facts.machines_down})
    params = {"share": _number(share), "limit": _number(rules.severe_above_percent)}
    if share > rules.severe_above_percent:
        return "severe", GradeReason("IMPACT_SEVERE", params)
    return "partial", GradeReason("IMPACT_PARTIAL", params)


def _urgency(facts: Facts, impact: Impact) -> tuple[Urgency, GradeReason]:
    if facts.continuity is not None:
        return facts.continuity, GradeReason(f"URGENCY_{facts.continuity.upper()}")
    if impact == "none" or facts.planned:
        return "unaffected", GradeReason("URGENCY_UNAFFECTED")
    return "threatened", GradeReason("URGENCY_ASSUMED")


def _complexity(facts: Facts, rules: GradingRules) -> tuple[Complexity, GradeReason]:
    seconds, level = facts.repair_seconds, facts.skill_level
    if seconds is not None and seconds >= rules.complex_from_seconds:
        params = {"repair_seconds": seconds, "limit_seconds": rules.complex_from_seconds}
        return "complex", GradeReason("COMPLEX_REPAIR", params)
    if level is not None and level >= rules.complex_from_skill_level:
        params = {"skill_level": level, "limit": rules.complex_from_skill_level}
        return "complex", GradeReason("COMPLEX_SKILLS", params)
    return "routine", GradeReason("ROUTINE")


def _level(
    facts: Facts, rules: GradingRules, impact: Impact, urgency: Urgency, complexity: Complexity
) -> tuple[Level, GradeReason]:
    for number, rule in enumerate(rules.rules, 1):
        fits = (
            (rule.impact is None or IMPACTS.index(impact) >= IMPACTS.index(rule.impact))
            and (rule.urgency is None or URGENCIES.index(urgency) >= URGENCIES.index(rule.urgency))
            and (rule.complexity is None or COMPLEXITIES.index(complexity) >= COMPLEXITIES.index(rule.complexity))
            and rule.core in (None, facts.core)
            and rule.planned in (None, facts.planned)
        )
        if fits:
            return rule.level, GradeReason("RULE", {"rule": number, "level": rule.level})
    return rules.otherwise, GradeReason("OTHERWISE", {"level": rules.otherwise})


def _number(value: Exact) -> int | float:
    """As people write it, rounded half up to hundredths."""
    hundredths = (2 * Fraction(value) * 100 + 1) // 2
    return int(hundredths // 100) if hundredths % 100 == 0 else float(Fraction(hundredths, 100))
