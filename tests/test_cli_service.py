"""The commands of the service when things are not as they should be: one clear answer, an exit code, no traceback."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from errno import EACCES
from pathlib import Path

import pytest

from tests.planning_documents import full_problem
from tests.service_process import Server, free_port, muster, muster_process, serving

TOKEN = "let-me-in"
PLAN = ("plan", "--territory", "east", "--date", "2026-11-23")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "good.json").write_text(json.dumps(full_problem()), encoding="utf-8")
    (folder / "bad.json").write_text(
        json.dumps(full_problem() | {"timezone": "Nowhere", "horizont": 1}), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[Server]:
    """A server that asks for a token, without a worker."""
    with serving(folder, "--workers", 0, MUSTER_TOKEN=TOKEN) as server:
        yield server


@pytest.mark.parametrize("command", [PLAN, ("import", "good.json")], ids=["plan", "import"])
def test_a_server_that_is_not_there_ends_with_code_3_and_one_line(folder: Path, command: tuple[str, ...]) -> None:
    answer = muster(folder, *command, "--server", f"http://127.0.0.1:{free_port()}")
    assert (answer.exit_code, answer.stdout) == (3, "")
    [line] = answer.stderr.splitlines()
    assert line.startswith("UNREACHABLE: ")


def test_something_else_that_answers_is_not_taken_for_a_server(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        child = os.fork()
        if child == 0:
            while True:
                connection, _ = other.accept()
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")
                connection.close()
        try:
            answer = muster(folder, *PLAN, "--server", f"http://127.0.0.1:{other.getsockname()[1]}")
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert answer.exit_code == 3
    assert "not like a Muster server" in answer.stderr


@pytest.mark.parametrize("token", [None, "wrong"])
def test_without_the_right_token_the_server_refuses_with_code_2(
    folder: Path, guarded: Server, token: str | None
) -> None:
    settings = {} if token is None else {"MUSTER_TOKEN": token}
    for command in (PLAN, ("import", "good.json")):
        answer = muster(folder, *command, "--server", guarded.address, **settings)
        assert (answer.exit_code, answer.stdout) == (2, "")
        assert answer.stderr.startswith("UNAUTHENTICATED: ")


@pytest.mark.parametrize(
    ("arguments", "place"),
    [(("--server", "127.0.0.1:8000"), "server"), (("--token", "pässword"), "token")],
)
def test_an_address_or_a_token_that_cannot_be_is_refused_before_anything_is_sent(
    folder: Path, arguments: tuple[str, ...], place: str
) -> None:
    answer = muster(folder, *PLAN, *arguments)
    assert answer.exit_code == 2
    assert f"  {place}  UNKNOWN_VALUE" in answer.stderr.splitlines()


def test_a_document_with_errors_is_not_imported_and_every_error_is_listed(folder: Path, guarded: Server) -> None:
    answer = muster(folder, "import", "bad.json", "--server", guarded.address, MUSTER_TOKEN=TOKEN)
    assert answer.exit_code == 2
    assert answer.stderr.startswith("bad.json: 2 errors")
    for code in ("BAD_TIMEZONE", "UNKNOWN_FIELD"):
        assert code in answer.stderr


@pytest.mark.parametrize("name", ["nothing.json", "nothing"])
def test_a_file_or_folder_that_is_not_there_cannot_be_imported(folder: Path, name: str) -> None:
    answer = muster(folder, "import", name)
    assert answer.exit_code == 2
    assert "UNREADABLE_FILE" in answer.stderr


def test_a_file_in_a_folder_that_may_not_be_entered_cannot_be_imported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: Path) -> bool:
        raise PermissionError(EACCES, "Permission denied", str(path))

    # What the interpreter does for whom it is forbidden; who runs the tests may enter every folder.
    monkeypatch.setattr(Path, "is_dir", forbidden)
    answer = muster(folder, "import", "good.json")
    assert answer.exit_code == 2
    assert "UNREADABLE_FILE" in answer.stderr


def test_an_empty_folder_is_no_folder_of_csv_files(folder: Path, tmp_path: Path) -> None:
    answer = muster(folder, "import", tmp_path)
    assert answer.exit_code == 2
    assert "settings.csv" in answer.stderr


def test_a_plan_for_what_the_server_does_not_know_is_refused(folder: Path, guarded: Server) -> None:
    answer = muster(folder, *PLAN, "--server", guarded.address, MUSTER_TOKEN=TOKEN)
    assert answer.exit_code == 2
    assert "east" in answer.stderr


def test_a_plan_for_no_date_is_refused(folder: Path, guarded: Server) -> None:
    arguments = ("plan", "--territory", "east", "--date", "tomorrow", "--server", guarded.address)
    answer = muster(folder, *arguments, MUSTER_TOKEN=TOKEN)
    assert answer.exit_code == 2
    assert "dates" in answer.stderr


def test_a_port_in_use_is_told_in_one_line(folder: Path, guarded: Server) -> None:
    port = guarded.address.rpartition(":")[2]
    answer = muster(folder, "serve", "--port", port)
    assert (answer.exit_code, answer.stdout) == (2, "")
    [line] = answer.stderr.splitlines()
    assert line.startswith("CANNOT_LISTEN: ")
    assert port in line


def test_an_address_of_another_machine_is_told_in_one_line(folder: Path) -> None:
    answer = muster(folder, "serve", "--host", "192.0.2.1", "--port", free_port(), MUSTER_TOKEN=TOKEN)
    assert answer.exit_code == 2
    [line] = answer.stderr.splitlines()
    assert line.startswith("CANNOT_LISTEN: ")


def test_a_server_that_others_can_reach_needs_a_token(folder: Path) -> None:
    answer = muster(folder, "serve", "--host", "0.0.0.0", "--port", free_port())
    assert answer.exit_code == 2
    assert "MUSTER_TOKEN" in answer.stderr


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_database_of_an_unknown_kind_is_refused(folder: Path, command: str) -> None:
    answer = muster(folder, command, "--database", "mysql://somewhere/muster")
    assert answer.exit_code == 2
    assert "  database_url  " in answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_database_that_does_not_answer_ends_with_code_3(folder: Path, command: str) -> None:
    answer = muster_process(folder, command, "--database", f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    assert answer.returncode == 3
    assert "UNAVAILABLE: " in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_setting_that_cannot_be_read_is_named(folder: Path) -> None:
    answer = muster(folder, "serve", MUSTER_PORT="eighty", MUSTER_WORKERS="-1")
    assert answer.exit_code == 2
    for name in ("port", "workers"):
        assert f"  {name}  " in answer.stderr
