"""Between what is stored and what is planned: the snapshot a run plans from, and what accepting its plan changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.sla_state import promises
from data.event_log import EventLog
from data.live_records import tell_changes
from data.repositories import Between, Change, PlanRecord, Plans, Repository, Scope
from data.session import UnitOfWork
from dispatcher.errors import Contention, RecordKey, Stale, WrongState
from dispatcher.event_names import PLAN_ACCEPTED
from dispatcher.services.acceptance import assignments, consequences
from dispatcher.services.state import PlanQuestion, StoredState, problem_document
from dispatcher.services.state_values import Values
from dispatcher.services.state_visits import IN_HAND, WAITING

UNFINISHED = ("open", "planned", "in_progress")
LIVE_SHIFTS = ("planned", "active")
LIVE_VISITS = tuple(sorted(IN_HAND | WAITING))


def scopes_of(territories: Iterable[str], dates: Iterable[date]) -> list[Scope]:
    """Every territory on every date."""
    days = sorted(set(dates))
    return [Scope(territory, day) for territory in sorted(set(territories)) for day in days]


def snapshot(work: UnitOfWork, question: PlanQuestion) -> tuple[dict[str, Any], dict[Scope, int]]:
    """The problem document of what is stored now, and the versions of its scopes; both of one state of everything.

    Raises:
        UnknownReference: for territories that there are not.
    """
    versions = Plans(work).versions(scopes_of(question.territories, question.dates))
    return problem_document(stored_state(work, question), question, work.now), versions


def stored_state(work: UnitOfWork, question: PlanQuestion) -> StoredState:
    """The records that a question is about, with all that they name."""
    territories = sorted(set(question.territories))
    orders = _orders_of(work, territories)
    names = {order["external_id"] for order in orders}
    predecessors = list(_named(work, "work_order", _dependencies(orders) - names))
    engineers = {
        item["external_id"]: item for item in _values(Repository(work, "engineer"), {"territory": territories})
    }
    shifts = _shifts_of(work, sorted(engineers), question.dates)
    visits = list(
        _among(
            work,
            "visit",
            "work_order",
            sorted(names | {order["external_id"] for order, _ in predecessors}),
            status=[*LIVE_VISITS, "done"],
        )
    )
    finished = _finished_in(work, sorted(engineers), shifts)
    visits = list({visit["external_id"]: visit for visit in (*visits, *finished)}.values())
    known = names | {order["external_id"] for order, _ in predecessors}
    finished_orders = list(_named(work, "work_order", {visit["work_order"] for visit in finished} - known))
    # Whoever holds one of the orders matters with the shift it is held in, wherever that is.
    outside = {visit["engineer"] for visit in visits if visit["status"] in LIVE_VISITS}
    outside_shifts = _among(
        work,
        "shift",
        "engineer",
        sorted(outside),
        status=LIVE_SHIFTS,
        latest_end=Between(low=work.now),
    )
    shifts = list({(item["engineer"], item["external_id"]): item for item in (*shifts, *outside_shifts)}.values())
    others = (_engineers_named(orders) | outside) - engineers.keys()
    engineers |= {item["external_id"]: item for item, _ in _named(work, "engineer", others)}
    sites = {order["site"] for order in (*orders, *(order for order, _ in finished_orders))}
    assets = [item for item, _ in _named(work, "asset", {order["asset"] for order in orders} - {None})]
    models = _named(work, "asset_model", {asset["asset_model"] for asset in assets} - {None})
    sites |= {shift["body"].get(key) for shift in shifts for key in ("start_location", "end_location")} - {None}
    promised, parents = promises(work, orders)
    return StoredState(
        territories=[item for item, _ in _named(work, "territory", territories)],
        skills=list(_values(Repository(work, "skill"))),
        skill_relations=list(_values(Repository(work, "skill_relation"))),
        sites=[item for item, _ in _named(work, "site", sites)],
        engineers=list(engineers.values()),
        shifts=shifts,
        work_orders=orders,
        other_orders=[order for order, _ in (*predecessors, *finished_orders)],
        visits=visits,
        finished_at={order["external_id"]: at for order, at in predecessors if order["status"] == "done"},
        routes_in_force=Plans(work).routes_in_force(scopes_of(territories, question.dates)),
        teams_in_force=Plans(work).teams_in_force(scopes_of(territories, question.dates)),
        assets=assets,
        asset_models=[item for item, _ in models],
        promised=promised,
        parents=parents,
    )


def accept_plan(work: UnitOfWork, plan_id: str, version: int | None) -> PlanRecord:
    """Put a plan in force, give its work orders their visits, and tell that it happened; None is any version.

    Raises:
        NotFound, Stale, WrongState, ScopeConflict: as `Plans.accept`; WrongState also where an order of the plan was
            cancelled since or is planned elsewhere, or where a shift of the plan is not worked any more.
        UnknownReference: if the plan names an engineer or a shift that there is not any more.
        Contention: if somebody changed an order or a visit at the same moment.
    """
    EventLog(work).hold()
    plans = Plans(work)
    record = plans.accept(plan_id, plans.get(plan_id).version if version is None else version)
    problem, plan = plans.problem(plan_id), plans.document(plan_id)
    _refuse_shifts_not_worked(work, plan)
    names = [order["id"] for order in problem.get("work_orders") or ()]
    orders, visits = Repository(work, "work_order"), Repository(work, "visit")
    stored = {item.values["external_id"]: item for item in orders.iterate_among("external_id", names)}
    held = {item.values["external_id"]: item for item in visits.iterate_among("work_order", names)}
    homes = {
        item["external_id"]: item["territory"]
        for item, _ in _named(work, "engineer", {item.values["engineer"] for item in held.values()})
    }
    live = _among(work, "shift", "engineer", sorted(homes), status=LIVE_SHIFTS, latest_end=Between(low=work.now))
    own = {(scope.territory, scope.local_date) for scope in record.scopes}
    elsewhere = (item for item in live if (homes[item["engineer"]], item["local_date"]) not in own)
    _refuse_to_strand(work, problem, set(names))
    found = consequences(
        problem,
        plan,
        {name: item.values for name, item in stored.items()},
        [item.values for item in held.values()],
        frozenset((item["engineer"], item["external_id"]) for item in elsewhere),
    )
    changed_orders = [{**stored[name].values, "status": status} for name, status in found.orders.items()]
    new_visits = [{"external_id": work.ids.new(), **values} for values in found.new_visits]
    try:
        orders.upsert([Change(values, stored[values["external_id"]].version) for values in changed_orders])
        visits.upsert(
            [Change(values, held[values["external_id"]].version) for values in found.visits]
            + [Change(values, 0) for values in new_visits]
        )
        for name in found.dropped:
            visits.delete(name, version=held[name].version)
    except Stale as error:
        # The caller's version is the plan's; of these the caller knows nothing.
        raise Contention from error
    tell_changes(work, "work_order", changed_orders)
    tell_changes(work, "visit", [*found.visits, *new_visits], [(name,) for name in found.dropped])
    EventLog(work).append(
        PLAN_ACCEPTED,
        f"plan {plan_id}",
        {
            "plan": plan_id,
            "run": record.run_id,
            "scopes": [{"territory": scope.territory, "date": scope.local_date.isoformat()} for scope in record.scopes],
            "served": len(assignments(plan)),
            "unassigned": len(plan.get("unassigned") or ()),
        },
    )
    return record


def _refuse_shifts_not_worked(work: UnitOfWork, plan: Mapping[str, Any]) -> None:
    """A plan made before somebody fell ill would give work to nobody."""
    engineers = sorted({route["engineer"] for route in plan.get("routes") or ()})
    gone = {
        (item["engineer"], item["external_id"]): item["status"]
        for item in _among(work, "shift", "engineer", engineers, status=["ended", "cancelled"])
    }
    for route in plan.get("routes") or ():
        key = (route["engineer"], route["shift"])
        if key in gone:
            raise WrongState(RecordKey("shift", key), gone[key], "accept a plan with work in it")


def _refuse_to_strand(work: UnitOfWork, problem: Mapping[str, Any], known: set[str]) -> None:
    """Refuse a plan whose shifts hold work that it knows nothing of: their new routes would leave it to nobody.

    Raises:
        WrongState: naming the first such order. Planned together with its territory, it is part of the plan.
    """
    shifts = {
        (engineer["id"], shift["id"])
        for engineer in problem.get("engineers") or ()
        for shift in engineer.get("shifts") or ()
    }
    reasons = (problem.get("attributes") or {}).get("left_out") or {}
    # What was left out for a reason of its own is not planned for anybody, whatever visit it still has.
    known = known | {name for name, reason in reasons.items() if reason != "in_other_hands"}
    for visit in _among(work, "visit", "engineer", sorted({name for name, _ in shifts}), status=sorted(WAITING)):
        if (visit["engineer"], visit["shift"]) in shifts and visit["work_order"] not in known:
            where = f"planned for {visit['engineer']} in a shift of this plan, and not part of it"
            raise WrongState(RecordKey("work_order", (visit["work_order"],)), where, "accept a plan without it")


def _orders_of(work: UnitOfWork, territories: Sequence[str]) -> list[Values]:
    """The unfinished orders of territories; one that names none belongs where its site does."""
    orders = Repository(work, "work_order")
    found = list(_values(orders, {"territory": territories, "status": UNFINISHED}))
    homeless = list(_values(orders, {"territory": None, "status": UNFINISHED}))
    sites = {site["external_id"]: site["territory"] for site, _ in _named(work, "site", {o["site"] for o in homeless})}
    found.extend(order for order in homeless if sites.get(order["site"]) in territories)
    return found


def _shifts_of(work: UnitOfWork, engineers: Sequence[str], dates: Iterable[date]) -> list[Values]:
    wanted = set(engineers)
    shifts = _values(Repository(work, "shift"), {"local_date": sorted(set(dates)), "status": LIVE_SHIFTS})
    return [shift for shift in shifts if shift["engineer"] in wanted]


def _finished_in(work: UnitOfWork, engineers: Sequence[str], shifts: Sequence[Values]) -> list[Values]:
    """What was done in shifts that have begun."""
    begun = {(item["engineer"], item["external_id"]): item["start"] for item in shifts if item["start"] <= work.now}
    if not begun:
        return []
    since = Between(low=min(begun.values()) - timedelta(days=1))
    busy = sorted({engineer for engineer, _ in begun} & set(engineers))
    visits = _among(work, "visit", "engineer", busy, status="done", ended_at=since)
    return [visit for visit in visits if (visit["engineer"], visit["shift"]) in begun]


def _values(repository: Repository, where: Mapping[str, Any] | None = None) -> Iterator[Values]:
    return (item.values for item in repository.iterate(where))


def _named(work: UnitOfWork, kind: str, names: Iterable[str]) -> Iterator[tuple[Values, datetime]]:
    """Records by id, each with the instant of its last change."""
    for item in Repository(work, kind).iterate_among("external_id", names):
        yield item.values, item.updated_at.astimezone(UTC)


def _among(work: UnitOfWork, kind: str, field: str, names: Iterable[str], **where: Any) -> Iterator[Values]:
    return (item.values for item in Repository(work, kind).iterate_among(field, names, where))


def _dependencies(orders: Iterable[Values]) -> set[str]:
    return {
        entry["work_order"]
        for order in orders
        for entry in order["body"].get("depends_on") or ()
        if entry.get("work_order")
    }


def _engineers_named(orders: Iterable[Values]) -> set[str]:
    found: set[str] = set()
    for order in orders:
        for key in ("allowed_engineers", "excluded_engineers", "preferred_engineers"):
            found.update(order["body"].get(key) or ())
        if order["body"].get("pin"):
            found.add(order["body"]["pin"]["engineer"])
    return found
