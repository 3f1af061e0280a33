"""Time-of-day traffic: driven second by second, first in, first out, and right when the clock changes."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.travel import TrafficClock
from dispatcher.model import round_half_up

Interval = dict[str, Any]

CHANGES = (
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Cairo", "2026-04-24"),  # there is no midnight
    ("Asia/Shanghai", "2026-11-23"),
    ("Asia/Kolkata", "2026-06-01"),
)
"""Days on which the clock goes forward or back at night, and two on which it does not."""


def instant(zone: str, text: str, fold: int = 0) -> int:
    """Epoch seconds of a local time; `fold` 1 is the second time a repeated hour passes it."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


def clock_of(traffic: Sequence[Interval], zone: str, day: str) -> TrafficClock:
    start = instant(zone, f"{day}T12:00:00") - 43_200
    return TrafficClock(traffic, ZoneInfo(zone), (start, start + 86_400))


def hhmm(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def factor_at(traffic: Sequence[Interval], zone: ZoneInfo, second: int) -> Fraction:
    """The factor of the local clock, read off the intervals as texts."""
    local = f"{datetime.fromtimestamp(second, zone):%H:%M}"
    inside = [item["factor"] for item in traffic if item["from"] <= local < item["to"]]
    return Fraction(str(inside[0])) if inside else Fraction(1)


def driven(traffic: Sequence[Interval], zone: ZoneInfo, free_flow: Fraction, departure: int) -> Fraction:
    """The naive oracle: a second of driving at factor f does 1/f seconds of the way."""
    left, second = free_flow, departure
    while True:
        factor = factor_at(traffic, zone, second)
        if left * factor <= 1:
            return second - departure + left * factor
        left -= 1 / factor
        second += 1


@st.composite
def traffics(draw: st.DrawFn) -> list[Interval]:
    """Intervals that may touch, from any quarter of an hour to any other, with factors above and below 1."""
    cuts = sorted(draw(st.sets(st.integers(0, 96), min_size=2, max_size=8)))
    factors = st.sampled_from((0.25, 0.5, 0.9, 1, 1.15, 1.3, 1.6, 2, 3))
    return [
        {"from": hhmm(15 * start), "to": hhmm(15 * end), "factor": draw(factors)}
        for start, end in pairwise(cuts)
        if draw(st.integers(0, 3))
    ]


@given(
    traffic=traffics(),
    change=st.sampled_from(CHANGES),
    departure=st.integers(-4 * 3600, 26 * 3600),
    base=st.integers(1, 7200),
    denominator=st.sampled_from((1, 1, 7, 36)),
)
def test_a_leg_is_driven_interval_by_interval_at_each_ones_own_speed(
    traffic: list[Interval], change: tuple[str, str], departure: int, base: int, denominator: int
) -> None:
    zone, day = change
    clock = clock_of(traffic, zone, day)
    at = instant(zone, f"{day}T12:00:00") - 43_200 + departure
    expected = round_half_up(driven(traffic, ZoneInfo(zone), Fraction(base, denominator), at))
    assert clock.drive(base, denominator, at) == expected


@given(
    traffic=traffics(),
    change=st.sampled_from(CHANGES),
    departures=st.lists(st.integers(-4 * 3600, 26 * 3600), min_size=2, max_size=12),
    base=st.integers(0, 60_000),
)
def test_who_leaves_later_never_arrives_earlier(
    traffic: list[Interval], change: tuple[str, str], departures: list[int], base: int
) -> None:
    zone, day = change
    clock = clock_of(traffic, zone, day)
    start = instant(zone, f"{day}T12:00:00") - 43_200
    arrivals = [start + later + clock.drive(base, 1, start + later) for later in sorted(departures)]
    assert arrivals == sorted(arrivals)


@given(traffic=traffics(), change=st.sampled_from(CHANGES), departure=st.integers(0, 24 * 3600))
def test_a_longer_way_never_takes_less_time(traffic: list[Interval], change: tuple[str, str], departure: int) -> None:
    clock = clock_of(traffic, *change)
    at = instant(change[0], f"{change[1]}T12:00:00") - 43_200 + departure
    times = [clock.drive(base, 1, at) for base in range(0, 20_000, 611)]
    assert times == sorted(times)


@given(traffic=traffics(), change=st.sampled_from(CHANGES), second=st.integers(-86_400, 2 * 86_400))
@example(traffic=[{"from": "00:00", "to": "24:00", "factor": 2}], change=CHANGES[6], second=0)
def test_the_factor_is_that_of_the_local_clock(traffic: list[Interval], change: tuple[str, str], second: int) -> None:
    zone, day = change
    at = instant(zone, f"{day}T12:00:00") - 43_200 + second
    assert clock_of(traffic, zone, day).factor(at) == factor_at(traffic, ZoneInfo(zone), at)


RUSH = [{"from": "07:00", "to": "09:00", "factor": 2}, {"from": "09:00", "to": "10:00", "factor": 0.5}]


@pytest.mark.parametrize(
    ("departs", "base", "seconds"),
    [
        ("05:00", 3600, 3600),  # over before the rush begins
        ("06:00", 3600, 3600),  # there exactly when it begins
        ("06:30", 3600, 1800 + 3600),
        ("07:00", 3600, 7200),
        ("08:30", 3600, 1800 + 1350),  # 900 s of the way in the rush, the rest in the touching fast interval
        ("09:00", 7200, 3600),  # the fast hour does two hours of the way
        ("09:59", 600, 60 + 480),
        ("10:00", 600, 600),
    ],
)
def test_intervals_slow_down_and_speed_up_from_their_first_second_to_their_last(
    departs: str, base: int, seconds: int
) -> None:
    clock = clock_of(RUSH, "Asia/Shanghai", "2026-11-23")
    assert clock.drive(base, 1, instant("Asia/Shanghai", f"2026-11-23T{departs}:00")) == seconds


def test_an_interval_up_to_midnight_ends_there_and_one_from_midnight_begins_there() -> None:
    night = [{"from": "23:00", "to": "24:00", "factor": 2}, {"from": "00:00", "to": "01:00", "factor": 3}]
    clock = clock_of(night, "Asia/Shanghai", "2026-11-23")
    at = instant("Asia/Shanghai", "2026-11-23T23:30:00")
    assert clock.drive(900, 1, at) == 1800
    assert clock.drive(900 + 1200, 1, at) == 1800 + 3600
    assert clock.drive(900 + 1200 + 60, 1, at) == 1800 + 3600 + 60


def test_a_whole_day_of_traffic_stretches_every_leg_alike() -> None:
    clock = clock_of([{"from": "00:00", "to": "24:00", "factor": 1.5}], "Europe/Berlin", "2026-10-25")
    start = instant("Europe/Berlin", "2026-10-25T00:00:00")
    assert {clock.drive(7200, 1, start + hour * 1800) for hour in range(50)} == {10_800}


def test_an_hour_that_the_clock_leaves_out_slows_nobody_down() -> None:
    clock = clock_of([{"from": "02:00", "to": "03:00", "factor": 2}], "Europe/Berlin", "2026-03-29")
    assert clock.drive(3600, 1, instant("Europe/Berlin", "2026-03-29T01:30:00")) == 3600


def test_an_hour_that_the_clock_repeats_slows_down_twice() -> None:
    clock = clock_of([{"from": "02:00", "to": "03:00", "factor": 2}], "Europe/Berlin", "2026-10-25")
    half_past_one = instant("Europe/Berlin", "2026-10-25T01:30:00")
    assert clock.drive(3600, 1, half_past_one) == 1800 + 3600
    assert clock.drive(1800 + 3600 + 60, 1, half_past_one) == 1800 + 7200 + 60


def test_an_interval_inside_a_repeated_hour_is_passed_twice() -> None:
    clock = clock_of([{"from": "02:15", "to": "02:30", "factor": 3}], "Europe/Berlin", "2026-10-25")
    first = instant("Europe/Berlin", "2026-10-25T02:00:00", fold=0)
    again = instant("Europe/Berlin", "2026-10-25T02:00:00", fold=1)
    assert again - first == 3600
    assert clock.drive(900 + 300, 1, first) == clock.drive(900 + 300, 1, again) == 1800
    assert clock.drive(2 * (900 + 300) + 1800, 1, first) == 3600 + 1800


def test_no_way_takes_no_time_in_the_worst_traffic() -> None:
    clock = clock_of([{"from": "00:00", "to": "24:00", "factor": 1000}], "Asia/Shanghai", "2026-11-23")
    assert clock.drive(0, 1, instant("Asia/Shanghai", "2026-11-23T08:00:00")) == 0


def test_traffic_goes_on_the_day_after_the_horizon() -> None:
    clock = clock_of(RUSH, "Asia/Shanghai", "2026-11-23")
    assert clock.drive(60, 1, instant("Asia/Shanghai", "2026-11-25T07:30:00")) == 120
