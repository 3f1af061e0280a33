"""Slack induction by string removals (Christiaens and Vanden Berghe 2020) on several threads, with recombination.

The outer loop: slices of iterations on every thread, between them sharing of the best, collecting of routes, now and
then a set partitioning over all of them (`solver.pool`), and a look at the clock. The kernel does the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

from dispatcher.planning import SearchLimits, StoppedBy
from solver.budget import Budget
from solver.compile import Arrangement, Compiled
from solver.pool import RoutePool, load_cp_sat
from solver.searcher import BrokenRoute, Searcher

FIRST_TEMPERATURE, LAST_TEMPERATURE = 1.0, 0.01
"""Start and end of the annealing, in mean costs of a leg between two places."""
STOPS_OF_A_LEG = 10
"""And on routes of more stops than this the start by as much warmer as they are longer: what such a route is worth
changing for is decided by more legs."""
WARMTH_OF_VALUES = 5.0
"""Annealing starts warmer by so much for each leg that an order costs beside the driving."""
WARMTH_OF_KINDS = 1.0
"""And by so much where no two shifts are of one kind: what one has to give up seldom suits another, so that good plans
lie farther apart."""
MOST_WARMTH = 4.0
"""Both together start it at most so many times as warm."""
FROZEN_ITERATIONS, FROZEN_BELOW = 300, 0.15
"""A search is frozen when it has found nothing better than since it was warm for so many iterations for each order and
thread, at this share of the first temperature or less. Annealing begins again then, with what is left of the budget."""
LAST_BEGINNING = 0.9
"""Share of the budget after which it does not."""
QUICK_SHARE = 0.03
"""Share of the budget spent cold at first, so that there is a good plan early."""
SLICE_SECONDS, SLICE_SHARE = 0.2, 0.05
"""A slice takes so long, and at most this share of the time limit: of a short search there are as many."""
SLICE_ITERATIONS = 500
"""Iterations of a slice where they are counted; and of the first one in any case."""
RECOMBINED_AT = (0.5, 0.75, 0.93)
"""Shares of the budget after which routes are recombined."""
RECOMBINED_SHARE = 0.04
"""Share of the budget that one recombination may take, in seconds of CP-SAT's own count of its work."""
RECOMBINED_SECONDS = 8.0
"""And at most so long; who cancels does not wait for it."""
RECOMBINED_BY_CLOCK = 4
"""By the clock it is ended after so many times that."""
RESERVED_SECONDS = 0.1
UNTIMED_SECONDS = 600.0
MOST_BROKEN = 10
"""A plan with more routes than this that cannot be driven is not mended: on days of thousands of routes that would
take longer than the search."""
SHARED_EVERY = 0.2
"""Share of the budget between two looks at the other threads' best: more often, and they all search at one place."""

Progress = Callable[[float, str], None]


