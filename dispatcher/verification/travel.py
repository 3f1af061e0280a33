"""How far and how long a leg is: section 3 of the planning document."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from datetime import timedelta, tzinfo
from fractions import Fraction
from typing import Any

from dispatcher.verification.values import EPOCH, half_up, listed, mapped, number

_SPHERE_RADIUS_METERS = 6371009
_DAY_SECONDS = 86400
_FIRST_INSTANT = -62_135_500_000
_LAST_INSTANT = 253_402_200_000
"""The calendar without its first and last day, where no local time can be told."""


class LocalTraffic:
    """The traffic factor by the local clock; a day of 23 or 25 hours is taken as its clock runs."""

    def __init__(self, intervals: Any, zone: tzinfo) -> None:
        self._zone = zone
        self._starts: list[int] = [0]
        self._factors: list[Fraction] = [Fraction(1)]
        for raw in sorted(listed(intervals), key=lambda interval: _clock_seconds(interval["from"])):
            self._put(_clock_seconds(raw["from"]), number(raw["factor"]) or Fraction(1))
            self._put(_clock_seconds(raw["to"]), Fraction(1))

    def _put(self, start: int, factor: Fraction) -> None:
        if start == self._starts[-1]:
            self._factors[-1] = factor
        else:
            self._starts.append(start)
            self._factors.append(factor)

    def stretched(self, free_flow: Fraction, departure: int) -> int:
        """Seconds a leg of `free_flow` seconds takes when it departs then, rounded half up."""
        if len(self._starts) == 1:
            return half_up(free_flow)
        # In whole numbers: thousands of legs are driven, and fractions are slow.
        left, parts, at = free_flow.numerator, free_flow.denominator, departure
        while True:
            factor, until = self._piece(at)
            takes, of = left * factor.numerator, parts * factor.denominator
            if takes <= (until - at) * of:
                return at - departure + (2 * takes + of) // (2 * of)
            left, parts = takes - (until - at) * of, parts * factor.numerator
            at = until

    def _piece(self, at: int) -> tuple[Fraction, int]:
        """The factor at an instant, and how long the local clock runs on without it changing."""
        offset = self._offset(at)
        clock = (at + offset) % _DAY_SECONDS
        index = bisect_right(self._starts, clock) - 1
        boundary = self._starts[index + 1] if index + 1 < len(self._starts) else _DAY_SECONDS
        until = at + max(1, boundary - clock)
        if self._offset(until) != offset:
            before = at
            while until - before > 1:
                middle = (before + until) // 2
                if self._offset(middle) == offset:
                    before = middle
                else:
                    until = middle
        return self._factors[index], until

    def _offset(self, at: int) -> int:
        inside = min(max(at, _FIRST_INSTANT), _LAST_INSTANT)
        offset = (EPOCH + timedelta(seconds=inside)).astimezone(self._zone).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())


class Legs:
    """Metres and seconds between two locations, None where the problem does not tell them."""

    def __init__(self, problem: Mapping[str, Any], zone: tzinfo) -> None:
        travel = mapped(problem.get("travel"))
        self._kind = travel.get("kind")
        self._traffic = LocalTraffic(travel.get("traffic"), zone)
        self._meters: dict[tuple[str, str], int | None] = {}
        self._base: dict[tuple[str, str], Fraction | None] = {}
        self._locations = mapped(problem.get("locations"))
        self._detour_factor = number(travel.get("detour_factor")) or Fraction(1)
        speed_kmh = number(travel.get("speed_kmh"))
        self._seconds_per_meter = None if not speed_kmh else Fraction(18, 5) / speed_kmh
        self._index = {name: index for index, name in enumerate(listed(travel.get("location_ids")))}
        self._matrix_seconds = travel.get("seconds")
        self._matrix_meters = travel.get("meters")

    def meters(self, origin: str, destination: str) -> int | None:
        leg = (origin, destination)
        if leg not in self._meters:
            self._meters[leg] = self._measure(origin, destination)
        return self._meters[leg]

    def seconds(self, origin: str, destination: str, speed_factor: Fraction, departure: int) -> int | None:
        leg = (origin, destination)
        if leg not in self._base:
            self._base[leg] = self._base_seconds(origin, destination)
        base = self._base[leg]
        if base is None:
            return None
        free_flow = base if speed_factor == 1 else base / speed_factor
        return self._traffic.stretched(free_flow, departure)

    def _measure(self, origin: str, destination: str) -> int | None:
        if origin == destination:
            return 0
        if self._kind == "matrix":
            cell = self._cell(self._matrix_meters, origin, destination)
            return None if cell is None else half_up(cell)
        if self._kind != "geodesic":
            return None
        distance = _great_circle_meters(mapped(self._locations.get(origin)), mapped(self._locations.get(destination)))
        if distance is None:
            return None
        # A float is an exact fraction, too; its parts are multiplied as they are, without being shortened.
        top, bottom = distance.as_integer_ratio()
        top, bottom = top * self._detour_factor.numerator, bottom * self._detour_factor.denominator
        return (2 * top + bottom) // (2 * bottom)

    def _base_seconds(self, origin: str, destination: str) -> Fraction | None:
        if origin == destination:
            return Fraction(0)
        if self._kind == "matrix":
            return self._cell(self._matrix_seconds, origin, destination)
        meters = self.meters(origin, destination)
        if meters is None or self._seconds_per_meter is None:
            return None
        return meters * self._seconds_per_meter

    def _cell(self, matrix: Any, origin: str, destination: str) -> Fraction | None:
        row, column = self._index.get(origin), self._index.get(destination)
        if not matrix or row is None or column is None:
            return None
        return number(matrix[row][column])


def _clock_seconds(text: str) -> int:
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return hours * 3600 + minutes * 60 + sum(seconds)


def _great_circle_meters(origin: Mapping[str, Any], destination: Mapping[str, Any]) -> float | None:
    if origin.get("lat") is None or destination.get("lat") is None:
        return None
    first, second = math.radians(origin["lat"]), math.radians(destination["lat"])
    turn = math.radians(destination["lon"]) - math.radians(origin["lon"])
    # The arc-tangent form keeps its precision for close and for opposite points alike.
    across = math.hypot(
        math.cos(second) * math.sin(turn),
        math.cos(first) * math.sin(second) - math.sin(first) * math.cos(second) * math.cos(turn),
    )
    along = math.sin(first) * math.sin(second) + math.cos(first) * math.cos(second) * math.cos(turn)
    return _SPHERE_RADIUS_METERS * math.atan2(across, along)
