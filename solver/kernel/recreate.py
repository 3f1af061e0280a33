"""Putting banked visits back, each at its cheapest place, with blinks (Christiaens and Vanden Berghe 2020)."""

from __future__ import annotations

from solver.kernel.bounds import shortest_service
from solver.kernel.change import apart_cost, insert, set_limits, waits_for_unserved
from solver.kernel.compiled import inlined, inner, jit
from solver.kernel.compose import compose_by_address
from solver.kernel.dice import below, throw
from solver.kernel.layout import (
    AFTER_FROM,
    AFTER_TO,
    BANKED,
    BARRED,
    BEFORE_FROM,
    BEFORE_TO,
    BREAKS_FROM,
    BREAKS_TO,
    BROKEN,
    CALLED,
    CLASS,
    END_CEILING,
    END_FLOOR,
    ENGINEER,
    FAR_FUTURE,
    FIRST_LABEL,
    FREE,
    HAS_DEPENDENCIES,
    IMPOSSIBLE,
    IS_SCANNED_WHOLE,
    LABEL_COLUMNS,
    LENGTH,
    MOST_BARRED,
    MOST_ROOM,
    NONE,
    POSITION,
    PREVIOUS_ENGINEER,
    REMOVED,
    ROOM_AT,
    ROOM_IS_MADE,
    ROUTE,
    SINGLE_FROM,
    STAMP,
    TEAM,
    TEAMS_STAY,
    TOUCHED,
    TWIN,
    UNTIL_BLINK,
    Case,
    Day,
    Float,
    Int64,
)
from solver.kernel.place import (
    costs_at_least,
    driven_delta,
    earliest_start,
    first_position,
    is_blinked,
    is_too_tight,
    latest_start,
    linked,
    may_serve,
    most_cost,
    quick_delta,
)

NEIGHBOURS_LOOKED_AT = 40
"""How many neighbours of a visit have their routes looked at, where not all are."""
LONG_ROUTE = 25
"""On routes of more visits only places beside a neighbour are tried, and the ends."""
TEAMS_TRIED = 8
"""Of the teams that were unserved before, one in so many is tried again."""
BANKED_NEARBY = 24
BANKED_ANYWHERE = 8
"""How many visits that were unserved before are tried again in an iteration: neighbours of the ruin, and others."""


LOOK_NEAR, LOOK_TOUCHED, LOOK_EVERYWHERE, LOOK_BEFORE, LOOK_UNUSED = range(5)
"""Which routes `best_place` looks at: the likely ones, those changed in this iteration, all, those of the engineer of
the previous plan, or the likely ones without any work."""
OPENED_EVERY = 30
"""In one iteration of so many the first visit goes to somebody without work: alone it is never cheapest there."""


@inlined
def gather_one(case: Case, day: Day, visit: int, shift: int, count: int, only_unused: bool) -> int:
    """Add a route to those to look at, no route twice and of empty twins one only; how many there are."""
    stamp = day.counts[STAMP]
    if day.stamps[shift] == stamp:
        return count
    day.stamps[shift] = stamp
    is_unused = day.routes[shift, LENGTH] == 0 and day.routes[shift, CALLED] == 0
    if is_unused:
        twin = len(case.shifts) + case.shifts[shift, TWIN]
        if day.stamps[twin] == stamp:
            return count
        day.stamps[twin] = stamp
    if (only_unused and not is_unused) or not may_serve(case, day, visit, shift):
        return count
    day.looked[count] = shift
    return count + 1


