"""Who holds which skill, at what price: section 5 of the planning document."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dispatcher.verification.facts import Engineer, Requirement
from dispatcher.verification.values import listed, mapped, number

_MOST_USEFUL_LOSS = 4
"""Levels run from 1 to 5, so a path that loses more never qualifies anybody."""


@dataclass(frozen=True, slots=True)
class Relation:
    source: str
    target: str
    loss: int
    penalty: Fraction
    factor: Fraction


@dataclass(frozen=True, slots=True)
class Match:
    """What an engineer's skills make of a list of requirements."""

    missing: tuple[Requirement, ...]
    penalty: Fraction
    factor: Fraction


_Price = tuple[Fraction, Fraction]
"""(sum of penalties, product of factors). Hops only break ties between equal prices, which change nothing."""
_FREE: _Price = (Fraction(0), Fraction(1))


class Qualifier:
    """Finds the cheapest path through the skill graph from what is held to what is required."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self._into: dict[str, list[Relation]] = {}
        for raw in listed(mapped(problem.get("skill_graph")).get("relations")):
            relation = _relation(raw)
            self._into.setdefault(relation.target, []).append(relation)
        relations = [relation for into in self._into.values() for relation in into]
        self._detours_never_pay = all(relation.factor >= 1 for relation in relations)
        self._circles_never_pay = not _has_paying_circle(relations)
        self._sources: dict[str, dict[tuple[str, int], _Price]] = {}
        self._holdings: dict[tuple[str, Requirement], list[tuple[_Price, int | None]]] = {}

    def match(self, engineer: Engineer, requirements: Iterable[Requirement], at: int) -> Match:
        missing: list[Requirement] = []
        penalty, factor = _FREE
        for requirement in requirements:
            price = self._price(engineer, requirement, at)
            if price is None:
                missing.append(requirement)
            elif price != _FREE:
                penalty += price[0]
                factor *= price[1]
        return Match(tuple(missing), penalty, factor)

    def _price(self, engineer: Engineer, requirement: Requirement, at: int) -> _Price | None:
        key = (engineer.id, requirement)
        if key not in self._holdings:
            self._holdings[key] = self._ways(engineer, requirement)
        for price, valid_until in self._holdings[key]:
            if valid_until is None or valid_until >= at:
                return price
        return None

    def _ways(self, engineer: Engineer, requirement: Requirement) -> list[tuple[_Price, int | None]]:
        """Every (price, valid until) at which the engineer qualifies, cheapest first."""
        ways = [
            (price, held.valid_until)
            for held in engineer.skills
            for (source, loss), price in self._paths_to(requirement.skill).items()
            if source == held.skill and held.level - loss >= requirement.level
        ]
        return sorted(ways, key=lambda way: way[0])

    def _paths_to(self, skill: str) -> dict[tuple[str, int], _Price]:
        """The cheapest price from each skill to this one, by the levels lost on the way."""
        if skill not in self._sources:
            search = self._every_simple_path
            if self._detours_never_pay:
                search = self._cheapest_first
            elif self._circles_never_pay:
                search = self._until_nothing_improves
            self._sources[skill] = search(skill)
        return self._sources[skill]

    def _cheapest_first(self, skill: str) -> dict[tuple[str, int], _Price]:
        """Dijkstra over (skill, levels lost); right because no relation makes a path cheaper."""
        best: dict[tuple[str, int], _Price] = {}
        queue: list[tuple[Fraction, Fraction, int, str]] = [(Fraction(0), Fraction(1), 0, skill)]
        while queue:
            penalty, factor, loss, reached = heapq.heappop(queue)
            if (reached, loss) in best:
                continue
            best[reached, loss] = (penalty, factor)
            for relation in self._into.get(reached, ()):
                if loss + relation.loss <= _MOST_USEFUL_LOSS:
                    heapq.heappush(
                        queue,
                        (
                            penalty + relation.penalty,
                            factor * relation.factor,
                            loss + relation.loss,
                            relation.source,
                        ),
                    )
        return best

    def _until_nothing_improves(self, skill: str) -> dict[tuple[str, int], _Price]:
        """Bellman-Ford over (skill, levels lost): a step may make a path cheaper, but no circle does."""
        best: dict[tuple[str, int], _Price] = {(skill, 0): (Fraction(0), Fraction(1))}
        waiting = [(skill, 0)]
        while waiting:
            following: dict[tuple[str, int], None] = {}
            for reached, loss in waiting:
                penalty, factor = best[reached, loss]
                for relation in self._into.get(reached, ()):
                    place = (relation.source, loss + relation.loss)
                    price = (penalty + relation.penalty, factor * relation.factor)
                    if place[1] <= _MOST_USEFUL_LOSS and (place not in best or price < best[place]):
                        best[place] = price
                        following[place] = None
            waiting = list(following)
        return best

    def _every_simple_path(self, skill: str) -> dict[tuple[str, int], _Price]:
        """Needed where a factor below 1 would let a path grow cheaper by going round in circles."""
        best: dict[tuple[str, int], _Price] = {}
        stack = [(skill, 0, (Fraction(0), Fraction(1)), frozenset({skill}))]
        while stack:
            reached, loss, price, seen = stack.pop()
            if (reached, loss) not in best or price < best[reached, loss]:
                best[reached, loss] = price
            for relation in self._into.get(reached, ()):
                if relation.source not in seen and loss + relation.loss <= _MOST_USEFUL_LOSS:
                    dearer = (price[0] + relation.penalty, price[1] * relation.factor)
                    stack.append((relation.source, loss + relation.loss, dearer, seen | {relation.source}))
        return best


def _has_paying_circle(relations: Iterable[Relation]) -> bool:
    """Whether some free relation with a factor below 1 lies on a circle of free relations."""
    free: dict[str, set[str]] = {}
    quicker: list[Relation] = []
    for relation in relations:
        if relation.penalty == 0:
            free.setdefault(relation.source, set()).add(relation.target)
            if relation.factor < 1:
                quicker.append(relation)
    for relation in quicker:
        seen, waiting = {relation.target}, [relation.target]
        while waiting:
            for target in free.get(waiting.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        if relation.source in seen:
            return True
    return False


def _relation(raw: Mapping[str, Any]) -> Relation:
    free = raw.get("type") == "implies"
    factor = None if free else number(raw.get("duration_factor"))
    return Relation(
        source=raw["from"],
        target=raw["to"],
        loss=int(number(raw.get("level_loss")) or 0),
        penalty=Fraction(0) if free else number(raw.get("penalty")) or Fraction(0),
        factor=Fraction(1) if factor is None else factor,
    )
