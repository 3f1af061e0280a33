"""Plans, JSON texts and files: what cannot be read is refused with its place, never with a raw exception."""

import json
import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import (
    check_plan,
    check_problem,
    load_plan_document,
    load_problem_document,
    parse_json,
)
from api.http.problems import HTTP_CODES
from dispatcher.errors import (
    EVENT_CODES,
    ISSUE_CODES,
    InvalidInput,
    Issue,
    MusterError,
    NoResult,
    UnknownEngine,
)
from dispatcher.validate import LIMITS, plan_issues, problem_issues
from tests.planning_documents import changed, full_plan, full_problem, setting

ERRORS_PAGE = Path(__file__).parent.parent / "docs" / "errors.md"


def codes(issues: list[Issue]) -> list[tuple[str, str]]:
    return [(issue.path, issue.code) for issue in issues]


def refused(raw: bytes) -> list[Issue]:
    with pytest.raises(InvalidInput) as caught:
        parse_json(raw, name="problem.json")
    return list(caught.value.issues)


# Plans


PLAN_MISTAKES: list[tuple[str, object, str, str]] = [
    ("version", 2, "version", "UNSUPPORTED_VERSION"),
    ("version", None, "version", ""),
    ("routes", {}, "routes", "WRONG_TYPE"),
    ("routes[0]", "E1", "routes[0]", "WRONG_TYPE"),
    ("routes[0].shift", None, "routes[0].shift", ""),
    ("routes[0].stops[0].kind", "begin", "routes[0].stops[0].kind", "UNKNOWN_VALUE"),
    ("routes[0].stops[0].kind", 1, "routes[0].stops[0].kind", "WRONG_TYPE"),
    ("routes[0].stops[1].start", "08:14", "routes[0].stops[1].start", "BAD_INSTANT"),
    ("routes[0].stops[1].start", 5, "routes[0].stops[1].start", "WRONG_TYPE"),
    ("routes[0].stops[1].travel_seconds", 1.5, "routes[0].stops[1].travel_seconds", "WRONG_TYPE"),
    ("routes[0].stops[3].location", 1, "routes[0].stops[3].location", "WRONG_TYPE"),
    ("teams[0].start", True, "teams[0].start", "WRONG_TYPE"),
    ("teams[0].members[0]", [], "teams[0].members[0]", "WRONG_TYPE"),
    ("unassigned[0].work_order", 5, "unassigned[0].work_order", "WRONG_TYPE"),
]


@pytest.mark.parametrize(("place", "value", "path", "code"), PLAN_MISTAKES)
def test_an_unreadable_plan_is_refused_by_the_domain_as_by_the_schema(
    place: str, value: object, path: str, code: str
) -> None:
    plan = changed(setting(place, value), full_plan())
    assert path in [issue.path for issue in plan_issues(full_problem(), plan)]
    assert path in [issue.path for issue in check_plan(plan)]
    if code:
        assert (path, code) in codes(plan_issues(full_problem(), plan))
        assert (path, code) in codes(check_plan(plan))


def test_a_false_plan_is_readable() -> None:
    plan = full_plan()
    setting("routes[0].stops[1].travel_seconds", -5)(plan)
    setting("routes[0].engineer", "nobody")(plan)
    setting("score.total", -1)(plan)
    assert check_plan(plan) == []
    assert plan_issues(full_problem(), plan) == []


def test_a_plan_made_elsewhere_may_leave_out_what_the_format_lets_it() -> None:
    plan = full_plan()
    for key in ("problem_id", "created_at", "score", "receipt", "teams"):
        del plan[key]
    del plan["unassigned"][0]["reasons"]
    for key in (
        "travel_meters",
        "late_arrival_seconds",
        "late_start_seconds",
        "late_restore_seconds",
        "pinned",
    ):
        del plan["routes"][0]["stops"][1][key]
    assert check_plan(plan) == []
    assert plan_issues(full_problem(), plan) == []


def test_swapped_documents_are_named_as_such() -> None:
    assert codes(check_problem(full_plan())) == [("", "WRONG_DOCUMENT")]
    assert codes(check_plan(full_problem())) == [("", "WRONG_DOCUMENT")]
    (issue,) = plan_issues(full_plan(), full_problem())
    assert issue.code == "WRONG_DOCUMENT"
    assert "swapped" in issue.message


@pytest.mark.parametrize("document", [None, True, 3, 1.5, "x", [], [{}], {}])
def test_anything_else_than_a_document_is_refused(document: object) -> None:
    assert check_problem(document)
    assert check_plan(document)
    assert plan_issues({}, document)
    problem_issues(document)


# JSON texts


