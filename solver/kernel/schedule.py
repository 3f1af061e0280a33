"""Times and costs along one route, the same integers as the reference evaluation.

A route is driven forward with one label for each number of breaks taken: as early as possible, and of two ways to be
there at the same time the cheaper. Behind the last break there is one label only, and there two bounds per stop
(`solver.kernel.bounds`) tell at once what a delay does: nothing, or too much.
"""

from __future__ import annotations

from solver.kernel.bounds import bound, measure_room, service_seconds
from solver.kernel.compiled import inlined, inner, jit
from solver.kernel.layout import (
    ARRIVAL,
    ARRIVAL_ONCE,
    ARRIVAL_WEIGHT,
    ARRIVE_BY,
    AT_ARRIVAL,
    AT_PLACE,
    BEGIN,
    BREAKS_FROM,
    BREAKS_TO,
    BUSY,
    CALLED,
    CALLS,
    CEILING,
    CHANGE_WEIGHT,
    CLASS,
    CLOSED,
    COST,
    DUTIES_FROM,
    DUTIES_TO,
    EARLIEST,
    END_CEILING,
    END_FLOOR,
    END_PLACE,
    ENGINEER,
    FAR_FUTURE,
    FAR_PAST,
    FINISH,
    FIRST_LABEL,
    FIXED_SECONDS,
    FLOOR,
    FREE,
    HAS_DEPENDENCIES,
    HELD,
    HELD_UNTIL,
    IMPOSSIBLE,
    INSTANT,
    IS_RUNNING,
    LABEL_COLUMNS,
    LABELS,
    LATEST,
    LATEST_END,
    LEFT,
    LENGTH,
    MEMBER,
    MOVED_TOLERANCE_SECONDS,
    MOVED_WEIGHT,
    NOBODY,
    NONE,
    NOT_AFTER,
    NOT_BEFORE,
    NOW,
    NUMERATOR,
    OVERTIME_WEIGHT,
    PAID_PLACE,
    PAYS,
    PENALTY,
    PLACE,
    PREFER,
    PREFERENCE_WEIGHT,
    PREVIOUS_ENGINEER,
    PREVIOUS_START,
    REMOTE,
    RESTORE_BY,
    RESTORE_ONCE,
    RESTORE_WEIGHT,
    ROUTE_COST,
    SECONDS,
    SERVICE_END,
    SETUP,
    SETUP_PAID,
    SHIFT_END,
    SINGLE_FROM,
    SITE,
    SITE_PLACE,
    SPEED,
    STANDS,
    START,
    START_BY,
    START_ONCE,
    START_PLACE,
    START_TIME,
    START_WEIGHT,
    STAY_FOR,
    STAY_FROM,
    STAY_UNTIL,
    TAKEN,
    TEAM,
    TEAM_END,
    TEAM_START,
    UNTIL,
    WINDOWS_FROM,
    WINDOWS_TO,
    WORST,
    Case,
    Day,
    Int64,
)
from solver.kernel.travel import leg_cost, leg_seconds


