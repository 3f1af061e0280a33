"""Gaps: single points, shortages and trainings against naive answers, and who can do an order."""

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data.synthetic_random import random_problem
from data.travel import problem_travel
from dispatcher.coverage import Coverage, coverage
from dispatcher.demand import asks_of, open_orders, start_spans
from dispatcher.documents import read_problem
from dispatcher.problem import Problem
from dispatcher.skill_gaps import Gaps, gaps, shortages
from dispatcher.who import first_start, who_can_do, who_holds
from skills import HeldSkill, RequiredSkill, qualify
from tests.small_days import clock, day, engineer, order, read, role, seconds, shift, skill, window

PUMP = [skill("pump", 3)]
MORNING = window("08:00", "12:00")
seeds = st.integers(0, 2**32)


def random_day(seed: int) -> Problem:
    rng = Random(seed)
    return read_problem(random_problem(rng, orders=rng.randint(0, 8), engineers=rng.randint(0, 5)), problem_travel)


def gaps_of(problem: Problem) -> tuple[Coverage, Gaps]:
    found = coverage(problem)
    return found, gaps(problem, found)


def thin_cells(found: Coverage, *, single: bool) -> set[tuple[str, int, int]]:
    return {
        (row.skill, row.level, hour.start)
        for row in found.rows
        for hour, cell in zip(found.hours, row.cells, strict=True)
        if cell.needed and cell.on_shift == (1 if single else 0)
    }


def trained(problem: Problem, person: str, name: str, level: int) -> Problem:
    crew = tuple(
        replace(item, skills=(*item.skills, HeldSkill(name, level))) if item.id == person else item
        for item in problem.engineers
    )
    return replace(problem, engineers=crew)


# -- single points and trainings -----------------------------------------------------------------------------------


@given(seed=seeds)
def test_single_points_and_uncovered_hours_are_the_cells_of_the_coverage_each_once(seed: int) -> None:
    found, thin = gaps_of(random_day(seed))
    for points, single in ((thin.single_points, True), (thin.uncovered, False)):
        cells = [(point.skill, point.level, found.hours[hour].start) for point in points for hour in point.hours]
        assert len(cells) == len(set(cells))
        assert set(cells) == thin_cells(found, single=single)
        for point in points:
            assert list(point.hours) == list(range(point.hours[0], point.hours[-1] + 1))
    assert len(thin.cells) == found.single_points


@given(seed=seeds)
def test_the_gain_of_the_first_training_is_what_a_new_count_finds(seed: int) -> None:
    problem = random_day(seed)
    found, thin = gaps_of(problem)
    for training in thin.trainings[:1]:
        after = coverage(trained(problem, training.person, training.skill, training.to_level))
        still = thin_cells(after, single=True)
        ended = {thin.cells[place] for place in training.ends}
        before = {(name, level, found.hours[hour].start): (name, level, hour) for name, level, hour in thin.cells}
        assert {cell for start, cell in before.items() if start not in still} == ended
        assert training.left == found.single_points - len(ended)


def test_a_training_counts_only_hours_that_the_trained_works_too() -> None:
    crew = [engineer("A", skill("pump", 4)), engineer("B", skill("pump", 2), shifts=[shift("10:00", "16:00")])]
    found, thin = gaps_of(read(day(crew, [order("V", required_skills=PUMP, time_windows=[MORNING])])))
    [training] = thin.trainings
    assert (training.person, training.from_level, training.to_level) == ("B", 2, 3)
    assert [clock(found.hours[thin.cells[place][2]].start) for place in training.ends] == ["10:00", "11:00"]
    assert training.left == 2


def test_of_two_who_are_alone_in_turn_each_has_hours_of_their_own() -> None:
    crew = [
        engineer("A", skill("pump", 3), shifts=[shift(end="10:00")]),
        engineer("B", skill("pump", 3), shifts=[shift("10:00", "12:00")]),
    ]
    found, thin = gaps_of(read(day(crew, [order("V", required_skills=PUMP, time_windows=[MORNING])])))
    spans = [
        (point.engineers, [clock(found.hours[hour].start) for hour in point.hours]) for point in thin.single_points
    ]
    assert spans == [(("A",), ["08:00", "09:00"]), (("B",), ["10:00", "11:00"])]
    assert thin.trainings == ()  # each could only be the second one in hours of the other


# -- shortages -----------------------------------------------------------------------------------------------------


def naive_able(problem: Problem, name: str, required: tuple[RequiredSkill, ...]) -> set[str]:
    """Whoever is on shift and qualified at one of the instants at which anything may change."""
    work = problem.order_by_id[name]
    spans = start_spans(problem, work)
    able = set()
    for item in problem.engineers:
        instants = {shift.start for shift in item.shifts} | {span.start for span in spans}
        for at in instants:
            there = any(shift.start <= at < shift.end for shift in item.shifts)
            may = work.admits(item.id) and any(span.start <= at <= span.end for span in spans)
            if there and may and qualify(problem.skill_graph, item.skills, required, at).qualified:
                able.add(item.id)
    return able


