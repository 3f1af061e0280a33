"""One repository for every kind of record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, insert, update

from data.orm import Base, Mention
from data.orm_base import canonical_sha256
from data.repositories.bodies import Naming
from data.repositories.lookup import Key, among, chunks, ids_of, users_of
from data.repositories.marks import write_marks
from data.repositories.records import (
    MAX_PAGE,
    Between,
    Change,
    Page,
    Record,
    Written,
    cursor_after,
    page_size,
    position_of,
    storable,
)
from data.repositories.resources import RESOURCES, default_of
from data.session import UnitOfWork
from dispatcher.errors import (
    InUse,
    InvalidInput,
    Issue,
    NamedRecord,
    NotFound,
    RecordKey,
    Stale,
    StaleRecord,
    UnknownReference,
    path_text,
)
from dispatcher.sla.history import Mark, marks_of_order, marks_of_visit

_NAMED_USERS = 10
_MENTION = Base.metadata.tables[Mention.__tablename__]


class Repository:
    """The records of one kind, of the tenant whose unit of work it is.

    `Repository(work, "site").get("S1")`; the kinds and their fields are in `RESOURCES`. What a caller may filter
    by and how values look is the business of the layer above: a field that does not exist is a ValueError.
    """

    def __init__(self, work: UnitOfWork, kind: str) -> None:
        self._work = work
        self._resource = RESOURCES[kind]

    def get(self, *key: str) -> Record:
        """A record by the caller's key.

        Raises:
            NotFound: if there is none.
        """
        found = self._stored([key])
        if key not in found:
            raise NotFound(self._name(key))
        return found[key]

    def page(
        self, where: Mapping[str, Any] | None = None, *, after: str | None = None, limit: int = 100
    ) -> Page[Record]:
        """Up to `limit` (at most MAX_PAGE) records in the order of their key, from the place of a cursor on.

        `where` maps fields to a value, a collection of values, or a `Between`; all of them must hold.

        Raises:
            BadCursor: for a cursor that no such list gave out.
        """
        limit = page_size(limit)
        order = self._resource.table.c[self._resource.order]
        query = self._select(where or {}).order_by(order).limit(limit + 1)
        if after is not None:
            query = query.where(order > position_of(after, self._resource.kind))
        rows = [self._resource.record(row) for row in self._work.session.execute(query)]
        if len(rows) <= limit:
            return Page(tuple(rows), None)
        last = rows[limit - 1]
        position = last.id if self._resource.order == "id" else last.values["external_id"]
        return Page(tuple(rows[:limit]), cursor_after(self._resource.kind, position))

    def iterate(self, where: Mapping[str, Any] | None = None) -> Iterator[Record]:
        """All records, page by page: memory for one page, however many there are."""
        cursor: str | None = None
        while True:
            page = self.page(where, after=cursor, limit=MAX_PAGE)
            yield from page.items
            cursor = page.next
            if cursor is None:
                return

    def iterate_among(
        self, field: str, values: Iterable[str], where: Mapping[str, Any] | None = None
    ) -> Iterator[Record]:
        """All records whose field is one of so many values as there may be."""
        for chunk in chunks(sorted(set(values))):
            yield from self.iterate({field: chunk, **(where or {})})

    def upsert(self, changes: Sequence[Change]) -> Sequence[Written]:
        """Create or replace records, all or none; the answer is in the order of the changes.

        Raises:
            InvalidInput: if two changes are for the same record.
            Stale: if versions were given that are not those stored, with all of them.
            UnknownReference: if fields or bodies name what there is not, with all of it.
        """
        with self._work.session.begin_nested():
            self._refuse_repeated(changes)
            stored = self._stored([self._key(change) for change in changes], lock=True)
            self._refuse_stale(changes, stored)
            # Sorted, so that two who write the same records wait for each other in turn.
            order = sorted(range(len(changes)), key=lambda position: self._key(changes[position]))
            values = self._completed(changes)
            columns = self._columns(values)
            new, changed, results = [], [], dict[int, Written]()
            for position in order:
                record = stored.get(self._key(changes[position]))
                if record is None:
                    row = {**self._work.bookkeeping(), **columns[position]}
                    new.append(row)
                    results[position] = Written(row["id"], 1, "created")
                elif _same(record.values, values[position]):
                    results[position] = Written(record.id, record.version, "unchanged")
                else:
                    changed.append({"row_id": record.id, **columns[position]})
                    results[position] = Written(record.id, record.version + 1, "updated")
            self._insert(new)
            self._update(changed)
            written = [i for i in order if results[i].outcome != "unchanged"]
            self._name_again([(results[i].id, values[i]) for i in written])
            self._mark([(i, stored.get(self._key(changes[i]))) for i in written], results, values, columns)
        return [results[position] for position in range(len(changes))]

    def delete(self, *key: str, version: int | None = None) -> None:
        """Remove a record, with what is only a part of it.

        Raises:
            NotFound: if there is none.
            Stale: if a version is given that is not the one stored.
            InUse: if others refer to it.
        """
        name = self._name(key)
        record = self._stored([key], lock=True).get(key)
        if record is None:
            raise NotFound(name)
        if version is not None and version != record.version:
            raise Stale([StaleRecord(name, version, record.version)])
        users = users_of(self._work, self._resource.table, record.id, _NAMED_USERS + 1)
        if users:
            raise InUse(name, users[:_NAMED_USERS], more=len(users) > _NAMED_USERS)
        table = self._resource.table
        self._work.session.execute(
            delete(table).where(table.c.tenant_id == self._work.tenant_id, table.c.id == record.id)
        )

    def _name(self, key: Key) -> RecordKey:
        return RecordKey(self._resource.kind, key)

    def _key(self, change: Change) -> Key:
        return self._resource.key_of(change.values)

    def _select(self, where: Mapping[str, Any]) -> Select[Any]:
        query = self._resource.select_records().where(self._resource.table.c.tenant_id == self._work.tenant_id)
        return query.where(*(_condition(self._resource.value(name), wanted) for name, wanted in where.items()))

    def _stored(self, keys: Sequence[Key], *, lock: bool = False) -> dict[Key, Record]:
        found: dict[Key, Record] = {}
        columns = self._resource.key_columns()
        for chunk in chunks(sorted(key for key in keys if all(storable(part) for part in key))):
            query = self._select({}).where(among(columns, chunk)).order_by(*columns)
            if lock:
                # Others may go on naming the record, but not change it.
                query = query.with_for_update(of=self._resource.table, key_share=True)
            for row in self._work.session.execute(query):
                record = self._resource.record(row)
                found[self._resource.key_of(record.values)] = record
        return found

    def _refuse_repeated(self, changes: Sequence[Change]) -> None:
        seen: set[Key] = set()
        issues = []
        for position, change in enumerate(changes):
            key = self._key(change)
            if key in seen:
                text = f"{self._name(key)} stands twice in the list"
                params = self._name(key).as_params()
                issues.append(Issue(path_text((position,)), "DUPLICATE_ID", text, "Remove one of the two.", params))
            seen.add(key)
        if issues:
            raise InvalidInput(issues)

    def _refuse_stale(self, changes: Sequence[Change], stored: Mapping[Key, Record]) -> None:
        stale = []
        for change in changes:
            key = self._key(change)
            actual = stored[key].version if key in stored else 0
            if change.version is not None and change.version != actual:
                stale.append(StaleRecord(self._name(key), change.version, actual))
        if stale:
            raise Stale(stale)

    def _completed(self, changes: Sequence[Change]) -> list[dict[str, Any]]:
        """Every change with all fields."""
        defaults = {column.name: default_of(column) for column in self._resource.plain}
        defaults |= dict.fromkeys(self._resource.links)
        completed = []
        for change in changes:
            unknown = change.values.keys() - defaults.keys()
            if unknown:
                raise ValueError(f"{self._resource.kind} has no field {sorted(unknown)}")
            completed.append({**defaults, **change.values})
        return completed

    def _columns(self, values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Fields as columns: those that name a record hold its internal id."""
        resource = self._resource
        ids: dict[str, dict[Key, str]] = {}
        for field, kind in resource.links.items():
            named = [resource.target_key(field, item) for item in values if item[field] is not None]
            ids[field] = ids_of(self._work, RESOURCES[kind], named)
        unknown = [
            NamedRecord(self._name(resource.key_of(item)), field, RecordKey(kind, resource.target_key(field, item)))
            for item in values
            for field, kind in resource.links.items()
            if item[field] is not None and resource.target_key(field, item) not in ids[field]
        ]
        if unknown:
            # Nothing is written yet, so the bodies may also name what would be written with them.
            mentions = self._named_in_bodies(values)
            own = {resource.key_of(item): "" for item in values}
            stored = self._ids(mentions)
            unknown += self._unknown_in_bodies(
                mentions, stored | {resource.kind: {**stored.get(resource.kind, {}), **own}}
            )
            places = {key: place for place, key in enumerate(own)}
            raise UnknownReference(sorted(unknown, key=lambda item: places[item.source.key]))
        return [
            {column.name: item[column.name] for column in resource.plain}
            | {
                f"{field}_id": None if item[field] is None else ids[field][resource.target_key(field, item)]
                for field in resource.links
            }
            for item in values
        ]

    def _insert(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._work.session.execute(insert(self._resource.table), rows)

    def _update(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        table = self._resource.table
        statement = (
            update(table)
            .where(table.c.tenant_id == self._work.tenant_id, table.c.id == bindparam("row_id"))
            .values(version=table.c.version + 1, updated_at=self._work.now, updated_by=self._work.actor.principal)
        )
        self._work.session.execute(statement, rows)

    def _mark(
        self,
        written: Sequence[tuple[int, Record | None]],
        results: Mapping[int, Written],
        values: Sequence[Mapping[str, Any]],
        columns: Sequence[Mapping[str, Any]],
    ) -> None:
        """Keep what the clocks of work orders have to know of written records, by their positions."""
        marks: list[tuple[str, Mark]] = []
        reason = self._work.actor.reason
        for i, record in written:
            before = None if record is None else record.values
            if self._resource.kind == "work_order":
                found = marks_of_order(before, values[i], self._work.now, reason)
                marks.extend((results[i].id, mark) for mark in found)
            elif self._resource.kind == "visit":
                marks.extend((columns[i]["work_order_id"], mark) for mark in marks_of_visit(before, values[i]))
        write_marks(self._work, marks)

    def _name_again(self, written: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Keep what the bodies of written records name."""
        namings = self._resource.namings
        if namings is None or not written:
            return
        owner = _MENTION.c[f"by_{self._resource.kind}_id"]
        for chunk in chunks(written):
            self._work.session.execute(
                delete(_MENTION).where(
                    _MENTION.c.tenant_id == self._work.tenant_id, owner.in_([row_id for row_id, _ in chunk])
                )
            )
        row_of = {self._resource.key_of(values): row_id for row_id, values in written}
        named = self._named_in_bodies(values for _, values in written)
        ids = self._ids(named)
        unknown = self._unknown_in_bodies(named, ids)
        if unknown:
            raise UnknownReference(unknown)
        # A body may name the same record twice, and mentions it once.
        pairs = dict.fromkeys((row_of[key], n.kind, ids[n.kind][(n.external_id,)]) for key, n in named)
        nothing = {column.name: None for column in _MENTION.columns if column.nullable}
        rows = [
            {**nothing, **self._work.bookkeeping(), owner.name: row_id, f"{kind}_id": target}
            for row_id, kind, target in pairs
        ]
        if rows:
            self._work.session.execute(insert(_MENTION), rows)

    def _named_in_bodies(self, written: Iterable[Mapping[str, Any]]) -> list[tuple[Key, Naming]]:
        """What the bodies of records name, each with the key of the record that does."""
        namings = self._resource.namings
        if namings is None:
            return []
        return [(self._resource.key_of(values), naming) for values in written for naming in namings(values["body"])]

    def _ids(self, named: Sequence[tuple[Key, Naming]]) -> dict[str, dict[Key, str]]:
        """The internal ids of what is named and there, by kind."""
        kinds = {naming.kind for _, naming in named}
        return {
            kind: ids_of(self._work, RESOURCES[kind], ((n.external_id,) for _, n in named if n.kind == kind))
            for kind in kinds
        }

    def _unknown_in_bodies(
        self, named: Sequence[tuple[Key, Naming]], known: Mapping[str, Mapping[Key, str]]
    ) -> list[NamedRecord]:
        return [
            NamedRecord(self._name(key), f"body.{naming.field}", RecordKey(naming.kind, (naming.external_id,)))
            for key, naming in named
            if (naming.external_id,) not in known[naming.kind]
        ]


def _condition(column: ColumnElement[Any], wanted: Any) -> ColumnElement[bool]:
    if isinstance(wanted, Between):
        bounds = [column >= wanted.low] if wanted.low is not None else []
        bounds += [column <= wanted.high] if wanted.high is not None else []
        return column.is_not(None) if not bounds else bounds[0] if len(bounds) == 1 else bounds[0] & bounds[1]
    if isinstance(wanted, Collection) and not isinstance(wanted, str):
        return column.in_([value for value in wanted if storable(value)])
    return column == wanted if storable(wanted) else column.in_([])


def _same(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_fingerprint(stored[name]) == _fingerprint(value) for name, value in wanted.items())


def _fingerprint(value: Any) -> Any:
    """JSON is compared as it is written: 1 and true are equal in Python."""
    return canonical_sha256(value) if isinstance(value, (dict, list)) else value
