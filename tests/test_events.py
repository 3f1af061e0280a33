"""What events change, kind by kind, and which of them are refused; pure, without a database."""

import pickle
from typing import Any

import pytest

from data.orm_base import UtcDateTime
from data.repositories import RESOURCES
from dispatcher.errors import EVENT_CODES, REFUSAL_CODES, EventRefused
from dispatcher.events import KINDS, RECORDS_CHANGED, Event, LiveState, apply, rebuild
from dispatcher.live_state import differences
from dispatcher.told_records import TOLD
from tests.stored_states import Values, at, order, shift, territory, visit

TEAM = {"roles": [{"role": "lead"}, {"role": "support"}]}


def state(*records: tuple[str, Values]) -> LiveState:
    """Two engineers with a shift each, and these records."""
    found = LiveState()
    for kind, values in (("shift", shift("E1")), ("shift", shift("E2")), ("territory", territory()), *records):
        found.write(kind, values)
    return found


def planned(name: str = "W1", by: str = "E1", status: str = "planned", **fields: Any) -> list[tuple[str, Values]]:
    """A planned order with a visit."""
    return [("work_order", order(name, "planned")), ("visit", visit(f"V-{name}", name, by, status, **fields))]


def told(found: LiveState, kind: str, hour: float = 10, **body: Any) -> LiveState:
    """The state after an event; the same one, for tests that go on."""
    event = Event(kind, at(hour), {"new_visit": f"new-{kind}-{hour}", **body})
    before = {name: dict(records) for name, records in found.records.items()}
    effects = apply(found, event)
    assert {name: dict(records) for name, records in found.records.items()} == before
    found.take(effects)
    return found


def refusal(found: LiveState, kind: str, hour: float = 10, **body: Any) -> str:
    """The code with which an event is refused; its path leads to something that it says."""
    event = Event(kind, at(hour), {"new_visit": "new", **body})
    with pytest.raises(EventRefused) as caught:
        apply(found, event)
    issue = caught.value.issue
    assert issue.code in {**EVENT_CODES, **REFUSAL_CODES}
    assert issue.message
    assert issue.remedy
    place: Any = {"occurred_at": event.occurred_at, "body": event.body}
    for part in issue.path.split("."):
        place = place[part]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(issue)
    return issue.code


def status(found: LiveState, name: str = "W1") -> str:
    return str(found.records["work_order"][(name,)]["status"])


def the_visit(found: LiveState, name: str = "W1") -> Values:
    """The one visit of an order."""
    (only,) = found.visits_of(name)
    return dict(only)


def mine(name: str = "W1", by: str = "E1", **more: Any) -> dict[str, Any]:
    return {"work_order": name, "engineer": by, **more}


# -- orders ----------------------------------------------------------------------------------------------------------


def test_an_opened_order_is_there_once() -> None:
    words = {"id": "W1", "location": "S1", "level": "L2", "service_seconds": 600, "parts": {"P": 1}}
    found = told(state(), "order_opened", order=words)
    (record,) = found.records["work_order"].values()
    assert (record["status"], record["level"], record["site"]) == ("open", "L2", "S1")
    assert record["body"] == {"service_seconds": 600, "parts": {"P": 1}, "opened_at": at(10).isoformat()}
    assert refusal(found, "order_opened", order=words) == "ALREADY_EXISTS"
    told(found, "order_opened", order={"id": "W2", "location": "S1", "opened_at": at(9).isoformat()})
    assert found.records["work_order"][("W2",)]["body"] == {"opened_at": at(9).isoformat()}


def test_a_regraded_order_has_its_new_level_and_stays_where_it_is() -> None:
    found = told(state(*planned()), "order_regraded", work_order="W1", level="L1", reason="customer rang")
    assert (found.records["work_order"][("W1",)]["level"], status(found)) == ("L1", "planned")
    before = dict(found.records["work_order"])
    assert told(found, "order_regraded", work_order="W1", level="L1", reason="again").records["work_order"] == before


