"""The chance to be on time: calibrated where durations come from another family, and sound at its edges."""

from random import Random

import pytest

from benchmarks.on_time import deciles
from dispatcher.on_time import Chance, Uncertainty, chances, drawn
from dispatcher.plan import Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from tests.small_days import at, clock, day, engineer, order, read, rest, role, seconds, shift, window


def test_probabilities_are_calibrated_within_five_points_in_every_decile() -> None:
    found = deciles()
    assert len(found) == 10
    # Promises from hopeless to certain.
    assert found[0][1] < 0.2
    assert found[-1][1] > 0.8
    for number, (said, seen) in enumerate(found):
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
