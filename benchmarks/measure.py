"""One engine on one instance: search timed apart from everything else, the plan judged by the independent checker."""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from api.problems import build_problem, read_checked_problem
from benchmarks.completeness import still_placeable
from benchmarks.peers import PEERS
from benchmarks.peers.answer import PeerLimits
from benchmarks.peers.flat import CannotModel, FlatDay
from data.synthetic import EVERYTHING, HARD_WINDOWS, synthetic_problem
from dispatcher.errors import EngineRefuses
from dispatcher.evaluate import evaluate
from dispatcher.plan import Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.schedule import build_plan
from dispatcher.verify import Verdict, verify
from solver.engines import engine_named

WARM_UP_SECONDS, WARM_UP_ITERATIONS = 2.0, 50
PUBLISHED_TRACKS = ("hhcrsp", "vrptwsyn", "strsp")
"""Tracks with an objective of their own, recomputed from the routes, which a row keeps for that."""
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What a run gave. `startup_seconds`: loading and compiling; `model_seconds`: telling a peer the problem.

    `own_travel_seconds` and `own_unserved_value` are what a peer says of its plan.
    """

    sequences: Sequences
    startup_seconds: float
    model_seconds: float
    search_seconds: float
    iterations: int | None = None
    stopped_by: str | None = None
    own_travel_seconds: int | None = None
    own_unserved_value: int | None = None


def measure(job: Mapping[str, Any]) -> Document:
    """The result of a cell: `status` is `measured`, or `refused` with a reason where the engine cannot model it."""
    document = json.loads(Path(job["document"]).read_text(encoding="utf-8"))
    problem = build_problem(document)
    try:
        found = run_peer(job, problem, document) if job["engine"] in PEERS else run_engine(job, problem)
    except (CannotModel, EngineRefuses) as error:
        return {"status": "refused", "reason": str(error)}
    peak = peak_bytes()
    result = {
        "status": "measured",
        "startup_seconds": round(found.startup_seconds, 3),
        "model_seconds": round(found.model_seconds, 3),
        "search_seconds": round(found.search_seconds, 3),
        "peak_bytes": peak,
        "iterations": found.iterations,
        "stopped_by": found.stopped_by,
        "own_travel_seconds": found.own_travel_seconds,
        "own_unserved_value": found.own_unserved_value,
        **judged(problem, document, found.sequences),
    }
    if job["track"] == "scale":
        placeable = still_placeable(problem, found.sequences)
        result["placeable"] = None if placeable is None else len(placeable)
    if job["track"] in PUBLISHED_TRACKS:
        result["routes"] = routes_of(found.sequences)
    return result


def run_engine(job: Mapping[str, Any], problem: Problem) -> Found:
    """One of our engines, warmed up as it is in a server that says it is ready."""
    began = time.perf_counter()
    engine = engine_named(job["engine"])
    small = HARD_WINDOWS if job["track"] in ("hard", "vrptw") else EVERYTHING
    limits = SearchLimits(job["limit_seconds"], seed=job["seed"], threads=job["threads"])
    briefly = replace(limits, time_limit_seconds=WARM_UP_SECONDS, iteration_limit=WARM_UP_ITERATIONS)
    _solve(engine, read_checked_problem(synthetic_problem(small)), briefly)
    # Libraries are loaded beside a search, which a short one does not wait for: the one counted would share its
    # processor with what is left of that.
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    ready = time.perf_counter()
    result = _solve(engine, problem, limits)
    ended = time.perf_counter()
    return Found(
        sequences=result.sequences,
        startup_seconds=ready - began,
        model_seconds=0.0,
        search_seconds=ended - ready,
        iterations=result.iterations,
        stopped_by=result.stopped_by,
    )


def _solve(engine: Any, problem: Problem, limits: SearchLimits) -> Any:
    return engine.solve(problem, limits, cancelled=lambda: False, progress=lambda fraction, text: None)


def run_peer(job: Mapping[str, Any], problem: Problem, document: Document) -> Found:
    """Another solver; see `benchmarks.peers`."""
    began = time.perf_counter()
    solve = PEERS[job["engine"]].load()
    day = FlatDay.of(problem, document)
    ready = time.perf_counter()
    answer = solve(day, PeerLimits(job["limit_seconds"], job["seed"], job["threads"]))
    return Found(
        sequences=answer.sequences,
        startup_seconds=ready - began,
        model_seconds=answer.model_seconds,
        search_seconds=answer.search_seconds,
        own_travel_seconds=answer.travel_seconds,
        own_unserved_value=answer.unserved_value,
    )


def judged(problem: Problem, document: Document, sequences: Sequences) -> Document:
    """What the independent checker says of the plan that the sequences make."""
    plan = build_plan(problem, sequences)
    evaluation = evaluate(problem, plan)
    published = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)
    verdict = verify(document, published)
    return {
        "feasible": verdict.feasible,
        "total": verdict.total,
        "unserved_cost": _cost(verdict, "unserved"),
        "travel_seconds": _amount(verdict, "travel"),
        "served": len(problem.work_orders) - len(plan.unassigned),
        "findings": [f"{finding.code} {finding.path}: {finding.message}" for finding in verdict.findings[:3]],
    }


def routes_of(sequences: Sequences) -> dict[str, list[tuple[str, str | None]]]:
    """The work orders of every engineer in turn, each with the role; engineers of these tracks have one shift."""
    return {
        route.engineer: [(visit.work_order, visit.role) for visit in route.visits if isinstance(visit, Visit)]
        for route in sequences.routes
        if route.visits
    }


def _cost(verdict: Verdict, rule: str) -> int:
    return next((round(cost) for name, _, cost in verdict.terms if name == rule), 0)


def _amount(verdict: Verdict, rule: str) -> int:
    return next((round(amount) for name, amount, _ in verdict.terms if name == rule), 0)


def peak_bytes() -> int:
    """The most memory this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kilobytes, macOS bytes.
    return peak if sys.platform == "darwin" else 1024 * peak
