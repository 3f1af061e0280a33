"""Travel as arrays: matrices where they fit, else what a leg is worked out from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dispatcher.model import Engineer
from dispatcher.problem import Problem

MOST_MATRIX_BYTES = 1_200_000_000
"""Above this legs are worked out one by one."""

LONGEST_SECONDS = (1 << 31) - 1
"""A leg that takes as long, or longer, ends beyond every horizon."""

_ROWS = 16
"""Rows divided at a time, so that they stay in the processor's cache."""
_A_LITTLE_LESS = 1.0 - 1e-12
"""So that a bound worked out in doubles stays one."""


class CannotCompile(Exception):  # noqa: N818  named for what it says
    """The numbers of a problem do not fit into the kernel's arrays."""


class Places:
    """The locations somebody starts, ends or works at, numbered from 0."""

    def __init__(self, problem: Problem) -> None:
        used = {order.location for order in problem.work_orders}
        for engineer in problem.engineers:
            for shift in engineer.shifts:
                used.add(shift.start_location)
                if shift.end_location is not None:
                    used.add(shift.end_location)
        self.ids = [location.id for location in problem.locations if location.id in used]
        self.positions = [problem.location_index[name] for name in self.ids]
        self._numbers = {name: number for number, name in enumerate(self.ids)}

    def index(self, location: str) -> int:
        return self._numbers[location]


@dataclass(frozen=True, slots=True)
class TravelArrays:
    """See `solver.kernel.layout.Case`; `speed_of` is the row of `speeds` of each shift, and `apart` how far places are
    from each other, for comparing only [L, L], where there is a matrix."""

    has_matrix: bool
    is_symmetric: bool
    apart: NDArray[np.int32]
    seconds: NDArray[np.int32]
    base: NDArray[np.int32]
    meters: NDArray[np.int32]
    speeds: NDArray[np.int64]
    least_rates: NDArray[np.float64]
    speed_of: list[int]
    traffic_from: NDArray[np.int64]
    traffic_rate: NDArray[np.int64]
    traffic_common: int
    sphere: NDArray[np.float64]

    @property
    def places(self) -> int:
        return len(self.apart) if self.has_matrix else len(self.sphere)

    def from_place(self, origin: int) -> NDArray[np.float64]:
        """How far every place is from one, for comparing only."""
        if self.has_matrix:
            row: NDArray[np.float64] = self.apart[origin].astype(np.float64)
            return row
        points = self.points()
        return np.asarray(np.linalg.norm(points - points[origin], axis=1), dtype=np.float64)

    def points(self) -> NDArray[np.float64]:
        """Places as points on the unit sphere [L, 3]."""
        return self.sphere[:, :3]


def compile_travel(problem: Problem, places: Places, drivers: Sequence[Engineer]) -> TravelArrays:
    """Travel between places, for each speed somebody drives at.

    Raises:
        CannotCompile: where a leg's exact arithmetic would not fit into 64 bits.
    """
    law = problem.travel.drive_law()
    factors = list(dict.fromkeys(engineer.speed_factor for engineer in drivers)) or [1]
    amount = len(places.ids)
    has_traffic = problem.travel.varies_with_time
    weights_meters = bool(problem.weights.of("distance")) and problem.travel.has_meters
    matrices = 1 + (0 if has_traffic else len(factors)) + int(weights_meters)
    has_matrix = law.sphere is None or 4 * amount * amount * matrices <= MOST_MATRIX_BYTES
    speeds = np.array(
        [
            (law.factor * Fraction(factor).denominator, law.denominator * Fraction(factor).numerator)
            for factor in factors
        ],
        dtype=object,
    )
    longest = 40_100_000 if law.sphere is not None else 1 << 31
    common, fastest = law.traffic_common, max(law.traffic_rates)
    span = max(1, problem.end - problem.start) * 4
    if max(2 * longest * int(speeds[:, 0].max()) * common, int(speeds[:, 1].max()) * fastest * span) >= 1 << 62:
        raise CannotCompile("travel has factors of too many digits")
    none = np.zeros((1, 1), dtype=np.int32)
    seconds, base, meters, units = none.reshape(1, 1, 1), none, none, none
    if has_matrix:
        units = problem.travel.units(places.positions)
        if has_traffic:
            base = units
        else:
            seconds = np.zeros((len(factors), amount, amount), dtype=np.int32)
            for number, (numerator, denominator) in enumerate(speeds.tolist()):
                _divided(units, 2 * numerator, 2 * denominator, denominator, seconds[number])
                np.fill_diagonal(seconds[number], 0)
        if weights_meters:
            meters = units if law.sphere is not None else problem.travel.meters_between(places.positions)
    sphere = np.zeros((amount, 4), dtype=np.float64)
    if law.sphere is not None and amount:
        sphere[:, :3] = np.asarray(law.sphere, dtype=np.float64)[places.positions]
        sphere[:, 3] = law.meters_per_radian
    return TravelArrays(
        has_matrix,
        law.sphere is not None or (_is_symmetric(units) and _is_symmetric(meters)),
        units,
        seconds,
        base,
        meters,
        speeds.astype(np.int64).reshape(-1, 2),
        (speeds[:, 0] * common / (speeds[:, 1] * fastest)).astype(np.float64) * _A_LITTLE_LESS,
        [factors.index(engineer.speed_factor) for engineer in drivers],
        np.array(law.traffic_from, dtype=np.int64),
        np.array(law.traffic_rates, dtype=np.int64),
        common,
        sphere,
    )


def _is_symmetric(matrix: NDArray[np.int32]) -> bool:
    return bool(np.array_equal(matrix, matrix.T))


def _divided(units: NDArray[np.int32], numerator: int, denominator: int, added: int, into: NDArray[np.int32]) -> None:
    """(units × numerator + added) / denominator, rounded down; at most what a leg can take."""
    # Quotients of doubles that are whole and below 2^53 never round up to the next whole number.
    is_exact = int(units.max(initial=0)) * numerator + added < 1 << 53 and denominator < 1 << 53
    kind = np.float64 if is_exact else np.int64
    for first in range(0, len(units), _ROWS):
        rows = slice(first, first + _ROWS)
        scaled = units[rows].astype(kind)
        scaled *= numerator
        scaled += added
        into[rows] = np.minimum(scaled / denominator if is_exact else scaled // denominator, LONGEST_SECONDS)
