"""What happened to work orders, for their clocks: marks are appended and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy import insert, select

from data.orm import Base, WorkOrder, WorkOrderMark
from data.repositories.lookup import chunks
from data.session import UnitOfWork
from dispatcher.sla.history import Mark, MarkKind, parent_of

_MARK = Base.metadata.tables[WorkOrderMark.__tablename__]
_ORDER = Base.metadata.tables[WorkOrder.__tablename__]


def write_marks(work: UnitOfWork, marks: Sequence[tuple[str, Mark]]) -> None:
    """Append marks, each with the internal id of its work order; those of a parent go through `Marks.link`."""
    rows = [
        {
            **work.bookkeeping(),
            "work_order_id": order_id,
            "at": mark.at,
            "kind": mark.kind,
            "value": mark.value,
            "before": mark.before,
            "parent_id": None,
            "reason": mark.reason,
        }
        for order_id, mark in marks
    ]
    if rows:
        work.session.execute(insert(_MARK), rows)


class Marks:
    """The marks of the tenant whose unit of work it is."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def of(self, orders: Iterable[str]) -> dict[str, list[Mark]]:
        """The marks of work orders by the callers' ids, in the order in which they were written."""
        found: dict[str, list[Mark]] = {}
        parents = _ORDER.alias("parent")
        query = (
            select(_MARK, _ORDER.c.external_id.label("order"), parents.c.external_id.label("parent"))
            .join(_ORDER, (_ORDER.c.tenant_id == _MARK.c.tenant_id) & (_ORDER.c.id == _MARK.c.work_order_id))
            .outerjoin(parents, (parents.c.tenant_id == _MARK.c.tenant_id) & (parents.c.id == _MARK.c.parent_id))
            .where(_MARK.c.tenant_id == self._work.tenant_id)
            .order_by(_MARK.c.id)
        )
        for chunk in chunks(sorted(set(orders))):
            for row in self._work.session.execute(query.where(_ORDER.c.external_id.in_(chunk))):
                kind = cast("MarkKind", row.kind)
                mark = Mark(row.at, kind, row.value, row.before, row.parent, row.reason, row.updated_by)
                found.setdefault(row.order, []).append(mark)
        return found

    def children(self, parent: str) -> list[str]:
        """The orders that wait with this one, by the callers' ids."""
        parents = _ORDER.alias("parent")
        query = (
            select(_ORDER.c.external_id)
            .join(_MARK, (_ORDER.c.tenant_id == _MARK.c.tenant_id) & (_ORDER.c.id == _MARK.c.work_order_id))
            .join(parents, (parents.c.tenant_id == _MARK.c.tenant_id) & (parents.c.id == _MARK.c.parent_id))
            .where(_MARK.c.tenant_id == self._work.tenant_id, parents.c.external_id == parent)
        )
        marks = self.of(self._work.session.scalars(query))
        return sorted(name for name, own in marks.items() if parent_of(own)[0] == parent)

    def tell(self, order_id: str, mark: Mark) -> None:
        """Append a mark to a work order (its internal id)."""
        write_marks(self._work, [(order_id, mark)])

    def link(self, order_id: str, parent_id: str | None) -> None:
        """From now on an order waits with its parent (internal ids); without one it stands alone, for good."""
        self._work.add(
            WorkOrderMark,
            work_order_id=order_id,
            at=self._work.now,
            kind="parent",
            value=None,
            before=None,
            parent_id=parent_id,
            reason=self._work.actor.reason,
        )
