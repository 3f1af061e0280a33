"""What a plan costs, recomputed from its stops: section 9 of the planning document."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from dispatcher.verification.case import Case, Service
from dispatcher.verification.document import StatedTerm
from dispatcher.verification.facts import Order
from dispatcher.verification.findings import Term
from dispatcher.verification.values import half_up, instant, listed, mapped, number, plain

_LEVELS = ("L1", "L2", "L3", "L4")
_LATE = ("late_arrival", "late_start", "late_restore")
_LATE_ONCE = tuple(f"{rule}_once" for rule in _LATE)
_BY_LEVEL = dict.fromkeys(_LATE, ("10", "3", "0.5", "0.1")) | dict.fromkeys(
    _LATE_ONCE, ("36000", "10800", "2880", "720")
)
_FLAT = {
    "unserved": "1",
    "travel": "1",
    "distance": "0",
    "overtime": "2",
    "substitution": "1",
    "preference": "600",
    "association": "900",
    "change": "1800",
    "change_shift": "0.2",
    "worst_lateness": "0",
    "fairness": "0",
    "engineers_used": "0",
    "repeat_visit": "0",
}
_RULES = ("unserved", *_LATE, *_LATE_ONCE, *(rule for rule in _FLAT if rule != "unserved"))
_UNITS = {"distance": "m"} | dict.fromkeys(
    (*_LATE, "travel", "overtime", "change_shift", "worst_lateness", "fairness", "repeat_visit"), "s"
)
_LATE_FACTOR = {"sla_first": Fraction(10), "cost_first": Fraction(1, 2)}
_PROFILES: dict[str, dict[str, int]] = {
    "sla_first": {"unserved": 2},
    "cost_first": {"travel": 2, "overtime": 4},
    "stable": {"change": 7200, "change_shift": 1},
}
_UNMOVED_SECONDS = 900
"""A start that moved by less than this did not move, for `change_shift`."""

_Weight = dict[str, Fraction]
"""By level; the same at every level for the rules that know none."""


def read_weights(objective: Mapping[str, Any]) -> dict[str, _Weight]:
    """The profile's weights, with single ones overridden, in whole thousandths."""
    profile = objective.get("profile") or "balanced"
    late_factor = _LATE_FACTOR.get(profile, Fraction(1))
    weights: dict[str, _Weight] = {
        rule: {level: Fraction(base) * late_factor for level, base in zip(_LEVELS, bases, strict=True)}
        for rule, bases in _BY_LEVEL.items()
    }
    for rule, base in _FLAT.items():
        weights[rule] = _same(Fraction(_PROFILES.get(profile, {}).get(rule, Fraction(base))))
    for rule, given in mapped(objective.get("weights")).items():
        single = number(given)
        if single is not None:
            weights[rule] = _same(single)
        for level, value in mapped(given).items():
            exact = number(value)
            if exact is not None:
                weights[rule][level] = exact
    return {
        rule: {level: Fraction(half_up(value * 1000), 1000) for level, value in weight.items()}
        for rule, weight in weights.items()
    }


def _same(value: Fraction) -> _Weight:
    return dict.fromkeys(_LEVELS, value)


def recompute(case: Case, problem: Mapping[str, Any]) -> tuple[tuple[Term, ...], int]:
    """Every term whose amount is not zero, and the total."""
    return _Score(case, problem).terms()


