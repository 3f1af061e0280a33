"""What the kernel knows of a route from its end backwards: how late one may arrive, and how much room there is."""

from __future__ import annotations

from solver.kernel.compiled import inlined, inner
from solver.kernel.layout import (
    AFTER_FROM,
    AFTER_TO,
    ARRIVE_BY,
    AT_ARRIVAL,
    AT_PLACE,
    BASE,
    BEFORE_FROM,
    BEFORE_TO,
    BREAKS_FROM,
    BREAKS_TO,
    CEILING,
    CLASS,
    DENOMINATOR,
    EARLIEST,
    END_CEILING,
    END_PLACE,
    ENGINEER,
    FAR_FUTURE,
    FAR_PAST,
    FIRST_LABEL,
    FIXED_SECONDS,
    FREE,
    HAS_DEPENDENCIES,
    HAS_TRAFFIC,
    HELD_UNTIL,
    LABEL_COLUMNS,
    LATEST,
    LATEST_ARRIVAL,
    LATEST_END,
    LATEST_FREE,
    LENGTH,
    MOST_ROOM,
    MOVED_TOLERANCE_SECONDS,
    NONE,
    NOT_AFTER,
    NOW,
    NUMERATOR,
    ONWARD,
    PAID_PLACE,
    PREVIOUS_START,
    REMOTE,
    RESTORE_BY,
    ROOM,
    SAVED,
    SECONDS,
    SERVICE,
    SETUP,
    SHIFT_END,
    SINGLE_FROM,
    SPEED,
    STANDS,
    START,
    START_BY,
    STAY_FROM,
    TEAM,
    UNTIL,
    WINDOWS_FROM,
    WINDOWS_TO,
    Case,
    Day,
    Int64,
)
from solver.kernel.travel import least_cost, least_seconds, leg_cost


@inlined
def service_seconds(case: Case, standing: Int64, visit: int, option: int) -> int:
    """How long a visit takes whoever makes it with a row of `options`."""
    seconds = standing[visit, BASE] if case.visits[visit, TEAM] >= 0 else case.visits[visit, SERVICE]
    numerator, denominator = case.options[option, NUMERATOR], case.options[option, DENOMINATOR]
    if numerator != denominator:
        seconds = (2 * seconds * numerator + denominator) // (2 * denominator)
    return int(seconds)


@inner
def shortest_service(case: Case, day: Day, visit: int, engineer: int) -> int:
    """In less than this the engineer makes a visit at no time; FAR_FUTURE for who never may."""
    fixed = case.visits[visit, FIXED_SECONDS]
    if fixed >= 0:
        return int(fixed)
    shortest, option = FAR_FUTURE, case.option_of[case.visits[visit, CLASS], engineer]
    while option >= 0:
        if case.options[option, NUMERATOR] > 0:
            shortest = min(shortest, service_seconds(case, day.standing, visit, option))
        option = NONE if case.options[option, UNTIL] >= FAR_FUTURE else option + 1
    return int(shortest)


@inner
def latest_finish(case: Case, shift: int, after: Int64, taken: int, travel: int) -> int:
    """The latest end of a visit with so many breaks taken that leaves time for the rest of the route."""
    first = case.shifts[shift, BREAKS_FROM]
    breaks = case.shifts[shift, BREAKS_TO] - first
    finish: int = after[FIRST_LABEL + LABEL_COLUMNS * taken + LATEST_ARRIVAL] - travel
    for then in range(taken + 1, breaks + 1):
        left = after[FIRST_LABEL + LABEL_COLUMNS * then + LATEST_ARRIVAL] - travel
        for rest in range(first + then - 1, first + taken - 1, -1):
            left = min(left - case.breaks[rest, SECONDS], case.breaks[rest, LATEST])
            if left < case.breaks[rest, EARLIEST]:
                left = FAR_PAST
        finish = max(finish, left)
    if taken < breaks:
        finish = min(finish, case.breaks[first + taken, LATEST])
    return finish


@inlined
def latest_inside(case: Case, visit: int, instant: int) -> int:
    """The latest instant of a visit's windows up to one; without windows that one."""
    first, last = case.visits[visit, WINDOWS_FROM], case.visits[visit, WINDOWS_TO]
    if first == last:
        return instant
    inside = FAR_PAST
    for window in range(first, last):
        if case.windows[window, 0] <= instant:
            inside = max(inside, min(instant, case.windows[window, 1]))
    return inside


