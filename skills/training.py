"""Which training ends the most single points of failure.

A single point of failure is a time at which one person only can do something that is needed. A training raises what
one person can do of one skill; it ends every single point at which that person would be the second.

References:
    Nemhauser, G., Wolsey, L., Fisher, M. (1978). An analysis of approximations for maximizing submodular set
    functions. Mathematical Programming 14, 265-294: greedy choice covers at least 1 - 1/e of what the best choice of
    as many could.
    Khuller, S., Moss, A., Naor, J. (1999). The budgeted maximum coverage problem. Information Processing Letters
    70(1), 39-45: with costs, greedy by gain per cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skills.graph import HIGHEST_LEVEL, SkillGraph
from skills.qualification import HeldSkill
from skills.queries import People, reached_level


@dataclass(frozen=True, slots=True)
class SoleHolding:
    """A single point of failure: a time at which one person only holds a skill at a level that is needed.

    Attributes:
        skill: The skill.
        level: The level needed.
        present: The others who are there all that time, and so would end it if they held the skill at the level.
    """

    skill: str
    level: int
    present: frozenset[str]


@dataclass(frozen=True, slots=True)
class Training:
    """One person trained in one skill.

    Attributes:
        person: Who.
        skill: In which skill.
        from_level: The level of it that the person reaches today through any path; 0 is none. Not below `to_level`
            where a certificate runs out meanwhile: then it is to be renewed.
        to_level: The level to reach.
        ends: The single points that it ends beside those that the trainings before it end, as positions in the
            list asked about, in order. Their number is the exact gain.
        left: How many single points are left after it and those before it.
    """

    person: str
    skill: str
    from_level: int
    to_level: int
    ends: tuple[int, ...]
    left: int

    @property
    def effort(self) -> int:
        """The levels to climb; a certificate to renew counts as one."""
        return max(1, self.to_level - self.from_level)


def best_trainings(
    graph: SkillGraph, people: People, points: Sequence[SoleHolding], at: int, most: int
) -> tuple[Training, ...]:
    """Trainings one after another, each the one that ends the most single points per level climbed.

    Of equal ones the one that ends more comes first, then by person, skill and level. The list ends where no training
    ends any point, or after `most`.

    Args:
        graph: The skill graph: a training in a skill also counts for whatever that skill leads to.
        people: What everybody holds who may be trained.
        points: The single points.
        at: The instant (epoch seconds) whose certificates count as held today.
        most: How many trainings at most.

    Example:
        >>> people = {"Ada": [HeldSkill("pump", 3)], "Ben": [HeldSkill("pump", 2)]}
        >>> point = SoleHolding("pump", 3, frozenset({"Ben"}))
        >>> [training] = best_trainings(SkillGraph(), people, [point, point], at=0, most=5)
        >>> training.person, training.from_level, training.to_level, training.ends, training.left
        ('Ben', 2, 3, (0, 1), 0)
    """
    held = {person: list(skills) for person, skills in people.items()}
    masks = _masks(points)
    losses = _losses(graph, held, points)
    left = (1 << len(points)) - 1
    found: list[Training] = []
    reached = {(person, skill): reached_level(graph, held[person], skill, at) for person in held for skill in losses}
    while left and len(found) < most:
        best: tuple[float, int, str, str, int] | None = None
        chosen = 0
        for person, skill, level, ended in _candidates(held, masks, losses, left):
            effort = max(1, level - reached[person, skill])
            gain = ended.bit_count()
            # Gains and efforts are small integers: equal quotients are equal floats.
            rank = (-gain / effort, -gain, person, skill, level)
            if best is None or rank < best:
                best, chosen = rank, ended
        if best is None:
            break
        _, _, person, skill, level = best
        left &= ~chosen
        found.append(Training(person, skill, reached[person, skill], level, _positions(chosen), left.bit_count()))
        held[person].append(HeldSkill(skill, level))
        reached |= {(person, other): reached_level(graph, held[person], other, at) for other in losses}
    return tuple(found)


Masks = dict[tuple[str, int], dict[str, int]]


def _masks(points: Sequence[SoleHolding]) -> Masks:
    """For each skill and level, and each person, the points that the person would end by it, as bits."""
    masks: Masks = {}
    for position, point in enumerate(points):
        by_person = masks.setdefault((point.skill, point.level), {})
        for person in point.present:
            by_person[person] = by_person.get(person, 0) | 1 << position
    return masks


def _losses(graph: SkillGraph, people: People, points: Sequence[SoleHolding]) -> dict[str, dict[str, int]]:
    """For each skill to be trained in, the skills of points that it leads to, each with the least loss of level."""
    targets = {point.skill for point in points}
    sources = targets | set(graph.graph.nodes) | {item.skill for held in people.values() for item in held}
    found: dict[str, dict[str, int]] = {}
    for source in sorted(sources):
        reached = {target: routes[0].level_loss for target in targets if (routes := graph.routes(source, target))}
        if reached:
            found[source] = reached
    return found


def _candidates(
    people: People, masks: Masks, losses: dict[str, dict[str, int]], left: int
) -> Iterator[tuple[str, str, int, int]]:
    """Every training that ends a point: person, skill, level, and the points of `left` that it ends."""
    for skill, reached in losses.items():
        needs = [
            (level + reached[target], by_person) for (target, level), by_person in masks.items() if target in reached
        ]
        for to_level in sorted({level for level, _ in needs if level <= HIGHEST_LEVEL}):
            ended: dict[str, int] = {}
            for level, by_person in needs:
                if level <= to_level:
                    for person, bits in by_person.items():
                        ended[person] = ended.get(person, 0) | bits
            for person, bits in ended.items():
                if person in people and bits & left:
                    yield person, skill, to_level, bits & left


def _positions(bits: int) -> tuple[int, ...]:
    return tuple(position for position in range(bits.bit_length()) if bits >> position & 1)
