"""What the rows of the cache say, grouped: newest versions only, totals set side by side, gaps to the best known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.cache import Row

Key = tuple[str, int]
"""An instance and a seed of the search."""


def engine_on_class(row: Row) -> tuple[str, str, int]:
    return str(row["cell"]["engine"]), str(row["cell"]["track"]), int(row["cell"]["size"])


def instance_of(row: Row) -> tuple[str, str]:
    return str(row["cell"]["track"]), str(row["cell"]["instance"])


def versions_on_tracks(rows: Iterable[Row]) -> dict[str, str]:
    """By version of an engine's rows the tracks it was measured on, with the sizes where another has the others."""
    sizes: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        sizes[row["cell"]["track"]][row["cell"]["version"]].add(int(row["cell"]["size"]))
    named: dict[str, list[str]] = defaultdict(list)
    for track, by_version in sizes.items():
        for version, found in by_version.items():
            of_sizes = "" if len(by_version) == 1 else f" of {', '.join(map(str, sorted(found)))}"
            named[version].append(f"{track}{of_sizes}")
    return {version: " and ".join(sorted(tracks)) for version, tracks in named.items()}


def newest(rows: Iterable[Row]) -> tuple[list[Row], int]:
    """The rows that belong to the newest version of their engine on instances of their track and size, and of their
    instance; and how many do not. A track takes up to an hour, so each size is measured anew by itself."""
    everything = sorted(rows, key=lambda row: str(row["at"]))
    version = {engine_on_class(row): row["cell"]["version"] for row in everything}
    digest = {instance_of(row): row["cell"]["digest"] for row in everything}
    kept = [
        row
        for row in everything
        if row["cell"]["version"] == version[engine_on_class(row)] and row["cell"]["digest"] == digest[instance_of(row)]
    ]
    return kept, len(everything) - len(kept)


@dataclass(frozen=True, slots=True)
class Run:
    """One measured row. `total` None: the plan broke a rule, which counts as worse than every other.
    `as_long_as_vroom`: the limit is the time that VROOM took, and not one for all engines."""

    track: str
    instance: str
    size: int
    engine: str
    limit_seconds: float | None
    seed: int
    threads: int
    search_seconds: float
    total: int | None
    served: int
    unserved_cost: int
    travel_seconds: int
    peak_bytes: int
    best_known: int | None
    placeable: int | None
    as_long_as_vroom: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Run:
        cell = row["cell"]
        return cls(
            track=cell["track"],
            instance=cell["instance"],
            size=cell["size"],
            engine=cell["engine"],
            limit_seconds=cell["limit_seconds"],
            seed=cell["seed"],
            threads=cell["threads"],
            search_seconds=row["search_seconds"],
            total=row["total"] if row["feasible"] else None,
            served=row["served"],
            unserved_cost=row["unserved_cost"],
            travel_seconds=row["travel_seconds"],
            peak_bytes=row["peak_bytes"],
            best_known=row.get("best_known"),
            placeable=row.get("placeable"),
            as_long_as_vroom=row.get("as_long_as_vroom", False),
        )

    @property
    def key(self) -> Key:
        return self.instance, self.seed

    @property
    def gap(self) -> float | None:
        """Per cent above the best known; None without one, or where an order was left or a rule broken."""
        if not self.best_known or self.total is None or self.served < self.size:
            return None
        return 100 * (self.total - self.best_known) / self.best_known


def runs_of(rows: Iterable[Row]) -> list[Run]:
    return [Run.of(row) for row in rows if row["status"] == "measured"]


Refusal = tuple[str, str, float | None]
"""An engine, an instance and a limit."""


def refusals(rows: Iterable[Row]) -> set[Refusal]:
    """What engines could not be asked: no one will measure it."""
    cells = [row["cell"] for row in rows if row["status"] == "refused"]
    return {(cell["engine"], cell["instance"], cell["limit_seconds"]) for cell in cells}


@dataclass(frozen=True, slots=True)
class Duel:
    """Our run and another engine's on the same instance. `change` is ours against theirs, in per cent of theirs."""

    ours: Run
    theirs: Run

    @property
    def won(self) -> bool:
        if self.ours.total is None:
            return False
        return self.theirs.total is None or self.ours.total < self.theirs.total

    @property
    def change(self) -> float | None:
        if self.ours.total is None or not self.theirs.total:
            return None
        return 100 * (self.ours.total - self.theirs.total) / self.theirs.total


def duels(runs: Sequence[Run], ours: str, theirs: str, limit_seconds: float) -> list[Duel]:
    """Both engines with the same limit, on the hard track."""
    found = _at_limit(runs, limit_seconds)
    return [Duel(found[ours, key], found[theirs, key]) for engine, key in sorted(found) if engine == theirs
            if (ours, key) in found]  # fmt: skip


def _at_limit(runs: Sequence[Run], limit_seconds: float) -> dict[tuple[str, Key], Run]:
    return {(run.engine, run.key): run for run in runs if run.track == "hard" and run.limit_seconds == limit_seconds}


def vroom_duels(runs: Sequence[Run], ours: str) -> list[Duel]:
    """VROOM run to its end, and ours with the time it took as the limit, on as many threads."""
    # VROOM draws no chance: ours, whatever its seed, is set against its one run.
    finished = {(run.instance, run.threads): run for run in runs if run.engine == "vroom" and run.limit_seconds is None}
    found: list[Duel] = []
    for run in runs:
        other = finished.get((run.instance, run.threads))
        if run.engine == ours and other is not None and run.limit_seconds == other.search_seconds:
            found.append(Duel(run, other))
    return sorted(found, key=lambda duel: (duel.ours.size, duel.ours.instance))


def mean_change(found: Iterable[Duel]) -> float | None:
    """The mean of the changes; None where a plan of ours broke a rule, or there is nothing."""
    changes = [duel.change for duel in found]
    if not changes or None in changes:
        return None
    return fmean(change for change in changes if change is not None)


def mean_gap(runs: Sequence[Run]) -> float | None:
    """The mean gap; None where one run has none: a plan that leaves orders has no gap to show."""
    gaps = [run.gap for run in runs]
    if not gaps or None in gaps:
        return None
    return fmean(gap for gap in gaps if gap is not None)


def columns_of(runs: Sequence[Run]) -> dict[Run, str]:
    """What each run stands under: its engine, with the threads where these are fewer than others of it had."""
    most: dict[str, int] = {}
    for run in runs:
        most[run.engine] = max(run.threads, most.get(run.engine, 0))
    return {
        run: run.engine
        if run.threads == most[run.engine]
        else f"{run.engine}, {run.threads} thread{'' if run.threads == 1 else 's'}"
        for run in runs
    }


def grouped(runs: Iterable[Run], *names: str) -> Iterator[tuple[tuple[Any, ...], list[Run]]]:
    """Runs by the values of some fields, in the order of these."""
    groups: dict[tuple[Any, ...], list[Run]] = defaultdict(list)
    for run in runs:
        groups[tuple(getattr(run, name) for name in names)].append(run)
    yield from sorted(groups.items(), key=lambda item: tuple((value is None, value) for value in item[0]))


def best_totals(runs: Iterable[Run]) -> dict[str, int]:
    """The smallest total any engine has reached on each instance."""
    best: dict[str, int] = {}
    for run in runs:
        if run.total is not None:
            best[run.instance] = min(run.total, best.get(run.instance, run.total))
    return best
