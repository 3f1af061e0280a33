"""Why an engineer is no candidate, in the time a dispatcher waits: the common cases first, by as little as tells them.

Says the same as `solver.reasons`, with what may not be moved counted as well.
"""

from __future__ import annotations

from dispatcher.model import Engineer, WorkOrder
from dispatcher.reasons import Reason
from solver.day_state import DayState
from solver.live.day import LiveDay
from solver.route_state import RouteState
from solver.stint import Stint


class WhyNot:
    """Reasons against one running plan; what is learnt about its routes is kept from question to question."""

    def __init__(self, day: LiveDay) -> None:
        self._day = day
        self._emptied: dict[int, RouteState] = {}

    def reason(self, state: DayState, order: WorkOrder, engineer: Engineer, stint: Stint | None) -> Reason:
        """The reason of an engineer who has no place for an order; `stint` is None where lists or skills forbid it."""
        if stint is not None and self._is_displaced(state, order, engineer, stint):
            return Reason(engineer.id, "DISPLACED")
        reason, _ = self._day.finder(state).why_not(order, engineer)
        if reason.code in ("COSTS_MORE", "NOT_REACHED"):
            # There is room, but only before what stays where it is.
            return Reason(engineer.id, "FROZEN")
        return reason

    def _is_displaced(self, state: DayState, order: WorkOrder, engineer: Engineer, stint: Stint) -> bool:
        """Whether an empty day would hold the order, and nothing else is said of such an engineer first."""
        routes = state.routes_of[engineer.id]
        if state.duties and any(duty.route in routes for duty in state.duties):
            return False
        if order.parts and not any(state.has_parts(order, (index,)) for index in routes):
            return False
        if any(state.routes[index].shift.max_work_orders is not None for index in routes):
            return False
        if any(self._day.staying[index] for index in routes):
            # It might fit if nothing had to stay.
            return False
        return any(self._empty(state, index).best_insertion(stint) is not None for index in routes)

    def _empty(self, state: DayState, index: int) -> RouteState:
        """A route with what no engine may move. Singles that are not pinned are all gone, so every state shares it."""
        if index not in self._emptied:
            route = state.routes[index]
            kept = [stint for stint in route.stints if stint.order.team is not None or stint.order.pin is not None]
            self._emptied[index] = route.varied(route.shift, kept)
        return self._emptied[index]
