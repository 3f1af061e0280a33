"""Why orders are left undone: every engineer's insertion is tested exactly against the final plan.

For each engineer the first thing that stands in the way is named: what no plan could change (lists, pins, skills,
parts), then what testing shows. A stop that fits is too dear; one that fits only an empty day is displaced; else one
rule after the other is lifted on an empty day, and the one without which it fits is the reason. The fix is sought
against the full day: the one change, by one engineer, that would be smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dispatcher.documents import instant_text
from dispatcher.model import Engineer, Shift, WorkOrder, round_half_up
from dispatcher.plan import Plan
from dispatcher.problem import Problem
from dispatcher.reasons import FIX_SECONDS, Explanation, Fix, Reason
from dispatcher.service import base_seconds, engineer_factor
from skills.qualification import Gap
from solver.day_state import DayState
from solver.route_state import Insertion, RouteState, trace
from solver.stint import FAR_FUTURE, FAR_PAST, Stint, make_stint
from solver.team_insertion import TeamComposer


def explain_unassigned(
    problem: Problem, plan: Plan, progress: Callable[[float, str], None] = lambda fraction, text: None
) -> tuple[Explanation, ...]:
    """Reasons and cheapest fix of every unassigned order of a feasible plan (the port `Explainer`)."""
    finder = _Finder(problem, DayState.of_plan(problem, plan))
    found = []
    for number, name in enumerate(plan.unassigned):
        progress(number / len(plan.unassigned), f"explaining {name}")
        found.append(finder.explain(problem.order_by_id[name]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What testing one engineer for one role of an order gave."""

    reason: Reason
    fixes: tuple[Fix, ...] = ()
    fits: bool = False


