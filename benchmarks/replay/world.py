"""A simulated crew: it carries out what a policy decides, and finds out how long things really take.

Rules of the simulation, the same for every policy. Who has finished drives to the next order of their queue at once,
but not so early that they would wait long before a window; who has nothing to do goes home in time for the end of the
shift. Who drives or works is not called away. Nobody leaves for what, by estimate, would keep them beyond the latest
end of their shift: such an order comes back to whoever plans. Who falls sick goes home, and what they were at is open
again. Work that lasts a quarter of an hour longer than estimated is reported then. A policy is shown a `Snapshot`,
which holds nothing that is not known at that instant.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from api.problems import build_problem
from benchmarks.replay.days import Document, ReplayDay
from benchmarks.replay.snapshot import OVERDUE_SECONDS, Doing, Happening, Queues, Snapshot, WorkerView
from dispatcher.model import Engineer, Shift, WorkOrder
from dispatcher.service import service_seconds

REPORTED_AFTER_SECONDS = 900
"""Work that overruns its estimate by so much is reported."""
EARLY_SECONDS = 600
"""How long before a window opens somebody may plan to arrive."""
MOST_ROUNDS = 4
"""How often at one instant a policy is asked about what came back to it; after that it stays open."""
MOVED_SECONDS = 900
"""A planned start that moves by more counts as moved."""
ORDER_OF_EVENTS = ("finish", "arrive", "begin", "off", "on", "wake", "overdue", "cancelled", "sick", "opened", "due")


class Policy(Protocol):
    """Decides who does what next. It may keep nothing that a snapshot did not show it."""

    @property
    def name(self) -> str: ...

    @property
    def wakes_on(self) -> frozenset[str]:
        """Kinds of happenings it wants to be asked about, of `KINDS`."""
        ...

    def decide(self, snapshot: Snapshot) -> Queues:
        """Queues from now on, of orders in `snapshot.waiting`; what is in none of them is left open."""
        ...


KINDS = ("begin_of_day", "opened", "cancelled", "sick", "overdue", "returned", "free", "due")
"""`free`: an engineer came on shift or finished; `returned`: an order that could not be done in time any more;
`due`: a window opens soon."""
DUE_SECONDS = 1800


@dataclass(slots=True)
class Record:
    """What became of an order; instants are epoch seconds, None where it did not come to that."""

    opened: int
    assigned: int | None = None
    arrived: int | None = None
    started: int | None = None
    ended: int | None = None
    engineer: str | None = None
    cancelled: bool = False


@dataclass(slots=True)
class Log:
    """A day as it went. `latencies` are seconds of wall clock a decision took, the one before the day began apart."""

    records: dict[str, Record]
    travel_seconds: int = 0
    overtime_seconds: int = 0
    reassigned: int = 0
    moved: int = 0
    moved_seconds: int = 0
    decisions: int = 0
    latencies: list[float] = field(default_factory=list)
    first_latency: float = 0.0
    history: list[tuple[int, tuple[tuple[str, tuple[str, ...]], ...]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, order=True)
class _Event:
    """Something to come; `errand` is that of the engineer it belongs to, where it belongs to one."""

    at: int
    rank: int
    number: int
    subject: str = field(compare=False)
    errand: int | None = field(compare=False)


@dataclass(slots=True)
class _Worker:
    engineer: Engineer
    shift: Shift
    place: str
    doing: Doing = "waiting"
    is_on: bool = False
    is_gone: bool = False
    order: str | None = None
    since: int = 0
    expected: int = 0
    set_up_at: str | None = None
    queue: list[str] = field(default_factory=list)
    leaves_at: int | None = None
    errand: int = 0
    """Counts what they have been sent to, so that events of an errand that was broken off are void."""


class World:
    """One day with one policy, from its beginning until the last engineer is home."""

    def __init__(self, day: ReplayDay, policy: Policy, clock: Callable[[], float] = time.perf_counter) -> None:
        self._day, self._policy, self._clock = day, policy, clock
        self._problem = build_problem(day.document)
        self._orders = self._problem.order_by_id
        self._documents = {order["id"]: order for order in day.document["work_orders"]}
        self.now = day.start
        self.log = Log({name: Record(opened) for name, opened in day.opened.items()})
        self._open = [name for name, opened in day.opened.items() if opened <= day.start]
        self._workers = {
            engineer.id: _Worker(engineer, shift, shift.start_location)
            for engineer in self._problem.engineers
            for shift in engineer.shifts
        }
        self._events: list[_Event] = []
        self._scheduled = 0
        self._happened: list[Happening] = []

    def run(self) -> Log:
        """Play the day through."""
        for name, opened in self._day.opened.items():
            if opened > self._day.start:
                self._schedule(opened, "opened", name)
        for order in self._problem.work_orders:
            for window in order.time_windows:
                soon = window.start - DUE_SECONDS
                if soon > max(self.now, self._day.opened[order.id]):
                    self._schedule(soon, "due", order.id)
        for name, at in self._day.cancelled.items():
            self._schedule(at, "cancelled", name)
        for name, at in self._day.sick.items():
            self._schedule(at, "sick", name)
        for worker in self._workers.values():
            self._schedule(max(worker.shift.start, self.now), "on", worker.engineer.id)
        self._happened.append(Happening("begin_of_day", ""))
        self._decide()
        while self._events:
            self.now = self._events[0].at
            while self._events and self._events[0].at == self.now:
                self._happen(heapq.heappop(self._events))
            self._decide()
        return self.log

    def _schedule(self, at: int, kind: str, subject: str, errand: int | None = None) -> None:
        self._scheduled += 1
        heapq.heappush(self._events, _Event(at, ORDER_OF_EVENTS.index(kind), self._scheduled, subject, errand))

    def _schedule_for(self, worker: _Worker, at: int, kind: str) -> None:
        self._schedule(at, kind, worker.engineer.id, worker.errand)

    # -- what happens ------------------------------------------------------------------------------------------

    def _happen(self, event: _Event) -> None:
        kind = ORDER_OF_EVENTS[event.rank]
        if kind == "opened":
            self._open.append(event.subject)
            self._happened.append(Happening("opened", event.subject))
        elif kind == "due":
            self._happened.append(Happening("due", event.subject))
        elif kind == "cancelled":
            self._cancel(event.subject)
        else:
            worker = self._workers[event.subject]
            if event.errand is None or event.errand == worker.errand:
                handlers = {
                    "sick": self._sick,
                    "on": self._on,
                    "off": self._off,
                    "wake": self._wake,
                    "arrive": self._arrive,
                    "begin": self._begin,
                    "overdue": self._overdue,
                    "finish": self._finish,
                }
                handlers[kind](worker)

    def _cancel(self, name: str) -> None:
        record = self.log.records[name]
        if any(worker.order == name for worker in self._workers.values()) or record.ended is not None:
            # Too late: somebody is there, or on the way, and does it.
            return
        record.cancelled = True
        self._open.remove(name)
        for worker in self._workers.values():
            if name in worker.queue:
                worker.queue.remove(name)
        self._happened.append(Happening("cancelled", name))

    def _sick(self, worker: _Worker) -> None:
        if worker.is_gone:
            return
        worker.errand += 1
        worker.is_gone, worker.queue = True, []
        if worker.order is not None:
            record = self.log.records[worker.order]
            record.arrived = record.started = record.engineer = None
            worker.order = None
        self._go_home(worker)
        self._happened.append(Happening("sick", worker.engineer.id))

    def _on(self, worker: _Worker) -> None:
        worker.is_on = True
        self._happened.append(Happening("free", worker.engineer.id))

    def _off(self, worker: _Worker) -> None:
        """Time to go home, for who has nothing more to do, which follows every event."""

    def _go_home(self, worker: _Worker) -> None:
        end = self.now
        home = worker.shift.end_location
        if home is not None and worker.place != home:
            seconds = self._true_leg(worker, worker.place, home)
            self.log.travel_seconds += seconds
            end += seconds
        if worker.set_up_at is not None:
            # Who has done nothing has no route, and so no overtime.
            self.log.overtime_seconds += max(0, end - worker.shift.end)

    def _wake(self, worker: _Worker) -> None:
        """Nothing to do but to look at the queue again, which follows every event."""

    def _arrive(self, worker: _Worker) -> None:
        assert worker.order is not None
        order = self._orders[worker.order]
        worker.place = order.location
        self.log.records[order.id].arrived = self.now
        opens = min((max(w.start, self.now) for w in order.time_windows if self.now <= w.end), default=self.now)
        worker.doing, worker.since = "driving", opens
        if opens > self.now:
            self._schedule_for(worker, opens, "begin")
        else:
            self._begin(worker)

    def _begin(self, worker: _Worker) -> None:
        assert worker.order is not None
        order, record = self._orders[worker.order], self.log.records[worker.order]
        setup = 0 if worker.set_up_at == order.location else order.setup_seconds
        estimate = self._estimate(worker.engineer, order)
        lasts = setup + max(60, round(estimate * self._day.truths.service_factor(order.id)))
        worker.doing, worker.since, worker.expected = "working", self.now, self.now + setup + estimate
        worker.set_up_at = order.location
        record.started = self.now
        self._schedule_for(worker, self.now + lasts, "finish")
        if lasts > setup + estimate + REPORTED_AFTER_SECONDS:
            self._schedule_for(worker, worker.expected + REPORTED_AFTER_SECONDS, "overdue")

    def _overdue(self, worker: _Worker) -> None:
        self._happened.append(Happening("overdue", worker.engineer.id))

    def _finish(self, worker: _Worker) -> None:
        assert worker.order is not None
        self.log.records[worker.order].ended = self.now
        self._open.remove(worker.order)
        worker.order, worker.doing = None, "waiting"
        self._happened.append(Happening("free", worker.engineer.id))

    # -- what is decided ---------------------------------------------------------------------------------------

    def _decide(self) -> None:
        """Ask the policy where it wants to be asked, then send out who is free; ask again about what comes back."""
        for _ in range(MOST_ROUNDS):
            asked = tuple(happening for happening in self._happened if happening.kind in self._policy.wakes_on)
            self._happened.clear()
            if asked:
                snapshot = self.snapshot(asked)
                began = self._clock()
                queues = self._policy.decide(snapshot)
                self._note_latency(self._clock() - began)
                self._adopt(snapshot, queues)
            for worker in self._workers.values():
                self._send(worker)
            if not self._happened:
                break
        self._happened.clear()
        for worker in self._workers.values():
            if worker.doing == "waiting" and worker.is_on and not worker.queue and not worker.is_gone:
                self._leave_or_wait(worker)

    def _leave_or_wait(self, worker: _Worker) -> None:
        """Who has nothing to do leaves so as to be back, by estimate, when the shift ends."""
        home = worker.shift.end_location
        leaves = worker.shift.end - (0 if home is None else self._leg(worker.engineer, worker.place, home))
        if self.now >= leaves:
            worker.is_gone = True
            self._go_home(worker)
        elif worker.leaves_at != leaves:
            worker.leaves_at = leaves
            self._schedule(leaves, "off", worker.engineer.id)

    def _note_latency(self, seconds: float) -> None:
        if self.log.decisions:
            self.log.latencies.append(seconds)
        else:
            self.log.first_latency = seconds
        self.log.decisions += 1

    def snapshot(self, happened: tuple[Happening, ...]) -> Snapshot:
        """What is known now."""
        known = set(self._open)
        documents = [self._known(self._documents[name], known) for name in self._open]
        workers = tuple(self._view(worker) for worker in self._workers.values() if not worker.is_gone)
        queues = {name: tuple(worker.queue) for name, worker in self._workers.items() if worker.queue}
        return Snapshot(self.now, self._day.document | {"work_orders": documents}, workers, queues, happened)

    def _known(self, order: Document, known: set[str]) -> Document:
        """An order as it is known: not with what it will be related to once that is opened."""
        related = [name for name in order.get("related_to") or () if name in known]
        return order | {"related_to": related} if order.get("related_to") else order

    def _view(self, worker: _Worker) -> WorkerView:
        shift, engineer = worker.shift, worker.engineer
        if worker.order is None:
            free = max(self.now, shift.start)
            return WorkerView(engineer.id, shift.id, "waiting", worker.place, free)
        order = self._orders[worker.order]
        since = worker.since if worker.doing == "working" else max(worker.since, self.now + 1)
        lasts = order.setup_seconds + self._estimate(engineer, order)
        free = max(worker.expected, self.now + OVERDUE_SECONDS) if worker.doing == "working" else since + lasts
        home = 0 if shift.end_location is None else self._leg(engineer, order.location, shift.end_location)
        stretch = self._estimate(engineer, order) / max(1, order.service_seconds)
        return WorkerView(
            engineer.id, shift.id, worker.doing, order.location, free, order.id, since, stretch or 1.0, free + home
        )

    def _adopt(self, snapshot: Snapshot, queues: Queues) -> None:
        """Take over queues, which may hold only open orders, each once, by people who can do them."""
        named = [name for queue in queues.values() for name in queue]
        assert len(set(named)) == len(named), "an order is in two queues"
        assert set(named) <= set(snapshot.waiting), "a queue holds what is not open"
        for engineer, queue in queues.items():
            worker = self._workers[engineer]
            assert not worker.is_gone or not queue, "who is gone cannot be sent"
            for name in queue:
                order = self._orders[name]
                assert self._problem.qualification(worker.engineer, order, None, self.now).qualified
                assert order.admits(engineer)
        self._count_changes(snapshot, queues)
        for name, worker in self._workers.items():
            worker.queue = list(queues.get(name, ()))
            for order_id in worker.queue:
                record = self.log.records[order_id]
                record.assigned = self.now if record.assigned is None else record.assigned
        decided = tuple((name, tuple(queue)) for name, queue in sorted(queues.items()) if queue)
        self.log.history.append((self.now, decided))

    def _count_changes(self, snapshot: Snapshot, queues: Queues) -> None:
        """What a decision changed of what had been decided, both by the same estimates."""
        before = dict(self._planned(snapshot, snapshot.queues))
        after = dict(self._planned(snapshot, queues))
        for name, (engineer, start) in before.items():
            other, moved_to = after.get(name, (None, start))
            self.log.reassigned += other != engineer
            moved = abs(moved_to - start)
            if other is not None and moved > MOVED_SECONDS:
                self.log.moved += 1
                self.log.moved_seconds += moved

    def _planned(self, snapshot: Snapshot, queues: Queues) -> Iterator[tuple[str, tuple[str, int]]]:
        """Engineer and start of every queued order by estimate."""
        for view in snapshot.workers:
            engineer, free, place = self._workers[view.engineer].engineer, view.free_at, view.place
            for name in queues.get(view.engineer, ()):
                order = self._orders[name]
                start = free + self._leg(engineer, place, order.location)
                start = min((max(w.start, start) for w in order.time_windows if start <= w.end), default=start)
                yield name, (view.engineer, start)
                free, place = start + order.setup_seconds + self._estimate(engineer, order), order.location

    def _send(self, worker: _Worker) -> None:
        """Send who waits to the next order of the queue, if it can be done in time; what cannot comes back."""
        while worker.queue and worker.is_on and not worker.is_gone and worker.doing == "waiting":
            order = self._orders[worker.queue[0]]
            leg = self._leg(worker.engineer, worker.place, order.location)
            arrival = self.now + leg
            start = min((max(w.start, arrival) for w in order.time_windows if arrival <= w.end), default=None)
            if start is None and not order.time_windows:
                start = arrival
            home = worker.shift.end_location
            back = self._leg(worker.engineer, order.location, home) if home else 0
            lasts = order.setup_seconds + self._estimate(worker.engineer, order) + back
            if start is None or start + lasts > worker.shift.latest_end:
                worker.queue.pop(0)
                self._happened.append(Happening("returned", order.id))
                continue
            if start - arrival > EARLY_SECONDS:
                self._schedule_for(worker, start - leg - EARLY_SECONDS, "wake")
                return
            worker.queue.pop(0)
            worker.errand += 1
            worker.order, worker.doing, worker.since = order.id, "driving", start
            record = self.log.records[order.id]
            record.engineer = worker.engineer.id
            record.assigned = self.now if record.assigned is None else record.assigned
            seconds = self._true_leg(worker, worker.place, order.location)
            self.log.travel_seconds += seconds
            self._schedule_for(worker, self.now + seconds, "arrive")

    # -- estimates and truths ----------------------------------------------------------------------------------

    def _estimate(self, engineer: Engineer, order: WorkOrder) -> int:
        return service_seconds(self._problem, engineer, order, None, 1, self.now)

    def _leg(self, engineer: Engineer, origin: str, destination: str) -> int:
        return self._problem.leg_seconds(origin, destination, self.now, engineer)

    def _true_leg(self, worker: _Worker, origin: str, destination: str) -> int:
        factor = self._day.truths.travel_factor(worker.engineer.id, origin, destination)
        return round(self._leg(worker.engineer, origin, destination) * factor)


def replay(day: ReplayDay, policy: Policy, clock: Callable[[], float] = time.perf_counter) -> Log:
    """The log of a day under a policy."""
    return World(day, policy, clock).run()
