"""Weights: the table of the planning document, its profiles, and what a problem may override."""

import copy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model import LEVELS, round_half_up
from dispatcher.objective import PROFILES, RULES_BY_LEVEL, make_weights
from tests.days import one
from tests.small_days import at

LATENESS = ("late_arrival", "late_start", "late_restore")
ONCE = ("late_arrival_once", "late_start_once", "late_restore_once")

BALANCED: dict[str, Any] = {
    "unserved": 1000,
    **dict.fromkeys(LATENESS, (10_000, 3_000, 500, 100)),
    **dict.fromkeys(ONCE, (36_000_000, 10_800_000, 2_880_000, 720_000)),
    "travel": 1000,
    "distance": 0,
    "overtime": 2000,
    "substitution": 1000,
    "preference": 600_000,
    "association": 900_000,
    "change": 1_800_000,
    "change_shift": 200,
    "worst_lateness": 0,
    "fairness": 0,
    "engineers_used": 0,
    "repeat_visit": 0,
}
"""The table of the planning document in thousandths; by level where it has four."""

CHANGES: dict[str, dict[str, Any]] = {
    "balanced": {},
    "sla_first": {
        "unserved": 2000,
        **dict.fromkeys(LATENESS, (100_000, 30_000, 5_000, 1_000)),
        **dict.fromkeys(ONCE, (360_000_000, 108_000_000, 28_800_000, 7_200_000)),
    },
    "cost_first": {
        "travel": 2000,
        "overtime": 4000,
        **dict.fromkeys(LATENESS, (5_000, 1_500, 250, 50)),
        **dict.fromkeys(ONCE, (18_000_000, 5_400_000, 1_440_000, 360_000)),
    },
    "stable": {"change": 7_200_000, "change_shift": 1000},
}


def table(profile: str = "balanced", overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """All weights in the shape of `BALANCED`."""
    weights = make_weights(profile, overrides)
    by_level = {rule: tuple(weights.of(rule, level) for level in LEVELS) for rule in RULES_BY_LEVEL}
    return {**{rule: weights.of(rule) for rule in weights.flat}, **by_level}


def test_there_are_the_profiles_of_the_planning_document() -> None:
    assert set(PROFILES) == set(CHANGES)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_has_the_weights_of_the_planning_document(profile: str) -> None:
    assert table(profile) == BALANCED | CHANGES[profile]


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(KeyError):
        make_weights("fastest")


def test_a_rule_by_level_has_no_weight_without_a_level() -> None:
    with pytest.raises(KeyError, match="late_start"):
        make_weights().of("late_start")


@pytest.mark.parametrize(
    ("overrides", "changed"),
    [
        ({"travel": 3}, {"travel": 3000}),
        ({"travel": 0}, {"travel": 0}),
        ({"fairness": 0.25, "distance": 0.001}, {"fairness": 250, "distance": 1}),
        ({"late_start": 7}, {"late_start": (7000,) * 4}),
        ({"late_start": {"L2": 4}}, {"late_start": (100_000, 4000, 5_000, 1_000)}),
        ({"late_restore_once": {"L1": 0, "L4": 1.5}}, {"late_restore_once": (0, 108_000_000, 28_800_000, 1500)}),
        ({"travel": None, "late_start": {"L1": None}}, {}),
        ({"late_start": {}}, {}),
    ],
    ids=str,
)
def test_single_weights_are_merged_over_those_of_the_profile(
    overrides: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert table("sla_first", overrides) == BALANCED | CHANGES["sla_first"] | changed


def test_no_override_is_like_an_empty_one() -> None:
    assert table("stable", None) == table("stable", {})


@pytest.mark.parametrize(
    ("written", "milli"),
    [
        (0.0005, 1),
        (0.0004999, 0),
        (0.0015, 2),
        (0.0025, 3),
        (1.0005, 1001),
        (2.6755, 2676),
        (1e-7, 0),
        (1e12, 10**15),
        (7, 7000),
    ],
)
def test_weights_are_the_decimals_as_written_rounded_half_up_to_thousandths(written: float, milli: int) -> None:
    """2.6755 is a little less as a binary fraction, and 0.0005 a little more."""
    assert make_weights("balanced", {"travel": written}).of("travel") == milli
    assert make_weights("balanced", {"late_start": {"L3": written}}).of("late_start", "L3") == milli


@given(st.integers(-(10**6), 10**6), st.integers(1, 1000))
def test_halves_are_rounded_up(numerator: int, denominator: int) -> None:
    rounded = round_half_up(Fraction(numerator, denominator))
    assert rounded - Fraction(1, 2) <= Fraction(numerator, denominator) < rounded + Fraction(1, 2)


@pytest.mark.parametrize(
    ("value", "rounded"), [(7, 7), (Fraction(115, 2), 58), (Fraction(-1, 2), 0), (Fraction(1, 3), 0)]
)
def test_halves_are_rounded_up_as_the_planning_document_does_in_its_example(
    value: int | Fraction, rounded: int
) -> None:
    """50 × 1.15 = 57.5 → 58."""
    assert round_half_up(value) == rounded


@pytest.mark.parametrize(("weight", "total"), [(0.0004, 1200), (0.0005, 1201), (0.0015, 1201), (0.0025, 1202)])
def test_the_sum_is_rounded_once_and_not_its_terms(weight: float, total: int) -> None:
    """Beside 1200 s of travel, 300 s late twice: 0.3 and 0.3 are 1 together, 0.6 and 0.6 as well."""
    day = one()
    day.order("A").update(level="L1", deadlines={"arrive_by": at("08:05"), "start_by": at("08:05")})
    weights = {"late_arrival_once": 0, "late_start_once": 0, "late_arrival": weight, "late_start": weight}
    day.problem["objective"] = {"weights": weights}
    assert day.evaluate().total == total
    assert day.verify().total == total


def test_weights_of_one_problem_do_not_leak_into_the_next() -> None:
    before = copy.deepcopy(table())
    make_weights("balanced", {"travel": 9, "late_start": {"L1": 9}})
    assert table() == before
