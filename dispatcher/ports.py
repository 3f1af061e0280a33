"""What the domain asks of the layers around it (Protocols; nothing here does anything)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from dispatcher.model import Exact, Location
    from dispatcher.planning import SearchLimits, SearchResult
    from dispatcher.problem import Problem


class Clock(Protocol):
    """What time it is; given from outside, so that a test can decide."""

    def now(self) -> datetime:
        """This instant, aware, in UTC."""


class IdSource(Protocol):
    """Makes internal ids: 26 characters, unique everywhere, in one process rising in the order they are made."""

    def new(self) -> str: ...


@dataclass(frozen=True, slots=True)
class DriveLaw:
    """How the seconds of a leg come about, for engines that compile them instead of asking leg by leg.

    A leg of so many units takes `units × factor / denominator / speed factor` seconds without traffic, rounded half
    up. Units are metres of geodesic travel, where `units` is made from `sphere`, or the seconds of a given matrix.

    Attributes:
        sphere: per place its point on the unit sphere; None for a matrix.
        meters_per_radian: the earth's radius times the detour.
        traffic_from: instants (epoch seconds) from which on a rate holds; one entry without traffic.
        traffic_rates: `traffic_common` over each factor: what is driven in a second of the clock.
    """

    factor: int
    denominator: int
    sphere: Sequence[tuple[float, float, float]] | None
    meters_per_radian: float
    traffic_from: Sequence[int]
    traffic_rates: Sequence[int]
    traffic_common: int


class TravelTimes(Protocol):
    """Distances and driving times between the locations of one problem, by their position in its list.

    Driving is first-in-first-out: who leaves later never arrives earlier.
    """

    @property
    def tier(self) -> str:
        """Where the times come from (`geodesic`, `matrix`): every plan says so."""

    @property
    def has_meters(self) -> bool:
        """False where a matrix came without metres."""

    @property
    def varies_with_time(self) -> bool:
        """True where traffic stretches a leg by its departure."""

    @property
    def may_speed_up(self) -> bool:
        """True where traffic at some hour makes a leg quicker than without."""

    def meters(self, origin: int, destination: int) -> int:
        """Metres of a leg; 0 where `has_meters` is False."""

    def seconds(self, origin: int, destination: int, departure: int, speed_factor: Exact) -> int:
        """Seconds of a leg that departs at `departure` (epoch seconds), rounded half up once."""

    def leg(self, origin: int, destination: int, speed_factor: Exact) -> Callable[[int], int]:
        """The `seconds` of one leg by its departure, for who asks about several departures."""

    def free_flow_row(self, origin: int, speed_factor: Exact) -> Sequence[int]:
        """Seconds from `origin` to every location without traffic."""

    def drive_law(self) -> DriveLaw: ...

    def units(self, places: Sequence[int]) -> Any:
        """Units of `drive_law` between places, as an int32 array of numpy [len(places), len(places)]."""

    def meters_between(self, places: Sequence[int]) -> Any:
        """Metres between places, as `units`; zeros where `has_meters` is False."""


class TravelProvider(Protocol):
    """Makes the travel times of a problem from the `travel` object of its document."""

    def __call__(
        self,
        travel: Mapping[str, Any],
        locations: Sequence[Location],
        timezone: ZoneInfo,
        horizon: tuple[int, int],
    ) -> TravelTimes: ...


class Engine(Protocol):
    """A way to plan, chosen by name. Engines return sequences; the domain makes times and costs of them."""

    @property
    def name(self) -> str: ...

    def solve(
        self,
        problem: Problem,
        limits: SearchLimits,
        *,
        cancelled: Callable[[], bool],
        progress: Callable[[float, str], None],
    ) -> SearchResult:
        """Plan until done, a limit or `cancelled()`; the best so far is returned in every case.

        `progress(fraction, text)` is called with a fraction of the work from 0 to 1.
        """
