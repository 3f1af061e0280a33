"""Skill graphs as files: the `skill_graph` object of a planning document, and GraphML for drawing tools.

Both say exactly the same. What is written has one form: skills and relations sorted, neutral values left out. In
GraphML a skill is a node, a relation a directed edge with the attributes `type`, `level_loss`, `duration_factor` and
`penalty`.

Reference:
    Brandes, U., et al. (2013). Graph Markup Language (GraphML). In: Handbook of Graph Drawing and Visualization,
        517-541.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from math import isfinite
from typing import Any
from xml.etree import ElementTree

import networkx as nx

from skills.consistency import contradictions
from skills.graph import Relation, RelationKind, SkillGraph

_NEUTRAL: Mapping[str, int] = {"level_loss": 0, "duration_factor": 1, "penalty": 0}
_KINDS: Mapping[str, RelationKind] = {"implies": "implies", "substitutes": "substitutes"}
_RELATION = ("type", "from", "to", *_NEUTRAL)
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class GraphIssue:
    """One thing wrong with a skill graph: where (`relations[3].level_loss`), a code, what was found, what to do."""

    path: str
    code: str
    message: str
    remedy: str


class GraphRefused(ValueError):  # noqa: N818  named for what it says
    """A skill graph cannot be read or written; `issues` holds everything that is in the way."""

    issues: tuple[GraphIssue, ...]

    def __init__(self, issues: Iterable[GraphIssue]) -> None:
        self.issues = tuple(issues)
        super().__init__("\n".join(f"{i.path or 'graph'}: {i.message} ({i.code}). {i.remedy}" for i in self.issues))


@dataclass(frozen=True, slots=True)
class ReadGraphMl:
    """A graph, and the names of attributes in the file that say nothing about skills and were left out."""

    graph: SkillGraph
    left_out: tuple[str, ...]


def graph_document(graph: SkillGraph) -> dict[str, list[dict[str, Any]]]:
    """The `skill_graph` object of a planning document.

    Raises:
        GraphRefused: for a factor or a penalty that no decimal number says exactly, like a third.

    Example:
        >>> graph_document(SkillGraph(["pump"], [Relation("implies", "hydraulics", "pump", 1)]))
        {'skills': [{'id': 'hydraulics'}, {'id': 'pump'}], 'relations': [{'type': 'implies', 'from': 'hydraulics', \
'to': 'pump', 'level_loss': 1}]}
    """
    issues: list[GraphIssue] = []
    relations = []
    for position, relation in enumerate(_sorted_relations(graph)):
        item: dict[str, Any] = {"type": relation.kind, "from": relation.source, "to": relation.target}
        for name, neutral in _NEUTRAL.items():
            value = Fraction(getattr(relation, name))
            written = value.numerator if value.denominator == 1 else float(value)
            if Fraction(Decimal(repr(written))) != value:
                message = f"{value} is no decimal number of at most 17 digits"
                issues.append(
                    GraphIssue(f"relations[{position}].{name}", "OUT_OF_RANGE", message, "Round it to a decimal.")
                )
            if value != neutral:
                item[name] = written
        relations.append(item)
    if issues:
        raise GraphRefused(issues)
    return {"skills": [{"id": skill} for skill in sorted(graph.graph.nodes)], "relations": relations}


def read_graph_document(document: object) -> SkillGraph:
    """The graph of a `skill_graph` object; absent, null and empty mean the same.

    Raises:
        GraphRefused: with everything that is wrong: shape, values, unknown skills, circles and contradictions.
    """
    issues: list[GraphIssue] = []
    if not isinstance(document, Mapping):
        raise GraphRefused([_wrong_type("", "an object", document)])
    _unknown_fields("", document, ("skills", "relations"), issues)
    skills: dict[str, None] = {}
    for path, item in _objects(document, "skills", issues):
        _unknown_fields(path, item, ("id",), issues)
        skill = _text(path, item, "id", issues)
        if skill in skills:
            message = f'skill "{skill}" is there twice'
            issues.append(GraphIssue(f"{path}.id", "DUPLICATE_ID", message, "Remove one of them."))
        elif skill is not None:
            skills[skill] = None
    relations: list[Relation] = []
    paths: list[str] = []
    for path, item in _objects(document, "relations", issues):
        relation = _read_relation(path, item, skills, issues)
        if relation is not None:
            relations.append(relation)
            paths.append(path)
    for found in contradictions(relations):
        issues.append(GraphIssue(paths[found.position], found.code, found.message, found.remedy))
    if issues:
        raise GraphRefused(issues)
    try:
        return SkillGraph(skills, relations)
    except ValueError as error:
        remedy = "Give the substitutions a penalty, or a duration_factor of 1 or more."
        raise GraphRefused([GraphIssue("relations", "SKILL_GRAPH_TANGLED", str(error), remedy)]) from error


def graphml(graph: SkillGraph) -> bytes:
    """The graph as a GraphML file in UTF-8.

    Raises:
        GraphRefused: as `graph_document`, and for ids with characters that XML does not have.
    """
    document = graph_document(graph)
    issues = []
    drawing: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for position, skill in enumerate(document["skills"]):
        if _NOT_IN_XML.search(skill["id"]):
            message = f"{skill['id']!r} has a character that XML does not have"
            issues.append(GraphIssue(f"skills[{position}].id", "INVALID_GRAPHML", message, "Rename it, or use JSON."))
        drawing.add_node(skill["id"])
    if issues:
        raise GraphRefused(issues)
    for position, relation in enumerate(document["relations"]):
        values = {name: float(relation[name]) for name in ("duration_factor", "penalty") if name in relation}
        level_loss = relation.get("level_loss", 0)
        drawing.add_edge(
            relation["from"], relation["to"], f"r{position}", type=relation["type"], level_loss=level_loss, **values
        )
    buffer = BytesIO()
    nx.write_graphml_xml(drawing, buffer)
    return buffer.getvalue()


def read_graphml(content: bytes) -> ReadGraphMl:
    """The graph of a GraphML file, whatever tool it comes from.

    Raises:
        GraphRefused: with everything that is wrong; paths count the edges as `relations` in the order of the file.
    """
    try:
        tree = ElementTree.fromstring(content)
        drawing = nx.read_graphml(BytesIO(content), force_multigraph=True)
    except (ElementTree.ParseError, nx.NetworkXException, ValueError, LookupError, TypeError) as error:
        raise _no_graphml(f"this is no GraphML: {error or 'no graph in it'}") from error
    tags = Counter(str(element.tag).rpartition("}")[2] for element in tree.iter())
    if tags["graph"] != 1:
        raise _no_graphml(f"it holds {tags['graph']} graphs")
    if tags["edge"] != drawing.number_of_edges():
        raise _no_graphml("edges between the same nodes have the same id")
    if tags["edge"] and not drawing.is_directed():
        raise _no_graphml("its edges have no direction")
    common = drawing.graph.get("edge_default", {})
    edges = [(source, target, common | data) for source, target, data in drawing.edges(data=True)]
    relations = [
        {"from": source, "to": target} | {name: data[name] for name in ("type", *_NEUTRAL) if name in data}
        for source, target, data in edges
    ]
    graph = read_graph_document({"skills": [{"id": node} for node in drawing.nodes], "relations": relations})
    of_nodes = {name for _, data in drawing.nodes(data=True) for name in data}
    of_edges = {name for *_, data in edges for name in data} - {"type", "id", *_NEUTRAL}
    return ReadGraphMl(graph, tuple(sorted(of_nodes | of_edges)))


def _no_graphml(message: str) -> GraphRefused:
    remedy = "Give one directed graph in GraphML, with an attribute `type` on every edge."
    return GraphRefused([GraphIssue("", "INVALID_GRAPHML", message, remedy)])


def _sorted_relations(graph: SkillGraph) -> list[Relation]:
    found: list[Relation] = [data["relation"] for *_, data in graph.graph.edges(data=True)]
    return sorted(found, key=lambda r: (r.source, r.target, r.kind, r.level_loss, r.duration_factor, r.penalty))


def _objects(
    document: Mapping[str, Any], name: str, issues: list[GraphIssue]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The items of a list with their paths; whatever is no object stands for an empty one."""
    given = document.get(name)
    if given is not None and not isinstance(given, list):
        issues.append(_wrong_type(name, "a list", given))
        return
    for position, item in enumerate(given or ()):
        path = f"{name}[{position}]"
        if isinstance(item, Mapping):
            yield path, item
        else:
            issues.append(_wrong_type(path, "an object", item))


