"""What a change of a few routes does to the whole plan, exactly, without driving and judging all of it.

The changed routes are driven with those that hold one of their orders, or one that a rule couples to them, all others
staying as they are; routes whose times turn out to move join the changed ones. What is left of the problem is then
driven and judged by the reference scheduler and evaluation, before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dispatcher.facts import Facts, Finding, Service, read_facts
from dispatcher.hard_rules import Breaches
from dispatcher.model import Exact
from dispatcher.objective import Weights
from dispatcher.plan import Member, Rest, Route, RouteSequence, Sequences, TeamAssignment, Visit
from dispatcher.problem import Problem, ShiftKey
from dispatcher.rules import HARD_RULES, SOFT_RULES
from dispatcher.schedule import build_plan
from dispatcher.soft_rules import mean_absolute_deviation
from solver.team_options.warm_day import WarmDay, busy_seconds_of, worst_lateness_of

OVER_ALL_ROUTES = frozenset({"fairness", "worst_lateness"})
"""Rules that no part of a plan can tell; the others are sums over routes, orders, pairs or engineers."""

Changes = Mapping[ShiftKey, RouteSequence | None]
"""What routes become, by shift; None without work."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of a change.

    Attributes:
        by_rule: what each rule's cost changes by, exact, in thousandths.
        findings: hard rules that the change would break; empty if it keeps all of them.
        before, after: services by order, for every order that may have changed; absent where it is unassigned.
        routes, teams: the routes and teams that may have changed, as they would be.
    """

    by_rule: Mapping[str, Exact]
    findings: tuple[Finding, ...]
    before: Mapping[str, Service]
    after: Mapping[str, Service]
    routes: Mapping[ShiftKey, Route]
    teams: Mapping[str, TeamAssignment]

    @property
    def delta_milli(self) -> Exact:
        """What the total changes by, exact, in thousandths."""
        return sum(self.by_rule.values(), start=0)


def with_changes(running: Sequences, changes: Changes, standby: Mapping[str, tuple[Member, ...]]) -> Sequences:
    """Sequences with some routes and standby lists exchanged; an empty list takes an order's away."""
    keys = {(route.engineer, route.shift) for route in running.routes}
    routes = [
        changed
        for route in running.routes
        if (changed := changes.get((route.engineer, route.shift), route)) is not None
    ]
    routes += [route for key, route in changes.items() if route is not None and key not in keys]
    waiting = {name: members for name, members in {**running.standby, **standby}.items() if members}
    return Sequences(tuple(routes), waiting)


def judge(day: WarmDay, changes: Changes, standby: Mapping[str, tuple[Member, ...]]) -> Judgement:
    """What the running plan of a day would be with these changes; see `with_changes` for the arguments."""
    inner = set(changes)
    while True:
        view = _View(day, changes, standby, inner)
        moved = view.moved()
        if not moved:
            return view.judgement()
        inner |= moved


