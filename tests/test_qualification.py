"""Qualification: the cheapest covering path, certificates to the second, true reasons, changes."""

from __future__ import annotations

import doctest
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skills.qualification
from skills import (
    Gap,
    HeldSkill,
    Qualification,
    Relation,
    RequiredSkill,
    SkillGraph,
    breakpoints,
    qualify,
)

Rank = tuple[Fraction, Fraction, int]

IN_THE_GRAPH = "abcde"
ANYWHERE = "abcdex"
CONCEPT_PAGE = Path(__file__).parent.parent / "docs" / "skills.md"


@st.composite
def relation_lists(draw: st.DrawFn) -> list[Relation]:
    penalties = draw(st.sampled_from([(0,), (0, 0, 100, 600)]))
    relations = []
    for _ in range(draw(st.integers(0, 12))):
        source, target = draw(st.sampled_from(IN_THE_GRAPH)), draw(st.sampled_from(IN_THE_GRAPH))
        loss = draw(st.sampled_from([0, 0, 1, 2, 5]))
        if draw(st.booleans()):
            relations.append(Relation("implies", source, target, loss))
        else:
            factor = Fraction(draw(st.sampled_from(["0.5", "0.9", "1", "1.3", "2"])))
            penalty = Fraction(draw(st.sampled_from(penalties)))
            relations.append(Relation("substitutes", source, target, loss, factor, penalty))
    return relations


held_lists = st.lists(
    st.builds(
        HeldSkill,
        st.sampled_from(ANYWHERE),
        st.integers(1, 5),
        st.one_of(st.none(), st.integers(0, 8)),
    ),
    max_size=5,
)
required_lists = st.lists(st.builds(RequiredSkill, st.sampled_from(ANYWHERE), st.integers(1, 5)), max_size=4)
INSTANTS = range(-1, 11)


def every_simple_path(
    relations: Sequence[Relation], skill: str, target: str, passed: tuple[str, ...] = ()
) -> Iterator[list[Relation]]:
    if skill == target:
        yield []
        return
    for relation in relations:
        if relation.source == skill and relation.target not in (*passed, skill):
            for rest in every_simple_path(relations, relation.target, target, (*passed, skill)):
                yield [relation, *rest]


def weigh(path: Sequence[Relation]) -> tuple[int, Rank]:
    """Level loss, and (penalty, factor, hops)."""
    loss, penalty, factor = 0, Fraction(0), Fraction(1)
    for relation in path:
        loss += relation.level_loss
        penalty += relation.penalty
        factor *= relation.duration_factor
    return loss, (penalty, factor, len(path))


def naive_requirement(
    relations: Sequence[Relation], held: Sequence[HeldSkill], required: RequiredSkill, at: int
) -> tuple[Rank | None, str | None, int | None, int | None]:
    """Tries every held skill on every simple path: best rank, or None and code, best level, expired until."""
    ranks, levels, expired = [], [], []
    for skill in held:
        for path in every_simple_path(relations, skill.skill, required.skill):
            loss, rank = weigh(path)
            level = skill.level - loss
            if skill.valid_until is not None and at > skill.valid_until:
                if level >= required.level:
                    expired.append(skill.valid_until)
            elif level >= 1:
                levels.append(level)
                if level >= required.level:
                    ranks.append(rank)
    if ranks:
        return min(ranks), None, None, None
    code = "SKILL_EXPIRED" if expired else "SKILL_LEVEL" if levels else "SKILL_MISSING"
    return None, code, max(levels, default=None), max(expired, default=None)


@given(relation_lists(), held_lists, required_lists, st.sampled_from(INSTANTS))
def test_qualification_agrees_with_trying_every_held_skill_and_every_simple_path(
    relations: list[Relation], held: list[HeldSkill], required: list[RequiredSkill], at: int
) -> None:
    answer = qualify(SkillGraph(IN_THE_GRAPH, relations), held, required, at)
    naive = [(need, *naive_requirement(relations, held, need, at)) for need in required]
    ranks = [rank for _, rank, *_ in naive if rank is not None]

    assert answer.qualified == (len(ranks) == len(required))
    assert answer.penalty == sum(rank[0] for rank in ranks)
    product = Fraction(1)
    for rank in ranks:
        product *= rank[1]
    assert answer.duration_factor == product
    assert [
        (match.required, (match.path.penalty, match.path.duration_factor, match.path.hops)) for match in answer.matches
    ] == [(need, rank) for need, rank, *_ in naive if rank is not None]
    assert [
        (gap.required, gap.code, gap.best_level, gap.expired.valid_until if gap.expired else None)
        for gap in answer.gaps
    ] == [(need, code, level, expired) for need, rank, code, level, expired in naive if rank is None]


