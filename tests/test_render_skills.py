"""Pictures of skills: what must be on them, and what must not break them."""

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from api.render_coverage import MOST_ROWS, coverage_figure, render_coverage
from api.render_skills import layout_of, relation_label, render_skill_graph, skill_facts, skill_figure
from api.render_style import LATE
from dispatcher.coverage import coverage
from dispatcher.problem import Problem
from skills import Relation
from tests.small_days import day, engineer, order, read, shift, skill, window

MORNING = window("08:00", "12:00")
GRAPH = {
    "skills": [{"id": "oil"}, {"id": "pump"}, {"id": "air"}, {"id": "flat"}],
    "relations": [
        {"type": "implies", "from": "oil", "to": "pump", "level_loss": 1},
        {"type": "substitutes", "from": "air", "to": "oil", "level_loss": 2, "duration_factor": 1.3, "penalty": 1200},
    ],
}


def a_problem(**fields: Any) -> Problem:
    crew = [
        engineer("A", skill("oil", 4)),
        engineer("B", skill("pump", 1), shifts=[shift(end="10:00")]),
        engineer("C", skill("air", 3, "07:00"), shifts=[]),
    ]
    orders = [
        order("V", required_skills=[skill("pump", 1)], time_windows=[MORNING]),
        order("W", required_skills=[skill("flat", 2)], time_windows=[window("11:00", "11:30")]),
    ]
    return read(day(crew, orders, **{"skill_graph": GRAPH, "now": "2026-11-23T06:00:00Z", **fields}))


def words(figure: Figure) -> set[str]:
    found = {text.get_text() for text in figure.texts}
    for legend in figure.legends:
        found |= {text.get_text() for text in legend.get_texts()}
    for axes in figure.axes:
        found |= {text.get_text() for text in axes.texts}
        found |= {label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())}
        found.add(axes.get_xlabel())
    return found


def part(figure: Figure, label: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_label() == label)


