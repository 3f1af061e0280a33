"""Parts are missing exactly where a maximum flow from stocks to orders falls short."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.parts import Demand, ShiftKey, missing_parts

SHIFTS: list[ShiftKey] = [("E1", "am"), ("E1", "pm"), ("E2", "am"), ("E3", "am")]
PARTS = ("bolt", "seal")

pieces = st.dictionaries(st.sampled_from(PARTS), st.integers(0, 4))
demands_of_orders = st.dictionaries(
    st.sampled_from([f"W{number}" for number in range(6)]),
    st.tuples(pieces, st.frozensets(st.sampled_from(SHIFTS), min_size=1)),
)
stocks_of_shifts = st.fixed_dictionaries(dict.fromkeys(SHIFTS, pieces))


def short_by_flow(part: str, demands: dict[str, Demand], stocks: dict[ShiftKey, dict[str, int]]) -> int:
    """Pieces needed less the maximum flow source → shift → order → sink."""
    graph: nx.DiGraph[object] = nx.DiGraph()
    graph.add_nodes_from(["source", "sink"])
    for shift, stock in stocks.items():
        graph.add_edge("source", shift, capacity=stock.get(part, 0))
    for order, (needed, shifts) in demands.items():
        graph.add_edge(order, "sink", capacity=needed.get(part, 0))
        for shift in shifts:
            graph.add_edge(shift, order)
    flow = int(nx.maximum_flow_value(graph, "source", "sink"))
    return sum(needed.get(part, 0) for needed, _ in demands.values()) - flow


@given(demands_of_orders, stocks_of_shifts)
def test_missing_parts_are_what_a_maximum_flow_leaves(
    demands: dict[str, Demand], stocks: dict[ShiftKey, dict[str, int]]
) -> None:
    short = {part: short_by_flow(part, demands, stocks) for part in PARTS}
    assert missing_parts(demands, stocks) == {part: count for part, count in short.items() if count}


@given(demands_of_orders, stocks_of_shifts)
def test_stocks_and_demands_are_left_as_they_were(
    demands: dict[str, Demand], stocks: dict[ShiftKey, dict[str, int]]
) -> None:
    before = repr((demands, stocks))
    missing_parts(demands, stocks)
    assert repr((demands, stocks)) == before


@pytest.mark.parametrize("names", [("alone", "team"), ("team", "alone")])
def test_a_team_takes_from_the_member_nobody_else_depends_on(names: tuple[str, str]) -> None:
    """The order that has one shift only gets its part, whichever of the two asks first."""
    shifts = {"alone": frozenset({SHIFTS[0]}), "team": frozenset({SHIFTS[0], SHIFTS[2]})}
    demands: dict[str, Demand] = {name: ({"bolt": 1}, shifts[name]) for name in names}
    assert missing_parts(demands, {SHIFTS[0]: {"bolt": 1}, SHIFTS[2]: {"bolt": 1}}) == {}
    assert missing_parts(demands, {SHIFTS[0]: {"bolt": 1}, SHIFTS[2]: {}}) == {"bolt": 1}


def chain(length: int) -> dict[str, Demand]:
    """Each order may take from its own shift and the next; the last only from the first."""
    keys = [(f"E{number:04}", "am") for number in range(length)]
    links = {f"W{number}": (keys[number], keys[number + 1]) for number in range(length - 1)} | {"last": (keys[0],)}
    return {name: ({"bolt": 1}, frozenset(shifts)) for name, shifts in links.items()}


def test_a_chain_of_orders_longer_than_the_stack_moves_along_for_the_last() -> None:
    demands = chain(2000)
    keys = {key for _, shifts in demands.values() for key in shifts}
    assert missing_parts(demands, {key: {"bolt": 1} for key in keys}) == {}
    assert missing_parts(demands, {key: {"bolt": int(key != ("E0007", "am"))} for key in keys}) == {"bolt": 1}


def test_pieces_by_the_thousand_million_were_given_one_by_one() -> None:
    shifts = [frozenset({SHIFTS[0], SHIFTS[1]}), frozenset({SHIFTS[0]}), frozenset({SHIFTS[1], SHIFTS[2]})]
    many = 2**31 - 1
    demands: dict[str, Demand] = {f"W{number}": ({"bolt": many}, of) for number, of in enumerate(shifts)}
    stocks = {SHIFTS[0]: {"bolt": many}, SHIFTS[1]: {"bolt": many}, SHIFTS[2]: {"bolt": many - 3}}
    assert missing_parts(demands, stocks) == {"bolt": 3}
