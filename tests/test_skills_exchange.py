"""Skill graphs go out as JSON and GraphML and come back exactly; what cannot be read is refused with every reason."""

from __future__ import annotations

import doctest
import json
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skills.exchange
from api.documents import check_problem
from dispatcher.errors import ISSUE_CODES
from skills import Relation, SkillGraph, contradictions
from skills.exchange import GraphRefused, graph_document, graphml, read_graph_document, read_graphml
from tests.small_days import day

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
KEYS = "".join(
    f'<key id="{name}" for="edge" attr.name="{name}" attr.type="{kind}"/>'
    for name, kind in (("type", "string"), ("level_loss", "int"), ("penalty", "double"), ("color", "string"))
)


def content(graph: SkillGraph) -> tuple[set[str], Counter[Relation]]:
    """Everything a graph says."""
    return set(graph.graph.nodes), Counter(data["relation"] for *_, data in graph.graph.edges(data=True))


def codes(refused: GraphRefused) -> set[tuple[str, str]]:
    assert {issue.code for issue in refused.issues} <= ISSUE_CODES.keys()
    assert all(issue.message and issue.remedy for issue in refused.issues)
    return {(issue.path, issue.code) for issue in refused.issues}


def refusal(document: object) -> set[tuple[str, str]]:
    with pytest.raises(GraphRefused) as caught:
        read_graph_document(document)
    return codes(caught.value)


def file_of(edges: str, nodes: str = '<node id="a"/><node id="b"/>', direction: str = "directed") -> bytes:
    graph = f'<graph edgedefault="{direction}">{nodes}{edges}</graph>'
    return f'<graphml xmlns="{NAMESPACE}">{KEYS}{graph}</graphml>'.encode()


def edge(source: str = "a", target: str = "b", name: str = "", **data: object) -> str:
    inside = "".join(f'<data key="{key}">{value}</data>' for key, value in data.items())
    return f'<edge source="{source}" target="{target}"{name and f" id={name!r}"}>{inside}</edge>'


def refused_file(given: bytes) -> GraphRefused:
    with pytest.raises(GraphRefused) as caught:
        read_graphml(given)
    return caught.value


# There and back

names = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n\r \"'<>&"), min_size=1, max_size=6
)
numbers = st.floats(0, 1e15, allow_nan=False).map(lambda value: Fraction(repr(value))) | st.integers(0, 9).map(Fraction)


@st.composite
def graphs(draw: st.DrawFn) -> SkillGraph:
    known = draw(st.lists(names, min_size=2, max_size=5, unique=True))
    ends = st.sampled_from(known)
    substitutions = st.builds(
        Relation, st.just("substitutes"), ends, ends, st.integers(0, 5), numbers.filter(lambda n: n > 0), numbers
    )
    implications = st.builds(Relation, st.just("implies"), ends, ends, st.integers(0, 5))
    relations: list[Relation] = []
    for relation in draw(st.lists(substitutions | implications, max_size=6)):
        # Loops that shorten the work have tests of their own.
        if not contradictions([*relations, relation]) and (relation.kind == "implies" or relation.penalty > 0):
            relations.append(relation)
    # The same relation twice is legal, and stays twice.
    return SkillGraph(known, relations + relations[:1])


@given(graphs())
def test_a_graph_comes_back_from_json_as_it_was(graph: SkillGraph) -> None:
    document = json.loads(json.dumps(graph_document(graph)))
    assert content(read_graph_document(document)) == content(graph)
    assert graph_document(read_graph_document(document)) == document


@given(graphs())
def test_a_graph_comes_back_from_graphml_as_it_was(graph: SkillGraph) -> None:
    read = read_graphml(graphml(graph))
    assert content(read.graph) == content(graph)
    assert read.left_out == ()
    assert graphml(read.graph) == graphml(graph)


@given(graphs())
def test_what_is_written_is_the_skill_graph_of_a_valid_problem(graph: SkillGraph) -> None:
    problem = day([], [], skill_graph=graph_document(graph))
    assert {issue.code for issue in check_problem(problem)} <= {"OUT_OF_RANGE"}


