"""What each part of the search is worth: `python -m benchmarks.ablation`, with `--write` into the docs.

The default engine plans development days (their seeds are not those of the benchmarks) as it is and with one part
left out at a time, all with the same time limit, taking turns. A part has to earn its place: what gains less than
`LEAST_GAIN_PERCENT` in the mean does not belong into the search.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from math import exp, log, sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.problems import read_checked_problem
from benchmarks.machine import machine
from benchmarks.page import show_section
from benchmarks.report import table
from benchmarks.suite import hard_spec, rich_spec
from benchmarks.team_suite import team_spec
from data.synthetic import FleetSpec, synthetic_problem
from dispatcher.evaluate import evaluate
from dispatcher.planning import SearchLimits
from dispatcher.schedule import build_plan
from solver import compile, compile_sorting, nearness, search, starts
from solver.engines import DEFAULT_ENGINE, engine_named
from solver.hybrid import warm_up

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
SECTION = "ablation"
LEAST_GAIN_PERCENT = 0.3
SECONDS = 10.0
SEEDS = (1, 2)


def meter_round(orders: int, engineers: int, seed: int) -> dict[str, Any]:
    """Visits of five minutes that anybody can make, some dozens on a route."""
    document = synthetic_problem(FleetSpec(orders=orders, engineers=engineers, seed=seed))
    for order in document["work_orders"]:
        order["service_seconds"] = 300
        order["required_skills"] = []
    return document


DAYS: tuple[tuple[str, Callable[[], dict[str, Any]]], ...] = (
    ("hard windows, 100 orders, tight", lambda: synthetic_problem(hard_spec(100, 1.1, 11))),
    ("hard windows, 100 orders, loose", lambda: synthetic_problem(hard_spec(100, 0.8, 13))),
    ("hard windows, 300 orders, tight", lambda: synthetic_problem(hard_spec(300, 1.1, 12))),
    ("hard windows, 300 orders, loose", lambda: synthetic_problem(hard_spec(300, 0.8, 13))),
    ("everything, 100 orders", lambda: synthetic_problem(rich_spec(100, 1.1, 11))),
    ("everything, 300 orders", lambda: synthetic_problem(rich_spec(300, 0.8, 12))),
    ("many teams, 100 orders", lambda: synthetic_problem(team_spec(100, 0.1, 12))),
    ("meter round, 400 orders", lambda: meter_round(400, 12, 14)),
)


@dataclass(frozen=True, slots=True)
class Variant:
    """The engine with one part left out: what is patched while it plans, and on how many threads."""

    name: str
    patched: Callable[[], AbstractContextManager[Any]]
    threads: int = 2


VARIANTS = (
    Variant("as it is", nullcontext),
    Variant("without recombination", lambda: patch.object(search, "RECOMBINED_AT", ())),
    Variant("without orders by value and by scarcity", lambda: patch.dict(compile_sorting.OWN_CHANCES, _never())),
    Variant("without the first quick descent", lambda: patch.object(search, "QUICK_SHARE", 0.0)),
    Variant("insertion first, for 15 % of the time", lambda: patch.object(starts, "INSERTION_SECONDS", 1e9)),
    Variant("without beginning at what is dear", lambda: patch.object(compile, "DEAR_PER_MILLE", 0)),
    Variant("neighbours by the way alone", lambda: patch.object(nearness, "MOST_KINDS", 0)),
    Variant("without swapped tails", lambda: patch.object(compile, "SWAPS_PER_MILLE", 0)),
    Variant("without annealing", lambda: patch.object(search.Search, "_take_temperature", lambda _: None)),
    Variant("no warmer where shifts are unlike", lambda: patch.object(search, "WARMTH_OF_KINDS", 0.0)),
    Variant("without warming again", lambda: patch.object(search.Search, "_begin_again_if_frozen", lambda *_: None)),
    Variant("threads sharing four times as often", lambda: patch.object(search, "SHARED_EVERY", 0.05)),
    Variant("slices as long in a short search", lambda: patch.object(search, "SLICE_SHARE", 1.0)),
    Variant("on one thread", nullcontext, threads=1),
)
Totals = Mapping[tuple[str, int, str], int]
"""By day, seed and variant."""


def _never() -> dict[str, float]:
    return dict.fromkeys(compile_sorting.OWN_CHANCES, 0.0)


def planned(document: Mapping[str, Any], seed: int, variant: Variant, seconds: float) -> int:
    """The total of one plan of a planning document; reading it is not timed."""
    problem = read_checked_problem(document)
    limits = SearchLimits(seconds, seed=seed, threads=variant.threads)
    with variant.patched():
        found = engine_named(DEFAULT_ENGINE).solve(
            problem, limits, cancelled=lambda: False, progress=lambda fraction, text: None
        )
    return evaluate(problem, build_plan(problem, found.sequences)).total


def measured(
    days: Sequence[tuple[str, Callable[[], dict[str, Any]]]], seconds: float, advance: Callable[[str], None]
) -> Totals:
    """Every variant on every day and seed, variants taking turns."""
    totals = {}
    for name, make in days:
        document = make()
        for seed in SEEDS:
            for variant in VARIANTS:
                advance(f"{name}, {variant.name}")
                totals[name, seed, variant.name] = planned(document, seed, variant, seconds)
    return totals


def change(totals: Totals, variant: str, days: Sequence[str]) -> float:
    """By how many per cent totals rise without a part, in the geometric mean over days and seeds."""
    return 100 * (exp(mean(_log_ratios(totals, variant, days))) - 1)


def noise(totals: Totals, variant: str, days: Sequence[str]) -> float:
    """The standard error of `change`, in per cent: a change that is smaller may be chance."""
    ratios = _log_ratios(totals, variant, days)
    return 100 * stdev(ratios) / sqrt(len(ratios))


def verdict(gain: float, error: float) -> str:
    """What a mean change, in per cent, says of a part."""
    if abs(gain) <= error:
        return "within the noise"
    return "earns its place" if gain >= LEAST_GAIN_PERCENT else "not shown to be worth it"


def _log_ratios(totals: Totals, variant: str, days: Sequence[str]) -> list[float]:
    usual = VARIANTS[0].name
    return [log(totals[day, seed, variant] / totals[day, seed, usual]) for day in days for seed in SEEDS]


def section(totals: Totals, seconds: float) -> str:
    """The table: a row per variant, a column per day, and the mean with its verdict."""
    days = list(dict.fromkeys(day for day, _, _ in totals))
    rows = []
    for variant in VARIANTS[1:]:
        gain, error = change(totals, variant.name, days), noise(totals, variant.name, days)
        rows.append(
            (
                variant.name,
                *(f"{change(totals, variant.name, [day]):+.1f} %" for day in days),
                f"{gain:+.1f} ± {error:.1f} %",
                verdict(gain, error),
            )
        )
    command = "python -m benchmarks.ablation --write" + ("" if seconds == SECONDS else f" --seconds {seconds:g}")
    heads = ("left out, or otherwise", *days, "mean", f"from {LEAST_GAIN_PERCENT:g} %")
    return f"""## What each part of the search is worth

Written by `{command}`. The engine `{DEFAULT_ENGINE}` plans each day in {seconds:g} s on
two threads, with {len(SEEDS)} seeds; the seeds of the days are not those of the benchmarks. A figure says by how much
the total rises where a part is left out, or done otherwise; below zero the plan is better so. Beside the mean stands
its standard error over days and seeds: by chance alone the figures of one day differ by per cents.

{table(heads, rows, left=1)}

{datetime.now(UTC).date().isoformat()} · {machine()}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and with `--write` renew the section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time limit of each run")
    parser.add_argument("--quick", action="store_true", help="the first day alone")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    days = DAYS[:1] if options.quick else DAYS
    warm_up()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("planning", total=len(days) * len(SEEDS) * len(VARIANTS))

        def advance(text: str) -> None:
            progress.update(task, description=text, advance=1)

        text = section(measured(days, options.seconds, advance), options.seconds)
    show_section(console, PAGE, SECTION, text, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
