"""From a composition to an option: displaced work repaired, everything judged exactly, all that moves named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from dispatcher.facts import Service
from dispatcher.model import Engineer, WorkOrder, round_half_up
from dispatcher.plan import Member, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem, ShiftKey
from dispatcher.service import chance_to_fix
from solver.day_state import Placed, Placement
from solver.team_insertion import Composition
from solver.team_options.answer import ComingMember, PromiseChange, ServiceTimes, StandbyMember, TeamOption
from solver.team_options.composer import Choice, EmergencyComposer
from solver.team_options.elsewhere import cheapest_place, likely_routes, plain_stint
from solver.team_options.judgement import Changes, Judgement, judge, with_changes
from solver.team_options.warm_day import WarmDay
from solver.team_options.working_day import WorkingDay

REPAIR_ROUTES = 3
"""Routes of qualified people tried for a displaced order, the likely ones first."""
MOST_SOUGHT_AGAIN = 3
"""Displaced orders for which a better place is sought once all have theirs; of more, hardly any finds one."""
MOST_CUTS = 5
"""Times that orders in breach of a hard rule are left undone before a composition is given up."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """A composition put into the routes: the fork that holds it and what was taken out for it."""

    state: WorkingDay
    displaced: frozenset[str]


def option_of(
    day: WarmDay, base: WorkingDay, order: WorkOrder, composition: Composition, *, may_displace: bool
) -> TeamOption | None:
    """The option of a composition for an order, with displaced work repaired; None where a hard rule forbids it.

    Args:
        base: the routes that the composition was made on.
        may_displace: as it was when the composition was made.
    """
    draft = _put_in(day, base, order, composition)
    if draft is None:
        return None
    cut: set[str] = set()
    for _ in range(MOST_CUTS):
        for held in (False, True):
            changes, standby = _changes(day, draft, order, held=held)
            judgement = judge(day, changes, standby)
            if not judgement.findings:
                return _option(day, draft, order, judgement, changes, standby)
        breakers = {str(f.params.get("work_order")) for f in judgement.findings} & draft.state.served.keys()
        breakers = draft.state.bound_with(breakers - {order.id}) if may_displace else set()
        if not breakers or order.id in breakers or breakers <= cut:
            return None
        if not all(draft.state.may_make_room(name, order) for name in breakers):
            return None
        cut |= breakers
        draft.state.take_out(breakers)
        draft = replace(draft, displaced=draft.displaced | breakers)
    return None


# -- repairing ---------------------------------------------------------------------------------------------------


def _put_in(day: WarmDay, base: WorkingDay, order: WorkOrder, composition: Composition) -> _Draft | None:
    state = base.fork()
    named = {name for member in composition.members if isinstance(member, Choice) for name in member.displaced}
    displaced = frozenset(state.bound_with(named))
    state.take_out(displaced)
    placed = []
    for member in composition.members:
        answer = state.routes[member.route].best_insertion(member.stint)
        if answer is None:
            return None
        placed.append(Placed(member.route, answer[1].position, member.stint))
    state.commit(Placement(order, composition.delta, tuple(placed), composition.duties))
    _repair(day, state, displaced)
    return _Draft(state, displaced)


def _repair(day: WarmDay, state: WorkingDay, displaced: frozenset[str]) -> None:
    """Give displaced work its cheapest place where that pays, the dearest to leave first, what waits for it after."""
    left = [day.problem.order_by_id[name] for name in sorted(displaced)]
    left.sort(key=lambda order: (-state.unserved_cost(order), order.id))
    while True:
        waiting = [order for order in left if state.bounds(order) is None]
        for order in left:
            placement = None if order in waiting else _best_place(day, state, order)
            if placement is not None:
                state.commit(placement)
        if not waiting or len(waiting) == len(left):
            break
        left = waiting
    placed = [day.problem.order_by_id[name] for name in sorted(displaced) if state.bound_with([name]) == {name}]
    # Each found its place before the others had theirs.
    for order in placed if 1 < len(placed) <= MOST_SOUGHT_AGAIN else ():
        if order.team is None:
            state.take_out([order.id])
            placement = _best_place(day, state, order)
            if placement is not None:
                state.commit(placement)


def _best_place(day: WarmDay, state: WorkingDay, order: WorkOrder) -> Placement | None:
    bounds = state.bounds(order)
    if bounds is None:
        return None
    if order.team is not None:
        found = EmergencyComposer(day, state, order, may_displace=False, without=state.spared).compose("cheapest")
        if not found or found[0].delta >= 0:
            return None
        [team] = found
        placed = tuple(Placed(member.route, member.insertion.position, member.stint) for member in team.members)
        return Placement(order, team.delta, placed, team.duties)
    best: Placement | None = None
    limit = state.unserved_cost(order)
    for least, index in likely_routes(day, state, order, bounds, REPAIR_ROUTES):
        below = 0 if best is None else best.delta
        if (index in state.changed and least - limit >= below) or not state.has_parts(order, (index,)):
            continue
        stint = plain_stint(day, state, order, index, bounds)
        if stint is None:
            continue
        engineer = state.routes[index].engineer.id
        company = state.company_cost(order, (engineer,), (engineer,)) - limit
        answer = cheapest_place(day, state, stint, index, bounds, below - company)
        if answer is not None:
            best = Placement(order, answer[0] + company, (Placed(index, answer[1].position, stint),))
    return best


# -- what changes ------------------------------------------------------------------------------------------------


def _changes(
    day: WarmDay, draft: _Draft, order: WorkOrder, *, held: bool
) -> tuple[Changes, dict[str, tuple[Member, ...]]]:
    """Changed routes and standby lists; the order's team starts as soon as all are there, or is `held` at its start."""
    changes: dict[ShiftKey, RouteSequence | None] = {}
    for index, sequence in draft.state.changed_sequences():
        key = draft.state.routes[index].key
        if sequence is not None and not held:
            sequence = _released(sequence, order.id)
        if sequence != day.sequence_of.get(key):
            changes[key] = sequence
    standby: dict[str, tuple[Member, ...]] = dict.fromkeys((order.id, *draft.displaced, *day.sequences.standby), ())
    for duty in draft.state.duties:
        standby[duty.order] = (*standby.get(duty.order, ()), duty.member)
    return changes, {name: people for name, people in standby.items() if people != day.sequences.standby.get(name, ())}


