"""When a running plan needs repair, what of a repair may happen by itself, and which events are about plans at all."""

from typing import Any

import pytest

from dispatcher.difference import difference
from dispatcher.events import KINDS
from dispatcher.self_repair import changes_orders, concerns, harms_nobody, helps, is_pressing, needs

Json = dict[str, Any]
EIGHT = "2026-11-23T08:00:00Z"


def stop(order: str, clock: str = "09:00", late: int = 0) -> Json:
    at = f"2026-11-23T{clock}:00Z"
    end = f"2026-11-23T{clock[:2]}:59:00Z"
    return {
        "kind": "work_order",
        "work_order": order,
        "arrival": at,
        "start": at,
        "end": end,
        "travel_seconds": 0,
        "late_arrival_seconds": late,
    }


def day(routes: dict[str, list[Json]], levels: dict[str, str], undone: tuple[str, ...] = (), **orders: Json) -> Any:
    """A problem with a plan, both as small as comparing allows."""
    problem = {
        "horizon": {"start": EIGHT, "end": "2026-11-23T18:00:00Z"},
        "engineers": [{"id": name, "shifts": []} for name in routes],
        "work_orders": [{"id": name, "level": level, **orders.get(name, {})} for name, level in levels.items()],
    }
    plan = {
        "routes": [{"engineer": name, "shift": "mon", "stops": stops} for name, stops in routes.items() if stops],
        "unassigned": [{"work_order": name} for name in undone],
        "score": {"total": 0, "terms": []},
    }
    return problem, plan


ACCEPTED = day({"ana": [stop("W1"), stop("W2", "11:00")], "ben": []}, {"W1": "L3", "W2": "L4"})


def test_a_plan_that_goes_on_as_planned_needs_nothing() -> None:
    assert needs(ACCEPTED, ACCEPTED) == ()
    later = day({"ana": [stop("W1", "10:00"), stop("W2", "12:00", late=30)], "ben": []}, {"W1": "L3", "W2": "L4"})
    assert needs(ACCEPTED, later) == ()


def test_orders_that_nobody_has_are_needs_where_they_are_urgent() -> None:
    levels = {"W1": "L3", "W2": "L4", "W7": "L4", "W8": "L2", "W9": "L1"}
    now = day({"ana": [stop("W1"), stop("W2", "11:00")]}, levels, ("W7", "W8", "W9"))
    assert [need.message for need in needs(ACCEPTED, now)] == [
        "nobody is planned for W9 (L1)",
        "nobody is planned for W8 (L2)",
    ]


def test_orders_that_were_planned_and_cannot_be_done_any_more_are_needs_of_every_level() -> None:
    now = day({"ana": [stop("W1")]}, {"W1": "L3", "W2": "L4"}, ("W2",))
    [need] = needs(ACCEPTED, now)
    assert (need.code, need.work_order) == ("LOST", "W2")
    assert need.message == "W2 (L4) was planned, and cannot be done as planned any more"


def test_orders_that_would_be_later_than_the_plan_said_are_needs_unless_they_are_held() -> None:
    levels = {"W1": "L3", "W2": "L4"}
    route = {"ana": [stop("W1", "10:00", 600), stop("W2", "12:00", 5400)]}
    assert [need.message for need in needs(ACCEPTED, day(route, levels))] == [
        "W1 (L3) would be 10 min late",
        "W2 (L4) would be 1 h 30 min late",
    ]
    held: dict[str, Any] = {"W1": {"pin": {"engineer": "ana", "start": EIGHT}}}
    assert [need.work_order for need in needs(ACCEPTED, day(route, levels, **held))] == ["W2"]


def test_a_repair_helps_where_somebody_comes_or_comes_less_late() -> None:
    levels = {"W1": "L3", "W2": "L4", "W9": "L1"}
    before = day({"ana": [stop("W1", "10:00", 600), stop("W2", "12:00")]}, levels, ("W9",))
    urgent, late = needs(ACCEPTED, before)
    assert (urgent.work_order, late.work_order) == ("W9", "W1")
    placed = day({"ana": [stop("W1", "10:00", 600), stop("W2", "12:00")], "ben": [stop("W9")]}, levels)
    sooner = day({"ana": [stop("W1", "09:30"), stop("W2", "12:00")]}, levels, ("W9",))
    other = day({"ana": [stop("W1", "10:00", 600)], "ben": [stop("W2", "12:00")]}, levels, ("W9",))
    helped = [[helps(difference(before, after), need) for need in (urgent, late)] for after in (placed, sooner, other)]
    assert helped == [[True, False], [False, True], [False, False]]


