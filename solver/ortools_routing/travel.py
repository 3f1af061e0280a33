"""Matrices for OR-Tools: travel between the places of a day, and with service and setup the time of every transit.

OR-Tools' matrices do not know the hour. Under traffic a leg is stretched by the mean over the hours at which its first
stop can be left, or by that around the hour at which the plan to start from leaves it, whichever is more: a search
finds every leg that is taken for too short. Exact times are driven again afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dispatcher.model import Exact
from dispatcher.problem import Problem
from solver.ortools_routing.day import Day, Node, Vehicle

Matrix = NDArray[np.int64]

PROFILE_STEP_SECONDS = 900
PROFILE_LEGS = 12

LIKELY_SECONDS = 2700
"""A stop is taken to end this much earlier or later than in the plan to start from."""

StartKey = tuple[int, bool, int]
EndKey = tuple[int | None, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where nodes, starts and ends stand in the matrices: work first, then starts, then ends; the last end is open."""

    nodes: tuple[Node, ...]
    starts: tuple[StartKey, ...]
    ends: tuple[EndKey, ...]

    @classmethod
    def of(cls, day: Day) -> Layout:
        starts = tuple(dict.fromkeys(_start_key(vehicle) for vehicle in day.vehicles))
        ends = tuple(dict.fromkeys(_end_key(vehicle) for vehicle in day.vehicles))
        return cls(day.nodes, starts, ends)

    @property
    def size(self) -> int:
        return len(self.nodes) + len(self.starts) + len(self.ends)

    def start_of(self, vehicle: Vehicle) -> int:
        return len(self.nodes) + self.starts.index(_start_key(vehicle))

    def end_of(self, vehicle: Vehicle) -> int:
        return len(self.nodes) + len(self.starts) + self.ends.index(_end_key(vehicle))


def _start_key(vehicle: Vehicle) -> StartKey:
    return vehicle.start_place, vehicle.set_up, vehicle.start


def _end_key(vehicle: Vehicle) -> EndKey:
    return vehicle.end_place, vehicle.shift.end


class Transits:
    """Seconds and metres of every leg of a day, by speed. Rows and columns stand as in the layout."""

    def __init__(self, day: Day, layout: Layout) -> None:
        self._day = day
        self._problem = day.problem
        self._layout = layout
        count, first_end = len(layout.nodes), len(layout.nodes) + len(layout.starts)
        self._places = [node.place for node in layout.nodes]
        self._places += [place for place, _, _ in layout.starts]
        self._places += [-1 if place is None else place for place, _ in layout.ends]
        self._used = sorted({place for place in self._places if place >= 0})
        position = {place: index for index, place in enumerate(self._used)}
        self._rows = np.array([position.get(place, 0) for place in self._places], dtype=np.int64)
        self._silent = np.zeros((layout.size, layout.size), dtype=bool)
        self._silent[first_end:, :] = True
        # A shift that is not used drives nowhere, and nothing is ever driven to the end of an open route.
        self._silent[count:first_end, first_end:] = True
        self._silent[:, [place < 0 for place in self._places]] = True
        self._stretch = _stretches(day, layout)
        self._setups = self._setup_matrix(layout)
        self._seconds: dict[Exact, Matrix] = {}

    def seconds(self, speed_factor: Exact) -> Matrix:
        """Driving seconds of every leg."""
        found = self._seconds.get(speed_factor)
        if found is None:
            travel = self._problem.travel
            free = np.array(
                [[travel.free_flow_row(origin, speed_factor)[place] for place in self._used] for origin in self._used],
                dtype=np.int64,
            )
            legs = free[np.ix_(self._rows, self._rows)]
            if self._stretch is not None:
                legs = np.rint(legs * self._stretch).astype(np.int64)
            legs[self._silent] = 0
            for row, column, exact in self._kept_legs(speed_factor):
                legs[row, column] = min(exact, int(legs[row, column]))
            found = self._seconds[speed_factor] = legs
        return found

    def _kept_legs(self, speed_factor: Exact) -> Iterator[tuple[int, int, int]]:
        """The legs between kept stops with their exact seconds: what is kept must fit whatever traffic is taken for."""
        numbers = {(node.order.id, p): n for n, node in enumerate(self._day.nodes) for p in node.terms if node.must}
        for position, vehicle in enumerate(self._day.vehicles):
            if vehicle.engineer.speed_factor != speed_factor or not vehicle.is_used:
                continue
            where = self._layout.start_of(vehicle)
            route = self._day.kept.routes[vehicle.route]
            for item in route.made():
                number = None if item.stint is None else numbers.get((item.stint.order.id, position))
                if number is not None:
                    yield where, number, item.travel
                    where = number
            if where < len(self._layout.nodes):
                yield where, self._layout.end_of(vehicle), route.end()[1]

    def meters(self) -> Matrix:
        travel = self._problem.travel
        metres = np.array([[travel.meters(origin, place) for place in self._used] for origin in self._used])
        legs: Matrix = metres.astype(np.int64)[np.ix_(self._rows, self._rows)]
        legs[self._silent] = 0
        return legs

    def occupied(self, speed_factor: Exact, services: Sequence[int]) -> Matrix:
        """Seconds from the start of one service to the earliest start of the next: service, drive, setup."""
        matrix = self.seconds(speed_factor) + self._setups
        matrix[: len(services), :] += np.array(services, dtype=np.int64)[:, None]
        return matrix

    def _setup_matrix(self, layout: Layout) -> Matrix:
        """Setup is paid in front of a stop unless the stop before was work at the same place."""
        count, size = len(layout.nodes), layout.size
        setups = np.zeros((size, size), dtype=np.int64)
        setups[:, :count] = [node.setup_seconds for node in layout.nodes]
        work = np.array([True] * count + [set_up for _, set_up, _ in layout.starts] + [False] * len(layout.ends))
        places = np.array(self._places, dtype=np.int64)
        setups[(places[:, None] == places[None, :]) & work[:, None]] = 0
        return setups


