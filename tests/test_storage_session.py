"""Sessions: one unit of work stores all or nothing, both databases behave alike, ids rise, instants are aware."""

import os
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from data.clock import ID_LENGTH, SortableIds, SystemClock
from data.orm import Customer, EngineerPosition, Territory
from data.orm_base import canonical_sha256
from data.session import Database, open_engine, schema_is_current
from dispatcher.actor import Actor
from dispatcher.documents import problem_sha256
from dispatcher.errors import Contention, Unavailable
from tests.databases import ACTOR, SetClock, open_database

OTHER_TENANT = Actor("globex", "dispatcher-1")


def add_customer(database: Database, external_id: str, actor: Actor = ACTOR) -> None:
    with database.write(actor) as work:
        work.add(Customer, external_id=external_id, attributes={})


def customers(database: Database) -> list[str]:
    with database.read(ACTOR) as work:
        return list(work.session.scalars(text("SELECT external_id FROM customer ORDER BY external_id")))


class SlipError(Exception):
    pass


# Units of work


def test_a_unit_of_work_is_stored_whole_at_its_end(database: Database) -> None:
    with database.write(ACTOR) as work:
        work.add(Customer, external_id="A", attributes={})
        work.add(Customer, external_id="B", attributes={})
    assert customers(database) == ["A", "B"]


def test_a_unit_of_work_that_raises_leaves_nothing_behind(database: Database) -> None:
    def attempt() -> None:
        with database.write(ACTOR) as work:
            work.add(Customer, external_id="A", attributes={})
            raise SlipError

    with pytest.raises(SlipError):
        attempt()
    assert customers(database) == []


def test_a_reading_unit_of_work_stores_nothing(database: Database) -> None:
    with database.read(ACTOR) as work:
        work.add(Customer, external_id="A", attributes={})
    assert customers(database) == []


def test_a_reader_sees_one_state_while_others_write(database: Database) -> None:
    with database.read(ACTOR) as work:
        before = list(work.session.scalars(text("SELECT external_id FROM customer")))
        add_customer(database, "A")
        after = list(work.session.scalars(text("SELECT external_id FROM customer")))
    assert before == after == []
    assert customers(database) == ["A"]


def test_rows_say_who_wrote_them_and_when_and_versions_rise(database: Database, clock: SetClock) -> None:
    began = clock.now()
    with database.write(ACTOR) as work:
        work.add(Territory, external_id="east", timezone="UTC", attributes={})
    clock.advance(60)
    with database.write(Actor("acme", "night-job")) as work:
        row = work.session.query(Territory).one()
        assert (row.version, row.created_at, row.updated_by) == (1, began, "dispatcher-1")
        row.name = "East"
        work.touch(row)
    with database.read(ACTOR) as work:
        row = work.session.query(Territory).one()
        assert (row.version, row.created_at, row.updated_by) == (2, began, "night-job")
        assert row.updated_at == began + timedelta(seconds=60)


