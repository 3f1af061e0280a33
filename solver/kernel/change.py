"""Changing a plan: visits in and out of routes, everything a change touches kept so that it can be taken back."""

from __future__ import annotations

from numba import types

from solver.kernel.address import called_by_address
from solver.kernel.compiled import inlined, inner, jit
from solver.kernel.layout import (
    AFTER_FROM,
    AFTER_TO,
    ASSOCIATION_WEIGHT,
    BANK_PLACE,
    BANKED,
    BEFORE_FROM,
    BEFORE_TO,
    BEGIN,
    BESIDE,
    BREAKS_FROM,
    BREAKS_TO,
    BROKEN,
    CALLED,
    CEILING,
    CHANGED,
    CLOSED,
    DUTIES_FROM,
    DUTIES_TO,
    END_CEILING,
    END_FLOOR,
    ENGINEER,
    FAR_FUTURE,
    FAR_PAST,
    FINISH,
    FLOOR,
    HAS_DEPENDENCIES,
    HEAD,
    HELD,
    INSERTED,
    LENGTH,
    MOST,
    NONE,
    PARTS_FROM,
    PARTS_TO,
    POSITION,
    PRESENCE,
    RELATED_FROM,
    RELATED_TO,
    REMOVED,
    ROLES_FROM,
    ROLES_TO,
    ROUTE,
    ROUTE_COLUMNS,
    SEAT,
    SETTLE_AT,
    STANDING_BY,
    STANDS,
    STAY_FOR,
    STAY_FROM,
    STAY_UNTIL,
    TEAM,
    TEAM_BEFORE,
    TEAM_COST,
    TEAM_LATE,
    TEAM_START,
    TOUCHED,
    Case,
    Day,
)
from solver.kernel.schedule import drive, drive_one, keeps_duties, stays_near, trace
from solver.kernel.teams import dismiss, note_team, restore_teams, team_apart_cost

_MOST_SETTLED = 200
"""Routes driven again for the sake of one change before it is given up."""


@inlined
def touch(day: Day, shift: int) -> bool:
    """Keep a route as it is now, once per iteration; False where there is no room to."""
    if day.touched[shift] >= 0:
        return True
    slot = day.counts[TOUCHED]
    if slot >= len(day.touched_list):
        return False
    length = day.routes[shift, LENGTH]
    day.touched[shift] = slot
    day.touched_list[slot] = shift
    day.counts[TOUCHED] += 1
    for place in range(length):
        day.saved_sequence[slot, place] = day.sequence[shift, place]
    for place in range(length + 2):
        for column in range(day.labels.shape[2]):
            day.saved_labels[slot, place, column] = day.labels[shift, place, column]
    for column in range(ROUTE_COLUMNS):
        day.saved_routes[slot, column] = day.routes[shift, column]
    for part in range(day.stock.shape[1]):
        day.saved_stock[slot, part] = day.stock[shift, part]
    return True


@inlined
def bank_add(day: Day, visit: int) -> None:
    place = day.counts[BANKED]
    day.bank[place] = visit
    day.standing[visit, BANK_PLACE] = place
    day.standing[visit, ROUTE] = NONE
    day.counts[BANKED] += 1


@inlined
def bank_remove(day: Day, visit: int) -> None:
    place = day.standing[visit, BANK_PLACE]
    last = day.bank[day.counts[BANKED] - 1]
    day.bank[place] = last
    day.standing[last, BANK_PLACE] = place
    day.standing[visit, BANK_PLACE] = NONE
    day.counts[BANKED] -= 1


@inner
def apart_cost(case: Case, day: Day, visit: int, engineer: int) -> int:
    """What it costs that served related orders are in the hands of other engineers."""
    cost = 0
    for place in range(case.visits[visit, RELATED_FROM], case.visits[visit, RELATED_TO]):
        group = case.related[place]
        is_served, is_together = False, False
        for member in range(case.members[group], case.members[group + 1]):
            shift = day.standing[case.member_visits[member], ROUTE]
            if shift >= 0:
                is_served = True
                is_together = is_together or case.shifts[shift, ENGINEER] == engineer
        if is_served and not is_together:
            cost += case.numbers[ASSOCIATION_WEIGHT]
    return cost


