"""Taking strings of neighbouring visits off neighbouring routes (Christiaens and Vanden Berghe 2020, section 4)."""

from __future__ import annotations

from solver.kernel.change import remove
from solver.kernel.compiled import inner, jit
from solver.kernel.dice import below, throw
from solver.kernel.layout import (
    CLOSED,
    LEAST,
    LENGTH,
    LOCKED,
    POSITION,
    ROLES_FROM,
    ROLES_TO,
    ROOM_IS_MADE,
    ROUTE,
    SEAT,
    TEAM,
    TEAMS_STAY,
    Case,
    Day,
)
from solver.kernel.place import is_able

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


@jit
def ruin(case: Case, day: Day, seed_visit: int, is_dear: bool) -> bool:
    """Remove strings near a visit into the bank; False if a route could not be kept and all must be taken back.

    For a dear one room is made where it may go: a team is taken apart, a single visit looks at no other routes.
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
    if team >= 0 and not is_locked and (is_dear or not is_served):
        if is_served and not remove(case, day, seed_visit):
            return False
        return make_room(case, day, team, longest)
    if is_dear:
        day.counts[TEAMS_STAY] = ROOM_IS_MADE
    is_whole = not is_dear and throw(day.dice) < WHOLE_ROUTE_PROBABILITY
    if is_whole:
        strings = 1
    done = 0
    for place in range(-1, case.near.shape[1]):
        if done >= strings:
            break
        visit = seed_visit if place < 0 else case.near[seed_visit, place]
        if visit < 0:
            break
        shift = day.standing[visit, ROUTE]
        if shift < 0 or day.touched[shift] >= 0 or case.visits[visit, LOCKED] or case.shifts[shift, CLOSED]:
            continue
        if is_dear and not is_able(case, seed_visit, shift):
            continue
        length = day.routes[shift, LENGTH]
        size = length
        if not is_whole:
            size = min(length, int(throw(day.dice) * min(float(length), longest) + 1.0))
        if not remove_string(case, day, shift, day.standing[visit, POSITION], size):
            return False
        done += 1
    return True


@inner
def make_room(case: Case, day: Day, team: int, longest: float) -> bool:
    """Remove strings from routes of people whom a team could take, wherever they are."""
    day.counts[TEAMS_STAY] = ROOM_IS_MADE
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        seat = case.roles[role, SEAT]
        for _ in range(ROOMS_PER_SEAT * max(1, case.roles[role, LEAST])):
            shift = case.near_shifts[seat, below(day.dice, case.near_shifts.shape[1])]
            if shift < 0 or day.touched[shift] >= 0 or case.shifts[shift, CLOSED]:
                continue
            length = day.routes[shift, LENGTH]
            if length == 0:
                continue
            size = int(throw(day.dice) * min(float(length), longest) + 1.0)
            if not remove_string(case, day, shift, below(day.dice, length), min(size, length)):
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
