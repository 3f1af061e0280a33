"""The ground a synthetic day happens on: districts, scattered places, road times and the local clock.

Chance meets only sums, products and square roots here, which IEEE 754 rounds the same on every machine: a
logarithm or a sine may differ in the last bit from one C library to the next.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

KM_PER_DEGREE = 111.195
CITY_RADIUS_KM = 10.0
DISTRICT_NAMES = (
    "old-town", "harbour", "riverside", "airport", "tech-park", "steelworks",
    "garden-city", "university", "expo", "lakeside", "station", "hillside",
)  # fmt: skip

Place = dict[str, float]


def scatter(rng: Random) -> float:
    """A deviate that is normal enough (mean 0, variance 1): twelve uniforms less six."""
    return sum(rng.random() for _ in range(12)) - 6.0


@dataclass(frozen=True, slots=True)
class District:
    name: str
    east_km: float
    north_km: float
    spread_km: float


@dataclass(frozen=True, slots=True)
class City:
    """Districts around a centre; the first lies in the centre and draws twice as much work as any other."""

    latitude: float
    longitude: float
    districts: tuple[District, ...]

    @classmethod
    def grow(cls, rng: Random, latitude: float, longitude: float, clusters: int) -> City:
        """Draw the districts: far enough from each other to be told apart on a map."""
        districts = [District(DISTRICT_NAMES[0], 0.0, 0.0, 1.8)]
        while len(districts) < clusters:
            spots = [
                (_round(rng.uniform(-1, 1) * CITY_RADIUS_KM), _round(rng.uniform(-1, 1) * CITY_RADIUS_KM))
                for _ in range(12)
            ]
            east, north = max(spots, key=lambda spot: min(_distance(spot, (d.east_km, d.north_km)) for d in districts))
            number = len(districts)
            suffix = "" if number < len(DISTRICT_NAMES) else f"-{number // len(DISTRICT_NAMES) + 1}"
            name = DISTRICT_NAMES[number % len(DISTRICT_NAMES)] + suffix
            districts.append(District(name, east, north, _round(rng.uniform(0.8, 1.8))))
        return cls(latitude, longitude, tuple(districts))

    def pick(self, rng: Random) -> District:
        index = rng.randrange(len(self.districts) + 1)
        return self.districts[max(0, index - 1)]

    def place(self, rng: Random, district: District, spread: float = 1.0) -> Place:
        """Coordinates scattered around a district's middle; `spread` widens or narrows the scatter."""
        return self.at(
            district.east_km + scatter(rng) * district.spread_km * spread,
            district.north_km + scatter(rng) * district.spread_km * spread,
        )

    def at(self, east_km: float, north_km: float) -> Place:
        shrink = round(math.cos(math.radians(self.latitude)), 6)
        return {
            "lat": round(self.latitude + north_km / KM_PER_DEGREE, 5),
            "lon": round(self.longitude + east_km / (KM_PER_DEGREE * shrink), 5),
        }


def flat_meters(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Metres between two places on the flat map: good to a per mille or so within a city."""
    shrink = round(math.cos(math.radians(a["lat"])), 6)
    north = (b["lat"] - a["lat"]) * KM_PER_DEGREE
    east = (b["lon"] - a["lon"]) * KM_PER_DEGREE * shrink
    return math.sqrt(north * north + east * east) * 1000


def road_matrix(
    rng: Random, locations: Mapping[str, Mapping[str, float]], speed_kmh: float, *, meters: bool = True
) -> dict[str, Any]:
    """A `travel` object of kind `matrix`: roads wind, and one-way streets make there and back differ."""
    ids = list(locations)
    distance: list[list[int]] = []
    seconds: list[list[int]] = []
    for origin in ids:
        distance.append([])
        seconds.append([])
        for target in ids:
            winding = 0.0 if origin == target else rng.uniform(1.15, 1.5)
            length = int(flat_meters(locations[origin], locations[target]) * winding + 0.5)
            distance[-1].append(length)
            seconds[-1].append(int(length * 3.6 / (speed_kmh * rng.uniform(0.85, 1.15)) + 0.5))
    travel: dict[str, Any] = {"kind": "matrix", "location_ids": ids, "seconds": seconds}
    if meters:
        travel["meters"] = distance
    return travel


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A calendar day in a zone; hours may pass 24 into the next day. Instants are epoch seconds."""

    day: date
    zone: ZoneInfo

    def at(self, hours: float) -> int:
        """The instant of a wall-clock time; one that a clock change skips is read as if it had not."""
        wall = datetime.combine(self.day, time()) + timedelta(seconds=round(hours * 3600))
        return int(wall.replace(tzinfo=self.zone).timestamp())

    def text(self, instant: int) -> str:
        return datetime.fromtimestamp(instant, UTC).astimezone(self.zone).isoformat()


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)


def _round(kilometers: float) -> float:
    return round(kilometers, 3)
