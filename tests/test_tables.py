"""A plan as tables for a terminal: what they say, and that nothing is lost or misread on the way."""

from typing import Any

import pytest
from rich.console import Console, RenderableType

from api.tables import (
    MOST_ROUTES,
    plan_tables,
    receipt_line,
    route_detail,
    routes_table,
    score_table,
    teams_table,
    unassigned_table,
)
from tests.reference import GoldenCase, golden_cases

MARKUP = "[bold]W1[/bold] [red"


def at(clock: str) -> str:
    return f"2026-11-23T{clock}:00+08:00"


def a_plan() -> dict[str, Any]:
    return {
        "version": 1,
        "problem_id": "monday",
        "created_at": at("07:30"),
        "score": {
            "total": 35260,
            "terms": [
                {"rule": "travel", "amount": 3900, "unit": "s", "cost": 3900},
                {"rule": "unserved", "amount": 28800, "unit": "cost", "cost": 28800},
                {"rule": "late_restore", "amount": 1800, "unit": "s", "cost": 2560.5},
                {"rule": "distance", "amount": 12400, "cost": 0},
            ],
        },
        "routes": [
            {
                "engineer": "E1",
                "shift": "mon",
                "stops": [
                    {"kind": "start", "location": "depot", "end": at("08:00")},
                    {
                        "kind": "work_order",
                        "work_order": "W1",
                        "role": "lead",
                        "location": "n17",
                        "travel_seconds": 1200,
                        "travel_meters": 9100,
                        "arrival": at("08:20"),
                        "start": at("08:30"),
                        "end": at("09:30"),
                        "late_arrival_seconds": 0,
                        "late_start_seconds": 0,
                        "late_restore_seconds": 1800,
                        "pinned": True,
                    },
                    {"kind": "break", "start": at("09:30"), "end": at("10:15")},
                    {
                        "kind": "end",
                        "location": "depot",
                        "travel_seconds": 2700,
                        "travel_meters": 3300,
                        "arrival": at("11:00"),
                    },
                ],
            }
        ],
        "teams": [
            {
                "work_order": "W1",
                "start": at("08:30"),
                "members": [{"engineer": "E1", "role": "lead"}, {"engineer": "E2", "role": "support"}],
                "standby": [{"engineer": "E9", "role": "backup"}],
            }
        ],
        "unassigned": [
            {
                "work_order": "W5",
                "reasons": [
                    {
                        "engineer": "E1",
                        "code": "SKILL_MISSING",
                        "params": {},
                        "message": "E1 has no hydraulics",
                    },
                    {
                        "engineer": "E2",
                        "code": "SKILL_MISSING",
                        "params": {},
                        "message": "E2 has no hydraulics",
                    },
                    {
                        "engineer": "E3",
                        "code": "SHIFT_END",
                        "params": {},
                        "message": "E3 would be 12 min too late",
                    },
                ],
                "cheapest_fix": {"code": "OVERTIME", "engineer": "E3", "amount_seconds": 720, "params": {}},
            }
        ],
        "receipt": {
            "engine": "hybrid",
            "seed": 1,
            "threads": 2,
            "iterations": 120000,
            "elapsed_seconds": 9.98,
            "stopped_by": "time_limit",
            "approximated_rules": ["worst_lateness"],
            "lower_bound": None,
            "gap": None,
        },
    }


def a_bare_plan() -> dict[str, Any]:
    """The same route as made elsewhere: only what the format demands."""
    plan = a_plan()
    for field in ("problem_id", "created_at", "score", "receipt"):
        del plan[field]
    for stop in plan["routes"][0]["stops"]:
        for field in list(stop):
            if field.startswith("late_") or field in ("pinned", "travel_meters"):
                del stop[field]
    plan["unassigned"] = [{"work_order": "W5"}]
    return plan


def printed(*parts: RenderableType, width: int = 160) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get()


def lines_with(text: str, word: str) -> list[list[str]]:
    """The lines that hold `word`, each split where two or more blanks stand."""
    return [[cell for cell in line.split("  ") if cell.strip()] for line in text.splitlines() if word in line]


def cells(text: str, first: str) -> list[str]:
    return next([c.strip() for c in line] for line in lines_with(text, first) if line[0].strip() == first)


