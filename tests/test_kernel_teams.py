"""Teams that the search kernel takes apart, composes and moves, as the reference rules judge them."""

from typing import Any

import pytest

from data.synthetic import DEMO, EVERYTHING
from dispatcher.evaluate import evaluate
from dispatcher.plan import Member, Plan, RouteSequence, Sequences, Visit
from dispatcher.schedule import build_plan
from solver.kernel import layout as at
from solver.kernel.change import remove
from solver.kernel.ruin import ruin
from tests.kernel_plans import Loaded, defects, load, snapshot, synthetic_plan
from tests.small_days import Document, day, engineer, order, read, role, seconds, shift, skill, window
from tests.test_kernel_changes import settled

STEPS = 8


def planned(plan: Loaded) -> Plan:
    return build_plan(plan.problem, plan.searcher.sequences())


def composed(people: list[Document], orders: list[Document], **fields: Any) -> Loaded:
    """An empty day on which everything is put in that can be, and the reference rules agree."""
    plan = load(read(day(people, orders, **fields)), Sequences())
    plan.fill()
    assert plan.disagreements() == []
    assert defects(plan) == []
    return plan


def crew(plan: Loaded, name: str = "T") -> dict[str, str | None]:
    """Who is on the team, each with the role; empty where the order is not served."""
    return {m.engineer: m.role for team in planned(plan).teams if team.work_order == name for m in team.members}


def starts(plan: Loaded, name: str = "T") -> dict[str, int]:
    return {
        route.engineer: stop.start
        for route in planned(plan).routes
        for stop in route.stops
        if stop.work_order == name and stop.start is not None
    }


def team(*roles: Document, **fields: Any) -> Document:
    return {"roles": list(roles), **fields}


def far_off(name: str) -> Document:
    """Work at noon two hours away, for who holds a skill: who stands by before has to stay near until it is time."""
    return order("far", "p120", 30, level="L1", required_skills=[skill(name)], time_windows=[window("11:30", "12:00")])


# -- composing -----------------------------------------------------------------------------------------------------


def test_a_team_is_composed_of_those_who_know_enough_at_one_instant() -> None:
    people = [engineer("E", skill("a", 4)), engineer("F", skill("a", 2)), engineer("G")]
    roles = [role("lead", skill("a", 4)), role("support", skill("a", 2))]
    plan = composed(people, [order("T", team=team(*roles))])
    assert crew(plan) == {"E": "lead", "F": "support"}
    assert len(set(starts(plan).values())) == 1


def test_a_team_without_enough_people_is_left_undone_as_a_whole() -> None:
    plan = composed(
        [engineer("E"), engineer("F")], [order("T", team=team(role("lead"), role("support", min=2, max=2)))]
    )
    assert crew(plan) == {}
    assert plan.searcher.routes() == [[], []]


def test_nobody_takes_two_roles_even_with_two_shifts() -> None:
    shifts = [shift("08:00", "12:00", id="am"), shift("13:00", "17:00", id="pm")]
    arrival = {"mode": "staggered"}
    people = [engineer("E", shifts=shifts)]
    assert crew(composed(people, [order("T", team=team(role("lead"), role("support"), arrival=arrival))])) == {}


def test_all_start_inside_the_same_window() -> None:
    people = [engineer("E"), engineer("F", shifts=[shift("10:00", "16:00")])]
    windows = [window("08:00", "09:00"), window("12:00", "13:00")]
    plan = composed(people, [order("T", team=team(role("lead"), role("support")), time_windows=windows)])
    assert set(starts(plan).values()) == {seconds("12:00")}


def test_the_lead_comes_first_by_the_gap_that_is_asked_for() -> None:
    arrival = {"mode": "lead_first", "min_gap_seconds": 600, "max_gap_seconds": 1800}
    people = [engineer("E", skill("a")), engineer("F")]
    plan = composed(people, [order("T", team=team(role("lead", skill("a")), role("support"), arrival=arrival))])
    begun = starts(plan)
    assert 600 <= begun["F"] - begun["E"] <= 1800


def test_staggered_members_start_within_the_gap() -> None:
    arrival = {"mode": "staggered", "max_gap_seconds": 900}
    people = [engineer("E"), engineer("F", shifts=[shift("08:20", "16:00")])]
    plan = composed(people, [order("T", team=team(role("lead"), role("support"), arrival=arrival))])
    begun = starts(plan).values()
    assert max(begun) - min(begun) <= 900


