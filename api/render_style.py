"""Colours, fonts and small drawing helpers shared by the panels of a plan's picture."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib import font_manager

DOTS_PER_INCH = 150
INK = "#22272e"
FAINT_INK = "#5c6672"
PANEL = "#f7f8fa"
GRID = "#dfe3e8"
LATE = "#d4001a"
TRAVEL = "#a2abb5"
BREAK = "#ffffff"
SHIFT = "#eaf0f6"
OVERTIME = "#fbe3c8"
STANDBY = "#6a3d9a"
NOW = "#1b6e3c"

# After Okabe and Ito (2008), and wine from Tol's muted set: told apart under the common colour vision
# deficiencies, and none of them is the red that marks lateness.
LEVEL_COLOURS = {"L1": "#882255", "L2": "#e69f00", "L3": "#56b4e9", "L4": "#4fae8f"}
LEVEL_TEXT_COLOURS = {"L1": "#ffffff", "L2": INK, "L3": INK, "L4": INK}

_ROUTE_COLOURS = (
    "#1f77b4", "#d95f02", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17a2b8", "#bcbd22",
    "#34495e", "#e6550d", "#006d2c", "#54278f", "#7f2704", "#c51b8a", "#08519c", "#7a7a00",
)  # fmt: skip
_ROUTE_DASHES: tuple[str | tuple[int, tuple[float, ...]], ...] = (
    "solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), (0, (9, 2)),
)  # fmt: skip

_CJK_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans CJK JP",
    "Noto Sans CJK TC", "Noto Sans CJK KR", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback",
    "PingFang SC", "Hiragino Sans GB", "Heiti SC", "STHeiti", "Microsoft YaHei", "SimHei", "SimSun",
    "Arial Unicode MS", "Noto Serif CJK SC", "AR PL UMing CN",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RouteStyle:
    """How one route is drawn on the map, and which mark its row in the Gantt chart carries."""

    colour: str
    dashes: str | tuple[int, tuple[float, ...]]


def route_styles(count: int) -> list[RouteStyle]:
    """`count` styles; a colour comes back only with another dash pattern, up to 80 different ones."""
    return [
        RouteStyle(
            _ROUTE_COLOURS[index % len(_ROUTE_COLOURS)],
            _ROUTE_DASHES[index // len(_ROUTE_COLOURS) % len(_ROUTE_DASHES)],
        )
        for index in range(count)
    ]


@contextmanager
def drawing_style() -> Iterator[None]:
    """Fonts with CJK glyphs where there are any, and text taken literally: `$` in an id starts no formula."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    cjk = next((name for name in _CJK_FONTS if name in known), None)
    # A CJK font often comes without a bold cut; falling back to the regular one is what we want, not news.
    finder = logging.getLogger("matplotlib.font_manager")
    level = finder.level
    finder.setLevel(logging.ERROR)
    with mpl.rc_context(
        {
            "font.family": ["DejaVu Sans"] if cjk is None else ["DejaVu Sans", cjk],
            "font.size": 9.0,
            "text.parse_math": False,
            "text.usetex": False,
            "axes.edgecolor": "#9aa4af",
            "axes.labelcolor": FAINT_INK,
            "text.color": INK,
            "xtick.color": FAINT_INK,
            "ytick.color": FAINT_INK,
            "hatch.linewidth": 0.7,
            "axes.unicode_minus": True,
        }
    ):
        try:
            yield
        finally:
            finder.setLevel(level)


def text_width_inches(text: str, points: float) -> float:
    """Width of `text` at a font size, from above: wide glyphs (CJK) count one em, others three fifths."""
    ems = sum(1.0 if ord(character) > 0x2E7F else 0.62 for character in text)
    return ems * points / 72


def flowed(parts: Sequence[str], separator: str, width: int, lines: int) -> list[str]:
    """`parts` joined into at most `lines` lines of about `width` characters; what does not fit is counted."""
    rows: list[str] = [""]
    for index, part in enumerate(parts):
        joined = rows[-1] + (separator if rows[-1] else "") + part
        room = width - (14 if len(rows) == lines else 0)
        if len(joined) <= room or not rows[-1]:
            rows[-1] = joined
        elif len(rows) < lines:
            rows[-1] += separator.rstrip()
            rows.append(part)
        else:
            rows[-1] += f"{separator}and {len(parts) - index} more"
            break
    return rows
