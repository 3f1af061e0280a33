"""Taking strings of neighbouring visits off neighbouring routes (Christiaens and Vanden Berghe 2020, section 4)."""

from __future__ import annotations

from solver.kernel.change import remove, set_limits
from solver.kernel.compiled import inner, jit
from solver.kernel.dice import below, throw
from solver.kernel.instants import bounds_of
from solver.kernel.layout import (
    BEFORE_FROM,
    BEFORE_TO,
    CLOSED,
    FINISH,
    FLOOR,
    HAS_DEPENDENCIES,
    HORIZON_END,
    LEAST,
    LENGTH,
    LOCKED,
    NONE,
    NOT_BEFORE,
    NOW,
    POSITION,
    ROLES_FROM,
    ROLES_TO,
    ROOM_AT,
    ROOM_IS_MADE,
    ROUTE,
    SEAT,
    SERVICE,
    STAMP,
    TEAM,
    TEAM_BEFORE,
    TEAM_WINDOWS_FROM,
    TEAM_WINDOWS_TO,
    TEAMS_STAY,
    TOUCHED,
    WINDOWS_FROM,
    WINDOWS_TO,
    Case,
    Day,
)
from solver.kernel.place import is_able, latest_start, linked
from solver.kernel.schedule import trace

AVERAGE_REMOVED = 10
"""Visits removed in an iteration, in the mean (c bar of the paper)."""
LONGEST_STRING = 10
"""L max of the paper."""
SPLIT_PROBABILITY = 0.5
"""How often a string keeps some visits in its middle (alpha)."""
STAY_PROBABILITY = 0.01
"""With this chance the preserved middle stays as long as it is, at each visit it could grow by.

It grows to LONGEST_STRING at most, so that a string on a long route stays in one place. By the letter of the paper it
grows with beta instead, and stays with 1 - beta.
"""
WHOLE_ROUTE_PROBABILITY = 0.01
"""How often one route is taken off as a whole: strings alone seldom find a plan with a long route fewer."""


TEAMS_STAY_PROBABILITY = 0.5
"""How often an iteration leaves teams together: composing one takes as long as many single visits."""


ROOMS_PER_SEAT = 2
"""Routes that room is made on for each member a team needs, where it is left undone."""
LATEST_PROBABILITY = 0.5
"""How often what a visit waits for has until the last start of the visit."""
STRINGS_BEFORE = 2
"""Strings removed to make room for what an undone visit waits for."""


@jit
def ruin(case: Case, day: Day, seed_visit: int, is_dear: bool) -> bool:
    """Remove strings near a visit into the bank; False if a route could not be kept and all must be taken back.

    For a dear one room is made where it may go: a team is taken apart, a single visit looks at no other routes. What it
    waits for is taken out as well and room made for that.
    """
    day.counts[TEAMS_STAY] = 0
    if len(case.teams) > 0:
        day.counts[TEAMS_STAY] = int(throw(day.dice) < TEAMS_STAY_PROBABILITY)
    served, used = 0, 0
    for shift in range(len(case.shifts)):
        served += day.routes[shift, LENGTH]
        if day.routes[shift, LENGTH] > 0:
            used += 1
    if used == 0:
        return True
    longest = min(float(LONGEST_STRING), served / used)
    most_strings = 4.0 * AVERAGE_REMOVED / (1.0 + longest) - 1.0
    strings = int(throw(day.dice) * most_strings + 1.0)
    if strings < 1:
        strings = 1
    team, is_served = case.visits[seed_visit, TEAM], day.standing[seed_visit, ROUTE] >= 0
    is_locked = is_served and case.visits[seed_visit, LOCKED]
    is_team = team >= 0 and not is_locked and (is_dear or not is_served)
    is_whole = not is_dear and throw(day.dice) < WHOLE_ROUTE_PROBABILITY
    if is_team and is_served and not remove(case, day, seed_visit):
        return False
    if is_team or is_dear:
        day.counts[TEAMS_STAY] = ROOM_IS_MADE
        if not make_way(case, day, seed_visit):
            return False
        day.counts[ROOM_AT] = room_instant(case, day, seed_visit, is_team and is_served)
        if not make_room_before(case, day, seed_visit, longest):
            return False
    if is_team:
        return make_room(case, day, team, day.counts[ROOM_AT], longest)
    return remove_strings(case, day, seed_visit, 1 if is_whole else strings, longest, is_dear, is_whole)


@inner
def remove_strings(
    case: Case, day: Day, seed_visit: int, strings: int, longest: float, is_dear: bool, is_whole: bool
) -> bool:
    """Remove strings about the neighbours of a visit; for a dear one where it may go, sometimes a whole route."""
    # Where what is dear, or what it waits for, has just been taken off there may be room all the same.
    done, before = 0, day.counts[TOUCHED]
    day.counts[STAMP] += 1
    stamp = day.counts[STAMP]
    for place in range(-1, case.near.shape[1]):
        if done >= strings:
            break
        visit = seed_visit if place < 0 else case.near[seed_visit, place]
        if visit < 0:
            break
        shift = day.standing[visit, ROUTE]
        if shift < 0 or case.visits[visit, LOCKED] or case.shifts[shift, CLOSED]:
            continue
        if day.touched[shift] >= before or day.stamps[shift] == stamp:
            continue
        if is_dear and not is_able(case, seed_visit, shift):
            continue
        day.stamps[shift] = stamp
        length = day.routes[shift, LENGTH]
        size = length
        if not is_whole:
            size = min(length, int(throw(day.dice) * min(float(length), longest) + 1.0))
        if not remove_string(case, day, shift, day.standing[visit, POSITION], size):
            return False
        done += 1
    return True


