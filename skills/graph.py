"""The skill graph: which held skill stands in for which required one, and the best ways between two skills.

A way is a simple path of relations. Its level losses and penalties add up, its duration factors multiply.
Ways are compared by (penalty, duration factor, hops), smaller first; since a way that costs more may lose
fewer levels, the answer for a pair of skills is a short Pareto front over the total level loss.

References:
    Martins, E. Q. V. (1984). On a multicriteria shortest path problem. EJOR 16(2), 236-245: dominance.
    Irnich, S., Desaulniers, G. (2005). Shortest path problems with resource constraints. In: Column
    Generation, Springer, 33-65: simple paths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

import networkx as nx

LOWEST_LEVEL = 1
HIGHEST_LEVEL = 5

RelationKind = Literal["implies", "substitutes"]

_MOST_LOSS = HIGHEST_LEVEL - LOWEST_LEVEL
_NO_PENALTY = Fraction(0)
_NO_CHANGE = Fraction(1)
_NOTHING: frozenset[str] = frozenset()

# Reached by some eight skills that all stand in for one another, free of charge and faster each time; it takes about
# a second or two. Best simple paths among such are NP-hard (longest path), and no sensible catalogue of skills comes
# near.
_MOST_COMPARISONS = 150_000


@dataclass(frozen=True, slots=True)
class Relation:
    """One arrow of the graph: who holds `source` can also do work that asks for `target`.

    Attributes:
        kind: `implies` (the one skill contains the other) or `substitutes` (it stands in for it, at a price).
        source: The skill held.
        target: The skill it counts as.
        level_loss: Levels lost on the way, 0 or more.
        duration_factor: Multiplies the duration of the work; above 0, below 1 is faster.
        penalty: Cost of using the substitution, 0 or more, in units of the objective.

    Raises:
        ValueError: an unknown kind, a negative loss or penalty, a factor of 0 or less, or an `implies` with a
            factor or a penalty.
    """

    kind: RelationKind
    source: str
    target: str
    level_loss: int = 0
    duration_factor: Fraction = _NO_CHANGE
    penalty: Fraction = _NO_PENALTY

    def __post_init__(self) -> None:
        arrow = f"{self.kind} {self.source!r} -> {self.target!r}"
        if self.kind not in ("implies", "substitutes"):
            raise ValueError(f"{arrow}: kind must be 'implies' or 'substitutes'")
        if self.level_loss < 0:
            raise ValueError(f"{arrow}: level_loss {self.level_loss} must be 0 or more")
        if self.duration_factor <= 0:
            raise ValueError(f"{arrow}: duration_factor {self.duration_factor} must be above 0")
        if self.penalty < 0:
            raise ValueError(f"{arrow}: penalty {self.penalty} must be 0 or more")
        if self.kind == "implies" and (self.duration_factor != 1 or self.penalty != 0):
            raise ValueError(f"{arrow}: implies carries neither duration_factor nor penalty; use substitutes")


@dataclass(frozen=True, slots=True)
class SkillPath:
    """A way from a held skill to a required one.

    Attributes:
        skills: The skills passed, from the held one to the required one; one skill if held directly.
        level_loss: Sum of the levels lost.
        penalty: Sum of the penalties.
        duration_factor: Product of the duration factors.
        hops: Number of relations used, `len(skills) - 1`.
    """

    skills: tuple[str, ...]
    level_loss: int
    penalty: Fraction
    duration_factor: Fraction
    hops: int


class SkillGraph:
    """Skills and the relations between them; immutable, and safe to share between threads.

    Several relations between the same two skills and loops of relations are legal. Skills the graph does not
    know are flat tags: each is reached from itself only. The best ways out of a skill are found at the first
    question and kept.

    Args:
        skills: Ids of the skills; those named only by a relation need not be listed.
        relations: The relations, in any order; the order never changes an answer.

    Raises:
        ValueError: so many loops of relations that cost no penalty and shorten the work, that the best simple
            paths through them cannot be found in reasonable time.

    Example:
        >>> from fractions import Fraction
        >>> graph = SkillGraph(
        ...     ["hydraulics", "hydraulics.pump", "pneumatics"],
        ...     [
        ...         Relation("implies", "hydraulics", "hydraulics.pump", level_loss=1),
        ...         Relation("substitutes", "pneumatics", "hydraulics", 1, Fraction("1.3"), Fraction(600)),
        ...     ],
        ... )
        >>> [path] = graph.routes("pneumatics", "hydraulics.pump")
        >>> path.skills, path.level_loss, path.hops
        (('pneumatics', 'hydraulics', 'hydraulics.pump'), 2, 2)
        >>> print(path.penalty, float(path.duration_factor))
        600 1.3
        >>> graph.routes("hydraulics.pump", "hydraulics")
        ()
    """

    __slots__ = ("_fronts", "_graph", "_outgoing", "_rewarding_loops")

    def __init__(self, skills: Iterable[str] = (), relations: Iterable[Relation] = ()) -> None:
        relations = tuple(relations)
        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        graph.add_nodes_from(skills)
        for relation in relations:
            graph.add_edge(relation.source, relation.target, relation=relation)
        nx.freeze(graph)
        self._graph = graph

        # A larger loss takes even the highest level below the lowest one; a self-loop is on no simple path.
        usable = [r for r in relations if r.level_loss <= _MOST_LOSS and r.source != r.target]
        self._outgoing: dict[str, list[Relation]] = defaultdict(list)
        for relation in usable:
            self._outgoing[relation.source].append(relation)
        self._rewarding_loops = _rewarding_loops(usable)
        # Loops that are hopeless are refused here, not in the middle of planning.
        self._fronts: dict[str, Mapping[str, tuple[SkillPath, ...]]] = {}
        comparisons_left = _MOST_COMPARISONS
        for skill in sorted(self._rewarding_loops):
            self._fronts[skill], comparisons_left = self._search(skill, comparisons_left)

    @property
    def graph(self) -> nx.MultiDiGraph[str]:
        """The skills as a frozen networkx graph; the edge attribute `relation` is the :class:`Relation`."""
        return self._graph

    def routes(self, source: str, target: str) -> tuple[SkillPath, ...]:
        """The best ways from one skill to another: with each step, more level lost and a better way for it.

        Args:
            source: The skill held.
            target: The skill required.

        Returns:
            At most five simple paths by strictly increasing `level_loss` (0 to 4) and strictly decreasing
            (penalty, duration factor, hops). For a loss that may not exceed n, the last path within n is the
            best there is. Empty if the target is out of reach.
        """
        front = self._fronts.get(source)
        if front is None:
            front, _ = self._search(source, None)
            self._fronts[source] = front
        return front.get(target, ())

    def _search(self, source: str, most_comparisons: int | None) -> tuple[Mapping[str, tuple[SkillPath, ...]], int]:
        """Label correcting in rounds of one relation each, from one skill to all others.

        Returns the fronts by target, and how many comparisons of labels are left.
        """
        left = 0 if most_comparisons is None else most_comparisons
        start = _Label(0, _Rank(_NO_PENALTY, _NO_CHANGE, 0, (source,)), self._unrepeatable((source,)))
        kept: dict[str, list[_Label]] = defaultdict(list, {source: [start]})
        frontier = [start]
        while frontier:
            arrived = []
            for label in frontier:
                for relation in self._outgoing.get(label.rank.skills[-1], ()):
                    extended = self._extend(label, relation)
                    if extended is None:
                        continue
                    peers = kept[relation.target]
                    left -= len(peers)
                    if most_comparisons is not None and left < 0:
                        raise _too_many_loops(self._rewarding_loops[source])
                    if any(peer.dominates(extended) for peer in peers):
                        continue
                    peers[:] = [peer for peer in peers if not extended.dominates(peer)]
                    peers.append(extended)
                    arrived.append(extended)
            # A label beaten later in its own round is not worth extending.
            frontier = [label for label in arrived if label in kept[label.rank.skills[-1]]]
        return {target: _front(labels) for target, labels in kept.items()}, left

    def _extend(self, label: _Label, relation: Relation) -> _Label | None:
        loss = label.level_loss + relation.level_loss
        if loss > _MOST_LOSS or relation.target in label.rank.skills:
            return None
        skills = (*label.rank.skills, relation.target)
        rank = _Rank(
            label.rank.penalty + relation.penalty,
            label.rank.duration_factor * relation.duration_factor,
            label.rank.hops + 1,
            skills,
        )
        return _Label(loss, rank, self._unrepeatable(skills))

    def _unrepeatable(self, skills: tuple[str, ...]) -> frozenset[str]:
        loop = self._rewarding_loops.get(skills[-1])
        return loop.intersection(skills) if loop else _NOTHING


class _Rank(NamedTuple):
    """What makes one way better than another; `skills` only breaks ties, so that the answer has one form."""

    penalty: Fraction
    duration_factor: Fraction
    hops: int
    skills: tuple[str, ...]


class _Label(NamedTuple):
    """A simple path found by the search.

    `visited` holds the skills passed that a better continuation might want to pass again. Outside rewarding
    loops there are none: wherever a continuation meets a skill already passed, leaving out the loop between
    costs no more and takes fewer hops.
    """

    level_loss: int
    rank: _Rank
    visited: frozenset[str]

    def dominates(self, other: _Label) -> bool:
        """Whether every continuation of the other is at least as good, and as legal, after this one."""
        return self.level_loss <= other.level_loss and self.rank <= other.rank and self.visited <= other.visited


def _front(labels: list[_Label]) -> tuple[SkillPath, ...]:
    paths: list[SkillPath] = []
    best = None
    for loss, rank, _ in sorted(labels, key=lambda label: (label.level_loss, label.rank)):
        if best is None or rank[:3] < best:
            best = rank[:3]
            paths.append(SkillPath(rank.skills, loss, rank.penalty, rank.duration_factor, rank.hops))
    return tuple(paths)


def _rewarding_loops(relations: list[Relation]) -> dict[str, frozenset[str]]:
    """Skills that lie together on loops without penalty whose factors multiply to less than 1.

    Going round such a loop would make a way look better, so there, and only there, the search must remember
    which skills it has passed. Loops with a penalty never pay: the penalty counts before the factor.
    """
    free = [relation for relation in relations if relation.penalty == 0]
    free_graph: nx.DiGraph[str] = nx.DiGraph((relation.source, relation.target) for relation in free)
    loops = {}
    for component in map(frozenset, nx.strongly_connected_components(free_graph)):
        inside = [relation for relation in free if {relation.source, relation.target} <= component]
        if _has_rewarding_loop(component, inside):
            loops.update(dict.fromkeys(component, component))
    return loops


def _has_rewarding_loop(skills: frozenset[str], relations: list[Relation]) -> bool:
    """Bellman-Ford on products: factors still improve in the last round only if a loop feeds them."""
    if all(relation.duration_factor >= 1 for relation in relations):
        return False
    best = dict.fromkeys(skills, _NO_CHANGE)
    for _ in skills:
        improved = dict(best)
        for relation in relations:
            factor = best[relation.source] * relation.duration_factor
            improved[relation.target] = min(improved[relation.target], factor)
        if improved == best:
            return False
        best = improved
    return True


def _too_many_loops(skills: frozenset[str]) -> ValueError:
    return ValueError(
        f"too many loops of relations between the skills {', '.join(sorted(skills))} cost no penalty and"
        " shorten the work: give the relations a penalty or a duration_factor of at least 1"
    )
