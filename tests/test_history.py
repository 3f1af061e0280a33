"""What resolved orders say about engineers: shrunk toward the group, older orders less, always with an uncertainty."""

from __future__ import annotations

import doctest
import math
from dataclasses import replace
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skills.history
from api.documents import check_problem
from dispatcher.experience import with_history
from dispatcher.model import Engineer
from skills import Estimate, Experience, History, ResolvedOrder, engineer_fields, learn
from skills.history import HALF_LIFE_DAYS, LARGEST_RATIO
from tests.small_days import Document, day, engineer, order, read, skill

DAY = 86_400
NOW = 1_000 * DAY


def resolved(
    name: str = "E",
    *,
    fixed: bool | None = None,
    ratio: float | None = None,
    days_ago: float = 0,
    model: str | None = None,
    at_skill: str = "a",
) -> ResolvedOrder:
    actual = None if ratio is None else max(1, round(3600 * ratio))
    when = NOW - round(days_ago * DAY)
    return ResolvedOrder(name, at_skill, when, model, fixed, actual, None if ratio is None else 3600)


def fix(found: History, name: str = "E", at_skill: str = "a") -> Estimate:
    one = found.of(name, at_skill)
    assert one is not None
    assert one.fix_probability is not None
    return one.fix_probability


def pace(found: History, name: str = "E", at_skill: str = "a") -> Estimate:
    one = found.of(name, at_skill)
    assert one is not None
    assert one.duration_factor is not None
    return one.duration_factor


def of_group(fixes: int, failures: int, name: str = "G") -> list[ResolvedOrder]:
    return [resolved(name, fixed=True)] * fixes + [resolved(name, fixed=False)] * failures


def test_the_example_of_the_documentation_holds() -> None:
    assert doctest.testmod(skills.history).failed == 0


# Oracle


def naive_fix(orders: list[ResolvedOrder], name: str, half_life: float) -> tuple[float, float, float]:
    """The beta-binomial figure in plain loops, by the formulas of the module's references; without asset models."""
    weight = {i: 0.5 ** ((NOW - o.resolved_at) / DAY / half_life) for i, o in enumerate(orders)}
    people = sorted({o.engineer for o in orders})
    tries = {p: sum(weight[i] for i, o in enumerate(orders) if o.engineer == p) for p in people}
    hits = {p: sum(weight[i] for i, o in enumerate(orders) if o.engineer == p and o.first_time_fix) for p in people}
    all_tries, all_hits = sum(tries.values()), sum(hits.values())
    group, pooled = (all_hits + 0.5) / (all_tries + 1), all_hits / all_tries
    correlation = 0.0
    room = all_tries - sum(tries[p] ** 2 for p in people) / all_tries - (len(people) - 1)
    if 0 < pooled < 1 and room > 0:
        scatter = sum(tries[p] * (hits[p] / tries[p] - pooled) ** 2 for p in people)
        correlation = (scatter / (pooled * (1 - pooled)) - (len(people) - 1)) / room
    known = max(0, sum(tries[p] / (tries[p] + 10) for p in people) - 1)
    correlation = (4 * (1 / 11) + known * min(1, max(0, correlation))) / (4 + known)
    prior = 1 / correlation - 1
    good, bad = prior * group + hits.get(name, 0), prior * (1 - group) + tries.get(name, 0) - hits.get(name, 0)
    odds, error = math.log(good / bad), 1.6448536269514722 * math.sqrt(1 / good + 1 / bad)
    low, middle, high = (1 / (1 + math.exp(-x)) for x in (odds - error, odds, odds + error))
    assert middle == pytest.approx(good / (good + bad))
    return low, middle, high


