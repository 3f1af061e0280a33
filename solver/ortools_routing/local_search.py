"""One run of OR-Tools' guided local search over a model, and what it may use: time, solutions, the caller's patience.

Nothing may be raised through OR-Tools: an error of a callback ends the search and is raised behind it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from solver.ortools_routing.day import Served
from solver.ortools_routing.model import RoutingDay

A_YEAR_SECONDS = 365 * 86400
POLL_SECONDS = 0.05
STALLED_STEPS = 20_000
"""Steps without a solution that count as one; a step takes a few microseconds, on large days up to a millisecond."""
PATIENCE_STEPS = 200_000
"""Steps that fitting the first plan into the model may take."""
COMPLETION_SHARE, SHORTEST_COMPLETION_SECONDS, UNHURRIED_COMPLETION_SECONDS = 0.05, 0.3, 60.0
"""What completing one solution may take: a share of the time limit, since one that is stuck runs beyond the end for as
long; without a time limit as much as no sound one ever takes."""


class LocalSearch:
    """A search to be used once: `read_first`, then `run`.

    `solutions` are those accepted so far, `completing_seconds` is what making the first plan a solution took.
    `poll` is called with the solutions every so often, and says whether to end.
    """

    def __init__(
        self,
        routing: RoutingDay,
        pywrapcp: Any,
        enums: Any,
        time_limit_seconds: float | None,
        poll: Callable[[int], bool],
    ) -> None:
        self.solutions = 0
        self.completing_seconds = 0.0
        self._routing = routing
        self._poll = poll
        self._polled = time.monotonic()
        self._steps = 0
        self._last_solution = 0
        self._last_step = sys.maxsize
        self._allowed = sys.maxsize
        self._ends = float("inf")
        self._is_ended = False
        self._error: BaseException | None = None
        self._first: Any = None
        self._parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters = self._parameters
        parameters.local_search_metaheuristic = enums.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        # Without it a linear program is solved for every neighbour; the earliest times are the cheapest here anyway.
        parameters.disable_scheduling_beware_this_may_degrade_performance = True
        # OR-Tools warns on standard error of guided local search without a time limit; a year is none.
        parameters.time_limit.FromSeconds(A_YEAR_SECONDS)
        # Despite its name it bounds completing every solution, the first one included. Without a time limit it is only
        # there so that nothing hangs: a clock that ended a completion would make runs differ.
        completion = UNHURRIED_COMPLETION_SECONDS
        if time_limit_seconds is not None:
            completion = max(SHORTEST_COMPLETION_SECONDS, COMPLETION_SHARE * time_limit_seconds)
        parameters.lns_time_limit.FromMilliseconds(int(1000 * completion))
        model = routing.model
        model.AddAtSolutionCallback(self._count)
        model.AddSearchMonitor(model.solver().CustomLimit(self._is_over))
        model.CloseModelWithParameters(parameters)

    def read_first(self, seconds: float) -> None:
        """Fit the plan to start from into the model; at most for some seconds, or it is left out."""
        # Reading has no limit of its own, and proving that a plan does not fit may take for ever.
        self._ends = time.monotonic() + seconds
        self._last_step = PATIENCE_STEPS
        self._first = self._routing.first_assignment()
        self.completing_seconds = self._routing.reading_seconds
        self._last_step = sys.maxsize
        self._raise_errors()

    def run(self, seconds: float, solutions: int | None) -> list[list[Served]] | None:
        """The routes by vehicle of the best solution within seconds and number of solutions; None without one."""
        if seconds <= 0 or self._is_ended:
            return None
        self._ends = time.monotonic() + seconds
        if seconds < A_YEAR_SECONDS:
            self._parameters.time_limit.FromMilliseconds(max(1, int(seconds * 1000)))
        # The first solution is the one the search starts from.
        self.solutions, self._last_solution = -1, self._steps
        self._allowed = sys.maxsize if solutions is None else solutions
        model = self._routing.model
        if self._first is None:
            found = model.SolveWithParameters(self._parameters)
        else:
            found = model.SolveFromAssignmentWithParameters(self._first, self._parameters)
        self.solutions = max(0, self.solutions)
        self._raise_errors()
        return None if found is None else self._routing.routes_of(found)

    def _raise_errors(self) -> None:
        if self._error is not None:
            raise self._error

    # -- callbacks ---------------------------------------------------------------------------------------------

    def _count(self) -> None:
        self.solutions += 1
        self._last_solution = self._steps

    def _is_over(self) -> bool:
        if self._is_ended:
            return True
        try:
            self._steps += 1
            if self._steps - self._last_solution >= STALLED_STEPS:
                self._count()
            now = time.monotonic()
            if now - self._polled >= POLL_SECONDS:
                self._polled = now
                self._is_ended = self._poll(max(0, self.solutions))
        except BaseException as error:
            self._error, self._is_ended = error, True
            return True
        over = self._steps > self._last_step or now >= self._ends
        return self._is_ended or over or self.solutions >= self._allowed
