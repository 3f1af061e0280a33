"""What if: orders moved by hand in a running plan, and what the reference rules say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dispatcher.errors import InvalidInput, Issue, NotFound, RecordKey
from dispatcher.evaluate import Evaluation, evaluate
from dispatcher.plan import Plan, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import ShiftKey
from dispatcher.schedule import build_plan
from solver.live.day import LiveDay
from solver.route_state import RouteState
from solver.stint import Stint, make_stint

MoveKind = Literal["assign", "remove", "swap"]


@dataclass(frozen=True, slots=True)
class Move:
    """One move: `assign` an order to an engineer (at a position among the stops of the shift, or at the best one),
    `remove` it from the plan, or `swap` it with another order. `shift` is needed where an engineer has several."""

    kind: MoveKind
    work_order: str
    engineer: str | None = None
    shift: str | None = None
    position: int | None = None
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The plan with all moves made, feasible or not; the findings of `evaluation` say what it breaks."""

    sequences: Sequences
    plan: Plan
    evaluation: Evaluation


def what_if(day: LiveDay, moves: Sequence[Move]) -> Moved:
    """The running plan with moves made one after the other; breaks are taken where they fit best.

    Raises:
        NotFound: for an order, an engineer or a shift that the day does not have.
        InvalidInput: for a move that makes no sense: of the work of a team, or of what is not in the plan.
    """
    board = _Board(day)
    for number, move in enumerate(moves):
        board.make(move, f"moves[{number}]")
    sequences = board.sequences()
    plan = build_plan(day.problem, sequences)
    return Moved(sequences, plan, evaluate(day.problem, plan))


