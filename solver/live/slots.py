"""Windows that can be offered to a customer, and what each of them would cost the running plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.collector import collector_paused
from dispatcher.model import TimeWindow
from dispatcher.problem import Problem
from solver.day_state import DayState
from solver.live.day import LiveDay, Option
from solver.stint import Stint

MOST_SLOTS = 120


@dataclass(frozen=True, slots=True)
class Slot:
    """One window (epoch seconds, both ends included) with the engineer who would come at the least cost.

    `cost_milli` is what the plan gets dearer by beside leaving the order undone; None with nobody to come.
    """

    start: int
    end: int
    cost_milli: int | None
    engineer: str | None = None
    shift: str | None = None
    arrival: int | None = None
    candidates: int = 0


@collector_paused()
def slots(day: LiveDay, name: str, windows: Iterable[TimeWindow]) -> tuple[Slot, ...]:
    """Every window, the cheapest first, those that nobody can keep last; the order's own windows do not count.

    Raises:
        NotFound: if the day has no such order.
        WrongState: for the work of teams, running work, and what other orders wait for.
    """
    order = day.order(name)
    state = day.without(order)
    stints = list(day.stints(state, order))
    found = [_slot(day, state, name, stints, window) for window in windows]
    return tuple(sorted(found, key=lambda slot: (slot.cost_milli is None, slot.cost_milli or 0, slot.start, slot.end)))


def _slot(day: LiveDay, state: DayState, name: str, stints: list[tuple[int, Stint]], window: TimeWindow) -> Slot:
    order = day.problem.order_by_id[name]
    best: Option | None = None
    able = set()
    for index, stint in stints:
        shift = state.routes[index].shift
        if shift.start > window.end or shift.latest_end < window.start:
            continue
        option = day.option(state, order, index, replace(stint, windows=((window.start, window.end),)))
        if option is None:
            continue
        able.add(option.engineer.id)
        if best is None or option.delta < best.delta:
            best = option
    if best is None:
        return Slot(window.start, window.end, None)
    return Slot(
        window.start,
        window.end,
        best.delta,
        best.engineer.id,
        state.routes[best.route].shift.id,
        best.made.arrival,
        len(able),
    )


def window_grid(problem: Problem, hours: int, *, start: int | None = None) -> Iterator[TimeWindow]:
    """Windows of so many hours, from midnight on in the problem's zone, that somebody's shift reaches into.

    The first one begins at `start` (epoch seconds, by default now) where that lies inside it; at most MOST_SLOTS.
    """
    first = max(problem.now if start is None else start, problem.now)
    shifts = [(shift.start, shift.latest_end) for engineer in problem.engineers for shift in engineer.shifts]
    local = datetime.fromtimestamp(first, problem.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    count = 0
    while local.timestamp() < problem.end and count < MOST_SLOTS:
        for hour in range(0, 24, hours):
            opens = int((local + timedelta(hours=hour)).timestamp())
            closes = int((local + timedelta(hours=hour + hours)).timestamp())
            window = TimeWindow(max(opens, first), min(closes, problem.end))
            if window.start < window.end and any(a < window.end and window.start < b for a, b in shifts):
                yield window
                count += 1
                if count == MOST_SLOTS:
                    return
        local = (local + timedelta(days=1)).replace(hour=0)
