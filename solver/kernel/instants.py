"""Starts of a team worth trying, and when its roles may begin for each.

Likely starts are when those who could come cheaply would be there, when windows open, and when the team started before.
"""

from __future__ import annotations

from solver.kernel.compiled import inner
from solver.kernel.dice import below, throw
from solver.kernel.layout import (
    CEILING,
    FLOOR,
    HAS_DEPENDENCIES,
    HEAD,
    HORIZON_END,
    IS_LEAD,
    LEAD_FIRST,
    LEAST,
    LEAST_GAP,
    MODE,
    MOST_GAP,
    MOST_STARTS,
    NONE,
    NOW,
    OFFER_START,
    PRESENCE,
    REMOTELY,
    ROLES_FROM,
    ROLES_TO,
    TEAM_BEFORE,
    TEAM_NOT_AFTER,
    TEAM_NOT_BEFORE,
    TEAM_WINDOWS_FROM,
    TEAM_WINDOWS_TO,
    TOGETHER,
    Case,
    Day,
)

INSTANTS_PER_ROLE = 4
"""Likely starts taken from what would suit the cheapest members of one role."""
ANY_INSTANT = 0.2
"""How often some instant of a window is tried beside those."""
PRICE, INSTANT_AT, WINDOW_AT = range(3)
"""Columns of `Day.instants`."""
ASKED, OFFERED, LIKELY, EARLIEST_START, LATEST_START, IS_CHOSEN = range(6)
"""Rows of `Day.amounts`."""


@inner
def add_instant(day: Day, count: int, instant: int, window: int) -> int:
    for place in range(count):
        if day.instants[place, INSTANT_AT] == instant and day.instants[place, WINDOW_AT] == window:
            return count
    if count == MOST_STARTS:
        return count
    day.instants[count, INSTANT_AT], day.instants[count, WINDOW_AT] = instant, window
    return count + 1


@inner
def bounds_of(case: Case, day: Day, team: int, window: int) -> tuple[int, int]:
    """The range of starts on site in one of the windows; without any the window is NONE."""
    row = case.teams[team]
    low, high = max(case.numbers[NOW], row[TEAM_NOT_BEFORE]), min(row[TEAM_NOT_AFTER], case.numbers[HORIZON_END])
    if window >= 0:
        low, high = max(low, case.windows[window, 0]), min(high, case.windows[window, 1])
    if case.numbers[HAS_DEPENDENCIES]:
        low, high = max(low, day.standing[row[HEAD], FLOOR]), min(high, day.standing[row[HEAD], CEILING])
    return low, high


@inner
def lead_is_remote(case: Case, team: int) -> bool:
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        if case.roles[role, IS_LEAD] and case.roles[role, PRESENCE] == REMOTELY:
            return True
    return False


@inner
def list_instants(case: Case, day: Day, team: int) -> int:
    """Starts worth trying, each with its window; how many."""
    row = case.teams[team]
    count = 0
    first, last = row[TEAM_WINDOWS_FROM], row[TEAM_WINDOWS_TO]
    is_remote = lead_is_remote(case, team)
    for place in range(first, max(last, first + 1)):
        window = place if first < last else NONE
        low, high = bounds_of(case, day, team, window)
        if low > high:
            continue
        lowest = case.numbers[NOW] if is_remote else low
        if day.teams[team, TEAM_BEFORE] > 0:
            instant = max(lowest, day.teams[team, TEAM_BEFORE])
            if instant <= high:
                count = add_instant(day, count, instant, window)
        count = add_instant(day, count, low, window)
        if throw(day.dice) < ANY_INSTANT:
            count = add_instant(day, count, lowest + below(day.dice, max(1, high - lowest + 1)), window)
        if is_remote:
            count = add_instant(day, count, max(lowest, low - row[LEAST_GAP]), window)
        for role in range(row[ROLES_FROM], row[ROLES_TO]):
            number = role - row[ROLES_FROM]
            if case.roles[role, LEAST] == 0:
                continue
            gap = row[LEAST_GAP] if row[MODE] == LEAD_FIRST and not case.roles[role, IS_LEAD] else 0
            for rank in range(min(INSTANTS_PER_ROLE, day.amounts[LIKELY, number])):
                instant = max(lowest, day.likely[number, rank, OFFER_START] - gap)
                if instant <= high:
                    count = add_instant(day, count, instant, window)
    return count


@inner
def set_spans(case: Case, day: Day, team: int, instant: int, window: int) -> bool:
    """Ranges of starts by role that satisfy the arrival mode whichever start in them a member takes."""
    row = case.teams[team]
    low, high = bounds_of(case, day, team, window)
    mode, widest = row[MODE], row[MOST_GAP]
    has_followers = False
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        asked = day.amounts[ASKED, role - row[ROLES_FROM]]
        if case.roles[role, PRESENCE] == REMOTELY and asked > 0 and not case.roles[role, IS_LEAD]:
            has_followers = True
    is_remote = lead_is_remote(case, team)
    first, last = instant, instant
    if mode == LEAD_FIRST:
        first = instant + row[LEAST_GAP]
        if is_remote:
            first = max(first, low)
    if mode != TOGETHER:
        last = first if has_followers else instant + widest
    first, last = max(first, low), min(last, high)
    if first > last or (mode != TOGETHER and first > instant + widest):
        return False
    if mode == TOGETHER and first > instant:
        return False
    lead = instant
    if not is_remote and not low <= lead <= high:
        return False
    together = first if is_remote or mode != LEAD_FIRST else lead
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        number = role - row[ROLES_FROM]
        if case.roles[role, IS_LEAD]:
            day.amounts[EARLIEST_START, number] = day.amounts[LATEST_START, number] = lead
        elif case.roles[role, PRESENCE] == REMOTELY:
            day.amounts[EARLIEST_START, number] = day.amounts[LATEST_START, number] = together
        else:
            day.amounts[EARLIEST_START, number], day.amounts[LATEST_START, number] = first, last
    return True