@inner
def put_in(case: Case, day: Day, shift: int, position: int, visit: int) -> None:
    """Insert behind `position` visits; the route still has to be driven."""
    length = day.routes[shift, LENGTH]
    sequence = day.sequence[shift]
    for place in range(length, position, -1):
        moved = sequence[place - 1]
        sequence[place] = moved
        day.standing[moved, POSITION] = place
    day.counts[BESIDE] += apart_cost(case, day, visit, case.shifts[shift, ENGINEER])
    sequence[position] = visit
    day.standing[visit, POSITION] = position
    day.standing[visit, ROUTE] = shift
    day.routes[shift, LENGTH] = length + 1
    day.routes[shift, STANDS] = min(day.routes[shift, STANDS], position)
    for place in range(case.visits[visit, PARTS_FROM], case.visits[visit, PARTS_TO]):
        day.stock[shift, case.part_of[place]] -= case.part_count[place]


@inner
def take_out(case: Case, day: Day, visit: int) -> int:
    """Remove a visit from its route, which still has to be driven; the route."""
    shift, position = day.standing[visit, ROUTE], day.standing[visit, POSITION]
    length = day.routes[shift, LENGTH]
    sequence = day.sequence[shift]
    for place in range(position, length - 1):
        moved = sequence[place + 1]
        sequence[place] = moved
        day.standing[moved, POSITION] = place
    day.routes[shift, LENGTH] = length - 1
    day.routes[shift, STANDS] = min(day.routes[shift, STANDS], position)
    day.standing[visit, ROUTE] = NONE
    day.counts[BESIDE] -= apart_cost(case, day, visit, case.shifts[shift, ENGINEER])
    for place in range(case.visits[visit, PARTS_FROM], case.visits[visit, PARTS_TO]):
        day.stock[shift, case.part_of[place]] += case.part_count[place]
    return int(shift)


@jit
def set_limits(case: Case, day: Day, visit: int) -> bool:
    """How early and late a visit may start and end, for the orders it waits for and those that wait; if it changed."""
    return set_limits_without(case, day, visit, NONE)


@jit
def set_limits_without(case: Case, day: Day, visit: int, shift: int) -> bool:
    """`set_limits` as if nothing on one of the routes waited, or was waited for."""
    floor, ceiling, end_floor, end_ceiling = FAR_PAST, FAR_FUTURE, FAR_PAST, FAR_FUTURE
    for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, BEFORE_TO]):
        ended = FAR_PAST
        for member in range(case.members[case.gaps[place, 0]], case.members[case.gaps[place, 0] + 1]):
            other = case.member_visits[member]
            if day.standing[other, ROUTE] >= 0 and day.standing[other, ROUTE] != shift:
                ended = max(ended, day.standing[other, FINISH])
        if ended > FAR_PAST:
            floor = max(floor, ended + case.gaps[place, 1])
            ceiling = min(ceiling, ended + case.gaps[place, 2])
    for place in range(case.visits[visit, AFTER_FROM], case.visits[visit, AFTER_TO]):
        begun = FAR_FUTURE
        for member in range(case.members[case.gaps[place, 0]], case.members[case.gaps[place, 0] + 1]):
            other = case.member_visits[member]
            if day.standing[other, ROUTE] >= 0 and day.standing[other, ROUTE] != shift:
                begun = min(begun, day.standing[other, BEGIN])
        if begun < FAR_FUTURE:
            end_ceiling = min(end_ceiling, begun - case.gaps[place, 1])
            end_floor = max(end_floor, begun - case.gaps[place, 2])
    row = day.standing[visit]
    is_same = (
        row[FLOOR] == floor
        and row[CEILING] == ceiling
        and row[END_FLOOR] == end_floor
        and row[END_CEILING] == end_ceiling
    )
    row[FLOOR], row[CEILING], row[END_FLOOR], row[END_CEILING] = floor, ceiling, end_floor, end_ceiling
    return not is_same


@jit
def waits_for_unserved(case: Case, day: Day, visit: int) -> bool:
    for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, BEFORE_TO]):
        first, last = case.members[case.gaps[place, 0]], case.members[case.gaps[place, 0] + 1]
        # A team that the plan left out has no visit at all.
        if first == last or day.standing[case.member_visits[first], ROUTE] < 0:
            return True
    return False


@inner
def keeps_limits(day: Day, shift: int) -> bool:
    """Whether a route that stays as it is lets others be where they are now."""
    for position in range(day.routes[shift, LENGTH]):
        row = day.standing[day.sequence[shift, position]]
        if not (row[FLOOR] <= row[BEGIN] <= row[CEILING] and row[END_FLOOR] <= row[FINISH] <= row[END_CEILING]):
            return False
    return True