def _released(sequence: RouteSequence, order: str) -> RouteSequence:
    return replace(
        sequence,
        visits=tuple(
            visit if isinstance(visit, Rest) or visit.work_order != order else replace(visit, not_before=None)
            for visit in sequence.visits
        ),
    )


def _option(
    day: WarmDay,
    draft: _Draft,
    order: WorkOrder,
    judgement: Judgement,
    changes: Changes,
    standby: Mapping[str, tuple[Member, ...]],
) -> TeamOption:
    service = judgement.after[order.id]
    members = tuple(_members(day, draft, order, judgement))
    holders: list[tuple[Engineer, str | None]] = [(stop.engineer, stop.role) for stop in service.stops]
    total = round_half_up(Fraction(day.total_milli) / 1000)
    option = TeamOption(
        id="",
        order=order,
        best_for=(),
        members=members,
        standby=tuple(_standby(draft, order)),
        arrival=service.first_arrival,
        start=service.first_start,
        complete_at=max(stop.start for stop in service.on_site),
        restored_at=service.last_end,
        late_seconds=_late(service),
        chance_to_fix=chance_to_fix(order, holders),
        changes=_promise_changes(day, draft, order, judgement),
        total_change=round_half_up(Fraction(day.total_milli + judgement.delta_milli) / 1000) - total,
        cost_changes={rule: cost for rule, cost in judgement.by_rule.items() if cost},
        sequences=with_changes(day.sequences, changes, standby),
        routes=changes,
        waiting=standby,
    )
    return replace(option, id=_id(option))


def _id(option: TeamOption) -> str:
    """Names an option by what it does: the people with their times, and whatever else moves."""
    told = (
        option.order.id,
        [(m.engineer, m.shift, m.role, m.arrival, m.start, m.end) for m in option.members],
        [(m.engineer, m.role) for m in option.standby],
        [(c.work_order, None if c.after is None else (c.after.engineers, c.after.start)) for c in option.changes],
        option.total_change,
    )
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()[:12]


def _members(day: WarmDay, draft: _Draft, order: WorkOrder, judgement: Judgement) -> Iterable[ComingMember]:
    service = judgement.after[order.id]
    roles = [role.name for role in order.team.roles] if order.team is not None else []
    for stop in sorted(service.stops, key=lambda stop: (roles.index(stop.role or ""), stop.arrival, stop.engineer.id)):
        mine = _orders_of(day.sequence_of.get((stop.engineer.id, stop.shift.id)))
        yield ComingMember(
            engineer=stop.engineer.id,
            shift=stop.shift.id,
            role=stop.role or "",
            presence=stop.presence,
            departure=stop.arrival - stop.travel_seconds,
            travel_seconds=stop.travel_seconds,
            arrival=stop.arrival,
            start=stop.start,
            end=stop.end,
            called_from=tuple(name for name in mine if name in draft.displaced),
        )


