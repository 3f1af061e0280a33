"""Inner functions of the search kernel as Python can call them: compiled ones are made for compiled callers only."""

from solver.kernel import change, place, recreate
from solver.kernel import ruin as ruining
from solver.kernel.compiled import jit
from solver.kernel.layout import Case, Day


@jit
def keep(day: Day) -> None:
    change.keep(day)


@jit
def take_back(case: Case, day: Day) -> None:
    change.take_back(case, day)


@jit
def ruin(case: Case, day: Day, seed_visit: int) -> bool:
    return ruining.ruin(case, day, seed_visit)


@jit
def best_place(case: Case, day: Day, visit: int, look: int) -> tuple[int, int, int]:
    return recreate.best_place(case, day, visit, look)


@jit
def driven_delta(case: Case, day: Day, shift: int, position: int, visit: int) -> int:
    return place.driven_delta(case, day, shift, position, visit)


@jit
def quick_delta(
    case: Case, day: Day, shift: int, position: int, visit: int, latest: int, limit: int
) -> tuple[int, bool]:
    return place.quick_delta(case, day, shift, position, visit, latest, limit)


@jit
def latest_start(case: Case, day: Day, visit: int) -> int:
    return place.latest_start(case, day, visit)