def _stretches(day: Day, layout: Layout) -> NDArray[np.float64] | None:
    """How much traffic stretches each leg; None without traffic."""
    if not day.problem.travel.varies_with_time or not day.vehicles:
        return None
    opens = min(vehicle.start for vehicle in day.vehicles)
    closes = max(vehicle.shift.latest_end for vehicle in day.vehicles)
    profile = _profile(day.problem, layout, opens, closes)

    def mean(first: int, last: int) -> float:
        low = min(max(0, (first - opens) // PROFILE_STEP_SECONDS), len(profile) - 1)
        high = max(low, (min(last, closes) - opens) // PROFILE_STEP_SECONDS)
        return float(profile[low : high + 1].mean())

    def leaving(node: Node) -> float:
        ever = mean(node.spans[0][0] + node.shortest, node.spans[-1][1] + node.longest)
        if node.likely_end is None:
            return ever
        return max(ever, mean(node.likely_end - LIKELY_SECONDS, node.likely_end + LIKELY_SECONDS))

    rows = [leaving(node) for node in layout.nodes] + [mean(start, start) for _, _, start in layout.starts]
    stretches = np.ones((layout.size, layout.size))
    stretches[: len(rows), :] = np.array(rows)[:, None]
    for column, (_, end) in enumerate(layout.ends, start=len(rows)):
        stretches[: len(rows), column] = mean(end - LIKELY_SECONDS, end)
    return stretches


def _profile(problem: Problem, layout: Layout, opens: int, closes: int) -> NDArray[np.float64]:
    """Driving time over time without traffic, by quarter of an hour, on a few legs of the day."""
    places = sorted({node.place for node in layout.nodes})
    step = max(1, len(places) // PROFILE_LEGS)
    chosen = places[::step][: PROFILE_LEGS + 1]
    legs = list(pairwise(chosen))
    free = sum(problem.travel.free_flow_row(origin, 1)[place] for origin, place in legs)
    instants = range(opens, closes + 1, PROFILE_STEP_SECONDS)
    if not free:
        return np.ones(len(instants))
    return np.array(
        [sum(problem.travel.seconds(origin, place, at, 1) for origin, place in legs) / free for at in instants]
    )