def test_an_edit_changes_what_it_names_and_nothing_else() -> None:
    found = state(("work_order", order("W1", required_skills=[{"skill": "pumps"}], parts={"P": 1})))
    told(found, "order_edited", work_order="W1", changes={"service_seconds": 60, "parts": None, "location": "S2"})
    record = found.records["work_order"][("W1",)]
    assert record["body"] == {"service_seconds": 60, "required_skills": [{"skill": "pumps"}]}
    assert (record["site"], record["status"]) == ("S2", "open")
    before = dict(found.records["work_order"])
    assert told(found, "order_edited", work_order="W1", changes={"service_seconds": 60}).records["work_order"] == before


def test_an_order_is_not_moved_from_under_who_drives_there() -> None:
    found = state(*planned(status="en_route"))
    assert refusal(found, "order_edited", work_order="W1", changes={"location": "S2"}) == "WRONG_STATE"
    told(found, "order_edited", work_order="W1", changes={"location": "S1", "service_seconds": 60})
    assert found.records["work_order"][("W1",)]["body"] == {"service_seconds": 60}


@pytest.mark.parametrize("step", ["planned", "accepted", "en_route"])
def test_a_cancelled_order_takes_its_visits_along(step: str) -> None:
    found = told(state(*planned(status=step)), "order_cancelled", work_order="W1")
    assert (status(found), found.visits_of("W1")) == ("cancelled", [])
    assert status(told(found, "order_cancelled", work_order="W1")) == "cancelled"
    assert refusal(found, "order_edited", work_order="W1", changes={}) == "WRONG_STATE"


@pytest.mark.parametrize("step", ["on_site", "paused"])
def test_work_that_has_begun_is_not_cancelled(step: str) -> None:
    assert refusal(state(*planned(status=step)), "order_cancelled", work_order="W1") == "WRONG_STATE"


def test_what_ended_before_stays_when_the_rest_is_cancelled() -> None:
    found = state(*planned(), ("visit", visit("V0", "W1", "E2", "failed", ended_at=at(9))))
    assert [item["external_id"] for item in told(found, "order_cancelled", work_order="W1").visits_of("W1")] == ["V0"]


@pytest.mark.parametrize("kind", ["order_regraded", "order_edited", "order_cancelled", "visit_en_route"])
def test_an_order_that_there_is_not_is_named(kind: str) -> None:
    assert refusal(state(), kind, level="L1", changes={}, **mine()) == "NOT_FOUND"


# -- engineers -------------------------------------------------------------------------------------------------------


def the_shift(found: LiveState, name: str = "E1") -> Values:
    return dict(found.records["shift"][(name, "mon")])


def test_who_comes_late_is_there_from_then_on() -> None:
    found = told(state(), "engineer_late", 8, engineer="E1", shift="mon", expected_at=at(9.5).isoformat())
    assert the_shift(found)["available_from"] == at(9.5)
    told(found, "engineer_late", 8, engineer="E1", shift="mon", expected_at=at(9).isoformat())
    assert the_shift(found)["available_from"] == at(9)
    told(found, "engineer_back", 8.5, engineer="E1", shift="mon")
    assert the_shift(found)["available_from"] == at(8.5)
    told(found, "engineer_back", 9, engineer="E1", shift="mon")
    assert the_shift(found)["available_from"] == at(8.5)
    told(found, "engineer_late", 8, engineer="E1", shift="mon", expected_at=at(7).isoformat())
    assert the_shift(found)["available_from"] is None


def test_nobody_comes_later_than_the_shift_ends() -> None:
    late: Values = {"engineer": "E1", "shift": "mon", "expected_at": at(17).isoformat()}
    assert refusal(state(), "engineer_late", **late) == "BEYOND_SHIFT"
    cancelled = state(("shift", shift("E1", status="cancelled")))
    assert refusal(cancelled, "engineer_back", 18, engineer="E1", shift="mon") == "BEYOND_SHIFT"


