"""Words, numbers and clock times as pictures and tables show them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.render_clock import TimeFrame
from api.render_text import amount_text, counted, grouped, human_distance, human_duration, plain, shortened


def _epoch(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())


def frame(zone: str, begin: str, end: str) -> TimeFrame:
    return TimeFrame(_epoch(begin), _epoch(end), ZoneInfo(zone))


def test_ticks_skip_the_hour_that_the_clocks_jump_over() -> None:
    ticks = frame("Europe/Berlin", "2026-03-29T00:00:00+01:00", "2026-03-29T06:00:00+02:00").ticks()
    assert [label.split("\n")[0] for _, label in ticks if label.split("\n")[0].endswith("00")] == [
        "00:00",
        "01:00",
        "03:00",
        "04:00",
        "05:00",
        "06:00",
    ]


def test_long_spans_are_ticked_by_days() -> None:
    ticks = frame("UTC", "2026-11-23T00:00:00Z", "2026-12-13T00:00:00Z").ticks()
    assert ticks[0][1] == "Mon 23 Nov"
    assert len(ticks) <= 25


@given(
    st.integers(0, 2**31),
    st.integers(900, 80 * 86400),
    st.sampled_from(["UTC", "Asia/Shanghai", "Asia/Kolkata"]),
)
def test_ticks_lie_in_the_frame_in_order_and_are_few(begin: int, span: int, zone: str) -> None:
    instants = [instant for instant, _ in TimeFrame(begin, begin + span, ZoneInfo(zone)).ticks()]
    assert instants == sorted(set(instants))
    assert all(begin <= instant <= begin + span for instant in instants)
    assert 1 <= len(instants) <= 26


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (89, "1 min"),
        (90, "2 min"),
        (3599, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (172799, "2 d 00 h"),
        (97200, "27 h 00 min"),
        (241200, "2 d 19 h"),
        (-90, "-2 min"),
    ],
)
def test_durations_read_like_speech(seconds: int, words: str) -> None:
    assert human_duration(seconds) == words


@pytest.mark.parametrize(
    ("meters", "words"),
    [(0, "0 m"), (999, "999 m"), (1000, "1.0 km"), (12450, "12.5 km"), (1234500, "1,235 km")],
)
def test_distances_read_like_speech(meters: int, words: str) -> None:
    assert human_distance(meters) == words


def test_numbers_are_grouped_and_nouns_agree() -> None:
    assert [grouped(n) for n in (0, 153119, 14909.5, 93600.0)] == ["0", "153,119", "14,909.5", "93,600"]
    assert [counted(n, "route") for n in (0, 1, 1200)] == ["0 routes", "1 route", "1,200 routes"]


@given(st.text(max_size=40))
def test_foreign_text_becomes_one_printable_line(text: str) -> None:
    assert plain(text).isprintable()
    if text.isprintable():
        assert plain(text) == text


@given(st.text(max_size=60), st.integers(1, 30))
def test_shortened_text_fits_and_shows_that_it_was_cut(text: str, length: int) -> None:
    short = shortened(text, length)
    assert len(short) <= length
    assert short == text or "…" in short


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [(1, "orders", "1 order"), (2, "orders", "2 orders"), (1, "pairs", "1 pair"), (1, "engineers", "1 engineer")],
)
def test_the_amount_of_a_rule_has_its_unit_in_the_right_number(amount: int, unit: str, said: str) -> None:
    assert amount_text({"rule": "change", "amount": amount, "unit": unit}) == said