@inner
def bound(case: Case, day: Day, shift: int, end: int) -> None:
    """From the end of a route backwards: how late one may arrive at each stop, and until when that changes nothing."""
    visits, numbers = case.visits, case.numbers
    length, stands = day.routes[shift, LENGTH], day.routes[shift, STANDS]
    single = day.routes[shift, SINGLE_FROM]
    labels = day.labels[shift]
    engineer, speed = case.shifts[shift, ENGINEER], case.shifts[shift, SPEED]
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    home = case.shifts[shift, END_PLACE]
    tail = labels[length + 1]
    tail[AT_PLACE] = labels[length, AT_PLACE] if home == NONE else home
    for taken in range(breaks):
        tail[FIRST_LABEL + LABEL_COLUMNS * taken + LATEST_ARRIVAL] = FAR_PAST
    tail[FIRST_LABEL + LABEL_COLUMNS * breaks + LATEST_ARRIVAL] = case.shifts[shift, LATEST_END]
    tail[AT_ARRIVAL], tail[SAVED] = end, 0
    tail[LATEST_FREE] = max(end, case.shifts[shift, SHIFT_END])
    if end > case.shifts[shift, SHIFT_END]:
        tail[LATEST_FREE] = end
    if single > length:
        tail[LATEST_FREE] = FAR_PAST
    has_traffic = numbers[HAS_TRAFFIC] == 1
    for position in range(length, 0, -1):
        visit = day.sequence[shift, position - 1]
        row, after = labels[position], labels[position + 1]
        taken = breaks
        while row[FIRST_LABEL + LABEL_COLUMNS * taken + FREE] >= FAR_FUTURE:
            taken -= 1
        column = FIRST_LABEL + LABEL_COLUMNS * taken
        start = row[column + START]
        seconds = least = row[column + FREE] - start
        travel = least_seconds(case, speed, row[AT_PLACE], after[AT_PLACE])
        free = after[LATEST_FREE] - travel - seconds
        if has_traffic:
            free = start
        ceiling, end_ceiling = visits[visit, NOT_AFTER], FAR_FUTURE
        if visits[visit, TEAM] >= 0:
            ceiling = min(ceiling, day.standing[visit, HELD_UNTIL])
        if visits[visit, FIXED_SECONDS] < 0:
            option = case.option_of[visits[visit, CLASS], engineer]
            has_certificate = case.options[option, UNTIL] < FAR_FUTURE
            while case.options[option, UNTIL] < start:
                option += 1
            free = min(free, case.options[option, UNTIL])
            if has_certificate:
                # Before it lapses, or behind that, the visit may take less time.
                least -= service_seconds(case, day.standing, visit, option)
                least += shortest_service(case, day, visit, engineer)
            while case.options[option, NUMERATOR] != 0 and case.options[option, UNTIL] < FAR_FUTURE:
                option += 1
            if case.options[option, NUMERATOR] == 0:
                ceiling = min(ceiling, case.options[option - 1, UNTIL])
        if numbers[HAS_DEPENDENCIES]:
            ceiling, end_ceiling = min(ceiling, day.standing[visit, CEILING]), day.standing[visit, END_CEILING]
            if visits[visit, BEFORE_FROM] < visits[visit, BEFORE_TO] or (
                visits[visit, AFTER_FROM] < visits[visit, AFTER_TO]
            ):
                free = start
        free = min(free, ceiling)
        first, last = visits[visit, WINDOWS_FROM], visits[visit, WINDOWS_TO]
        if first < last:
            ends = FAR_PAST
            for window in range(first, last):
                if case.windows[window, 0] <= start <= case.windows[window, 1]:
                    ends = max(ends, case.windows[window, 1])
            free = min(free, ends)
        free = min(free, visits[visit, START_BY]) if start <= visits[visit, START_BY] else start
        done_by = visits[visit, RESTORE_BY] - seconds
        free = min(free, done_by) if start <= done_by else start
        before = visits[visit, PREVIOUS_START]
        if before != FAR_PAST:
            free = min(free, before + MOVED_TOLERANCE_SECONDS) if before - MOVED_TOLERANCE_SECONDS <= start else start
        arrival = row[AT_ARRIVAL]
        free = min(free, visits[visit, ARRIVE_BY]) if arrival <= visits[visit, ARRIVE_BY] else arrival
        if free < arrival or position <= single:
            free = FAR_PAST
        row[ONWARD] = leg_cost(case, row[AT_PLACE], after[AT_PLACE], travel)
        is_same = position <= stands and row[LATEST_FREE] == free
        row[LATEST_FREE] = free
        row[SAVED] = 0
        pays = not visits[visit, REMOTE] and labels[position - 1, PAID_PLACE] != row[AT_PLACE]
        setup = visits[visit, SETUP] if pays else 0
        for taken in range(breaks + 1):
            column = FIRST_LABEL + LABEL_COLUMNS * taken + LATEST_ARRIVAL
            finish = min(end_ceiling, latest_finish(case, shift, after, taken, travel))
            latest = latest_inside(case, visit, min(ceiling, finish - least))
            if setup > 0:
                row[SAVED] = max(row[SAVED], latest_inside(case, visit, min(ceiling, finish - least + setup)) - latest)
            is_same = is_same and row[column] == latest
            row[column] = latest
        if is_same:
            # Nothing before it changes either.
            return
    labels[0, ONWARD] = least_cost(case, speed, labels[0, AT_PLACE], labels[1, AT_PLACE])


@inner
def measure_room(case: Case, day: Day, shift: int) -> None:
    """How much time there is at each place of a route beside its breaks: what takes longer, with the ways there and
    on, cannot be put in there. FAR_FUTURE where that is not known."""
    labels, length = day.labels[shift], day.routes[shift, LENGTH]
    first = case.shifts[shift, BREAKS_FROM]
    breaks = case.shifts[shift, BREAKS_TO] - first
    most = FAR_PAST
    for position in range(length + 1):
        row, after = labels[position], labels[position + 1]
        room = FAR_PAST
        for taken in range(breaks + 1):
            free = max(row[FIRST_LABEL + LABEL_COLUMNS * taken + FREE], case.numbers[NOW])
            for then in range(taken, breaks + 1):
                room = max(room, after[FIRST_LABEL + LABEL_COLUMNS * then + LATEST_ARRIVAL] - free)
                if then < breaks:
                    free += case.breaks[first + then, SECONDS]
        # Who stays for a team may leave earlier once that is given up, and remote work is done wherever one is.
        is_moving = position < length and case.visits[day.sequence[shift, position], REMOTE] == 1
        row[ROOM] = FAR_FUTURE if is_moving or day.routes[shift, STAY_FROM] < FAR_FUTURE else room
        most = max(most, row[ROOM] + after[SAVED])
    day.routes[shift, MOST_ROOM] = most