def test_who_is_off_sick_gives_back_what_has_not_begun_and_no_more() -> None:
    found = state(
        *planned("W1"),
        *planned("W2", status="en_route"),
        ("work_order", order("W3", "in_progress")),
        ("visit", visit("V3", "W3", "E1", "on_site", arrived_at=at(9))),
        *planned("W4", during="tue"),
    )
    told(found, "engineer_off_sick", engineer="E1", shift="mon")
    assert the_shift(found)["status"] == "cancelled"
    assert {name: status(found, name) for name in ("W1", "W2", "W3", "W4")} == {
        "W1": "open",
        "W2": "open",
        "W3": "in_progress",
        "W4": "planned",
    }
    assert sorted(item["work_order"] for item in found.visits_by("E1")) == ["W3", "W4"]
    again = told(found, "engineer_off_sick", engineer="E1", shift="mon")
    assert the_shift(again)["status"] == "cancelled"


def test_a_team_without_one_of_its_members_is_open_whole_unless_it_has_begun() -> None:
    members = [("visit", visit("V1", "W1", "E1")), ("visit", visit("V2", "W1", "E2"))]
    found = told(
        state(("work_order", order("W1", "planned", team=TEAM)), *members),
        "engineer_off_sick",
        engineer="E1",
        shift="mon",
    )
    assert (status(found), found.visits_of("W1")) == ("open", [])
    begun = [members[0], ("visit", visit("V2", "W1", "E2", "on_site"))]
    found = told(
        state(("work_order", order("W1", "in_progress", team=TEAM)), *begun),
        "engineer_off_sick",
        engineer="E1",
        shift="mon",
    )
    assert (status(found), the_visit(found)["engineer"]) == ("in_progress", "E2")


def test_a_visit_to_what_is_over_goes_without_opening_it() -> None:
    found = state(("work_order", order("W1", "done")), ("visit", visit("V1", "W1", "E1")))
    told(found, "engineer_off_sick", engineer="E1", shift="mon")
    assert (status(found), found.visits_of("W1")) == ("done", [])


@pytest.mark.parametrize(("hour", "expected"), [(7, "planned"), (9, "active")])
def test_who_is_back_works_the_rest_of_the_shift(hour: float, expected: str) -> None:
    found = told(state(("shift", shift("E1", status="cancelled"))), "engineer_back", hour, engineer="E1", shift="mon")
    assert the_shift(found)["status"] == expected
    assert the_shift(found)["available_from"] == (at(9) if hour == 9 else None)


@pytest.mark.parametrize("kind", ["engineer_late", "engineer_off_sick", "engineer_back"])
def test_a_shift_that_is_over_stays_over(kind: str) -> None:
    body: Values = {"engineer": "E1", "shift": "mon", "expected_at": at(9).isoformat()}
    assert refusal(state(("shift", shift("E1", status="ended"))), kind, **body) == "WRONG_STATE"
    assert refusal(state(), kind, **{**body, "shift": "tue"}) == "NOT_FOUND"


def test_who_is_off_cannot_come_late() -> None:
    body: Values = {"engineer": "E1", "shift": "mon", "expected_at": at(9).isoformat()}
    assert refusal(state(("shift", shift("E1", status="cancelled"))), "engineer_late", **body) == "WRONG_STATE"


def test_of_two_positions_the_later_one_counts_whichever_comes_last() -> None:
    found = told(state(), "engineer_position", 10, engineer="E1", lat=1, lon=2)
    told(found, "engineer_position", 9, engineer="E1", lat=3, lon=4)
    (position,) = found.records["engineer_position"].values()
    assert (position["latitude"], position["recorded_at"]) == (1, at(10))
    told(found, "engineer_position", 11, engineer="E1", lat=5, lon=6)
    (position,) = found.records["engineer_position"].values()
    assert (position["latitude"], position["longitude"]) == (5, 6)


def test_travel_is_slower_until_it_is_told_to_be_as_usual() -> None:
    body: Values = {"territory": "north", "factor": 1.5, "until": at(12).isoformat()}
    found = told(state(), "travel_slower", **body)
    slow = dict(found.records["territory"][("north",)])
    assert (slow["travel_factor"], slow["travel_factor_until"]) == (1.5, at(12))
    assert told(found, "travel_slower", **body).records["territory"][("north",)] == slow
    told(found, "travel_slower", **{**body, "factor": 1})
    assert found.records["territory"][("north",)]["travel_factor"] is None
    assert refusal(found, "travel_slower", 12, **body) == "OUT_OF_ORDER"
    assert refusal(found, "travel_slower", **{**body, "territory": "nowhere"}) == "NOT_FOUND"