class _View:
    """The part of a day that a change touches: `inner` routes may move, `outer` ones are seen to stay."""

    def __init__(
        self, day: WarmDay, changes: Changes, standby: Mapping[str, tuple[Member, ...]], inner: set[ShiftKey]
    ) -> None:
        self._day, self._changes, self._inner = day, changes, inner
        self._standby = {**day.sequences.standby, **standby}
        self._names = self._orders_on(inner, before=True) | self._orders_on(inner, before=False)
        people = {engineer for engineer, _ in inner}
        self._names |= {name for engineer in people for name in day.stands_by_for.get(engineer, ())}
        self._beside = {other for name in self._names for other in day.dependent.get(name, ())}
        self._outer = self._outer_routes(people)
        keys = inner | self._outer
        orders = self._orders_on(keys, before=True) | self._orders_on(keys, before=False)
        people = {engineer for engineer, _ in keys} | self._waiting(orders)
        problem = day.problem
        self._part: Problem = problem.part(
            [problem.engineer_by_id[name] for name in sorted(people)],
            [problem.order_by_id[name] for name in sorted(orders)],
        )
        self._after = build_plan(self._part, self._sequences())

    def moved(self) -> set[ShiftKey]:
        """Outer routes whose times are not what they were."""
        now = {(route.engineer, route.shift): route for route in self._after.routes}
        return {key for key in self._outer if now[key].stops != self._day.routes[key].stops}

    def judgement(self) -> Judgement:
        after = read_facts(self._part, self._after)
        findings = tuple(finding for rule in HARD_RULES for finding in self._own(after, rule.breaches))
        old, new = self._at_stake(self._day.facts), self._at_stake(after)
        return Judgement(
            by_rule=_difference(old, new) | self._over_all_routes(after),
            findings=findings,
            before={name: service for name, service in old.services.items() if name in self._names},
            after={name: service for name, service in new.services.items() if name in self._names},
            routes={(r.engineer, r.shift): r for r in self._after.routes if (r.engineer, r.shift) in self._inner},
            teams={team.work_order: team for team in self._after.teams if team.work_order in self._names},
        )

    def _at_stake(self, facts: Facts) -> Facts:
        """What a change can make differ: the routes of its people, the orders at stake, and what is related to them.

        All other orders have the same services in any case, and so cost the same.
        """
        day, people = self._day, {engineer for engineer, _ in self._inner}
        related = {other for name in self._names for other in day.related.get(name, ())} - self._names
        services = {name: day.facts.services[name] for name in related & day.facts.services.keys()}
        services |= {name: facts.services[name] for name in self._names & facts.services.keys()}
        names = sorted(self._names | related)
        problem = self._part.part(self._part.engineers, [day.problem.order_by_id[name] for name in names])
        if facts is day.facts:
            keys = [key for key in day.shifts_of(people) if key in day.route_facts]
            routes = tuple(day.route_facts[key] for key in keys)
        else:
            routes = tuple(route for route in facts.routes if route.engineer.id in people)
        unserved = tuple(order for order in problem.work_orders if order.id not in services)
        return Facts(problem, facts.plan, routes, services, facts.teams, unserved)

    # -- what belongs to the part ------------------------------------------------------------------------------

    def _orders_on(self, keys: Iterable[ShiftKey], *, before: bool) -> set[str]:
        found: set[str] = set()
        for key in keys:
            route = self._day.sequence_of.get(key)
            if not before and key in self._changes:
                route = self._changes[key]
            if route is not None:
                found.update(visit.work_order for visit in route.visits if isinstance(visit, Visit))
        return found

    def _outer_routes(self, people: set[str]) -> set[ShiftKey]:
        day = self._day
        outer = {key for name in self._names | self._beside for key in day.keys_of.get(name, ())}
        others = people | self._waiting(self._names)
        outer |= {key for key in day.shifts_of(others) if key in day.routes}
        while True:
            # A team is seen whole where only its remote members would be.
            lacking = {
                key
                for name in self._orders_on(outer, before=True) - self._names
                if outer.isdisjoint(day.on_site_keys[name])
                for key in day.keys_of[name]
            }
            if lacking <= outer:
                return outer - self._inner
            outer |= lacking

    def _waiting(self, orders: Iterable[str]) -> set[str]:
        """Who stands by for these orders, before or after."""
        lists = (self._standby, self._day.sequences.standby)
        return {member.engineer for name in orders for standby in lists for member in standby.get(name, ())}

    # -- before and after --------------------------------------------------------------------------------------

    def _sequences(self) -> Sequences:
        inner = [self._changes[key] if key in self._changes else self._day.sequence_of[key] for key in self._inner]
        outer = [self._held(key) for key in sorted(self._outer)]
        standby = {name: members for name, members in self._standby.items() if name in self._part.order_by_id}
        return Sequences(tuple([route for route in inner if route is not None] + outer), standby)

    def _held(self, key: ShiftKey) -> RouteSequence:
        """An outer route with its stops no earlier than they are; orders at stake, or coupled to them, may move."""
        free = self._names | self._beside
        starts = {stop.work_order: stop.start for stop in self._day.routes[key].stops if stop.work_order}
        visits = tuple(
            visit
            if isinstance(visit, Rest) or visit.work_order in free
            else replace(visit, not_before=starts[visit.work_order])
            for visit in self._day.sequence_of[key].visits
        )
        return replace(self._day.sequence_of[key], visits=visits)

    def _own(self, facts: Facts, breaches: Breaches) -> Iterable[Finding]:
        """What a rule finds about the routes and orders at stake; others are seen in part only."""
        for finding in breaches(facts):
            name = finding.params.get("work_order")
            key = (finding.params.get("engineer"), finding.params.get("shift"))
            if name in self._names or (name is None and key in self._inner):
                yield finding

    def _over_all_routes(self, after: Facts) -> dict[str, Exact]:
        """What the rules over all routes change by, in thousandths."""
        day, weights = self._day, self._day.problem.weights
        changes: dict[str, Exact] = {}
        if weights.of("fairness"):
            busy = dict(day.busy_seconds)
            for key in self._inner:
                busy[key[0]] += busy_seconds_of(after.route_of(key)) - busy_seconds_of(day.route_facts.get(key))
            unfair = mean_absolute_deviation(list(busy.values()))
            unfair -= mean_absolute_deviation(list(day.busy_seconds.values()))
            changes["fairness"] = weights.of("fairness") * unfair
        if weights.of("worst_lateness"):
            late = {name: seconds for name, seconds in day.worst_lateness.items() if name not in self._names}
            late |= {name: worst_lateness_of(after.services[name]) for name in self._names & after.services.keys()}
            worst = max(late.values(), default=0) - max(day.worst_lateness.values(), default=0)
            changes["worst_lateness"] = weights.of("worst_lateness") * worst
        return changes


def _difference(before: Facts, after: Facts) -> dict[str, Exact]:
    """What the rules that parts can tell change by, rule by rule, in thousandths."""
    weights = after.problem.weights
    changes: dict[str, Exact] = {}
    for rule in SOFT_RULES:
        if rule.name in OVER_ALL_ROUTES or not _has_weight(weights, rule.name):
            continue
        for facts, sign in ((after, 1), (before, -1)):
            for level, amount in rule.measure(facts).items():
                changes[rule.name] = changes.get(rule.name, 0) + sign * amount * weights.of(rule.name, level)
    return changes


def _has_weight(weights: Weights, rule: str) -> bool:
    return any(weights.by_level[rule].values()) if rule in weights.by_level else bool(weights.of(rule))