@inlined
def serve(case: Case, standing: Int64, visit: int, engineer: int, arrival: int, setup: int) -> tuple[int, int, int]:
    """(start, end, cost) of a visit after an arrival; the end is FAR_FUTURE where a hard rule is in the way."""
    visits = case.visits
    start = max(arrival, visits[visit, NOT_BEFORE])
    ceiling = visits[visit, NOT_AFTER]
    is_seat = visits[visit, TEAM] >= 0
    if is_seat:
        start = max(start, standing[visit, HELD])
        ceiling = min(ceiling, standing[visit, HELD_UNTIL])
    if case.numbers[HAS_DEPENDENCIES]:
        start = max(start, standing[visit, FLOOR])
        ceiling = min(ceiling, standing[visit, CEILING])
    window, last = visits[visit, WINDOWS_FROM], visits[visit, WINDOWS_TO]
    if window < last:
        inside = FAR_FUTURE
        while window < last:
            if start <= case.windows[window, 1]:
                inside = min(inside, max(start, case.windows[window, 0]))
            window += 1
        start = inside
    if start > ceiling or start >= FAR_FUTURE:
        return start, FAR_FUTURE, 0
    cost = 0
    seconds = visits[visit, FIXED_SECONDS]
    if seconds < 0:
        option = case.option_of[visits[visit, CLASS], engineer]
        while case.options[option, UNTIL] < start:
            option += 1
        if case.options[option, NUMERATOR] == 0:
            return start, FAR_FUTURE, 0
        seconds = service_seconds(case, standing, visit, option)
        cost += case.options[option, PENALTY]
    end = start + setup + seconds
    if case.numbers[HAS_DEPENDENCIES] and not standing[visit, END_FLOOR] <= end <= standing[visit, END_CEILING]:
        return start, FAR_FUTURE, 0
    late = arrival - visits[visit, ARRIVE_BY]
    if late > 0:
        cost += late * visits[visit, ARRIVAL_WEIGHT] + visits[visit, ARRIVAL_ONCE]
    late = start - visits[visit, START_BY]
    if late > 0:
        cost += late * visits[visit, START_WEIGHT] + visits[visit, START_ONCE]
    late = end - visits[visit, RESTORE_BY]
    if late > 0:
        cost += late * visits[visit, RESTORE_WEIGHT] + visits[visit, RESTORE_ONCE]
    before = visits[visit, PREVIOUS_START]
    if before != FAR_PAST:
        moved = abs(start - before) - MOVED_TOLERANCE_SECONDS
        if moved > 0:
            cost += moved * case.numbers[MOVED_WEIGHT]
    return start, end, cost


@inner
def company_cost(case: Case, visit: int, engineer: int) -> int:
    """What it costs that this engineer makes the visit, whenever it is."""
    cost = 0
    row = case.visits[visit, PREFER]
    if row != NONE and not case.prefers[row, engineer]:
        cost += case.numbers[PREFERENCE_WEIGHT]
    before = case.visits[visit, PREVIOUS_ENGINEER]
    if before != NOBODY and before != engineer:
        cost += case.numbers[CHANGE_WEIGHT]
    return cost


@inner
def rested(case: Case, shift: int, row: Int64, taken: int) -> tuple[int, int, int]:
    """(free, cost, breaks taken here) with so many breaks taken before leaving; free is FAR_FUTURE if impossible."""
    free, cost, here = row[FIRST_LABEL + FREE], row[FIRST_LABEL + COST], 0
    first = case.shifts[shift, BREAKS_FROM]
    for count in range(1, taken + 1):
        rest = first + count - 1
        if free < FAR_FUTURE:
            begin = max(free, case.breaks[rest, EARLIEST], case.numbers[NOW])
            free = begin + case.breaks[rest, SECONDS] if begin <= case.breaks[rest, LATEST] else FAR_FUTURE
            here += 1
        column = FIRST_LABEL + LABEL_COLUMNS * count
        own, own_cost = row[column + FREE], row[column + COST]
        if own < FAR_FUTURE and (own < free or (own == free and own_cost <= cost)):
            free, cost, here = own, own_cost, 0
    return free, cost, here


@inlined
def leaving(case: Case, day: Day, shift: int, free: int) -> int:
    """When somebody who is free leaves: at once, or after the start of a team that they stand by for."""
    leaves = max(free, case.numbers[NOW])
    if day.routes[shift, STAY_FROM] <= leaves <= day.routes[shift, STAY_UNTIL]:
        leaves = day.routes[shift, STAY_UNTIL] + 1
    return int(leaves)