# -- visits ----------------------------------------------------------------------------------------------------------


def test_a_visit_goes_from_accepting_to_its_end() -> None:
    found = told(state(*planned()), "visit_accepted", 8, **mine())
    assert (the_visit(found)["status"], the_visit(found)["accepted_at"]) == ("accepted", at(8))
    told(found, "visit_en_route", 8.5, **mine())
    assert (the_visit(found)["status"], status(found)) == ("en_route", "planned")
    told(found, "visit_arrived", 9, **mine())
    assert (the_visit(found)["status"], status(found)) == ("on_site", "in_progress")
    told(found, "visit_paused", 9.5, **mine(cause="parts"))
    told(found, "visit_resumed", 10, **mine())
    told(found, "visit_running_longer", 10, **mine(expected_end=at(12).isoformat()))
    assert (the_visit(found)["status"], the_visit(found)["expected_end"]) == ("on_site", at(12))
    told(found, "visit_finished", 11, **mine(notes="tight", parts_used={"P": 2, "Q": None}))
    last = the_visit(found)
    assert (last["status"], status(found), last["ended_at"], last["paused_seconds"]) == ("done", "done", at(11), 1800)
    assert last["report"] == {
        "pauses": [{"from": at(9.5).isoformat(), "cause": "parts", "until": at(10).isoformat()}],
        "notes": [{"at": at(11).isoformat(), "text": "tight"}],
        "parts_used": {"P": 2, "Q": 0},
    }
    told(found, "visit_noted", 12, **mine(notes="key left", parts_used={"P": 1}))
    report = the_visit(found)["report"]
    assert ([note["text"] for note in report["notes"]], report["parts_used"]["P"]) == (["tight", "key left"], 3)
    assert the_visit(told(found, "visit_noted", 13, **mine())) == the_visit(found)


STEPS = ["visit_accepted", "visit_en_route", "visit_arrived", "visit_paused", "visit_resumed", "visit_finished"]


@pytest.mark.parametrize("count", range(1, len(STEPS) + 1))
def test_a_step_that_is_told_again_changes_nothing(count: int) -> None:
    found = state(*planned())
    for number, kind in enumerate(STEPS[:count]):
        told(found, kind, 8 + number, **mine())
    before = the_visit(found)
    for hour in (7 + count, 20):
        assert the_visit(told(found, STEPS[count - 1], hour, **mine())) == before


def test_a_step_that_was_overtaken_fills_in_its_time_where_that_fits() -> None:
    found = told(state(*planned()), "visit_arrived", 9, **mine())
    told(found, "visit_en_route", 8.5, **mine())
    told(found, "visit_accepted", 8.75, **mine())
    assert (the_visit(found)["departed_at"], the_visit(found)["accepted_at"]) == (at(8.5), None)
    told(found, "visit_accepted", 8, **mine())
    assert (the_visit(found)["status"], the_visit(found)["accepted_at"]) == ("on_site", at(8))


@pytest.mark.parametrize(
    ("kind", "step", "fields"),
    [
        ("visit_en_route", "accepted", {"accepted_at": at(9)}),
        ("visit_arrived", "en_route", {"departed_at": at(9)}),
        ("visit_paused", "on_site", {"arrived_at": at(9)}),
        ("visit_resumed", "paused", {"paused_at": at(9)}),
        (
            "visit_finished",
            "on_site",
            {"report": {"pauses": [{"from": at(8).isoformat(), "until": at(9).isoformat()}]}},
        ),
        ("visit_failed", "on_site", {"started_at": at(9)}),
    ],
)
def test_nothing_happens_before_what_it_follows(kind: str, step: str, fields: Values) -> None:
    found = state(*planned(status=step, **fields))
    assert refusal(found, kind, 8.5, **mine(cause="other")) == "OUT_OF_ORDER"
    assert told(found, kind, 9, **mine(cause="other")) is found


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("visit_paused", "en_route"),
        ("visit_resumed", "planned"),
        ("visit_finished", "accepted"),
        ("visit_running_longer", "en_route"),
        ("visit_failed", "done"),
        ("visit_finished", "failed"),
    ],
)
def test_what_the_life_of_a_visit_does_not_allow_is_refused(kind: str, step: str) -> None:
    ended = at(9) if step in ("done", "failed") else None
    body = mine(expected_end=at(11).isoformat(), cause="other")
    assert refusal(state(*planned(status=step, ended_at=ended)), kind, **body) == "WRONG_STATE"


