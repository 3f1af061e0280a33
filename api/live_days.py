"""Running plans kept warm between questions, so that an answer is there before anybody looks away."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property

from api.running_day import RunningDay, day_of_plan
from data.repositories import Plans, Repository
from data.session import UnitOfWork
from data.state_version import state_version
from dispatcher.errors import RecordKey, WrongState
from dispatcher.services.state import LEFT_OUT
from solver.live.day import LiveDay, LivePolicy
from solver.live.near import NearRoutes
from solver.live.repair import Repairer
from solver.live.why_not import WhyNot

WARM_SECONDS = 60
"""How old `now` of a kept day may be."""
MOST_DAYS = 4
"""Days kept at once; one of 3,000 orders takes some 100 MB."""

_Key = tuple[str, str, int, str]


@dataclass(eq=False)
class WarmDay:
    """A running day with all that questions about it need, each part made when it is first asked for."""

    running: RunningDay
    policy: LivePolicy = field(default_factory=LivePolicy)

    @cached_property
    def day(self) -> LiveDay:
        running = self.running
        return LiveDay(running.problem, running.plan, on_the_way=running.on_the_way, policy=self.policy)

    @cached_property
    def why_not(self) -> WhyNot:
        return WhyNot(self.day)

    @cached_property
    def near(self) -> NearRoutes:
        return NearRoutes(self.day.state)

    def repairer(self, seed: int = 1) -> Repairer:
        return Repairer(self.day, near=self.near, seed=seed)

    def under(self, policy: LivePolicy) -> WarmDay:
        """The same day under another policy."""
        return self if policy == self.policy else WarmDay(self.running, policy)

    def check(self, work: UnitOfWork, order: str) -> None:
        """Refuse an order that the day does not have.

        Raises:
            NotFound: if there is no such order.
            WrongState: with why it is not part of the running plan's day.
        """
        if order in self.running.problem.order_by_id:
            return
        status = Repository(work, "work_order").get(order).values["status"]
        left_out = (self.running.document.get("attributes") or {}).get("left_out") or {}
        why = LEFT_OUT.get(left_out.get(order, ""), f"{status.replace('_', ' ')}, and no part of the running plan")
        raise WrongState(RecordKey("work_order", (order,)), why, "ask about it there")


class LiveDays:
    """The warm days of a process, the ones asked for last kept; to be asked from any thread."""

    def __init__(self, policy: LivePolicy | None = None, size: int = MOST_DAYS) -> None:
        self._policy, self._size = policy or LivePolicy(), size
        self._days: OrderedDict[_Key, WarmDay] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, work: UnitOfWork, plan_id: str) -> WarmDay:
        """The running day of a plan as of now, or of at most WARM_SECONDS ago where nothing has changed since.

        Raises:
            NotFound, NoPlanInForce, InvalidInput: as `day_of_plan`.
        """
        key = (work.tenant_id, plan_id, Plans(work).get(plan_id).version, state_version(work))
        # Who asks for a day that another thread is making waits for it instead of making it again.
        with self._lock:
            found = self._days.get(key)
            if found is None or work.now.timestamp() - found.running.problem.now > WARM_SECONDS:
                found = WarmDay(day_of_plan(work, plan_id), self._policy)
                assert found.day is not None
                self._days[key] = found
            self._days.move_to_end(key)
            while len(self._days) > self._size:
                self._days.popitem(last=False)
            return found
