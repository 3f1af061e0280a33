"""The service as its users meet it: a server process with its worker on SQLite, the commands, and a phone."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.client import Refused, Service
from dispatcher.verify import verify
from tests.service_process import MUSTER, Server, environment, free_port, muster, serving
from tests.test_docs import CLI, README, commands, documents, is_of_the_service

Document = dict[str, Any]
DAY = (datetime.now(UTC) + timedelta(days=2)).date()
"""A day ahead: a server goes by the real clock."""


def at(clock: str) -> str:
    return f"{DAY}T{clock}:00Z"


def small_fleet() -> Document:
    """Two engineers and four orders; three can be served."""
    shift = {"id": f"day-{DAY}", "start": at("08:00"), "end": at("16:00"), "start_location": "depot"}
    order = {"territory": "east", "service_seconds": 1800, "required_skills": [{"skill": "lifts"}]}
    return {
        "version": 1,
        "id": "small",
        "timezone": "UTC",
        "horizon": {"start": f"{DAY}T00:00:00Z", "end": f"{DAY + timedelta(days=1)}T00:00:00Z"},
        "locations": {name: {"lat": 31.2, "lon": 121.4 + n / 50} for n, name in enumerate(("depot", "a", "b", "c"))},
        "engineers": [
            {"id": "Kim", "territory": "east", "skills": [{"skill": "lifts", "level": 4}], "shifts": [shift]},
            {"id": "Leo/2", "territory": "east", "skills": [{"skill": "doors"}], "shifts": [shift]},
        ],
        "work_orders": [
            {"id": "W1", "location": "a", **order},
            {"id": "W2", "location": "b", **order, "depends_on": [{"work_order": "W1"}]},
            {"id": "W3", "location": "c", **order, "required_skills": [{"skill": "doors"}]},
            {"id": "W4", "location": "c", **order, "required_skills": [{"skill": "roofs"}]},
        ],
        "travel": {"kind": "geodesic", "speed_kmh": 30},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("service")
    (folder / "fleet.json").write_text(json.dumps(small_fleet()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(folder, "--port", free_port(), "--database", "sqlite:///monday.db") as server:
        yield server


def test_from_a_document_to_the_route_on_a_phone(folder: Path, server: Server) -> None:
    imported = muster(folder, "import", "fleet.json", "--server", server.address)
    assert imported.exit_code == 0, imported.output
    assert "records stored on" in imported.stdout
    assert "travel" in imported.stderr

    wanted = ("--territory", "east", "--date", DAY, "--iterations", 50, "--accept", "-o", "plan.json")
    planned = muster(folder, "plan", "--server", server.address, *wanted)
    assert planned.exit_code == 0, planned.output
    assert planned.stdout.startswith("3 orders served on 2 routes, 0 teams, 1 unassigned")
    found = re.search(r"^Plan (\w+) is in force$", planned.stdout, re.M)
    assert found is not None
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    problem = httpx.get(f"{server.address}/v1/plans/{found[1]}/problem").json()
    assert verify(problem, plan).feasible

    phone = f"{server.address}/v1/engineers/Leo%2F2/route?date={DAY}"
    first = httpx.get(phone)
    assert first.status_code == 200
    [route] = first.json()["routes"]
    assert [stop.get("work_order") for stop in route["stops"]] == [None, "W3", None]
    again = httpx.get(phone, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_importing_again_leaves_what_the_day_has_brought(folder: Path, server: Server) -> None:
    muster(folder, "import", "fleet.json", "--server", server.address)
    with Service(server.address) as service:
        order = service.get("/v1/work-orders/W1")
        kept = {name: order[name] for name in ("location", "territory", "service_seconds", "required_skills")}
        service.put("/v1/work-orders", [{"id": "W1", **kept, "status": "done"}])
        service.put("/v1/skills", [{"id": "lifts", "name": "Lifts and escalators"}])
        service.put("/v1/sites", [{"id": "a", "timezone": "Asia/Shanghai", "name": "Tower A"}])
        assert muster(folder, "import", "fleet.json", "--server", server.address).exit_code == 0
        assert service.get("/v1/work-orders/W1")["status"] == "done"
        assert service.get("/v1/skills/lifts")["name"] == "Lifts and escalators"
        site = service.get("/v1/sites/a")
        assert (site["name"], site["timezone"], site["lat"]) == ("Tower A", "Asia/Shanghai", 31.2)
        service.put("/v1/work-orders", [{"id": "W1", **kept}])


def test_a_run_is_followed_to_its_end_and_its_progress_never_goes_back(folder: Path, server: Server) -> None:
    muster(folder, "import", "fleet.json", "--server", server.address)
    with Service(server.address) as service:
        question = {"territories": ["east"], "dates": [str(DAY)], "options": {"time_limit_seconds": 1}}
        states = list(service.follow(service.ask_for_plan(question)["id"]))
    assert states[-1]["state"] == "succeeded"
    assert all(state["state"] in ("queued", "running") for state in states[:-1])
    fractions = [state["progress"] for state in states]
    assert fractions == sorted(fractions)


def test_a_plan_that_cannot_be_made_says_why(folder: Path, server: Server) -> None:
    document = small_fleet()
    document["locations"]["a"] = {}
    for item in (*document["engineers"], *document["work_orders"]):
        item |= {"id": f"north-{item['id']}", "territory": "north"}
    document["work_orders"][1]["depends_on"] = []
    document["travel"] = {
        "kind": "matrix",
        "location_ids": list(document["locations"]),
        "seconds": [[0] * 4 for _ in range(4)],
        "meters": [[0] * 4 for _ in range(4)],
    }
    document["locations"] = {f"north-{name}": place for name, place in document["locations"].items()}
    document["travel"]["location_ids"] = list(document["locations"])
    for order in document["work_orders"]:
        order["location"] = f"north-{order['location']}"
    for engineer in document["engineers"]:
        engineer["shifts"] = [{**engineer["shifts"][0], "start_location": "north-depot"}]
    (folder / "nowhere.json").write_text(json.dumps(document), encoding="utf-8")
    imported = muster(folder, "import", "nowhere.json", "--server", server.address)
    assert imported.exit_code == 0, imported.output
    assert "north-a" in imported.stderr
    planned = muster(folder, "plan", "--server", server.address, "--territory", "north", "--date", DAY)
    assert (planned.exit_code, planned.stdout) == (2, "")
    assert 'locations["north-a"]' in planned.stderr or "locations.north-a" in planned.stderr


def test_what_the_server_refuses_arrives_with_its_code(server: Server) -> None:
    with Service(server.address) as service, pytest.raises(Refused) as refused:
        service.get("/v1/engineers/nobody")
    assert (refused.value.status, refused.value.code) == (404, "NOT_FOUND")


@pytest.mark.slow
def test_ctrl_c_cancels_the_run_and_takes_the_best_so_far(folder: Path) -> None:
    # Without a worker the run waits, so that Ctrl-C is certain to come in time.
    with serving(folder, "--database", "sqlite:///cancelled.db", "--workers", 0, stop=signal.SIGINT) as server:
        muster(folder, "import", "fleet.json", "--server", server.address)
        command = [*MUSTER, "plan", "--server", server.address, "--territory", "east", "--date", str(DAY)]
        planning = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with Service(server.address) as service:
            while not service.get("/v1/runs")["items"]:
                assert planning.poll() is None
                time.sleep(0.1)
            [run] = service.get("/v1/runs")["items"]
            planning.send_signal(signal.SIGINT)
            _, told = planning.communicate(timeout=60)
            assert service.get(f"/v1/runs/{run['id']}")["state"] == "cancelled"
    assert planning.returncode == 3
    assert told.startswith("NO_RESULT: ")
    assert "Traceback" not in told


@pytest.mark.slow
def test_the_demo_imports_plans_and_puts_a_day_in_force_on_the_next_free_port(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", 0) as other:
        port = int(other.address.rpartition(":")[2])
        with serving(tmp_path, "--demo", "--port", port, "--database", "sqlite:///demo.db") as server:
            assert server.address != other.address
            assert server.banner[0].startswith(f"Port {port} is in use")
            told = server.lines_until("curl")
            assert any("orders served" in line for line in told)
            address = told[-1].split("'")[1]
            [route] = httpx.get(address).json()["routes"]
            assert route["stops"]
    with serving(tmp_path, "--demo", "--database", "sqlite:///demo.db") as server:
        assert server.lines_until("holds a fleet already")


@pytest.mark.slow
def test_the_commands_of_the_service_do_what_their_page_says(folder: Path, server: Server) -> None:
    shown = [command for command in commands(CLI) if is_of_the_service(command)]
    assert {command.line.split()[1] for command in shown} == {"serve", "worker", "import", "plan"}
    (folder / "problem.json").write_text(json.dumps(documents(README)["problem.json"]), encoding="utf-8")
    port = server.address.rpartition(":")[2]
    for command in shown:
        line, output = (text.replace("8765", port) for text in (command.line, command.output))
        words = line.split()[1:]
        if words[0] == "serve" and command.exit_code == 0:
            assert [*MUSTER, *words] == server.process.args
            assert_shown(output, server.banner)
        elif words[0] == "worker":
            with serving(folder, *words[1:], command="worker", stop=signal.SIGINT) as worker:
                assert_shown(output, worker.banner)
        else:
            answer = muster(folder, *words)
            assert answer.exit_code == command.exit_code, answer.output
            if words[0] == "plan" and command.exit_code == 0:
                # What is left of the day in the example depends on the clock.
                output = "..." + output[output.index("\nPlan") :]
            assert_shown(output, answer.output.splitlines())


def assert_shown(page: str, lines: list[str]) -> None:
    """What a page shows is what was printed; `...` on the page stands for anything."""
    printed = "\n".join(lines) + "\n"
    assert OutputChecker().check_output(page, printed, ELLIPSIS | NORMALIZE_WHITESPACE), printed
