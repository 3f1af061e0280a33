"""The instances of the benchmarks: synthetic days in two tracks, days of a whole country, public VRPTW sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal

from benchmarks.formats.planning import read_document
from benchmarks.formats.vrptw import best_known, read_vrptw, vrptw_document
from benchmarks.reference import CHECKOUT
from data.synthetic import EVERYTHING, FleetSpec, synthetic_problem
from dispatcher.errors import InvalidInput

Track = Literal["hard", "rich", "scale", "vrptw", "documents", "hhcrsp", "vrptwsyn", "strsp", "teams"]
TRACKS: tuple[Track, ...] = ("hard", "rich", "scale", "vrptw")
"""The tracks of the comparison with other solvers; those of teams are in `benchmarks.team_suite`."""

ENGINEERS = {100: 15, 300: 40, 800: 100, 2000: 250}
SCALE_ENGINEERS = {5000: 500, 20000: 2000}
TIGHTNESS = (0.8, 1.1)
SEEDS = (1, 2, 3)
LARGEST_MATRIX_ORDERS = 800
"""A matrix with metres of more places makes a document of hundreds of megabytes; beyond, travel is geodesic."""

VRPTW_SAMPLES = {100: 20, 200: 10, 600: 10, 1000: 10}
VRPTW_LIMITS_SECONDS = {100: 10.0, 200: 30.0, 600: 60.0, 1000: 60.0}
SAMPLE_SEED = "vrptw"


@dataclass(frozen=True, slots=True)
class Instance:
    """One planning problem to measure on.

    Attributes:
        name: unique, and steady from one version to the next.
        size: orders.
        digest: changes with everything the document is made from.
        best_known: the total of the best plan known; None where nobody knows.
        make: the planning document, anew.
    """

    name: str
    track: Track
    size: int
    digest: str
    make: Callable[[], dict[str, Any]]
    best_known: int | None = None


def hard_spec(orders: int, tightness: float, seed: int) -> FleetSpec:
    """Hard windows, flat skills, values, geodesic travel, shifts without overtime: what every peer can model."""
    return FleetSpec(orders=orders, engineers=ENGINEERS[orders], tightness=tightness, seed=seed)


def rich_spec(orders: int, tightness: float, seed: int) -> FleetSpec:
    """Everything the planning document has."""
    engineers = (ENGINEERS | SCALE_ENGINEERS)[orders]
    matrix = orders <= LARGEST_MATRIX_ORDERS
    return replace(EVERYTHING, orders=orders, engineers=engineers, tightness=tightness, seed=seed, matrix=matrix)


def scale_spec(orders: int) -> FleetSpec:
    """A country's day: everything but the plan of the morning, which takes longer to write than to improve."""
    return replace(rich_spec(orders, TIGHTNESS[0], SEEDS[0]), current_plan=False)


def synthetic_instances(track: Track, sizes: Sequence[int] | None = None) -> list[Instance]:
    """The synthetic days of a track, in the order of their size; None takes all sizes."""
    if track == "scale":
        wanted = [size for size in SCALE_ENGINEERS if sizes is None or size in sizes]
        return [_synthetic(f"scale-{size}-{SCALE_ENGINEERS[size]}", track, scale_spec(size)) for size in wanted]
    spec_of = hard_spec if track == "hard" else rich_spec
    return [
        _synthetic(f"{track}-{size}-{ENGINEERS[size]}-t{tightness}-s{seed}", track, spec_of(size, tightness, seed))
        for size in ENGINEERS
        if sizes is None or size in sizes
        for tightness in TIGHTNESS
        for seed in SEEDS
    ]


def _synthetic(name: str, track: Track, spec: FleetSpec) -> Instance:
    digest = hashlib.sha256(f"{generator_digest()} {spec!r}".encode()).hexdigest()[:12]
    return Instance(name, track, spec.orders, digest, partial(synthetic_problem, spec))


def generator_digest() -> str:
    return source_digest(sorted((CHECKOUT / "data").glob("synthetic*.py")))


def source_digest(files: Sequence[Path]) -> str:
    """A digest of files and their names."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def vrptw_instances(data: Path, sizes: Sequence[int] | None = None) -> list[Instance]:
    """A fixed sample of each class: the same files are drawn wherever the same files are there."""
    found: list[Instance] = []
    for size, number in VRPTW_SAMPLES.items():
        if sizes is not None and size not in sizes:
            continue
        folder = data / ("vrptw_solomon" if size == 100 else "vrptw_gehring_homberger")
        files = sorted(path for path in folder.glob("*.txt") if _size_of(path) == size)
        drawn = Random(f"{SAMPLE_SEED}/{size}").sample(files, min(number, len(files)))
        known = best_known(folder)
        found.extend(vrptw_instance(path, known.get(path.stem)) for path in sorted(drawn))
    return found


def vrptw_instance(path: Path, known: int | None) -> Instance:
    """One file; `known` is its best known distance in tenths."""
    digest = source_digest([path, CHECKOUT / "benchmarks" / "formats" / "vrptw.py"])
    return Instance(path.stem, "vrptw", _size_of(path), digest, lambda: vrptw_document(read_vrptw(path)), known)


def _size_of(path: Path) -> int:
    """Customers by the name: `R1_10_3` is of 1000, `R103` of 100."""
    parts = path.stem.split("_")
    return 100 if len(parts) == 1 else 100 * int(parts[1])


class UnusableDocumentsError(Exception):
    """Planning documents that cannot be planned, each with its path and all that is wrong with it."""


def document_instances(paths: Sequence[Path]) -> list[Instance]:
    """Planning documents of our own, each called like its file.

    Raises:
        UnusableDocumentsError: naming every one of them; also where two would be called the same.
    """
    found: dict[str, Instance] = {}
    wrong: list[str] = []
    for path in dict.fromkeys(paths):
        name = path.name.removesuffix(".gz").removesuffix(".json")
        try:
            size = len(read_document(path).get("work_orders") or ())
        except InvalidInput as error:
            wrong += (f"{path}: {issue}" for issue in error.issues)
            continue
        if name in found:
            wrong.append(f"{path}: another document is called {name} too; rename one of them")
        found[name] = Instance(name, "documents", size, source_digest([path]), partial(read_document, path))
    if wrong:
        raise UnusableDocumentsError("\n".join(wrong))
    return list(found.values())


def stored_document(instance: Instance, folder: Path) -> Path:
    """The document of an instance as a file, written the first time it is wanted."""
    path = folder / f"{instance.name}-{instance.digest}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(instance.make(), separators=(",", ":"), ensure_ascii=False), encoding="utf-8")
        part.replace(path)
    return path
