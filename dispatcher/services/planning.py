"""Plan a problem with an engine and publish the plan: times, score, reasons, receipt, and the check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.collector import collector_paused
from dispatcher.errors import PlanRefused
from dispatcher.evaluate import Evaluation, evaluate
from dispatcher.plan import Plan
from dispatcher.planning import SearchLimits, SearchResult
from dispatcher.ports import Engine
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.reasons import Explainer, Explanation
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
    with collector_paused():
        plan = build_plan(request.problem, result.sequences)
        evaluation = evaluate(request.problem, plan)
    if not evaluation.feasible:
        raise PlanRefused(
            f"{finding.rule} {finding.code} at {finding.path}: {dict(finding.params)}"
            for finding in evaluation.findings
        )
    explanations = request.explainer(request.problem, plan, progress)
    progress(1.0, "checking the plan")
    return checked_document(
        request.problem,
        request.document,
        plan,
        evaluation,
        explanations=explanations,
        receipt=receipt(request.problem, request.engine.name, request.limits, result, request.software),
        created_at=request.created_at,
    )


@collector_paused()
def checked_document(
    problem: Problem,
    problem_document: Mapping[str, Any],
    plan: Plan,
    evaluation: Evaluation,
    *,
    explanations: Sequence[Explanation] = (),
    receipt: Mapping[str, Any],
    created_at: int,
) -> dict[str, Any]:
    """The document of a plan that was evaluated, judged by the independent checker.

    Raises:
        PlanRefused: if the checker finds a broken rule or another cost.
    """
    document = plan_document(
        problem, plan, evaluation, explanations=explanations, receipt=receipt, created_at=created_at
    )
    differences = disagreements(evaluation, verify(problem_document, document))
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


def receipt(
    problem: Problem, engine: str, limits: SearchLimits, result: SearchResult, software: Mapping[str, str]
) -> dict[str, Any]:
    """How a plan was made, as its document says it."""
    return {
        "engine": engine,
        "seed": limits.seed,
        "threads": limits.threads,
        "iterations": result.iterations,
        "elapsed_seconds": round(result.elapsed_seconds, 3),
        "stopped_by": result.stopped_by,
        "approximated_rules": list(result.approximated_rules),
        "problem_sha256": problem.sha256,
        "travel_tier": problem.travel.tier,
        "software": dict(software),
        "lower_bound": None,
        "gap": None,
    }
