"""Who is near whom, against a naive search; what is driven, against the evaluation's sums."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.evaluate import evaluate
from dispatcher.facts import read_facts
from dispatcher.plan import Sequences
from dispatcher.schedule import build_plan
from solver import nearness
from solver.compile_travel import TravelArrays
from solver.kernel.iterate import driven
from solver.nearness import MOST_NEIGHBOURS, MOST_SHIFTS, nearest_shifts, nearest_visits
from tests.kernel_plans import load
from tests.small_days import day, engineer, order, read

PLACES = 150
WAYS = ("there as back", "not as back", "on the sphere")


def travel_arrays(way: str, chance: np.random.Generator) -> TravelArrays:
    """Places far apart at random, many of them equally far."""
    none = np.zeros((1, 1), dtype=np.int32)
    apart = chance.integers(0, 40, (PLACES, PLACES), dtype=np.int32)
    if way == "there as back":
        apart += apart.T
    points = chance.normal(size=(PLACES, 4))
    points[:, :3] /= np.linalg.norm(points[:, :3], axis=1, keepdims=True)
    has_matrix = way != "on the sphere"
    return TravelArrays(
        has_matrix=has_matrix,
        is_symmetric=way != "not as back",
        apart=apart if has_matrix else none,
        seconds=none.reshape(1, 1, 1),
        base=none,
        meters=none,
        speeds=np.ones((1, 2), dtype=np.int64),
        least_rates=np.ones(1),
        speed_of=[0],
        traffic_from=np.zeros(1, dtype=np.int64),
        traffic_rate=np.ones(1, dtype=np.int64),
        traffic_common=1,
        sphere=points,
    )


def distance(travel: TravelArrays, one: int, other: int, *, is_one_way: bool = False) -> float:
    if not travel.has_matrix:
        return float(1.0 - travel.sphere[one, :3] @ travel.sphere[other, :3])
    back = 0 if travel.is_symmetric or is_one_way else travel.apart[other, one]
    return float(travel.apart[one, other] + back)


def is_same(found: Sequence[int], expected: Sequence[int], far: Sequence[float], way: str) -> bool:
    """The same lists, of equal distances the first first; on the sphere but for the last digits of distances."""
    if list(found) == list(expected) or way != "on the sphere":
        return list(found) == list(expected)
    return [far[one] for one in found] == pytest.approx([far[one] for one in expected])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("visits", [2, 60, 130])
def test_neighbours_are_the_nearest_whom_one_shift_could_serve_too(way: str, visits: int) -> None:
    chance = np.random.default_rng(visits)
    travel = travel_arrays(way, chance)
    places = chance.integers(0, PLACES, visits)
    serving: NDArray[np.bool_] = chance.random((visits, 5)) < 0.4
    singles = np.sort(chance.choice(visits, max(2, visits * 9 // 10), replace=False))
    near = nearest_visits(travel, places, singles, serving)
    for visit in range(visits):
        found = [int(other) for other in near[visit] if other >= 0]
        if visit not in singles:
            assert found == []
            continue
        far = [distance(travel, places[visit], places[other]) for other in range(visits)]
        able = [int(o) for o in singles if o != visit and (serving[visit] & serving[o]).any()]
        expected = sorted(able, key=lambda other: (far[other], other))[:MOST_NEIGHBOURS]
        assert is_same(found, expected, far, way)
        assert near[visit, len(found) :].tolist() == [-1] * (near.shape[1] - len(found))


def test_with_too_many_kinds_everybody_is_taken_to_serve_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(1)
    travel = travel_arrays("there as back", chance)
    serving = np.eye(20, dtype=np.bool_)
    alone = nearest_visits(travel, np.arange(20), np.arange(20), serving)
    assert (alone == -1).all()
    monkeypatch.setattr(nearness, "MOST_KINDS", 1)
    assert (nearest_visits(travel, np.arange(20), np.arange(20), serving) >= 0).all()


@pytest.mark.parametrize("way", WAYS)
def test_the_shifts_looked_at_are_those_that_start_nearest_and_may_serve(way: str) -> None:
    chance = np.random.default_rng(7)
    travel = travel_arrays(way, chance)
    places, starts = chance.integers(0, PLACES, 90), chance.integers(0, PLACES, 40)
    serving: NDArray[np.bool_] = chance.random((90, 40)) < 0.3
    near = nearest_shifts(travel, places, starts, serving)
    for visit in range(90):
        far = [distance(travel, starts[shift], places[visit], is_one_way=True) for shift in range(40)]
        expected = sorted(np.flatnonzero(serving[visit]).tolist(), key=lambda shift: (far[shift], shift))[:MOST_SHIFTS]
        assert is_same([int(shift) for shift in near[visit] if shift >= 0], expected, far, way)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_driven_is_what_the_evaluation_sums_up(seed: int) -> None:
    """All legs, and the mean of those between two places, in traffic too."""
    document = random_problem(Random(seed), orders=12, engineers=3)
    document.setdefault("objective", {}).setdefault("weights", {})["distance"] = 0
    problem = read_problem(document, problem_travel)
    loaded = load(problem, Sequences())
    loaded.fill()
    plan = build_plan(problem, loaded.searcher.sequences())
    between = [
        stop.travel_seconds
        for route in read_facts(problem, plan).routes
        for stop in [stop for stop in route.work if stop.presence == "on_site"][1:]
        if stop.travel_seconds
    ]
    cost = next((term.cost_milli for term in evaluate(problem, plan).terms if term.rule == "travel"), 0)
    assert loaded.compiled.closed == frozenset()
    assert driven(loaded.case, loaded.day)[0] == cost
    if between:
        assert loaded.searcher.leg_cost() == pytest.approx(
            max(1000, problem.weights.of("travel") * sum(between) / len(between))
        )


def test_two_orders_at_one_site_say_nothing_of_what_a_leg_costs() -> None:
    loaded = load(read(day([engineer("E")], [order("W1", "p30"), order("W2", "p30")])), Sequences())
    loaded.fill()
    assert loaded.searcher.leg_cost() == 1000 * 1800
