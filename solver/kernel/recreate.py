"""Putting banked visits back, each at its cheapest place, with blinks (Christiaens and Vanden Berghe 2020).

Behind the last break of a route a place is tested in constant time: the visit itself, the way to the next stop, and
the two bounds kept there. Elsewhere, or where a delay costs something, the rest of the route is driven.
"""

from __future__ import annotations

from solver.kernel.change import apart_cost, insert, set_limits, waits_for_unserved
from solver.kernel.compiled import inlined, jit, woven
from solver.kernel.dice import below, steps_to_next, throw
from solver.kernel.layout import (
    ADMIT,
    AT_ARRIVAL,
    AT_PLACE,
    BANKED,
    BEFORE_FROM,
    BEFORE_TO,
    BREAKS_FROM,
    BREAKS_TO,
    CEILING,
    CLASS,
    CLOSED,
    COST,
    END_PLACE,
    ENGINEER,
    FAR_FUTURE,
    FIRST_LABEL,
    FREE,
    HAS_DEPENDENCIES,
    HAS_MOVED,
    IMPOSSIBLE,
    IS_SCANNED_WHOLE,
    LABEL_COLUMNS,
    LATEST_ARRIVAL,
    LATEST_FREE,
    LENGTH,
    LOCKED_FIRST,
    MAX_STOPS,
    NONE,
    NOT_AFTER,
    NOT_BEFORE,
    NOW,
    PAID_PLACE,
    PARTS_FROM,
    PARTS_TO,
    PLACE,
    POSITION,
    PREVIOUS_ENGINEER,
    REMOTE,
    REMOVED,
    ROUTE,
    ROUTE_COST,
    SETUP,
    SETUP_PAID,
    SINGLE_FROM,
    SPEED,
    STAMP,
    TOUCHED,
    TWIN,
    UNSERVED,
    UNTIL_BLINK,
    WINDOWS_FROM,
    WINDOWS_TO,
    Case,
    Day,
    Float,
    Int64,
)
from solver.kernel.schedule import advance, company_cost, is_single, serve, way_home
from solver.kernel.travel import leg_cost, leg_seconds

BLINK_PROBABILITY = 0.01
NEIGHBOURS_LOOKED_AT = 40
"""How many neighbours of a visit have their routes looked at, where not all are."""
BANKED_NEARBY = 24
BANKED_ANYWHERE = 8
"""How many visits that were unserved before are tried again in an iteration: neighbours of the ruin, and others."""


@inlined
def may_serve(case: Case, day: Day, visit: int, shift: int) -> bool:
    """Whether the engineer of a shift may make a visit at all, and has parts and a stop left for it."""
    visits, shifts = case.visits, case.shifts
    engineer = shifts[shift, ENGINEER]
    if shifts[shift, CLOSED] or case.option_of[visits[visit, CLASS], engineer] < 0:
        return False
    row = visits[visit, ADMIT]
    if row != NONE and not case.admits[row, engineer]:
        return False
    length = day.routes[shift, LENGTH]
    if length >= shifts[shift, MAX_STOPS] or length >= day.sequence.shape[1]:
        return False
    for place in range(visits[visit, PARTS_FROM], visits[visit, PARTS_TO]):
        if day.stock[shift, case.part_of[place]] < case.part_count[place]:
            return False
    return True


@inlined
def latest_start(case: Case, day: Day, visit: int) -> int:
    latest = case.visits[visit, NOT_AFTER]
    if case.numbers[HAS_DEPENDENCIES]:
        latest = min(latest, day.standing[visit, CEILING])
    first, last = case.visits[visit, WINDOWS_FROM], case.visits[visit, WINDOWS_TO]
    if first < last:
        ends = case.windows[first, 1]
        for window in range(first + 1, last):
            ends = max(ends, case.windows[window, 1])
        latest = min(latest, ends)
    return int(latest)