class _Score:
    def __init__(self, case: Case, problem: Mapping[str, Any]) -> None:
        self._case = case
        self._weights = read_weights(mapped(problem.get("objective")))
        self._current = mapped(problem.get("current_plan"))
        self._amounts: dict[str, dict[str, Fraction | int]] = {rule: {} for rule in _RULES}
        self._worst_lateness = 0

    def terms(self) -> tuple[tuple[Term, ...], int]:
        for order in self._case.facts.orders.values():
            self._order(order)
        self._routes()
        self._association()
        self._changes()
        self._count("worst_lateness", self._worst_lateness)
        found = [self._term(rule) for rule in _RULES]
        total = half_up(sum((cost for _, _, cost in found), Fraction(0)))
        return tuple(term for term in found if term[1] != 0), total

    def _count(self, rule: str, amount: Fraction | int, level: str = "L4") -> None:
        if amount:
            by_level = self._amounts[rule]
            by_level[level] = by_level.get(level, 0) + amount

    def _term(self, rule: str) -> Term:
        """What a rule counts in all, and what that costs at the weights of the levels."""
        weights, by_level = self._weights[rule], self._amounts[rule]
        cost = sum((amount * weights[level] for level, amount in by_level.items()), Fraction(0))
        return rule, Fraction(sum(by_level.values())), cost

    def _order(self, order: Order) -> None:
        case = self._case
        on_site = case.on_site(order)
        if not case.services.get(order.id):
            end = case.facts.horizon_end
            self._count("unserved", order.value)
            self._lateness(order, arrival=end, starts=(end,), end=end)
            return
        for service in case.services[order.id]:
            self._count("substitution", service.penalty)
        if not on_site:
            return
        worst = self._lateness(
            order,
            arrival=min(service.stop.arrival for service in on_site),
            starts=[service.stop.start for service in on_site],
            end=max(service.stop.end for service in on_site),
        )
        self._worst_lateness = max(self._worst_lateness, worst)
        if order.preferred and any(service.engineer.id not in order.preferred for service in on_site):
            self._count("preference", 1)
        self._count("repeat_visit", _repeat_visit(order, case.services[order.id]))

    def _lateness(self, order: Order, *, arrival: int, starts: Iterable[int], end: int) -> int:
        """Counts the three kinds of lateness; returns the largest of them, of one member each."""
        late_starts = [_beyond(start, order.start_by) for start in starts]
        amounts = (_beyond(arrival, order.arrive_by), sum(late_starts), _beyond(end, order.restore_by))
        for rule, once, amount in zip(_LATE, _LATE_ONCE, amounts, strict=True):
            self._count(rule, amount, order.level)
            self._count(once, int(amount > 0), order.level)
        return max(amounts[0], *late_starts, amounts[2])

    def _routes(self) -> None:
        case = self._case
        busy: dict[str, int] = {name: 0 for name, engineer in case.facts.engineers.items() if engineer.shifts}
        used: set[str] = set()
        for route in case.plan.routes:
            name, place = route.engineer.id, ""
            for stop in route.stops:
                self._count("travel", stop.travel_seconds)
                busy[name] += stop.travel_seconds
                if stop.order is not None:
                    used.add(name)
                    busy[name] += stop.end - stop.start
                goes_to = _goes_to(stop.order, stop.role, stop.kind, stop.location, place)
                if place:
                    self._count("distance", case.legs.meters(place, goes_to) or 0)
                place = goes_to
            if route.stops:
                self._count("overtime", max(0, route.end - route.shift.end))
        self._count("engineers_used", len(used))
        if busy:
            mean = Fraction(sum(busy.values()), len(busy))
            deviation = sum((abs(seconds - mean) for seconds in busy.values()), Fraction(0)) / len(busy)
            self._count("fairness", half_up(deviation))

    def _association(self) -> None:
        case = self._case
        engineers = {
            order.id: {service.engineer.id for service in case.on_site(order)} for order in case.facts.orders.values()
        }
        pairs = {
            frozenset((order.id, other))
            for order in case.facts.orders.values()
            for other in order.related_to
            if other != order.id and case.services.get(order.id) and case.services.get(other)
        }
        for pair in pairs:
            one, other = (engineers[name] for name in pair)
            self._count("association", int(one.isdisjoint(other)))

    def _changes(self) -> None:
        case = self._case
        for name, before in _served_in(self._current, case.facts.orders).items():
            services = case.services.get(name)
            if not services:
                continue
            order = case.facts.orders[name]
            if {service.engineer.id for service in services} != {engineer for engineer, _, _ in before}:
                self._count("change", 1)
            starts = [start for _, role, start in before if start is not None and not order.is_remote(role)]
            first = case.first_start(order)
            if starts and first is not None:
                self._count("change_shift", max(0, abs(first - min(starts)) - _UNMOVED_SECONDS))


