"""Teams asked for over a running plan: policy, composition, and the answer as a document. HTTP and CLI share it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.documents_shape import issues_of
from api.problems import read_checked_problem
from api.sla_policy import policy_document
from api.team_schemas import TeamPolicy as PolicyDocument
from api.team_schemas import TeamQuestion
from data.team_policy import default_team_policy
from dispatcher.documents import instant_text
from dispatcher.errors import InvalidInput, Issue, NotFound, RecordKey, WrongState
from dispatcher.model import WorkOrder
from dispatcher.plan import Plan
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import number
from dispatcher.reasons import Explanation
from dispatcher.services.planning import PlanRequest, make_plan
from dispatcher.team_policy import ComposedTeam, TeamPolicy, read_team_policy, team_document, team_for
from solver.live.handed import Handed, explain_left_of
from solver.team_options.answer import PromiseChange, ServiceTimes
from solver.teams import MOST_OPTIONS, TeamAnswer, TeamOption, WarmDay, substitutes, team_options, warm_day

ACTION = "compose a team for it"


@dataclass(frozen=True, slots=True)
class Teams:
    """An answer with what it rests on; `composed` are the teams that the policy made to choose from."""

    day: WarmDay
    answer: TeamAnswer
    composed: tuple[ComposedTeam, ...]

    def changed_order(self, option: TeamOption) -> dict[str, Any] | None:
        """The fields of the order's document that a composed team changes; None where the order names its own."""
        composed = self._composed(option)
        return None if composed is None else team_document(composed.order)

    def _composed(self, option: TeamOption) -> ComposedTeam | None:
        return next((item for item in self.composed if item.order == option.order), None)

    def document(self, name_of: Callable[[TeamOption], str] = lambda option: option.id) -> dict[str, Any]:
        """The answer as `api.team_schemas.TeamOptions`, without the plan it rests on."""
        answer = self.answer
        return {
            "work_order": answer.order,
            "as_of": self._text(self.day.problem.now),
            "options": [self._option(option, name_of(option)) for option in answer.options],
            "no_team": None if answer.explanation is None else _no_team(answer.explanation),
            "not_allowed": [self._option(option, name_of(option)) for option in answer.nearly],
            "lost": list(answer.lost),
        }

    def _text(self, seconds: int) -> str:
        return instant_text(seconds, self.day.problem.timezone)

    def _option(self, option: TeamOption, name: str) -> dict[str, Any]:
        composed = self._composed(option)
        return {
            "id": name,
            "best_for": list(option.best_for),
            "allowed": option.allowed,
            "short_of": [
                {"engineer": s.engineer, "role": s.role, "skill": s.skill, "level": s.level, "has": s.has}
                for s in option.short_of
            ],
            "why_this_team": None if composed is None else composed.reason.message,
            "team": team_document(option.order)["team"],
            "arrival": self._text(option.arrival),
            "start": self._text(option.start),
            "complete_at": self._text(option.complete_at),
            "restored_at": self._text(option.restored_at),
            "late_seconds": _missed(option.late_seconds),
            "chance_to_fix": number(option.chance_to_fix),
            "members": [
                {
                    "engineer": member.engineer,
                    "shift": member.shift,
                    "role": member.role,
                    "presence": member.presence,
                    "departure": self._text(member.departure),
                    "travel_seconds": member.travel_seconds,
                    "arrival": self._text(member.arrival),
                    "start": self._text(member.start),
                    "end": self._text(member.end),
                    "called_from": list(member.called_from),
                }
                for member in option.members
            ],
            "standby": [
                {"engineer": item.engineer, "role": item.role, "there_at": self._text(item.there_at)}
                for item in option.standby
            ],
            "changes": changes_document(self.day.problem, option.changes),
            "total_change": option.total_change,
            "cost_changes": {rule: number(Fraction(cost) / 1000) for rule, cost in option.cost_changes.items()},
        }


