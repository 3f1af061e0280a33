"""What a visit costs at a place of a route.

Behind the last break of a route that is tested in constant time: the visit itself, the way to the next stop, and
the two bounds kept there. Elsewhere, or where a delay costs something, the rest of the route is driven.
"""

from __future__ import annotations

from solver.kernel.compiled import inlined, inner, jit
from solver.kernel.dice import steps_to_next
from solver.kernel.layout import (
    ADMIT,
    AT_ARRIVAL,
    AT_PLACE,
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
    FOR_OTHERS,
    FREE,
    HAS_DEPENDENCIES,
    HAS_MOVED,
    HEAD,
    IMPOSSIBLE,
    IS_SYMMETRIC,
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
    ONWARD,
    PAID_PLACE,
    PARTS_FROM,
    PARTS_TO,
    PLACE,
    POSITION,
    REMOTE,
    ROOM,
    ROUTE,
    ROUTE_COST,
    SAVED,
    SETUP,
    SETUP_PAID,
    SINGLE_FROM,
    SPEED,
    STAY_FROM,
    TEAM,
    UNSERVED,
    UNTIL_BLINK,
    WINDOWS_FROM,
    WINDOWS_TO,
    WORTH,
    Case,
    Day,
)
from solver.kernel.schedule import advance, company_cost, is_single, serve, way_home
from solver.kernel.travel import least_cost, least_seconds, leg_cost, leg_seconds

BLINK_PROBABILITY = 0.01


@inner
def stands_for(case: Case, visit: int) -> int:
    """The visit itself, or the head of its team."""
    team = case.visits[visit, TEAM]
    return int(visit if team < 0 else case.teams[team, HEAD])


@inner
def linked(case: Case, place: int) -> int:
    """Who is waited for, or waits, by a row of `gaps`: the visit, or the head of the team; NONE where the plan left a
    team out."""
    group = case.gaps[place, 0]
    if case.members[group] == case.members[group + 1]:
        return NONE
    return int(stands_for(case, case.member_visits[case.members[group]]))


@inlined
def most_cost(case: Case, day: Day, visit: int) -> int:
    """Below what a visit may be put in: what it costs undone, in some iterations with all that wait for it."""
    return int(case.visits[visit, WORTH] if day.counts[FOR_OTHERS] else case.visits[visit, UNSERVED])


@inlined
def is_able(case: Case, visit: int, shift: int) -> bool:
    """Whether the engineer of a shift has the skills for a visit at some time, and is admitted to it."""
    engineer, row = case.shifts[shift, ENGINEER], case.visits[visit, ADMIT]
    if case.option_of[case.visits[visit, CLASS], engineer] < 0:
        return False
    return bool(row == NONE or case.admits[row, engineer])


@inlined
def may_serve(case: Case, day: Day, visit: int, shift: int) -> bool:
    """Whether the engineer of a shift may make a visit at all, and has parts and a stop left for it."""
    visits, shifts = case.visits, case.shifts
    if shifts[shift, CLOSED] or not is_able(case, visit, shift):
        return False
    length = day.routes[shift, LENGTH]
    if length >= shifts[shift, MAX_STOPS] or length >= day.sequence.shape[1]:
        return False
    for place in range(visits[visit, PARTS_FROM], visits[visit, PARTS_TO]):
        if day.stock[shift, case.part_of[place]] < case.part_count[place]:
            return False
    return True


@inner
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


@jit
def driven_delta(case: Case, day: Day, shift: int, position: int, visit: int) -> int:
    """What a route's cost changes by with a visit behind its first `position` ones; IMPOSSIBLE if a rule breaks.

    Where somebody stays for a team, and there is no room for the visit that way, it may take the time of the waiting:
    then this is only about what it costs, as if nobody had to stay. Who has to is seen when it is put in.
    """
    delta = delta_as_it_stays(case, day, shift, position, visit)
    stays = day.routes[shift, STAY_FROM]
    if delta >= IMPOSSIBLE and stays < FAR_FUTURE:
        day.routes[shift, STAY_FROM] = FAR_FUTURE
        delta = delta_as_it_stays(case, day, shift, position, visit)
        day.routes[shift, STAY_FROM] = stays
    return int(delta)


