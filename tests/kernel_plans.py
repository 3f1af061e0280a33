"""Plans in the search kernel, and what the reference rules and a naive reading of the arrays make of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from data.synthetic import FleetSpec, random_problem, synthetic_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.evaluate import evaluate
from dispatcher.facts import read_facts
from dispatcher.plan import Plan, Rest, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.compile import Arrangement, Compiled, arrangement_of, compile_problem
from solver.compile_orders import PIN_BONUS
from solver.insertion import InsertionEngine
from solver.kernel import layout as at
from solver.kernel.change import insert, keep, set_limits, take_back, waits_for_unserved
from solver.kernel.compose import compose
from solver.kernel.iterate import search, whole_total
from solver.kernel.recreate import LOOK_EVERYWHERE, best_place
from solver.kernel.schedule import trace
from solver.kernel.teams import rate_late_teams
from solver.searcher import BrokenRoute, Searcher

ACCEPT_ALL, ACCEPT_NONE = 1e18, -1e18
"""Temperatures, in thousandths of the score."""
NEVER = 1 << 60
"""So many places until the next one is passed over."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plan in the kernel. `constant` is what the kernel leaves out of the exact cost (thousandths)."""

    problem: Problem
    searcher: Searcher
    constant: int

    @property
    def compiled(self) -> Compiled:
        return self.searcher.compiled

    @property
    def case(self) -> at.Case:
        return self.searcher.compiled.case

    @property
    def day(self) -> at.Day:
        return self.searcher.day

    def bank(self) -> list[int]:
        return [int(visit) for visit in self.day.bank[: self.day.counts[at.BANKED]]]

    def route(self, shift: int) -> list[int]:
        return [int(visit) for visit in self.day.sequence[shift, : self.day.routes[shift, at.LENGTH]]]

    def served(self) -> set[str]:
        return {self.compiled.work[visit][0] for shift in range(len(self.case.shifts)) for visit in self.route(shift)}

    def open_shifts(self) -> list[int]:
        return [shift for shift in range(len(self.case.shifts)) if not self.case.shifts[shift, at.CLOSED]]

    def accept_any(self) -> None:
        self._iterate(ACCEPT_ALL)

    def fill(self) -> None:
        """Put every banked visit at its best place of all, where it has one."""
        for visit in self.bank():
            self.never_blink()
            if waits_for_unserved(self.case, self.day, visit):
                continue
            set_limits(self.case, self.day, visit)
            team = int(self.case.visits[visit, at.TEAM])
            if team >= 0:
                compose(self.case, self.day, team, True)
                continue
            _, shift, position = best_place(self.case, self.day, visit, LOOK_EVERYWHERE)
            if shift >= 0:
                insert(self.case, self.day, shift, position, visit)
        self.let_stand()

    def let_stand(self) -> None:
        """Keep all changes, as an accepted iteration does."""
        buffer = np.zeros(self.day.sequence.shape[1] + 2, dtype=np.int64)
        rate_late_teams(self.case, self.day)
        for shift in self.day.touched_list[: self.day.counts[at.TOUCHED]].tolist():
            trace(self.case, self.day, shift, buffer)
        keep(self.day)
        self.day.counts[at.TOTAL] = whole_total(self.case, self.day)

    def reject(self) -> None:
        self._iterate(ACCEPT_NONE)

    def _iterate(self, temperature: float) -> None:
        # As the engine does: one iteration by itself would have to be compiled for the tests alone.
        search(self.case, self.day, 1, temperature, temperature, 0)

    def blink_after(self, places: int) -> None:
        """Have a place passed over soon, so that even a small plan comes back another one."""
        self.day.counts[at.UNTIL_BLINK] = places

    def never_blink(self) -> None:
        self.day.counts[at.UNTIL_BLINK] = NEVER

    def disagreements(self) -> list[str]:
        """What the kernel says of its plan and the reference evaluation does not; empty where they agree."""
        plan = build_plan(self.problem, self.searcher.sequences())
        found = [f"{finding.rule} {finding.code} {finding.path}" for finding in evaluate(self.problem, plan).findings]
        difference = _exact_cost(self.problem, plan) - _kernel_cost(self.searcher) - self.constant
        if difference:
            found.append(f"the plan costs {difference} more than the kernel says")
        return found + self._times_that_differ(plan)

    def _times_that_differ(self, plan: Plan) -> list[str]:
        numbers = {key: number for number, key in enumerate(self.compiled.shifts)}
        found = []
        for route in plan.routes:
            shift = numbers[(route.engineer, route.shift)]
            stops = [stop for stop in route.stops if stop.kind == "work_order"]
            for visit, stop in zip(self.route(shift), stops, strict=True):
                own = tuple(int(time) for time in self.day.standing[visit, [at.ARRIVAL, at.BEGIN, at.FINISH]])
                if own != (stop.arrival, stop.start, stop.end):
                    found.append(f"{stop.work_order}: {own} instead of {(stop.arrival, stop.start, stop.end)}")
        return found

    def undo(self, associated: int) -> None:
        """Take everything back since the last `keep`, as a rejected iteration does."""
        take_back(self.case, self.day)
        self.day.counts[at.BESIDE] = associated


