"""The chance to be on time: calibrated where durations come from another family, and sound at its edges."""

from random import Random

import pytest

from dispatcher.on_time import Chance, Uncertainty, chances, drawn
from dispatcher.plan import Plan, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from tests.small_days import at, clock, day, engineer, order, read, rest, role, seconds, shift, window

ENGINEERS, STOPS = 250, 8
VARIATION, DRIVING = 0.4, 0.2
REPEATS = 5
"""Each visit is lived through so many times: 250 × 8 × 5 are 10,000."""


def promised_day(rng: Random) -> tuple[Problem, Plan]:
    """Routes of eight orders with promises from hopeless to certain."""
    names = [f"E{number}" for number in range(ENGINEERS)]
    orders, routes = [], []
    for name in names:
        visits = []
        for number in range(STOPS):
            place = rng.choice(("p10", "p20", "p30"))
            # About when it will be over in the mean, with a spread like the one that adds up until then.
            due = seconds("08:00") + (number + 1) * 3700 + round(rng.gauss(0, 1300 * (number + 1) ** 0.5))
            promise = rng.choice(("arrive_by", "start_by", "restore_by"))
            due -= 0 if promise == "restore_by" else 2400
            deadline = {promise: at(clock(min(due, seconds("23:00"))))}
            orders.append(order(f"{name}-{number}", place, rng.choice((20, 40, 60)), deadlines=deadline))
            visits.append(Visit(f"{name}-{number}"))
        routes.append(RouteSequence(name, "day", tuple(visits)))
    long_shift = shift(end="23:30", latest_end="23:30")
    problem = read(day([engineer(name, shifts=[long_shift]) for name in names], orders))
    return problem, build_plan(problem, Sequences(tuple(routes)))


def lived(rng: Random, mean: float, variation: float) -> float:
    """A duration of the gamma family."""
    shape = 1 / variation**2
    return rng.gammavariate(shape, mean / shape) if mean else 0.0


def outcomes(problem: Problem, plan: Plan, rng: Random) -> dict[str, bool]:
    """Whether each order is on time on one day that is lived through."""
    found = {}
    for route in plan.routes:
        free = float(seconds("08:00"))
        for stop in route.stops:
            if stop.work_order is None:
                continue
            arrival = free + lived(rng, stop.travel_seconds, DRIVING)
            free = arrival + lived(rng, (stop.end or 0) - (stop.start or 0), VARIATION)
            by = problem.order_by_id[stop.work_order].deadlines
            pairs = ((arrival, by.arrive_by), (arrival, by.start_by), (free, by.restore_by))
            found[stop.work_order] = all(instant <= due for instant, due in pairs if due is not None)
    return found


def test_probabilities_are_calibrated_within_five_points_in_every_decile() -> None:
    rng = Random("calibration")
    problem, plan = promised_day(rng)
    expected = chances(problem, plan, Uncertainty(service=VARIATION, travel=DRIVING), samples=100)
    visits = []
    for _ in range(REPEATS):
        for name, kept in outcomes(problem, plan, rng).items():
            visits.append((expected[name].on_time or 0.0, kept))
    assert len(visits) == 10_000
    visits.sort()
    tenth = len(visits) // 10
    for number in range(10):
        part = visits[number * tenth : (number + 1) * tenth]
        said = sum(probability for probability, _ in part) / tenth
        seen = sum(kept for _, kept in part) / tenth
        assert abs(said - seen) <= 0.05, f"decile {number + 1}: {said:.3f} said, {seen:.3f} seen"


def one(problem: Problem, *visits: Visit, uncertainty: Uncertainty | None = None) -> dict[str, Chance]:
    plan = build_plan(problem, Sequences((RouteSequence("A", "day", visits),)))
    return chances(problem, plan, uncertainty)


def test_without_uncertainty_a_plan_is_kept_or_not() -> None:
    problem = read(
        day(
            [engineer("A")],
            [
                order("kept", "p10", 60, deadlines={"arrive_by": at("08:10")}),
                order("late", "p10", 60, deadlines={"restore_by": at("10:09:58")}),
                order("free", "p10", 60),
            ],
        )
    )
    certain = Uncertainty(service=0, travel=0)
    found = one(problem, Visit("kept"), Visit("late"), Visit("free"), uncertainty=certain)
    assert [found[name].on_time for name in ("kept", "late", "free")] == [1.0, 0.0, None]
    assert (clock(found["free"].arrival_median), found["free"].buffer_seconds) == ("10:10", 0)


