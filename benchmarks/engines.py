"""The engines side by side: `python -m benchmarks.engines`, with `--write` into the docs.

Synthetic days of several kinds and seeds, each planned by every engine with the same time limit on one thread. Every
plan is judged by the independent checker. A further engine is one more name in `COMPARED`, or `--engines` for once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from math import exp, log
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from api.problems import DEFAULT_TIME_LIMIT_SECONDS, build_problem
from benchmarks.machine import machine
from benchmarks.options import positive_seconds
from benchmarks.page import write_section
from data.synthetic import DEMO, EVERYTHING, HARD_WINDOWS, FleetSpec, synthetic_problem
from dispatcher.errors import EngineRefuses
from dispatcher.evaluate import evaluate
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.schedule import build_plan
from dispatcher.verify import verify
from solver.engines import ENGINES, engine_named

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
SECTION = "engines"
COMPARED = ("insertion", "ortools", "hybrid")
"""The columns; gains are measured from the first."""
KINDS = {
    "demo": ((DEMO, 60, 10), (DEMO, 120, 20)),
    "hard-windows": ((HARD_WINDOWS, 100, 15), (HARD_WINDOWS, 200, 28)),
    "everything": ((EVERYTHING, 60, 16),),
}
SEEDS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Run:
    """One plan. `total` is None where the engine refused the problem; `verdict` then names the rule."""

    total: int | None
    served: int
    seconds: float
    verdict: str

    @property
    def is_right(self) -> bool:
        return self.verdict == "feasible" or self.total is None


@dataclass(frozen=True, slots=True)
class Row:
    """One day and its runs by engine."""

    kind: str
    orders: int
    engineers: int
    seed: int
    runs: Mapping[str, Run]

    def cells(self) -> tuple[str, ...]:
        found: list[str] = [self.kind, str(self.orders), str(self.engineers), str(self.seed)]
        first = next(iter(self.runs.values())).total
        for number, run in enumerate(self.runs.values()):
            found.append(run.verdict if run.total is None else f"{run.total:,} ({run.served})")
            if number:
                found.append("–" if not first or run.total is None else f"{run.total / first - 1:+.1%}")
        return (*found, ", ".join(sorted({run.verdict for run in self.runs.values()})))


def days() -> Iterator[tuple[str, FleetSpec]]:
    """The days to plan: every kind and size with every seed."""
    for kind, sizes in KINDS.items():
        for spec, orders, engineers in sizes:
            for seed in SEEDS:
                yield kind, replace(spec, orders=orders, engineers=engineers, seed=seed)


def measure(kind: str, spec: FleetSpec, engines: Sequence[str], limits: SearchLimits) -> Row:
    """Plan one synthetic day with every engine; reading the problem and checking the plan are not timed."""
    document = synthetic_problem(spec)
    # A problem keeps what was computed of it: each engine gets one of its own.
    runs = {name: _run(build_problem(document), document, name, limits) for name in engines}
    return Row(kind, spec.orders, spec.engineers, spec.seed, runs)


def _run(problem: Problem, document: Mapping[str, Any], name: str, limits: SearchLimits) -> Run:
    try:
        result = engine_named(name).solve(
            problem, limits, cancelled=lambda: False, progress=lambda fraction, text: None
        )
    except EngineRefuses as refusal:
        return Run(None, 0, 0.0, f"refused: {refusal.rule}")
    plan = build_plan(problem, result.sequences)
    evaluation = evaluate(problem, plan)
    published = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)
    verdict = verify(document, published)
    word = "disagrees" if verdict.total != evaluation.total else "feasible" if verdict.feasible else "broken"
    served = len(problem.work_orders) - len(plan.unassigned)
    return Run(evaluation.total, served, result.elapsed_seconds, word)


def headings(engines: Sequence[str]) -> tuple[str, ...]:
    """The heads of the columns: the total of every engine, with the served orders, and the change from the first."""
    found = ["day", "orders", "engineers", "seed", engines[0]]
    for name in engines[1:]:
        found += [name, f"{name} to {engines[0]}"]
    return (*found, "checker")


def summary(rows: Sequence[Row], engines: Sequence[str]) -> str:
    """Of every engine against the first: on how many days it is better and worse, and its mean ratio of totals."""
    lines = []
    for name in engines[1:]:
        pairs = [(row.runs[engines[0]].total, row.runs[name].total) for row in rows]
        both = [(first, total) for first, total in pairs if first and total]
        if not both:
            continue
        better, worse = sum(total < first for first, total in both), sum(total > first for first, total in both)
        mean = exp(sum(log(total / first) for first, total in both) / len(both)) - 1
        lines.append(
            f"`{name}` against `{engines[0]}`: better on {better} of {len(both)} days, worse on {worse}; totals "
            f"{mean:+.1%} in the geometric mean; longest run {max(row.runs[name].seconds for row in rows):.2f} s."
        )
    return "\n".join(lines)


def footer() -> str:
    """The day, the machine and the versions the figures belong to."""
    software = ", ".join(f"{name} {version(name)}" for name in ("muster", "ortools", "numpy"))
    return f"{datetime.now(UTC).date().isoformat()} · {machine()}, one used · {software}"


def _is_text(heading: str) -> bool:
    return heading in ("day", "checker")


def shown(rows: Sequence[Row], engines: Sequence[str]) -> Table:
    table = Table(caption=footer())
    for heading in headings(engines):
        table.add_column(heading, justify="left" if _is_text(heading) else "right")
    for row in rows:
        table.add_row(*row.cells())
    return table


def section(rows: Sequence[Row], engines: Sequence[str], seconds: float, core_share: float) -> str:
    """The figures as a section of the documentation; `core_share` is how much of one core the runs had."""
    heads = headings(engines)
    rule = "|".join("---" if _is_text(heading) else "---:" for heading in heads)
    lines = [f"| {' | '.join(heads)} |", f"|{rule}|", *(f"| {' | '.join(row.cells())} |" for row in rows)]
    return f"""## The engines side by side

