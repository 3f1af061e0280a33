"""Travel times and distances: as the planning document defines them, exact to the second and the metre."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from geopy.distance import great_circle
from hypothesis import given
from hypothesis import strategies as st

from data.travel import ProblemTravel, problem_travel
from data.travel.geodesic import GeodesicMeters
from dispatcher.model import Location, round_half_up

NOON = 1_795_406_400
ZONE = ZoneInfo("Asia/Shanghai")

Point = tuple[float, float]

SPECIAL_POINTS: tuple[Point, ...] = (
    (90.0, 0.0),
    (90.0, 135.0),
    (-90.0, 0.0),
    (0.0, 180.0),
    (0.0, -180.0),
    (0.0, 0.0),
    (-33.87, 179.9999),
    (-33.87, -179.9999),
    (31.2, 121.5),
    (-31.2, -58.5),
    (31.2000001, 121.5),
)
"""The poles, both sides of the date line, opposite points, and two that are a centimetre apart."""

points = st.sampled_from(SPECIAL_POINTS) | st.tuples(st.floats(-90, 90), st.floats(-180, 180))
decimals = st.decimals(min_value="0.1", max_value="9", places=2).map(float)


def located(places: Sequence[Point]) -> list[Location]:
    return [Location(f"n{index}", latitude, longitude) for index, (latitude, longitude) in enumerate(places)]


def travel_of(travel: Mapping[str, Any], locations: Sequence[Location]) -> ProblemTravel:
    return problem_travel(travel, locations, ZONE, (NOON - 43_200, NOON + 43_200))


def matrix(seconds: Sequence[Sequence[float]], **fields: Any) -> dict[str, Any]:
    return {"kind": "matrix", "location_ids": ["a", "b", "c"][: len(seconds)], "seconds": seconds, **fields}


ABC = [Location("a"), Location("b"), Location("c")]


@given(places=st.lists(points, min_size=2, max_size=6), detour=decimals)
def test_geodesic_metres_are_those_of_geopy_times_the_detour_rounded_half_up(
    places: list[Point], detour: float
) -> None:
    meters = GeodesicMeters(located(places), Fraction(str(detour)))
    for origin, start in enumerate(places):
        expected = [round_half_up(Fraction(great_circle(start, end).meters) * Fraction(str(detour))) for end in places]
        assert meters.row(origin).tolist() == expected
        assert [meters.meters(origin, destination) for destination in range(len(places))] == expected
        assert [meters.leg(origin, destination) for destination in range(len(places))] == expected


@given(first=points, second=points)
def test_geodesic_metres_do_not_depend_on_the_direction(first: Point, second: Point) -> None:
    meters = GeodesicMeters(located([first, second]), Fraction(1))
    assert meters.row(0)[1] == meters.row(1)[0]


def test_a_matrix_of_metres_has_the_rows_of_its_places() -> None:
    """More places than are turned over at a time."""
    chance = Random(5)
    places = [(chance.uniform(-80, 80), chance.uniform(-170, 170)) for _ in range(300)]
    meters = GeodesicMeters(located(places), Fraction("1.3"))
    chosen = chance.sample(range(300), 270)
    matrix = meters.between(chosen)
    for row, origin in zip(matrix.tolist(), chosen, strict=True):
        assert row == meters.row(origin)[chosen].tolist()


def test_opposite_points_are_half_the_circumference_apart() -> None:
    meters = GeodesicMeters(located([(31.2, 121.5), (-31.2, -58.5)]), Fraction(1))
    assert meters.row(0)[1] == 20_015_115


def test_places_with_other_ids_at_one_point_are_zero_metres_and_seconds_apart() -> None:
    travel = travel_of({"kind": "geodesic", "speed_kmh": 35}, located([(31.2, 121.5), (31.2, 121.5)]))
    assert travel.meters(0, 1) == 0
    assert travel.seconds(0, 1, NOON, 1) == 0


@given(
    place=st.tuples(st.floats(-80, 80), st.floats(-180, 180)),
    speed_kmh=st.decimals(min_value="0.1", max_value="2000", places=3).map(float),
    detour=decimals,
    speed_factor=st.decimals(min_value="0.1", max_value="10", places=2).map(str).map(Fraction),
)
def test_geodesic_seconds_are_rounded_metres_by_the_speed_as_written_rounded_half_up_once(
    place: Point, speed_kmh: float, detour: float, speed_factor: Fraction
) -> None:
    travel = travel_of(
        {"kind": "geodesic", "speed_kmh": speed_kmh, "detour_factor": detour}, located([(10.0, 10.0), place])
    )
    expected = round_half_up(travel.meters(0, 1) * Fraction(18, 5) / Fraction(str(speed_kmh)) / speed_factor)
    assert travel.seconds(0, 1, NOON, speed_factor) == expected
    assert travel.free_flow_row(0, speed_factor)[1] == expected


@pytest.mark.parametrize(
    ("base", "speed_factor", "traffic_factor", "seconds"),
    [
        (50, Fraction(1), 1.15, 58),  # 57.5 as written; in binary 50 × 1.15 is just below it
        (50, Fraction(1), 1.14, 57),
        (23, Fraction("0.4"), 1, 58),  # 57.5
        (23, Fraction("0.4"), 1.0, 58),
        (69, Fraction("1.2"), 1, 58),  # 57.5
        (50, Fraction("1.15"), 1.15, 50),
        (1, Fraction(2), 1, 1),  # 0.5
        (1, Fraction("2.01"), 1, 0),
        (5, Fraction("0.1"), 1.15, 58),  # 57.5: rounded once, not after the speed and again after the traffic
        (3, Fraction(2), 1.5, 2),  # 2.25, where rounding 1.5 first would give 3
    ],
)
def test_seconds_are_rounded_half_up_once_of_the_exact_product(
    base: int, speed_factor: Fraction, traffic_factor: float, seconds: int
) -> None:
    traffic = [{"from": "00:00", "to": "24:00", "factor": traffic_factor}]
    travel = travel_of(matrix([[0, base], [base, 0]], traffic=traffic), ABC[:2])
    assert travel.seconds(0, 1, NOON, speed_factor) == seconds


def test_a_detour_that_ends_on_half_a_metre_rounds_up_before_the_speed_is_applied() -> None:
    travel = travel_of({"kind": "geodesic", "speed_kmh": 3.6}, located([(0.0, 0.0), (0.0, 0.001)]))
    assert travel.meters(0, 1) == travel.seconds(0, 1, NOON, 1) == 111  # 111.19 metres at one metre a second


def test_a_matrix_is_taken_as_given_in_both_directions() -> None:
    travel = travel_of(matrix([[0, 10, 20], [30, 0, 40], [50, 60, 0]]), ABC)
    assert [[travel.seconds(i, j, NOON, 1) for j in range(3)] for i in range(3)] == [
        [0, 10, 20],
        [30, 0, 40],
        [50, 60, 0],
    ]


def test_a_place_is_no_way_from_itself_whatever_the_diagonal_says() -> None:
    travel = travel_of(matrix([[7, 10], [30, 9]], meters=[[5, 100], [300, 5]]), ABC[:2])
    assert travel.seconds(0, 0, NOON, 1) == travel.seconds(1, 1, NOON, 1) == 0
    assert travel.meters(0, 0) == travel.meters(1, 1) == 0
    assert list(travel.free_flow_row(0, 1)) == [0, 10]


def test_a_matrix_without_metres_says_that_it_has_none() -> None:
    travel = travel_of(matrix([[0, 10], [30, 0]]), ABC[:2])
    assert not travel.has_meters
    assert travel.meters(0, 1) == 0
    assert travel_of(matrix([[0, 1], [3, 0]], meters=[[0, 4], [5, 0]]), ABC[:2]).has_meters


@given(order=st.permutations(["a", "b", "c", "d"]), listed=st.permutations(["a", "b", "c", "d", "nobody's"]))
def test_a_matrix_is_read_by_its_ids_whatever_the_order_of_the_locations(order: list[str], listed: list[str]) -> None:
    def number(origin: str, destination: str) -> int:
        return 0 if origin == destination else 1000 * ord(origin[0]) + ord(destination[0])

    travel = travel_of(
        {
            "kind": "matrix",
            "location_ids": listed,
            "seconds": [[number(a, b) for b in listed] for a in listed],
            "meters": [[2 * number(a, b) for b in listed] for a in listed],
        },
        [Location(name) for name in order],
    )
    for i, origin in enumerate(order):
        for j, destination in enumerate(order):
            assert travel.seconds(i, j, NOON, 1) == number(origin, destination)
            assert travel.meters(i, j) == 2 * number(origin, destination)


def test_a_location_nobody_visits_may_be_missing_from_the_matrix() -> None:
    travel = travel_of(matrix([[0, 10], [30, 0]], meters=[[0, 1], [2, 0]]), [Location("unused"), *ABC[:2]])
    assert travel.seconds(1, 2, NOON, 1) == 10
    assert travel.meters(2, 1) == 2


def test_numbers_of_a_matrix_may_be_written_with_a_point() -> None:
    travel = travel_of(matrix([[0, 850.0], [30.0, 0]], meters=[[0, 9.0], [9.0, 0]]), ABC[:2])
    assert travel.seconds(0, 1, NOON, 1) == 850
    assert repr(travel.meters(0, 1)) == "9"


def test_the_tier_of_travel_is_said() -> None:
    assert travel_of(matrix([[0]]), ABC[:1]).tier == "matrix"
    assert travel_of({"kind": "geodesic", "speed_kmh": 1}, located([(1.0, 1.0)])).tier == "geodesic"


def test_travel_varies_with_time_only_where_a_factor_differs_from_one() -> None:
    constant = [{"from": "07:00", "to": "09:00", "factor": 1.0}]
    assert not travel_of(matrix([[0]]), ABC[:1]).varies_with_time
    assert not travel_of(matrix([[0]], traffic=constant), ABC[:1]).varies_with_time
    assert travel_of(matrix([[0]], traffic=[{**constant[0], "factor": 0.9}]), ABC[:1]).varies_with_time


def test_an_unknown_kind_of_travel_is_refused() -> None:
    with pytest.raises(ValueError, match="broomstick"):
        travel_of({"kind": "broomstick"}, ABC)


@pytest.mark.parametrize("traffic", [(), [{"from": "07:00", "to": "09:30", "factor": 1.4}]])
@given(
    departures=st.lists(st.integers(NOON - 86_400, NOON + 86_400), min_size=1),
    speed=st.sampled_from([1, Fraction(4, 5)]),
)
def test_a_leg_asked_about_often_takes_what_it_takes_asked_about_once(
    traffic: Sequence[Mapping[str, Any]], departures: list[int], speed: Fraction | int
) -> None:
    travel = travel_of({**matrix([[0, 900], [1300, 0]]), "traffic": traffic}, ABC[:2])
    for origin, destination in ((0, 1), (1, 0), (1, 1)):
        leg = travel.leg(origin, destination, speed)
        assert [leg(at) for at in departures] == [travel.seconds(origin, destination, at, speed) for at in departures]