def size_of(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


# -- coverage ------------------------------------------------------------------------------------------------------


def test_the_coverage_says_for_each_row_and_hour_who_is_there_and_who_is_needed() -> None:
    figure = coverage_figure("monday", coverage(a_problem()))
    found = words(figure)
    assert {"pump ≥ 1", "flat ≥ 2", "2/1", "1/1", "0/1", "1", "0"} <= found
    assert "Local time (UTC)" in found
    assert {"08:00\nMon 23 Nov", "12:00", "15:00"} <= found
    assert any("monday" in text for text in found)
    assert any("2 hours with one person only" in text and "1 hour with too few" in text for text in found)
    assert {"needed, and nobody there", "single point: one person only", "nobody needed"} <= found


def test_each_single_point_has_a_frame_in_the_colour_of_the_legend() -> None:
    chart = part(coverage_figure("monday", coverage(a_problem())), "coverage")
    frames = [
        patch for patch in chart.patches if isinstance(patch, Rectangle) and to_hex(patch.get_edgecolor()) == LATE
    ]
    assert len(frames) == coverage(a_problem()).single_points == 2


def test_of_a_large_coverage_the_rows_that_most_need_a_look_are_drawn_and_the_rest_is_counted() -> None:
    crew = [engineer("A", *(skill(f"s{number:03}", 1) for number in range(1, MOST_ROWS + 9)))]
    orders = [
        order(f"W{number}", required_skills=[skill(f"s{number:03}", 1)], time_windows=[MORNING])
        for number in range(MOST_ROWS + 9)
    ]
    found = words(coverage_figure("large", coverage(read(day(crew, orders)))))
    assert "s000 ≥ 1" in found  # nobody holds it
    assert any(f"the {MOST_ROWS} of {MOST_ROWS + 9} rows that most need a look" in text for text in found)
    assert sum(text.endswith("≥ 1") for text in found) == MOST_ROWS


def test_where_hours_are_narrow_all_cells_have_the_people_on_shift_only() -> None:
    late = {"start": "2026-11-28T20:00:00Z", "end": "2026-11-28T23:00:00Z"}
    days = {"start": "2026-11-23T00:00:00Z", "end": "2026-11-29T00:00:00Z"}
    work = order("L", required_skills=[skill("flat", 2)], time_windows=[late])
    found = words(coverage_figure("days", coverage(read(day([engineer("A")], [work], horizon=days)))))
    assert any("there is no room for the people needed" in text for text in found)
    assert not any("/" in text for text in found if text[:1].isdigit())


@pytest.mark.parametrize(
    "problem",
    [
        read(day([], [])),
        read(day([engineer("A")], [])),
        read(day([], [order("V", required_skills=[skill("电工 $x^2$", 5)])])),
        a_problem(timezone="Australia/Lord_Howe", now="2026-11-23T07:41:13Z"),
    ],
    ids=["nothing", "no orders", "nobody", "half hours"],
)
def test_odd_days_are_drawn_too(problem: Problem, tmp_path: Path) -> None:
    render_coverage(problem.id, coverage(problem), tmp_path / "coverage.png")
    render_skill_graph(problem, tmp_path / "graph.png")
    assert size_of(tmp_path / "coverage.png")[0] == 1560
    assert size_of(tmp_path / "graph.png")[0] >= 1000


# -- the graph -----------------------------------------------------------------------------------------------------


def test_facts_count_who_holds_who_reaches_and_who_asks_as_of_now() -> None:
    facts = {name: (item.held_by, item.reached_by, item.asked_by) for name, item in skill_facts(a_problem()).items()}
    # The certificate of C runs out later.
    assert facts == {"oil": (1, 2, 0), "pump": (1, 2, 1), "air": (1, 1, 0), "flat": (0, 0, 1)}


def test_the_graph_names_skills_losses_prices_and_what_hangs_on_one_person() -> None:
    problem = a_problem()
    figure = skill_figure(problem.id, problem.skill_graph, skill_facts(problem))
    found = words(figure)
    assert {"oil", "pump", "air", "flat", "−1", "−2 · ×1.3 · +1,200"} <= found
    assert "0 hold, 0 reach · 1 order" in found
    assert "asked for, and one person at most reaches it" in found


@pytest.mark.parametrize(
    ("relation", "label"),
    [
        (Relation("implies", "a", "b"), ""),
        (Relation("implies", "a", "b", 2), "−2"),
        (Relation("substitutes", "a", "b"), ""),
    ],
)
def test_a_relation_that_costs_nothing_has_no_label(relation: Relation, label: str) -> None:
    assert relation_label(relation) == label


@st.composite
def relation_lists(draw: st.DrawFn) -> list[Relation]:
    ends = st.sampled_from("abcdefgh")
    return draw(st.lists(st.builds(Relation, st.just("substitutes"), ends, ends, st.integers(0, 2)), max_size=14))


@given(relations=relation_lists())
@settings(max_examples=50)
def test_no_two_skills_lie_on_each_other_and_depth_grows_to_the_right(relations: list[Relation]) -> None:
    skills = list("abcdefgh")
    layout = layout_of(skills, relations, dict.fromkeys(skills, 1.5))
    boxes = sorted(layout.places.values())
    assert len(boxes) == len(skills)
    for number, (x, y) in enumerate(boxes):
        assert 0.75 <= x <= layout.width - 0.75
        assert 0 < y < layout.height
        assert all(abs(x - other_x) >= 1.5 or abs(y - other_y) >= 0.5 for other_x, other_y in boxes[:number])
    arrows = {(item.source, item.target) for item in relations if item.source != item.target}
    backward = [pair for pair in arrows if layout.columns[pair[1]] <= layout.columns[pair[0]]]
    # Whatever runs to the left closes a loop.
    forward: dict[str, set[str]] = {}
    for source, target in arrows:
        forward.setdefault(source, set()).add(target)
    for source, target in backward:
        assert source in _reached(forward, target)


def _reached(arrows: dict[str, set[str]], start: str) -> set[str]:
    found, left = {start}, [start]
    while left:
        for following in arrows.get(left.pop(), ()):
            if following not in found:
                found.add(following)
                left.append(following)
    return found


def test_the_picture_of_the_graph_is_as_large_as_the_graph(tmp_path: Path) -> None:
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    render_skill_graph(a_problem(), small)
    chain = [{"type": "implies", "from": f"s{n}", "to": f"s{n + 1}"} for n in range(9)]
    render_skill_graph(a_problem(skill_graph={"skills": [], "relations": chain}), large)
    assert size_of(large)[0] > size_of(small)[0]
