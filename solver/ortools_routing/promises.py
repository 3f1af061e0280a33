"""Lateness and other soft rules as OR-Tools routing can express them, and which of them that only approximates.

OR-Tools takes one soft upper bound per stop: a bound and a cost per second behind it. A step (a cost per late order)
and bounds of several kinds are turned into one such slope. All costs are thousandths.
"""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model import Level, WorkOrder
from dispatcher.objective import LATENESS_ONCE_RULES, LATENESS_RULES
from dispatcher.problem import Problem
from dispatcher.soft_rules import CHANGE_TOLERANCE_SECONDS

TYPICAL_LATENESS_SECONDS = 300
"""The lateness at which the slope that stands for a step costs as much as the step."""

_DEADLINES = {"late_arrival": "arrive_by", "late_start": "start_by", "late_restore": "restore_by"}


@dataclass(frozen=True, slots=True)
class Promise:
    """A soft upper bound on a start: what each second behind `start_by` costs."""

    start_by: int
    slope: int


def promise_of(
    problem: Problem, order: WorkOrder, seconds: int, earliest: int, latest: int
) -> tuple[Promise | None, int]:
    """The soft bound of an order served alone, and the lateness cost that no start could avoid.

    Args:
        problem: for its weights and the plan that changes are measured from.
        order: an order without a team.
        seconds: its shortest service, without setup.
        earliest, latest: first and last start that anything allows (epoch seconds).

    Returns:
        The bound, None where no start in that range is late, and the certain cost in thousandths.
    """
    certain = 0
    slopes: list[Promise] = []
    for rule, once in zip(LATENESS_RULES, LATENESS_ONCE_RULES, strict=True):
        deadline: int | None = getattr(order.deadlines, _DEADLINES[rule])
        if deadline is None:
            continue
        start_by = deadline - (seconds + order.setup_seconds if rule == "late_restore" else 0)
        slope, step = problem.weights.of(rule, order.level), problem.weights.of(once, order.level)
        if start_by < earliest:
            certain += step + (earliest - start_by) * slope
            slopes.append(Promise(earliest, slope))
        elif start_by < latest:
            slopes.append(Promise(start_by, slope + step // TYPICAL_LATENESS_SECONDS))
    previous = problem.previous.get(order.id)
    if previous is not None and previous.first_start is not None:
        moved = problem.weights.of("change_shift")
        slopes.append(Promise(max(earliest, previous.first_start + CHANGE_TOLERANCE_SECONDS), moved))
    slopes = [promise for promise in slopes if promise.slope and promise.start_by < latest]
    if not slopes:
        return None, certain
    first = min(promise.start_by for promise in slopes)
    near = [promise.slope for promise in slopes if promise.start_by <= first + TYPICAL_LATENESS_SECONDS]
    return Promise(first, sum(near)), certain


def approximated_rules(problem: Problem, *, merged: bool) -> tuple[str, ...]:
    """The soft rules that this problem has and the model only approximates, in the order of the catalogue.

    `merged` says that engineers were merged to keep the model small.
    """
    weights = problem.weights
    singles = [order for order in problem.work_orders if order.team is None]
    found: list[str] = []
    for rule in (*LATENESS_RULES, *LATENESS_ONCE_RULES):
        kind = rule.removesuffix("_once")
        promised = [order for order in singles if getattr(order.deadlines, _DEADLINES[kind]) is not None]
        if rule == kind:
            # A bound of its own is exact but for arrivals (the model knows starts) and ends (durations differ).
            promised = [order for order in promised if kind != "late_start" or _kinds(order) > 1]
        if any(weights.of(rule, level) for level in _levels(promised)):
            found.append(rule)
    if problem.travel.varies_with_time:
        found.append("travel")
        if weights.of("overtime"):
            found.append("overtime")
    expiring = any(skill.valid_until is not None for engineer in problem.engineers for skill in engineer.skills)
    if weights.of("substitution") and (merged or expiring):
        found.append("substitution")
    if merged:
        found.extend(rule for rule in ("preference", "change", "repeat_visit") if weights.of(rule))
    if weights.of("association") and problem.related_pairs:
        found.append("association")
    if weights.of("change_shift") and problem.previous:
        found.append("change_shift")
    found.extend(rule for rule in ("worst_lateness", "fairness") if weights.of(rule))
    if weights.of("engineers_used") and any(len(engineer.shifts) > 1 for engineer in problem.engineers):
        found.append("engineers_used")
    return tuple(found)


def _kinds(order: WorkOrder) -> int:
    deadlines = order.deadlines
    return sum(instant is not None for instant in (deadlines.arrive_by, deadlines.start_by, deadlines.restore_by))


def _levels(orders: list[WorkOrder]) -> set[Level]:
    return {order.level for order in orders}