def _read_relation(
    path: str, item: Mapping[str, Any], skills: Collection[str], issues: list[GraphIssue]
) -> Relation | None:
    before = len(issues)
    _unknown_fields(path, item, _RELATION, issues)
    written = _text(path, item, "type", issues)
    kind = _KINDS.get(written or "")
    if written is not None and kind is None:
        message = f'"{written}" is neither `implies` nor `substitutes`'
        issues.append(GraphIssue(f"{path}.type", "UNKNOWN_VALUE", message, "Use one of the two."))
    source, target = (_text(path, item, end, issues) for end in ("from", "to"))
    for name, end in (("from", source), ("to", target)):
        if skills and end is not None and end not in skills:
            message = f'"{end}" is not in `skills`'
            issues.append(GraphIssue(f"{path}.{name}", "NOT_FOUND", message, "Add it there, or use one of those."))
    level_loss = _number(path, item, "level_loss", issues, lambda value: value >= 0 and value.denominator == 1)
    factor = _number(path, item, "duration_factor", issues, lambda value: value > 0)
    penalty = _number(path, item, "penalty", issues, lambda value: value >= 0)
    if kind == "implies":
        for name, value in (("duration_factor", factor), ("penalty", penalty)):
            if value != _NEUTRAL[name]:
                message = f"`implies` carries no `{name}`"
                remedy = f"Remove `{name}`, or use the type `substitutes`."
                issues.append(GraphIssue(f"{path}.{name}", "IMPLIES_WITH_PRICE", message, remedy))
    if len(issues) > before or kind is None or source is None or target is None:
        return None
    return Relation(kind, source, target, int(level_loss), factor, penalty)


