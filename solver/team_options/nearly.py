"""What would be possible if people who are one level short of a role were let do it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dispatcher.model import Engineer, WorkOrder
from skills.qualification import HeldSkill, RequiredSkill, qualify
from solver.team_options.answer import ShortOf, TeamOption
from solver.team_options.warm_day import WarmDay


def with_one_level_more(day: WarmDay, order: WorkOrder, roles: Sequence[str]) -> WarmDay:
    """The warm day with one more level where one is all that keeps an engineer from one of these roles."""
    if order != day.problem.order_by_id[order.id]:
        day = day.with_order(order)
    assert order.team is not None
    problem = day.problem
    raised: dict[str, Engineer] = {}
    for engineer in problem.engineers:
        if not order.admits(engineer.id):
            continue
        for role in (role for role in order.team.roles if role.name in roles):
            # Who stands by holds what the role asks for; what the order asks for is asked of members only.
            required = role.required_skills if role.presence == "standby" else order.required_of(role.name)
            gaps = qualify(problem.skill_graph, engineer.skills, required, problem.now).gaps
            if len(gaps) != 1 or gaps[0].best_level is None or gaps[0].code != "SKILL_LEVEL":
                continue
            short = gaps[0].required
            if short.level - gaps[0].best_level == 1:
                known = raised.get(engineer.id, engineer)
                gained = HeldSkill(short.skill, short.level)
                raised[engineer.id] = replace(known, skills=(*known.skills, gained))
    return day.with_skills(raised)


def shortfalls(day: WarmDay, option: TeamOption) -> Iterator[ShortOf]:
    """What the people of an option lack for their roles by the skills that they really hold."""
    order, graph = option.order, day.problem.skill_graph
    assert order.team is not None
    reached: set[RequiredSkill] = set()
    for member in option.members:
        skills = day.problem.engineer_by_id[member.engineer].skills
        yield from _lacking(day, member.engineer, member.role, order.required_of(member.role), option.start)
        together = order.team.collective_skills
        reached |= {item for item in together if qualify(graph, skills, (item,), option.start).qualified}
    for item in option.standby:
        role = order.team.role(item.role)
        yield from _lacking(day, item.engineer, item.role, role.required_skills if role else (), option.start)
    for required in order.team.collective_skills:
        if required not in reached:
            for member in option.members:
                lacking = _lacking(day, member.engineer, member.role, (required,), option.start)
                yield from (short for short in lacking if short.level - short.has == 1)


def _lacking(day: WarmDay, engineer: str, role: str, required: tuple[RequiredSkill, ...], at: int) -> Iterator[ShortOf]:
    skills = day.problem.engineer_by_id[engineer].skills
    for gap in qualify(day.problem.skill_graph, skills, required, at).gaps:
        yield ShortOf(engineer, role, gap.required.skill, gap.required.level, gap.best_level or 0)
