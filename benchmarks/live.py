"""How quickly questions about a running plan are answered, and whether chances and log hold:
`python -m benchmarks.live`, with `--write` into the docs.

A day of 500 engineers and 3,000 orders is generated and planned, some of its orders are taken out as if they had just
come in, and are asked about one after the other, warm and in process: an instant answer with ejection, candidates,
windows, an explanation; and the day without one engineer is repaired, checker included. Beside that, how far chances to
be on time are from what happens (`benchmarks.on_time`), and how long a log of events takes to become the stored state
(`benchmarks.event_replay`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from api.problems import read_checked_problem
from benchmarks import event_replay, on_time
from benchmarks.event_replay import Days, Replay
from benchmarks.machine import machine
from benchmarks.options import positive_seconds
from benchmarks.page import write_section
from benchmarks.reference import CHECKOUT
from benchmarks.report import PAGE as TARGETS_PAGE
from benchmarks.report import table, target_table
from benchmarks.targets import Target
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

PAGE, SECTION, TARGETS_SECTION = CHECKOUT / "docs" / "benchmarks-live.md", "questions", "questions about a running plan"
TARGETS = {"instant insertion": 100, "candidates": 150, "repair with the checker": 1500}
"""Milliseconds at p95."""
MOST_POINTS = 5.0
"""By which a said chance and what happens may differ in any tenth of the visits."""
EVENTS, LOG_ENGINEERS, MOST_LOG_SECONDS = 100_000, 200, 60.0
REPAIRS = 40
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


def targets(found: Sequence[Timing], deciles: Sequence[tuple[float, float]], log: Replay) -> Iterator[Target]:
    for timing in found:
        if timing.name in TARGETS:
            most = TARGETS[timing.name]
            figure = timing.at(0.95)
            yield Target(f"{timing.name}, p95", f"at most {most:,} ms", f"{figure:,.0f} ms", figure <= most)
    points = max(100 * abs(said - kept) for said, kept in deciles)
    what = "chance to be on time, 10,000 visits of another family, worst tenth"
    yield Target(what, f"at most {MOST_POINTS:g} points off", f"{points:.1f} points", points <= MOST_POINTS)
    same = "the stored state" if not log.differences else "another state"
    yield Target(
        f"a log of {log.events:,} events read, checked and rebuilt",
        f"in {MOST_LOG_SECONDS:g} s, to the stored state",
        f"{log.seconds:.1f} s, {same}",
        log.seconds <= MOST_LOG_SECONDS and not log.differences,
    )


def summary(about: str, reached: Iterable[Target], stamp: str) -> str:
    """The section of the page of all benchmarks: targets, met or not."""
    described = f"[Warm and in process](benchmarks-live.md#questions-about-a-running-plan); {about}."
    return "\n\n".join(["### Questions about a running plan", described, target_table(reached), stamp])


def section(about: str, found: Sequence[Timing], deciles: Sequence[tuple[float, float]], stamp: str) -> str:
    """The section with all timings and chances."""
    return "\n\n".join(
        [
            "## Questions about a running plan",
            "Written by `python -m benchmarks.live --write`; run it to have the figures of your machine. Warm and in "
            f"process; {about}.",
            table(
                ("question", "asked", "p50 ms", "p95 ms", "longest ms"),
                [
                    (
                        timing.name,
                        str(len(timing.milliseconds)),
                        f"{timing.at(0.5):,.0f}",
                        f"{timing.at(0.95):,.0f}",
                        f"{max(timing.milliseconds):,.0f}",
                    )
                    for timing in found
                ],
                left=1,
            ),
            "Chances to be on time, by tenths of the visits:",
            table(
                ("", *(str(number + 1) for number in range(len(deciles)))),
                [
                    ("said", *(f"{said:.0%}" for said, _ in deciles)),
                    ("kept", *(f"{kept:.0%}" for _, kept in deciles)),
                ],
                left=1,
            ),
            stamp,
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and with `--write` renew the section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--engineers", type=int, default=500)
    parser.add_argument("--orders", type=int, default=3000)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--seconds", type=positive_seconds, default=20.0, help="how long the day is planned")
    parser.add_argument("--events", type=int, default=EVENTS, help="length of the log")
    parser.add_argument("--write", action="store_true", help="renew docs/benchmarks.md and docs/benchmarks-live.md")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    with console.status("planning a day, then asking about it"):
        day = running_day(options.engineers, options.orders, options.questions, options.seconds)
        found = timings(day)
    with console.status("living through 10,000 visits"):
        deciles = on_time.deciles()
    with console.status(f"replaying {options.events:,} events"):
        _, log = event_replay.measured(Days(LOG_ENGINEERS, Random(1)), options.events)
    about = f"{options.engineers:,} engineers, {options.orders:,} orders"
    stamp = f"{datetime.now(UTC).date().isoformat()} · {machine()}"
    reached = summary(about, targets(found, deciles, log), stamp)
    text = section(about, found, deciles, stamp)
    console.print(Markdown(f"{reached}\n\n{text}"))
    if options.write:
        write_section(TARGETS_PAGE, TARGETS_SECTION, reached)
        write_section(PAGE, SECTION, text)
        console.print(f"written to {TARGETS_PAGE} and {PAGE}", highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