def _standby(draft: _Draft, order: WorkOrder) -> Iterable[StandbyMember]:
    state = draft.state
    for duty in state.duties:
        if duty.order == order.id:
            route = state.routes[duty.route]
            there = state.arrival_on_call(duty, route.made(), route.end())
            yield StandbyMember(duty.member.engineer, duty.member.role or "", there)


def changes_between(
    before: Mapping[str, Service], after: Mapping[str, Service], *, apart_from: str, displaced: frozenset[str]
) -> tuple[PromiseChange, ...]:
    """Every order whose people or times differ between two plans, one order apart; the most grave first."""
    found = []
    for name, service in before.items():
        now = after.get(name)
        if name == apart_from or (now is not None and _is_as_before(service, now)):
            continue
        was, times = _times(service), None if now is None else _times(now)
        if times != was:
            found.append(PromiseChange(name, service.order.level, was, times, name in displaced))
    return tuple(sorted(found, key=lambda change: (change.level, not change.broken, change.work_order)))


def carried_over(problem: Problem, running: Sequences, option: TeamOption) -> Sequences | None:
    """The running sequences of a later instant with the option in them; None where its shifts or breaks are gone.

    Work that was finished meanwhile falls away; whether all of it still keeps the rules is for the caller to see.
    """
    routes: dict[ShiftKey, RouteSequence | None] = {}
    for key, route in option.routes.items():
        shift = problem.shift_by_key.get(key)
        if route is None:
            routes[key] = None
            continue
        visits = tuple(v for v in route.visits if isinstance(v, Rest) or v.work_order in problem.order_by_id)
        if shift is None or any(isinstance(v, Rest) and v.index >= len(shift.breaks) for v in visits):
            return None
        routes[key] = replace(route, visits=visits) if any(isinstance(v, Visit) for v in visits) else None
    waiting = {name: members for name, members in option.waiting.items() if name in problem.order_by_id}
    return with_changes(running, routes, waiting)


def _promise_changes(day: WarmDay, draft: _Draft, order: WorkOrder, judgement: Judgement) -> tuple[PromiseChange, ...]:
    changes = changes_between(judgement.before, judgement.after, apart_from=order.id, displaced=draft.displaced)
    return tuple(
        change
        if change.after is not None
        else replace(
            change, why_unassigned=_why_unassigned(day, draft.state, judgement.before[change.work_order].order)
        )
        for change in changes
    )


def _why_unassigned(day: WarmDay, state: WorkingDay, order: WorkOrder) -> str:
    if any(d.work_order is not None and d.work_order not in state.served for d in order.depends_on):
        return "PREDECESSOR_UNASSIGNED"
    bounds = state.bounds(order)
    if order.team is None and bounds is not None:
        for _, index in likely_routes(day, state, order, bounds, REPAIR_ROUTES):
            stint = plain_stint(day, state, order, index, bounds) if state.has_parts(order, (index,)) else None
            if stint is not None and state.routes[index].best_insertion(stint) is not None:
                return "COSTS_MORE"
    return "NO_ROOM"


def _is_as_before(before: Service, after: Service) -> bool:
    """Whether an order has the same stops at the same times: most of them do, and so are late by the same, too."""
    return before.order is after.order and _stops_of(before) == _stops_of(after)


def _stops_of(service: Service) -> list[tuple[str, str | None, int, int, int]]:
    return [(stop.engineer.id, stop.role, stop.arrival, stop.start, stop.end) for stop in service.stops]


def _times(service: Service) -> ServiceTimes:
    return ServiceTimes(
        engineers=tuple(sorted(service.engineers)),
        arrival=service.first_arrival,
        start=service.first_start,
        end=service.last_end,
        late_seconds=_late(service),
    )


def _late(service: Service) -> dict[str, int]:
    return {kind: sum(late) for kind, late in service.latenesses().items()}


def _orders_of(sequence: RouteSequence | None) -> list[str]:
    return [] if sequence is None else [v.work_order for v in sequence.visits if isinstance(v, Visit)]