def naive_pace(orders: list[ResolvedOrder], name: str, half_life: float) -> tuple[float, float, float]:
    """The log-normal figure in plain loops; without asset models."""
    found = []
    for o in orders:
        assert o.actual_seconds is not None
        assert o.estimated_seconds is not None
        value = math.log(o.actual_seconds / o.estimated_seconds)
        value = min(math.log(8), max(-math.log(8), value))
        found.append((o.engineer, 0.5 ** ((NOW - o.resolved_at) / DAY / half_life), value))
    people = sorted({p for p, _, _ in found})
    total = sum(w for _, w, _ in found)
    group = sum(w * y for _, w, y in found) / (total + 1)
    of = {p: [(w, y - group) for q, w, y in found if q == p] for p in people}
    weight = {p: sum(w for w, _ in of[p]) for p in people}
    middle = {p: sum(w * r for w, r in of[p]) / weight[p] for p in people}
    inside = sum(w * (r - middle[p]) ** 2 for p in people for w, r in of[p])
    freedom = sum(weight[p] - sum(w * w for w, _ in of[p]) / weight[p] for p in people)
    noise = (10 * 0.16 + inside) / (10 + freedom)
    common = sum(weight[p] * middle[p] for p in people) / total
    room = total - sum(weight[p] ** 2 for p in people) / total
    spread = 0.0
    if room > 0:
        scatter = sum(weight[p] * (middle[p] - common) ** 2 for p in people)
        spread = max(0, scatter - (len(people) - 1) * noise) / room
    known = max(0, sum(weight[p] / (weight[p] + noise / 0.0225) for p in people) - 1)
    spread = (4 * 0.0225 + known * spread) / (4 + known)
    own = weight.get(name, 0)
    centre = group + own * middle.get(name, 0) / (own + noise / spread)
    error = 1.6448536269514722 * math.sqrt(noise / (own + noise / spread) + noise / (total + 1))
    return math.exp(centre - error), math.exp(centre), math.exp(centre + error)


@st.composite
def histories(draw: st.DrawFn) -> list[ResolvedOrder]:
    return draw(
        st.lists(
            st.builds(
                resolved,
                st.sampled_from("EFG"),
                fixed=st.booleans(),
                ratio=st.floats(0.01, 20),
                days_ago=st.floats(0, 900),
            ),
            min_size=1,
            max_size=25,
        )
    )


@given(histories(), st.sampled_from((30.0, 180.0)))
def test_figures_are_those_of_the_formulas(orders: list[ResolvedOrder], half_life: float) -> None:
    found = learn(orders, now=NOW, half_life_days=half_life)
    for name in "EFGN":
        for estimate, naive in ((fix(found, name), naive_fix), (pace(found, name), naive_pace)):
            low, value, high = naive(orders, name, half_life)
            assert estimate.low == pytest.approx(low, rel=1e-6)
            assert estimate.value == pytest.approx(value, rel=1e-6)
            assert estimate.high == pytest.approx(high, rel=1e-6)


# Invariants


@st.composite
def mixed_histories(draw: st.DrawFn) -> list[ResolvedOrder]:
    return draw(
        st.lists(
            st.builds(
                resolved,
                st.sampled_from("EFG"),
                fixed=st.none() | st.booleans(),
                ratio=st.none() | st.floats(0.0001, 1e4),
                days_ago=st.floats(-5, 400_000),
                model=st.sampled_from((None, "x", "y")),
                at_skill=st.sampled_from("ab"),
            ),
            max_size=20,
        )
    )


@given(mixed_histories(), st.integers())
def test_the_sequence_of_orders_does_not_matter(orders: list[ResolvedOrder], seed: int) -> None:
    mixed = list(orders)
    Random(seed).shuffle(mixed)
    assert learn(mixed, now=NOW) == learn(orders, now=NOW)


@given(mixed_histories())
def test_every_figure_lies_inside_its_bounds_and_what_is_unknown_is_absent(orders: list[ResolvedOrder]) -> None:
    found = learn(orders, now=NOW)
    orders = [order for order in orders if order.resolved_at <= NOW]
    assert list(found.experiences) == sorted({(o.engineer, o.skill) for o in orders})
    assert set(found.groups) == {o.skill for o in orders}
    for one in [*found.experiences.values(), *found.groups.values()]:
        if one.fix_probability is not None:
            chance = one.fix_probability
            assert 0 < chance.low < chance.value < chance.high < 1
        if one.duration_factor is not None:
            factor = one.duration_factor
            assert 0 < factor.low < factor.value < factor.high
            assert 1 / LARGEST_RATIO <= factor.value <= LARGEST_RATIO
    for name, fields in engineer_fields(found.experiences.values()).items():
        assert check_problem(day([{**engineer(name), **fields}], [])) == []


@given(histories(), st.sampled_from("EFG"))
def test_one_more_fix_never_lowers_a_probability(orders: list[ResolvedOrder], name: str) -> None:
    """The group's spread may change with it, so that only whoever is all there is can be compared."""
    own = [replace(item, engineer=name) for item in orders]
    more = learn([*own, resolved(name, fixed=True)], now=NOW)
    fewer = learn([*own, resolved(name, fixed=False)], now=NOW)
    assert fix(more, name).value > fix(fewer, name).value


def test_what_was_resolved_later_is_left_out() -> None:
    orders = of_group(10, 5)
    later = [replace(item, resolved_at=NOW + 1) for item in of_group(0, 30)]
    assert learn([*orders, *later], now=NOW) == learn(orders, now=NOW)


# Shrinkage


