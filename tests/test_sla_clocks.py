"""Clocks of promises: against somebody who counts minute by minute, and what never may happen."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data.sla_policy import public_holidays
from dispatcher.model import LEVELS, Level
from dispatcher.sla.calendars import SEARCH_DAYS, Calendar, advance, working_seconds
from dispatcher.sla.causes import CAUSES, cause_of
from dispatcher.sla.clocks import (
    BREACH,
    CLOCKS,
    STATES,
    ClockName,
    ClockState,
    Regrade,
    Target,
    Terms,
    Timeline,
    Transition,
    clock_states,
    crossings,
)
from tests.sla_oracle import Counted, Notebook, Stretch, latest_shown

HOUR = 3600
EIGHT_TO_FIVE = ((8 * HOUR, 17 * HOUR),)
NIGHT = ((22 * HOUR, 30 * HOUR),)
WEEKS: dict[str, Any] = {
    "always": None,
    "office": (EIGHT_TO_FIVE,) * 5 + ((), ()),
    "with lunch and Saturday": (((8 * HOUR, 12 * HOUR), (13 * HOUR, 18 * HOUR)),) * 5 + (((9 * HOUR, 13 * HOUR),), ()),
    "nights": (NIGHT,) * 5 + ((), ()),
    "around the jump": (((2 * HOUR + 1800, 3 * HOUR + 900), (4 * HOUR, 20 * HOUR)),) * 7,
    "whole days but Sunday": (((0, 24 * HOUR),),) * 6 + ((),),
    "from half past one": (((HOUR + 1800, 9 * HOUR),),) * 7,
}
COUNTRY = {"Europe/Berlin": "DE", "America/New_York": "US", "Asia/Shanghai": "CN", "America/Sao_Paulo": "BR"}
STRETCHES = {
    "spring, Berlin": Stretch("Europe/Berlin", datetime(2026, 3, 26, 12, tzinfo=UTC), 9 * 1440),
    "autumn, Berlin": Stretch("Europe/Berlin", datetime(2026, 10, 22, 12, tzinfo=UTC), 9 * 1440),
    "spring, New York": Stretch("America/New_York", datetime(2026, 3, 5, 12, tzinfo=UTC), 9 * 1440),
    "autumn, New York": Stretch("America/New_York", datetime(2026, 10, 29, 12, tzinfo=UTC), 9 * 1440),
    "half an hour back, Lord Howe": Stretch("Australia/Lord_Howe", datetime(2026, 4, 2, 12, tzinfo=UTC), 8 * 1440),
    "midnight skipped, Sao Paulo": Stretch("America/Sao_Paulo", datetime(2018, 11, 1, 12, tzinfo=UTC), 8 * 1440),
    "leap day, Shanghai": Stretch("Asia/Shanghai", datetime(2028, 2, 25, 12, tzinfo=UTC), 9 * 1440),
    "holidays, Shanghai": Stretch("Asia/Shanghai", datetime(2026, 9, 28, 12, tzinfo=UTC), 10 * 1440),
    "Christmas, Berlin": Stretch("Europe/Berlin", datetime(2026, 12, 22, 12, tzinfo=UTC), 9 * 1440),
    "a common week, Kathmandu": Stretch("Asia/Kathmandu", datetime(2026, 6, 3, 12, tzinfo=UTC), 8 * 1440),
}
CASES = 1000


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def calendar_of(stretch: Stretch, name: str) -> Calendar:
    country = COUNTRY.get(stretch.zone)
    closed = public_holidays(country) if country and WEEKS[name] is not None else frozenset()
    return Calendar(ZoneInfo(stretch.zone), WEEKS[name], closed)


def random_case(random: Random) -> tuple[Stretch, Timeline, Terms, datetime]:
    stretch = random.choice(list(STRETCHES.values()))
    opened = random.randrange(0, stretch.minutes - 1440)
    now = min(opened + int(random.triangular(1, 5 * 1440, 1440)), stretch.minutes - 1)

    def moment() -> datetime:
        return stretch.at(random.randint(opened - 30 if opened > 30 else opened, now))

    targets: dict[Level, dict[ClockName, Target]] = {
        level: {
            clock: Target(random.choice((1, 300, 1799, 7200, 28_800, 86_400)), calendar_of(stretch, name))
            for clock in CLOCKS
            if random.random() < 0.7
            for name in (random.choice(list(WEEKS)),)
        }
        for level in LEVELS
    }
    pauses = {
        "waiting_for_customer": frozenset[ClockName](("arrive", "restore")),
        "waiting_for_parts": frozenset[ClockName](random.sample(CLOCKS, 2)),
    }
    transitions = [Transition(moment(), random.choice(STATES)) for _ in range(random.randrange(6))]
    if random.random() < 0.2:
        now = min(opened + 5 * 1440, stretch.minutes - 1)
        transitions = [
            Transition(stretch.at(opened + 60), "waiting_for_parts"),
            Transition(stretch.at(now - 60), "opened"),
        ]
    timeline = Timeline(
        opened_at=stretch.at(opened),
        level=random.choice(LEVELS),
        transitions=tuple(transitions),
        regrades=tuple(Regrade(moment(), random.choice(LEVELS)) for _ in range(random.choice((0, 0, 1, 2)))),
    )
    terms = Terms(targets, pauses, (50, 75, 90), ZoneInfo(stretch.zone))
    return stretch, timeline, terms, stretch.at(now)


def seconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp())


def as_counted(state: ClockState, *, with_due: bool) -> Counted:
    found = {item.percent: int(item.at.timestamp()) for item in state.crossings}
    due = seconds(state.due) if with_due else None
    return Counted(state.status, state.target_seconds, state.elapsed_seconds, found, due)


def features(stretch: Stretch, timeline: Timeline, terms: Terms, now: datetime) -> set[str]:
    """What makes a case hard, so that nobody has to trust in luck that there are such cases."""
    zone = ZoneInfo(stretch.zone)
    days = {
        timeline.opened_at.astimezone(zone).date() + timedelta(days=n)
        for n in range((now - timeline.opened_at).days + 1)
    }
    before, after = (at.astimezone(zone).utcoffset() for at in (timeline.opened_at, now))
    assert before is not None
    assert after is not None
    calendars = {target.calendar for target in terms.targets[timeline.level].values()}
    found = set() if before == after else {"clocks forward" if after > before else "clocks back"}
    found |= {"leap day"} if date(2028, 2, 29) in days else set()
    found |= {"holiday"} if any(days & calendar.closed for calendar in calendars) else set()
    found |= {"overnight"} if any(calendar.week == WEEKS["nights"] for calendar in calendars) else set()
    found |= {"regraded"} if any(change.level != timeline.level for change in timeline.regrades) else set()
    paused = sorted((*timeline.transitions, Transition(now, "end")), key=lambda change: change.at)
    for change, following in pairwise(paused):
        on = [change.at.astimezone(zone).date() + timedelta(days=n) for n in range((following.at - change.at).days + 2)]
        if change.state.startswith("waiting") and {5, 6} <= {day.weekday() for day in on[:-1]}:
            found.add("paused over a weekend")
    return found


def test_clocks_say_what_counting_minute_by_minute_says() -> None:
    random, hard = Random(20261121), Counter[str]()
    for number in range(CASES):
        stretch, timeline, terms, now = random_case(random)
        expected = Notebook(stretch, timeline, terms).at(now)
        found = {
            state.clock: as_counted(state, with_due=expected.get(state.clock, Counted("", 0, 0)).due is not None)
            for state in clock_states(timeline, terms, now)
        }
        assert found == expected, (number, stretch, timeline, now)
        hard.update(features(stretch, timeline, terms, now))
    wanted = ("clocks forward", "clocks back", "leap day", "holiday", "overnight", "regraded", "paused over a weekend")
    assert {name: hard[name] for name in wanted if hard[name] < 20} == {}, hard


def test_the_oracle_knows_when_clocks_are_set_back() -> None:
    shown = latest_shown(STRETCHES["autumn, Berlin"])
    standing_still = max(sum(1 for one in shown if one == moment) for moment in {max(shown[:4000]), *shown[3500:3900]})
    assert standing_still == 61


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Shanghai", date(2028, 2, 29), 24),
    ],
)
def test_a_day_is_as_long_as_it_is_on_the_wall(zone: str, day: date, hours: float) -> None:
    others = frozenset(day + timedelta(days=n) for n in range(-9, 10) if n)
    only_this_day = Calendar(ZoneInfo(zone), (((0, 86_400),),) * 7, others)
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
    assert working_seconds(only_this_day, noon - 3 * 86_400, noon + 3 * 86_400) == hours * HOUR


def test_a_night_that_begins_on_a_holiday_is_closed_and_one_that_ends_on_it_is_not() -> None:
    nights = Calendar(ZoneInfo("UTC"), (NIGHT,) * 7, frozenset({date(2026, 12, 25)}))
    assert working_seconds(nights, seconds(utc(2026, 12, 24, 12)) or 0, seconds(utc(2026, 12, 25, 12)) or 0) == 8 * HOUR
    assert working_seconds(nights, seconds(utc(2026, 12, 25, 12)) or 0, seconds(utc(2026, 12, 26, 12)) or 0) == 0


@pytest.mark.parametrize(
    ("week", "reason"),
    [
        ((EIGHT_TO_FIVE,) * 6, "7 days"),
        ((((8 * HOUR, 8 * HOUR),),) * 7, "one second to a day"),
        ((((25 * HOUR, 26 * HOUR),),) * 7, "one second to a day"),
        ((((8 * HOUR, 33 * HOUR),),) * 7, "one second to a day"),
        ((((8 * HOUR, 12 * HOUR), (11 * HOUR, 13 * HOUR)),) * 7, "overlap"),
        (((), (), (), (), (), (), NIGHT), None),
        ((((5 * HOUR, 6 * HOUR),), (), (), (), (), (), NIGHT), "overlap"),
    ],
)
def test_a_week_that_cannot_be_meant_is_refused(week: Any, reason: str | None) -> None:
    if reason is None:
        assert Calendar(ZoneInfo("UTC"), week).week == week
        return
    with pytest.raises(ValueError, match=reason):
        Calendar(ZoneInfo("UTC"), week)


def test_a_calendar_without_hours_ahead_has_no_due_time() -> None:
    opened = utc(2026, 1, 5, 9)
    closed = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(SEARCH_DAYS + 60))
    never = Calendar(ZoneInfo("UTC"), WEEKS["office"], closed)
    assert advance(never, int(opened.timestamp()), 1) is None
    terms = Terms({"L1": {"respond": Target(60, never)}}, {}, (50,), ZoneInfo("UTC"))
    [state] = clock_states(Timeline(opened, "L1"), terms, opened + timedelta(days=30))
    assert (state.status, state.due, state.elapsed_seconds) == ("running", None, 0)


ALWAYS = Calendar(ZoneInfo("Asia/Shanghai"))
DEFAULT = Terms(
    {
        "L1": {"respond": Target(300, ALWAYS), "consult": Target(1800, ALWAYS)},
        "L2": {"respond": Target(900, ALWAYS), "arrive": Target(7200, ALWAYS)},
        "L3": {"respond": Target(3600, ALWAYS), "restore": Target(86_400, ALWAYS)},
        "L4": {"respond": Target(14_400, ALWAYS), "restore": Target(259_200, ALWAYS)},
    },
    {"waiting_for_customer": frozenset(("arrive", "restore")), "waiting_for_parts": frozenset(("restore",))},
    (50, 75, 90),
    ZoneInfo("Asia/Shanghai"),
)
OPENED = utc(2026, 11, 23, 1)


def after(minutes: float) -> datetime:
    return OPENED + timedelta(minutes=minutes)


def clock(name: ClockName, timeline: Timeline, minutes: float, terms: Terms = DEFAULT) -> ClockState:
    return next(state for state in clock_states(timeline, terms, after(minutes)) if state.clock == name)


def test_before_its_opening_an_order_has_no_clocks() -> None:
    assert clock_states(Timeline(OPENED, "L1"), DEFAULT, after(-1)) == ()


def test_exactly_on_time_is_in_time_and_a_second_later_is_not() -> None:
    on_time = clock("respond", Timeline(OPENED, "L1", (Transition(after(5), "accepted"),)), 60)
    late = clock("respond", Timeline(OPENED, "L1", (Transition(after(5) + timedelta(seconds=1), "accepted"),)), 60)
    assert (on_time.breached, on_time.remaining_seconds, on_time.reached_percent, on_time.due) == (
        False,
        0,
        90,
        after(5),
    )
    assert (late.breached_at, late.remaining_seconds, late.reached_percent) == (
        after(5) + timedelta(seconds=1),
        -1,
        100,
    )
    assert late.due == after(5)


def test_a_stricter_level_may_find_its_promise_broken_and_says_so() -> None:
    timeline = Timeline(OPENED, "L4", regrades=(Regrade(after(10), "L1"),))
    state = clock("respond", timeline, 10)
    assert [(item.percent, item.at, item.cause.code) for item in state.crossings] == [
        (percent, after(10), "REGRADED") for percent in (50, 75, 90, BREACH)
    ]
    assert state.due == after(10)
    assert state.crossings[0].cause.message == "the order became L1 when so much time had passed already"
    # A consultation was not promised before, so its clock begins now.
    assert clock("consult", timeline, 10).due == after(40)


def test_a_milder_level_gives_time_back_and_hides_no_broken_promise() -> None:
    timeline = Timeline(OPENED, "L2", regrades=(Regrade(after(180), "L4"),))
    respond, arrive = clock("respond", timeline, 200), clock("arrive", timeline, 200)
    assert (respond.due, respond.remaining_seconds, respond.reached_percent) == (after(240), 2400, 75)
    assert respond.breached_at == after(15) + timedelta(seconds=1)
    assert (arrive.status, arrive.breached, arrive.is_live) == ("withdrawn", True, False)
    kept = Timeline(OPENED, "L2", regrades=(Regrade(after(60), "L4"),))
    assert [state.clock for state in clock_states(kept, DEFAULT, after(200))] == ["respond", "restore"]


def test_an_answer_given_stays_judged_by_the_level_it_was_given_at() -> None:
    timeline = Timeline(OPENED, "L4", (Transition(after(30), "accepted"),), (Regrade(after(60), "L1"),))
    state = clock("respond", timeline, 90)
    assert (state.status, state.target_seconds, state.breached) == ("met", 14_400, False)


def test_what_was_restored_from_afar_needs_nobody_on_site() -> None:
    state = clock("arrive", Timeline(OPENED, "L2", (Transition(after(30), "restored"),)), 90)
    assert (state.status, state.stopped_at) == ("met", after(30))


def test_a_restoration_that_did_not_hold_runs_on() -> None:
    told = (Transition(after(60), "restored"), Transition(after(100), "opened"))
    assert clock("restore", Timeline(OPENED, "L3", told), 90).status == "met"
    state = clock("restore", Timeline(OPENED, "L3", told), 130)
    assert (state.status, state.elapsed_seconds) == ("running", 90 * 60)


def test_a_cancelled_order_that_is_opened_again_goes_on() -> None:
    told = (Transition(after(2), "cancelled"), Transition(after(60), "opened"))
    state = clock("respond", Timeline(OPENED, "L1", told), 30)
    assert (state.status, state.due, state.elapsed_seconds) == ("cancelled", None, 120)
    assert clock("respond", Timeline(OPENED, "L1", told), 61).elapsed_seconds == 180


def test_a_clock_that_rests_has_no_due_time() -> None:
    timeline = Timeline(OPENED, "L3", (Transition(after(60), "waiting_for_parts"),))
    state = clock("restore", timeline, 600)
    assert (state.status, state.due, state.elapsed_seconds) == ("paused", None, HOUR)


def test_each_crossing_is_told_once() -> None:
    timeline = Timeline(OPENED, "L2")
    instants = [after(minutes) for minutes in (0, 8, 8, 12, 14, 15, 16, 70, 130)]
    states = [clock_states(timeline, DEFAULT, at) for at in instants]
    told = [item for before, later in pairwise(states) for item in crossings(before, later)]
    assert [(item.clock, item.percent) for item in told] == [
        *(("respond", percent) for percent in (50, 75, 90, BREACH)),
        *(("arrive", percent) for percent in (50, 75, 90, BREACH)),
    ]
    assert told == list(crossings((), states[-1]))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", get_args(ClockName))
def test_every_cause_has_words(name: str, state: str) -> None:
    cause = cause_of(name, state, OPENED, None, None, ZoneInfo("Asia/Shanghai"))
    assert cause.code in CAUSES
    assert "2026-11-23 09:00" in cause.message
    assert "{" not in cause.message


_STEPS = st.lists(
    st.tuples(st.integers(0, 6000), st.one_of(st.sampled_from(STATES), st.sampled_from(LEVELS))), max_size=8
)


def timeline_of(steps: list[tuple[int, str]]) -> Timeline:
    return Timeline(
        OPENED,
        "L2",
        tuple(Transition(after(minute), state) for minute, state in steps if state in STATES),
        tuple(Regrade(after(minute), level) for minute, level in steps if level in LEVELS),
    )


@given(_STEPS, st.integers(0, 7000), st.integers(0, 7000), st.sampled_from(list(WEEKS)))
def test_no_clock_runs_backwards_or_faster_than_time(
    steps: list[tuple[int, str]], one: int, other: int, week: str
) -> None:
    first, second = sorted((one, other))
    calendar = Calendar(ZoneInfo("Europe/Berlin"), WEEKS[week])
    targets = {
        level: {name: replace(target, calendar=calendar) for name, target in promised.items()}
        for level, promised in DEFAULT.targets.items()
    }
    terms, timeline = replace(DEFAULT, targets=targets), timeline_of(steps)
    before = {state.clock: state for state in clock_states(timeline, terms, after(first))}
    later = {state.clock: state for state in clock_states(timeline, terms, after(second))}
    for name in before.keys() & later.keys():
        gained = later[name].elapsed_seconds - before[name].elapsed_seconds
        assert 0 <= gained <= (second - first) * 60
        assert later[name].crossings[: len(before[name].crossings)] == before[name].crossings
        if not any(first < minute <= second for minute, _ in steps):
            assert later[name].remaining_seconds <= before[name].remaining_seconds
            if before[name].status == "running":
                assert later[name].due == before[name].due


@given(_STEPS, st.integers(0, 7000))
def test_what_is_left_until_due_is_what_remains(steps: list[tuple[int, str]], minute: int) -> None:
    for state in clock_states(timeline_of(steps), DEFAULT, after(minute)):
        if state.status == "running" and state.remaining_seconds >= 0:
            assert state.due == after(minute) + timedelta(seconds=state.remaining_seconds)


@given(
    st.integers(0, 20 * 86_400),
    st.integers(1, 5 * 86_400),
    st.sampled_from(list(WEEKS)),
    st.sampled_from(list(STRETCHES)),
)
def test_going_ahead_by_working_time_and_measuring_it_agree(start: int, ahead: int, week: str, place: str) -> None:
    calendar = calendar_of(STRETCHES[place], week)
    begin = int(STRETCHES[place].start.timestamp()) + start
    end = advance(calendar, begin, ahead)
    assume(end is not None)
    assert end is not None
    assert working_seconds(calendar, begin, end) == ahead
    assert working_seconds(calendar, begin, end - 1) == ahead - 1
