"""The coverage of skills by the hour as a picture: how many are on shift against how many are needed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from api.render_clock import TimeFrame, span_label
from api.render_text import counted, plain, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dispatcher.coverage import Cell, Coverage, Row

WIDTH_INCHES = 13.0
MOST_ROWS = 60
"""Rows in one picture; of more, those that most need a look are drawn, and the title says so."""

_LEFT, _RIGHT, _HEAD, _FOOT, _ROW = 2.5, 0.75, 1.4, 0.75, 0.29
_CROWD = 0.42
_LABEL_LENGTH = 30
# The more to spare, the darker: after the blues of Brewer's sequential schemes.
_ENOUGH = ("#dce9f6", "#bfd8ed", "#9ac4e2", "#6baed6")
_SHORT, _NOBODY, _IDLE = "#f5b26b", "#d4001a", "#f7f8fa"


def render_coverage(problem_id: str, found: Coverage, path: Path) -> None:
    """Write the picture of a coverage as a PNG of 1560 pixels' width; its height grows with the number of rows.

    Needs no display. Raises OSError if the file cannot be written.
    """
    from api.render_style import drawing_style

    figure = coverage_figure(problem_id, found)
    with drawing_style(), warnings.catch_warnings():
        # Without a font for some script its glyphs come out as boxes, which is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, format="png", dpi=120)


def coverage_figure(problem_id: str, found: Coverage) -> Figure:
    """The picture as a matplotlib figure; its axes are labelled `crew` and `coverage`, x in epoch seconds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from api.render_style import drawing_style

    rows = _rows_to_show(found)
    body = max(1, len(rows)) * _ROW
    height = _HEAD + _CROWD + body + _FOOT
    with drawing_style():
        figure = Figure(figsize=(WIDTH_INCHES, height), facecolor="white")
        FigureCanvasAgg(figure)
        _head(figure, height, problem_id, found, rows)
        width = WIDTH_INCHES - _LEFT - _RIGHT
        if not found.hours:
            figure.text(0.04, 0.4, "Nobody is on shift and nothing is asked for from now on.", fontsize=12)
            return figure
        crew = _axes(figure, height, "crew", _HEAD, _CROWD * 0.62)
        _draw_crew(crew, found, width)
        chart = _axes(figure, height, "coverage", _HEAD + _CROWD, body)
        _draw_rows(chart, found, rows, width)
        _legend(figure, height, found, rows)
    return figure


def _axes(figure: Figure, height: float, label: str, top: float, inches: float) -> Axes:
    width = WIDTH_INCHES - _LEFT - _RIGHT
    place = (_LEFT / WIDTH_INCHES, 1 - (top + inches) / height, width / WIDTH_INCHES, inches / height)
    return figure.add_axes(place, label=label)


def _rows_to_show(found: Coverage) -> list[Row]:
    """All rows, or those with most hours short, then single points, then need; in the order of the coverage."""
    if len(found.rows) <= MOST_ROWS:
        return list(found.rows)
    pressing = sorted(
        found.rows,
        key=lambda row: (
            -sum(cell.is_short for cell in row.cells),
            -sum(cell.is_single_point for cell in row.cells),
            -sum(cell.needed for cell in row.cells),
        ),
    )
    kept = {(row.skill, row.level) for row in pressing[:MOST_ROWS]}
    return [row for row in found.rows if (row.skill, row.level) in kept]


def _head(figure: Figure, height: float, problem_id: str, found: Coverage, rows: Sequence[Row]) -> None:
    where = "" if found.territory is None else f" · {shortened(plain(found.territory), 40)}"
    title = f"Skills by the hour: {shortened(plain(problem_id), 60)}{where}"
    figure.text(0.02, 1 - 0.38 / height, title, fontsize=15, fontweight="bold")
    facts = [
        span_label(found.hours[0].start, found.hours[-1].end - 1, found.zone) if found.hours else found.zone.key,
        counted(len(found.engineers), "engineer") + " on shift",
        f"{counted(found.single_points, 'hour')} with one person only",
        f"{counted(found.short_cells, 'hour')} with too few",
    ]
    if len(rows) < len(found.rows):
        facts.append(f"the {len(rows)} of {len(found.rows)} rows that most need a look")
    figure.text(0.02, 1 - 0.66 / height, "   ·   ".join(facts), fontsize=10)


def _draw_crew(axes: Axes, found: Coverage, width: float) -> None:
    """A strip with everybody on shift, whatever their skills."""
    from matplotlib.patches import Rectangle

    from api.render_style import FAINT_INK, INK, SHIFT

    _frame(axes, found, 1)
    most = max(found.on_shift, default=0) or 1
    for hour, count in zip(found.hours, found.on_shift, strict=True):
        axes.add_patch(Rectangle((hour.start, 1 - count / most), hour.seconds, count / most, facecolor=SHIFT, lw=0))
        points = _points(width * hour.seconds / _span(found), f"{count}")
        if points:
            axes.text(
                (hour.start + hour.end) / 2, 0.55, f"{count}", ha="center", va="center_baseline", fontsize=points,
                color=INK,
            )  # fmt: skip
    axes.set_ylim(1, 0)
    axes.set_yticks([0.5], ["everybody on shift"])
    axes.tick_params(axis="y", length=0, labelsize=8.5, labelcolor=FAINT_INK)
    axes.set_xticks([])


