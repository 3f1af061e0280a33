"""A right plan has no findings; whatever is tampered with is found under the rule it breaks."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.verify import verify
from tests import verify_tampering_claims, verify_tampering_routes
from tests.verify_day import day_plan, day_problem
from tests.verify_tampering import TAMPERINGS, Day

RULES = {
    *(
        "structure",
        "assignment",
        "shift",
        "now",
        "travel",
        "service",
        "time_window",
        "break",
        "qualification",
    ),
    *(
        "parts",
        "team",
        "arrival_mode",
        "standby",
        "depends_on",
        "pin",
        "allowed_engineers",
        "max_work_orders",
    ),
    *("claim", "score"),
}


def tampered(*names: str) -> Day:
    day = Day()
    for name in names:
        TAMPERINGS[name][0](day)
    return day


def test_right_plan_is_feasible_and_its_terms_are_recomputed() -> None:
    plan = day_plan()
    verdict = verify(day_problem(), plan)
    assert [finding.message for finding in verdict.findings] == []
    assert verdict.feasible
    assert verdict.total == 25120
    stated = [(term["rule"], term["amount"], term["cost"]) for term in plan["score"]["terms"]]
    assert list(verdict.terms) == stated


def test_every_rule_is_tampered_with() -> None:
    modules = {verify_tampering_claims.__name__, verify_tampering_routes.__name__}
    assert {tamper.__module__ for tamper, _, _ in TAMPERINGS.values()} == modules
    assert {rule for _, rule, _ in TAMPERINGS.values()} == RULES


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_under_its_rule(name: str) -> None:
    _, rule, code = TAMPERINGS[name]
    verdict = tampered(name).judge()
    assert (rule, code) in {(finding.rule, finding.code) for finding in verdict.findings}
    assert not verdict.feasible


@pytest.mark.parametrize(
    "name",
    ["break_missing", "late_member", "unqualified_standby", "excluded_engineer", "pooled_stock_exceeded"],
)
def test_no_total_is_given_once_a_hard_rule_is_broken(name: str) -> None:
    assert tampered(name).judge().total is None


def test_false_claim_alone_leaves_the_true_total() -> None:
    verdict = tampered("total_misstated").judge()
    assert not verdict.feasible
    assert verdict.total == 25120


def test_finding_leads_to_its_place_with_stated_and_expected_value() -> None:
    findings = tampered("travel_too_short").judge().findings
    finding = next(finding for finding in findings if finding.code == "TRAVEL_SECONDS")
    assert finding.path == "routes[1].stops[4].travel_seconds"
    assert (finding.params["stated"], finding.params["expected"]) == (840, 900)
    assert finding.message.startswith("E2/mon: states 840 s from b to depot")


def test_all_findings_are_reported_at_once() -> None:
    day = tampered("travel_too_short", "lateness_understated", "team_start_wrong", "total_misstated")
    assert {"travel", "claim", "team", "score"} <= {finding.rule for finding in day.judge().findings}


def test_hash_of_this_problem_is_accepted() -> None:
    problem, plan = day_problem(), day_plan()
    canonical = json.dumps(problem, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    plan["receipt"] = {"problem_sha256": hashlib.sha256(canonical.encode()).hexdigest()}
    assert verify(problem, plan).feasible


def test_plan_made_elsewhere_may_leave_out_what_it_does_not_know() -> None:
    problem, plan = day_problem(), day_plan()
    for field in ("problem_id", "created_at", "score"):
        del plan[field]
    del plan["unassigned"][0]["reasons"]
    for each in plan["routes"]:
        for stop in each["stops"]:
            for field in [name for name in stop if name.startswith("late_") or name == "travel_meters"]:
                del stop[field]
            stop.pop("pinned", None)
    assert [finding.message for finding in verify(problem, plan).findings] == []


def put(document: Any, path: str, value: Any) -> None:
    """Sets a place like routes[0].stops[1].kind."""
    *keys, last = [int(key) if key.isdigit() else key for key in path.replace("[", ".").replace("]", "").split(".")]
    for key in keys:
        document = document[key]
    document[last] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", 2),
        ("routes", {}),
        ("routes[0]", 7),
        ("routes[0].engineer", ["E1"]),
        ("routes[0].stops[1]", None),
        ("routes[0].stops[1].kind", "lunch"),
        ("routes[0].stops[1].pinned", "no"),
        ("routes[0].stops[1].travel_seconds", 600.5),
        ("routes[0].stops[1].start", "2026-11-23T08:10:00.5+01:00"),
        ("teams[0]", []),
        ("teams[0].start", 9),
        ("teams[0].members[0]", "E1"),
        ("teams[0].members[0].role", 1),
        ("unassigned[0]", "W6"),
        ("unassigned[0].reasons[0]", "full"),
        ("unassigned[0].reasons[0].code", None),
        ("unassigned[0].reasons[0].params", []),
        ("unassigned[0].cheapest_fix.amount_seconds", "long"),
        ("score", 25120),
        ("score.total", 25120.5),
        ("score.terms[0]", "unserved"),
        ("score.terms[0].amount", float("nan")),
        ("receipt", "lost"),
        ("receipt.software", []),
        ("receipt.approximated_rules[0]", 1),
    ],
)
def test_wrong_shape_is_a_structural_finding_at_its_place(path: str, value: Any) -> None:
    plan = day_plan()
    plan["receipt"] = {
        "approximated_rules": ["fairness"],
        "software": {},
        "gap": None,
        "elapsed_seconds": 1.5,
    }
    put(plan, path, value)
    findings = verify(day_problem(), plan).findings
    assert ("structure", path) in {(finding.rule, finding.path) for finding in findings}


GARBAGE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**13, -1, 10**400, 1e308])
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["E1", "W1", "W2", "depot", "lead", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    if isinstance(document, dict | list):
        keys = list(document) if isinstance(document, dict) else range(len(document))
        return [(document, key) for key in keys] + [found for key in keys for found in places(document[key])]
    return []


@given(data=st.data())
def test_garbage_anywhere_in_a_plan_never_raises(data: st.DataObject) -> None:
    plan = day_plan()
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(plan)))
        container[key] = data.draw(GARBAGE)
    verdict = verify(day_problem(), plan)
    assert verdict.feasible == (not verdict.findings)


@given(plan=GARBAGE)
def test_garbage_for_a_plan_is_a_structural_finding(plan: Any) -> None:
    assert "structure" in {finding.rule for finding in verify(day_problem(), plan).findings}
