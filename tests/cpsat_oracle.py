"""The optimum of a small problem by CP-SAT: a model of the planning document that shares nothing with our search.

Modelled: shifts with breaks, overtime, open ends and limits of orders; windows, lateness of every kind, values;
qualification with substitution, pace and speed; teams with every presence and arrival mode, sizes, collective skills
and standby; setup, parts, dependencies, associations, preferences, allowed and excluded engineers; the rules named
in `MODELLED_RULES`. Not modelled, and refused: traffic, certificates that run out, pins, a current plan, orders at the
place where a shift starts or ends.

Like the scheduler it lets engineers go home at once; every other departure and start may be held back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from typing import Any

from ortools.sat.python import cp_model

from dispatcher.model import LEAD, Engineer, Role, Shift, WorkOrder, round_half_up
from dispatcher.objective import RULES_BY_LEVEL
from dispatcher.plan import Member, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from dispatcher.service import service_seconds

MODELLED_RULES = frozenset(
    {"unserved", "travel", "overtime", "substitution", "preference", "association", "worst_lateness", "engineers_used"}
    | set(RULES_BY_LEVEL)
)
WORKERS = 1


class NotModelled(Exception):  # noqa: N818
    """The problem asks for something the model does not have."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """The smallest total there is, with sequences that reach it; `proven` where the time was enough."""

    total: int
    proven: bool
    sequences: Sequences


@dataclass(eq=False, slots=True)
class Node:
    """A stop that a shift may have. `place` is where an on-site stop is; others happen where the engineer is."""

    shift: "Tour"
    order: WorkOrder | None
    role: str | None
    presence: str
    rest: int | None
    lit: Any
    start: Any
    end: Any
    arrival: Any
    departure: Any
    travel: Any
    at: Any
    place: str | None


@dataclass(eq=False, slots=True)
class Tour:
    """A shift with its stops; `arcs` by the stops they join, None for start and end."""

    engineer: Engineer
    shift: Shift
    used: Any
    nodes: list[Node] = field(default_factory=list)
    arcs: dict[tuple[Node | None, Node | None], Any] = field(default_factory=dict)
    end: Any = None
    home_departure: Any = None


def optimum(problem: Problem, seconds: float = 60.0) -> Optimum:
    """The optimum of a problem, or the best found in time.

    Raises:
        NotModelled: for what the model does not have.
        AssertionError: where not even the empty plan was found.
    """
    return _Model(problem).solve(seconds)


class _Model:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.costs: list[Any] = []
        shifts = [(engineer, shift) for engineer in problem.engineers for shift in engineer.shifts]
        self.low = min([problem.start, problem.now])
        self.high = max([problem.end, *(shift.latest_end for _, shift in shifts)])
        self.refuse_what_is_not_modelled()
        self.served = {order.id: self.flag() for order in problem.work_orders}
        self.late: list[Any] = []
        self.standby: list[tuple[WorkOrder, Role, Engineer, Any]] = []
        self.tours = [self.tour(engineer, shift) for engineer, shift in shifts]
        self.nodes = [node for tour in self.tours for node in tour.nodes]
        self.starts = {order.id: self.time() for order in problem.work_orders}
        self.ends = {order.id: self.time() for order in problem.work_orders}
        for order in problem.work_orders:
            self.one_order(order)
        self.relations()
        self.parts()
        self.whole_plan_rules()
        self.model.minimize(sum(self.costs))

    def refuse_what_is_not_modelled(self) -> None:
        problem = self.problem
        weighted = {rule for rule, weight in problem.weights.flat.items() if weight}
        homes = {
            place
            for engineer in problem.engineers
            for shift in engineer.shifts
            for place in (shift.start_location, shift.end_location)
        }
        zero_without_plan = {"change", "change_shift"}
        rules = weighted - MODELLED_RULES - zero_without_plan
        if rules or problem.previous or any(order.pin or order.location in homes for order in problem.work_orders):
            raise NotModelled(f"rules {sorted(rules)}, a current plan, a pin, or an order at a start or end")
        held = chain.from_iterable(engineer.skills for engineer in problem.engineers)
        if any(skill.valid_until is not None for skill in held) or any(
            self.leg(one.id, other.id, engineer, problem.start) != self.leg(one.id, other.id, engineer, hour)
            for one in problem.locations
            for other in problem.locations
            for engineer in problem.engineers
            for hour in range(problem.start, problem.end, 3600)
        ):
            raise NotModelled("certificates that run out, or traffic")

    # What everything is made of

    def flag(self) -> Any:
        return self.model.new_bool_var("")

    def time(self) -> Any:
        return self.model.new_int_var(self.low, self.high, "")

    def amount(self, most: int) -> Any:
        return self.model.new_int_var(0, most, "")

    def leg(self, origin: str, destination: str, engineer: Engineer, at: int | None = None) -> int:
        return self.problem.leg_seconds(origin, destination, self.problem.start if at is None else at, engineer)

    def cost(self, rule: str, amount: Any, order: WorkOrder | None = None) -> None:
        by_level = rule in RULES_BY_LEVEL and order is not None
        weight = self.problem.weights.of(rule, order.level if by_level and order else None)
        if weight:
            self.costs.append(weight * amount)

    # Routes

    def tour(self, engineer: Engineer, shift: Shift) -> Tour:
        tour = Tour(engineer, shift, self.flag())
        for order in self.problem.work_orders:
            if order.admits(engineer.id):
                tour.nodes.extend(self.work(tour, order))
        for index, rest in enumerate(shift.breaks):
            if rest.latest_start >= self.problem.now:
                node = self.node(tour, None, None, "break", index)
                self.model.add(node.start >= rest.earliest_start)
                self.model.add(node.start <= rest.latest_start)
                self.model.add(node.end == node.start + rest.duration_seconds)
                self.model.add(node.lit == tour.used)
                tour.nodes.append(node)
        work = [node.lit for node in tour.nodes if node.order is not None]
        self.model.add(sum(work) >= tour.used)
        if shift.max_work_orders is not None:
            self.model.add(sum(work) <= shift.max_work_orders)
        self.circuit(tour)
        return tour

    def work(self, tour: Tour, order: WorkOrder) -> Iterator[Node]:
        roles = [None] if order.team is None else [role.name for role in order.team.roles if role.presence != "standby"]
        for role in roles:
            answer = self.problem.qualification(tour.engineer, order, role, self.problem.now)
            if answer.qualified:
                node = self.node(tour, order, role, order.presence(role), None)
                self.cost("substitution", int(answer.penalty) * node.lit)
                yield node

    def node(self, tour: Tour, order: WorkOrder | None, role: str | None, presence: str, rest: int | None) -> Node:
        start, end, arrival, departure = (self.time() for _ in range(4))
        at = None if presence == "on_site" else self.model.new_int_var(0, len(self.problem.locations) - 1, "")
        place = order.location if order is not None and presence == "on_site" else None
        travel = self.amount(10**6)
        node = Node(tour, order, role, presence, rest, self.flag(), start, end, arrival, departure, travel, at, place)
        self.model.add(node.start >= self.problem.now)
        return node

    def circuit(self, tour: Tour) -> None:
        model, numbered = self.model, dict(enumerate(tour.nodes, start=1))
        arcs: list[tuple[int, int, Any]] = [(0, 0, tour.used.Not())]
        for number, stop in numbered.items():
            arcs.append((number, number, stop.lit.Not()))
            for other, next_stop in numbered.items():
                if other != number:
                    tour.arcs[stop, next_stop] = self.flag()
                    arcs.append((number, other, tour.arcs[stop, next_stop]))
            tour.arcs[None, stop], tour.arcs[stop, None] = self.flag(), self.flag()
            arcs += [(0, number, tour.arcs[None, stop]), (number, 0, tour.arcs[stop, None])]
        model.add_circuit(arcs)
        tour.end, tour.home_departure = self.time(), self.time()
        home = self.amount(10**6)
        self.cost("travel", home)
        for (node, then), lit in tour.arcs.items():
            free = max(tour.shift.start, self.problem.now) if node is None else node.end
            if then is None:
                assert node is not None
                seconds = 0 if tour.shift.end_location is None else self.from_node(node, tour.shift.end_location)
                model.add(home == seconds).only_enforce_if(lit)
                model.add(tour.home_departure == node.end).only_enforce_if(lit)
                model.add(tour.end == node.end + seconds).only_enforce_if(lit)
            elif then.place is None:
                model.add(then.start >= free).only_enforce_if(lit)
                model.add(then.departure == then.start)
                model.add(then.travel == 0)
                model.add(then.at == self.place_after(tour, node)).only_enforce_if(lit)
            else:
                start = tour.shift.start_location
                seconds = (
                    self.leg(start, then.place, tour.engineer) if node is None else self.from_node(node, then.place)
                )
                model.add(then.travel == seconds).only_enforce_if(lit)
                model.add(then.departure >= free).only_enforce_if(lit)
        for node in tour.nodes:
            if node.place is not None:
                model.add(node.arrival == node.departure + node.travel).only_enforce_if(node.lit)
                model.add(node.start >= node.arrival).only_enforce_if(node.lit)
            model.add(node.travel == 0).only_enforce_if(node.lit.Not())
            self.cost("travel", node.travel)
            if node.order is not None:
                model.add(node.end == node.start + self.duration(node)).only_enforce_if(node.lit)
        model.add(home == 0).only_enforce_if(tour.used.Not())
        model.add(tour.end <= tour.shift.latest_end).only_enforce_if(tour.used)
        over = self.amount(self.high - self.low)
        model.add(over >= tour.end - tour.shift.end).only_enforce_if(tour.used)
        self.cost("overtime", over)

    def place_after(self, tour: Tour, node: Node | None) -> Any:
        if node is not None and node.place is None:
            return node.at
        return self.problem.location_index[tour.shift.start_location if node is None else str(node.place)]

    def from_node(self, node: Node, place: str) -> Any:
        """Seconds from where a stop leaves the engineer."""
        if node.place is not None:
            return self.leg(node.place, place, node.shift.engineer)
        seconds = self.amount(10**6)
        legs = [self.leg(location.id, place, node.shift.engineer) for location in self.problem.locations]
        self.model.add_element(node.at, legs, seconds)
        return seconds

    def duration(self, node: Node) -> Any:
        """Service by the team's size, and setup unless the stop before was at the same place."""
        order = node.order
        assert order is not None
        seconds = self.amount(10**6)
        sizes = self.size_flags(order)
        for size, lit in sizes.items():
            needed = service_seconds(self.problem, node.shift.engineer, order, node.role, size, self.problem.now)
            self.model.add(seconds == needed).only_enforce_if(lit, node.lit)
        if node.presence == "remote" or not order.setup_seconds:
            return seconds
        setup = self.amount(order.setup_seconds)
        here = self.problem.location_index[order.location]
        for (before, then), lit in node.shift.arcs.items():
            if then is not node:
                continue
            if before is not None and before.place is None:
                same = self.flag()
                self.model.add(before.at == here).only_enforce_if(same)
                self.model.add(before.at != here).only_enforce_if(same.Not())
                self.model.add(setup == order.setup_seconds).only_enforce_if(lit, same.Not())
                self.model.add(setup == 0).only_enforce_if(lit, same)
            else:
                is_same = before is not None and before.place == order.location
                self.model.add(setup == (0 if is_same else order.setup_seconds)).only_enforce_if(lit)
        return seconds + setup

    def size_flags(self, order: WorkOrder) -> Mapping[int, Any]:
        """Flags by the number of on-site members, of which one holds where the order is served."""
        known = self.__dict__.setdefault("_sizes", {})
        if order.id not in known:
            on_site = [role for role in order.team.roles if role.presence == "on_site"] if order.team else []
            most = sum(role.maximum for role in on_site) if order.team else 1
            known[order.id] = {size: self.flag() for size in range(1, most + 1)}
            self.model.add(sum(known[order.id].values()) == self.served[order.id])
        found: Mapping[int, Any] = known[order.id]
        return found

    # Orders

    def of(self, order: WorkOrder, presence: str | None = None) -> list[Node]:
        found = [node for node in self.nodes if node.order is order]
        return found if presence is None else [node for node in found if node.presence == presence]

    def one_order(self, order: WorkOrder) -> None:
        model, served = self.model, self.served[order.id]
        on_site = self.of(order, "on_site")
        self.costs.append(int(self.problem.weights.of("unserved") * order.value) * served.Not())
        model.add(sum(node.lit for node in on_site) == sum(k * lit for k, lit in self.size_flags(order).items()))
        for engineer in self.problem.engineers:
            model.add(sum(node.lit for node in self.of(order) if node.shift.engineer is engineer) <= 1)
        self.chosen(on_site, served, lambda node: self.starts[order.id] == node.start)
        self.chosen(on_site, served, lambda node: self.ends[order.id] == node.end)
        for node in on_site:
            model.add(self.starts[order.id] <= node.start).only_enforce_if(node.lit)
            model.add(self.ends[order.id] >= node.end).only_enforce_if(node.lit)
        if order.time_windows:
            inside = [self.flag() for _ in order.time_windows]
            model.add(sum(inside) == served)
            for lit, window in zip(inside, order.time_windows, strict=True):
                for node in on_site:
                    model.add(node.start >= window.start).only_enforce_if(lit, node.lit)
                    model.add(node.start <= window.end).only_enforce_if(lit, node.lit)
        self.lateness(order, on_site)
        if order.team is None:
            model.add(sum(node.lit for node in on_site) == served)
        else:
            self.team(order, on_site)

    def chosen(self, nodes: Sequence[Node], served: Any, says: Any) -> None:
        """One of the stops, where the order is served, is the one that something is equal to."""
        picks = [self.flag() for _ in nodes]
        self.model.add(sum(picks) == served)
        for pick, node in zip(picks, nodes, strict=True):
            self.model.add_implication(pick, node.lit)
            self.model.add(says(node)).only_enforce_if(pick)

    def lateness(self, order: WorkOrder, on_site: Sequence[Node]) -> None:
        deadlines, served = order.deadlines, self.served[order.id]
        span = self.high - self.low
        if deadlines.arrive_by is not None:
            late = self.amount(span)
            by = deadlines.arrive_by
            self.chosen(on_site, served, lambda node: late >= node.arrival - by)
            self.late_rule("late_arrival", order, [late], by)
        if deadlines.start_by is not None:
            lates = []
            for node in on_site:
                late = self.amount(span)
                self.model.add(late >= node.start - deadlines.start_by).only_enforce_if(node.lit)
                lates.append(late)
            self.late_rule("late_start", order, lates, deadlines.start_by)
        if deadlines.restore_by is not None:
            late = self.amount(span)
            self.model.add(late >= self.ends[order.id] - deadlines.restore_by).only_enforce_if(served)
            self.late_rule("late_restore", order, [late], deadlines.restore_by)

    def late_rule(self, rule: str, order: WorkOrder, lates: Sequence[Any], by: int) -> None:
        unserved = max(0, self.problem.end - by)
        left = self.served[order.id].Not()
        self.cost(rule, sum(lates) + unserved * left, order)
        once = self.flag()
        self.model.add(sum(lates) == 0).only_enforce_if(once.Not())
        self.cost(f"{rule}_once", once + (unserved > 0) * left, order)
        self.late += lates

    def team(self, order: WorkOrder, on_site: Sequence[Node]) -> None:
        team, model, served = order.team, self.model, self.served[order.id]
        assert team is not None
        remote = self.of(order, "remote")
        waiting: list[tuple[Engineer, Any]] = []
        for role in team.roles:
            held = [node.lit for node in self.of(order) if node.role == role.name]
            if role.presence == "standby":
                ready = list(self.stands_by(order, role))
                waiting += ready
                held = [lit for _, lit in ready]
            model.add(sum(held) >= role.minimum * served)
            model.add(sum(held) <= role.maximum * served)
        for engineer in self.problem.engineers:
            lits = [lit for who, lit in waiting if who is engineer]
            model.add(sum(lits) + sum(node.lit for node in self.of(order) if node.shift.engineer is engineer) <= 1)
        for skill in team.collective_skills:
            able = [n.lit for n in self.of(order) if self.problem.holds(n.shift.engineer, (skill,), self.problem.now)]
            model.add(sum(able) >= served)
        arrival, first = team.arrival, self.starts[order.id]
        leads = [node for node in (*on_site, *remote) if arrival.mode == "lead_first" and node.role == LEAD]
        for node in remote:
            if node not in leads:
                model.add(node.start == first).only_enforce_if(node.lit)
        for node in on_site:
            if arrival.mode == "together":
                model.add(node.start == first).only_enforce_if(node.lit)
            elif arrival.mode == "staggered" and arrival.max_gap_seconds is not None:
                model.add(node.start - first <= arrival.max_gap_seconds).only_enforce_if(node.lit)
            for lead in leads:
                if node.role != LEAD:
                    both = (node.lit, lead.lit)
                    model.add(node.start - lead.start >= arrival.min_gap_seconds).only_enforce_if(*both)
                    if arrival.max_gap_seconds is not None:
                        model.add(node.start - lead.start <= arrival.max_gap_seconds).only_enforce_if(*both)

    def stands_by(self, order: WorkOrder, role: Role) -> Iterator[tuple[Engineer, Any]]:
        """Flags for engineers who wait in readiness: able, on shift for all of it, and near enough."""
        problem, model = self.problem, self.model
        start, end = self.starts[order.id], self.ends[order.id]
        for engineer in problem.engineers:
            if not order.admits(engineer.id) or not problem.holds(engineer, role.required_skills, problem.now):
                continue
            lit, ways = self.flag(), []
            for tour in (tour for tour in self.tours if tour.engineer is engineer):
                for way in self.waits_at(tour, order):
                    ways.append(way)
                    model.add(start >= tour.shift.start).only_enforce_if(way)
                    model.add(end <= tour.shift.latest_end).only_enforce_if(way)
            model.add(sum(ways) == lit)
            self.standby.append((order, role, engineer, lit))
            yield engineer, lit

    def waits_at(self, tour: Tour, order: WorkOrder) -> Iterator[Any]:
        """A flag for every stop that may be the last one left for when the team starts, and for none."""
        model, start, end = self.model, self.starts[order.id], self.ends[order.id]
        for node in (None, *tour.nodes):
            way = self.flag()
            if node is None:
                model.add(
                    start + self.leg(tour.shift.start_location, order.location, tour.engineer) <= end
                ).only_enforce_if(way)
            else:
                model.add_implication(way, node.lit)
                model.add(node.departure <= start).only_enforce_if(way)
                travel = self.from_node(node, order.location)
                model.add(start + travel <= end).only_enforce_if(way)
                model.add(node.end + travel <= end).only_enforce_if(way)
            for (before, then), lit in tour.arcs.items():
                if before is not node:
                    continue
                if then is not None:
                    model.add(then.departure > start).only_enforce_if(way, lit)
                elif tour.shift.end_location is not None:
                    model.add(tour.home_departure > start).only_enforce_if(way, lit)
            yield way
        if tour.shift.end_location is not None:
            way = self.flag()
            model.add_implication(way, tour.used)
            model.add(tour.home_departure <= start).only_enforce_if(way)
            travel = self.leg(tour.shift.end_location, order.location, tour.engineer)
            model.add(start + travel <= end).only_enforce_if(way)
            model.add(tour.end + travel <= end).only_enforce_if(way)
            yield way

    # What binds several orders

    def relations(self) -> None:
        for order in self.problem.work_orders:
            for dependency in order.depends_on:
                ended: Any = dependency.completed_at
                flags = [self.served[order.id]]
                if dependency.work_order is not None:
                    ended = self.ends[dependency.work_order]
                    self.model.add_implication(self.served[order.id], self.served[dependency.work_order])
                gap = self.starts[order.id] - ended
                self.model.add(gap >= dependency.min_gap_seconds).only_enforce_if(*flags)
                if dependency.max_gap_seconds is not None:
                    self.model.add(gap <= dependency.max_gap_seconds).only_enforce_if(*flags)
        by_id = self.problem.order_by_id
        for one, other in self.problem.related_pairs:
            shared = []
            for engineer in self.problem.engineers:
                both = self.flag()
                for name in (one, other):
                    there = [n.lit for n in self.of(by_id[name], "on_site") if n.shift.engineer is engineer]
                    self.model.add(sum(there) >= both)
                shared.append(both)
            apart = self.flag()
            self.model.add(apart + sum(shared) >= self.served[one] + self.served[other] - 1)
            self.cost("association", apart)

    def parts(self) -> None:
        taken: dict[tuple[Tour, str], list[Any]] = {}
        for order in self.problem.work_orders:
            for part, number in order.parts.items():
                shares = []
                for tour in self.tours:
                    here = [node.lit for node in self.of(order, "on_site") if node.shift is tour]
                    share = self.amount(number)
                    self.model.add(share <= number * sum(here))
                    shares.append(share)
                    taken.setdefault((tour, part), []).append(share)
                self.model.add(sum(shares) == number * self.served[order.id])
        for (tour, part), shares in taken.items():
            self.model.add(sum(shares) <= tour.engineer.parts.get(part, 0))

    def whole_plan_rules(self) -> None:
        for order in self.problem.work_orders:
            if order.preferred_engineers:
                outside = self.flag()
                for node in self.of(order, "on_site"):
                    if node.shift.engineer.id not in order.preferred_engineers:
                        self.model.add_implication(node.lit, outside)
                self.cost("preference", outside)
        for engineer in self.problem.engineers:
            used = self.flag()
            for tour in self.tours:
                if tour.engineer is engineer:
                    self.model.add_implication(tour.used, used)
            self.cost("engineers_used", used)
        worst = self.amount(self.high - self.low)
        for late in self.late:
            self.model.add(worst >= late)
        self.cost("worst_lateness", worst)

    # The answer

    def solve(self, seconds: float) -> Optimum:
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.num_workers = WORKERS
        status = solver.solve(self.model)
        assert status in (cp_model.OPTIMAL, cp_model.FEASIBLE), solver.status_name(status)
        routes = tuple(route for tour in self.tours if (route := self.route(solver, tour)).visits)
        standby: dict[str, tuple[Member, ...]] = {}
        for order, role, engineer, lit in self.standby:
            if solver.value(lit):
                standby[order.id] = (*standby.get(order.id, ()), Member(engineer.id, role.name))
        total = round_half_up(Fraction(round(solver.objective_value), 1000))
        return Optimum(total, status == cp_model.OPTIMAL, Sequences(routes, standby))

    def route(self, solver: cp_model.CpSolver, tour: Tour) -> RouteSequence:
        visits: list[Visit | Rest] = []
        node: Node | None = None
        while True:
            then = next(
                (then for (before, then), lit in tour.arcs.items() if before is node and solver.value(lit)), None
            )
            if then is None:
                return RouteSequence(tour.engineer.id, tour.shift.id, tuple(visits))
            node = then
            if node.order is None:
                assert node.rest is not None
                visits.append(Rest(node.rest))
            else:
                leave = solver.value(node.departure) if node.presence == "on_site" else None
                visits.append(Visit(node.order.id, node.role, solver.value(node.start), leave))
