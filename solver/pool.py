"""Recombination: the best choice among all routes the search has seen, by set partitioning with CP-SAT.

The search keeps plans; many good routes never meet in one of them. Choosing one known route per shift, each order at
most once, at the least cost is a set partitioning problem (Rochat and Taillard 1995 for the idea). Routes with a team
on them go together only where it is the very same team: of the same members at the same starts.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType

from solver.compile import Arrangement, Compiled, Stay
from solver.kernel import layout as at
from solver.searcher import Searcher

MOST_ROUTES = 6000
"""Routes kept; of more the oldest go."""
MOST_VARIANTS = 12_000
"""Variants of teams known after which those that no route kept has part in are forgotten."""
ASKED_EVERY_SECONDS = 0.1

Share = tuple[int, int]
"""(a seat, a variant of its team) that a route has part in."""


@dataclass(frozen=True, slots=True)
class Column:
    """A route: its visits in order, and its share in teams, standby included."""

    shift: int
    visits: tuple[int, ...]
    shares: tuple[Share, ...]
    cost: int
    stay: Stay | None


@dataclass(frozen=True, slots=True)
class Variant:
    """A team as it was once composed: (seat, twin class of its shift, start; standby has none), and what it costs."""

    team: int
    seats: tuple[tuple[int, int, int], ...]
    cost: int


def load_cp_sat() -> ModuleType:
    """OR-Tools' CP-SAT, which takes a second to load where nobody has yet."""
    return import_module("ortools.sat.python.cp_model")


