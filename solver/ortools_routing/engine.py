"""The engine `ortools`: OR-Tools' routing library with guided local search, started from the insertion engine's plan.

A second opinion with models of its own making. Hard rules are bounds of the model or stay as the insertion engine
left them (teams, running work, standby); soft rules it can only approximate are named in the result, and the routes it
finds are driven, repaired and judged by the exact rules before they are returned. It is never worse than the plan it
starts from. It has no chance in it and one thread: seed and threads change nothing.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dispatcher.evaluate import evaluate
from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits, SearchResult, StoppedBy
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.budget import Budget
from solver.construction import ORDERINGS
from solver.insertion import InsertionEngine
from solver.ortools_routing.day import Day, read_day
from solver.ortools_routing.local_search import LocalSearch
from solver.ortools_routing.model import RoutingDay, matrix_cells
from solver.ortools_routing.promises import approximated_rules
from solver.ortools_routing.replay import exact_sequences

Progress = Callable[[float, str], None]

SEARCH_SHARE = 0.25
"""The share of the time limit kept for the search. The insertion engine needs a quarter of ten seconds for a hundred
orders; on larger days a second of insertion gains more than a second of local search."""
ROUNDS = 4
"""How often the model is made anew around the plan found last, where its times are not exact."""
SHORTEST_ROUND_SECONDS = 0.6
SHORTEST_SEARCH_SECONDS = 0.02

BUILDING_SHARE, REPLAYING_SHARE, ROUND_SHARE = 0.3, 0.4, 1.5
"""What making a model, driving its routes and a whole round take, as multiples of what the insertion engine's first
ordering took: all of them grow with orders, shifts and rules. The first two hold until they have been measured."""
CELLS_PER_SECOND = 10_000_000


class OrToolsEngine:
    """See the module (the port `Engine`)."""

    name = "ortools"

    def solve(
        self,
        problem: Problem,
        limits: SearchLimits,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Progress = lambda fraction, text: None,
    ) -> SearchResult:
        """Plan until a limit or `cancelled()`; without any limit that is until cancelled.

        An iteration is a solution the local search accepts, or a long time of finding none. `iteration_limit` counts
        those and alone makes a run repeatable; the insertion engine's plan comes before the first.

        Raises:
            EngineRefuses: for a problem too large for OR-Tools' matrices.
        """
        run = _Run(problem, limits, cancelled, progress)
        sequences = run.constructed()
        if run.stopped_by != "cancelled":
            sequences = run.improved(sequences)
        progress(1.0, f"{run.iterations} solutions")
        rules = approximated_rules(problem, merged=run.merged)
        return SearchResult(sequences, run.iterations, run.elapsed_seconds, run.stopped_by, rules)


class _Run:
    """Rounds of guided local search, each over a model made around the plan of the round before."""

    def __init__(
        self, problem: Problem, limits: SearchLimits, cancelled: Callable[[], bool], progress: Progress
    ) -> None:
        self.iterations = 0
        self.stopped_by: StoppedBy = "finished"
        self.merged = False
        self._problem = problem
        self._limits = limits
        self._cancelled = cancelled
        self._progress = progress
        self._began = time.monotonic()
        self._seconds = float("inf") if limits.time_limit_seconds is None else limits.time_limit_seconds
        self._pinned = {order.id for order in problem.work_orders if order.pin is not None}
        self._whole: float | None = None
        self._reading = self._building = self._replaying = 0.0

    @property
    def elapsed_seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def _left(self) -> float:
        return self._seconds - self.elapsed_seconds

    # -- the plan to start from --------------------------------------------------------------------------------

    def constructed(self) -> Sequences:
        """The insertion engine's plan, or the best it has when only the time for a search is left.

        Where a search could not do anything in the time behind the first ordering, no time is kept for it.
        """

        # It is stopped this way and not by a shorter limit, by which it would give teams less time.
        def is_over() -> bool:
            return self._is_cancelled() or (
                self._whole is not None and self._left <= self._kept_for_search(self._whole)
            )

        def report(fraction: float, text: str) -> None:
            if self._whole is None and fraction > 1 / len(ORDERINGS):
                self._whole = self.elapsed_seconds
            self._progress(self._fraction_done(0), text)

        limits = replace(self._limits, iteration_limit=None)
        return InsertionEngine().solve(self._problem, limits, cancelled=is_over, progress=report).sequences

    def _kept_for_search(self, whole: float) -> float:
        """Seconds to keep for the search when a first plan was there after `whole` seconds."""
        round_seconds = ROUND_SHARE * whole
        if self._limits.time_limit_seconds is None or whole + round_seconds >= self._seconds:
            return 0.0
        return max(SEARCH_SHARE * self._seconds, round_seconds)

    def _is_cancelled(self) -> bool:
        if self.stopped_by != "cancelled" and self._cancelled():
            self.stopped_by = "cancelled"
        return self.stopped_by == "cancelled"

    def _fraction_done(self, iterations: int) -> float:
        """How much of the limit that will end the run is used; 0 without limits."""
        limit = self._limits.iteration_limit
        of_iterations = 0.0 if not limit else iterations / limit
        of_time = self.elapsed_seconds / self._seconds if self._seconds else 1.0
        return min(1.0, max(of_iterations, of_time))

    # -- rounds ------------------------------------------------------------------------------------------------

    def improved(self, sequences: Sequences) -> Sequences:
        """The best of these sequences and what the rounds make of them."""
        best, current = self._judged(sequences), sequences
        to_go = ROUNDS
        while to_go and not self._is_at_a_limit():
            began = time.monotonic()
            day = read_day(self._problem, current)
            self._reading = time.monotonic() - began
            if not day.nodes or not day.vehicles:
                break
            to_go = self._rounds_afforded(day, 1 if day.knows_the_times else to_go)
            if not to_go:
                self.stopped_by = "time_limit"
                break
            found = self._searched(day, to_go)
            to_go -= 1
            if found is None:
                break
            current = found
            best = min(best, self._judged(current), key=lambda judged: judged[:2])
            if self.stopped_by == "cancelled":
                break
        if self.stopped_by == "finished" and self._limits.time_limit_seconds is not None and not to_go:
            self.stopped_by = "time_limit"
        return best[2]

    def _judged(self, sequences: Sequences) -> tuple[int, int, Sequences]:
        """(pinned orders left undone, total, the sequences), to be compared by the first two."""
        plan = build_plan(self._problem, sequences)
        return len(self._pinned.intersection(plan.unassigned)), evaluate(self._problem, plan).total, sequences

    def _is_at_a_limit(self) -> bool:
        """Whether time or iterations are used up, which then is why the run stopped."""
        limit = self._limits.iteration_limit
        if limit is not None and self.iterations >= limit:
            self.stopped_by = "iteration_limit"
        elif self._left <= SHORTEST_SEARCH_SECONDS:
            self.stopped_by = "time_limit"
        return self.stopped_by != "finished"

    def _rounds_afforded(self, day: Day, wanted: int) -> int:
        """How many rounds the time is enough for, this one included; 0 where not even for this one."""
        first = self._whole or self.elapsed_seconds
        self._building = self._building or (
            self._reading + BUILDING_SHARE * first + matrix_cells(day) / CELLS_PER_SECOND
        )
        self._replaying = self._replaying or REPLAYING_SHARE * first
        left = self._left - self._building - self._replaying
        if left < SHORTEST_SEARCH_SECONDS:
            return 0
        for rounds in range(wanted, 1, -1):
            others = (rounds - 1) * (self._reading + self._building + self._replaying)
            if left - others >= rounds * SHORTEST_ROUND_SECONDS:
                return rounds
        return 1

    def _searched(self, day: Day, rounds: int) -> Sequences | None:
        """What guided local search makes of its part of the time left for some rounds; None where of nothing."""
        began = time.monotonic()
        pywrapcp, enums = _ortools()
        routing = RoutingDay(day, pywrapcp)
        self.merged |= routing.merged
        search = LocalSearch(routing, pywrapcp, enums, self._limits.time_limit_seconds, self._poll)
        search.read_first(self._left - self._replaying)
        self._building = time.monotonic() - began
        # A solution once begun is completed, which takes as long as completing the first one did.
        ahead = rounds * (self._replaying + search.completing_seconds) + (rounds - 1) * (self._reading + self._building)
        limit = self._limits.iteration_limit
        solutions = None if limit is None else -(-(limit - self.iterations) // rounds)
        routes = search.run((self._left - ahead) / rounds, solutions)
        self.iterations += search.solutions
        if routes is None:
            return None
        began = time.monotonic()
        # A cancelled search still hands over what it found: driving that again takes no time to speak of.
        left = None if self._seconds == float("inf") else max(0.0, self._left - 0.2 * self._replaying)
        budget = Budget(SearchLimits(time_limit_seconds=left), lambda: False)
        sequences = exact_sequences(day, routes, budget)
        self._replaying = 1.2 * (time.monotonic() - began)
        return sequences

    def _poll(self, solutions: int) -> bool:
        """Report, and say whether the search is to end."""
        iterations = self.iterations + solutions
        self._progress(self._fraction_done(iterations), f"{iterations} solutions")
        return self._is_cancelled()


def _ortools() -> tuple[Any, Any]:
    """OR-Tools' routing library and its enumerations, loaded only now: it takes longer than the rest of Muster."""
    with warnings.catch_warnings():
        # OR-Tools' bindings do what newer interpreters warn of.
        warnings.simplefilter("ignore", DeprecationWarning)
        from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    return pywrapcp, routing_enums_pb2