def test_the_score_stands_from_the_dearest_rule_down_with_units_and_total() -> None:
    text = printed(score_table(a_plan()))
    order = [text.index(rule) for rule in ("unserved", "travel", "late_restore", "distance", "total")]
    assert order == sorted(order)
    assert cells(text, "travel") == ["travel", "1 h 05 min", "3,900", "11 %"]
    assert cells(text, "late_restore") == ["late_restore", "30 min", "2,560.5", "7 %"]
    assert cells(text, "distance") == ["distance", "12.4 km", "0"]
    assert cells(text, "total") == ["total", "35,260"]


def test_a_plan_without_score_says_so() -> None:
    assert "The plan states no score." in printed(score_table(a_bare_plan()))


def test_a_route_is_summed_up_in_local_time_and_human_units() -> None:
    text = printed(routes_table(a_plan()))
    assert "local times of 2026-11-23 +08:00" in text
    assert cells(text, "E1") == [
        "E1",
        "mon",
        "1",
        "08:00",
        "11:00",
        "1:05",
        "12.4 km",
        "1:00",
        "0:45",
        "0:10",
        "1, worst 30 min",
    ]


def test_with_the_problem_a_route_has_a_name_and_its_overtime() -> None:
    problem = {"engineers": [{"id": "E1", "name": "Wang Wei", "shifts": [{"id": "mon", "end": at("10:30")}]}]}
    text = printed(routes_table(a_plan(), problem))
    row = cells(text, "E1 Wang Wei")
    assert row[-2:] == ["0:30", "1, worst 30 min"]
    assert "overtime" in text


def test_a_plan_that_claims_no_lateness_does_not_pass_for_punctual() -> None:
    assert "The plan does not say how late its work orders are." in printed(routes_table(a_bare_plan()))
    assert "does not say" not in printed(routes_table(a_plan()))


def test_times_of_several_days_or_offsets_carry_them() -> None:
    plan = a_plan()
    plan["routes"][0]["stops"][3]["arrival"] = "2026-11-24T00:10:00+08:00"
    text = printed(routes_table(plan))
    assert "2026-11-23 08:00" in text
    assert "2026-11-24 00:10" in text
    plan["routes"][0]["stops"][3]["arrival"] = "2026-11-23T16:10:00Z"
    assert "16:10+00:00" in printed(routes_table(plan))
    assert "08:00+08:00" in printed(routes_table(plan))


def test_the_detail_of_a_route_shows_every_stop_to_the_second() -> None:
    text = printed(route_detail(a_plan(), "E1", "mon"))
    row = next([c.strip() for c in line] for line in lines_with(text, "W1"))
    assert row == [
        "work order",
        "W1",
        "lead",
        "n17",
        "20 min",
        "9.1 km",
        "08:20:00",
        "10 min",
        "08:30:00",
        "09:30:00",
        "restore 30 min",
        "pinned",
    ]
    assert cells(text, "break") == ["break", "09:30:00", "10:15:00"]
    assert cells(text, "end") == ["end", "depot", "45 min", "3.3 km", "11:00:00"]


def test_the_detail_of_an_unknown_route_names_the_shifts_there_are() -> None:
    with pytest.raises(LookupError, match="engineer E1 on shift tue; this engineer's shifts in it: mon"):
        route_detail(a_plan(), "E1", "tue")
    with pytest.raises(LookupError, match="E7 on shift mon; this engineer is on no route"):
        route_detail(a_plan(), "E7", "mon")


def test_a_team_names_its_lead_members_and_standby() -> None:
    row = cells(printed(teams_table(a_plan())), "W1")
    assert row == ["W1", "08:30", "2", "★ E1 (lead), E2 (support)", "E9 (backup)"]


def test_reasons_are_counted_and_the_rarest_is_told_first() -> None:
    text = printed(unassigned_table(a_plan()))
    assert "SKILL_MISSING × 2" in text
    assert "SHIFT_END × 1" in text
    assert text.index("E3 would be 12 min too late") < text.index("E1 has no hydraulics")
    assert "E2 has no hydraulics" not in text


def test_the_cheapest_fix_is_its_message_or_what_it_consists_of() -> None:
    plan = a_plan()
    assert "OVERTIME E3 12 min" in printed(unassigned_table(plan))
    plan["unassigned"][0]["cheapest_fix"]["message"] = "12 min more for E3"
    assert "12 min more for E3" in printed(unassigned_table(plan))


