"""Teams are composed as the rules ask: roles, arrival, size, skills held together, standby, and at the least cost."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.documents import read_plan
from dispatcher.evaluate import Evaluation
from dispatcher.plan import Member, Plan, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.verify import verify
from solver.day_state import DayState
from solver.insertion import InsertionEngine
from solver.team_insertion import TeamComposer
from tests.small_days import (
    Document,
    at,
    clock,
    cost_milli,
    day,
    engineer,
    order,
    plan_of,
    read,
    role,
    shift,
    skill,
    starts,
    window,
)

FAR = {"start_location": "p60"}


def planned(document: Document) -> tuple[Plan, Evaluation]:
    """The engine's plan of a day; the evaluation and the independent checker must both find it right."""
    problem = read(document)
    result = InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None))
    plan, evaluation = plan_of(problem, result.sequences)
    assert evaluation.findings == ()
    published = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)
    verdict = verify(document, published)
    assert [finding.message for finding in verdict.findings] == []
    assert verdict.total == evaluation.total
    assert read_plan(published) == plan
    return plan, evaluation


def team_order(*roles: Document, place: str = "p30", minutes: int = 60, **fields: Any) -> Document:
    team = {
        key: fields.pop(key) for key in ("arrival", "collective_skills", "service_seconds_by_size") if key in fields
    }
    return order("T", place, minutes, level="L1", team={"roles": list(roles), **team}, **fields)


def members(plan: Plan) -> dict[str, str | None]:
    [team] = plan.teams
    return {member.engineer: member.role for member in team.members}


LEAD, HANDS = role("lead", skill("hydraulics", 4)), role("support", skill("hydraulics", 2))
EXPERT, FITTER = skill("hydraulics", 5), skill("hydraulics", 2)


def crew(**homes: str) -> list[Document]:
    """Engineers by name with the place they start from; names in capitals are experts, the others fitters."""
    return [
        engineer(name, EXPERT if name.isupper() else FITTER, shifts=[shift(start_location=place)])
        for name, place in homes.items()
    ]


# -- who ---------------------------------------------------------------------------------------------------------


def test_every_role_is_held_by_someone_who_knows_enough() -> None:
    plan, _ = planned(day(crew(a="p30", B="p0", c="p10"), [team_order(LEAD, HANDS)]))
    assert members(plan) == {"B": "lead", "a": "support"}


def test_the_least_way_decides_among_those_who_can() -> None:
    plan, _ = planned(day(crew(A="p120", B="p20", c="p300", d="p60"), [team_order(LEAD, HANDS)]))
    assert members(plan) == {"B": "lead", "d": "support"}


def test_an_expert_may_be_a_supporter_where_that_is_cheaper() -> None:
    plan, _ = planned(day(crew(A="p0", B="p30", c="p120"), [team_order(LEAD, HANDS)]))
    assert sorted(members(plan)) == ["A", "B"]


def test_nobody_holds_two_roles() -> None:
    plan, _ = planned(day(crew(A="p0"), [team_order(LEAD, HANDS)]))
    assert plan.unassigned == ("T",)


def test_a_team_is_all_or_nothing() -> None:
    short = role("support", skill("hydraulics", 2), min=3, max=3)
    plan, _ = planned(day(crew(A="p0", b="p0", c="p0"), [team_order(LEAD, short)]))
    assert plan.unassigned == ("T",)
    assert plan.routes == ()


def test_a_skill_the_order_asks_for_binds_every_member() -> None:
    electric = skill("electrics", 1)
    people = [engineer("A", EXPERT, electric), engineer("b", FITTER), engineer("c", FITTER, electric, shifts=[shift()])]
    plan, _ = planned(day(people, [team_order(LEAD, HANDS, required_skills=[electric])]))
    assert members(plan) == {"A": "lead", "c": "support"}


