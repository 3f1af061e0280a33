"""The skill graph: what a relation may be, and that the ways between skills are the best simple ones."""

from __future__ import annotations

import doctest
import math
from collections.abc import Iterable
from fractions import Fraction
from itertools import permutations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import skills.graph
from skills import Relation, SkillGraph, SkillPath

Rank = tuple[Fraction, Fraction, int]

SKILLS = "abcdef"


def substitutes(source: str, target: str, *, loss: int = 0, factor: str = "1", penalty: int = 0) -> Relation:
    return Relation("substitutes", source, target, loss, Fraction(factor), Fraction(penalty))


def implies(source: str, target: str, *, loss: int = 0) -> Relation:
    return Relation("implies", source, target, loss)


@st.composite
def relation_lists(draw: st.DrawFn) -> list[Relation]:
    """Small multigraphs with loops; half of them with free and faster substitutions only, the hard case."""
    penalties = draw(st.sampled_from([(0,), (0, 0, 100, 600)]))
    factors = draw(st.sampled_from([("1/2", "0.9", "1", "2"), ("1", "1.3", "2"), ("0.8", "1.25", "1")]))
    losses = draw(st.sampled_from([(0,), (0, 1), (0, 1, 2, 3, 4, 5)]))
    ends = st.sampled_from(SKILLS)
    substitutions = st.builds(
        substitutes,
        ends,
        ends,
        loss=st.sampled_from(losses),
        factor=st.sampled_from(factors),
        penalty=st.sampled_from(penalties),
    )
    implications = st.builds(implies, ends, ends, loss=st.sampled_from(losses))
    return draw(st.lists(st.one_of(substitutions, substitutions, implications), max_size=16))


def simple_paths(relations: Iterable[Relation], source: str, target: str) -> list[tuple[int, Rank]]:
    """Every simple path as (level loss, rank), found by networkx without any dominance."""
    if source == target:
        return [(0, (Fraction(0), Fraction(1), 0))]
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_nodes_from(SKILLS)
    for relation in relations:
        graph.add_edge(relation.source, relation.target, relation=relation)
    found = []
    for edges in nx.all_simple_edge_paths(graph, source, target):
        steps: list[Relation] = [graph.get_edge_data(*edge)["relation"] for edge in edges]
        rank = (
            sum((step.penalty for step in steps), Fraction(0)),
            math.prod((step.duration_factor for step in steps), start=Fraction(1)),
            len(steps),
        )
        found.append((sum(step.level_loss for step in steps), rank))
    return found


def rank_of(path: SkillPath) -> Rank:
    return path.penalty, path.duration_factor, path.hops


@given(relations=relation_lists(), target=st.sampled_from(SKILLS))
def test_for_every_affordable_loss_the_best_simple_path_is_found(relations: list[Relation], target: str) -> None:
    routes = SkillGraph(SKILLS, relations).routes("a", target)
    everything = simple_paths(relations, "a", target)
    for most_loss in range(5):
        expected = min((rank for loss, rank in everything if loss <= most_loss), default=None)
        within = [path for path in routes if path.level_loss <= most_loss]
        assert (rank_of(within[-1]) if within else None) == expected


@given(relations=relation_lists(), target=st.sampled_from(SKILLS))
def test_routes_lose_more_levels_only_for_a_better_way_and_are_real_simple_paths(
    relations: list[Relation], target: str
) -> None:
    routes = SkillGraph(SKILLS, relations).routes("a", target)
    everything = simple_paths(relations, "a", target)
    losses = [path.level_loss for path in routes]
    ranks = [rank_of(path) for path in routes]
    assert losses == sorted(set(losses))
    assert ranks == sorted(set(ranks), reverse=True)
    for path in routes:
        assert (path.level_loss, rank_of(path)) in everything
        assert (path.skills[0], path.skills[-1]) == ("a", target)
        assert len(set(path.skills)) == len(path.skills) == path.hops + 1


