"""What a stop costs a route at least, wherever it is put: cheap bounds, so that few places have to be driven.

Every bound rests on two facts. Traffic only slows down, so no leg takes less than without any. And a stop that takes
longer than it saves makes everything behind it no earlier than it is now, wherever the breaks are taken then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dispatcher.model import Engineer, Shift
from dispatcher.problem import Problem
from dispatcher.soft_rules import CHANGE_TOLERANCE_SECONDS
from solver.stint import FAR_PAST, Stint, shortest_seconds

ROUNDING_SECONDS = 60
"""What rounding legs to seconds may hide at most, in traffic however slow."""


class Gap(NamedTuple):
    """Between two stops of a route: where the engineer is (location index), where setup was last paid (−1: nowhere
    yet), the first instant they can leave, and what the route has cost by then at least (thousandths)."""

    where: int
    set_up: int
    opens: int
    cost: int


class RouteFloors:
    """Bounds for one route as it stands; `gaps` has one entry more than `stints`. All costs are in thousandths."""

    def __init__(
        self, problem: Problem, engineer: Engineer, shift: Shift, stints: Sequence[Stint], gaps: Sequence[Gap]
    ) -> None:
        weights = problem.weights
        self._now = problem.now
        self._travel, self._speed = problem.travel, engineer.speed_factor
        self._varies = problem.travel.varies_with_time
        self._travel_weight = weights.of("travel")
        self._distance_weight = weights.of("distance") if problem.travel.has_meters else 0
        self._stints, self._gaps = tuple(stints), gaps
        end = None if shift.end_location is None else problem.location_index[shift.end_location]
        self._following: list[int | None] = [end]
        for stint in reversed(self._stints):
            self._following.append(self._following[-1] if stint.remote else stint.place)
        self._following.reverse()
        self._behind = self._tails(shift, weights.of("overtime"))

    def of(self, stint: Stint, position: int) -> int:
        """What the whole route costs at least with a stint at a position; FAR_PAST where nothing is known."""
        gap, following = self._gaps[position], self._following[position]
        if stint.remote:
            return gap.cost + self._own(stint, gap.where, gap.opens) + self.going_on(position, gap.where)
        there = self._travel.free_flow_row(gap.where, self._speed)
        detour = there[stint.place]
        if following is not None:
            detour += self._travel.free_flow_row(stint.place, self._speed)[following] - there[following]
        spare = shortest_seconds(stint) - self._saved_setup(position, stint, gap.set_up)
        if spare + detour < 0 or (self._varies and (detour < 0 or spare < ROUNDING_SECONDS)):
            return FAR_PAST
        so_far = gap.cost + self._leg(gap.where, stint.place) + self._own(stint, gap.where, gap.opens)
        return so_far + self.going_on(position, stint.place)

    def going_on(self, position: int, where: int) -> int:
        """What everything from a position on costs at least, for an engineer who comes there from somewhere else."""
        following = self._following[position]
        return self._behind[position] + (0 if following is None else self._leg(where, following))

    def _tails(self, shift: Shift, overtime_weight: int) -> list[int]:
        """What is behind each position at least, without the leg to it."""
        where, opens = self._gaps[-1].where, self._gaps[-1].opens
        home = self._following[-1]
        end = opens if home is None else opens + self._travel.free_flow_row(where, self._speed)[home]
        tails = [max(0, end - shift.end) * overtime_weight]
        for position in range(len(self._stints) - 1, -1, -1):
            stint, gap, following = self._stints[position], self._gaps[position], self._following[position + 1]
            tail = tails[-1] + self._own(stint, gap.where, gap.opens)
            if not stint.remote and following is not None:
                tail += self._leg(stint.place, following)
            tails.append(tail)
        tails.reverse()
        return tails

    def _leg(self, origin: int, destination: int) -> int:
        if origin == destination:
            return 0
        cost = self._travel.free_flow_row(origin, self._speed)[destination] * self._travel_weight
        if self._distance_weight:
            cost += self._travel.meters(origin, destination) * self._distance_weight
        return cost

    def _own(self, stint: Stint, where: int, free: int) -> int:
        """What a stint costs by itself at least, for an engineer who can leave at `free` at the earliest."""
        cost = stint.fixed_cost + _least_penalty(stint)
        if stint.lateness is None and stint.previous_start is None:
            return cost
        arrival = free
        if not stint.remote:
            arrival = max(free, self._now) + self._travel.free_flow_row(where, self._speed)[stint.place]
        start = max(arrival, self._now, stint.not_before)
        if stint.windows:
            start = min((max(start, opens) for opens, closes in stint.windows if start <= closes), default=start)
        if stint.lateness is not None:
            end = max(start + shortest_seconds(stint), stint.others_end)
            counted = stint.lateness.start_by if stint.order.team is not None else start
            cost += stint.lateness.of(min(arrival, stint.others_arrival), counted, end)
        if stint.previous_start is not None:
            cost += max(0, start - stint.previous_start - CHANGE_TOLERANCE_SECONDS) * stint.moved_cost
        return cost

    def _saved_setup(self, position: int, stint: Stint, set_up: int) -> int:
        """Setup that the next stop on site need not pay behind the stint, less what the stint pays itself."""
        paid = 0 if stint.place == set_up else stint.setup_seconds
        following = next((other for other in self._stints[position:] if not other.remote), None)
        if following is None or following.place != stint.place or following.place == set_up:
            return -paid
        return following.setup_seconds - paid


def _least_penalty(stint: Stint) -> int:
    if len(stint.segments) == 1:
        return stint.segments[0][2]
    return min(penalty for _, seconds, penalty in stint.segments if seconds is not None)
