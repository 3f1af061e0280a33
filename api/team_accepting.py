"""An option for a team becomes the plan in force, if it still does what it said, and nothing else."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any

from api.running_day import RunningDay, put_in_force, running_day
from api.team_answers import Teams, ask, changes_document
from api.team_schemas import TeamQuestion
from data.event_log import EventLog
from data.live_records import tell_changes
from data.repositories import Change, PlanRecord, Repository
from data.session import UnitOfWork
from dispatcher.errors import OptionGone, RecordKey, Stale, StaleRecord
from dispatcher.evaluate import evaluate
from dispatcher.facts import read_facts
from dispatcher.plan import Sequences
from dispatcher.schedule import build_plan
from dispatcher.team_policy import TeamPolicy
from solver.teams import TeamOption, carried_over, changes_between, sequences_of

MOST_REMEMBERED = 32
_NAME = re.compile(r"([0-9]{1,11})-([0-9a-f]{12})")


class RecentTeams:
    """The last answers of this process, so that accepting one need not find it again; nothing is lost without them."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, ...], tuple[Teams, int]] = OrderedDict()
        self._lock = Lock()

    def remember(self, key: tuple[str, ...], teams: Teams, plan_version: int) -> None:
        with self._lock:
            self._answers[key] = (teams, plan_version)
            while len(self._answers) > MOST_REMEMBERED:
                self._answers.popitem(last=False)

    def find(self, key: tuple[str, ...], plan_version: int) -> Teams | None:
        with self._lock:
            teams, version = self._answers.get(key, (None, 0))
        return teams if version == plan_version else None


def option_name(teams: Teams, option: TeamOption, plan_id: str) -> str:
    """What an option of a plan in force is accepted by; in another plan the same option has another name."""
    told = hashlib.sha256(f"{plan_id}/{option.id}".encode()).hexdigest()[:12]
    return f"{teams.day.problem.now}-{told}"


def answer_key(tenant: str, plan_id: str, order: str, as_of: int, question: TeamQuestion) -> tuple[str, ...]:
    """What an answer depends on, beside what is stored."""
    return tenant, plan_id, order, str(as_of), question.model_dump_json(exclude_none=True)


def accept_option(
    work: UnitOfWork,
    order: str,
    name: str,
    question: TeamQuestion,
    version: int | None,
    policy: TeamPolicy,
    recent: RecentTeams,
    *,
    on: date | None = None,
) -> tuple[PlanRecord, list[dict[str, Any]]]:
    """Put an option in force: the plan's record, and every other order that it moved.

    Args:
        question: what the options were asked for with.
        version: of the plan that they rest on; None is the one that is in force now.
        on: the date of the running plan that they were asked of; today without.

    Raises:
        Stale: if that is not the version of the plan in force.
        OptionGone: if the option cannot be found again, the order needs something else, or it would break a rule or a
            promise that it did not name.
        NotFound, NoPlanInForce, ScopeConflict, WrongState, Contention: as `put_in_force`.
    """
    EventLog(work).hold()
    match = _NAME.fullmatch(name)
    assert match is not None, "checked by the path"
    as_of = int(match[1])
    today = running_day(work, work_order=order, on=on)
    version = today.plan_version if version is None else version
    if today.plan_version != version:
        key = RecordKey("plan", (today.plan_id,))
        raise Stale([StaleRecord(key, version, today.plan_version)])
    teams = recent.find(answer_key(work.tenant_id, today.plan_id, order, as_of, question), version)
    if teams is None:
        teams = _asked_again(work, order, name, as_of, question, policy, on)
    option = next((item for item in teams.answer.options if option_name(teams, item, today.plan_id) == name), None)
    if option is None:
        raise OptionGone(order, name, "it is not among the options of its instant any more; ask again")
    known, asked = today.problem.order_by_id.get(order), teams.day.problem.order_by_id[order]
    if known is None or (known.team, known.required_skills) != (asked.team, asked.required_skills):
        raise OptionGone(order, name, "the order is not what it was; ask again")
    fields = teams.changed_order(option)
    if fields is not None:
        _give_team(work, order, fields)
        today = running_day(work, work_order=order, on=on)
    sequences = _kept(today, order, name, option)
    changes = _changes(today, order, name, option, sequences)
    return put_in_force(work, today, sequences, version=version), changes


def _asked_again(
    work: UnitOfWork,
    order: str,
    name: str,
    as_of: int,
    question: TeamQuestion,
    policy: TeamPolicy,
    on: date | None,
) -> Teams:
    """The answer of another process, or of this one long ago: what is stored has not changed, or it is gone."""
    if not 0 <= as_of <= int(work.now.timestamp()):
        raise OptionGone(order, name, "it comes from another time")
    then = running_day(replace(work, now=datetime.fromtimestamp(as_of, UTC)), work_order=order, on=on)
    return ask(then.problem, then.plan, order, question, policy, then.in_force)


def _give_team(work: UnitOfWork, order: str, fields: Mapping[str, Any]) -> None:
    """Write the team that the policy composed into the order: from now on it is what the order needs."""
    orders = Repository(work, "work_order")
    stored = orders.get(order)
    values = {**stored.values, "body": {**stored.values["body"], **fields}}
    orders.upsert([Change(values, stored.version)])
    tell_changes(work, "work_order", [values])


def _kept(today: RunningDay, order: str, name: str, option: TeamOption) -> Sequences:
    """The option in the plan of today, which has gone on since; it still has to keep every rule."""
    sequences = carried_over(today.problem, sequences_of(today.problem, today.plan), option)
    if sequences is None or not evaluate(today.problem, build_plan(today.problem, sequences)).feasible:
        raise OptionGone(order, name, "by now it would break a rule; ask again")
    return sequences


def _changes(
    today: RunningDay, order: str, name: str, option: TeamOption, sequences: Sequences
) -> list[dict[str, Any]]:
    """What the option moves as of now; no promise may break that it did not name, nor the order's own."""
    plan = build_plan(today.problem, sequences)
    before, after = (read_facts(today.problem, item).services for item in (today.plan, plan))
    for kind, seconds in after[order].latenesses().items():
        if sum(seconds) and not option.late_seconds[kind]:
            raise OptionGone(order, name, "by now the team would come too late; ask again")
    named = {change.work_order: change for change in option.changes}
    displaced = frozenset(change.work_order for change in option.displaced)
    reasons = {name: change.why_unassigned for name, change in named.items()}
    moved = changes_between(before, after, apart_from=order, displaced=displaced)
    changes = [replace(change, why_unassigned=reasons.get(change.work_order)) for change in moved]
    for change in changes:
        known = named.get(change.work_order)
        if change.broken and (known is None or not known.broken):
            raise OptionGone(order, name, f"by now it would break a promise to {change.work_order}; ask again")
    return changes_document(today.problem, changes)