def test_uncertainty_adds_up_along_a_route() -> None:
    problem = read(day([engineer("A")], [order(f"W{number}", "p10", 45) for number in range(6)]))
    found = one(problem, *(Visit(f"W{number}") for number in range(6)))
    buffers = [found[f"W{number}"].buffer_seconds for number in range(6)]
    assert buffers == sorted(buffers)
    assert 0 < buffers[0] < buffers[-1]
    spread = [found[f"W{n}"].arrival_late - found[f"W{n}"].arrival_early for n in range(6)]
    assert spread == sorted(spread)


def test_a_window_that_opens_later_takes_up_a_delay_and_one_that_closes_is_a_promise() -> None:
    windows = [window("12:00", "12:30")]
    problem = read(day([engineer("A")], [order("W1", "p10", 60), order("W2", "p10", 60, time_windows=windows)]))
    found = one(problem, Visit("W1"), Visit("W2"))
    assert found["W2"].on_time == 1.0
    tight = read(
        day([engineer("A")], [order("W1", "p10", 60), order("W2", "p10", 60, time_windows=[window("08:00", "09:12")])])
    )
    on_time = one(tight, Visit("W1"), Visit("W2"))["W2"].on_time
    assert on_time is not None
    assert 0.3 < on_time < 0.8


def test_running_work_is_known_to_last_at_least_until_now() -> None:
    begun = order("W1", "p10", 60, pin={"engineer": "A", "start": at("08:30")}, deadlines={"restore_by": at("09:45")})
    problem = read(day([engineer("A")], [begun], now=at("10:00")))
    found = one(problem, Visit("W1"))["W1"]
    assert found.on_time == 0.0
    assert found.end_late >= seconds("10:00")
    earlier = read(day([engineer("A")], [begun], now=at("09:00")))
    on_time = one(earlier, Visit("W1"))["W1"].on_time
    assert on_time is not None
    assert 0.5 < on_time < 1.0


def test_a_break_is_taken_as_soon_as_it_may_be_and_passes_a_delay_on() -> None:
    breaks = [rest("09:00", "12:00", 30)]
    problem = read(
        day([engineer("A", shifts=[shift(breaks=breaks)])], [order("W1", "p10", 60), order("W2", "p10", 60)])
    )
    plan = build_plan(problem, Sequences((RouteSequence("A", "day", (Visit("W1"), Rest(0), Visit("W2"))),)))
    certain = chances(problem, plan, Uncertainty(service=0, travel=0))
    assert clock(certain["W2"].arrival_median) == "09:40"
    spread = chances(problem, plan)
    assert spread["W2"].arrival_early >= seconds("09:30")
    assert spread["W2"].buffer_seconds > 0


def test_a_team_waits_for_its_last_member() -> None:
    roles = [role("lead"), role("support")]
    problem = read(
        day(
            [engineer("A"), engineer("B")],
            [
                order("before", "p10", 120),
                order("T", "p10", 60, team={"roles": roles}, deadlines={"start_by": at("10:20")}),
            ],
        )
    )
    sequences = Sequences(
        (
            RouteSequence("A", "day", (Visit("before"), Visit("T", "lead"))),
            RouteSequence("B", "day", (Visit("T", "support"),)),
        )
    )
    plan = build_plan(problem, sequences)
    found = chances(problem, plan)["T"]
    # The supporter is there in the morning; the lead may be late, and then everybody starts late.
    assert clock(found.arrival_median) < "08:30"
    assert found.on_time is not None
    assert 0.4 < found.on_time < 0.9


def test_variation_is_by_skill_before_level_before_the_general_one() -> None:
    uncertainty = Uncertainty(service=0.1, by_level={"L1": 0.2}, by_skill={"pumps": 0.3})
    problem = read(
        day(
            [engineer("A")],
            [
                order("W1", required_skills=[{"skill": "pumps"}], level="L1"),
                order("W2", required_skills=[{"skill": "cranes"}], level="L1"),
                order("W3"),
            ],
        )
    )
    assert [uncertainty.of_service(item) for item in problem.work_orders] == [0.3, 0.2, 0.1]


@pytest.mark.parametrize(("mean", "variation", "beyond"), [(0, 0.3, 0), (60, 0, 0), (60, 0, 90), (0, 0.3, 5)])
def test_what_does_not_vary_is_what_it_is(mean: float, variation: float, beyond: float) -> None:
    assert drawn(mean, variation, 5, Random(1), beyond=beyond) == [max(mean, beyond)] * 5


def test_drawn_durations_have_the_mean_and_the_spread_asked_for() -> None:
    values = drawn(1000, 0.4, 2000, Random(1))
    mean = sum(values) / len(values)
    deviation = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    assert mean == pytest.approx(1000, rel=0.01)
    assert deviation == pytest.approx(400, rel=0.05)
    assert min(drawn(1000, 0.4, 200, Random(1), beyond=1500)) > 1500
