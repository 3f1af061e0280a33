"""Great-circle distances times a detour factor."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dispatcher.model import Location

EARTH_RADIUS_METERS = 6_371_009
"""The mean radius geopy's `great_circle` uses (6371.009 km), as the planning document asks."""


class GeodesicMeters:
    """Rounded metres between locations, a row at a time; rows are kept, so only places that are used cost memory.

    A row is computed with numpy; `leg` is geopy's own answer for one pair (70 µs a call), the oracle of the tests.
    """

    def __init__(self, locations: Sequence[Location], detour_factor: Fraction) -> None:
        degrees = np.array(
            [(location.latitude, location.longitude) for location in locations], dtype=np.float64
        ).reshape(-1, 2)
        latitudes = np.radians(degrees[:, 0])
        self._longitudes = np.radians(degrees[:, 1])
        self._sines, self._cosines = np.sin(latitudes), np.cos(latitudes)
        self._locations = tuple(locations)
        self._detour = float(detour_factor)
        self._rows: dict[int, list[int]] = {}

    def row(self, origin: int) -> list[int]:
        """Metres from one location to every other, rounded half up."""
        row = self._rows.get(origin)
        if row is None:
            metres = self._great_circle(origin) * self._detour
            row = np.floor(metres + 0.5).astype(np.int64).tolist()
            self._rows[origin] = row
        return row

    def leg(self, origin: int, destination: int) -> int:
        """Metres of a single leg by geopy."""
        # geopy loads an HTTP library for its geocoders; only who asks for a single leg waits for that.
        from geopy.distance import great_circle

        points = [(self._locations[i].latitude, self._locations[i].longitude) for i in (origin, destination)]
        return int(np.floor(great_circle(*points).meters * self._detour + 0.5))

    def _great_circle(self, origin: int) -> NDArray[np.float64]:
        """Metres by the arc tangent, as geopy's `great_circle`: precise for close and for opposite points alike."""
        turn = self._longitudes - self._longitudes[origin]
        across = np.hypot(
            self._cosines * np.sin(turn),
            self._cosines[origin] * self._sines - self._sines[origin] * self._cosines * np.cos(turn),
        )
        along = self._sines[origin] * self._sines + self._cosines[origin] * self._cosines * np.cos(turn)
        angles: NDArray[np.float64] = np.arctan2(across, along)
        return angles * EARTH_RADIUS_METERS
