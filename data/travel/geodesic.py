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

    @property
    def sphere(self) -> list[tuple[float, float, float]]:
        """Longitude in radians, sine and cosine of the latitude of every location."""
        return list(zip(self._longitudes.tolist(), self._sines.tolist(), self._cosines.tolist(), strict=True))

    @property
    def meters_per_radian(self) -> float:
        return EARTH_RADIUS_METERS * self._detour

    def row(self, origin: int) -> list[int]:
        """Metres from one location to every other, rounded half up."""
        row = self._rows.get(origin)
        if row is None:
            row = self._rounded(origin).tolist()
            self._rows[origin] = row
        return row

    def between(self, places: Sequence[int]) -> NDArray[np.int32]:
        """Metres between places, rounded half up [len(places), len(places)]; nothing is kept."""
        columns = np.asarray(places, dtype=np.int64)
        meters = np.empty((len(columns), len(columns)), dtype=np.int32)
        for number, origin in enumerate(places):
            meters[number] = self._rounded(origin)[columns]
        return meters

    def _rounded(self, origin: int) -> NDArray[np.int64]:
        return np.floor(self._great_circle(origin) * self._detour + 0.5).astype(np.int64)

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
