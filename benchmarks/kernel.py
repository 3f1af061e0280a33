"""How fast the search kernel is, in under a minute: `python -m benchmarks.kernel`, with `--write` into the docs.

One thread searches days of several sizes from its own first plan, at a temperature in the middle of an annealing. What
counts is iterations a second: what a change of the kernel costs or gains before any plan is compared.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.problems import read_checked_problem
from benchmarks.machine import machine
from benchmarks.page import show_section
from benchmarks.report import table
from benchmarks.suite import hard_spec, rich_spec
from data.synthetic import synthetic_problem
from dispatcher.planning import SearchLimits
from solver.budget import Budget
from solver.hybrid import warm_up
from solver.teams_first import place_teams_first

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
SECTION = "kernel"
SECONDS = 3.0
SLICE_ITERATIONS = 100
TEMPERATURE = 0.1
"""In mean costs of a leg: the geometric middle of an annealing."""
LIMITS = SearchLimits(time_limit_seconds=600.0)
DAYS: tuple[tuple[str, Callable[[], dict[str, Any]]], ...] = (
    ("hard windows, 100 orders", lambda: synthetic_problem(hard_spec(100, 1.1, 11))),
    ("hard windows, 300 orders", lambda: synthetic_problem(hard_spec(300, 1.1, 11))),
    ("hard windows, 800 orders", lambda: synthetic_problem(hard_spec(800, 1.1, 11))),
    ("everything, 100 orders", lambda: synthetic_problem(rich_spec(100, 1.1, 11))),
    ("everything, 300 orders", lambda: synthetic_problem(rich_spec(300, 1.1, 11))),
)


@dataclass(frozen=True, slots=True)
class Speed:
    """What one day gave; `improved` counts the iterations that found a better plan than all before."""

    day: str
    first_plan_seconds: float
    iterations: int
    seconds: float
    improved: int


def speed_of(name: str, document: dict[str, Any], seconds: float) -> Speed:
    """Search one day for some seconds; reading it is not timed."""
    from solver.starts import starts

    problem = read_checked_problem(document)
    budget = Budget(LIMITS, lambda: False)
    given = place_teams_first(problem, budget, 1)
    began = time.perf_counter()
    searcher = starts(problem, given, LIMITS, budget)[0][0].searcher
    first_plan_seconds = time.perf_counter() - began
    temperature = TEMPERATURE * searcher.leg_cost()
    iterations = improved = 0
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        improved += searcher.run(SLICE_ITERATIONS, temperature, temperature)
        iterations += SLICE_ITERATIONS
    return Speed(name, first_plan_seconds, iterations, elapsed, improved)


def section(speeds: Sequence[Speed]) -> str:
    """The figures as a section of the documentation."""
    rows = [
        (
            speed.day,
            f"{speed.first_plan_seconds:.2f} s",
            f"{speed.iterations / speed.seconds:,.0f}",
            f"{1e6 * speed.seconds / speed.iterations:.0f} µs",
            str(speed.improved),
        )
        for speed in speeds
    ]
    return f"""## The kernel alone

Written by `python -m benchmarks.kernel --write`, in under a minute. One thread searches each day for {SECONDS:g} s, in
the middle of an annealing. *Until it searches*: compiling the day into arrays, what it begins with, and a first plan.

{table(("day", "until it searches", "iterations a second", "an iteration", "new bests"), rows)}

{datetime.now(UTC).date().isoformat()} · {machine()}, one used
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and with `--write` renew the section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the figures into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    warm_up()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    speeds = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("searching", total=len(DAYS))
        for name, make in DAYS:
            progress.update(task, description=name)
            speeds.append(speed_of(name, make(), SECONDS))
            progress.advance(task)
    text = section(speeds)
    show_section(console, PAGE, SECTION, text, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
