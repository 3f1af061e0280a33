"""Emergency composition: a few really different teams for an order, each with all that it does to the running day.

Options are compositions for one goal each (the fastest, the least harm, the best chance to fix, the cheapest), found
by search over few people and exact insertion, made whole by repairing the work they displace, and judged by the
reference evaluation on the part of the plan that moves. What an option says of others is complete: every order whose
people or times differ is named in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from dispatcher.collector import collector_paused
from dispatcher.model import WorkOrder
from dispatcher.objective import LATENESS_ONCE_RULES, LATENESS_RULES
from dispatcher.plan import Plan, Rest, RouteSequence, Visit
from dispatcher.problem import Problem
from dispatcher.reasons import Explanation
from dispatcher.schedule import build_plan
from solver.reasons import explain_unassigned
from solver.team_insertion import Composition
from solver.team_options.answer import TeamAnswer, TeamOption
from solver.team_options.composer import GOALS, HANDED_OVER_MILLI, EmergencyComposer, Goal
from solver.team_options.judgement import with_changes
from solver.team_options.nearly import shortfalls, with_one_level_more
from solver.team_options.options import carried_over, changes_between, option_of
from solver.team_options.warm_day import WarmDay, sequences_of, warm_day
from solver.team_options.working_day import WorkingDay

__all__ = [
    "MOST_OPTIONS",
    "TeamAnswer",
    "TeamOption",
    "WarmDay",
    "carried_over",
    "changes_between",
    "sequences_of",
    "substitutes",
    "team_options",
    "warm_day",
]

MOST_OPTIONS = 4
TRIED: Mapping[Goal, int] = {"fastest": 1, "least_harm": 1, "best_chance": 1, "cheapest": 2}
"""Compositions made whole for each goal at most: what repairing displaced work costs is only estimated before."""
SPARE = 3
"""And so many more where none of them can be: the plan of a day may break rules that no route tells of."""
PROMISE_RULES = frozenset({"unserved", *LATENESS_RULES, *LATENESS_ONCE_RULES})
"""The rules that say what broken promises cost, the order's own among them."""


def team_options(
    day: WarmDay,
    order: str,
    *,
    variants: Sequence[WorkOrder] = (),
    most: int = MOST_OPTIONS,
    may_displace: bool = True,
    explain: bool = True,
) -> TeamAnswer:
    """Up to `most` teams for an order, the least total cost first.

    Args:
        day: the warm running day, see `warm_day`. The order may be unassigned in it, or planned and not running.
        order: the id of an order of the problem.
        variants: the order with the teams to choose from (policies compose several); the order's own without any.
        most: options at most, 1 or more.
        may_displace: whether planned work of lower levels, neither running nor pinned, may make room.
        explain: whether an answer without options says why, engineer by engineer, which takes longer.

    Returns:
        Options that keep every hard rule. Without any, the reasons, and what would be possible if people who are
        one level short were allowed.
    """
    return _answer(day, order, variants, most, may_displace, explain, held={}, without=())


def substitutes(
    day: WarmDay, order: str, engineer: str, *, most: int = MOST_OPTIONS, may_displace: bool = True
) -> TeamAnswer:
    """Teams for a planned team order from which a member drops out: the others keep their roles, somebody else comes.

    Whoever stands by may come, and somebody else stands by then.

    Args:
        engineer: who drops out; a member of the order's team in the running plan, or its standby.

    Returns:
        As `team_options`; the start may move, as the one who comes instead may need longer.
    """
    team = day.teams[order]
    held = {m.engineer: m.role for m in team.members if m.engineer != engineer and m.role is not None}
    return _answer(day, order, (), most, may_displace, True, held=held, without=(engineer,))


def _answer(
    day: WarmDay,
    name: str,
    variants: Sequence[WorkOrder],
    most: int,
    may_displace: bool,
    explain: bool,
    *,
    held: Mapping[str, str],
    without: Iterable[str],
) -> TeamAnswer:
    order = day.problem.order_by_id[name]
    choices = tuple(variants) or (order,)
    found: list[TeamOption] = []
    with collector_paused():
        for variant in choices:
            found += _options(day, variant, may_displace, held, without)
    options = _ranked(found, most)
    if options or not explain:
        return TeamAnswer(name, options, lost=day.lost)
    nearly = _ranked(_nearly(day, choices, may_displace, held, without), most)
    return TeamAnswer(name, (), _explanation(day, choices[0], without), nearly, day.lost)


def _nearly(
    day: WarmDay,
    choices: Sequence[WorkOrder],
    may_displace: bool,
    held: Mapping[str, str],
    without: Iterable[str],
) -> list[TeamOption]:
    """What would be possible with one level more in one role, or, where that is not enough, in all of them."""
    for together in (False, True):
        found: list[TeamOption] = []
        for order in choices:
            roles = [role.name for role in order.team.roles] if order.team is not None else []
            for some in [roles] if together else [[role] for role in roles]:
                raised = with_one_level_more(day, order, some)
                for option in _options(raised, order, may_displace, held, without):
                    lacking = tuple(dict.fromkeys(shortfalls(day, option)))
                    if lacking:
                        found.append(replace(option, short_of=lacking))
        if found:
            return found
    return []