@given(data=st.data(), relations=relation_lists())
def test_the_order_in_which_relations_are_listed_does_not_matter(
    data: st.DataObject, relations: list[Relation]
) -> None:
    shuffled = data.draw(st.permutations(relations))
    graph, other = SkillGraph(SKILLS, relations), SkillGraph(SKILLS, shuffled)
    for target in SKILLS:
        assert graph.routes("a", target) == other.routes("a", target)


def test_a_skill_reaches_itself_in_no_hops_and_at_no_price() -> None:
    itself = SkillPath(("crane",), 0, Fraction(0), Fraction(1), 0)
    assert SkillGraph(["crane"]).routes("crane", "crane") == (itself,)


def test_a_skill_unknown_to_the_graph_is_reached_from_itself_only() -> None:
    graph = SkillGraph(["crane"], [implies("crane", "hoist")])
    assert [path.skills for path in graph.routes("forklift", "forklift")] == [("forklift",)]
    assert graph.routes("forklift", "hoist") == ()
    assert graph.routes("crane", "forklift") == ()


def test_relations_run_one_way() -> None:
    graph = SkillGraph(relations=[implies("hydraulics", "hydraulics.pump")])
    assert len(graph.routes("hydraulics", "hydraulics.pump")) == 1
    assert graph.routes("hydraulics.pump", "hydraulics") == ()


def test_of_several_relations_between_two_skills_each_counts_where_it_is_best() -> None:
    graph = SkillGraph(
        relations=[
            substitutes("a", "b", loss=0, penalty=900),
            substitutes("a", "b", loss=1, factor="1.5"),
            implies("a", "b", loss=2),
        ]
    )
    assert graph.routes("a", "b") == (
        SkillPath(("a", "b"), 0, Fraction(900), Fraction(1), 1),
        SkillPath(("a", "b"), 1, Fraction(0), Fraction("1.5"), 1),
        SkillPath(("a", "b"), 2, Fraction(0), Fraction(1), 1),
    )
    assert len(graph.graph.edges) == 3


def test_a_penalty_weighs_more_than_any_factor_and_a_factor_more_than_hops() -> None:
    dear_but_fast = substitutes("a", "d", factor="0.1", penalty=1)
    slow = substitutes("a", "d", factor="2")
    detour = [substitutes("a", "b", factor="1.2"), substitutes("b", "c", factor="1.2"), implies("c", "d")]
    [path] = SkillGraph(relations=[dear_but_fast, slow, *detour]).routes("a", "d")
    assert path.skills == ("a", "b", "c", "d")
    assert path.duration_factor == Fraction("1.44")


def test_factors_are_exact_products_of_the_decimals_as_written() -> None:
    chain = [substitutes("a", "b", factor="1.1"), substitutes("b", "c", factor="1.1")]
    [path] = SkillGraph(relations=chain).routes("a", "c")
    assert path.duration_factor == Fraction("1.21")


@pytest.mark.parametrize(("loss", "routes"), [(4, 1), (5, 0)])
def test_only_losses_up_to_four_levels_can_be_of_use(loss: int, routes: int) -> None:
    assert len(SkillGraph(relations=[implies("a", "b", loss=loss)]).routes("a", "b")) == routes


def test_losses_add_up_along_a_path() -> None:
    graph = SkillGraph(relations=[implies("a", "b", loss=3), implies("b", "c", loss=1), implies("c", "d", loss=1)])
    assert [path.level_loss for path in graph.routes("a", "c")] == [4]
    assert graph.routes("a", "d") == ()


def test_a_loop_that_shortens_the_work_is_not_gone_round_twice() -> None:
    graph = SkillGraph(relations=[substitutes("a", "b", factor="0.5"), substitutes("b", "a", factor="0.5")])
    assert [path.duration_factor for path in graph.routes("a", "a")] == [1]
    assert [path.duration_factor for path in graph.routes("a", "b")] == [Fraction("0.5")]


def test_a_faster_way_to_a_skill_does_not_hide_a_slower_one_that_still_may_pass_the_rest_of_the_loop() -> None:
    graph = SkillGraph(
        relations=[
            substitutes("start", "a", factor="0.9"),
            substitutes("start", "b"),
            substitutes("a", "b", factor="0.5"),
            substitutes("b", "a", factor="0.5"),
            implies("b", "goal"),
        ]
    )
    [to_a] = graph.routes("start", "a")
    assert to_a.skills == ("start", "b", "a")
    [to_goal] = graph.routes("start", "goal")
    assert to_goal.skills == ("start", "a", "b", "goal")
    assert to_goal.duration_factor == Fraction("0.45")


