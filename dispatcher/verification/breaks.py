"""Breaks: each that is due once, whole and inside its window, and no other."""

from dispatcher.verification.case import Case, Service
from dispatcher.verification.document import Route, Stop
from dispatcher.verification.facts import Break


def check_break_stop(case: Case, route: Route, stop: Stop, free: int | None) -> None:
    if free is not None and stop.start < free:
        case.add_to_route(
            route,
            "break",
            "BREAK_TOO_EARLY",
            f"{stop.path}.start",
            "a break starts at {stated}, before the stop before is over at {expected}.",
            stated=case.facts.clock(stop.start),
            expected=case.facts.clock(free),
        )
    case.add_if_before_now(route, stop.start, f"{stop.path}.start", "a break starts")


def check_breaks_taken(case: Case, route: Route, running: Service | None) -> None:
    busy_until = case.facts.now if running is None else max(case.facts.now, running.stop.end)
    due = [rest for rest in route.shift.breaks if rest.latest_start >= busy_until]
    taken = [stop for stop in route.stops if stop.kind == "break"]
    missed, extra = _unmatched(due, taken)
    clock = case.facts.clock
    for rest in missed:
        case.add_to_route(
            route,
            "break",
            "BREAK_MISSING",
            f"{route.path}.stops",
            "misses the break of {duration_seconds} s to start from {earliest_start} to {latest_start}.",
            duration_seconds=rest.duration_seconds,
            earliest_start=clock(rest.earliest_start),
            latest_start=clock(rest.latest_start),
        )
    for stop in extra:
        case.add_to_route(
            route,
            "break",
            "BREAK_NOT_DUE",
            stop.path,
            "the break of {duration_seconds} s at {start} is none that is due then, whole and untaken.",
            duration_seconds=stop.end - stop.start,
            start=clock(stop.start),
        )


def _unmatched(due: list[Break], taken: list[Stop]) -> tuple[list[Break], list[Stop]]:
    """What is left of both sides of a largest matching; greed would fail where two windows overlap."""
    break_of: dict[int, int] = {}

    def assign(index: int, tried: set[int]) -> bool:
        for candidate, stop in enumerate(taken):
            if candidate in tried or not _fits(due[index], stop):
                continue
            tried.add(candidate)
            if candidate not in break_of or assign(break_of[candidate], tried):
                break_of[candidate] = index
                return True
        return False

    missed = [rest for index, rest in enumerate(due) if not assign(index, set())]
    return missed, [stop for candidate, stop in enumerate(taken) if candidate not in break_of]


def _fits(rest: Break, stop: Stop) -> bool:
    in_window = rest.earliest_start <= stop.start <= rest.latest_start
    return in_window and stop.end - stop.start == rest.duration_seconds
