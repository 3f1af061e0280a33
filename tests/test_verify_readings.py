"""How the checker reads the finer points of the planning document: what it accepts and what it costs."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from dispatcher.verify import Verdict, verify
from tests.verify_day import (
    Json,
    at,
    back,
    day_plan,
    day_problem,
    move,
    order,
    rest,
    shift,
    start,
    stops,
    work,
)


def messages(verdict: Verdict) -> list[str]:
    return [finding.message for finding in verdict.findings]


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


def term(verdict: Verdict, rule: str) -> tuple[Any, Any]:
    """(amount, cost), zeros for a term that is not there."""
    return next(((amount, cost) for name, amount, cost in verdict.terms if name == rule), (Fraction(0), Fraction(0)))


def one_route(stops: list[Json], engineer: str = "E", **parts: Any) -> Json:
    """A plan made elsewhere: no score, no receipt."""
    return {"version": 1, "routes": [{"engineer": engineer, "shift": "mon", "stops": stops}], **parts}


def lone_problem(**order_fields: Any) -> Json:
    """One engineer, one order W at a; travel as in the day."""
    day = day_problem()
    return {
        **{key: day[key] for key in ("version", "id", "timezone", "now", "horizon", "locations", "travel")},
        "engineers": [{"id": "E", "shifts": [shift()]}],
        "work_orders": [{"id": "W", "location": "a", "service_seconds": 600, **order_fields}],
    }


# Travel


@pytest.mark.parametrize(
    ("date", "utc_departure", "seconds"),
    [
        # Free flow 7200 s, leaving at 01:30 local time, half speed from 02:00 to 03:00 by the clock.
        ("2026-11-23", "00:30", 1800 + 3600 + 3600),
        # The clock jumps from 02:00 to 03:00: the slow hour does not exist.
        ("2026-03-29", "00:30", 7200),
        # The hour from 02:00 to 03:00 is lived twice: two slow hours drive one, half an hour is left.
        ("2026-10-25", "23:30", 1800 + 7200 + 1800),
    ],
)
def test_traffic_follows_the_local_clock_through_changes_of_time(date: str, utc_departure: str, seconds: int) -> None:
    problem = lone_problem()
    problem["travel"]["seconds"][0][1] = 7200
    problem["travel"]["traffic"] = [{"from": "02:00", "to": "03:00", "factor": 2}]
    day_before = "2026-10-24"
    departure = f"{day_before if date == '2026-10-25' else date}T{utc_departure}:00+00:00"
    problem["now"] = problem["horizon"]["start"] = departure
    problem["horizon"]["end"] = "2026-12-31T00:00:00Z"
    problem["engineers"][0]["shifts"] = [
        shift(start=departure, end="2026-12-30T00:00:00Z", latest_end="2026-12-30T00:00:00Z", end_location=None)
    ]
    arrival = _later(departure, seconds)
    stop = {
        **work("W", "a", seconds, "08:00", "08:00", "08:00"),
        "travel_meters": 6000,
        "arrival": arrival,
        "start": arrival,
        "end": _later(arrival, 600),
    }
    first = {"kind": "start", "location": "depot", "end": departure}
    assert messages(verify(problem, one_route([first, stop]))) == []
    stop["travel_seconds"] += 1
    assert "TRAVEL_SECONDS" in codes(verify(problem, one_route([first, stop])))


def _later(instant: str, seconds: int) -> str:
    return (datetime.fromisoformat(instant) + timedelta(seconds=seconds)).isoformat()


def test_a_plan_may_leave_later_than_it_could() -> None:
    problem, plan = day_problem(), day_plan()
    move(stops(plan, "E4")[2], arrival="09:45")
    assert messages(verify(problem, plan)) == []


def test_geodesic_travel_is_rounded_to_meters_before_it_is_timed() -> None:
    problem = lone_problem()
    # A degree is pi * 6371009 / 180 = 111195.0797 m, by 1.3 that is 144554 m, at 10 m/s 14455 s.
    problem["locations"] = {"depot": {"lat": 0, "lon": 0}, "a": {"lat": 1, "lon": 0}}
    problem["travel"] = {"kind": "geodesic", "speed_kmh": 36, "detour_factor": 1.3}
    problem["engineers"][0]["shifts"] = [shift(end_location=None)]
    stop = work("W", "a", 14455, "12:00:55", "12:00:55", "12:10:55", travel_meters=144554)
    assert messages(verify(problem, one_route([start("08:00"), stop]))) == []


def test_faster_engineer_divides_before_the_only_rounding() -> None:
    problem = lone_problem()
    problem["engineers"][0] |= {"speed_factor": 0.7, "shifts": [shift(end_location=None)]}
    problem["travel"]["traffic"] = [{"from": "00:00", "to": "24:00", "factor": 1.05}]
    stop = work("W", "a", 900, "08:15", "08:15", "08:25", travel_meters=6000)
    assert messages(verify(problem, one_route([start("08:00"), stop]))) == []


def test_matrix_without_meters_leaves_stated_meters_unchecked_and_distance_uncounted() -> None:
    problem, plan = day_problem(), day_plan()
    del problem["travel"]["meters"]
    stops(plan, "E2")[-1]["travel_meters"] = 12345
    plan["score"]["terms"] = [each for each in plan["score"]["terms"] if each["rule"] != "distance"]
    assert messages(verify(problem, plan)) == []


def test_travel_the_problem_does_not_tell_cannot_be_right() -> None:
    problem, plan = day_problem(), day_plan()
    problem["travel"]["location_ids"] = ["depot", "a", "elsewhere"]
    assert "NO_TRAVEL_TIME" in codes(verify(problem, plan))
    problem["travel"] = {"kind": "geodesic", "speed_kmh": 35}
    assert "NO_TRAVEL_TIME" in codes(verify(problem, plan))


# Service and qualification


def test_duration_is_the_exact_product_rounded_half_up_once() -> None:
    problem = lone_problem(service_seconds=50, required_skills=[{"skill": "s"}])
    problem["engineers"][0] |= {"skills": [{"skill": "s"}], "duration_factors": {"s": 1.15}}
    plan = one_route([start("08:00"), work("W", "a", 600, "08:10", "08:10", "08:10:58"), back(600, "08:20:58")])
    assert messages(verify(problem, plan)) == []


@pytest.mark.parametrize(
    ("relations", "seconds", "penalty"),
    [
        ([("y", "x", 1, 1.5, 10), ("y", "m", 0, 1, 4), ("m", "x", 1, 1.2, 5)], 720, 9),
        ([("y", "x", 0, 2, 5), ("y", "m", 0, 1.5, 5), ("m", "x", 0, 1, 0)], 900, 5),
        ([("y", "x", 3, 1, 0), ("y", "m", 1, 1.5, 10), ("m", "x", 1, 1, 0)], 900, 10),
        # Going round y -> m -> y would be cheaper each time, but a path meets no skill twice.
        ([("y", "x", 0, 1.5, 0), ("y", "m", 0, 0.5, 0), ("m", "y", 0, 0.5, 0)], 900, 0),
    ],
    ids=["smaller penalty", "smaller factor", "enough level", "simple path"],
)
def test_cheapest_path_through_the_skill_graph_counts(
    relations: list[tuple[str, str, int, float, float]], seconds: int, penalty: int
) -> None:
    problem = lone_problem(required_skills=[{"skill": "x", "level": 2}])
    problem["skill_graph"] = {
        "skills": [{"id": name} for name in "xym"],
        "relations": [
            {
                "type": "substitutes",
                "from": source,
                "to": target,
                "level_loss": loss,
                "duration_factor": factor,
                "penalty": price,
            }
            for source, target, loss, factor, price in relations
        ],
    }
    problem["engineers"][0]["skills"] = [{"skill": "y", "level": 4}]
    minutes = seconds // 60
    plan = one_route(
        [
            start("08:00"),
            work("W", "a", 600, "08:10", "08:10", f"08:{10 + minutes}"),
            back(600, f"08:{20 + minutes}"),
        ]
    )
    verdict = verify(problem, plan)
    assert messages(verdict) == []
    assert term(verdict, "substitution") == (penalty, penalty)


def test_second_certificate_of_a_skill_counts_when_the_first_has_run_out() -> None:
    problem = lone_problem(required_skills=[{"skill": "s", "level": 2}])
    problem["engineers"][0]["skills"] = [
        {"skill": "s", "level": 5, "valid_until": at("08:00")},
        {"skill": "s", "level": 2, "valid_until": at("08:10")},
    ]
    plan = one_route([start("08:00"), work("W", "a", 600, "08:10", "08:10", "08:20"), back(600, "08:30")])
    assert messages(verify(problem, plan)) == []
    problem["engineers"][0]["skills"][1]["valid_until"] = at("08:09:59")
    assert codes(verify(problem, plan)) == {"SKILL_MISSING"}


def test_setup_is_paid_again_after_work_elsewhere_but_not_after_a_break() -> None:
    problem = lone_problem(setup_seconds=60)
    base = problem["work_orders"][0]
    problem["work_orders"] += [{**base, "id": "X"}, {**base, "id": "Y", "location": "b"}, {**base, "id": "Z"}]
    pause = {"earliest_start": at("08:00"), "latest_start": at("09:00"), "duration_seconds": 60}
    problem["engineers"][0]["shifts"] = [shift(breaks=[pause], end_location=None)]
    plan = one_route(
        [
            start("08:00"),
            work("W", "a", 600, "08:10", "08:10", "08:21"),
            rest("08:21", "08:22"),
            work("X", "a", 0, "08:22", "08:22", "08:32"),
            work("Y", "b", 300, "08:37", "08:37", "08:48"),
            work("Z", "a", 300, "08:53", "08:53", "09:04"),
        ]
    )
    assert messages(verify(problem, plan)) == []


# Breaks


def test_breaks_with_overlapping_windows_are_matched_not_guessed() -> None:
    problem = lone_problem()
    wide = {"earliest_start": at("08:00"), "latest_start": at("12:00"), "duration_seconds": 900}
    narrow = {"earliest_start": at("09:00"), "latest_start": at("09:30"), "duration_seconds": 900}
    problem["engineers"][0]["shifts"] = [shift(breaks=[wide, narrow], end_location=None)]
    visit = work("W", "a", 600, "08:10", "08:10", "08:20")
    plan = one_route([start("08:00"), visit, rest("09:00", "09:15"), rest("10:00", "10:15")])
    assert messages(verify(problem, plan)) == []


def test_break_after_the_last_stop_ends_an_open_route() -> None:
    problem = lone_problem()
    late = {"earliest_start": at("16:00"), "latest_start": at("17:00"), "duration_seconds": 600}
    problem["engineers"][0]["shifts"] = [shift(breaks=[late], end_location=None)]
    visit = work("W", "a", 600, "08:10", "08:10", "08:20")
    verdict = verify(problem, one_route([start("08:00"), visit, rest("16:00", "16:10")]))
    assert messages(verdict) == []
    assert term(verdict, "overtime") == (600, 1200)
    too_late = verify(problem, one_route([start("08:00"), visit, rest("16:55", "17:05")]))
    assert codes(too_late) == {"AFTER_LATEST_END"}


# Running work


def running_day() -> tuple[Json, Json]:
    """W began at 07:50, before the shift, outside its window, by somebody without its skill; X comes next."""
    problem = lone_problem(
        pin={"engineer": "E", "start": at("07:50")},
        required_skills=[{"skill": "s", "level": 2}],
        time_windows=[{"start": at("09:00"), "end": at("10:00")}],
    )
    problem["work_orders"].append({"id": "X", "location": "b", "service_seconds": 600})
    problem["now"] = at("08:10")
    problem["engineers"][0] |= {"duration_factors": {"s": 1.5}}
    plan = one_route(
        [
            start("07:50", "a"),
            work("W", "a", 0, "07:50", "07:50", "08:05", pinned=True),
            work("X", "b", 300, "08:15", "08:15", "08:25"),
            back(900, "08:40"),
        ]
    )
    return problem, plan


def test_running_work_is_exempt_from_shift_start_windows_skills_and_now() -> None:
    assert messages(verify(*running_day())) == []


def test_after_running_work_that_is_over_nobody_leaves_before_now() -> None:
    problem, plan = running_day()
    move(stops(plan, "E")[2], arrival="08:14", start="08:15")
    assert codes(verify(problem, plan)) == {"BEFORE_NOW"}


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"excluded_engineers": ["E"]}, "allowed_engineers"),
        ({"parts": {"P": 1}}, "parts"),
    ],
)
def test_running_work_is_still_bound_by(fields: Json, rule: str) -> None:
    problem, plan = running_day()
    problem["work_orders"][0] |= fields
    assert {finding.rule for finding in verify(problem, plan).findings} == {rule}


def test_running_work_starts_where_and_when_it_runs() -> None:
    problem, plan = running_day()
    move(stops(plan, "E")[0], end="07:45")
    assert codes(verify(problem, plan)) == {"RUNNING_START_STOP"}
    stops(plan, "E")[0] = start("07:50", "depot")
    assert "RUNNING_ELSEWHERE" in codes(verify(problem, plan))


def test_break_whose_time_ran_out_during_running_work_is_not_due() -> None:
    problem, plan = running_day()
    gone = {"earliest_start": at("08:00"), "latest_start": at("08:12"), "duration_seconds": 60}
    problem["engineers"][0]["shifts"] = [shift(breaks=[gone])]
    assert codes(verify(problem, plan)) == {"BREAK_MISSING"}
    order(problem, "W")["service_seconds"] = 1000
    move(stops(plan, "E")[1], end="08:15")
    move(stops(plan, "E")[2], arrival="08:20", start="08:20", end="08:30")
    move(stops(plan, "E")[3], arrival="08:45")
    assert messages(verify(problem, plan)) == []


def test_member_who_joins_a_running_team_later_is_planned_like_anybody() -> None:
    problem, plan = running_day()
    problem["engineers"].append({"id": "F", "shifts": [shift()]})
    roles = [{"role": "lead"}, {"role": "help"}, {"role": "spare", "presence": "standby"}]
    problem["work_orders"][0]["team"] = {"roles": roles, "arrival": {"mode": "lead_first"}}
    stops(plan, "E")[1]["role"] = "lead"
    joining = work("W", "a", 600, "08:20", "08:20", "08:30", role="help", pinned=False)
    trip = [start("08:10"), joining, back(600, "08:40")]
    plan["routes"].append({"engineer": "F", "shift": "mon", "stops": trip})
    members = [{"engineer": "E", "role": "lead"}, {"engineer": "F", "role": "help"}]
    plan["teams"] = [{"work_order": "W", "start": at("07:50"), "members": members}]
    assert messages(verify(problem, plan)) == []
    move(trip[0], end="08:09")
    assert codes(verify(problem, plan)) == {"BEFORE_NOW"}
