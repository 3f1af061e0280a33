"""The plan a search starts from, trimmed to what the model admits.

The model is stricter than the rules here and there (mean traffic, breaks at fixed times, the slowest service in
doubt). Single orders may have to stay out of the first routes; the search or what follows it places them again.
"""

from __future__ import annotations

from collections.abc import Sequence

from solver.ortools_routing.day import Day, Node, Vehicle
from solver.ortools_routing.travel import Layout, Matrix


class FirstRoutes:
    """The routes a day starts from, driven as the model drives them: leave at once, rest at the fixed times.

    `times` are by vehicle the seconds from the start of one service to the earliest start of the next.
    """

    def __init__(self, day: Day, layout: Layout, times: Sequence[Matrix]) -> None:
        self._day = day
        self._layout = layout
        self._times = times

    def admitted(self) -> list[list[int]]:
        """By vehicle, the nodes that can be served one after the other; cheap ones give way to dear ones."""
        return [self._trimmed(position, list(route)) for position, route in enumerate(self._day.first_routes)]

    def _trimmed(self, position: int, route: list[int]) -> list[int]:
        nodes = self._day.nodes
        while not self._fits(position, route):
            free = sorted((n for n in route if not nodes[n].must), key=lambda n: nodes[n].penalty)
            if not free:
                return []
            without = ([other for other in route if other != number] for number in free)
            route = next(
                (shorter for shorter in without if self._fits(position, shorter)), [n for n in route if n != free[0]]
            )
        return route

    def _fits(self, position: int, route: Sequence[int]) -> bool:
        vehicle, times = self._day.vehicles[position], self._times[position]
        where, at = self._layout.start_of(vehicle), vehicle.start
        for number in route:
            node = self._day.nodes[number]
            found = _arrive(vehicle, at, at + int(times[where, number]), node, node.terms[position].start_by)
            if found is None:
                return False
            where, at = number, found
        home = at + int(times[where, self._layout.end_of(vehicle)])
        end = _arrive(vehicle, at, home, None, vehicle.shift.latest_end)
        return end is not None and max(end, vehicle.rested) <= vehicle.shift.latest_end


def _arrive(vehicle: Vehicle, left: int, earliest: int, node: Node | None, start_by: int) -> int | None:
    """The time of the next node, not before `earliest` without breaks; None where it would be too late."""
    away = (*vehicle.rests, *vehicle.blocked)
    at: int | None = earliest
    while True:
        passed = [(first, last) for first, last in away if at is not None and left <= first < at]
        lost = earliest + sum(last - first for first, last in passed)
        found = _allowed(node, max([lost, *(last for _, last in passed)]))
        if found is None or found - (node.setup_seconds if node else 0) > start_by:
            return None
        if found == at:
            return found
        at = found


def _allowed(node: Node | None, at: int) -> int | None:
    """The first time of a node at or after an instant."""
    if node is None:
        return at
    return next((max(at, first) for first, last in node.times if at <= last), None)
