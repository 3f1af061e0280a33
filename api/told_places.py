"""Where the events of the log belong: what they name, and the territories of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.event_log import EventRecord
from data.repositories import Repository
from data.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class Named:
    """The records that events name, by the callers' ids; also such as are deleted."""

    orders: frozenset[str] = frozenset()
    engineers: frozenset[str] = frozenset()
    territories: frozenset[str] = frozenset()

    @classmethod
    def union(cls, several: Sequence[Named]) -> Named:
        """What any of these names."""
        return cls(
            frozenset().union(*(one.orders for one in several)),
            frozenset().union(*(one.engineers for one in several)),
            frozenset().union(*(one.territories for one in several)),
        )


def named_in(event: EventRecord) -> Named:
    """What one event of the log names."""
    body, kind = event.payload, event.payload.get("kind")
    written, deleted = body.get("written") or (), body.get("deleted") or ()
    told = [body, *written]
    orders = {item["work_order"] for item in told if "work_order" in item}
    if body.get("parent") is not None:
        orders.add(body["parent"])
    engineers = {item["engineer"] for item in told if "engineer" in item}
    territories = {scope["territory"] for scope in body.get("scopes") or ()}
    if "territory" in body:
        territories.add(body["territory"])
    if "order" in body:
        orders.add(body["order"]["id"])
    if kind == "work_order":
        orders |= {item["id"] for item in written} | {key[0] for key in deleted}
    if kind == "territory":
        territories |= {item["id"] for item in written}
    if kind == "shift":
        engineers |= {key[0] for key in deleted}
    return Named(frozenset(orders), frozenset(engineers), frozenset(territories))


def territories_of(work: UnitOfWork, named: Named) -> set[str]:
    """The territories of orders (or their sites) and of engineers, beside those that are named themselves."""
    found, sites = set(named.territories), set[str]()
    for values in _records(work, "work_order", named.orders):
        if values["territory"] is None:
            sites.add(values["site"])
        else:
            found.add(values["territory"])
    homes = (*_records(work, "site", sites), *_records(work, "engineer", named.engineers))
    return found | {values["territory"] for values in homes if values["territory"] is not None}


def _records(work: UnitOfWork, kind: str, names: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    return (record.values for record in Repository(work, kind).iterate_among("external_id", names))
