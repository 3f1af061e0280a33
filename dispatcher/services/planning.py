"""Plan a problem with an engine and publish the plan: times, score, reasons, receipt, and the check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.errors import PlanRefused
from dispatcher.evaluate import Evaluation, evaluate
from dispatcher.planning import SearchLimits, SearchResult
from dispatcher.ports import Engine
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.reasons import Explainer
from dispatcher.schedule import build_plan
from dispatcher.verify import Verdict, verify

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a plan is made from: the problem, its document, the engine with its limits, and who is asked what.

    `software` names the versions for the receipt; `created_at` is the caller's clock in epoch seconds.
    """

    problem: Problem
    document: Mapping[str, Any]
    engine: Engine
    limits: SearchLimits
    explainer: Explainer
    software: Mapping[str, str]
    created_at: int


def make_plan(
    request: PlanRequest,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Progress = lambda fraction, text: None,
) -> dict[str, Any]:
    """The published plan document.

    The engine's sequences are driven and scored by the reference evaluation, explained, and the finished document
    is judged by the independent checker before anybody sees it.

    Raises:
        PlanRefused: if the evaluation finds a broken hard rule or the checker disagrees; a defect of ours.
    """
    result = request.engine.solve(request.problem, request.limits, cancelled=cancelled, progress=progress)
    progress(1.0, "scoring the plan")
    plan = build_plan(request.problem, result.sequences)
    evaluation = evaluate(request.problem, plan)
    if not evaluation.feasible:
        raise PlanRefused(
            f"{finding.rule} {finding.code} at {finding.path}: {dict(finding.params)}"
            for finding in evaluation.findings
        )
    explanations = request.explainer(request.problem, plan, progress)
    document = plan_document(
        request.problem,
        plan,
        evaluation,
        explanations=explanations,
        receipt=_receipt(request, result),
        created_at=request.created_at,
    )
    progress(1.0, "checking the plan")
    differences = disagreements(evaluation, verify(request.document, document))
    if differences:
        raise PlanRefused(differences)
    return document


def disagreements(evaluation: Evaluation, verdict: Verdict) -> list[str]:
    """Where the checker and the evaluation differ on a plan the evaluation holds feasible, term by term."""
    found = [
        f"checker: {finding.rule} {finding.code} at {finding.path}: {finding.message}" for finding in verdict.findings
    ]
    ours = {term.rule: term.amount for term in evaluation.terms}
    theirs = {rule: amount for rule, amount, _ in verdict.terms}
    for rule in sorted(ours.keys() | theirs.keys()):
        if ours.get(rule, 0) != theirs.get(rule, 0):
            found.append(f"{rule}: the evaluation says {ours.get(rule, 0)}, the checker {theirs.get(rule, 0)}")
    if verdict.total != evaluation.total:
        found.append(f"total: the evaluation says {evaluation.total}, the checker {verdict.total}")
    return found


def _receipt(request: PlanRequest, result: SearchResult) -> dict[str, Any]:
    return {
        "engine": request.engine.name,
        "seed": request.limits.seed,
        "threads": request.limits.threads,
        "iterations": result.iterations,
        "elapsed_seconds": round(result.elapsed_seconds, 3),
        "stopped_by": result.stopped_by,
        "approximated_rules": list(result.approximated_rules),
        "problem_sha256": request.problem.sha256,
        "travel_tier": request.problem.travel.tier,
        "software": dict(request.software),
        "lower_bound": None,
        "gap": None,
    }
