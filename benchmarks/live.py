"""How quickly questions about a running plan are answered: warm, in process, a plan of 500 engineers and 3,000 orders.

    python -m benchmarks.live [--engineers 500] [--orders 3000] [--questions 60] [--seconds 20]

A day is generated and planned, some of its orders are taken out as if they had just come in, and are asked about
one after the other: an instant answer with ejection, candidates, windows, an explanation; and the day without one
engineer is repaired, checker included. Prints a table of p50, p95 and the longest, in milliseconds, beside the targets.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from api.problems import read_checked_problem
from data.synthetic import DEMO, synthetic_problem
from dispatcher.evaluate import evaluate
from dispatcher.plan import Plan, Rest, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.schedule import build_plan
from dispatcher.services.planning import checked_document
from solver.hybrid import HybridEngine
from solver.live.candidates import candidates
from solver.live.day import LiveDay
from solver.live.explanation import explanation
from solver.live.instant import Inserter
from solver.live.near import NearRoutes
from solver.live.repair import Repairer
from solver.live.running import running_sequences
from solver.live.slots import slots, window_grid
from solver.live.why_not import WhyNot

TARGETS = {"instant insertion": 100, "candidates": 150, "repair with the checker": 1500}
"""Milliseconds at p95."""
REPAIRS = 10
REPAIR_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of one kind of question."""

    name: str
    milliseconds: tuple[float, ...]

    def at(self, share: float) -> float:
        ranked = sorted(self.milliseconds)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


@dataclass(frozen=True, slots=True)
class RunningDay:
    """A planned day: the document, the problem and the plan's sequences, some single orders taken out."""

    document: dict[str, Any]
    problem: Problem
    sequences: Sequences
    taken_out: tuple[str, ...]


def running_day(engineers: int, orders: int, questions: int, seconds: float, seed: int = 5) -> RunningDay:
    """A day with a plan from which orders are missing as if they had just come in."""
    spec = replace(DEMO, orders=orders, engineers=engineers, tightness=0.85, team_share=0.02, seed=seed)
    document = synthetic_problem(spec)
    problem = read_checked_problem(document)
    found = HybridEngine().solve(problem, SearchLimits(time_limit_seconds=seconds)).sequences
    awaited = {d.work_order for order in problem.work_orders for d in order.depends_on}
    served = [visit.work_order for route in found.routes for visit in route.visits if isinstance(visit, Visit)]
    singles = [
        name
        for name in served
        if problem.order_by_id[name].team is None and not problem.order_by_id[name].depends_on and name not in awaited
    ]
    taken = tuple(Random(seed).sample(singles, min(questions, len(singles))))
    return RunningDay(document, problem, _without(found, set(taken)), taken)


def _without(sequences: Sequences, orders: set[str]) -> Sequences:
    routes = [
        replace(route, visits=tuple(v for v in route.visits if isinstance(v, Rest) or v.work_order not in orders))
        for route in sequences.routes
    ]
    return replace(sequences, routes=tuple(r for r in routes if any(isinstance(v, Visit) for v in r.visits)))


def measured(name: str, asked: Sequence[str], answer: Callable[[str], object]) -> Timing:
    """How long each answer takes."""
    found = []
    for item in asked:
        began = time.perf_counter()
        answer(item)
        found.append((time.perf_counter() - began) * 1000)
    return Timing(name, tuple(found))


def timings(running: RunningDay) -> list[Timing]:
    """All kinds of questions about one day."""
    problem = running.problem
    began = time.perf_counter()
    day = LiveDay(problem, build_plan(problem, running.sequences))
    near, why_not = NearRoutes(day.state), WhyNot(day)
    warming = Timing("making the day warm", ((time.perf_counter() - began) * 1000,))
    # One question of each kind, so that nothing is made for the first time while it is measured.
    inserter = Inserter(day, near=near)
    inserter.best(running.taken_out[0])
    candidates(day, why_not, running.taken_out[0])
    grid = list(window_grid(problem, 4))
    return [
        warming,
        measured("instant insertion", running.taken_out, inserter.best),
        measured("candidates", running.taken_out, lambda name: candidates(day, why_not, name)),
        measured("windows", running.taken_out[:10], lambda name: slots(day, name, grid)),
        measured("explanation", running.taken_out[:10], lambda name: explanation(day, why_not, name)),
        repairs(running),
    ]


def repairs(running: RunningDay) -> Timing:
    """One engineer after the other drops out of a warm day, and the plan is repaired and checked."""
    problem = running.problem
    plan = build_plan(problem, running.sequences)
    shown = plan_document(problem, plan, evaluate(problem, plan), explanations=(), receipt={}, created_at=0)
    current = {"version": 1, "routes": shown["routes"]}
    chosen = [route.engineer for route in plan.routes[:: max(1, len(plan.routes) // REPAIRS)]][:REPAIRS]
    found = []
    for number, engineer in enumerate((chosen[0], *chosen)):
        crew = [item | ({"shifts": []} if item["id"] == engineer else {}) for item in running.document["engineers"]]
        document = {**running.document, "engineers": crew, "current_plan": current}
        changed = read_checked_problem(document)
        left: Plan = build_plan(changed, running_sequences(changed, shown["routes"], shown["teams"]))
        day = LiveDay(changed, left)
        repairer = Repairer(day)
        assert repairer.kept
        began = time.perf_counter()
        result = repairer.repair(seconds=REPAIR_SECONDS)
        checked_document(
            changed,
            document,
            result.plan,
            result.evaluation,
            receipt={"problem_sha256": changed.sha256},
            created_at=0,
        )
        # The first one loads the kernel.
        if number:
            found.append((time.perf_counter() - began) * 1000)
    return Timing("repair with the checker", tuple(found))


def report(found: Sequence[Timing], title: str) -> str:
    """The table as Markdown."""
    lines = [
        title,
        "",
        "| question | asked | p50 ms | p95 ms | longest ms | target p95 ms |",
        "|---|---|---|---|---|---|",
    ]
    for timing in found:
        target = TARGETS.get(timing.name)
        met = "" if target is None else f"{target} {'met' if timing.at(0.95) <= target else 'missed'}"
        figures = f"{timing.at(0.5):.0f} | {timing.at(0.95):.0f} | {max(timing.milliseconds):.0f}"
        lines.append(f"| {timing.name} | {len(timing.milliseconds)} | {figures} | {met} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="How quickly questions about a running plan are answered.")
    parser.add_argument("--engineers", type=int, default=500)
    parser.add_argument("--orders", type=int, default=3000)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the day is planned")
    options = parser.parse_args()
    day = running_day(options.engineers, options.orders, options.questions, options.seconds)
    print(report(timings(day), f"{options.engineers} engineers, {options.orders:,} orders"))


if __name__ == "__main__":
    main()
