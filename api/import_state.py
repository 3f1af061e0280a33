"""A planning document as records to store: who is sent, what there is to do and where, in an order that can be written.

A document is a question about one day, stored records are what stays. What belongs only to the question is not
stored, and every such thing is named in a notice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.render_text import counted, listed
from dispatcher.validate import LIMITS

Fields = dict[str, Any]

DEFAULT_TERRITORY = "default"
"""Where records belong that name no territory: plans are asked for by territory, so everything needs one."""
WORK_ORDERS = "work-orders"
SITE_FIELDS_KEPT = ("customer", "territory", "name", "timezone", "attributes")


@dataclass(frozen=True, slots=True)
class Collection:
    """Records of one kind; `name` is the collection's name in the interface, `records` are as it takes them.

    `keeps` are the fields that a document cannot speak of: where a record is stored already, they stay as they are.
    A record that is only named by a document, `only_named`, stays as it is altogether.
    """

    name: str
    records: tuple[Fields, ...]
    keeps: tuple[str, ...] = ()
    only_named: bool = False

    def batches(self, size: int) -> Iterator[Sequence[Fields]]:
        """The records in lists of up to `size`, to be written one after the other.

        Work orders that name each other stay in one list, which may be longer therefore: a list is looked at as a
        whole, and names outside it have to be stored already.
        """
        batch: list[Fields] = []
        for group in _groups(self.records) if self.name == WORK_ORDERS else ([record] for record in self.records):
            if batch and len(batch) + len(group) > size:
                yield batch
                batch = []
            batch.extend(group)
        if batch:
            yield batch


@dataclass(frozen=True, slots=True)
class FleetRecords:
    """What a document leaves in the store.

    `collections` are in an order in which every name is stored before it is used. `notices` say what of the document
    is not stored, or not as it was written.
    """

    collections: tuple[Collection, ...]
    notices: tuple[str, ...]


def fleet_records(document: Mapping[str, Any]) -> FleetRecords:
    """The records of a valid problem document."""
    zone = document["timezone"]
    engineers: Sequence[Fields] = document.get("engineers") or []
    orders: Sequence[Fields] = document.get("work_orders") or []
    notices = [*_plan_only(document), *_running(document, orders), *_without_territory(engineers, orders)]
    assets, moved = _assets(orders)
    if moved:
        notices.append(f"Assets named at several places are stored at the first one: {listed(moved)}.")
    lost = [name for name, place in (document.get("locations") or {}).items() if place.get("lat") is None]
    if lost:
        notices.append(
            f"{len(lost)} locations have no coordinates, which planning from the store needs: {listed(lost)}."
        )
    territories = dict.fromkeys(_territory(item) for item in (*engineers, *orders))
    skills = _skill_names(document, engineers, orders)
    work = tuple(_work_order(order, _now(document)) for order in orders)
    collections = (
        Collection("territories", tuple({"id": name, "timezone": zone} for name in territories), only_named=True),
        Collection("sites", tuple(_sites(document, orders)), keeps=SITE_FIELDS_KEPT),
        Collection("assets", tuple(assets), only_named=True),
        Collection("skills", tuple({"id": name} for name in skills), only_named=True),
        Collection("skill-relations", tuple(_relations(document))),
        Collection("engineers", tuple(_engineer(engineer) for engineer in engineers)),
        Collection("shifts", tuple(_shifts(engineers, ZoneInfo(zone))), keeps=("status",)),
        Collection(WORK_ORDERS, work, keeps=("status",)),
    )
    return FleetRecords(tuple(kind for kind in collections if kind.records), tuple(notices))


def _sites(document: Mapping[str, Any], orders: Sequence[Fields]) -> Iterator[Fields]:
    """Every location; one where all work belongs to one territory belongs to it as well."""
    at: dict[str, set[str]] = {}
    for order in orders:
        at.setdefault(order["location"], set()).add(_territory(order))
    for name, place in (document.get("locations") or {}).items():
        site = {"id": name, "timezone": document["timezone"], "lat": place.get("lat"), "lon": place.get("lon")}
        if len(at.get(name, ())) == 1:
            (site["territory"],) = at[name]
        yield _given(site)


def _assets(orders: Sequence[Fields]) -> tuple[list[Fields], list[str]]:
    """The machines that orders name, each where the first of its orders is; and those that were elsewhere too."""
    places: dict[str, dict[str, None]] = {}
    for order in orders:
        if order.get("asset"):
            places.setdefault(order["asset"], {})[order["location"]] = None
    assets = [{"id": name, "site": next(iter(sites))} for name, sites in places.items()]
    return assets, [name for name, sites in places.items() if len(sites) > 1]


def _skill_names(document: Mapping[str, Any], engineers: Sequence[Fields], orders: Sequence[Fields]) -> dict[str, None]:
    """Every skill there is, those included that are only flat tags."""
    names = dict.fromkeys(skill["id"] for skill in (document.get("skill_graph") or {}).get("skills") or ())
    for engineer in engineers:
        names |= dict.fromkeys(held["skill"] for held in engineer.get("skills") or ())
        names |= dict.fromkeys(engineer.get("duration_factors") or ())
        names |= dict.fromkeys(engineer.get("fix_probability") or ())
    for order in orders:
        team = order.get("team") or {}
        wanted = [order.get("required_skills"), team.get("collective_skills")]
        wanted += [role.get("required_skills") for role in team.get("roles") or ()]
        names |= dict.fromkeys(required["skill"] for skills in wanted for required in skills or ())
    return names


def _relations(document: Mapping[str, Any]) -> Iterator[Fields]:
    """The relations of the graph, known by what they say: the same relation has the same id in every document."""
    seen: dict[str, int] = {}
    for relation in (document.get("skill_graph") or {}).get("relations") or ():
        name = f"{relation['type']}:{relation['from']}:{relation['to']}"
        if len(name) > LIMITS.id_length - 10:
            name = f"{relation['type']}:{hashlib.sha256(name.encode()).hexdigest()}"
        seen[name] = seen.get(name, 0) + 1
        number = "" if seen[name] == 1 else f":{seen[name]}"
        yield {"id": name + number, **_given(relation)}


def _engineer(engineer: Fields) -> Fields:
    return {**_given(engineer, but=("shifts",)), "territory": _territory(engineer)}


def _shifts(engineers: Sequence[Fields], zone: ZoneInfo) -> Iterator[Fields]:
    for engineer in engineers:
        for shift in engineer.get("shifts") or ():
            fields = _given(shift)
            # The one null that says something: the route ends where the last work is.
            if "end_location" in shift:
                fields["end_location"] = shift["end_location"]
            day = datetime.fromisoformat(shift["start"]).astimezone(zone).date()
            yield {"engineer": engineer["id"], "date": day.isoformat(), **fields}


def _work_order(order: Fields, now: datetime) -> Fields:
    dropped = ("pin",) if _is_running(order, now) else ()
    return {**_given(order, but=dropped), "territory": _territory(order)}


def _territory(item: Fields) -> str:
    return item.get("territory") or DEFAULT_TERRITORY


def _now(document: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(document.get("now") or document["horizon"]["start"])


def _is_running(order: Fields, now: datetime) -> bool:
    start = (order.get("pin") or {}).get("start")
    return start is not None and datetime.fromisoformat(start) < now


def _given(item: Fields, but: Iterable[str] = ()) -> Fields:
    """The fields that say something."""
    return {name: value for name, value in item.items() if value is not None and name not in but}


def _plan_only(document: Mapping[str, Any]) -> Iterator[str]:
    parts = [name for name in ("now", "travel", "objective", "solve") if document.get(name)]
    if parts:
        yield f"Not stored, since they belong to one plan and not to the fleet: {', '.join(parts)}."
    if (document.get("travel") or {}).get("kind") == "matrix":
        yield "The travel matrix is not stored: plans from the store measure distances by coordinates."
    if document.get("current_plan"):
        yield "The current plan is not stored: accept a plan on the server to put it in force."
    if document.get("attributes"):
        yield "The attributes of the document itself are not stored."


def _running(document: Mapping[str, Any], orders: Sequence[Fields]) -> Iterator[str]:
    now = _now(document)
    running = [order["id"] for order in orders if _is_running(order, now)]
    if running:
        yield (
            f"{counted(len(running), 'work order')} stored as open although somebody is at work there: "
            f"{listed(running)}. Report that as visits."
        )


def _without_territory(engineers: Sequence[Fields], orders: Sequence[Fields]) -> Iterator[str]:
    for what, items in (("engineer", engineers), ("work order", orders)):
        homeless = [item["id"] for item in items if not item.get("territory")]
        if homeless:
            belong = "belongs" if len(homeless) == 1 else "belong"
            number = counted(len(homeless), what)
            yield f"{number} without a territory now {belong} to {DEFAULT_TERRITORY}: {listed(homeless)}."


def key_of(record: Mapping[str, Any]) -> tuple[str, str]:
    """What a record of a collection is known by; a shift only together with its engineer."""
    return record.get("engineer", ""), record["id"]


def _groups(records: Sequence[Fields]) -> Iterator[list[Fields]]:
    """Records that name each other, directly or through others, in the order of the first of each group."""
    leader = {record["id"]: record["id"] for record in records}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for record in records:
        others = [
            *(record.get("related_to") or ()),
            *(item.get("work_order") for item in record.get("depends_on") or ()),
        ]
        for other in others:
            if other in leader:
                leader[find(other)] = find(record["id"])
    groups: dict[str, list[Fields]] = {}
    for record in records:
        groups.setdefault(find(record["id"]), []).append(record)
    yield from groups.values()
