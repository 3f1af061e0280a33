"""Policies against a day's stream of events: `python -m benchmarks.replay`, with `--write` into the docs.

Ten synthetic days and three of a subway's real outages, each replayed under every policy. Each replay is kept in
`var/benchmarks/replay.jsonl`, so an interrupted run goes on where it stopped. The whole takes about an hour; `--quick`
replays two small days in under two minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from benchmarks.cache import FOLDER, Cache, Cell, Row, engine_version
from benchmarks.machine import machine
from benchmarks.page import write_section
from benchmarks.reference import CHECKOUT
from benchmarks.replay.days import SEEDS, SUBWAY_DAYS, ReplayDay, subway_day, synthetic_day
from benchmarks.replay.measures import Outcome, outcome
from benchmarks.replay.policies import POLICIES, TITLES, Repair
from benchmarks.replay.report import draw, report, summary
from benchmarks.replay.world import replay
from benchmarks.report import PAGE as TARGETS_PAGE
from benchmarks.scenarios.subway_records import NoRecordsError, find_folder
from benchmarks.suite import source_digest
from solver.hybrid import warm_up

PAGE = CHECKOUT / "docs" / "benchmarks-live.md"
PICTURE = CHECKOUT / "docs" / "pictures" / "benchmarks-live.png"
SECTION, TARGETS_SECTION = "replay", "live dispatch"
ROWS = "replay.jsonl"
HERE = Path(__file__).resolve().parent
SIMULATOR = tuple(HERE / name for name in ("days.py", "snapshot.py", "world.py", "measures.py"))
QUICK_SEEDS, QUICK_ORDERS, QUICK_ENGINEERS = (1, 2), 40, 8


def simulator_digest() -> str:
    """What figures of all policies hold for: the simulator, its days and its measures."""
    return source_digest(SIMULATOR)


def version_of(policy: str) -> str:
    """What figures of one policy hold for: only who repairs depends on the live planning."""
    repairs = isinstance(POLICIES[policy](), Repair)
    deciding = sorted((CHECKOUT / "solver" / "live").glob("*.py")) if repairs else []
    engine = "" if policy == "nearest" else engine_version("hybrid")
    return f"{simulator_digest()}-{source_digest([HERE / 'policies.py', *deciding])}-{engine}"


def whole_days(folder: Path | None) -> Iterator[ReplayDay]:
    """The ten synthetic days, and the three of the records where there are any."""
    yield from (synthetic_day(seed) for seed in SEEDS)
    if folder is not None:
        yield from (subway_day(folder, on) for on in SUBWAY_DAYS)


def quick_days() -> Iterator[ReplayDay]:
    for seed in QUICK_SEEDS:
        day = synthetic_day(seed, QUICK_ORDERS, QUICK_ENGINEERS)
        yield ReplayDay(f"quick-{seed}", day.document, day.start, day.opened, day.truths, day.cancelled, day.sick)


def cell_of(day: ReplayDay, policy: str) -> Cell:
    return Cell("replay", day.name, len(day.opened), day.digest, policy, version_of(policy), None, 1, 1)


def measured(days: Sequence[ReplayDay], policies: Sequence[str], cache: Cache, console: Console) -> list[Row]:
    """The rows of all days under all policies, from the cache or replayed now."""
    rows = []
    for day in days:
        for policy in policies:
            cell = cell_of(day, policy)
            row = cache.get(cell)
            if row is None:
                # What the first decision compiles and loads is no latency of it.
                warm_up()
                found = outcome(day, policy, replay(day, POLICIES[policy]()))
                stamp = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
                row = cache.add(cell, {"status": "measured", **found.as_row(), **stamp})
                console.print(f"{day.name}, {TITLES[policy]}: {in_short(found)}", highlight=False, soft_wrap=True)
            rows.append(row)
    return rows


def in_short(found: Outcome) -> str:
    """One replay in a few words."""
    return (
        f"{found.served} of {found.orders} served, {found.grave_breaches} L1 and L2 breaches, "
        f"{found.reassigned} reassigned, cost {found.cost:,}"
    )


def about(rows: Sequence[Row]) -> str:
    days = sorted({str(row["at"])[:10] for row in rows})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    versions = f"simulator {simulator_digest()}, hybrid at {engine_version('hybrid')}"
    return " · ".join([span, *sorted({row["machine"] for row in rows}), versions])


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=(__doc__ or "").partition("\n\n")[2])
    made.add_argument("--quick", action="store_true", help="two small days, in under two minutes")
    made.add_argument("--policies", nargs="+", choices=[*POLICIES], default=[*POLICIES], metavar="NAME")
    made.add_argument("--write", action="store_true", help="renew two pages of docs and a picture")
    made.add_argument(
        "--data", type=Path, metavar="FOLDER", help="the outage records (default: as the scenario finds them)"
    )
    made.add_argument("--folder", type=Path, default=FOLDER, help="where rows are kept")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay what is missing and report; 130 where it was stopped."""
    options = parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    folder: Path | None = None
    if not options.quick:
        try:
            folder = find_folder(options.data)
        except NoRecordsError as error:
            console.print(f"the days of real outages are left out: {error}", highlight=False, soft_wrap=True)
    days = list(quick_days() if options.quick else whole_days(folder))
    cache = Cache(options.folder / ROWS)
    try:
        rows = measured(days, options.policies, cache, console)
    except KeyboardInterrupt:
        console.print("stopped; what was replayed is kept, the same command goes on from here", highlight=False)
        return 130
    outcomes = [Outcome.of_row(row) for row in rows]
    picture = f"pictures/{PICTURE.name}" if options.write else PICTURE.name
    draw(outcomes, PICTURE if options.write else options.folder / PICTURE.name)
    targets = summary(outcomes, len(SEEDS), about(rows), picture, PAGE.name)
    text = report(outcomes, about(rows))
    if options.write:
        if not PAGE.exists():
            PAGE.write_text("# Benchmarks of live dispatch\n", encoding="utf-8")
        write_section(PAGE, SECTION, text)
        write_section(TARGETS_PAGE, TARGETS_SECTION, targets)
        console.print(f"written to {TARGETS_PAGE} and {PAGE}", highlight=False, soft_wrap=True)
    else:
        console.print(Markdown(f"{targets}\n{text}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
