"""The independent checker: it takes a published plan and judges every claim in it.

It reads nothing but the two planning documents and shares no code with the evaluator, so it cannot share a
bug with it. Arithmetic is exact: integer seconds, and fractions of the decimals as written.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dispatcher.verification.case import Case
from dispatcher.verification.findings import STATEMENT_RULES, Finding, Verdict
from dispatcher.verification.orders import check_orders
from dispatcher.verification.parts import check_parts
from dispatcher.verification.routes import check_routes
from dispatcher.verification.score import check_stated_score, recompute
from dispatcher.verification.teams import check_teams

__all__ = ["Finding", "Verdict", "verify"]


def verify(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> Verdict:
    """Judges a plan against its problem; both are planning documents as parsed from JSON.

    The problem must be a valid document. The plan may be anything: what is wrong with it is a finding, never
    an exception. Fields that plans made elsewhere may leave out are checked where they are present.
    """
    case = Case.of(problem, plan)
    _check_identity(case, problem)
    check_routes(case)
    check_orders(case)
    check_parts(case)
    check_teams(case)
    if not case.plan.complete:
        return Verdict(False, tuple(case.findings.all), (), None)
    terms, total = recompute(case, problem)
    check_stated_score(case, terms, total)
    findings = tuple(case.findings.all)
    breaks_a_rule = any(finding.rule not in STATEMENT_RULES for finding in findings)
    return Verdict(not findings, findings, terms, None if breaks_a_rule else total)


def _check_identity(case: Case, problem: Mapping[str, Any]) -> None:
    stated, expected = case.plan.problem_id, case.facts.id
    if stated is not None and stated != expected:
        message = "The plan is for the problem {stated}, not for {expected}."
        case.findings.add("claim", "PROBLEM_ID", "problem_id", message, stated=stated, expected=expected)
    sha = case.plan.problem_sha256
    if sha is not None and sha != _canonical_sha256(problem):
        case.findings.add(
            "claim",
            "PROBLEM_SHA256",
            "receipt.problem_sha256",
            "The plan was made for a problem with the hash {stated}; this one's is {expected}.",
            stated=sha,
            expected=_canonical_sha256(problem),
        )


def _canonical_sha256(problem: Mapping[str, Any]) -> str:
    canonical = json.dumps(problem, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