def _exact_cost(problem: Problem, plan: Plan) -> int:
    cost = sum(term.cost_milli for term in evaluate(problem, plan).terms)
    assert cost == int(cost)
    return int(cost)


def _kernel_cost(searcher: Searcher) -> int:
    """The kernel's total without the bonus for pinned orders."""
    day, compiled = searcher.day, searcher.compiled
    orders = [compiled.work[visit][0] for visit in day.bank[: day.counts[at.BANKED]]]
    return searcher.total - PIN_BONUS * sum(compiled.problem.order_by_id[order].pin is not None for order in orders)


def load(problem: Problem, sequences: Sequences, seed: int = 1) -> Loaded:
    """A feasible plan in the kernel; routes it cannot drive by itself are closed, as the engine does."""
    plan = build_plan(problem, sequences)
    searcher = _searcher(problem, sequences, plan, frozenset(), seed)
    # The kernel takes its breaks where it sees fit, so its own plan is the one to compare with.
    own = build_plan(problem, searcher.sequences())
    return Loaded(problem, searcher, _exact_cost(problem, own) - _kernel_cost(searcher))


def _searcher(problem: Problem, sequences: Sequences, plan: Plan, closed: frozenset[int], seed: int) -> Searcher:
    compiled = compile_problem(problem, sequences, plan, closed=closed)
    try:
        return Searcher(compiled, arrangement_of(compiled, sequences), seed)
    except BrokenRoute as broken:
        if broken.shift in closed:
            raise
        return _searcher(problem, sequences, plan, closed | {broken.shift}, seed)


def reload(loaded: Loaded, routes: Sequence[Sequence[int]], seed: int = 1) -> Loaded:
    """The same compiled problem with other routes, all made anew; members of teams start when they do now.

    Raises:
        BrokenRoute: if one of them breaks a rule.
    """
    now = loaded.searcher.arrangement()
    again = Arrangement([*map(list, routes)], now.held, now.stays)
    return Loaded(loaded.problem, Searcher(loaded.compiled, again, seed), loaded.constant)


def leaves_nothing_out(loaded: Loaded) -> bool:
    """Whether every cost is the kernel's: what teams, running work and closed routes cost is fixed outside."""
    problem = loaded.problem
    is_coupled = any(order.team is not None or problem.is_running(order) for order in problem.work_orders)
    return not is_coupled and not loaded.compiled.closed


def random_plan(seed: int) -> Loaded:
    """A random problem of the whole format with a feasible plan of it."""
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(1, 16), engineers=rng.randint(1, 6))
    problem = read_problem(document, problem_travel)
    limits = SearchLimits(time_limit_seconds=None, iteration_limit=rng.choice((4, 10, 60)))
    sequences = InsertionEngine().solve(problem, limits).sequences
    assert evaluate(problem, build_plan(problem, sequences)).feasible
    return load(problem, sequences, seed)


