"""What relations between skills must not say of one another.

`implies` is the taxonomy: the one skill contains the other. A skill that contains itself on the way round, one that is
said to lose more levels directly than through what it contains, and a price on what comes for free cannot all be
meant. Substitutions may form loops: two skills can well stand in for one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import networkx as nx

from skills.graph import HIGHEST_LEVEL, LOWEST_LEVEL, Relation

_MOST_LOSS = HIGHEST_LEVEL - LOWEST_LEVEL


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Relations that cannot all be meant.

    Attributes:
        code: `SKILL_CYCLE` or `SKILL_CONTRADICTION`.
        position: The relation to begin with, as its position in the list that was checked.
        skills: The path that leads round, or that contradicts the relation, skill by skill.
        message: What was found, with the path.
        remedy: What to do about it.
    """

    code: Literal["SKILL_CYCLE", "SKILL_CONTRADICTION"]
    position: int
    skills: tuple[str, ...]
    message: str
    remedy: str


def contradictions(relations: Sequence[Relation]) -> tuple[Contradiction, ...]:
    """Every contradiction between relations, by the position of the relation to begin with.

    Of skills that imply one another on several ways round, one short way is named. While there is one, losses are
    not compared: what leads round in a circle has none that could be meant.

    Example:
        >>> [found] = contradictions([Relation("implies", "a", "b", 1), Relation("implies", "b", "a")])
        >>> found.code, found.skills
        ('SKILL_CYCLE', ('a', 'b', 'a'))
        >>> found.message
        'relations lead round in a circle: a → b → a'
    """
    found = list(_cycles(relations))
    if not any(relations[item.position].kind == "implies" for item in found):
        found.extend(_losses(relations))
    return tuple(sorted(found, key=lambda item: (item.position, item.skills)))


def arrows(skills: Sequence[str]) -> str:
    """A path of skills for people: `a → b → c`."""
    return " → ".join(skills)


def _cycles(relations: Sequence[Relation]) -> Iterator[Contradiction]:
    implied: dict[tuple[str, str], int] = {}
    for position, relation in enumerate(relations):
        if relation.source == relation.target:
            yield _cycle((relation.source, relation.source), position)
        elif relation.kind == "implies":
            implied.setdefault((relation.source, relation.target), position)
    graph: nx.DiGraph[str] = nx.DiGraph(list(implied))
    for component in nx.strongly_connected_components(graph):
        if len(component) > 1:
            inside = {arrow: position for arrow, position in implied.items() if component.issuperset(arrow)}
            (source, target), position = min(inside.items(), key=lambda item: item[1])
            back = nx.shortest_path(graph.subgraph(component), target, source)
            yield _cycle((source, *back), position)


def _cycle(skills: tuple[str, ...], position: int) -> Contradiction:
    return Contradiction(
        "SKILL_CYCLE",
        position,
        skills,
        f"relations lead round in a circle: {arrows(skills)}",
        "Remove one of these relations; skills that stand in for one another take the type `substitutes`."
        if len(skills) > 2
        else "Remove it: a skill stands for itself anyway.",
    )


def _losses(relations: Sequence[Relation]) -> Iterator[Contradiction]:
    least: dict[tuple[str, str], tuple[int, int]] = {}
    for position, relation in enumerate(relations):
        arrow = (relation.source, relation.target)
        if relation.kind != "implies" or relation.source == relation.target:
            continue
        if arrow in least and least[arrow][0] != relation.level_loss:
            other = least[arrow][1]
            yield _contradiction(
                position,
                arrow,
                f"{arrows(arrow)} loses {_levels(relation.level_loss)} here and"
                f" {_levels(relations[other].level_loss)} in relation {other}",
            )
        least[arrow] = min(least.get(arrow, (relation.level_loss, position)), (relation.level_loss, position))
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_weighted_edges_from((*arrow, loss) for arrow, (loss, _) in least.items())
    ways: dict[str, tuple[Mapping[str, int], Mapping[str, list[str]]]] = {}

    def ways_from(skill: str) -> tuple[Mapping[str, int], Mapping[str, list[str]]]:
        if skill not in ways:
            found = nx.single_source_dijkstra(graph, skill, cutoff=_MOST_LOSS)
            ways[skill] = cast("tuple[Mapping[str, int], Mapping[str, list[str]]]", found)
        return ways[skill]

    for (source, target), (loss, position) in least.items():
        for between in graph.successors(source):
            losses, paths = ways_from(between)
            around = least[source, between][0] + losses.get(target, loss)
            if between != target and around < loss:
                skills = (source, *paths[target])
                message = f"{arrows((source, target))} loses {_levels(loss)}, but {arrows(skills)} only {around}"
                yield _contradiction(position, skills, message)
                break
    for position, relation in enumerate(relations):
        is_priced = relation.penalty > 0 or relation.duration_factor > 1
        if relation.kind != "substitutes" or not is_priced or relation.source not in graph:
            continue
        losses, paths = ways_from(relation.source)
        if relation.source != relation.target and losses.get(relation.target, _MOST_LOSS + 1) <= relation.level_loss:
            skills = tuple(paths[relation.target])
            message = (
                f"the substitution {arrows((relation.source, relation.target))} has a price and loses"
                f" {_levels(relation.level_loss)}, but {arrows(skills)} is implied for nothing and loses"
                f" {losses[relation.target]}"
            )
            yield _contradiction(position, skills, message)


def _contradiction(position: int, skills: tuple[str, ...], message: str) -> Contradiction:
    return Contradiction(
        "SKILL_CONTRADICTION", position, skills, message, "Remove one of these relations, or let their losses agree."
    )


def _levels(count: int) -> str:
    return "1 level" if count == 1 else f"{count} levels"
