"""The search of one thread: ruin, recreate, and accept by simulated annealing."""

from __future__ import annotations

import math

from solver.kernel.change import bank_add, keep, set_limits, settle_by_address, take_back
from solver.kernel.compiled import inner, jit, woven
from solver.kernel.dice import below, throw
from solver.kernel.layout import (
    ARRIVAL,
    AT_SITE,
    BANKED,
    BASE,
    BEFORE_FROM,
    BEFORE_TO,
    BEGIN,
    BESIDE,
    BEST_TOTAL,
    BROKEN,
    BUSY,
    CEILING,
    CLOSED,
    COST,
    DEAR_PER_MILLE,
    END_CEILING,
    END_FLOOR,
    END_PLACE,
    ENGINEER,
    ENGINEERS,
    FAIRNESS_WEIGHT,
    FAR_FUTURE,
    FAR_PAST,
    FINISH,
    FIRST_LABEL,
    FLOOR,
    FOR_OTHERS,
    FREE,
    HAS_DEPENDENCIES,
    HEAD,
    HELD,
    HELD_UNTIL,
    INSERTED,
    LABEL_COLUMNS,
    LABELS,
    LEFT,
    LENGTH,
    LOCKED,
    MOST,
    NEEDS_TIMES,
    NONE,
    PAYS,
    PLACE,
    POSITION,
    PRESENCE,
    REMOTE,
    REMOVED,
    ROLES_FROM,
    ROLES_TO,
    ROUTE,
    ROUTE_COST,
    SCARCITY,
    SEAT,
    STANDING_BY,
    START_PLACE,
    STAY_FROM,
    TEAM,
    TEAM_COST,
    TEAM_LATE,
    TEAM_STATE_COLUMNS,
    TOTAL,
    TOUCHED,
    UNSERVED,
    USED_WEIGHT,
    WORST,
    WORST_WEIGHT,
    WORTH,
    Case,
    Day,
)
from solver.kernel.place import stands_for
from solver.kernel.recreate import recreate
from solver.kernel.ruin import ruin
from solver.kernel.schedule import drive_one, keeps_duties, trace
from solver.kernel.seating import pull_teams
from solver.kernel.tails import is_swap, swap_tails
from solver.kernel.teams import base_seconds, rate_late_teams, rate_team
from solver.kernel.travel import leg_cost

DEAR_DRAWS = 10
"""Visits of which the dearest is begun at, where an iteration begins at something dear."""


@inner
def own_cost(case: Case, day: Day, visit: int) -> int:
    """What a visit, or the team it is the head of, costs where it is now, about: on its own leg, or undone, with all
    that wait for it. 0 where nothing can be done about it.
    """
    shift, position = day.standing[visit, ROUTE], day.standing[visit, POSITION]
    if shift < 0:
        return int(case.visits[visit, WORTH]) if case.visits[visit, SCARCITY] > 0 else 0
    if case.visits[visit, LOCKED] or case.shifts[shift, CLOSED]:
        return 0
    before, behind = day.labels[shift, position], day.labels[shift, position + 1]
    cost = FAR_FUTURE
    for taken in range(case.numbers[LABELS]):
        column = FIRST_LABEL + LABEL_COLUMNS * taken
        if before[column + FREE] < FAR_FUTURE and behind[column + FREE] < FAR_FUTURE:
            cost = min(cost, behind[column + COST] - before[column + COST])
    own: int = 0 if cost == FAR_FUTURE else cost
    if case.visits[visit, TEAM] >= 0:
        own += day.teams[case.visits[visit, TEAM], TEAM_COST]
    return own


@inner
def dear_visit(case: Case, day: Day) -> int:
    """The dearest of some visits that chance draws; NONE where nothing can be done about any of them."""
    dearest, most = NONE, 0
    for _ in range(DEAR_DRAWS):
        visit = stands_for(case, below(day.dice, len(case.visits)))
        cost = own_cost(case, day, visit)
        if cost > most:
            dearest, most = visit, cost
    return dearest


@jit
def whole_total(case: Case, day: Day) -> int:
    """The score of a plan in thousandths, from nothing but its routes and its bank."""
    total = day.counts[BESIDE]
    for shift in range(len(case.shifts)):
        total += day.routes[shift, ROUTE_COST]
    for place in range(day.counts[BANKED]):
        total += case.visits[day.bank[place], UNSERVED]
    return int(total + shared_cost(case, day))


@inner
def first_arrival(case: Case, day: Day, team: int) -> int:
    """When the first on-site member of a late team is there."""
    arrival = FAR_FUTURE
    group = case.late_teams[team, 0]
    for member in range(case.members[group], case.members[group + 1]):
        arrival = min(arrival, day.standing[case.member_visits[member], ARRIVAL])
    return arrival