@inner
def make_way(case: Case, day: Day, visit: int) -> bool:
    """Take out what a visit that is undone, or was just taken out, directly waits for: it may keep it late."""
    if day.standing[visit, ROUTE] >= 0:
        return True
    for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, BEFORE_TO]):
        other = linked(case, place)
        if other == NONE or day.standing[other, ROUTE] < 0 or case.visits[other, LOCKED]:
            continue
        if not remove(case, day, other):
            return False
    return True


@inner
def make_room_before(case: Case, day: Day, visit: int, longest: float) -> bool:
    """Make room for what a visit directly waits for, where that is undone; for a team early enough for the visit."""
    for place in range(case.visits[visit, BEFORE_FROM], case.visits[visit, BEFORE_TO]):
        other = linked(case, place)
        if other == NONE or day.standing[other, ROUTE] >= 0:
            continue
        if case.visits[other, TEAM] >= 0:
            instant = day.counts[ROOM_AT] - case.gaps[place, 1] - case.visits[other, SERVICE]
            if not make_room(case, day, case.visits[other, TEAM], instant, longest):
                return False
        elif not remove_strings(case, day, other, STRINGS_BEFORE, longest, True, False):
            return False
    return True


@inner
def room_instant(case: Case, day: Day, visit: int, is_earlier: bool) -> int:
    """When there shall be room for a visit, or the head of a team: in one of its windows, early more often than late,
    or, where it waits for others, as late as possible; for a team just taken apart no later than it began."""
    if case.numbers[HAS_DEPENDENCIES]:
        set_limits(case, day, visit)
    team = case.visits[visit, TEAM]
    if team >= 0:
        first, last = case.teams[team, TEAM_WINDOWS_FROM], case.teams[team, TEAM_WINDOWS_TO]
    else:
        first, last = case.visits[visit, WINDOWS_FROM], case.visits[visit, WINDOWS_TO]
    window = first + below(day.dice, last - first) if first < last else NONE
    if team >= 0:
        low, high = bounds_of(case, day, team, window)
        if is_earlier:
            high = min(high, day.teams[team, TEAM_BEFORE])
    else:
        low = max(case.numbers[NOW], case.visits[visit, NOT_BEFORE])
        if case.numbers[HAS_DEPENDENCIES]:
            low = max(low, day.standing[visit, FLOOR])
        high = min(latest_start(case, day, visit), case.numbers[HORIZON_END])
        if window >= 0:
            low, high = max(low, case.windows[window, 0]), min(high, case.windows[window, 1])
    share = throw(day.dice) ** 2
    if case.visits[visit, BEFORE_FROM] < case.visits[visit, BEFORE_TO] and throw(day.dice) < LATEST_PROBABILITY:
        share = 1.0
    return int(low + max(0, high - low) * share)


@inner
def make_room(case: Case, day: Day, team: int, instant: int, longest: float) -> bool:
    """Remove strings about an instant from routes of people whom a team could take, wherever they are."""
    before = day.counts[TOUCHED]
    day.counts[STAMP] += 1
    stamp = day.counts[STAMP]
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        seat, count = case.roles[role, SEAT], 0
        while count < case.near_shifts.shape[1] and case.near_shifts[seat, count] >= 0:
            count += 1
        for _ in range(ROOMS_PER_SEAT * max(1, case.roles[role, LEAST]) if count > 0 else 0):
            shift = case.near_shifts[seat, below(day.dice, count)]
            length = day.routes[shift, LENGTH]
            if case.shifts[shift, CLOSED] or length == 0:
                continue
            if day.touched[shift] >= before or day.stamps[shift] == stamp:
                continue
            day.stamps[shift] = stamp
            # Times are not always kept; of routes changed in this iteration those from before it will do.
            if day.touched[shift] < 0:
                trace(case, day, shift, day.work[7])
            position = 0
            while position < length - 1 and day.standing[day.sequence[shift, position], FINISH] <= instant:
                position += 1
            size = int(throw(day.dice) * min(float(length), longest) + 1.0)
            if not remove_string(case, day, shift, position, min(size, length)):
                return False
    return True


@inner
def remove_string(case: Case, day: Day, shift: int, position: int, size: int) -> bool:
    """Remove `size` visits in a row that include the one at a position; sometimes a longer row but for its middle."""
    length = day.routes[shift, LENGTH]
    kept = 0
    if size > 1 and size < length and throw(day.dice) < SPLIT_PROBABILITY:
        kept = 1
        while size + kept < length and kept < LONGEST_STRING and throw(day.dice) > STAY_PROBABILITY:
            kept += 1
    span = size + kept
    low, high = max(0, position - span + 1), min(position, length - span)
    first = low + below(day.dice, high - low + 1)
    hole = first + 1 + below(day.dice, size - 1) if kept else first + span
    for place in range(first + span - 1, first - 1, -1):
        if place >= day.routes[shift, LENGTH] or hole <= place < hole + kept:
            continue
        visit = day.sequence[shift, place]
        # Visits that waited for a removed one are gone too, so a place may hold another visit by now.
        is_kept = case.visits[visit, LOCKED] or (case.visits[visit, TEAM] >= 0 and day.counts[TEAMS_STAY] == 1)
        if not is_kept and not remove(case, day, visit):
            return False
    return True