@inner
def queue_neighbours(case: Case, day: Day, visit: int, waiting: int) -> int:
    """Queue the routes of those whose limits a visit's new times change; how many wait."""
    for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, AFTER_TO]):
        group = case.gaps[place, 0]
        for member in range(case.members[group], case.members[group + 1]):
            other = case.member_visits[member]
            shift = day.standing[other, ROUTE]
            if shift >= 0 and set_limits(case, day, other):
                is_waiting = False
                for place_in_queue in range(waiting):
                    is_waiting = is_waiting or day.queue[place_in_queue] == shift
                if not is_waiting:
                    day.queue[waiting] = shift
                    waiting += 1
    return waiting


@inner
def waits_for_itself(case: Case, day: Day, shift: int) -> bool:
    """Whether a visit of a route waits for another one of it."""
    for position in range(day.routes[shift, LENGTH]):
        visit = day.sequence[shift, position]
        for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, BEFORE_TO]):
            group = case.gaps[place, 0]
            for member in range(case.members[group], case.members[group + 1]):
                if day.standing[case.member_visits[member], ROUTE] == shift:
                    return True
    return False


@jit
def drive_anew(case: Case, day: Day, shift: int) -> bool:
    """Drive a route as if nothing on it waited for anything else on it, then push back what does until nothing moves.

    With breaks to place, times from before a change would else decide by themselves where the breaks go.
    """
    length = day.routes[shift, LENGTH]
    for position in range(length):
        set_limits_without(case, day, day.sequence[shift, position], shift)
    for _ in range(length + 1):
        if not drive_one(case, day, shift):
            return False
        trace(case, day, shift, day.work[7])
        is_moved = False
        for position in range(length):
            visit = day.sequence[shift, position]
            row = day.standing[visit]
            floor, ceiling, end_floor, end_ceiling = row[FLOOR], row[CEILING], row[END_FLOOR], row[END_CEILING]
            set_limits(case, day, visit)
            row[CEILING], row[END_FLOOR], row[END_CEILING] = ceiling, end_floor, end_ceiling
            is_moved = is_moved or row[FLOOR] > floor
        if not is_moved:
            return True
    return False


@inner
def end_stay(day: Day, shift: int) -> tuple[int, int, int]:
    """Nobody waits any more; `stays_near` sees whether somebody still has to. (since, until, seat) of the stay there
    was."""
    row = day.routes[shift]
    stay = int(row[STAY_FROM]), int(row[STAY_UNTIL]), int(row[STAY_FOR])
    row[STAY_FROM], row[STAY_FOR] = FAR_FUTURE, NONE
    return stay


@jit
def stays_as_before(case: Case, day: Day, shift: int, since: int, until: int, seat: int) -> bool:
    """Let somebody wait again as they did, where no other way was found; whether that keeps all rules.

    `stays_near` begins with nobody waiting and may not find the way there was, even on a route that is what it was,
    since what was put in is taken out again.
    """
    day.routes[shift, STAY_FROM], day.routes[shift, STAY_UNTIL], day.routes[shift, STAY_FOR] = since, until, seat
    if since >= FAR_FUTURE or day.standing[seat, HELD] != shift:
        return False
    return drive_one(case, day, shift) and keeps_duties(case, day, shift, day.work[7])


@inner
def settle_all(case: Case, day: Day, shift: int) -> bool:
    """Drive a changed route, and every other one whose work waits for its work, until nothing moves."""
    day.queue[0] = shift
    waiting = 1
    driven = 0
    while waiting > 0:
        waiting -= 1
        current = day.queue[waiting]
        driven += 1
        if case.shifts[current, CLOSED]:
            if not keeps_limits(day, current):
                return False
            continue
        if driven > _MOST_SETTLED or not touch(day, current):
            return False
        since, until, seat = end_stay(day, current)
        has_breaks = case.shifts[current, BREAKS_FROM] < case.shifts[current, BREAKS_TO]
        is_good = not has_breaks or not waits_for_itself(case, day, current) or drive_anew(case, day, current)
        for position in range(day.routes[current, LENGTH]):
            set_limits(case, day, day.sequence[current, position])
        is_good = is_good and drive_one(case, day, current)
        is_good = is_good and (keeps_duties(case, day, current, day.work[7]) or stays_near(case, day, current))
        if not is_good and not stays_as_before(case, day, current, since, until, seat):
            return False
        trace(case, day, current, day.work[7])
        for position in range(day.routes[current, LENGTH]):
            visit = day.sequence[current, position]
            waiting = queue_neighbours(case, day, visit, waiting)
    return True


