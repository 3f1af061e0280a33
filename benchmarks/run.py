"""Measure engines on the instances of the suite: `python -m benchmarks.run`.

Every cell (instance × limit × seed × engine) runs in a process of its own, and its row is appended to
`var/benchmarks/cells.jsonl` as soon as it is there: an interrupted run goes on where it stopped, and only what has
changed is measured again. `python -m benchmarks.report` makes tables and a picture of the rows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from benchmarks.cache import FOLDER, Cache, Cell, Row, engine_version
from benchmarks.child import run_child
from benchmarks.machine import machine
from benchmarks.options import positive_seconds, search_seed
from benchmarks.peers import PEERS
from benchmarks.reference import NoReferenceData, reference_data
from benchmarks.suite import (
    TRACKS,
    VRPTW_LIMITS_SECONDS,
    Instance,
    UnusableDocumentsError,
    document_instances,
    stored_document,
    synthetic_instances,
    vrptw_instances,
)
from solver.engines import DEFAULT_ENGINE, ENGINES

LIMITS_SECONDS: dict[str, tuple[float, ...]] = {
    "hard": (10.0, 60.0),
    "rich": (10.0, 60.0),
    "documents": (10.0,),
}
SCALE_LIMITS_SECONDS = {5000: 3.0, 20000: 30.0}
THREADS = {"vrptw": 1}
DEFAULT_THREADS = 2
QUICK_LIMIT_SECONDS = 10.0
QUICK_DAYS, QUICK_SIZES = "*-t1.1-s1", (100, 300)
QUICK_VRPTW_STEP = 7
"""Every seventh of the twenty by name: one clustered, one random, one mixed."""
AFTER_VROOM = ("vroom", DEFAULT_ENGINE)
SEED_OF_VROOM = 1
"""It draws no chance: one run of it does for all seeds of ours."""
RunChild = Callable[[Cell, Path], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Instances with the engines to run on each; `after_vroom`: VROOM first, then the engine for as long as it took."""

    instances: tuple[Instance, ...]
    engines: tuple[str, ...]
    limits: tuple[float, ...] | None = None
    seeds: tuple[int, ...] = (1,)
    threads: int | None = None
    after_vroom: bool = False

    def __len__(self) -> int:
        return sum(len(list(self._plan(instance))) for instance in self.instances)

    def cells(self, seconds_of_vroom: Callable[[Cell], float | None]) -> Iterator[tuple[Instance, Cell]]:
        """Cells in the order they are to run, engines taking turns.

        `seconds_of_vroom` is asked, after VROOM's cell has run, how long it searched; None: it did not finish.
        """
        for instance in self.instances:
            seconds: float | None = None
            for engine, limit, seed in self._plan(instance):
                if self.after_vroom and engine != "vroom":
                    if seconds is None:
                        continue
                    limit = seconds
                cell = self._cell(instance, engine, limit, seed)
                yield instance, cell
                if self.after_vroom and engine == "vroom":
                    seconds = seconds_of_vroom(cell)

    def _plan(self, instance: Instance) -> Iterator[tuple[str, float | None, int]]:
        if self.after_vroom:
            yield "vroom", None, SEED_OF_VROOM
            yield from ((engine, None, seed) for seed in self.seeds for engine in self.engines if engine != "vroom")
            return
        for limit in self.limits or default_limits(instance):
            for seed in self.seeds:
                yield from ((engine, limit, seed) for engine in self.engines)

    def _cell(self, instance: Instance, engine: str, limit: float | None, seed: int) -> Cell:
        return Cell(
            track=instance.track,
            instance=instance.name,
            size=instance.size,
            digest=instance.digest,
            engine=engine,
            version=engine_version(engine),
            limit_seconds=limit,
            seed=seed,
            threads=self.threads or THREADS.get(instance.track, DEFAULT_THREADS),
        )


def default_limits(instance: Instance) -> tuple[float, ...]:
    """The time limits of the targets."""
    if instance.track == "vrptw":
        return (VRPTW_LIMITS_SECONDS[instance.size],)
    if instance.track == "scale":
        return (SCALE_LIMITS_SECONDS[instance.size],)
    return LIMITS_SECONDS[instance.track]


