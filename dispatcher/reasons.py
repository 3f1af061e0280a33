"""Why an order is left undone, engineer by engineer, and what the cheapest change would be.

A reason is a code with parameters; the wording comes from the catalogue here. How a fix is priced is a convention
that only serves to rank fixes: see `FIX_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dispatcher.plan import Plan
from dispatcher.problem import Problem

REASONS: Mapping[str, str] = {
    "NO_SHIFT": "{engineer} has no shift",
    "NOT_ALLOWED": "{engineer} is not among the allowed engineers, or is excluded",
    "PINNED_ELSEWHERE": "pinned to {pinned}",
    "SKILL_MISSING": "{engineer} has no path to the skill {skill} (level {level} needed)",
    "SKILL_LEVEL": "{engineer} reaches level {best_level} of {skill}, level {level} is needed",
    "SKILL_EXPIRED": "the certificate of {engineer} for {skill} runs out before the work could start",
    "PARTS": "{engineer} carries too few of {part}: {needed} needed, {stock} in stock",
    "PARTS_TAKEN": "the {part} of {engineer} is needed for other orders of the shift",
    "PREDECESSOR_UNASSIGNED": "waits for {other}, which is unassigned",
    "DISPLACED": "would fit into an empty day of {engineer}, whose time goes to work that costs more to leave undone",
    "COSTS_MORE": "{engineer} could go, but it would cost {cost} and leaving it undone costs {value}",
    "NOT_REACHED": "{engineer} could go and it would pay: the run ended before, or orders that wait left no room",
    "SHIFT": "would end {overtime_seconds} s after the latest end of {engineer}'s shift",
    "TIME_WINDOW": "{engineer} cannot be there inside a time window, even with an empty day",
    "DEPENDS_ON": "the gap to the order it depends on cannot be kept by {engineer}",
    "BREAK": "leaves {engineer} no room for a break",
    "MAX_WORK_ORDERS": "{engineer} has as many orders as the shift may have ({limit})",
    "NO_TIME": "no time in the shifts of {engineer} keeps windows, breaks and the latest end at once",
    "TEAM_INCOMPLETE": "{engineer} could come as {role}, but the team lacks {lacking}",
    "TEAM_NO_COMMON_START": "{engineer} could come as {role}, but no start suits a whole team with its standby",
}

FIXES: Mapping[str, str] = {
    "OVERTIME": "{engineer} could do it with {amount_minutes} min more before the latest end of the shift",
    "TIME_WINDOW": "{engineer} could do it {amount_minutes} min outside the time windows, at {start}",
    "SKILL_LEVEL": "{engineer} could do it with one level more of {skill}",
    "CERTIFICATE": "{engineer} could do it with a valid certificate for {skill}",
    "PARTS": "{engineer} could do it with {missing} more of {part}",
    "ALLOW_ENGINEER": "{engineer} could do it if the order allowed it",
    "MORE_ORDERS": "{engineer} could do it with one more order in the shift",
    "RAISE_VALUE": "{engineer} would do it if leaving it undone cost {missing} more",
}

FIX_SECONDS: Mapping[str, int] = {
    "SKILL_LEVEL": 7200,
    "CERTIFICATE": 7200,
    "PARTS": 3600,
    "ALLOW_ENGINEER": 1800,
    "MORE_ORDERS": 900,
    "RAISE_VALUE": 10800,
}
"""What a fix that is not measured in time counts for when fixes are ranked."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one engineer does not serve an order."""

    engineer: str
    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return REASONS[self.code].format(**{"engineer": self.engineer, **self.params})


@dataclass(frozen=True, slots=True)
class Fix:
    """The change that would let one engineer serve an order; `amount_seconds` ranks it among others."""

    engineer: str
    code: str
    amount_seconds: int
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        minutes = -(-self.amount_seconds // 60)
        return FIXES[self.code].format(**{"engineer": self.engineer, "amount_minutes": minutes, **self.params})


@dataclass(frozen=True, slots=True)
class Explanation:
    """Reasons of an unassigned order, one per engineer, and the cheapest fix if one change is enough."""

    work_order: str
    reasons: tuple[Reason, ...]
    cheapest_fix: Fix | None = None


class Explainer(Protocol):
    """Finds the reasons of a plan's unassigned orders by testing insertions against it."""

    def __call__(
        self, problem: Problem, plan: Plan, progress: Callable[[float, str], None]
    ) -> tuple[Explanation, ...]: ...
