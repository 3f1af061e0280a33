"""A first plan: every banked visit once, at its cheapest place."""

from __future__ import annotations

from solver.kernel.change import insert, keep, set_limits, waits_for_unserved
from solver.kernel.compiled import jit
from solver.kernel.layout import HAS_DEPENDENCIES, NONE, PREVIOUS_ENGINEER, ROUTE, Case, Day, Int64
from solver.kernel.recreate import LOOK_BEFORE, LOOK_EVERYWHERE, LOOK_NEAR, best_place


@jit
def construct(case: Case, day: Day, order: Int64, first: int, last: int) -> None:
    """Place `order[first:last]` one after the other; whom a previous plan names comes first."""
    for place in range(first, last):
        visit = order[place]
        if day.standing[visit, ROUTE] >= 0:
            continue
        if case.numbers[HAS_DEPENDENCIES]:
            if waits_for_unserved(case, day, visit):
                continue
            set_limits(case, day, visit)
        look = LOOK_BEFORE if case.visits[visit, PREVIOUS_ENGINEER] >= 0 else LOOK_NEAR
        shift = NONE
        while shift < 0 and look >= 0:
            _, shift, position = best_place(case, day, visit, look)
            if shift >= 0:
                insert(case, day, shift, position, visit)
                keep(day)
            look = NONE if look == LOOK_EVERYWHERE else LOOK_EVERYWHERE
