"""The routing model of a day: dimensions for time, parts and counts, and a cost for everything that has one.

The time of a node is the start of its core service, behind the setup, because only the transit into a node knows
whether setup is paid. OR-Tools' own names (cumul, transit, disjunction) are used as its documentation uses them:
https://developers.google.com/optimization/routing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from dispatcher.errors import EngineRefuses
from solver.ortools_routing.day import Day, Node, Served, Vehicle
from solver.ortools_routing.first import FirstRoutes
from solver.ortools_routing.travel import Layout, Matrix, Transits
from solver.stint import FAR_FUTURE

LARGEST_COST = 1 << 52
"""Costs are divided until their sum stays below this: search strategies weigh them in floating point."""
MATRIX_CELLS = 16_000_000
"""Cells of all matrices together, about 130 MB; where engineers differ too much for that they are merged."""
REFUSED_CELLS = 32_000_000
"""Cells that even merged engineers may not need: some 4000 places at one speed."""


class RoutingDay:
    """A day as an OR-Tools routing model.

    `merged` says that engineers were merged to keep the matrices small: all of them then count as slow as the
    slowest, and differences in cost between them are left out. `reading_seconds` is what making a solution of routes
    took the last time.

    Raises:
        EngineRefuses: where not even that is small enough.
    """

    def __init__(self, day: Day, pywrapcp: Any) -> None:
        self.day = day
        self.reading_seconds = 0.0
        self._layout = Layout.of(day)
        self._transits = Transits(day, self._layout)
        self._origin = min(vehicle.start for vehicle in day.vehicles)
        self._horizon = max(vehicle.shift.latest_end for vehicle in day.vehicles) - self._origin
        bound = _cost_bound(day)
        musts = sum(node.must for node in day.nodes)
        self._unit = max(1, bound * (1 + musts) // LARGEST_COST)
        self._must = bound // self._unit + 1
        speeds, size = _speeds(day), self._layout.size
        if 2 * speeds * size**2 > REFUSED_CELLS:
            raise EngineRefuses(
                "travel",
                f"OR-Tools needs whole matrices, here of {size} × {size} places for {speeds} driving speeds, which is "
                "more than fits; plan fewer orders at once or use another engine",
            )
        self.merged = _cells(day, size) > MATRIX_CELLS
        starts = [self._layout.start_of(vehicle) for vehicle in day.vehicles]
        ends = [self._layout.end_of(vehicle) for vehicle in day.vehicles]
        self._manager = pywrapcp.RoutingIndexManager(self._layout.size, len(day.vehicles), starts, ends)
        settings = pywrapcp.DefaultRoutingModelParameters()
        # Compressing the trail takes half the time of a solution on large days, for memory there is enough of.
        settings.solver_parameters.compress_trail = settings.solver_parameters.NO_COMPRESSION
        self.model = pywrapcp.RoutingModel(self._manager, settings)
        self._solver = self.model.solver()
        self._index = [self._manager.NodeToIndex(number) for number in range(len(day.nodes))]
        self._number = {index: number for number, index in enumerate(self._index)}
        self._times: list[Matrix] = []
        self._add_costs()
        self._add_time()
        for position, vehicle in enumerate(day.vehicles):
            self._add_shift(position, vehicle)
        for index, node in zip(self._index, day.nodes, strict=True):
            self._add_node(index, node)
        self._add_waits()
        self._add_counts()
        self._add_parts()
        self._add_associations()

    # -- building ----------------------------------------------------------------------------------------------

    def _add_costs(self) -> None:
        """Legs by speed, with what it costs that this engineer serves the node the leg leads to."""
        weights, transits = self.day.problem.weights, self._transits
        metres = transits.meters() * weights.of("distance") if weights.of("distance") else 0
        extras = [self._extras(position) for position in range(len(self.day.vehicles))]
        registered: dict[object, int] = {}
        for position, vehicle in enumerate(self.day.vehicles):
            speed = vehicle.engineer.speed_factor
            key = (speed, extras[position])
            if key not in registered:
                matrix = transits.seconds(speed) * weights.of("travel") + metres
                matrix[:, : len(extras[position])] += np.array(extras[position], dtype=np.int64)
                registered[key] = self.model.RegisterTransitMatrix((matrix // self._unit).tolist())
            self.model.SetArcCostEvaluatorOfVehicle(registered[key], position)
            if weights.of("engineers_used") and not vehicle.is_used:
                self.model.SetFixedCostOfVehicle(weights.of("engineers_used") // self._unit, position)

    def _extras(self, position: int) -> tuple[int, ...]:
        if self.merged:
            return (0,) * len(self.day.nodes)
        return tuple(node.terms[position].cost if position in node.terms else 0 for node in self.day.nodes)

    def _add_time(self) -> None:
        registered: dict[object, tuple[int, Matrix]] = {}
        evaluators = []
        for vehicle, services in zip(self.day.vehicles, _services(self.day, merged=self.merged), strict=True):
            key = (vehicle.engineer.speed_factor, services)
            if key not in registered:
                matrix = self._transits.occupied(vehicle.engineer.speed_factor, services)
                registered[key] = (self.model.RegisterTransitMatrix(matrix.tolist()), matrix)
            evaluators.append(registered[key][0])
            self._times.append(registered[key][1])
        self.model.AddDimensionWithVehicleTransits(evaluators, self._horizon, self._horizon, False, "time")
        self._time = self.model.GetDimensionOrDie("time")

    def _add_shift(self, position: int, vehicle: Vehicle) -> None:
        """Start, end, overtime and what interrupts a shift: breaks and remote work."""
        start, end = self.model.Start(position), self.model.End(position)
        self._time.CumulVar(start).SetValue(vehicle.start - self._origin)
        ends = self._time.CumulVar(end)
        ends.SetMax(vehicle.shift.latest_end - self._origin)
        overtime = self.day.problem.weights.of("overtime") // self._unit
        if overtime and vehicle.shift.end < vehicle.shift.latest_end:
            soft_end = max(0, vehicle.shift.end - self._origin)
            self._time.SetCumulVarSoftUpperBound(end, soft_end, overtime)
        ends.SetMin(min(vehicle.rested - self._origin, ends.Max()))
        intervals = []
        for first, last in (*vehicle.rests, *vehicle.blocked):
            at = first - self._origin
            intervals.append(self._solver.FixedDurationIntervalVar(at, at, last - first, False, f"away {position}"))
        if intervals:
            # A break that could be taken a little earlier or later may interrupt a service, remote work may not.
            visits = [0] * self.model.Size()
            for index, node in zip(self._index, self.day.nodes, strict=True):
                visits[index] = self._seconds(node, position) if vehicle.blocked else 0
            self._time.SetBreakIntervalsOfVehicle(intervals, position, visits)

    @staticmethod
    def _seconds(node: Node, position: int) -> int:
        return node.terms[position].seconds if position in node.terms else node.longest

    def _add_node(self, index: int, node: Node) -> None:
        offset = node.setup_seconds - self._origin
        times = node.times
        time = self._time.CumulVar(index)
        time.SetRange(times[0][0] - self._origin, min(times[-1][1] - self._origin, self._horizon))
        for before, after in pairwise(times):
            time.RemoveInterval(before[1] + 1 - self._origin, after[0] - 1 - self._origin)
        vehicle = self.model.VehicleVar(index)
        vehicle.SetValues([-1, *node.terms])
        for position, terms in node.terms.items():
            if terms.start_by < FAR_FUTURE:
                here = self._solver.IsEqualCstVar(vehicle, position)
                self._solver.Add(time + self._horizon * here <= terms.start_by + offset + self._horizon)
        if node.promise is not None:
            bound, slope = node.promise.start_by + offset, node.promise.slope // self._unit
            self._time.SetCumulVarSoftUpperBound(index, max(0, bound), slope)
        penalty = self._must if node.must else node.penalty // self._unit
        self.model.AddDisjunction([index], penalty)

    def _add_waits(self) -> None:
        """Orders that wait for others; times count from one core service to the other."""
        number = {node.order.id: n for n, node in enumerate(self.day.nodes)}
        for index, node in zip(self._index, self.day.nodes, strict=True):
            for wait in node.waits:
                other, first = self.day.nodes[number[wait.order]], self._index[number[wait.order]]
                self._solver.Add(self.model.ActiveVar(index) <= self.model.ActiveVar(first))
                self._time.AddNodePrecedence(first, index, other.longest + node.setup_seconds + wait.least)
                if wait.most is not None:
                    self._time.AddNodePrecedence(index, first, -(other.shortest + node.setup_seconds + wait.most))

    def _add_counts(self) -> None:
        if any(vehicle.capacity is not None for vehicle in self.day.vehicles):
            ones = [1] * len(self.day.nodes)
            self._add_load("orders", ones, [vehicle.capacity for vehicle in self.day.vehicles])

    def _add_parts(self) -> None:
        for part in sorted({part for node in self.day.nodes for part in node.order.parts}):
            # What kept work takes has already left the stock.
            kept = self.day.kept.served
            needs = [0 if node.order.id in kept else node.order.parts.get(part, 0) for node in self.day.nodes]
            if any(needs):
                self._add_load(f"part {part}", needs, [vehicle.stock.get(part, 0) for vehicle in self.day.vehicles])

    def _add_load(self, name: str, needs: Sequence[int], capacities: Sequence[int | None]) -> None:
        loads = [*needs, *([0] * (self._layout.size - len(needs)))]
        evaluator = self.model.RegisterUnaryTransitVector(loads)
        bounds = [sum(needs) if capacity is None else capacity for capacity in capacities]
        self.model.AddDimensionWithVehicleCapacity(evaluator, 0, bounds, True, name)

    def _add_associations(self) -> None:
        """Related orders on one vehicle; teams are left out, who has several engineers on site."""
        cost = self.day.problem.weights.of("association") // self._unit
        number = {node.order.id: n for n, node in enumerate(self.day.nodes) if node.order.team is None}
        for one, other in self.day.problem.related_pairs:
            if cost and one in number and other in number:
                pair = [self._index[number[one]], self._index[number[other]]]
                self.model.AddSoftSameVehicleConstraint(pair, cost)

    # -- routes ------------------------------------------------------------------------------------------------

    def first_assignment(self) -> Any:
        """The plan to start from, as much of it as the model admits; None where that is not even its kept work."""
        admitted = dict(enumerate(FirstRoutes(self.day, self._layout, self._times).admitted()))
        found = self._assignment_of(admitted)
        if found is None:
            nodes = self.day.nodes
            alone = {position: [n for n in route if not nodes[n].waits] for position, route in admitted.items()}
            found = self._assignment_of(self._readable(alone))
        return found

    def _readable(self, routes: Mapping[int, list[int]]) -> dict[int, list[int]]:
        """The routes the model admits, and of the others the kept work, found by halving."""
        if not routes or self._assignment_of(routes) is not None:
            return dict(routes)
        if len(routes) == 1:
            return {position: [n for n in route if self.day.nodes[n].must] for position, route in routes.items()}
        positions = list(routes)
        half = len(positions) // 2
        return self._readable({p: routes[p] for p in positions[:half]}) | self._readable(
            {p: routes[p] for p in positions[half:]}
        )

    def _assignment_of(self, routes: Mapping[int, Sequence[int]]) -> Any:
        """Routes (nodes by vehicle) as an assignment; None where the model does not admit them."""
        indices = [[self._index[n] for n in routes.get(position, ())] for position in range(len(self.day.vehicles))]
        began = time.monotonic()
        found = self.model.ReadAssignmentFromRoutes(indices, True)
        self.reading_seconds = time.monotonic() - began
        return found

    def routes_of(self, assignment: Any) -> list[list[Served]]:
        """By vehicle, the orders of an assignment as they are served, with the earliest starts of their service."""
        routes = []
        for position in range(len(self.day.vehicles)):
            route: list[Served] = []
            index = assignment.Value(self.model.NextVar(self.model.Start(position)))
            while not self.model.IsEnd(index):
                node = self.day.nodes[self._number[index]]
                at = self._origin + assignment.Min(self._time.CumulVar(index)) - node.setup_seconds
                route.append((node.order.id, at))
                index = assignment.Value(self.model.NextVar(index))
            routes.append(route)
        return routes


def _cost_bound(day: Day) -> int:
    """More than any two plans of the day can differ in cost, in thousandths."""
    weights = day.problem.weights
    per_second = weights.of("travel") + weights.of("overtime")
    driving = sum((vehicle.shift.latest_end - vehicle.start) * per_second for vehicle in day.vehicles)
    serving = sum(
        node.penalty + max(terms.cost for terms in node.terms.values()) + weights.of("association")
        for node in day.nodes
    )
    return driving + serving + 1


def matrix_cells(day: Day) -> int:
    """Cells of all matrices of the model of a day."""
    size = Layout.of(day).size
    cells = _cells(day, size)
    return cells if cells <= MATRIX_CELLS else 2 * _speeds(day) * size**2


def _speeds(day: Day) -> int:
    return len({vehicle.engineer.speed_factor for vehicle in day.vehicles})


def _cells(day: Day, size: int) -> int:
    """Cells of the matrices, of `size` places, if every engineer who differs gets their own."""
    costs = {
        (vehicle.engineer.speed_factor, *(node.terms[p].cost if p in node.terms else 0 for node in day.nodes))
        for p, vehicle in enumerate(day.vehicles)
    }
    times = {
        (vehicle.engineer.speed_factor, services)
        for vehicle, services in zip(day.vehicles, _services(day, merged=False), strict=True)
    }
    return (len(costs) + len(times)) * size**2


def _services(day: Day, *, merged: bool) -> list[tuple[int, ...]]:
    """By vehicle, the service seconds of every node."""
    if merged:
        return [tuple(node.longest for node in day.nodes)] * len(day.vehicles)
    return [
        # Who cannot serve an order anyway is given its estimate, so that more engineers share a matrix.
        tuple(node.terms[p].seconds if p in node.terms else node.order.service_seconds for node in day.nodes)
        for p in range(len(day.vehicles))
    ]