@jit
def shared_cost(case: Case, day: Day) -> int:
    """What the rules over all routes cost: worst lateness, fairness, engineers used, lateness of whole teams."""
    numbers = case.numbers
    if not numbers[NEEDS_TIMES]:
        return 0
    cost = 0
    if numbers[WORST_WEIGHT]:
        worst = 0
        for shift in range(len(case.shifts)):
            worst = max(worst, day.routes[shift, WORST])
        for team in range(len(case.late_teams)):
            worst = max(worst, first_arrival(case, day, team) - case.late_teams[team, 1])
        for team in range(len(case.teams)):
            worst = max(worst, day.teams[team, TEAM_LATE])
        cost += worst * numbers[WORST_WEIGHT]
    if numbers[FAIRNESS_WEIGHT] or numbers[USED_WEIGHT]:
        for engineer in range(len(day.busy)):
            day.busy[engineer] = 0
        used = 0
        for shift in range(len(case.shifts)):
            engineer = case.shifts[shift, ENGINEER]
            # One second more tells who has a stop at all, whatever its length; it is taken off again below.
            if day.routes[shift, LENGTH] > 0:
                if day.busy[engineer] == 0:
                    used += 1
                    day.busy[engineer] = 1
                day.busy[engineer] += day.routes[shift, BUSY]
        cost += used * numbers[USED_WEIGHT]
        count = numbers[ENGINEERS]
        if numbers[FAIRNESS_WEIGHT] and count > 0:
            seconds, apart = 0, 0
            for engineer in range(len(day.busy)):
                if day.busy[engineer] > 0:
                    day.busy[engineer] -= 1
                seconds += day.busy[engineer]
            for engineer in range(count):
                apart += abs(count * day.busy[engineer] - seconds)
            cost += (2 * apart + count * count) // (2 * count * count) * numbers[FAIRNESS_WEIGHT]
    for team in range(len(case.late_teams)):
        arrival = first_arrival(case, day, team)
        # The route of the herald has paid for the herald's arrival; the order pays for the first of them all.
        for sign, instant in ((1, arrival), (-1, day.standing[case.late_teams[team, 4], ARRIVAL])):
            late = instant - case.late_teams[team, 1]
            if late > 0:
                cost += sign * (late * case.late_teams[team, 2] + case.late_teams[team, 3])
    return int(cost)


@jit
def driven(case: Case, day: Day) -> tuple[int, int, int, int]:
    """(cost, number) of all legs, and of those from one stop to the next, as they are driven in the present plan.

    Legs that cost nothing, as between two orders at one site, are not counted.
    """
    whole, legs, between, inner_legs = 0, 0, 0, 0
    for shift in range(len(case.shifts)):
        length, ending = day.routes[shift, LENGTH], case.shifts[shift, END_PLACE]
        if length == 0 or case.shifts[shift, CLOSED]:
            continue
        trace(case, day, shift, day.work[7])
        place, stops, home = case.shifts[shift, START_PLACE], 0, day.routes[shift, BUSY]
        for position in range(length):
            visit = day.sequence[shift, position]
            seconds = day.standing[visit, ARRIVAL] - day.standing[visit, LEFT]
            home -= seconds + day.standing[visit, FINISH] - day.standing[visit, BEGIN]
            if case.visits[visit, REMOTE]:
                continue
            cost = leg_cost(case, place, case.visits[visit, PLACE], seconds)
            place = case.visits[visit, PLACE]
            if cost > 0:
                whole += cost
                legs += 1
                if stops > 0:
                    between += cost
                    inner_legs += 1
            stops += 1
        cost = leg_cost(case, place, ending, home) if ending != NONE else 0
        if cost > 0:
            whole += cost
            legs += 1
    return whole, legs, between, inner_legs


@jit
def begin(case: Case, day: Day) -> None:
    """Take up the routes that `sequence` and `routes` tell of; every other visit is banked."""
    for place in range(len(day.counts)):
        day.counts[place] = 0
    for visit in range(len(case.visits)):
        day.standing[visit, ROUTE] = NONE
    for shift in range(len(case.shifts)):
        day.touched[shift] = NONE
        for position in range(day.routes[shift, LENGTH]):
            visit = day.sequence[shift, position]
            day.standing[visit, ROUTE] = shift
            day.standing[visit, POSITION] = position
    for visit in range(len(case.visits)):
        if day.standing[visit, ROUTE] < 0 and stands_for(case, visit) == visit:
            bank_add(day, visit)


