"""About what it costs to call each of some engineers to a place for a while, between planned work or instead of it.

An estimate in the manner of `gaps`, for all of them at once: it says who is worth pricing exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dispatcher.problem import Problem
from solver.team_options.gaps import IMPOSSIBLE, Floats, Gaps, between

IN_TURN = 4
"""Planned stops and breaks in a row that may make room."""
SOON = 2
"""The next planned stops of a route of which it is worth knowing what displacing each one costs."""


class Calls:
    """What one stop at a place would cost on some routes.

    Args:
        routes: where these are among the routes of the gaps.
        place: the location index.
        regret: what displacing an order costs, in thousandths, None where it may not be displaced; it is told whether
            a guess will do.
        after: what is over by then (epoch seconds) is in nobody's way.
    """

    def __init__(
        self,
        problem: Problem,
        gaps: Gaps,
        routes: Sequence[int],
        place: int,
        regret: Callable[[str, bool], int | None],
        after: int,
    ) -> None:
        self._weight = problem.weights.of("travel")
        self._gaps = gaps
        spans = [gaps.of_route(route) for route in routes]
        at = np.concatenate([np.arange(first, last) for first, last in spans])
        sizes = np.array([last - first for first, last in spans])
        self._first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._number = np.repeat(np.arange(len(routes)), sizes)
        ride = np.asarray(problem.travel.free_flow_row(place, 1), dtype=np.float64)
        paces = gaps.paces[at]
        there = ride[gaps.before[at]]
        onward = np.where(gaps.behind[at] < 0, 0.0, ride[gaps.behind[at]])
        self._arrival = gaps.free[at] + there * paces
        prices, lates = np.full(len(at), np.inf), gaps.late[at]
        for begin, (first, last) in zip(self._first.tolist(), spans, strict=True):
            in_the_way = (gap for gap in range(first, last) if gaps.orders[gap] and gaps.ends[gap] > after)
            for turn, gap in enumerate(in_the_way):
                found = regret(gaps.orders[gap], turn >= SOON)
                if found is not None:
                    prices[begin + gap - first] = found
        count = IN_TURN + 1
        places = np.arange(len(at))[:, None] + np.arange(count)
        last_of = (self._first + sizes - 1)[self._number][:, None]
        self._fits = places <= last_of
        target = np.minimum(places, last_of)
        self._harm, self._target = gaps.harm[at], target
        self._due = gaps.due[at][target]
        self._onward = (onward * paces)[target]
        # A break is taken before or behind: it costs its time, and the drive around it is that of the next gap.
        rests = gaps.rests[at]
        prices[rests > 0] = 0
        passed = np.where(rests > 0, 0.0, gaps.direct[at])[target]
        direct = gaps.direct[at][target]
        direct[:, 1:] += np.where(self._fits[:, 1:], passed[:, :-1], 0.0).cumsum(axis=1)
        self._rested = np.zeros((len(at), count))
        self._rested[:, 1:] = rests[target[:, :-1]].cumsum(axis=1)
        self._detour = (there[:, None] + onward[target] - direct) * paces[:, None] * self._weight
        lost = np.zeros((len(at), count))
        lost[:, 1:] = np.where(self._fits[:, 1:], (prices - lates)[target[:, :-1]], np.inf).cumsum(axis=1)
        self._fits &= np.isfinite(lost)
        self._lost = np.where(self._fits, lost, 0.0)

    def costs(self, seconds: NDArray[np.int64], span: tuple[int, int], handed_over: int) -> tuple[Floats, Floats]:
        """About the least cost, and the least harm to the promises of others, for each route [routes], in thousandths.

        Args:
            seconds: the service of each [routes].
            span: the earliest and latest start.
            handed_over: what each displaced order counts for as harm.
        """
        start = np.maximum(self._arrival, span[0])
        end = (start + seconds[self._number])[:, None] + self._rested
        delay = np.maximum(0.0, end + self._onward - self._due)
        harm = between(self._harm, self._target, delay) + self._lost
        fits = self._fits & (start <= span[1])[:, None]
        cost = np.where(fits, harm + self._detour, IMPOSSIBLE).min(axis=1)
        harm = np.where(fits, harm + handed_over * np.arange(IN_TURN + 1), IMPOSSIBLE).min(axis=1)
        return np.minimum.reduceat(cost, self._first), np.minimum.reduceat(harm, self._first)
