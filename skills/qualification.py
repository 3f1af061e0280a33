"""Qualification: do held skills cover required ones at an instant, along which paths, and if not, why not.

Everything here is pure: the same arguments give the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from skills.graph import HIGHEST_LEVEL, LOWEST_LEVEL, SkillGraph, SkillPath

GapCode = Literal["SKILL_MISSING", "SKILL_LEVEL", "SKILL_EXPIRED"]


@dataclass(frozen=True, slots=True)
class HeldSkill:
    """A skill an engineer holds.

    Attributes:
        skill: The skill's id.
        level: 1 to 5.
        valid_until: The last instant it holds, in epoch seconds UTC, inclusive; None means for ever.

    Raises:
        ValueError: a level outside 1 to 5.
    """

    skill: str
    level: int
    valid_until: int | None = None

    def __post_init__(self) -> None:
        _check_level(self.skill, self.level)


@dataclass(frozen=True, slots=True)
class RequiredSkill:
    """A skill that work asks for.

    Attributes:
        skill: The skill's id.
        level: The lowest level that will do, 1 to 5.

    Raises:
        ValueError: a level outside 1 to 5.
    """

    skill: str
    level: int = LOWEST_LEVEL

    def __post_init__(self) -> None:
        _check_level(self.skill, self.level)


@dataclass(frozen=True, slots=True)
class Match:
    """A required skill that is covered, and by what."""

    required: RequiredSkill
    held: HeldSkill
    path: SkillPath


@dataclass(frozen=True, slots=True)
class Gap:
    """A required skill that is not covered, and why.

    Attributes:
        required: The requirement.
        code: `SKILL_EXPIRED` if a certificate that would have sufficed ran out before the instant; else
            `SKILL_LEVEL` if the skill is reached, but too low; else `SKILL_MISSING`.
        best_level: The best level (1 to 5) reached at the instant through any path; None if none is.
        expired: The certificate that would have sufficed, of several the last to run out; None without one.
    """

    required: RequiredSkill
    code: GapCode
    best_level: int | None
    expired: HeldSkill | None


@dataclass(frozen=True, slots=True)
class Qualification:
    """The answer for a list of required skills.

    Attributes:
        qualified: Whether every required skill is covered.
        penalty: Sum of the penalties of the matches, in units of the objective.
        duration_factor: Product of the duration factors of the matches.
        matches: The covered requirements, in the order required.
        gaps: The others, in the order required; empty exactly if qualified.
    """

    qualified: bool
    penalty: Fraction
    duration_factor: Fraction
    matches: tuple[Match, ...]
    gaps: tuple[Gap, ...]


def qualify(graph: SkillGraph, held: Sequence[HeldSkill], required: Sequence[RequiredSkill], at: int) -> Qualification:
    """Whether the held skills cover the required ones at an instant, in the cheapest way.

    Each required skill is looked at by itself: of all paths from a held and valid skill whose level less the
    losses is enough, the smallest (penalty, duration factor, hops) in that order counts. Ties go to the
    certificate that is valid longest, then to the one listed first. A skill required twice counts twice.

    Args:
        graph: The skill graph.
        held: The skills held; the same skill may be held more than once.
        required: The skills required, of the work and of the role together.
        at: The instant service starts, in epoch seconds UTC.

    Returns:
        The qualification; where it has gaps, `penalty` and `duration_factor` cover the matches only.

    Example:
        >>> from skills import Relation
        >>> graph = SkillGraph(relations=[Relation("implies", "hydraulics", "hydraulics.pump", level_loss=1)])
        >>> held = [HeldSkill("hydraulics", 4, valid_until=1_000)]
        >>> qualify(graph, held, [RequiredSkill("hydraulics.pump", 3)], at=1_000).matches[0].path.skills
        ('hydraulics', 'hydraulics.pump')
        >>> [gap] = qualify(graph, held, [RequiredSkill("hydraulics.pump", 4)], at=1_000).gaps
        >>> gap.code, gap.best_level
        ('SKILL_LEVEL', 3)
        >>> [gap] = qualify(graph, held, [RequiredSkill("hydraulics.pump", 3)], at=1_001).gaps
        >>> gap.code, gap.expired
        ('SKILL_EXPIRED', HeldSkill(skill='hydraulics', level=4, valid_until=1000))
    """
    matches: list[Match] = []
    gaps: list[Gap] = []
    penalty = Fraction(0)
    duration_factor = Fraction(1)
    for requirement in required:
        match = _best_match(graph, held, requirement, at)
        if match is None:
            gaps.append(_gap(graph, held, requirement, at))
            continue
        matches.append(match)
        # Fractions are slow, and nearly every skill in practice is held directly.
        if match.path.hops:
            penalty += match.path.penalty
            duration_factor *= match.path.duration_factor
    return Qualification(not gaps, penalty, duration_factor, tuple(matches), tuple(gaps))


def highest_level(graph: SkillGraph, held: Sequence[HeldSkill], skill: str) -> int:
    """The highest level of a skill reached through any path while every certificate is valid; 0 if none is.

    Whoever stays below a required level never qualifies, which is told here once for many requirements.

    Example:
        >>> highest_level(SkillGraph(), [HeldSkill("crane", 3, valid_until=1_000)], "crane")
        3
    """
    levels = [
        one.level - graph.routes(one.skill, skill)[0].level_loss for one in held if graph.routes(one.skill, skill)
    ]
    return max((0, *levels))


def breakpoints(graph: SkillGraph, held: Sequence[HeldSkill], required: Sequence[RequiredSkill]) -> tuple[int, ...]:
    """The instants at which the answer of :func:`qualify` changes, so that callers can keep one per segment.

    Args:
        graph: The skill graph.
        held: The skills held.
        required: The skills required.

    Returns:
        Values of `valid_until` in epoch seconds UTC, strictly increasing. The whole answer, paths and reasons
        included, is constant up to and including the first, from the second after each up to and including
        the next, and after the last. Only instants at which it really changes are listed.

    Example:
        >>> held = [HeldSkill("crane", 3, valid_until=1_000), HeldSkill("welding", 3, valid_until=2_000)]
        >>> breakpoints(SkillGraph(), held, [RequiredSkill("crane")])
        (1000,)
    """
    wanted = {requirement.skill for requirement in required}
    instants = sorted(
        {
            skill.valid_until
            for skill in held
            if skill.valid_until is not None and any(graph.routes(skill.skill, target) for target in wanted)
        }
    )
    if not instants:
        return ()
    answers = [qualify(graph, held, required, at) for at in (*instants, instants[-1] + 1)]
    return tuple(instant for instant, (until, after) in zip(instants, pairwise(answers), strict=True) if until != after)


def _best_match(graph: SkillGraph, held: Sequence[HeldSkill], requirement: RequiredSkill, at: int) -> Match | None:
    best: tuple[HeldSkill, SkillPath] | None = None
    for skill in held:
        if skill.valid_until is not None and skill.valid_until < at:
            continue
        path = _path(graph, skill, requirement)
        if path is not None and (best is None or _is_better(skill, path, *best)):
            best = skill, path
    return None if best is None else Match(requirement, *best)


def _path(graph: SkillGraph, skill: HeldSkill, requirement: RequiredSkill) -> SkillPath | None:
    """The best path that leaves enough of the held level, whatever the certificate's date."""
    spare_levels = skill.level - requirement.level
    best = None
    for path in graph.routes(skill.skill, requirement.skill):
        if path.level_loss > spare_levels:
            break
        best = path
    return best


