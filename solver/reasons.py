"""Why orders are left undone: every engineer's insertion is tested exactly against the final plan.

For each engineer the first thing that stands in the way is named: what no plan could change (lists, pins, skills,
parts), then what testing shows. A stop that fits is too dear; one that fits only an empty day is displaced; else one
rule after the other is lifted on a day without any work, and the one without which it fits is the reason. The fix is
sought against the full day: the one change, by one engineer, that would be smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx

from dispatcher.documents import instant_text
from dispatcher.model import Engineer, Role, Team, WorkOrder
from dispatcher.plan import Plan
from dispatcher.problem import Problem
from dispatcher.reasons import FIX_SECONDS, Explanation, Fix, Reason
from skills.qualification import Gap, HeldSkill
from solver.day_state import DayState, Price
from solver.route_state import Insertion, RouteState, trace
from solver.stint import FAR_FUTURE, FAR_PAST, Stint, make_stint
from solver.team_insertion import MAX_STARTS, TeamComposer
from solver.what_if import with_fix

LARGE_DAY_ORDERS = 500
"""Beyond this many orders no fixes of teams are tried: each is a whole day built anew."""
STARTS_OF_LARGE_DAY = 4
"""Candidate starts of a team tried on such a day."""
TRIED_FIXES = 4
"""Fixes of a team tried, smallest first: each is a whole day built anew."""

MOST_REASONS = 10_000
"""Reasons in one plan; where engineers × unassigned orders are more, each order is told by its nearest engineers."""
FEWEST_REASONS = 5
"""Engineers told for each order at least, however many orders there are."""

Lifted = tuple[str, ...]
"""Rules lifted from a route: `empty` (of what an engine may move), `bare` (of all but running work), `breaks`,
`orders` (their largest number), `standby` (promises to stand by)."""

AS_PLANNED: Lifted = ()


def explain_unassigned(
    problem: Problem,
    plan: Plan,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
    *,
    seeks_fixes: bool = True,
) -> tuple[Explanation, ...]:
    """Reasons and cheapest fix of every unassigned order of a feasible plan (the port `Explainer`)."""
    finder = ReasonFinder(problem, plan, DayState.of_plan(problem, plan), seeks_fixes=seeks_fixes)
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


class ReasonFinder:
    """Tests insertions against a plan, given as the state of the day; what it learns about routes is kept.

    Without `seeks_fixes` only reasons are found, which takes a part of the time.
    """

    def __init__(self, problem: Problem, plan: Plan, state: DayState, *, seeks_fixes: bool = True) -> None:
        self._problem = problem
        self._plan = plan
        self._state = state
        self._seeks_fixes = seeks_fixes
        self._variants: dict[tuple[int, Lifted], RouteState] = {}
        self._told = len(problem.engineers)
        if len(plan.unassigned) * self._told > MOST_REASONS:
            self._told = max(FEWEST_REASONS, MOST_REASONS // len(plan.unassigned))
        # Answers about skills are kept by engineer: those of engineers with skills they do not have stay apart.
        self._imagined = replace(problem)

    def explain(self, order: WorkOrder) -> Explanation:
        answers = self._team(order) if order.team is not None else self._single(order)
        fixes = sorted(
            (fix for answer in answers for fix in answer.fixes),
            key=lambda fix: (fix.amount_seconds, fix.code, fix.engineer),
        )
        if order.team is not None and len(self._problem.work_orders) > LARGE_DAY_ORDERS:
            fixes = []
        elif order.team is not None:
            fixes = [fix for fix in fixes[:TRIED_FIXES] if self._helps_the_team(order, fix)]
        left_out = len(self._problem.engineers) - len(answers)
        reasons = tuple(answer.reason for answer in answers)
        return Explanation(order.id, reasons, fixes[0] if fixes else None, left_out)

    def why_not(self, order: WorkOrder, engineer: Engineer) -> tuple[Reason, tuple[Fix, ...]]:
        """What stands in the way of one engineer for an order without a team, and what would help, smallest first."""
        answer = self._answer(order, engineer, None, 1)
        return answer.reason, tuple(sorted(answer.fixes, key=lambda fix: (fix.amount_seconds, fix.code)))

    def _engineers(self, order: WorkOrder) -> list[Engineer]:
        """Who is told of: everybody, or of a large fleet those who start nearest, the skilled before the others."""
        everybody = list(self._problem.engineers)
        if self._told >= len(everybody):
            return everybody
        index = self._problem.location_index
        ride = self._problem.travel.free_flow_row(index[order.location], 1)
        roles = [role.name for role in order.team.roles] if order.team is not None else [None]

        def rank(engineer: Engineer) -> tuple[bool, bool, int]:
            nearest = min((ride[index[shift.start_location]] for shift in engineer.shifts), default=FAR_FUTURE)
            able = any(self._problem.holds(engineer, order.required_of(role), self._problem.now) for role in roles)
            return not order.admits(engineer.id), not able, nearest

        chosen = {engineer.id for engineer in sorted(everybody, key=rank)[: self._told]}
        return [engineer for engineer in everybody if engineer.id in chosen]

    # -- orders ------------------------------------------------------------------------------------------------

    def _single(self, order: WorkOrder) -> list[_Answer]:
        """Only the smallest fix of all is told, so no engineer is asked for a larger one than those before."""
        answers: list[_Answer] = []
        least = FAR_FUTURE
        for engineer in self._engineers(order):
            answers.append(self._answer(order, engineer, None, 1, least))
            least = min([least, *(fix.amount_seconds for fix in answers[-1].fixes)])
        return answers

    def _team(self, order: WorkOrder) -> list[_Answer]:
        """For a team the engineer's best role is tested; who fits is told what the team lacks."""
        assert order.team is not None
        roles = [role for role in order.team.roles if role.presence != "standby"]
        size = sum(role.minimum for role in roles if role.presence == "on_site")
        by_engineer = {
            engineer.id: [(role.name, self._answer(order, engineer, role.name, size)) for role in roles]
            for engineer in self._engineers(order)
        }
        lacking = _lacking(
            roles, {name: {role for role, answer in held if answer.fits} for name, held in by_engineer.items()}
        )
        starts = STARTS_OF_LARGE_DAY if len(self._problem.work_orders) > LARGE_DAY_ORDERS else MAX_STARTS
        placement = TeamComposer(self._state, order, starts).best()
        # One more person helps a team only where one is all it lacks.
        one_missing = placement is None and sum(lacking.values()) == 1
        obstacle = self._obstacle(order, order.team, lacking) if placement is None else ("", {})
        answers = []
        for engineer, held in by_engineer.items():
            fitting = next((name for name, answer in held if answer.fits), None)
            fixes = tuple(fix for name, answer in held if one_missing and name in lacking for fix in answer.fixes)
            if fitting is None:
                closest = min((answer for _, answer in held), key=_severity)
                answers.append(replace(closest, fixes=fixes))
            elif placement is not None:
                answers.append(self._dear(order, engineer, placement.delta))
            else:
                code, params = obstacle
                answers.append(_Answer(Reason(engineer, code, {"role": fitting, **params}), fixes))
        return answers

    def _obstacle(self, order: WorkOrder, team: Team, lacking: Mapping[str, int]) -> tuple[str, dict[str, object]]:
        """What keeps those who could come from being a team: the one thing without which it could be made."""
        if lacking:
            said = ", ".join(f"{count} more as {name}" for name, count in lacking.items())
            return "TEAM_INCOMPLETE", {"lacking": said}
        waiting = [role.name for role in team.roles if role.presence == "standby"]
        present = tuple(role for role in team.roles if role.presence != "standby")
        together = ", ".join(f"{required.skill} (level {required.level})" for required in team.collective_skills)
        pinned = None if order.pin is None else order.pin.engineer
        obstacles: tuple[tuple[str, dict[str, object], WorkOrder], ...] = (
            ("TEAM_STANDBY", {"standby": ", ".join(waiting)}, replace(order, team=replace(team, roles=present))),
            ("TEAM_SKILLS", {"skills": together}, replace(order, team=replace(team, collective_skills=()))),
            ("TEAM_PARTS", {"part": ", ".join(sorted(order.parts))}, replace(order, parts={})),
            ("TEAM_PIN", {"pinned": pinned}, replace(order, pin=None)),
        )
        for code, params, changed in obstacles:
            if changed != order and TeamComposer(self._state, changed).best() is not None:
                return code, params
        return "TEAM_NO_COMMON_START", {}

    def _helps_the_team(self, order: WorkOrder, fix: Fix) -> bool:
        """Whether the whole team could be made in the day as planned if the fix were done."""
        if fix.code == "RAISE_VALUE":
            return True
        problem = with_fix(self._problem, order, fix)
        state = DayState.of_plan(problem, self._plan)
        return TeamComposer(state, problem.order_by_id[order.id]).best() is not None

    # -- one engineer ------------------------------------------------------------------------------------------

    def _answer(
        self, order: WorkOrder, engineer: Engineer, role: str | None, size: int, least: int = FAR_FUTURE
    ) -> _Answer:
        """The first thing in the way of one engineer, from what cannot change to what testing shows; fixes of more
        than `least` seconds need not be found."""
        name = engineer.id
        if not self._state.routes_of[name]:
            return _Answer(Reason(name, "NO_SHIFT"))
        if order.pin is not None and order.pin.engineer != name and order.team is None:
            return _Answer(Reason(name, "PINNED_ELSEWHERE", {"pinned": order.pin.engineer}))
        bounds = self._state.bounds(order)
        if bounds is None:
            other = next(d.work_order for d in order.depends_on if d.work_order not in self._state.served)
            return _Answer(Reason(name, "PREDECESSOR_UNASSIGNED", {"other": other}))
        stint = make_stint(self._problem, engineer, order, role, size)
        if stint is not None:
            stint = stint.held(not_before=bounds[0], not_after=bounds[1])
        if not order.admits(name):
            reason = Reason(name, "NOT_ALLOWED")
            fits = self._seeks_fixes and stint is not None and self._fits(order, name, stint)
            return _Answer(reason, (_fix(name, "ALLOW_ENGINEER"),) if fits else ())
        if stint is None:
            return self._unskilled(order, engineer, role, size, bounds)
        if order.team is None:
            for part, needed in sorted(order.parts.items()):
                stock = engineer.parts.get(part, 0)
                if stock < needed:
                    params = {"part": part, "needed": needed, "stock": stock, "missing": needed - stock}
                    return _Answer(Reason(name, "PARTS", params), self._parts_fixes(order, name, stint))
        return self._tested(order, engineer, role, size, stint, least)

    def _tested(
        self, order: WorkOrder, engineer: Engineer, role: str | None, size: int, stint: Stint, least: int
    ) -> _Answer:
        name = engineer.id
        routes = self._state.routes_of[name]
        stocked = self._stocked(order, name)
        best = self._cheapest(stint, stocked, AS_PLANNED)
        if best is not None:
            company = self._state.company_cost(order, (name,), (name,))
            answer = self._dear(order, name, best[0] + company - self._state.unserved_cost(order))
            return replace(answer, fits=True)
        unstocked = [index for index in routes if index not in stocked]
        bare = [index for index in unstocked if self._cheapest(stint, [index], AS_PLANNED) is not None]
        if bare:
            part = ", ".join(self._state.missing_parts(order, bare[:1]))
            return _Answer(Reason(name, "PARTS_TAKEN", {"part": part}), self._parts_fixes(order, name, stint))
        fixes = tuple(self._time_fixes(order, engineer, role, size, stint, least))
        if self._stands_by_for(routes) and self._cheapest(stint, routes, ("standby",)) is not None:
            return _Answer(Reason(name, "STANDBY", {"other": self._stands_by_for(routes)}), fixes)
        if self._cheapest(stint, routes, ("empty",)) is not None:
            limit = self._limit_reached(routes)
            if limit is not None and self._cheapest(stint, routes, ("orders",)) is not None:
                return _Answer(Reason(name, "MAX_WORK_ORDERS", {"limit": limit}), fixes)
            return _Answer(Reason(name, "DISPLACED"), fixes)
        return _Answer(self._on_an_empty_day(order, engineer, role, size, stint), fixes)

    def _on_an_empty_day(
        self, order: WorkOrder, engineer: Engineer, role: str | None, size: int, stint: Stint
    ) -> Reason:
        """The one rule without which the stop fits a day with nothing in it but running work."""
        name = engineer.id
        routes = self._state.routes_of[name]

        def fits(changed: Stint | None, *lifted: str) -> bool:
            return changed is not None and self._cheapest(changed, routes, ("bare", *lifted)) is not None

        limit = self._limit_reached(routes)
        if limit is not None and self._cheapest(stint, routes, ("empty", "orders")) is not None:
            return Reason(name, "MAX_WORK_ORDERS", {"limit": limit})
        if fits(stint):
            return Reason(name, "FIXED_WORK")
        if self._stands_by_for(routes) and fits(stint, "standby"):
            return Reason(name, "STANDBY", {"other": self._stands_by_for(routes)})
        expired = self._expired(order, engineer, role, stint)
        if expired and fits(self._as_if_skilled(order, engineer, role, size, stint, expired)):
            return Reason(name, "SKILL_EXPIRED", {"skill": expired[0].required.skill})
        if fits(stint, "breaks"):
            return Reason(name, "BREAK")
        overruns = [
            end - self._state.routes[index].shift.latest_end
            for index in routes
            if (end := self._earliest_end(index, stint, ("bare",), FAR_FUTURE)) is not None
        ]
        if overruns:
            return Reason(name, "SHIFT", {"overtime_seconds": min(overruns)})
        if stint.windows and fits(replace(stint, windows=())):
            return Reason(name, "TIME_WINDOW")
        pin = order.pin
        if pin is not None and pin.start is not None and fits(self._unpinned(order, engineer, role, size, stint)):
            return Reason(name, "PINNED_START", {"start": self._clock(pin.start)})
        if order.depends_on and fits(replace(stint, not_before=FAR_PAST, not_after=FAR_FUTURE, after=frozenset())):
            return Reason(name, "DEPENDS_ON")
        return Reason(name, "NO_TIME")

    def _unskilled(
        self, order: WorkOrder, engineer: Engineer, role: str | None, size: int, bounds: tuple[int, int]
    ) -> _Answer:
        at = max(self._problem.now, min(shift.start for shift in engineer.shifts))
        gaps = self._problem.qualification(engineer, order, role, at).gaps
        worst = min(gaps, key=lambda gap: _GAPS.index(gap.code))
        params = {"skill": worst.required.skill, "level": worst.required.level, "best_level": worst.best_level}
        reason = Reason(engineer.id, worst.code, params)
        if (
            not self._seeks_fixes
            or len(gaps) > 1
            or worst.code != "SKILL_LEVEL"
            or worst.required.level - (worst.best_level or 0) > 1
        ):
            return _Answer(reason)
        skilled = self._imagined_stint(order, engineer, role, size, gaps)
        if skilled is None:
            return _Answer(reason)
        skilled = skilled.held(not_before=bounds[0], not_after=bounds[1])
        fits = self._fits(order, engineer.id, skilled)
        return _Answer(reason, (_fix(engineer.id, "SKILL_LEVEL", params),) if fits else ())

    # -- what would help ---------------------------------------------------------------------------------------

    def _time_fixes(
        self, order: WorkOrder, engineer: Engineer, role: str | None, size: int, stint: Stint, least: int
    ) -> Iterator[Fix]:
        """Changes that would make room in the day as it is planned."""
        if not self._seeks_fixes:
            return
        name = engineer.id
        stocked = self._stocked(order, name)
        overruns = []
        for index in stocked:
            shift = self._state.routes[index].shift
            following = (other.start for other in engineer.shifts if other.start >= shift.latest_end)
            limit = min([self._problem.end, shift.latest_end + least, *following])
            end = self._earliest_end(index, stint, AS_PLANNED, limit)
            if end is not None:
                overruns.append((end - shift.latest_end, shift.id))
        if overruns:
            seconds, shift_id = min(overruns)
            yield Fix(name, "OVERTIME", seconds, {"shift": shift_id})
        if self._limit_reached(stocked) is not None and self._cheapest(stint, stocked, ("orders",)) is not None:
            yield _fix(name, "MORE_ORDERS")
        if stint.windows:
            yield from self._window_fix(stint, name, stocked, least)
        expired = self._expired(order, engineer, role, stint)
        if len(expired) == 1:
            skilled = self._as_if_skilled(order, engineer, role, size, stint, expired)
            if skilled is not None and self._fits(order, name, skilled):
                params = {"skill": expired[0].required.skill, "level": expired[0].required.level}
                yield _fix(name, "CERTIFICATE", params)

    def _window_fix(self, stint: Stint, engineer: str, routes: list[int], least: int) -> Iterator[Fix]:
        """The start nearest to a window that the day as planned has room for."""
        wider = tuple((opens - least, closes + least) for opens, closes in stint.windows)
        if least < FAR_FUTURE and self._cheapest(replace(stint, windows=wider), routes, AS_PLANNED) is None:
            return
        free = replace(stint, windows=())

        def start_of(insertion: Insertion) -> int:
            return next(made.start for made in trace(insertion.label) if made.stint is free)

        def away(insertion: Insertion) -> int:
            start = start_of(insertion)
            return min(max(opens - start, start - closes) for opens, closes in stint.windows)

        found = self._cheapest(free, routes, AS_PLANNED, measure=away)
        if found is not None:
            yield Fix(engineer, "TIME_WINDOW", max(1, found[0]), {"start": self._clock(start_of(found[1]))})

    def _parts_fixes(self, order: WorkOrder, engineer: str, stint: Stint) -> tuple[Fix, ...]:
        """More of one part, where one is all that is missing and the stop would then fit."""
        found = []
        for index in self._state.routes_of[engineer] if self._seeks_fixes else ():
            missing = self._state.missing_parts(order, (index,))
            if len(missing) == 1 and self._cheapest(stint, [index], AS_PLANNED) is not None:
                [(part, count)] = missing.items()
                found.append((count, part))
        if not found:
            return ()
        count, part = min(found)
        return (_fix(engineer, "PARTS", {"part": part, "missing": count}),)

    def _dear(self, order: WorkOrder, engineer: str, delta: int) -> _Answer:
        """It could be done: what that costs (`delta` in thousandths, against leaving it undone), or that it pays."""
        if delta < 0:
            return _Answer(Reason(engineer, "NOT_REACHED"))
        value = self._state.unserved_cost(order)
        reason = Reason(engineer, "COSTS_MORE", {"cost": -(-(delta + value) // 1000), "value": value // 1000})
        return _Answer(reason, (_fix(engineer, "RAISE_VALUE", {"missing": delta // 1000 + 1}),))

    # -- other skills, other pins ------------------------------------------------------------------------------

    def _expired(self, order: WorkOrder, engineer: Engineer, role: str | None, stint: Stint) -> tuple[Gap, ...]:
        """What the engineer cannot do once all certificates have run out."""
        if all(seconds is not None for _, seconds, _ in stint.segments):
            return ()
        return self._problem.qualification(engineer, order, role, FAR_FUTURE).gaps

    def _as_if_skilled(
        self, order: WorkOrder, engineer: Engineer, role: str | None, size: int, stint: Stint, gaps: tuple[Gap, ...]
    ) -> Stint | None:
        """The same stint by an engineer who closes the gaps for ever."""
        skilled = self._imagined_stint(order, engineer, role, size, gaps)
        return None if skilled is None else skilled.held(not_before=stint.not_before, not_after=stint.not_after)

    def _imagined_stint(
        self, order: WorkOrder, engineer: Engineer, role: str | None, size: int, gaps: tuple[Gap, ...]
    ) -> Stint | None:
        gained = tuple(HeldSkill(gap.required.skill, gap.required.level) for gap in gaps)
        return make_stint(self._imagined, replace(engineer, skills=engineer.skills + gained), order, role, size)

    def _unpinned(
        self, order: WorkOrder, engineer: Engineer, role: str | None, size: int, stint: Stint
    ) -> Stint | None:
        free = make_stint(self._problem, engineer, replace(order, pin=None), role, size)
        bounds = self._state.bounds(order)
        if free is None or bounds is None or stint.running_since is not None:
            return None
        return free.held(not_before=bounds[0], not_after=bounds[1])

    # -- testing -----------------------------------------------------------------------------------------------

    def _stocked(self, order: WorkOrder, engineer: str) -> list[int]:
        """The engineer's routes whose stock holds the order's parts; a team pools them, so there all count."""
        routes = self._state.routes_of[engineer]
        return [index for index in routes if order.team is not None or self._state.has_parts(order, (index,))]

    def _fits(self, order: WorkOrder, engineer: str, stint: Stint) -> bool:
        return self._cheapest(stint, self._stocked(order, engineer), AS_PLANNED) is not None

    def _cheapest(
        self, stint: Stint, routes: list[int], lifted: Lifted, *, measure: Callable[[Insertion], int] | None = None
    ) -> tuple[int, Insertion] | None:
        """The best insertion over an engineer's routes with rules lifted, by cost or by another measure."""
        best: tuple[int, Insertion] | None = None
        for index in routes:
            found = self._variant(index, lifted).best_insertion(stint, price=self._price(index, lifted, measure))
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        return best

    def _price(self, index: int, lifted: Lifted, measure: Callable[[Insertion], int] | None = None) -> Price | None:
        """How an insertion is judged: promises to stand by are kept unless they are lifted."""
        promised = None if "standby" in lifted else self._state.price_for(index, shared=not lifted)
        if measure is None:
            return promised

        def price(insertion: Insertion) -> int | None:
            return None if promised is not None and promised(insertion) is None else measure(insertion)

        return price

    def _variant(self, index: int, lifted: Lifted) -> RouteState:
        """A route with some rules lifted."""
        if (index, lifted) not in self._variants:
            route = self._state.routes[index]
            shift, stints = route.shift, route.stints
            if "empty" in lifted:
                stints = [stint for stint in stints if stint.order.team is not None or stint.order.pin is not None]
            if "bare" in lifted:
                stints = [stint for stint in stints if stint.running_since is not None]
            if "orders" in lifted:
                shift = replace(shift, max_work_orders=None)
            if "breaks" in lifted:
                shift = replace(shift, breaks=())
            self._variants[(index, lifted)] = route.varied(shift, stints, promises="standby" not in lifted)
        return self._variants[(index, lifted)]

    def _earliest_end(self, index: int, stint: Stint, lifted: Lifted, limit: int) -> int | None:
        """When the route could be over with the stint if it only had to be by `limit`; None if it cannot."""
        route = self._variant(index, lifted)
        price = self._price(index, lifted, lambda insertion: insertion.label.free)
        earliest: int | None = None
        # A route takes its breaks where it is cheapest, so ask again whether it could be over still earlier.
        while True:
            trial = route.varied(replace(route.shift, latest_end=limit), route.stints)
            found = trial.best_insertion(stint, price=price)
            if found is None:
                return earliest
            earliest = found[0]
            limit = earliest - 1

    def _limit_reached(self, routes: list[int]) -> int | None:
        for index in routes:
            limit = self._state.routes[index].shift.max_work_orders
            if limit is not None and len(self._state.routes[index].stints) >= limit:
                return limit
        return None

    def _stands_by_for(self, routes: list[int]) -> str:
        return ", ".join(sorted({duty.order for duty in self._state.duties if duty.route in routes}))

    def _clock(self, instant: int) -> str:
        return instant_text(instant, self._problem.timezone)


_GAPS = ("SKILL_MISSING", "SKILL_LEVEL", "SKILL_EXPIRED")
_SEVERITY = (
    "COSTS_MORE",
    "NOT_REACHED",
    "PARTS_TAKEN",
    "STANDBY",
    "MAX_WORK_ORDERS",
    "DISPLACED",
    "SHIFT",
    "TIME_WINDOW",
)


def _lacking(roles: Sequence[Role], fitting: Mapping[str, Set[str]]) -> dict[str, int]:
    """How many people each role is short of, the first roles filled first; nobody takes two of them.

    `fitting` are the roles each engineer could take. Counted by maximum matchings of seats and people.
    """
    graph: Any = nx.Graph()
    seats: list[tuple[str, int]] = []
    lacking: dict[str, int] = {}
    filled = 0
    for role in roles:
        seats += [(role.name, seat) for seat in range(role.minimum)]
        graph.add_nodes_from(seats)
        able = [name for name, fits in fitting.items() if role.name in fits]
        graph.add_edges_from(((role.name, seat), name) for seat in range(role.minimum) for name in able)
        most = len(nx.bipartite.maximum_matching(graph, seats)) // 2
        if most - filled < role.minimum:
            lacking[role.name] = role.minimum - (most - filled)
        filled = most
    return lacking


def _severity(answer: _Answer) -> int:
    """How close an answer came to serving: of several roles the closest is told."""
    code = answer.reason.code
    return _SEVERITY.index(code) if code in _SEVERITY else len(_SEVERITY)


def _fix(engineer: str, code: str, params: Mapping[str, object] | None = None) -> Fix:
    return Fix(engineer, code, FIX_SECONDS[code], dict(params or {}))