def test_allowed_and_excluded_engineers_bind_members_and_standby() -> None:
    backup = role("backup", skill("hydraulics", 2), presence="standby")
    people = crew(A="p0", b="p30", c="p20", d="p20")
    plan, _ = planned(day(people, [team_order(LEAD, HANDS, backup, excluded_engineers=["b"])]))
    assert members(plan) == {"A": "lead", "c": "support"}
    assert plan.teams[0].standby == (Member("d", "backup"),)
    plan, _ = planned(day(people, [team_order(LEAD, HANDS, backup, allowed_engineers=["A", "b", "c"])]))
    assert {m.engineer for m in (*plan.teams[0].members, *plan.teams[0].standby)} == {"A", "b", "c"}


def test_together_the_members_hold_the_collective_skills() -> None:
    people = [
        *crew(A="p0", b="p30"),
        engineer("c", FITTER, skill("electrics", 2), shifts=[shift(start_location="p120")]),
    ]
    asked: dict[str, Any] = {"collective_skills": [skill("electrics", 2)]}
    plan, _ = planned(day(people, [team_order(LEAD, HANDS, **asked)]))
    assert members(plan) == {"A": "lead", "c": "support"}
    plan, _ = planned(day(people, [team_order(LEAD, HANDS)]))
    assert members(plan) == {"A": "lead", "b": "support"}


def test_a_certificate_must_hold_when_the_team_starts() -> None:
    expiring = engineer("A", skill("hydraulics", 5, until="08:29"), shifts=[shift()])
    plan, _ = planned(day([expiring, *crew(b="p30")], [team_order(LEAD, HANDS)]))
    assert plan.unassigned == ("T",)


def test_a_pinned_engineer_is_among_the_members() -> None:
    people = crew(A="p0", b="p30", c="p120")
    plan, _ = planned(day(people, [team_order(LEAD, HANDS, pin={"engineer": "c"})]))
    assert members(plan) == {"A": "lead", "c": "support"}


def test_a_pinned_start_is_that_of_the_pinned_engineer() -> None:
    gap = {"mode": "lead_first", "min_gap_seconds": 600}
    pin = {"engineer": "b", "start": at("10:00")}
    plan, _ = planned(day(crew(A="p0", b="p30"), [team_order(LEAD, HANDS, arrival=gap, pin=pin)]))
    assert starts(plan)[("T", "b")] == "10:00"


def test_the_parts_of_the_members_on_site_are_pooled() -> None:
    people = [person | {"parts": {"seal": 1}} for person in crew(A="p0", b="p0", c="p0")]
    plan, _ = planned(day(people, [team_order(LEAD, HANDS, parts={"seal": 2})]))
    assert plan.unassigned == ()
    plan, _ = planned(day(people, [team_order(LEAD, HANDS, parts={"seal": 3})]))
    assert plan.unassigned == ("T",)


def test_parts_of_a_remote_member_do_not_help() -> None:
    people = [person | {"parts": {"seal": 1}} for person in crew(A="p0", b="p0")]
    remote = role("lead", skill("hydraulics", 4), presence="remote")
    plan, _ = planned(day(people, [team_order(remote, HANDS, parts={"seal": 2})]))
    assert plan.unassigned == ("T",)


# -- how many ----------------------------------------------------------------------------------------------------


def grown(by_size: dict[str, int], largest: int = 3) -> dict[str, str | None]:
    support = role("support", skill("hydraulics", 2), min=1, max=largest)
    late: dict[str, Any] = {"deadlines": {"restore_by": at("09:00")}, "service_seconds_by_size": by_size}
    plan, _ = planned(day(crew(A="p30", b="p30", c="p30", d="p30"), [team_order(LEAD, support, minutes=180, **late)]))
    return members(plan)


def test_a_team_grows_while_a_shorter_service_pays_for_it() -> None:
    assert len(grown({"2": 7200, "3": 3600})) == 3
    assert len(grown({"2": 7200, "3": 5400, "4": 3600})) == 4


def test_a_team_stays_small_where_more_people_are_no_faster() -> None:
    assert len(grown({"2": 7200})) == 2


def test_a_team_never_grows_beyond_the_largest_size_of_its_roles() -> None:
    assert len(grown({"2": 7200, "3": 3600, "4": 600}, largest=2)) == 3


# -- when --------------------------------------------------------------------------------------------------------