@given(relation_lists(), held_lists, required_lists, st.sampled_from(INSTANTS))
def test_every_match_and_every_expired_certificate_really_suffices(
    relations: list[Relation], held: list[HeldSkill], required: list[RequiredSkill], at: int
) -> None:
    graph = SkillGraph(IN_THE_GRAPH, relations)
    answer = qualify(graph, held, required, at)
    for match in answer.matches:
        assert match.held in held
        assert match.held.valid_until is None or match.held.valid_until >= at
        assert match.held.level - match.path.level_loss >= match.required.level
        assert (match.path.skills[0], match.path.skills[-1]) == (match.held.skill, match.required.skill)
    for gap in answer.gaps:
        if gap.expired is not None:
            assert gap.expired.valid_until is not None
            assert qualify(graph, [gap.expired], [gap.required], gap.expired.valid_until).qualified


@given(relation_lists(), held_lists, required_lists)
def test_the_whole_answer_is_constant_between_breakpoints_and_changes_at_each(
    relations: list[Relation], held: list[HeldSkill], required: list[RequiredSkill]
) -> None:
    graph = SkillGraph(IN_THE_GRAPH, relations)
    points = breakpoints(graph, held, required)
    assert list(points) == sorted(set(points))
    assert set(points) <= {skill.valid_until for skill in held}
    changes = [at for at in INSTANTS if qualify(graph, held, required, at) != qualify(graph, held, required, at + 1)]
    assert list(points) == changes


def only_gap(answer: Qualification) -> Gap:
    [gap] = answer.gaps
    assert not answer.qualified
    return gap


CRANE = RequiredSkill("crane", 3)


@pytest.mark.parametrize(("at", "qualified"), [(999, True), (1_000, True), (1_001, False)])
def test_a_certificate_holds_up_to_and_including_its_last_second(at: int, qualified: bool) -> None:
    assert qualify(SkillGraph(), [HeldSkill("crane", 3, 1_000)], [CRANE], at).qualified is qualified


def test_a_skill_held_directly_costs_nothing() -> None:
    answer = qualify(SkillGraph(), [HeldSkill("crane", 5)], [CRANE], 0)
    assert (answer.qualified, answer.penalty, answer.duration_factor) == (True, Fraction(0), Fraction(1))
    assert answer.matches[0].path.hops == 0


def test_nothing_required_is_always_covered() -> None:
    assert qualify(SkillGraph(), [], [], 0) == Qualification(True, Fraction(0), Fraction(1), (), ())


def test_a_skill_not_reached_at_all_is_missing() -> None:
    gap = only_gap(qualify(SkillGraph(), [HeldSkill("welding", 5)], [CRANE], 0))
    assert (gap.code, gap.best_level, gap.expired) == ("SKILL_MISSING", None, None)


def test_a_level_too_low_is_reported_with_the_best_level_reached() -> None:
    graph = SkillGraph(relations=[Relation("implies", "rigging", "crane", 3)])
    gap = only_gap(qualify(graph, [HeldSkill("crane", 1), HeldSkill("rigging", 5)], [CRANE], 0))
    assert (gap.code, gap.best_level) == ("SKILL_LEVEL", 2)


def test_a_skill_of_which_no_level_is_left_is_missing_and_not_too_low() -> None:
    graph = SkillGraph(relations=[Relation("implies", "rigging", "crane", 3)])
    gap = only_gap(qualify(graph, [HeldSkill("rigging", 3)], [CRANE], 0))
    assert (gap.code, gap.best_level) == ("SKILL_MISSING", None)


def test_a_certificate_that_ran_out_is_the_reason_before_a_level_too_low() -> None:
    held = [HeldSkill("crane", 2), HeldSkill("crane", 4, 1_000)]
    gap = only_gap(qualify(SkillGraph(), held, [CRANE], 1_001))
    assert (gap.code, gap.best_level, gap.expired) == ("SKILL_EXPIRED", 2, held[1])


def test_a_certificate_that_ran_out_but_was_too_low_anyway_is_no_reason() -> None:
    held = [HeldSkill("crane", 2, 1_000)]
    assert qualify(SkillGraph(), held, [CRANE], 1_000).gaps[0].code == "SKILL_LEVEL"
    gap = only_gap(qualify(SkillGraph(), held, [CRANE], 1_001))
    assert (gap.code, gap.best_level, gap.expired) == ("SKILL_MISSING", None, None)


