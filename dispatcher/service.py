"""How long a stop takes, who is qualified to make it, and how likely somebody has to come again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from dispatcher.model import LEAD, Engineer, Exact, WorkOrder, round_half_up
from dispatcher.problem import Problem
from skills.qualification import Qualification

_EXEMPT = Qualification(True, Fraction(0), Fraction(1), (), ())


def base_seconds(order: WorkOrder, role: str | None, on_site_size: int) -> int:
    """The estimate before any factor: the role's own, else by team size, else the order's."""
    team = order.team
    if team is None:
        return order.service_seconds
    found = team.role(role)
    if found is not None and found.service_seconds is not None:
        return found.service_seconds
    seconds = order.service_seconds
    for size, by_size in team.service_seconds_by_size:
        if size > on_site_size:
            break
        seconds = by_size
    return seconds


def engineer_factor(engineer: Engineer, order: WorkOrder, role: str | None) -> Exact:
    """The engineer's factor of the first skill in the order's list, of the role's where the order lists none."""
    if not engineer.duration_factors:
        return 1
    required = order.required_of(role)
    return engineer.duration_factors.get(required[0].skill, 1) if required else 1


def effective_qualification(
    problem: Problem, engineer: Engineer, order: WorkOrder, role: str | None, start: int
) -> Qualification:
    """The qualification that counts: running work asks for none, and without one it costs and stretches nothing."""
    qualification = problem.qualification(engineer, order, role, start)
    if not qualification.qualified and problem.is_running(order):
        return _EXEMPT
    return qualification


def service_seconds(
    problem: Problem, engineer: Engineer, order: WorkOrder, role: str | None, on_site_size: int, start: int
) -> int:
    """Seconds of a stop that starts at `start`, setup apart: base × engineer's factor × substitution factors."""
    return stretched_seconds(
        engineer, order, role, on_site_size, effective_qualification(problem, engineer, order, role, start)
    )


def stretched_seconds(
    engineer: Engineer, order: WorkOrder, role: str | None, on_site_size: int, qualification: Qualification
) -> int:
    """The same for a qualification that is known."""
    base = base_seconds(order, role, on_site_size)
    factor = engineer_factor(engineer, order, role)
    substitution = qualification.duration_factor if qualification.qualified else 1
    if factor == 1 and substitution == 1:
        return base
    return round_half_up(base * factor * substitution)


def repeat_visit_seconds(order: WorkOrder, members: Sequence[tuple[Engineer, str | None]]) -> int:
    """The expected seconds of a repeat visit to a served order, rounded half up.

    The holders of the role `lead` answer for the fix, where nobody holds it all members; of several the one most
    likely to succeed counts, and of the skills required of a member the one least likely.

    Args:
        order: The order served.
        members: Its on-site and remote members, at least one, each with the role held.
    """
    return round_half_up((1 - chance_to_fix(order, members)) * order.service_seconds)


def chance_to_fix(order: WorkOrder, members: Sequence[tuple[Engineer, str | None]]) -> Exact:
    """The probability (0 to 1) that the first visit of these members fixes it, as `repeat_visit_seconds` counts it."""
    leads = [member for member in members if member[1] == LEAD]
    return max(_fix_probability(engineer, order, role) for engineer, role in leads or members)


def _fix_probability(engineer: Engineer, order: WorkOrder, role: str | None) -> Exact:
    known = engineer.fix_probability
    return min((known.get(required.skill, 1) for required in order.required_of(role)), default=1) if known else 1
