"""One plan under judgement: the facts, the plan and how the two meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from dispatcher.verification.document import Plan, Route, Stop, read_plan
from dispatcher.verification.facts import Engineer, Facts, Order, Requirement, read_facts
from dispatcher.verification.findings import Findings
from dispatcher.verification.qualification import Qualifier
from dispatcher.verification.travel import Legs


@dataclass(slots=True)
class Service:
    """One engineer's work stop for one order.

    `penalty` is the sum of its substitution penalties, known once its route was checked.
    """

    order: Order
    stop: Stop
    route: Route
    is_remote: bool
    penalty: Fraction = Fraction(0)

    @property
    def engineer(self) -> Engineer:
        return self.route.engineer

    def requirements(self) -> tuple[Requirement, ...]:
        role = self.order.role(self.stop.role)
        return self.order.requirements + (role.requirements if role else ())


@dataclass(slots=True)
class Case:
    facts: Facts
    legs: Legs
    qualifier: Qualifier
    plan: Plan
    findings: Findings
    services: dict[str, list[Service]] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Mapping[str, Any], plan: object) -> "Case":
        findings = Findings()
        facts = read_facts(problem)
        case = cls(facts, Legs(problem, facts.zone), Qualifier(problem), read_plan(plan, facts, findings), findings)
        for route in case.plan.routes:
            for stop in route.stops:
                if stop.order is not None:
                    service = Service(stop.order, stop, route, stop.order.is_remote(stop.role))
                    case.services.setdefault(stop.order.id, []).append(service)
        return case

    def on_site(self, order: Order) -> list[Service]:
        return [service for service in self.services.get(order.id, ()) if not service.is_remote]

    def first_start(self, order: Order) -> int | None:
        """The first on-site start: when the order, or its team, starts."""
        return min((service.stop.start for service in self.on_site(order)), default=None)

    def last_end(self, order: Order) -> int | None:
        """The last on-site end."""
        return max((service.stop.end for service in self.on_site(order)), default=None)

    def has_started(self, service: Service) -> bool:
        """Whether this is work of a running order that began before `now`.

        A member who joins a running team later is planned like anybody else.
        """
        return self.facts.is_running(service.order) and service.stop.start < self.facts.now

    def add_to_route(self, route: Route, rule: str, code: str, path: str, template: str, /, **params: Any) -> None:
        """A finding about one route; its message begins with the engineer and the shift."""
        self.findings.add(
            rule,
            code,
            path,
            "{engineer}/{shift}: " + template,
            engineer=route.engineer.id,
            shift=route.shift.id,
            **params,
        )

    def add_if_before_now(self, route: Route, at: int, path: str, what: str) -> None:
        if at < self.facts.now:
            clock = self.facts.clock
            self.add_to_route(
                route,
                "now",
                "BEFORE_NOW",
                path,
                "{what} at {stated}, but nothing can happen before now, {now}.",
                what=what,
                stated=clock(at),
                now=clock(self.facts.now),
            )