@inner
def gather(case: Case, day: Day, visit: int, look: int) -> int:
    """Write the routes to look at into `day.looked`; how many."""
    day.counts[STAMP] += 1
    for place in range(day.counts[BARRED]):
        shift = day.barred[place]
        day.stamps[shift] = day.counts[STAMP]
        if day.routes[shift, LENGTH] == 0 and day.routes[shift, CALLED] == 0:
            day.stamps[len(case.shifts) + case.shifts[shift, TWIN]] = day.counts[STAMP]
    count = 0
    if look in (LOOK_TOUCHED, LOOK_NEAR):
        for slot in range(day.counts[TOUCHED]):
            count = gather_one(case, day, visit, day.touched_list[slot], count, False)
    only_unused = look == LOOK_UNUSED
    if look in (LOOK_EVERYWHERE, LOOK_BEFORE) or (look in (LOOK_NEAR, LOOK_UNUSED) and case.numbers[IS_SCANNED_WHOLE]):
        skills = case.visits[visit, CLASS]
        for place in range(case.able_from[skills], case.able_from[skills + 1]):
            shift = case.able[place]
            if look != LOOK_BEFORE or case.shifts[shift, ENGINEER] == case.visits[visit, PREVIOUS_ENGINEER]:
                count = gather_one(case, day, visit, shift, count, only_unused)
    elif look in (LOOK_NEAR, LOOK_UNUSED):
        # Too many routes to look at all: those of the neighbours and the nearest empty ones.
        for place in range(min(NEIGHBOURS_LOOKED_AT, case.near.shape[1])):
            other = case.near[visit, place]
            if other >= 0 and day.standing[other, ROUTE] >= 0:
                count = gather_one(case, day, visit, day.standing[other, ROUTE], count, only_unused)
        for place in range(case.near_shifts.shape[1]):
            if case.near_shifts[visit, place] >= 0:
                count = gather_one(case, day, visit, case.near_shifts[visit, place], count, only_unused)
    return count


@inlined
def place_cost(
    case: Case,
    day: Day,
    shift: int,
    position: int,
    visit: int,
    latest: int,
    earliest: int,
    shortest: int,
    limit: int,
) -> int:
    """What a place costs; IMPOSSIBLE where a rule breaks, where that is `limit` or more, or where chance has it."""
    if is_too_tight(case, day, shift, position, visit, latest, earliest, shortest):
        return IMPOSSIBLE
    if costs_at_least(case, day, shift, position, visit, limit) or is_blinked(day):
        return IMPOSSIBLE
    delta, is_known = quick_delta(case, day, shift, position, visit, latest, limit)
    if not is_known:
        delta = driven_delta(case, day, shift, position, visit)
    return int(delta if delta < limit else IMPOSSIBLE)


@inlined
def is_too_late(case: Case, day: Day, shift: int, position: int, latest: int) -> bool:
    """Whether the engineer is free only after a visit would have to start; then so it is further on."""
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    free = day.labels[shift, position, FIRST_LABEL + LABEL_COLUMNS * breaks + FREE]
    return bool(position >= day.routes[shift, SINGLE_FROM] and free > latest)


