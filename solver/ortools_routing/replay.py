"""From the routes OR-Tools found back to a day of our own: exact times, exact costs, every hard rule kept.

The routes are replayed into a state of the day that holds the kept work. Breaks find their exact places again,
traffic its exact times; what then does not fit is placed where it costs least, or left. Who stands by is chosen
again where other work has taken somebody too far away.
"""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.facts import Facts, Service, read_facts
from dispatcher.model import WorkOrder
from dispatcher.plan import Member, Sequences
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from dispatcher.team_rules import standby_gaps
from solver.budget import Budget
from solver.construction import IN_SEQUENCE, Construction
from solver.day_state import DayState, Placed, Placement, Price
from solver.ortools_routing.day import Day, Served
from solver.repair import without_breaches
from solver.route_state import Insertion
from solver.stint import FAR_FUTURE, FAR_PAST, make_stint


def exact_sequences(day: Day, routes: list[list[Served]], budget: Budget) -> Sequences:
    """Feasible sequences of the routes of a solution (orders by vehicle); once the budget is used no more is placed."""
    free = _replayed(day, routes, budget, keeps_standby=False).sequences()
    found = _with_standby(day.problem, free, {**day.standby, **free.standby})
    if found is None:
        found = _replayed(day, routes, budget, keeps_standby=True).sequences()
    return without_breaches(day.problem, found)


def _replayed(day: Day, routes: list[list[Served]], budget: Budget, *, keeps_standby: bool) -> DayState:
    """The kept work with the routes put in.

    The dearest orders come first, each between those of its route that are already there, so that it is the cheap
    ones that give way where not all fit.
    """
    state = DayState.of_plan(day.problem, day.kept_plan)
    if not keeps_standby:
        state.duties.clear()
    orders = day.problem.order_by_id
    ranks = {name: (vehicle, rank) for vehicle, route in enumerate(routes) for rank, (name, _) in enumerate(route)}
    # What another order follows within a time may have to wait for it; the rest is as early as it can be.
    followed = {wait.order for node in day.nodes for wait in node.waits if wait.most is not None}
    waiting = [orders[name] for name in ranks if name not in state.served]
    waiting.sort(key=lambda order: -state.unserved_cost(order))
    while waiting:
        # Who waits for another order comes after it, whatever it is worth.
        ready = [order for order in waiting if state.bounds(order) is not None]
        waiting = [order for order in waiting if order not in ready] if ready else []
        for order in ready:
            if budget.stopped():
                return state
            vehicle, rank = ranks[order.id]
            own = {name: rank for rank, (name, _) in enumerate(routes[vehicle])}
            index = day.vehicles[vehicle].route
            not_before = routes[vehicle][rank][1] if order.id in followed else FAR_PAST
            _place(state, order, index, _between(state, index, own, rank), not_before)
    Construction(state, budget, IN_SEQUENCE, lambda served: None).run()
    return state


def _between(state: DayState, index: int, ranks: Mapping[str, int], rank: int) -> range:
    """The positions of a route behind the work that ranks before an order and in front of what ranks behind it.

    Work without a rank is running or remote: the first cannot be preceded, the other has a time of its own.
    """
    route = state.routes[index]
    first, last = int(route.is_running), len(route.stints)
    for place, stint in enumerate(route.stints):
        other = ranks.get(stint.order.id)
        if other is not None and other < rank:
            first = max(first, place + 1)
        elif other is not None:
            last = min(last, place)
    return range(first, last + 1)


def _place(state: DayState, order: WorkOrder, index: int, positions: range, not_before: int) -> None:
    """Put an order into a route at the best of some positions, if one is feasible."""
    bounds = state.bounds(order)
    stint = make_stint(state.problem, state.routes[index].engineer, order)
    if bounds is None or stint is None or not state.has_parts(order, (index,)):
        return
    stint = stint.held(not_before=not_before, not_after=FAR_FUTURE)
    if order.depends_on:
        stint = stint.held(not_before=bounds[0], not_after=bounds[1])
    found = state.routes[index].best_insertion(stint, price=_price(state, index, positions))
    if found is not None:
        state.commit(Placement(order, found[0], (Placed(index, found[1].position, stint),)))


def _price(state: DayState, index: int, positions: range) -> Price:
    """The price of an insertion, at these positions only."""
    price = state.price_for(index)
    own_cost = state.routes[index].cost

    def at_positions(insertion: Insertion) -> int | None:
        if insertion.position not in positions:
            return None
        return insertion.label.cost - own_cost if price is None else price(insertion)

    return at_positions


# -- standby -----------------------------------------------------------------------------------------------------


def _with_standby(problem: Problem, sequences: Sequences, before: Mapping[str, tuple[Member, ...]]) -> Sequences | None:
    """The sequences with somebody on standby where a team asks for it, who it was before if they still can.

    None where a role finds nobody.
    """
    facts = read_facts(problem, build_plan(problem, sequences))
    standby: dict[str, tuple[Member, ...]] = {}
    for name, members in before.items():
        service = facts.services.get(name)
        if service is None:
            continue
        if problem.is_running(service.order):
            standby[name] = members
            continue
        chosen: list[Member] = []
        for member in members:
            # Those who stood by so far come first, in their own role; nobody holds two roles.
            names = [member.engineer, *(engineer.id for engineer in problem.engineers)]
            taken = service.engineers | {other.engineer for other in (*members, *chosen)} - {member.engineer}
            able = (n for n in names if n not in taken and _can_stand_by(facts, service, n, member.role))
            engineer = next(able, None)
            if engineer is None:
                return None
            chosen.append(Member(engineer, member.role))
        standby[name] = tuple(chosen)
    return Sequences(sequences.routes, standby)


def _can_stand_by(facts: Facts, service: Service, engineer: str, role_name: str | None) -> bool:
    role = service.order.team.role(role_name) if service.order.team else None
    if role is None or not service.order.admits(engineer):
        return False
    return not any(standby_gaps(facts, facts.problem.engineer_by_id[engineer], role, service))