@pytest.mark.parametrize(
    ("factor", "penalty"),
    [("1", 0), ("1.3", 0), ("0.5", 1)],
    ids=["synonyms", "slower", "faster at a penalty"],
)
def test_thirty_skills_that_all_stand_in_for_one_another_are_answered(factor: str, penalty: int) -> None:
    names = [f"s{number}" for number in range(30)]
    graph = SkillGraph(
        names,
        [substitutes(a, b, factor=factor, penalty=penalty) for a, b in permutations(names, 2)],
    )
    assert graph.routes("s0", "s1") == (SkillPath(("s0", "s1"), 0, Fraction(penalty), Fraction(factor), 1),)


def test_free_faster_loops_too_dense_to_search_are_refused_at_once_with_their_skills_and_a_remedy() -> None:
    names = [f"s{number}" for number in range(12)]
    relations = [substitutes(a, b, factor="0.9") for a, b in permutations(names, 2)]
    with pytest.raises(ValueError, match=r"skills s0, s1, s10.*give the relations a penalty"):
        SkillGraph(names, relations)


@pytest.mark.parametrize(
    "useless",
    [substitutes("s0", "s1", factor="0.1", loss=5), substitutes("s0", "s0", factor="0.1")],
    ids=["loses every level", "leads nowhere"],
)
def test_a_relation_that_can_be_on_no_path_does_not_make_a_dense_graph_hopeless(useless: Relation) -> None:
    names = [f"s{number}" for number in range(14)]
    graph = SkillGraph(
        names,
        [
            useless,
            *(
                substitutes(names[i], names[j], factor=f"{100 + ((j - i) % 14) ** 2}/100")
                for i, j in permutations(range(14), 2)
            ),
        ],
    )
    assert graph.routes("s0", "s13")[-1].duration_factor == Fraction("1.01") ** 13


def test_a_long_ring_of_free_faster_substitutions_is_legal() -> None:
    names = [f"s{number}" for number in range(40)]
    ring = [substitutes(a, b, factor="0.9") for a, b in zip(names, [*names[1:], names[0]], strict=True)]
    [path] = SkillGraph(names, ring).routes("s1", "s0")
    assert path.duration_factor == Fraction("0.9") ** 39


def test_the_networkx_graph_shows_every_skill_and_relation_and_cannot_be_changed() -> None:
    relation = substitutes("a", "b", loss=5)
    graph = SkillGraph(["lonely"], [relation, implies("b", "b")]).graph
    assert set(graph.nodes) == {"lonely", "a", "b"}
    assert graph.edges["a", "b", 0]["relation"] is relation
    assert graph.has_edge("b", "b")
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        graph.add_edge("b", "a")


@pytest.mark.parametrize(
    ("relation", "complaint"),
    [
        ({"kind": "implies", "duration_factor": Fraction("1.1")}, "implies carries neither"),
        ({"kind": "implies", "penalty": Fraction(1)}, "implies carries neither"),
        ({"kind": "substitutes", "level_loss": -1}, "level_loss -1"),
        ({"kind": "substitutes", "duration_factor": Fraction(0)}, "duration_factor 0"),
        ({"kind": "substitutes", "penalty": Fraction(-1)}, "penalty -1"),
        ({"kind": "replaces"}, "kind must be"),
    ],
)
def test_a_relation_that_makes_no_sense_is_refused_by_name(relation: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"'a' -> 'b': .*{complaint}"):
        Relation(source="a", target="b", **relation)  # type: ignore[arg-type]


def test_an_implies_may_spell_out_that_it_changes_nothing() -> None:
    assert Relation("implies", "a", "b", 0, Fraction(1), Fraction(0)) == implies("a", "b")


def test_examples_in_docstrings_run() -> None:
    results = doctest.testmod(skills.graph)
    assert results.attempted > 0
    assert results.failed == 0