@inlined
def driven_delta(case: Case, day: Day, shift: int, position: int, visit: int) -> int:
    """What a route's cost changes by with a visit behind its first `position` ones; IMPOSSIBLE if a rule breaks."""
    length = day.routes[shift, LENGTH]
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    speed = case.shifts[shift, SPEED]
    labels = day.labels[shift]
    single = day.routes[shift, SINGLE_FROM]
    column = FIRST_LABEL + LABEL_COLUMNS * breaks
    here, there = 0, 1
    if not advance(case, day.standing, shift, visit, labels[position], day.work[here]):
        return IMPOSSIBLE
    for place in range(position + 1, length + 1):
        row = day.work[here]
        following = day.sequence[shift, place - 1]
        if place > single and is_single(row, breaks) and not case.visits[following, REMOTE]:
            # Behind the last break the bounds of the route as it is tell the rest.
            to = case.visits[following, PLACE]
            setup_same = (row[PAID_PLACE] == to) == (labels[place - 1, PAID_PLACE] == to)
            free = max(row[column + FREE], case.numbers[NOW])
            travel = leg_seconds(case, speed, row[AT_PLACE], to, free)
            if setup_same or case.visits[following, SETUP] == 0:
                if free + travel > labels[place, LATEST_ARRIVAL]:
                    return IMPOSSIBLE
                if labels[place, AT_ARRIVAL] <= free + travel <= labels[place, LATEST_FREE]:
                    before = labels[place - 1]
                    left = max(before[column + FREE], case.numbers[NOW])
                    old = leg_seconds(case, speed, before[AT_PLACE], to, left)
                    return int(
                        row[column + COST]
                        + leg_cost(case, row[AT_PLACE], to, travel)
                        - before[column + COST]
                        - leg_cost(case, before[AT_PLACE], to, old)
                    )
        if not advance(case, day.standing, shift, following, row, day.work[there]):
            return IMPOSSIBLE
        here, there = there, here
    _, cost = way_home(case, shift, day.work[here])
    return IMPOSSIBLE if cost >= IMPOSSIBLE else int(cost - day.routes[shift, ROUTE_COST])


@inlined
def quick_delta(
    case: Case, day: Day, shift: int, position: int, visit: int, latest: int, limit: int
) -> tuple[int, bool]:
    """(what `driven_delta` says, True) in constant time where that can be, else (anything, False).

    A place that costs `limit` or more is told as IMPOSSIBLE, on the ground that a delay makes nothing cheaper. With
    traffic a delay may shorten a later leg; what that could gain is passed over.
    """
    visits = case.visits
    length = day.routes[shift, LENGTH]
    if position < day.routes[shift, SINGLE_FROM] or length == 0:
        return 0, False
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    speed = case.shifts[shift, SPEED]
    row, after = day.labels[shift, position], day.labels[shift, position + 1]
    place, to = row[AT_PLACE], visits[visit, PLACE]
    free = max(row[FIRST_LABEL + LABEL_COLUMNS * breaks + FREE], case.numbers[NOW])
    travel = leg_seconds(case, speed, place, to, free)
    arrival = free + travel
    if arrival > latest:
        return IMPOSSIBLE, True
    paid = row[PAID_PLACE]
    setup = visits[visit, SETUP] if paid != to else 0
    _, end, extra = serve(case, day.standing, visit, case.shifts[shift, ENGINEER], arrival, setup)
    if end >= FAR_FUTURE:
        return IMPOSSIBLE, True
    onward = after[AT_PLACE]
    is_open_end = position == length and case.shifts[shift, END_PLACE] == NONE
    if position < length:
        following = day.sequence[shift, position]
        if visits[following, REMOTE] or visits[following, SETUP_PAID] != NONE:
            return 0, False
        if visits[following, SETUP] > 0 and (paid == onward) != (to == onward):
            return 0, False
    elif is_open_end:
        onward = to
    end = max(end, case.numbers[NOW])
    next_travel = leg_seconds(case, speed, to, onward, end)
    next_arrival = end + next_travel
    if next_arrival > after[LATEST_ARRIVAL]:
        return IMPOSSIBLE, True
    delta = leg_cost(case, place, to, travel) + leg_cost(case, to, onward, next_travel) + extra
    delta += company_cost(case, visit, case.shifts[shift, ENGINEER])
    if not is_open_end:
        delta -= leg_cost(case, place, onward, leg_seconds(case, speed, place, onward, free))
    if after[AT_ARRIVAL] <= next_arrival <= after[LATEST_FREE]:
        return delta, True
    if next_arrival >= after[AT_ARRIVAL] and delta >= limit and not case.numbers[HAS_MOVED]:
        return IMPOSSIBLE, True
    return 0, False


@inlined
def is_blinked(day: Day) -> bool:
    """Now and then a place is passed over."""
    day.counts[UNTIL_BLINK] -= 1
    if day.counts[UNTIL_BLINK] >= 0:
        return False
    day.counts[UNTIL_BLINK] = steps_to_next(day.dice, BLINK_PROBABILITY)
    return True


@inlined
def first_position(case: Case, day: Day, visit: int, shift: int) -> int:
    """Behind running work, and behind those on the same route that the visit waits for."""
    first = case.shifts[shift, LOCKED_FIRST]
    for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, BEFORE_TO]):
        group = case.gaps[place, 0]
        for member in range(case.members[group], case.members[group + 1]):
            other = case.member_visits[member]
            if day.standing[other, ROUTE] == shift:
                first = max(first, day.standing[other, POSITION] + 1)
    return int(first)


