"""How the promises of a work order stand: exactly, at any instant.

A clock runs in the hours of its calendar from the opening of the order, or from the regrading that first gives it a
promise, until what was promised has happened. It rests in states that the policy names. What has elapsed stays when
the order is regraded: only the promise is another one then. So a clock never runs backwards, and what was broken once
stays broken. All times are in whole seconds; exactly on time is in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from dispatcher.model import Level
from dispatcher.sla.calendars import Calendar, advance, working_seconds
from dispatcher.sla.causes import Cause, cause_of

ClockName = Literal["respond", "consult", "arrive", "restore"]
ClockStatus = Literal["running", "paused", "met", "cancelled", "withdrawn"]

CLOCKS: tuple[ClockName, ...] = ("respond", "consult", "arrive", "restore")
STATES = (
    "opened",
    "planned",
    "accepted",
    "consulting",
    "en_route",
    "on_site",
    "waiting_for_customer",
    "waiting_for_parts",
    "waiting_for_access",
    "failed",
    "restored",
    "cancelled",
)
"""What may be told of a work order's life; beside these, the states that a policy names."""
BREACH = 100
"""The threshold of a crossing that breaks the promise, in percent."""
# Being planned is the planner's word; only people answer.
_ANSWERS_NOT = frozenset({"opened", "planned", "failed", "cancelled"})
_MET_BY: Mapping[ClockName, frozenset[str]] = {
    "consult": frozenset({"consulting", "on_site", "restored"}),
    # What was restored from afar needs nobody on site.
    "arrive": frozenset({"on_site", "restored"}),
    "restore": frozenset({"restored"}),
}


@dataclass(frozen=True, slots=True)
class Target:
    """Something promised within so many seconds (at least 1) of a calendar."""

    seconds: int
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised to one customer, resolved for one site.

    `targets` holds by level the clocks that are promised at it. `pauses` says by state which clocks rest in it.
    `thresholds` are the percentages of a promise, rising and below 100, at which it counts as nearly broken.
    """

    targets: Mapping[Level, Mapping[ClockName, Target]]
    pauses: Mapping[str, frozenset[ClockName]]
    thresholds: tuple[int, ...]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Transition:
    """From `at` on the order is in this state; `note` is what was said about it."""

    at: datetime
    state: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Regrade:
    """From `at` on the order is of this level."""

    at: datetime
    level: Level


@dataclass(frozen=True, slots=True)
class Timeline:
    """The life of a work order as its clocks see it: opened at this level, and what became of it, in any order.

    What is said to have happened before the opening counts as if it happened with it.
    """

    opened_at: datetime
    level: Level
    transitions: tuple[Transition, ...] = ()
    regrades: tuple[Regrade, ...] = ()


@dataclass(frozen=True, slots=True)
class Crossing:
    """A promise came near its end (`percent` of it had passed) or broke (`percent` is `BREACH`), told once."""

    clock: ClockName
    percent: int
    at: datetime
    level: Level
    cause: Cause


@dataclass(frozen=True, slots=True)
class ClockState:
    """One clock at an instant.

    Attributes:
        status: `withdrawn` where the level does not promise it any more and it was broken before.
        target_seconds: what was promised when the clock stopped, else what is promised now.
        remaining_seconds: what is left of the promise, negative once it is broken.
        due: when the promise runs out or ran out, as things are; None while the clock rests, or where its calendar
            has no such hour.
        stopped_at: since when it is met or cancelled.
        breached_at: when a promise of this clock first broke, also one of a level that the order had before.
        crossings: every threshold that was reached, each once, in the order of time.
    """

    clock: ClockName
    status: ClockStatus
    target_seconds: int
    elapsed_seconds: int
    due: datetime | None
    stopped_at: datetime | None
    breached_at: datetime | None
    crossings: tuple[Crossing, ...]

    @property
    def remaining_seconds(self) -> int:
        return self.target_seconds - self.elapsed_seconds

    @property
    def reached_percent(self) -> int:
        """The highest threshold reached of the promise as it is now, 0 before the first one."""
        passed = self.elapsed_seconds * 100
        reached = [item.percent for item in self.crossings if passed >= self.target_seconds * item.percent]
        if self.remaining_seconds >= 0:
            reached = [percent for percent in reached if percent < BREACH]
        return max(reached, default=0)

    @property
    def breached(self) -> bool:
        return self.breached_at is not None

    @property
    def is_live(self) -> bool:
        """Whether the promise can still be kept or broken."""
        return self.status in ("running", "paused")


def clock_states(timeline: Timeline, terms: Terms, now: datetime) -> tuple[ClockState, ...]:
    """The clocks that the order's level at `now` promises, in the order of `CLOCKS`; none before its opening."""
    until = _seconds(now)
    if until < _seconds(timeline.opened_at):
        return ()
    moments = list(_moments(timeline, until))
    promised = {clock for moment in moments for clock in terms.targets.get(moment.level, ())}
    found = (_Run(clock, moments, terms, until).state() for clock in CLOCKS if clock in promised)
    return tuple(state for state in found if state is not None)