def test_reasons_that_are_not_told_are_counted() -> None:
    plan = a_plan()
    plan["unassigned"][0]["reasons"] += [
        {"engineer": f"E{n}", "code": code, "params": {}, "message": code.lower()}
        for n, code in enumerate(("PARTS", "TIME_WINDOW", "TERRITORY"))
    ]
    assert "(and 3 other reasons)" in printed(unassigned_table(plan))


def test_a_plan_without_reasons_says_so() -> None:
    assert "The plan gives no reasons." in printed(unassigned_table(a_bare_plan()))


def test_the_receipt_line_tells_how_the_plan_was_found() -> None:
    text = printed(receipt_line(a_plan()), width=400)
    for words in (
        "monday",
        "1 served, 1 unassigned",
        "engine hybrid",
        "seed 1",
        "120,000 iterations",
        "9.98 s",
    ):
        assert words in text
    assert "stopped by time_limit" in text
    assert "approximated in the search, exact in the score: worst_lateness" in text
    assert "no receipt" in printed(receipt_line(a_bare_plan()))


def test_a_plan_made_elsewhere_is_shown_whole() -> None:
    text = printed(*plan_tables(a_bare_plan()))
    for words in ("problem not named", "W5", "E1", "1:05", "Teams (1)"):
        assert words in text


def test_an_empty_plan_is_shown() -> None:
    text = printed(*plan_tables({"version": 1, "routes": [], "unassigned": []}))
    assert "0 served, 0 unassigned" in text
    assert "Routes (0)" in text


def test_what_is_left_out_is_counted_and_the_option_that_shows_it_is_named() -> None:
    plan = a_plan()
    plan["routes"] = [{**plan["routes"][0], "engineer": f"E{n}"} for n in range(MOST_ROUTES + 7)]
    plan["unassigned"] = [{"work_order": f"lost-{n}"} for n in range(60)]
    short = " ".join(printed(*plan_tables(plan)).split())
    assert f"{MOST_ROUTES} of {MOST_ROUTES + 7} routes shown, 7 left out; --all shows all." in short
    assert "60 work orders shown, 35 left out; --all shows all." in short
    assert "lost-59" not in short
    whole = printed(*plan_tables(plan, everything=True))
    assert "left out" not in whole
    assert all(f"lost-{n} " in whole for n in range(60))
    assert all(f"Route of E{n}, shift mon" in whole for n in range(MOST_ROUTES + 7))


def test_ids_are_never_read_as_markup_nor_sent_to_the_terminal_raw() -> None:
    plan = a_plan()
    evil = "\x1b[2J\nE[/bold]"
    plan["routes"][0]["engineer"] = evil
    plan["routes"][0]["stops"][1]["work_order"] = MARKUP
    plan["teams"][0]["work_order"] = MARKUP
    plan["teams"][0]["members"][0]["engineer"] = evil
    plan["unassigned"][0]["work_order"] = MARKUP
    plan["unassigned"][0]["reasons"][0]["message"] = MARKUP
    plan["unassigned"][0]["cheapest_fix"]["message"] = MARKUP
    plan["problem_id"] = plan["receipt"]["engine"] = plan["score"]["terms"][0]["rule"] = MARKUP
    text = printed(*plan_tables(plan, everything=True), width=300)
    assert text.count(MARKUP) == 8
    assert "\\x1b[2J\\nE[/bold]" in text
    assert "\x1b" not in text
    with pytest.raises(LookupError, match=r"\\x1b"):
        route_detail(plan, "\x1b", "mon")


def test_a_narrow_terminal_folds_and_does_not_cut() -> None:
    plan = a_plan()
    plan["unassigned"][0]["work_order"] = "W" + "0123456789" * 6
    text = printed(unassigned_table(plan), width=70)
    assert "…" not in text
    assert sum(text.count(digit) for digit in "789") >= 18


@pytest.mark.parametrize("case", golden_cases(), ids=lambda case: case.name)
def test_golden_plans_are_shown_with_every_order_and_route(case: GoldenCase) -> None:
    text = printed(*plan_tables(case.plan, everything=True), routes_table(case.plan, case.problem), width=220)
    for route in case.plan["routes"]:
        assert f"Route of {route['engineer']}, shift {route['shift']}" in text
    for order in case.problem["work_orders"]:
        assert f" {order['id']} " in text