@inner
def delta_as_it_stays(case: Case, day: Day, shift: int, position: int, visit: int) -> int:
    """`driven_delta` with whoever stays on the route, if anybody does, staying."""
    length = day.routes[shift, LENGTH]
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    speed = case.shifts[shift, SPEED]
    labels = day.labels[shift]
    single = day.routes[shift, SINGLE_FROM]
    column = FIRST_LABEL + LABEL_COLUMNS * breaks
    here, there = 0, 1
    if not advance(case, day, shift, visit, labels[position], day.work[here]):
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
                if free + travel > labels[place, column + LATEST_ARRIVAL]:
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
        if not advance(case, day, shift, following, row, day.work[there]):
            return IMPOSSIBLE
        here, there = there, here
    _, cost = way_home(case, shift, day.work[here])
    return IMPOSSIBLE if cost >= IMPOSSIBLE else int(cost - day.routes[shift, ROUTE_COST])


@inlined
def costs_at_least(case: Case, day: Day, shift: int, position: int, visit: int, limit: int) -> bool:
    """Whether the detour to a visit alone, on free roads, costs `limit` or more.

    Neither serving it nor the delay behind it makes a route cheaper, but where starts are to stay what they were. With
    traffic a leg at another time may take less; what that could gain is passed over.
    """
    length = day.routes[shift, LENGTH]
    is_known = not (case.visits[visit, REMOTE] or case.numbers[HAS_MOVED])
    if position < length:
        is_known = is_known and not case.visits[day.sequence[shift, position], REMOTE]
    if not is_known:
        return False
    speed, there = case.shifts[shift, SPEED], case.visits[visit, PLACE]
    place = day.labels[shift, position, AT_PLACE]
    # The row of the one place is at hand for all that are tried, the rows of the others are not.
    if case.numbers[IS_SYMMETRIC]:
        detour = least_cost(case, speed, there, place)
    else:
        detour = least_cost(case, speed, place, there)
    if position < length or case.shifts[shift, END_PLACE] != NONE:
        detour += least_cost(case, speed, there, day.labels[shift, position + 1, AT_PLACE])
        if length > 0:
            detour -= day.labels[shift, position, ONWARD]
    return detour >= limit


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
    column = FIRST_LABEL + LABEL_COLUMNS * breaks
    free = max(row[column + FREE], case.numbers[NOW])
    travel = leg_seconds(case, speed, place, to, free)
    arrival = free + travel
    if arrival > latest:
        return IMPOSSIBLE, True
    paid = row[PAID_PLACE]
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
    setup = visits[visit, SETUP] if paid != to else 0
    _, end, extra = serve(case, day.standing, visit, case.shifts[shift, ENGINEER], arrival, setup)
    if end >= FAR_FUTURE:
        return IMPOSSIBLE, True
    end = max(end, case.numbers[NOW])
    next_travel = leg_seconds(case, speed, to, onward, end)
    next_arrival = end + next_travel
    if next_arrival > after[column + LATEST_ARRIVAL]:
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
def earliest_start(case: Case, visit: int) -> int:
    """Before this nobody begins a visit."""
    earliest = case.visits[visit, NOT_BEFORE]
    first, last = case.visits[visit, WINDOWS_FROM], case.visits[visit, WINDOWS_TO]
    if first < last:
        # Sorted by their start.
        earliest = max(earliest, case.windows[first, 0])
    return int(earliest)


@inlined
def is_too_tight(
    case: Case, day: Day, shift: int, position: int, visit: int, latest: int, earliest: int, shortest: int
) -> bool:
    """Whether a place has no room for a visit: first as if there were no way to go, since that takes least to tell,
    then on free roads where `quick_delta` does not see to it."""
    row, after = day.labels[shift, position], day.labels[shift, position + 1]
    there, to = row[AT_PLACE], case.visits[visit, PLACE]
    saved = after[SAVED] if after[AT_PLACE] == to else 0
    room = row[ROOM] + saved
    if room < shortest:
        return True
    if room >= FAR_FUTURE:
        return False
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    until = after[FIRST_LABEL + LABEL_COLUMNS * breaks + LATEST_ARRIVAL] + saved
    if until < earliest + shortest:
        return True
    if position >= day.routes[shift, SINGLE_FROM]:
        return False
    free = FAR_FUTURE
    for taken in range(breaks + 1):
        free = min(free, row[FIRST_LABEL + LABEL_COLUMNS * taken + FREE])
    free, speed, detour = max(free, case.numbers[NOW]), case.shifts[shift, SPEED], 0
    if case.visits[visit, REMOTE]:
        to = there
    else:
        detour = least_seconds(case, speed, there, to)
    if free + detour > latest:
        return True
    begins, onward = max(free + detour, earliest), 0
    if position < day.routes[shift, LENGTH] or case.shifts[shift, END_PLACE] != NONE:
        onward = least_seconds(case, speed, to, after[AT_PLACE])
    return bool(room < detour + shortest + onward or begins + shortest + onward > until)
