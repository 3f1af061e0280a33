"""Ways to send a team as a picture: option by option who comes when, and which other orders move from when to when."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from api.render_clock import TimeFrame
from api.render_text import counted, plain, shortened
from api.team_tables import came, headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES = 13.0
MOST_CHANGES = 10
"""Other orders drawn of one option, the most grave first; the picture says how many more there are."""

_LEFT, _RIGHT, _HEAD, _FOOT, _GAP, _ROW = 2.9, 2.6, 0.85, 0.6, 0.5, 0.27


@dataclass(frozen=True, slots=True)
class _Band:
    """One option: its headline, its rows of people and its rows of other orders."""

    title: str
    people: Sequence[Mapping[str, Any]]
    standby: Sequence[Mapping[str, Any]]
    changes: Sequence[Mapping[str, Any]]
    hidden: int

    @property
    def rows(self) -> int:
        return len(self.people) + len(self.standby) + len(self.changes) + bool(self.hidden)


def render_team_options(answer: Mapping[str, Any], zone: ZoneInfo, path: Path) -> None:
    """Write the options of an answer (`api.team_schemas.TeamOptions`, at least one) as a PNG of 1560 pixels' width.

    Needs no display. Raises OSError if the file cannot be written.
    """
    from api.render_style import drawing_style

    figure = team_options_figure(answer, zone)
    with drawing_style(), warnings.catch_warnings():
        # Without a font for some script its glyphs come out as boxes, which is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, format="png", dpi=120)


def team_options_figure(answer: Mapping[str, Any], zone: ZoneInfo) -> Figure:
    """The picture as a matplotlib figure with one axes per option, labelled by the option's id; x in epoch seconds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from api.render_style import FAINT_INK, INK, drawing_style

    bands = [_band(number, option) for number, option in enumerate(answer["options"], start=1)]
    height = _HEAD + sum(band.rows * _ROW + _GAP for band in bands) + _FOOT
    frame = _frame(answer, bands, zone)
    with drawing_style():
        figure = Figure(figsize=(WIDTH_INCHES, height), facecolor="white")
        FigureCanvasAgg(figure)
        now = datetime.fromisoformat(answer["as_of"])
        title = f"{plain(answer['work_order'])}: {counted(len(bands), 'way')} to send a team, as of {now:%H:%M}"
        figure.text(0.02, 1 - 0.25 / height, title, ha="left", va="top", fontsize=13, color=INK, fontweight="bold")
        note = "grey: on the way · hollow: as it was planned · red: a promise is broken, or nobody comes"
        figure.text(0.02, 1 - 0.52 / height, note, ha="left", va="top", fontsize=8.5, color=FAINT_INK)
        top = height - _HEAD
        for band, option in zip(bands, answer["options"], strict=True):
            top -= _GAP
            box = (
                _LEFT / WIDTH_INCHES,
                (top - band.rows * _ROW) / height,
                (WIDTH_INCHES - _LEFT - _RIGHT) / WIDTH_INCHES,
                band.rows * _ROW / height,
            )
            axes = figure.add_axes(box, label=option["id"])
            _draw(axes, band, frame, _seconds(answer["as_of"]))
            top -= band.rows * _ROW
        ticks = frame.ticks()
        axes.set_xticks([instant for instant, _ in ticks], [label for _, label in ticks])
        axes.tick_params(axis="x", labelsize=8)
    return figure


def _band(number: int, option: Mapping[str, Any]) -> _Band:
    changes = option["changes"]
    kept = changes[:MOST_CHANGES]
    return _Band(headline(number, option), option["members"], option["standby"], kept, len(changes) - len(kept))


def _frame(answer: Mapping[str, Any], bands: Sequence[_Band], zone: ZoneInfo) -> TimeFrame:
    instants = [_seconds(answer["as_of"])]
    for band in bands:
        instants += [_seconds(member[key]) for member in band.people for key in ("departure", "end")]
        instants += [_seconds(item["there_at"]) for item in band.standby]
        for change in band.changes:
            times = [change["before"], *([change["after"]] if change["after"] else [])]
            instants += [_seconds(item[key]) for item in times for key in ("start", "end")]
    low, high = min(instants), max(instants)
    edge = max(300, (high - low) // 60)
    return TimeFrame(low - edge, high + edge, zone)


def _draw(axes: Axes, band: _Band, frame: TimeFrame, now: int) -> None:
    from api.render_style import BREAK, FAINT_INK, GRID, INK, LATE, LEVEL_COLOURS, NOW, STANDBY, TRAVEL

    axes.set_xlim(frame.start_seconds, frame.end_seconds)
    axes.set_ylim(band.rows - 0.5, -0.5)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.set_title(band.title, loc="left", fontsize=9.5, color=INK, fontweight="bold", pad=5)
    axes.axvline(now, color=NOW, lw=1.1, zorder=0.5)
    for instant, _ in frame.ticks():
        axes.axvline(instant, color=GRID, lw=0.6, zorder=0)
    labels: list[str] = []
    for member in band.people:
        row = len(labels)
        departure, arrival, start, end = (_seconds(member[key]) for key in ("departure", "arrival", "start", "end"))
        remote = member["presence"] == "remote"
        if not remote:
            axes.barh(row, arrival - departure, left=departure, height=0.34, color=TRAVEL)
            axes.barh(row, start - arrival, left=arrival, height=0.08, color=TRAVEL)
        colour = LEVEL_COLOURS["L1"]
        axes.barh(row, end - start, left=start, height=0.7, color=colour, alpha=0.55 if remote else 1.0)
        instead = ", ".join(map(plain, member["called_from"]))
        if instead:
            _beside(axes, row, shortened(f"instead of {instead}", 40))
        labels.append(f"{plain(member['engineer'])}  {plain(member['role'])}{' (remote)' if remote else ''}")
    for item in band.standby:
        axes.plot([_seconds(item["there_at"])], [len(labels)], marker="D", ms=5, color=STANDBY)
        labels.append(f"{plain(item['engineer'])}  {plain(item['role'])}")
    for change in band.changes:
        row, before, after = len(labels), change["before"], change["after"]
        start, end = _seconds(before["start"]), _seconds(before["end"])
        edge = LATE if change["broken"] else FAINT_INK
        axes.barh(row, end - start, left=start, height=0.5, color=BREAK, edgecolor=edge, lw=0.8, ls="--")
        if after is not None:
            start, end = _seconds(after["start"]), _seconds(after["end"])
            axes.barh(
                row, end - start, left=start, height=0.5, color=LEVEL_COLOURS[change["level"]], alpha=0.8,
                edgecolor=edge, lw=1.2 if change["broken"] else 0,
            )  # fmt: skip
        who, when = came(change)
        _beside(axes, row, shortened(when, 40), LATE if change["broken"] else FAINT_INK)
        labels.append(shortened(f"{plain(change['work_order'])} {change['level']}  {who}", 42))
    if band.hidden:
        labels.append(f"and {counted(band.hidden, 'order')} more")
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0, labelsize=8.5, labelcolor=INK)
    axes.set_xticks([])


def _beside(axes: Axes, row: int, text: str, colour: str | None = None) -> None:
    from api.render_style import FAINT_INK

    axes.annotate(
        text, (1, row), xycoords=axes.get_yaxis_transform(), xytext=(6, 0), textcoords="offset points", ha="left",
        va="center_baseline", fontsize=8, color=colour or FAINT_INK, annotation_clip=False,
    )  # fmt: skip


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
