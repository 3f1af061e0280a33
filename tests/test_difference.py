"""What is different between two plans, by how much, and why: one small story for every reason."""

from copy import deepcopy
from typing import Any

import pytest

from dispatcher.difference import WHY, Difference, OrderChange, Why, difference
from dispatcher.plan import Rest, RouteSequence, Sequences, Visit
from dispatcher.publish import plan_document
from tests.live_days import planned_day, small_document
from tests.small_days import Document, at, day, engineer, order, plan_of, read, rest, seconds, shift

Routes = dict[str, list[str | int]]


def planned(document: Document, routes: Routes) -> tuple[Document, Document]:
    """A problem with the plan of these routes; a number stands for a break."""
    problem = read(document)
    sequences = Sequences(
        tuple(
            RouteSequence(name, "day", tuple(Rest(item) if isinstance(item, int) else Visit(item) for item in items))
            for name, items in routes.items()
        )
    )
    plan, evaluation = plan_of(problem, sequences)
    return document, plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=0)


def compared(before: tuple[Document, Routes], after: tuple[Document, Routes]) -> Difference:
    return difference(planned(*before), planned(*after))


def change_of(found: Difference, name: str) -> OrderChange:
    [change] = [item for item in found.orders if item.work_order == name]
    return change


def codes(change: OrderChange) -> list[str]:
    return [why.code for why in change.why]


def base(*orders: Document, **fields: Any) -> Document:
    return day([engineer("A"), engineer("B")], orders, **fields)


def test_equal_plans_differ_in_nothing() -> None:
    problem = base(order("W1"), order("W2"))
    found = compared((problem, {"A": ["W1", "W2"]}), (problem, {"A": ["W1", "W2"]}))
    assert (found.orders, found.engineers, found.terms, found.reassigned) == ((), (), (), 0)
    assert found.total_before == found.total_after


def test_another_engineer_is_told_with_what_it_costs_and_saves() -> None:
    problem = base(order("W1", "p10"), order("W2", "p20"))
    found = compared((problem, {"A": ["W1", "W2"]}), (problem, {"A": ["W1"], "B": ["W2"]}))
    change = change_of(found, "W2")
    assert (change.kind, change.engineers_before, change.engineers_after) == ("reassigned", ("A",), ("B",))
    assert (change.start_before, change.start_after) == (seconds("09:20"), seconds("08:20"))
    assert change.moved_seconds == -3600
    assert codes(change) == ["DEARER"]
    assert change.why[0].message == "the plan as a whole costs 1,200 more with all its changes"
    assert found.reassigned == 1
    days = {item.engineer: item for item in found.engineers}
    assert (days["A"].lost, days["A"].travel_seconds, days["A"].end_after) == (("W2",), -1200, seconds("09:20"))
    assert (days["B"].gained, days["B"].travel_seconds, days["B"].end_before) == (("W2",), 2400, None)
    assert {(term.rule, term.cost) for term in found.terms if term.cost} == {("travel", 1200.0)}
    cheaper = compared((problem, {"A": ["W1"], "B": ["W2"]}), (problem, {"A": ["W1", "W2"]}))
    assert codes(change_of(cheaper, "W2")) == ["CHEAPER"]


def test_what_makes_room_and_what_takes_the_place() -> None:
    problem = base(order("W1", "p10"), order("W2", "p10", level="L1"))
    found = compared((problem, {"A": ["W1"]}), (problem, {"A": ["W2"], "B": ["W1"]}))
    assert codes(change_of(found, "W1")) == ["MAKES_ROOM"]
    assert change_of(found, "W1").why[0].message == "A does W2 (L1) at that time instead"
    assert (change_of(found, "W2").kind, codes(change_of(found, "W2"))) == ("placed", ["TAKES_PLACE"])
    assert change_of(found, "W2").moved_seconds is None
    back = compared((problem, {"A": ["W2"], "B": ["W1"]}), (problem, {"A": ["W1"]}))
    assert (change_of(back, "W2").kind, codes(change_of(back, "W2"))) == ("dropped", ["MAKES_ROOM"])


def test_orders_that_come_and_go_with_the_problem() -> None:
    before, after = base(order("W1"), order("W2")), base(order("W1"), order("W3"), order("W4"))
    found = compared((before, {"A": ["W2", "W1"]}), (after, {"A": ["W1", "W3"]}))
    assert (change_of(found, "W2").kind, codes(change_of(found, "W2"))) == ("removed", ["NO_LONGER_OPEN"])
    assert (change_of(found, "W3").kind, codes(change_of(found, "W3"))) == ("added", ["NEW_ORDER"])
    assert (change_of(found, "W4").start_after, codes(change_of(found, "W4"))) == (None, ["NEW_ORDER"])
    assert (change_of(found, "W1").kind, codes(change_of(found, "W1"))) == ("retimed", ["NO_LONGER_AFTER"])


def test_a_new_order_on_the_way_makes_the_next_one_later() -> None:
    problem = base(order("W1"), order("W2"), order("W3"))
    found = compared((problem, {"A": ["W1", "W3"]}), (problem, {"A": ["W2", "W1", "W3"]}))
    assert codes(change_of(found, "W1")) == ["COMES_AFTER"]
    assert change_of(found, "W1").why[0].message == "A does W2 before it now"
    assert codes(change_of(found, "W3")) == ["MOVES_ALONG"]
    assert (change_of(found, "W2").kind, codes(change_of(found, "W2"))) == ("placed", ["FITS"])
    turned = compared((problem, {"A": ["W1", "W3"]}), (problem, {"A": ["W3", "W1"]}))
    assert codes(change_of(turned, "W3")) == ["MOVES_ALONG"]