def test_only_placing_what_nobody_has_harms_nobody() -> None:
    levels = {"W1": "L3", "W2": "L4", "W8": "L4", "W9": "L1"}
    base = [stop("W1"), stop("W2", "12:00")]
    before = day({"ana": base, "ben": []}, levels, ("W8", "W9"))
    wanted = needs(ACCEPTED, before)

    def harmless(routes: dict[str, list[Json]], undone: tuple[str, ...] = ("W8",)) -> bool:
        return harms_nobody(difference(before, day(routes, levels, undone)), wanted)

    assert harmless({"ana": base, "ben": [stop("W9")]})
    assert harmless({"ana": [stop("W9", "08:00"), stop("W1", "10:00"), stop("W2", "12:00")]})
    assert not harmless({"ana": [stop("W9", "08:00"), stop("W1", "10:00", 60), stop("W2", "12:00")]})
    assert not harmless({"ana": [stop("W9", "08:00"), stop("W1")], "ben": [stop("W2", "12:00")]})
    assert not harmless({"ana": [stop("W9", "08:00"), stop("W1")]}, ("W2", "W8"))
    # What the plan left out for good reasons is no business of the one who places an L1.
    assert not harmless({"ana": base, "ben": [stop("W9"), stop("W8", "13:00")]}, ())


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("order_opened", {"order": {"id": "W1", "level": "L1"}}, (True, True, True)),
        ("order_opened", {"order": {"id": "W1"}}, (True, False, True)),
        ("order_regraded", {"work_order": "W1", "level": "L2"}, (True, True, False)),
        ("order_regraded", {"work_order": "W1", "level": "L3"}, (True, False, False)),
        ("order_opened", {"order": {"id": "W1"}, "graded_level": "L2"}, (True, True, True)),
        ("order_edited", {"work_order": "W1", "changes": {}}, (True, False, True)),
        ("order_edited", {"work_order": "W1", "changes": {"level": "L1"}}, (True, True, True)),
        ("engineer_off_sick", {"engineer": "E1", "shift": "mon"}, (True, True, False)),
        ("order_linked", {"work_order": "W1", "parent": None}, (True, True, False)),
        ("order_linked", {"work_order": "W1", "parent": "W2"}, (True, False, False)),
        ("engineer_position", {"engineer": "E1"}, (False, False, False)),
        ("visit_running_longer", {"work_order": "W1", "engineer": "E1"}, (True, False, False)),
        ("sla_near_breach", {"work_order": "W1", "clock": "respond"}, (False, False, False)),
        ("sla_breached", {"work_order": "W1", "clock": "arrive"}, (True, False, False)),
        ("plan_repaired", {"plan": "P1"}, (False, False, False)),
        ("records_changed", {"kind": "engineer_position", "written": [{}]}, (False, False, False)),
        ("records_changed", {"kind": "work_order", "written": [{"id": "W1", "level": "L2"}]}, (True, True, True)),
        (
            "records_changed",
            {"kind": "work_order", "written": [{"id": "W1", "level": "L2", "status": "done"}]},
            (True, False, True),
        ),
        ("records_changed", {"kind": "shift", "written": [{"status": "cancelled"}]}, (True, True, False)),
        ("records_changed", {"kind": "shift", "deleted": [["E1", "mon"]]}, (True, False, False)),
        ("records_changed", {"kind": "visit", "written": [{}]}, (True, False, False)),
    ],
)
def test_events_are_about_plans_or_not_and_some_cannot_wait(
    kind: str, body: Json, expected: tuple[bool, bool, bool]
) -> None:
    assert (concerns(kind, body), is_pressing(kind, body), changes_orders(kind, body)) == expected


def test_every_event_that_can_change_a_plan_concerns_it() -> None:
    harmless = {"engineer_position", "visit_accepted", "visit_en_route", "visit_noted"}
    told = {kind for kind in KINDS if concerns(kind, {"order": {}, "level": "L4"})}
    assert told == KINDS.keys() - harmless