@inlined
def earliest_end(case: Case, visit: int) -> int:
    """Before this nobody is through with a visit, whoever makes it and whatever the pace."""
    earliest = case.visits[visit, NOT_BEFORE]
    first, last = case.visits[visit, WINDOWS_FROM], case.visits[visit, WINDOWS_TO]
    if first < last:
        # Sorted by their start.
        earliest = max(earliest, case.windows[first, 0])
    return int(earliest)


LOOK_NEAR, LOOK_TOUCHED, LOOK_EVERYWHERE, LOOK_BEFORE = range(4)
"""Which routes `best_place` looks at: the likely ones, those changed in this iteration, all, or those of the engineer
of the previous plan."""


@inlined
def gather_one(case: Case, day: Day, visit: int, shift: int, count: int) -> int:
    """Add a route to those to look at, no route twice and of empty twins one only; how many there are."""
    stamp = day.counts[STAMP]
    if day.stamps[shift] == stamp:
        return count
    day.stamps[shift] = stamp
    if day.routes[shift, LENGTH] == 0:
        twin = len(case.shifts) + case.shifts[shift, TWIN]
        if day.stamps[twin] == stamp:
            return count
        day.stamps[twin] = stamp
    if not may_serve(case, day, visit, shift):
        return count
    day.looked[count] = shift
    return count + 1


@inlined
def gather(case: Case, day: Day, visit: int, look: int) -> int:
    """Write the routes to look at into `day.looked`; how many."""
    day.counts[STAMP] += 1
    count = 0
    if look in (LOOK_TOUCHED, LOOK_NEAR):
        for slot in range(day.counts[TOUCHED]):
            count = gather_one(case, day, visit, day.touched_list[slot], count)
    if look in (LOOK_EVERYWHERE, LOOK_BEFORE) or (look == LOOK_NEAR and case.numbers[IS_SCANNED_WHOLE]):
        for shift in range(len(case.shifts)):
            if look != LOOK_BEFORE or case.shifts[shift, ENGINEER] == case.visits[visit, PREVIOUS_ENGINEER]:
                count = gather_one(case, day, visit, shift, count)
    elif look == LOOK_NEAR:
        # Too many routes to look at all: those of the neighbours and the nearest empty ones.
        for place in range(min(NEIGHBOURS_LOOKED_AT, case.near.shape[1])):
            other = case.near[visit, place]
            if other >= 0 and day.standing[other, ROUTE] >= 0:
                count = gather_one(case, day, visit, day.standing[other, ROUTE], count)
        for place in range(case.near_shifts.shape[1]):
            if case.near_shifts[visit, place] >= 0:
                count = gather_one(case, day, visit, case.near_shifts[visit, place], count)
    return count


@inlined
def best_place(case: Case, day: Day, visit: int, look: int) -> tuple[int, int, int]:
    """(cost, shift, position) of the cheapest place that costs less than leaving the visit undone; shift -1 if none."""
    best, best_shift, best_position = case.visits[visit, UNSERVED], NONE, NONE
    latest = latest_start(case, day, visit)
    earliest = earliest_end(case, visit)
    for looked in range(gather(case, day, visit, look)):
        shift = day.looked[looked]
        breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
        column = FIRST_LABEL + LABEL_COLUMNS * breaks + FREE
        apart = apart_cost(case, day, visit, case.shifts[shift, ENGINEER])
        for position in range(first_position(case, day, visit, shift), day.routes[shift, LENGTH] + 1):
            if position >= day.routes[shift, SINGLE_FROM] and day.labels[shift, position, column] > latest:
                break
            after = day.labels[shift, position + 1]
            # Somebody at the same place would take the next one's setup over, and so gain time.
            if after[LATEST_ARRIVAL] < earliest and after[AT_PLACE] != case.visits[visit, PLACE]:
                continue
            if is_blinked(day):
                continue
            delta, is_known = quick_delta(case, day, shift, position, visit, latest, best - apart)
            if not is_known:
                delta = driven_delta(case, day, shift, position, visit)
            if delta < IMPOSSIBLE and delta + apart < best:
                best, best_shift, best_position = delta + apart, shift, position
    return best, best_shift, best_position