@jit
def settle(case: Case, day: Day, shift: int) -> bool:
    """Drive a changed route, and the others it moves; whether all rules are kept."""
    if case.numbers[HAS_DEPENDENCIES]:
        return settle_all(case, day, shift)
    since, until, seat = end_stay(day, shift)
    if len(case.teams) > 0:
        # A seat has other times without being moved.
        day.routes[shift, STANDS] = 0
    is_good = drive(case, day, shift)
    if case.shifts[shift, DUTIES_FROM] == case.shifts[shift, DUTIES_TO] and day.routes[shift, CALLED] == 0:
        return is_good
    is_good = is_good and (keeps_duties(case, day, shift, day.work[7]) or stays_near(case, day, shift))
    return is_good or stays_as_before(case, day, shift, since, until, seat)


_call_settle = called_by_address(settle, types.int64)


@inlined
def settle_by_address(case: Case, day: Day, shift: int) -> bool:
    """`settle`, of which the callers hold no copy."""
    return _call_settle(day.functions[SETTLE_AT], (case, day, shift))


@jit
def insert(case: Case, day: Day, shift: int, position: int, visit: int) -> bool:
    """Put a banked visit into a route; False, and nothing changed, where that breaks a rule after all.

    Where the routes cannot be settled without it either, the iteration is marked as broken, to be taken back.
    """
    if not touch(day, shift):
        return False
    # Those it waits for must not take a time for its start that it had elsewhere.
    day.standing[visit, BEGIN] = FAR_FUTURE
    put_in(case, day, shift, position, visit)
    for attempt in range(2):
        is_settled = settle_by_address(case, day, shift)
        if attempt == 1:
            day.counts[BROKEN] = day.counts[BROKEN] if is_settled else 1
        elif is_settled:
            bank_remove(day, visit)
            day.inserted[day.counts[INSERTED]] = visit
            day.counts[INSERTED] += 1
            return True
        else:
            take_out(case, day, visit)
            if case.numbers[HAS_DEPENDENCIES] and not let_go(case, day, visit):
                day.counts[BROKEN] = 1
    return False


@jit
def let_go(case: Case, day: Day, visit: int) -> bool:
    """Free those that a visit waited for from its times, now that it is not put in after all; whether all settle."""
    for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, BEFORE_TO]):
        group = case.gaps[place, 0]
        for member in range(case.members[group], case.members[group + 1]):
            other = case.member_visits[member]
            shift = day.standing[other, ROUTE]
            is_freed = shift >= 0 and set_limits(case, day, other)
            if is_freed and not case.shifts[shift, CLOSED] and not settle_by_address(case, day, shift):
                return False
    return True


@jit
def remove(case: Case, day: Day, visit: int) -> bool:
    """Take a visit off its route into the bank, with its whole team, and all that wait for it.

    The routes still have to be settled.
    """
    if case.visits[visit, TEAM] >= 0:
        visit = case.teams[case.visits[visit, TEAM], HEAD]
    if case.visits[visit, AFTER_FROM] < case.visits[visit, AFTER_TO] and not remove_followers(case, day, visit):
        return False
    return remove_one(case, day, visit)


@jit
def remove_followers(case: Case, day: Day, visit: int) -> bool:
    """Take out what waits for a visit, and what waits for that."""
    for place in range(case.visits[visit, AFTER_FROM], case.visits[visit, AFTER_TO]):
        group = case.gaps[place, 0]
        for member in range(case.members[group], case.members[group + 1]):
            other = case.member_visits[member]
            if day.standing[other, ROUTE] < 0:
                continue
            if not remove_followers(case, day, other) or not remove_one(case, day, other):
                return False
    return True


