"""Other solvers behind one function each: a flat day in, sequences out. None of them is needed at run time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.peers.answer import PeerAnswer, PeerLimits
from benchmarks.peers.flat import FlatDay
from benchmarks.suite import source_digest

Solve = Callable[[FlatDay, PeerLimits], PeerAnswer]
_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Peer:
    """A solver we compare with: its package and the module here that talks to it."""

    name: str
    package: str
    module: str

    @property
    def version(self) -> str | None:
        """The installed version; None where it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None

    @property
    def digest(self) -> str:
        """Changes with the version and with the adapter: a cached figure holds for both."""
        adapter = source_digest([_FOLDER / f"{self.module}.py", _FOLDER / "flat.py"])
        return f"{self.version}-{adapter}"

    def load(self) -> Solve:
        """Import the solver.

        Raises:
            ImportError: where it is not installed.
        """
        solve: Solve = import_module(f"benchmarks.peers.{self.module}").solve
        return solve


PEERS: Mapping[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("vroom", "pyvroom", "vroom"),
        Peer("pyvrp", "pyvrp", "pyvrp"),
        Peer("ortools-plain", "ortools", "ortools_plain"),
        Peer("vrp-cli", "vrp-cli", "vrp_cli"),
    )
}