class RoutePool:
    """Routes seen, by twin class, sequence and teams, with what each costs in thousandths."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._twins = compiled.case.shifts[:, at.TWIN].tolist()
        self._teams = compiled.case.visits[:, at.TEAM].tolist()
        self._columns: dict[object, Column] = {}
        self._variants: dict[object, int] = {}
        self._known: list[Variant] = []
        self._most_known = MOST_VARIANTS

    def add(self, searcher: Searcher) -> None:
        """Remember the routes of a search as they are now."""
        plan = searcher.arrangement()
        variant_of = self._variants_of(searcher, plan)
        for shift, visits, calls, cost in searcher.columns():
            seats = [*(visit for visit in visits if self._teams[visit] >= 0), *calls]
            shares = tuple((seat, variant_of[self._teams[seat]]) for seat in seats)
            column = Column(shift, tuple(visits), shares, cost, plan.stays.get(shift))
            key = self._key(column)
            # What is seen again counts as new: the end of the search is what matters.
            self._columns.pop(key, None)
            self._columns[key] = column
        while len(self._columns) > MOST_ROUTES:
            del self._columns[next(iter(self._columns))]
        if len(self._known) > self._most_known:
            self._forget_variants()

    def _forget_variants(self) -> None:
        """Forget the variants of teams that no route left has part in."""
        used = sorted({variant for column in self._columns.values() for _, variant in column.shares})
        number_of = {variant: number for number, variant in enumerate(used)}
        self._known = [self._known[variant] for variant in used]
        self._variants = {key: number_of[variant] for key, variant in self._variants.items() if variant in number_of}
        columns = [
            replace(column, shares=tuple((seat, number_of[variant]) for seat, variant in column.shares))
            for column in self._columns.values()
        ]
        self._columns = {self._key(column): column for column in columns}
        self._most_known = max(MOST_VARIANTS, 2 * len(used))

    def _key(self, column: Column) -> object:
        return self._twins[column.shift], column.visits, column.shares, column.stay

    def _variants_of(self, searcher: Searcher, plan: Arrangement) -> dict[int, int]:
        """By team which variant of it there is now."""
        case = self._compiled.case
        found: dict[int, list[tuple[int, int, int]]] = {}
        for shift, visits, calls, _ in searcher.columns():
            for visit in visits:
                if self._teams[visit] >= 0:
                    found.setdefault(self._teams[visit], []).append((visit, self._twins[shift], plan.held[visit]))
            for seat in calls:
                found.setdefault(self._teams[seat], []).append((seat, self._twins[shift], at.NONE))
        variant_of = {}
        for team, seats in found.items():
            key = (team, tuple(sorted(seats)))
            if key not in self._variants:
                self._variants[key] = len(self._known)
                unserved = int(case.visits[case.teams[team, at.HEAD], at.UNSERVED])
                cost = int(searcher.day.teams[team, at.TEAM_COST]) - unserved
                self._known.append(Variant(team, key[1], cost))
            variant_of[team] = self._variants[key]
        return variant_of

    def best_choice(
        self,
        hint: Arrangement,
        seconds: float,
        most_seconds: float,
        seed: int,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> Arrangement | None:
        """Routes of every shift that together cost least; None if nothing was found in time.

        `hint` is a plan to begin from. `seconds` counts work, so that the same pool, hint and seed give the same
        answer on every machine; `most_seconds` is by the clock. `is_cancelled` is asked now and then.
        """
        cp_model = load_cp_sat()
        case = self._compiled.case
        columns = [column for column in self._columns.values() if not case.shifts[column.shift, at.CLOSED]]
        model = cp_model.CpModel()
        chosen = [model.new_bool_var("") for _ in columns]
        of_visit: dict[int, list[int]] = {}
        of_twin: dict[int, list[int]] = {}
        of_share: dict[Share, list[int]] = {}
        for number, column in enumerate(columns):
            of_twin.setdefault(self._twins[column.shift], []).append(number)
            for visit in column.visits:
                if self._teams[visit] < 0:
                    of_visit.setdefault(visit, []).append(number)
            for share in column.shares:
                of_share.setdefault(share, []).append(number)
        twins: dict[int, list[int]] = {}
        for shift, twin in enumerate(self._twins):
            twins.setdefault(twin, []).append(shift)
        for twin, numbers in of_twin.items():
            model.add(sum(chosen[number] for number in numbers) <= len(twins[twin]))
        costs = [column.cost for column in columns]
        for visit, numbers in of_visit.items():
            covered = sum(chosen[number] for number in numbers)
            if case.visits[visit, at.LOCKED]:
                model.add(covered == 1)
            else:
                model.add(covered <= 1)
            for number in numbers:
                costs[number] -= int(case.visits[visit, at.UNSERVED])
        variants = sorted({variant for _, variant in of_share})
        served = {variant: model.new_bool_var("") for variant in variants}
        of_team: dict[int, list[int]] = {}
        for variant in variants:
            known = self._known[variant]
            of_team.setdefault(known.team, []).append(variant)
            for seat, _, _ in known.seats:
                model.add(sum(chosen[n] for n in of_share.get((seat, variant), ())) == served[variant])
        for team, numbers in of_team.items():
            is_locked = bool(case.visits[case.teams[team, at.HEAD], at.LOCKED])
            together = sum(served[variant] for variant in numbers)
            model.add(together == 1 if is_locked else together <= 1)
        model.minimize(
            sum(cost * variable for cost, variable in zip(costs, chosen, strict=True))
            + sum(self._known[variant].cost * variable for variant, variable in served.items())
        )
        starts = {
            (
                self._twins[shift],
                tuple(visits),
                tuple(hint.held[visit] for visit in visits if self._teams[visit] >= 0),
                hint.stays.get(shift),
            )
            for shift, visits in enumerate(hint.routes)
        }
        for number, column in enumerate(columns):
            own = (self._twins[column.shift], column.visits, self._starts(column), column.stay)
            model.add_hint(chosen[number], own in starts)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed % (1 << 31)
        solver.parameters.max_deterministic_time = seconds
        solver.parameters.max_time_in_seconds = most_seconds
        with ThreadPoolExecutor(1, "CP-SAT") as beside:
            solving = beside.submit(solver.solve, model)
            while not wait((solving,), ASKED_EVERY_SECONDS).done:
                if is_cancelled():
                    solver.stop_search()
        if solving.result() not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        return self._arrangement(
            [column for column, variable in zip(columns, chosen, strict=True) if solver.value(variable)], twins, hint
        )

    def _starts(self, column: Column) -> tuple[int, ...]:
        """The starts of the team members on a route, in its order."""
        start_of = {
            (seat, variant): start for _, variant in column.shares for seat, _, start in self._known[variant].seats
        }
        return tuple(start_of[share] for share in column.shares if share[0] in column.visits)

    def _arrangement(self, chosen: list[Column], twins: dict[int, list[int]], hint: Arrangement) -> Arrangement:
        """One route per shift; alike shifts take the routes of their class in turn, closed ones keep theirs."""
        case = self._compiled.case
        routes: list[list[int]] = [
            list(visits) if case.shifts[shift, at.CLOSED] else [] for shift, visits in enumerate(hint.routes)
        ]
        held, stays = [at.NONE] * len(hint.held), {}
        free = {
            twin: [shift for shift in shifts if not case.shifts[shift, at.CLOSED]] for twin, shifts in twins.items()
        }
        for column in chosen:
            shift = free[self._twins[column.shift]].pop(0)
            routes[shift] = list(column.visits)
            if column.stay is not None:
                stays[shift] = column.stay
            for seat, variant in column.shares:
                start = next(start for other, _, start in self._known[variant].seats if other == seat)
                held[seat] = shift if start == at.NONE else start
        return Arrangement(routes, held, stays)