def test_writers_who_change_the_same_row_at_once_lose_no_change(database: Database) -> None:
    with database.write(ACTOR) as work:
        work.add(Customer, external_id="A", name="0", attributes={})
    refused = []

    def count() -> None:
        done = 0
        while done < 10:
            try:
                with database.write(ACTOR) as work:
                    row = work.session.query(Customer).one()
                    row.name = str(int(str(row.name)) + 1)
                    work.touch(row)
                done += 1
            except Contention:
                refused.append(1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read(ACTOR) as work:
        row = work.session.query(Customer).one()
        assert (row.name, row.version) == ("40", 41)
    # On SQLite a writer waits before it reads, so nobody ever has to try again.
    assert not (refused and database.engine.dialect.name == "sqlite")


def test_a_key_taken_by_somebody_else_meanwhile_is_contention(database: Database) -> None:
    add_customer(database, "A")
    with pytest.raises(Contention):
        add_customer(database, "A")
    add_customer(database, "A", OTHER_TENANT)


def test_a_rule_of_the_schema_that_no_other_writer_can_break_stays_a_defect(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)not.null") as caught, database.write(ACTOR) as work:
        work.add(Customer, external_id=None, attributes={})
    assert not isinstance(caught.value, Contention)


# Databases that do not answer


def test_a_database_that_is_locked_for_too_long_is_unavailable(
    database_url: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.session.LOCK_TIMEOUT_SECONDS", 1)
    database = Database(database_url, clock=clock, ids=SortableIds(clock))
    add_customer(database, "A")
    with database.write(ACTOR) as holder:
        holder.session.execute(text("UPDATE customer SET name = 'held'"))

        def wait() -> None:
            with database.write(ACTOR) as work:
                work.session.execute(text("UPDATE customer SET name = 'other'"))

        with pytest.raises(Unavailable):
            wait()
    database.close()


def test_a_server_that_is_not_there_is_unavailable(clock: SetClock, tmp_path: Path) -> None:
    database = Database(f"postgresql://nobody@/muster?host={tmp_path}", clock=clock, ids=SortableIds(clock))
    with pytest.raises(Unavailable):
        add_customer(database, "A")
    with pytest.raises(Unavailable):
        schema_is_current(database.engine)
    database.close()


def test_a_server_that_ends_a_connection_is_unavailable_and_the_next_one_works(
    postgres_migrated: str, clock: SetClock
) -> None:
    database = open_database(postgres_migrated, clock)
    ended = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(Unavailable), database.write(ACTOR) as work:
        work.session.execute(ended)
    assert customers(database) == []
    with database.engine.connect() as first:
        process = first.execute(text("SELECT pg_backend_pid()")).scalar_one()
    # That connection lies in the pool when it is ended from elsewhere.
    other = open_engine(postgres_migrated)
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
    other.dispose()
    assert customers(database) == []
    database.close()


def test_a_folder_where_the_file_should_be_is_unavailable(clock: SetClock, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}", clock=clock, ids=SortableIds(clock))
    with pytest.raises(Unavailable):
        add_customer(database, "A")
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://somewhere/muster"])
def test_databases_that_cannot_serve_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"SQLite"):
        open_engine(url)


def test_the_folder_of_a_database_file_is_made(tmp_path: Path) -> None:
    open_engine(f"sqlite:///{tmp_path}/var/deep/muster.db").dispose()
    assert (tmp_path / "var" / "deep").is_dir()


# Values


def test_instants_come_back_aware_and_in_utc(database: Database) -> None:
    shanghai = datetime(2026, 11, 23, 8, 0, 0, 250, tzinfo=timezone(timedelta(hours=8)))
    with database.write(ACTOR) as work:
        row = work.add(Customer, external_id="A", attributes={})
        row.created_at = shanghai
        work.touch(row)
    with database.read(ACTOR) as work:
        stored = work.session.query(Customer).one().created_at
    assert stored == shanghai
    assert stored.tzinfo is UTC
    assert stored.hour == 0


def test_naive_instants_are_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="needs a time zone"), database.write(ACTOR) as work:
        work.add(EngineerPosition, engineer_id="x", latitude=0, longitude=0, recorded_at=datetime(2026, 11, 23))


def test_numbers_that_are_no_json_are_refused(database: Database) -> None:
    with pytest.raises((StatementError, ValueError), match="JSON"), database.write(ACTOR) as work:
        work.add(Customer, external_id="A", attributes={"x": float("nan")})


def test_text_of_any_script_comes_back(database: Database) -> None:
    attributes = {"名称": ["浦东", "😀", 1.25, None, True, {"a": []}]}
    with database.write(ACTOR) as work:
        work.add(Customer, external_id="上海/é", attributes=attributes)
    with database.read(ACTOR) as work:
        row = work.session.query(Customer).one()
        assert (row.external_id, row.attributes) == ("上海/é", attributes)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    )
)
def test_the_hash_of_a_document_is_the_one_of_plans(value: object) -> None:
    assert canonical_sha256({"problem": value}) == problem_sha256({"problem": value})


# Ids


def test_ids_rise_although_the_clock_stands_or_goes_back() -> None:
    clock = SetClock()
    ids = SortableIds(clock)
    made = [ids.new() for _ in range(50)]
    clock.advance(-5)
    made += [ids.new() for _ in range(50)]
    clock.advance(10)
    made.append(ids.new())
    assert made == sorted(set(made))
    assert {len(one) for one in made} == {ID_LENGTH}


def test_ids_sort_by_the_time_they_were_made_also_between_processes() -> None:
    clock = SetClock()
    one, other = SortableIds(clock), SortableIds(clock)
    first = one.new()
    clock.advance(0.001)
    second = other.new()
    clock.advance(0.001)
    assert first < second < one.new()


def test_threads_never_get_the_same_id() -> None:
    ids = SortableIds(SystemClock())
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend([ids.new() for _ in range(500)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000


def test_a_forked_process_does_not_count_on_from_its_parents_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = SortableIds(SetClock())
    parent = ids.new()
    following = int.from_bytes(parent.encode()) + 1
    monkeypatch.setattr(os, "getpid", lambda: -1)
    child = ids.new()
    assert child[:10] == parent[:10]
    assert int.from_bytes(child.encode()) != following


def test_the_clock_is_aware() -> None:
    assert SystemClock().now().tzinfo is UTC