def default_engines(track: str) -> tuple[str, ...]:
    """What is compared on a track; peers know neither teams nor soft rules."""
    if track in ("rich", "documents"):
        return tuple(dict.fromkeys((DEFAULT_ENGINE, *ENGINES)))
    if track == "scale":
        return (DEFAULT_ENGINE,)
    if track == "vrptw":
        return (DEFAULT_ENGINE, "pyvrp")
    return (*dict.fromkeys((DEFAULT_ENGINE, "insertion")), *PEERS)


def quick_batches(data: Path | None) -> list[Batch]:
    """Every kind of cell once, on small instances: under ten minutes."""
    hard, rich = (
        tuple(instance for instance in synthetic_instances(track, QUICK_SIZES) if fnmatch(instance.name, QUICK_DAYS))
        for track in ("hard", "rich")
    )
    limits = (QUICK_LIMIT_SECONDS,)
    batches = [
        Batch(hard, default_engines("hard"), limits),
        Batch(hard, AFTER_VROOM, after_vroom=True),
        Batch(rich, default_engines("rich"), limits),
    ]
    if data is not None:
        batches.append(
            Batch(tuple(vrptw_instances(data, (100,))[::QUICK_VRPTW_STEP]), default_engines("vrptw"), limits)
        )
    return batches


def asked_batches(options: argparse.Namespace, data: Path | None) -> list[Batch]:
    """What the command line asks for.

    Raises:
        UnusableDocumentsError: for documents that cannot be planned.
    """
    sizes = options.sizes and tuple(options.sizes)
    found: list[Instance] = list(document_instances(options.documents or ()))
    for track in options.track or ([] if options.documents else ["hard"]):
        if track == "vrptw":
            found += vrptw_instances(data, sizes) if data is not None else []
        else:
            found += synthetic_instances(track, sizes)
    chosen = [instance for instance in found if fnmatch(instance.name, options.instances)]

    def engines_by_default(instance: Instance) -> tuple[str, ...]:
        return AFTER_VROOM if options.vroom_time else default_engines(instance.track)

    return [
        Batch(
            instances=(instance,),
            engines=tuple(options.engines or engines_by_default(instance)),
            limits=options.limits and tuple(options.limits),
            seeds=tuple(options.seeds),
            threads=options.threads,
            after_vroom=options.vroom_time,
        )
        for instance in chosen
    ]


class Runner:
    """Takes cells from the cache or measures them.

    It counts what it measured, what failed, and (cached or not) the plans that break a rule.
    """

    def __init__(self, cache: Cache, folder: Path, console: Console, run: RunChild = run_child) -> None:
        self._cache, self._folder, self._console, self._run = cache, folder, console, run
        self.measured = self.failed = self.broken = 0

    def run(self, batches: Sequence[Batch]) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task("benchmarks", total=sum(map(len, batches)))
            for batch in batches:
                for instance, cell in batch.cells(self._seconds):
                    duel = batch.after_vroom and cell.engine != "vroom"
                    self._one(instance, cell, {"as_long_as_vroom": True} if duel else {}, progress, task)

    def _one(self, instance: Instance, cell: Cell, asked: Row, progress: Progress, task: TaskID) -> None:
        limit = "no limit" if cell.limit_seconds is None else f"{cell.limit_seconds:g} s"
        named = f"{cell.engine} on {cell.instance}, {limit}"
        progress.update(task, description=named)
        row = self._cache.get(cell)
        if row is None:
            document = stored_document(instance, self._folder / "instances")
            result = self._run(cell, document)
            stamped = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
            row = self._cache.add(cell, result | stamped | {"best_known": instance.best_known} | asked)
            self.measured += 1
            self.failed += row["status"] == "failed"
            progress.console.print(f"{named}: {summary(row)}", highlight=False, soft_wrap=True, markup=False)
        self.broken += row["status"] == "measured" and not row["feasible"]
        progress.advance(task)

    def _seconds(self, cell: Cell) -> float | None:
        row = self._cache.get(cell)
        return None if row is None or row["status"] != "measured" else float(row["search_seconds"])


def summary(row: Row) -> str:
    """One row in a few words."""
    if row["status"] != "measured":
        return f"{row['status']}: {row['reason']}"
    verdict = "" if row["feasible"] else ", NOT FEASIBLE"
    total = "no total" if row["total"] is None else f"{row['total']:,}"
    return f"{total} in {row['search_seconds']:.1f} s, {row['served']} of {row['cell']['size']} served{verdict}"