def crossings(before: Iterable[ClockState], after: Iterable[ClockState]) -> tuple[Crossing, ...]:
    """What was reached since: thresholds and breaches of `after` that `before` has not, by time."""
    known = {(item.clock, item.percent) for state in before for item in state.crossings}
    new = [item for state in after for item in state.crossings if (item.clock, item.percent) not in known]
    return tuple(sorted(new, key=lambda item: (item.at, CLOCKS.index(item.clock), item.percent)))


@dataclass(slots=True)
class _Moment:
    """All that changes at one instant; `state` and `level` are those that hold from then on."""

    at: int
    state: str
    level: Level
    entered: list[Transition] = field(default_factory=list)


class _Run:
    """One clock on its way through a timeline."""

    def __init__(self, clock: ClockName, moments: Sequence[_Moment], terms: Terms, until: int) -> None:
        self._clock, self._moments, self._terms, self._until = clock, moments, terms, until
        self._elapsed = 0
        self._target: Target | None = None
        self._ran_out_at: int | None = None
        self._stopped_at: int | None = None
        self._is_cancelled = False
        self._crossings: dict[int, Crossing] = {}

    def state(self) -> ClockState | None:
        """Where the clock stands at the end; None if nothing is promised there and nothing was broken."""
        ends = [moment.at for moment in self._moments[1:]] + [self._until]
        since = self._moments[0].entered[-1]
        for moment, end in zip(self._moments, ends, strict=True):
            since = moment.entered[-1] if moment.entered else since
            self._stop_or_go_on(moment)
            promised = self._promised(moment)
            if self._stopped_at is not None or promised is None:
                continue
            self._target = promised
            self._cross_at_once(promised, moment, since)
            if self._clock not in self._rests_in(moment.state):
                self._run(promised, moment, end, since)
        last = self._moments[-1]
        promised = self._promised(last)
        if promised is None and BREACH not in self._crossings:
            return None
        target = self._target or promised
        assert target is not None, "what was broken was promised"
        return self._shown(target, self._status(last, promised))

    def _promised(self, moment: _Moment) -> Target | None:
        return self._terms.targets.get(moment.level, {}).get(self._clock)

    def _rests_in(self, state: str) -> frozenset[ClockName]:
        return self._terms.pauses.get(state, frozenset())

    def _stop_or_go_on(self, moment: _Moment) -> None:
        """Stop where the promise is met or the order cancelled; go on where that did not hold."""
        reopened = self._clock == "restore" and moment.state not in ("restored", "cancelled")
        if reopened or (self._is_cancelled and moment.state != "cancelled"):
            self._stopped_at, self._is_cancelled = None, False
        if self._stopped_at is not None:
            return
        met = self._is_met_by(moment)
        if met or moment.state == "cancelled":
            self._stopped_at, self._is_cancelled = moment.at, not met

    def _is_met_by(self, moment: _Moment) -> bool:
        if self._clock == "restore":
            return moment.state == "restored"
        if self._clock == "respond":
            return any(item.state not in _ANSWERS_NOT for item in moment.entered)
        return any(item.state in _MET_BY[self._clock] for item in moment.entered)

    def _cross_at_once(self, target: Target, moment: _Moment, since: Transition) -> None:
        """What a stricter level finds passed already; a milder one gives time back."""
        if self._elapsed < target.seconds:
            self._ran_out_at = None
        elif self._ran_out_at is None:
            self._ran_out_at = moment.at
        for percent, needed in self._needs(target):
            if self._elapsed >= needed:
                self._cross(percent, moment.at, moment, since, by_regrade=True)

    def _run(self, target: Target, moment: _Moment, end: int, since: Transition) -> None:
        before, calendar = self._elapsed, target.calendar
        self._elapsed += working_seconds(calendar, moment.at, end)
        for percent, needed in self._needs(target):
            if before < needed <= self._elapsed:
                self._cross(percent, _reached(calendar, moment.at, needed - before), moment, since, by_regrade=False)
        if before < target.seconds <= self._elapsed:
            self._ran_out_at = _reached(calendar, moment.at, target.seconds - before)

    def _needs(self, target: Target) -> Iterator[tuple[int, int]]:
        """Every threshold with the seconds that reach it; a promise is broken by the first second beyond it."""
        for percent in self._terms.thresholds:
            yield percent, -(-target.seconds * percent // 100)
        yield BREACH, target.seconds + 1

    def _cross(self, percent: int, at: int, moment: _Moment, since: Transition, *, by_regrade: bool) -> None:
        if percent not in self._crossings:
            cause = cause_of(
                self._clock, since.state, since.at, since.note, moment.level if by_regrade else None, self._terms.zone
            )
            self._crossings[percent] = Crossing(self._clock, percent, _instant(at), moment.level, cause)

    def _status(self, last: _Moment, promised: Target | None) -> ClockStatus:
        if self._stopped_at is not None:
            return "cancelled" if self._is_cancelled else "met"
        if promised is None:
            return "withdrawn"
        return "paused" if self._clock in self._rests_in(last.state) else "running"

    def _shown(self, target: Target, status: ClockStatus) -> ClockState:
        breach = self._crossings.get(BREACH)
        return ClockState(
            clock=self._clock,
            status=status,
            target_seconds=target.seconds,
            elapsed_seconds=self._elapsed,
            due=self._due(target, status),
            stopped_at=None if self._stopped_at is None else _instant(self._stopped_at),
            breached_at=None if breach is None else breach.at,
            crossings=tuple(sorted(self._crossings.values(), key=lambda item: (item.at, item.percent))),
        )

    def _due(self, target: Target, status: ClockStatus) -> datetime | None:
        if self._ran_out_at is not None:
            return _instant(self._ran_out_at)
        if status not in ("running", "met"):
            return None
        start = self._until if self._stopped_at is None else self._stopped_at
        due = advance(target.calendar, start, target.seconds - self._elapsed)
        return None if due is None else _instant(due)


def _moments(timeline: Timeline, until: int) -> Iterator[_Moment]:
    """The instants at which something changes, from the opening on."""
    opened = _seconds(timeline.opened_at)
    changes: dict[int, list[Transition | Regrade]] = {opened: [Transition(timeline.opened_at, "opened")]}
    for change in _by_time((*timeline.regrades, *timeline.transitions)):
        at = max(_seconds(change.at), opened)
        if at <= until:
            changes.setdefault(at, []).append(change)
    state, level = "opened", timeline.level
    for at in sorted(changes):
        moment = _Moment(at, state, level)
        for change in changes[at]:
            if isinstance(change, Transition):
                moment.state = change.state
                moment.entered.append(change)
            else:
                moment.level = change.level
        state, level = moment.state, moment.level
        yield moment


def _by_time(changes: Sequence[Transition | Regrade]) -> list[Transition | Regrade]:
    return sorted(changes, key=lambda change: change.at)


def _reached(calendar: Calendar, start: int, seconds: int) -> int:
    found = advance(calendar, start, seconds)
    assert found is not None, "what has elapsed can be reached"
    return found


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