class Search:
    """A search on a compiled problem from given routes; totals in thousandths of the score."""

    def __init__(
        self,
        compiled: Compiled,
        searchers: Sequence[Searcher],
        limits: SearchLimits,
        budget: Budget,
        progress: Progress,
    ) -> None:
        self._compiled = compiled
        self._searchers = list(searchers)
        self._limits = limits
        self._budget = budget
        self._progress = progress
        self._pool = RoutePool(compiled)
        self._began, self._begun_at = budget.elapsed_seconds, budget.iterations
        self._leg_cost = searchers[0].leg_cost()
        self._warmth: float | None = None
        self._annealed_from = QUICK_SHARE
        self._coldest_total, self._coldest_at = 1 << 62, 0
        self._refused: Arrangement | None = None
        self.best: Arrangement = self._searchers[0].best()
        self.best_total = self._searchers[0].best_total

    def run(self) -> StoppedBy:
        """Search until a limit; `best` and `best_total` hold the result."""
        if not len(self._compiled.case.visits):
            return "finished"
        iterations, speed = SLICE_ITERATIONS, 0.0
        shared, recombined = 0.0, 0
        # Loading CP-SAT takes a second, which the search does not wait for.
        loading = Thread(target=load_cp_sat, name="load CP-SAT")
        with ThreadPoolExecutor(len(self._searchers)) as threads:
            while True:
                stopped = self._budget.stopped()
                done = self._done()
                if stopped is not None or done >= 1.0:
                    return stopped or "time_limit"
                if self._limits.iteration_limit is not None:
                    left = self._limits.iteration_limit - self._budget.iterations
                    iterations = min(iterations, max(1, -(-left // len(self._searchers))))
                if self._warmth is None and done >= QUICK_SHARE:
                    self._take_temperature()
                first, last = self._temperature(done), self._temperature(self._done_after(iterations, speed))
                began = time.monotonic()
                runs = [threads.submit(searcher.run, iterations, first, last) for searcher in self._searchers]
                for run in runs:
                    run.result()
                self._budget.iterations += iterations * len(self._searchers)
                speed = iterations / max(1e-6, time.monotonic() - began)
                if loading.ident is None:
                    loading.start()
                self._take_best()
                self._collect()
                self._begin_again_if_frozen(done, last)
                due = sum(share <= done for share in RECOMBINED_AT)
                # Iterations alone give the same plan on every machine, however long loading takes.
                if recombined < due and (not loading.is_alive() or self._limits.time_limit_seconds is None):
                    recombined = due
                    self._recombine()
                if done >= shared + SHARED_EVERY:
                    shared = done
                    self._share()
                if self._limits.iteration_limit is None:
                    iterations = max(20, int(speed * self._slice_seconds()))
                self._progress(
                    min(1.0, self._done()), f"{self._budget.iterations:,} iterations, cost {self.best_total // 1000:,}"
                )

    # -- the schedule ------------------------------------------------------------------------------------------

    def _slice_seconds(self) -> float:
        """How long the next slice may take."""
        limit = self._limits.time_limit_seconds
        if limit is None:
            return SLICE_SECONDS
        return min(SLICE_SECONDS, SLICE_SHARE * limit, max(0.001, limit - self._budget.elapsed_seconds))

    def _done(self) -> float:
        """The share of the budget that is used, by whichever limit is nearer."""
        shares = [0.0]
        if self._limits.time_limit_seconds is not None:
            whole = max(1e-6, self._limits.time_limit_seconds - self._began)
            shares.append((self._budget.elapsed_seconds - self._began) / whole)
        if self._limits.iteration_limit is not None:
            shares.append(self._share_of_iterations(0, self._limits.iteration_limit))
        return max(shares)

    def _share_of_iterations(self, more: int, limit: int) -> float:
        """Of those left as the search began, the share used after so many more."""
        return (self._budget.iterations + more - self._begun_at) / max(1, limit - self._begun_at)

    def _done_after(self, iterations: int, speed: float) -> float:
        share = self._done()
        if self._limits.iteration_limit is not None:
            more = iterations * len(self._searchers)
            share = max(share, self._share_of_iterations(more, self._limits.iteration_limit))
        if self._limits.time_limit_seconds is not None and speed:
            share += iterations / speed / max(1e-6, self._limits.time_limit_seconds - self._began)
        return min(1.0, share)

    def _temperature(self, done: float) -> float:
        """Cold for a first quick descent, then from where it was last made warm to cold geometrically."""
        first, last = FIRST_TEMPERATURE * self._leg_cost, LAST_TEMPERATURE * self._leg_cost
        if self._warmth is None:
            return last
        first *= self._warmth
        share = (done - self._annealed_from) / (1.0 - self._annealed_from)
        return float(first * (last / first) ** share)

    def _begin_again_if_frozen(self, done: float, temperature: float) -> None:
        """Warm the search again once it stands still in the cold, so that the rest of the budget is of use."""
        if self._warmth is None or temperature > FROZEN_BELOW * FIRST_TEMPERATURE * self._leg_cost * self._warmth:
            return
        iterations, total = self._budget.iterations, min(searcher.total for searcher in self._searchers)
        if total < self._coldest_total:
            self._coldest_total, self._coldest_at = total, iterations
        enough = FROZEN_ITERATIONS * len(self._compiled.problem.work_orders) * len(self._searchers)
        if iterations >= self._coldest_at + enough and done < LAST_BEGINNING:
            self._annealed_from = done
            self._coldest_total = 1 << 62

    def _take_temperature(self) -> None:
        """Set the scale of the annealing by a plan that is no longer raw: its legs, how many a route has of them, what
        orders cost beside the driving, undone or late, and how many kinds of shifts there are."""
        searcher = self._searchers[0]
        self._leg_cost = searcher.leg_cost()
        legs_of_order = searcher.at_stake() / len(self._compiled.problem.work_orders) / self._leg_cost
        unlike = max(0, self._compiled.shift_kinds - 1) / max(1, len(self._compiled.shifts) - 1)
        self._warmth = min(MOST_WARMTH, 1.0 + WARMTH_OF_KINDS * unlike + WARMTH_OF_VALUES * legs_of_order)
        self._warmth *= max(1.0, searcher.stops_of_route() / STOPS_OF_A_LEG)

    # -- between slices ----------------------------------------------------------------------------------------

    def _take_best(self) -> None:
        for searcher in self._searchers:
            if searcher.best_total < self.best_total:
                self.best_total, self.best = searcher.best_total, searcher.best()

    def _share(self) -> None:
        """Threads whose own best is not the common one go on from it."""
        if len(self._searchers) < 2:
            return
        for searcher in self._searchers:
            if searcher.best_total > self.best_total and self.best is not self._refused:
                self._refused = None if self._adopt(searcher, self.best) else self.best
        self._take_best()

    def _adopt(self, searcher: Searcher, plan: Arrangement) -> bool:
        """Have a searcher go on from a plan; where only a part of that can be driven, from what is cheaper: that part
        with the rest put in anew, or its own. Whether it is the whole plan."""
        own, total = searcher.arrangement(), searcher.total
        try:
            is_whole = searcher.take_up(plan, self._has_time, MOST_BROKEN)
            is_kept = is_whole or searcher.total <= total
        except BrokenRoute:
            is_whole = is_kept = False
        if not is_kept:
            searcher.take_up(own, self._has_time)
        searcher.note_best()
        return is_whole

    def _has_time(self) -> bool:
        return self._budget.stopped() is None

    def _collect(self) -> None:
        for searcher in self._searchers:
            self._pool.add(searcher)

    def _recombine(self) -> None:
        limit = self._limits.time_limit_seconds
        # Work is what ends it, so that an iteration limit alone gives the same plan on every machine; the clock only
        # sees to a time limit.
        seconds, most_seconds = 1.0, UNTIMED_SECONDS
        if limit is not None:
            seconds = min(RECOMBINED_SECONDS, RECOMBINED_SHARE * limit)
            most_seconds = min(RECOMBINED_BY_CLOCK * seconds, limit - self._budget.elapsed_seconds - RESERVED_SECONDS)
        if most_seconds <= 0:
            return
        worst = max(self._searchers, key=lambda searcher: searcher.total)
        before = worst.arrangement()
        # All routes of the best plan are there to begin from: what is found in time may else be far worse.
        if self._adopt(worst, self.best):
            self._pool.add(worst)
        seed, is_cancelled = self._limits.seed, self._budget.is_cancelled
        chosen = self._pool.best_choice(self.best, seconds, most_seconds, seed, is_cancelled)
        is_whole = chosen is not None and chosen != self.best and self._adopt(worst, chosen)
        is_better = is_whole and worst.total < self.best_total
        if not is_better and not self._adopt(worst, before):
            self._adopt(worst, self.best)
        # A part of a choice, too, may be cheaper than all so far.
        self._take_best()