@inner
def advance(case: Case, day: Day, shift: int, visit: int, source: Int64, target: Int64) -> bool:
    """The labels behind a visit from those in front of it; whether there is one."""
    numbers, visits = case.numbers, case.visits
    place, paid = source[AT_PLACE], source[PAID_PLACE]
    engineer, speed = case.shifts[shift, ENGINEER], case.shifts[shift, SPEED]
    is_remote = visits[visit, REMOTE] == 1
    is_running = visits[visit, IS_RUNNING] == 1
    there = place if is_remote else visits[visit, PLACE]
    pays = not is_remote and paid != there
    setup = visits[visit, SETUP] if pays else 0
    target[AT_PLACE] = there
    target[PAID_PLACE] = paid if is_remote else there
    target[AT_ARRIVAL] = FAR_PAST
    is_alive = False
    paying = day.standing[visit, PAYS] if visits[visit, TEAM] >= 0 else visits[visit, SETUP_PAID]
    is_kept = paying == NONE or (paying == 1) == pays
    company = company_cost(case, visit, engineer)
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    for taken in range(numbers[LABELS]):
        column = FIRST_LABEL + LABEL_COLUMNS * taken
        target[column + FREE] = FAR_FUTURE
        if taken > breaks or not is_kept:
            continue
        free, cost, here = rested(case, shift, source, taken)
        if free >= FAR_FUTURE or (is_running and here):
            continue
        travel = 0
        if is_running:
            arrival = visits[visit, NOT_BEFORE]
        elif is_remote:
            arrival = free
        else:
            free = leaving(case, day, shift, free)
            travel = leg_seconds(case, speed, place, there, free)
            cost += leg_cost(case, place, there, travel)
            arrival = free + travel
        start, end, extra = serve(case, day.standing, visit, engineer, arrival, setup)
        if end >= FAR_FUTURE:
            continue
        if taken < breaks and end > case.breaks[case.shifts[shift, BREAKS_FROM] + taken, LATEST]:
            continue
        target[column + FREE] = end
        target[column + COST] = cost + extra + company
        target[column + START] = start
        target[column + TAKEN] = here
        if taken == breaks:
            target[AT_ARRIVAL] = arrival
        is_alive = True
    return is_alive


@inner
def way_home(case: Case, shift: int, row: Int64) -> tuple[int, int]:
    """(end of the route, its cost) behind its last visit; the cost is IMPOSSIBLE where it ends too late."""
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    free, cost, _ = rested(case, shift, row, breaks)
    if free >= FAR_FUTURE:
        return free, IMPOSSIBLE
    home = case.shifts[shift, END_PLACE]
    if home != NONE:
        free = max(free, case.numbers[NOW])
        travel = leg_seconds(case, case.shifts[shift, SPEED], row[AT_PLACE], home, free)
        cost += leg_cost(case, row[AT_PLACE], home, travel)
        free += travel
    if free > case.shifts[shift, LATEST_END]:
        return free, IMPOSSIBLE
    over = free - case.shifts[shift, SHIFT_END]
    if over > 0:
        cost += over * case.numbers[OVERTIME_WEIGHT]
    return free, cost


@inner
def drive(case: Case, day: Day, shift: int) -> bool:
    """Make labels, bounds and cost of a route behind the visits that stand; whether it keeps every rule of its own."""
    length, stands = day.routes[shift, LENGTH], day.routes[shift, STANDS]
    labels = day.labels[shift]
    start = labels[0]
    for taken in range(case.numbers[LABELS]):
        start[FIRST_LABEL + LABEL_COLUMNS * taken + FREE] = FAR_FUTURE
    start[FIRST_LABEL + FREE] = case.shifts[shift, START_TIME]
    start[FIRST_LABEL + COST] = 0
    start[AT_PLACE] = case.shifts[shift, START_PLACE]
    start[PAID_PLACE] = NONE
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    # Where somebody stays, a delay is not passed on as it is.
    stays = day.routes[shift, STAY_FROM] < FAR_FUTURE
    single = 0 if breaks == 0 and not stays else length + 1
    if 0 < day.routes[shift, SINGLE_FROM] <= stands:
        single = day.routes[shift, SINGLE_FROM]
    for position in range(stands + 1, length + 1):
        visit = day.sequence[shift, position - 1]
        if not advance(case, day, shift, visit, labels[position - 1], labels[position]):
            return False
        if single > length and not stays and is_single(labels[position], breaks):
            single = position
    if length == 0:
        # Who has no work neither drives nor rests.
        day.routes[shift, ROUTE_COST] = 0
        day.routes[shift, SINGLE_FROM] = single
        bound(case, day, shift, case.shifts[shift, LATEST_END])
        measure_room(case, day, shift)
        return True
    end, cost = way_home(case, shift, labels[length])
    if cost >= IMPOSSIBLE:
        return False
    day.routes[shift, ROUTE_COST] = cost
    day.routes[shift, SINGLE_FROM] = single
    bound(case, day, shift, end)
    measure_room(case, day, shift)
    day.routes[shift, STANDS] = length
    return True


