"""Teams against published optima and our own longer runs: `python -m benchmarks.teams`, with `--write` into the docs.

Home care with two caregivers (hhcrsp), synchronised visits (vrptwsyn), technicians with levels (strsp) and synthetic
days of which 5, 10 and 20 % of the orders need teams. Every cell runs in a process of its own and is kept in
`var/benchmarks/teams.jsonl`, so an interrupted run goes on where it stopped. The whole takes some two hours; two
commands may each measure some of the `--tracks` at the same time, on a core each (`taskset`); `hhcrsp-large` alone
takes two threads. `--quick` takes a little of each in under two minutes. `--report` measures nothing and shows what has
been measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from benchmarks.cache import FOLDER, Cache
from benchmarks.page import write_section
from benchmarks.reference import CHECKOUT, NoReferenceData, reference_data
from benchmarks.report import PAGE as TARGETS_PAGE
from benchmarks.run import Batch, Runner
from benchmarks.team_report import draw, report, summary, team_runs
from benchmarks.team_suite import hhcrsp_instances, strsp_instances, team_days, vrptwsyn_instances
from benchmarks.team_targets import (
    HHCRSP_SECONDS,
    LARGE,
    LARGE_THREADS,
    LONGER,
    TEAMS_SECONDS,
    THREADS,
    VRPTWSYN_SECONDS,
    VRPTWSYN_SEEDS,
    TeamRun,
)
from solver.engines import DEFAULT_ENGINE

PAGE = CHECKOUT / "docs" / "benchmarks-teams.md"
PICTURE = CHECKOUT / "docs" / "pictures" / "benchmarks-teams.png"
SECTION = "teams"
ROWS, QUICK_ROWS = "teams.jsonl", "teams-quick.jsonl"
STRSP_SECONDS = 30.0
QUICK_SECONDS = 4.0
QUICK_PLACES = {"hhcrsp": (0, 1, 10), "vrptwsyn": (1, 6), "teams": (2,)}
"""Which instances of a track `--quick` takes."""
ENGINES = (DEFAULT_ENGINE,)
TRACKS = ("vrptwsyn", "strsp", "teams", "hhcrsp", "hhcrsp-large")


def whole_batches(data: Path) -> dict[str, Batch]:
    """Everything the targets speak of, by track, what is quick first."""
    home_care = hhcrsp_instances(data)
    small = [instance for instance in home_care if instance.size < LARGE]
    large = [instance for instance in home_care if instance.size >= LARGE]
    return {
        "vrptwsyn": Batch(tuple(vrptwsyn_instances(data)), ENGINES, (VRPTWSYN_SECONDS,), VRPTWSYN_SEEDS, THREADS),
        "strsp": Batch(tuple(strsp_instances(data)), ENGINES, (STRSP_SECONDS,), threads=THREADS),
        "teams": Batch(tuple(team_days()), ENGINES, (TEAMS_SECONDS, LONGER * TEAMS_SECONDS), threads=THREADS),
        "hhcrsp": Batch(tuple(small), ENGINES, (HHCRSP_SECONDS,), threads=THREADS),
        "hhcrsp-large": Batch(tuple(large), ENGINES, (HHCRSP_SECONDS,), threads=LARGE_THREADS),
    }


def quick_batches(data: Path) -> dict[str, Batch]:
    """A little of each track; its limits are not those of the targets, so it meets and misses none."""
    found = {"hhcrsp": hhcrsp_instances(data), "vrptwsyn": vrptwsyn_instances(data), "teams": team_days()}
    limits = {"teams": (1.0, LONGER * 1.0)}
    return {
        track: Batch(
            tuple(found[track][place] for place in places),
            ENGINES,
            limits.get(track, (QUICK_SECONDS,)),
            threads=THREADS,
        )
        for track, places in QUICK_PLACES.items()
    }


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.teams", description=(__doc__ or "").partition("\n\n")[2])
    made.add_argument("--quick", action="store_true", help="a little of each track, in under two minutes")
    made.add_argument(
        "--tracks", nargs="+", choices=TRACKS, default=TRACKS, metavar="NAME", help=f"of {', '.join(TRACKS)}"
    )
    made.add_argument("--report", action="store_true", help="measure nothing, show what has been measured")
    made.add_argument("--write", action="store_true", help="renew two pages of docs and a picture")
    made.add_argument("--data", metavar="FOLDER", help="the public reference data (default: MUSTER_REFERENCE_DATA)")
    made.add_argument("--folder", type=Path, default=FOLDER, help="where rows and instances are kept")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing and report; 1 if a cell failed or a plan broke a rule, 2 without reference data."""
    options = parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        data = reference_data(options.data)
    except NoReferenceData as error:
        console.print(str(error), highlight=False, soft_wrap=True)
        return 2
    cache = Cache(options.folder / (QUICK_ROWS if options.quick else ROWS))
    status = 0
    if not options.report:
        runner = Runner(cache, options.folder, console)
        try:
            batches = quick_batches(data) if options.quick else whole_batches(data)
            runner.run([batch for track, batch in batches.items() if track in options.tracks])
        except KeyboardInterrupt:
            console.print("stopped; what was measured is kept, the same command goes on from here", highlight=False)
            return 130
        status = 1 if runner.failed or runner.broken else 0
    runs = team_runs(cache.rows(), data)
    _show(runs, cache, options, console)
    return status


def _show(runs: Sequence[TeamRun], cache: Cache, options: argparse.Namespace, console: Console) -> None:
    picture = PICTURE if options.write else options.folder / PICTURE.name
    draw(runs, picture)
    shown = f"pictures/{PICTURE.name}" if options.write else PICTURE.name
    targets = summary(runs, cache.rows(), shown, PAGE.name)
    text = report(runs, cache.rows())
    if options.write:
        if not PAGE.exists():
            PAGE.write_text("# Benchmarks of teams\n", encoding="utf-8")
        write_section(PAGE, SECTION, text)
        write_section(TARGETS_PAGE, SECTION, targets)
        console.print(f"written to {TARGETS_PAGE} and {PAGE}", highlight=False, soft_wrap=True)
        return
    console.print(Markdown(f"{targets}\n{text}"))


if __name__ == "__main__":
    sys.exit(main())
