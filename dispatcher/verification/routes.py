"""One route, stop by stop: its structure, its shift, and whether its travel and its times hold together."""

from dispatcher.verification.breaks import check_break_stop, check_breaks_taken
from dispatcher.verification.case import Case, Service
from dispatcher.verification.document import Route, Stop
from dispatcher.verification.work import check_claims, check_duration, check_qualification


def check_routes(case: Case) -> None:
    services = {id(service.stop): service for group in case.services.values() for service in group}
    seen: set[tuple[str, str]] = set()
    for route in case.plan.routes:
        key = (route.engineer.id, route.shift.id)
        if key in seen:
            case.add_to_route(
                route,
                "structure",
                "SHIFT_TWICE",
                route.path,
                "the shift has more than one route.",
            )
        seen.add(key)
        _RouteCheck(case, route, services).run()


class _RouteCheck:
    """Walks the stops in order, carrying where the engineer is and since when they are free."""

    def __init__(self, case: Case, route: Route, services: dict[int, Service]) -> None:
        self._case = case
        self._route = route
        self._services = services
        self._place: str | None = None
        self._free: int | None = None
        self._last_site: str | None = None
        self._running = self._running_service()

    def _running_service(self) -> Service | None:
        """The work already under way, which must be the first stop of its route."""
        if len(self._route.stops) < 2 or self._route.stops[1].order is None:
            return None
        service = self._services[id(self._route.stops[1])]
        return service if self._case.has_started(service) else None

    def run(self) -> None:
        self._structure()
        for stop in self._route.stops:
            if stop.kind == "start":
                self._start(stop)
            elif stop.kind == "break":
                check_break_stop(self._case, self._route, stop, self._free)
                self._free = stop.end
            elif stop.kind == "end":
                self._end(stop)
            else:
                self._work(stop, self._services[id(stop)])
        self._bounds()
        check_breaks_taken(self._case, self._route, self._running)

    def _add(self, rule: str, code: str, path: str, template: str, /, **params: object) -> None:
        self._case.add_to_route(self._route, rule, code, path, template, **params)

    def _structure(self) -> None:
        stops, path = self._route.stops, f"{self._route.path}.stops"
        is_open = self._route.shift.end_location is None
        if not self._route.work:
            self._add("structure", "EMPTY_ROUTE", path, "the route has no work order; it should be left out.")
        if not stops or stops[0].kind != "start":
            self._add("structure", "NO_START_STOP", path, "the first stop should be the start stop.")
        if not is_open and (not stops or stops[-1].kind != "end"):
            self._add("structure", "NO_END_STOP", path, "the last stop should be the end stop.")
        for index, stop in enumerate(stops):
            if stop.kind == "start" and index > 0:
                self._add("structure", "START_STOP_MISPLACED", stop.path, "a start stop follows other stops.")
            if stop.kind == "end" and is_open:
                self._add("structure", "END_STOP_ON_OPEN_ROUTE", stop.path, "an open route has no end stop.")
            elif stop.kind == "end" and index < len(stops) - 1:
                self._add("structure", "END_STOP_MISPLACED", stop.path, "stops follow after the end stop.")

    def _start(self, stop: Stop) -> None:
        shift, clock = self._route.shift, self._case.facts.clock
        if self._running is not None:
            self._running_start(stop, self._running)
        else:
            if stop.location != shift.start_location:
                self._add(
                    "shift",
                    "START_LOCATION",
                    f"{stop.path}.location",
                    "starts at {stated}, but the shift starts at {expected}.",
                    stated=stop.location,
                    expected=shift.start_location,
                )
            if stop.end < shift.start:
                self._add(
                    "shift",
                    "BEFORE_SHIFT_START",
                    f"{stop.path}.end",
                    "starts at {stated}, before the shift does at {expected}.",
                    stated=clock(stop.end),
                    expected=clock(shift.start),
                )
            self._case.add_if_before_now(self._route, stop.end, f"{stop.path}.end", "the route starts")
        self._place, self._free = stop.location, stop.end

    def _running_start(self, stop: Stop, running: Service) -> None:
        order, clock = running.order, self._case.facts.clock
        if stop.location != order.location:
            self._add(
                "pin",
                "RUNNING_ELSEWHERE",
                f"{stop.path}.location",
                "{work_order} is running, so the route starts at its location {expected}, not at {stated}.",
                work_order=order.id,
                stated=stop.location,
                expected=order.location,
            )
        expected = order.pin_start or 0
        if stop.end != expected:
            self._add(
                "pin",
                "RUNNING_START_STOP",
                f"{stop.path}.end",
                "{work_order} is running, so the start stop ends at {expected}, not at {stated}.",
                work_order=order.id,
                stated=clock(stop.end),
                expected=clock(expected),
            )

    def _end(self, stop: Stop) -> None:
        expected = self._route.shift.end_location
        if expected is not None and stop.location != expected:
            self._add(
                "shift",
                "END_LOCATION",
                f"{stop.path}.location",
                "ends at {stated}, but the shift ends at {expected}.",
                stated=stop.location,
                expected=expected,
            )
        self._leg(stop, stop.location, may_leave_before_now=False)
        self._place, self._free = stop.location, stop.arrival

    def _bounds(self) -> None:
        shift, clock = self._route.shift, self._case.facts.clock
        if self._route.stops and self._route.end > shift.latest_end:
            self._add(
                "shift",
                "AFTER_LATEST_END",
                self._route.stops[-1].path,
                "is over at {stated}, after the latest end {expected}.",
                stated=clock(self._route.end),
                expected=clock(shift.latest_end),
            )
        work = len(self._route.work)
        if shift.max_work_orders is not None and work > shift.max_work_orders:
            self._add(
                "max_work_orders",
                "TOO_MANY_WORK_ORDERS",
                f"{self._route.path}.stops",
                "has {stated} work stops, but the shift takes at most {expected}.",
                stated=work,
                expected=shift.max_work_orders,
            )

    def _leg(self, stop: Stop, destination: str, *, may_leave_before_now: bool) -> None:
        if self._place is None or self._free is None:
            return
        clock = self._case.facts.clock
        departure = stop.arrival - stop.travel_seconds
        if departure < self._free:
            self._add(
                "travel",
                "LEAVES_TOO_EARLY",
                f"{stop.path}.arrival",
                "leaves for {destination} at {stated}, before the stop before is over at {expected}.",
                destination=destination,
                stated=clock(departure),
                expected=clock(self._free),
            )
        if not may_leave_before_now:
            what = f"the leg to {destination} departs"
            self._case.add_if_before_now(self._route, departure, f"{stop.path}.arrival", what)
        speed_factor = self._route.engineer.speed_factor
        expected = self._case.legs.seconds(self._place, destination, speed_factor, departure)
        if expected is None:
            self._add(
                "travel",
                "NO_TRAVEL_TIME",
                f"{stop.path}.travel_seconds",
                "the problem tells no travel time from {origin} to {destination}.",
                origin=self._place,
                destination=destination,
            )
        elif expected != stop.travel_seconds:
            self._add(
                "travel",
                "TRAVEL_SECONDS",
                f"{stop.path}.travel_seconds",
                "states {stated} s from {origin} to {destination}, but it is {expected} s for {departure}.",
                origin=self._place,
                destination=destination,
                departure=clock(departure),
                stated=stop.travel_seconds,
                expected=expected,
            )
        self._meters(stop, self._case.legs.meters(self._place, destination))

    def _meters(self, stop: Stop, expected: int | None) -> None:
        if stop.travel_meters is not None and expected is not None and stop.travel_meters != expected:
            self._add(
                "travel",
                "TRAVEL_METERS",
                f"{stop.path}.travel_meters",
                "states a leg of {stated} m, but it is {expected} m long.",
                stated=stop.travel_meters,
                expected=expected,
            )

    def _work(self, stop: Stop, service: Service) -> None:
        order, facts = service.order, self._case.facts
        is_first = service is self._running
        if service.is_remote:
            self._remote_leg(stop, order.id)
        else:
            if stop.location != order.location:
                self._add(
                    "travel",
                    "WRONG_LOCATION",
                    f"{stop.path}.location",
                    "{work_order} is at {expected}, not at {stated}.",
                    work_order=order.id,
                    stated=stop.location,
                    expected=order.location,
                )
            self._leg(stop, order.location, may_leave_before_now=is_first)
        if stop.arrival > stop.start:
            self._add(
                "travel",
                "STARTS_BEFORE_ARRIVAL",
                f"{stop.path}.start",
                "{work_order} starts at {stated}, before the arrival at {expected}.",
                work_order=order.id,
                stated=facts.clock(stop.start),
                expected=facts.clock(stop.arrival),
            )
        if not facts.is_running(order):
            self._case.add_if_before_now(self._route, stop.start, f"{stop.path}.start", f"{order.id} starts")
        elif self._case.has_started(service) and not is_first:
            self._add(
                "pin",
                "RUNNING_NOT_FIRST",
                stop.path,
                "{work_order} is running, so it should be the first stop after the start stop.",
                work_order=order.id,
            )
        match = check_qualification(self._case, service)
        pays_setup = not service.is_remote and self._last_site != order.location
        check_duration(self._case, service, match, order.setup_seconds if pays_setup else 0)
        check_claims(self._case, service)
        if not service.is_remote:
            self._place = self._last_site = order.location
        self._free = stop.end

    def _remote_leg(self, stop: Stop, order: str) -> None:
        clock = self._case.facts.clock
        if self._place is not None and stop.location != self._place:
            self._add(
                "travel",
                "REMOTE_LOCATION",
                f"{stop.path}.location",
                "{work_order} is served remotely from where the engineer is, {expected}, not from {stated}.",
                work_order=order,
                stated=stop.location,
                expected=self._place,
            )
        if stop.travel_seconds != 0:
            self._add(
                "travel",
                "REMOTE_TRAVEL",
                f"{stop.path}.travel_seconds",
                "{work_order} is served remotely, so its travel is {expected} s, not {stated} s.",
                work_order=order,
                stated=stop.travel_seconds,
                expected=0,
            )
        self._meters(stop, 0)
        if self._free is not None and stop.arrival != self._free:
            self._add(
                "travel",
                "REMOTE_ARRIVAL",
                f"{stop.path}.arrival",
                "{work_order} is served remotely, so it arrives at the end of the stop before, {expected}, "
                "not at {stated}.",
                work_order=order,
                stated=clock(stop.arrival),
                expected=clock(self._free),
            )
