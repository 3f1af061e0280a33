"""Whether stocks cover the parts that orders need.

An order takes its parts from the stocks of the shifts that serve it, pooled. Where teams share shifts with other
orders this is a transport problem per part: orders on one side, shifts on the other (max flow, Ford and Fulkerson
1956; the graphs are tiny).
"""

from __future__ import annotations

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
    given: dict[str, dict[ShiftKey, int]] = {name: {} for name in orders}
    lacking = 0
    for name in sorted(orders, key=lambda item: len(orders[item][1])):
        needed, _ = orders[name]
        while needed and _give_one(name, orders, stock, given, set()):
            needed -= 1
        lacking += needed
    return lacking


def _give_one(
    name: str,
    orders: Mapping[str, tuple[int, frozenset[ShiftKey]]],
    stock: dict[ShiftKey, int],
    given: dict[str, dict[ShiftKey, int]],
    asked: set[ShiftKey],
) -> bool:
    """Give one more piece to an order, moving other orders to other stocks where that frees one."""
    shifts = sorted(orders[name][1] - asked)
    for key in shifts:
        if stock[key] > 0:
            stock[key] -= 1
            given[name][key] = given[name].get(key, 0) + 1
            return True
    for key in shifts:
        asked.add(key)
        for other, pieces in given.items():
            if other != name and pieces.get(key) and _give_one(other, orders, stock, given, asked):
                pieces[key] -= 1
                given[name][key] = given[name].get(key, 0) + 1
                return True
    return False