def test_a_remote_lead_starts_when_the_first_is_on_site() -> None:
    people = [engineer("E", skill("a")), engineer("F")]
    plan = composed(people, [order("T", "p30", team=team(role("expert", skill("a"), presence="remote"), role("hand")))])
    begun = starts(plan)
    assert begun["E"] == begun["F"] == seconds("08:30")


def test_more_people_come_where_that_is_cheaper() -> None:
    """Two take until 12:00, which is late by two hours of an L1; three are done by 10:00."""
    people = [engineer(name) for name in "EFG"]
    roles = [role("lead"), role("support", min=1, max=2)]
    sizes = {"2": 4 * 3600, "3": 2 * 3600 - 600}
    work = order("T", level="L1", team=team(*roles, service_seconds_by_size=sizes))
    assert len(crew(composed(people, [work | {"deadlines": {"restore_by": window("10:00", "10:00")["start"]}}]))) == 3
    assert len(crew(composed(people, [work]))) == 2


def test_a_team_that_starts_late_is_not_late_where_one_of_it_is_there_in_time() -> None:
    """With F, who is near, they start at ten, but E is there in time; G could start sooner, from an hour away."""
    people = [
        engineer("E", skill("a")),
        engineer("F", shifts=[shift("10:00", "16:00")]),
        engineer("G", shifts=[shift(start_location="p60")]),
    ]
    promise = {"arrive_by": window("08:10", "08:10")["start"]}
    asked = team(role("lead", skill("a")), role("support"))
    plan = composed(people, [order("T", level="L2", team=asked, deadlines=promise)])
    assert crew(plan) == {"E": "lead", "F": "support"}
    assert {term.rule for term in evaluate(plan.problem, planned(plan)).terms if term.cost_milli} == {"travel"}


def test_somebody_dearer_comes_for_a_skill_that_one_of_them_must_hold() -> None:
    people = [engineer("E"), engineer("F"), engineer("G", skill("b"), shifts=[shift(start_location="p60")])]
    asked = team(role("lead"), role("support"), collective_skills=[skill("b")])
    assert "G" in crew(composed(people, [order("T", level="L2", team=asked)]))


def test_one_more_comes_where_nobody_else_holds_a_skill() -> None:
    people = [engineer("E", skill("a")), engineer("F", skill("b"))]
    roles = [role("lead", skill("a")), role("support", min=0, max=1)]
    asked = team(*roles, collective_skills=[skill("b")])
    assert crew(composed(people, [order("T", team=asked)])) == {"E": "lead", "F": "support"}


def test_who_stands_by_is_named_and_could_come() -> None:
    people = [engineer("E", skill("a")), engineer("F"), engineer("G", shifts=[shift("08:00", "08:30")])]
    asked = team(role("lead", skill("a")), role("backup", presence="standby"))
    plan = composed(people, [order("T", team=asked)])
    assert [entry.standby for entry in planned(plan).teams] == [(Member("F", "backup"),)]


@pytest.mark.parametrize("far_first", [False, True])
def test_who_stands_by_leaves_for_the_next_stop_once_the_team_has_started(far_first: bool) -> None:
    people = [engineer("E", skill("a")), engineer("F", skill("b"))]
    asked = team(role("lead", skill("a")), role("backup", presence="standby"))
    orders = [
        order("T", "p10", team=asked, time_windows=[window("09:00", "09:30")]),
        # Who left for it at eight would arrive at ten, and wait.
        order("far", "p120", 30, level="L1", required_skills=[skill("b")], time_windows=[window("11:30", "12:00")]),
    ]
    plan = composed(people, orders[::-1] if far_first else orders)
    [entry] = planned(plan).teams
    assert (entry.start, entry.standby) == (seconds("09:00"), (Member("F", "backup"),))
    [far] = [stop for route in planned(plan).routes for stop in route.stops if stop.work_order == "far"]
    assert far.arrival is not None
    assert far.arrival - far.travel_seconds == seconds("09:00") + 1
    assert far.start == seconds("11:30")


