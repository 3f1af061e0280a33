"""The policies that are compared: who does what next, decided from what is known and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from api.problems import build_problem
from benchmarks.replay.snapshot import Queues, Snapshot
from benchmarks.replay.world import EARLY_SECONDS, Policy
from dispatcher.model import LEVELS, Engineer, Shift, WorkOrder
from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from dispatcher.service import service_seconds
from solver.engines import engine_named
from solver.live.day import LiveDay, LivePolicy
from solver.live.repair import Repairer
from solver.live.running import running_sequences

PLANNING = frozenset({"begin_of_day", "opened", "cancelled", "sick", "overdue", "returned"})
"""What a plan is made anew for."""
MORNING = SearchLimits(time_limit_seconds=30.0, iteration_limit=60_000, seed=1)
"""The plan before the day begins; iterations end it, so that it is the same on every machine."""
REPAIR_SECONDS = 0.6
"""Each repair during the day: the product's own default."""
ANEW = SearchLimits(time_limit_seconds=2 * REPAIR_SECONDS, seed=1)
"""Each plan from scratch during the day, which has more to find."""
CHANGES_ARE_FREE = {"change": 0, "change_shift": 0}
NOTHING_STAYS = LivePolicy(freeze_seconds=0, breaks_in=frozenset(LEVELS))
"""Only what somebody drives to or works on."""


@dataclass(frozen=True, slots=True)
class NearestQualified:
    """No plan: a free engineer gets the gravest open order there is, an order the nearest free engineer who can."""

    name: str = "nearest"
    wakes_on: frozenset[str] = frozenset({"begin_of_day", "opened", "free", "sick", "due"})

    def decide(self, snapshot: Snapshot) -> Queues:
        problem = snapshot.problem
        free = {
            view.engineer: view.place
            for view in snapshot.workers
            if view.doing == "waiting" and view.free_at <= snapshot.now
        }
        opening = {name: place for place, name in enumerate(snapshot.waiting)}
        queues: dict[str, list[str]] = {}
        for order in sorted(
            (problem.order_by_id[name] for name in opening), key=lambda order: (order.level, opening[order.id])
        ):
            nearest = min(
                (
                    (seconds, name)
                    for name, place in free.items()
                    if (seconds := _seconds_away(snapshot, problem.engineer_by_id[name], place, order)) is not None
                ),
                default=None,
            )
            if nearest is not None:
                queues[nearest[1]] = [order.id]
                del free[nearest[1]]
        return queues


def _seconds_away(snapshot: Snapshot, engineer: Engineer, place: str, order: WorkOrder) -> int | None:
    """Driving seconds to an order for somebody free and able who can do it now and be home in time; else None."""
    problem, shift = snapshot.problem, engineer.shifts[0]
    if not order.admits(engineer.id) or not problem.qualification(engineer, order, None, snapshot.now).qualified:
        return None
    seconds = problem.leg_seconds(place, order.location, snapshot.now, engineer)
    arrival = snapshot.now + seconds
    start = min((max(w.start, arrival) for w in order.time_windows if arrival <= w.end), default=None)
    if order.time_windows and (start is None or start - arrival > EARLY_SECONDS):
        return None
    # Overtime is for what cannot wait.
    latest = shift.latest_end if order.level in ("L1", "L2") else shift.end
    end = _home_by(problem, engineer, shift, order, arrival if start is None else start)
    return seconds if end <= latest else None


def _home_by(problem: Problem, engineer: Engineer, shift: Shift, order: WorkOrder, start: int) -> int:
    """When an engineer is back after an order that starts at `start`."""
    end = start + order.setup_seconds + service_seconds(problem, engineer, order, None, 1, start)
    home = shift.end_location
    return end if home is None else end + problem.leg_seconds(order.location, home, end, engineer)


