"""Recombination: the best choice among all routes the search has seen, by set partitioning with CP-SAT.

The search keeps plans; many good routes never meet in one of them. Choosing one known route per shift, each order at
most once, at the least cost is a set partitioning problem (Rochat and Taillard 1995 for the idea).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solver.compile import Compiled
from solver.kernel import layout as at

MOST_ROUTES = 6000
"""Routes kept; of more the oldest go."""

Route = tuple[int, tuple[int, ...]]
"""(twin class of the shift, its visits in order)."""


@dataclass(frozen=True, slots=True)
class Column:
    shift: int
    visits: tuple[int, ...]
    cost: int


class RoutePool:
    """Routes seen, by twin class and sequence, with what each costs in thousandths."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._twins = compiled.case.shifts[:, at.TWIN].tolist()
        self._columns: dict[Route, Column] = {}

    def __len__(self) -> int:
        return len(self._columns)

    def add(self, routes: Iterable[tuple[int, Sequence[int], int]]) -> None:
        """Remember (shift, visits, cost) of routes with work."""
        for shift, visits, cost in routes:
            if not len(visits):
                continue
            column = Column(shift, tuple(visits), cost)
            key = (self._twins[shift], column.visits)
            # What is seen again counts as new: the end of the search is what matters.
            self._columns.pop(key, None)
            self._columns[key] = column
        while len(self._columns) > MOST_ROUTES:
            del self._columns[next(iter(self._columns))]

    def best_choice(
        self, hint: Sequence[Sequence[int]], seconds: float, most_seconds: float, seed: int
    ) -> list[list[int]] | None:
        """Routes of every shift that together cost least; None if nothing was found in time.

        `hint` is a plan to begin from. `seconds` counts work, so that the same pool, hint and seed give the same
        answer on every machine; `most_seconds` is by the clock.
        """
        # CP-SAT takes a second to load; only who recombines waits for it.
        from ortools.sat.python import cp_model

        case = self._compiled.case
        columns = [column for column in self._columns.values() if not case.shifts[column.shift, at.CLOSED]]
        model = cp_model.CpModel()
        chosen = [model.new_bool_var("") for _ in columns]
        of_visit: dict[int, list[int]] = {}
        of_twin: dict[int, list[int]] = {}
        for number, column in enumerate(columns):
            of_twin.setdefault(self._twins[column.shift], []).append(number)
            for visit in column.visits:
                of_visit.setdefault(visit, []).append(number)
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
        model.minimize(sum(cost * variable for cost, variable in zip(costs, chosen, strict=True)))
        known = {(self._twins[shift], tuple(visits)) for shift, visits in enumerate(hint) if len(visits)}
        for number, column in enumerate(columns):
            model.add_hint(chosen[number], (self._twins[column.shift], column.visits) in known)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed % (1 << 31)
        solver.parameters.max_deterministic_time = seconds
        solver.parameters.max_time_in_seconds = most_seconds
        if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        return self._routes(
            [column for column, variable in zip(columns, chosen, strict=True) if solver.value(variable)], twins, hint
        )

    def _routes(
        self, chosen: Sequence[Column], twins: dict[int, list[int]], hint: Sequence[Sequence[int]]
    ) -> list[list[int]]:
        """One route per shift; alike shifts take the routes of their class in turn, closed ones keep theirs."""
        case = self._compiled.case
        routes: list[list[int]] = [
            list(visits) if case.shifts[shift, at.CLOSED] else [] for shift, visits in enumerate(hint)
        ]
        free = {
            twin: [shift for shift in shifts if not case.shifts[shift, at.CLOSED]] for twin, shifts in twins.items()
        }
        for column in chosen:
            routes[free[self._twins[column.shift]].pop(0)] = list(column.visits)
        return routes
