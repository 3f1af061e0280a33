"""Teams that the search composes: what is kept of them, what they cost as a whole, who stands by."""

from __future__ import annotations

from solver.kernel.compiled import inner, jit
from solver.kernel.layout import (
    ARRIVAL,
    ASSOCIATION_WEIGHT,
    AT_SITE,
    BEGIN,
    BESIDE,
    CALLED,
    CALLS,
    CHANGE_WEIGHT,
    CHANGED,
    ENGINEER,
    FAR_FUTURE,
    FAR_PAST,
    FINISH,
    HEAD,
    HELD,
    LENGTH,
    MOST,
    MOVED_TOLERANCE_SECONDS,
    MOVED_WEIGHT,
    NONE,
    OWN_SECONDS,
    PREFERENCE_WEIGHT,
    PRESENCE,
    RESTORE_BY,
    ROLES_FROM,
    ROLES_TO,
    ROUTE,
    SEAT,
    SERVICE,
    SIZES_FROM,
    SIZES_TO,
    STANDING_BY,
    START_BY,
    TEAM,
    TEAM_ARRIVAL_ONCE,
    TEAM_ARRIVAL_WEIGHT,
    TEAM_ARRIVE_BY,
    TEAM_COST,
    TEAM_END,
    TEAM_LATE,
    TEAM_PREFER,
    TEAM_PREVIOUS_CREW,
    TEAM_PREVIOUS_SIZE,
    TEAM_PREVIOUS_START,
    TEAM_RELATED_FROM,
    TEAM_RELATED_TO,
    TEAM_RESTORE_ONCE,
    TEAM_RESTORE_WEIGHT,
    TEAM_START,
    TEAM_START_ONCE,
    TEAM_STATE_COLUMNS,
    TOUCHED,
    Case,
    Day,
)
from solver.kernel.schedule import trace


@inner
def note_team(case: Case, day: Day, team: int) -> None:
    """Keep a team as it is now, once per iteration."""
    if day.changed[team]:
        return
    day.changed[team] = True
    day.changed_list[day.counts[CHANGED]] = team
    day.counts[CHANGED] += 1
    for column in range(TEAM_STATE_COLUMNS):
        day.saved_teams[team, column] = day.teams[team, column]
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        seat = case.roles[role, SEAT]
        for visit in range(seat, seat + case.roles[role, MOST]):
            for column in range(4):
                day.saved_seats[visit, column] = day.standing[visit, HELD + column]


@inner
def call(day: Day, shift: int, seat: int) -> None:
    """Have the engineer of a shift stand by."""
    day.routes[shift, CALLS + day.routes[shift, CALLED]] = seat
    day.routes[shift, CALLED] += 1
    day.standing[seat, HELD] = shift


@inner
def dismiss(day: Day, shift: int, seat: int) -> None:
    """Let somebody go who stands by; the route still has to be driven, in case they stayed for it."""
    last = day.routes[shift, CALLED] - 1
    for place in range(last):
        if day.routes[shift, CALLS + place] == seat:
            day.routes[shift, CALLS + place] = day.routes[shift, CALLS + last]
    day.routes[shift, CALLED] = last
    day.standing[seat, HELD] = NONE


@jit
def team_apart_cost(case: Case, day: Day, team: int) -> int:
    """What it costs that served related orders are in the hands of others than the team's members on site."""
    cost = 0
    for place in range(case.teams[team, TEAM_RELATED_FROM], case.teams[team, TEAM_RELATED_TO]):
        group = case.related[place]
        is_served, is_together = False, False
        for member in range(case.members[group], case.members[group + 1]):
            shift = day.standing[case.member_visits[member], ROUTE]
            if shift >= 0:
                is_served = True
                is_together = is_together or is_on_site(case, day, team, case.shifts[shift, ENGINEER])
        if is_served and not is_together:
            cost += case.numbers[ASSOCIATION_WEIGHT]
    return cost


@inner
def is_on_site(case: Case, day: Day, team: int, engineer: int) -> bool:
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        seat = case.roles[role, SEAT]
        if case.roles[role, PRESENCE] == AT_SITE:
            for visit in range(seat, seat + case.roles[role, MOST]):
                shift = day.standing[visit, ROUTE]
                if shift >= 0 and case.shifts[shift, ENGINEER] == engineer:
                    return True
    return False


