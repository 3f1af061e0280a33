"""Documents with mistakes: every one is reported at once, with its path, a stable code and a remedy."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import (
    check_plan,
    check_problem,
)
from dispatcher.errors import (
    ISSUE_CODES,
    Issue,
    path_text,
)
from dispatcher.validate import LIMITS, plan_issues, problem_issues
from tests.planning_documents import (
    GARBAGE,
    Change,
    at,
    changed,
    full_plan,
    full_problem,
    matrix_problem,
    parent_of,
    places,
    setting,
)
from tests.reference import golden_cases

ERRORS_PAGE = Path(__file__).parent.parent / "docs" / "errors.md"


def codes(issues: list[Issue]) -> list[tuple[str, str]]:
    return [(issue.path, issue.code) for issue in issues]


# Valid documents


@pytest.mark.parametrize("document", [full_problem, matrix_problem])
def test_a_problem_that_uses_every_field_has_no_issue(document: Callable[[], dict[str, Any]]) -> None:
    assert check_problem(document()) == []


def test_a_plan_that_uses_every_field_has_no_issue() -> None:
    assert check_plan(full_plan()) == []
    assert plan_issues(full_problem(), full_plan()) == []


def test_golden_documents_have_no_issue_in_the_domain_either(subtests: pytest.Subtests) -> None:
    for case in golden_cases() or pytest.skip("no reference data"):
        with subtests.test(case.name):
            assert problem_issues(case.problem) == []
            assert plan_issues(case.problem, case.plan) == []


@pytest.mark.parametrize("nothing", ["absent", "null", "empty"])
def test_absent_null_and_empty_mean_the_same(nothing: str) -> None:
    problem = full_problem()
    order = problem["work_orders"][1]
    lists = ("required_skills", "time_windows", "preferred_engineers", "related_to", "depends_on")
    for key in (*lists, "parts", "team", "deadlines", "pin", "attributes"):
        order.pop(key, None)
        if nothing != "absent":
            order[key] = None if nothing == "null" else [] if key in lists else {}
    for key in ("current_plan", "objective", "solve", "attributes"):
        problem.pop(key)
        if nothing != "absent":
            problem[key] = None if nothing == "null" else {}
    assert check_problem(problem) == []


@pytest.mark.parametrize("key", ["engineers", "work_orders"])
def test_an_empty_list_of_engineers_or_work_orders_is_a_valid_problem(key: str) -> None:
    problem = full_problem()
    problem["engineers"], problem["work_orders"] = ([], []) if key == "engineers" else (problem["engineers"], [])
    assert check_problem(problem) == []


@pytest.mark.parametrize(
    "change",
    [
        setting("work_orders[0].pin.engineer", "E2"),
        setting("work_orders[1].pin", {"engineer": "E2", "start": at("09:05")}),
        setting("work_orders[1].value", 0.125),
        setting("now", "2026-12-31T00:00:00Z"),
        setting("travel.traffic", None),
        setting("skill_graph", {"relations": [{"type": "implies", "from": "a", "to": "b"}]}),
    ],
)
def test_what_nobody_can_serve_or_nobody_reads_is_no_error(change: Change) -> None:
    assert check_problem(changed(change, full_problem())) == []


# One mistake, one issue


MISTAKES: list[tuple[str, object, str, str]] = [
    # (what is set, to what, path of the issue, its code)
    ("version", 2, "version", "UNSUPPORTED_VERSION"),
    ("version", True, "version", "WRONG_TYPE"),
    ("id", "", "id", "OUT_OF_RANGE"),
    ("id", "x" * 201, "id", "OUT_OF_RANGE"),
    ("id", "a\0b", "id", "INVALID_TEXT"),
    ("id", None, "id", "WRONG_TYPE"),
    ("colour", "red", "colour", "UNKNOWN_FIELD"),
    ("timezone", "Asia/Shangai", "timezone", "BAD_TIMEZONE"),
    ("timezone", "../etc/passwd", "timezone", "BAD_TIMEZONE"),
    ("timezone", "Asia", "timezone", "BAD_TIMEZONE"),
    ("now", "yesterday", "now", "BAD_INSTANT"),
    ("now", "2026-11-23T09:30:00", "now", "BAD_INSTANT"),
    ("now", "2026-11-23T09:30:00.5Z", "now", "BAD_INSTANT"),
    ("now", "2026-02-30T09:30:00Z", "now", "BAD_INSTANT"),
    ("now", "1969-12-31T23:59:59Z", "now", "BAD_INSTANT"),
    ("now", "1970-01-01T00:00:00+08:00", "now", "BAD_INSTANT"),
    ("now", "2201-01-01T00:00:00Z", "now", "BAD_INSTANT"),
    ("now", "2026-11-23T09:30:00Z\n", "now", "BAD_INSTANT"),
    ("now", 1795397400, "now", "WRONG_TYPE"),
    ("horizon.end", "2026-11-22T16:00:00Z", "horizon.end", "ORDER"),
    ("horizon.end", "2028-11-22T16:00:00Z", "horizon.end", "TOO_LARGE"),
    ("locations.depot", {"lat": 31.2}, "locations.depot.lon", "MISSING_FIELD"),
    ("locations.depot", None, "locations.depot.lat", "MISSING_FIELD"),
    ("locations.depot.lat", 90.1, "locations.depot.lat", "OUT_OF_RANGE"),
    ("locations.depot.lat", float("nan"), "locations.depot.lat", "NOT_FINITE"),
    ("locations.depot.lat", float("inf"), "locations.depot.lat", "NOT_FINITE"),
    ("locations.depot.lat", 10**400, "locations.depot.lat", "NOT_FINITE"),
    ("skill_graph.skills[1].id", "hydraulics", "skill_graph.skills[1].id", "DUPLICATE_ID"),
    ("skill_graph.relations[0].penalty", 1, "skill_graph.relations[0].penalty", "IMPLIES_WITH_PRICE"),
    ("skill_graph.relations[2].to", "hydrolics", "skill_graph.relations[2].to", "NOT_FOUND"),
    (
        "skill_graph.relations[2].duration_factor",
        0,
        "skill_graph.relations[2].duration_factor",
        "OUT_OF_RANGE",
    ),
    ("skill_graph.relations[2].type", "implied", "skill_graph.relations[2].type", "UNKNOWN_VALUE"),
    ("engineers[1].skills[0].level", 6, "engineers[1].skills[0].level", "OUT_OF_RANGE"),
    ("engineers[1].skills[0].skill", "piano", "engineers[1].skills[0].skill", "NOT_FOUND"),
    ("engineers[1].duration_factors", {"piano": 1}, "engineers[1].duration_factors.piano", "NOT_FOUND"),
    ("engineers[1].fix_probability", {"piano": 1}, "engineers[1].fix_probability.piano", "NOT_FOUND"),
    ("engineers[1].fix_probability", {"pneumatics": 1.1}, "engineers[1].fix_probability.pneumatics", "OUT_OF_RANGE"),
    ("engineers[1].fix_probability", {"pneumatics": -1}, "engineers[1].fix_probability.pneumatics", "OUT_OF_RANGE"),
    ("engineers[1].fix_probability", {"pneumatics": "1"}, "engineers[1].fix_probability.pneumatics", "WRONG_TYPE"),
    ("engineers[1].parts", {"": 1}, 'engineers[1].parts[""]', "BAD_KEY"),
    ("engineers[1].parts", {"P": -1}, "engineers[1].parts.P", "OUT_OF_RANGE"),
    ("engineers[0].speed_factor", 0, "engineers[0].speed_factor", "OUT_OF_RANGE"),
    ("engineers[0].speed_factor", "1", "engineers[0].speed_factor", "WRONG_TYPE"),
    ("engineers[0].on_call", 1, "engineers[0].on_call", "WRONG_TYPE"),
    ("engineers[1].id", "E1", "engineers[1].id", "DUPLICATE_ID"),
    ("engineers[0].shifts[1].id", "am", "engineers[0].shifts[1].id", "DUPLICATE_ID"),
    ("engineers[0].shifts[1].start", at("12:59"), "engineers[0].shifts[1]", "OVERLAP"),
    ("engineers[0].shifts[1].end", at("13:00"), "engineers[0].shifts[1].end", "ORDER"),
    ("engineers[0].shifts[1].start_location", "dpot", "engineers[0].shifts[1].start_location", "NOT_FOUND"),
    ("engineers[0].shifts[1].end_location", "dpot", "engineers[0].shifts[1].end_location", "NOT_FOUND"),
    ("engineers[1].shifts[0].latest_end", at("16:59"), "engineers[1].shifts[0].latest_end", "ORDER"),
    (
        "engineers[1].shifts[0].latest_end",
        "2026-11-24T00:00:01+08:00",
        "engineers[1].shifts[0].latest_end",
        "OUTSIDE_HORIZON",
    ),
    (
        "engineers[0].shifts[0].start",
        "2026-11-22T23:59:59+08:00",
        "engineers[0].shifts[0].start",
        "OUTSIDE_HORIZON",
    ),
    (
        "engineers[0].shifts[0].breaks[0].latest_start",
        at("09:59"),
        "engineers[0].shifts[0].breaks[0].latest_start",
        "ORDER",
    ),
    (
        "engineers[0].shifts[0].breaks[0].duration_seconds",
        -1,
        "engineers[0].shifts[0].breaks[0].duration_seconds",
        "OUT_OF_RANGE",
    ),
    ("work_orders[0].location", "n18", "work_orders[0].location", "NOT_FOUND"),
    ("work_orders[0].service_seconds", 3600.5, "work_orders[0].service_seconds", "WRONG_TYPE"),
    ("work_orders[0].service_seconds", "3600", "work_orders[0].service_seconds", "WRONG_TYPE"),
    ("work_orders[0].service_seconds", True, "work_orders[0].service_seconds", "WRONG_TYPE"),
    ("work_orders[0].service_seconds", -1, "work_orders[0].service_seconds", "OUT_OF_RANGE"),
    ("work_orders[0].service_seconds", 10**5000, "work_orders[0].service_seconds", "OUT_OF_RANGE"),
    ("work_orders[0].level", "L5", "work_orders[0].level", "UNKNOWN_VALUE"),
    ("work_orders[0].level", 2, "work_orders[0].level", "WRONG_TYPE"),
    ("work_orders[0].value", -0.5, "work_orders[0].value", "OUT_OF_RANGE"),
    (
        "work_orders[0].required_skills[0].skill",
        "oil",
        "work_orders[0].required_skills[0].skill",
        "NOT_FOUND",
    ),
    ("work_orders[0].time_windows[0].end", at("07:59"), "work_orders[0].time_windows[0].end", "ORDER"),
    (
        "work_orders[0].time_windows[0].end",
        "2026-11-24T00:00:01+08:00",
        "work_orders[0].time_windows[0].end",
        "OUTSIDE_HORIZON",
    ),
    (
        "work_orders[0].time_windows[1].end",
        at("09:30"),
        "work_orders[0].time_windows[1].start",
        "OUTSIDE_HORIZON",
    ),
    ("work_orders[0].allowed_engineers[0]", "E7", "work_orders[0].allowed_engineers[0]", "NOT_FOUND"),
    ("work_orders[0].excluded_engineers[0]", "E7", "work_orders[0].excluded_engineers[0]", "NOT_FOUND"),
    ("work_orders[0].preferred_engineers[1]", "E7", "work_orders[0].preferred_engineers[1]", "NOT_FOUND"),
    ("work_orders[0].pin.engineer", "E7", "work_orders[0].pin.engineer", "NOT_FOUND"),
    ("work_orders[0].related_to[0]", "W7", "work_orders[0].related_to[0]", "NOT_FOUND"),
    ("work_orders[0].related_to[0]", "W1", "work_orders[0].related_to[0]", "SELF_REFERENCE"),
    (
        "work_orders[1].depends_on[0].work_order",
        "W7",
        "work_orders[1].depends_on[0].work_order",
        "NOT_FOUND",
    ),
    (
        "work_orders[1].depends_on[0].work_order",
        "W2",
        "work_orders[1].depends_on[0].work_order",
        "SELF_REFERENCE",
    ),
    ("work_orders[1].depends_on[0].work_order", None, "work_orders[1].depends_on[0]", "EXACTLY_ONE"),
    ("work_orders[1].depends_on[0].completed_at", at("07:00"), "work_orders[1].depends_on[0]", "EXACTLY_ONE"),
    (
        "work_orders[0].depends_on[0].min_gap_seconds",
        86401,
        "work_orders[0].depends_on[0].max_gap_seconds",
        "ORDER",
    ),
    ("work_orders[1].id", "W1", "work_orders[1].id", "DUPLICATE_ID"),
    ("work_orders[1].team.roles", None, "work_orders[1].team.roles", "TEAM_WITHOUT_ON_SITE_ROLE"),
    ("work_orders[1].team.roles[1].min", 0, "work_orders[1].team.roles", "TEAM_WITHOUT_ON_SITE_ROLE"),
    ("work_orders[1].team.roles[1].max", 0, "work_orders[1].team.roles[1].max", "TEAM_ROLE_SIZE"),
    ("work_orders[1].team.roles[2].role", "support", "work_orders[1].team.roles[2].role", "DUPLICATE_ID"),
    ("work_orders[1].team.roles[0].role", "chief", "work_orders[1].team.arrival.mode", "TEAM_LEAD_FIRST"),
    ("work_orders[1].team.roles[0].max", 2, "work_orders[1].team.arrival.mode", "TEAM_LEAD_FIRST"),
    (
        "work_orders[1].team.roles[0].presence",
        "standby",
        "work_orders[1].team.arrival.mode",
        "TEAM_LEAD_FIRST",
    ),
    (
        "work_orders[1].team.arrival.min_gap_seconds",
        601,
        "work_orders[1].team.arrival.max_gap_seconds",
        "ORDER",
    ),
    (
        "work_orders[1].team.service_seconds_by_size",
        {"two": 1},
        "work_orders[1].team.service_seconds_by_size.two",
        "BAD_KEY",
    ),
    (
        "work_orders[1].team.service_seconds_by_size",
        {"0": 1},
        'work_orders[1].team.service_seconds_by_size["0"]',
        "BAD_KEY",
    ),
    (
        "work_orders[1].team.collective_skills[0].skill",
        "oil",
        "work_orders[1].team.collective_skills[0].skill",
        "NOT_FOUND",
    ),
    ("travel.kind", "teleport", "travel.kind", "UNKNOWN_VALUE"),
    ("travel.kind", None, "travel.kind", "MISSING_FIELD"),
    ("travel.kind", 5, "travel.kind", "WRONG_TYPE"),
    ("travel.speed_kmh", 0, "travel.speed_kmh", "OUT_OF_RANGE"),
    ("travel.traffic[0].to", "24:01", "travel.traffic[0].to", "BAD_CLOCK"),
    ("travel.traffic[0].from", "24:00", "travel.traffic[0].from", "BAD_CLOCK"),
    ("travel.traffic[1].from", "7:00", "travel.traffic[1].from", "BAD_CLOCK"),
    ("travel.traffic[1].to", "07:00", "travel.traffic[1].to", "ORDER"),
    ("travel.traffic[1].to", "09:31", "travel.traffic[2]", "OVERLAP"),
    ("travel.traffic[1].factor", 0, "travel.traffic[1].factor", "OUT_OF_RANGE"),
    ("objective.profile", "balance", "objective.profile", "UNKNOWN_VALUE"),
    ("objective.weights.traval", 1, "objective.weights.traval", "UNKNOWN_FIELD"),
    ("objective.weights.travel", -1, "objective.weights.travel", "OUT_OF_RANGE"),
    ("objective.weights.travel", {"L1": 1}, "objective.weights.travel", "WRONG_TYPE"),
    ("objective.weights.late_start", "1", "objective.weights.late_start", "WRONG_TYPE"),
    ("objective.weights.late_restore.L5", 1, "objective.weights.late_restore.L5", "UNKNOWN_FIELD"),
    ("objective.weights.unserved", 1e12, "objective", "COST_TOO_LARGE"),
    ("solve.time_limit_seconds", 0, "solve.time_limit_seconds", "OUT_OF_RANGE"),
    ("solve.iteration_limit", -1, "solve.iteration_limit", "OUT_OF_RANGE"),
    ("solve.seed", 2**63, "solve.seed", "OUT_OF_RANGE"),
    ("solve.threads", 257, "solve.threads", "OUT_OF_RANGE"),
    ("solve.threads", 0, "solve.threads", "OUT_OF_RANGE"),
    ("solve.engine", 1, "solve.engine", "WRONG_TYPE"),
    ("current_plan.version", 3, "current_plan.version", "UNSUPPORTED_VERSION"),
    (
        "current_plan.routes[0].stops[1].kind",
        "lunch",
        "current_plan.routes[0].stops[1].kind",
        "UNKNOWN_VALUE",
    ),
    (
        "current_plan.routes[0].stops[1].work_order",
        "",
        "current_plan.routes[0].stops[1].work_order",
        "OUT_OF_RANGE",
    ),
    ("current_plan.routes[0].stops[3].arival", 1, "current_plan.routes[0].stops[3].arival", "UNKNOWN_FIELD"),
    ("attributes", [], "attributes", "WRONG_TYPE"),
    ("attributes.text", "\ud800", "attributes", "INVALID_TEXT"),
    ("attributes.number", float("nan"), "attributes", "NOT_FINITE"),
    ("engineers", {}, "engineers", "WRONG_TYPE"),
]


@pytest.mark.parametrize(
    ("place", "value", "path", "code"), MISTAKES, ids=[f"{mistake[0]}-{mistake[3]}" for mistake in MISTAKES]
)
def test_a_mistake_is_reported_where_it_is(place: str, value: object, path: str, code: str) -> None:
    issues = check_problem(changed(setting(place, value), full_problem()))
    found = [issue for issue in issues if (issue.path, issue.code) == (path, code)]
    assert found, issues
    # What follows from a broken list or id may be reported as well, but nothing else at the same place.
    assert [issue.code for issue in issues if issue.path == path] == [code]


MATRIX_MISTAKES: list[tuple[str, object, str, str]] = [
    ("travel.location_ids[1]", "depot", "travel.location_ids[2]", "DUPLICATE_ID"),
    ("travel.location_ids[1]", "n18", "travel.location_ids[1]", "NOT_FOUND"),
    ("travel.location_ids[1]", "unused", "work_orders[0].location", "NOT_FOUND"),
    ("travel.seconds[1]", [1, 2], "travel.seconds[1]", "MATRIX_SIZE"),
    ("travel.seconds[1]", 3, "travel.seconds[1]", "WRONG_TYPE"),
    ("travel.seconds", [[0]], "travel.seconds", "MATRIX_SIZE"),
    ("travel.seconds", None, "travel.seconds", "WRONG_TYPE"),
    ("travel.seconds[1][2]", -1, "travel.seconds[1][2]", "OUT_OF_RANGE"),
    ("travel.seconds[1][2]", 1.5, "travel.seconds[1][2]", "WRONG_TYPE"),
    ("travel.seconds[1][2]", True, "travel.seconds[1][2]", "WRONG_TYPE"),
    ("travel.seconds[1][2]", "1", "travel.seconds[1][2]", "WRONG_TYPE"),
    ("travel.seconds[1][2]", None, "travel.seconds[1][2]", "WRONG_TYPE"),
    ("travel.seconds[1][2]", 2**31, "travel.seconds[1][2]", "OUT_OF_RANGE"),
    ("travel.meters[0][1]", float("inf"), "travel.meters[0][1]", "WRONG_TYPE"),
    ("travel.meters", [], "travel.meters", "MISSING_METERS"),
    ("travel.speed_kmh", 35, "travel.speed_kmh", "UNKNOWN_FIELD"),
    ("locations.n17", {"lon": 121.4}, "locations.n17.lat", "MISSING_FIELD"),
]


@pytest.mark.parametrize(("place", "value", "path", "code"), MATRIX_MISTAKES)
def test_a_mistake_in_a_matrix_is_reported_where_it_is(place: str, value: object, path: str, code: str) -> None:
    assert (path, code) in codes(check_problem(changed(setting(place, value), matrix_problem())))


def test_meters_may_be_absent_where_distance_has_no_weight_in_thousandths() -> None:
    problem = matrix_problem()
    del problem["travel"]["meters"]
    problem["objective"]["weights"]["distance"] = 0.0004
    assert check_problem(problem) == []
    problem["objective"]["weights"]["distance"] = 0.0005
    assert codes(check_problem(problem)) == [("travel.meters", "MISSING_METERS")]


def test_wrong_cells_are_listed_up_to_twenty_and_the_rest_is_counted() -> None:
    problem = matrix_problem()
    names = [f"p{index}" for index in range(30)]
    problem["locations"] |= {name: {} for name in names}
    problem["travel"]["location_ids"] += names
    problem["travel"]["seconds"] = [[-1] * 33 for _ in range(33)]
    problem["travel"]["meters"] = [[0] * 33 for _ in range(33)]
    issues = check_problem(problem)
    assert [issue.code for issue in issues] == ["MATRIX_CELLS"] + ["OUT_OF_RANGE"] * 20
    assert issues[0].params["count"] == 33 * 33 - 20


def test_a_circle_of_dependencies_is_named_whole_and_once() -> None:
    problem = full_problem()
    problem["work_orders"] = [
        {"id": name, "location": "n17", "service_seconds": 60, "depends_on": [{"work_order": other}]}
        for name, other in (("A", "B"), ("B", "C"), ("C", "D"), ("D", "B"))
    ]
    issues = check_problem(problem)
    assert codes(issues) == [("work_orders[3].depends_on[0].work_order", "CYCLE")]
    assert issues[0].params["cycle"] == ["B", "C", "D", "B"]
    assert "B → C → D → B" in issues[0].message


def test_orders_that_share_a_dependency_are_no_circle() -> None:
    problem = full_problem()
    waits_for = {"A": [], "B": ["A"], "C": ["A"], "D": ["B", "C"]}
    problem["work_orders"] = [
        {
            "id": name,
            "location": "n17",
            "service_seconds": 60,
            "depends_on": [{"work_order": other} for other in others],
        }
        for name, others in waits_for.items()
    ]
    assert check_problem(problem) == []


def test_a_long_chain_of_dependencies_is_no_problem() -> None:
    problem = full_problem()
    problem["work_orders"] = [
        {
            "id": f"W{index}",
            "location": "n17",
            "service_seconds": 60,
            "depends_on": [{"work_order": f"W{index + 1}"}] if index < 2999 else None,
        }
        for index in range(3000)
    ]
    assert check_problem(problem) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("work_orders[0].value", 1e14),
        ("objective.weights.travel", 1e12),
        ("objective.weights.late_restore.L2", 1e12),
    ],
)
def test_a_cost_that_may_leave_63_bits_is_refused_by_the_rule_to_blame(place: str, value: float) -> None:
    problem = changed(setting(place, value), full_problem())
    if place == "work_orders[0].value":
        problem["objective"]["weights"]["unserved"] = 1e3
    issues = [issue for issue in check_problem(problem) if issue.code == "COST_TOO_LARGE"]
    rule = "unserved" if place.startswith("work") else place.split(".")[2]
    assert [issue.params["rule"] for issue in issues] == [rule]


def test_an_enormous_value_is_legal_while_the_cost_fits() -> None:
    problem = full_problem()
    for order in problem["work_orders"]:
        order["value"] = 10**9
    assert check_problem(problem) == []


def test_too_many_work_orders_are_refused() -> None:
    problem = full_problem()
    problem["work_orders"] = [{"id": "W"}] * (LIMITS.orders + 1)
    assert ("work_orders", "TOO_LARGE") in codes(check_problem(problem))


# Many mistakes, one answer


def test_mistakes_of_shape_and_of_meaning_are_reported_together_in_the_order_of_the_document() -> None:
    problem = full_problem()
    setting("timezone", "Mars/Olympus")(problem)
    setting("engineers[0].shifts[0].max_work_orders", "12")(problem)
    setting("work_orders[0].location", "nowhere")(problem)
    setting("work_orders[0].level", "L0")(problem)
    del problem["work_orders"][1]["service_seconds"]
    setting("solve.threads", 0)(problem)
    assert codes(check_problem(problem)) == [
        ("timezone", "BAD_TIMEZONE"),
        ("engineers[0].shifts[0].max_work_orders", "WRONG_TYPE"),
        ("work_orders[0].location", "NOT_FOUND"),
        ("work_orders[0].level", "UNKNOWN_VALUE"),
        ("work_orders[1].service_seconds", "MISSING_FIELD"),
        ("solve.threads", "OUT_OF_RANGE"),
    ]


def test_every_issue_says_what_was_found_and_what_to_do() -> None:
    for place, value, path, code in MISTAKES:
        for issue in check_problem(changed(setting(place, value), full_problem())):
            assert issue.code in ISSUE_CODES
            assert issue.message
            assert issue.remedy
            assert "{" not in issue.message + issue.remedy.replace("{ ... }", "")
            if (issue.path, issue.code) == (path, code) == (path, "NOT_FOUND"):
                assert str(issue.params["id"]) in issue.message


@pytest.mark.parametrize(
    ("place", "value", "hint"),
    [
        ("work_orders[0].servce_seconds", 1, '"service_seconds"'),
        ("engineers[0].shifts[0].lastest_end", 1, '"latest_end"'),
        ("travel.speed_kph", 1, '"speed_kmh"'),
        ("current_plan.routes[0].stops[1].arival", 1, '"arrival"'),
        ("locations.depot.long", 1, '"lon"'),
        ("work_orders[0].location", "depo", '"depot"'),
        ("timezone", "Asia/Shangai", '"Asia/Shanghai"'),
        ("travel.kind", "matrx", '"matrix"'),
    ],
)
def test_a_near_miss_is_answered_with_what_may_be_meant(place: str, value: object, hint: str) -> None:
    issues = check_problem(changed(setting(place, value), full_problem()))
    assert any("Did you mean" in issue.remedy and hint in issue.remedy for issue in issues), issues


def test_paths_quote_keys_that_are_no_plain_names() -> None:
    problem = full_problem()
    problem["locations"]["plant 7"]["lat"] = "north"
    problem["locations"]['a "b" [3].c'] = {"lat": 1, "lon": None}
    assert codes(check_problem(problem)) == [
        ('locations["plant 7"].lat', "WRONG_TYPE"),
        ('locations["a \\"b\\" [3].c"].lon', "MISSING_FIELD"),
    ]
    assert path_text(("a", 0, "b-c", "d e")) == 'a[0].b-c["d e"]'


# Anything at all


FREE = ("attributes", "params")


@pytest.mark.parametrize("document", [full_problem, matrix_problem])
def test_a_list_of_a_list_is_wrong_at_every_place_of_a_problem(
    document: Callable[[], dict[str, Any]],
) -> None:
    original = document()
    for path in places(original):
        if path[-1] in FREE:
            continue
        problem = copy.deepcopy(original)
        parent_of(problem, path)[path[-1]] = [[]]
        here = path_text(path)
        assert any(issue.path.startswith(here) for issue in check_problem(problem)), here


@pytest.mark.parametrize("document", [full_problem, matrix_problem])
@given(seed=st.integers(0, 2**32))
def test_random_damage_never_raises_and_always_has_catalogued_codes(
    document: Callable[[], dict[str, Any]], seed: int
) -> None:
    chance = random.Random(seed)
    problem = document()
    for _ in range(chance.randint(1, 6)):
        path = chance.choice(list(places(problem)) or [("version",)])
        parent = parent_of(problem, path)
        action = chance.choice(["delete", "replace", "duplicate", "swap"])
        if action == "delete":
            del parent[path[-1]]
        elif action == "replace":
            parent[path[-1]] = copy.deepcopy(chance.choice(GARBAGE))
        elif action == "duplicate" and isinstance(parent, list):
            parent.extend(copy.deepcopy(parent[-1:]))
        else:
            other = chance.choice(list(places(problem)))
            parent[path[-1]] = copy.deepcopy(parent_of(problem, other)[other[-1]])
    issues = [
        *check_problem(problem),
        *check_plan(problem),
        *plan_issues({}, problem),
        *problem_issues(problem),
    ]
    assert {issue.code for issue in issues} <= set(ISSUE_CODES)
    for issue in issues:
        assert issue.message
        assert issue.remedy
        json.dumps(issue.params)


@given(seed=st.integers(0, 2**32))
def test_random_damage_to_a_plan_never_raises(seed: int) -> None:
    chance = random.Random(seed)
    plan = full_plan()
    for _ in range(chance.randint(1, 4)):
        path = chance.choice(list(places(plan)) or [("version",)])
        parent_of(plan, path)[path[-1]] = copy.deepcopy(chance.choice(GARBAGE))
    readable = not check_plan(plan)
    unreadable = plan_issues(full_problem(), plan)
    # The domain asks for less than the schema, never for more.
    assert not (readable and unreadable)
