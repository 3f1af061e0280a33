"""Bugs that were in the rules, each under its own name."""

import pytest

from tests.days import Day, back, guided, move, one, pair, plan, rested, route, start, team, two, underway, work
from tests.small_days import at, order, role, shift, skill


def rules(day: Day) -> tuple[set[str], set[str]]:
    """The rules broken, as the evaluator and as the checker see it."""
    return (
        {finding.rule for finding in day.evaluate().findings},
        {finding.rule for finding in day.verify().findings},
    )


def test_what_could_not_be_read_was_reported_twice() -> None:
    day = one()
    day.stops("E")[1]["location"] = "moon"
    assert [finding.code for finding in day.evaluate().findings] == ["UNKNOWN_LOCATION"]


def test_a_standby_whose_route_names_an_unknown_place_raised_a_key_error() -> None:
    day = pair()
    day.problem["work_orders"].append(order("A"))
    trip = route("S", start(), work("A", "p10", "08:10", "09:10"), back("09:20"))
    trip["stops"][1]["location"] = "moon"
    day.plan["routes"].append(trip)
    assert rules(day) == ({"structure"}, {"structure"})


def test_orders_on_a_route_that_cannot_be_read_were_called_missing() -> None:
    day = two()
    day.plan["routes"][0]["shift"] = "night"
    assert rules(day) == ({"structure"}, {"structure"})


def test_meters_a_plan_does_not_state_did_not_count_for_distance() -> None:
    day = one()
    for stop in day.stops("E"):
        stop.pop("travel_meters", None)
    assert {term.rule: term.amount for term in day.evaluate().terms}["distance"] == 20000


def test_meters_stated_counted_for_distance_where_the_matrix_has_none() -> None:
    day = one()
    del day.problem["travel"]["meters"]
    assert "distance" not in {term.rule for term in day.evaluate().terms}
    assert "distance" not in {rule for rule, _, _ in day.verify().terms}


def test_a_break_during_work_was_called_a_breach_of_travel() -> None:
    day = rested()
    move(day.stops("E")[2], start="09:09", end="09:39")
    assert rules(day) == ({"break"}, {"break"})


def test_a_standby_missing_was_called_a_breach_of_another_rule_than_by_the_checker() -> None:
    day = pair()
    day.plan["teams"][0]["standby"] = []
    assert rules(day) == ({"team"}, {"team"})


def test_a_member_who_also_stands_by_was_called_a_breach_of_another_rule_than_by_the_checker() -> None:
    day = pair()
    day.plan["teams"][0]["standby"][0]["engineer"] = "E"
    assert rules(day) == ({"standby"}, {"standby"})


def test_of_two_entries_for_a_team_the_second_was_judged() -> None:
    day = pair()
    day.plan["teams"].append(team("T", "07:00", {}))
    assert [finding.code for finding in day.evaluate().findings] == ["TEAM_TWICE"]


def test_an_open_route_was_over_with_its_latest_stop_and_not_with_its_last() -> None:
    day = rested()
    day.shift("E").update(end_location=None, latest_end=at("16:00"))
    day.plan["routes"] = [route("E", *day.stops("E")[:-1])]
    move(day.stops("E")[2], start="15:00", end="16:01")
    ours, theirs = rules(day)
    assert ours == theirs
    assert "shift" not in ours


def test_somebody_unqualified_was_expected_to_work_at_the_pace_of_the_skills_they_do_hold() -> None:
    day = one()
    relation = {"type": "substitutes", "from": "c", "to": "b", "duration_factor": 2}
    day.problem["skill_graph"] = {"skills": [{"id": name} for name in "abc"], "relations": [relation]}
    day.order("A")["required_skills"] = [skill("a"), skill("b")]
    day.engineer("E")["skills"] = [skill("c")]
    assert rules(day) == ({"qualification"}, {"qualification"})


@pytest.mark.parametrize(
    ("begin", "place"), [("07:30", "p0"), ("07:00", "p10"), ("07:00", "p0")], ids=["place", "time", "both"]
)
def test_the_checker_let_running_work_of_a_remote_member_begin_anywhere_at_any_time(begin: str, place: str) -> None:
    """The start stop of running work lies at the order's location, in the second of the pin, whoever does it."""
    roles = [role("hand"), role("lead", presence="remote")]
    day = underway()
    day.problem["work_orders"][0]["team"] = {"roles": roles, "arrival": {"mode": "staggered"}}
    day.order("A")["pin"] = {"engineer": "F", "start": at("07:30")}
    hand, lead = day.stops("E"), work("A", "p10", "07:30", "08:30", role="lead")
    hand[1]["role"] = "hand"
    day.plan["routes"].append(route("F", start("07:30", "p10"), lead, back("08:40")))
    day.plan["teams"] = [team("A", "07:30", {"E": "hand", "F": "lead"})]
    assert rules(day) == (set(), set())
    day.stops("F")[:2] = [start(begin, place), lead | {"location": place, "arrival": at(begin)}]
    ours, theirs = rules(day)
    assert "pin" in ours
    assert "pin" in theirs


def test_gaps_to_one_of_two_leads_were_measured_although_their_number_is_what_is_wrong() -> None:
    day = pair()
    day.order("T")["team"].update(arrival={"mode": "lead_first", "min_gap_seconds": 600})
    day.stops("F")[1]["role"] = "lead"
    day.plan["teams"][0]["members"][1]["role"] = "lead"
    assert rules(day) == ({"team"}, {"team"})


def test_a_stop_in_a_standby_role_was_left_out_of_what_is_on_site() -> None:
    day = pair()
    day.order("T").update(parts={"p": 1})
    day.engineer("F")["parts"] = {"p": 1}
    day.order("T")["team"]["roles"][1] |= {"min": 0, "max": 1}
    day.stops("F")[1]["role"] = "backup"
    day.plan["teams"][0]["members"][1]["role"] = "backup"
    assert rules(day) == ({"team"}, {"team"})


def test_work_running_second_on_its_route_is_a_breach_of_its_pin() -> None:
    day = two()
    day.problem["now"] = at("09:21")
    day.order("B")["pin"] = {"engineer": "E", "start": at("09:20")}
    ours, theirs = rules(day)
    assert "pin" in ours
    assert ours == theirs


def test_work_running_is_not_asked_for_a_standby() -> None:
    day = guided()
    day.problem["now"] = at("08:31")
    day.order("T")["team"]["roles"] = [role("hand"), role("backup", presence="standby")]
    day.order("T")["pin"] = {"engineer": "E", "start": at("08:30")}
    first = work("T", "p30", "08:30", "09:30", role="hand")
    day.plan.update(
        plan(route("E", start("08:30", "p30"), first, back("10:00")), teams=(team("T", "08:30", {"E": "hand"}),))
    )
    assert rules(day) == (set(), set())
    day.engineer("R")["shifts"] = [shift("20:00", "21:00")]
    day.plan["teams"] = [team("T", "08:30", {"E": "hand"}, {"R": "backup"})]
    assert rules(day) == (set(), set())
