"""Measured cells on disk: one JSON row a line, appended as they come, so that a run may stop at any time."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.reference import CHECKOUT
from benchmarks.suite import source_digest
from solver.engines import engine_named

FOLDER = CHECKOUT / "var" / "benchmarks"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One run to be measured. `limit_seconds` None: the engine ends by itself.

    `digest` is the instance's and `version` the engine's: a row holds only while neither changes.
    """

    track: str
    instance: str
    size: int
    digest: str
    engine: str
    version: str
    limit_seconds: float | None
    seed: int
    threads: int

    @property
    def key(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


class Cache:
    """The rows of a file, the newest of each cell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = dict(self._read())

    def _read(self) -> Iterator[tuple[str, Row]]:
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                yield Cell(**row["cell"]).key, row
            except (json.JSONDecodeError, KeyError, TypeError):
                # The last line of a run that was killed while it wrote, or a row of an older form.
                continue

    def get(self, cell: Cell) -> Row | None:
        """The row of a cell that has been measured, or refused for good; failures are tried again."""
        row = self._rows.get(cell.key)
        return row if row is not None and row["status"] != "failed" else None

    def add(self, cell: Cell, result: Mapping[str, Any]) -> Row:
        row = {"cell": asdict(cell), **result}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = not self.path.exists() or self.path.read_bytes()[-1:] in (b"", b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            # After a torn line the next row would be lost with it.
            file.write(("" if whole else "\n") + json.dumps(row, ensure_ascii=False) + "\n")
        self._rows[cell.key] = row
        return row

    def rows(self) -> list[Row]:
        return list(self._rows.values())


def engine_version(engine: str) -> str:
    """What figures of an engine hold for: the sources it is made of, or a peer's version and its adapter.

    Raises:
        UnknownEngine: for an engine that does not exist.
    """
    if engine in PEERS:
        return PEERS[engine].digest
    return source_digest(solver_sources(type(engine_named(engine)).__module__))


def solver_sources(module: str) -> list[Path]:
    """The files of `solver` that a module imports, over any number of steps and wherever in a file, and its own.

    Other engines are not among them: work on one leaves the figures of the others standing.
    """
    found: dict[str, Path] = {}
    wanted = [module]
    while wanted:
        name = wanted.pop()
        base = CHECKOUT.joinpath(*name.split("."))
        path = next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
        # `from solver.package import name` may name a module or something in one; what is no file is something in one.
        if name in found or path is None or not name.startswith("solver"):
            continue
        found[name] = path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                wanted += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                wanted += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [found[name] for name in sorted(found)]