@dataclass(frozen=True, slots=True)
class PlanOnce:
    """The plan of the morning is carried out; what comes in, or comes back, goes to the end of the shortest queue."""

    name: str = "once"
    wakes_on: frozenset[str] = frozenset({"begin_of_day", "opened", "sick", "returned"})

    def decide(self, snapshot: Snapshot) -> Queues:
        problem = snapshot.problem
        if any(happening.kind == "begin_of_day" for happening in snapshot.happened):
            return snapshot.queues_of(solved(problem, MORNING))
        queues = {name: list(queue) for name, queue in snapshot.queues.items()}
        queued = {name for queue in queues.values() for name in queue}
        views = {view.engineer: view for view in snapshot.workers}
        ends: dict[str, tuple[int, str]] = {}
        for name, view in views.items():
            free, place = view.free_at, view.place
            for order_id in queues.get(name, ()):
                free, place = _after(problem, name, free, place, order_id)
            ends[name] = (free, place)
        for order_id in snapshot.waiting:
            if order_id in queued:
                continue
            order = problem.order_by_id[order_id]
            able = []
            for name, (free, place) in ends.items():
                engineer = problem.engineer_by_id[name]
                if order.admits(name) and problem.qualification(engineer, order, None, snapshot.now).qualified:
                    end, _ = _after(problem, name, free, place, order_id)
                    shift = engineer.shifts[0]
                    back = problem.leg_seconds(order.location, shift.end_location or order.location, end, engineer)
                    if end + back <= shift.latest_end:
                        able.append((end, name))
            if able:
                end, name = min(able)
                queues.setdefault(name, []).append(order_id)
                ends[name] = (end, order.location)
        return queues


def _after(problem: Problem, name: str, free: int, place: str, order_id: str) -> tuple[int, str]:
    """When and where an engineer is free after one more order, by estimate."""
    engineer, order = problem.engineer_by_id[name], problem.order_by_id[order_id]
    arrival = free + problem.leg_seconds(place, order.location, free, engineer)
    start = min((max(w.start, arrival) for w in order.time_windows if arrival <= w.end), default=arrival)
    return start + order.setup_seconds + service_seconds(problem, engineer, order, None, 1, start), order.location


@dataclass(frozen=True, slots=True)
class FromScratch:
    """A plan made anew at every event, as if there had been none."""

    name: str = "scratch"
    wakes_on: frozenset[str] = PLANNING

    def decide(self, snapshot: Snapshot) -> Queues:
        is_morning = any(happening.kind == "begin_of_day" for happening in snapshot.happened)
        return snapshot.queues_of(solved(snapshot.problem, MORNING if is_morning else ANEW))


@dataclass(frozen=True, slots=True)
class Repair:
    """The plan in force is repaired at every event, as the product does; `weights` and `live` say what changes cost."""

    name: str = "muster"
    wakes_on: frozenset[str] = PLANNING
    weights: Mapping[str, float] = field(default_factory=dict)
    live: LivePolicy = field(default_factory=LivePolicy)

    def decide(self, snapshot: Snapshot) -> Queues:
        if any(happening.kind == "begin_of_day" for happening in snapshot.happened):
            return snapshot.queues_of(solved(snapshot.problem, MORNING))
        document = snapshot.with_current_plan()
        objective = document.get("objective") or {}
        weighted = {**objective, "weights": {**(objective.get("weights") or {}), **self.weights}}
        problem = build_problem(document | {"objective": weighted})
        sequences = running_sequences(problem, document["current_plan"]["routes"])
        driven_to = {view.order for view in snapshot.workers if view.order and view.doing == "driving"}
        plan = build_plan(problem, sequences)
        day = LiveDay(problem, plan, on_the_way=frozenset(driven_to), policy=self.live)
        found = Repairer(day).repair(self._in_question(snapshot), seconds=REPAIR_SECONDS)
        return snapshot.queues_of(found.sequences)

    def _in_question(self, snapshot: Snapshot) -> list[str]:
        """What came in or came back, and the work that waits for somebody who is late."""
        waiting = set(snapshot.waiting)
        names: list[str] = []
        for happening in snapshot.happened:
            if happening.kind in ("opened", "returned"):
                names.append(happening.subject)
            elif happening.kind == "overdue":
                names += snapshot.queues.get(happening.subject, ())
        return [name for name in dict.fromkeys(names) if name in waiting]


def solved(problem: Problem, limits: SearchLimits) -> Sequences:
    """What the default engine plans."""
    engine = engine_named("hybrid")
    return engine.solve(problem, limits, cancelled=lambda: False, progress=lambda share, text: None).sequences


POLICIES: Mapping[str, Callable[[], Policy]] = {
    "nearest": NearestQualified,
    "once": PlanOnce,
    "scratch": FromScratch,
    "muster": Repair,
    "unstable": lambda: Repair("unstable", weights=CHANGES_ARE_FREE, live=NOTHING_STAYS),
}
"""In the order of the report."""
TITLES = {
    "nearest": "greedy nearest qualified",
    "once": "plan once",
    "scratch": "from scratch at each event",
    "muster": "Muster's default",
    "unstable": "Muster without stability",
}
