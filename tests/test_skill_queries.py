"""Questions about people and skills against naive answers: until when, at which level, who is near, whom to train."""

import doctest
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skills.queries
import skills.training
from skills import HeldSkill, Relation, RequiredSkill, SkillGraph, qualify
from skills.queries import FOR_EVER, NEVER, held_until, reached_level, standings
from skills.training import SoleHolding, Training, best_trainings

SKILLS = "abcd"
PERSONS = ("Ada", "Ben", "Cy")
LAST = 4
"""Certificates end before this instant, or never."""

relations = st.builds(
    lambda source, target, loss, price: (
        Relation("implies", source, target, loss)
        if price == 0
        else Relation("substitutes", source, target, loss, Fraction(3, 2), Fraction(price))
    ),
    st.sampled_from(SKILLS),
    st.sampled_from(SKILLS),
    st.integers(0, 2),
    st.sampled_from((0, 0, 300)),
)
graphs = st.builds(lambda items: SkillGraph(SKILLS, items), st.lists(relations, max_size=6))
held_skills = st.builds(HeldSkill, st.sampled_from(SKILLS), st.integers(1, 5), st.none() | st.integers(0, LAST - 1))
required_skills = st.builds(RequiredSkill, st.sampled_from(SKILLS), st.integers(1, 5))
crews = st.fixed_dictionaries({person: st.lists(held_skills, max_size=4) for person in PERSONS})


def covers(graph: SkillGraph, held: Sequence[HeldSkill], skill: str, level: int, at: int) -> bool:
    return qualify(graph, held, [RequiredSkill(skill, level)], at).qualified


