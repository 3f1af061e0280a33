"""Lists: pages in a fixed order, whatever happens meanwhile; filters; nothing that breaks a database."""

from datetime import date
from typing import Any

import pytest

from data.repositories import MAX_PAGE, Between, Change, Repository
from data.session import Database
from dispatcher.errors import BadCursor, NotFound
from tests.databases import ACTOR
from tests.stored_fleet import MONDAY, at, store, store_fleet


def add_customers(database: Database, *names: str) -> None:
    with database.write(ACTOR) as work:
        Repository(work, "customer").upsert([Change({"external_id": name}) for name in names])


def ids(database: Database, kind: str, **where: Any) -> list[str]:
    with database.read(ACTOR) as work:
        return [record.values["external_id"] for record in Repository(work, kind).iterate(where)]


def test_pages_go_through_everything_once_in_the_order_of_ids(database: Database) -> None:
    names = ["a", "B", "ä", "上", "b", "A1", "A", "É", "z"]
    add_customers(database, *names)
    seen: list[str] = []
    cursor: str | None = None
    with database.read(ACTOR) as work:
        while True:
            page = Repository(work, "customer").page(after=cursor, limit=2)
            assert 1 <= len(page.items) <= 2
            seen += [record.values["external_id"] for record in page.items]
            cursor = page.next
            if cursor is None:
                break
    # Byte by byte, on both databases.
    assert seen == sorted(names, key=str.encode)


def test_a_page_goes_on_where_it_was_while_others_write(database: Database) -> None:
    add_customers(database, "B", "D", "F")
    with database.read(ACTOR) as work:
        page = Repository(work, "customer").page(limit=2)
    add_customers(database, "A", "E")
    with database.read(ACTOR) as work:
        rest = Repository(work, "customer").page(after=page.next)
    assert [record.values["external_id"] for record in rest.items] == ["E", "F"]


def test_shifts_are_listed_in_the_order_they_came(database: Database) -> None:
    store_fleet(database)
    for external_id, day in (("c", 24), ("a", 25), ("b", 26)):
        with database.write(ACTOR) as work:
            store(
                work,
                "shift",
                external_id=external_id,
                engineer="E1",
                local_date=date(2026, 11, day),
                start=at(0, day),
                end=at(9, day),
                latest_end=at(9, day),
            )
    with database.read(ACTOR) as work:
        shifts = Repository(work, "shift")
        first = shifts.page(limit=3)
        rest = shifts.page(limit=3, after=first.next)
    assert [record.values["external_id"] for record in (*first.items, *rest.items)] == ["mon", "c", "a", "b"]
    days = ids(database, "shift", local_date=Between(date(2026, 11, 24), date(2026, 11, 25)))
    assert days == ["c", "a"]


def test_a_page_never_holds_more_than_the_largest(database: Database) -> None:
    add_customers(database, *(f"{number:05}" for number in range(MAX_PAGE + 1)))
    with database.read(ACTOR) as work:
        page = Repository(work, "customer").page(limit=10**9)
        assert len(Repository(work, "customer").page(limit=-1).items) == 1
    assert len(page.items) == MAX_PAGE
    assert page.next is not None


def test_filters_take_one_value_several_none_or_a_range(database: Database) -> None:
    store_fleet(database)
    orders = [("W2", "west", "open"), ("W3", None, "done"), ("W4", "east", "done")]
    for external_id, territory, status in orders:
        with database.write(ACTOR) as work:
            store(work, "work_order", external_id=external_id, site="S1", territory=territory, status=status)
    assert ids(database, "work_order", territory="east") == ["W1", "W4"]
    assert ids(database, "work_order", territory=["east", "west"], status="open") == ["W1", "W2"]
    assert ids(database, "work_order", territory=None) == ["W3"]
    assert ids(database, "work_order", territory=[]) == []
    assert ids(database, "work_order", asset="A1") == ["W1"]
    assert ids(database, "shift", local_date=Between(None, MONDAY), engineer="E1") == ["mon"]
    assert ids(database, "shift", start=Between(at(1), None)) == []
    assert ids(database, "shift", start=Between()) == ["mon"]


def test_records_among_more_names_than_a_statement_holds_are_all_found_once(database: Database) -> None:
    names = [f"C{number:05}" for number in range(1500)]
    add_customers(database, *names, "other")
    with database.read(ACTOR) as work:
        found = Repository(work, "customer").iterate_among("external_id", [*names, *names, "missing"])
        assert [record.values["external_id"] for record in found] == names


@pytest.mark.parametrize("cursor", ["", "x", "é", "bnVsbA", "W10", "WyJzaXRlIiwgIkEiXQ", "WyJjdXN0b21lciIsIDFd"])
def test_a_cursor_of_no_list_here_is_refused(database: Database, cursor: str) -> None:
    with database.read(ACTOR) as work, pytest.raises(BadCursor):
        Repository(work, "customer").page(after=cursor)


@pytest.mark.parametrize("name", ["\0", "a\0b", "\ud800", "x" * 100_000, "'; DROP TABLE customer; --"])
def test_ids_that_no_database_can_hold_are_not_there(database: Database, name: str) -> None:
    with database.read(ACTOR) as work:
        with pytest.raises(NotFound):
            Repository(work, "customer").get(name)
        assert Repository(work, "customer").page({"external_id": name}).items == ()
        assert Repository(work, "customer").page({"external_id": [name]}).items == ()