def test_the_example_of_the_documentation_holds() -> None:
    assert doctest.testmod(skills.exchange).failed == 0


def test_what_stands_for_nothing_is_left_out() -> None:
    graph = SkillGraph([], [Relation("substitutes", "b", "a", 0, Fraction("1.3")), Relation("implies", "a", "c", 2)])
    assert graph_document(graph) == {
        "skills": [{"id": "a"}, {"id": "b"}, {"id": "c"}],
        "relations": [
            {"type": "implies", "from": "a", "to": "c", "level_loss": 2},
            {"type": "substitutes", "from": "b", "to": "a", "duration_factor": 1.3},
        ],
    }
    assert graph_document(SkillGraph()) == {"skills": [], "relations": []}


def test_a_third_is_no_decimal_and_is_not_rounded_silently() -> None:
    graph = SkillGraph([], [Relation("substitutes", "b", "a", 0, Fraction(4, 3), Fraction(1, 3))])
    for write in (graph_document, graphml):
        with pytest.raises(GraphRefused) as caught:
            write(graph)
        assert codes(caught.value) == {
            ("relations[0].duration_factor", "OUT_OF_RANGE"),
            ("relations[0].penalty", "OUT_OF_RANGE"),
        }


def test_ids_that_xml_cannot_hold_are_refused_there_and_written_as_json() -> None:
    graph = SkillGraph(["a", "b\x01"])
    assert content(read_graph_document(graph_document(graph))) == content(graph)
    with pytest.raises(GraphRefused) as caught:
        graphml(graph)
    assert codes(caught.value) == {("skills[1].id", "INVALID_GRAPHML")}


# Reading JSON


@pytest.mark.parametrize("nothing", [{}, {"skills": None, "relations": None}, {"skills": [], "relations": []}])
def test_absent_null_and_empty_are_no_graph(nothing: dict[str, Any]) -> None:
    assert content(read_graph_document(nothing)) == (set(), Counter())


def test_without_a_list_of_skills_every_name_is_one() -> None:
    graph = read_graph_document({"relations": [{"type": "implies", "from": "a", "to": "b", "level_loss": None}]})
    assert content(graph) == ({"a", "b"}, Counter([Relation("implies", "a", "b")]))


def test_everything_wrong_with_a_document_is_said_at_once() -> None:
    assert refusal([]) == {("", "WRONG_TYPE")}
    assert refusal({"skills": 7, "relations": {}, "nodes": []}) == {
        ("nodes", "UNKNOWN_FIELD"),
        ("skills", "WRONG_TYPE"),
        ("relations", "WRONG_TYPE"),
    }
    good = {"type": "implies", "from": "a", "to": "b"}
    document = {
        "skills": [{"id": "a"}, 5, {"id": "b", "name": "B"}, {"id": "a"}, {"id": ""}, {"id": 3}],
        "relations": [
            None,
            {**good, "type": "contains"},
            {**good, "to": "c", "level_loss": 1.5},
            {**good, "penalty": 1, "duration_factor": 2},
            {"type": "substitutes", "from": "a", "penalty": -1, "duration_factor": 0},
            {**good, "type": "substitutes", "penalty": True, "duration_factor": float("nan"), "level_loss": 10**400},
            {**good, "level_loss": "1", "note": ""},
        ],
    }
    assert refusal(document) == {
        ("skills[1]", "WRONG_TYPE"),
        ("skills[2].name", "UNKNOWN_FIELD"),
        ("skills[3].id", "DUPLICATE_ID"),
        ("skills[4].id", "MISSING_FIELD"),
        ("skills[5].id", "WRONG_TYPE"),
        ("relations[0]", "WRONG_TYPE"),
        ("relations[1].type", "UNKNOWN_VALUE"),
        ("relations[2].to", "NOT_FOUND"),
        ("relations[2].level_loss", "OUT_OF_RANGE"),
        ("relations[3].penalty", "IMPLIES_WITH_PRICE"),
        ("relations[3].duration_factor", "IMPLIES_WITH_PRICE"),
        ("relations[4].to", "MISSING_FIELD"),
        ("relations[4].penalty", "OUT_OF_RANGE"),
        ("relations[4].duration_factor", "OUT_OF_RANGE"),
        ("relations[5].penalty", "WRONG_TYPE"),
        ("relations[5].duration_factor", "OUT_OF_RANGE"),
        ("relations[6].level_loss", "WRONG_TYPE"),
        ("relations[6].note", "UNKNOWN_FIELD"),
    }


