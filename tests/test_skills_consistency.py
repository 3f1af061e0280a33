"""Relations between skills that cannot all be meant are found, and the path that shows it is named."""

from __future__ import annotations

import doctest
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skills.consistency
from api.documents import check_problem
from api.resource_kinds import KINDS
from skills import Relation, contradictions
from tests.small_days import Document, day, engineer, order, skill

SKILLS = "abcde"


def implies(source: str, target: str, loss: int = 0) -> Relation:
    return Relation("implies", source, target, loss)


def substitutes(source: str, target: str, loss: int = 0, factor: str = "1", penalty: int = 0) -> Relation:
    return Relation("substitutes", source, target, loss, Fraction(factor), Fraction(penalty))


def found(*relations: Relation) -> list[tuple[str, int, str]]:
    return [(item.code, item.position, "".join(item.skills)) for item in contradictions(relations)]


def test_the_example_of_the_documentation_holds() -> None:
    assert doctest.testmod(skills.consistency).failed == 0


def test_a_taxonomy_with_several_ways_down_is_no_contradiction() -> None:
    assert found(implies("a", "b", 1), implies("b", "c", 1), implies("a", "c", 2), implies("a", "d")) == []
    assert found(implies("a", "b", 1), implies("b", "c", 1), implies("a", "c", 1)) == []


def test_a_circle_of_skills_that_contain_one_another_is_named_all_the_way_round() -> None:
    circle = [implies("d", "a"), implies("a", "b", 1), implies("b", "c"), implies("c", "a", 1)]
    assert found(*circle) == [("SKILL_CYCLE", 1, "abca")]
    [item] = contradictions(circle)
    assert "a → b → c → a" in item.message
    assert "substitutes" in item.remedy


def test_of_a_circle_the_short_way_round_is_named_once() -> None:
    circle = [implies("a", "b"), implies("b", "c"), implies("c", "a"), implies("b", "a")]
    assert found(*circle) == [("SKILL_CYCLE", 0, "aba")]


def test_two_circles_are_two_findings() -> None:
    assert found(implies("a", "b"), implies("c", "d"), implies("b", "a"), implies("d", "c")) == [
        ("SKILL_CYCLE", 0, "aba"),
        ("SKILL_CYCLE", 1, "cdc"),
    ]


@pytest.mark.parametrize("relation", [implies("a", "a", 1), substitutes("a", "a", penalty=5)])
def test_a_skill_that_leads_to_itself_is_a_circle_of_one(relation: Relation) -> None:
    assert found(relation) == [("SKILL_CYCLE", 0, "aa")]
    assert "stands for itself" in contradictions([relation])[0].remedy


def test_skills_may_stand_in_for_one_another() -> None:
    assert found(substitutes("a", "b", penalty=5), substitutes("b", "a", penalty=5)) == []
    assert found(implies("a", "b", 1), substitutes("b", "a", penalty=5)) == []


def test_two_losses_for_the_same_step_cannot_both_be_meant() -> None:
    assert found(implies("a", "b", 1), implies("a", "b", 1)) == []
    assert found(implies("a", "b", 1), implies("a", "b", 2)) == [("SKILL_CONTRADICTION", 1, "ab")]
    assert found(implies("a", "b", 2), implies("a", "b", 1)) == [("SKILL_CONTRADICTION", 1, "ab")]


def test_a_step_that_loses_more_than_the_way_around_it_is_named_with_that_way() -> None:
    relations = [implies("a", "b"), implies("b", "c", 1), implies("c", "d", 1), implies("a", "d", 3)]
    assert found(*relations) == [("SKILL_CONTRADICTION", 3, "abcd")]
    [item] = contradictions(relations)
    assert item.message == "a → d loses 3 levels, but a → b → c → d only 2"


def test_a_price_on_what_is_implied_for_nothing_is_named_with_the_way_there() -> None:
    chain = [implies("a", "b", 1), implies("b", "c", 1)]
    assert found(*chain, substitutes("a", "c", 2, penalty=5)) == [("SKILL_CONTRADICTION", 2, "abc")]
    assert found(*chain, substitutes("a", "c", 3, factor="1.3")) == [("SKILL_CONTRADICTION", 2, "abc")]


def test_a_price_for_losing_less_or_for_working_faster_is_fair() -> None:
    chain = [implies("a", "b", 1), implies("b", "c", 1)]
    assert found(*chain, substitutes("a", "c", 1, penalty=5), substitutes("a", "b", 2, factor="0.8")) == []


@st.composite
def graphs(draw: st.DrawFn) -> list[Relation]:
    ends = st.sampled_from(SKILLS)
    losses = st.integers(0, 3)
    implications = st.builds(implies, ends, ends, losses)
    substitutions = st.builds(
        substitutes, ends, ends, losses, st.sampled_from(("1", "0.9", "1.3")), st.sampled_from((0, 600))
    )
    return draw(st.lists(st.one_of(implications, implications, substitutions), max_size=10))