@jit
def start(case: Case, day: Day) -> int:
    """Make all labels and the total of a plan loaded by `begin`; the first shift that breaks a rule, or -1.

    Routes that stay as they are have their times in `standing` already.
    """
    for team in range(len(case.teams)):
        take_up(case, day, team)
    set_known_limits(case, day)
    for shift in range(len(case.shifts)):
        if not case.shifts[shift, CLOSED]:
            if not drive_one(case, day, shift):
                return shift
            trace(case, day, shift, day.work[7])
    for team in range(len(case.teams)):
        # Who stands by has to know when the team is at work.
        if day.standing[case.teams[team, HEAD], ROUTE] >= 0:
            rate_team(case, day, team)
    if case.numbers[HAS_DEPENDENCIES]:
        broken = raise_floors(case, day)
        if broken >= 0:
            return broken
        for visit in range(len(case.visits)):
            if day.standing[visit, ROUTE] >= 0:
                set_limits(case, day, visit)
    for shift in range(len(case.shifts)):
        if not case.shifts[shift, CLOSED]:
            if not drive_one(case, day, shift) or not keeps_duties(case, day, shift, day.work[7]):
                return shift
            trace(case, day, shift, day.work[7])
    for team in range(len(case.teams)):
        if day.standing[case.teams[team, HEAD], ROUTE] >= 0:
            rate_team(case, day, team)
            day.counts[BESIDE] += day.teams[team, TEAM_COST]
    day.counts[TOTAL] = whole_total(case, day)
    return NONE


@inner
def set_known_limits(case: Case, day: Day) -> None:
    """How early and late visits may start and end where what they wait for, or what waits for them, has its times:
    those of other routes are not known yet, but for the starts that members of teams are held to.

    A route driven without them might take a break first, and what waits for it at a set time come too soon.
    """
    for visit in range(len(case.visits)):
        row = day.standing[visit]
        row[FLOOR], row[CEILING], row[END_FLOOR], row[END_CEILING] = FAR_PAST, FAR_FUTURE, FAR_PAST, FAR_FUTURE
        if row[ROUTE] >= 0 and not case.shifts[row[ROUTE], CLOSED]:
            is_held = case.visits[visit, TEAM] >= 0
            row[BEGIN], row[FINISH] = row[HELD] if is_held else FAR_FUTURE, FAR_PAST
    if case.numbers[HAS_DEPENDENCIES]:
        for visit in range(len(case.visits)):
            if day.standing[visit, ROUTE] >= 0:
                set_limits(case, day, visit)


@inner
def take_up(case: Case, day: Day, team: int) -> None:
    """Make ready the seats of a team loaded with its starts, and see who pays the setup."""
    row = case.teams[team]
    size = 0
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        seat = case.roles[role, SEAT]
        for visit in range(seat, seat + case.roles[role, MOST]):
            size += case.roles[role, PRESENCE] == AT_SITE and day.standing[visit, ROUTE] >= 0
    for column in range(TEAM_STATE_COLUMNS):
        day.teams[team, column] = 0
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        seat, presence = case.roles[role, SEAT], case.roles[role, PRESENCE]
        for visit in range(seat, seat + case.roles[role, MOST]):
            shift, position = day.standing[visit, ROUTE], day.standing[visit, POSITION]
            if presence == STANDING_BY or shift < 0:
                continue
            day.standing[visit, BASE] = base_seconds(case, team, role, size)
            day.standing[visit, HELD_UNTIL] = day.standing[visit, HELD]
            pays = presence == AT_SITE
            for before in range(position - 1, -1, -1):
                other = day.sequence[shift, before]
                if not case.visits[other, REMOTE]:
                    pays = pays and case.visits[other, PLACE] != case.visits[visit, PLACE]
                    break
            day.standing[visit, PAYS] = int(pays) if presence == AT_SITE else NONE


@jit
def raise_floors(case: Case, day: Day) -> int:
    """Push back what waits for other orders until nothing moves; a shift that this breaks, or -1."""
    for _ in range(len(case.visits) + 1):
        is_moved = False
        for visit in range(len(case.visits)):
            shift = day.standing[visit, ROUTE]
            if shift < 0 or case.visits[visit, BEFORE_FROM] == case.visits[visit, BEFORE_TO]:
                continue
            row = day.standing[visit]
            floor, end_floor, end_ceiling = row[FLOOR], row[END_FLOOR], row[END_CEILING]
            set_limits(case, day, visit)
            row[CEILING], row[END_FLOOR], row[END_CEILING] = FAR_FUTURE, end_floor, end_ceiling
            if row[FLOOR] > floor and not case.shifts[shift, CLOSED]:
                is_moved = True
                if not drive_one(case, day, shift):
                    return int(shift)
                trace(case, day, shift, day.work[7])
        if not is_moved:
            break
    return NONE


