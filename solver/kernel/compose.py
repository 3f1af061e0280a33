"""Composing a team: a start, members for its roles at their best places, how many, and who stands by.

For every likely start each member's place in time is known, so that what a member costs depends on that member's
route alone, and the cheapest members are taken role by role, the role with the least choice first.
"""

from __future__ import annotations

from numba import types

from solver.kernel.address import called_by_address
from solver.kernel.bounds import shortest_service
from solver.kernel.change import set_limits
from solver.kernel.compiled import inlined, inner, jit, woven
from solver.kernel.dice import throw
from solver.kernel.instants import (
    ASKED,
    EARLIEST_START,
    INSTANT_AT,
    IS_CHOSEN,
    LATEST_START,
    LIKELY,
    OFFERED,
    PRICE,
    WINDOW_AT,
    list_instants,
    set_spans,
)
from solver.kernel.layout import (
    AT_SITE,
    BASE,
    BREAKS_FROM,
    BREAKS_TO,
    BROKEN,
    CHANGE_WEIGHT,
    CLASS,
    COLLECTIVE_FROM,
    COLLECTIVE_TO,
    COMPOSE_AT,
    ENGINEER,
    FAR_FUTURE,
    FAR_PAST,
    FIRST_LABEL,
    FREE,
    HAS_DEPENDENCIES,
    HEAD,
    HELD,
    HELD_UNTIL,
    HORIZON_END,
    IMPOSSIBLE,
    IS_SCANNED_WHOLE,
    LABEL_COLUMNS,
    LABELS,
    LEAST,
    LENGTH,
    MOST,
    MOST_OFFERS,
    MOST_ROOM,
    MOVED_TOLERANCE_SECONDS,
    MOVED_WEIGHT,
    NONE,
    NOW,
    OFFER_COLUMNS,
    OFFER_DELTA,
    OFFER_POSITION,
    OFFER_SHIFT,
    OFFER_START,
    PREFERENCE_WEIGHT,
    PRESENCE,
    REMOTE,
    RESTORE_BY,
    ROLES_FROM,
    ROLES_TO,
    ROUTE,
    SEAT,
    SINGLE_FROM,
    STAMP,
    STANDING_BY,
    START,
    START_BY,
    STAY_FROM,
    TEAM_ARRIVAL_ONCE,
    TEAM_ARRIVAL_WEIGHT,
    TEAM_ARRIVE_BY,
    TEAM_NOT_AFTER,
    TEAM_NOT_BEFORE,
    TEAM_PREFER,
    TEAM_PREVIOUS_CREW,
    TEAM_PREVIOUS_SIZE,
    TEAM_PREVIOUS_START,
    TEAM_RESTORE_ONCE,
    TEAM_RESTORE_WEIGHT,
    TEAM_START_ONCE,
    TEAM_WINDOWS_FROM,
    TEAM_WINDOWS_TO,
    TOUCHED,
    Case,
    Day,
    Int64,
)
from solver.kernel.place import (
    costs_at_least,
    driven_delta,
    first_position,
    is_too_tight,
    latest_start,
    may_serve,
    most_cost,
    quick_delta,
)
from solver.kernel.schedule import advance
from solver.kernel.seating import (
    CREW_FROM,
    CREW_POSITION,
    CREW_SEAT,
    CREW_SHIFT,
    CREW_UNTIL,
    hold,
    is_able,
    one_holds,
    seat_crew,
)
from solver.kernel.teams import base_seconds

NEIGHBOURS_ASKED = 30
"""How many neighbours of a team have their routes looked at for members."""
MOST_ATTEMPTS = 3
"""Of the starts, so many are really tried, the cheapest first."""
PASSED_OVER = 0.1
"""How often somebody who could come, or a start worth trying, is passed over, so that not every crew is the same."""