def test_one_order_says_little_and_many_say_nearly_everything() -> None:
    group = of_group(80, 20)
    once = fix(learn([*group, resolved(fixed=False)], now=NOW))
    often = fix(learn([*group, *[resolved(fixed=False)] * 200], now=NOW))
    assert 0.65 < once.value < 0.8
    assert often.value < 0.1
    assert often.high - often.low < once.high - once.low


def test_durations_are_drawn_toward_the_group_as_well() -> None:
    group = [resolved("G", ratio=ratio) for ratio in (0.5, 1.0, 1.8) * 20]
    once = pace(learn([*group, resolved(ratio=3)], now=NOW))
    often = pace(learn([*group, *[resolved(ratio=3)] * 100], now=NOW))
    assert 1 < once.value < 2
    assert 2.7 < often.value < 3
    assert often.high / often.low < once.high / once.low


def test_whoever_has_no_orders_is_taken_for_the_group_with_more_doubt() -> None:
    found = learn([*of_group(40, 10), *of_group(40, 10, "H")], now=NOW)
    nobody = fix(found, "new")
    assert nobody.value == pytest.approx(0.8, abs=0.01)
    assert nobody.orders == 0
    assert nobody.high - nobody.low > fix(found, "G").high - fix(found, "G").low
    assert found.of("new", "a") == replace(found.groups["a"], engineer="new")
    assert found.of("new", "unheard of") is None


def test_engineers_who_are_alike_are_drawn_together_more_than_those_who_are_not() -> None:
    alike = [item for name in "EFGH" for item in of_group(16, 4, name)]
    apart = [
        item for name, fixes in zip("EFGH", (20, 20, 12, 12), strict=True) for item in of_group(fixes, 20 - fixes, name)
    ]
    newcomer = [resolved("N", fixed=False)] * 3
    assert fix(learn(alike + newcomer, now=NOW), "N").value > fix(learn(apart + newcomer, now=NOW), "N").value


def test_skills_are_figured_apart() -> None:
    found = learn([*of_group(9, 1), resolved("G", fixed=False, at_skill="b")], now=NOW)
    assert fix(found, "G").value > 0.8
    assert fix(found, "G", "b").value < 0.5
    assert found.experiences["G", "a"].duration_factor is None


def test_the_estimates_recover_whom_the_orders_were_made_by() -> None:
    rng = Random(4)
    truth = {f"E{number}": (rng.uniform(0.5, 0.95), rng.uniform(0.7, 1.4)) for number in range(30)}
    orders = [
        resolved(name, fixed=rng.random() < chance, ratio=factor * math.exp(rng.gauss(0, 0.3)))
        for name, (chance, factor) in truth.items()
        for _ in range(rng.randint(5, 60))
    ]
    found = learn(orders, now=NOW)
    inside = [
        low.low <= value <= low.high
        for name, values in truth.items()
        for low, value in zip((fix(found, name), pace(found, name)), values, strict=True)
    ]
    assert mean(inside) > 0.8
    raw = {name: mean(bool(item.first_time_fix) for item in orders if item.engineer == name) for name in truth}
    ours = mean((fix(found, name).value - truth[name][0]) ** 2 for name in truth)
    theirs = mean((raw[name] - truth[name][0]) ** 2 for name in truth)
    assert ours < theirs


# Age


def test_an_order_counts_half_after_each_half_life() -> None:
    counts = {days: fix(learn([resolved(fixed=True, days_ago=days)], now=NOW)).orders for days in (0, 180, 360)}
    assert counts == {0: 1.0, 180: 0.5, 360: 0.25}
    assert HALF_LIFE_DAYS == 180
    fast = learn([resolved(fixed=True, days_ago=30)], now=NOW, half_life_days=10)
    assert fix(fast).orders == pytest.approx(1 / 8)


def test_what_happened_lately_weighs_more_than_what_happened_long_ago() -> None:
    better = [resolved(fixed=False, days_ago=700)] * 20 + [resolved(fixed=True, days_ago=1)] * 20
    worse = [resolved(fixed=True, days_ago=700)] * 20 + [resolved(fixed=False, days_ago=1)] * 20
    assert fix(learn(better, now=NOW)).value > 0.8
    assert fix(learn(worse, now=NOW)).value < 0.2


def test_orders_that_are_too_old_to_count_at_all_say_nothing() -> None:
    [only] = learn([resolved(fixed=True, ratio=2, days_ago=400_000)], now=400_001 * DAY).experiences.values()
    assert only == Experience("E", "a", None, None)


# Asset models