def _options(
    day: WarmDay,
    order: WorkOrder,
    may_displace: bool,
    held: Mapping[str, str],
    without: Iterable[str],
) -> list[TeamOption]:
    """Options for one version of an order, one or more for each goal."""
    if order != day.problem.order_by_id[order.id]:
        day = day.with_order(order)
    base: WorkingDay = day.state
    gone = frozenset(without)
    if gone or order.id in base.served:
        base = base.fork()
        base.spared |= gone
    if order.id in base.served:
        base.take_out([order.id])
    composer = EmergencyComposer(day, base, order, may_displace=may_displace, held=held, without=gone)
    found: dict[object, TeamOption | None] = {}

    def left_undone(composition: Composition) -> set[str]:
        """Adds the option of a composition; which displaced orders it leaves undone."""
        people = _people(composition)
        if people not in found:
            found[people] = option_of(day, base, order, composition, may_displace=may_displace)
        option = found[people]
        return set() if option is None else {change.work_order for change in option.displaced if change.after is None}

    for goal in composer.goals:
        undone = set[str]()
        tried = composer.compose(goal, TRIED[goal])
        for number, composition in enumerate(tried):
            known = [1000 * option.total_change for option in found.values() if option is not None]
            # Where something has turned out to cost less than the next one is thought to, that is not worth the time.
            if not number or not known or composition.delta < min(known):
                undone |= left_undone(composition)
        if tried and all(found.get(_people(composition)) is None for composition in tried):
            # Made whole, none of these keeps every rule: the next best may.
            for composition in composer.compose(goal, TRIED[goal] + SPARE)[len(tried) :]:
                undone |= left_undone(composition)
                if found[_people(composition)] is not None:
                    break
        # Displaced work was thought to find another place: where it did not, others may be called away instead.
        if goal != "fastest" and composer.regret_more(undone):
            for composition in composer.compose(goal):
                left_undone(composition)
    return [option for option in found.values() if option is not None]


def _people(composition: Composition) -> object:
    """What makes two options the same: the same people in the same roles at the same time."""
    return frozenset((m.engineer.id, m.role.name, m.made.start) for m in composition.members)


def _ranked(options: Iterable[TeamOption], most: int) -> tuple[TeamOption, ...]:
    """By total cost, without those that another one beats in every respect; each says what it is the best for."""
    # Of options alike in every respect one is enough.
    every = list({_merits(option): option for option in sorted(options, key=lambda option: option.id)}.values())
    left = [option for option in every if not any(_beats(other, option) for other in every)]
    left.sort(key=lambda option: (option.total_change, option.restored_at, option.id))
    best: dict[str, list[Goal]] = {}
    for goal in GOALS:
        if left and (goal != "best_chance" or len({option.chance_to_fix for option in left}) > 1):
            best.setdefault(min(left, key=partial(_merit, goal)).id, []).append(goal)
    kept = sorted(left, key=lambda option: option.id not in best)[:most]
    kept.sort(key=lambda option: (option.total_change, option.restored_at, option.id))
    return tuple(replace(option, best_for=tuple(best.get(option.id, ()))) for option in kept)


def _merits(option: TeamOption) -> tuple[Any, ...]:
    return tuple(_merit(goal, option)[0] for goal in GOALS)


def _beats(one: TeamOption, other: TeamOption) -> bool:
    """Whether one option is at least as good for every goal, and better for one."""
    ones, others = _merits(one), _merits(other)
    return ones != others and all(mine <= theirs for mine, theirs in zip(ones, others, strict=True))


def _merit(goal: Goal, option: TeamOption) -> tuple[Any, ...]:
    """How good an option is for a goal, smaller is better; ties go to the cheaper one."""
    cost = (option.total_change, option.restored_at, option.id)
    if goal == "fastest":
        return option.restored_at, option.complete_at, *cost
    if goal == "least_harm":
        broken = sum(cost for rule, cost in option.cost_changes.items() if rule in PROMISE_RULES)
        return broken + HANDED_OVER_MILLI * len(option.displaced), *cost
    if goal == "best_chance":
        return -option.chance_to_fix, *cost
    return cost


def _explanation(day: WarmDay, order: WorkOrder, without: Iterable[str]) -> Explanation:
    gone = set(without)
    order = replace(order, excluded_engineers=order.excluded_engineers | gone)
    problem: Problem = day.problem
    if order != problem.order_by_id[order.id]:
        problem = day.with_order(order).problem
    plan: Plan = day.plan
    if order.id in day.keys_of:
        changes = {key: _without(day.sequence_of[key], order.id) for key in day.keys_of[order.id]}
        plan = build_plan(problem, with_changes(day.sequences, changes, {order.id: ()}))
    [explanation] = explain_unassigned(problem, replace(plan, unassigned=(order.id,)))
    fix = explanation.cheapest_fix
    # Who drops out is no help, whatever the lists of the order say.
    return explanation if fix is None or fix.engineer not in gone else replace(explanation, cheapest_fix=None)


def _without(route: RouteSequence, order: str) -> RouteSequence | None:
    visits = tuple(visit for visit in route.visits if isinstance(visit, Rest) or visit.work_order != order)
    return replace(route, visits=visits) if any(isinstance(visit, Visit) for visit in visits) else None
