"""Seating a team that is composed: members on their routes at fixed starts, and somebody who stands by."""

from __future__ import annotations

from solver.kernel.change import bank_remove, let_go, put_in, settle_by_address, take_out, touch
from solver.kernel.compiled import inner, jit, woven
from solver.kernel.dice import below, throw
from solver.kernel.layout import (
    ADMIT,
    ARRIVAL,
    AT_SITE,
    BASE,
    BEGIN,
    BESIDE,
    BROKEN,
    CALLED,
    CLASS,
    CLOSED,
    COLLECTIVE_FROM,
    COLLECTIVE_TO,
    ENGINEER,
    FAR_FUTURE,
    FAR_PAST,
    FLOOR,
    HAS_DEPENDENCIES,
    HEAD,
    HELD,
    HELD_UNTIL,
    INSERTED,
    IS_SCANNED_WHOLE,
    LATEST_END,
    LEAST,
    LENGTH,
    LOCKED,
    MOST,
    MOST_CALLS,
    NONE,
    NOW,
    NUMERATOR,
    ON_DUTY_FROM,
    PAID_PLACE,
    PAYS,
    PLACE,
    POSITION,
    PRESENCE,
    REMOTE,
    ROLES_FROM,
    ROLES_TO,
    ROUTE,
    ROUTE_COST,
    SEAT,
    SITE_PLACE,
    STANDING_BY,
    STAY_FOR,
    TEAM,
    TEAM_COST,
    TEAM_END,
    TEAM_LATE,
    TEAM_NOT_BEFORE,
    TEAM_START,
    TEAM_WINDOWS_FROM,
    TEAM_WINDOWS_TO,
    TOUCHED,
    UNTIL,
    Case,
    Day,
)
from solver.kernel.schedule import answers_call, keeps_duties, trace
from solver.kernel.teams import base_seconds, call, dismiss, note_team, rate_team, team_apart_cost, trace_team

CREW_SEAT, CREW_SHIFT, CREW_POSITION, CREW_FROM, CREW_UNTIL = range(5)
"""Columns of `Day.crew`."""
ANYBODY_CALLED = 0.3
"""How often standby is not the first who can, but the first after somebody drawn."""
LEFT_WAITING = 0.5
"""How often teams are left where they stand, so that other work may be put in before them."""


@inner
def is_able(case: Case, skills: int, engineer: int, instant: int) -> bool:
    """Whether an engineer meets a class of requirements at an instant."""
    option = case.option_of[skills, engineer]
    if option < 0:
        return False
    while case.options[option, UNTIL] < instant:
        option += 1
    return bool(case.options[option, NUMERATOR] != 0)


@inner
def hold(case: Case, day: Day, team: int, role: int, seat: int, size: int, low: int, high: int) -> None:
    """Let whoever takes a seat start in a range."""
    row = day.standing[seat]
    row[HELD], row[HELD_UNTIL], row[PAYS] = low, high, NONE
    row[BASE] = base_seconds(case, team, role, size)


@inner
def one_holds(case: Case, day: Day, skills: int, members: int, left_out: int) -> bool:
    """Whether somebody in the crew, one of them left out, meets a requirement."""
    for place in range(members):
        engineer = case.shifts[day.crew[place, CREW_SHIFT], ENGINEER]
        if place != left_out and is_able(case, skills, engineer, day.crew[place, CREW_FROM]):
            return True
    return False


@inner
def seat_crew(case: Case, day: Day, team: int, members: int) -> bool:
    """Put the members of `crew` on their routes; False, and nothing changed, where a rule breaks after all."""
    row = case.teams[team]
    note_team(case, day, team)
    size = 0
    for place in range(members):
        if not case.visits[day.crew[place, CREW_SEAT], REMOTE]:
            size += 1
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        if case.roles[role, PRESENCE] != STANDING_BY:
            seat = case.roles[role, SEAT]
            for visit in range(seat, seat + case.roles[role, MOST]):
                hold(case, day, team, role, visit, size, FAR_PAST, FAR_FUTURE)
                # Those it waits for must not take a time for its start that it had elsewhere.
                day.standing[visit, BEGIN] = FAR_FUTURE
    seated, is_good = 0, True
    for place in range(members):
        seat, shift = day.crew[place, CREW_SEAT], day.crew[place, CREW_SHIFT]
        if not touch(day, shift):
            is_good = False
            break
        day.standing[seat, HELD], day.standing[seat, HELD_UNTIL] = (
            day.crew[place, CREW_FROM],
            day.crew[place, CREW_UNTIL],
        )
        put_in(case, day, shift, day.crew[place, CREW_POSITION], seat)
        seated += 1
        is_good = settle_by_address(case, day, shift)
        if is_good:
            fix_start(case, day, seat)
            is_good = settle_by_address(case, day, shift)
        if not is_good:
            break
    if is_good:
        for place in range(members):
            trace(case, day, day.crew[place, CREW_SHIFT], day.work[7])
        is_good = is_complete(case, day, team, members)
    if is_good:
        rate_team(case, day, team)
        is_good = call_standby(case, day, team)
    if is_good:
        day.counts[BESIDE] += day.teams[team, TEAM_COST] + team_apart_cost(case, day, team)
        bank_remove(day, row[HEAD])
        day.inserted[day.counts[INSERTED]] = row[HEAD]
        day.counts[INSERTED] += 1
        return True
    day.teams[team, TEAM_COST] = day.teams[team, TEAM_LATE] = 0
    for place in range(seated - 1, -1, -1):
        take_out(case, day, day.crew[place, CREW_SEAT])
    for place in range(seated if case.numbers[HAS_DEPENDENCIES] else 0):
        if not let_go(case, day, day.crew[place, CREW_SEAT]):
            day.counts[BROKEN] = 1
    for place in range(seated):
        if not settle_by_address(case, day, day.crew[place, CREW_SHIFT]):
            day.counts[BROKEN] = 1
    return False


