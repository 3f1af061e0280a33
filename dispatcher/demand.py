"""What open work asks of people: which skills, of how many at once, for how long, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dispatcher.model import Engineer, Role, WorkOrder
from dispatcher.problem import Problem
from dispatcher.service import base_seconds
from dispatcher.spans import Span, merged
from skills.qualification import RequiredSkill


@dataclass(frozen=True, slots=True)
class Ask:
    """What an order asks of the holders of one role, or of its one engineer.

    Attributes:
        role: The role's name; None for an order without a team.
        count: How many people: the role's minimum.
        required: What each of them has to hold: of members the order's skills, then the role's; of standby the
            role's only.
        work_seconds: Service and setup of each, before any duration factor; 0 for standby, who may do other work.
        standby: Whether these are only named, not sent.
    """

    role: str | None
    count: int
    required: tuple[RequiredSkill, ...]
    work_seconds: int
    standby: bool = False


def open_orders(problem: Problem, territory: str | None = None) -> tuple[WorkOrder, ...]:
    """The orders still to be begun, in the problem's order; of one territory, or of all (None)."""
    return tuple(
        order
        for order in problem.work_orders
        if not problem.is_running(order) and (territory is None or order.territory == territory)
    )


def asks_of(order: WorkOrder) -> tuple[Ask, ...]:
    """What the order asks of people, role by role in the order of the roles; roles that may stay empty are left out."""
    if order.team is None:
        return (Ask(None, 1, order.required_skills, order.setup_seconds + order.service_seconds),)
    return tuple(
        Ask(role.name, role.minimum, role.required_skills, 0, standby=True)
        if role.presence == "standby"
        else Ask(role.name, role.minimum, order.required_of(role.name), _work_seconds(order, role))
        for role in order.team.roles
        if role.minimum
    )


def asked_skills(order: WorkOrder) -> frozenset[RequiredSkill]:
    """Every skill, with its level, that the order asks of anybody."""
    collective = order.team.collective_skills if order.team else ()
    return frozenset((*(item for ask in asks_of(order) for item in ask.required), *collective))


def people_at_once(order: WorkOrder, required: RequiredSkill) -> int:
    """How many people the order needs at once who hold a skill at a level or above.

    Nobody holds two roles of a team, so roles add up. A collective skill needs one member where no role asks for it.
    """
    members = standby = 0
    for ask in asks_of(order):
        if _asks_for(ask.required, required):
            members, standby = members + ask.count * (not ask.standby), standby + ask.count * ask.standby
    if not members and order.team and _asks_for(order.team.collective_skills, required):
        members = 1
    return members + standby


def work_seconds(order: WorkOrder, required: RequiredSkill) -> int:
    """The seconds of work of the order that only people can do who hold a skill at a level or above.

    Where a collective skill alone asks for it, it is the longest work of one member.
    """
    asks = asks_of(order)
    seconds = sum(ask.count * ask.work_seconds for ask in asks if _asks_for(ask.required, required))
    if not seconds and order.team and _asks_for(order.team.collective_skills, required):
        return longest_work(order)
    return seconds


def start_spans(problem: Problem, order: WorkOrder) -> tuple[Span, ...]:
    """The instants from now on at which the order may be started, by its windows or its pin; `end` is the last second.

    Deadlines, shifts and other orders are not asked. Empty where every window is past.
    """
    if order.pin is not None and order.pin.start is not None:
        return (Span(order.pin.start, order.pin.start),)
    windows = [(window.start, window.end) for window in order.time_windows] or [(problem.start, problem.end)]
    kept = sorted((max(start, problem.now), end) for start, end in windows if end >= problem.now)
    return tuple(Span(start, end) for start, end in kept)


def promised_spans(problem: Problem, order: WorkOrder) -> tuple[Span, ...]:
    """The time from now on in which the order may be started as promised, in order and apart; a second at least.

    What lies behind a promise is left out: behind `start_by`, `arrive_by`, or the last start from which the longest
    work of a member ends by `restore_by`. What is late already is to be started at once. Empty where every window is
    past.
    """
    starts = start_spans(problem, order)
    if not starts:
        return ()
    due = order.deadlines
    restore = None if due.restore_by is None else due.restore_by - longest_work(order)
    promises = [by for by in (due.start_by, due.arrive_by, restore) if by is not None]
    last = max(starts[0].start, min(promises, default=problem.end))
    return merged(Span(span.start, max(min(span.end, last), span.start + 1)) for span in starts if span.start <= last)


def longest_work(order: WorkOrder) -> int:
    """The seconds of work of the member who is busy longest."""
    return max((ask.work_seconds for ask in asks_of(order)), default=0)


def first_chance(engineer: Engineer, spans: Iterable[Span], until: int) -> int | None:
    """The first instant of the spans, last seconds included, at which the engineer is on shift, not after `until`."""
    chances = (
        max(shift.start, span.start)
        for shift in engineer.shifts
        for span in spans
        if max(shift.start, span.start) <= min(shift.end - 1, span.end, until)
    )
    return min(chances, default=None)


def _asks_for(asked: Iterable[RequiredSkill], required: RequiredSkill) -> bool:
    return any(item.skill == required.skill and item.level >= required.level for item in asked)


def _work_seconds(order: WorkOrder, role: Role) -> int:
    """The seconds of one member of the smallest team."""
    assert order.team is not None
    size = sum(item.minimum for item in order.team.roles if item.presence == "on_site")
    setup = order.setup_seconds if role.presence == "on_site" else 0
    return setup + base_seconds(order, role.name, size)
