"""What is known at one instant: all that a policy is shown, and the planning problem of what is left of the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from api.problems import build_problem
from benchmarks.replay.days import epoch, text_of
from dispatcher.evaluate import evaluate
from dispatcher.plan import Plan, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.schedule import build_plan

Document = dict[str, Any]
Queues = Mapping[str, Sequence[str]]
"""The orders each engineer is to do in turn, after what they drive to or work on."""
Doing = Literal["waiting", "driving", "working"]
OVERDUE_SECONDS = 600
"""What is taken to be left of work that lasts longer than estimated, and of a drive that does."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """An engineer as known: where they are, or are going, and when they are expected to be free there.

    `since` is when work at `place` began, or is expected to; `stretch` the engineer's factor on its estimate;
    `home_by` when they could be back if this were the last of it, which no plan can change any more.
    """

    engineer: str
    shift: str
    doing: Doing
    place: str
    free_at: int
    order: str | None = None
    since: int = 0
    stretch: float = 1.0
    home_by: int = 0


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened now: `kind` with the order or the engineer it is about."""

    kind: str
    subject: str


@dataclass(frozen=True)
class Snapshot:
    """One instant of a day.

    `document` is the day's planning document with only the orders that are open; `workers` are those who still work
    today, `queues` what they are to do, without what they are at.
    """

    now: int
    document: Document
    workers: tuple[WorkerView, ...]
    queues: Queues
    happened: tuple[Happening, ...]

    @cached_property
    def waiting(self) -> tuple[str, ...]:
        """Open orders that nobody drives to or works on."""
        taken = {worker.order for worker in self.workers}
        return tuple(order["id"] for order in self.document["work_orders"] if order["id"] not in taken)

    @cached_property
    def problem_document(self) -> Document:
        """The rest of the day as a planning problem.

        Who works is pinned since the work began. Who drives starts at the destination when expected there, with the
        work pinned to that instant, so that nothing comes before it.
        """
        views = {worker.engineer: worker for worker in self.workers}
        orders = {order["id"]: dict(order) for order in self.document["work_orders"]}
        for worker in self.workers:
            if worker.order is None:
                continue
            order = orders[worker.order]
            begins = worker.since if worker.doing == "working" else max(worker.since, self.now)
            order["pin"] = {"engineer": worker.engineer, "start": self._text(begins)}
            order.pop("time_windows", None)
            if worker.doing == "working":
                # Setup is part of what has begun; what is left may be longer than what was estimated.
                order["setup_seconds"] = 0
                order["service_seconds"] = round((worker.free_at - worker.since) / worker.stretch)
        engineers = [self._engineer(engineer, views.get(engineer["id"])) for engineer in self.document["engineers"]]
        changes = {"now": self._text(self.now), "engineers": engineers, "work_orders": list(orders.values())}
        # Who is on the way home may be there later than the day was thought to end.
        ends = [self.document["horizon"]["end"], *(s["latest_end"] for e in engineers for s in e["shifts"])]
        changes["horizon"] = self.document["horizon"] | {"end": max(ends, key=epoch)}
        return self.document | changes

    def _engineer(self, engineer: Document, view: WorkerView | None) -> Document:
        if view is None:
            return engineer | {"shifts": []}
        shift = next(shift for shift in engineer["shifts"] if shift["id"] == view.shift)
        shift = {"end_location": shift["start_location"]} | shift | {"start_location": view.place}
        if view.doing != "working":
            expected = max(view.since, self.now) if view.doing == "driving" else view.free_at
            shift["start"] = self._text(expected)
            if epoch(shift["end"]) <= expected:
                shift["end"] = self._text(expected + 1)
        latest = epoch(shift.get("latest_end") or shift["end"])
        shift["latest_end"] = self._text(max(latest, view.home_by, epoch(shift["end"])))
        return engineer | {"shifts": [shift]}

    def _text(self, instant: int) -> str:
        return text_of(instant, self.document)

    @cached_property
    def problem(self) -> Problem:
        return build_problem(self.problem_document)

    def sequences(self, queues: Queues) -> Sequences:
        """Queues as an engine hands them over, with what engineers are at in front."""
        routes = []
        for worker in self.workers:
            orders = [*([worker.order] if worker.order else []), *queues.get(worker.engineer, ())]
            if orders:
                routes.append(RouteSequence(worker.engineer, worker.shift, tuple(Visit(order) for order in orders)))
        return Sequences(tuple(routes))

    def queues_of(self, sequences: Sequences) -> dict[str, list[str]]:
        """The queues of sequences over `problem`."""
        at_work = {worker.order for worker in self.workers}
        return {
            route.engineer: [
                visit.work_order
                for visit in route.visits
                if isinstance(visit, Visit) and visit.work_order not in at_work
            ]
            for route in sequences.routes
        }

    @cached_property
    def plan(self) -> Plan:
        """The queues in force as a plan over `problem`; late as it may be by now."""
        return build_plan(self.problem, self.sequences(self.queues))

    def with_current_plan(self) -> Document:
        """The problem with the queues in force as its current plan."""
        problem, plan = self.problem, self.plan
        published = plan_document(
            problem, plan, evaluate(problem, plan), explanations=(), receipt={}, created_at=self.now
        )
        return self.problem_document | {"current_plan": published}
