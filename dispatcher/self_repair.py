"""When a running plan is repaired without anybody asking, and what of a repair may be put in force by itself.

Pure functions over plan documents and events of the log. A need is judged by the state and not by the event that led
to it: looked at twice, the same is found, and nothing is forgotten by a process that ended in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dispatcher.difference import Difference, difference
from dispatcher.event_names import ORDER_LINKED, PLAN_ACCEPTED, SLA_BREACHED, SLA_NEAR_BREACH
from dispatcher.event_values import GRADED_LEVEL
from dispatcher.events import RECORDS_CHANGED
from dispatcher.model import URGENT
from dispatcher.reasons import worded

Mode = Literal["off", "propose", "insert", "apply"]
"""What happens where a plan needs repair: nothing, a proposal, an insertion that nobody else feels (else a proposal),
or whatever the repair finds."""
Document = Mapping[str, Any]

NEEDS: Mapping[str, str] = {
    "UNSERVED": "nobody is planned for {work_order} ({level})",
    "LOST": "{work_order} ({level}) was planned, and cannot be done as planned any more",
    "LATE": "{work_order} ({level}) would be {late} late",
}
"""What a plan needs repair for, with its wording."""

PRINCIPAL = "muster"
"""Who does in the log what nobody asked for."""

HELPED_SECONDS = 60
"""An order that is late by less than so much less is not helped."""

_CONCERNING = frozenset(
    {
        "order_opened",
        "order_regraded",
        "order_edited",
        "order_cancelled",
        "engineer_late",
        "engineer_off_sick",
        "engineer_back",
        PLAN_ACCEPTED,
        ORDER_LINKED,
        "visit_arrived",
        "visit_paused",
        "visit_resumed",
        "visit_finished",
        "visit_running_longer",
        "visit_failed",
        "travel_slower",
    }
)
_CROSSINGS = frozenset({SLA_NEAR_BREACH, SLA_BREACHED})
# Nobody answers sooner because somebody else drives.
_CLOCKS = frozenset({"consult", "arrive", "restore"})


@dataclass(frozen=True, slots=True)
class Need:
    """One order of a running plan that a repair may help."""

    code: str
    work_order: str
    level: str
    late_seconds: int = 0

    @property
    def message(self) -> str:
        params = {"work_order": self.work_order, "level": self.level, "late_seconds": self.late_seconds}
        return worded(NEEDS[self.code], params)


def concerns(kind: str, body: Document) -> bool:
    """Whether a running plan may need repair after an event of the log."""
    if kind in _CROSSINGS:
        return str(body["clock"]) in _CLOCKS
    if kind == RECORDS_CHANGED:
        return str(body["kind"]) != "engineer_position"
    return kind in _CONCERNING


def is_pressing(kind: str, body: Document) -> bool:
    """Whether an event that concerns running plans cannot wait: an L1 or L2 came up, an order was set apart
    from the fault it waited with, or somebody fell ill."""
    if kind == "engineer_off_sick":
        return True
    if kind == ORDER_LINKED:
        return body["parent"] is None
    if kind in ("order_opened", "order_edited"):
        told = body.get("order") or body.get("changes") or {}
        return (body.get(GRADED_LEVEL) or told.get("level")) in URGENT
    if kind == "order_regraded":
        return str(body["level"]) in URGENT
    if kind != RECORDS_CHANGED:
        return False
    written: Sequence[Document] = body.get("written") or ()
    if body["kind"] == "shift":
        return any(item.get("status") == "cancelled" for item in written)
    return body["kind"] == "work_order" and any(
        item.get("status", "open") == "open" and item.get("level") in URGENT for item in written
    )


def changes_orders(kind: str, body: Document) -> bool:
    """Whether an event tells orders as they are: new, or about another machine."""
    return kind in ("order_opened", "order_edited") or (kind == RECORDS_CHANGED and body["kind"] == "work_order")


def needs(in_force: tuple[Document, Document], running: tuple[Document, Document]) -> tuple[Need, ...]:
    """What is wrong with a running plan: the L1 and L2 orders that nobody has, the orders that the plan in force
    served and that cannot be done so any more, and those that would be later than it said; the gravest first.

    Args:
        in_force: the plan in force with its problem, as it was accepted.
        running: what is left of it with the problem as of now.
    """
    problem, plan = running
    orders = {order["id"]: order for order in problem.get("work_orders") or ()}
    found: dict[str, Need] = {}
    for change in difference(in_force, running).orders:
        if change.kind == "dropped":
            found[change.work_order] = Need("LOST", change.work_order, change.level)
            continue
        more = change.late_after_seconds - change.late_before_seconds
        if change.kind == "retimed" and more >= HELPED_SECONDS and not _is_held(orders[change.work_order]):
            found[change.work_order] = Need("LATE", change.work_order, change.level, change.late_after_seconds)
    for item in plan.get("unassigned") or ():
        level = orders[item["work_order"]].get("level") or "L4"
        if level in URGENT:
            found.setdefault(item["work_order"], Need("UNSERVED", item["work_order"], level))
    return tuple(sorted(found.values(), key=lambda need: (need.level, need.code == "LATE", need.work_order)))


def helps(found: Difference, need: Need) -> bool:
    """Whether a repair does something for an order: somebody comes, or comes less late."""
    return any(
        change.kind == "placed" or change.late_before_seconds - change.late_after_seconds >= HELPED_SECONDS
        for change in found.orders
        if change.work_order == need.work_order
    )


def harms_nobody(found: Difference, wanted: Iterable[Need]) -> bool:
    """Whether a repair only places orders of these: no other changes hands, goes undone, or is later than promised by
    more than before. Its start may move within what was promised."""
    names = {need.work_order for need in wanted}
    return all(
        (change.kind == "placed" and change.work_order in names)
        or (change.kind == "retimed" and change.late_after_seconds <= change.late_before_seconds)
        for change in found.orders
    )


def _is_held(order: Document) -> bool:
    """Whether its start is fixed: it runs, or is pinned to an instant."""
    return (order.get("pin") or {}).get("start") is not None