def test_nobody_waits_any_more_once_the_stop_is_gone() -> None:
    people = [engineer("E", skill("a")), engineer("F", skill("b"))]
    asked = team(role("lead", skill("a")), role("backup", presence="standby"))
    plan = composed(people, [order("T", "p10", team=asked, time_windows=[window("09:00", "09:30")]), far_off("b")])
    assert plan.searcher.arrangement().stays
    [visit] = [number for number, (name, _) in enumerate(plan.compiled.work) if name == "far"]
    assert remove(plan.case, plan.day, visit)
    settled(plan)
    assert plan.searcher.arrangement().stays == {}
    assert crew(plan) == {"E": "lead"}


def test_who_waits_for_a_team_to_stand_by_does_what_there_is_to_do_meanwhile() -> None:
    people = [engineer("E", skill("a")), engineer("F", skill("b"))]
    asked = team(role("lead", skill("a")), role("backup", presence="standby"))
    near = order("near", "p10", required_skills=[skill("b")], time_windows=[window("08:00", "08:20")])
    waited = order("T", "p10", team=asked, time_windows=[window("09:00", "09:30")])
    plan = composed(people, [waited, far_off("b"), near])
    assert planned(plan).unassigned == ()
    assert [entry.standby for entry in planned(plan).teams] == [(Member("F", "backup"),)]


def test_who_would_take_the_time_of_waiting_is_no_cheaper_for_a_team_than_it_costs() -> None:
    """F could join the second team before the start of the first, which F stands by for, but from far away."""
    people = [
        engineer("E", skill("a")),
        engineer("F", skill("b"), skill("c"), shifts=[shift(start_location="p60")]),
        engineer("G", skill("b"), shifts=[shift(start_location="p10")]),
    ]
    first = team(role("lead", skill("a")), role("backup", skill("c"), presence="standby"))
    windows = [window("08:50", "09:10")]
    second = order("second", "p10", 30, level="L1", team=team(role("lead", skill("b"))), time_windows=windows)
    waited = order("T", "p10", team=first, time_windows=[window("09:30", "10:00")])
    plan = composed(people, [waited, far_off("c"), second])
    assert plan.searcher.arrangement().stays
    assert crew(plan, "second") == {"G": "lead"}


def test_a_first_plan_takes_the_next_route_where_the_cheapest_breaks_a_promise_to_stand_by() -> None:
    """F is nearer to the order, but would not be back for the team."""
    people = [
        engineer("E", skill("a")),
        engineer("F", skill("b"), skill("c"), shifts=[shift(start_location="p10")]),
        engineer("G", skill("b"), shifts=[shift(start_location="p120")]),
    ]
    asked = team(role("lead", skill("a")), role("backup", skill("c"), presence="standby"))
    orders = [
        order("T", "p10", level="L1", team=asked, time_windows=[window("09:00", "09:30")]),
        order("W", "p60", level="L3", required_skills=[skill("b")], time_windows=[window("08:30", "09:10")]),
    ]
    plan = load(read(day(people, orders)), Sequences())
    plan.searcher.place_all()
    assert plan.disagreements() == []
    assert planned(plan).unassigned == ()
    assert [route.engineer for route in planned(plan).routes] == ["E", "G"]


def test_a_team_without_anybody_to_stand_by_is_left_undone() -> None:
    people = [engineer("E"), engineer("G", shifts=[shift("08:00", "08:30")])]
    plan = composed(people, [order("T", team=team(role("lead"), role("backup", presence="standby")))])
    assert crew(plan) == {}


def test_own_times_of_a_role_and_of_a_pace_are_kept() -> None:
    people = [engineer("E", skill("a"), duration_factors={"a": 1.5}), engineer("F")]
    roles = [role("lead", skill("a"), service_seconds=1200), role("support")]
    plan = composed(people, [order("T", team=team(*roles))])
    lengths = {
        route.engineer: stop.end - stop.start
        for route in planned(plan).routes
        for stop in route.stops
        if stop.work_order and stop.start is not None and stop.end is not None
    }
    assert lengths == {"E": 1800, "F": 3600}


def test_a_team_waits_for_the_order_it_depends_on() -> None:
    orders = [order("A", "p20"), order("T", team=team(role("lead"), role("support")), depends_on=[{"work_order": "A"}])]
    plan = composed([engineer("E"), engineer("F")], orders)
    assert plan.served() == {"A", "T"}
    ended = max(stop.end or 0 for route in planned(plan).routes for stop in route.stops if stop.work_order == "A")
    assert min(starts(plan).values()) >= ended