def synthetic_plan(spec: FleetSpec, seed: int, orders: int = 14, engineers: int = 4) -> Loaded:
    """A small day of a synthetic fleet, without the rules over all routes, and a feasible plan of it."""
    document = synthetic_problem(replace(spec, seed=seed, orders=orders, engineers=engineers))
    weights = document.setdefault("objective", {}).setdefault("weights", {})
    weights.update(fairness=0, worst_lateness=0, engineers_used=0)
    problem = read_problem(document, problem_travel)
    limits = SearchLimits(time_limit_seconds=None, iteration_limit=2 * orders)
    return load(problem, InsertionEngine().solve(problem, limits).sequences, seed)


def sequences_of_plan(problem: Problem, plan: Plan) -> Sequences:
    """The decisions of a plan with times: order of stops, breaks, the starts of teams, who stands by."""
    facts = read_facts(problem, plan)
    routes = []
    for route in facts.routes:
        due = iter(sorted(route.due_breaks(problem.now), key=lambda index: route.shift.breaks[index].earliest_start))
        visits: list[Visit | Rest] = []
        for stop in route.stops:
            if stop.kind == "break":
                visits.append(Rest(next(due)))
            elif stop.work_order is not None:
                is_team = problem.order_by_id[stop.work_order].team is not None
                visits.append(Visit(stop.work_order, stop.role, stop.start if is_team else None))
        routes.append(RouteSequence(route.engineer.id, route.shift.id, tuple(visits)))
    return Sequences(tuple(routes), {team.work_order: team.standby for team in plan.teams if team.standby})


# -- a naive reading of the arrays ---------------------------------------------------------------------------------


def defects(loaded: Loaded) -> list[str]:
    """What is not as it should be between two iterations; empty where all is well."""
    case, day = loaded.case, loaded.day
    found = []
    places: dict[int, list[tuple[int, int]]] = {visit: [] for visit in range(len(case.visits))}
    for shift in range(len(case.shifts)):
        for position, visit in enumerate(loaded.route(shift)):
            places[visit].append((shift, position))
    bank = loaded.bank()
    for visit, where in places.items():
        standing = day.standing[visit]
        if not stands_for_itself(case, visit):
            # A seat is on a route or nowhere.
            if len(where) > 1 or visit in bank:
                found.append(f"seat {visit} is on {len(where)} routes and {bank.count(visit)} times in the bank")
            continue
        if len(where) + bank.count(visit) != 1:
            found.append(f"visit {visit} is on {len(where)} routes and {bank.count(visit)} times in the bank")
        elif where and where != [(standing[at.ROUTE], standing[at.POSITION])]:
            found.append(f"visit {visit} is at {where[0]}, but stands at {standing[[at.ROUTE, at.POSITION]]}")
        elif where and standing[at.BANK_PLACE] != at.NONE:
            found.append(f"visit {visit} is served, but has the place {standing[at.BANK_PLACE]} in the bank")
        elif not where and (standing[at.ROUTE], bank[standing[at.BANK_PLACE]]) != (at.NONE, visit):
            found.append(f"visit {visit} is in the bank, but stands at {standing[[at.ROUTE, at.BANK_PLACE]]}")
    for shift in loaded.open_shifts():
        stock = case.stock[shift].copy()
        for visit in loaded.route(shift):
            for part, count in parts_of(case, visit).items():
                stock[part] -= count
        if (day.stock[shift] != stock).any():
            found.append(f"shift {shift} has the parts {day.stock[shift]} instead of {stock}")
    if day.counts[[at.TOUCHED, at.REMOVED, at.INSERTED]].any() or (day.touched != at.NONE).any():
        found.append("an iteration left its notes")
    return found + _differences_from_new(loaded)


def stands_for_itself(case: at.Case, visit: int) -> bool:
    """Whether a visit goes to the bank when it is on no route: all but the seats of a team behind its head."""
    team = case.visits[visit, at.TEAM]
    return bool(team < 0 or case.teams[team, at.HEAD] == visit)


