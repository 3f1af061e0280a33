"""How long the command takes beside its search, cold and warm: `python -m benchmarks.startup`, with `--write` into
the docs.

Cold is a machine that has never compiled the search kernel; warm is every start after that. All are processes of their
own, timed from outside.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks.machine import machine
from benchmarks.page import show_section
from benchmarks.report import table
from benchmarks.suite import hard_spec
from data.synthetic import synthetic_problem

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
SECTION = "start"
ORDERS = 100
SEARCH_SECONDS = 2.0
WARM_RUNS = 5
COLD_TARGET_SECONDS, WARM_TARGET_SECONDS = 60.0, 2.0
NOTING = """
import runpy, sys, time
from solver import hybrid
warm_up = hybrid.warm_up
def noting(*given):
    warm_up(*given)
    print(time.time(), file=sys.stderr)
hybrid.warm_up = noting
runpy.run_module("api.cli", run_name="__main__", alter_sys=True)
"""
"""The command, saying on standard error when its kernel is loaded and the search begins."""


def seconds_of(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """The time of a command, which has to succeed."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], env=dict(environment), check=True, capture_output=True)
    return time.perf_counter() - began


def cold_seconds(folder: Path) -> float:
    """From the start of the process to a compiled kernel that has run once."""
    return seconds_of(["-m", "solver.warm"], {**os.environ, "MUSTER_KERNEL_CACHE": str(folder)})


def seconds_until_search(command: Sequence[str]) -> float:
    """From the start of the command until its search begins."""
    began = time.time()
    told = subprocess.run([sys.executable, "-c", NOTING, *command], check=True, capture_output=True, text=True).stderr
    return float(told.split()[0]) - began


def solve_seconds(folder: Path) -> tuple[float, float, float]:
    """Of `muster solve`: what it takes in all, how long until it searches, and how much is not its search (start,
    reading, explaining, checking, writing); medians of several runs."""
    problem, plan = folder / "problem.json", folder / "plan.json"
    problem.write_text(json.dumps(synthetic_problem(hard_spec(ORDERS, 1.1, 1))), encoding="utf-8")
    whole, before, beside = [], [], []
    command = ["solve", str(problem), "-o", str(plan), "--time-limit", f"{SEARCH_SECONDS:g}"]
    for _ in range(WARM_RUNS):
        before.append(seconds_until_search(command))
        seconds = seconds_of(["-m", "api.cli", *command], os.environ)
        receipt = json.loads(plan.read_text(encoding="utf-8"))["receipt"]
        whole.append(seconds)
        beside.append(seconds - float(receipt["elapsed_seconds"]))
    return median(whole), median(before), median(beside)


def section(cold: float, whole: float, before: float, beside: float) -> str:
    """The figures as a section of the documentation."""

    def verdict(seconds: float, target: float) -> str:
        return "met" if seconds < target else "**not met**"

    rows = [
        (
            "cold: the search kernel compiled, once on a machine",
            f"{cold:.1f} s",
            f"under {COLD_TARGET_SECONDS:g} s",
            verdict(cold, COLD_TARGET_SECONDS),
        ),
        (
            f"warm: `muster solve` of {ORDERS} orders, until it searches",
            f"{before:.1f} s",
            f"under {WARM_TARGET_SECONDS:g} s",
            verdict(before, WARM_TARGET_SECONDS),
        ),
        ("the same command, everything but its search", f"{beside:.1f} s", "", ""),
        (f"the same command in all, with {SEARCH_SECONDS:g} s of search", f"{whole:.1f} s", "", ""),
    ]
    return f"""## Cold and warm start

Written by `python -m benchmarks.startup --write`. Beside the search there are loading, reading, explaining, checking
and writing.

{table(("start", "measured", "wanted", "verdict"), rows, left=4)}

{datetime.now(UTC).date().isoformat()} · {machine()}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and with `--write` renew the section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the figures into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    with TemporaryDirectory() as folder, console.status("compiling the search kernel, cold"):
        cold = cold_seconds(Path(folder))
    # What is timed warm is warm, whatever ran on this machine before.
    seconds_of(["-m", "solver.warm"], os.environ)
    with TemporaryDirectory() as folder, console.status("planning, warm"):
        whole, before, beside = solve_seconds(Path(folder))
    text = section(cold, whole, before, beside)
    show_section(console, PAGE, SECTION, text, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