def test_json_is_read_with_or_without_a_byte_order_mark() -> None:
    assert parse_json(b'{"a": [1, 2.5, "\xe4\xb8\x8a"]}', name="x") == {"a": [1, 2.5, "上"]}
    assert parse_json(b"\xef\xbb\xbf{}", name="x") == {}
    assert parse_json(b'"\\ud83d\\ude00"', name="x") == "😀"


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        (b"", "", "INVALID_JSON"),
        (b'{"a": 1', "", "INVALID_JSON"),
        (b"{} {}", "", "INVALID_JSON"),
        (b"\x1f\x8b\x08rest", "", "COMPRESSED_FILE"),
        (b'{"a": "\xff"}', "", "NOT_UTF8"),
        (b'{"a": "\xed\xa0\x80"}', "", "NOT_UTF8"),
        (b'{"a": [{"b": 1, "c": 2, "b": 3}]}', "a[0].b", "DUPLICATE_KEY"),
        (b'{"a": [1, NaN]}', "a[1]", "NOT_FINITE"),
        (b'{"a": -Infinity}', "a", "NOT_FINITE"),
        (b'{"a": 1e999}', "a", "NOT_FINITE"),
        (b'{"a": {"b": ' + b"9" * 5000 + b"}}", "a.b", "NOT_FINITE"),
        (b'{"a": ["\\ud800"]}', "a[0]", "INVALID_TEXT"),
        (b'{"\\udfff": 1}', '["\\udfff"]', "INVALID_TEXT"),
        (b'{"a": "\\u0000"}', "a", "INVALID_TEXT"),
        (b"[" * 65 + b"]" * 65, "", "TOO_DEEP"),
        (b"[" * 100_000 + b"]" * 100_000, "", "TOO_DEEP"),
        (b'{"a":' * 100_000, "", "TOO_DEEP"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_sound_json_is_refused_with_its_place(raw: bytes, path: str, code: str) -> None:
    assert codes(refused(raw)) == [(path, code)]


def test_all_repeated_keys_and_odd_numbers_are_reported_at_once() -> None:
    raw = b'{"a": NaN, "b": {"x": 1, "x": {"y": 1, "y": Infinity}}, "c": "\\udc00"}'
    assert codes(refused(raw)) == [
        ("a", "NOT_FINITE"),
        ("b.x", "DUPLICATE_KEY"),
        ("b.x.y", "DUPLICATE_KEY"),
        ("b.x.y", "NOT_FINITE"),
        ("c", "INVALID_TEXT"),
    ]


def test_bad_json_is_answered_with_line_and_column() -> None:
    (issue,) = refused(b'{\n  "a": 1,\n  "b" 2\n}')
    assert (issue.params["line"], issue.params["column"]) == (3, 7)
    assert "problem.json" in issue.message


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse_json(b"[" * LIMITS.depth + b"]" * LIMITS.depth, name="x")


@given(raw=st.binary(max_size=40) | st.text(alphabet='{}[]":,0123\\u eNaInfty-.', max_size=40).map(str.encode))
def test_no_bytes_raise_anything_but_invalid_input(raw: bytes) -> None:
    issues: tuple[Issue, ...] = ()
    document: object = None
    try:
        document = parse_json(raw, name="x")
    except InvalidInput as error:
        issues = error.issues
    assert {issue.code for issue in issues} <= set(ISSUE_CODES)
    # What passes can be written again as strict JSON and as UTF-8.
    json.dumps(document, allow_nan=False, ensure_ascii=False).encode()


# Files


def test_sound_files_are_read(tmp_path: Path) -> None:
    problem, plan = tmp_path / "problem.json", tmp_path / "plan.json"
    problem.write_text(json.dumps(full_problem()), encoding="utf-8")
    plan.write_text(json.dumps(full_plan()), encoding="utf-8")
    assert load_problem_document(problem) == full_problem()
    assert load_plan_document(plan) == full_plan()


def test_a_file_with_mistakes_is_refused_with_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    problem = full_problem()
    problem["colour"], problem["timezone"] = "red", "Nowhere"
    path.write_text(json.dumps(problem), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_problem_document(path)
    assert codes(list(caught.value.issues)) == [("timezone", "BAD_TIMEZONE"), ("colour", "UNKNOWN_FIELD")]
    assert "colour" in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_issue(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.json", tmp_path, tmp_path / "a\0b", tmp_path / ("x" * 5000)):
        for load in (load_problem_document, load_plan_document):
            with pytest.raises(InvalidInput) as caught:
                load(path)
            assert codes(list(caught.value.issues)) == [("", "UNREADABLE_FILE")]


# The errors themselves


def test_the_page_of_errors_lists_every_code() -> None:
    page, answers = ERRORS_PAGE.read_text(encoding="utf-8").split("## Answers of the service")
    assert set(re.findall(r"^\| `([A-Z0-9_]+)` \|", page, flags=re.MULTILINE)) == {*ISSUE_CODES, *EVENT_CODES}
    assert set(re.findall(r"^\| `([A-Z0-9_]+)` \| \d", answers, flags=re.MULTILINE)) == set(HTTP_CODES)


def test_codes_in_the_sources_are_those_of_the_catalogue() -> None:
    root = Path(__file__).parent.parent
    sources = [
        *root.glob("dispatcher/validate*.py"),
        *root.glob("api/documents*.py"),
        root / "api" / "schemas_values.py",
        root / "api" / "problems.py",
        root / "api" / "cli.py",
        root / "api" / "cli_answers.py",
        root / "api" / "cli_documents.py",
        root / "api" / "routers" / "resources.py",
        root / "skills" / "consistency.py",
        root / "skills" / "exchange.py",
        root / "solver" / "live" / "moves.py",
    ]
    written = set().union(
        *(re.findall(r'"([A-Z]+(?:_[A-Z0-9]+)+|ORDER|CYCLE|OVERLAP)"', path.read_text()) for path in sources)
    )
    of_the_command = {"UNKNOWN_ENGINE", "ENGINE_REFUSES", "PLAN_REFUSED", "NO_RESULT"}
    assert written - {"UTF_8"} - of_the_command - set(HTTP_CODES) == set(ISSUE_CODES)


def test_errors_are_one_tree_and_survive_pickling() -> None:
    issue = Issue("a.b", "ORDER", "found", "do", {"x": 1})
    error = InvalidInput([issue])
    assert issubclass(InvalidInput, MusterError)
    assert issubclass(NoResult, MusterError)
    assert issubclass(UnknownEngine, MusterError)
    assert pickle.loads(pickle.dumps(error)).issues == (issue,)
    assert str(error) == "a.b: found (ORDER). do"
    assert {issue} == {Issue("a.b", "ORDER", "found", "do", {"x": 1})}