@inlined
def choose_candidates(case: Case, day: Day, seed_visit: int) -> int:
    """Write into `order` what is to be put back: all that was just removed, and some of what was unserved before."""
    removed = day.counts[REMOVED]
    count = 0
    day.counts[STAMP] += 1
    stamp = day.counts[STAMP]
    offset = 2 * len(case.shifts)
    for place in range(removed):
        visit = day.removed[place]
        day.order[count] = visit
        day.stamps[offset + visit] = stamp
        count += 1
    if day.standing[seed_visit, ROUTE] < 0 and day.stamps[offset + seed_visit] != stamp:
        day.order[count] = seed_visit
        day.stamps[offset + seed_visit] = stamp
        count += 1
    banked = day.counts[BANKED]
    if banked - removed <= BANKED_NEARBY + BANKED_ANYWHERE:
        for place in range(banked):
            visit = day.bank[place]
            if day.stamps[offset + visit] != stamp:
                day.order[count] = visit
                count += 1
        return count
    nearby = 0
    for place in range(case.near.shape[1]):
        visit = case.near[seed_visit, place]
        if visit < 0 or nearby >= BANKED_NEARBY:
            break
        if day.standing[visit, ROUTE] < 0 and day.stamps[offset + visit] != stamp:
            day.stamps[offset + visit] = stamp
            day.order[count] = visit
            count += 1
            nearby += 1
    for _ in range(BANKED_ANYWHERE):
        visit = day.bank[below(day.dice, banked)]
        if day.stamps[offset + visit] != stamp:
            day.stamps[offset + visit] = stamp
            day.order[count] = visit
            count += 1
    return count


@inlined
def sort_ranks(day: Day, count: int) -> None:
    """Ranks of the first keys, the smallest first: heapsort, since nothing may be allocated here."""
    keys, ranks = day.keys, day.ranks
    for place in range(count):
        ranks[place] = place
    for root in range(count // 2 - 1, -1, -1):
        sift(keys, ranks, root, count)
    top = count - count
    for end in range(count - 1, 0, -1):
        ranks[top], ranks[end] = ranks[end], ranks[top]
        sift(keys, ranks, top, end)


@inlined
def sift(keys: Float, ranks: Int64, root: int, end: int) -> None:
    moving = ranks[root]
    child = 2 * root + 1
    while child < end:
        if child + 1 < end and keys[ranks[child]] < keys[ranks[child + 1]]:
            child += 1
        if keys[moving] >= keys[ranks[child]]:
            break
        ranks[root] = ranks[child]
        root = child
        child = 2 * root + 1
    ranks[root] = moving


FIRST_BATCH = 64
"""Visits of a first plan that are placed in one step."""


@woven
def recreate(case: Case, day: Day, seed_visit: int, batch: int) -> None:
    """Put visits back in one of several orders, greedily; or place the next batch of a first plan."""
    removed = day.counts[REMOVED]
    if batch >= 0:
        count = min(FIRST_BATCH, len(day.first_order) - batch * FIRST_BATCH)
        for place in range(count):
            day.order[place] = day.first_order[batch * FIRST_BATCH + place]
            day.ranks[place] = place
    else:
        count = choose_candidates(case, day, seed_visit)
        rank_candidates(case, day, count)
    has_dependencies = case.numbers[HAS_DEPENDENCIES] == 1
    for attempt in range(2 if has_dependencies else 1):
        for place in range(count):
            rank = day.ranks[place]
            visit = day.order[rank]
            if (batch >= 0 or attempt == 1) and day.standing[visit, ROUTE] >= 0:
                continue
            if has_dependencies:
                if waits_for_unserved(case, day, visit):
                    continue
                set_limits(case, day, visit)
            look = LOOK_NEAR
            if batch >= 0 and case.visits[visit, PREVIOUS_ENGINEER] >= 0:
                look = LOOK_BEFORE
            elif rank >= removed and visit != seed_visit and batch < 0:
                # What was unserved before can only go where something has changed.
                look = LOOK_TOUCHED
            while look != NONE:
                _, shift, position = best_place(case, day, visit, look)
                if shift >= 0:
                    insert(case, day, shift, position, visit)
                is_last = shift >= 0 or batch < 0 or look == LOOK_EVERYWHERE
                look = NONE if is_last else LOOK_EVERYWHERE


@inlined
def rank_candidates(case: Case, day: Day, count: int) -> None:
    """Draw an order and sort by it."""
    chance = throw(day.dice)
    mode = 0
    while mode < len(case.sort_chances) - 1 and chance > case.sort_chances[mode]:
        mode += 1
    is_random = mode == len(case.sort_chances) - 1
    for place in range(count):
        day.keys[place] = throw(day.dice) if is_random else case.sort_keys[mode, day.order[place]]
    sort_ranks(day, count)