@jit
def best_place(case: Case, day: Day, visit: int, look: int) -> tuple[int, int, int]:
    """(cost, shift, position) of the cheapest place that costs less than leaving the visit undone; shift -1 if none.

    On long routes only places beside a neighbour, and the ends, are tried, the nearest first, unless all are to be.
    """
    best, best_shift, best_position = most_cost(case, day, visit), NONE, NONE
    latest = latest_start(case, day, visit)
    earliest = earliest_start(case, visit)
    count = gather(case, day, visit, look)
    day.counts[STAMP] += 1
    stamp = day.counts[STAMP]
    longs = 0
    for looked in range(count):
        shift = day.looked[looked]
        length = day.routes[shift, LENGTH]
        shortest = shortest_service(case, day, visit, case.shifts[shift, ENGINEER])
        if day.routes[shift, MOST_ROOM] < shortest:
            continue
        apart = apart_cost(case, day, visit, case.shifts[shift, ENGINEER])
        first, step = first_position(case, day, visit, shift), 1
        if length > LONG_ROUTE and look != LOOK_EVERYWHERE:
            day.stamps[shift] = stamp
            longs += 1
            step = length - first
        for position in range(first, length + 1, max(1, step)):
            if is_too_late(case, day, shift, position, latest):
                break
            cost = place_cost(case, day, shift, position, visit, latest, earliest, shortest, best - apart)
            if cost < IMPOSSIBLE:
                best, best_shift, best_position = cost + apart, shift, position
    if longs == 0:
        return best, best_shift, best_position
    for place in range(case.near.shape[1]):
        if case.near[visit, place] >= 0:
            day.marks[case.near[visit, place]] = stamp
    for place in range(case.near.shape[1]):
        other = case.near[visit, place]
        if other < 0:
            break
        shift = day.standing[other, ROUTE]
        if shift < 0 or day.stamps[shift] != stamp:
            continue
        apart = apart_cost(case, day, visit, case.shifts[shift, ENGINEER])
        shortest = shortest_service(case, day, visit, case.shifts[shift, ENGINEER])
        first, length = first_position(case, day, visit, shift), day.routes[shift, LENGTH]
        behind = day.standing[other, POSITION] + 1
        for position in range(behind - 1, behind + 1):
            if position <= first or position == length or is_too_late(case, day, shift, position, latest):
                continue
            # The place between two neighbours is tried as the one behind the first.
            if position < behind and day.marks[day.sequence[shift, position - 1]] == stamp:
                continue
            cost = place_cost(case, day, shift, position, visit, latest, earliest, shortest, best - apart)
            if cost < IMPOSSIBLE:
                best, best_shift, best_position = cost + apart, shift, position
    return best, best_shift, best_position


@inner
def put_in_place(case: Case, day: Day, visit: int, look: int, most_tries: int) -> bool:
    """Put a visit in at its cheapest place; where that breaks a promise to stand by, or what waits for it, on the next
    route. `barred` keeps those tried in vain, over several looks `most_tries` at most."""
    while day.counts[BARRED] < most_tries and day.counts[BROKEN] == 0:
        _, shift, position = best_place(case, day, visit, look)
        if shift < 0:
            return False
        if insert(case, day, shift, position, visit):
            return True
        day.barred[day.counts[BARRED]] = shift
        day.counts[BARRED] += 1
    return False


@inner
def fill_room(case: Case, day: Day, visit: int) -> None:
    """Put in what room was made for, before others take it: what a visit directly waits for, a single one in time for
    it, the visit itself, and what directly waits for it."""
    for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, BEFORE_TO]):
        put_in_room(case, day, linked(case, place), day.counts[ROOM_AT], case.gaps[place, 1], case.gaps[place, 2])
    put_in_room(case, day, visit, FAR_FUTURE, 0, 0)
    for place in range(case.visits[visit, AFTER_FROM], case.visits[visit, AFTER_TO]):
        put_in_room(case, day, linked(case, place), FAR_FUTURE, 0, 0)


@inner
def put_in_room(case: Case, day: Day, visit: int, follows: int, least_gap: int, most_gap: int) -> None:
    """Put in an undone visit, or the team it is the head of, unless it waits for others that are undone; a single visit
    so that what waits for it can begin at `follows`, with those gaps between."""
    is_over = visit == NONE or day.counts[BROKEN] > 0
    if is_over or day.standing[visit, ROUTE] >= 0 or waits_for_unserved(case, day, visit):
        return
    if case.visits[visit, TEAM] >= 0:
        compose_by_address(case, day, case.visits[visit, TEAM], False)
        return
    if case.numbers[HAS_DEPENDENCIES]:
        set_limits(case, day, visit)
        if follows < FAR_FUTURE:
            row = day.standing[visit]
            row[END_FLOOR] = max(row[END_FLOOR], follows - most_gap)
            row[END_CEILING] = min(row[END_CEILING], follows - least_gap)
    put_in_place(case, day, visit, LOOK_NEAR, 1)
    day.counts[BARRED] = 0