def _goes_to(order: Order | None, role: str | None, kind: str, location: str, place: str) -> str:
    if order is not None:
        return place if order.is_remote(role) else order.location
    return place if kind == "break" else location


def _repeat_visit(order: Order, services: Iterable[Service]) -> int:
    """Seconds to be expected for coming again: the leads answer for it, or everybody where there is none."""
    chances: dict[bool, list[Fraction | int]] = {}
    for service in services:
        of_skills = [service.engineer.fix_probability.get(needed.skill, 1) for needed in service.requirements()]
        chances.setdefault(service.stop.role == "lead", []).append(min(of_skills, default=1))
    return half_up(order.service_seconds * (1 - max(chances[max(chances)])))


def _beyond(at: int, deadline: int | None) -> int:
    return 0 if deadline is None else max(0, at - deadline)


def _served_in(
    plan: Mapping[str, Any], orders: Mapping[str, Order]
) -> dict[str, list[tuple[str, str | None, int | None]]]:
    """(engineer, role, start) of every work stop of a plan, by the orders that this problem still has."""
    served: dict[str, list[tuple[str, str | None, int | None]]] = {}
    for route in listed(plan.get("routes")):
        for stop in listed(route.get("stops")):
            name = stop.get("work_order")
            if stop.get("kind") == "work_order" and name in orders:
                served.setdefault(name, []).append((route["engineer"], stop.get("role"), instant(stop.get("start"))))
    return served


def check_stated_score(case: Case, terms: tuple[Term, ...], total: int) -> None:
    stated = case.plan.score
    if stated is None:
        return
    expected = {rule: (amount, cost) for rule, amount, cost in terms}
    seen: set[str] = set()
    for term in stated.terms:
        if term.rule not in _RULES:
            _add(case, "UNKNOWN_RULE", f"{term.path}.rule", "There is no rule {rule} to score.", rule=term.rule)
            continue
        if term.rule in seen:
            _add(case, "TERM_TWICE", term.path, "The term {rule} is stated more than once.", rule=term.rule)
        seen.add(term.rule)
        amount, cost = expected.get(term.rule, (Fraction(0), Fraction(0)))
        _compare(case, term, "amount", term.amount, term.amount_as_written, amount)
        _compare(case, term, "cost", term.cost, term.cost_as_written, cost)
        unit = _UNITS.get(term.rule)
        if term.unit is not None and unit is not None and term.unit != unit:
            message = "The amount of {rule} is in {expected}, not in {stated}."
            path = f"{term.path}.unit"
            _add(case, "TERM_UNIT", path, message, rule=term.rule, stated=term.unit, expected=unit)
    for rule, amount, cost in terms:
        if stated.lists_terms and rule not in seen:
            message = "The term {rule} is missing: its amount is {amount}, its cost {cost}."
            _add(
                case,
                "TERM_MISSING",
                "score.terms",
                message,
                rule=rule,
                amount=plain(amount),
                cost=plain(cost),
            )
    if stated.total != total:
        message = "The total is stated as {stated}, but is {expected}."
        _add(case, "TOTAL", "score.total", message, stated=stated.total, expected=total)


def _compare(case: Case, term: StatedTerm, what: str, stated: Fraction, as_written: object, expected: Fraction) -> None:
    # A decimal with more digits than a float keeps is stated rightly by the nearest float.
    if stated == expected or (isinstance(as_written, float) and as_written == float(expected)):
        return
    _add(
        case,
        f"TERM_{what.upper()}",
        f"{term.path}.{what}",
        "The {what} of {rule} is stated as {stated}, but is {expected}.",
        what=what,
        rule=term.rule,
        stated=plain(stated),
        expected=plain(expected),
    )


def _add(case: Case, code: str, path: str, template: str, /, **params: object) -> None:
    case.findings.add("score", code, path, template, **params)
