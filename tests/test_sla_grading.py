"""Grading, policies, links and what customers feel: the table of the default policy, and what never may happen."""

import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sla_policy import VARIABLE, checked_policy, house_policy, issues_of_changes, policy_of
from data.sla_policy import default_policy, public_holidays, read_policy_file
from dispatcher.errors import InvalidInput
from dispatcher.model import LEVELS
from dispatcher.sla.calendars import Calendar
from dispatcher.sla.clocks import STATES, Target, Terms, Timeline, Transition, clock_states
from dispatcher.sla.deadlines import deadlines, tightest
from dispatcher.sla.felt import downtimes, experience
from dispatcher.sla.grading import (
    COMPLEXITIES,
    GRADE_REASONS,
    IMPACTS,
    URGENCIES,
    Facts,
    GradeReason,
    Override,
    grade,
    overruled,
)
from dispatcher.sla.history import Mark, marks_of_order, marks_of_visit, parent_of, set_by_hand, timeline
from dispatcher.sla.linking import LINK_REASONS, AssetRelation, Reported, links
from dispatcher.sla.policy import CalendarRule, with_contract

OPENED = datetime(2026, 11, 23, 1, tzinfo=UTC)
RULES = policy_of(None).grading
HOUR = 3600


def after(minutes: int) -> datetime:
    return OPENED + timedelta(minutes=minutes)


# Grading


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (Facts(machines_down=3, machines_total=40, core=True), "L1"),
        (Facts(capacity_lost_percent=Fraction("5.1"), core=True), "L1"),
        (Facts(capacity_lost_percent=5, core=True), "L2"),
        (Facts(machines_down=1, machines_total=40), "L2"),
        (Facts(machines_down=1), "L2"),
        (Facts(capacity_lost_percent=30), "L2"),
        (Facts(planned=True), "L3"),
        (Facts(planned=True, machines_down=3, machines_total=4, core=True), "L3"),
        (Facts(), "L4"),
        (Facts(machines_down=1, machines_total=40, continuity="unaffected"), "L4"),
        (Facts(continuity="threatened"), "L4"),
        (Facts(continuity="threatened", repair_seconds=4 * HOUR), "L2"),
        (Facts(continuity="stopped", skill_level=4), "L2"),
        (Facts(continuity="unaffected", repair_seconds=30 * HOUR), "L4"),
    ],
)
def test_the_default_policy_grades_as_its_table_says(facts: Facts, level: str) -> None:
    assert grade(facts, RULES).level == level


def test_a_grade_says_why_in_words() -> None:
    found = grade(Facts(machines_down=3, machines_total=40, core=True, repair_seconds=5 * HOUR), RULES)
    assert [reason.message for reason in found.reasons] == [
        "rule 2 of the policy gives L1",
        "7.5 % of capacity is lost, more than 5 %",
        "core machines are affected",
        "a machine is down and nobody said that the operation goes on, so it counts as threatened",
        "the repair is expected to take 5 h, from 4 h on it counts as complex",
    ]


def test_the_larger_of_two_shares_counts() -> None:
    found = grade(Facts(capacity_lost_percent=2, machines_down=1, machines_total=3), RULES)
    assert found.reasons[1].params == {"share": 33.33, "limit": 5}


def test_a_dispatcher_overrules_and_what_the_rules_gave_stays() -> None:
    found = overruled(grade(Facts(), RULES), Override("L1", "d.lead", "the mayor is waiting", OPENED))
    again = overruled(found, Override("L2", "d.lead", "not so bad", OPENED))
    assert (found.level, found.computed) == ("L1", "L4")
    assert found.reasons[0].message == "d.lead set L1 where the rules give L4: the mayor is waiting"
    assert [reason.code for reason in again.reasons].count("OVERRULED") == 1
    assert (again.level, again.computed) == ("L2", "L4")


