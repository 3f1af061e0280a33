"""The running plan repaired without anybody asking, as far as the policy of the house lets it.

Every repair goes the way of one that was asked for: made from what is stored, judged by the independent checker,
stored with its snapshot. It is put in force or offered, and the log tells which, why, and what it changes; never
silently. Several servers may look at the same plan at once: the log knows each repair by what it does, so that it is
told once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from api.live_answers import bare_document, difference_json
from api.live_days import LiveDays, WarmDay
from api.planning_state import accept_plan
from api.running_day import RunningDay, receipt_of, store_plan
from api.settings import Settings
from api.told_places import Named, named_in, territories_of
from data.event_log import EventLog
from data.repositories import Plans
from data.session import Database, UnitOfWork
from dispatcher.actor import Actor
from dispatcher.difference import Difference, difference
from dispatcher.event_names import PLAN_REPAIRED, REPAIR_PROPOSED
from dispatcher.self_repair import PRINCIPAL, Mode, Need, concerns, harms_nobody, helps, needs
from dispatcher.services.planning import checked_document
from solver.live.day import LivePolicy
from solver.live.repair import Repaired

SEARCH_SECONDS = 0.5
TRIED_AGAIN_SECONDS = 300
"""How soon the same needs are searched again where nothing helped or a repair was offered.