@jit
def offer(case: Case, day: Day, seat: int, shift: int) -> tuple[int, int, int, int]:
    """(cost, position, start, end) of a member at the best place of a route; the cost is IMPOSSIBLE where none is."""
    best, best_position = IMPOSSIBLE, NONE
    latest = min(latest_start(case, day, seat), day.standing[seat, HELD_UNTIL])
    earliest = day.standing[seat, HELD]
    shortest = shortest_service(case, day, seat, case.shifts[shift, ENGINEER])
    if day.routes[shift, MOST_ROOM] < shortest:
        return IMPOSSIBLE, NONE, FAR_FUTURE, FAR_FUTURE
    is_remote = case.visits[seat, REMOTE] == 1
    breaks = case.shifts[shift, BREAKS_TO] - case.shifts[shift, BREAKS_FROM]
    column = FIRST_LABEL + LABEL_COLUMNS * breaks + FREE
    for position in range(first_position(case, day, seat, shift), day.routes[shift, LENGTH] + 1):
        if position >= day.routes[shift, SINGLE_FROM] and day.labels[shift, position, column] > latest:
            break
        if is_too_tight(case, day, shift, position, seat, latest, earliest, shortest):
            continue
        if costs_at_least(case, day, shift, position, seat, best):
            continue
        delta, is_known = IMPOSSIBLE, False
        if not is_remote:
            delta, is_known = quick_delta(case, day, shift, position, seat, latest, best)
        if not is_known:
            delta = driven_delta(case, day, shift, position, seat)
        if delta < best:
            best, best_position = delta, position
    if best >= IMPOSSIBLE:
        return best, NONE, FAR_FUTURE, FAR_FUTURE
    row = day.work[0]
    stays = day.routes[shift, STAY_FROM]
    if not advance(case, day, shift, seat, day.labels[shift, best_position], row):
        # It takes the time of somebody's waiting.
        day.routes[shift, STAY_FROM] = FAR_FUTURE
        advance(case, day, shift, seat, day.labels[shift, best_position], row)
        day.routes[shift, STAY_FROM] = stays
    start, end = FAR_FUTURE, FAR_FUTURE
    for taken in range(case.numbers[LABELS]):
        label = FIRST_LABEL + LABEL_COLUMNS * taken
        if row[label + FREE] < FAR_FUTURE and row[label + START] < start:
            start, end = row[label + START], row[label + FREE]
    if start >= FAR_FUTURE:
        return IMPOSSIBLE, NONE, FAR_FUTURE, FAR_FUTURE
    return best, best_position, start, end


@inner
def bias(case: Case, team: int, engineer: int) -> int:
    """What makes somebody less welcome who was not in the team before, or is not preferred."""
    cost = 0
    row = case.teams[team]
    if row[TEAM_PREVIOUS_SIZE] > 0 and not case.prefers[row[TEAM_PREVIOUS_CREW], engineer]:
        cost += case.numbers[CHANGE_WEIGHT]
    if row[TEAM_PREFER] != NONE and not case.prefers[row[TEAM_PREFER], engineer]:
        cost += case.numbers[PREFERENCE_WEIGHT]
    return int(cost)


@inner
def enter(offers: Int64, count: int, delta: int, shift: int, position: int, start: int) -> int:
    """Put an offer among the others of its role, the cheapest first; how many there are."""
    place = count
    if count == MOST_OFFERS:
        if offers[count - 1, OFFER_DELTA] <= delta:
            return count
        place = count - 1
    while place > 0 and offers[place - 1, OFFER_DELTA] > delta:
        for column in range(OFFER_COLUMNS):
            offers[place, column] = offers[place - 1, column]
        place -= 1
    offers[place, OFFER_DELTA], offers[place, OFFER_SHIFT] = delta, shift
    offers[place, OFFER_POSITION], offers[place, OFFER_START] = position, start
    return min(count + 1, MOST_OFFERS)


@woven
def ask(case: Case, day: Day, head: int, seat: int, is_wide: bool) -> int:
    """Write into `looked` the routes of those who could take a seat; how many."""
    day.counts[STAMP] += 1
    stamp = day.counts[STAMP]
    count = 0
    for slot in range(day.counts[TOUCHED]):
        count = ask_one(case, day, seat, day.touched_list[slot], stamp, count)
    if is_wide or case.numbers[IS_SCANNED_WHOLE]:
        skills = case.visits[seat, CLASS]
        for place in range(case.able_from[skills], case.able_from[skills + 1]):
            count = ask_one(case, day, seat, case.able[place], stamp, count)
        return count
    for place in range(min(NEIGHBOURS_ASKED, case.near.shape[1])):
        other = case.near[head, place]
        if other >= 0 and day.standing[other, ROUTE] >= 0:
            count = ask_one(case, day, seat, day.standing[other, ROUTE], stamp, count)
    for place in range(case.near_shifts.shape[1]):
        if case.near_shifts[seat, place] >= 0:
            count = ask_one(case, day, seat, case.near_shifts[seat, place], stamp, count)
    return count