def test_of_several_expired_certificates_the_last_to_run_out_is_named() -> None:
    held = [HeldSkill("crane", 3, 500), HeldSkill("crane", 5, 900), HeldSkill("crane", 4, 700)]
    assert only_gap(qualify(SkillGraph(), held, [CRANE], 1_000)).expired == held[1]


def test_an_expired_certificate_counts_through_a_substitution_too() -> None:
    graph = SkillGraph(relations=[Relation("substitutes", "rigging", "crane", 1)])
    held = [HeldSkill("rigging", 4, 1_000)]
    assert only_gap(qualify(graph, held, [CRANE], 1_001)).expired == held[0]


PNEUMATICS_FOR_HYDRAULICS = Relation("substitutes", "pneumatics", "hydraulics", 1, Fraction("1.3"), Fraction(600))


def test_a_direct_certificate_that_ran_out_is_replaced_by_a_substitution_at_its_price() -> None:
    graph = SkillGraph(relations=[PNEUMATICS_FOR_HYDRAULICS])
    held = [HeldSkill("hydraulics", 2, 1_000), HeldSkill("pneumatics", 3)]
    required = [RequiredSkill("hydraulics", 2)]
    assert qualify(graph, held, required, 1_000).penalty == 0
    after = qualify(graph, held, required, 1_001)
    assert (after.qualified, after.penalty, after.duration_factor) == (True, Fraction(600), Fraction("1.3"))
    assert breakpoints(graph, held, required) == (1_000,)


def test_a_skill_required_by_order_and_role_counts_twice() -> None:
    graph = SkillGraph(relations=[PNEUMATICS_FOR_HYDRAULICS])
    twice = [RequiredSkill("hydraulics", 1), RequiredSkill("hydraulics", 2)]
    answer = qualify(graph, [HeldSkill("pneumatics", 3)], twice, 0)
    assert (answer.penalty, answer.duration_factor) == (Fraction(1_200), Fraction("1.69"))


def test_what_is_covered_is_still_told_where_something_else_is_missing() -> None:
    graph = SkillGraph(relations=[PNEUMATICS_FOR_HYDRAULICS])
    required = [CRANE, RequiredSkill("hydraulics", 2)]
    answer = qualify(graph, [HeldSkill("pneumatics", 3)], required, 0)
    assert [match.required.skill for match in answer.matches] == ["hydraulics"]
    assert [gap.required.skill for gap in answer.gaps] == ["crane"]
    assert (answer.qualified, answer.penalty) == (False, Fraction(600))


def test_a_free_and_faster_way_is_preferred_to_the_skill_itself() -> None:
    graph = SkillGraph(relations=[Relation("substitutes", "master", "crane", 0, Fraction("0.8"))])
    answer = qualify(graph, [HeldSkill("crane", 5), HeldSkill("master", 5)], [CRANE], 0)
    assert answer.matches[0].held.skill == "master"
    assert answer.duration_factor == Fraction("0.8")


def test_a_high_level_affords_the_cheaper_path_and_a_low_one_the_dearer() -> None:
    graph = SkillGraph(
        relations=[
            Relation("substitutes", "rigging", "crane", 0, Fraction(1), Fraction(600)),
            Relation("implies", "rigging", "crane", 2),
        ]
    )
    assert qualify(graph, [HeldSkill("rigging", 5)], [CRANE], 0).penalty == 0
    assert qualify(graph, [HeldSkill("rigging", 4)], [CRANE], 0).penalty == 600


def test_of_equal_certificates_the_one_valid_longest_is_used_so_that_answers_last() -> None:
    held = [HeldSkill("crane", 3, 500), HeldSkill("crane", 3), HeldSkill("crane", 5, 900)]
    assert qualify(SkillGraph(), held, [CRANE], 0).matches[0].held == held[1]
    assert breakpoints(SkillGraph(), held, [CRANE]) == ()
    assert breakpoints(SkillGraph(), held[::2], [CRANE]) == (900,)


@pytest.mark.parametrize("level", [0, 6])
def test_levels_outside_one_to_five_are_refused(level: int) -> None:
    with pytest.raises(ValueError, match=f"'crane': level {level}"):
        HeldSkill("crane", level)
    with pytest.raises(ValueError, match=f"'crane': level {level}"):
        RequiredSkill("crane", level)


def test_examples_in_docstrings_and_on_the_concept_page_run() -> None:
    module = doctest.testmod(skills.qualification)
    page = doctest.testfile(str(CONCEPT_PAGE), module_relative=False, encoding="utf-8")
    assert min(module.attempted, page.attempted) > 0
    assert (module.failed, page.failed) == (0, 0)
