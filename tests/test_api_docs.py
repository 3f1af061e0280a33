"""The pages about the service are true: their requests are sent as written, their tables compared with the code."""

import re
import shlex
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.http.metrics import Metrics
from api.resource_kinds import KINDS, PageQuery
from api.settings import Settings
from tests.http_service import refusing, sqlite_client, sqlite_database, sqlite_url
from tests.test_docs import DOCS, blocks, names_in, section, table_rows

__all__ = ["refusing", "sqlite_client", "sqlite_database", "sqlite_url"]

API, OPERATIONS = DOCS / "api.md", DOCS / "operations.md"
SERVER = "http://127.0.0.1:8000"


def commands(page: Path) -> list[tuple[str, str]]:
    """Every command of the page's console blocks, with the output under it; a command ends where its quotes do."""
    found = []
    for block in blocks(page):
        if block.language == "console":
            for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
                lines = part.splitlines(keepends=True)
                length = next(n for n in range(1, len(lines) + 1) if "".join(lines[:n]).count("'") % 2 == 0)
                found.append(("".join(lines[:length]), "".join(lines[length:])))
    return found


def curl(client: TestClient, command: str) -> str:
    """What curl prints for the options that the page uses."""
    program, *arguments = shlex.split(command)
    assert program == "curl"
    method, address, written, headers, body = "GET", "", "", {}, None
    given = iter(arguments)
    for argument in given:
        if argument == "-X":
            method = next(given)
        elif argument == "-H":
            name, _, value = next(given).partition(": ")
            headers[name] = value
        elif argument == "--json":
            body = next(given)
            headers["Content-Type"] = "application/json"
        elif argument == "-w":
            written = next(given)
        elif argument == "-o":
            next(given)
        elif argument != "-s":
            address = argument
    assert address.startswith(SERVER)
    answer = client.request(method, address.removeprefix(SERVER), headers=headers, content=body)
    return written.replace("%{http_code}", str(answer.status_code)) if written else answer.text


def test_the_requests_of_the_page_are_answered_as_it_says(sqlite_client: TestClient) -> None:
    checker = OutputChecker()
    assert len(commands(API)) > 10
    for command, output in commands(API):
        answer = curl(sqlite_client, command)
        # The page breaks long answers into lines; JSON does not mind.
        expected = re.sub(r"\n\s*", "", output)
        assert checker.check_output(expected + "\n", answer + "\n", ELLIPSIS | NORMALIZE_WHITESPACE), (
            f"docs/api.md says\n$ {command}{output}\nbut the answer is\n{answer}"
        )


def test_the_page_lists_every_kind_of_record_with_its_filters() -> None:
    rows = table_rows(section(API, "What is kept"))
    stated = {row[0].strip("`"): re.findall(r"`(\w+)`", row[2]) for row in rows if row[0].startswith("`")}
    filters = {
        f"/v1{kind.list_path}": [
            info.alias or name for name, info in kind.query.model_fields.items() if name not in PageQuery.model_fields
        ]
        for kind in KINDS
    }
    assert stated == filters


def test_the_page_of_operations_has_every_setting_with_its_default() -> None:
    rows = {row[0].strip("`"): row[1].strip("`") for row in table_rows(section(OPERATIONS, "Settings"))}
    assert set(rows) == {f"MUSTER_{name.upper()}" for name in Settings.model_fields}
    for name, info in Settings.model_fields.items():
        default = f"{info.default:g}" if isinstance(info.default, float) else str(info.default)
        # As the environment says true, false and nothing.
        shown = default.lower() if info.default in (None, True, False) else default
        assert rows[f"MUSTER_{name.upper()}"] == shown


@pytest.mark.parametrize("name", ["Figures"])
def test_the_page_of_operations_has_every_figure(name: str, refusing: TestClient) -> None:
    refusing.get("/healthz")
    metrics: Metrics = refusing.app.state.metrics  # type: ignore[attr-defined]
    kinds = re.findall(r"^# TYPE (\S+) ", metrics.text().decode(), re.M)
    given = {kind for kind in kinds if not kind.endswith("_created")}
    assert set(names_in(table_rows(section(OPERATIONS, name)))) - {"name"} == given