@inner
def ask_one(case: Case, day: Day, seat: int, shift: int, stamp: int, count: int) -> int:
    if day.stamps[shift] == stamp:
        return count
    day.stamps[shift] = stamp
    if not may_serve(case, day, seat, shift):
        return count
    day.looked[count] = shift
    return count + 1


@inner
def ask_around(case: Case, day: Day, team: int, is_wide: bool) -> bool:
    """Find for every role who could come cheaply at any time; False where a role finds too few."""
    row = case.teams[team]
    low, high = max(case.numbers[NOW], row[TEAM_NOT_BEFORE]), min(row[TEAM_NOT_AFTER], case.numbers[HORIZON_END])
    size = 0
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        if case.roles[role, PRESENCE] == AT_SITE:
            size += case.roles[role, LEAST]
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        number = role - row[ROLES_FROM]
        day.amounts[LIKELY, number] = 0
        if case.roles[role, PRESENCE] == STANDING_BY:
            continue
        seat = case.roles[role, SEAT]
        first = low
        if case.roles[role, PRESENCE] == AT_SITE and row[TEAM_WINDOWS_FROM] < row[TEAM_WINDOWS_TO]:
            first = max(low, case.windows[row[TEAM_WINDOWS_FROM], 0])
        hold(case, day, team, role, seat, size, first, high)
        if case.numbers[HAS_DEPENDENCIES]:
            set_limits(case, day, seat)
        count = 0
        for looked in range(ask(case, day, row[HEAD], seat, is_wide)):
            shift = day.looked[looked]
            if not is_wide and throw(day.dice) < PASSED_OVER:
                continue
            delta, position, start, _ = offer(case, day, seat, shift)
            if delta < IMPOSSIBLE:
                delta += bias(case, team, case.shifts[shift, ENGINEER])
                count = enter(day.likely[number], count, delta, shift, position, start)
        day.amounts[LIKELY, number] = count
        if count < case.roles[role, LEAST]:
            return False
    return True


@inner
def is_in_crew(case: Case, day: Day, members: int, engineer: int) -> bool:
    # numba compiles no generator expression, so no any().
    for place in range(members):  # noqa: SIM110
        if case.shifts[day.crew[place, CREW_SHIFT], ENGINEER] == engineer:
            return True
    return False


@inner
def choose(case: Case, day: Day, team: int, instant: int, window: int) -> tuple[int, int]:
    """(what it costs, members) of the team of the size asked for at a start, written into `crew`."""
    row = case.teams[team]
    if not set_spans(case, day, team, instant, window):
        return IMPOSSIBLE, 0
    size = 0
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        if case.roles[role, PRESENCE] == AT_SITE:
            size += day.amounts[ASKED, role - row[ROLES_FROM]]
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        number = role - row[ROLES_FROM]
        asked = day.amounts[ASKED, number]
        day.amounts[IS_CHOSEN, number] = asked == 0
        if asked == 0:
            continue
        seat = case.roles[role, SEAT]
        low, high = day.amounts[EARLIEST_START, number], day.amounts[LATEST_START, number]
        hold(case, day, team, role, seat, size, low, high)
        count = 0
        for rank in range(day.amounts[LIKELY, number]):
            shift = day.likely[number, rank, OFFER_SHIFT]
            delta, position, start, end = offer(case, day, seat, shift)
            if delta < IMPOSSIBLE:
                delta += bias(case, team, case.shifts[shift, ENGINEER])
                if case.roles[role, PRESENCE] == AT_SITE:
                    # `expected_cost` knows nothing of who is slower than others.
                    expected = start + day.standing[seat, BASE]
                    slower = max(end, case.visits[row[HEAD], RESTORE_BY]) - max(
                        expected, case.visits[row[HEAD], RESTORE_BY]
                    )
                    delta += slower * row[TEAM_RESTORE_WEIGHT]
                count = enter(day.offers[number], count, delta, shift, position, start)
        day.amounts[OFFERED, number] = count
        if count < asked:
            return IMPOSSIBLE, 0
    cost, members = pick(case, day, team)
    if cost >= IMPOSSIBLE:
        return IMPOSSIBLE, 0
    cost = know_together(case, day, team, members, cost)
    if cost >= IMPOSSIBLE:
        return IMPOSSIBLE, 0
    return cost + expected_cost(case, day, team, size, members), members