def test_together_means_at_one_instant() -> None:
    plan, _ = planned(day(crew(A="p20", b="p60"), [team_order(LEAD, HANDS)]))
    assert starts(plan) == {("T", "A"): "08:30", ("T", "b"): "08:30"}


def test_staggered_members_start_within_the_gap() -> None:
    def of(gap: int | None) -> dict[tuple[str, str], str]:
        arrival = {"mode": "staggered", "max_gap_seconds": gap}
        plan, _ = planned(day(crew(A="p30", b="p120"), [team_order(LEAD, HANDS, arrival=arrival)]))
        return starts(plan)

    assert of(None) == {("T", "A"): "08:00", ("T", "b"): "09:30"}
    narrow = of(1800)
    assert narrow[("T", "b")] == "09:30"
    assert narrow[("T", "A")] >= "09:00"


def test_the_lead_comes_first_and_the_others_within_the_gaps() -> None:
    arrival = {"mode": "lead_first", "min_gap_seconds": 1800, "max_gap_seconds": 3600}
    plan, _ = planned(day(crew(A="p0", b="p30"), [team_order(LEAD, HANDS, arrival=arrival)]))
    assert starts(plan) == {("T", "A"): "08:30", ("T", "b"): "09:00"}
    plan, _ = planned(day(crew(A="p30", b="p120"), [team_order(LEAD, HANDS, arrival=arrival)]))
    found = starts(plan)
    assert found[("T", "b")] == "09:30"
    assert "08:30" <= found[("T", "A")] <= "09:00"


def test_a_remote_lead_starts_by_itself_and_anchors_the_gaps() -> None:
    remote = role("lead", skill("hydraulics", 4), presence="remote", service_seconds=600)
    arrival = {"mode": "lead_first", "min_gap_seconds": 1200, "max_gap_seconds": 1800}
    plan, _ = planned(day(crew(A="p300", b="p0"), [team_order(remote, HANDS, arrival=arrival)]))
    found = starts(plan)
    assert found[("T", "b")] == "08:30"
    assert "08:00" <= found[("T", "A")] <= "08:10"


def test_other_remote_members_start_with_the_first_on_site() -> None:
    expert = role("adviser", skill("hydraulics", 4), presence="remote", service_seconds=900)
    for mode in ("together", "staggered"):
        order_of = team_order(HANDS, expert, arrival={"mode": mode})
        plan, _ = planned(day(crew(A="p300", b="p0"), [order_of]))
        assert starts(plan) == {("T", "A"): "08:30", ("T", "b"): "08:30"}
        adviser = next(route for route in plan.routes if route.engineer == "A")
        assert [stop.travel_seconds for stop in adviser.stops] == [0, 0, 0]


def test_everybody_on_site_starts_in_the_same_window() -> None:
    windows = [window("08:00", "08:40"), window("10:00", "11:00")]
    staggered = {"mode": "staggered"}
    fields: dict[str, Any] = {"time_windows": windows, "arrival": staggered}
    plan, _ = planned(day(crew(A="p30", b="p120"), [team_order(LEAD, HANDS, **fields)]))
    assert {start >= "10:00" for start in starts(plan).values()} == {True}
    plan, _ = planned(day(crew(A="p30", b="p60"), [team_order(LEAD, HANDS, **fields)]))
    assert {start <= "08:40" for start in starts(plan).values()} == {True}


def test_a_team_waits_for_what_it_depends_on() -> None:
    first = order("V", "p10", 120)
    after = team_order(LEAD, HANDS, depends_on=[{"work_order": "V", "min_gap_seconds": 600}])
    plan, _ = planned(day(crew(A="p0", b="p0", c="p10"), [after, first]))
    assert plan.unassigned == ()
    end = max(stop.end or 0 for route in plan.routes for stop in route.stops if stop.work_order == "V")
    assert plan.teams[0].start >= end + 600


def test_a_member_may_do_other_work_before_and_after_the_team() -> None:
    others = [order(f"W{number}", "p30", 30) for number in range(6)]
    plan, _ = planned(day(crew(A="p0", b="p0"), [team_order(LEAD, HANDS), *others]))
    assert plan.unassigned == ()


