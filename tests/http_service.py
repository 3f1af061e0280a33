"""The whole application on a real database, for tests that speak HTTP to it; no worker, and a clock that is set."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient

from api.app import create_app
from api.bootstrap import Services
from api.http.actors import Authoriser, everybody_may
from api.resource_kinds import KINDS, Kind
from api.settings import Settings
from api.warm import KernelWarmth
from data.session import Database
from tests.databases import SetClock, open_database

Json = dict[str, Any]


def open_services(database: Database, url: str, *, authorise: Authoriser = everybody_may, **settings: Any) -> Services:
    given: Json = {"database_url": url, "workers": 0, "watch_seconds": 0, "max_request_solve_seconds": 1.0, **settings}
    return Services(settings=Settings(**given), database=database, authorise=authorise)


_INCLUDED: list[BaseRoute] = []


def application(services: Services, kernel: KernelWarmth | None = None) -> FastAPI:
    """The application as a server makes it, but for its routes: those of the first one in this process serve them all.

    Routes know nothing of the services, and FastAPI reads the signatures behind them for longer than most tests take.
    """
    app = create_app(services, kernel)
    own = [route for route in app.router.routes if isinstance(route, Route)]
    if not _INCLUDED:
        _INCLUDED.extend(route for route in app.router.routes if not isinstance(route, Route))
    assert len(own) + len(_INCLUDED) == len(app.router.routes)
    app.router.routes = [*own, *_INCLUDED]
    return app


@pytest.fixture
def client(database_url: str, database: Database) -> Iterator[TestClient]:
    """A client of the application, on both databases."""
    with TestClient(application(open_services(database, database_url))) as opened:
        yield opened


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite file, for what no database can change."""
    (tmp_path / "muster.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path}/muster.db"


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    opened = open_database(sqlite_url, SetClock())
    yield opened
    opened.close()


@pytest.fixture
def sqlite_client(sqlite_url: str, sqlite_database: Database) -> Iterator[TestClient]:
    with TestClient(application(open_services(sqlite_database, sqlite_url))) as opened:
        yield opened


@pytest.fixture(scope="module")
def refusing(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client for requests that are all refused, so that one database does for all of them."""
    path = tmp_path_factory.mktemp("refusing") / "muster.db"
    path.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{path}"
    database = open_database(url, SetClock())
    with TestClient(application(open_services(database, url))) as opened:
        yield opened
    database.close()


def fill(client: TestClient) -> None:
    """One record of every kind, by the examples of the description, and what they name."""
    first = {
        "/v1/sites": [{"id": "depot", "timezone": "Asia/Shanghai"}],
        "/v1/skills": [{"id": "pneumatics"}],
    }
    for path, records in first.items():
        assert client.put(path, json=records).status_code == 200
    for kind in KINDS:
        if kind.kind == "asset_relation":
            assert client.put("/v1/assets", json=[{"id": "crane-1", "site": "n17"}]).status_code == 200
        answer = client.put(f"/v1{kind.list_path}", json=[kind.example])
        assert answer.status_code == 200, answer.text


def path_of(kind: Kind) -> str:
    """The path of a kind's example."""
    return "/v1" + kind.one_path.format(engineer=kind.example.get("engineer"), id=kind.example.get("id"))
