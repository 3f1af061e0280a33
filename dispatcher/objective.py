"""Weights of the soft rules: four profiles and the overrides of a problem.

Weights are kept in thousandths (an integer), rounded half up from the decimals as written, so that a cost is an
exact integer number of thousandths and is rounded once, in the total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from dispatcher.model import LEVELS, Level, round_half_up

LATENESS_RULES = ("late_arrival", "late_start", "late_restore")
LATENESS_ONCE_RULES = ("late_arrival_once", "late_start_once", "late_restore_once")
RULES_BY_LEVEL = (*LATENESS_RULES, *LATENESS_ONCE_RULES)

_BALANCED_FLAT: dict[str, str] = {
    "unserved": "1",
    "travel": "1",
    "distance": "0",
    "overtime": "2",
    "substitution": "1",
    "preference": "600",
    "association": "900",
    "change": "1800",
    "change_shift": "0.2",
    "worst_lateness": "0",
    "fairness": "0",
    "engineers_used": "0",
    "repeat_visit": "0",
}
_LATENESS = dict(zip(LEVELS, ("10", "3", "0.5", "0.1"), strict=True))
_LATENESS_ONCE = dict(zip(LEVELS, ("36000", "10800", "2880", "720"), strict=True))

_PROFILES: dict[str, dict[str, str]] = {
    "balanced": {},
    "sla_first": {"lateness": "10", "unserved": "2"},
    "cost_first": {"lateness": "0.5", "travel": "2", "overtime": "4"},
    "stable": {"change": "7200", "change_shift": "1"},
}
PROFILES = tuple(_PROFILES)


def _milli(value: object) -> int:
    """Thousandths of a weight as written (a number of the document or a decimal text), rounded half up."""
    written = value if isinstance(value, str) else repr(value)
    return round_half_up(Fraction(Decimal(written)) * 1000)


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights in thousandths: `flat` by rule, `by_level` for the rules that grade by level."""

    flat: Mapping[str, int]
    by_level: Mapping[str, Mapping[Level, int]]

    def of(self, rule: str, level: Level | None = None) -> int:
        """The weight of a rule in thousandths; lateness rules need the level of the order.

        Raises:
            KeyError: for a rule that has no weight, or a lateness rule without a level.
        """
        if rule in self.by_level:
            if level is None:
                raise KeyError(f"the weight of {rule} depends on the level of the order")
            return self.by_level[rule][level]
        return self.flat[rule]


def make_weights(profile: str = "balanced", overrides: Mapping[str, Any] | None = None) -> Weights:
    """The weights of a profile with single weights overridden, as the planning document describes.

    Raises:
        KeyError: for a profile that does not exist.
    """
    changes = _PROFILES[profile]
    flat = {rule: _milli(changes.get(rule, weight)) for rule, weight in _BALANCED_FLAT.items()}
    scale = Fraction(changes.get("lateness", "1"))
    by_level: dict[str, dict[Level, int]] = {}
    for rules, weights in ((LATENESS_RULES, _LATENESS), (LATENESS_ONCE_RULES, _LATENESS_ONCE)):
        for rule in rules:
            by_level[rule] = {level: round_half_up(Fraction(weights[level]) * scale * 1000) for level in LEVELS}
    for rule, weight in (overrides or {}).items():
        if weight is None:
            continue
        if rule not in by_level:
            flat[rule] = _milli(weight)
        elif isinstance(weight, Mapping):
            by_level[rule].update({level: _milli(given) for level, given in weight.items() if given is not None})
        else:
            by_level[rule] = dict.fromkeys(LEVELS, _milli(weight))
    return Weights(flat, by_level)