_SHARES = st.none() | st.fractions(0, 100)
_FACTS = st.builds(
    Facts,
    capacity_lost_percent=_SHARES,
    machines_down=st.integers(0, 50),
    machines_total=st.none() | st.integers(0, 50),
    core=st.booleans(),
    planned=st.booleans(),
    continuity=st.none() | st.sampled_from(URGENCIES),
    repair_seconds=st.none() | st.integers(0, 100_000),
    skill_level=st.none() | st.integers(1, 5),
)


@given(_FACTS)
def test_every_fault_gets_a_level_with_words_for_every_reason(facts: Facts) -> None:
    found = grade(facts, RULES)
    assert found.level in LEVELS
    assert (found.impact in IMPACTS, found.urgency in URGENCIES, found.complexity in COMPLEXITIES) == (True, True, True)
    for reason in found.reasons:
        assert "{" not in reason.message
        assert reason.code in GRADE_REASONS


@given(_FACTS, st.integers(0, 10), st.booleans(), st.sampled_from(URGENCIES))
def test_what_is_worse_is_never_graded_milder(facts: Facts, more: int, core: bool, continuity: Any) -> None:
    facts = replace(facts, continuity=facts.continuity or "unaffected")
    assert facts.continuity is not None
    worse = replace(
        facts,
        machines_down=facts.machines_down + more,
        core=facts.core or core,
        continuity=max(facts.continuity, continuity, key=URGENCIES.index),
        repair_seconds=(facts.repair_seconds or 0) + more * HOUR,
    )
    assert LEVELS.index(grade(worse, RULES).level) <= LEVELS.index(grade(facts, RULES).level)


# Policies


def test_the_default_policy_promises_what_the_house_promises() -> None:
    policy = policy_of(None)
    promised = {level: dict(promise.targets) for level, promise in policy.levels.items()}
    assert promised == {
        "L1": {"respond": 300, "consult": 1800},
        "L2": {"respond": 900, "arrive": 7200},
        "L3": {"respond": 3600, "restore": 86_400},
        "L4": {"respond": 14_400, "restore": 259_200},
    }
    assert policy.thresholds == (50, 75, 90)


def test_a_contract_changes_what_it_names_and_nothing_else() -> None:
    changes = {
        "levels": {"L2": {"arrive_seconds": None, "restore_seconds": 14_400, "calendar": "business"}},
        "calendars": {"business": {"timezone": "Europe/Berlin", "holidays": {"country": "DE", "subdivision": "BY"}}},
        "grading": {"severe_above_percent": 2.5},
    }
    before, policy = copy.deepcopy(house_policy()), policy_of(changes)
    assert dict(policy.levels["L2"].targets) == {"respond": 900, "restore": 14_400}
    assert policy.levels["L1"] == policy_of(None).levels["L1"]
    assert policy.grading.rules == RULES.rules
    terms = policy.terms(ZoneInfo("Asia/Shanghai"))
    calendar = terms.targets["L2"]["restore"].calendar
    assert (calendar.zone.key, date(2026, 11, 1) in calendar.closed) == ("Europe/Berlin", True)
    assert calendar.week == Calendar(ZoneInfo("UTC"), ((((9 * HOUR, 18 * HOUR),),) * 5 + ((), ()))).week
    assert terms.targets["L1"]["respond"].calendar == Calendar(ZoneInfo("Asia/Shanghai"))
    assert house_policy() == before


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"levels": {"L1": {"calendar": "busines"}}}, "levels.L1.calendar", "NOT_FOUND"),
        ({"critical_hours": "shop"}, "critical_hours", "NOT_FOUND"),
        ({"thresholds_percent": [50, 50]}, "thresholds_percent", "ORDER"),
        (
            {"calendars": {"business": {"hours": {"monday": ["09:00-12:00", "11:00-18:00"]}}}},
            "calendars.business.hours",
            "OVERLAP",
        ),
        (
            {"calendars": {"n": {"hours": {"sunday": ["22:00-06:00"], "monday": ["05:00-07:00"]}}}},
            "calendars.n.hours",
            "OVERLAP",
        ),
        ({"calendars": {"never": {"hours": {}}}}, "calendars.never.hours", "OUT_OF_RANGE"),
        ({"calendars": {"n": {"holidays": {"country": "XX"}}}}, "calendars.n.holidays", "UNKNOWN_VALUE"),
        (
            {"calendars": {"n": {"holidays": {"country": "DE", "subdivision": "ZZ"}}}},
            "calendars.n.holidays",
            "UNKNOWN_VALUE",
        ),
        ({"grading": {"rules": None}}, "grading.rules", "WRONG_TYPE"),
    ],
)
def test_what_a_contract_cannot_mean_is_named_with_its_place(changes: Any, path: str, code: str) -> None:
    assert [(issue.path, issue.code) for issue in issues_of_changes(changes)] == [(path, code)]