# -- standby -----------------------------------------------------------------------------------------------------

BACKUP = role("backup", skill("hydraulics", 3), presence="standby")


def test_standby_is_somebody_else_who_knows_enough() -> None:
    plan, _ = planned(day(crew(A="p0", B="p0", c="p0", d="p0"), [team_order(LEAD, HANDS, BACKUP)]))
    [standby] = plan.teams[0].standby
    assert standby.engineer in "AB"
    assert standby.engineer not in members(plan)


def test_without_a_standby_there_is_no_team() -> None:
    plan, _ = planned(day(crew(A="p0", b="p0", c="p0"), [team_order(LEAD, HANDS, BACKUP)]))
    assert plan.unassigned == ("T",)


@pytest.mark.parametrize(
    ("fields", "serves"),
    [
        ({}, True),
        ({"start": "08:30", "end": "16:00"}, True),
        ({"start": "08:31", "end": "16:00"}, False),  # not there at the team's start
        ({"start": "08:00", "end": "09:30"}, True),
        ({"start": "08:00", "end": "09:29"}, False),  # gone before the service ends
        ({"start_location": "p60"}, True),  # half an hour away, the service takes one hour
        ({"start_location": "p120"}, False),
    ],
)
def test_standby_is_on_shift_for_the_whole_service_and_near_enough(fields: dict[str, Any], serves: bool) -> None:
    other = [engineer("C", EXPERT, shifts=[shift(**fields)])]
    only = [window("08:30", "08:30")]
    team = team_order(LEAD, HANDS, BACKUP, time_windows=only)
    plan, _ = planned(day([*crew(A="p0", b="p0"), *other], [team | {"allowed_engineers": ["A", "b", "C"]}]))
    assert (plan.unassigned == ()) == serves


def test_no_work_takes_a_standby_too_far_away() -> None:
    far = order("W", "p300", 30, level="L2", allowed_engineers=["C"])
    people = [*crew(A="p0", b="p0"), engineer("C", EXPERT, shifts=[shift(end="19:00")])]
    plan, _ = planned(day(people, [far]))
    assert plan.unassigned == ()
    plan, _ = planned(day(people, [far, team_order(LEAD, HANDS, BACKUP)]))
    assert plan.unassigned == ("W",)
    assert plan.teams[0].standby == (Member("C", "backup"),)


def test_who_stands_by_may_wait_until_the_team_has_started_and_leave_then() -> None:
    far = order("W", "p300", 30, level="L2", allowed_engineers=["C"])
    people = [*crew(A="p0", b="p0"), engineer("C", EXPERT, shifts=[shift(end="19:01")])]
    plan, _ = planned(day(people, [far, team_order(LEAD, HANDS, BACKUP)]))
    assert plan.unassigned == ()
    assert plan.teams[0].standby == (Member("C", "backup"),)
    [route] = [route for route in plan.routes if route.engineer == "C"]
    assert clock((route.stops[1].arrival or 0) - route.stops[1].travel_seconds) == "08:30:01"


def test_standbys_are_shared_out_so_that_every_role_has_one() -> None:
    """The nearest could stand by in both roles, the other in one only."""
    second = role("second", skill("hydraulics", 2), presence="standby")
    people = [*crew(A="p0", b="p0", C="p20", d="p0")]
    plan, _ = planned(day(people, [team_order(LEAD, HANDS, second, BACKUP, pin={"engineer": "A"})]))
    standby = {member.role: member.engineer for member in plan.teams[0].standby}
    assert standby["backup"] == "C"


# -- running teams -----------------------------------------------------------------------------------------------


def test_a_running_team_stays_together_where_it_is() -> None:
    team = team_order(LEAD, HANDS, BACKUP, pin={"engineer": "A", "start": at("08:40")})
    document = day(crew(A="p0", b="p0", c="p0"), [team, order("W", "p10")], now=at("09:00"))
    plan, _ = planned(document)
    assert plan.unassigned == ()
    assert plan.teams[0].start == read(document).order_by_id["T"].pin.start  # type: ignore[union-attr]
    assert members(plan)["A"] == "lead"
    assert {clock(route.stops[0].end) for route in plan.routes if route.stops[1].work_order == "T"} == {"08:40"}


