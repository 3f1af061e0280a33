"""Great-circle distances times a detour factor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dispatcher.model import Location

EARTH_RADIUS_METERS = 6_371_009
"""The mean radius geopy's `great_circle` uses (6371.009 km), as the planning document asks."""
_BLOCK = 128
"""Rows and columns of a matrix turned over at a time, so that they stay in the processor's cache."""
_MOST_LEGS = 1 << 16
"""Legs whose metres are remembered: a plan is driven over the same ones again and again."""


class GeodesicMeters:
    """Rounded metres between locations, from their points on the unit sphere; kept are these and the last legs.

    Angles are worked out with numpy, by the arc tangent of cross and dot product; `leg` is geopy's own answer for one
    pair (70 µs a call), the oracle of the tests.
    """

    def __init__(self, locations: Sequence[Location], detour_factor: Fraction) -> None:
        degrees = np.array(
            [(location.latitude, location.longitude) for location in locations], dtype=np.float64
        ).reshape(-1, 2)
        latitudes, longitudes = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
        cosines = np.cos(latitudes)
        self._points = np.stack([cosines * np.cos(longitudes), cosines * np.sin(longitudes), np.sin(latitudes)])
        self.sphere: list[tuple[float, float, float]] = [(x, y, z) for x, y, z in self._points.T.tolist()]
        """The points on the unit sphere."""
        self._locations = tuple(locations)
        self._detour = float(detour_factor)
        self.meters_per_radian = EARTH_RADIUS_METERS * self._detour
        self._legs: dict[int, int] = {}

    def row(self, origin: int) -> NDArray[np.int64]:
        """Metres from one location to every other, rounded half up."""
        return self._from(origin, self._points).astype(np.int64)

    def between(self, places: Sequence[int]) -> NDArray[np.int32]:
        """Metres between places, rounded half up [len(places), len(places)]."""
        points = np.ascontiguousarray(self._points[:, np.asarray(places, dtype=np.int64)])
        meters = np.zeros((len(places), len(places)), dtype=np.int32)
        for first in range(0, len(places), _BLOCK):
            rows = slice(first, first + _BLOCK)
            for number, origin in enumerate(places[rows], first):
                meters[number, first:] = self._from(origin, points[:, first:])
            # There and back are the same to the last digit.
            for second in range(first + _BLOCK, len(places), _BLOCK):
                columns = slice(second, second + _BLOCK)
                meters[columns, rows] = meters[rows, columns].T
        return meters

    def meters(self, origin: int, destination: int) -> int:
        """One entry of a row, without the others."""
        leg = origin * len(self.sphere) + destination
        known = self._legs.get(leg)
        if known is not None:
            return known
        if len(self._legs) >= _MOST_LEGS:
            self._legs.clear()
        x, y, z = self.sphere[origin]
        u, v, w = self.sphere[destination]
        a, b, c = y * w - z * v, z * u - x * w, x * v - y * u
        # numpy's arc tangent, for the very digits of a row.
        angle = np.arctan2(math.sqrt(a * a + b * b + c * c), x * u + y * v + z * w)
        meters = math.floor(float(angle) * self.meters_per_radian + 0.5)
        self._legs[leg] = meters
        return meters

    def leg(self, origin: int, destination: int) -> int:
        """Metres of a single leg by geopy."""
        # geopy loads an HTTP library for its geocoders; only who asks for a single leg waits for that.
        from geopy.distance import great_circle

        points = [(self._locations[i].latitude, self._locations[i].longitude) for i in (origin, destination)]
        return int(np.floor(great_circle(*points).meters * self._detour + 0.5))

    def _from(self, origin: int, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Metres from one location to points [3, n], whole numbers."""
        x, y, z = self.sphere[origin]
        u, v, w = points
        # As `meters` works it out, step by step into few arrays: matrices are made of millions of these.
        crossed = np.zeros_like(u)
        for one, along, other, across in ((y, w, z, v), (z, u, x, w), (x, v, y, u)):
            product = along * one
            product -= across * other
            product *= product
            crossed += product
        dot = x * u
        dot += y * v
        dot += z * w
        np.sqrt(crossed, out=crossed)
        meters: NDArray[np.float64] = np.arctan2(crossed, dot, out=crossed)
        meters *= self.meters_per_radian
        meters += 0.5
        np.floor(meters, out=meters)
        return meters
