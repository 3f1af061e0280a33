"""What goes into a peer and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers.flat import FlatDay, FlatShift
from dispatcher.plan import RouteSequence, Sequences, Visit


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """`seconds` None: the solver ends by itself, where it does."""

    seconds: float | None
    seed: int = 1
    threads: int = 1


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """Sequences and what the solver says of them, beside the seconds its model and its search took.

    `unserved_value` and `travel_seconds` come from the solver's own report, never from ours: they show whether both
    sides mean the same. None where it says nothing of the kind.
    """

    sequences: Sequences
    model_seconds: float
    search_seconds: float
    travel_seconds: int
    unserved_value: int | None = None
    unserved_orders: int | None = None


def sequences_of(day: FlatDay, routes: Mapping[int, Sequence[int]]) -> Sequences:
    """Sequences from the order numbers on each shift number."""
    found = []
    for number, orders in sorted(routes.items()):
        if orders:
            shift: FlatShift = day.shifts[number]
            visits = tuple(Visit(day.orders[order].id) for order in orders)
            found.append(RouteSequence(shift.engineer, shift.shift, visits))
    return Sequences(tuple(found))
