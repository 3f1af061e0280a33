"""How long the questions of an emergency take on a large running day: `python -m benchmarks.team_options`.

A synthetic day of 500 engineers and 3,000 orders under way is planned by insertion without its L1 team orders. Then
each of these is opened on its own: up to four options with their displaced work, on a warm day; one of them put into
the plan, scored and judged by the independent checker.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import replace
from typing import Any

from api.problems import read_checked_problem
from data.synthetic import DEMO, synthetic_problem
from dispatcher.evaluate import evaluate
from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits
from dispatcher.publish import plan_document
from dispatcher.schedule import build_plan
from dispatcher.services.planning import disagreements
from dispatcher.verify import verify
from solver.budget import Budget
from solver.construction import IN_SEQUENCE, Construction
from solver.day_state import DayState
from solver.repair import without_breaches
from solver.teams import TeamOption, WarmDay, team_options, warm_day

CLUSTERS_PER_ENGINEER = 1 / 20


def main() -> None:
    arguments = _arguments()
    document, names = _day(arguments.orders, arguments.engineers, arguments.seed)
    problem = read_checked_problem(document)
    sequences = _planned(document, names)
    begun = time.perf_counter()
    day = warm_day(problem, build_plan(problem, sequences))
    figures: dict[str, Any] = {
        "orders": arguments.orders,
        "engineers": arguments.engineers,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
        "warm_up_seconds": round(time.perf_counter() - begun, 2),
    }
    asked: list[float] = []
    accepted: list[float] = []
    counts: list[int] = []
    displaced: list[int] = []
    for name in names[: arguments.questions]:
        begun = time.perf_counter()
        answer = team_options(day, name, explain=False)
        asked.append(time.perf_counter() - begun)
        counts.append(len(answer.options))
        displaced += [len(option.displaced) for option in answer.options]
        if answer.options and len(accepted) < arguments.accepted:
            accepted.append(_accepted_seconds(day, document, answer.options[0]))
    figures |= {
        "questions": len(asked),
        "options_mean": round(sum(counts) / max(1, len(counts)), 2),
        "displaced_mean": round(sum(displaced) / max(1, len(displaced)), 2),
        "options_ms": _quantiles(asked),
        "accept_ms": _quantiles(accepted),
    }
    json.dump(figures, sys.stdout, indent=1)
    sys.stdout.write("\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times emergency composition on a large running day.")
    parser.add_argument("--orders", type=int, default=3060)
    parser.add_argument("--engineers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--accepted", type=int, default=5)
    return parser.parse_args()


def _day(orders: int, engineers: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    """The problem document and its L1 team orders, which nobody has planned."""
    clusters = max(1, round(engineers * CLUSTERS_PER_ENGINEER))
    spec = replace(DEMO, orders=orders, engineers=engineers, seed=seed, clusters=clusters, running=True)
    document = synthetic_problem(spec)
    names = [o["id"] for o in document["work_orders"] if o["level"] == "L1" and o.get("team") and not o.get("pin")]
    return document, names


def _planned(document: dict[str, Any], left: list[str]) -> Sequences:
    """The rest of the day, planned once by insertion."""
    names = set(left)
    orders = [
        {**order, "related_to": [other for other in order.get("related_to") or () if other not in names]}
        for order in document["work_orders"]
        if order["id"] not in names
    ]
    problem = read_checked_problem({**document, "work_orders": orders})
    state = DayState(problem)
    budget = Budget(SearchLimits(time_limit_seconds=None), lambda: False)
    Construction(state, budget, IN_SEQUENCE, lambda served: None).run()
    return without_breaches(problem, state.sequences())


def _accepted_seconds(day: WarmDay, document: dict[str, Any], option: TeamOption) -> float:
    """How long it takes until the plan of an option is driven, scored, written and checked."""
    begun = time.perf_counter()
    plan = build_plan(day.problem, option.sequences)
    evaluation = evaluate(day.problem, plan)
    published = plan_document(day.problem, plan, evaluation, explanations=(), receipt={}, created_at=day.problem.now)
    differences = disagreements(evaluation, verify(document, published))
    taken = time.perf_counter() - begun
    assert evaluation.feasible
    assert not differences, differences
    return taken


def _quantiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {
        name: round(1000 * ordered[min(last, int(share * len(ordered)))], 1)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
        if ordered
    }


if __name__ == "__main__":
    main()