@woven
def fix_start(case: Case, day: Day, seat: int) -> None:
    """Hold a member's start, and whether it pays the setup, as they are on its route now."""
    shift, position = day.standing[seat, ROUTE], day.standing[seat, POSITION]
    trace(case, day, shift, day.work[7])
    day.standing[seat, HELD] = day.standing[seat, HELD_UNTIL] = day.standing[seat, BEGIN]
    if not case.visits[seat, REMOTE]:
        day.standing[seat, PAYS] = int(day.labels[shift, position, PAID_PLACE] != case.visits[seat, PLACE])


@inner
def is_complete(case: Case, day: Day, team: int, members: int) -> bool:
    """Whether all start as they are held to, and together know enough at their starts."""
    row = case.teams[team]
    for place in range(members):
        seat = day.crew[place, CREW_SEAT]
        if day.standing[seat, BEGIN] != day.standing[seat, HELD]:
            return False
        day.crew[place, CREW_FROM] = day.standing[seat, BEGIN]
    for wanted in range(row[COLLECTIVE_FROM], row[COLLECTIVE_TO]):
        if not one_holds(case, day, case.collective[wanted], members, NONE):
            return False
    return True


@inner
def call_standby(case: Case, day: Day, team: int) -> bool:
    """Have somebody stand by in every role that asks for it; False, and nobody called, where nobody can."""
    row = case.teams[team]
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        if case.roles[role, PRESENCE] != STANDING_BY:
            continue
        for seat in range(case.roles[role, SEAT], case.roles[role, SEAT] + case.roles[role, LEAST]):
            if not call_one(case, day, team, seat):
                for other_role in range(row[ROLES_FROM], row[ROLES_TO]):
                    if case.roles[other_role, PRESENCE] == STANDING_BY:
                        first = case.roles[other_role, SEAT]
                        for other in range(first, first + case.roles[other_role, MOST]):
                            on_call = day.standing[other, HELD]
                            if on_call >= 0:
                                dismiss(day, on_call, other)
                                if not settle_by_address(case, day, on_call):
                                    day.counts[BROKEN] = 1
                return False
    return True


@woven
def call_one(case: Case, day: Day, team: int, seat: int) -> bool:
    start, end = day.teams[team, TEAM_START], day.teams[team, TEAM_END]
    amount = len(case.shifts) if case.numbers[IS_SCANNED_WHOLE] else case.near_shifts.shape[1]
    first = below(day.dice, amount) if throw(day.dice) < ANYBODY_CALLED else 0
    for turn in range(amount):
        place = first + turn if first + turn < amount else first + turn - amount
        shift = place if case.numbers[IS_SCANNED_WHOLE] else case.near_shifts[seat, place]
        if shift < 0:
            continue
        engineer = case.shifts[shift, ENGINEER]
        if case.shifts[shift, CLOSED] or day.routes[shift, CALLED] == MOST_CALLS:
            continue
        if case.shifts[shift, ON_DUTY_FROM] > start or case.shifts[shift, LATEST_END] < end:
            continue
        admit = case.visits[seat, ADMIT]
        if admit != NONE and not case.admits[admit, engineer]:
            continue
        if not is_able(case, case.visits[seat, CLASS], engineer, start) or is_in_team(case, day, team, engineer):
            continue
        if not touch(day, shift):
            return False
        over = trace(case, day, shift, day.work[7])
        if answers_call(case, day, shift, day.work[7], over, start, case.teams[team, SITE_PLACE], end):
            call(day, shift, seat)
            return True
        if day.routes[shift, LENGTH] == 0:
            continue
        # They may have to wait for the team's start before they leave for their next stop.
        call(day, shift, seat)
        if settle_by_address(case, day, shift):
            return True
        dismiss(day, shift, seat)
        if not settle_by_address(case, day, shift):
            day.counts[BROKEN] = 1
            return False
    return False