def known_engine(name: str) -> str:
    """An engine's name, ours or a peer's."""
    if name not in ENGINES and name not in PEERS:
        raise argparse.ArgumentTypeError(f"there is no engine {name!r}; there is {', '.join([*ENGINES, *PEERS])}")
    return name


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.run", description=(__doc__ or "").partition("\n\n")[2])
    made.add_argument("--track", nargs="+", choices=TRACKS, help="default: hard")
    made.add_argument("--sizes", nargs="+", type=int, metavar="ORDERS", help="only instances with so many orders")
    made.add_argument("--instances", default="*", metavar="GLOB", help="only instances with such a name")
    made.add_argument("--documents", nargs="+", type=Path, metavar="FILE", help="planning documents of your own")
    made.add_argument("--engines", nargs="+", type=known_engine, help="default: what the track's targets compare")
    made.add_argument("--limits", nargs="+", type=positive_seconds, metavar="SECONDS", help="time limits of the search")
    made.add_argument("--seeds", nargs="+", type=search_seed, default=[1], help="seeds of the search (default: 1)")
    made.add_argument("--threads", type=int, choices=range(1, 65), metavar="N", help="default: 2, on vrptw 1")
    made.add_argument("--vroom-time", action="store_true", help="VROOM to its end, then our engine for as long")
    made.add_argument("--quick", action="store_true", help="a little of everything, in under ten minutes")
    made.add_argument("--data", metavar="FOLDER", help="the public reference data (default: MUSTER_REFERENCE_DATA)")
    made.add_argument("--folder", type=Path, default=FOLDER, help="where rows and instances are kept")
    return made


def checked_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, none of them without effect; argparse ends the process where they contradict each other."""
    made = parser()
    options = made.parse_args(arguments)
    if options.quick:
        free = {"quick", "data", "folder"}
        given = [name for name, value in vars(options).items() if name not in free and value != made.get_default(name)]
        if given:
            named = ", ".join("--" + name.replace("_", "-") for name in given)
            made.error(f"--quick chooses everything by itself; leave out {named}")
    if options.vroom_time and options.limits:
        made.error("--vroom-time takes its limits from VROOM; leave out --limits")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing; 1 if a cell failed or a plan did not pass the check, 2 for what cannot be run."""
    options = checked_options(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    data: Path | None = None
    if options.quick or "vrptw" in (options.track or ()):
        try:
            data = reference_data(options.data)
        except NoReferenceData as error:
            console.print(f"vrptw is left out: {error}", highlight=False, soft_wrap=True)
    try:
        batches = quick_batches(data) if options.quick else asked_batches(options, data)
    except UnusableDocumentsError as error:
        console.print(str(error), highlight=False, soft_wrap=True, markup=False)
        return 2
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        console.print(
            f"{options.folder} cannot be made: {error.strerror}; name another folder with --folder",
            highlight=False,
            soft_wrap=True,
            markup=False,
        )
        return 2
    wanted = {name for batch in batches for name in batch.engines}
    batches = [without_absent(batch) for batch in batches]
    for name in absent_peers():
        if name not in wanted:
            continue
        console.print(
            f"{name} is left out; to compare with it: make peers",
            highlight=False,
            soft_wrap=True,
        )
    if not sum(map(len, batches)):
        console.print("nothing to measure: no instance or no engine fits what was asked", highlight=False)
        return 2
    runner = Runner(Cache(options.folder / "cells.jsonl"), options.folder, console)
    try:
        runner.run(batches)
    except KeyboardInterrupt:
        console.print("stopped; what was measured is kept, the same command goes on from here", highlight=False)
        return 130
    console.print(
        f"{runner.measured} cells measured, {runner.failed} failed, {runner.broken} plans break a rule", highlight=False
    )
    return 1 if runner.failed or runner.broken else 0


def absent_peers() -> list[str]:
    return [name for name, peer in PEERS.items() if peer.version is None]


def without_absent(batch: Batch) -> Batch:
    """A batch without the engines that are not installed; without VROOM there is no time to measure against."""
    absent = set(absent_peers())
    if batch.after_vroom and "vroom" in absent:
        return Batch((), ())
    engines = tuple(name for name in batch.engines if name not in absent)
    return Batch(batch.instances, engines, batch.limits, batch.seeds, batch.threads, batch.after_vroom)


if __name__ == "__main__":
    sys.exit(main())
