"""A last guard of an engine's result: what breaks a hard rule is taken out, never returned."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.evaluate import breaches
from dispatcher.facts import Finding
from dispatcher.plan import Plan, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan


def without_breaches(problem: Problem, sequences: Sequences) -> Sequences:
    """The sequences with the orders taken out that the evaluation finds in breach of a hard rule.

    Engines hold bounds that keep routes apart from each other; where the earliest schedule of all routes together
    still breaks a rule, the orders concerned are left undone instead. Ends with a feasible plan, if need be empty.
    """
    while True:
        plan = build_plan(problem, sequences)
        findings = breaches(problem, plan)
        if not findings:
            return sequences
        culprits = {str(f.params["work_order"]) for f in findings if f.params.get("work_order")}
        for finding in findings:
            if finding.rule == "parts":
                culprits |= _without_parts(problem, plan, str(finding.params["part"]))
        culprits &= {stop.work_order for route in plan.routes for stop in route.stops if stop.work_order}
        if not culprits:
            culprits = set(_last_orders(plan, findings))
        sequences = without_orders(sequences, culprits)


def _without_parts(problem: Problem, plan: Plan, part: str) -> set[str]:
    """The last order of every route that needs more of a part by itself than it carries; else the last one for which
    a team has too few."""
    last: list[str] = []
    short: set[str] = set()
    for route in plan.routes:
        orders = [problem.order_by_id[stop.work_order] for stop in route.stops if stop.work_order]
        needing = [order for order in orders if order.parts.get(part)]
        singles = [order for order in needing if order.team is None]
        stock = problem.engineer_by_id[route.engineer].parts.get(part, 0)
        if sum(order.parts[part] for order in singles) > stock:
            short.add(singles[-1].id)
        last += [order.id for order in needing]
    return short or set(last[-1:])


def _last_orders(plan: Plan, findings: Iterable[Finding]) -> list[str]:
    """The last work stop of every route in breach; of every route where none is named."""
    named = {(str(f.params["engineer"]), str(f.params["shift"])) for f in findings if f.params.get("shift")}
    return [
        [stop.work_order for stop in route.stops if stop.work_order][-1]
        for route in plan.routes
        if not named or (route.engineer, route.shift) in named
    ]


def served_by(sequences: Sequences) -> set[str]:
    """The orders that somebody is sent to."""
    return {visit.work_order for route in sequences.routes for visit in route.visits if isinstance(visit, Visit)}


def without_orders(sequences: Sequences, orders: set[str]) -> Sequences:
    """The sequences without these orders, their standby and the routes that are empty then."""
    routes = []
    for route in sequences.routes:
        visits = tuple(v for v in route.visits if isinstance(v, Rest) or v.work_order not in orders)
        if any(isinstance(visit, Visit) for visit in visits):
            routes.append(RouteSequence(route.engineer, route.shift, visits))
    standby = {order: members for order, members in sequences.standby.items() if order not in orders}
    return Sequences(tuple(routes), standby)