@given(seed=seeds)
def test_shortages_are_the_orders_with_nobody_to_spare_and_name_all_who_could(seed: int) -> None:
    problem = random_day(seed)
    told = {(name, item.required): item for item in shortages(problem) for name in item.orders}
    asked = set()
    for work in open_orders(problem):
        counts: dict[tuple[RequiredSkill, ...], int] = {}
        for ask in asks_of(work) if start_spans(problem, work) else ():
            counts[ask.required] = counts.get(ask.required, 0) + ask.count
        for required, count in counts.items():
            able = naive_able(problem, work.id, required)
            if len(able) <= count:
                asked.add((work.id, required))
                item = told[work.id, required]
                assert (set(item.able), item.people, item.missing) == (able, count, count - len(able))
                assert {near.engineer for near in item.nearly}.isdisjoint(able)
    assert set(told) == asked


def test_a_shortage_names_who_lacks_a_level_and_whose_certificate_ran_out() -> None:
    crew = [
        engineer("A", skill("pump", 2)),
        engineer("B", skill("pump", 4, "07:00")),
        engineer("C", skill("pump", 1)),
        engineer("D", skill("pump", 2), shifts=[shift("13:00", "16:00")]),
        engineer("E", skill("pump", 2)),
    ]
    work = order("V", required_skills=PUMP, time_windows=[MORNING], excluded_engineers=["E"])
    [found] = shortages(read(day(crew, [work])))
    assert (found.orders, found.able, found.people, found.missing) == (("V",), (), 1, 1)
    assert [(near.engineer, near.reached, near.expired) for near in found.nearly] == [
        ("A", 2, None),
        ("B", None, "pump"),
    ]


def test_the_roles_of_a_team_that_ask_for_the_same_need_as_many_people_and_the_worst_comes_first() -> None:
    team = {"roles": [role("lead", *PUMP), role("support", *PUMP, min=2, max=2)]}
    crew = [engineer("A", *PUMP), engineer("B", *PUMP)]
    found = shortages(read(day(crew, [order("T", team=team), order("V", required_skills=[skill("weld")])])))
    assert [(item.orders, item.people, item.able, item.missing) for item in found] == [
        (("T",), 3, ("A", "B"), 1),
        (("V",), 1, (), 1),
    ]


def test_orders_with_enough_people_or_none_to_start_any_more_are_no_shortage() -> None:
    crew = [engineer("A", *PUMP), engineer("B", *PUMP)]
    past = order("P", required_skills=[skill("weld")], time_windows=[window("01:00", "02:00")])
    document = day(crew, [order("V", required_skills=PUMP), past], now="2026-11-23T07:00:00Z")
    assert shortages(read(document)) == ()


# -- who -----------------------------------------------------------------------------------------------------------


def asked_about(**fields: Any) -> tuple[Problem, Any]:
    crew = [
        engineer("Off", *PUMP, shifts=[shift("13:00", "16:00")]),
        engineer("Near", skill("pump", 2)),
        engineer("Able", skill("pump", 4)),
        engineer("Out", skill("pump", 5)),
        engineer("No"),
    ]
    problem = read(day(crew, [order("V", required_skills=PUMP, excluded_engineers=["Out"], **fields)]))
    return problem, problem.work_orders[0]


def test_who_can_do_an_order_lists_the_able_on_shift_first_and_those_not_admitted_last() -> None:
    problem, work = asked_about(time_windows=[MORNING])
    at = first_start(problem, work)
    assert clock(at) == "08:00"
    [(ask, found)] = who_can_do(problem, work, at)
    assert ask.role is None
    assert [(item.engineer.id, item.able, item.on_shift) for item in found] == [
        ("Able", True, True),
        ("Off", True, False),
        ("Near", False, True),
        ("No", False, True),
        ("Out", False, True),
    ]
    assert found[-1].standing.qualified


def test_a_question_is_about_the_first_moment_at_which_anybody_is_on_shift_and_else_about_now() -> None:
    problem, work = asked_about()
    assert (clock(first_start(problem, work)), clock(first_start(problem))) == ("08:00", "08:00")
    problem, work = asked_about(time_windows=[window("01:00", "02:00")])
    assert clock(first_start(problem, work)) == "01:00"
    late = replace(problem, now=seconds("17:00"))
    assert (first_start(late, work), first_start(late)) == (seconds("17:00"),) * 2


def test_who_holds_a_skill_asks_no_order() -> None:
    problem, _ = asked_about()
    found = who_holds(problem, [RequiredSkill("pump", 5)], seconds("14:00"))
    assert [item.engineer.id for item in found if item.able] == ["Out"]
