"""The travel times of one problem, from the `travel` object of its document."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from data.travel.geodesic import GeodesicMeters
from data.travel.traffic import TrafficClock, exact
from dispatcher.model import Exact, Location
from dispatcher.ports import DriveLaw


class BaseTimes(Protocol):
    """Free-flow seconds as exact fractions: `numerator(origin, destination) / denominator`, a numerator being
    units × factor."""

    denominator: int
    tier: str
    has_meters: bool

    factor: int
    meters_per_radian: float

    @property
    def sphere(self) -> Sequence[tuple[float, float, float]] | None: ...

    def numerator(self, origin: int, destination: int) -> int: ...

    def unit_row(self, origin: int) -> NDArray[np.int64]:
        """Units from one location to every other."""

    def units(self, places: Sequence[int]) -> NDArray[np.int32]:
        """Between places."""

    def meters_between(self, places: Sequence[int]) -> NDArray[np.int32]: ...

    def meters(self, origin: int, destination: int) -> int: ...


class _GeodesicTimes:
    """Rounded metres divided by a speed in km/h."""

    tier = "geodesic"
    has_meters = True

    def __init__(self, travel: Mapping[str, Any], locations: Sequence[Location]) -> None:
        speed_kmh = exact(travel["speed_kmh"])
        detour = travel.get("detour_factor")
        self._meters = GeodesicMeters(locations, Fraction(1) if detour is None else exact(detour))
        seconds_per_meter = Fraction(18, 5) / speed_kmh
        self.factor, self.denominator = seconds_per_meter.numerator, seconds_per_meter.denominator
        self.sphere = self._meters.sphere
        self.meters_per_radian = self._meters.meters_per_radian

    def numerator(self, origin: int, destination: int) -> int:
        return self._meters.meters(origin, destination) * self.factor

    def unit_row(self, origin: int) -> NDArray[np.int64]:
        return self._meters.row(origin)

    def units(self, places: Sequence[int]) -> NDArray[np.int32]:
        return self._meters.between(places)

    def meters_between(self, places: Sequence[int]) -> NDArray[np.int32]:
        return self.units(places)

    def meters(self, origin: int, destination: int) -> int:
        return self._meters.meters(origin, destination)


class _MatrixTimes:
    """Seconds (and metres, where given) as somebody else computed them; asymmetric is taken as given."""

    tier = "matrix"
    factor = denominator = 1
    sphere = None
    meters_per_radian = 0.0

    def __init__(self, travel: Mapping[str, Any], locations: Sequence[Location]) -> None:
        position = {name: index for index, name in enumerate(travel["location_ids"])}
        self._order = [position.get(location.id) for location in locations]
        self._given_seconds: Sequence[Sequence[int]] = travel["seconds"]
        self._given_meters: Sequence[Sequence[int]] = travel.get("meters") or ()
        self.has_meters = bool(self._given_meters)

    def numerator(self, origin: int, destination: int) -> int:
        """Of places nobody visits the matrix may say nothing."""
        start, end = self._order[origin], self._order[destination]
        return 0 if start is None or end is None else int(self._given_seconds[start][end])

    def unit_row(self, origin: int) -> NDArray[np.int64]:
        return np.array([self.numerator(origin, place) for place in range(len(self._order))], dtype=np.int64)

    def meters(self, origin: int, destination: int) -> int:
        start, end = self._order[origin], self._order[destination]
        if not self.has_meters or start is None or end is None:
            return 0
        return int(self._given_meters[start][end])

    def units(self, places: Sequence[int]) -> NDArray[np.int32]:
        return self._between(self._given_seconds, places)

    def meters_between(self, places: Sequence[int]) -> NDArray[np.int32]:
        if not self.has_meters:
            return np.zeros((len(places), len(places)), dtype=np.int32)
        return self._between(self._given_meters, places)

    def _between(self, given: Sequence[Sequence[int]], places: Sequence[int]) -> NDArray[np.int32]:
        """Of places nobody visits the matrix may say nothing: they are 0 from everywhere."""
        known = [(number, row) for number, place in enumerate(places) if (row := self._order[place]) is not None]
        between = np.zeros((len(places), len(places)), dtype=np.int32)
        if known:
            numbers, rows = (np.array(column) for column in zip(*known, strict=True))
            between[np.ix_(numbers, numbers)] = np.asarray(given, dtype=np.int64)[np.ix_(rows, rows)]
        np.fill_diagonal(between, 0)
        return between


class ProblemTravel:
    """Travel times and distances of a problem (the port `TravelTimes`). Equal places are 0 seconds apart."""

    def __init__(self, base: BaseTimes, clock: TrafficClock) -> None:
        self._base = base
        self._clock = clock
        self.tier = base.tier
        self.has_meters = base.has_meters
        self.varies_with_time = clock.varies
        self.may_speed_up = clock.may_speed_up
        self._speeds: dict[Exact, tuple[int, int]] = {}
        # Machine integers: a row of Python's takes five times the memory.
        self._free_rows: dict[tuple[int, Exact], array[int]] = {}

    def meters(self, origin: int, destination: int) -> int:
        return 0 if origin == destination else self._base.meters(origin, destination)

    def seconds(self, origin: int, destination: int, departure: int, speed_factor: Exact) -> int:
        if origin == destination:
            return 0
        if not self.varies_with_time:
            row = self._free_rows.get((origin, speed_factor))
            if row is not None:
                return row[destination]
        multiplier, divisor = self._speeds.get(speed_factor) or self._speed(speed_factor)
        numerator = self._base.numerator(origin, destination) * multiplier
        if not self.varies_with_time:
            return (2 * numerator + divisor) // (2 * divisor)
        return self._clock.drive(numerator, divisor, departure)

    def leg(self, origin: int, destination: int, speed_factor: Exact) -> Callable[[int], int]:
        if origin == destination or not self.varies_with_time:
            seconds = self.free_flow_row(origin, speed_factor)[destination]
            return lambda _: seconds
        multiplier, divisor = self._speeds.get(speed_factor) or self._speed(speed_factor)
        return partial(self._clock.drive, self._base.numerator(origin, destination) * multiplier, divisor)

    def drive_law(self) -> DriveLaw:
        base, clock = self._base, self._clock
        return DriveLaw(
            base.factor,
            base.denominator,
            base.sphere,
            base.meters_per_radian,
            clock.starts,
            clock.rates,
            clock.common,
        )

    def units(self, places: Sequence[int]) -> NDArray[np.int32]:
        return self._base.units(places)

    def meters_between(self, places: Sequence[int]) -> NDArray[np.int32]:
        return self._base.meters_between(places)

    def free_flow_row(self, origin: int, speed_factor: Exact) -> Sequence[int]:
        row = self._free_rows.get((origin, speed_factor))
        if row is None:
            multiplier, divisor = self._speed(speed_factor)
            multiplier *= 2 * self._base.factor
            units = self._base.unit_row(origin)
            if multiplier * int(units.max()) + divisor < 1 << 63:
                row = array("q", ((units * multiplier + divisor) // (2 * divisor)).tobytes())
            else:
                row = array("q", [(multiplier * unit + divisor) // (2 * divisor) for unit in units.tolist()])
            row[origin] = 0
            self._free_rows[(origin, speed_factor)] = row
        return row

    def _speed(self, speed_factor: Exact) -> tuple[int, int]:
        """What a numerator is multiplied by and divided by, for seconds at a speed."""
        speed = self._speeds.get(speed_factor)
        if speed is None:
            exact_speed = Fraction(speed_factor)
            speed = (exact_speed.denominator, exact_speed.numerator * self._base.denominator)
            self._speeds[speed_factor] = speed
        return speed


def problem_travel(
    travel: Mapping[str, Any], locations: Sequence[Location], timezone: ZoneInfo, horizon: tuple[int, int]
) -> ProblemTravel:
    """Travel times for a validated `travel` object (the port `TravelProvider`).

    Raises:
        ValueError: for a kind that does not exist; validation names it before.
    """
    kind = travel["kind"]
    base: BaseTimes
    if kind == "geodesic":
        base = _GeodesicTimes(travel, locations)
    elif kind == "matrix":
        base = _MatrixTimes(travel, locations)
    else:
        raise ValueError(f"unknown kind of travel {kind!r}")
    return ProblemTravel(base, TrafficClock(travel.get("traffic") or (), timezone, horizon))