@woven
def is_in_team(case: Case, day: Day, team: int, engineer: int) -> bool:
    """Whether an engineer is a member or stands by."""
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        first = case.roles[role, SEAT]
        for seat in range(first, first + case.roles[role, MOST]):
            shift = day.standing[seat, ROUTE]
            if case.roles[role, PRESENCE] == STANDING_BY:
                shift = day.standing[seat, HELD]
            if shift >= 0 and case.shifts[shift, ENGINEER] == engineer:
                return True
    return False


@woven
def pull_teams(case: Case, day: Day) -> None:
    """Let the teams on changed routes start earlier where nobody waits for anybody, and it costs no more."""
    if throw(day.dice) < LEFT_WAITING:
        return
    slot = 0
    # Pulling one forward may touch more routes.
    while slot < day.counts[TOUCHED] and not day.counts[BROKEN]:
        shift = day.touched_list[slot]
        for position in range(day.routes[shift, LENGTH]):
            visit = day.sequence[shift, position]
            team = case.visits[visit, TEAM]
            if team >= 0 and not case.visits[visit, LOCKED]:
                pull_forward(case, day, team)
        slot += 1


@jit
def pull_forward(case: Case, day: Day, team: int) -> None:
    """Start a team as much earlier as its last member is there before the start."""
    row = case.teams[team]
    trace_team(case, day, team)
    earlier, first, last, before = FAR_FUTURE, FAR_FUTURE, FAR_PAST, 0
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        seat = case.roles[role, SEAT]
        for visit in range(seat, seat + case.roles[role, MOST]):
            shift = day.standing[visit, ROUTE]
            if case.roles[role, PRESENCE] == STANDING_BY:
                on_call = day.standing[visit, HELD]
                if on_call >= 0 and day.routes[on_call, STAY_FOR] == visit:
                    return
                continue
            if shift < 0:
                continue
            held = day.standing[visit, HELD]
            earlier = min(earlier, held - max(day.standing[visit, ARRIVAL], case.numbers[NOW]))
            before += day.routes[shift, ROUTE_COST]
            if case.roles[role, PRESENCE] == AT_SITE:
                first, last = min(first, held), max(last, held)
    low = max(row[TEAM_NOT_BEFORE], FAR_PAST)
    if case.numbers[HAS_DEPENDENCIES]:
        low = max(low, day.standing[row[HEAD], FLOOR])
    opens = FAR_PAST
    for window in range(row[TEAM_WINDOWS_FROM], row[TEAM_WINDOWS_TO]):
        if case.windows[window, 0] <= first and last <= case.windows[window, 1]:
            opens = case.windows[window, 0]
    earlier = min(earlier, first - max(low, opens))
    if earlier <= 0:
        return
    note_team(case, day, team)
    cost = day.teams[team, TEAM_COST]
    is_worth_it = False
    if move(case, day, team, earlier):
        after = day.teams[team, TEAM_COST]
        for role in range(row[ROLES_FROM], row[ROLES_TO]):
            seat = case.roles[role, SEAT]
            for visit in range(seat, seat + case.roles[role, MOST]):
                if case.roles[role, PRESENCE] != STANDING_BY and day.standing[visit, ROUTE] >= 0:
                    after += day.routes[day.standing[visit, ROUTE], ROUTE_COST]
        is_worth_it = after <= before + cost
    if not is_worth_it and not move(case, day, team, -earlier):
        day.counts[BROKEN] = 1
    # Moved back it may cost something else than before: members had come at other times since it was rated.
    day.counts[BESIDE] += day.teams[team, TEAM_COST] - cost


@jit
def move(case: Case, day: Day, team: int, earlier: int) -> bool:
    """Start all members so many seconds earlier; whether all rules are kept."""
    row = case.teams[team]
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        seat = case.roles[role, SEAT]
        for visit in range(seat, seat + case.roles[role, MOST]):
            if case.roles[role, PRESENCE] != STANDING_BY and day.standing[visit, ROUTE] >= 0:
                day.standing[visit, HELD] -= earlier
                day.standing[visit, HELD_UNTIL] -= earlier
                if not touch(day, day.standing[visit, ROUTE]):
                    return False
    is_good = True
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        seat = case.roles[role, SEAT]
        for visit in range(seat, seat + case.roles[role, MOST]):
            shift = day.standing[visit, ROUTE]
            if case.roles[role, PRESENCE] != STANDING_BY and shift >= 0:
                # All of them are driven, whatever becomes of one: they may be driven back after this.
                is_good = settle_by_address(case, day, shift) and is_good
    if not is_good:
        return False
    trace_team(case, day, team)
    rate_team(case, day, team)
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        seat = case.roles[role, SEAT]
        for visit in range(seat, seat + case.roles[role, MOST]):
            shift = day.standing[visit, ROUTE]
            if case.roles[role, PRESENCE] == STANDING_BY:
                shift = day.standing[visit, HELD]
                if shift >= 0 and (
                    case.shifts[shift, ON_DUTY_FROM] > day.teams[team, TEAM_START]
                    or not keeps_duties(case, day, shift, day.work[7])
                ):
                    return False
            elif shift >= 0 and day.standing[visit, BEGIN] != day.standing[visit, HELD]:
                return False
    return True