def test_an_expected_end_lies_ahead_and_comes_too_late_when_it_is_over() -> None:
    found = state(*planned(status="on_site"))
    assert refusal(found, "visit_running_longer", 10, **mine(expected_end=at(9).isoformat())) == "OUT_OF_ORDER"
    over = state(*planned(status="done", ended_at=at(11)))
    before = the_visit(over)
    assert the_visit(told(over, "visit_running_longer", 10, **mine(expected_end=at(12).isoformat()))) == before


def test_a_failed_visit_opens_its_order_with_what_was_missing() -> None:
    body: Values = {"required_skills": [{"skill": "pumps", "level": 2}, {"skill": "oil"}], "parts": {"P": 1}}
    found = state(("work_order", order("W1", "in_progress", **body)), ("visit", visit("V1", "W1", "E1", "on_site")))
    missing = [{"skill": "pumps", "level": 4}, {"skill": "electrics"}]
    told(found, "visit_failed", **mine(cause="part", missing_parts={"P": 3, "Q": None}, missing_skills=missing))
    assert (status(found), the_visit(found)["status"]) == ("open", "failed")
    assert the_visit(found)["failure"]["cause"] == "part"
    after = found.records["work_order"][("W1",)]["body"]
    assert after["parts"] == {"P": 3, "Q": 0}
    assert after["required_skills"] == [
        {"skill": "pumps", "level": 4},
        {"skill": "oil", "level": 1},
        {"skill": "electrics", "level": 1},
    ]
    before = the_visit(found)
    assert the_visit(told(found, "visit_failed", 12, **mine(cause="other"))) == before


def test_of_a_team_one_member_has_to_hold_what_was_missing() -> None:
    members = [("visit", visit("V1", "W1", "E1", "on_site")), ("visit", visit("V2", "W1", "E2", "on_site"))]
    found = state(("work_order", order("W1", "in_progress", team=TEAM)), *members)
    told(found, "visit_failed", **mine(cause="skill", missing_skills=[{"skill": "pumps", "level": 2}]))
    body = found.records["work_order"][("W1",)]["body"]
    assert body["team"]["collective_skills"] == [{"skill": "pumps", "level": 2}]
    assert "required_skills" not in body
    assert status(found) == "in_progress"
    told(found, "visit_failed", 11, **mine(by="E2", cause="other"))
    assert status(found) == "open"


def test_an_order_is_done_when_the_last_who_is_at_it_is() -> None:
    members = [visit("V1", "W1", "E1", "on_site"), visit("V2", "W1", "E2", "on_site"), visit("V3", "W1", "E3")]
    found = state(("work_order", order("W1", "in_progress", team=TEAM)), *(("visit", item) for item in members))
    told(found, "visit_finished", 10, **mine())
    assert (status(found), len(found.visits_of("W1"))) == ("in_progress", 3)
    told(found, "visit_finished", 11, **mine(by="E2"))
    assert status(found) == "done"
    assert [item["engineer"] for item in found.visits_of("W1")] == ["E1", "E2"]


def test_nobody_works_at_two_places_and_who_sets_out_again_gives_the_first_way_back() -> None:
    found = state(*planned("W1"), *planned("W2"))
    told(found, "visit_en_route", 8, **mine("W1"))
    told(found, "visit_en_route", 9, **mine("W2"))
    assert (the_visit(found, "W1")["status"], the_visit(found, "W1")["departed_at"]) == ("accepted", None)
    told(found, "visit_arrived", 10, **mine("W2"))
    assert refusal(found, "visit_en_route", 11, **mine("W1")) == "ELSEWHERE"
    assert refusal(found, "visit_arrived", 11, **mine("W1")) == "ELSEWHERE"
    told(found, "visit_paused", 11, **mine("W2"))
    told(found, "visit_arrived", 12, **mine("W1"))
    assert refusal(found, "visit_resumed", 13, **mine("W2")) == "ELSEWHERE"


