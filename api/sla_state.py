"""The promises of stored work orders: their clocks at an instant, and what is recorded of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from api.sla_policy import policy_of
from data.event_log import EventLog
from data.repositories import Between, Change, Marks, Record, Repository
from data.session import UnitOfWork
from dispatcher.event_names import SLA_BREACHED, SLA_NEAR_BREACH
from dispatcher.services.state_visits import IN_HAND, WAITING
from dispatcher.sla.clocks import BREACH, ClockState, Crossing, Terms, Timeline, clock_states
from dispatcher.sla.deadlines import deadlines, tightest
from dispatcher.sla.grading import Facts, Grade, Override, grade, overruled
from dispatcher.sla.history import Mark, parent_of, set_by_hand, timeline
from dispatcher.sla.linking import AssetRelation, Link, Reported, links
from dispatcher.sla.policy import Policy

UNFINISHED = ("open", "planned", "in_progress")
_LIVE = IN_HAND | WAITING
_FINISHED_LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Watched:
    """A stored work order with its promises; `timeline` is None and `states` empty where it has no `opened_at`."""

    record: Record
    contract: str | None
    policy: Policy
    zone: ZoneInfo
    marks: tuple[Mark, ...]
    timeline: Timeline | None
    states: tuple[ClockState, ...]

    @property
    def name(self) -> str:
        return str(self.record.values["external_id"])

    @property
    def parent(self) -> str | None:
        return parent_of(self.marks)[0]

    @property
    def override(self) -> Override | None:
        mark = set_by_hand(self.marks)
        if mark is None:
            return None
        return Override(self.record.values["level"], mark.by or "", mark.reason or "", mark.at)

    def grade(self) -> Grade | None:
        """What the rules say of its facts, and what a dispatcher made of it; None without facts."""
        given = self.record.values["body"].get("grading")
        if not given:
            return None
        found = grade(facts_of(given), self.policy.grading)
        override = self.override
        return found if override is None else overruled(found, override)


def facts_of(document: Mapping[str, Any]) -> Facts:
    """The facts of a checked document; a decimal counts as it is written."""
    share = document.get("capacity_lost_percent")
    return Facts(
        capacity_lost_percent=None if share is None else Fraction(str(share)),
        machines_down=int(document.get("machines_down") or 0),
        machines_total=document.get("machines_total"),
        core=bool(document.get("core")),
        planned=bool(document.get("planned")),
        continuity=document.get("continuity"),
        repair_seconds=document.get("repair_seconds"),
        skill_level=document.get("skill_level"),
    )


def watched(work: UnitOfWork, records: Sequence[Record]) -> list[Watched]:
    """Work orders with their promises now, in the order given.

    The promises are those of the contract of the order's machine, if it holds on the local day of the opening; else
    those of the house.
    """
    promised = _contracts(work, [record.values for record in records])
    marks = Marks(work).of(record.values["external_id"] for record in records)
    found = []
    for record in records:
        order = record.values
        terms, own = promised[order["external_id"]], tuple(marks.get(order["external_id"], ()))
        opened = _opened_at(order)
        life = None if opened is None else timeline(opened, order["level"], own)
        states = () if life is None else clock_states(life, terms.terms, work.now)
        found.append(Watched(record, terms.contract, terms.policy, terms.terms.zone, own, life, states))
    return found


@dataclass(frozen=True, slots=True)
class _Promised:
    """What is promised for one order: by which contract (None is the house), resolved for its site."""

    contract: str | None
    policy: Policy
    terms: Terms


def _contracts(work: UnitOfWork, orders: Sequence[Mapping[str, Any]]) -> dict[str, _Promised]:
    """By work order what is promised for it; a site or a machine that there is not is left to whoever writes it."""
    zones = {name: ZoneInfo(site["timezone"]) for name, site in _named(work, "site", (o["site"] for o in orders))}
    assets = dict(_named(work, "asset", (order.get("asset") for order in orders)))
    contracts = dict(_named(work, "contract", (asset["contract"] for asset in assets.values())))
    resolved: dict[tuple[str | None, ZoneInfo], _Promised] = {}
    found = {}
    for order in orders:
        zone = zones.get(order["site"], ZoneInfo("UTC"))
        asset = assets.get(order.get("asset") or "")
        name = None if asset is None else asset["contract"]
        if name is not None and not _holds(contracts[name], (_opened_at(order) or work.now).astimezone(zone).date()):
            name = None
        if (name, zone) not in resolved:
            policy = policy_of(None if name is None else contracts[name]["sla"])
            resolved[name, zone] = _Promised(name, policy, policy.terms(zone))
        found[order["external_id"]] = resolved[name, zone]
    return found


def watched_order(work: UnitOfWork, name: str) -> Watched:
    """One work order with its promises.

    Raises:
        NotFound: if there is no such order.
    """
    return watched(work, [Repository(work, "work_order").get(name)])[0]


def with_levels(work: UnitOfWork, changes: Sequence[Change]) -> Sequence[Change]:
    """Work orders that are to be written; those without a level keep the one that somebody set with a reason.

    Else those with facts get the one that the rules give.
    """
    names = [item.values["external_id"] for item in changes if "level" not in item.values]
    if not names:
        return changes
    marks = Marks(work).of(names)
    by_hand = {name for name in names if set_by_hand(marks.get(name, ())) is not None}
    levels = {name: order["level"] for name, order in _named(work, "work_order", by_hand)}
    ungraded = [
        item.values
        for item in changes
        if "level" not in item.values
        and item.values["external_id"] not in levels
        and item.values["body"].get("grading")
    ]
    if ungraded:
        contracts = _contracts(work, ungraded)
        for values in ungraded:
            name = values["external_id"]
            levels[name] = grade(facts_of(values["body"]["grading"]), contracts[name].policy.grading).level
    return [
        replace(item, values={"level": levels[item.values["external_id"]], **item.values})
        if item.values["external_id"] in levels
        else item
        for item in changes
    ]


def orders_of(work: UnitOfWork, territory: str, **where: Any) -> list[Record]:
    """The work orders of a territory by filters of the repository; one that names none belongs where its site does."""
    orders = Repository(work, "work_order")
    found = list(orders.iterate({"territory": territory, **where}))
    homeless = list(orders.iterate({"territory": None, **where}))
    sites = dict(_named(work, "site", (record.values["site"] for record in homeless)))
    found += [record for record in homeless if sites[record.values["site"]]["territory"] == territory]
    return found


def orders_to_watch(work: UnitOfWork, territory: str | None = None) -> list[Record]:
    """The orders with clocks that are unfinished or were changed in the last day; of all territories where none is
    named."""
    recent = {"updated_at": Between(low=work.now - _FINISHED_LATELY)}
    found: dict[str, Record] = {}
    for where in (recent, {"status": UNFINISHED}):
        some = (
            Repository(work, "work_order").iterate(where) if territory is None else orders_of(work, territory, **where)
        )
        # Without an opening there is no clock.
        found |= {record.id: record for record in some if record.values["body"].get("opened_at")}
    return list(found.values())


def promises(work: UnitOfWork, orders: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, str]]:
    """What a planner has to know of unfinished orders: by id the deadlines of the running clocks, and the parents.

    A child is left to its unfinished parent, which has to keep the earliest deadlines of both. Only orders with
    `opened_at` or a link are in the answer.
    """
    names = [order["external_id"] for order in orders]
    marks = Marks(work).of(names)
    linked = {name: parent for name in names if (parent := parent_of(marks.get(name, ()))[0]) is not None}
    open_parents = {
        name for name, order in _named(work, "work_order", linked.values()) if order["status"] in UNFINISHED
    }
    parents = {name: parent for name, parent in linked.items() if parent in open_parents}
    with_clocks = [order["external_id"] for order in orders if order["body"].get("opened_at")]
    due = {item.name: deadlines(item.states) for item in watched(work, list(_records(work, "work_order", with_clocks)))}
    for parent in sorted(set(parents.values())):
        family = [parent, *sorted(child for child, of in parents.items() if of == parent)]
        due[parent] = tightest(due.get(name, {}) for name in family)
    return {name: found for name, found in due.items() if found}, parents


def record_crossings(work: UnitOfWork, orders: Iterable[Watched]) -> list[tuple[str, Crossing]]:
    """Tell the event log what promises came near their end or broke, each threshold of each promise once; what is new.

    The cause is the one that is known now; what is told later of the past changes no event.
    """
    log = EventLog(work)
    found = reached(orders)
    if found:
        log.hold()
    new = [(client_id, *found[client_id]) for client_id in untold(work, found)]
    new.sort(key=lambda item: (item[2].at, item[1], item[2].clock, item[2].percent))
    for client_id, name, item in new:
        payload = {
            "work_order": name,
            "clock": item.clock,
            "percent": item.percent,
            "level": item.level,
            "cause": {"code": item.cause.code, "params": dict(item.cause.params)},
        }
        kind = SLA_BREACHED if item.percent == BREACH else SLA_NEAR_BREACH
        log.append(kind, f"work_order {name}", payload, occurred_at=item.at, client_id=client_id)
    return [(name, item) for _, name, item in new]


def reached(orders: Iterable[Watched]) -> dict[str, tuple[str, Crossing]]:
    """What was reached of promises, each by the id under which the log knows it, with the work order."""
    return {
        f"sla:{order.record.id}:{item.clock}:{item.percent}": (order.name, item)
        for order in orders
        for state in order.states
        for item in state.crossings
    }


def untold(work: UnitOfWork, client_ids: Iterable[str]) -> set[str]:
    """Those of the ids that the log does not know yet."""
    wanted = set(client_ids)
    return wanted - EventLog(work).told(wanted).keys()


def proposed_links(work: UnitOfWork, territory: str) -> list[Link]:
    """The unfinished orders of a territory that are the same fault as another, and are not linked or set apart yet."""
    orders = [
        item for item in watched(work, orders_of(work, territory, status=UNFINISHED)) if item.timeline is not None
    ]
    in_hand = Repository(work, "visit").iterate_among(
        "work_order", (item.name for item in orders), {"status": sorted(IN_HAND)}
    )
    visits = {record.values["work_order"] for record in in_hand}
    settled = {item.name for item in orders if any(mark.kind == "parent" for mark in item.marks)}
    parents = {item.parent for item in orders}
    reported = [
        Reported(
            item.name,
            item.record.values["asset"],
            item.timeline.opened_at,
            item.record.values["level"],
            movable=item.name not in visits and item.name not in parents,
        )
        for item in orders
        if item.record.values["asset"] is not None and item.timeline is not None
    ]
    relations = [
        AssetRelation(values["type"], values["from_asset"], values["to_asset"])
        for record in Repository(work, "asset_relation").iterate()
        for values in (record.values,)
    ]
    return list(links(reported, relations, policy_of(None).link_window_seconds, settled))


def planned_times(work: UnitOfWork, orders: Iterable[str]) -> dict[str, tuple[datetime | None, datetime | None]]:
    """By order the first planned start and the last planned end of its live visits."""
    found: dict[str, tuple[datetime | None, datetime | None]] = {}
    for record in Repository(work, "visit").iterate_among("work_order", orders, {"status": sorted(_LIVE)}):
        visit = record.values
        first, last = found.get(visit["work_order"], (None, None))
        starts = [at for at in (first, visit["planned_start"]) if at is not None]
        ends = [at for at in (last, visit.get("expected_end") or visit["planned_end"]) if at is not None]
        found[visit["work_order"]] = (min(starts, default=None), max(ends, default=None))
    return found


def _opened_at(order: Mapping[str, Any]) -> datetime | None:
    given = order["body"].get("opened_at")
    return None if given is None else datetime.fromisoformat(given).astimezone(UTC)


def _holds(contract: Mapping[str, Any], day: date) -> bool:
    return (contract["starts_on"] or day) <= day <= (contract["ends_on"] or day)


def _named(work: UnitOfWork, kind: str, names: Iterable[str | None]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for record in _records(work, kind, (name for name in names if name is not None)):
        yield record.values["external_id"], record.values


def _records(work: UnitOfWork, kind: str, names: Iterable[str]) -> Iterator[Record]:
    return Repository(work, kind).iterate_among("external_id", names)
