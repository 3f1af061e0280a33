"""Whether stocks cover the parts that orders need.

An order takes its parts from the stocks of the shifts that serve it, pooled. Where teams share shifts with other
orders this is a transport problem per part: orders on one side, shifts on the other (maximum flow along
shortest paths, Edmonds and Karp 1972).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

ShiftKey = tuple[str, str]
Demand = tuple[Mapping[str, int], frozenset[ShiftKey]]


def missing_parts(demands: Mapping[str, Demand], stocks: Mapping[ShiftKey, Mapping[str, int]]) -> dict[str, int]:
    """How many pieces of which part no stock can cover; empty where all is covered.

    Args:
        demands: by order, the pieces needed of each part and the shifts that serve it.
        stocks: by shift, the pieces at its start.
    """
    missing: dict[str, int] = {}
    for part in sorted({part for needed, _ in demands.values() for part in needed}):
        orders = {name: (needed[part], shifts) for name, (needed, shifts) in demands.items() if part in needed}
        stock = {key: stocks[key].get(part, 0) for _, shifts in orders.values() for key in shifts}
        lacking = _uncovered(orders, stock)
        if lacking:
            missing[part] = lacking
    return missing


def _uncovered(orders: Mapping[str, tuple[int, frozenset[ShiftKey]]], stock: dict[ShiftKey, int]) -> int:
    """Pieces of one part that stay uncovered under the best assignment to stocks."""
    given: dict[ShiftKey, dict[str, int]] = {key: {} for key in stock}
    lacking = 0
    for name, (needed, _) in orders.items():
        missing = needed
        while missing:
            pieces = _give(name, missing, orders, stock, given)
            if not pieces:
                break
            missing -= pieces
        lacking += missing
    return lacking


def _give(
    name: str,
    wanted: int,
    orders: Mapping[str, tuple[int, frozenset[ShiftKey]]],
    stock: dict[ShiftKey, int],
    given: dict[ShiftKey, dict[str, int]],
) -> int:
    """Give an order as many pieces as one shortest path allows, on which others move on to other stocks."""
    came_from: dict[ShiftKey, tuple[str, ShiftKey | None]] = {}
    asking: deque[tuple[str, ShiftKey | None]] = deque([(name, None)])
    while asking:
        order, leaves = asking.popleft()
        for key in sorted(orders[order][1] - came_from.keys()):
            came_from[key] = (order, leaves)
            if stock[key]:
                return _hand_on(key, wanted, came_from, stock, given)
            asking.extend((other, key) for other, pieces in given[key].items() if pieces)
    return 0


def _hand_on(
    last: ShiftKey,
    wanted: int,
    came_from: Mapping[ShiftKey, tuple[str, ShiftKey | None]],
    stock: dict[ShiftKey, int],
    given: dict[ShiftKey, dict[str, int]],
) -> int:
    """Move pieces along the path that ends at a stock; how many."""
    steps: list[tuple[str, ShiftKey, ShiftKey | None]] = []
    key: ShiftKey | None = last
    while key is not None:
        order, leaves = came_from[key]
        steps.append((order, key, leaves))
        key = leaves
    held = [given[leaves][order] for order, _, leaves in steps if leaves is not None]
    pieces = min([wanted, stock[last], *held])
    stock[last] -= pieces
    for order, takes, leaves in steps:
        given[takes][order] = given[takes].get(order, 0) + pieces
        if leaves is not None:
            given[leaves][order] -= pieces
    return pieces
