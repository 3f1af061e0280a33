"""Teams that the search composes, as arrays: a visit for every seat, and what binds them together."""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatcher.model import LEAD, Role, WorkOrder
from dispatcher.problem import Problem
from skills.qualification import RequiredSkill
from solver.compile_rows import Rows
from solver.kernel import layout as at
from solver.kernel.layout import FAR_FUTURE, FAR_PAST, NONE

MOST_BEYOND_LEAST = 4
"""So many more than it asks for at least are considered for a role."""
_MODES = {"together": at.TOGETHER, "staggered": at.STAGGERED, "lead_first": at.LEAD_FIRST}
_PRESENCES = {"on_site": at.AT_SITE, "remote": at.REMOTELY, "standby": at.STANDING_BY}


def seats_of(role: Role) -> int:
    """How many people a role may take in the search."""
    if role.presence == "standby":
        return role.minimum
    return min(role.maximum, role.minimum + MOST_BEYOND_LEAST)


def is_searched(problem: Problem, order: WorkOrder) -> bool:
    """Whether the search composes the team of an order; others are composed by insertion, and kept.

    Pinned and running teams stay where they are, and parts that several people bring are pooled in ways the arrays
    do not hold. Repeat visits, where they have a price, have to be one member's to answer for.
    """
    if order.team is None or order.pin is not None or any(order.parts.values()):
        return False
    lead = order.team.role(LEAD)
    if problem.weights.of("repeat_visit") and not (lead and lead.presence != "standby" and lead.maximum == 1):
        return False
    roles = [role for role in order.team.roles if seats_of(role)]
    if order.team.arrival.mode == "lead_first" and lead is None:
        return False
    return len(roles) <= at.MOST_ROLES and sum(seats_of(role) for role in roles) <= at.MOST_SEATS


def roles_in_order(order: WorkOrder) -> list[Role]:
    """The roles with seats: first one that is always on site, the lead's before others; last who stands by."""
    assert order.team is not None
    roles = [role for role in order.team.roles if seats_of(role)]

    def place(role: Role) -> tuple[bool, bool, bool]:
        return role.presence == "standby", role.presence != "on_site" or not role.minimum, role.name != LEAD

    return sorted(roles, key=place)


@dataclass(slots=True)
class TeamArrays:
    """`Case.teams` and what its columns point into; `classes` are the requirements that are asked for."""

    problem: Problem
    rows: list[list[int]] = field(default_factory=list)
    roles: Rows = field(default_factory=Rows)
    collective: list[int] = field(default_factory=list)
    sizes: Rows = field(default_factory=Rows)

    def add(
        self,
        order: WorkOrder,
        place: int,
        seats: list[tuple[Role, int]],
        collective: list[int],
        prefers: int,
        crew: tuple[int, int],
        windows: tuple[int, int],
    ) -> None:
        """One team: its roles with their first seats, its classes of collective skills, its rows of `prefers`."""
        team, weight = order.team, self.problem.weights.of
        assert team is not None
        arrival = team.arrival
        row = [0] * at.TEAM_COLUMNS
        row[at.HEAD], row[at.SITE_PLACE], row[at.MODE] = seats[0][1], place, _MODES[arrival.mode]
        row[at.LEAST_GAP] = arrival.min_gap_seconds
        row[at.MOST_GAP] = FAR_FUTURE if arrival.max_gap_seconds is None else arrival.max_gap_seconds
        row[at.ROLES_FROM], row[at.ROLES_TO] = self.roles.add(
            (
                seat,
                role.minimum,
                seats_of(role),
                _PRESENCES[role.presence],
                int(arrival.mode == "lead_first" and role.name == LEAD),
                NONE if role.service_seconds is None else role.service_seconds,
            )
            for role, seat in seats
        )
        row[at.COLLECTIVE_FROM] = len(self.collective)
        self.collective.extend(collective)
        row[at.COLLECTIVE_TO] = len(self.collective)
        row[at.SIZES_FROM], row[at.SIZES_TO] = self.sizes.add(team.service_seconds_by_size)
        row[at.TEAM_WINDOWS_FROM], row[at.TEAM_WINDOWS_TO] = windows
        row[at.TEAM_NOT_BEFORE], row[at.TEAM_NOT_AFTER] = FAR_PAST, FAR_FUTURE
        for dependency in order.depends_on:
            if dependency.completed_at is not None:
                earliest = dependency.completed_at + dependency.min_gap_seconds
                row[at.TEAM_NOT_BEFORE] = max(row[at.TEAM_NOT_BEFORE], earliest)
                if dependency.max_gap_seconds is not None:
                    latest = dependency.completed_at + dependency.max_gap_seconds
                    row[at.TEAM_NOT_AFTER] = min(row[at.TEAM_NOT_AFTER], latest)
        arrive_by = order.deadlines.arrive_by
        row[at.TEAM_ARRIVE_BY] = FAR_FUTURE if arrive_by is None else arrive_by
        row[at.TEAM_ARRIVAL_WEIGHT] = weight("late_arrival", order.level)
        row[at.TEAM_ARRIVAL_ONCE] = weight("late_arrival_once", order.level)
        row[at.TEAM_START_ONCE] = weight("late_start_once", order.level)
        row[at.TEAM_RESTORE_WEIGHT] = weight("late_restore", order.level)
        row[at.TEAM_RESTORE_ONCE] = weight("late_restore_once", order.level)
        row[at.TEAM_PREFER] = prefers
        row[at.TEAM_PREVIOUS_CREW], row[at.TEAM_PREVIOUS_SIZE] = crew
        previous = self.problem.previous.get(order.id)
        known = None if previous is None else previous.first_start
        row[at.TEAM_PREVIOUS_START] = FAR_PAST if known is None else known
        self.rows.append(row)


def seat_row(order: WorkOrder, role: Role, place: int, team: int, skills: int, admits: int, weight: int) -> list[int]:
    """The visit of one seat; `weight` is the price of a second that it starts late."""
    row = [0] * at.VISIT_COLUMNS
    is_on_site = role.presence == "on_site"
    row[at.PLACE], row[at.CLASS], row[at.TEAM] = place, skills, team
    row[at.SETUP] = order.setup_seconds if is_on_site else 0
    row[at.SERVICE], row[at.FIXED_SECONDS] = order.service_seconds, NONE
    row[at.NOT_BEFORE], row[at.NOT_AFTER] = FAR_PAST, FAR_FUTURE
    row[at.SETUP_PAID], row[at.PREVIOUS_START], row[at.PREVIOUS_ENGINEER] = NONE, FAR_PAST, at.NOBODY
    row[at.ADMIT], row[at.PREFER] = admits, NONE
    row[at.MEMBER], row[at.REMOTE] = 1, int(not is_on_site)
    start_by, restore_by = order.deadlines.start_by, order.deadlines.restore_by
    row[at.ARRIVE_BY] = FAR_FUTURE
    row[at.START_BY] = FAR_FUTURE if start_by is None or not is_on_site else start_by
    row[at.RESTORE_BY] = FAR_FUTURE if restore_by is None or not is_on_site else restore_by
    row[at.START_WEIGHT] = weight if is_on_site else 0
    return row


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a visit or a standby asks for: an order's skills with a role's, or skills alone.

    `answers`: whether whoever comes answers for the fix (rule `repeat_visit`).
    """

    skills: tuple[RequiredSkill, ...]
    order: WorkOrder | None = None
    role: str | None = None
    answers: bool = True
