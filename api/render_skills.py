"""The skill graph as a picture: skills in columns by depth, relations with their loss of level between them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx

from api.render_text import counted, grouped, plain, shortened

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dispatcher.problem import Problem
    from skills.graph import Relation, SkillGraph

MOST_SKILLS = 150
"""Skills in one picture; of more, those with most relations are drawn, and the title says so."""

_BOX_HEIGHT, _ROW, _LEAST_GAP, _MARGIN, _HEAD = 0.42, 0.62, 1.55, 0.35, 1.05
_LEAST_WIDTH, _TAGS_WIDTH = 9.0, 11.0
_LABEL_LENGTH = 28
_NAME_POINTS, _FACT_POINTS, _EDGE_POINTS = 9.0, 7.2, 7.5
_SWEEPS = 12
_IMPLIES, _SUBSTITUTES = "#3b6ea5", "#b35c1e"


@dataclass(frozen=True, slots=True)
class SkillFacts:
    """What the crew makes of a skill: how many hold it, how many reach it by any path, how many open orders ask."""

    held_by: int
    reached_by: int
    asked_by: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Middles of boxes in inches from the upper left, the columns and widths of boxes, and the size of it all."""

    places: Mapping[str, tuple[float, float]]
    columns: Mapping[str, int]
    widths: Mapping[str, float]
    width: float
    height: float


def render_skill_graph(problem: Problem, path: Path) -> None:
    """Write the picture of a problem's skill graph as a PNG; it is as large as the graph asks for, 120 dots an inch.

    Needs no display. Raises OSError if the file cannot be written.
    """
    from api.render_style import drawing_style

    figure = skill_figure(problem.id, problem.skill_graph, skill_facts(problem))
    with drawing_style(), warnings.catch_warnings():
        # Without a font for some script its glyphs come out as boxes, which is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, format="png", dpi=120)


def skill_facts(problem: Problem) -> dict[str, SkillFacts]:
    """The facts of every skill that the graph, an engineer or an open order knows; certificates count as of now."""
    from dispatcher.demand import asked_skills, open_orders
    from skills.queries import reached_level

    asked: dict[str, int] = {}
    for order in open_orders(problem):
        for skill in {item.skill for item in asked_skills(order)}:
            asked[skill] = asked.get(skill, 0) + 1
    valid = [
        [item for item in engineer.skills if item.valid_until is None or item.valid_until >= problem.now]
        for engineer in problem.engineers
    ]
    known = {*problem.skill_graph.graph.nodes, *asked, *(item.skill for held in valid for item in held)}
    return {
        skill: SkillFacts(
            sum(any(item.skill == skill for item in held) for held in valid),
            sum(reached_level(problem.skill_graph, held, skill, problem.now) > 0 for held in valid),
            asked.get(skill, 0),
        )
        for skill in sorted(known)
    }


def skill_figure(problem_id: str, graph: SkillGraph, facts: Mapping[str, SkillFacts]) -> Figure:
    """The picture as a matplotlib figure with one axes, labelled `skills`, in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from api.render_style import drawing_style

    relations = [edge["relation"] for _, _, edge in graph.graph.edges(data=True)]
    drawn = _skills_to_draw(relations, facts)
    shown = [relation for relation in relations if relation.source in drawn and relation.target in drawn]
    layout = layout_of(drawn, shown, {skill: _box_width(skill, facts[skill]) for skill in drawn})
    with drawing_style():
        height = _HEAD + layout.height + _MARGIN
        figure = Figure(figsize=(layout.width, height), facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, _MARGIN / height, 1, layout.height / height), label="skills")
        axes.set_xlim(0, layout.width)
        axes.set_ylim(layout.height, 0)
        axes.axis("off")
        _head(figure, height, problem_id, graph, facts, drawn)
        _draw_relations(axes, layout, shown)
        for skill in drawn:
            _draw_skill(axes, layout, skill, facts[skill])
    return figure


def layout_of(skills: Sequence[str], relations: Sequence[Relation], widths: Mapping[str, float]) -> Layout:
    """Columns by depth for each connected part, one below the other, then the skills without relations in rows.

    A skill stands right of all that lead to it, loops apart. Within a column skills are ordered by the mean place of
    their neighbours, swept to and fro, so that few relations cross.

    References:
        Sugiyama, K., Tagawa, S., Toda, M. (1981). Methods for visual understanding of hierarchical system structures.
        IEEE Transactions on Systems, Man, and Cybernetics 11(2), 109-125.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(skills)
    graph.add_edges_from((item.source, item.target) for item in relations if item.source != item.target)
    parts = sorted(map(sorted, nx.weakly_connected_components(graph)), key=lambda part: (-len(part), part))
    columns = [_columns(graph.subgraph(part)) for part in parts if len(part) > 1]
    depth = max((len(part) for part in columns), default=0)
    column_widths = [
        max(widths[skill] for part in columns if len(part) > place for skill in part[place]) for place in range(depth)
    ]
    lefts = [_MARGIN + sum(column_widths[:place]) + _LEAST_GAP * place for place in range(depth)]
    places: dict[str, tuple[float, float]] = {}
    column_of = {skill: place for part in columns for place, column in enumerate(part) for skill in column}
    top = 0.2
    for part in columns:
        rows = max(len(column) for column in part)
        for place, column in enumerate(part):
            room = rows * _ROW / len(column)
            for row, skill in enumerate(column):
                places[skill] = (lefts[place] + column_widths[place] / 2, top + room * (row + 0.5))
        top += rows * _ROW + 0.12
    right = max((left + width for left, width in zip(lefts, column_widths, strict=True)), default=0.0)
    width = max(_LEAST_WIDTH, right + _MARGIN)
    tags = [part[0] for part in parts if len(part) == 1]
    if tags:
        top = _place_tags(tags, widths, max(width, _TAGS_WIDTH), top, places)
        width = max(width, *(places[tag][0] + widths[tag] / 2 + _MARGIN for tag in tags))
    return Layout(places, column_of, widths, width, max(top, _ROW))


