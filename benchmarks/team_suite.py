"""What teams are measured on: public instances with synchronised visits, and synthetic days with more and more teams.

Each public track has its published cost, recomputed from a plan's routes by code that shares nothing with our
evaluator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.formats.hhcrsp import hhcrsp_best_known, hhcrsp_document, read_hhcrsp, routes_of_stops
from benchmarks.formats.hhcrsp import published_cost as hhcrsp_cost
from benchmarks.formats.strsp import StrspInstance, read_strsp, strsp_document, tours_of
from benchmarks.formats.strsp import published_cost as strsp_cost
from benchmarks.formats.vrptwsyn import proven_optima, published_travel, read_vrptwsyn, vrptwsyn_document
from benchmarks.reference import CHECKOUT
from benchmarks.suite import Instance, Track, generator_digest, source_digest
from data.synthetic import DEMO, FleetSpec, synthetic_problem

HHCRSP_CLASSES = {"A": 10, "B": 25, "C": 50, "D": 75, "E": 100, "F": 200, "G": 300}
"""Patients by class."""
TEAM_SHARES = (0.05, 0.10, 0.20)
TEAM_SIZES = {100: 18, 300: 50}
"""Orders and engineers of our own days."""
TEAM_SEEDS = (1, 2)
TIGHTNESS = 0.9
STRSP_SHAPE = "5x4"
STRSP_CREWS = {"R1, C1, RC1": ("short", ("C1", "R1")), "R2, C2, RC2": ("long", ("C2", "R2"))}
"""Folders of the scarce crews of teams, each with the ending of its files and its families."""
Routes = Mapping[str, Sequence[tuple[str, str | None]]]
"""The work orders of every engineer in turn, each with the role."""

_FORMATS = CHECKOUT / "benchmarks" / "formats"


def team_spec(orders: int, share: float, seed: int) -> FleetSpec:
    """A demo day with so many team orders, of every arrival mode and presence."""
    return replace(
        DEMO,
        orders=orders,
        engineers=TEAM_SIZES[orders],
        seed=seed,
        team_share=share,
        tightness=TIGHTNESS,
        arrival_modes=True,
        remote_members=True,
    )


def team_days(sizes: Sequence[int] = tuple(TEAM_SIZES)) -> list[Instance]:
    """Our own suite in the order of size, share and seed."""
    return [_team_day(size, share, seed) for size in sizes for share in TEAM_SHARES for seed in TEAM_SEEDS]


def _team_day(orders: int, share: float, seed: int) -> Instance:
    spec = team_spec(orders, share, seed)
    digest = hashlib.sha256(f"{generator_digest()} {spec!r}".encode()).hexdigest()[:12]
    name = f"teams-{orders}-{spec.engineers}-{share:.0%}-s{seed}".replace("%", "")
    return Instance(name, "teams", orders, digest, partial(synthetic_problem, spec))


def hhcrsp_instances(data: Path) -> list[Instance]:
    """All the instances of Mankowska et al. that are there, by size; `best_known` is in our totals."""
    folder = data / "hhcrsp"
    known = hhcrsp_best_known(folder)
    files = sorted(folder.glob("*_HCSRP_*.json"), key=_by_numbers)
    return [
        Instance(
            path.stem,
            "hhcrsp",
            int(path.stem.split("_")[2]),
            source_digest([path, _FORMATS / "hhcrsp.py", _FORMATS / "objective.py"]),
            partial(_hhcrsp, path),
            round(3000 * known[path.stem]),
        )
        for path in files
    ]


def _hhcrsp(path: Path) -> dict[str, Any]:
    return hhcrsp_document(read_hhcrsp(path))


def _by_numbers(path: Path) -> tuple[int, int]:
    *_, patients, number = path.stem.split("_")
    return int(patients), int(number)


def vrptwsyn_instances(data: Path) -> list[Instance]:
    """The instances whose optimum is proven."""
    folder = data / "vrptwsyn_bredstrom"
    return [
        Instance(
            path.stem,
            "vrptwsyn",
            len(read_vrptwsyn(path).customers),
            source_digest([path, _FORMATS / "vrptwsyn.py", _FORMATS / "objective.py"]),
            partial(_vrptwsyn, path),
            optimum,
        )
        for name, optimum in proven_optima(folder).items()
        for path in [folder / f"{name}.dat"]
    ]


def _vrptwsyn(path: Path) -> dict[str, Any]:
    return vrptwsyn_document(read_vrptwsyn(path))


def strsp_instances(data: Path) -> list[Instance]:
    """Of each family the first file of one shape with few technicians, alone and in teams; nobody's best is known."""
    return [
        Instance(
            instance.name,
            "strsp",
            len(instance.tasks) - 1,
            source_digest([*files, _FORMATS / "strsp.py", _FORMATS / "objective.py"]),
            partial(strsp_document, instance),
        )
        for files, instance in _strsp(data)
    ]


def _strsp(data: Path) -> Iterator[tuple[tuple[Path, Path], StrspInstance]]:
    folder = data / "strsp_kovacs"
    for crew, (length, families) in STRSP_CREWS.items():
        team = folder / "techniciansReduced_Team" / crew / f"technicians_{STRSP_SHAPE}_Team_{length}.txt"
        for family in families:
            base = f"{family}01_{STRSP_SHAPE}"
            alone = folder / "techniciansReduced_noTeam" / f"technicians_{base}_noTeam.txt"
            for kind, technicians in (("noTeam", alone), ("Team", team)):
                files = (folder / f"tasks_{kind}" / f"{base}_{kind}.txt", technicians)
                yield files, read_strsp(*files)


def published(track: Track, name: str, routes: Routes, data: Path) -> float | None:
    """What routes cost by the track's published convention; None where it does not apply to our plans.

    Raises:
        ValueError: for routes that break a rule of the published problem.
    """
    if track == "hhcrsp":
        return hhcrsp_cost(read_hhcrsp(data / "hhcrsp" / f"{name}.json"), routes_of_stops(routes)).total
    if track == "vrptwsyn":
        visits = [[int(order[1:]) for order, _ in stops] for stops in routes.values()]
        return published_travel(read_vrptwsyn(data / "vrptwsyn_bredstrom" / f"{name}.dat"), visits)
    instance = next(instance for _, instance in _strsp(data) if instance.name == name)
    if instance.has_teams:
        return None
    return strsp_cost(instance, tours_of({who: [order for order, _ in stops] for who, stops in routes.items()})).total