def test_facts_about_orders_and_shifts_are_told_first() -> None:
    before = base(order("W1"), order("W2", deadlines={"arrive_by": at("10:00")}), now=at("08:00"))
    after = deepcopy(before)
    after["now"] = at("09:00")
    after["engineers"][0]["shifts"] = []
    after["work_orders"][0] |= {"level": "L1", "service_seconds": 7200}
    found = compared((before, {"A": ["W1", "W2"]}), (after, {"B": ["W1", "W2"]}))
    assert codes(change_of(found, "W1")) == ["ORDER_CHANGED", "SHIFT_GONE"]
    assert change_of(found, "W1").why[0].message == "the order itself changed: level, service_seconds"
    assert codes(change_of(found, "W2")) == ["SHIFT_GONE"]
    shorter = deepcopy(before)
    shorter["engineers"][0]["shifts"] = [shift("09:00")]
    moved = compared((before, {"A": ["W1"]}), (shorter, {"A": ["W1"]}))
    assert codes(change_of(moved, "W1")) == ["SHIFT_CHANGED", "MOVES_ALONG"]


def test_work_that_has_begun_or_is_pinned_says_so() -> None:
    before = base(order("W1"), order("W2"), now=at("08:00"))
    begun = deepcopy(before)
    begun["now"] = at("09:00")
    begun["work_orders"][0]["pin"] = {"engineer": "B", "start": at("08:30")}
    found = compared((before, {"A": ["W1"]}), (begun, {"B": ["W1"]}))
    assert codes(change_of(found, "W1")) == ["UNDER_WAY"]
    assert change_of(found, "W1").why[0].message == "B has begun it"
    pinned = deepcopy(before)
    pinned["work_orders"][0]["pin"] = {"engineer": "B"}
    assert codes(change_of(compared((before, {"A": ["W1"]}), (pinned, {"B": ["W1"]})), "W1")) == ["PINNED"]


def test_a_promise_that_is_kept_is_the_reason() -> None:
    problem = base(order("W1"), order("W2", deadlines={"arrive_by": at("08:30")}))
    found = compared((problem, {"A": ["W1", "W2"]}), (problem, {"A": ["W1"], "B": ["W2"]}))
    change = change_of(found, "W2")
    assert (change.late_before_seconds, change.late_after_seconds) == (2400, 0)
    assert codes(change) == ["KEEPS_PROMISE"]
    assert change.why[0].message == "it was to be 40 min late, and is in time now"
    tighter = base(order("W1", service_seconds=1800), order("W2", deadlines={"arrive_by": at("08:10")}))
    longer = base(order("W1"), order("W2", deadlines={"arrive_by": at("08:10")}))
    less = change_of(compared((longer, {"A": ["W1", "W2"]}), (tighter, {"A": ["W1", "W2"]})), "W2").why[0]
    assert (less.code, less.message) == ("LESS_LATE", "it was to be 1 h late, and is only 30 min late now")
    earlier = compared((problem, {"A": ["W1", "W2"]}), (problem, {"A": ["W2", "W1"]}))
    assert codes(change_of(earlier, "W2"))[0] == "KEEPS_PROMISE"


def test_an_order_that_is_left_out_is_told_with_what_it_would_take() -> None:
    problem = base(order("W1"))
    before, after = planned(problem, {"A": ["W1"]}), planned(problem, {})
    after[1]["unassigned"][0]["cheapest_fix"] = {"message": "A could do it if …"}
    change = change_of(difference(before, after), "W1")
    assert [why.message for why in change.why] == ["A could do it if …"]
    assert codes(change_of(difference(before, planned(problem, {})), "W1")) == ["DEARER"]


def test_a_dear_order_is_placed_at_a_cost() -> None:
    problem = base(order("W1", "p300", value=0))
    found = compared((problem, {}), (problem, {"A": ["W1"]}))
    assert codes(change_of(found, "W1")) == ["DEARER"]


def test_overtime_and_breaks_belong_to_the_day_of_an_engineer() -> None:
    long = shift(end="10:00", latest_end="16:00", breaks=[rest("08:00", "12:00", 30)])
    problem = day([engineer("A", shifts=[long]), engineer("B")], [order("W1"), order("W2")])
    found = compared((problem, {"A": ["W1", 0]}), (problem, {"A": ["W1", 0, "W2"]}))
    [change] = found.engineers
    assert (change.overtime_seconds, change.end_after) == (3000, seconds("10:50"))


def test_plans_made_elsewhere_need_no_score() -> None:
    problem, plan = planned(base(order("W1")), {"A": ["W1"]})
    bare = {"version": 1, "routes": plan["routes"]}
    found = difference((problem, bare), (problem, {"version": 1, "routes": []}))
    assert (found.total_before, found.total_after, found.terms) == (None, None, ())
    assert [change.kind for change in found.orders] == ["dropped"]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_change_of_a_real_plan_has_a_reason_with_words(seed: int) -> None:
    problem, sequences = planned_day(seed)
    plan, evaluation = plan_of(problem, sequences)
    before = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=0)
    nothing, empty = plan_of(problem, Sequences())
    after = plan_document(problem, nothing, empty, explanations=(), receipt={}, created_at=0)
    document = small_document(seed)
    for found in (difference((document, before), (document, after)), difference((document, after), (document, before))):
        assert found.orders
        assert all(change.why and all(why.message for why in change.why) for change in found.orders)
        assert sum(term.cost for term in found.terms) == pytest.approx(
            (found.total_after or 0) - (found.total_before or 0), abs=1
        )


def test_every_reason_can_be_said() -> None:
    params = {
        "engineer": "A",
        "other": "W",
        "level": "L1",
        "fields": "level",
        "late_seconds": 60,
        "now_late_seconds": 0,
        "saved": 1,
        "more": 1,
        "message": "so",
    }
    for code in WHY:
        assert "{" not in Why(code, params).message