def _columns(part: nx.DiGraph[str]) -> list[list[str]]:
    place_in_order = {skill: number for number, skill in enumerate(_against_few_arrows(part))}
    forward: nx.DiGraph[str] = nx.DiGraph()
    forward.add_nodes_from(part)
    forward.add_edges_from(edge for edge in part.edges if place_in_order[edge[0]] < place_in_order[edge[1]])
    columns = [sorted(generation) for generation in nx.topological_generations(forward)]
    for sweep in range(_SWEEPS):
        order = columns if sweep % 2 == 0 else columns[::-1]
        for column in order:
            place = {skill: (row + 0.5) / len(line) for line in columns for row, skill in enumerate(line)}
            near = {
                skill: [place[other] for other in nx.all_neighbors(part, skill) if other not in column]
                for skill in column
            }
            column.sort(key=lambda skill: sum(near[skill]) / len(near[skill]) if near[skill] else place[skill])
    return columns


def _against_few_arrows(part: nx.DiGraph[str]) -> list[str]:
    """The skills in an order that few arrows run against, and none where there is no loop.

    References:
        Eades, P., Lin, X., Smyth, W. (1993). A fast and effective heuristic for the feedback arc set problem.
        Information Processing Letters 47(6), 319-323.
    """
    left: nx.DiGraph[str] = nx.DiGraph(part)
    first: list[str] = []
    last: list[str] = []
    while left:
        sinks = [skill for skill in left if not left.out_degree(skill)]
        sources = [skill for skill in left if left.out_degree(skill) and not left.in_degree(skill)]
        if sinks:
            last = sorted(sinks) + last
        elif sources:
            first += sorted(sources)
        else:
            sources = [max(sorted(left), key=lambda skill: left.out_degree(skill) - left.in_degree(skill))]
            first += sources
        left.remove_nodes_from(sinks or sources)
    return first + last


def _place_tags(
    tags: Iterable[str], widths: Mapping[str, float], width: float, top: float, places: dict[str, tuple[float, float]]
) -> float:
    """Skills without relations in rows from the left; where the last row ends."""
    left = _MARGIN
    for tag in tags:
        if left > _MARGIN and left + widths[tag] > width - _MARGIN:
            left, top = _MARGIN, top + _ROW
        places[tag] = (left + widths[tag] / 2, top + _ROW / 2)
        left += widths[tag] + 0.25
    return top + _ROW


def _skills_to_draw(relations: Sequence[Relation], facts: Mapping[str, SkillFacts]) -> list[str]:
    if len(facts) <= MOST_SKILLS:
        return list(facts)
    ends = [end for relation in relations for end in (relation.source, relation.target)]
    return sorted(sorted(facts, key=lambda skill: (-ends.count(skill), -facts[skill].asked_by, skill))[:MOST_SKILLS])


