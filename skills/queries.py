"""Questions about people and skills: who can do this and why, who is nearly there, until when somebody can.

Everything here is pure and knows people only by an id and what they hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skills.graph import LOWEST_LEVEL, SkillGraph
from skills.qualification import Gap, HeldSkill, Qualification, RequiredSkill, qualify

People = Mapping[str, Sequence[HeldSkill]]
"""What everybody holds, by the person's id."""

NEVER = -1
"""An instant before all others: what was never held ended then."""
FOR_EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Standing:
    """How one person stands to a list of required skills."""

    person: str
    qualification: Qualification

    @property
    def qualified(self) -> bool:
        return self.qualification.qualified

    @property
    def hops(self) -> int:
        return sum(match.path.hops for match in self.qualification.matches)

    @property
    def spare_levels(self) -> int:
        """The levels left over, summed over the required skills that are covered."""
        return sum(
            match.held.level - match.path.level_loss - match.required.level for match in self.qualification.matches
        )

    @property
    def one_step(self) -> Gap | None:
        """What is missing where one step is enough: one level more of one skill, or one certificate renewed.

        None for whoever is qualified, lacks two of the required skills or more, is two levels short, or holds nothing
        that leads to the skill. The gap's `best_level` is the level reached; with code `SKILL_EXPIRED` it is the
        certificate that is missing, whatever the level.
        """
        if len(self.qualification.gaps) != 1:
            return None
        [gap] = self.qualification.gaps
        if gap.code == "SKILL_EXPIRED":
            return gap
        return gap if gap.best_level is not None and gap.best_level == gap.required.level - 1 else None


def standings(graph: SkillGraph, people: People, required: Sequence[RequiredSkill], at: int) -> tuple[Standing, ...]:
    """How everybody stands to the required skills at an instant (epoch seconds), the best first.

    First come the qualified: by penalty, duration factor and hops of the paths used, smaller first, then by levels to
    spare, fewer first, so that who can do more stays free for more. Then who is one step short, then all others, both
    by the number of gaps. The last word has the id.

    Example:
        >>> people = {"Ada": [HeldSkill("pump", 4)], "Ben": [HeldSkill("pump", 2)], "Cy": [HeldSkill("pump", 1)]}
        >>> found = standings(SkillGraph(), people, [RequiredSkill("pump", 2)], at=0)
        >>> [(item.person, item.qualified, item.one_step is not None) for item in found]
        [('Ben', True, False), ('Ada', True, False), ('Cy', False, True)]
    """
    found = [Standing(person, qualify(graph, held, required, at)) for person, held in people.items()]
    return tuple(sorted(found, key=_rank))


def reached_level(graph: SkillGraph, held: Iterable[HeldSkill], skill: str, at: int) -> int:
    """The best level of a skill that these certificates give at an instant through any path; 0 is none.

    Example:
        >>> from skills import Relation
        >>> graph = SkillGraph(relations=[Relation("implies", "hydraulics", "pump", level_loss=1)])
        >>> reached_level(graph, [HeldSkill("hydraulics", 4, valid_until=10)], "pump", at=10)
        3
    """
    return max(
        (_level(graph, item, skill) for item in held if item.valid_until is None or item.valid_until >= at),
        default=0,
    )


def held_until(graph: SkillGraph, held: Iterable[HeldSkill], required: RequiredSkill) -> int:
    """The last instant (epoch seconds) up to which a required skill is covered; `NEVER`, or `FOR_EVER`.

    Certificates end and do not begin, so whoever covers a skill at an instant covered it ever before.
    """
    latest = NEVER
    for item in held:
        if _level(graph, item, required.skill) >= required.level:
            if item.valid_until is None:
                return FOR_EVER
            latest = max(latest, item.valid_until)
    return latest


def _level(graph: SkillGraph, item: HeldSkill, skill: str) -> int:
    routes = graph.routes(item.skill, skill)
    level = item.level - routes[0].level_loss if routes else 0
    return level if level >= LOWEST_LEVEL else 0


def _rank(item: Standing) -> tuple[object, ...]:
    answer = item.qualification
    if answer.qualified:
        return 0, answer.penalty, answer.duration_factor, item.hops, item.spare_levels, item.person
    return (1 if item.one_step is not None else 2), len(answer.gaps), item.person
