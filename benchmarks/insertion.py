"""How fast and how good the insertion engine is: `python -m benchmarks.insertion`, with `--write` into the docs.

Synthetic days of three sizes in two kinds. Each is planned twice: once in the first ordering alone, which is the
earliest whole plan there is, and once with all orderings inside the default time limit. Every plan is judged by the
independent checker; a figure without its verdict would be worth nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.problems import DEFAULT_TIME_LIMIT_SECONDS, build_problem
from benchmarks.machine import machine
from benchmarks.page import write_section
from data.synthetic import DEMO, HARD_WINDOWS, FleetSpec, synthetic_problem
from dispatcher.evaluate import evaluate
from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.schedule import build_plan
from dispatcher.verify import verify
from solver.budget import Budget
from solver.construction import IN_SEQUENCE, Construction
from solver.day_state import DayState
from solver.insertion import InsertionEngine
from solver.repair import without_breaches

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
KINDS = {"demo": DEMO, "hard-windows": HARD_WINDOWS}
SIZES = ((100, 15), (300, 40), (800, 100))
SECTION = "insertion engine"
HEADINGS = ("day", "orders", "engineers", "first plan", "its total", "time", "served", "total", "checker")


@dataclass(frozen=True, slots=True)
class Row:
    """One day: seconds and total of the first whole plan, then of the best within the time limit."""

    kind: str
    orders: int
    engineers: int
    first_seconds: float
    first_total: int
    seconds: float
    served: int
    total: int
    verdict: str

    def cells(self) -> tuple[str, ...]:
        return (
            self.kind,
            str(self.orders),
            str(self.engineers),
            f"{self.first_seconds:.1f} s",
            f"{self.first_total:,}",
            f"{self.seconds:.1f} s",
            str(self.served),
            f"{self.total:,}",
            self.verdict,
        )


def measure(kind: str, spec: FleetSpec) -> Row:
    """Plan one synthetic day; reading the problem and checking the plan are not part of the times."""
    document = synthetic_problem(spec)
    problem = build_problem(document)
    began = time.perf_counter()
    construction = Construction(DayState(problem), _unlimited(), IN_SEQUENCE, lambda served: None)
    construction.run()
    first = without_breaches(problem, construction.state.sequences())
    first_seconds = time.perf_counter() - began
    result = InsertionEngine().solve(problem, SearchLimits(DEFAULT_TIME_LIMIT_SECONDS))
    verdicts = [_judged(problem, document, sequences) for sequences in (first, result.sequences)]
    plan = build_plan(problem, result.sequences)
    return Row(
        kind=kind,
        orders=spec.orders,
        engineers=spec.engineers,
        first_seconds=first_seconds,
        first_total=verdicts[0][0],
        seconds=result.elapsed_seconds,
        served=spec.orders - len(plan.unassigned),
        total=verdicts[1][0],
        verdict=", ".join(sorted({verdict for _, verdict in verdicts})),
    )


def _unlimited() -> Budget:
    return Budget(SearchLimits(time_limit_seconds=None), lambda: False)


def _judged(problem: Problem, document: dict[str, object], sequences: Sequences) -> tuple[int, str]:
    """The total, and what the independent checker says about the published plan."""
    plan = build_plan(problem, sequences)
    evaluation = evaluate(problem, plan)
    published = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)
    verdict = verify(document, published)
    if verdict.total != evaluation.total:
        return evaluation.total, "disagrees"
    return evaluation.total, "feasible" if verdict.feasible else "broken"


def footer() -> str:
    """The day, the machine and the versions the figures belong to."""
    software = ", ".join(f"{name} {version(name)}" for name in ("muster", "numpy", "networkx"))
    return f"{datetime.now(UTC).date().isoformat()} · {machine()}, one used · {software}"


def shown(rows: Iterable[Row]) -> Table:
    table = Table(caption=footer())
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if number in (0, len(HEADINGS) - 1) else "right")
    for row in rows:
        table.add_row(*row.cells())
    return table


def section(rows: Sequence[Row]) -> str:
    """The figures as a section of the documentation."""
    edges = (0, len(HEADINGS) - 1)
    rule = "|".join("---" if number in edges else "---:" for number in range(len(HEADINGS)))
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{rule}|", *(f"| {' | '.join(row.cells())} |" for row in rows)]
    return f"""## The insertion engine

Written by `python -m benchmarks.insertion --write`; run it to have the figures of your machine.

Synthetic days like [`DEMO`](scenarios.md) (teams, skill graph, breaks, parts, traffic, deadlines) and `HARD_WINDOWS`
(hard time windows, flat skills, more work than capacity), in three sizes. *First plan* is the time until the first
whole plan is there, one ordering alone, and *its total* what that plan costs. *Time*, *served* and *total* belong to
the best plan of all orderings within the default time limit ({DEFAULT_TIME_LIMIT_SECONDS:.0f} s); smaller totals are
better. Reading the problem, explaining and checking are not timed. *Checker* is what the independent checker says of
both plans.

{chr(10).join(lines)}

{footer()}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and with `--write` renew the page; 1 if a plan did not pass the check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.insertion", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    rows = []
    with console.status("planning") as status:
        for kind, spec in KINDS.items():
            for orders, engineers in SIZES:
                status.update(f"planning {kind}: {orders} orders, {engineers} engineers")
                rows.append(measure(kind, replace(spec, orders=orders, engineers=engineers)))
    console.print(shown(rows))
    if options.write:
        write_section(PAGE, SECTION, section(rows))
        console.print(f"written to {PAGE}", highlight=False, soft_wrap=True)
    return 0 if all(row.verdict == "feasible" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
