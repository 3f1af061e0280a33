"""A plan as one picture: map, key figures, costs and Gantt chart, for a dispatcher's first look."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.render_day import Day, Row, read_day
from api.render_text import counted, grouped, plain, shortened

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES = 15.0
MOST_ROWS = 80
"""Rows in one picture; of a larger plan the routes that most need a look are drawn and the title says so."""

_HEADING_INCHES = 0.95
_MAP_INCHES = 6.0
_CROWDED_MAP_INCHES = 7.8
_CROWDED_PLACES = 100
_NUMBERS_INCHES = 2.5
_FOOT_INCHES = 0.85


def render_plan(problem: Mapping[str, Any], plan: Mapping[str, Any], path: Path) -> None:
    """Write the picture of a plan as a PNG of 2250 pixels' width; its height grows with the number of routes.

    `problem` and `plan` are documents of the planning format, version 1; the plan's optional fields may be
    absent. Needs no display. Raises what `plan_figure` raises, and OSError if the file cannot be written.
    """
    from api.render_style import DOTS_PER_INCH, drawing_style

    figure = plan_figure(problem, plan)
    with drawing_style(), warnings.catch_warnings():
        # Without a font for some script its glyphs come out as boxes, which is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, format="png", dpi=DOTS_PER_INCH)


def plan_figure(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> Figure:
    """The picture of a plan as a matplotlib figure; its axes are labelled `map`, `figures`, `costs`, `gantt`.

    Without any coordinates the map is replaced by a line that says so. Raises ValueError for an instant that
    cannot be read and zoneinfo.ZoneInfoNotFoundError for an unknown time zone.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from api.render_clock import time_frame
    from api.render_gantt import draw_gantt
    from api.render_map import draw_map
    from api.render_score import draw_costs, draw_key_figures
    from api.render_style import drawing_style, route_styles

    day = read_day(problem, plan)
    rows = _rows_to_show(day)
    styles = dict(zip((row.key for row in day.rows), route_styles(len(day.rows)), strict=True))
    map_inches = _MAP_INCHES if len(day.served) <= _CROWDED_PLACES else _CROWDED_MAP_INCHES
    top_inches = map_inches + 1.0 if day.coordinates else _NUMBERS_INCHES + 0.45
    gantt_inches = max(1.2, len(rows) * _row_inches(len(rows)))
    key_inches = 1.15 if len(rows) <= 16 else 1.5
    height = _HEADING_INCHES + top_inches + key_inches + gantt_inches + _FOOT_INCHES
    with drawing_style():
        figure = Figure(figsize=(WIDTH_INCHES, height), facecolor="white")
        FigureCanvasAgg(figure)
        page = _Page(figure, height)
        frame = time_frame(day, rows)
        _head(page, day)
        if day.coordinates:
            chart = page.axes("map", 0.75, _HEADING_INCHES + 0.25, 8.6, map_inches - 0.25)
            chart.set_title("Routes on the map", loc="left", fontsize=11, fontweight="bold", pad=6)
            entries = draw_map(chart, day, day.rows, styles)
            page.legend(entries, 0.75, _HEADING_INCHES + map_inches + 0.42, columns=5)
            draw_key_figures(page.axes("figures", 9.85, _HEADING_INCHES + 0.25, 4.9, 2.3), day, 2.3)
            draw_costs(page.axes("costs", 11.05, _HEADING_INCHES + 2.85, 3.75, 3.15), day, 3.15)
        else:
            draw_key_figures(page.axes("figures", 0.75, _HEADING_INCHES + 0.2, 6.0, 2.05), day, 2.05, wrap=60)
            draw_costs(page.axes("costs", 8.6, _HEADING_INCHES + 0.2, 6.2, 2.05), day, 2.05)
            page.text(0.75, _HEADING_INCHES + _NUMBERS_INCHES + 0.2, _no_map(day), 9.0, colour="faint")
        below = _HEADING_INCHES + top_inches
        page.text(0.75, below + 0.2, _gantt_heading(day, rows), 11.0, bold=True)
        gantt = page.axes("gantt", 2.55, below + key_inches, 10.1, gantt_inches)
        page.legend(draw_gantt(gantt, day, rows, styles, frame), 0.75, below + 0.33, columns=8)
        page.text(0.75, height - 0.14, _foot(day, plan), 7.2, colour="faint")
    return figure


