"""The Gantt chart of a plan's picture: one row per route, local time across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from api.render_clock import TimeFrame, clock_label
from api.render_day import LEVELS, Activity, Day, Row, RowKey, Standby
from api.render_style import (
    BREAK,
    FAINT_INK,
    GRID,
    INK,
    LATE,
    LEVEL_COLOURS,
    LEVEL_TEXT_COLOURS,
    NOW,
    OVERTIME,
    SHIFT,
    STANDBY,
    TRAVEL,
    RouteStyle,
    text_width_inches,
)
from api.render_text import hours_and_minutes, plain, shortened

_BAR_HALF = 0.31
_ROW_LABEL_LENGTH = 24
_MARK_INCHES = 0.13
_ROWS_SEEN_WITH_THE_AXIS = 16
_ID_POINTS = (8.5, 7.5, 6.5)
# Headings beside the chart and their right edges as fractions of its width.
_MARGIN_COLUMNS = (
    ("stops", 1.05),
    ("driving\nh:mm", 1.097),
    ("overtime\nh:mm", 1.151),
    ("late\nh:mm", 1.192),
)


def draw_gantt(
    axes: Axes, day: Day, rows: Sequence[Row], styles: Mapping[RowKey, RouteStyle], frame: TimeFrame
) -> list[Artist]:
    """Draw the rows top down into `axes` (x in epoch seconds); return legend entries for what was drawn."""
    axes.set_xlim(frame.start_seconds, frame.end_seconds)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    if not rows:
        axes.set_yticks([])
        _time_axis(axes, frame, top=False)
        axes.text(
            0.5,
            0.5,
            "No routes: the plan serves nothing.",
            transform=axes.transAxes,
            ha="center",
            va="center",
            fontsize=13,
            color=FAINT_INK,
        )
        return []
    second_inches = _axes_width_inches(axes) / (frame.end_seconds - frame.start_seconds)
    standby = _standby_by_row(day, rows)
    for index, row in enumerate(rows):
        _shade_shift(axes, index, row, frame)
        for activity in row.activities:
            _draw_activity(axes, index, activity, second_inches)
        for duty in standby.get(index, ()):
            span = [duty.start_seconds, duty.end_seconds]
            axes.plot(span, [index - 0.42] * 2, color=STANDBY, lw=2.2, solid_capstyle="butt", zorder=4)
            axes.annotate(
                f"standby {plain(duty.work_order)}",
                (duty.end_seconds, index - 0.42),
                xytext=(3, 0),
                textcoords="offset points",
                va="center_baseline",
                fontsize=6.5,
                color=STANDBY,
                zorder=5,
            )
        _row_margin(axes, index, row, styles[row.key])
    _head_margin(axes)
    _connect_teams(axes, rows)
    _name_rows(axes, rows)
    repeated = len(rows) > _ROWS_SEEN_WITH_THE_AXIS
    _time_axis(axes, frame, top=repeated)
    now_shown = day.now_seconds is not None and frame.holds(day.now_seconds)
    if day.now_seconds is not None and now_shown:
        axes.axvline(day.now_seconds, color=NOW, lw=1.6, ls=(0, (4, 2)), zorder=6)
        axes.annotate(
            f"now {clock_label(day.now_seconds, day.zone)}",
            (day.now_seconds, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 16 if repeated else 4),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=NOW,
            fontweight="bold",
        )
    return _legend_entries(rows, bool(standby), now_shown)


def _axes_width_inches(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return float(axes.get_position().width * figure.get_figwidth())


def _shade_shift(axes: Axes, index: int, row: Row, frame: TimeFrame) -> None:
    if row.shift_start_seconds is None or row.shift_end_seconds is None or row.latest_end_seconds is None:
        return
    spans = (
        (row.shift_start_seconds, row.shift_end_seconds, SHIFT),
        (row.shift_end_seconds, row.latest_end_seconds, OVERTIME),
    )
    for start, end, colour in spans:
        left, right = max(start, frame.start_seconds), min(end, frame.end_seconds)
        if right > left:
            axes.add_patch(Rectangle((left, index - 0.46), right - left, 0.92, facecolor=colour, lw=0, zorder=0.5))


def _draw_activity(axes: Axes, index: int, activity: Activity, second_inches: float) -> None:
    start, end = activity.start_seconds, activity.end_seconds
    length = end - start
    if activity.kind == "travel":
        axes.add_patch(Rectangle((start, index - 0.09), length, 0.18, facecolor=TRAVEL, lw=0, zorder=2))
    elif activity.kind == "waiting":
        axes.plot([start, end], [index, index], color=FAINT_INK, lw=1.3, ls=(0, (1, 1.6)), zorder=2)
    elif activity.kind == "break":
        axes.add_patch(
            Rectangle(
                (start, index - _BAR_HALF * 0.75),
                length,
                _BAR_HALF * 1.5,
                facecolor=BREAK,
                edgecolor="#7d8894",
                hatch="/////",
                lw=0.8,
                zorder=3,
            )
        )
    else:
        _draw_work(axes, index, activity, second_inches)


def _draw_work(axes: Axes, index: int, activity: Activity, second_inches: float) -> None:
    start, length = activity.start_seconds, activity.end_seconds - activity.start_seconds
    top = index - _BAR_HALF
    late = bool(activity.misses)
    edge = LATE if late else INK
    width = 1.7 if late else 2.2 if activity.in_team else 0.5
    if late and activity.in_team:
        axes.add_patch(
            Rectangle((start, top), length, 2 * _BAR_HALF, facecolor="none", edgecolor=INK, lw=4.4, zorder=3.15)
        )
    axes.add_patch(
        Rectangle(
            (start, top),
            length,
            2 * _BAR_HALF,
            facecolor=LEVEL_COLOURS[activity.level],
            edgecolor=edge,
            lw=width,
            ls=(0, (1.2, 1.2)) if activity.remote else "solid",
            zorder=3.2,
        )
    )
    if activity.remote:
        axes.add_patch(
            Rectangle(
                (start, top),
                length,
                2 * _BAR_HALF,
                facecolor="none",
                edgecolor="#ffffff",
                hatch="....",
                lw=0,
                zorder=3.3,
            )
        )
    for miss in activity.misses:
        line = [index + 0.4, index + 0.4]
        axes.plot(
            [miss.deadline_seconds, miss.happened_seconds],
            line,
            color=LATE,
            lw=1.5,
            zorder=4,
            solid_capstyle="butt",
        )
        axes.plot(
            [miss.deadline_seconds] * 2,
            [index + 0.22, index + 0.46],
            color=LATE,
            lw=2.2,
            zorder=4.5,
            solid_capstyle="butt",
        )
    room = length * second_inches
    marks = [mark for shown, mark in ((activity.lead, ("*", 9.0)), (activity.pinned, ("v", 6.0))) if shown]
    points = _fitting_points(activity, room - _MARK_INCHES * len(marks))
    inside = points is not None
    for place, (marker, size) in enumerate(marks):
        # Marks that would push the id out of a short bar sit on its upper edge instead.
        left = (_MARK_INCHES * (place + 0.6)) / second_inches if inside else _MARK_INCHES * place / second_inches
        axes.plot(
            [start + left],
            [index if inside else top],
            marker=marker,
            ms=size,
            mfc="#ffffff",
            mec=INK,
            mew=0.7,
            ls="none",
            zorder=5,
        )
    points = points or _fitting_points(activity, room)
    if points is not None:
        _label_work(axes, index, activity, points, _MARK_INCHES * len(marks) / second_inches if inside else 0.0)


def _fitting_points(activity: Activity, room_inches: float) -> float | None:
    width = room_inches - 0.05
    return next((p for p in _ID_POINTS if text_width_inches(plain(activity.work_order), p) <= width), None)


def _label_work(axes: Axes, index: int, activity: Activity, points: float, offset_seconds: float) -> None:
    middle = (activity.start_seconds + offset_seconds + activity.end_seconds) / 2
    label = axes.text(
        middle,
        index,
        plain(activity.work_order),
        ha="center",
        va="center_baseline",
        fontsize=points,
        clip_on=True,
        color=LEVEL_TEXT_COLOURS[activity.level],
        fontweight="bold" if activity.level == "L1" else "normal",
        zorder=5,
    )
    if activity.remote:
        label.set_bbox({"facecolor": LEVEL_COLOURS[activity.level], "lw": 0, "pad": 1.2})


def _row_margin(axes: Axes, index: int, row: Row, style: RouteStyle) -> None:
    """The route's map colour beside its name on the left, what the route adds up to on the right."""
    beside = axes.get_yaxis_transform()
    axes.plot(
        [-0.017, -0.004],
        [index, index],
        transform=beside,
        color=style.colour,
        ls=style.dashes,
        lw=4.5,
        solid_capstyle="butt",
        dash_capstyle="butt",
        clip_on=False,
    )
    cells = (
        (str(len(row.work)), FAINT_INK),
        (hours_and_minutes(row.travel_seconds), FAINT_INK),
        (hours_and_minutes(row.overtime_seconds) if row.overtime_seconds else "", LATE),
        (hours_and_minutes(row.worst_miss_seconds) if row.worst_miss_seconds else "", LATE),
    )
    for (_, right), (text, colour) in zip(_MARGIN_COLUMNS, cells, strict=True):
        axes.text(right, index, text, transform=beside, ha="right", va="center_baseline", fontsize=8, color=colour)