class _Board:
    """The visits of every route, breaks apart, to be moved about."""

    def __init__(self, day: LiveDay) -> None:
        self._day = day
        self._whole = day.state.sequences()
        self._routes: dict[ShiftKey, list[Visit]] = {}
        self._touched: set[ShiftKey] = set()
        for route in self._whole.routes:
            key = (route.engineer, route.shift)
            self._routes[key] = [visit for visit in route.visits if isinstance(visit, Visit)]

    def make(self, move: Move, path: str) -> None:
        order = self._day.order(move.work_order)
        if order.team is not None:
            raise _senseless(path, f"{order.id} is the work of a team", "Ask for team options instead.")
        if move.kind == "remove":
            self._take(move.work_order, path)
        elif move.kind == "assign":
            self._assign(move, path)
        else:
            self._swap(move, path)

    def _assign(self, move: Move, path: str) -> None:
        key = self._shift_of(move, path)
        if self._place_of(move.work_order) is not None:
            self._take(move.work_order, path)
        visits = self._routes.setdefault(key, [])
        if move.position is not None and move.position > len(visits):
            message = f"the shift has {len(visits)} stops beside it, so there is no position {move.position}"
            raise _senseless(f"{path}.position", message, "Give a position from 0 to that number, or none.")
        position = self._best_position(key, move.work_order) if move.position is None else move.position
        visits.insert(position, Visit(move.work_order))
        self._touched.add(key)

    def _swap(self, move: Move, path: str) -> None:
        if move.other is None:
            raise _senseless(path, "a swap needs `other`", "Name the order to swap with.")
        if self._day.order(move.other).team is not None:
            raise _senseless(path, f"{move.other} is the work of a team", "Ask for team options instead.")
        places = [self._place_of(name) for name in (move.work_order, move.other)]
        if places[0] is None or places[1] is None:
            missing = move.work_order if places[0] is None else move.other
            raise _senseless(path, f"{missing} is not in the plan", "Assign it instead.")
        (key, place), (other_key, other_place) = places[0], places[1]
        self._routes[key][place] = Visit(move.other)
        self._routes[other_key][other_place] = Visit(move.work_order)
        self._touched |= {key, other_key}

    def _take(self, order: str, path: str) -> None:
        found = self._place_of(order)
        if found is None:
            raise _senseless(path, f"{order} is not in the plan", "Assign it instead.")
        key, place = found
        del self._routes[key][place]
        self._touched.add(key)

    def _place_of(self, order: str) -> tuple[ShiftKey, int] | None:
        for key, visits in self._routes.items():
            for place, visit in enumerate(visits):
                if visit.work_order == order:
                    return key, place
        return None

    def _shift_of(self, move: Move, path: str) -> ShiftKey:
        if move.engineer is None:
            raise _senseless(path, "an assignment needs `engineer`", "Name who should do it.")
        engineer = self._day.problem.engineer_by_id.get(move.engineer)
        if engineer is None:
            raise NotFound(RecordKey("engineer", (move.engineer,)))
        if move.shift is not None:
            if (engineer.id, move.shift) not in self._day.problem.shift_by_key:
                raise NotFound(RecordKey("shift", (engineer.id, move.shift)))
            return engineer.id, move.shift
        if len(engineer.shifts) != 1:
            message = f"{engineer.id} has {len(engineer.shifts)} shifts in this plan"
            raise _senseless(path, message, "Name the one with `shift`." if engineer.shifts else "Choose another.")
        return engineer.id, engineer.shifts[0].id

    def _best_position(self, key: ShiftKey, order: str) -> int:
        """Where the order costs least on a route; at its end where it fits nowhere, so that the rules can say why."""
        engineer = self._day.problem.engineer_by_id[key[0]]
        route = self._route(key)
        stint = make_stint(self._day.problem, engineer, self._day.order(order))
        first = self._day.moving[self._index(key)]
        found = None if stint is None or route is None else route.best_insertion(stint, after=first)
        return len(self._routes[key]) if found is None else found[1].position

    def _index(self, key: ShiftKey) -> int:
        state = self._day.state
        return next(index for index in state.routes_of[key[0]] if state.routes[index].key == key)

    def _route(self, key: ShiftKey) -> RouteState | None:
        """The state of a route as it is on the board; None where somebody on it is not qualified."""
        problem = self._day.problem
        engineer, shift = problem.engineer_by_id[key[0]], problem.shift_by_key[key]
        index = self._index(key)
        known = {stint.order.id: stint for stint in self._day.state.routes[index].stints}
        stints: list[Stint] = []
        for visit in self._routes.get(key, ()):
            stint = known.get(visit.work_order)
            is_bound = stint is not None and (stint.order.team or stint.order.depends_on or stint.running_since)
            if stint is None or not is_bound:
                # By hand even what starts soon may be moved, if the rules allow it.
                stint = make_stint(problem, engineer, self._day.order(visit.work_order))
            if stint is None:
                return None
            stints.append(stint)
        return self._day.state.routes[index].varied(shift, stints)

    def sequences(self) -> Sequences:
        routes: list[RouteSequence] = []
        given = {(route.engineer, route.shift): route for route in self._whole.routes}
        for key, visits in self._routes.items():
            if not visits:
                continue
            if key not in self._touched:
                routes.append(given[key])
                continue
            routes.append(RouteSequence(*key, self._with_breaks(key, visits, given.get(key))))
        served = {visit.work_order for visits in self._routes.values() for visit in visits}
        standby = {name: members for name, members in self._whole.standby.items() if name in served}
        return replace(self._whole, routes=tuple(routes), standby=standby)

    def _with_breaks(
        self, key: ShiftKey, visits: Sequence[Visit], given: RouteSequence | None
    ) -> tuple[Visit | Rest, ...]:
        """The visits with the breaks of the shift: where they cost least, else in the places they had."""
        route = self._route(key)
        if route is not None and route.feasible:
            left = iter(visits)
            return tuple(Rest(made.rest) if made.stint is None else next(left) for made in route.made())
        items: list[Visit | Rest] = list(visits)
        for place, item in enumerate(() if given is None else given.visits):
            if isinstance(item, Rest):
                items.insert(min(place, len(items)), item)
        return tuple(items)


def _senseless(path: str, message: str, remedy: str) -> InvalidInput:
    return InvalidInput([Issue(path, "IMPOSSIBLE_MOVE", message, remedy)])
