"""What is stored about territories on dates, as a problem document.

A pure function over plain values: `StoredState` holds the fields of records by the caller's ids, as
`data.repositories.Record.values` gives them. docs/api-runs.md says in words what becomes of what.

- A work order is part of the problem when it is still to be done, can be done on these dates and is not in other
  hands; the document's attribute `left_out` says of every other unfinished one why not (`LEFT_OUT`).
- Visits say what is fixed: work under way is pinned with its start, a visit that its engineer accepted without one.
- Nothing is made up and nothing is forgiven: what the format refuses is found by the check of the document.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.services.state_assets import needs_of_assets
from dispatcher.services.state_orders import OrderWriter, Promises
from dispatcher.services.state_travel import slowed
from dispatcher.services.state_values import DEFAULT_TRAVEL, Span, Values, text_of
from dispatcher.services.state_visits import Day, begins_at

__all__ = ["LEFT_OUT", "PlanQuestion", "StoredState", "problem_document"]

LEFT_OUT: Mapping[str, str] = {
    "other_dates": "outside the dates of the plan, by its time windows",
    "in_other_hands": "planned or under way in a shift that is not part of the plan",
    "under_way": "under way, and no visit says by whom",
    "linked": "the same fault as another unfinished order, and waits with that one",
}
"""Why an unfinished work order of the territories is not part of a problem: what follows "it is"."""


@dataclass(frozen=True, slots=True)
class PlanQuestion:
    """What a plan is asked for: territories on local dates, with how to travel and what counts.

    `id` becomes the problem's; `travel` and `objective` are those of the planning document.
    """

    id: str
    territories: Sequence[str]
    dates: Sequence[date]
    travel: Mapping[str, Any] | None = None
    objective: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StoredState:
    """Stored records, each as its fields by the caller's ids; instants are aware datetimes.

    `engineers` are those of the territories and all that others here name; `shifts` all of theirs that matter, on
    the dates or not. `work_orders` are the unfinished ones of the territories, `other_orders` those that they depend on
    and those that `visits` name beside them. `visits` are those of all these orders, and what the engineers finished
    in shifts of the dates. `finished_at` says when an order was done where no visit does. `routes_in_force` and
    `teams_in_force` are of plan documents. `assets` are those that orders name, `asset_models` theirs. `promised` are
    by order the deadlines that its clocks ask for, `parents` the unfinished orders that others wait with.
    """

    territories: Sequence[Values]
    skills: Sequence[Values] = ()
    skill_relations: Sequence[Values] = ()
    sites: Sequence[Values] = ()
    engineers: Sequence[Values] = ()
    shifts: Sequence[Values] = ()
    work_orders: Sequence[Values] = ()
    other_orders: Sequence[Values] = ()
    visits: Sequence[Values] = ()
    finished_at: Mapping[str, datetime] = field(default_factory=dict)
    routes_in_force: Sequence[Mapping[str, Any]] = ()
    teams_in_force: Sequence[Mapping[str, Any]] = ()
    assets: Sequence[Values] = ()
    asset_models: Sequence[Values] = ()
    promised: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)


def problem_document(state: StoredState, question: PlanQuestion, now: datetime) -> dict[str, Any]:
    """The problem of the stored state at an instant; the same for the same records in any order.

    The zone is that of the first territory asked for. The horizon reaches from the first beginning to the last end
    of the dates in the zones of the territories, and as far as their shifts.
    """
    return _Snapshot(state, question, now.astimezone(UTC).replace(microsecond=0)).document()


class _Snapshot:
    def __init__(self, state: StoredState, question: PlanQuestion, now: datetime) -> None:
        self._state, self._question, self._now = state, question, now
        zones = {item["external_id"]: ZoneInfo(item["timezone"]) for item in state.territories}
        self._zone = zones[question.territories[0]]
        self._dates = frozenset(question.dates)
        self._home = frozenset(
            item["external_id"] for item in state.engineers if item["territory"] in set(question.territories)
        )
        self._orders = {item["external_id"]: item for item in (*state.other_orders, *state.work_orders)}
        self._day = Day(state.shifts, state.visits, self._orders, self._is_asked_for, self._now)
        days = [
            bound
            for zone in zones.values()
            for day in self._dates
            for bound in (_midnight(day, zone), _midnight(day + timedelta(days=1), zone))
        ]
        shifts = [instant for item in self._day.shifts for instant in (item["start"], item["latest_end"])]
        self._horizon = Span.around([*days, *shifts])

    def document(self) -> dict[str, Any]:
        needs = needs_of_assets(self._state.assets, self._state.asset_models)
        promises = Promises(self._state.promised, self._state.parents)
        writer = OrderWriter(
            self._day, self._orders, self._state.finished_at, self._horizon, self._now, self._zone, needs, promises
        )
        unfinished = _sorted(self._state.work_orders)
        reasons = {order["external_id"]: writer.left_out(order) for order in unfinished}
        known = {name for name, reason in reasons.items() if reason is None}
        orders = [writer.order(order, known) for order in unfinished if order["external_id"] in known]
        shifts: dict[str, list[dict[str, Any]]] = {}
        for shift in self._day.shifts:
            shifts.setdefault(shift["engineer"], []).append(self._shift(shift))
        named = set(_engineers_named(orders))
        engineers = [
            self._engineer(item, shifts.get(item["external_id"], []))
            for item in _sorted(self._state.engineers)
            if item["external_id"] in self._home or item["external_id"] in named
        ]
        document: dict[str, Any] = {
            "version": 1,
            "id": self._question.id,
            "timezone": self._zone.key,
            "now": self._text(self._now),
            "horizon": {"start": self._text(self._horizon.start), "end": self._text(self._horizon.end)},
            "locations": self._locations(engineers, orders),
            "engineers": engineers,
            "work_orders": orders,
            "travel": slowed(
                self._question.travel or DEFAULT_TRAVEL,
                self._state.territories,
                self._question.dates,
                self._now,
                self._zone,
            ),
        }
        if self._state.skills:
            document["skill_graph"] = self._skill_graph()
        if self._question.objective:
            document["objective"] = dict(self._question.objective)
        current = _current_plan(self._state.routes_in_force, self._state.teams_in_force, shifts, known)
        if current:
            document["current_plan"] = current
        left_out = {name: reason for name, reason in reasons.items() if reason is not None}
        if left_out:
            document["attributes"] = {"left_out": left_out}
        return document

    def _is_asked_for(self, shift: Values) -> bool:
        return shift["engineer"] in self._home and shift["local_date"] in self._dates

    def _text(self, instant: datetime) -> str:
        return text_of(instant, self._zone)

    def _locations(
        self, engineers: Iterable[Mapping[str, Any]], orders: Iterable[Mapping[str, Any]]
    ) -> dict[str, dict[str, float]]:
        used = {order["location"] for order in orders}
        for engineer in engineers:
            for shift in engineer["shifts"]:
                used.update(shift.get(key) for key in ("start_location", "end_location"))
        return {
            site["external_id"]: {
                name: site[column]
                for name, column in (("lat", "latitude"), ("lon", "longitude"))
                if site[column] is not None
            }
            for site in _sorted(self._state.sites)
            if site["external_id"] in used
        }

    def _skill_graph(self) -> dict[str, Any]:
        return {
            "skills": [{"id": skill["external_id"]} for skill in _sorted(self._state.skills)],
            "relations": [
                {
                    "type": relation["type"],
                    "from": relation["from_skill"],
                    "to": relation["to_skill"],
                    **relation["body"],
                }
                for relation in _sorted(self._state.skill_relations)
            ],
        }

    def _engineer(self, engineer: Values, shifts: Sequence[dict[str, Any]]) -> dict[str, Any]:
        # A name is nothing that planning needs, and snapshots are kept as long as their plans.
        document = {"id": engineer["external_id"], **engineer["body"], "shifts": list(shifts)}
        if engineer["territory"] is not None:
            document["territory"] = engineer["territory"]
        return document

    def _shift(self, shift: Values) -> dict[str, Any]:
        """What is left of a shift: it begins where the engineer finished work, and after work that others stand for."""
        key = (shift["engineer"], shift["external_id"])
        start = begins_at(shift)
        document = {
            "id": shift["external_id"],
            "start": self._text(start),
            # A shift has to end after it starts; up to its latest end that is overtime.
            "end": self._text(shift["end"] if start < shift["end"] else start + timedelta(seconds=1)),
            "latest_end": self._text(shift["latest_end"]),
            **shift["body"],
        }
        finished = self._day.finished_in(key)
        place = self._site(finished[-1]["work_order"]) if finished else None
        if finished and document.get("max_work_orders") is not None:
            document["max_work_orders"] = max(0, document["max_work_orders"] - len(finished))
        helping = self._day.helping_in(key)
        if helping:
            order, work = max(helping, key=lambda item: (item[1].end, item[0]))
            place = self._site(order)
            document["start"] = self._text(max(work.end, start))
            document["end"] = self._text(
                max(work.end + timedelta(seconds=1), start + timedelta(seconds=1), shift["end"])
            )
        if place is not None and place != document.get("start_location"):
            document.setdefault("end_location", document.get("start_location"))
            document["start_location"] = place
        return document

    def _site(self, order: str) -> str | None:
        found = self._orders.get(order)
        return None if found is None else str(found["site"])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _sorted(items: Iterable[Values]) -> list[Values]:
    return sorted(items, key=lambda item: str(item["external_id"]))


def _engineers_named(orders: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for order in orders:
        for key in ("allowed_engineers", "excluded_engineers", "preferred_engineers"):
            yield from order.get(key) or ()
        if order.get("pin"):
            yield order["pin"]["engineer"]


def _current_plan(
    routes: Sequence[Mapping[str, Any]],
    teams: Sequence[Mapping[str, Any]],
    shifts: Mapping[str, Sequence[Mapping[str, Any]]],
    orders: Collection[str],
) -> dict[str, Any] | None:
    """What is left of the routes and teams in force: of shifts and orders that the problem has."""
    known = {(engineer, shift["id"]) for engineer, items in shifts.items() for shift in items}
    kept = []
    for route in sorted(routes, key=lambda item: (str(item["engineer"]), str(item["shift"]))):
        stops = [
            stop for stop in route.get("stops") or () if stop["kind"] != "work_order" or stop["work_order"] in orders
        ]
        if (route["engineer"], route["shift"]) in known and any(stop["kind"] == "work_order" for stop in stops):
            kept.append({"engineer": route["engineer"], "shift": route["shift"], "stops": stops})
    if not kept:
        return None
    known_teams = [team for team in teams if team["work_order"] in orders]
    return {"version": 1, "routes": kept} | ({"teams": known_teams} if known_teams else {})
