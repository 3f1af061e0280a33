"""The running plan improved while nobody waits: part after part, each accepted only where the whole gets cheaper."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from random import Random

from solver.live.day import LiveDay
from solver.live.near import NearRoutes
from solver.live.repair import MOST_ROUTES, Repaired, Repairer

PART_SECONDS = 1.0


def improve(
    day: LiveDay,
    names: Sequence[str] = (),
    *,
    seconds: float,
    seed: int = 1,
    cancelled: Callable[[], bool] = lambda: False,
) -> Repaired:
    """The best plan that is found in `seconds`, never worse than the plan as it is; nothing is put in force.

    It begins as a repair does and goes on with routes around places drawn at random.

    Raises:
        NotFound, WrongState: as `Repairer.repair`.
    """
    until = time.monotonic() + seconds
    dice, whole = Random(seed), Repairer(day, seed=seed)
    best = whole.repair(names, seconds=min(PART_SECONDS, seconds))
    current = _after(day, best)
    while day.problem.work_orders and not cancelled():
        left = until - time.monotonic()
        if left <= 0:
            break
        near = NearRoutes(current.state)
        around = near.ranked(dice.choice(day.problem.work_orders))[:MOST_ROUTES]
        part = Repairer(current, near=near, seed=dice.randrange(1 << 30))
        found = part.improve(around, seconds=min(PART_SECONDS, left))
        better = whole.better(best, whole.judged(found.sequences))
        if better is not best:
            best, current = better, _after(day, better)
    return best


def _after(day: LiveDay, found: Repaired) -> LiveDay:
    return LiveDay(day.problem, found.plan, on_the_way=day.on_the_way, policy=day.policy)
