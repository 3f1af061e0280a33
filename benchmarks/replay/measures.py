"""What a replayed day comes to: promises kept, lateness, work done, driving, unrest, and the cost of it all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

from benchmarks.replay.days import Document, ReplayDay, epoch
from benchmarks.replay.world import Log, Record
from dispatcher.model import VALUE_BY_LEVEL, Level
from dispatcher.objective import make_weights

RESPOND_SECONDS = {"L1": 300, "L2": 900, "L3": 3600, "L4": 14400}
"""From the opening until somebody has been named."""
CLOCKS = ("respond", "arrive", "restore")
GRAVE = ("L1", "L2")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One day under one policy.

    `kept` and `promised` count promises by `level/clock`. A promise that falls due after the day is neither; nor is
    one of an order that is cancelled, under any policy. `late_seconds` has an entry for each order with a promise, its
    worst lateness; what is left undone counts as done at the end of the day. `cost` is the day as it went by the
    balanced weights, without rules about changes.
    """

    day: str
    policy: str
    orders: int
    kept: dict[str, int]
    promised: dict[str, int]
    late_seconds: list[int]
    served: int
    value_served: float
    value_open: float
    travel_seconds: int
    overtime_seconds: int
    reassigned: int
    moved: int
    moved_seconds: int
    cost: int
    latencies: list[float]
    first_latency: float

    @property
    def grave_breaches(self) -> int:
        """Broken promises to arrive and to restore of L1 and L2 orders."""
        return sum(
            count - self.kept.get(name, 0)
            for name, count in self.promised.items()
            if name.startswith(GRAVE) and not name.endswith("respond")
        )

    def as_row(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Outcome:
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(slots=True)
class _Tally:
    kept: dict[str, int] = field(default_factory=dict)
    promised: dict[str, int] = field(default_factory=dict)

    def count(self, level: str, clock: str, is_kept: bool) -> None:
        name = f"{level}/{clock}"
        self.promised[name] = self.promised.get(name, 0) + 1
        self.kept[name] = self.kept.get(name, 0) + is_kept


def outcome(day: ReplayDay, policy: str, log: Log) -> Outcome:
    """Count up a day."""
    document = day.document
    end = epoch(document["horizon"]["end"])
    orders = [order for order in document["work_orders"] if order["id"] not in day.cancelled]
    tally, lates, cost_milli = _Tally(), [], Fraction(0)
    weights = make_weights()
    served = 0
    value_served = value_open = Fraction(0)
    for order in orders:
        record = log.records[order["id"]]
        level: Level = order.get("level") or "L4"
        value = Fraction(str(order.get("value", VALUE_BY_LEVEL[level])))
        served += record.ended is not None
        value_served += value if record.ended is not None else 0
        value_open += 0 if record.ended is not None else value
        cost_milli += 0 if record.ended is not None else value * weights.of("unserved")
        if record.opened > day.start:
            responded = record.assigned is not None and record.assigned - record.opened <= RESPOND_SECONDS[level]
            tally.count(level, "respond", responded)
        worst = None
        for clock, rule, by, at in _promises(order, record):
            done = end if at is None else at
            late = max(0, done - by)
            cost_milli += late * weights.of(rule, level) + (late > 0) * weights.of(f"{rule}_once", level)
            if by <= end:
                tally.count(level, clock, at is not None and late == 0)
                worst = max(worst or 0, late)
        if worst is not None:
            lates.append(worst)
    cost_milli += log.travel_seconds * weights.of("travel") + log.overtime_seconds * weights.of("overtime")
    return Outcome(
        day=day.name,
        policy=policy,
        orders=len(document["work_orders"]),
        kept=tally.kept,
        promised=tally.promised,
        late_seconds=lates,
        served=served,
        value_served=float(value_served),
        value_open=float(value_open),
        travel_seconds=log.travel_seconds,
        overtime_seconds=log.overtime_seconds,
        reassigned=log.reassigned,
        moved=log.moved,
        moved_seconds=log.moved_seconds,
        cost=round(cost_milli / 1000),
        latencies=[round(seconds, 5) for seconds in log.latencies],
        first_latency=round(log.first_latency, 3),
    )


def _promises(order: Document, record: Record) -> Iterator[tuple[str, str, int, int | None]]:
    """Clock, rule, deadline and when it was met."""
    deadlines = order.get("deadlines") or {}
    for clock, rule, name, at in (
        ("arrive", "late_arrival", "arrive_by", record.arrived),
        ("restore", "late_restore", "restore_by", record.ended),
    ):
        if deadlines.get(name) is not None:
            yield clock, rule, epoch(deadlines[name]), at


@dataclass(frozen=True, slots=True)
class Summary:
    """Several days under one policy."""

    policy: str
    days: int
    outcomes: tuple[Outcome, ...]

    def kept(self, level: str, clock: str) -> tuple[int, int]:
        """Promises kept, of how many."""
        name = f"{level}/{clock}"
        return (
            sum(outcome.kept.get(name, 0) for outcome in self.outcomes),
            sum(outcome.promised.get(name, 0) for outcome in self.outcomes),
        )

    def sum(self, name: str) -> Any:
        return sum(getattr(outcome, name) for outcome in self.outcomes)

    def per_order(self, name: str) -> float:
        return float(self.sum(name) / max(1, self.sum("orders")))

    @property
    def mean_late_seconds(self) -> float:
        lates = [late for outcome in self.outcomes for late in outcome.late_seconds]
        return sum(lates) / max(1, len(lates))

    @property
    def worst_late_seconds(self) -> int:
        return max((late for outcome in self.outcomes for late in outcome.late_seconds), default=0)

    @property
    def value_share(self) -> float:
        served, left = self.sum("value_served"), self.sum("value_open")
        return float(served / (served + left)) if served + left else 1.0

    def latency(self, share: float) -> float:
        """A quantile of the decisions during the days, in seconds; 0 without any."""
        found = sorted(seconds for outcome in self.outcomes for seconds in outcome.latencies)
        return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


def summaries(outcomes: Sequence[Outcome], policies: Sequence[str]) -> list[Summary]:
    """One for each policy that has days; only days that all of these have, so that sums are comparable."""
    present = [name for name in policies if any(outcome.policy == name for outcome in outcomes)]
    by_policy = {name: {o.day: o for o in outcomes if o.policy == name} for name in present}
    shared = set.intersection(*(set(days) for days in by_policy.values())) if by_policy else set()
    return [Summary(name, len(shared), tuple(days[day] for day in sorted(shared))) for name, days in by_policy.items()]