@pytest.mark.parametrize("module", [skills.queries, skills.training])
def test_the_examples_in_the_docstrings_are_true(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert (result.failed, result.attempted > 0) == (0, True)


# -- levels and instants -------------------------------------------------------------------------------------------


@given(graph=graphs, held=st.lists(held_skills, max_size=4), required=required_skills)
def test_a_skill_is_held_up_to_the_last_instant_at_which_it_qualifies(
    graph: SkillGraph, held: list[HeldSkill], required: RequiredSkill
) -> None:
    until = held_until(graph, held, required)
    assert until in (NEVER, FOR_EVER) or 0 <= until < LAST
    for at in range(LAST + 1):
        assert covers(graph, held, required.skill, required.level, at) == (at <= until)


@given(graph=graphs, held=st.lists(held_skills, max_size=4), skill=st.sampled_from(SKILLS), at=st.integers(0, LAST))
def test_the_level_reached_is_the_highest_that_qualifies(
    graph: SkillGraph, held: list[HeldSkill], skill: str, at: int
) -> None:
    found = reached_level(graph, held, skill, at)
    assert [level for level in range(1, 6) if covers(graph, held, skill, level, at)] == list(range(1, found + 1))


# -- who -----------------------------------------------------------------------------------------------------------


@given(graph=graphs, people=crews, required=st.lists(required_skills, max_size=3), at=st.integers(0, LAST))
def test_everybody_is_listed_once_the_qualified_first_and_cheapest_first(
    graph: SkillGraph, people: dict[str, list[HeldSkill]], required: list[RequiredSkill], at: int
) -> None:
    found = standings(graph, people, required, at)
    assert sorted(item.person for item in found) == sorted(PERSONS)
    for item in found:
        assert item.qualification == qualify(graph, people[item.person], required, at)
    assert [item.qualified for item in found] == sorted((item.qualified for item in found), reverse=True)
    prices = [
        (item.qualification.penalty, item.qualification.duration_factor, item.hops) for item in found if item.qualified
    ]
    assert prices == sorted(prices)
    steps = [item.one_step is not None for item in found if not item.qualified]
    assert steps == sorted(steps, reverse=True)


@given(graph=graphs, people=crews, required=st.lists(required_skills, max_size=3), at=st.integers(0, LAST))
def test_one_step_short_is_one_level_or_one_certificate_away(
    graph: SkillGraph, people: dict[str, list[HeldSkill]], required: list[RequiredSkill], at: int
) -> None:
    for item in standings(graph, people, required, at):
        held = people[item.person]
        renewed = [HeldSkill(skill.skill, skill.level) for skill in held]
        missing = [one for one in required if not covers(graph, held, one.skill, one.level, at)]
        near = [
            one
            for one in missing
            if covers(graph, renewed, one.skill, one.level, at)
            or (one.level > 1 and covers(graph, held, one.skill, one.level - 1, at))
        ]
        assert (item.one_step is not None) == (len(missing) == len(near) == 1)
        if item.one_step is not None:
            assert item.one_step.required == near[0]


def test_who_does_it_directly_comes_before_who_substitutes_and_the_less_able_before_the_expert() -> None:
    graph = SkillGraph(relations=[Relation("substitutes", "air", "oil", 0, Fraction("1.2"), Fraction(100))])
    people = {"Expert": [HeldSkill("oil", 5)], "Able": [HeldSkill("oil", 3)], "Sub": [HeldSkill("air", 5)], "No": []}
    found = standings(graph, people, [RequiredSkill("oil", 3)], at=0)
    assert [item.person for item in found] == ["Able", "Expert", "Sub", "No"]
    assert [item.spare_levels for item in found] == [0, 2, 2, 0]


# -- training ------------------------------------------------------------------------------------------------------

points_asked = st.lists(
    st.builds(SoleHolding, st.sampled_from(SKILLS), st.integers(1, 5), st.frozensets(st.sampled_from(PERSONS))),
    max_size=6,
)


def naive_trainings(
    graph: SkillGraph, people: dict[str, list[HeldSkill]], points: list[SoleHolding], most: int
) -> list[Training]:
    """Every person, every skill, every level, tried one after another on what is left."""
    held = {person: list(known) for person, known in people.items()}
    left = set(range(len(points)))
    found: list[Training] = []
    while len(found) < most:
        choices = []
        for person in PERSONS:
            for skill in SKILLS:
                before = max((n for n in range(1, 6) if covers(graph, held[person], skill, n, 0)), default=0)
                for level in range(1, 6):
                    learnt = [HeldSkill(skill, level)]
                    ended = {
                        place
                        for place in left
                        if person in points[place].present
                        and covers(graph, learnt, points[place].skill, points[place].level, 0)
                    }
                    if ended:
                        effort = max(1, level - before)
                        key = (-Fraction(len(ended), effort), -len(ended), person, skill, level)
                        choices.append((key, before, ended))
        if not choices:
            break
        (_, _, person, skill, level), before, ended = min(choices, key=lambda choice: choice[0])
        left -= ended
        held[person].append(HeldSkill(skill, level))
        found.append(Training(person, skill, before, level, tuple(sorted(ended)), len(left)))
    return found


@given(graph=graphs, people=crews, points=points_asked, most=st.integers(0, 4))
def test_each_training_is_the_one_that_ends_most_single_points_per_level(
    graph: SkillGraph, people: dict[str, list[HeldSkill]], points: list[SoleHolding], most: int
) -> None:
    assert list(best_trainings(graph, people, points, 0, most)) == naive_trainings(graph, people, points, most)


@given(graph=graphs, people=crews, points=points_asked)
def test_trainings_end_each_point_once_and_only_those_that_nobody_present_could_learn_are_left(
    graph: SkillGraph, people: dict[str, list[HeldSkill]], points: list[SoleHolding]
) -> None:
    found = best_trainings(graph, people, points, 0, most=len(points))
    ended = [place for item in found for place in item.ends]
    assert len(ended) == len(set(ended))
    assert {place for place, point in enumerate(points) if not point.present} == set(range(len(points))) - set(ended)
    assert [item.left for item in found] == [
        len(points) - sum(len(earlier.ends) for earlier in found[: number + 1]) for number in range(len(found))
    ]


def test_training_in_a_general_skill_counts_for_all_that_it_leads_to() -> None:
    graph = SkillGraph(
        relations=[Relation("implies", "oil", "pump", 1), Relation("implies", "oil", "cylinder")],
    )
    points = [SoleHolding("pump", 2, frozenset({"Ben"})), SoleHolding("cylinder", 3, frozenset({"Ben"}))]
    [training] = best_trainings(graph, {"Ben": [HeldSkill("oil", 2)]}, points, at=0, most=3)
    assert (training.skill, training.from_level, training.to_level, training.ends) == ("oil", 2, 3, (0, 1))
    assert training.effort == 1


def test_a_certificate_that_runs_out_meanwhile_is_renewed_at_the_effort_of_one_level() -> None:
    points = [SoleHolding("pump", 3, frozenset({"Ben"}))]
    [training] = best_trainings(SkillGraph(), {"Ben": [HeldSkill("pump", 4, valid_until=10)]}, points, at=5, most=3)
    assert (training.from_level, training.to_level, training.effort) == (4, 3, 1)