def _draw_rows(axes: Axes, found: Coverage, rows: Sequence[Row], width: float) -> None:
    from matplotlib.patches import Rectangle

    from api.render_style import FAINT_INK, GRID, INK

    _frame(axes, found, max(1, len(rows)))
    wide = _has_room_for_need(found, rows)
    for place, row in enumerate(rows):
        for hour, cell in zip(found.hours, row.cells, strict=True):
            corner = (hour.start, place - 0.5)
            axes.add_patch(Rectangle(corner, hour.seconds, 1, facecolor=_colour(cell), edgecolor="white", lw=1.2))
            if cell.is_single_point:
                _mark(axes, hour.start, hour.end, place, width / _span(found))
            label = f"{cell.on_shift}/{cell.needed}" if cell.needed and wide else f"{cell.on_shift}"
            points = _points(width * hour.seconds / _span(found), label)
            if points:
                axes.text(
                    (hour.start + hour.end) / 2, place, label, ha="center", va="center_baseline", fontsize=points,
                    color="white" if _colour(cell) == _NOBODY else INK if cell.needed else FAINT_INK,
                    fontweight="bold" if cell.is_short or cell.is_single_point else "normal",
                )  # fmt: skip
        axes.annotate(
            f"{len(row.orders)}", (1, place), xycoords=axes.get_yaxis_transform(), xytext=(34, 0),
            textcoords="offset points", ha="right", va="center_baseline", fontsize=8, color=FAINT_INK,
        )  # fmt: skip
        if place and rows[place - 1].skill != row.skill:
            axes.axhline(place - 0.5, color=GRID, lw=0.8, zorder=0.5)
    axes.annotate(
        "open\norders", (1, 1), xycoords="axes fraction", xytext=(34, 5), textcoords="offset points", ha="right",
        fontsize=7.2, color=FAINT_INK, linespacing=1.05,
    )  # fmt: skip
    axes.set_yticks(range(len(rows)), [f"{shortened(plain(row.skill), _LABEL_LENGTH)} ≥ {row.level}" for row in rows])
    axes.tick_params(axis="y", length=0, labelsize=8.5, labelcolor=INK)
    edges = {hour.start for hour in found.hours} | {found.hours[-1].end}
    frame = TimeFrame(found.hours[0].start, found.hours[-1].end, found.zone)
    ticks = [(instant, label) for instant, label in frame.ticks() if instant in edges]
    axes.set_xticks([instant for instant, _ in ticks], [label for _, label in ticks])
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel(f"Local time ({found.zone.key})", fontsize=8.5)
    if not rows:
        axes.set_yticks([])
        middle = (found.hours[0].start + found.hours[-1].end) / 2
        axes.text(middle, 0, "No open order asks for a skill.", ha="center", va="center_baseline", fontsize=10)


def _frame(axes: Axes, found: Coverage, rows: int) -> None:
    axes.set_xlim(found.hours[0].start, found.hours[-1].end)
    axes.set_ylim(rows - 0.5, -0.5)
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(False)


def _mark(axes: Axes, start: int, end: int, place: int, inches_per_second: float) -> None:
    """A frame around a cell, inside its edges."""
    from matplotlib.patches import Rectangle

    from api.render_style import LATE

    inset = 0.025 / inches_per_second
    frame = Rectangle(
        (start + inset, place - 0.41), end - start - 2 * inset, 0.82, facecolor="none", edgecolor=LATE, lw=1.5, zorder=4
    )
    axes.add_patch(frame)


def _colour(cell: Cell) -> str:
    if not cell.needed:
        return _IDLE
    if not cell.on_shift:
        return _NOBODY
    if cell.is_short:
        return _SHORT
    return _ENOUGH[min(cell.on_shift - cell.needed, len(_ENOUGH) - 1)]


def _points(inches: float, label: str) -> float | None:
    """The font size at which a label fits into a cell; None where none does."""
    from api.render_style import text_width_inches

    return next((size for size in (8.5, 7.5, 6.5) if text_width_inches(label, size) <= inches - 0.02), None)


def _has_room_for_need(found: Coverage, rows: Sequence[Row]) -> bool:
    """Whether the longest `on shift/needed` fits into an hour; else every cell has the people on shift only."""
    inches = (WIDTH_INCHES - _LEFT - _RIGHT) * max(hour.seconds for hour in found.hours) / _span(found)
    labels = [f"{cell.on_shift}/{cell.needed}" for row in rows for cell in row.cells if cell.needed]
    return all(_points(inches, label) for label in labels)


def _span(found: Coverage) -> int:
    return found.hours[-1].end - found.hours[0].start


def _legend(figure: Figure, height: float, found: Coverage, rows: Sequence[Row]) -> None:
    from matplotlib.patches import Patch

    from api.render_style import FAINT_INK, LATE

    cells = [cell for row in found.rows for cell in row.cells]
    entries = [
        Patch(facecolor=colour, edgecolor="#c3ccd6", lw=0.5, label=label)
        for colour, label in (
            (_NOBODY, "needed, and nobody there"),
            (_SHORT, "fewer than needed"),
            *zip(_ENOUGH, ("just enough", "1 to spare", "2 to spare", "3 or more"), strict=True),
            (_IDLE, "nobody needed"),
        )
        if any(_colour(cell) == colour for cell in cells)
    ]
    if any(cell.is_single_point for cell in cells):
        entries.append(Patch(facecolor="none", edgecolor=LATE, lw=1.5, label="single point: one person only"))
    if entries:
        figure.legend(
            handles=entries, loc="upper left", ncols=len(entries), fontsize=8, frameon=False,
            bbox_to_anchor=(0.02, 1 - 0.78 / height), borderaxespad=0, borderpad=0, columnspacing=1.3,
            handletextpad=0.5,
        )  # fmt: skip
    needed = " / people needed" if _has_room_for_need(found, rows) else "; there is no room for the people needed"
    figure.text(
        0.02,
        1 - 1.13 / height,
        f"In a cell: people on shift who hold the skill at this level or above, when they are fewest{needed}. "
        "People count in every row they fit.",
        fontsize=8,
        color=FAINT_INK,
    )