@jit
def remember(case: Case, day: Day) -> None:
    """Make the present plan the best one; only routes that differ are copied."""
    for shift in range(len(case.shifts)):
        if day.dirty[shift]:
            length = day.routes[shift, LENGTH]
            day.best_lengths[shift] = length
            for column in range(3):
                day.best_stays[shift, column] = day.routes[shift, STAY_FROM + column]
            for place in range(length):
                day.best_sequence[shift, place] = day.sequence[shift, place]
            day.dirty[shift] = False
    for team in range(len(case.teams)):
        for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
            seat = case.roles[role, SEAT]
            for visit in range(seat, seat + case.roles[role, MOST]):
                day.best_held[visit] = day.standing[visit, HELD]
    day.counts[BEST_TOTAL] = day.counts[TOTAL]


@inner
def changed_total(case: Case, day: Day, associated: int, shared: int) -> int:
    """The total after an iteration from the one before and what was touched."""
    if len(case.teams) > 0:
        rate_late_teams(case, day)
    total = day.counts[TOTAL] + day.counts[BESIDE] - associated
    for slot in range(day.counts[TOUCHED]):
        total += day.routes[day.touched_list[slot], ROUTE_COST] - day.saved_routes[slot, ROUTE_COST]
    for place in range(day.counts[REMOVED]):
        total += case.visits[day.removed[place], UNSERVED]
    for place in range(day.counts[INSERTED]):
        total -= case.visits[day.inserted[place], UNSERVED]
    if case.numbers[NEEDS_TIMES]:
        for slot in range(day.counts[TOUCHED]):
            trace(case, day, day.touched_list[slot], day.work[7])
        total += shared_cost(case, day) - shared
    return int(total)


@woven
def step(case: Case, day: Day, temperature: float, batch: int) -> bool:
    """One iteration; whether the plan was changed. `temperature` is in thousandths of the score.

    With a `batch` from 0 on nothing is ruined: the next visits of a first plan are placed, where that pays.
    """
    seed_visit = stands_for(case, below(day.dice, len(case.visits)))
    dearest = NONE
    if batch < 0 and below(day.dice, 1000) < case.numbers[DEAR_PER_MILLE]:
        dearest = dear_visit(case, day)
    is_dear = dearest != NONE
    if is_dear:
        seed_visit = dearest
    is_for_others = batch < 0 and case.numbers[HAS_DEPENDENCIES] == 1 and (is_dear or below(day.dice, 2) == 0)
    day.counts[FOR_OTHERS] = int(is_for_others)
    associated = day.counts[BESIDE]
    shared = shared_cost(case, day) if case.numbers[NEEDS_TIMES] else 0
    day.counts[BROKEN] = 0
    if batch < 0 and not is_dear and is_swap(case, day, seed_visit):
        is_good = swap_tails(case, day, seed_visit)
    else:
        is_good = batch >= 0 or ruin(case, day, seed_visit, is_dear)
    slot = 0
    # Settling a route may touch others that wait for its work.
    while is_good and slot < day.counts[TOUCHED]:
        is_good = settle_by_address(case, day, day.touched_list[slot])
        slot += 1
    total = day.counts[TOTAL]
    if is_good:
        recreate(case, day, seed_visit, batch)
        if len(case.teams) > 0:
            pull_teams(case, day)
        total = changed_total(case, day, associated, shared)
        is_good = day.counts[BROKEN] == 0 and (
            batch >= 0 or total < day.counts[TOTAL] - temperature * math.log(throw(day.dice))
        )
    if is_good:
        keep(day)
        day.counts[TOTAL] = total
        return True
    take_back(case, day)
    day.counts[BESIDE] = associated
    if case.numbers[NEEDS_TIMES]:
        for team in range(len(case.late_teams)):
            group = case.late_teams[team, 0]
            for member in range(case.members[group], case.members[group + 1]):
                shift = day.standing[case.member_visits[member], ROUTE]
                if not case.shifts[shift, CLOSED]:
                    trace(case, day, shift, day.work[7])
    return False


@jit
def search(case: Case, day: Day, iterations: int, first: float, last: float, batches: int) -> int:
    """Some iterations with the temperature falling geometrically from `first` to `last`; how often the best fell.

    Where `batches` is above 0 that many batches of a first plan are placed before.
    """
    found = 0
    if len(case.visits) == 0:
        return found
    factor = 1.0 if iterations <= 1 else (last / first) ** (1.0 / iterations)
    temperature = first
    for number in range(batches + iterations):
        batch = number if number < batches else NONE
        if step(case, day, temperature, batch) and day.counts[TOTAL] < day.counts[BEST_TOTAL]:
            remember(case, day)
            found += 1
        if batch < 0:
            temperature *= factor
    return found