def _head(
    figure: Figure,
    height: float,
    problem_id: str,
    graph: SkillGraph,
    facts: Mapping[str, SkillFacts],
    drawn: Sequence[str],
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from api.render_style import FAINT_INK, LATE

    left = _MARGIN / figure.get_figwidth()
    figure.text(left, 1 - 0.42 / height, f"Skill graph: {shortened(plain(problem_id), 60)}", fontsize=15, weight="bold")
    words = f"{counted(len(facts), 'skill')}, {counted(graph.graph.number_of_edges(), 'relation')}"
    if len(drawn) < len(facts):
        words += f"; drawn are the {len(drawn)} skills with most relations"
    words += "   ·   an arrow runs from the skill held to the skill it counts as"
    figure.text(left, 1 - 0.68 / height, words, fontsize=9, color=FAINT_INK)
    entries: list[Artist] = [
        Line2D([], [], color=_IMPLIES, lw=1.8, label="implies: −1 is one level lost"),
        Line2D([], [], color=_SUBSTITUTES, lw=1.8, ls=(0, (4, 2)), label="substitutes: levels lost, × time, + penalty"),
    ]
    if any(_is_thin(facts[skill]) for skill in drawn):
        entries.append(
            Patch(facecolor="white", edgecolor=LATE, lw=1.6, label="asked for, and one person at most reaches it")
        )
    figure.legend(
        handles=entries, loc="upper left", ncols=3, fontsize=8, frameon=False, borderaxespad=0, borderpad=0,
        bbox_to_anchor=(left, 1 - 0.82 / height), columnspacing=1.4, handletextpad=0.6,
    )  # fmt: skip


def _draw_skill(axes: Axes, layout: Layout, skill: str, facts: SkillFacts) -> None:
    from matplotlib.patches import FancyBboxPatch

    from api.render_style import FAINT_INK, INK, LATE

    x, y = layout.places[skill]
    width = layout.widths[skill]
    thin = _is_thin(facts)
    box = FancyBboxPatch(
        (x - width / 2, y - _BOX_HEIGHT / 2), width, _BOX_HEIGHT, boxstyle="round,pad=0,rounding_size=0.07",
        facecolor="#f3f6f9", edgecolor=LATE if thin else "#9aa4af", lw=1.6 if thin else 0.9, zorder=3,
    )  # fmt: skip
    axes.add_patch(box)
    name = shortened(plain(skill), _LABEL_LENGTH)
    axes.text(x, y - 0.08, name, ha="center", va="center", fontsize=_NAME_POINTS, color=INK, weight="bold", zorder=4)
    axes.text(
        x, y + 0.1, _facts_text(facts), ha="center", va="center", fontsize=_FACT_POINTS, color=FAINT_INK, zorder=4
    )


def _is_thin(facts: SkillFacts) -> bool:
    return facts.asked_by > 0 and facts.reached_by <= 1


def _facts_text(facts: SkillFacts) -> str:
    held = f"{facts.held_by} hold, {facts.reached_by} reach"
    return held if not facts.asked_by else f"{held} · {counted(facts.asked_by, 'order')}"


def _box_width(skill: str, facts: SkillFacts) -> float:
    from api.render_style import text_width_inches

    name = text_width_inches(shortened(plain(skill), _LABEL_LENGTH), _NAME_POINTS) * 1.08
    return max(1.2, name, text_width_inches(_facts_text(facts), _FACT_POINTS) * 0.93) + 0.16


def _draw_relations(axes: Axes, layout: Layout, relations: Sequence[Relation]) -> None:
    from matplotlib.patches import FancyArrowPatch

    beside: dict[frozenset[str], int] = {}
    for relation in sorted(relations, key=lambda item: (item.source, item.target, item.kind, item.level_loss)):
        if relation.source == relation.target:
            continue
        pair = frozenset((relation.source, relation.target))
        number = beside[pair] = beside.get(pair, -1) + 1
        start, end = _ends(layout, relation)
        bow = 2 * _bow(layout, relation, number) / hypot(end[0] - start[0], end[1] - start[1])
        colour = _IMPLIES if relation.kind == "implies" else _SUBSTITUTES
        axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                connectionstyle=f"arc3,rad={bow}",
                arrowstyle="-|>,head_length=5,head_width=2.6",
                color=colour,
                lw=1.4,
                ls="solid" if relation.kind == "implies" else (0, (4, 2)),
                shrinkA=0,
                shrinkB=0,
                mutation_scale=1.0,
                zorder=2,
            )
        )
        label = relation_label(relation)
        if label:
            x, y = _middle(start, end, bow)
            axes.text(
                x, y, label, ha="center", va="center", fontsize=_EDGE_POINTS, color=colour, zorder=2.5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
            )  # fmt: skip


def _bow(layout: Layout, relation: Relation, number: int) -> float:
    """How many inches a relation swings out: the more are beside it, and past what lies between its ends."""
    columns = layout.columns[relation.target] - layout.columns[relation.source]
    bow = 0.3 * number + (0.0 if columns == 1 else 0.35 if columns > 1 else 0.6)
    return bow if number % 2 == 0 else -bow


def relation_label(relation: Relation) -> str:
    """What a relation costs: `−1 · ×1.3 · +600`; empty where it costs nothing."""
    parts = [f"−{relation.level_loss}"] if relation.level_loss else []
    if relation.duration_factor != 1:
        parts.append(f"×{float(relation.duration_factor):g}")
    if relation.penalty:
        parts.append(f"+{grouped(float(relation.penalty))}")
    return " · ".join(parts)


def _ends(layout: Layout, relation: Relation) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the arrow leaves and meets the boxes: at their sides."""
    (x, y), (other_x, other_y) = layout.places[relation.source], layout.places[relation.target]
    right = 1 if other_x > x else -1
    half, other_half = layout.widths[relation.source] / 2, layout.widths[relation.target] / 2
    return (x + right * half, y), (other_x - right * other_half, other_y)


def _middle(start: tuple[float, float], end: tuple[float, float], bow: float) -> tuple[float, float]:
    """The middle of matplotlib's `arc3`, a quadratic curve, in axes whose y points down."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    return (start[0] + end[0]) / 2 - bow * dy / 2, (start[1] + end[1]) / 2 + bow * dx / 2