def _text(path: str, item: Mapping[str, Any], name: str, issues: list[GraphIssue]) -> str | None:
    value = item.get(name)
    if isinstance(value, str) and value:
        return value
    place = f"{path}.{name}"
    if value is None or value == "":
        issues.append(GraphIssue(place, "MISSING_FIELD", f"`{name}` is absent", "Give it."))
    else:
        issues.append(_wrong_type(place, "a text", value))
    return None


def _number(
    path: str, item: Mapping[str, Any], name: str, issues: list[GraphIssue], is_legal: Callable[[Fraction], bool]
) -> Fraction:
    """The number as written; its neutral value where it is absent or wrong."""
    neutral = Fraction(_NEUTRAL[name])
    value = item.get(name)
    if value is None:
        return neutral
    place = f"{path}.{name}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        issues.append(_wrong_type(place, "a number", value))
        return neutral
    exact = Fraction(-1)
    if isinstance(value, int):
        exact = Fraction(value)
    elif isfinite(value):
        exact = Fraction(Decimal(repr(value)))
    if not is_legal(exact):
        lowest = {"level_loss": "a whole number, 0 or more", "duration_factor": "above 0"}.get(name, "0 or more")
        issues.append(GraphIssue(place, "OUT_OF_RANGE", "this number is out of range", f"Give {lowest}."))
        return neutral
    return exact


def _unknown_fields(path: str, item: Mapping[str, Any], known: Iterable[str], issues: list[GraphIssue]) -> None:
    for name in item:
        if name not in known:
            place = f"{path}.{name}" if path else str(name)
            issues.append(GraphIssue(place, "UNKNOWN_FIELD", f"`{name}` is no field of a skill graph", "Remove it."))


def _wrong_type(path: str, wanted: str, value: object) -> GraphIssue:
    return GraphIssue(path, "WRONG_TYPE", f"{type(value).__name__} where {wanted} belongs", f"Give {wanted}.")