@jit
def drive_one(case: Case, day: Day, shift: int) -> bool:
    """`drive` from its start on, as a function of its own, for callers who are not in a hurry."""
    day.routes[shift, STANDS] = 0
    return drive(case, day, shift)


@inlined
def is_single(row: Int64, breaks: int) -> bool:
    """Whether all breaks are taken however one got here."""
    # numba compiles no generator expression, so no all().
    for taken in range(breaks):  # noqa: SIM110
        if row[FIRST_LABEL + LABEL_COLUMNS * taken + FREE] < FAR_FUTURE:
            return False
    return True


@jit
def trace(case: Case, day: Day, shift: int, rests: Int64) -> int:
    """Write the times of a driven route's visits into `standing`; its end.

    `rests[k]` becomes the number of breaks taken right before the k-th visit, `rests[length]` those at the end.
    """
    length = day.routes[shift, LENGTH]
    labels = day.labels[shift]
    if length == 0:
        rests[0] = 0
        day.routes[shift, WORST], day.routes[shift, BUSY] = 0, 0
        return int(case.shifts[shift, START_TIME])
    end, _ = way_home(case, shift, labels[length])
    taken = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    free, _, here = rested(case, shift, labels[length], taken)
    rests[length] = here
    taken -= here
    worst, busy = 0, 0
    if case.shifts[shift, END_PLACE] != NONE:
        busy += end - max(free, case.numbers[NOW])
    for position in range(length, 0, -1):
        visit = day.sequence[shift, position - 1]
        column = FIRST_LABEL + LABEL_COLUMNS * taken
        row, before = labels[position], labels[position - 1]
        here = row[column + TAKEN]
        free, _, _ = rested(case, shift, before, taken)
        start, finish = row[column + START], row[column + FREE]
        if case.visits[visit, IS_RUNNING]:
            free = arrival = case.visits[visit, NOT_BEFORE]
        elif case.visits[visit, REMOTE]:
            arrival = free
        else:
            free = leaving(case, day, shift, free)
            travel = leg_seconds(case, case.shifts[shift, SPEED], before[AT_PLACE], row[AT_PLACE], free)
            arrival = free + travel
            busy += travel
        busy += finish - start
        day.standing[visit, LEFT] = free
        day.standing[visit, ARRIVAL] = arrival
        day.standing[visit, BEGIN] = start
        day.standing[visit, FINISH] = finish
        worst = max(worst, start - case.visits[visit, START_BY], finish - case.visits[visit, RESTORE_BY])
        if not case.visits[visit, MEMBER]:
            # A team is as late as its first member, who may be on another route.
            worst = max(worst, arrival - case.visits[visit, ARRIVE_BY])
        rests[position - 1] = here
        taken -= here
    day.routes[shift, WORST] = worst
    day.routes[shift, BUSY] = busy
    return end


@jit
def trace_all(case: Case, day: Day, rests: Int64) -> None:
    """`trace` every route that is not closed, breaks into its row of `rests` [R, longest route + 1]."""
    for shift in range(len(case.shifts)):
        if not case.shifts[shift, CLOSED]:
            trace(case, day, shift, rests[shift])