def test_machines_that_take_everybody_longer_are_not_held_against_who_is_sent_there() -> None:
    orders = [resolved(name, ratio=2, model="old") for name in "EF" for _ in range(30)]
    orders += [resolved(name, ratio=1, model="new") for name in "FGH" for _ in range(30)]
    found, blind = (learn(items, now=NOW) for items in (orders, [replace(o, asset_model=None) for o in orders]))
    assert pace(blind).value > 1.7
    assert pace(found).value < 1.6
    assert pace(found).value / pace(found, "G").value < pace(blind).value / pace(blind, "G").value


def test_machines_that_nobody_fixes_at_once_are_not_held_against_who_is_sent_there() -> None:
    orders = [resolved(name, fixed=turn % 3 == 0, model="old") for name in "EF" for turn in range(30)]
    orders += [resolved(name, fixed=turn % 10 > 0, model="new") for name in "FGH" for turn in range(30)]
    found, blind = (learn(items, now=NOW) for items in (orders, [replace(o, asset_model=None) for o in orders]))
    assert fix(found).value > fix(blind).value + 0.1


def test_one_asset_model_for_all_orders_changes_nothing_much() -> None:
    orders = [*of_group(30, 10), *of_group(15, 25, "H")]
    same = [replace(item, asset_model="x") for item in orders]
    for name in "GH":
        assert fix(learn(same, now=NOW), name).value == pytest.approx(fix(learn(orders, now=NOW), name).value, abs=0.01)


# Bad input


def test_extremes_are_cut_before_they_distort_the_others() -> None:
    wild = learn([resolved(ratio=500), *[resolved(ratio=1)] * 5], now=NOW)
    assert pace(wild) == pace(learn([resolved(ratio=LARGEST_RATIO), *[resolved(ratio=1)] * 5], now=NOW))


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"engineer": ""}, "engineer"),
        ({"skill": ""}, "skill"),
        ({"actual_seconds": 0}, "actual_seconds 0"),
        ({"estimated_seconds": -5}, "estimated_seconds -5"),
    ],
)
def test_an_order_that_cannot_be_is_refused(fields: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        ResolvedOrder(**{"engineer": "E", "skill": "a", "resolved_at": NOW, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("half_life", [0, -1, math.nan])
def test_a_half_life_has_to_be_above_0(half_life: float) -> None:
    with pytest.raises(ValueError, match="half-life"):
        learn([], now=NOW, half_life_days=half_life)


def test_no_orders_are_no_history() -> None:
    assert learn([], now=NOW) == History({}, {})


# In a problem


def a_day() -> Document:
    relations = [
        {"type": "implies", "from": "a", "to": "a.x", "level_loss": 1},
        {"type": "substitutes", "from": "b", "to": "a", "level_loss": 2, "penalty": 600},
    ]
    people = [engineer("E", skill("a", 2)), engineer("F", skill("b", 3)), engineer("G", skill("b", 1)), engineer("H")]
    graph = {"skills": [{"id": name} for name in ("a", "a.x", "b")], "relations": relations}
    return day(people, [order("W", required_skills=[skill("a.x")])], skill_graph=graph)


def by_id(document: Document) -> dict[str, Engineer]:
    return {found.id: found for found in read(document).engineers}


def test_a_problem_with_a_history_says_so_of_everybody_who_may_be_asked() -> None:
    orders = [resolved("E", fixed=True, ratio=0.5, at_skill="a.x")] * 40 + of_group(5, 5, "F")
    found = by_id(with_history(a_day(), learn(orders, now=NOW)))
    assert set(found["E"].fix_probability) == {"a", "a.x"}
    assert set(found["E"].duration_factors) == {"a.x"}
    assert found["E"].duration_factors["a.x"] < 0.6
    assert set(found["F"].fix_probability) == {"a"}
    assert (found["G"].fix_probability, found["H"].fix_probability) == ({}, {})


def test_what_the_problem_says_already_stays() -> None:
    document = a_day()
    document["engineers"][0].update(fix_probability={"a.x": 0.5, "a": None}, duration_factors={"b": 2})
    orders = [resolved("E", fixed=True, ratio=0.5, at_skill=name) for name in ("a", "a.x")] * 10
    found = by_id(with_history(document, learn(orders, now=NOW)))["E"]
    assert float(found.fix_probability["a.x"]) == 0.5
    assert found.fix_probability["a"] > 0.8
    assert found.duration_factors["b"] == 2
    assert document["engineers"][0]["fix_probability"] == {"a.x": 0.5, "a": None}


def test_without_a_history_a_problem_is_as_it_was() -> None:
    assert with_history(a_day(), learn([], now=NOW)) == a_day()