def _differences_from_new(loaded: Loaded) -> list[str]:
    """What changed step by step must be what the same routes give when they are loaded anew."""
    new = reload(loaded, loaded.searcher.routes())
    found: list[str] = []
    # Two that may be so far apart at most hold each other at their times, while anew both may come sooner.
    is_bound = (loaded.case.gaps[:, 2] < at.FAR_FUTURE).any()
    if is_bound and new.searcher.total < loaded.searcher.total and not new.disagreements():
        return found
    for shift in loaded.open_shifts():
        for name in snapshot_of_route(loaded, shift):
            kept, made = snapshot_of_route(loaded, shift)[name], snapshot_of_route(new, shift)[name]
            if kept != made:
                found.append(f"shift {shift}: {name} {kept} instead of {made}")
    for name, column in (("total", at.TOTAL), ("beside", at.BESIDE)):
        if loaded.day.counts[column] != new.day.counts[column]:
            found.append(f"{name} {loaded.day.counts[column]} instead of {new.day.counts[column]}")
    return found


def parts_of(case: at.Case, visit: int) -> Mapping[int, int]:
    places = range(case.visits[visit, at.PARTS_FROM], case.visits[visit, at.PARTS_TO])
    return {int(case.part_of[place]): int(case.part_count[place]) for place in places}


def snapshot_of_route(loaded: Loaded, shift: int) -> dict[str, object]:
    """Everything kept about a route that means something."""
    day = loaded.day
    length = int(day.routes[shift, at.LENGTH])
    single = int(day.routes[shift, at.SINGLE_FROM])
    labels = day.labels[shift]
    reached = [
        [tuple(label.tolist()[:2]) if label[at.FREE] < at.FAR_FUTURE else None for label in _labels(labels[place])]
        for place in range(length + 1)
    ]
    bounds = [at.LATEST_FREE, at.AT_ARRIVAL]
    breaks = int(loaded.case.shifts[shift, at.BREAKS_TO] - loaded.case.shifts[shift, at.BREAKS_FROM])
    latest = [_labels(labels[place])[: breaks + 1, at.LATEST_ARRIVAL].tolist() for place in range(1, length + 2)]
    stays = loaded.searcher.arrangement().stays
    is_timed = bool(loaded.case.numbers[at.NEEDS_TIMES])
    is_coupled = bool(loaded.case.numbers[at.HAS_DEPENDENCIES])
    times = day.standing[loaded.route(shift)][:, [at.ARRIVAL, at.BEGIN, at.FINISH]]
    return {
        "visits": loaded.route(shift),
        "cost": int(day.routes[shift, at.ROUTE_COST]),
        "single": single,
        "stock": day.stock[shift].tolist(),
        "labels": reached,
        "bounds": labels[single + 1 : length + 2, bounds].tolist() if length else [],
        "latest": latest,
        "room": labels[: length + 1, at.ROOM].tolist(),
        "most room": int(day.routes[shift, at.MOST_ROOM]),
        "onward": labels[: length + 1, at.ONWARD].tolist() if length else [],
        "worst": day.routes[shift, [at.WORST, at.BUSY]].tolist() if is_timed else None,
        "times": times.tolist() if is_coupled else None,
        "calls": sorted(day.routes[shift, at.CALLS : at.CALLS + day.routes[shift, at.CALLED]].tolist()),
        "stay": tuple(day.routes[shift, at.STAY_FROM : at.STAY_FOR + 1].tolist()) if shift in stays else None,
        "held": day.standing[loaded.route(shift)][:, [at.HELD, at.PAYS]].tolist(),
        "limits": day.standing[loaded.route(shift)][:, at.FLOOR : at.END_CEILING + 1].tolist(),
    }


def _labels(row: np.ndarray) -> np.ndarray:
    return row[at.FIRST_LABEL :].reshape(-1, at.LABEL_COLUMNS)


def snapshot(loaded: Loaded) -> list[object]:
    """The whole plan as it is kept, to be compared before and after."""
    routes: list[object] = [snapshot_of_route(loaded, shift) for shift in loaded.open_shifts()]
    return [*routes, sorted(loaded.bank()), int(loaded.day.counts[at.BESIDE]), loaded.searcher.total]
