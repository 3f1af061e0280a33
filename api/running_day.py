"""The plan in force over what is stored now, and how another one takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version as version_of
from typing import Any
from zoneinfo import ZoneInfo

from api.planning_state import accept_plan, scopes_of, stored_state
from api.problems import build_problem
from data.job_store import Runs
from data.repositories import PlanRecord, Plans, Publication, Repository, Scope
from data.session import UnitOfWork
from dispatcher.errors import NoPlanInForce, RecordKey, Stale, StaleRecord, WrongState
from dispatcher.plan import Plan, Sequences
from dispatcher.planning import SearchLimits, SearchResult
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from dispatcher.services.planning import PlanRequest, make_plan, receipt
from dispatcher.services.state import PlanQuestion, problem_document
from solver.live.handed import Handed, explain_left_of
from solver.live.running import running_sequences


@dataclass(frozen=True, slots=True)
class RunningDay:
    """What is stored about the scopes of a plan in force, as of now, with what is left of the plan.

    `document` is the problem as of now, open orders included; its `current_plan` is what is in force. `plan` is the
    running plan over `problem`: orders that are not in it, or cannot be kept where they were, are unassigned.
    `versions` holds the version of each scope; `on_the_way` the orders that somebody is driving to.
    """

    plan_id: str
    plan_version: int
    scopes: tuple[Scope, ...]
    document: dict[str, Any]
    problem: Problem
    plan: Plan
    versions: Mapping[Scope, int] = field(default_factory=dict)
    on_the_way: frozenset[str] = frozenset()

    @property
    def in_force(self) -> set[str]:
        """The orders on the routes in force, kept or not."""
        routes = (self.document.get("current_plan") or {}).get("routes") or ()
        return {stop["work_order"] for route in routes for stop in route["stops"] if stop["kind"] == "work_order"}


def running_day(
    work: UnitOfWork, *, work_order: str | None = None, territory: str | None = None, on: date | None = None
) -> RunningDay:
    """The running plan that a work order or a territory belongs to; one of the two has to be given.

    The scope is the territory (of the order, or of its site) on a local date, by default that of `now` there. The day
    holds all territories and dates of the plan in force for it.

    Raises:
        NotFound: if there is no such work order or territory.
        WrongState: if the order is in no territory.
        NoPlanInForce: (a `WrongState`, `NO_PLAN_IN_FORCE`) if no plan was accepted for the scope.
        InvalidInput: if what is stored makes no valid problem.
    """
    return day_of_plan(work, plan_in_force(work, work_order=work_order, territory=territory, on=on))


def plan_in_force(
    work: UnitOfWork, *, work_order: str | None = None, territory: str | None = None, on: date | None = None
) -> str:
    """The id of the plan that `running_day` is about; raises as it does, but for InvalidInput."""
    name = territory if territory is not None else _territory_of(work, work_order or "")
    home = Repository(work, "territory").get(name)
    day = on or work.now.astimezone(ZoneInfo(home.values["timezone"])).date()
    plan_id = Plans(work).heads([Scope(name, day)]).get(Scope(name, day))
    if plan_id is None:
        raise NoPlanInForce(name, day.isoformat())
    return plan_id


def day_of_plan(work: UnitOfWork, plan_id: str) -> RunningDay:
    """The running day of a plan that is in force for at least one of its scopes.

    Raises:
        NotFound: if there is no such plan.
        NoPlanInForce: if it is in force for none of its scopes.
        InvalidInput: if what is stored makes no valid problem.
    """
    plans = Plans(work)
    record, made_from = plans.get(plan_id), plans.problem(plan_id)
    heads = plans.heads(record.scopes)
    own = [scope for scope in record.scopes if heads.get(scope) == plan_id]
    if not own:
        lost = record.scopes[0] if record.scopes else Scope("no territory", work.now.date())
        raise NoPlanInForce(lost.territory, lost.local_date.isoformat())
    # A problem is asked for by territories and dates, so the scopes between those of the plan belong to the day too.
    scopes = scopes_of({scope.territory for scope in own}, {scope.local_date for scope in own})
    question = PlanQuestion(
        f"running-{plan_id}",
        _beginning_with_zone(work, made_from["timezone"], {scope.territory for scope in own}),
        sorted({scope.local_date for scope in own}),
        made_from.get("travel"),
        made_from.get("objective"),
    )
    versions = plans.versions(scopes)
    state = stored_state(work, question)
    document = problem_document(state, question, work.now)
    problem = build_problem(document)
    sequences = running_sequences(problem, problem.current_routes, problem.current_teams)
    return RunningDay(
        plan_id=plan_id,
        plan_version=record.version,
        scopes=tuple(scopes),
        document=document,
        problem=problem,
        plan=build_plan(problem, sequences),
        versions=versions,
        on_the_way=frozenset(visit["work_order"] for visit in state.visits if visit["status"] == "en_route"),
    )


def put_in_force(work: UnitOfWork, day: RunningDay, sequences: Sequences, *, version: int) -> PlanRecord:
    """Build, check, store and accept a plan over a running day, in place of the one in force; all of it or nothing.

    Raises:
        Stale: if the plan in force is not at `version` any more.
        ScopeConflict: if another plan was accepted for one of the day's scopes since it was read.
        PlanRefused: if the plan breaks a rule, or the checker judges it differently.
        WrongState, UnknownReference, Contention: as `accept_plan`.
    """
    actual = Plans(work).get(day.plan_id).version
    if actual != version:
        raise Stale([StaleRecord(RecordKey("plan", (day.plan_id,)), version, actual)])
    document = checked_plan(day, sequences, created_at=int(work.now.timestamp()))
    return accept_plan(work, store_plan(work, day, document), None)


def checked_plan(day: RunningDay, sequences: Sequences, *, created_at: int) -> dict[str, Any]:
    """The plan document of sequences over a running day: evaluated, judged by the checker, and with the reasons of what
    the plan in force does and it does not.

    Raises:
        PlanRefused: if it breaks a rule, or the checker judges it differently.
    """
    request = PlanRequest(
        problem=day.problem,
        document=day.document,
        engine=Handed("teams", sequences),
        limits=SearchLimits(time_limit_seconds=None),
        explainer=explain_left_of(day.in_force),
        software=_software(),
        created_at=created_at,
    )
    return make_plan(request)


def receipt_of(day: RunningDay, engine: str, elapsed_seconds: float) -> dict[str, Any]:
    """The receipt of a plan that was made from a running day."""
    result = SearchResult(Sequences(), 0, elapsed_seconds, "finished")
    return receipt(day.problem, engine, SearchLimits(time_limit_seconds=None), result, _software())


def store_plan(work: UnitOfWork, day: RunningDay, document: Mapping[str, Any]) -> str:
    """Store a checked plan with its snapshot, published and not yet in force; its id.

    Raises:
        UnknownReference: for territories that there are not any more.
    """
    run = Runs(work).finished(
        "repair",
        {
            "plan": day.plan_id,
            "territories": sorted({scope.territory for scope in day.scopes}),
            "dates": sorted({scope.local_date.isoformat() for scope in day.scopes}),
        },
        "made from the running plan",
    )
    return Plans(work).publish(run.id, Publication(day.document, document, day.versions))


def _software() -> dict[str, str]:
    return {name: version_of(name) for name in ("muster", "numba", "numpy")}


def _territory_of(work: UnitOfWork, work_order: str) -> str:
    order = Repository(work, "work_order").get(work_order).values
    found = order["territory"] or Repository(work, "site").get(order["site"]).values["territory"]
    if found is None:
        # Plans are asked for by territory: without one an order is part of none.
        raise WrongState(RecordKey("work_order", (work_order,)), "in no territory", "ask about a running plan")
    return str(found)


def _beginning_with_zone(work: UnitOfWork, zone: str, territories: set[str]) -> list[str]:
    """Territories sorted, one of a time zone first where there is one: a problem has the zone of its first."""
    zones = {name: Repository(work, "territory").get(name).values["timezone"] for name in territories}
    return sorted(territories, key=lambda name: (zones[name] != zone, name))