@jit
def rate_team(case: Case, day: Day, team: int) -> None:
    """Times of a team, and what it costs as a whole, from the times of its members, which are traced."""
    row, numbers = case.teams[team], case.numbers
    first, last, arrival = FAR_FUTURE, FAR_PAST, FAR_FUTURE
    known, members, is_late, is_preferred = 0, 0, False, True
    head = row[HEAD]
    for role in range(row[ROLES_FROM], row[ROLES_TO]):
        seat, presence = case.roles[role, SEAT], case.roles[role, PRESENCE]
        for visit in range(seat, seat + case.roles[role, MOST]):
            shift = day.standing[visit, ROUTE]
            if presence == STANDING_BY or shift < 0:
                continue
            engineer = case.shifts[shift, ENGINEER]
            members += 1
            if row[TEAM_PREVIOUS_SIZE] > 0 and case.prefers[row[TEAM_PREVIOUS_CREW], engineer]:
                known += 1
            if presence == AT_SITE:
                begin = day.standing[visit, BEGIN]
                first, last = min(first, begin), max(last, day.standing[visit, FINISH])
                arrival = min(arrival, day.standing[visit, ARRIVAL])
                is_late = is_late or begin > case.visits[head, START_BY]
                if row[TEAM_PREFER] != NONE and not case.prefers[row[TEAM_PREFER], engineer]:
                    is_preferred = False
    cost = 0
    if is_late:
        cost += row[TEAM_START_ONCE]
    late = last - case.visits[head, RESTORE_BY]
    if late > 0:
        cost += late * row[TEAM_RESTORE_WEIGHT] + row[TEAM_RESTORE_ONCE]
    late = max(0, arrival - row[TEAM_ARRIVE_BY])
    if late > 0:
        cost += late * row[TEAM_ARRIVAL_WEIGHT] + row[TEAM_ARRIVAL_ONCE]
    if not is_preferred:
        cost += numbers[PREFERENCE_WEIGHT]
    if row[TEAM_PREVIOUS_SIZE] > 0 and not known == members == row[TEAM_PREVIOUS_SIZE]:
        cost += numbers[CHANGE_WEIGHT]
    if row[TEAM_PREVIOUS_START] != FAR_PAST:
        cost += max(0, abs(first - row[TEAM_PREVIOUS_START]) - MOVED_TOLERANCE_SECONDS) * numbers[MOVED_WEIGHT]
    state = day.teams[team]
    state[TEAM_START], state[TEAM_END], state[TEAM_LATE], state[TEAM_COST] = first, last, late, cost


@jit
def rate_late_teams(case: Case, day: Day) -> None:
    """What teams that begin after they should have arrived cost now: it depends on who of them is there first."""
    for slot in range(day.counts[TOUCHED]):
        shift = day.touched_list[slot]
        for position in range(day.routes[shift, LENGTH]):
            team = case.visits[day.sequence[shift, position], TEAM]
            if team < 0 or day.teams[team, TEAM_START] <= case.teams[team, TEAM_ARRIVE_BY]:
                continue
            note_team(case, day, team)
            trace_team(case, day, team)
            before = day.teams[team, TEAM_COST]
            rate_team(case, day, team)
            day.counts[BESIDE] += day.teams[team, TEAM_COST] - before


@jit
def trace_team(case: Case, day: Day, team: int) -> None:
    """Bring the times of a team's members up to date."""
    for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
        seat = case.roles[role, SEAT]
        if case.roles[role, PRESENCE] != STANDING_BY:
            for visit in range(seat, seat + case.roles[role, MOST]):
                if day.standing[visit, ROUTE] >= 0:
                    trace(case, day, day.standing[visit, ROUTE], day.work[7])


@inner
def restore_teams(case: Case, day: Day) -> None:
    for place in range(day.counts[CHANGED]):
        team = day.changed_list[place]
        for column in range(TEAM_STATE_COLUMNS):
            day.teams[team, column] = day.saved_teams[team, column]
        for role in range(case.teams[team, ROLES_FROM], case.teams[team, ROLES_TO]):
            seat = case.roles[role, SEAT]
            for visit in range(seat, seat + case.roles[role, MOST]):
                for column in range(4):
                    day.standing[visit, HELD + column] = day.saved_seats[visit, column]


@inner
def base_seconds(case: Case, team: int, role: int, size: int) -> int:
    """Seconds of service in a role, for so many on site, before any factor."""
    own = case.roles[role, OWN_SECONDS]
    if own >= 0:
        return int(own)
    seconds = case.visits[case.teams[team, HEAD], SERVICE]
    for place in range(case.teams[team, SIZES_FROM], case.teams[team, SIZES_TO]):
        if case.sizes[place, 0] <= size:
            seconds = case.sizes[place, 1]
    return int(seconds)