def test_a_circle_is_refused_at_its_own_position_even_behind_what_is_malformed() -> None:
    relations = [None, {"type": "implies", "from": "a", "to": "b"}, {"type": "implies", "from": "b", "to": "a"}]
    assert refusal({"relations": relations}) == {("relations[0]", "WRONG_TYPE"), ("relations[1]", "SKILL_CYCLE")}


def test_substitutions_that_search_cannot_untangle_are_refused() -> None:
    relations = [
        {"type": "substitutes", "from": one, "to": other, "duration_factor": 0.9 + number / 1000}
        for number, (one, other) in enumerate((a, b) for a in "abcdefghij" for b in "abcdefghij" if a != b)
    ]
    assert refusal({"relations": relations}) == {("relations", "SKILL_GRAPH_TANGLED")}


# Reading GraphML


def test_files_of_other_tools_are_read_and_what_they_draw_with_is_told() -> None:
    read = read_graphml(file_of(edge(type="implies", level_loss=1, color="red") + edge("b", "a", type="substitutes")))
    assert content(read.graph)[1] == Counter([Relation("implies", "a", "b", 1), Relation("substitutes", "b", "a")])
    assert read.left_out == ("color",)


def test_values_that_a_file_gives_for_all_edges_count() -> None:
    common = '<key id="type" for="edge" attr.name="type" attr.type="string"><default>substitutes</default></key>'
    given = file_of(edge() + edge("b", "a", type="implies")).replace(KEYS.encode(), common.encode())
    assert content(read_graphml(given).graph)[1] == Counter(
        [Relation("substitutes", "a", "b"), Relation("implies", "b", "a")]
    )


def test_several_edges_between_two_nodes_are_several_relations() -> None:
    twice = [edge(name=name, type="substitutes", penalty=penalty) for name, penalty in (("x", 5), ("y", 7))]
    assert content(read_graphml(file_of("".join(twice))).graph)[1].total() == 2
    assert content(read_graphml(file_of(edge(type="implies") * 2)).graph)[1].total() == 2


def test_what_the_edges_say_is_checked_like_json() -> None:
    given = file_of(
        edge() + edge(type="contains") + edge(type="implies", level_loss=-1) + edge("a", "a", type="implies")
    )
    assert codes(refused_file(given)) == {
        ("relations[0].type", "MISSING_FIELD"),
        ("relations[1].type", "UNKNOWN_VALUE"),
        ("relations[2].level_loss", "OUT_OF_RANGE"),
        ("relations[3]", "SKILL_CYCLE"),
    }


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (b"", "no element"),
        (b"\xff\xfe\x00", "GraphML"),
        (b"not xml", "syntax"),
        (b"<svg/>", "GraphML"),
        (b"<graphml/>", "GraphML"),
        (file_of('<edge source="a" target="b"><data key="none">1</data></edge>'), "none"),
        (file_of(edge(type="implies", level_loss="one")), "one"),
        (file_of(edge(type="implies"), direction="undirected"), "direction"),
        (file_of(edge(type="implies", name="x") * 2), "same id"),
        (file_of("").replace(b"</graphml>", b'<graph edgedefault="directed"/></graphml>'), "2 graphs"),
        (file_of('<hyperedge><endpoint node="a"/></hyperedge>'), "hyperedge"),
    ],
)
def test_what_is_no_graph_of_skills_is_refused_in_one_answer(given: bytes, word: str) -> None:
    refused = refused_file(given)
    assert codes(refused) == {("", "INVALID_GRAPHML")}
    assert word in str(refused)


@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: file_of(f"<{text}>")))
def test_no_bytes_bring_the_reader_down(given: bytes) -> None:
    with pytest.raises(GraphRefused):
        read_graphml(given)