def _is_better(skill: HeldSkill, path: SkillPath, other_skill: HeldSkill, other_path: SkillPath) -> bool:
    rank = (path.penalty, path.duration_factor, path.hops)
    other_rank = (other_path.penalty, other_path.duration_factor, other_path.hops)
    if rank != other_rank:
        return rank < other_rank
    if other_skill.valid_until is None:
        return False
    return skill.valid_until is None or skill.valid_until > other_skill.valid_until


def _gap(graph: SkillGraph, held: Sequence[HeldSkill], requirement: RequiredSkill, at: int) -> Gap:
    best_level: int | None = None
    expired: HeldSkill | None = None
    expired_at = 0
    for skill in held:
        if skill.valid_until is not None and skill.valid_until < at:
            later = expired is None or skill.valid_until > expired_at
            if later and _path(graph, skill, requirement) is not None:
                expired, expired_at = skill, skill.valid_until
            continue
        routes = graph.routes(skill.skill, requirement.skill)
        if routes:
            level = skill.level - routes[0].level_loss
            # Below the lowest level nothing of the skill is left, so it is missing rather than too low.
            if level >= LOWEST_LEVEL and (best_level is None or level > best_level):
                best_level = level
    code: GapCode = "SKILL_MISSING" if best_level is None else "SKILL_LEVEL"
    return Gap(requirement, code if expired is None else "SKILL_EXPIRED", best_level, expired)


def _check_level(skill: str, level: int) -> None:
    if not LOWEST_LEVEL <= level <= HIGHEST_LEVEL:
        raise ValueError(f"skill {skill!r}: level {level} is outside {LOWEST_LEVEL} to {HIGHEST_LEVEL}")
