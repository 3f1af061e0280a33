"""Resolved orders from files: both notations say the same, and everything wrong is reported at its place."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.resolved_orders import load_resolved_document
from data.importers.resolved_orders import read_resolved
from dispatcher.documents import instant
from skills.history import ResolvedOrder, engineer_fields, learn

HEAD = "engineer,skill,resolved_at,asset_model,first_time_fix,actual_minutes,estimated_minutes\n"
AS_OF = "2026-11-21T00:00:00+01:00"
ROWS = (
    "Ada,lifts,2026-11-05,XL-2,yes,45,60\nBen,lifts,2026-11-20T14:30:00+01:00,,no,70.5,60\nBen,doors,2026-11-18,,,,\n"
)
ORDERS = [
    ResolvedOrder("Ada", "lifts", instant("2026-11-05T00:00:00Z"), "XL-2", True, 2700, 3600),
    ResolvedOrder("Ben", "lifts", instant("2026-11-20T13:30:00Z"), None, False, 4230, 3600),
    ResolvedOrder("Ben", "doors", instant("2026-11-18T00:00:00Z")),
]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def document() -> str:
    fields = ("engineer", "skill", "asset_model", "first_time_fix", "actual_seconds", "estimated_seconds")
    items = []
    for order, at in zip(
        ORDERS, ("2026-11-05T00:00:00Z", "2026-11-20T14:30:00+01:00", "2026-11-18T00:00:00Z"), strict=True
    ):
        given = {name: getattr(order, name) for name in fields if getattr(order, name) is not None}
        items.append({**given, "resolved_at": at})
    return json.dumps({"resolved_orders": items})


def history(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["skills", "history", *(str(argument) for argument in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_both_notations_give_the_same_orders(tmp_path: Path) -> None:
    read = read_resolved(write(tmp_path, "resolved.csv", HEAD + ROWS))
    assert (list(read.orders), read.errors) == (ORDERS, ())
    assert load_resolved_document(write(tmp_path, "resolved.json", document())) == ORDERS


@pytest.mark.parametrize("name", ["resolved.csv", "resolved.json"])
def test_the_fields_of_the_engineers_are_what_the_history_says(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, HEAD + ROWS if name.endswith("csv") else document())
    result = history(path, "--as-of", AS_OF, "-o", tmp_path / "factors.json", "--json")
    assert result.exit_code == 0, result.output
    found = learn(ORDERS, now=instant(AS_OF))
    expected = engineer_fields(found.experiences.values())
    written = json.loads((tmp_path / "factors.json").read_text(encoding="utf-8"))["engineers"]
    assert {item.pop("id"): item for item in written} == expected
    answer = json.loads(result.stdout)
    assert answer["as_of"] == "2026-11-20T23:00:00+00:00"
    assert answer["engineers"] == str(tmp_path / "factors.json")
    told = {(item["engineer"], item["skill"]): item for item in answer["experiences"]}
    assert set(told) == set(found.experiences)
    assert told["Ben", "doors"]["fix_probability"] is None
    ada = told["Ada", "lifts"]["fix_probability"]
    assert 0 < ada["low"] < ada["value"] < ada["high"] < 1
    assert [item["skill"] for item in answer["groups"]] == ["doors", "lifts"]


def test_the_table_has_everybody_and_what_to_expect_of_anybody_else(tmp_path: Path) -> None:
    text = history(write(tmp_path, "resolved.csv", HEAD + ROWS), "--as-of", AS_OF).stdout
    for part in ("Ada", "Ben", "anybody else", "lifts", "doors", "%", "× "):
        assert part in text


def test_without_an_instant_ages_are_counted_up_to_now(tmp_path: Path) -> None:
    assert history(write(tmp_path, "resolved.csv", HEAD), "--json").exit_code == 0


def test_every_wrong_cell_is_reported_at_its_place(tmp_path: Path) -> None:
    rows = "Ada,,yesterday,,maybe,0,sixty\n,lifts,2026-11-05T10:00:00,,yes,10,10\nAda,lifts,2026-13-01,,,,\n"
    read = read_resolved(write(tmp_path, "resolved.csv", HEAD + rows))
    assert read.orders == ()
    assert {(error.line, error.column, error.code) for error in read.errors} == {
        (2, "skill", "MISSING_VALUE"),
        (2, "resolved_at", "BAD_TIME"),
        (2, "first_time_fix", "UNKNOWN_VALUE"),
        (2, "actual_minutes", "OUT_OF_RANGE"),
        (2, "estimated_minutes", "BAD_NUMBER"),
        (3, "engineer", "MISSING_VALUE"),
        (3, "resolved_at", "BAD_TIME"),
        (4, "resolved_at", "BAD_TIME"),
    }


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_wrong_file_ends_with_bad_input_and_all_of_its_errors(tmp_path: Path, options: tuple[str, ...]) -> None:
    wrong = {
        "resolved.csv": "engineer,skil,resolved_at\nAda,lifts,2026-11-05\n",
        "resolved.json": '{"resolved_orders": [{"engineer": "Ada", "resolved_at": "now", "actual_seconds": 0}]}',
        "list.json": "[]",
        "resolved.xlsx": "",
    }
    codes = {
        "resolved.csv": ("UNKNOWN_COLUMN", "MISSING_COLUMN"),
        "resolved.json": ("MISSING_FIELD", "BAD_INSTANT", "OUT_OF_RANGE"),
        "list.json": ("WRONG_TYPE",),
        "resolved.xlsx": ("UNKNOWN_VALUE",),
        "nowhere.csv": ("UNREADABLE_FILE",),
        "nowhere.json": ("UNREADABLE_FILE",),
    }
    for name, text in wrong.items():
        write(tmp_path, name, text)
    for name, expected in codes.items():
        result = history(tmp_path / name, *options)
        assert result.exit_code == 2, name
        for code in expected:
            assert code in result.output, name


def test_an_instant_that_is_none_and_a_file_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "resolved.csv", HEAD + ROWS)
    for options in (("--as-of", "today"), ("-o", path)):
        result = history(path, *options)
        assert result.exit_code == 2
        assert any(code in result.output for code in ("BAD_INSTANT", "UNWRITABLE_FILE"))
