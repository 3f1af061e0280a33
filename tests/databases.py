"""Real databases for tests: a SQLite file always, PostgreSQL where there is a server.

`MUSTER_TEST_POSTGRES` names a server by URL (its user may create databases). Otherwise a private one is started
from Debian's or any other binaries found, in a folder of its own, reached through a socket in it and gone with the
tests. Without either, tests on PostgreSQL skip. Every test begins with a migrated database without any row.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from data.clock import SortableIds
from data.orm import Base
from data.session import Database, open_engine, upgrade
from dispatcher.actor import Actor

VARIABLE = "MUSTER_TEST_POSTGRES"
BACKENDS = ("sqlite", "postgresql")
ACTOR = Actor("acme", "dispatcher-1")
_NO_SERVER = f"no PostgreSQL: set {VARIABLE} to the URL of a server, or install one (make postgres)"


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def open_database(url: str, clock: SetClock) -> Database:
    """A database on a clock that is set, with the same ids in every run."""
    return Database(url, clock=clock, ids=SortableIds(clock, Random(20261123).getrandbits))


def postgres_binaries() -> Path | None:
    """The folder of the newest server's programs on this machine, or None."""
    on_path = shutil.which("pg_ctl")
    if on_path is not None:
        return Path(on_path).resolve().parent
    # 15 sorts after 9.6, as a number.
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: float(path.parts[4]))
    return found[-1].parent if found else None


def postgres_description() -> str:
    """Which PostgreSQL the tests use, for pytest's header."""
    if os.environ.get(VARIABLE):
        return f"PostgreSQL: {VARIABLE}"
    binaries = postgres_binaries()
    return f"PostgreSQL: a private server from {binaries}" if binaries else "PostgreSQL: none, its tests skip"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The URL of a server's maintenance database."""
    named = os.environ.get(VARIABLE)
    if named:
        yield make_url(named).set(drivername="postgresql+psycopg")
        return
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip(_NO_SERVER)
    with _private_server(binaries) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_migrated(postgres_server: URL) -> Iterator[str]:
    """The URL of a migrated database."""
    with _postgres_database(postgres_server) as url:
        upgrade(url)
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "muster.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, one of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/muster.db"
        return
    with _postgres_database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database without any row, one of each kind."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "muster.db")
        yield f"sqlite:///{tmp_path}/muster.db"
        return
    url = request.getfixturevalue("postgres_migrated")
    yield url
    delete_all_rows(url)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def database(database_url: str, clock: SetClock) -> Iterator[Database]:
    """A migrated database on the test's clock, one of each kind."""
    opened = open_database(database_url, clock)
    yield opened
    opened.close()


def delete_all_rows(url: str) -> None:
    """Leave the tables and nothing in them, which is many times faster than a new database."""
    engine = open_engine(url)
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    engine.dispose()


@contextmanager
def _postgres_database(server: URL) -> Iterator[str]:
    name = f"muster_test_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            with engine.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        engine.dispose()


@contextmanager
def _private_server(binaries: Path) -> Iterator[URL]:
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="muster-postgres-") as name:
        folder = Path(name)
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

        def run(program: str, *arguments: str) -> None:
            command = [str(binaries / program), "--pgdata", str(folder / "data"), *arguments]
            done = subprocess.run(command, cwd=folder, user=user, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")

        # Whoever can reach the socket may come in: the folder is ours alone. Nothing here has to survive a crash.
        run("initdb", "--username=muster", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off"
        run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "--options", options)
        try:
            yield URL.create("postgresql+psycopg", username="muster", database="postgres", query={"host": name})
        finally:
            run("pg_ctl", "stop", "--wait", "--mode", "immediate")