class _Finder:
    def __init__(self, problem: Problem, state: DayState) -> None:
        self._problem = problem
        self._state = state
        self._variants: dict[tuple[int, str], RouteState] = {}

    def explain(self, order: WorkOrder) -> Explanation:
        answers = self._team(order) if order.team is not None else self._single(order)
        fixes = [fix for answer in answers for fix in answer.fixes]
        cheapest = min(fixes, key=lambda fix: (fix.amount_seconds, fix.code, fix.engineer), default=None)
        return Explanation(order.id, tuple(answer.reason for answer in answers), cheapest)

    # -- orders ------------------------------------------------------------------------------------------------

    def _single(self, order: WorkOrder) -> list[_Answer]:
        return [self._answer(order, engineer, None, 1) for engineer in self._problem.engineers]

    def _team(self, order: WorkOrder) -> list[_Answer]:
        """For a team the engineer's best role is tested; who fits is told what the team lacks."""
        assert order.team is not None
        roles = [role for role in order.team.roles if role.presence != "standby"]
        size = sum(role.minimum for role in roles if role.presence == "on_site")
        by_engineer = {
            engineer.id: [(role.name, self._answer(order, engineer, role.name, size)) for role in roles]
            for engineer in self._problem.engineers
        }
        lacking = []
        for role in roles:
            able = sum(answer.fits for held in by_engineer.values() for name, answer in held if name == role.name)
            if able < role.minimum:
                lacking.append(f"{role.minimum - able} more as {role.name}")
        placement = TeamComposer(self._state, order).best()
        answers = []
        for engineer, held in by_engineer.items():
            fitting = next(((name, answer) for name, answer in held if answer.fits), None)
            if fitting is None:
                answers.append(min((answer for _, answer in held), key=_severity))
                continue
            if placement is not None:
                reason = self._dear(order, engineer, placement.delta)
            elif lacking:
                reason = Reason(engineer, "TEAM_INCOMPLETE", {"role": fitting[0], "lacking": ", ".join(lacking)})
            else:
                reason = Reason(engineer, "TEAM_NO_COMMON_START", {"role": fitting[0]})
            answers.append(_Answer(reason))
        # One more person helps a team only where one is all it lacks.
        one_missing = len(lacking) == 1 and lacking[0].startswith("1 ")
        return answers if one_missing else [replace(answer, fixes=()) for answer in answers]

    # -- one engineer ------------------------------------------------------------------------------------------

    def _answer(self, order: WorkOrder, engineer: Engineer, role: str | None, size: int) -> _Answer:
        """The first thing in the way of one engineer, from what cannot change to what testing shows."""
        name = engineer.id
        routes = self._state.routes_of[name]
        if not routes:
            return _Answer(Reason(name, "NO_SHIFT"))
        if order.pin is not None and order.pin.engineer != name and order.team is None:
            return _Answer(Reason(name, "PINNED_ELSEWHERE", {"pinned": order.pin.engineer}))
        bounds = self._state.bounds(order)
        if bounds is None:
            other = next(d.work_order for d in order.depends_on if d.work_order not in self._state.served)
            return _Answer(Reason(name, "PREDECESSOR_UNASSIGNED", {"other": other}))
        stint = make_stint(self._problem, engineer, order, role, size)
        if not order.admits(name):
            return _Answer(
                Reason(name, "NOT_ALLOWED"),
                self._static_fix(stint, engineer, bounds, "ALLOW_ENGINEER"),
            )
        if stint is None:
            return self._unskilled(order, engineer, role, size, bounds)
        stint = stint.held(not_before=bounds[0], not_after=bounds[1])
        short = self._short_part(order, engineer) if order.team is None else None
        if short is not None:
            return _Answer(short, self._static_fix(stint, engineer, bounds, "PARTS", short.params))
        return self._tested(order, engineer, role, stint)

    def _tested(self, order: WorkOrder, engineer: Engineer, role: str | None, stint: Stint) -> _Answer:
        name = engineer.id
        routes = self._state.routes_of[name]
        best = self._cheapest(stint, routes, "")
        has_parts = order.team is not None or any(self._state.has_parts(order, (index,)) for index in routes)
        if best is not None and has_parts:
            company = self._state.company_cost(order, (name,), (name,))
            delta = best[0] + company - self._state.unserved_cost(order)
            missing = Fix(name, "RAISE_VALUE", FIX_SECONDS["RAISE_VALUE"], {"missing": max(0, -(-delta // 1000))})
            return _Answer(self._dear(order, name, delta), (missing,) if delta >= 0 else (), fits=True)
        if best is not None:
            return _Answer(Reason(name, "PARTS_TAKEN", {"part": ", ".join(sorted(order.parts))}))
        fixes = tuple(self._time_fixes(engineer, stint))
        if self._cheapest(stint, routes, "empty") is not None:
            limit = self._limit_reached(routes)
            if limit is not None and self._cheapest(stint, routes, "orders") is not None:
                return _Answer(Reason(name, "MAX_WORK_ORDERS", {"limit": limit}), fixes)
            return _Answer(Reason(name, "DISPLACED"), fixes)
        return _Answer(self._on_an_empty_day(order, engineer, role, stint), fixes)

    def _on_an_empty_day(self, order: WorkOrder, engineer: Engineer, role: str | None, stint: Stint) -> Reason:
        """The one rule without which the stop fits an empty day."""
        name = engineer.id
        routes = self._state.routes_of[name]
        skilled = replace(stint, segments=_always(stint))
        if any(seconds is None for _, seconds, _ in stint.segments) and self._cheapest(skilled, routes, "empty"):
            gaps = self._problem.qualification(engineer, order, role, FAR_FUTURE).gaps
            return Reason(name, "SKILL_EXPIRED", {"skill": gaps[0].required.skill})
        late = self._cheapest(stint, routes, "empty,end")
        if late is not None:
            return Reason(name, "SHIFT", {"overtime_seconds": self._overrun(late[1], late[2])})
        if stint.windows and self._cheapest(replace(stint, windows=()), routes, "empty") is not None:
            return Reason(name, "TIME_WINDOW")
        unbound = replace(stint, not_before=FAR_PAST, not_after=FAR_FUTURE, after=frozenset())
        if order.depends_on and self._cheapest(unbound, routes, "empty") is not None:
            return Reason(name, "DEPENDS_ON")
        if self._cheapest(stint, routes, "empty,breaks") is not None:
            return Reason(name, "BREAK")
        return Reason(name, "NO_TIME")

    def _time_fixes(self, engineer: Engineer, stint: Stint) -> Iterator[Fix]:
        """Changes of time that would make room in the day as it is planned."""
        name = engineer.id
        routes = self._state.routes_of[name]
        late = self._cheapest(stint, routes, "end", least_overrun=True)
        if late is not None:
            yield Fix(
                name,
                "OVERTIME",
                max(1, self._overrun(late[1], late[2])),
                {"shift": self._state.routes[late[1]].shift.id},
            )
        if self._cheapest(stint, routes, "orders") is not None:
            yield Fix(name, "MORE_ORDERS", FIX_SECONDS["MORE_ORDERS"])
        if stint.windows:
            free = replace(stint, windows=())
            moved = self._cheapest(free, routes, "")
            if moved is not None:
                start = next(made.start for made in trace(moved[2].label) if made.stint is free)
                away = min(max(opens - start, start - closes, 0) for opens, closes in stint.windows)
                yield Fix(name, "TIME_WINDOW", max(1, away), {"start": self._clock(start)})

    # -- what no plan changes ----------------------------------------------------------------------------------

    def _unskilled(
        self, order: WorkOrder, engineer: Engineer, role: str | None, size: int, bounds: tuple[int, int]
    ) -> _Answer:
        at = max(self._problem.now, engineer.shifts[0].start)
        gaps = self._problem.qualification(engineer, order, role, at).gaps
        worst = min(gaps, key=lambda gap: _GAPS.index(gap.code))
        params = {
            "skill": worst.required.skill,
            "level": worst.required.level,
            "best_level": worst.best_level,
        }
        reason = Reason(engineer.id, worst.code, params)
        if len(gaps) > 1 or not _is_one_step(worst):
            return _Answer(reason)
        seconds = round_half_up(base_seconds(order, role, size) * engineer_factor(engineer, order, role))
        code = "CERTIFICATE" if worst.code == "SKILL_EXPIRED" else "SKILL_LEVEL"
        skilled = self._as_if_skilled(order, engineer, role, seconds)
        return _Answer(reason, self._static_fix(skilled, engineer, bounds, code, params))

    def _as_if_skilled(self, order: WorkOrder, engineer: Engineer, role: str | None, seconds: int) -> Stint:
        """The stint the engineer would have with all skills required."""
        unskilled = replace(order, required_skills=(), team=None)
        stint = make_stint(self._problem, engineer, replace(unskilled, id=f"{order.id} without skills"))
        assert stint is not None
        return replace(
            stint,
            order=order,
            role=role,
            remote=order.presence(role) == "remote",
            segments=((FAR_FUTURE, seconds, 0),),
        )

    def _short_part(self, order: WorkOrder, engineer: Engineer) -> Reason | None:
        for part, needed in sorted(order.parts.items()):
            stock = engineer.parts.get(part, 0)
            if stock < needed:
                return Reason(
                    engineer.id,
                    "PARTS",
                    {"part": part, "needed": needed, "stock": stock, "missing": needed - stock},
                )
        return None

    def _static_fix(
        self,
        stint: Stint | None,
        engineer: Engineer,
        bounds: tuple[int, int],
        code: str,
        params: object = None,
    ) -> tuple[Fix, ...]:
        """A fix of what stands in the way, if the stop would then fit the day as it is planned."""
        if stint is None:
            return ()
        stint = stint.held(not_before=bounds[0], not_after=bounds[1])
        if self._cheapest(stint, self._state.routes_of[engineer.id], "") is None:
            return ()
        return (Fix(engineer.id, code, FIX_SECONDS[code], dict(params) if isinstance(params, dict) else {}),)

    # -- testing -----------------------------------------------------------------------------------------------

    def _cheapest(
        self, stint: Stint, routes: list[int], lifted: str, *, least_overrun: bool = False
    ) -> tuple[int, int, Insertion] | None:
        """The best insertion over an engineer's routes with rules lifted: (cost, route, insertion)."""
        best: tuple[int, int, Insertion] | None = None
        for index in routes:
            route = self._variant(index, lifted)
            price = self._state.price_for(index) if not lifted else _end_of if least_overrun else None
            found = route.best_insertion(stint, price=price)
            if found is not None and (best is None or found[0] < best[0]):
                best = (found[0], index, found[1])
        return best

    def _variant(self, index: int, lifted: str) -> RouteState:
        """A route with some rules lifted; `empty` keeps only what no engine may move."""
        if not lifted:
            return self._state.routes[index]
        key = (index, lifted)
        if key not in self._variants:
            route = self._state.routes[index]
            shift: Shift = route.shift
            stints = route.stints
            for rule in lifted.split(","):
                if rule == "empty":
                    stints = [stint for stint in stints if stint.order.team is not None or stint.order.pin is not None]
                elif rule == "end":
                    shift = replace(shift, latest_end=FAR_FUTURE)
                elif rule == "orders":
                    shift = replace(shift, max_work_orders=None)
                elif rule == "breaks":
                    shift = replace(shift, breaks=())
            self._variants[key] = RouteState.of(self._problem, route.engineer, shift, stints)
        return self._variants[key]

    def _overrun(self, route: int, insertion: Insertion) -> int:
        return insertion.label.free - self._state.routes[route].shift.latest_end

    def _limit_reached(self, routes: list[int]) -> int | None:
        for index in routes:
            limit = self._state.routes[index].shift.max_work_orders
            if limit is not None and len(self._state.routes[index].stints) >= limit:
                return limit
        return None

    def _dear(self, order: WorkOrder, engineer: str, delta: int) -> Reason:
        value = self._state.unserved_cost(order)
        if delta < 0:
            return Reason(engineer, "NOT_REACHED")
        return Reason(engineer, "COSTS_MORE", {"cost": (delta + value) // 1000, "value": value // 1000})

    def _clock(self, instant: int) -> str:
        return instant_text(instant, self._problem.timezone)


_GAPS = ("SKILL_MISSING", "SKILL_LEVEL", "SKILL_EXPIRED")
_SEVERITY = (
    "COSTS_MORE",
    "NOT_REACHED",
    "PARTS_TAKEN",
    "MAX_WORK_ORDERS",
    "DISPLACED",
    "SHIFT",
    "TIME_WINDOW",
)


def _severity(answer: _Answer) -> int:
    """How close an answer came to serving: of several roles the closest is told."""
    code = answer.reason.code
    return _SEVERITY.index(code) if code in _SEVERITY else len(_SEVERITY)


def _is_one_step(gap: Gap) -> bool:
    if gap.code == "SKILL_EXPIRED":
        return True
    return gap.code == "SKILL_LEVEL" and gap.required.level - (gap.best_level or 0) == 1


def _always(stint: Stint) -> tuple[tuple[int, int | None, int], ...]:
    """The stint's longest duration at any time, as if no certificate ran out."""
    longest = max(seconds for _, seconds, _ in stint.segments if seconds is not None)
    return ((FAR_FUTURE, longest, 0),)


def _end_of(insertion: Insertion) -> int:
    return insertion.label.free