# -- against every composition -----------------------------------------------------------------------------------


def random_team_day(rng: Random) -> Document:
    """One team order for up to five engineers, whose roles have fixed sizes and whose gaps have no upper bound.

    Nobody is remote in a staggered team: the composer then lets all of it start at once.
    """
    people = [
        engineer(
            f"E{number}",
            skill("hydraulics", rng.randint(1, 5), rng.choice((None, None, "08:40"))),
            *([skill("electrics", 2)] if rng.random() < 0.4 else []),
            shifts=[shift(rng.choice(("08:00", "08:30")), start_location=rng.choice(("p0", "p10", "p30", "p60")))],
            speed_factor=rng.choice((1, 1, 1.3)),
            duration_factors=rng.choice(({}, {"hydraulics": 0.8})),
            fix_probability=rng.choice(({}, {"hydraulics": 0.6}, {"hydraulics": 0.85})),
        )
        for number in range(rng.randint(1, 5))
    ]
    mode = rng.choice(("together", "staggered", "lead_first"))
    presence = "remote" if mode != "staggered" and rng.random() < 0.3 else "on_site"
    roles = [role("lead", skill("hydraulics", rng.randint(1, 4)), presence=presence)]
    count = rng.randint(1, 2)
    roles.append(role("support", skill("hydraulics", rng.randint(1, 3)), min=count, max=count))
    if rng.random() < 0.4:
        roles.append(role("backup", skill("hydraulics", 1), presence="standby"))
    fields: dict[str, Any] = {
        "arrival": {"mode": mode, "min_gap_seconds": rng.choice((0, 900)) * (mode == "lead_first")}
    }
    if rng.random() < 0.5:
        fields["deadlines"] = {kind: at("08:45") for kind in rng.sample(("arrive_by", "start_by", "restore_by"), 2)}
    if rng.random() < 0.5:
        fields["time_windows"] = [window("08:20", "08:40"), window("09:00", "10:00")]
    if rng.random() < 0.3:
        fields["collective_skills"] = [skill("electrics", 2)]
    if rng.random() < 0.3:
        fields["preferred_engineers"] = ["E0"]
    weights = rng.choice(({}, {"repeat_visit": 1}))
    return day(people, [team_order(*roles, **fields)], objective={"weights": weights})


def compositions(problem: Problem) -> Iterator[Sequences]:
    """Every way to fill every place of the only order's team."""
    team = problem.work_orders[0].team
    assert team is not None
    places = [item for item in team.roles for _ in range(item.minimum)]
    for people in permutations([person.id for person in problem.engineers], len(places)):
        chosen = list(zip(people, places, strict=True))
        routes = [
            RouteSequence(name, "day", (Visit("T", item.name),)) for name, item in chosen if item.presence != "standby"
        ]
        standby = tuple(Member(name, item.name) for name, item in chosen if item.presence == "standby")
        yield Sequences(tuple(routes), {"T": standby} if standby else {})


def least_cost(problem: Problem, candidates: Sequence[Sequences]) -> int | None:
    found = [plan_of(problem, sequences)[1] for sequences in candidates]
    return min((cost_milli(evaluation) for evaluation in found if evaluation.feasible), default=None)


@given(seed=st.integers(0, 2**32))
def test_the_team_found_is_as_cheap_as_the_cheapest_of_all(seed: int) -> None:
    """It may be cheaper: the compositions tried here start as early as they can, which is not always best."""
    problem = read(random_team_day(Random(seed)))
    least = least_cost(problem, list(compositions(problem)))
    before = cost_milli(plan_of(problem, Sequences())[1])
    placement = TeamComposer(DayState(problem), problem.work_orders[0]).best()
    if placement is None:
        assert least is None
        return
    assert least is None or before + placement.delta <= least
    state = DayState(problem)
    state.commit(placement)
    after = plan_of(problem, state.sequences())[1]
    assert after.findings == ()
    assert cost_milli(after) == before + placement.delta