Written by `python -m benchmarks.engines --write`; run it to have the figures of your machine.

Synthetic days like [`DEMO`](scenarios.md), `HARD_WINDOWS` and `EVERYTHING` in several sizes and seeds, each planned by
every [engine](concepts.md#engines) in {seconds:g} s on one thread. Figures are totals, smaller is better, with the
number of orders served in brackets. *Checker* is what the independent checker says of all plans of the row.

{chr(10).join(lines)}

{summary(rows, engines)}

The runs had {core_share:.0%} of one core to themselves; the less it is, the less the engines reach in the same time.

{footer()}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and with `--write` renew the section; 1 if a plan did not pass the check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--engines", nargs="+", choices=sorted(ENGINES), default=COMPARED, metavar="NAME")
    parser.add_argument(
        "--seconds", type=positive_seconds, default=DEFAULT_TIME_LIMIT_SECONDS, help="time limit of each run"
    )
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    limits = SearchLimits(time_limit_seconds=options.seconds)
    rows = []
    began, used = time.perf_counter(), time.process_time()
    with console.status("planning") as status:
        for kind, spec in days():
            status.update(f"planning {kind}: {spec.orders} orders, {spec.engineers} engineers, seed {spec.seed}")
            rows.append(measure(kind, spec, options.engines, limits))
    core_share = (time.process_time() - used) / (time.perf_counter() - began)
    console.print(shown(rows, options.engines))
    console.print(summary(rows, options.engines), highlight=False, soft_wrap=True)
    if options.write:
        write_section(PAGE, SECTION, section(rows, options.engines, options.seconds, core_share))
        console.print(f"written to {PAGE}", highlight=False, soft_wrap=True)
    return 0 if all(run.is_right for row in rows for run in row.runs.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