Orders that nobody has are searched again whenever one looks, until a repair for them is offered.
"""
TOLD_ORDERS = 100
_PAGE = 1000
_STEP_SECONDS = 900
_PLANS_KNOWN = 100
_TRIED_ALONE = 5
"""Of several orders that nobody has, so many are also tried one by one."""
_Wanted = frozenset[tuple[str, str]]
Document = Mapping[str, Any]
Outcome = Literal["nothing", "known", "proposed", "repaired"]


class Overtaken(Exception):  # noqa: N818  like `LeaseLost`
    """Something that concerns the plan happened while it was looked at."""


def live_policy(settings: Settings) -> LivePolicy:
    """What of a running plan stays, by the settings."""
    return LivePolicy(
        freeze_seconds=settings.freeze_seconds, diverts=settings.diverts, change_budget=settings.change_budget
    )


@dataclass(frozen=True, slots=True)
class _Repair:
    """A repair that helps: its plan document, checked, and what it changes."""

    document: dict[str, Any]
    changes: Difference
    reassigned: int
    needs: tuple[Need, ...]
    in_force: bool


class SelfRepair:
    """Repairs running plans of one tenant; to be used by one thread.

    `can_search` says whether the search kernel is ready; until then only insertion is tried.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        days: LiveDays,
        *,
        search_seconds: float = SEARCH_SECONDS,
        can_search: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database, self._settings, self._days = database, settings, days
        self._search_seconds, self._can_search = search_seconds, can_search
        self._policy = live_policy(settings)
        # By plan the needs that were searched for last, when, and what came of it; the oldest first.
        self._tried: dict[str, tuple[_Wanted, float, Outcome]] = {}

    @property
    def mode(self) -> Mode:
        return self._settings.on_change

    def look(self, plan_id: str) -> Outcome:
        """See whether a plan in force needs repair, and do what the policy says.

        Raises:
            Overtaken: if something happened meanwhile; look again.
            NoPlanInForce: if the plan is not in force any more.
            ScopeConflict, WrongState, Stale, UnknownReference: as accepting a plan; the same.
            InvalidInput: if what is stored makes no valid problem.
            PlanRefused, Contention, Unavailable
        """
        with self._database.read(Actor(self._settings.tenant, PRINCIPAL)) as work:
            last = EventLog(work).last()
            warm = self._days.get(work, plan_id).under(self._policy)
            plans = Plans(work)
            accepted = plans.problem(plan_id), plans.document(plan_id)
        problem = warm.running.document
        before = bare_document(warm.running.problem, warm.day.plan)
        wanted = [need for need in needs(accepted, (problem, before)) if self._is_ours(warm, need)]
        if not wanted:
            return "nothing"
        lately = self._lately(plan_id, wanted)
        repair = self._inserted(warm, before, wanted)
        if repair is None and lately is not None:
            return lately
        repair = repair or self._searched(warm, before, wanted)
        outcome: Outcome = "nothing" if repair is None else self._store(warm, repair, last)
        if outcome != "repaired":
            self._note(plan_id, wanted, "nothing" if repair is None else "known")
        return outcome

    # -- what to do ----------------------------------------------------------------------------------------------

    @staticmethod
    def _is_ours(warm: WarmDay, need: Need) -> bool:
        """Teams are composed by people, who choose among the ways to send one; work that others wait for stays."""
        order = warm.day.order(need.work_order)
        return order.team is None and not (need.code == "LATE" and order.id in warm.day.awaited)

    def _lately(self, plan_id: str, wanted: Sequence[Need]) -> Outcome | None:
        """What came of the last search where another one would come to the same."""
        if plan_id not in self._tried:
            return None
        known, at, outcome = self._tried[plan_id]
        if time.monotonic() - at >= TRIED_AGAIN_SECONDS or not _keys(wanted) <= known:
            return None
        return outcome if outcome == "known" or all(need.code == "LATE" for need in wanted) else None

    def _note(self, plan_id: str, wanted: Sequence[Need], outcome: Outcome) -> None:
        self._tried.pop(plan_id, None)
        self._tried[plan_id] = _keys(wanted), time.monotonic(), outcome
        while len(self._tried) > _PLANS_KNOWN:
            del self._tried[next(iter(self._tried))]

    def _inserted(self, warm: WarmDay, before: Document, wanted: Sequence[Need]) -> _Repair | None:
        """Orders that nobody has, each given to who has room for it, where that is allowed and nobody else feels it."""
        names = [need.work_order for need in wanted if need.code != "LATE"]
        if self.mode != "insert" or not names:
            return None
        # All of them at once; where somebody would feel that, the first one that nobody does: the next look goes on.
        for some in (names, *([name] for name in names[:_TRIED_ALONE] if len(names) > 1)):
            found = self._checked(warm, before, partial(warm.repairer().insert, some), wanted, "instant")
            if found is not None and found.in_force:
                return found
        return None

    def _searched(self, warm: WarmDay, before: Document, wanted: Sequence[Need]) -> _Repair | None:
        """The best that a repair finds, where it helps."""
        seconds = self._search_seconds if self._can_search() else 0.0
        names = [need.work_order for need in wanted]
        return self._checked(warm, before, lambda: warm.repairer().repair(names, seconds=seconds), wanted, "repair")

    def _checked(
        self, warm: WarmDay, before: Document, repair: Callable[[], Repaired], wanted: Sequence[Need], engine: str
    ) -> _Repair | None:
        running, began = warm.running, time.monotonic()
        found = repair()
        if found.evaluation.total >= before["score"]["total"]:
            return None
        document = checked_document(
            running.problem,
            running.document,
            found.plan,
            found.evaluation,
            receipt=receipt_of(running, engine, time.monotonic() - began),
            created_at=running.problem.now,
        )
        changes = difference((running.document, before), (running.document, document))
        helped = tuple(need for need in wanted if helps(changes, need))
        if not helped:
            return None
        harmless = self.mode == "insert" and harms_nobody(changes, wanted)
        return _Repair(document, changes, found.reassigned, helped, harmless or self.mode == "apply")

    # -- doing it ------------------------------------------------------------------------------------------------

    def _store(self, warm: WarmDay, repair: _Repair, last: int) -> Outcome:
        running, kind = warm.running, PLAN_REPAIRED if repair.in_force else REPAIR_PROPOSED
        because = "; ".join(need.message for need in repair.needs[:3])
        client_id = f"{kind}:{running.plan_id}:{running.plan_version}:{_fingerprint(repair.changes)}"
        with self._database.write(Actor(self._settings.tenant, PRINCIPAL, because)) as work:
            log = EventLog(work)
            log.hold()
            if log.told([client_id]):
                return "known"
            if _is_overtaken(work, running, last):
                raise Overtaken
            plan_id = store_plan(work, running, repair.document)
            if repair.in_force:
                accept_plan(work, plan_id, None)
            payload = {**self._told(warm, repair), "proposal": plan_id}
            log.append(kind, f"plan {running.plan_id}", payload, client_id=client_id)
        return "repaired" if repair.in_force else "proposed"

    def _told(self, warm: WarmDay, repair: _Repair) -> dict[str, Any]:
        changes = difference_json(repair.changes, warm.running.problem.timezone)
        policy = asdict(self._policy)
        return {
            "plan": warm.running.plan_id,
            "needs": [{**asdict(need), "message": need.message} for need in repair.needs[:TOLD_ORDERS]],
            "orders": changes["orders"][:TOLD_ORDERS],
            "order_count": len(changes["orders"]),
            "reassigned": repair.reassigned,
            "total_before": changes["total_before"],
            "total_after": changes["total_after"],
            "policy": {"on_change": self.mode, **policy, "breaks_in": sorted(policy["breaks_in"])},
        }


def _is_overtaken(work: UnitOfWork, running: RunningDay, last: int) -> bool:
    """Whether the log tells since then of anything that the day is made of, or of its territories."""
    found: list[Named] = []
    while events := EventLog(work).read(last, _PAGE):
        found += [named_in(event) for event in events if concerns(event.type, event.payload)]
        last = events[-1].sequence
    named = Named.union(found)
    if named.orders & running.problem.order_by_id.keys() or named.engineers & running.problem.engineer_by_id.keys():
        return True
    return bool(territories_of(work, named) & {scope.territory for scope in running.scopes})


def _keys(wanted: Sequence[Need]) -> _Wanted:
    return frozenset((need.code, need.work_order) for need in wanted)


def _fingerprint(changes: Difference) -> str:
    """The same for repairs that give the same orders to the same people at about the same time."""
    steps = [
        " ".join([change.work_order, *change.engineers_after, str((change.start_after or 0) // _STEP_SECONDS)])
        for change in changes.orders
        if change.kind != "retimed" or change.late_before_seconds != change.late_after_seconds
    ]
    return hashlib.sha256("\n".join(steps).encode()).hexdigest()[:32]
