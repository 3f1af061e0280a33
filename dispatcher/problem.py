"""The immutable snapshot everything is planned and judged against."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.model import Engineer, Location, Shift, WorkOrder
from dispatcher.objective import Weights
from dispatcher.ports import TravelTimes
from skills.graph import SkillGraph
from skills.qualification import HeldSkill, Qualification, RequiredSkill, breakpoints, qualify

ShiftKey = tuple[str, str]
"""A shift is known by (engineer id, shift id)."""


@dataclass(frozen=True, slots=True)
class PreviousService:
    """How `current_plan` served an order: its members (standby apart) and the first on-site start.

    `first_start` is None where all its stops there have roles that are remote by now.
    """

    engineers: frozenset[str]
    first_start: int | None


@dataclass(frozen=True)
class Problem:
    """One planning problem. `now`, `start` and `end` (the horizon) are epoch seconds.

    `previous` holds the orders served by `current_plan`; `current_routes` and `current_teams` are its lists as they are
    in the document, of a day that may have changed since. `sha256` is over the document as canonical JSON.
    """

    id: str
    timezone: ZoneInfo
    now: int
    start: int
    end: int
    locations: tuple[Location, ...]
    engineers: tuple[Engineer, ...]
    work_orders: tuple[WorkOrder, ...]
    skill_graph: SkillGraph
    travel: TravelTimes
    weights: Weights
    previous: Mapping[str, PreviousService] = field(default_factory=dict)
    current_routes: Sequence[Mapping[str, Any]] = ()
    current_teams: Sequence[Mapping[str, Any]] = ()
    sha256: str = ""

    _qualifications: dict[tuple[str, str, str | None], _Timeline] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _holdings: dict[tuple[str, tuple[RequiredSkill, ...]], _Timeline] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _timelines: dict[tuple[tuple[HeldSkill, ...], tuple[RequiredSkill, ...]], _Timeline] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def location_index(self) -> Mapping[str, int]:
        return {location.id: index for index, location in enumerate(self.locations)}

    @cached_property
    def engineer_by_id(self) -> Mapping[str, Engineer]:
        return {engineer.id: engineer for engineer in self.engineers}

    @cached_property
    def order_by_id(self) -> Mapping[str, WorkOrder]:
        return {order.id: order for order in self.work_orders}

    @cached_property
    def shift_by_key(self) -> Mapping[ShiftKey, Shift]:
        return {(engineer.id, shift.id): shift for engineer in self.engineers for shift in engineer.shifts}

    @cached_property
    def related_pairs(self) -> tuple[tuple[str, str], ...]:
        """The unordered distinct pairs of `related_to`, each once, in the order of the document."""
        pairs: dict[tuple[str, str], None] = {}
        for order in self.work_orders:
            for other in sorted(order.related_to):
                if (other, order.id) not in pairs:
                    pairs[(order.id, other)] = None
        return tuple(pairs)

    def part(self, engineers: Iterable[Engineer], work_orders: Iterable[WorkOrder]) -> Problem:
        """The same problem with some of its engineers and orders only, none of them changed.

        What is known about qualifications and places is shared, so a part costs little to make.
        """
        part = replace(self, engineers=tuple(engineers), work_orders=tuple(work_orders))
        vars(part).update(
            _qualifications=self._qualifications,
            _holdings=self._holdings,
            _timelines=self._timelines,
            location_index=self.location_index,
        )
        return part

    def is_running(self, order: WorkOrder) -> bool:
        """Running work was started before `now`: it stays where it is and most hard rules no longer ask."""
        return order.pin is not None and order.pin.start is not None and order.pin.start < self.now

    def qualification(self, engineer: Engineer, order: WorkOrder, role: str | None, at: int) -> Qualification:
        """How well the engineer meets what the order and the role require, for a service that starts at `at`."""
        return self._timeline(engineer, order, role).at(at)

    def qualification_instants(self, engineer: Engineer, order: WorkOrder, role: str | None) -> tuple[int, ...]:
        """The instants after which the answer of `qualification` may change."""
        return self._timeline(engineer, order, role).instants

    def holds(self, engineer: Engineer, required: tuple[RequiredSkill, ...], at: int) -> bool:
        """Whether the engineer holds all of these skills at an instant, whatever the order."""
        return self._holding(engineer, required).at(at).qualified

    def _timeline(self, engineer: Engineer, order: WorkOrder, role: str | None) -> _Timeline:
        key = (engineer.id, order.id, role)
        timeline = self._qualifications.get(key)
        if timeline is None:
            # Many orders ask for the same skills; a new one then finds the answer of those before.
            timeline = self._qualifications[key] = self._holding(engineer, order.required_of(role))
        return timeline

    def _holding(self, engineer: Engineer, required: tuple[RequiredSkill, ...]) -> _Timeline:
        key = (engineer.id, required)
        timeline = self._holdings.get(key)
        if timeline is None:
            timeline = self._holdings[key] = self._shared_timeline(engineer, required)
        return timeline

    def _shared_timeline(self, engineer: Engineer, required: tuple[RequiredSkill, ...]) -> _Timeline:
        """One for all who hold the same of what leads to the skills required."""
        routes = self.skill_graph.routes
        telling = tuple(
            held for held in engineer.skills if any(routes(held.skill, wanted.skill) for wanted in required)
        )
        timeline = self._timelines.get((telling, required))
        if timeline is None:
            timeline = self._timelines[telling, required] = _Timeline(self.skill_graph, telling, required)
        return timeline

    def leg_seconds(self, origin: str, destination: str, departure: int, engineer: Engineer) -> int:
        """Driving seconds of a leg; 0 between equal ids."""
        if origin == destination:
            return 0
        index = self.location_index
        return self.travel.seconds(index[origin], index[destination], departure, engineer.speed_factor)

    def leg_meters(self, origin: str, destination: str) -> int | None:
        """Metres of a leg; None where the matrix came without metres."""
        if not self.travel.has_meters:
            return None
        if origin == destination:
            return 0
        return self.travel.meters(self.location_index[origin], self.location_index[destination])


class _Timeline:
    """A qualification as a function of time: it only changes where a certificate runs out."""

    __slots__ = ("_answers", "_graph", "_held", "_required", "instants")

    def __init__(self, graph: SkillGraph, held: tuple[HeldSkill, ...], required: tuple[RequiredSkill, ...]) -> None:
        self._graph, self._held, self._required = graph, held, required
        self.instants = breakpoints(graph, held, required)
        self._answers: list[Qualification | None] = [None] * (len(self.instants) + 1)

    def at(self, instant: int) -> Qualification:
        segment = bisect_left(self.instants, instant) if self.instants else 0
        answer = self._answers[segment]
        if answer is None:
            answer = qualify(self._graph, self._held, self._required, instant)
            self._answers[segment] = answer
        return answer