@woven
def pick(case: Case, day: Day, team: int) -> tuple[int, int]:
    """The cheapest members, the role with the least choice first."""
    row = case.teams[team]
    cost, members = 0, 0
    for _ in range(row[ROLES_TO] - row[ROLES_FROM]):
        number, least = NONE, FAR_FUTURE
        for other in range(row[ROLES_TO] - row[ROLES_FROM]):
            slack = day.amounts[OFFERED, other] - day.amounts[ASKED, other]
            if not day.amounts[IS_CHOSEN, other] and slack < least:
                number, least = other, slack
        if number < 0:
            break
        day.amounts[IS_CHOSEN, number] = 1
        seat = case.roles[row[ROLES_FROM] + number, SEAT]
        taken = 0
        for rank in range(day.amounts[OFFERED, number]):
            if taken == day.amounts[ASKED, number]:
                break
            shift = day.offers[number, rank, OFFER_SHIFT]
            if is_in_crew(case, day, members, case.shifts[shift, ENGINEER]):
                continue
            day.crew[members, CREW_SEAT] = seat + taken
            day.crew[members, CREW_SHIFT] = shift
            day.crew[members, CREW_POSITION] = day.offers[number, rank, OFFER_POSITION]
            day.crew[members, CREW_FROM] = day.amounts[EARLIEST_START, number]
            day.crew[members, CREW_UNTIL] = day.amounts[LATEST_START, number]
            cost += day.offers[number, rank, OFFER_DELTA]
            taken += 1
            members += 1
        if taken < day.amounts[ASKED, number]:
            return IMPOSSIBLE, members
    return cost, members


@inner
def know_together(case: Case, day: Day, team: int, members: int, cost: int) -> int:
    """The cost with members exchanged until all collective skills are held; IMPOSSIBLE where that cannot be."""
    row = case.teams[team]
    for wanted in range(row[COLLECTIVE_FROM], row[COLLECTIVE_TO]):
        skills = case.collective[wanted]
        if one_holds(case, day, skills, members, NONE):
            continue
        least, out, in_shift, in_position = IMPOSSIBLE, NONE, NONE, NONE
        for place in range(members):
            # Nobody goes who alone holds one of those looked at before.
            is_needed = False
            for before in range(row[COLLECTIVE_FROM], wanted):
                is_needed = is_needed or not one_holds(case, day, case.collective[before], members, place)
            if is_needed:
                continue
            seat, shift = day.crew[place, CREW_SEAT], day.crew[place, CREW_SHIFT]
            number = 0
            while (
                not 0 <= seat - case.roles[row[ROLES_FROM] + number, SEAT] < case.roles[row[ROLES_FROM] + number, MOST]
            ):
                number += 1
            own = 0
            for rank in range(day.amounts[OFFERED, number]):
                if day.offers[number, rank, OFFER_SHIFT] == shift:
                    own = day.offers[number, rank, OFFER_DELTA]
            for rank in range(day.amounts[OFFERED, number]):
                other = day.offers[number, rank, OFFER_SHIFT]
                engineer = case.shifts[other, ENGINEER]
                more = day.offers[number, rank, OFFER_DELTA] - own
                if (
                    more < least
                    and is_able(case, skills, engineer, day.crew[place, CREW_FROM])
                    and not is_in_crew(case, day, members, engineer)
                ):
                    least, out, in_shift = more, place, other
                    in_position = day.offers[number, rank, OFFER_POSITION]
        if out < 0:
            return IMPOSSIBLE
        day.crew[out, CREW_SHIFT], day.crew[out, CREW_POSITION] = in_shift, in_position
        cost += least
    return int(cost)


@inner
def expected_arrival(case: Case, day: Day, team: int, members: int, start: int) -> int:
    """About when the first of a crew is on site, who may be there long before the team starts: the earliest that one of
    them could start there."""
    row = case.teams[team]
    arrival = start
    for place in range(members):
        seat, shift = day.crew[place, CREW_SEAT], day.crew[place, CREW_SHIFT]
        if case.visits[seat, REMOTE]:
            continue
        for role in range(row[ROLES_FROM], row[ROLES_TO]):
            if 0 <= seat - case.roles[role, SEAT] < case.roles[role, MOST]:
                number = role - row[ROLES_FROM]
                for rank in range(day.amounts[LIKELY, number]):
                    if day.likely[number, rank, OFFER_SHIFT] == shift:
                        arrival = min(arrival, day.likely[number, rank, OFFER_START])
    return int(arrival)