def test_room_for_a_team_is_made_on_the_routes_it_is_taken_off_as_well() -> None:
    orders = [order("T", team=team(role("lead"), role("support"))), order("A", minutes=90), order("B", "p20")]
    plan = composed([engineer("E"), engineer("F")], orders)
    head, gone = int(plan.case.teams[0, at.HEAD]), set()
    for _ in range(STEPS):
        before, associated = snapshot(plan), int(plan.day.counts[at.BESIDE])
        assert ruin(plan.case, plan.day, head, True)
        gone |= {plan.compiled.work[visit][0] for visit in plan.day.removed[: plan.day.counts[at.REMOVED]].tolist()}
        plan.undo(associated)
        assert snapshot(plan) == before
    assert gone == {"T", "A", "B"}


# -- searching -----------------------------------------------------------------------------------------------------


def test_the_search_moves_a_team_that_stands_in_the_way() -> None:
    """At 09:00 the team keeps E and F from X, which has no other time; later there is time for both."""
    orders = [
        order("T", team=team(role("lead"), role("support"))),
        order("X", "p20", time_windows=[window("09:00", "09:00")], allowed_engineers=["E"]),
    ]
    begun = {name: Visit("T", role_of, seconds("09:00")) for name, role_of in (("E", "lead"), ("F", "support"))}
    sequences = Sequences(tuple(RouteSequence(name, "day", (visit,)) for name, visit in begun.items()))
    plan = load(read(day([engineer("E"), engineer("F")], orders)), sequences)
    plan.searcher.run(300, 1e6, 1e4)
    plan.searcher.load(plan.searcher.best())
    assert plan.served() == {"T", "X"}
    assert plan.disagreements() == []


def test_a_team_starts_earlier_when_what_kept_it_is_gone() -> None:
    orders = [order("T", team=team(role("lead"), role("support")), level="L1"), order("X", "p20", 10)]
    orders[0]["deadlines"] = {"start_by": window("08:00", "08:00")["start"]}
    late = {name: Visit("T", role_of, seconds("11:00")) for name, role_of in (("E", "lead"), ("F", "support"))}
    sequences = Sequences(tuple(RouteSequence(name, "day", (visit,)) for name, visit in late.items()))
    plan = load(read(day([engineer("E"), engineer("F")], orders)), sequences)
    plan.searcher.run(100, 1e6, 1e4)
    plan.searcher.load(plan.searcher.best())
    assert set(starts(plan).values()) == {seconds("08:10")}


def test_removing_a_member_removes_the_team_and_lets_go_who_stands_by() -> None:
    removed = 0
    for number in range(12):
        plan = synthetic_plan(EVERYTHING, number)
        for head in plan.case.teams[:, at.HEAD].tolist():
            if plan.day.standing[head, at.ROUTE] < 0 or plan.case.visits[head, at.LOCKED]:
                continue
            before, beside = snapshot(plan), int(plan.day.counts[at.BESIDE])
            assert remove(plan.case, plan.day, head)
            seats = plan.case.visits[:, at.TEAM] == plan.case.visits[head, at.TEAM]
            assert (plan.day.standing[seats, at.ROUTE] == at.NONE).all()
            assert head in plan.bank()
            settled(plan)
            plan.undo(beside)
            assert snapshot(plan) == before
            removed += 1
    assert removed > 5


@pytest.mark.parametrize("spec", [DEMO, EVERYTHING], ids=["demo", "everything"])
def test_every_iteration_leaves_teams_that_keep_every_rule(spec: Any) -> None:
    """At the prices of the evaluation, to the last thousandth, whether it is taken or refused."""
    changed = 0
    for number in range(5):
        plan = synthetic_plan(spec, number)
        for _ in range(STEPS):
            before, teams = snapshot(plan), planned(plan).teams
            plan.reject()
            assert snapshot(plan) == before
            plan.accept_any()
            assert plan.disagreements() == []
            assert defects(plan) == []
            assert evaluate(plan.problem, planned(plan)).feasible
            changed += planned(plan).teams != teams
    assert changed > 1