@inner
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


@inner
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


@inner
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


BEYOND_KEYS = 1e18
"""More than any sort key."""
FIRST_BATCH = 64
"""Visits of a first plan that are placed in one step."""


@jit
def recreate(case: Case, day: Day, seed_visit: int, batch: int) -> None:
    """Put visits back in one of several orders, greedily; or place the next batch of a first plan."""
    removed = day.counts[REMOVED]
    if batch >= 0:
        count = min(FIRST_BATCH, len(day.first_order) - batch * FIRST_BATCH)
        for place in range(count):
            day.order[place] = day.first_order[batch * FIRST_BATCH + place]
            day.ranks[place] = place
        # A first plan passes no place over.
        day.counts[UNTIL_BLINK] = FAR_FUTURE
    else:
        count = choose_candidates(case, day, seed_visit)
        rank_candidates(case, day, count)
        if day.counts[TEAMS_STAY] == ROOM_IS_MADE:
            fill_room(case, day, seed_visit)
    opens = batch < 0 and below(day.dice, OPENED_EVERY) == 0
    has_dependencies, most_tries = case.numbers[HAS_DEPENDENCIES] == 1, MOST_BARRED if batch >= 0 else 1
    for _ in range(2 if has_dependencies else 1):
        for place in range(count):
            if day.counts[BROKEN] > 0:
                break
            rank = day.ranks[place]
            visit = day.order[rank]
            if day.standing[visit, ROUTE] >= 0:
                continue
            if has_dependencies:
                if waits_for_unserved(case, day, visit):
                    continue
                set_limits(case, day, visit)
            team = case.visits[visit, TEAM]
            if team >= 0:
                is_new = batch >= 0 or rank < removed or visit == seed_visit
                is_tried = is_new or below(day.dice, TEAMS_TRIED) == 0
                for width in range((2 if batch >= 0 else 1) if is_tried else 0):
                    if compose_by_address(case, day, team, width == 1):
                        break
                continue
            look = LOOK_NEAR
            if batch >= 0 and case.visits[visit, PREVIOUS_ENGINEER] >= 0:
                look = LOOK_BEFORE
            elif rank >= removed and visit != seed_visit and batch < 0:
                # What was unserved before can only go where something has changed.
                look = LOOK_TOUCHED
            elif opens:
                look, opens = LOOK_UNUSED, False
            while look != NONE:
                is_in = put_in_place(case, day, visit, look, most_tries)
                is_last = is_in or (batch < 0 and look != LOOK_UNUSED) or look == LOOK_EVERYWHERE
                if look == LOOK_UNUSED and day.counts[BROKEN] == 0:
                    day.counts[BARRED] = 0
                look = NONE if is_last else LOOK_NEAR if look == LOOK_UNUSED else LOOK_EVERYWHERE
            day.counts[BARRED] = 0
    if batch >= 0:
        day.counts[UNTIL_BLINK] = 0


@inner
def rank_candidates(case: Case, day: Day, count: int) -> None:
    """Draw an order and sort by it; where room is made, what others wait for and then teams go first, by chance."""
    chance = throw(day.dice)
    mode = 0
    while mode < len(case.sort_chances) - 1 and chance > case.sort_chances[mode]:
        mode += 1
    is_random = mode == len(case.sort_chances) - 1
    for place in range(count):
        day.keys[place] = throw(day.dice) if is_random else case.sort_keys[mode, day.order[place]]
        if day.counts[TEAMS_STAY] == ROOM_IS_MADE:
            visit = day.order[place]
            if case.visits[visit, AFTER_FROM] < case.visits[visit, AFTER_TO]:
                day.keys[place] = -(2.0 + throw(day.dice)) * BEYOND_KEYS
            elif case.visits[visit, TEAM] >= 0:
                day.keys[place] = -(1.0 + throw(day.dice)) * BEYOND_KEYS
    sort_ranks(day, count)
