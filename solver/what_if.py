"""The problem as it would be if one fix were done."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.documents import instant
from dispatcher.model import Engineer, TimeWindow, WorkOrder
from dispatcher.problem import Problem
from dispatcher.reasons import Fix
from skills.qualification import HeldSkill


def with_fix(problem: Problem, order: WorkOrder, fix: Fix) -> Problem:
    """The problem with the one change a fix of this order names; all but `RAISE_VALUE` and `PARTS`."""
    changed = order
    if fix.code == "TIME_WINDOW":
        start = instant(str(fix.params["start"]))
        changed = replace(order, time_windows=(TimeWindow(start, start),))
    elif fix.code == "ALLOW_ENGINEER":
        changed = replace(
            order,
            allowed_engineers=order.allowed_engineers and order.allowed_engineers | {fix.engineer},
            excluded_engineers=order.excluded_engineers - {fix.engineer},
        )
    engineers = [_changed(e, fix) if e.id == fix.engineer else e for e in problem.engineers]
    orders = [changed if other.id == order.id else other for other in problem.work_orders]
    return replace(problem, engineers=tuple(engineers), work_orders=tuple(orders))


def _changed(engineer: Engineer, fix: Fix) -> Engineer:
    if fix.code == "OVERTIME":
        longer = {fix.params["shift"]: fix.amount_seconds}
        shifts = (replace(shift, latest_end=shift.latest_end + longer.get(shift.id, 0)) for shift in engineer.shifts)
        return replace(engineer, shifts=tuple(shifts))
    if fix.code == "MORE_ORDERS":
        more = (
            replace(shift, max_work_orders=None if shift.max_work_orders is None else shift.max_work_orders + 1)
            for shift in engineer.shifts
        )
        return replace(engineer, shifts=tuple(more))
    if fix.code in ("SKILL_LEVEL", "CERTIFICATE"):
        gained = HeldSkill(str(fix.params["skill"]), int(str(fix.params["level"])))
        return replace(engineer, skills=(*engineer.skills, gained))
    return engineer
