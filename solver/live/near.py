"""Which routes come near a place in time: an estimate over all of them at once, to know where to look first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dispatcher.model import WorkOrder
from solver.day_state import DayState
from solver.stint import lateness_cost

_NEVER = np.iinfo(np.int64).max // 4


class NearRoutes:
    """Every gap of every route as arrays: where it begins, when at the earliest, and the leg that it replaces.

    `gaps` [G] holds location indices, `free` [G] epoch seconds, `legs` [G] the free-flow seconds to what follows, and
    `following` [G] where that is (−1: nothing follows an open route).
    """

    def __init__(self, state: DayState) -> None:
        gaps: list[int] = []
        free: list[int] = []
        legs: list[int] = []
        following: list[int] = []
        first: list[int] = []
        travel, index = state.problem.travel, state.problem.location_index
        for route in state.routes:
            first.append(len(gaps))
            ends = [max(route.shift.start, state.problem.now)]
            places = [route.start_place()]
            for made in route.made():
                if made.stint is not None:
                    ends.append(made.end)
                    places.append(places[-1] if made.stint.remote else made.stint.place)
            home = -1 if route.shift.end_location is None else index[route.shift.end_location]
            onward = [*places[1:], home]
            for place, to, end in zip(places, onward, ends, strict=True):
                gaps.append(place)
                following.append(to)
                free.append(end)
                legs.append(0 if to < 0 else travel.free_flow_row(place, 1)[to])
        self._state = state
        self._gaps, self._following = np.array(gaps, dtype=np.int64), np.array(following, dtype=np.int64)
        self._free, self._legs = np.array(free, dtype=np.int64), np.array(legs, dtype=np.int64)
        self._first = np.array(first, dtype=np.int64)

    def ranked(self, order: WorkOrder) -> list[int]:
        """All routes, those first where the order seems to cost least; none is left out."""
        estimates = self._estimates(order)
        if not len(estimates):
            return []
        return [int(route) for route in np.argsort(np.minimum.reduceat(estimates, self._first), kind="stable")]

    def _estimates(self, order: WorkOrder) -> NDArray[np.int64]:
        """The detour and the lateness of the order at every gap, in thousandths, as if nothing else mattered [G]."""
        problem = self._state.problem
        row = np.array(problem.travel.free_flow_row(problem.location_index[order.location], 1), dtype=np.int64)
        if not len(self._gaps):
            return row[:0]
        onward = np.where(self._following < 0, 0, row[self._following])
        detour = row[self._gaps] + onward - self._legs
        arrival = self._free + row[self._gaps]
        start = arrival.copy()
        if order.time_windows:
            start[:] = _NEVER
            for window in order.time_windows:
                inside = np.where(arrival <= window.end, np.maximum(arrival, window.start), _NEVER)
                start = np.minimum(start, inside)
        estimates = detour * problem.weights.of("travel")
        lateness = lateness_cost(problem, order)
        if lateness is not None:
            for instant, by, each, once in (
                (arrival, lateness.arrive_by, lateness.arrival, lateness.arrival_once),
                (start, lateness.start_by, lateness.start, lateness.start_once),
                (start + order.service_seconds, lateness.restore_by, lateness.restore, lateness.restore_once),
            ):
                late = np.maximum(0, np.minimum(instant, _NEVER) - by)
                estimates = estimates + np.where(late > 0, np.minimum(late, 1 << 30) * each + once, 0)
        return np.where(start >= _NEVER, _NEVER, estimates)
