"""What a question for a team is answered with: options, or why there are none. Instants are epoch seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatcher.model import Exact, Level, Presence, WorkOrder
from dispatcher.plan import Member, RouteSequence, Sequences
from dispatcher.problem import ShiftKey
from dispatcher.reasons import Explanation
from solver.team_options.composer import Goal


@dataclass(frozen=True, slots=True)
class ComingMember:
    """Who comes in which role, from when to when.

    `departure` is when they leave for it, or, of a remote member, when they begin to be free for it; `called_from` are
    planned orders that make room.
    """

    engineer: str
    shift: str
    role: str
    presence: Presence
    departure: int
    travel_seconds: int
    arrival: int
    start: int
    end: int
    called_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StandbyMember:
    """Who stands by in which role, and when they would be on site if called at the team's start."""

    engineer: str
    role: str
    there_at: int


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """How an order is served: by whom, when, and how late by kind of promise (0 where it is kept)."""

    engineers: tuple[str, ...]
    arrival: int
    start: int
    end: int
    late_seconds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PromiseChange:
    """An order of somebody else's that an option moves; None is unassigned.

    `arrival_shift_seconds` is how much later the first of them arrives (negative: sooner), None where it is
    unassigned; `displaced` says that somebody was called away from it, `why_unassigned` what keeps others from it.
    """

    work_order: str
    level: Level
    before: ServiceTimes
    after: ServiceTimes | None
    displaced: bool
    why_unassigned: str | None = None

    @property
    def arrival_shift_seconds(self) -> int | None:
        return None if self.after is None else self.after.arrival - self.before.arrival

    @property
    def broken(self) -> bool:
        """Whether a promise that was kept before is not kept any more, or the order is left undone."""
        if self.after is None:
            return True
        before = self.before.late_seconds
        return any(late and not before.get(kind, 0) for kind, late in self.after.late_seconds.items())


@dataclass(frozen=True, slots=True)
class ShortOf:
    """What somebody lacks for a role: a skill at `level`, of which they reach `has`."""

    engineer: str
    role: str
    skill: str
    level: int
    has: int


@dataclass(frozen=True, slots=True)
class TeamOption:
    """One way to send a team, with all that it changes; `sequences` is the whole plan with displaced work repaired.

    Attributes:
        id: short, the same for the same option of the same day.
        best_for: the goals for which no other option of the answer does better.
        start, complete_at, restored_at: the first on-site start, the last one, the last on-site end.
        late_seconds: how late that is by kind of promise of the order itself.
        chance_to_fix: the probability (0 to 1) that the first visit fixes it.
        changes: every other order that moves, the most grave first.
        total_change: what the total cost changes by; `cost_changes` the same by rule, in thousandths.
        routes, waiting: what of `sequences` is not as in the running plan: routes by shift (None without work), and
            who stands by, by order.
        short_of: not empty where the option is not allowed, as these people are one level short.
    """

    id: str
    order: WorkOrder
    best_for: tuple[Goal, ...]
    members: tuple[ComingMember, ...]
    standby: tuple[StandbyMember, ...]
    arrival: int
    start: int
    complete_at: int
    restored_at: int
    late_seconds: Mapping[str, int]
    chance_to_fix: Exact
    changes: tuple[PromiseChange, ...]
    total_change: int
    cost_changes: Mapping[str, Exact]
    sequences: Sequences = field(repr=False)
    routes: Mapping[ShiftKey, RouteSequence | None] = field(repr=False)
    waiting: Mapping[str, tuple[Member, ...]] = field(repr=False)
    short_of: tuple[ShortOf, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.short_of

    @property
    def displaced(self) -> tuple[PromiseChange, ...]:
        """The orders from which somebody is called away."""
        return tuple(change for change in self.changes if change.displaced)


@dataclass(frozen=True, slots=True)
class TeamAnswer:
    """Options, the best first; without any, why and what it would take.

    Attributes:
        explanation: engineer by engineer why there is no team, and the cheapest fix; None where there are options.
        nearly: what would be possible if some people had one level more; not allowed, for whoever decides.
        lost: planned orders that the running plan cannot keep as of now whatever is chosen.
    """

    order: str
    options: tuple[TeamOption, ...]
    explanation: Explanation | None = None
    nearly: tuple[TeamOption, ...] = ()
    lost: tuple[str, ...] = ()
