"""The database: engines for SQLite and PostgreSQL, units of work, and the migrations of its schema.

SQLite (in WAL mode) needs no set-up and takes one writer at a time: a writing transaction begins with BEGIN
IMMEDIATE and so waits at its start, never in the middle, where two writers that both have read could only fail.
PostgreSQL runs the same code; what waits for a lock there waits as long as SQLite does.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import errors
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from data.orm_base import Row, json_text
from dispatcher.actor import Actor
from dispatcher.errors import Contention, Unavailable
from dispatcher.ports import Clock, IdSource

LOCK_TIMEOUT_SECONDS = 10
_WRITING = "muster_writing"
# Any number will do, as long as nothing else in the database uses it.
_MIGRATION_LOCK = 7_301_894_220_115
# Alembic keeps what it works on in global variables.
_ALEMBIC = threading.Lock()
# What another writer can cause although everything was looked up before.
_POSTGRES_CONTENTION = (
    errors.ForeignKeyViolation,
    errors.UniqueViolation,
    errors.SerializationFailure,
    errors.DeadlockDetected,
)
_SQLITE_CONTENTION = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_BUSY_SNAPSHOT,
    }
)
_POSTGRES_OUTAGE = (
    errors.TooManyConnections,
    errors.LockNotAvailable,
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.DiskFull,
)
_SQLITE_OUTAGE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
    }
)

RowType = TypeVar("RowType", bound=Row)


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One transaction of one actor: what happens in it is stored whole or not at all.

    `now` is the instant at which it began; everything written in it bears that instant.
    """

    session: Session
    actor: Actor
    ids: IdSource
    now: datetime

    @property
    def tenant_id(self) -> str:
        return self.actor.tenant_id

    def bookkeeping(self) -> dict[str, Any]:
        """The columns that a new row of any table has, beside its own."""
        return {
            "tenant_id": self.tenant_id,
            "id": self.ids.new(),
            "version": 1,
            "created_at": self.now,
            "updated_at": self.now,
            "updated_by": self.actor.principal,
        }

    def add(self, model: type[RowType], **values: Any) -> RowType:
        """A new row, written at once, so that what names it can be written next."""
        row = model(**self.bookkeeping(), **values)
        self.session.add(row)
        self.session.flush()
        return row

    def touch(self, row: Row) -> None:
        """Write a changed row at once; its version rises."""
        row.updated_at = self.now
        row.updated_by = self.actor.principal
        self.session.flush()


