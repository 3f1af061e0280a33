"""A plan as a picture: what must be on it, and what must not break it."""

import copy
import io
import struct
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from api.render import MOST_ROWS, plan_figure, render_plan
from api.render_day import epoch_seconds, read_day
from api.render_style import flowed, route_styles
from tests.reference import GoldenCase, golden_cases

DAY = "2026-11-23T"
CASES = golden_cases()


def at(clock: str) -> str:
    return f"{DAY}{clock}:00+08:00"


def start(location: str = "depot", clock: str = "08:00") -> dict[str, Any]:
    return {"kind": "start", "location": location, "end": at(clock)}


def visit(order: str, location: str, travel: int, arrival: str, begin: str, end: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "work_order",
        "work_order": order,
        "role": None,
        "location": location,
        "travel_seconds": travel,
        "arrival": at(arrival),
        "start": at(begin),
        "end": at(end),
        **more,
    }


def a_problem() -> dict[str, Any]:
    """Three engineers, E3 idle: a late L2, a team with remote member and standby, a pinned L4, one lost."""
    shift = {
        "id": "mon",
        "start": at("08:00"),
        "end": at("12:00"),
        "latest_end": at("14:00"),
        "start_location": "depot",
    }
    team = {
        "roles": [
            {"role": "lead", "presence": "on_site"},
            {"role": "adviser", "presence": "remote"},
            {"role": "backup", "presence": "standby"},
        ]
    }
    return {
        "version": 1,
        "id": "monday",
        "timezone": "Asia/Shanghai",
        "now": at("07:30"),
        "horizon": {"start": at("00:00"), "end": at("23:00")},
        "locations": {
            "depot": {"lat": 31.2, "lon": 121.5},
            "a": {"lat": 31.25, "lon": 121.55},
            "b": {"lat": 31.15, "lon": 121.4},
            "c": {"lat": 31.22, "lon": 121.45},
            "d": {"lat": 31.3, "lon": 121.6},
        },
        "engineers": [{"id": f"E{n}", "name": f"Name {n}", "shifts": [dict(shift)]} for n in (1, 2, 3)],
        "work_orders": [
            {"id": "W1", "location": "a", "level": "L2", "deadlines": {"restore_by": at("09:00")}},
            {"id": "W2", "location": "b", "level": "L1", "team": team},
            {"id": "W3", "location": "c", "pin": {"engineer": "E2"}},
            {"id": "W4", "location": "d", "level": "L3"},
        ],
        "travel": {"kind": "geodesic", "speed_kmh": 35},
    }


def a_plan() -> dict[str, Any]:
    return {
        "version": 1,
        "problem_id": "monday",
        "score": {
            "total": 40000,
            "terms": [
                {"rule": "travel", "amount": 7200, "unit": "s", "cost": 7200},
                {"rule": "unserved", "amount": 28800, "cost": 28800},
                {"rule": "overtime", "amount": 2000, "cost": 4000},
                {"rule": "distance", "amount": 70000, "cost": 0},
            ],
        },
        "routes": [
            {
                "engineer": "E1",
                "shift": "mon",
                "stops": [
                    start(),
                    visit("W1", "a", 1200, "08:20", "08:30", "09:30"),
                    {"kind": "break", "start": at("09:30"), "end": at("10:00")},
                    visit("W2", "b", 1800, "10:30", "10:30", "11:30", role="lead"),
                    {"kind": "end", "location": "depot", "travel_seconds": 3600, "arrival": at("12:30")},
                ],
            },
            {
                "engineer": "E2",
                "shift": "mon",
                "stops": [
                    start(),
                    visit("W3", "c", 600, "08:10", "08:10", "09:00"),
                    visit("W2", "c", 0, "09:00", "10:30", "11:30", role="adviser"),
                ],
            },
        ],
        "teams": [
            {
                "work_order": "W2",
                "start": at("10:30"),
                "members": [{"engineer": "E1", "role": "lead"}, {"engineer": "E2", "role": "adviser"}],
                "standby": [{"engineer": "E3", "role": "backup"}],
            }
        ],
        "unassigned": [{"work_order": "W4"}],
    }


