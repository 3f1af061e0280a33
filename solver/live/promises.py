"""Promises of urgent orders in a running plan: which are broken as things stand, and how much earlier to hold them.

What lies before an arrival is work that may last longer than planned. Over `T` seconds it is about `T / s` jobs of `s`
seconds, each off by `v s` (`v` the variation of work): all together by `v sqrt(T s)`, as independent errors add up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from dispatcher.facts import Facts, unserved_latenesses
from dispatcher.model import URGENT, WorkOrder
from dispatcher.on_time import Uncertainty
from dispatcher.problem import Problem

VARIATION = Uncertainty().service
"""Of work: standard deviation over mean, as for the chances to be on time."""
DEVIATIONS = 0.84
"""Standard deviations that a margin has: what is held so much earlier is kept on four days of five, where all the time
before is work of the usual length."""
MOST_OF_WHAT_IS_LEFT = 0.5
"""No margin takes more than this share of the time there still is."""


@dataclass(frozen=True, slots=True)
class Margins:
    """How early the promises to arrive of L1 and L2 orders should be held, on one day.

    Attributes:
        now: epoch seconds.
        typical_seconds: what an order takes on the average.
    """

    now: int
    typical_seconds: float

    @classmethod
    def of(cls, problem: Problem) -> Margins:
        """Those of a day at its `now`."""
        orders = problem.work_orders
        return cls(problem.now, sum(order.service_seconds for order in orders) / max(1, len(orders)))

    def held_by(self, order: WorkOrder) -> int | None:
        """The instant by which work should begin, so that somebody has arrived in time.

        None where nothing urgent is promised that can still be kept, where a start is promised already, and where no
        time window opens as soon.
        """
        by = order.deadlines.arrive_by
        if by is None or order.level not in URGENT or by <= self.now or order.deadlines.start_by is not None:
            return None
        left = by - self.now
        margin = DEVIATIONS * VARIATION * math.sqrt(left * self.typical_seconds)
        held = by - round(min(margin, MOST_OF_WHAT_IS_LEFT * left))
        opens = min((window.start for window in order.time_windows), default=held)
        return held if opens <= held else None

    def held(self, order: WorkOrder) -> WorkOrder:
        """The order as a search should see it: that instant is a deadline to start, beside the promise itself.

        A search that misses the margin still has the promise to keep.
        """
        by = self.held_by(order)
        return order if by is None else replace(order, deadlines=replace(order.deadlines, start_by=by))


def urgent_breaches(facts: Facts) -> frozenset[str]:
    """The L1 and L2 orders that are late or left out in a plan."""
    problem, services = facts.problem, facts.services
    found = set()
    for order in problem.work_orders:
        if order.level in URGENT:
            service = services.get(order.id)
            late = unserved_latenesses(order, problem.end) if service is None else service.latenesses()
            if service is None or any(sum(seconds) for seconds in late.values()):
                found.add(order.id)
    return frozenset(found)


def without_margin(facts: Facts, margins: Margins) -> frozenset[str]:
    """The L1 and L2 orders that are served, but begun later than their margin allows."""
    found = set()
    for name, service in facts.services.items():
        by = margins.held_by(service.order)
        if by is not None and service.first_start > by:
            found.add(name)
    return frozenset(found)