def _head_margin(axes: Axes) -> None:
    for words, right in _MARGIN_COLUMNS:
        axes.annotate(
            words,
            (right, 1),
            xycoords="axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            ha="right",
            fontsize=7.2,
            color=FAINT_INK,
            linespacing=1.05,
        )


def _standby_by_row(day: Day, rows: Sequence[Row]) -> dict[int, list[Standby]]:
    found: dict[int, list[Standby]] = {}
    for index, row in enumerate(rows):
        for standby in day.standby:
            covers = (
                row.shift_start_seconds is None
                or row.latest_end_seconds is None
                or (row.shift_start_seconds <= standby.start_seconds and standby.end_seconds <= row.latest_end_seconds)
            )
            if standby.engineer == row.engineer and covers:
                found.setdefault(index, []).append(standby)
    return found


def _connect_teams(axes: Axes, rows: Sequence[Row]) -> None:
    members: dict[str, list[tuple[int, int]]] = {}
    for index, row in enumerate(rows):
        for activity in row.work:
            if activity.in_team:
                members.setdefault(activity.work_order, []).append((activity.start_seconds, index))
    for stops in members.values():
        if len(stops) > 1:
            axes.plot(
                [s for s, _ in stops],
                [i for _, i in stops],
                color=INK,
                lw=1.4,
                marker="o",
                ms=3.8,
                zorder=3.1,
            )