def naive_losses(relations: Sequence[Relation]) -> dict[tuple[str, str], list[tuple[int, tuple[str, ...]]]]:
    """Every way of implications through different skills, by its ends, with what it loses."""
    ways: dict[tuple[str, str], list[tuple[int, tuple[str, ...]]]] = {}
    for length in range(2, len(SKILLS) + 1):
        for path in permutations(SKILLS, length):
            steps = [
                [r.level_loss for r in relations if (r.kind, r.source, r.target) == ("implies", one, other)]
                for one, other in pairwise(path)
            ]
            if all(steps):
                ways.setdefault((path[0], path[-1]), []).append((sum(map(min, steps)), path))
    return ways


@given(graphs())
def test_what_is_found_is_what_a_look_at_every_path_finds(relations: list[Relation]) -> None:
    ways = naive_losses(relations)
    on_circles = {(one, other) for one, other in ways if (other, one) in ways}
    loops = {position for position, r in enumerate(relations) if r.source == r.target}
    items = contradictions(relations)
    circles = [item for item in items if item.code == "SKILL_CYCLE"]
    assert {item.position for item in circles if len(item.skills) == 2} == loops
    assert bool(on_circles) == any(len(item.skills) > 2 for item in circles)
    for item in items:
        relation = relations[item.position]
        steps = list(pairwise(item.skills))
        assert all(step in ways or step[0] == step[1] for step in steps)
        assert item.skills[:1] == (relation.source,)
    if on_circles or any(relations[position].kind == "implies" for position in loops):
        assert len(items) == len(circles)
        return
    wrong = set()
    for position, r in enumerate(relations):
        shorter = [loss for loss, _ in ways.get((r.source, r.target), ())]
        if r.kind == "implies":
            others = [
                o.level_loss
                for o in relations[:position]
                if (o.kind, o.source, o.target) == (r.kind, r.source, r.target)
            ]
            same = [o for o in relations if (o.kind, o.source, o.target) == (r.kind, r.source, r.target)]
            around = [loss for loss, path in ways[r.source, r.target] if len(path) > 2]
            least = min(o.level_loss for o in same)
            first = next(p for p, o in enumerate(relations) if o in same and o.level_loss == least)
            if others and min(others) != r.level_loss:
                wrong.add(position)
            if position == first and around and min(around) < least:
                wrong.add(position)
        elif shorter and min(shorter) <= r.level_loss and (r.penalty > 0 or r.duration_factor > 1):
            wrong.add(position)
    assert {item.position for item in items} - loops == wrong


@given(graphs(), st.integers())
def test_whether_relations_contradict_one_another_does_not_depend_on_their_order(
    relations: list[Relation], seed: int
) -> None:
    mixed = list(relations)
    Random(seed).shuffle(mixed)
    assert bool(contradictions(mixed)) == bool(contradictions(relations))


# In documents


def with_relations(*relations: Document) -> Document:
    return day([engineer("E", skill("a"))], [order("W")], skill_graph={"relations": list(relations)})


def test_a_problem_with_a_circle_is_refused_with_the_path() -> None:
    document = with_relations(
        {"type": "implies", "from": "a", "to": "b", "level_loss": 1},
        {"type": "substitutes", "from": "c", "to": "b"},
        {"type": "implies", "from": "b", "to": "a"},
    )
    [issue] = check_problem(document)
    assert (issue.code, issue.path) == ("SKILL_CYCLE", "skill_graph.relations[0]")
    assert issue.params == {"skills": ["a", "b", "a"]}


def test_a_malformed_relation_does_not_hide_a_circle_of_the_others() -> None:
    document = with_relations(
        {"type": "implies", "from": "a", "to": "b", "penalty": 5},
        {"type": "implies", "from": "b", "to": 7},
        {"type": "implies", "from": "b", "to": "c", "level_loss": -1},
        {"type": "substitutes", "from": "b", "to": "b", "duration_factor": None, "penalty": 2.5},
    )
    found = {(issue.code, issue.path) for issue in check_problem(document)}
    assert ("SKILL_CYCLE", "skill_graph.relations[3]") in found
    assert ("IMPLIES_WITH_PRICE", "skill_graph.relations[0].penalty") in found
    assert len(found) == 4


def test_relations_that_are_stored_together_are_checked_together() -> None:
    one = {"id": "R1", "type": "implies", "from": "a", "to": "b"}
    kind = next(item for item in KINDS if item.kind == "skill_relation")
    assert list(kind.meant([one])) == []
    [(position, issue)] = kind.meant([one, {"id": "R2", "type": "implies", "from": "b", "to": "a"}])
    assert (position, issue.code) == (0, "SKILL_CYCLE")
