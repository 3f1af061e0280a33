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
from benchmarks.options import positive_seconds
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
DAY_SEEDS, SEEDS = (11, 12, 13), (1, 2)
"""Days of each kind, and searches of each day."""


def meter_round(orders: int, engineers: int, seed: int) -> dict[str, Any]:
    """Visits of five minutes that anybody can make, some dozens on a route."""
    document = synthetic_problem(FleetSpec(orders=orders, engineers=engineers, seed=seed))
    for order in document["work_orders"]:
        order["service_seconds"] = 300
        order["required_skills"] = []
    return document


KINDS: tuple[tuple[str, Callable[[int], dict[str, Any]]], ...] = (
    ("hard windows, 100 orders, tight", lambda seed: synthetic_problem(hard_spec(100, 1.1, seed))),
    ("hard windows, 100 orders, loose", lambda seed: synthetic_problem(hard_spec(100, 0.8, seed))),
    ("hard windows, 300 orders, tight", lambda seed: synthetic_problem(hard_spec(300, 1.1, seed))),
    ("hard windows, 300 orders, loose", lambda seed: synthetic_problem(hard_spec(300, 0.8, seed))),
    ("everything, 100 orders", lambda seed: synthetic_problem(rich_spec(100, 1.1, seed))),
    ("everything, 300 orders", lambda seed: synthetic_problem(rich_spec(300, 0.8, seed))),
    ("many teams, 100 orders", lambda seed: synthetic_problem(team_spec(100, 0.1, seed))),
    ("meter round, 400 orders", lambda seed: meter_round(400, 12, seed)),
)
"""Kinds of days, each made from the seed of a day."""


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
Totals = Mapping[tuple[str, int, int, str], int]
"""By kind of day, seed of the day, seed of the search, and variant."""


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
    kinds: Sequence[tuple[str, Callable[[int], dict[str, Any]]]],
    day_seeds: Sequence[int],
    seconds: float,
    advance: Callable[[str], None],
) -> Totals:
    """Every variant on every day and seed, variants taking turns."""
    totals = {}
    for kind, make in kinds:
        for day_seed in day_seeds:
            document = make(day_seed)
            for seed in SEEDS:
                for variant in VARIANTS:
                    advance(f"{kind}, {variant.name}")
                    totals[kind, day_seed, seed, variant.name] = planned(document, seed, variant, seconds)
    return totals


def change(totals: Totals, variant: str, kinds: Sequence[str]) -> float:
    """By how many per cent totals rise without a part, in the geometric mean over days and seeds."""
    return 100 * (exp(mean(_log_ratios(totals, variant, kinds))) - 1)


def noise(totals: Totals, variant: str, kinds: Sequence[str]) -> float:
    """The standard error of `change`, in per cent: a change that is smaller may be chance."""
    ratios = _log_ratios(totals, variant, kinds)
    return 100 * stdev(ratios) / sqrt(len(ratios))


def dearer(totals: Totals, variant: str, kinds: Sequence[str]) -> str:
    """In how many runs the total is higher without a part, of those in which it is another."""
    ratios = [ratio for ratio in _log_ratios(totals, variant, kinds) if ratio]
    return f"{sum(ratio > 0 for ratio in ratios)} of {len(ratios)}"


def verdict(gain: float, error: float) -> str:
    """What a mean change, in per cent, says of a part."""
    if abs(gain) <= error:
        return "within the noise"
    return "earns its place" if gain >= LEAST_GAIN_PERCENT else "not shown to be worth it"


def _log_ratios(totals: Totals, variant: str, kinds: Sequence[str]) -> list[float]:
    usual = VARIANTS[0].name
    return [
        log(total / totals[kind, day_seed, seed, usual])
        for (kind, day_seed, seed, name), total in totals.items()
        if name == variant and kind in kinds
    ]


def section(totals: Totals, seconds: float) -> str:
    """The table: a row per variant, a column per kind of day, and the mean with its verdict."""
    kinds = list(dict.fromkeys(kind for kind, *_ in totals))
    days = {day_seed for _, day_seed, *_ in totals}
    rows = []
    for variant in VARIANTS[1:]:
        gain, error = change(totals, variant.name, kinds), noise(totals, variant.name, kinds)
        rows.append(
            (
                variant.name,
                *(f"{change(totals, variant.name, [kind]):+.1f} %" for kind in kinds),
                f"{gain:+.1f} ± {error:.1f} %",
                dearer(totals, variant.name, kinds),
                verdict(gain, error),
            )
        )
    command = "python -m benchmarks.ablation --write" + ("" if seconds == SECONDS else f" --seconds {seconds:g}")
    heads = ("left out, or otherwise", *kinds, "mean", "dearer", f"from {LEAST_GAIN_PERCENT:g} %")
    return f"""## What each part of the search is worth

Written by `{command}`. The engine `{DEFAULT_ENGINE}` plans {len(days)} days of each kind in {seconds:g} s
each on two threads, with {len(SEEDS)} seeds; the days are not those of the benchmarks. A figure says by how much
the total rises where a part is left out, or done otherwise; below zero the plan is better so. Beside the mean stands
its standard error over days and seeds: by chance alone the figures of one kind differ by per cents. *Dearer* counts
the runs in which the total is higher so, of those in which it is another.

{table(heads, rows, left=1)}

{datetime.now(UTC).date().isoformat()} · {machine()}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and with `--write` renew the section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--seconds", type=positive_seconds, default=SECONDS, help="time limit of each run")
    parser.add_argument("--quick", action="store_true", help="one day of the first kind alone")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    kinds, day_seeds = (KINDS[:1], DAY_SEEDS[:1]) if options.quick else (KINDS, DAY_SEEDS)
    warm_up()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("planning", total=len(kinds) * len(day_seeds) * len(SEEDS) * len(VARIANTS))

        def advance(text: str) -> None:
            progress.update(task, description=text, advance=1)

        text = section(measured(kinds, day_seeds, options.seconds, advance), options.seconds)
    show_section(console, PAGE, SECTION, text, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