def ask(
    problem: Problem, plan: Plan, order: str, question: TeamQuestion, policy: TeamPolicy, planned: Collection[str] = ()
) -> Teams:
    """The answer to a question about an order of a running plan; `planned` are the orders of the plan as it was made,
    of which those that it cannot keep are named.

    Raises:
        WrongState: if the order is running, or names no team and no policy composes one.
        NotFound: if the order is not part of the problem, or who should drop out is not in its team.
    """
    known = problem.order_by_id.get(order)
    key = RecordKey("work_order", (order,))
    if known is None:
        raise NotFound(key)
    if problem.is_running(known):
        raise WrongState(key, "under way", ACTION)
    most = question.most or MOST_OPTIONS
    day = warm_day(problem, plan)
    lost = set(planned).intersection(day.plan.unassigned) - {order}
    day = replace(day, lost=tuple(sorted(lost.union(day.lost))))
    if question.instead_of is not None:
        team = day.teams.get(order)
        if team is None or question.instead_of not in {m.engineer for m in (*team.members, *team.standby)}:
            raise NotFound(RecordKey("team_member", (order, question.instead_of)))
        displace = _may_displace(known, question, policy)
        return Teams(day, substitutes(day, order, question.instead_of, most=most, may_displace=displace), ())
    if question.rule is not None:
        rule = {"lead": {}, "support": None, **question.rule.model_dump(exclude_none=True)}
        document = {"levels": {known.level: rule}, "for_everybody": sorted(policy.for_everybody)}
        policy = read_team_policy(document, path_of_level="rule")
    composed = team_for(known, policy, problem.skill_graph, asked=True)
    if known.team is None and not composed:
        raise WrongState(key, f"of level {known.level}, for which the policy composes no team", ACTION)
    answer = team_options(
        day,
        order,
        variants=[item.order for item in composed],
        most=most,
        may_displace=_may_displace(known, question, policy),
    )
    return Teams(day, answer, composed)


def accepted_plan(document: Mapping[str, Any], option: TeamOption, day: WarmDay) -> dict[str, Any]:
    """The plan document of an option over the problem that names its team: evaluated, checked, and with the reasons of
    what it leaves undone of the plan that was given.

    Raises:
        PlanRefused: if the plan fails its own check; a defect of ours.
    """
    request = PlanRequest(
        problem=read_checked_problem(document),
        document=document,
        engine=Handed("teams", option.sequences),
        limits=SearchLimits(time_limit_seconds=None),
        explainer=explain_left_of({*day.facts.services, *day.lost}),
        software={name: version(name) for name in ("muster", "networkx")},
        created_at=int(time.time()),
    )
    return make_plan(request)


def team_policy(path: Path | None) -> TeamPolicy:
    """The policy of a file, or the one that comes with Muster.

    Raises:
        InvalidInput: for a file that is no policy, with every issue.
    """
    if path is None:
        return read_team_policy(default_team_policy())
    document = policy_document(path, "data/team_policy.yaml")
    try:
        PolicyDocument.model_validate(document)
        return read_team_policy(document)
    except ValidationError as error:
        issues: Sequence[Issue] = issues_of(PolicyDocument, error)
    except InvalidInput as error:
        issues = error.issues
    # It is read beside other documents: which one is wrong has to be said.
    raise InvalidInput(replace(issue, path=f"{path}: {issue.path}") for issue in issues)


def changes_document(problem: Problem, changes: Iterable[PromiseChange]) -> list[dict[str, Any]]:
    """Orders that move, as `api.team_schemas.ChangeShown`."""

    def times(service: ServiceTimes) -> dict[str, Any]:
        return {
            "engineers": list(service.engineers),
            "arrival": instant_text(service.arrival, problem.timezone),
            "start": instant_text(service.start, problem.timezone),
            "end": instant_text(service.end, problem.timezone),
            "late_seconds": _missed(service.late_seconds),
        }

    return [
        {
            "work_order": change.work_order,
            "level": change.level,
            "displaced": change.displaced,
            "broken": change.broken,
            "arrival_shift_seconds": change.arrival_shift_seconds,
            "before": times(change.before),
            "after": None if change.after is None else times(change.after),
            "why_unassigned": change.why_unassigned,
        }
        for change in changes
    ]


def _may_displace(order: WorkOrder, question: TeamQuestion, policy: TeamPolicy) -> bool:
    if question.may_displace is not None:
        return question.may_displace
    rule = policy.levels.get(order.level)
    return rule is not None and rule.may_displace


def _missed(late: Mapping[str, int]) -> dict[str, int]:
    return {kind: seconds for kind, seconds in late.items() if seconds}


def _no_team(explanation: Explanation) -> dict[str, Any]:
    fix = explanation.cheapest_fix
    return {
        "reasons": _reasons(explanation),
        "reasons_left_out": explanation.left_out,
        "cheapest_fix": None
        if fix is None
        else {
            "code": fix.code,
            "engineer": fix.engineer,
            "amount_seconds": fix.amount_seconds,
            "params": dict(fix.params),
            "message": fix.message,
        },
    }


def _reasons(explanation: Explanation) -> Sequence[dict[str, Any]]:
    return [
        {"engineer": reason.engineer, "code": reason.code, "params": dict(reason.params), "message": reason.message}
        for reason in explanation.reasons
    ]
