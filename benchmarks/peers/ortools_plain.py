"""OR-Tools' routing library as its guide uses it: one model, matrix transits, guided local search."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from benchmarks.peers.answer import PeerAnswer, PeerLimits, sequences_of
from benchmarks.peers.flat import CannotModel, FlatDay


def solve(day: FlatDay, limits: PeerLimits) -> PeerAnswer:
    """Cheapest insertion in parallel, then guided local search for the rest of the limit, on one thread.

    Raises:
        CannotModel: without a time limit: guided local search never ends.
    """
    if limits.seconds is None:
        raise CannotModel("not for OR-Tools: guided local search does not end by itself")
    began = time.perf_counter()
    manager, routing, travel = _model(day)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(round(1000 * limits.seconds))
    routing.CloseModelWithParameters(parameters)
    modelled = time.perf_counter()
    solution = routing.SolveWithParameters(parameters)
    solved = time.perf_counter()
    routes: dict[int, list[int]] = {}
    own_travel = 0
    if solution is not None:
        for vehicle in range(len(day.shifts)):
            nodes = _nodes(manager, routing, solution, vehicle)
            routes[vehicle] = nodes[1:-1]
            if routes[vehicle]:
                own_travel += sum(int(travel[leg]) for leg in pairwise(nodes))
    served = {number for route in routes.values() for number in route}
    unserved = sum(order.value for number, order in enumerate(day.orders) if number not in served)
    if solution is not None:
        # What the solver minimised is the sum of both; the value left is what travel does not explain.
        unserved = solution.ObjectiveValue() - own_travel
    return PeerAnswer(
        sequences=sequences_of(day, routes),
        model_seconds=modelled - began,
        search_seconds=solved - modelled,
        travel_seconds=own_travel,
        unserved_value=unserved,
        unserved_orders=len(day.orders) - len(served),
    )


def _nodes(manager: Any, routing: Any, solution: Any, vehicle: int) -> list[int]:
    index = routing.Start(vehicle)
    nodes = [manager.IndexToNode(index)]
    while not routing.IsEnd(index):
        index = solution.Value(routing.NextVar(index))
        nodes.append(manager.IndexToNode(index))
    return nodes


def _model(day: FlatDay) -> tuple[Any, Any, Any]:
    """Nodes are the orders, then the places where shifts start and end."""
    used = sorted({place for shift in day.shifts for place in (shift.start_location, shift.end_location)})
    node_of = {place: len(day.orders) + number for number, place in enumerate(used)}
    places = [*(order.location for order in day.orders), *used]
    travel = day.seconds[np.ix_(places, places)]
    service = np.array([order.service for order in day.orders] + [0] * len(used), dtype=np.int64)
    manager = pywrapcp.RoutingIndexManager(
        len(places),
        len(day.shifts),
        [node_of[shift.start_location] for shift in day.shifts],
        [node_of[shift.end_location] for shift in day.shifts],
    )
    routing = pywrapcp.RoutingModel(manager)
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(travel.tolist()))
    horizon = max((shift.end for shift in day.shifts), default=0)
    occupied = routing.RegisterTransitMatrix((travel + service[:, None]).tolist())
    routing.AddDimension(occupied, horizon, horizon, False, "time")
    clock = routing.GetDimensionOrDie("time")
    for part in range(day.parts):
        demand = [order.demand[part] for order in day.orders] + [0] * len(used)
        capacity = [shift.capacity[part] for shift in day.shifts]
        load = routing.RegisterUnaryTransitVector(demand)
        routing.AddDimensionWithVehicleCapacity(load, 0, capacity, True, f"part {part}")
    for vehicle, shift in enumerate(day.shifts):
        clock.CumulVar(routing.Start(vehicle)).SetRange(shift.start, max(shift.start, shift.end))
        clock.CumulVar(routing.End(vehicle)).SetRange(0, shift.end)
    for number, order in enumerate(day.orders):
        index = manager.NodeToIndex(number)
        cumul = clock.CumulVar(index)
        cumul.SetRange(min(order.windows[0][0], horizon), min(order.windows[-1][1], horizon))
        for (_, end), (start, _) in pairwise(order.windows):
            cumul.RemoveInterval(end + 1, start - 1)
        if len(day.crews[order.crew]) < len(day.shifts):
            routing.VehicleVar(index).SetValues([-1, *sorted(day.crews[order.crew])])
        if not day.must_serve_all:
            routing.AddDisjunction([index], order.value)
    return manager, routing, travel