@woven
def expected_cost(case: Case, day: Day, team: int, size: int, members: int) -> int:
    """About what a team costs as a whole at the starts there are; `rate_team` says it exactly, later."""
    row = case.teams[team]
    cost, first, last = 0, FAR_FUTURE, FAR_PAST
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        number = role - row[ROLES_FROM]
        if case.roles[role, PRESENCE] == AT_SITE and day.amounts[ASKED, number] > 0:
            start = day.amounts[EARLIEST_START, number]
            first = min(first, start)
            last = max(last, start + base_seconds(case, team, role, size))
    if last - case.visits[row[HEAD], RESTORE_BY] > 0:
        cost += (last - case.visits[row[HEAD], RESTORE_BY]) * row[TEAM_RESTORE_WEIGHT] + row[TEAM_RESTORE_ONCE]
    if first > case.visits[row[HEAD], START_BY]:
        cost += row[TEAM_START_ONCE]
    if first > row[TEAM_ARRIVE_BY]:
        late = expected_arrival(case, day, team, members, first) - row[TEAM_ARRIVE_BY]
        if late > 0:
            cost += late * row[TEAM_ARRIVAL_WEIGHT] + row[TEAM_ARRIVAL_ONCE]
    if row[TEAM_PREVIOUS_START] != FAR_PAST:
        moved = abs(first - row[TEAM_PREVIOUS_START]) - MOVED_TOLERANCE_SECONDS
        cost += max(0, moved) * case.numbers[MOVED_WEIGHT]
    return int(cost)


@woven
def ask_for_least(case: Case, day: Day, team: int) -> None:
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        is_member = case.roles[role, PRESENCE] != STANDING_BY
        day.amounts[ASKED, role - case.teams[team, ROLES_FROM]] = case.roles[role, LEAST] if is_member else 0


@inner
def ask_for_more(case: Case, day: Day, team: int) -> int:
    """Ask for one more on site; the number of the role, or NONE where there may be no more."""
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        number = role - case.teams[team, ROLES_FROM]
        if case.roles[role, PRESENCE] == AT_SITE and day.amounts[ASKED, number] < case.roles[role, MOST]:
            day.amounts[ASKED, number] += 1
            return int(number)
    return NONE


@inner
def compose_at(case: Case, day: Day, team: int, instant: int, window: int, is_final: bool) -> tuple[int, int]:
    """(what it costs, members) at a start, of the least size that will do; finally of the best size."""
    ask_for_least(case, day, team)
    best, grown, is_back = IMPOSSIBLE, NONE, False
    while True:
        cost, members = choose(case, day, team, instant, window)
        if is_back or (cost < best and not is_final):
            return cost, members
        if cost < best:
            best = cost
        elif best < IMPOSSIBLE:
            # One more was one too many.
            day.amounts[ASKED, grown] -= 1
            is_back = True
            continue
        elif case.teams[team, COLLECTIVE_FROM] == case.teams[team, COLLECTIVE_TO]:
            return cost, members
        grown = ask_for_more(case, day, team)
        if grown < 0:
            return cost, members


@jit
def compose(case: Case, day: Day, team: int, is_wide: bool) -> bool:
    """Put a banked team in at its cheapest start, where that costs less than leaving it undone."""
    head = case.teams[team, HEAD]
    if case.numbers[HAS_DEPENDENCIES]:
        set_limits(case, day, head)
    if not ask_around(case, day, team, is_wide):
        return False
    count = list_instants(case, day, team)
    for turn in range(count + MOST_ATTEMPTS):
        chosen = turn
        if turn >= count:
            best, chosen = most_cost(case, day, head), NONE
            for place in range(count):
                if day.instants[place, PRICE] < best:
                    best, chosen = day.instants[place, PRICE], place
            if chosen < 0:
                return False
        instant, window = day.instants[chosen, INSTANT_AT], day.instants[chosen, WINDOW_AT]
        cost, members = compose_at(case, day, team, instant, window, turn >= count)
        if turn < count:
            is_passed_over = not is_wide and count > 1 and throw(day.dice) < PASSED_OVER
            day.instants[chosen, PRICE] = IMPOSSIBLE if is_passed_over else cost
            continue
        day.instants[chosen, PRICE] = IMPOSSIBLE
        if cost < IMPOSSIBLE and seat_crew(case, day, team, members):
            return True
        if day.counts[BROKEN]:
            return False
    return False


_call_compose = called_by_address(compose, types.int64, types.boolean)


@inlined
def compose_by_address(case: Case, day: Day, team: int, is_wide: bool) -> bool:
    """`compose`, of which the callers hold no copy."""
    return _call_compose(day.functions[COMPOSE_AT], (case, day, team, is_wide))
