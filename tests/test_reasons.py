"""Reasons are true: what the reference rules say when one tries by hand what a reason or a fix claims."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.evaluate import Evaluation
from dispatcher.plan import Plan, Rest, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.reasons import FIX_SECONDS, FIXES, REASONS, Explanation, Fix, Reason, duration_text
from solver.insertion import InsertionEngine
from solver.reasons import explain_unassigned
from tests.small_days import (
    Document,
    at,
    cost_milli,
    day,
    engineer,
    order,
    plan_of,
    read,
    rest,
    role,
    shift,
    skill,
    window,
    with_breaks,
)

PUMP = skill("pump", 3)


@dataclass(frozen=True)
class Case:
    """A day, the plan made with an iteration limit, and whose reason for which order is looked at."""

    document: Document
    engineer: str = "A"
    order: str = "W"
    iteration_limit: int | None = None


def planned(document: Document, iteration_limit: int | None = None) -> tuple[Problem, Sequences, Plan]:
    problem = read(document)
    result = InsertionEngine().solve(problem, SearchLimits(None, iteration_limit))
    plan, evaluation = plan_of(problem, result.sequences)
    assert evaluation.findings == ()
    return problem, result.sequences, plan


def explained(case: Case) -> Explanation:
    problem, _, plan = planned(case.document, case.iteration_limit)
    [found] = [item for item in explain_unassigned(problem, plan) if item.work_order == case.order]
    return found


def only(item: Document, *people: Document, **fields: Any) -> Document:
    """A day with one order, for A alone unless others are named."""
    return day(people or [engineer("A")], [item], **fields)


def team(*roles: Document, **fields: Any) -> Document:
    parts = {key: fields.pop(key) for key in ("arrival", "collective_skills") if key in fields}
    return order("W", "p30", level="L1", team={"roles": list(roles), **parts}, **fields)


def pinned(name: str, start: str, minutes: int = 60, **fields: Any) -> Document:
    return order(name, minutes=minutes, pin={"engineer": "A", "start": at(start)}, **fields)


TWO = (engineer("A"), engineer("B"))
NOON_BREAK = engineer("A", shifts=[shift(breaks=[rest("11:30", "12:00")])])
FULL_DAY = [order("V", "p10", 420, level="L1"), order("W", "p10")]

REASON_CASES: dict[str, Case] = {
    "NO_SHIFT": Case(only(order("W"), engineer("A", shifts=[]))),
    "NOT_ALLOWED": Case(only(order("W", excluded_engineers=["A"]))),
    "PINNED_ELSEWHERE": Case(
        only(order("W", pin={"engineer": "B"}, required_skills=[PUMP]), *TWO),
    ),
    "PREDECESSOR_UNASSIGNED": Case(
        day([engineer("A")], [order("V", required_skills=[PUMP]), order("W", depends_on=[{"work_order": "V"}])])
    ),
    "SKILL_MISSING": Case(only(order("W", required_skills=[PUMP]))),
    "SKILL_LEVEL": Case(only(order("W", required_skills=[PUMP]), engineer("A", skill("pump", 2)))),
    "SKILL_EXPIRED": Case(only(order("W", required_skills=[PUMP]), engineer("A", skill("pump", 3, "08:09")))),
    "PARTS": Case(only(order("W", parts={"seal": 3}), engineer("A", parts={"seal": 1}))),
    "COSTS_MORE": Case(only(order("W", "p120", value=14_000))),
    "NOT_REACHED": Case(only(order("W")), iteration_limit=0),
    "PARTS_TAKEN": Case(
        day(
            [engineer("A", parts={"seal": 2})],
            [order("V", level="L1", parts={"seal": 2}), order("W", parts={"seal": 1})],
        )
    ),
    "STANDBY": Case(
        day(
            [engineer("A", shifts=[shift(end="19:00")]), engineer("B")],
            [
                order("T", "p30", level="L1", team={"roles": [role("lead"), role("backup", presence="standby")]})
                | {"excluded_engineers": [], "pin": {"engineer": "B"}},
                order("W", "p300", 30, level="L2", allowed_engineers=["A"]),
            ],
        )
    ),
    "MAX_WORK_ORDERS": Case(
        day([engineer("A", shifts=[shift(max_work_orders=1)])], [order("V", level="L1"), order("W")])
    ),
    "DISPLACED": Case(day([engineer("A")], FULL_DAY)),
    "SHIFT": Case(only(order("W", minutes=500))),
    "TIME_WINDOW": Case(only(order("W", time_windows=[window("05:00", "08:09")]))),
    "PINNED_START": Case(only(pinned("W", "08:05"))),
    "DEPENDS_ON": Case(
        day([engineer("A")], [order("W", depends_on=[{"completed_at": at("07:00"), "max_gap_seconds": 4199}])])
    ),
    "BREAK": Case(only(order("W", "p30", 400), NOON_BREAK)),
    "FIXED_WORK": Case(day([engineer("A")], [pinned("V", "08:10", 400), order("W", "p10", 120)])),
    "NO_TIME": Case(only(order("W", minutes=500, time_windows=[window("05:00", "06:00")]))),
    "TEAM_INCOMPLETE": Case(only(team(role("lead"), role("support", PUMP)), *TWO)),
    "TEAM_STANDBY": Case(only(team(role("lead"), role("support"), role("backup", presence="standby")), *TWO)),
    "TEAM_SKILLS": Case(only(team(role("lead"), role("support"), collective_skills=[PUMP]), *TWO)),
    "TEAM_PARTS": Case(only(team(role("lead"), role("support"), parts={"seal": 1}), *TWO)),
    "TEAM_PIN": Case(
        only(
            team(role("lead"), role("support", PUMP), pin={"engineer": "C", "start": at("08:00")}),
            engineer("A"),
            engineer("B", PUMP),
            engineer("C"),
        ),
    ),
    "TEAM_NO_COMMON_START": Case(
        only(
            team(role("lead"), role("support")),
            engineer("A", shifts=[shift(end="11:00")]),
            engineer("B", shifts=[shift("11:00", "16:00")]),
        )
    ),
}

FIX_CASES: dict[str, Case] = {
    "OVERTIME": Case(day([engineer("A")], FULL_DAY)),
    "TIME_WINDOW": Case(only(order("W", time_windows=[window("05:00", "08:04")]))),
    "SKILL_LEVEL": REASON_CASES["SKILL_LEVEL"],
    "CERTIFICATE": REASON_CASES["SKILL_EXPIRED"],
    "PARTS": REASON_CASES["PARTS"],
    "ALLOW_ENGINEER": REASON_CASES["NOT_ALLOWED"],
    "MORE_ORDERS": REASON_CASES["MAX_WORK_ORDERS"],
    "RAISE_VALUE": REASON_CASES["COSTS_MORE"],
}


# -- every code has its case -------------------------------------------------------------------------------------


def test_every_reason_and_every_fix_has_a_case() -> None:
    # Only a running plan has what stays where it is: tests/test_live_candidates.py has its case.
    assert set(REASON_CASES) == set(REASONS) - {"FROZEN"}
    assert set(FIX_CASES) == set(FIXES)


@pytest.mark.parametrize("code", sorted(REASON_CASES))
def test_a_reason_is_given_where_it_is_the_one(code: str) -> None:
    case = REASON_CASES[code]
    found = explained(case)
    assert {reason.engineer: reason.code for reason in found.reasons}[case.engineer] == code


@pytest.mark.parametrize("code", sorted(FIX_CASES))
def test_a_fix_is_given_where_it_is_the_cheapest(code: str) -> None:
    fix = explained(FIX_CASES[code]).cheapest_fix
    assert fix is not None
    assert (fix.engineer, fix.code) == ("A", code)


# -- wording -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(REASON_CASES))
def test_a_reason_reads_as_a_sentence_with_names_and_units(code: str) -> None:
    case = REASON_CASES[code]
    [reason] = [item for item in explained(case).reasons if item.code == code and item.engineer == case.engineer]
    message = reason.message
    assert not re.search(r"[{}]|None|\d{2}T\d{2}|\d s\b", message), message
    for value in reason.params.values():
        if isinstance(value, str) and not value.startswith("2026"):
            assert value in message


@pytest.mark.parametrize("code", sorted(FIX_CASES))
def test_a_fix_reads_as_a_sentence_with_names_and_units(code: str) -> None:
    fix = explained(FIX_CASES[code]).cheapest_fix
    assert fix is not None
    assert fix.engineer in fix.message
    assert not re.search(r"[{}]|None|\d{2}T\d{2}|\d s\b", fix.message), fix.message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 min"), (1, "1 min"), (60, "1 min"), (61, "2 min"), (3600, "1 h"), (4320, "1 h 12 min"), (90_000, "25 h")],
)
def test_durations_are_said_in_hours_and_minutes(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SHIFT", "A would finish 40 min after the latest end of the shift, even on an empty day"),
        ("COSTS_MORE", "A could go, but that would cost 14,400, and leaving it undone costs 14,000"),
        ("PARTS", "A carries too few of seal: 3 needed, 1 in stock"),
        ("SKILL_LEVEL", "A reaches level 2 of pump, level 3 is needed"),
        ("STANDBY", "A stands by for T and would come too late there if called"),
        ("TEAM_INCOMPLETE", "A could come as lead, but the team lacks 1 more as support"),
        ("TEAM_SKILLS", "A could come as lead, but those who could come do not hold pump (level 3) between them"),
    ],
)
def test_what_a_dispatcher_reads_about_a_reason(code: str, message: str) -> None:
    assert message in [reason.message for reason in explained(REASON_CASES[code]).reasons]


def test_nobody_counts_for_two_roles_of_a_team() -> None:
    reasons = explained(Case(only(team(role("lead"), role("support"))))).reasons
    assert [(reason.engineer, reason.code) for reason in reasons] == [("A", "TEAM_INCOMPLETE")]
    assert reasons[0].message == "A could come as lead, but the team lacks 1 more as support"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("OVERTIME", "A could do it if the shift day ended 8 min later"),
        ("TIME_WINDOW", "A could do it 6 min outside its time windows, starting 2026-11-23 08:10"),
        ("SKILL_LEVEL", "A could do it with one level more of pump"),
        ("PARTS", "A could do it with 2 more of seal on board"),
        ("RAISE_VALUE", "A would do it if leaving it undone cost 401 more"),
    ],
)
def test_what_a_dispatcher_reads_about_a_fix(code: str, message: str) -> None:
    document = deepcopy(FIX_CASES[code].document)
    if code == "OVERTIME":
        document["work_orders"][1]["service_seconds"] = 60 * 48
    fix = explained(Case(document)).cheapest_fix
    assert fix is not None
    assert fix.message == message


# -- trying it by hand -------------------------------------------------------------------------------------------


def insertions(
    problem: Problem, sequences: Sequences, name: str, person: str, keep: Callable[[str], bool] = lambda other: True
) -> Iterator[Evaluation]:
    """What the plan with one order more would be, at every place of every shift, with every choice of breaks.

    `keep` says which of the person's other orders stay.
    """
    own = [route.visits for route in sequences.routes if route.engineer == person]
    gone = {v.work_order for visits in own for v in visits if isinstance(v, Visit) and not keep(v.work_order)}
    for one in problem.engineer_by_id[person].shifts:
        base: list[Visit] = []
        others = []
        for route in sequences.routes:
            visits = [visit for visit in route.visits if isinstance(visit, Rest) or visit.work_order not in gone]
            if (route.engineer, route.shift) == (person, one.id):
                base = [visit for visit in visits if isinstance(visit, Visit)]
            else:
                others.append(replace(route, visits=tuple(visits)))
        for place in range(len(base) + 1):
            for made in with_breaks([*base[:place], Visit(name), *base[place:]], len(one.breaks)):
                routes = (*others, RouteSequence(person, one.id, made))
                yield plan_of(problem, replace(sequences, routes=routes))[1]


def fits(problem: Problem, sequences: Sequences, name: str, person: str, **keep: Callable[[str], bool]) -> bool:
    return any(evaluation.feasible for evaluation in insertions(problem, sequences, name, person, **keep))


def with_fix(document: Document, name: str, fix: Fix, seconds: int = 0) -> Document:
    """The document with the one change a fix names; `seconds` more or less of what is measured in time."""
    changed = deepcopy(document)
    [item] = [one for one in changed["work_orders"] if one["id"] == name]
    [person] = [one for one in changed["engineers"] if one["id"] == fix.engineer]
    amount = fix.amount_seconds + seconds
    if fix.code == "OVERTIME":
        [one] = [one for one in person["shifts"] if one["id"] == fix.params["shift"]]
        latest = datetime.fromisoformat(one.get("latest_end") or one["end"])
        one["latest_end"] = (latest + timedelta(seconds=amount)).isoformat()
    elif fix.code == "TIME_WINDOW":
        item["time_windows"] = [{"start": fix.params["start"], "end": fix.params["start"]}]
    elif fix.code in ("SKILL_LEVEL", "CERTIFICATE"):
        person["skills"].append({"skill": fix.params["skill"], "level": fix.params["level"]})
    elif fix.code == "PARTS":
        stock = person.setdefault("parts", {})
        stock[fix.params["part"]] = stock.get(fix.params["part"], 0) + fix.params["missing"]
    elif fix.code == "ALLOW_ENGINEER":
        item["allowed_engineers"] = item["excluded_engineers"] = []
    elif fix.code == "MORE_ORDERS":
        for one in person["shifts"]:
            one["max_work_orders"] = (one.get("max_work_orders") or 1000) + 1
    return changed


def small_random_day(seed: int) -> Document:
    """A random day with most features, but without what couples routes: there an insertion holds what others wait for
    where it is, while trying by hand may move it.
    """
    rng = Random(seed)
    while True:
        document = random_problem(rng, orders=rng.randint(3, 6), engineers=rng.randint(1, 3))
        if sum(len(shift.get("breaks") or ()) for person in document["engineers"] for shift in person["shifts"]) <= 2:
            break
    for item in document["work_orders"]:
        item.pop("depends_on", None)
        item.pop("team", None)
    document.pop("current_plan", None)
    return document


STATIC_RULES = {
    "NOT_ALLOWED": "allowed_engineers",
    "PINNED_ELSEWHERE": "pin",
    "SKILL_MISSING": "qualification",
    "SKILL_LEVEL": "qualification",
    "PARTS": "parts",
}
"""Reasons that hold whatever else is planned, and the rule that every insertion would break."""


def fixed(problem: Problem) -> Callable[[str], bool]:
    """Which orders no engine may move: teams and pinned ones."""
    return lambda name: problem.order_by_id[name].team is not None or problem.order_by_id[name].pin is not None


def running(problem: Problem) -> Callable[[str], bool]:
    """Which orders are there even on an empty day."""
    return lambda name: problem.is_running(problem.order_by_id[name])


def assert_true(document: Document, problem: Problem, sequences: Sequences, name: str, reason: Reason) -> None:
    """What a reason says about an order without a team holds by the reference rules."""
    person = reason.engineer
    if reason.code == "NO_SHIFT":
        assert not problem.engineer_by_id[person].shifts
        return
    if reason.code in STATIC_RULES:
        for evaluation in insertions(problem, sequences, name, person):
            assert STATIC_RULES[reason.code] in {finding.rule for finding in evaluation.findings}
        return
    if reason.code == "PARTS_TAKEN":
        broken = [{finding.rule for finding in e.findings} for e in insertions(problem, sequences, name, person)]
        assert {"parts"} in broken
        assert set() not in broken
        return
    feasible = [evaluation for evaluation in insertions(problem, sequences, name, person) if evaluation.feasible]
    if reason.code == "NOT_REACHED":
        assert min(map(cost_milli, feasible)) < cost_milli(plan_of(problem, sequences)[1])
        return
    if reason.code == "COSTS_MORE":
        added = min(map(cost_milli, feasible)) - cost_milli(plan_of(problem, sequences)[1])
        assert added >= 0
        cost, value = int(str(reason.params["cost"])), int(str(reason.params["value"]))
        assert cost >= value
        # A route with traffic and breaks may be a little cheaper than what the insertion finds.
        assert added <= 1000 * (cost - value) + 1000
        if not (problem.travel.varies_with_time and any(s.breaks for s in problem.engineer_by_id[person].shifts)):
            assert added > 1000 * (cost - value) - 2000
        return
    assert feasible == []
    if reason.code == "MAX_WORK_ORDERS":
        more = read_problem(with_fix(document, name, Fix(person, "MORE_ORDERS", 900)), problem_travel)
        assert fits(more, sequences, name, person, keep=fixed(problem))
        return
    assert fits(problem, sequences, name, person, keep=fixed(problem)) == (reason.code == "DISPLACED")
    if reason.code not in ("DISPLACED", "STANDBY"):
        assert fits(problem, sequences, name, person, keep=running(problem)) == (reason.code == "FIXED_WORK")
    if reason.code == "SHIFT":
        overtime = int(str(reason.params["overtime_seconds"]))
        for seconds, expected in ((0, True), (-1, False)):
            answers = []
            for one in problem.engineer_by_id[person].shifts:
                fix = Fix(person, "OVERTIME", overtime, {"shift": one.id})
                changed = read_problem(with_fix(document, name, fix, seconds), problem_travel)
                answers.append(fits(changed, sequences, name, person, keep=running(problem)))
            assert any(answers) == expected
    if reason.code == "TIME_WINDOW":
        free = deepcopy(document)
        [item] = [one for one in free["work_orders"] if one["id"] == name]
        item["time_windows"] = []
        assert fits(read(free), sequences, name, person, keep=running(problem))


@pytest.mark.parametrize("seed", range(100))
def test_reasons_and_fixes_hold_when_tried_by_hand(seed: int) -> None:
    document = small_random_day(seed)
    problem, sequences, plan = planned(document)
    for explanation in explain_unassigned(problem, plan):
        name, fix = explanation.work_order, explanation.cheapest_fix
        assert [reason.engineer for reason in explanation.reasons] == [one.id for one in problem.engineers]
        if problem.order_by_id[name].team is not None:
            continue
        for reason in explanation.reasons:
            assert_true(document, problem, sequences, name, reason)
        if fix is None or fix.code == "RAISE_VALUE":
            continue
        assert fits(read_problem(with_fix(document, name, fix), problem_travel), sequences, name, fix.engineer)
        if fix.code == "OVERTIME":
            less = read_problem(with_fix(document, name, fix, -1), problem_travel)
            assert not fits(less, sequences, name, fix.engineer)


@pytest.mark.parametrize("code", sorted(set(REASON_CASES) - {code for code in REASON_CASES if code.startswith("TEAM")}))
def test_a_reason_of_the_table_holds_when_tried_by_hand(code: str) -> None:
    case = REASON_CASES[code]
    problem, sequences, plan = planned(case.document, case.iteration_limit)
    for explanation in explain_unassigned(problem, plan):
        if problem.order_by_id[explanation.work_order].depends_on:
            continue
        for reason in explanation.reasons:
            assert_true(case.document, problem, sequences, explanation.work_order, reason)


@pytest.mark.parametrize("seed", range(40))
def test_a_fix_for_a_team_makes_the_team_possible(seed: int) -> None:
    """On random days with teams: with the fix done, the engine has a way to serve the order."""
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(2, 6), engineers=rng.randint(2, 5))
    problem, _, plan = planned(document)
    for explanation in explain_unassigned(problem, plan):
        fix, item = explanation.cheapest_fix, problem.order_by_id[explanation.work_order]
        if item.team is None or fix is None or fix.code == "RAISE_VALUE":
            continue
        changed = read_problem(with_fix(document, item.id, fix), problem_travel)
        [found] = [one for one in explain_unassigned(changed, plan) if one.work_order == item.id]
        assert {"COSTS_MORE", "NOT_REACHED"} & {reason.code for reason in found.reasons}


def test_a_raised_value_is_enough_and_a_point_less_is_not() -> None:
    case = REASON_CASES["COSTS_MORE"]
    fix = explained(case).cheapest_fix
    assert fix is not None
    for less, served in ((0, True), (1, False)):
        document = deepcopy(case.document)
        document["work_orders"][0]["value"] += int(str(fix.params["missing"])) - less
        assert (planned(document)[2].unassigned == ()) == served


def test_every_engineer_has_one_reason_for_every_order() -> None:
    for seed in range(60):
        rng = Random(seed)
        document = random_problem(rng, orders=rng.randint(1, 10), engineers=rng.randint(0, 6))
        problem, _, plan = planned(document)
        found = explain_unassigned(problem, plan)
        assert tuple(explanation.work_order for explanation in found) == plan.unassigned
        for explanation in found:
            assert [reason.engineer for reason in explanation.reasons] == [one.id for one in problem.engineers]


def test_a_plan_that_serves_everything_needs_no_reasons() -> None:
    problem, _, plan = planned(only(order("W")))
    assert explain_unassigned(problem, plan) == ()


# -- which fix ---------------------------------------------------------------------------------------------------


def test_the_smallest_change_is_the_fix() -> None:
    """Ten minutes of overtime for A are less than forty for B."""
    people = [engineer("A", shifts=[shift(end="15:50")]), engineer("B", shifts=[shift(end="15:20")])]
    fix = explained(Case(day(people, [order("W", "p30", 420)]))).cheapest_fix
    assert fix is not None
    assert (fix.engineer, fix.amount_seconds) == ("A", 600)


def test_the_overtime_offered_is_that_of_the_shift_that_needs_least() -> None:
    shifts = [shift("06:00", "08:00", id="early"), shift("08:30", "12:00", id="late")]
    fix = explained(Case(only(order("W", "p10", 200), engineer("A", shifts=shifts)))).cheapest_fix
    assert fix is not None
    assert (fix.params["shift"], fix.amount_seconds) == ("late", 600)


def test_no_overtime_is_offered_into_the_next_shift_or_beyond_the_horizon() -> None:
    shifts = [shift("06:00", "08:00", id="early"), shift("08:10", "09:00", id="late", max_work_orders=0)]
    assert explained(Case(only(order("W", "p10", 120), engineer("A", shifts=shifts)))).cheapest_fix is None
    endless = only(order("W", "p10", 1200), engineer("A"))
    assert explained(Case(endless)).cheapest_fix is None


def test_one_fix_is_not_offered_where_two_things_are_missing() -> None:
    item = order("W", required_skills=[PUMP, skill("crane")])
    assert explained(Case(only(item, engineer("A", skill("pump", 2))))).cheapest_fix is None
    parts = order("W", parts={"seal": 1, "hose": 1})
    assert explained(Case(only(parts))).cheapest_fix is None


def test_a_missing_skill_or_two_levels_are_no_small_change() -> None:
    for held in ((), (skill("pump", 1),)):
        assert explained(Case(only(order("W", required_skills=[PUMP]), engineer("A", *held)))).cheapest_fix is None


def test_what_else_is_used_on_the_shift_counts_when_parts_are_missing() -> None:
    fix = explained(REASON_CASES["PARTS_TAKEN"]).cheapest_fix
    assert fix is not None
    assert (fix.code, fix.params) == ("PARTS", {"part": "seal", "missing": 1})


def test_a_member_who_is_all_a_team_lacks_can_be_its_fix() -> None:
    case = Case(only(team(role("lead"), role("support", PUMP)), engineer("A"), engineer("B", skill("pump", 2))))
    fix = explained(case).cheapest_fix
    assert fix is not None
    assert (fix.engineer, fix.code) == ("B", "SKILL_LEVEL")


def test_no_fix_is_offered_for_a_team_that_it_would_not_complete() -> None:
    """B would know enough with one level more, but is only there when A has gone."""
    people = [
        engineer("A", shifts=[shift(end="11:00")]),
        engineer("B", skill("pump", 2), shifts=[shift("11:00", "16:00")]),
    ]
    assert explained(Case(only(team(role("lead"), role("support", PUMP)), *people))).cheapest_fix is None


def test_fixes_without_a_time_are_ranked_by_convention() -> None:
    assert set(FIX_SECONDS) == set(FIXES) - {"OVERTIME", "TIME_WINDOW"}
