"""Promises as answers of the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from api.sla_state import Watched
from dispatcher.documents import utc_text
from dispatcher.sla.clocks import CLOCKS, ClockState, Crossing
from dispatcher.sla.deadlines import deadlines
from dispatcher.sla.felt import Experience, experience
from dispatcher.sla.grading import Grade
from dispatcher.sla.linking import Link

LISTED = 100


class _Worded(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def params(self) -> Mapping[str, object]: ...
    @property
    def message(self) -> str: ...


def clocks_document(order: Watched, now: datetime) -> dict[str, Any]:
    """The answer about one work order."""
    values, grade, override, life = order.record.values, order.grade(), order.override, order.timeline
    past = [] if life is None else [change for change in life.transitions if change.at <= now]
    return {
        "work_order": order.name,
        "level": values["level"],
        "state": None if life is None else past[-1].state if past else "opened",
        "now": utc_text(now),
        "opened_at": None if life is None else utc_text(life.opened_at),
        "contract": order.contract,
        "parent": order.parent,
        "grade": None if grade is None else grade_document(grade),
        "override": None if override is None else _override(override),
        "clocks": [_clock(state) for state in order.states],
        "deadlines": {name: utc_text(at) for name, at in deadlines(order.states).items()},
        "experience": None if life is None else _experience(felt_by(order, now)),
    }


def grade_document(grade: Grade) -> dict[str, Any]:
    return {
        "level": grade.level,
        "computed": grade.computed,
        "impact": grade.impact,
        "urgency": grade.urgency,
        "complexity": grade.complexity,
        "reasons": [worded(reason) for reason in grade.reasons],
        "override": None if grade.override is None else _override(grade.override),
    }


def crossing_document(name: str, item: Crossing) -> dict[str, Any]:
    return {"work_order": name, "clock": item.clock, **_crossing(item)}


def link_document(link: Link) -> dict[str, Any]:
    return {"child": link.child, "parent": link.parent, "reason": worded(link.reason)}


def risks(
    orders: Iterable[Watched], planned: Mapping[str, tuple[datetime | None, datetime | None]], now: datetime
) -> list[dict[str, Any]]:
    """The promises that are near their end, broken and open, or missed by the plan; by the time to breach.

    Near its end is a promise from its first threshold on.
    """
    found: list[tuple[tuple[bool, datetime | None, str, int], dict[str, Any]]] = []
    for order in orders:
        arrival, end = planned.get(order.name, (None, None))
        for state in order.states:
            if not state.is_live:
                continue
            at = {"arrive": arrival, "restore": end}.get(state.clock)
            late = 0 if at is None or state.due is None else max(0, int((at - state.due).total_seconds()))
            if not late and state.reached_percent == 0:
                continue
            row = {
                "work_order": order.name,
                "level": order.record.values["level"],
                "clock": state.clock,
                "due": None if state.due is None else utc_text(state.due),
                "seconds_to_breach": None if state.due is None else int((state.due - now).total_seconds()),
                "remaining_seconds": state.remaining_seconds,
                "reached_percent": state.reached_percent,
                "planned_at": None if at is None else utc_text(at),
                "late_by_seconds": late,
                "cause": worded(state.crossings[-1].cause) if state.crossings else None,
            }
            # What rests has no time to breach, and comes last.
            key = (state.due is None, state.due or now, order.name, CLOCKS.index(state.clock))
            found.append((key, row))
    return [row for _, row in sorted(found, key=lambda item: item[0])]


def attainment(orders: Sequence[Watched]) -> list[dict[str, Any]]:
    """By level and clock how many promises were kept; a broken one that runs on is broken."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for order in orders:
        for state in order.states:
            key = (order.record.values["level"], state.clock)
            row = counts.setdefault(key, {"in_time": 0, "broken": 0, "open": 0})
            outcome = "broken" if state.breached else "in_time" if state.status == "met" else "open"
            row[outcome] += 1
    return [
        {"level": level, "clock": clock, **row, "attainment_percent": _percent(row["in_time"], row["broken"])}
        for (level, clock), row in sorted(counts.items(), key=lambda item: (item[0][0], _place(item[0][1])))
    ]


def felt_sum(orders: Sequence[Watched], now: datetime) -> dict[str, Any]:
    """What customers felt over all of these orders."""
    felt = {order.name: felt_by(order, now) for order in orders}
    hidden = sorted(name for name, one in felt.items() if one.green_over_red)
    return {
        "orders": len(felt),
        "down_seconds": sum(one.down_seconds for one in felt.values()),
        "felt_seconds": sum(one.felt_seconds for one in felt.values()),
        "counted_seconds": sum(one.counted_seconds or 0 for one in felt.values()),
        "red": sum(one.red for one in felt.values()),
        "green_over_red_count": len(hidden),
        "green_over_red": hidden[:LISTED],
    }


def felt_by(order: Watched, now: datetime) -> Experience:
    """What the customer of an order felt; the order has an opening."""
    assert order.timeline is not None
    critical = order.policy.critical_hours.at(order.zone)
    return experience(order.timeline, order.states, critical, now, order.policy.red_after_seconds)


def worded(item: _Worded) -> dict[str, Any]:
    return {"code": item.code, "params": dict(item.params), "message": item.message}


def _clock(state: ClockState) -> dict[str, Any]:
    return {
        "clock": state.clock,
        "status": state.status,
        "target_seconds": state.target_seconds,
        "elapsed_seconds": state.elapsed_seconds,
        "remaining_seconds": state.remaining_seconds,
        "due": None if state.due is None else utc_text(state.due),
        "reached_percent": state.reached_percent,
        "stopped_at": None if state.stopped_at is None else utc_text(state.stopped_at),
        "breached_at": None if state.breached_at is None else utc_text(state.breached_at),
        "crossings": [_crossing(item) for item in state.crossings],
    }


def _crossing(item: Crossing) -> dict[str, Any]:
    return {"percent": item.percent, "at": utc_text(item.at), "level": item.level, "cause": worded(item.cause)}


def _override(override: Any) -> dict[str, Any]:
    return {"level": override.level, "by": override.by, "at": utc_text(override.at), "reason": override.reason}


def _experience(one: Experience) -> dict[str, Any]:
    return {
        "down_seconds": one.down_seconds,
        "felt_seconds": one.felt_seconds,
        "counted_seconds": one.counted_seconds,
        "kept": one.kept,
        "red": one.red,
        "green_over_red": one.green_over_red,
    }


def _percent(kept: int, broken: int) -> float | None:
    """Rounded half up to hundredths."""
    total = kept + broken
    return None if not total else (2 * kept * 10_000 + total) // (2 * total) / 100


def _place(clock: str) -> int:
    return list[str](CLOCKS).index(clock)