class Database:
    """A place to store things; made once per process and closed at its end. Not to be carried over a fork.

    `url` is SQLAlchemy's: `sqlite:///var/muster.db`, `postgresql://user@host/name`.
    """

    def __init__(self, url: str, *, clock: Clock, ids: IdSource) -> None:
        self.clock = clock
        self._ids = ids
        self.engine = open_engine(url)
        self._writing = self.engine.execution_options(**{_WRITING: True})
        # A reader sees one state of everything, however many statements it asks.
        self._reading = self.engine.execution_options(
            **({} if self.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"})
        )

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def write(self, actor: Actor) -> Iterator[UnitOfWork]:
        """A unit of work that is committed at its end, and rolled back when anything is raised.

        Raises:
            Contention: if somebody else changed the same at the same time; nothing is written.
            Unavailable: if the database does not answer, or a lock is not to be had in time.
        """
        with self.transaction() as session:
            yield self.unit(session, actor)

    @contextmanager
    def read(self, actor: Actor) -> Iterator[UnitOfWork]:
        """A unit of work that sees one state of everything and stores nothing.

        Raises:
            Unavailable: as `write`.
        """
        with _translated(), Session(self._reading) as session:
            yield self.unit(session, actor)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A writing transaction of nobody in particular, for work across tenants; raises as `write`."""
        with _translated(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            # The wait for other writers lies here, before anybody looks at the clock.
            session.connection()
            yield session

    def unit(self, session: Session, actor: Actor) -> UnitOfWork:
        """A unit of work inside a transaction that is already open."""
        return UnitOfWork(session, actor, self._ids, self.clock.now())


def open_engine(url: str) -> Engine:
    """An engine with the settings that both databases need to behave alike.

    Raises:
        ValueError: for anything but a SQLite file or PostgreSQL.
    """
    target = make_url(url)
    backend = target.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(target)
    if backend in ("postgresql", "postgres"):
        return _open_postgres(target)
    raise ValueError(f"a database is SQLite or PostgreSQL, not {backend}")


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema up to date, creating it where there is none; two at once wait for each other."""
    _migrate(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to an older revision, `base` for an empty database. What it cannot hold is lost."""
    _migrate(url, lambda config: command.downgrade(config, revision))


def schema_is_current(engine: Engine) -> bool:
    """Whether the schema is the one this version works with.

    Raises:
        Unavailable: if the database does not answer.
    """
    with _translated(), engine.connect() as connection:
        stored = MigrationContext.configure(connection).get_current_revision()
    return stored == ScriptDirectory.from_config(_alembic_config()).get_current_head()


def _migrate(url: str, action: Callable[[Config], None]) -> None:
    engine = open_engine(url)
    try:
        with _ALEMBIC, _translated(), engine.execution_options(**{_WRITING: True}).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            config = _alembic_config()
            config.attributes["connection"] = connection
            action(config)
    finally:
        engine.dispose()


def _alembic_config() -> Config:
    config = Config()
    # Alembic interpolates percent signs, which a folder may have in its name.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _open_sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:") or str(url.database).startswith("file:"):
        raise ValueError("a SQLite database needs a file: sqlite:///folder/name.db")
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        json_serializer=json_text,
        connect_args={"timeout": LOCK_TIMEOUT_SECONDS},
        pool_timeout=LOCK_TIMEOUT_SECONDS,
    )

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        # The driver would begin transactions by itself, and only before some statements.
        connection.isolation_level = None
        cursor = connection.cursor()
        _use_write_ahead_log(cursor)
        cursor.execute("PRAGMA foreign_keys = ON")
        # In WAL mode a commit that must survive a power cut has to be synced by itself.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _use_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Of several who open a new file one makes the switch; the driver's own waiting does not cover the others.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _open_postgres(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        json_serializer=json_text,
        connect_args={
            "options": f"-c timezone=UTC -c lock_timeout={LOCK_TIMEOUT_SECONDS}s",
            "connect_timeout": LOCK_TIMEOUT_SECONDS,
        },
        # A connection that a restart of the server has broken is replaced before it is used.
        pool_pre_ping=True,
        pool_timeout=LOCK_TIMEOUT_SECONDS,
    )


@contextmanager
def _translated() -> Iterator[None]:
    """What the database says about others at work, or about itself, in the words of the domain.

    A broken rule of the schema that no other writer can have caused stays what it is: a defect.
    """
    try:
        yield
    except StaleDataError as error:
        raise Contention from error
    except PoolTimeout as error:
        raise Unavailable from error
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        broken = isinstance(error, DBAPIError) and error.connection_invalidated
        translated = _contention_of(cause) or _outage_of(cause) or (Unavailable() if broken else None)
        if translated is None:
            raise
        raise translated from error


def _contention_of(cause: BaseException | None) -> Contention | None:
    if isinstance(cause, psycopg.Error):
        return Contention() if isinstance(cause, _POSTGRES_CONTENTION) else None
    return Contention() if getattr(cause, "sqlite_errorcode", None) in _SQLITE_CONTENTION else None


def _outage_of(cause: BaseException | None) -> Unavailable | None:
    if isinstance(cause, psycopg.Error):
        # Without a state the server said nothing: there was none, or it went away.
        silent = isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None
        return Unavailable() if silent or isinstance(cause, _POSTGRES_OUTAGE) else None
    # An extended code of SQLite has the primary one in its last byte.
    return Unavailable() if getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_OUTAGE else None