def test_what_is_malformed_is_left_to_the_check_of_shape() -> None:
    assert issues_of_changes({"levels": {"L5": {}}}) == []
    assert issues_of_changes("no object") == []


@pytest.mark.parametrize("hours", ["9:00-18:00", "09:00 - 18:00", "09:00-25:00", "24:00-06:00"])
def test_hours_are_written_in_one_way(hours: str) -> None:
    document = with_contract(default_policy(), {"calendars": {"business": {"hours": {"friday": [hours]}}}})
    with pytest.raises(InvalidInput) as caught:
        checked_policy(document)
    assert [issue.path for issue in caught.value.issues] == ["calendars.business.hours.friday[0]"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nversion: 2\n", "version stands twice"),
        ("- a list\n", "a policy is an object"),
        ("levels: [\n", "policy.yaml"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_its_name(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_policy_file(path)


def test_the_policy_of_the_house_is_the_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parent.parent / "data" / "sla_policy.yaml").read_text(encoding="utf-8")
    path = tmp_path / "house.yaml"
    path.write_text(text.replace("respond_seconds: 300 ", "respond_seconds: 240 "), encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(path))
    assert policy_of(None).levels["L1"].targets["respond"] == 240
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere.yaml"))
    with pytest.raises(InvalidInput) as caught:
        house_policy()
    assert [issue.code for issue in caught.value.issues] == ["UNREADABLE_FILE"]


def test_a_date_in_a_file_is_a_text(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("closed: [2026-12-24]\n", encoding="utf-8")
    assert read_policy_file(path) == {"closed": ["2026-12-24"]}


def test_holidays_are_those_of_the_country() -> None:
    assert {date(2026, 10, 1), date(2027, 2, 6)} <= public_holidays("CN")
    assert date(2026, 10, 3) in public_holidays("DE")


# Deadlines


def terms_of(**targets: int) -> Terms:
    calendar = Calendar(ZoneInfo("UTC"))
    promised = {name: Target(seconds, calendar) for name, seconds in targets.items()}
    pauses = {"waiting_for_parts": frozenset(("restore",))}
    return Terms({"L1": promised}, pauses, (50, 75, 90), ZoneInfo("UTC"))  # type: ignore[arg-type, dict-item]


@pytest.mark.parametrize(
    ("targets", "state", "expected"),
    [
        ({"respond": 300, "consult": 1800}, "opened", {"arrive_by": after(30)}),
        ({"consult": 1800}, "consulting", {}),
        ({"consult": 1800, "arrive": 7200}, "opened", {"arrive_by": after(120)}),
        ({"arrive": 7200, "restore": 14_400}, "on_site", {"restore_by": after(240)}),
        ({"restore": 14_400}, "waiting_for_parts", {}),
        ({"restore": 14_400}, "restored", {}),
    ],
)
def test_the_planner_is_told_what_still_runs(targets: Any, state: str, expected: Any) -> None:
    life = Timeline(OPENED, "L1", (Transition(after(0), state),))
    assert deadlines(clock_states(life, terms_of(**targets), after(10))) == expected


def test_one_visit_for_several_orders_keeps_the_earliest_of_their_deadlines() -> None:
    one, other = {"arrive_by": after(60), "restore_by": after(300)}, {"arrive_by": after(30)}
    assert tightest([one, other, {}]) == {"arrive_by": after(30), "restore_by": after(300)}
    assert tightest([]) == {}


# What the customer feels


def test_a_kept_contract_over_a_bad_day_shows() -> None:
    told = (
        Transition(after(60), "waiting_for_parts"),
        Transition(after(600), "on_site"),
        Transition(after(660), "restored"),
    )
    life, terms = Timeline(OPENED, "L1", told), terms_of(restore=3 * HOUR)
    now = after(1000)
    always = Calendar(ZoneInfo("UTC"))
    felt = experience(life, clock_states(life, terms, now), always, now, 4 * HOUR)
    assert (felt.counted_seconds, felt.felt_seconds, felt.down_seconds) == (2 * HOUR, 11 * HOUR, 11 * HOUR)
    assert felt.green_over_red
    at_night = Calendar(ZoneInfo("UTC"), (((0, 6 * HOUR),),) * 7)
    assert experience(life, clock_states(life, terms, now), at_night, now, 5 * HOUR).felt_seconds == 5 * HOUR
    assert not experience(life, clock_states(life, terms, now), at_night, now, 5 * HOUR).red


def test_downtime_ends_with_a_restoration_and_begins_again_when_it_does_not_hold() -> None:
    def span(first: int, last: int) -> tuple[int, int]:
        return int(after(first).timestamp()), int(after(last).timestamp())

    told = (Transition(after(60), "restored"), Transition(after(90), "opened"), Transition(after(100), "cancelled"))
    assert downtimes(Timeline(OPENED, "L1", told), after(200)) == (span(0, 60), span(90, 100))
    assert downtimes(Timeline(OPENED, "L1", told), after(95)) == (span(0, 60), span(90, 95))
    again = (*told, Transition(after(150), "restored"), Transition(after(300), "opened"))
    assert downtimes(Timeline(OPENED, "L1", again), after(200)) == (span(0, 60), span(90, 100))


@given(st.lists(st.tuples(st.integers(-10, 300), st.sampled_from(STATES)), max_size=8), st.integers(0, 300))
def test_nobody_feels_more_than_there_was_and_no_clock_counts_more_than_was_down(
    steps: list[tuple[int, str]], minute: int
) -> None:
    life = Timeline(OPENED, "L1", tuple(Transition(after(at), state) for at, state in steps))
    now, always = after(minute), Calendar(ZoneInfo("UTC"))
    states = clock_states(life, terms_of(restore=HOUR), now)
    felt = experience(life, states, always, now)
    assert 0 <= (felt.counted_seconds or 0) <= felt.felt_seconds == felt.down_seconds <= minute * 60


# Links

RELATIONS = (
    AssetRelation("part_of", "hoist", "crane"),
    AssetRelation("feeds", "transformer", "crane"),
    AssetRelation("part_of", "motor", "hoist"),
)


def reported(name: str, asset: str, minute: int = 0, level: Any = "L3", *, movable: bool = True) -> Reported:
    return Reported(name, asset, after(minute), level, movable)


def linked(*orders: Reported, apart: tuple[str, ...] = ()) -> dict[str, tuple[str, str]]:
    return {link.child: (link.parent, link.reason.code) for link in links(orders, RELATIONS, 2 * HOUR, apart)}


def test_orders_on_one_machine_wait_with_the_most_urgent_then_the_first() -> None:
    found = linked(reported("W1", "crane"), reported("W2", "crane", 5, "L1"), reported("W3", "crane", 9))
    assert found == {"W1": ("W2", "SAME_ASSET"), "W3": ("W2", "SAME_ASSET")}


def test_the_machine_that_others_hang_on_has_the_parent() -> None:
    found = linked(reported("W1", "motor", 0, "L1"), reported("W2", "hoist"), reported("W3", "transformer", 30))
    assert found == {"W1": ("W3", "HANGS_ON"), "W2": ("W3", "HANGS_ON")}
    assert linked(reported("W1", "hoist"), reported("W2", "crane")) == {"W1": ("W2", "PART_OF")}
    assert linked(reported("W1", "crane"), reported("W2", "transformer")) == {"W1": ("W2", "FEEDS")}


def test_what_hangs_on_the_same_machine_is_no_one_fault_by_itself() -> None:
    relations = (AssetRelation("part_of", "left", "crane"), AssetRelation("part_of", "right", "crane"))
    assert links([reported("W1", "left"), reported("W2", "right")], relations, HOUR) == ()


def test_orders_too_far_apart_set_apart_or_under_way_stand_alone() -> None:
    assert linked(reported("W1", "crane"), reported("W2", "crane", 121)) == {}
    assert linked(reported("W1", "crane"), reported("W2", "crane", 120)) == {"W2": ("W1", "SAME_ASSET")}
    assert linked(reported("W1", "crane"), reported("W2", "crane"), apart=("W2",)) == {}
    assert linked(reported("W1", "crane"), reported("W2", "crane", movable=False)) == {}


def test_a_link_says_why_in_words() -> None:
    [link] = links([reported("W1", "motor", 29), reported("W2", "transformer")], RELATIONS, HOUR)
    assert link.reason.message == "motor hangs on transformer by way of hoist, crane; reported 29 min apart"
    assert set(LINK_REASONS) == {"SAME_ASSET", "PART_OF", "FEEDS", "HANGS_ON"}


_ORDERS = st.lists(
    st.builds(
        Reported,
        st.uuids().map(str),
        st.sampled_from(["crane", "hoist", "motor", "transformer", "pump"]),
        st.integers(0, 300).map(after),
        st.sampled_from(LEVELS),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda order: order.id,
)
_RELATIONS = st.lists(
    st.builds(
        AssetRelation,
        st.sampled_from(["part_of", "feeds"]),
        st.sampled_from(["crane", "hoist", "motor", "pump"]),
        st.sampled_from(["crane", "hoist", "motor", "pump"]),
    ),
    max_size=6,
)


@given(_ORDERS, _RELATIONS, st.randoms(use_true_random=False))
def test_links_make_families_of_one_parent_whatever_the_order(
    orders: list[Reported], relations: list[AssetRelation], random: Any
) -> None:
    found = links(orders, relations, HOUR)
    by_id = {order.id: order for order in orders}
    children = {link.child for link in found}
    assert len(children) == len(found)
    assert children.isdisjoint(link.parent for link in found)
    for link in found:
        child, parent = by_id[link.child], by_id[link.parent]
        assert child.movable
        assert abs(child.opened_at - parent.opened_at) <= timedelta(seconds=HOUR)
    shuffled = random.sample(orders, len(orders))
    assert links(shuffled, relations, HOUR) == found


# From marks to a life


def marks(*marks: Mark) -> Timeline:
    return timeline(OPENED, "L2", marks)


def states(life: Timeline) -> list[tuple[int, str]]:
    return [(int((change.at - OPENED).total_seconds()) // 60, change.state) for change in life.transitions]


def test_an_order_without_its_opening_tells_no_status() -> None:
    order = {"status": "open", "level": "L4", "body": {}}
    assert list(marks_of_order(order, {**order, "status": "planned"}, OPENED, None)) == []
    regraded = {**order, "level": "L1"}
    assert list(marks_of_order(order, regraded, OPENED, "worse")) == [Mark(OPENED, "level", "L1", "L4", reason="worse")]
    opened = {**order, "status": "done", "body": {"opened_at": "2026-11-23T01:00:00Z"}}
    assert [mark.value for mark in marks_of_order(None, opened, OPENED, None)] == ["done"]


VISIT: dict[str, Any] = dict.fromkeys(
    ("accepted_at", "departed_at", "arrived_at", "started_at", "paused_at", "ended_at", "failure", "report")
) | {"status": "planned"}


def test_a_visit_tells_its_steps_when_they_happened() -> None:
    steps: list[dict[str, Any]] = [
        {"status": "accepted", "accepted_at": after(5)},
        {"status": "en_route", "departed_at": after(10)},
        {"status": "on_site", "arrived_at": after(30)},
        {"status": "paused", "paused_at": after(40), "report": {"pauses": [{"cause": "customer"}]}},
        {
            "status": "on_site",
            "paused_at": None,
            "report": {"pauses": [{"cause": "customer", "until": after(70).isoformat()}]},
        },
        {"status": "paused", "paused_at": after(80), "report": {"pauses": [{"cause": "other"}]}},
        {"status": "on_site", "paused_at": None},
        {"status": "failed", "ended_at": after(90), "failure": {"cause": "part"}},
    ]
    found, visit = list(marks_of_visit(None, VISIT)), VISIT
    for step in steps:
        later = {**visit, **step}
        found += marks_of_visit(visit, later)
        visit = later
    assert states(marks(*found)) == [
        (5, "accepted"),
        (10, "en_route"),
        (30, "on_site"),
        (40, "waiting_for_customer"),
        (70, "on_site"),
        (90, "failed"),
    ]
    assert found[-1].reason == "part"


def test_a_wait_that_nobody_ended_in_words_ends_where_it_began() -> None:
    paused = {**VISIT, "status": "paused", "paused_at": after(40), "report": {"pauses": [{"cause": "parts"}]}}
    [mark] = marks_of_visit(paused, {**paused, "status": "on_site", "paused_at": None})
    assert (mark.at, mark.value) == (after(40), "on_site")


def test_an_order_is_restored_with_its_last_visit_and_not_when_that_was_told() -> None:
    visits = [Mark(after(50), "state", "visit_done"), Mark(after(60), "state", "visit_done")]
    done = Mark(after(90), "status", "done", "in_progress")
    assert states(marks(*visits, done)) == [(60, "restored")]
    assert states(marks(done)) == [(90, "restored")]
    again = (Mark(after(100), "status", "open", "done"), Mark(after(120), "status", "done", "open"))
    assert states(marks(*visits, done, *again)) == [(60, "restored"), (100, "opened"), (120, "restored")]


def test_plans_do_not_hide_what_people_do() -> None:
    under_way = [Mark(after(10), "state", "en_route"), Mark(after(12), "status", "planned", "open")]
    assert states(marks(*under_way)) == [(10, "en_route")]
    failed = [Mark(after(20), "state", "failed", reason="part"), Mark(after(21), "status", "open", "in_progress")]
    assert states(marks(*failed)) == [(20, "failed")]
    taken_back = [Mark(after(5), "status", "planned", "open"), Mark(after(9), "status", "open", "planned")]
    assert states(marks(*taken_back)) == [(5, "planned"), (9, "opened")]
    assert states(marks(Mark(after(5), "status", "in_progress", "planned"))) == []


def test_the_level_at_the_opening_is_the_one_before_the_first_change() -> None:
    life = marks(Mark(after(5), "level", "L1", "L3"), Mark(after(9), "level", "L2", "L1", reason="by hand"))
    assert (life.level, [change.level for change in life.regrades]) == ("L3", ["L1", "L2"])
    assert marks().level == "L2"


def test_the_last_word_on_a_parent_counts() -> None:
    assert parent_of([]) == (None, False)
    link, split = Mark(OPENED, "parent", parent="W1"), Mark(after(5), "parent")
    assert parent_of([link]) == ("W1", False)
    assert parent_of([link, split]) == (None, True)


def test_a_level_without_a_reason_is_nobodys_override() -> None:
    by_hand = Mark(OPENED, "level", "L1", "L2", reason="worse")
    assert set_by_hand([by_hand]) == by_hand
    assert set_by_hand([by_hand, Mark(after(5), "level", "L2", "L1")]) is None
    assert set_by_hand([]) is None


def test_a_calendar_goes_by_the_clocks_of_the_site_unless_it_has_its_own() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    assert CalendarRule().at(shanghai).zone == shanghai
    assert CalendarRule(ZoneInfo("UTC")).at(shanghai).zone.key == "UTC"
    assert GradeReason("RULE", {"rule": 1, "level": "L1"}).message == "rule 1 of the policy gives L1"