def test_who_was_out_of_reach_and_began_has_the_work_back_from_who_had_not() -> None:
    found = state(*planned(by="E2", status="accepted", accepted_at=at(8)))
    assert refusal(found, "visit_arrived", 9, **mine()) == "NO_VISIT"
    assert refusal(found, "visit_arrived", 9, **mine(shift="tue")) == "NOT_FOUND"
    told(found, "visit_en_route", 9, **mine(shift="mon"))
    taken = the_visit(found)
    assert (taken["external_id"], taken["engineer"], taken["shift"], taken["status"]) == (
        "V-W1",
        "E1",
        "mon",
        "en_route",
    )
    assert taken["accepted_at"] is None
    assert refusal(found, "visit_arrived", 10, **mine(by="E2", shift="mon")) == "TAKEN"


@pytest.mark.parametrize(("kind", "expected"), [("visit_en_route", "planned"), ("visit_arrived", "in_progress")])
def test_who_began_work_that_nobody_had_any_more_has_a_visit_of_it(kind: str, expected: str) -> None:
    found = told(state(("work_order", order("W1"))), kind, 9, **mine(shift="mon"))
    assert (status(found), the_visit(found)["external_id"]) == (expected, f"new-{kind}-9")


@pytest.mark.parametrize("over", ["done", "cancelled"])
def test_work_on_what_is_over_is_refused(over: str) -> None:
    found = state(("work_order", order("W1", over)))
    assert refusal(found, "visit_arrived", **mine(shift="mon")) == "WRONG_STATE"
    assert refusal(found, "visit_accepted", **mine()) == ("NO_VISIT" if over == "done" else "WRONG_STATE")


def test_who_comes_again_after_a_failed_visit_begins_another_one() -> None:
    failed = visit("V0", "W1", "E1", "failed", arrived_at=at(8), ended_at=at(9))
    found = state(("work_order", order("W1")), ("visit", failed))
    told(found, "visit_en_route", 7.5, **mine(shift="mon"))
    assert (the_visit(found)["departed_at"], status(found)) == (at(7.5), "open")
    told(found, "visit_en_route", 10, **mine(shift="mon"))
    assert [(item["external_id"], item["status"]) for item in found.visits_of("W1")] == [
        ("V0", "failed"),
        ("new-visit_en_route-10", "en_route"),
    ]


# -- the log ---------------------------------------------------------------------------------------------------------


def test_changes_in_other_ways_are_told_in_full() -> None:
    before = state(*planned(status="on_site", arrived_at=at(9)))
    events = [
        Event(
            RECORDS_CHANGED, at(8), {"kind": kind, "written": [TOLD[kind].to_words(item) for item in records.values()]}
        )
        for kind, records in before.records.items()
    ]
    found = rebuild(events)
    assert differences(found, before) == []
    rebuild([Event(RECORDS_CHANGED, at(9), {"kind": "visit", "deleted": [["V-W1"], ["unknown"]]})], found)
    assert differences(before, found) == ["visit V-W1 is only in the first"]
    before.drop("visit", ("V-W1",))
    found.write("work_order", order("W1", "open"))
    found.write("work_order", order("W2", "open"))
    assert differences(before, found) == ["work_order W1 differs in status", "work_order W2 is only in the second"]


def test_a_kind_that_changes_no_record_has_no_effects() -> None:
    assert apply(state(), Event("plan_accepted", at(8), {})).written == {}


@pytest.mark.parametrize("kind", sorted(TOLD))
def test_the_log_tells_every_field_that_is_stored(kind: str) -> None:
    shape, stored = TOLD[kind], RESOURCES[kind]
    assert set(shape.fields) | ({"body"} if shape.has_body else set()) == set(stored.fields)
    assert shape.key == stored.key
    assert shape.instants == {column.name for column in stored.plain if isinstance(column.type, UtcDateTime)}


def test_every_kind_of_event_says_what_it_changes() -> None:
    assert all(handler.__doc__ for handler in KINDS.values())
