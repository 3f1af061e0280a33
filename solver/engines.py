"""The engines there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dispatcher.errors import UnknownEngine
from dispatcher.ports import Engine
from solver.hybrid import HybridEngine
from solver.insertion import InsertionEngine
from solver.ortools_routing.engine import OrToolsEngine

DEFAULT_ENGINE = HybridEngine.name

ENGINES: Mapping[str, Callable[[], Engine]] = {
    HybridEngine.name: HybridEngine,
    InsertionEngine.name: InsertionEngine,
    OrToolsEngine.name: OrToolsEngine,
}


def engine_named(name: str) -> Engine:
    """The engine of a name.

    Raises:
        UnknownEngine: with the names there are.
    """
    make = ENGINES.get(name)
    if make is None:
        raise UnknownEngine(f"there is no engine {name!r}; there is {', '.join(sorted(ENGINES))}")
    return make()
