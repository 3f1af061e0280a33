"""Great-circle distances times a detour factor."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from geopy.distance import great_circle
from numpy.typing import NDArray

from dispatcher.model import Location

EARTH_RADIUS_METERS = 6_371_009
"""The mean radius geopy's `great_circle` uses (6371.009 km), as the planning document asks."""


class GeodesicMeters:
    """Rounded metres between locations, a row at a time; rows are kept, so only places that are used cost memory.

    Distances are computed with numpy's haversine; `leg` is geopy's own answer for one pair (70 µs a call), the
    oracle of the tests.
    """

    def __init__(self, locations: Sequence[Location], detour_factor: Fraction) -> None:
        degrees = np.array(
            [(location.latitude, location.longitude) for location in locations], dtype=np.float64
        ).reshape(-1, 2)
        self._latitudes = np.radians(degrees[:, 0])
        self._longitudes = np.radians(degrees[:, 1])
        self._cosines = np.cos(self._latitudes)
        self._locations = tuple(locations)
        self._detour = float(detour_factor)
        self._rows: dict[int, list[int]] = {}

    def row(self, origin: int) -> list[int]:
        """Metres from one location to every other, rounded half up."""
        row = self._rows.get(origin)
        if row is None:
            metres = self._haversine(origin) * self._detour
            row = np.floor(metres + 0.5).astype(np.int64).tolist()
            self._rows[origin] = row
        return row

    def leg(self, origin: int, destination: int) -> int:
        """Metres of a single leg by geopy."""
        points = [(self._locations[i].latitude, self._locations[i].longitude) for i in (origin, destination)]
        return int(np.floor(great_circle(*points).meters * self._detour + 0.5))

    def _haversine(self, origin: int) -> NDArray[np.float64]:
        half_chord = (
            np.sin((self._latitudes - self._latitudes[origin]) / 2) ** 2
            + self._cosines * self._cosines[origin] * np.sin((self._longitudes - self._longitudes[origin]) / 2) ** 2
        )
        angles: NDArray[np.float64] = 2 * np.arcsin(np.sqrt(np.clip(half_chord, 0.0, 1.0)))
        return angles * EARTH_RADIUS_METERS
