"""Which orders get a "1+N" team by themselves, and of what size: the house's policy, as a pure decision.

An order that names its own team keeps it. For any other one the policy of its level composes what is needed: an expert
as lead, supporters by workload, by the skills a lead does not cover and by a minimum, and standby. Every number comes
with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from dispatcher.errors import InvalidInput, Issue
from dispatcher.model import LEAD, LEVELS, Arrival, Exact, Level, Role, Team, WorkOrder, round_half_up
from skills.graph import HIGHEST_LEVEL, LOWEST_LEVEL, SkillGraph
from skills.qualification import RequiredSkill

LeadPresence = Literal["on_site", "remote"]
SUPPORT, STANDBY = "support", "standby"


@dataclass(frozen=True, slots=True)
class LevelRule:
    """How teams of one level are composed.

    Attributes:
        automatic: whether a team is composed without being asked for.
        may_displace: whether planned work of lower levels may make room for it.
        lead_levels_above: levels above what the first required skill asks for.
        lead_presence: where the lead may be; each is a team of its own to choose from.
        support_levels_below: levels below it that do for supporters.
        minimum, maximum: supporters at least and at most.
        seconds_per_person: service that one person is thought to manage; None is any.
        share_by_size: share of the service that is left for so many on site, by size.
        standby: how many stand by.
        consult_within_seconds: how long before the others a remote lead begins at most; None is any time.
    """

    automatic: bool = False
    may_displace: bool = False
    lead_levels_above: int = 0
    lead_presence: tuple[LeadPresence, ...] = ("on_site",)
    support_levels_below: int = 1
    minimum: int = 1
    maximum: int = 1
    seconds_per_person: int | None = None
    share_by_size: tuple[tuple[int, Exact], ...] = ()
    standby: int = 0
    consult_within_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class TeamPolicy:
    """Rules by level; a level without one gets no team. `for_everybody` are skills that each member has to hold."""

    levels: Mapping[Level, LevelRule]
    for_everybody: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TeamReason:
    """Why a team is as it is: each number that was asked for, and by what."""

    level: Level
    presence: LeadPresence
    lead: RequiredSkill | None
    by_minimum: int
    by_workload: int
    by_uncovered: int
    uncovered: tuple[RequiredSkill, ...]
    supporters: tuple[int, int]

    @property
    def message(self) -> str:
        expert = "" if self.lead is None else f" with {self.lead.skill} at level {self.lead.level}"
        parts = [f"{self.level} asks for a lead{expert} ({self.presence.replace('_', ' ')})"]
        least, most = self.supporters
        count = str(least) if least == most else f"{least} to {most}"
        asked = [f"{self.by_minimum} by the policy's minimum", f"{self.by_workload} by workload"]
        if self.uncovered:
            skills = ", ".join(f"{item.skill} (level {item.level})" for item in self.uncovered)
            asked.append(f"{self.by_uncovered} for {skills}, which the lead need not hold")
        parts.append(f"and {count} in support: {', '.join(asked)}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class ComposedTeam:
    """An order with the team that a policy composed for it, and why."""

    order: WorkOrder
    reason: TeamReason


def team_for(
    order: WorkOrder, policy: TeamPolicy, graph: SkillGraph, *, asked: bool = False
) -> tuple[ComposedTeam, ...]:
    """The teams that would do for an order, to choose one of; empty where it has its own or the policy wants none.

    Args:
        order: what is required of an order without a team is shared out: skills of `for_everybody` bind each
            member, at the lowest level where the order does not ask for them; the first other one makes the lead, the
            rest the team holds together.
        graph: says which skills a lead covers through the one that makes them lead.
        asked: whether somebody asks for a team, so that levels that are not automatic get theirs too.
    """
    rule = policy.levels.get(order.level)
    if order.team is not None or rule is None or not (rule.automatic or asked):
        return ()
    return tuple(_composed(order, rule, policy, graph, presence) for presence in rule.lead_presence)


def _composed(
    order: WorkOrder, rule: LevelRule, policy: TeamPolicy, graph: SkillGraph, presence: LeadPresence
) -> ComposedTeam:
    binding = tuple(item for item in order.required_skills if item.skill in policy.for_everybody)
    asked = {item.skill for item in binding}
    binding += tuple(RequiredSkill(skill, LOWEST_LEVEL) for skill in sorted(policy.for_everybody - asked))
    others = [item for item in order.required_skills if item.skill not in policy.for_everybody]
    main = others[0] if others else None
    lead = None if main is None else _at(main, main.level + rule.lead_levels_above)
    uncovered = tuple(item for item in others[1:] if lead is None or not _covers(graph, lead, item))
    workload = 0
    if rule.seconds_per_person is not None:
        workload = max(0, -(-order.service_seconds // rule.seconds_per_person) - 1)
    # With a lead who is elsewhere somebody has to be on site.
    least = max(min(rule.maximum, max(rule.minimum, workload, 1 if uncovered else 0)), int(presence == "remote"))
    most = max(least, min(rule.maximum, len(uncovered)))
    support = () if main is None else (_at(main, main.level - rule.support_levels_below),)
    roles = [Role(LEAD, required_skills=() if lead is None else (lead,), presence=presence)]
    if most:
        roles.append(Role(SUPPORT, least, most, support))
    if rule.standby:
        reserve = () if main is None else (main,)
        roles.append(Role(STANDBY, rule.standby, rule.standby, reserve, "standby"))
    arrival = Arrival()
    if presence == "remote":
        arrival = Arrival("lead_first", 0, rule.consult_within_seconds)
    by_size = tuple((size, round_half_up(order.service_seconds * share)) for size, share in rule.share_by_size)
    team = Team(tuple(roles), uncovered, arrival, by_size)
    reason = TeamReason(
        order.level, presence, lead, rule.minimum, workload, 1 if uncovered else 0, uncovered, (least, most)
    )
    return ComposedTeam(replace(order, required_skills=binding, team=team), reason)


def _at(required: RequiredSkill, level: int) -> RequiredSkill:
    return RequiredSkill(required.skill, min(HIGHEST_LEVEL, max(LOWEST_LEVEL, level)))


def _covers(graph: SkillGraph, lead: RequiredSkill, other: RequiredSkill) -> bool:
    paths = graph.routes(lead.skill, other.skill)
    return bool(paths) and lead.level - paths[0].level_loss >= other.level


def read_team_policy(document: Mapping[str, Any], *, path_of_level: str = "levels.{level}") -> TeamPolicy:
    """The policy of a document whose shape has been checked (docs/schema/team-policy.schema.json).

    Raises:
        InvalidInput: for levels whose supporters are at least more than at most; `path_of_level` says where they stand.
    """
    issues = []
    for level in LEVELS:
        support = (document["levels"].get(level) or {}).get("support") or {}
        least, most = support.get("minimum"), support.get("maximum")
        if least is not None and most is not None and most < least:
            path = f"{path_of_level.format(level=level)}.support.maximum"
            message = f"at most {most} supporters are fewer than at least {least}"
            issues.append(Issue(path, "TEAM_ROLE_SIZE", message, "Raise `maximum`."))
    if issues:
        raise InvalidInput(issues)
    levels = {level: _rule(document["levels"][level]) for level in LEVELS if document["levels"].get(level) is not None}
    return TeamPolicy(levels, frozenset(document.get("for_everybody") or ()))


def _rule(entry: Mapping[str, Any]) -> LevelRule:
    lead, support = entry["lead"], entry.get("support") or {}
    least = support.get("minimum", LevelRule().minimum)
    shares = entry.get("share_of_service_by_size") or {}
    return LevelRule(
        automatic=bool(entry.get("automatic")),
        may_displace=bool(entry.get("may_displace")),
        lead_levels_above=lead.get("levels_above") or 0,
        lead_presence=tuple(lead.get("presence") or ("on_site",)),
        support_levels_below=1 if support.get("levels_below") is None else support["levels_below"],
        minimum=least,
        maximum=max(least, support.get("maximum") or least),
        seconds_per_person=support.get("seconds_per_person"),
        share_by_size=tuple(sorted((int(size), Fraction(str(share))) for size, share in shares.items())),
        standby=entry.get("standby") or 0,
        consult_within_seconds=entry.get("consult_within_seconds"),
    )


def team_document(order: WorkOrder) -> dict[str, Any]:
    """What the document of an order with a team says of it: the fields `team` and `required_skills`."""
    team = order.team
    assert team is not None
    document: dict[str, Any] = {
        "roles": [
            {
                "role": role.name,
                "min": role.minimum,
                "max": role.maximum,
                "required_skills": _skills(role.required_skills),
                "presence": role.presence,
                **({} if role.service_seconds is None else {"service_seconds": role.service_seconds}),
            }
            for role in team.roles
        ],
        "collective_skills": _skills(team.collective_skills),
        "arrival": {"mode": team.arrival.mode, "min_gap_seconds": team.arrival.min_gap_seconds},
        "service_seconds_by_size": {str(size): seconds for size, seconds in team.service_seconds_by_size},
    }
    if team.arrival.max_gap_seconds is not None:
        document["arrival"]["max_gap_seconds"] = team.arrival.max_gap_seconds
    return {"team": document, "required_skills": _skills(order.required_skills)}


def _skills(required: tuple[RequiredSkill, ...]) -> list[dict[str, Any]]:
    return [{"skill": item.skill, "level": item.level} for item in required]