def a_large_plan(routes: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """As many engineers, each with one work order; every second one ends an hour after its deadline."""
    problem, plan = a_problem(), a_plan()
    shift = problem["engineers"][0]["shifts"][0]
    problem["engineers"] = [{"id": f"E{n}", "shifts": [dict(shift)]} for n in range(routes)]
    problem["work_orders"] = [
        {"id": f"W{n}", "location": "abcd"[n % 4], "deadlines": {"restore_by": at("09:00")} if n % 2 else {}}
        for n in range(routes)
    ]
    plan["routes"] = [
        {
            "engineer": f"E{n}",
            "shift": "mon",
            "stops": [start(), visit(f"W{n}", "abcd"[n % 4], 600, "08:10", "08:10", "10:00")],
        }
        for n in range(routes)
    ]
    plan["teams"], plan["unassigned"] = [], []
    return problem, plan


def axes_of(figure: Figure, label: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_label() == label)


def row_labels(figure: Figure) -> list[str]:
    return [label.get_text() for label in axes_of(figure, "gantt").get_yticklabels()]


def legend_words(figure: Figure) -> set[str]:
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


def words_on(figure: Figure) -> str:
    return "\n".join([t.get_text() for t in figure.texts] + [t.get_text() for axes in figure.axes for t in axes.texts])


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_the_picture_is_a_png_wide_enough_to_read(tmp_path: Path) -> None:
    render_plan(a_problem(), a_plan(), tmp_path / "plan.png")
    width, height = png_size(tmp_path / "plan.png")
    assert 1800 <= width <= 2400
    assert 1200 <= height <= 2400


def test_the_same_plan_gives_the_same_picture(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        render_plan(a_problem(), a_plan(), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_more_routes_make_the_picture_higher_and_not_wider() -> None:
    few, many = (plan_figure(*a_large_plan(count)) for count in (5, 60))
    assert few.get_figwidth() == many.get_figwidth()
    assert many.get_figheight() > few.get_figheight() + 8


def test_every_route_has_a_row_with_its_engineer_and_shift() -> None:
    assert row_labels(plan_figure(a_problem(), a_plan())) == ["E1 Name 1 · mon", "E2 Name 2 · mon"]


def test_rows_stand_in_the_order_of_the_problem() -> None:
    plan = a_plan()
    plan["routes"].reverse()
    assert row_labels(plan_figure(a_problem(), plan)) == ["E1 Name 1 · mon", "E2 Name 2 · mon"]


def test_the_head_says_problem_date_zone_served_and_score() -> None:
    words = words_on(plan_figure(a_problem(), a_plan()))
    assert "monday" in words
    assert "Mon 23 Nov 2026 · Asia/Shanghai (UTC+08:00)" in words
    assert "3 of 4 work orders served, 1 unassigned" in words
    assert "total score 40,000" in words
    assert "1 shift unused" in words


def test_the_time_axis_is_local_time_in_the_zone_of_the_problem() -> None:
    labels = [tick.get_text() for tick in axes_of(plan_figure(a_problem(), a_plan()), "gantt").get_xticklabels()]
    assert labels[0] == "07:30\nMon 23 Nov"
    assert "12:00" in labels


def test_a_plan_written_in_another_offset_stands_at_the_same_local_time() -> None:
    plan = a_plan()
    plan["routes"][1]["stops"][0]["end"] = "2026-11-23T00:00:00Z"
    day = read_day(a_problem(), plan)
    assert day.rows[0].route_start_seconds == day.rows[1].route_start_seconds


def test_the_legends_explain_what_is_drawn() -> None:
    words = legend_words(plan_figure(a_problem(), a_plan()))
    assert {
        "L1 work order",
        "L2 work order",
        "L4 work order",
        "travel",
        "waiting",
        "break",
        "shift",
        "overtime",
    } <= words
    assert {
        "late",
        "missed deadline and by how much",
        "team, linked",
        "lead",
        "remote member",
        "pinned",
        "now",
    } <= words
    assert {"L3 unassigned", "route start or end", "route (colour: mark at its row)"} <= words


def test_the_legends_leave_out_what_is_not_drawn() -> None:
    problem, plan = a_large_plan(2)
    problem["work_orders"][1]["deadlines"] = {}
    problem["now"] = "2026-11-20T08:00:00+08:00"
    words = legend_words(plan_figure(problem, plan))
    assert not words & {
        "late",
        "team, linked",
        "lead",
        "remote member",
        "pinned",
        "break",
        "now",
        "L1 work order",
    }
    assert "L4 work order" in words


def test_a_standby_without_a_route_is_named_below() -> None:
    assert "standby without a route: E3 for W2" in words_on(plan_figure(a_problem(), a_plan()))


def test_a_standby_with_a_route_is_marked_in_its_row() -> None:
    plan = a_plan()
    extra = visit("W4", "d", 600, "08:10", "08:10", "08:40")
    plan["routes"].append({"engineer": "E3", "shift": "mon", "stops": [start(), extra]})
    plan["unassigned"] = []
    figure = plan_figure(a_problem(), plan)
    assert "standby for a team" in legend_words(figure)
    assert "standby W2" in words_on(figure)


def test_lateness_is_found_where_the_plan_does_not_claim_it() -> None:
    day = read_day(a_problem(), a_plan())
    assert day.late_orders == {"W1": 30 * 60}
    assert [row.overtime_seconds for row in day.rows] == [30 * 60, 0]


def test_a_remote_member_is_never_late_and_moves_nowhere() -> None:
    problem = a_problem()
    problem["work_orders"][1]["deadlines"] = {"start_by": at("10:00")}
    lead, adviser = read_day(problem, a_plan()).rows
    assert [len(a.misses) for a in lead.work] == [1, 1]
    assert [len(a.misses) for a in adviser.work] == [0, 0]
    assert adviser.places == ("depot", "c")


def test_the_gaps_of_a_route_are_waiting() -> None:
    kinds = [(a.kind, a.end_seconds - a.start_seconds) for a in read_day(a_problem(), a_plan()).rows[0].activities]
    assert kinds == [
        ("travel", 1200),
        ("waiting", 600),
        ("work", 3600),
        ("break", 1800),
        ("travel", 1800),
        ("work", 3600),
        ("travel", 3600),
    ]


def test_without_coordinates_a_line_replaces_the_map() -> None:
    problem = a_problem()
    problem["locations"] = {name: {} for name in problem["locations"]}
    problem["travel"] = {"kind": "matrix"}
    figure = plan_figure(problem, a_plan())
    assert "map" not in {axes.get_label() for axes in figure.axes}
    assert "No map: none of the 5 locations has coordinates (travel is given as matrix)." in words_on(figure)
    assert figure.get_figheight() < plan_figure(a_problem(), a_plan()).get_figheight()
    assert len(row_labels(figure)) == 2


def test_places_without_coordinates_are_counted_on_the_map() -> None:
    problem = a_problem()
    problem["locations"]["d"] = {}
    words = words_on(plan_figure(problem, a_plan()))
    assert "1 of 5 places have no coordinates and are not drawn" in words


def test_a_kilometre_is_as_long_to_the_north_as_to_the_east() -> None:
    figure = plan_figure(a_problem(), a_plan())
    axes = axes_of(figure, "map")
    box = axes.get_position()
    east = box.width * figure.get_figwidth() / (axes.get_xlim()[1] - axes.get_xlim()[0])
    north = box.height * figure.get_figheight() / (axes.get_ylim()[1] - axes.get_ylim()[0])
    assert east / north == pytest.approx(0.855, abs=0.002)  # cos 31.22°


def test_routes_across_the_date_line_stay_together() -> None:
    problem = a_problem()
    for name, lon in zip("abcd", (179.9, -179.9, 179.95, -179.8), strict=True):
        problem["locations"][name]["lon"] = lon
    problem["locations"]["depot"]["lon"] = 179.99
    west, east = axes_of(plan_figure(problem, a_plan()), "map").get_xlim()
    assert east - west < 2


def test_an_empty_plan_is_drawn_and_says_so(tmp_path: Path) -> None:
    plan = {"version": 1, "routes": [], "unassigned": [{"work_order": f"W{n}"} for n in (1, 2, 3, 4)]}
    figure = plan_figure(a_problem(), plan)
    words = words_on(figure)
    assert "No routes: the plan serves nothing." in words
    assert "3 shifts unused" in words
    assert "score not stated" in words
    render_plan(a_problem(), plan, tmp_path / "empty.png")
    assert png_size(tmp_path / "empty.png")[0] >= 1800


def test_an_empty_problem_is_drawn(tmp_path: Path) -> None:
    problem = {**a_problem(), "engineers": [], "work_orders": [], "locations": {}}
    render_plan(problem, {"version": 1, "routes": [], "unassigned": []}, tmp_path / "nothing.png")
    assert png_size(tmp_path / "nothing.png")[0] >= 1800


def test_a_plan_without_score_and_receipt_says_that_it_states_none() -> None:
    plan = a_plan()
    del plan["score"]
    figure = plan_figure(a_problem(), plan)
    assert "The plan states no score by rule." in words_on(figure)
    assert axes_of(figure, "costs").get_title(loc="left") == "Cost by rule, total not stated"


def test_costs_stand_from_the_dearest_down_and_free_rules_are_counted() -> None:
    costs = axes_of(plan_figure(a_problem(), a_plan()), "costs")
    assert [label.get_text() for label in costs.get_yticklabels()] == ["unserved", "travel", "overtime"]
    words = [text.get_text() for text in costs.texts]
    assert " 28,800 · 72 %" in words
    assert any("1 rule at 0" in text for text in words)


def test_too_many_routes_are_cut_to_the_pressing_ones_and_it_is_said() -> None:
    figure = plan_figure(*a_large_plan(MOST_ROWS + 20))
    labels = row_labels(figure)
    assert len(labels) == MOST_ROWS
    assert {f"E{n} · mon" for n in range(1, MOST_ROWS + 20, 2)} <= set(labels)
    assert f"{MOST_ROWS} of {MOST_ROWS + 20} routes shown" in words_on(figure)
    assert "20 not drawn here" in words_on(figure)


def test_ids_are_never_read_as_formulas(tmp_path: Path) -> None:
    problem, plan = a_problem(), a_plan()
    problem["id"] = "a $\\frac_{$ plan_1"
    problem["engineers"][0]["name"] = "$x_{"
    problem["work_orders"][0]["id"] = plan["routes"][0]["stops"][1]["work_order"] = "$_^{"
    render_plan(problem, plan, tmp_path / "signs.png")
    figure = plan_figure(problem, plan)
    assert "a $\\frac_{$ plan_1" in words_on(figure)
    assert "$_^{" in words_on(figure)


def test_chinese_names_are_drawn_without_a_warning(tmp_path: Path) -> None:
    problem, plan = a_problem(), a_plan()
    problem["id"] = "浦东-周一"
    problem["engineers"][0]["name"] = "王伟"
    render_plan(problem, plan, tmp_path / "cjk.png")
    assert "E1 王伟 · mon" in row_labels(plan_figure(problem, plan))


def test_a_route_of_an_engineer_the_problem_does_not_know_is_drawn() -> None:
    plan = a_plan()
    plan["routes"][0]["engineer"] = "stranger"
    assert row_labels(plan_figure(a_problem(), plan)) == ["E2 Name 2 · mon", "stranger · mon"]


def test_drawing_leaves_the_documents_and_the_settings_of_the_library_alone() -> None:
    import matplotlib as mpl

    problem, plan = a_problem(), a_plan()
    before = copy.deepcopy((problem, plan))
    fonts = list(mpl.rcParams["font.family"])
    plan_figure(problem, plan)
    assert (problem, plan) == before
    assert list(mpl.rcParams["font.family"]) == fonts


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="has no offset"):
        epoch_seconds("2026-11-23T08:00:00")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_plans_show_all_their_engineers_and_orders(case: GoldenCase) -> None:
    figure = plan_figure(case.problem, case.plan)
    labels = row_labels(figure)
    for route in case.plan["routes"]:
        assert any(label.startswith(f"{route['engineer']} ") for label in labels)
    served = {s["work_order"] for r in case.plan["routes"] for s in r["stops"] if s["kind"] == "work_order"}
    assert f"{len(served)} of {len(case.problem['work_orders'])} work orders served" in words_on(figure)
    figure.savefig(io.BytesIO(), format="png", dpi=20)


@pytest.mark.parametrize("case", [c for c in CASES if c.expected["feasible"]], ids=lambda case: case.name)
def test_overtime_of_golden_plans_is_what_their_score_says(case: GoldenCase) -> None:
    terms = {term["rule"]: term["amount"] for term in case.expected["terms"]}
    day = read_day(case.problem, case.plan)
    assert sum(row.overtime_seconds for row in day.rows) == terms.get("overtime", 0)
    assert sum(row.travel_seconds for row in day.rows) == terms.get("travel", 0)
    assert max(day.late_orders.values(), default=0) == terms.get("worst_lateness", 0)


def test_eighty_routes_can_be_told_apart() -> None:
    assert len({(style.colour, style.dashes) for style in route_styles(80)}) == 80


def test_flowed_ids_are_all_named_or_counted() -> None:
    ids = [f"W{n}" for n in range(30)]
    assert flowed(ids[:4], ", ", 40, 2) == ["W0, W1, W2, W3"]
    lines = flowed(ids, ", ", 40, 2)
    assert len(lines) == 2
    named = sum(line.count("W") for line in lines)
    assert lines[-1].endswith(f"and {30 - named} more")
