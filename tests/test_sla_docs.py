"""The page on promises is true: its day runs as written, its tables are those of the code, its schema is published."""

import json
import re
from datetime import timedelta
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker

import jsonschema
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api import cli
from api.sla_schemas import SlaPolicy, policy_schema
from data.session import Database
from data.sla_policy import default_policy
from dispatcher.documents import utc_text
from dispatcher.sla.causes import CAUSES
from dispatcher.sla.clocks import CLOCKS
from tests.http_service import sqlite_client, sqlite_database, sqlite_url
from tests.test_api_docs import commands, curl
from tests.test_docs import DOCS, names_in, section, table_rows

__all__ = ["sqlite_client", "sqlite_database", "sqlite_url"]

PAGE = DOCS / "sla.md"


def minutes_ago(database: Database, minutes: int) -> str:
    """What the shell function `ago` of the page prints, by the clock of the service."""
    return utc_text(database.clock.now() - timedelta(minutes=minutes))


def test_the_day_on_the_page_runs_as_it_says(sqlite_client: TestClient, sqlite_database: Database) -> None:
    checker = OutputChecker()
    assert len(commands(PAGE)) > 10
    for command, output in commands(PAGE):
        # curl sends a body without a method as POST.
        method = "" if " -X " in command or "--json" not in command else " -X POST"
        written = re.sub(r"'\$\(ago (\d+)\)'", lambda ago: minutes_ago(sqlite_database, int(ago[1])), command)
        assert "$(" not in written
        answer = curl(sqlite_client, written.rstrip() + method)
        expected = re.sub(r"\n\s*", "", output)
        assert checker.check_output(expected + "\n", answer + "\n", ELLIPSIS | NORMALIZE_WHITESPACE), (
            f"docs/sla.md says\n$ {command}{output}\nbut the answer is\n{answer}"
        )


def test_the_page_explains_every_clock_cause_and_field() -> None:
    rows = names_in(table_rows(section(PAGE, "Clocks")))
    assert [name for name in rows if name in CLOCKS] == list(CLOCKS)
    assert set(rows) - set(CLOCKS) == set(CAUSES)
    stated = {name for name in names_in(table_rows(section(PAGE, "The policy"))) if not re.fullmatch(r"L[1-4]", name)}
    assert stated == SlaPolicy.model_fields.keys() - {"version"}


def test_the_rules_on_the_page_are_those_of_the_policy() -> None:
    grading = default_policy()["grading"]
    rows = [row for row in table_rows(section(PAGE, "Grading")) if re.fullmatch(r"L[1-4]", row[1])]
    assert [row[1] for row in rows] == [*(rule["level"] for rule in grading["rules"]), grading["otherwise"]]


def test_the_published_schema_is_the_generated_one_and_fits_the_policy_that_comes_with_it() -> None:
    path = DOCS / "schema" / "sla-policy.schema.json"
    schema = policy_schema()
    assert path.read_text(encoding="utf-8") == json.dumps(schema, indent=2, ensure_ascii=False) + "\n", (
        f"write api.sla_schemas.policy_schema() to {path} anew"
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(default_policy())


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--planned"], 0, "L3"),
        (["--down", "1", "--json"], 0, '"level": "L2"'),
        (["--operation", "bad"], 2, "UNKNOWN_VALUE"),
        (["--policy", "nowhere.yaml"], 2, "UNREADABLE_FILE"),
    ],
)
def test_the_command_grades_or_says_what_is_wrong(arguments: list[str], code: int, expected: str) -> None:
    result = CliRunner().invoke(cli.app, ["sla", "grade", *arguments])
    assert result.exit_code == code
    assert expected in result.output
