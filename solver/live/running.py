"""What is left of the plan in force, as sequences that keep every hard rule from now on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dispatcher.documents import instant
from dispatcher.model import Engineer, Shift
from dispatcher.plan import Member, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem, ShiftKey
from solver.repair import without_breaches, without_orders
from solver.route_state import RouteState
from solver.stint import FAR_FUTURE, Stint, make_stint, unserved_cost

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Stay:
    """A work stop of the plan in force; `held` is the start of a team, `leaves` a departure that was held back,
    `agreed` the start of what other routes are tied to: teams, and orders that wait or are waited for."""

    order: str
    role: str | None
    held: int | None = None
    leaves: int | None = None
    agreed: int | None = None


def running_sequences(problem: Problem, routes: Iterable[Document], teams: Iterable[Document] = ()) -> Sequences:
    """The plan in force over the problem as it is now, every stop in the place it has.

    Running work comes first on its route and pinned work to its engineer; breaks still due are taken where that is
    cheapest. What can no longer be kept (a shift that is gone, a window that is missed) is left out, the work that
    costs least to leave first; nothing is moved in its stead.

    Args:
        problem: the problem as of now.
        routes: `routes` of the plan documents in force.
        teams: `teams` of them, for who stands by.
    """
    teams = list(teams)
    waiting = {member["engineer"] for team in teams for member in team.get("standby") or ()}
    stays = _stays(problem, routes, waiting)
    sizes = _sizes(problem, stays)
    found = []
    for key, items in stays.items():
        engineer, shift = problem.engineer_by_id[key[0]], problem.shift_by_key[key]
        sequence = _driven(problem, engineer, shift, items, sizes)
        if sequence is not None:
            found.append(sequence)
    served = {visit.work_order for route in found for visit in route.visits if isinstance(visit, Visit)}
    standby = {
        team["work_order"]: tuple(Member(member["engineer"], member.get("role")) for member in team["standby"])
        for team in teams
        if team.get("standby") and team["work_order"] in served and problem.order_by_id[team["work_order"]].team
    }
    standby = {name: known for name, members in standby.items() if (known := _known(problem, members))}
    sequences = Sequences(tuple(found), standby)
    # The scheduler times a team by those on site.
    at_site = {
        visit.work_order
        for route in found
        for visit in route.visits
        if isinstance(visit, Visit) and problem.order_by_id[visit.work_order].presence(visit.role) == "on_site"
    }
    return without_breaches(problem, without_orders(sequences, served - at_site))


def _known(problem: Problem, members: Iterable[Member]) -> tuple[Member, ...]:
    """Those of some members whom the problem still has."""
    return tuple(member for member in members if member.engineer in problem.engineer_by_id)


def _stays(problem: Problem, routes: Iterable[Document], waiting: set[str]) -> dict[ShiftKey, list[_Stay]]:
    """The work stops of every route that the problem still knows, each order where its pin wants it."""
    stays: dict[ShiftKey, list[_Stay]] = {}
    seen: set[str | tuple[str, str]] = set()
    # The members of a running team are where they are; only single work may have been begun out of turn.
    running = {order.id: order for order in problem.work_orders if problem.is_running(order) and order.team is None}
    waiting_for = {o.id: {d.work_order for d in o.depends_on if d.work_order} for o in problem.work_orders}
    tied = set().union(*waiting_for.values()) | {name for name, others in waiting_for.items() if others}
    for route in routes:
        key = (route["engineer"], route["shift"])
        if key not in problem.shift_by_key:
            continue
        free = 0
        for stop in route.get("stops") or ():
            before, free = free, _end_of(stop)
            order = problem.order_by_id.get(stop.get("work_order") or "")
            if stop["kind"] != "work_order" or order is None or order.id in running:
                continue
            if order.team is None and order.pin and order.pin.engineer != key[0]:
                continue
            # A plan made elsewhere may name an order twice.
            place = order.id if order.team is None else (order.id, key[0])
            if place in seen:
                continue
            seen.add(place)
            held = None if order.team is None else instant(stop["start"])
            agreed = instant(stop["start"]) if order.id in tied else held
            departure = instant(stop["arrival"]) - int(stop.get("travel_seconds") or 0)
            leaves = departure if key[0] in waiting and departure > before else None
            role = None if order.team is None else stop.get("role")
            stays.setdefault(key, []).append(_Stay(order.id, role, held, leaves, agreed))
    for order in running.values():
        assert order.pin is not None
        found = _shift_at_work(problem, order.pin.engineer, stays)
        if found is not None:
            stays.setdefault(found, []).insert(0, _Stay(order.id, None))
    return stays


def _shift_at_work(problem: Problem, engineer: str, stays: Mapping[ShiftKey, Sequence[_Stay]]) -> ShiftKey | None:
    """The shift in which an engineer is at work now."""
    shifts = problem.engineer_by_id[engineer].shifts if engineer in problem.engineer_by_id else ()
    live = sorted((shift.start, (engineer, shift.id)) for shift in shifts if shift.latest_end > problem.now)
    with_work = [key for _, key in live if key in stays]
    return next(iter(with_work or [key for _, key in live]), None)


def _sizes(problem: Problem, stays: Mapping[ShiftKey, Sequence[_Stay]]) -> dict[str, int]:
    """How many are on site for each order."""
    sizes: dict[str, int] = {}
    for items in stays.values():
        for item in items:
            present = problem.order_by_id[item.order].presence(item.role) == "on_site"
            sizes[item.order] = sizes.get(item.order, 0) + present
    return sizes


def _driven(
    problem: Problem, engineer: Engineer, shift: Shift, items: Sequence[_Stay], sizes: Mapping[str, int]
) -> RouteSequence | None:
    """The route with its breaks, without what keeps it from being possible; None where nothing is left."""
    kept: list[tuple[_Stay, Stint]] = []
    for item in items:
        order = problem.order_by_id[item.order]
        stint = make_stint(problem, engineer, order, item.role, max(1, sizes[item.order]))
        if stint is None:
            continue
        if problem.is_running(order) and not kept and order.pin is not None:
            stint = replace(stint, running_since=order.pin.start)
        elif item.held is not None:
            stint = stint.held(not_before=item.held, not_after=FAR_FUTURE)
        kept.append((item, stint))
    route = _in_time(problem, engineer, shift, kept)
    limit = len(kept) if shift.max_work_orders is None else shift.max_work_orders
    while kept and not (route.feasible and len(kept) <= limit):
        kept, route = _without_one(problem, route, kept, limit)
    stays = {item.order: item for item, _ in kept}
    visits: list[Visit | Rest] = []
    for made in route.made():
        if made.stint is None:
            visits.append(Rest(made.rest))
        else:
            stay = stays[made.stint.order.id]
            visits.append(Visit(stay.order, stay.role, stay.held, stay.leaves))
    return RouteSequence(engineer.id, shift.id, tuple(visits)) if kept else None


def _in_time(problem: Problem, engineer: Engineer, shift: Shift, kept: Sequence[tuple[_Stay, Stint]]) -> RouteState:
    """The route with its breaks where nobody else has to wait for them, as far as that can be."""
    stints = [stint for _, stint in kept]
    if any(stay.agreed is not None for stay, _ in kept):
        punctual = [
            stint
            if stay.agreed is None or stint.running_since is not None
            else stint.held(not_before=stay.agreed, not_after=stay.agreed)
            for stay, stint in kept
        ]
        route = RouteState.of(problem, engineer, shift, punctual)
        if route.feasible:
            return route
    return RouteState.of(problem, engineer, shift, stints)


def _without_one(
    problem: Problem, route: RouteState, kept: list[tuple[_Stay, Stint]], limit: int
) -> tuple[list[tuple[_Stay, Stint]], RouteState]:
    """The route without one of its orders: the cheapest one to leave whose leaving is enough, else the cheapest.

    Running work goes last of all, and pinned work only where nothing else is left.
    """

    def loss(place: int) -> tuple[bool, bool, int]:
        stint = kept[place][1]
        return stint.running_since is not None, stint.order.pin is not None, unserved_cost(problem, stint.order)

    places = sorted(range(len(kept)), key=loss)
    smaller = None
    for place in places:
        rest = [*kept[:place], *kept[place + 1 :]]
        trial = route.varied(route.shift, [stint for _, stint in rest])
        if trial.feasible and len(rest) <= limit:
            return rest, trial
        smaller = smaller or (rest, trial)
    assert smaller is not None
    return smaller


def _end_of(stop: Document) -> int:
    """When a stop is over; the way home has no end of its own."""
    text = stop.get("end") or stop.get("arrival")
    return 0 if text is None else instant(text)