def _name_rows(axes: Axes, rows: Sequence[Row]) -> None:
    axes.set_yticks(range(len(rows)), [_row_label(row) for row in rows])
    axes.tick_params(axis="y", length=0, pad=16, labelsize=8.5 if len(rows) <= 40 else 7.5, labelcolor=INK)


def _row_label(row: Row) -> str:
    name = f" {row.name}" if row.name and row.name != row.engineer else ""
    return shortened(plain(f"{row.engineer}{name} · {row.shift}"), _ROW_LABEL_LENGTH)


def _time_axis(axes: Axes, frame: TimeFrame, top: bool) -> None:
    ticks = frame.ticks()
    axes.set_xticks([instant for instant, _ in ticks], [label for _, label in ticks])
    axes.tick_params(axis="x", labelsize=8)
    if top:
        for instant, label in ticks:
            axes.annotate(
                label.split("\n")[0],
                (instant, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=FAINT_INK,
            )
    axes.grid(axis="x", color=GRID, lw=0.7, zorder=0.6)
    axes.set_axisbelow(False)
    axes.set_xlabel(f"Local time ({frame.zone.key})", fontsize=8.5)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)


def _legend_entries(rows: Sequence[Row], standby: bool, now: bool) -> list[Artist]:
    work = [activity for row in rows for activity in row.work]
    kinds = {activity.kind for row in rows for activity in row.activities}
    entries: list[Artist] = [
        Patch(facecolor=LEVEL_COLOURS[level], edgecolor=INK, lw=0.5, label=f"{level} work order")
        for level in LEVELS
        if any(activity.level == level for activity in work)
    ]
    optional: tuple[tuple[bool, Artist], ...] = (
        ("travel" in kinds, Line2D([], [], color=TRAVEL, lw=4, label="travel")),
        ("waiting" in kinds, Line2D([], [], color=FAINT_INK, lw=1.4, ls=(0, (1, 1.6)), label="waiting")),
        ("break" in kinds, Patch(facecolor=BREAK, edgecolor="#7d8894", hatch="/////", label="break")),
        (any(r.shift_start_seconds is not None for r in rows), Patch(facecolor=SHIFT, label="shift")),
        (
            any(r.latest_end_seconds != r.shift_end_seconds for r in rows),
            Patch(facecolor=OVERTIME, label="overtime"),
        ),
        (any(a.misses for a in work), Patch(facecolor="none", edgecolor=LATE, lw=1.8, label="late")),
        (
            any(a.misses for a in work),
            Line2D(
                [],
                [],
                color=LATE,
                lw=1.5,
                marker="|",
                ms=8,
                mew=2.2,
                markevery=[0],
                label="missed deadline and by how much",
            ),
        ),
        (
            any(a.in_team for a in work),
            Line2D([], [], color=INK, lw=1.4, marker="s", ms=8, mfc="none", mew=2.2, label="team, linked"),
        ),
        (
            any(a.lead for a in work),
            Line2D([], [], ls="none", marker="*", ms=9, mfc="#ffffff", mec=INK, label="lead"),
        ),
        (
            any(a.remote for a in work),
            Patch(
                facecolor="#c9ced4",
                edgecolor=INK,
                ls=(0, (1.2, 1.2)),
                lw=1.8,
                hatch="....",
                label="remote member",
            ),
        ),
        (standby, Line2D([], [], color=STANDBY, lw=2.4, label="standby for a team")),
        (
            any(a.pinned for a in work),
            Line2D([], [], ls="none", marker="v", ms=6, mfc="#ffffff", mec=INK, label="pinned"),
        ),
        (now, Line2D([], [], color=NOW, lw=1.6, ls=(0, (4, 2)), label="now")),
    )
    return entries + [artist for used, artist in optional if used]