@inner
def remove_one(case: Case, day: Day, visit: int) -> bool:
    # Those it waited for are free again: their routes have to be settled too.
    for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, BEFORE_TO]):
        group = case.gaps[place, 0]
        for member in range(case.members[group], case.members[group + 1]):
            shift = day.standing[case.member_visits[member], ROUTE]
            if shift >= 0 and not case.shifts[shift, CLOSED] and not touch(day, shift):
                return False
    team = case.visits[visit, TEAM]
    if team >= 0:
        visit = case.teams[team, HEAD]
        if not take_out_team(case, day, team):
            return False
    else:
        if not touch(day, day.standing[visit, ROUTE]):
            return False
        take_out(case, day, visit)
    bank_add(day, visit)
    day.removed[day.counts[REMOVED]] = visit
    day.counts[REMOVED] += 1
    return True


@jit
def take_out_team(case: Case, day: Day, team: int) -> bool:
    """Take all members off their routes, which still have to be driven, and let go who stands by."""
    note_team(case, day, team)
    day.counts[BESIDE] -= day.teams[team, TEAM_COST] + team_apart_cost(case, day, team)
    day.teams[team, TEAM_COST] = day.teams[team, TEAM_LATE] = 0
    day.teams[team, TEAM_BEFORE] = day.teams[team, TEAM_START]
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        seat = case.roles[role, SEAT]
        for visit in range(seat, seat + case.roles[role, MOST]):
            shift = day.standing[visit, ROUTE]
            if case.roles[role, PRESENCE] == STANDING_BY:
                shift = day.standing[visit, HELD]
                if shift >= 0:
                    if not touch(day, shift):
                        return False
                    dismiss(day, shift, visit)
            elif shift >= 0:
                if not touch(day, shift):
                    return False
                take_out(case, day, visit)
    return True


@jit
def keep(day: Day) -> None:
    """Let the changes of an iteration stand."""
    for slot in range(day.counts[TOUCHED]):
        shift = day.touched_list[slot]
        day.touched[shift] = NONE
        day.dirty[shift] = True
    forget(day)


@inner
def forget(day: Day) -> None:
    for place in range(day.counts[CHANGED]):
        day.changed[day.changed_list[place]] = False
    day.counts[CHANGED] = 0
    day.counts[TOUCHED] = 0
    day.counts[REMOVED] = 0
    day.counts[INSERTED] = 0


@jit
def take_back(case: Case, day: Day) -> None:
    """Undo the changes of an iteration; the caller restores the counted costs."""
    restore_teams(case, day)
    for slot in range(day.counts[TOUCHED]):
        shift = day.touched_list[slot]
        for position in range(day.routes[shift, LENGTH]):
            day.standing[day.sequence[shift, position], ROUTE] = NONE
    for slot in range(day.counts[TOUCHED]):
        shift = day.touched_list[slot]
        for column in range(ROUTE_COLUMNS):
            day.routes[shift, column] = day.saved_routes[slot, column]
        for part in range(day.stock.shape[1]):
            day.stock[shift, part] = day.saved_stock[slot, part]
        length = day.routes[shift, LENGTH]
        for place in range(length + 2):
            for column in range(day.labels.shape[2]):
                day.labels[shift, place, column] = day.saved_labels[slot, place, column]
        day.touched[shift] = NONE
        for position in range(length):
            visit = day.saved_sequence[slot, position]
            day.sequence[shift, position] = visit
            day.standing[visit, ROUTE] = shift
            day.standing[visit, POSITION] = position
    for place in range(day.counts[INSERTED]):
        visit = day.inserted[place]
        if day.standing[visit, ROUTE] < 0 and day.standing[visit, BANK_PLACE] < 0:
            bank_add(day, visit)
    for place in range(day.counts[REMOVED]):
        visit = day.removed[place]
        if day.standing[visit, ROUTE] >= 0 and day.standing[visit, BANK_PLACE] >= 0:
            bank_remove(day, visit)
    if case.numbers[HAS_DEPENDENCIES]:
        for slot in range(day.counts[TOUCHED]):
            trace(case, day, day.touched_list[slot], day.work[7])
        for slot in range(day.counts[TOUCHED]):
            shift = day.touched_list[slot]
            for position in range(day.routes[shift, LENGTH]):
                visit = day.sequence[shift, position]
                set_limits(case, day, visit)
                # What broke off may have bound others whose routes it never came to.
                for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, AFTER_TO]):
                    group = case.gaps[place, 0]
                    for member in range(case.members[group], case.members[group + 1]):
                        if day.standing[case.member_visits[member], ROUTE] >= 0:
                            set_limits(case, day, case.member_visits[member])
    forget(day)
