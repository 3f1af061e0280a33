"""What is stored becomes a problem document: always a valid one, with everything that is fixed as it is."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import check_problem
from api.problems import SolveOptions, solve_document
from dispatcher.services.state import LEFT_OUT, PlanQuestion, StoredState, problem_document
from tests.stored_states import MONDAY, at, engineer, order, shift, site, stored_states, territory, visit, window

ENOUGH = SolveOptions(iteration_limit=100)

Document = dict[str, Any]
MORNING = at(6)


def state(**parts: Any) -> StoredState:
    """A territory with a depot and a site, E1 on Monday from 8 to 16, and what else is given."""
    return StoredState(
        **{
            "territories": [territory()],
            "sites": [site("depot"), site("S1"), site("S2")],
            "engineers": [engineer("E1")],
            "shifts": [shift("E1")],
            **parts,
        }
    )


def document(stored: StoredState, now: datetime = MORNING, territories: tuple[str, ...] = ("north",)) -> Document:
    """The Monday as a problem, which has to be a valid one."""
    found = problem_document(stored, PlanQuestion("question", territories, [MONDAY]), now)
    assert check_problem(found) == []
    return found


def orders_of(found: Document) -> dict[str, Document]:
    return {item["id"]: item for item in found["work_orders"]}


def shifts_of(found: Document) -> dict[str, Document]:
    return {f"{item['id']}/{entry['id']}": entry for item in found["engineers"] for entry in item["shifts"]}


# Always


@given(stored_states())
def test_a_stored_state_makes_a_valid_problem(found: tuple[StoredState, PlanQuestion, datetime]) -> None:
    stored, question, now = found
    assert check_problem(problem_document(stored, question, now)) == []


@given(stored_states())
def test_every_unfinished_order_is_in_the_problem_or_left_out_with_a_reason(
    found: tuple[StoredState, PlanQuestion, datetime],
) -> None:
    stored, question, now = found
    made = problem_document(stored, question, now)
    left_out = (made.get("attributes") or {}).get("left_out", {})
    assert sorted([*orders_of(made), *left_out]) == sorted(item["external_id"] for item in stored.work_orders)
    assert set(left_out.values()) <= LEFT_OUT.keys()


@given(stored_states(), st.integers())
def test_the_order_of_records_does_not_matter(found: tuple[StoredState, PlanQuestion, datetime], seed: int) -> None:
    stored, question, now = found
    mixed: dict[str, Any] = {}
    for name in ("engineers", "shifts", "work_orders", "visits", "sites", "other_orders"):
        items = list(getattr(stored, name))
        Random(seed).shuffle(items)
        mixed[name] = items
    assert problem_document(replace(stored, **mixed), question, now) == problem_document(stored, question, now)


@given(stored_states())
def test_a_stored_state_can_be_planned(found: tuple[StoredState, PlanQuestion, datetime]) -> None:
    made = problem_document(*found)
    plan = solve_document(made, SolveOptions(iteration_limit=20, engine="insertion"))
    assert plan["problem_id"] == "question"


# What is part of it


def test_the_horizon_holds_the_local_day_and_the_shifts() -> None:
    stored = state(territories=[territory(timezone="Asia/Shanghai")], shifts=[shift("E1", start=12, end=20)])
    horizon = document(stored)["horizon"]
    assert horizon == {"start": "2026-11-23T00:00:00+08:00", "end": "2026-11-24T05:00:00+08:00"}


def test_the_zone_is_that_of_the_first_territory_asked_for() -> None:
    stored = state(territories=[territory("north", "UTC"), territory("east", "Asia/Shanghai")])
    assert document(stored, territories=("east", "north"))["timezone"] == "Asia/Shanghai"


def test_shifts_that_are_off_and_engineers_of_other_territories_are_not_planned() -> None:
    stored = state(
        engineers=[engineer("E1"), engineer("E2"), engineer("E3", "west")],
        shifts=[shift("E1"), shift("E2", status="cancelled"), shift("E3"), shift("E1", "tue", day=1)],
    )
    found = document(stored)
    assert [item["id"] for item in found["engineers"]] == ["E1", "E2"]
    assert list(shifts_of(found)) == ["E1/mon"]


def test_an_engineer_whom_an_order_names_is_known_though_not_planned() -> None:
    stored = state(
        engineers=[engineer("E1"), engineer("E9", "west")],
        shifts=[shift("E1"), shift("E9")],
        work_orders=[order("W1", allowed_engineers=["E9"])],
    )
    found = document(stored)
    assert list(shifts_of(found)) == ["E1/mon"]
    plan = solve_document(found, ENOUGH)
    # An order for somebody else alone does not become one for everybody.
    assert [item["work_order"] for item in plan["unassigned"]] == ["W1"]


def test_names_of_people_stay_out_of_snapshots() -> None:
    assert "name" not in document(state())["engineers"][0]


def test_windows_are_cut_to_the_horizon_and_past_ones_stay() -> None:
    windows = [window(1, 2), window(20, 30), window(40, 50, day=30)]
    kept = orders_of(document(state(work_orders=[order("W1", time_windows=windows)])))["W1"]["time_windows"]
    assert kept == [windows[0], {"start": windows[1]["start"], "end": "2026-11-24T00:00:00+00:00"}]


def test_an_order_for_other_dates_is_left_out() -> None:
    stored = state(work_orders=[order("W1", time_windows=[window(1, 2, day=5)])])
    assert document(stored)["attributes"] == {"left_out": {"W1": "other_dates"}}


def test_an_order_whose_windows_are_past_is_told_as_unassigned() -> None:
    found = document(state(work_orders=[order("W1", time_windows=[window(1, 2)])]))
    plan = solve_document(found, ENOUGH)
    assert [item["reasons"][0]["code"] for item in plan["unassigned"]] == ["TIME_WINDOW"]


def test_a_site_without_coordinates_is_an_issue_and_not_a_guess() -> None:
    stored = state(sites=[site("depot"), site("S1", latitude=None)], work_orders=[order("W1")])
    found = problem_document(stored, PlanQuestion("question", ["north"], [MONDAY]), MORNING)
    assert [(issue.path, issue.code) for issue in check_problem(found)] == [("locations.S1.lat", "MISSING_FIELD")]


# What is fixed


def test_work_under_way_is_pinned_with_its_start() -> None:
    stored = state(
        work_orders=[order("W1", "in_progress"), order("W2")],
        visits=[visit("V1", "W1", "E1", "on_site", arrived_at=at(9), started_at=at(9.25))],
    )
    found = document(stored, now=at(10))
    assert orders_of(found)["W1"]["pin"] == {"engineer": "E1", "start": at(9.25).isoformat()}
    plan = solve_document(found, ENOUGH)
    assert plan["unassigned"] == []
    assert plan["routes"][0]["stops"][1]["work_order"] == "W1"


def test_pauses_move_the_end_of_work_under_way() -> None:
    paused = visit("V1", "W1", "E1", "paused", started_at=at(9), paused_at=at(9.5), paused_seconds=600)
    found = document(state(work_orders=[order("W1", "in_progress")], visits=[paused]), now=at(10))
    assert orders_of(found)["W1"]["pin"]["start"] == (at(9.5) + timedelta(seconds=600)).isoformat()


def test_who_is_on_the_way_or_has_accepted_keeps_the_order() -> None:
    stored = state(
        engineers=[engineer("E1"), engineer("E2")],
        shifts=[shift("E1"), shift("E2")],
        work_orders=[order("W1", "planned"), order("W2", "planned"), order("W3", "planned")],
        visits=[
            visit("V1", "W1", "E1", "en_route", departed_at=at(9)),
            visit("V2", "W2", "E2", "accepted"),
            visit("V3", "W3", "E2", "planned"),
        ],
    )
    pins = {name: item.get("pin") for name, item in orders_of(document(stored, now=at(9.5))).items()}
    assert pins == {"W1": {"engineer": "E1"}, "W2": {"engineer": "E2"}, "W3": None}


def test_a_stored_pin_whose_start_is_past_is_not_taken_for_work_under_way() -> None:
    pin = {"engineer": "E1", "start": at(9).isoformat()}
    stored = state(work_orders=[order("W1", pin=pin)])
    assert orders_of(document(stored, now=at(8)))["W1"]["pin"] == pin
    assert orders_of(document(stored, now=at(10)))["W1"]["pin"] == {"engineer": "E1"}


def test_an_order_planned_on_another_date_is_left_alone() -> None:
    stored = state(
        shifts=[shift("E1"), shift("E1", "tue", day=1)],
        work_orders=[order("W1", "planned")],
        visits=[visit("V1", "W1", "E1", during="tue")],
    )
    assert document(stored)["attributes"] == {"left_out": {"W1": "in_other_hands"}}


@pytest.mark.parametrize("lost", [shift("E1", "tue", day=1, status="cancelled"), shift("E1", "tue", day=-3)])
def test_an_order_planned_in_a_shift_that_is_off_or_over_is_planned_again(lost: Document) -> None:
    stored = state(
        shifts=[shift("E1"), lost], work_orders=[order("W1", "planned")], visits=[visit("V1", "W1", "E1", during="tue")]
    )
    assert list(orders_of(document(stored))) == ["W1"]


def test_an_order_that_is_under_way_somewhere_is_not_given_to_somebody_else() -> None:
    stored = state(work_orders=[order("W1", "in_progress")])
    assert document(stored)["attributes"] == {"left_out": {"W1": "under_way"}}


def test_a_shift_goes_on_where_its_last_work_was_done() -> None:
    stored = state(
        shifts=[shift("E1", max_work_orders=5)],
        other_orders=[order("W0", "done", "S2")],
        visits=[visit("V0", "W0", "E1", "done", ended_at=at(9))],
    )
    found = shifts_of(document(stored, now=at(10)))["E1/mon"]
    assert (found["start_location"], found["end_location"], found["max_work_orders"]) == ("S2", "depot", 4)


def test_a_team_at_work_is_busy_as_a_whole_and_free_afterwards() -> None:
    team = {"roles": [{"role": "lead"}, {"role": "support"}], "service_seconds_by_size": {"2": 7200}}
    stored = state(
        engineers=[engineer("E1"), engineer("E2")],
        shifts=[shift("E1"), shift("E2")],
        work_orders=[order("W1", "in_progress", team=team), order("W2", place="S2")],
        visits=[
            visit("V1", "W1", "E1", "on_site", started_at=at(9), role="support"),
            visit("V2", "W1", "E2", "on_site", started_at=at(9), role="lead"),
        ],
    )
    found = document(stored, now=at(10))
    assert orders_of(found)["W1"]["pin"] == {"engineer": "E2", "start": at(9).isoformat()}
    assert orders_of(found)["W1"]["service_seconds"] == 7200
    helper = shifts_of(found)["E1/mon"]
    assert (helper["start"], helper["start_location"], helper["end_location"]) == (at(11).isoformat(), "S1", "depot")
    assert solve_document(found, ENOUGH)["unassigned"] == []


def test_work_that_lasts_beyond_its_shift_leaves_nothing_to_plan_there() -> None:
    stored = state(
        work_orders=[order("W1", "in_progress", service_seconds=40_000)],
        visits=[visit("V1", "W1", "E1", "on_site", started_at=at(9))],
    )
    found = document(stored, now=at(10))
    assert found["attributes"] == {"left_out": {"W1": "in_other_hands"}}
    assert shifts_of(found) == {}


# Dependencies


def completed(other: Document, *visits: Document, **finished_at: datetime) -> str:
    stored = state(
        work_orders=[order("W2", depends_on=[{"work_order": "W1", "min_gap_seconds": 60}])],
        other_orders=[other],
        visits=list(visits),
        shifts=[shift("E1"), shift("E1", "tue", day=1)],
        finished_at=finished_at,
    )
    (entry,) = orders_of(document(stored))["W2"]["depends_on"]
    assert entry.keys() == {"min_gap_seconds", "completed_at"}
    return str(entry["completed_at"])


def test_what_an_order_waits_for_is_done_or_planned_or_will_not_be_in_time() -> None:
    done = visit("V1", "W1", "E1", "done", ended_at=at(5))
    assert completed(order("W1", "done"), done) == at(5).isoformat()
    assert completed(order("W1", "done"), W1=at(4)) == at(4).isoformat()
    planned = visit("V1", "W1", "E1", during="tue", planned_end=at(30))
    assert completed(order("W1", "planned", home="west"), planned) == at(30).isoformat()
    assert completed(order("W1", home="west")) == "2026-11-24T00:00:01+00:00"
    assert completed(order("W1", "cancelled")) == "2026-11-24T00:00:01+00:00"


def test_relations_to_orders_that_are_not_part_of_it_fall_away() -> None:
    stored = state(work_orders=[order("W1", related_to=["W2", "W9"]), order("W2")])
    assert orders_of(document(stored))["W1"]["related_to"] == ["W2"]


# The plan in force


def test_the_plan_in_force_is_what_changes_are_measured_from() -> None:
    def stop(name: str, hour: float) -> Document:
        times = {"arrival": at(hour).isoformat(), "start": at(hour).isoformat(), "end": at(hour + 1).isoformat()}
        return {"kind": "work_order", "work_order": name, "location": "S1", "travel_seconds": 0, **times}

    start = {"kind": "start", "location": "depot", "end": at(8).isoformat()}
    routes = [
        {"engineer": "E1", "shift": "mon", "stops": [start, stop("W1", 9), stop("W9", 11)]},
        {"engineer": "gone", "shift": "mon", "stops": [start, stop("W1", 9)]},
    ]
    teams = [
        {"work_order": name, "start": at(9).isoformat(), "members": [{"engineer": "E1", "role": "x"}]}
        for name in ("W1", "W9")
    ]
    found = document(state(work_orders=[order("W1", "planned")], routes_in_force=routes, teams_in_force=teams))
    assert found["current_plan"]["routes"] == [
        {"engineer": "E1", "shift": "mon", "stops": [start, stop("W1", 9)]},
    ]
    assert found["current_plan"]["teams"] == teams[:1]


# What machines need


def needing(*required: Document, **body: Any) -> Document:
    """The order W1 about a machine whose model requires these skills."""
    stored = state(
        work_orders=[{**order("W1", **body), "asset": "A1"}],
        assets=[{"external_id": "A1", "asset_model": "M1"}, {"external_id": "A2", "asset_model": None}],
        asset_models=[{"external_id": "M1", "body": {"required_skills": list(required)}}],
    )
    return orders_of(document(stored))["W1"]


def required(name: str, level: int) -> Document:
    return {"skill": name, "level": level}


def test_an_order_needs_what_the_model_of_its_asset_needs() -> None:
    found = needing(required("pumps", 2), required("oil", 1))
    assert found["required_skills"] == [required("pumps", 2), required("oil", 1)]


def test_what_an_order_asks_for_itself_stays_first_at_the_higher_of_both_levels() -> None:
    own = [required("crane", 3), {"skill": "pumps"}, required("oil", 5)]
    found = needing(
        required("oil", 2), required("pumps", 2), required("pumps", 3), required("gas", 1), required_skills=own
    )
    assert found["required_skills"] == [
        required("crane", 3),
        required("pumps", 3),
        required("oil", 5),
        required("gas", 1),
    ]


def test_of_a_team_one_member_has_to_know_what_the_machine_needs() -> None:
    team = {"roles": [{"role": "lead"}, {"role": "support"}], "collective_skills": [required("pumps", 1)]}
    found = needing(required("pumps", 2), required("oil", 1), team=team)
    assert "required_skills" not in found
    assert found["team"]["collective_skills"] == [required("pumps", 2), required("oil", 1)]


def test_an_asset_whose_model_is_unknown_or_needs_nothing_changes_nothing() -> None:
    assert "required_skills" not in needing()
    stored = state(
        work_orders=[{**order("W1"), "asset": "A2"}, {**order("W2"), "asset": "A9"}],
        assets=[{"external_id": "A2", "asset_model": None}],
        asset_models=[],
    )
    assert all("required_skills" not in found for found in orders_of(document(stored)).values())
