"""What the default engine has to reach with teams, each target judged from the measured runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.figures import Run
from benchmarks.targets import Target
from benchmarks.team_suite import HHCRSP_CLASSES

THREADS, LARGE, LARGE_THREADS = 1, 200, 2
"""One thread is half of what the targets allow, so that two commands may measure side by side; from so many patients up
it takes both."""
HHCRSP_SECONDS, VRPTWSYN_SECONDS, TEAMS_SECONDS = 60.0, 10.0, 10.0
VRPTWSYN_SEEDS = (1, 2, 3, 4, 5)
LARGEST_GAPS = {"A": 0.0, "B": 0.2, "C": 0.7, "D": 1.0, "E": 1.5, "F": 2.0, "G": 2.5}
"""Mean per cent above the best known by class."""
GOALS = "DEFG"
"""Classes whose gap is a goal beyond published metaheuristics."""
LONGER, LARGEST_LEAD = 10, 2.0
"""How much longer the longer run takes, and how many per cent it may be better."""
ROUNDING = 0.005
"""Per cent that a shown figure of two digits hides."""
INSTANCES = {"A": 10, "B": 10, "C": 10, "D": 10, "E": 10, "F": 5, "G": 5}
PROVEN_INSTANCES, OWN_DAYS = 20, 12
"""How many runs a target speaks of: with fewer it is not judged."""


@dataclass(frozen=True, slots=True)
class TeamRun:
    """A measured row with its cost by the published convention, where the track has one.

    `published` None on a track that has one: the plan leaves an order, or breaks a published rule.
    """

    run: Run
    published: float | None
    best: float | None
    routes: dict[str, list[tuple[str, str | None]]] | None

    @property
    def gap(self) -> float | None:
        """Per cent above the best known."""
        if self.published is None or not self.best or self.run.total is None:
            return None
        return 100 * (self.published / self.best - 1)

    @property
    def is_below(self) -> bool:
        """Whether it is better than the best known, beyond what three published decimals hide."""
        return self.published is not None and self.best is not None and self.published < self.best - 0.001


@dataclass(frozen=True, slots=True)
class Lead:
    """How much better the longer run of a day is, in per cent of it; None where either broke a rule."""

    short: Run
    long: Run

    @property
    def percent(self) -> float | None:
        if self.short.total is None or not self.long.total:
            return None
        return 100 * (self.short.total - self.long.total) / self.long.total


def threads_of(track: str, size: int) -> int:
    """On how many threads a track is measured, whose instances have so many orders."""
    return LARGE_THREADS if track == "hhcrsp" and size >= LARGE else THREADS


def team_targets(runs: Sequence[TeamRun]) -> list[Target]:
    """Every target, measured or not."""
    return [*_home_care(runs), _synchronised(runs), _own_suite(runs)]


def of_class(runs: Sequence[TeamRun], patients: int, seconds: float = HHCRSP_SECONDS) -> list[TeamRun]:
    """The home care runs of one class within one limit."""
    found = [item for item in runs if item.run.track == "hhcrsp" and item.run.size == patients]
    return [item for item in found if item.run.limit_seconds == seconds]


def class_gap(runs: Sequence[TeamRun]) -> float | None:
    """The mean gap; None where one run has none."""
    gaps = [item.gap for item in runs]
    known = [gap for gap in gaps if gap is not None]
    return fmean(known) if known and len(known) == len(gaps) else None


def _home_care(runs: Sequence[TeamRun]) -> Iterator[Target]:
    for name, patients in HHCRSP_CLASSES.items():
        found = of_class(runs, patients)
        gap = class_gap(found)
        kind = "goal" if name in GOALS else "target"
        number = threads_of("hhcrsp", patients)
        threads = f"{number} thread" if number == 1 else f"{number} threads"
        yield Target(
            f"hhcrsp {name}, {patients} patients, {HHCRSP_SECONDS:g} s, {threads} ({kind})",
            f"mean gap ≤ {LARGEST_GAPS[name]:g} %",
            "–" if not found else f"no mean over {len(found)}" if gap is None else f"{gap:.2f} % over {len(found)}",
            (gap is not None and gap <= LARGEST_GAPS[name] + ROUNDING) if len(found) >= INSTANCES[name] else None,
        )


def _synchronised(runs: Sequence[TeamRun]) -> Target:
    found = [item for item in runs if item.run.track == "vrptwsyn" and item.run.limit_seconds == VRPTWSYN_SECONDS]
    reached = [item.gap is not None and item.gap <= 0 for item in found]
    return Target(
        f"vrptwsyn, every proven optimum, {len(VRPTWSYN_SEEDS)} seeds, {VRPTWSYN_SECONDS:g} s, {THREADS} thread",
        "every run optimal",
        f"{sum(reached)} of {len(found)} runs optimal" if found else "–",
        all(reached) if len(found) >= PROVEN_INSTANCES * len(VRPTWSYN_SEEDS) else None,
    )


def leads(runs: Sequence[TeamRun], seconds: float) -> list[Lead]:
    """Our own days, each with `seconds` and with ten times as long."""
    by_key = {(item.run.key, item.run.limit_seconds): item.run for item in runs if item.run.track == "teams"}
    return [
        Lead(run, by_key[key, LONGER * seconds])
        for (key, limit), run in sorted(by_key.items(), key=lambda item: (item[1].size, item[0]))
        if limit == seconds and (key, LONGER * seconds) in by_key
    ]


def _own_suite(runs: Sequence[TeamRun]) -> Target:
    found = [lead.percent for lead in leads(runs, TEAMS_SECONDS)]
    known = [percent for percent in found if percent is not None]
    within = [percent is not None and percent <= LARGEST_LEAD for percent in found]
    return Target(
        f"own team suite, {TEAMS_SECONDS:g} s against {LONGER * TEAMS_SECONDS:g} s, {THREADS} thread",
        f"every day within {LARGEST_LEAD:g} %",
        f"{sum(within)} of {len(found)} days, mean {fmean(known):+.2f} %, worst {max(known):+.2f} %" if known else "–",
        all(within) if len(found) >= OWN_DAYS else None,
    )
