"""The registry of ways to tamper with the checker's day."""

from collections.abc import Callable
from dataclasses import dataclass, field

from dispatcher.verify import Verdict, verify
from tests.verify_day import Json, day_plan, day_problem, engineer, order, route, stops


@dataclass(frozen=True, slots=True)
class Day:
    """A right problem and plan, to be tampered with."""

    problem: Json = field(default_factory=day_problem)
    plan: Json = field(default_factory=day_plan)

    def engineer(self, name: str) -> Json:
        return engineer(self.problem, name)

    def order(self, name: str) -> Json:
        return order(self.problem, name)

    def route(self, name: str) -> Json:
        return route(self.plan, name)

    def stops(self, name: str) -> list[Json]:
        return stops(self.plan, name)

    def judge(self) -> Verdict:
        return verify(self.problem, self.plan)


Tamper = Callable[[Day], None]

TAMPERINGS: dict[str, tuple[Tamper, str, str]] = {}
"""By name: what to do, and the rule and the code of the finding it must cause."""


def breaks(rule: str, code: str) -> Callable[[Tamper], Tamper]:
    """Registers a way to tamper under its function's name."""

    def register(tamper: Tamper) -> Tamper:
        TAMPERINGS[tamper.__name__] = (tamper, rule, code)
        return tamper

    return register
