"""The search kernel is there before the service says that it is ready, and nothing else waits for it."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.supervise import Supervisor
from api.warm import KernelWarmth
from data.session import Database
from tests.http_service import application, open_services, sqlite_database, sqlite_url

__all__ = ["sqlite_database", "sqlite_url"]
PATIENCE_SECONDS = 300.0


def test_the_service_is_alive_but_not_ready_until_the_kernel_is(sqlite_url: str, sqlite_database: Database) -> None:
    kernel = KernelWarmth()
    with TestClient(application(open_services(sqlite_database, sqlite_url), kernel)) as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
        assert "kernel" in answer.json()["detail"]
        kernel.start()
        assert kernel.wait(PATIENCE_SECONDS)
        assert client.get("/readyz").status_code == 200


def test_a_service_that_stops_does_not_wait_for_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str, sqlite_database: Database
) -> None:
    # An empty folder: to compile takes a minute.
    monkeypatch.setenv("MUSTER_KERNEL_CACHE", str(tmp_path / "kernel"))
    kernel = KernelWarmth()
    supervisor = Supervisor(open_services(sqlite_database, sqlite_url, workers=1).settings, kernel)
    supervisor.start()
    kernel.start()
    assert not kernel.wait(0.5)
    supervisor.stop()
    kernel.stop()
    assert not kernel.is_ready()
