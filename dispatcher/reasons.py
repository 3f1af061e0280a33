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
    "PINNED_ELSEWHERE": "it is pinned to {pinned}",
    "PREDECESSOR_UNASSIGNED": "it waits for {other}, which is unassigned",
    "SKILL_MISSING": "{engineer} lacks the skill {skill} (level {level} needed)",
    "SKILL_LEVEL": "{engineer} reaches level {best_level} of {skill}, level {level} is needed",
    "SKILL_EXPIRED": "the certificate of {engineer} for {skill} runs out before the work could start",
    "PARTS": "{engineer} carries too few of {part}: {needed} needed, {stock} in stock",
    "COSTS_MORE": "{engineer} could go, but that would cost {cost:,}, and leaving it undone costs {value:,}",
    "NOT_REACHED": "{engineer} could go and it would pay, but the search ended before it came to that",
    "FROZEN": "{engineer} could only go before work that starts soon or is under way, and that stays as it is",
    "PARTS_TAKEN": "the {part} that {engineer} carries goes to other orders of the shift",
    "STANDBY": "{engineer} stands by for {other} and would come too late there if called",
    "MAX_WORK_ORDERS": "{engineer} has as many orders as the shift may have ({limit})",
    "DISPLACED": "other work fills the day of {engineer}; on an empty day it would fit",
    "FIXED_WORK": "work that is pinned or done with a team leaves {engineer} no time for it",
    "BREAK": "it leaves {engineer} no room for a break, even on an empty day",
    "SHIFT": "{engineer} would finish {overtime} after the latest end of the shift, even on an empty day",
    "TIME_WINDOW": "{engineer} cannot be there inside a time window, even on an empty day",
    "PINNED_START": "{engineer} cannot start at the pinned time, even on an empty day",
    "DEPENDS_ON": "{engineer} cannot keep the gap to the order it depends on, even on an empty day",
    "NO_TIME": "{engineer} has no time for it that keeps windows, breaks and the latest end at once",
    "TEAM_INCOMPLETE": "{engineer} could come as {role}, but the team lacks {lacking}",
    "TEAM_STANDBY": "{engineer} could come as {role}, but nobody could stand by as {standby}",
    "TEAM_SKILLS": "{engineer} could come as {role}, but those who could come do not hold {skills} between them",
    "TEAM_PARTS": "{engineer} could come as {role}, but those who could come carry too few of {part}",
    "TEAM_PIN": "{engineer} could come as {role}, but not together with {pinned}, to whom it is pinned",
    "TEAM_NO_COMMON_START": "{engineer} could come as {role}, but no start was found that suits a whole team",
}

FIXES: Mapping[str, str] = {
    "OVERTIME": "{engineer} could do it if the shift {shift} ended {amount} later",
    "TIME_WINDOW": "{engineer} could do it {amount} outside its time windows, starting {start}",
    "SKILL_LEVEL": "{engineer} could do it with one level more of {skill}",
    "CERTIFICATE": "{engineer} could do it with a valid certificate for {skill}",
    "PARTS": "{engineer} could do it with {missing} more of {part} on board",
    "ALLOW_ENGINEER": "{engineer} could do it if the lists of the order allowed it",
    "MORE_ORDERS": "{engineer} could do it with one more order in the shift",
    "RAISE_VALUE": "{engineer} would do it if leaving it undone cost {missing:,} more",
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
        return worded(REASONS[self.code], {"engineer": self.engineer, **self.params})


@dataclass(frozen=True, slots=True)
class Fix:
    """The change that would let one engineer serve an order; `amount_seconds` ranks it among others."""

    engineer: str
    code: str
    amount_seconds: int
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        params = {"engineer": self.engineer, "amount_seconds": self.amount_seconds, **self.params}
        return worded(FIXES[self.code], params)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Reasons of an unassigned order, one per engineer, and the cheapest fix if one change is enough.

    `left_out` counts the engineers of a large fleet about whom nothing is said.
    """

    work_order: str
    reasons: tuple[Reason, ...]
    cheapest_fix: Fix | None = None
    left_out: int = 0


class Explainer(Protocol):
    """Finds the reasons of a plan's unassigned orders by testing insertions against it."""

    def __call__(
        self, problem: Problem, plan: Plan, progress: Callable[[float, str], None]
    ) -> tuple[Explanation, ...]: ...


def duration_text(seconds: int) -> str:
    """Seconds as people say them, whole minutes rounded up: 45 → "1 min", 4320 → "1 h 12 min"."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes or not hours)
    return " ".join(parts)


def worded(template: str, params: Mapping[str, object]) -> str:
    """A message of a catalogue with its parameters.

    `x_seconds` can be said as `{x}` in hours and minutes; the instant `start` as `{start}` with its day and without its
    offset, or as `{clock}` without its day.
    """
    said = dict(params)
    for name, value in params.items():
        if name.endswith("_seconds") and isinstance(value, int):
            said[name.removesuffix("_seconds")] = duration_text(value)
    if "start" in said:
        said["start"] = str(said["start"])[:16].replace("T", " ")
        said["clock"] = str(params["start"])[11:16]
    return template.format(**said)