class _Page:
    """Places things on a figure in inches from its left and upper edge."""

    def __init__(self, figure: Figure, height_inches: float) -> None:
        self._figure = figure
        self._height = height_inches

    def axes(self, label: str, left: float, top: float, width: float, height: float) -> Axes:
        return self._figure.add_axes(
            (
                left / WIDTH_INCHES,
                1 - (top + height) / self._height,
                width / WIDTH_INCHES,
                height / self._height,
            ),
            label=label,
        )

    def text(self, left: float, top: float, words: str, points: float, *, bold: bool = False, colour: str = "") -> None:
        from api.render_style import FAINT_INK, INK

        self._figure.text(
            left / WIDTH_INCHES,
            1 - top / self._height,
            words,
            fontsize=points,
            va="baseline",
            fontweight="bold" if bold else "normal",
            color=FAINT_INK if colour == "faint" else INK,
        )

    def legend(self, entries: Sequence[Artist], left: float, top: float, columns: int) -> None:
        if entries:
            self._figure.legend(
                handles=list(entries),
                loc="upper left",
                ncols=min(columns, len(entries)),
                fontsize=8,
                frameon=False,
                bbox_to_anchor=(left / WIDTH_INCHES, 1 - top / self._height),
                borderaxespad=0,
                borderpad=0,
                columnspacing=1.6,
                handletextpad=0.6,
            )


def _row_inches(rows: int) -> float:
    return 0.40 if rows <= 10 else 0.34 if rows <= 25 else 0.28


def _rows_to_show(day: Day) -> list[Row]:
    """All rows, or those that most need a look (lateness, overtime, stops), in the problem's order."""
    if len(day.rows) <= MOST_ROWS:
        return list(day.rows)
    pressing = sorted(day.rows, key=lambda row: (-row.worst_miss_seconds, -row.overtime_seconds, -len(row.work)))
    kept = {row.key for row in pressing[:MOST_ROWS]}
    return [row for row in day.rows if row.key in kept]


def _head(page: _Page, day: Day) -> None:
    from api.render_clock import span_label

    page.text(0.75, 0.45, shortened(plain(day.problem_id), 80), 17.0, bold=True)
    starts = [row.route_start_seconds for row in day.rows] or [day.now_seconds or 0]
    ends = [row.route_end_seconds for row in day.rows] or starts
    score = "score not stated" if day.score_total is None else f"total score {grouped(day.score_total)}"
    facts = (
        f"{span_label(min(starts), max(ends), day.zone)}   ·   {len(day.served)} of "
        f"{counted(day.order_count, 'work order')} served, {len(day.unassigned)} unassigned   ·   {score}"
    )
    page.text(0.75, 0.72, facts, 11.0)


def _gantt_heading(day: Day, rows: Sequence[Row]) -> str:
    unused = max(0, day.shift_count - len(day.rows))
    if not rows:
        return f"Routes by the hour: none; {counted(unused, 'shift')} unused"
    shown = counted(len(rows), "route")
    if len(rows) < len(day.rows):
        shown = (
            f"{len(rows)} of {len(day.rows)} routes shown, those with most lateness, then overtime, "
            f"then stops; {len(day.rows) - len(rows)} not drawn here"
        )
    return f"Routes by the hour: {shown}; {counted(unused, 'shift')} unused"


def _no_map(day: Day) -> str:
    travel = f" (travel is given as {plain(day.travel_kind)})" if day.travel_kind else ""
    return f"No map: none of the {counted(day.location_count, 'location')} has coordinates{travel}."


def _foot(day: Day, plan: Mapping[str, Any]) -> str:
    from api.render_style import flowed

    parts = []
    on_rows = {row.engineer for row in day.rows}
    idle = [s for s in day.standby if s.engineer not in on_rows]
    if idle:
        named = [f"{plain(s.engineer)} for {plain(s.work_order)}" for s in idle]
        parts.append("standby without a route: " + flowed(named, ", ", 60, 1)[0])
    receipt = plan.get("receipt") or {}
    if receipt.get("engine"):
        parts.append(f"engine {plain(receipt['engine'])}")
    if receipt.get("approximated_rules"):
        rules = ", ".join(plain(rule) for rule in receipt["approximated_rules"])
        parts.append(f"approximated in the search: {rules}")
    if plan.get("created_at"):
        parts.append(f"plan made {plain(plan['created_at'])}")
    if day.rows:
        parts.append("work order ids stand in the bars where they fit")
    return " · ".join(parts)
