"""Two routes that go on with each other's tail (2-opt*, Potvin and Rousseau 1995).

Strings of ten visits hardly ever move what lies behind the middle of a route of fifty.
"""

from __future__ import annotations

from solver.kernel.change import put_in, take_out, touch
from solver.kernel.compiled import inner, jit
from solver.kernel.dice import below
from solver.kernel.layout import (
    AT_PLACE,
    BREAKS_FROM,
    BREAKS_TO,
    CALLED,
    CLOSED,
    END_PLACE,
    FIRST_LABEL,
    FREE,
    HAS_DEPENDENCIES,
    IMPOSSIBLE,
    LABEL_COLUMNS,
    LATEST_ARRIVAL,
    LENGTH,
    LOCKED,
    LOCKED_FIRST,
    MAX_STOPS,
    NONE,
    ONWARD,
    PARTS_FROM,
    PARTS_TO,
    POSITION,
    REMOTE,
    ROUTE,
    SINGLE_FROM,
    SPEED,
    SWAPS_PER_MILLE,
    TEAM,
    TEAMS_STAY,
    Case,
    Day,
)
from solver.kernel.place import is_able, is_blinked
from solver.kernel.travel import least_cost, least_seconds

SHORT_ROUTE = 8
"""Of a route of no more visits a string takes most anyway."""


@jit
def goes_on(case: Case, day: Day, shift: int, head: int, other: int, tail: int) -> bool:
    """Whether a route may go on, behind its first `head` visits, with another from its position `tail` on.

    How late it may be there is read off the other route, which may have to be home earlier.
    """
    length, most = day.routes[other, LENGTH], min(case.shifts[shift, MAX_STOPS], day.sequence.shape[1])
    if head + length - tail > most:
        return False
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    if head < max(day.routes[shift, SINGLE_FROM], case.shifts[shift, LOCKED_FIRST]):
        return False
    if tail < length:
        row, after = day.labels[shift, head], day.labels[other, tail + 1]
        seconds = least_seconds(case, case.shifts[shift, SPEED], row[AT_PLACE], after[AT_PLACE])
        taken = case.shifts[other, BREAKS_TO] - case.shifts[other, BREAKS_FROM]
        latest = after[FIRST_LABEL + LABEL_COLUMNS * taken + LATEST_ARRIVAL]
        if row[FIRST_LABEL + LABEL_COLUMNS * breaks + FREE] + seconds > latest:
            return False
    for position in range(tail, length):
        visit = day.sequence[other, position]
        if case.visits[visit, LOCKED] or case.visits[visit, TEAM] >= 0 or not is_able(case, visit, shift):
            return False
    return True


@inner
def add_parts(case: Case, day: Day, shift: int, route: int, first: int, times: int) -> bool:
    """Add so many times the parts of a route's visits from a position on to the stock of a shift; whether it lasts."""
    is_enough = True
    for position in range(first, day.routes[route, LENGTH]):
        visit = day.sequence[route, position]
        for place in range(case.visits[visit, PARTS_FROM], case.visits[visit, PARTS_TO]):
            part = case.part_of[place]
            day.stock[shift, part] += times * case.part_count[place]
            is_enough = is_enough and day.stock[shift, part] >= 0
    return is_enough


@inner
def has_parts(case: Case, day: Day, shift: int, head: int, other: int, tail: int) -> bool:
    """Whether a route's stock lasts for another's tail in place of its own."""
    add_parts(case, day, shift, shift, head, 1)
    is_enough = add_parts(case, day, shift, other, tail, -1)
    add_parts(case, day, shift, other, tail, 1)
    add_parts(case, day, shift, shift, head, -1)
    return is_enough


@jit
def tail_cost(case: Case, day: Day, shift: int, head: int, other: int, tail: int) -> int:
    """What it costs on free roads to get to another route's tail, and from its end home, less what it cost there."""
    length = day.routes[other, LENGTH]
    home, left = case.shifts[shift, END_PLACE], case.shifts[other, END_PLACE]
    speed = case.shifts[shift, SPEED]
    place = day.labels[shift, head, AT_PLACE]
    cost = -day.labels[other, tail, ONWARD]
    if tail < length:
        cost += least_cost(case, speed, place, day.labels[other, tail + 1, AT_PLACE])
        place = day.labels[other, length, AT_PLACE]
        if home != left and left != NONE:
            cost -= day.labels[other, length, ONWARD]
    if home != NONE and (tail == length or home != left):
        cost += least_cost(case, speed, place, home)
    return int(cost)


@inner
def is_swap(case: Case, day: Day, visit: int) -> bool:
    """Whether an iteration that begins at a visit swaps tails: now and then, where its route is not short."""
    shift = day.standing[visit, ROUTE]
    if shift < 0 or day.routes[shift, LENGTH] <= SHORT_ROUTE or case.numbers[HAS_DEPENDENCIES]:
        return False
    return bool(below(day.dice, 1000) < case.numbers[SWAPS_PER_MILLE])


@jit
def swap_tails(case: Case, day: Day, visit: int) -> bool:
    """Have the route of a visit go on at the neighbour where that looks cheapest, and the neighbour's with its rest.

    Both routes still have to be settled; False where nothing could be touched.
    """
    # No room is made for anything.
    day.counts[TEAMS_STAY] = 0
    shift, position = day.standing[visit, ROUTE], day.standing[visit, POSITION]
    if case.shifts[shift, CLOSED] or day.routes[shift, CALLED] > 0 or case.visits[visit, REMOTE]:
        return True
    best, best_shift, best_tail = IMPOSSIBLE, NONE, NONE
    head = position + 1
    for place in range(case.near.shape[1]):
        other = case.near[visit, place]
        if other < 0:
            break
        beside = day.standing[other, ROUTE]
        if beside < 0 or beside == shift or case.shifts[beside, CLOSED] or day.routes[beside, CALLED] > 0:
            continue
        tail = day.standing[other, POSITION]
        cost = tail_cost(case, day, shift, head, beside, tail) + tail_cost(case, day, beside, tail, shift, head)
        if cost >= best or is_blinked(day):
            continue
        if not (goes_on(case, day, shift, head, beside, tail) and goes_on(case, day, beside, tail, shift, head)):
            continue
        if has_parts(case, day, shift, head, beside, tail) and has_parts(case, day, beside, tail, shift, head):
            best, best_shift, best_tail = cost, beside, tail
    if best_shift == NONE:
        return True
    if not touch(day, shift) or not touch(day, best_shift):
        return False
    own = take_tail(case, day, shift, head, 0)
    both = take_tail(case, day, best_shift, best_tail, own)
    for place in range(both - 1, own - 1, -1):
        put_in(case, day, shift, day.routes[shift, LENGTH], day.order[place])
    for place in range(own - 1, -1, -1):
        put_in(case, day, best_shift, day.routes[best_shift, LENGTH], day.order[place])
    return True


@jit
def take_tail(case: Case, day: Day, shift: int, first: int, count: int) -> int:
    """Take the visits from a position on off a route, the last first, into `order` behind `count` others; how many
    these are then."""
    for position in range(day.routes[shift, LENGTH] - 1, first - 1, -1):
        visit = day.sequence[shift, position]
        take_out(case, day, visit)
        day.order[count] = visit
        count += 1
    return count