@jit
def keeps_duties(case: Case, day: Day, shift: int, rests: Int64) -> bool:
    """Whether an engineer who stands by could be at each site in time (planning document, section 6)."""
    first, last = case.shifts[shift, DUTIES_FROM], case.shifts[shift, DUTIES_TO]
    called = day.routes[shift, CALLED]
    if first == last and called == 0:
        return True
    end = trace(case, day, shift, rests)
    for duty in range(first, last):
        row = case.duties[duty]
        if not answers_call(case, day, shift, rests, end, row[INSTANT], row[SITE], row[SERVICE_END]):
            return False
    for place in range(called):
        team = case.visits[day.routes[shift, CALLS + place], TEAM]
        site, start, over = case.teams[team, SITE_PLACE], day.teams[team, TEAM_START], day.teams[team, TEAM_END]
        if not answers_call(case, day, shift, rests, end, start, site, over):
            return False
    return True


@jit
def answers_call(
    case: Case, day: Day, shift: int, rests: Int64, end: int, instant: int, site: int, service_end: int
) -> bool:
    """Whether the engineer of a traced route, called at an instant, is at a site by the end of service."""
    length = day.routes[shift, LENGTH]
    speed = case.shifts[shift, SPEED]
    free, where = instant, case.shifts[shift, START_PLACE]
    at = where
    if length and case.visits[day.sequence[shift, 0], IS_RUNNING]:
        at = case.visits[day.sequence[shift, 0], PLACE]
    rest = case.shifts[shift, BREAKS_FROM]
    before = FAR_PAST
    is_over = False
    for position in range(length + 1):
        for _ in range(rests[position]):
            begin = max(before, case.breaks[rest, EARLIEST], case.shifts[shift, START_TIME])
            if begin > instant:
                is_over = True
                break
            before = begin + case.breaks[rest, SECONDS]
            free, where = before, at
            rest += 1
        if is_over or position == length:
            break
        visit = day.sequence[shift, position]
        at_next = at
        if case.visits[visit, REMOTE]:
            left = day.standing[visit, BEGIN]
        else:
            left = day.standing[visit, LEFT]
            at_next = case.visits[visit, PLACE]
        if left > instant:
            is_over = True
            break
        at = at_next
        before = day.standing[visit, FINISH]
        free, where = before, at
    home = case.shifts[shift, END_PLACE]
    if not is_over and length and home != NONE and max(before, case.numbers[NOW]) <= instant:
        free, where = end, home
    free = max(free, instant)
    return free + leg_seconds(case, speed, where, site, free) <= service_end


@jit
def stays_near(case: Case, day: Day, shift: int) -> bool:
    """Have somebody who stands by, and would be too far away, not leave for a stop until the team has started.

    The route has been traced; whether it keeps every rule that way. If not, it is as it was.
    """
    end = day.labels[shift, day.routes[shift, LENGTH] + 1, AT_ARRIVAL]
    for place in range(day.routes[shift, CALLED]):
        seat = day.routes[shift, CALLS + place]
        team = case.visits[seat, TEAM]
        site, start, over = case.teams[team, SITE_PLACE], day.teams[team, TEAM_START], day.teams[team, TEAM_END]
        if answers_call(case, day, shift, day.work[7], end, start, site, over):
            continue
        # The last departure first: the later somebody stays, the less has to wait.
        for position in range(day.routes[shift, LENGTH] - 1, -1, -1):
            visit = day.sequence[shift, position]
            if case.visits[visit, REMOTE] or case.visits[visit, IS_RUNNING] or day.standing[visit, LEFT] > start:
                continue
            where = day.labels[shift, position, AT_PLACE]
            if start + leg_seconds(case, case.shifts[shift, SPEED], where, site, start) > over:
                continue
            before = day.standing[day.sequence[shift, position - 1], LEFT] if position > 0 else FAR_PAST
            day.routes[shift, STAY_FROM], day.routes[shift, STAY_UNTIL] = before + 1, start
            day.routes[shift, STAY_FOR] = seat
            if drive_one(case, day, shift) and keeps_duties(case, day, shift, day.work[7]):
                return True
            day.routes[shift, STAY_FROM], day.routes[shift, STAY_FOR] = FAR_FUTURE, NONE
            if not drive_one(case, day, shift):
                return False
            trace(case, day, shift, day.work[7])
        return False
    return False
