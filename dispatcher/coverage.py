"""How many people on shift hold each skill that open work asks for, hour by hour, against how many it needs.

A row is a skill at a level that some open order asks for; people and work count for every row they fit, so a row also
holds what asks for more than its level. An hour is one of the clock in the zone of the problem.

An order counts as demand of a row while it may be started as promised (`demand.promised_spans`) and anybody is there
who could: what may wait for the morning needs nobody at night. Where nobody who could is there all that time, it counts
while anybody at all is on shift; where nobody is, all that time. What is left is stretched to last as long as the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from dispatcher.demand import asked_skills, longest_work, open_orders, people_at_once, promised_spans, work_seconds
from dispatcher.model import Engineer, WorkOrder
from dispatcher.problem import Problem
from dispatcher.spans import Span, common, merged
from skills.graph import SkillGraph
from skills.qualification import RequiredSkill
from skills.queries import held_until


@dataclass(frozen=True, slots=True)
class Cell:
    """One skill and level in one hour.

    Attributes:
        on_shift: How many people hold it and are on shift, at the moment at which they are fewest: of the moments of
            the hour at which anybody is needed, of all where nobody is. A shift counts from its start up to its end,
            breaks included and overtime not; a certificate to the nearest minute, so that one valid until noon says
            nothing about the hour after.
        needed: How many are needed: what the order that asks for most people at once asks for, of those that count as
            demand in the hour; or what the work of all of them makes, spread evenly over the time in which each counts,
            in whole people, rounded up; whichever is more. Driving is not counted.
        work_seconds: That work.
        alone: Where the fewest are one: who is the only one at such a moment, by id. Most often one person; several
            where one hands over to another.
        alone_at: Those moments, as spans.
    """

    on_shift: int
    needed: int
    work_seconds: int
    alone: tuple[str, ...] = ()
    alone_at: tuple[Span, ...] = ()

    @property
    def is_short(self) -> bool:
        """Whether fewer are on shift than are needed."""
        return self.on_shift < self.needed

    @property
    def is_single_point(self) -> bool:
        """Whether somebody is needed and there is a moment with one person only, and none without anybody."""
        return self.needed > 0 and self.on_shift == 1


@dataclass(frozen=True, slots=True)
class Row:
    """A skill at a level, hour by hour. `orders` are the open orders that ask for it at this level or above, by id."""

    skill: str
    level: int
    orders: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Coverage:
    """The coverage of a problem from now to the end of its horizon.

    Attributes:
        territory: Whose engineers and orders; None is everybody's.
        zone: The zone whose clock makes the hours.
        hours: The hours, without those before the first and after the last in which anybody is on shift or anything
            is needed. The first begins at `now` where that is in it.
        rows: By skill, then level; `cells` are one per hour.
        engineers: Who is on shift in any of the hours, by id.
        on_shift: How many are, in each hour, at the moment at which they are fewest.
    """

    territory: str | None
    zone: ZoneInfo
    hours: tuple[Span, ...]
    rows: tuple[Row, ...]
    engineers: tuple[str, ...]
    on_shift: tuple[int, ...]

    @cached_property
    def single_points(self) -> int:
        """How many cells are single points of failure."""
        return sum(cell.is_single_point for row in self.rows for cell in row.cells)

    @cached_property
    def short_cells(self) -> int:
        """How many cells have fewer people than are needed."""
        return sum(cell.is_short for row in self.rows for cell in row.cells)


def coverage(problem: Problem, territory: str | None = None) -> Coverage:
    """The coverage of a problem, or of one territory of it: its engineers for its orders."""
    engineers = crew(problem, territory)
    hours = clock_hours(max(problem.now, problem.start), problem.end, problem.timezone)
    by_skill: dict[str, list[Asking]] = {}
    asked: set[RequiredSkill] = set()
    for order in open_orders(problem, territory):
        spans, skills = promised_spans(problem, order), asked_skills(order)
        if spans:
            asked |= skills
            for skill in {item.skill for item in skills}:
                by_skill.setdefault(skill, []).append((order, spans))
    everybody = [(engineer.id, _shifts(engineer)) for engineer in engineers]
    manned = _union(everybody)
    rows = []
    for required in sorted(asked, key=lambda item: (item.skill, item.level)):
        present = _presence(problem.skill_graph, engineers, required)
        covered = _union(present)
        asking = [
            (order, _stretched(common(spans, covered) or common(spans, manned) or spans, longest_work(order)))
            for order, spans in by_skill[required.skill]
            if people_at_once(order, required)
        ]
        rows.append(_row(required, hours, asking, present))
    anybody = tuple(fewest for fewest, _, _ in _fewest(hours, everybody, ()))
    return _without_empty_hours(problem, territory, hours, rows, everybody, anybody)


def crew(problem: Problem, territory: str | None) -> tuple[Engineer, ...]:
    """The engineers of a territory; of all (None)."""
    return tuple(item for item in problem.engineers if territory is None or item.territory == territory)


def territories(problem: Problem) -> tuple[str, ...]:
    """Every territory that an engineer or an order of the problem names."""
    named = {item.territory for item in problem.engineers} | {item.territory for item in problem.work_orders}
    return tuple(sorted(name for name in named if name))


def clock_hours(start: int, end: int, zone: ZoneInfo) -> tuple[Span, ...]:
    """The hours of the clock from one instant to another; the first and the last may be cut.

    Where clocks are put back an hour comes twice, where they are put forward one is missing. None is longer than
    3600 s: where clocks move by half an hour, an hour may come in two parts.

    Example:
        >>> [span.seconds for span in clock_hours(1800, 9000, ZoneInfo("UTC"))]
        [1800, 3600, 1800]
    """
    found = []
    while start < end:
        local = datetime.fromtimestamp(start, zone)
        following = min(end, start + 3600 - 60 * local.minute - local.second)
        found.append(Span(start, following))
        start = following
    return tuple(found)


Presence = Sequence[tuple[str, Sequence[Span]]]
"""Who is there, and when."""
Asking = tuple[WorkOrder, Sequence[Span]]
"""An order, and when it counts as demand."""


def _union(present: Presence) -> tuple[Span, ...]:
    return merged(span for _, spans in present for span in spans)


def _stretched(spans: Sequence[Span], seconds: int) -> tuple[Span, ...]:
    """The spans, the last one longer where they are shorter than so many seconds together."""
    missing = seconds - sum(span.seconds for span in spans)
    return (*spans[:-1], Span(spans[-1].start, spans[-1].end + max(0, missing)))


def _presence(graph: SkillGraph, engineers: Iterable[Engineer], required: RequiredSkill) -> Presence:
    """When each engineer is on shift and covers the skill."""
    found = []
    for engineer in engineers:
        until = (held_until(graph, engineer.skills, required) + 30) // 60 * 60
        spans = [Span(span.start, min(span.end, until)) for span in _shifts(engineer) if span.start < until]
        if spans:
            found.append((engineer.id, spans))
    return found


def _shifts(engineer: Engineer) -> list[Span]:
    return [Span(shift.start, shift.end) for shift in engineer.shifts]


def _fewest(
    hours: Sequence[Span], present: Presence, needed: Sequence[Span]
) -> list[tuple[int, tuple[str, ...], tuple[Span, ...]]]:
    """For each hour the fewest people there, and where these are one: who, and when.

    Only moments of `needed` (in order, apart) count, all of an hour in which there is none.
    """
    changes: dict[int, list[tuple[bool, str]]] = {}
    for person, spans in present:
        for span in spans:
            changes.setdefault(span.start, []).append((True, person))
            changes.setdefault(span.end, []).append((False, person))
    instants = sorted(changes)
    here: set[str] = set()
    position = 0
    found = []
    for hour in hours:
        moments: list[tuple[int, str, Span]] = []
        for window in common([hour], needed) or (hour,):
            start = window.start
            while start < window.end:
                while position < len(instants) and instants[position] <= start:
                    # Who goes and comes at the same instant has been there all the time.
                    for comes, person in sorted(changes[instants[position]]):
                        (here.add if comes else here.discard)(person)
                    position += 1
                end = min(window.end, instants[position]) if position < len(instants) else window.end
                moments.append((len(here), next(iter(here)) if len(here) == 1 else "", Span(start, end)))
                start = end
        fewest = min(count for count, _, _ in moments)
        alone = [(who, span) for count, who, span in moments if count == fewest == 1]
        found.append((fewest, tuple(sorted({who for who, _ in alone})), tuple(span for _, span in alone)))
    return found


def _row(required: RequiredSkill, hours: Sequence[Span], orders: Sequence[Asking], present: Presence) -> Row:
    at_once, work = [0] * len(hours), [0] * len(hours)
    for order, spans in orders:
        people, seconds = people_at_once(order, required), work_seconds(order, required)
        for place, share in _shares(hours, spans, seconds):
            at_once[place] = max(at_once[place], people)
            work[place] += share
    needed = merged(span for _, spans in orders for span in spans)
    cells = [
        Cell(fewest, max(people, -(-seconds // hour.seconds)), seconds, alone, alone_at)
        for hour, people, seconds, (fewest, alone, alone_at) in zip(
            hours, at_once, work, _fewest(hours, present, needed), strict=True
        )
    ]
    return Row(required.skill, required.level, tuple(sorted(order.id for order, _ in orders)), tuple(cells))


def _shares(hours: Sequence[Span], spans: Sequence[Span], seconds: int) -> Iterable[tuple[int, int]]:
    """The hours that the spans touch, each with its share of the seconds.

    Shares are whole seconds and add up to what of the spans lies in the hours: rounded down up to the end of each hour.
    """
    total = sum(span.seconds for span in spans)
    before = given = 0
    for place, hour in enumerate(hours):
        inside = sum(max(0, min(span.end, hour.end) - max(span.start, hour.start)) for span in spans)
        if inside:
            before += inside
            share = seconds * before // total - given
            given += share
            yield place, share


def _without_empty_hours(
    problem: Problem,
    territory: str | None,
    hours: tuple[Span, ...],
    rows: Sequence[Row],
    everybody: Presence,
    anybody: tuple[int, ...],
) -> Coverage:
    def there(hour: Span, spans: Iterable[Span]) -> bool:
        return any(span.start < hour.end and hour.start < span.end for span in spans)

    used = [
        place
        for place, hour in enumerate(hours)
        if any(there(hour, spans) for _, spans in everybody) or any(row.cells[place].needed for row in rows)
    ]
    kept = slice(used[0], used[-1] + 1) if used else slice(0)
    return Coverage(
        territory,
        problem.timezone,
        hours[kept],
        tuple(Row(row.skill, row.level, row.orders, row.cells[kept]) for row in rows),
        tuple(sorted(name for name, spans in everybody if any(there(hour, spans) for hour in hours[kept]))),
        anybody[kept],
    )
