"""Orders that look like one fault, linked as they come in as far as the policy of the house lets it; else offered."""

from __future__ import annotations

from collections.abc import Mapping

from api.sla_state import proposed_links, untold
from data.event_log import EventLog
from data.repositories import Marks, Record, Repository
from data.session import Database, UnitOfWork
from dispatcher.actor import Actor
from dispatcher.event_names import LINK_PROPOSED, ORDER_LINKED
from dispatcher.model import LEVELS
from dispatcher.sla.linking import Link


def see_to_links(database: Database, actor: Actor, territory: str, *, by_itself: bool) -> list[Link]:
    """Link the orders of a territory that are one fault, `by_itself` where that takes nothing from anybody: the child
    is open and no more urgent than its parent. The others are offered in the log, each pair once. What is new.

    Raises:
        Contention, Unavailable
    """
    with database.read(actor) as work:
        if not _new(work, territory):
            return []
    with database.write(actor) as work:
        EventLog(work).hold()
        new = _new(work, territory)
        for client_id, (link, child, parent) in new.items():
            if by_itself and _takes_nothing(child, parent):
                tell_link(work, child, parent, link)
            else:
                EventLog(work).append(LINK_PROPOSED, f"work_order {link.child}", _body(link), client_id=client_id)
        return [link for link, _, _ in new.values()]


def tell_link(work: UnitOfWork, child: Record, parent: Record | None, link: Link | None = None) -> None:
    """From now on an order waits with its parent, or stands alone, and the log says so."""
    Marks(work).link(child.id, None if parent is None else parent.id)
    name = child.values["external_id"]
    alone = {"work_order": name, "parent": None if parent is None else parent.values["external_id"], "reason": None}
    EventLog(work).append(ORDER_LINKED, f"work_order {name}", alone if link is None else _body(link))


def _body(link: Link) -> Mapping[str, object]:
    reason = {"code": link.reason.code, "params": dict(link.reason.params), "message": link.reason.message}
    return {"work_order": link.child, "parent": link.parent, "reason": reason}


def _new(work: UnitOfWork, territory: str) -> dict[str, tuple[Link, Record, Record]]:
    """Pairs that were not offered before, by the id under which the log knows the offer."""
    found = {}
    orders = Repository(work, "work_order")
    for link in proposed_links(work, territory):
        child, parent = orders.get(link.child), orders.get(link.parent)
        found[f"link:{child.id}:{parent.id}"] = link, child, parent
    return {client_id: found[client_id] for client_id in sorted(untold(work, found))}


def _takes_nothing(child: Record, parent: Record) -> bool:
    level, other = (LEVELS.index(record.values["level"]) for record in (child, parent))
    return child.values["status"] == "open" and level >= other
