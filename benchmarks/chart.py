"""The picture of the benchmarks: totals against time on the hard track, gaps to the best known on VRPTW."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.figures import Run, best_totals, columns_of, mean_gap

OURS_COLOUR = "#882255"
COLOURS = {"vroom": "#e69f00", "pyvrp": "#0072b2", "ortools-plain": "#009e73", "vrp-cli": "#56b4e9"}
OTHER_COLOUR = "#5c6672"
MARKERS = {"vroom": "s", "pyvrp": "^", "ortools-plain": "D", "vrp-cli": "v"}
DOTS_PER_INCH = 110
TICKS_SECONDS = (0.2, 0.5, 1, 2, 5, 10, 60, 600, 3600)
TICKS_TIMES = (1, 1.1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500)


def draw(runs: Sequence[Run], ours: str, path: Path) -> None:
    """Write the picture as PNG: a panel for each size of the hard track, and one for VRPTW; one without figures says
    so."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    hard = [run for run in runs if run.track == "hard"]
    sizes: list[int | None] = [*sorted({run.size for run in hard})] or [None]
    width = 3.0 * len(sizes) + 4.0
    figure, panels = plt.subplots(1, len(sizes) + 1, figsize=(width, 4.2), dpi=DOTS_PER_INCH, layout="constrained")
    for panel, size in zip(panels, sizes, strict=False):
        _score_against_time(panel, [run for run in hard if run.size == size], size, ours)
    panels[0].set_ylabel("times the best plan of all engines, geometric mean")
    _gaps(panels[-1], [run for run in runs if run.track == "vrptw"], ours)
    # Where an engine is on several panels, its mark of the first one.
    handles = {
        name: handle
        for panel in reversed(panels)
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    if handles:
        figure.legend(handles.values(), handles, loc="outside lower center", ncols=len(handles), fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def _score_against_time(axes: Any, runs: Sequence[Run], size: int | None, ours: str) -> None:
    """Of days of one size, for every engine and limit: mean seconds, and how many times the best total of all."""
    axes.set_title("Hard windows" + ("" if size is None else f", {size:,} orders"))
    axes.set_xlabel("search, seconds")
    axes.set_xscale("log")
    axes.set_yscale("log")
    best = best_totals(runs)
    for engine, points in times_the_best(runs).items():
        seconds, times = zip(*points, strict=True)
        axes.plot(seconds, times, label=engine, alpha=0.85, markersize=7, linewidth=1, **_style(engine, ours))
    if not best:
        _nothing(axes)
        return
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in TICKS_SECONDS if low <= tick <= high])
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter("{x:g}")
    _, most = axes.get_ylim()
    ticks = [tick for tick in TICKS_TIMES if tick <= most]
    axes.set_ylim(0.98, max(most, 1.05))
    axes.set_yticks(ticks[:: 1 + len(ticks) // 9])
    axes.set_yticks([], minor=True)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(color="#dfe3e8")
    axes.set_axisbelow(True)


def times_the_best(runs: Sequence[Run]) -> dict[str, list[tuple[float, float]]]:
    """By engine, for every limit, the shortest first: mean search seconds, and the geometric mean of totals over the
    best total of all engines on the day. Limits that VROOM sets count as one; limits with less than half of the days
    are left out. An engine's runs on fewer threads are an engine of their own."""
    best = best_totals(runs)
    found: dict[str, list[tuple[float, float]]] = {}
    columns = columns_of(runs)
    for engine in sorted(set(columns.values())):
        by_limit: dict[float | None, list[Run]] = {}
        for run in runs:
            if columns[run] == engine and run.total is not None:
                by_limit.setdefault(None if run.as_long_as_vroom else run.limit_seconds, []).append(run)
        points = [
            (
                fmean(run.search_seconds for run in group),
                exp(fmean(log((run.total or 0) / best[run.instance]) for run in group)),
            )
            for group in by_limit.values()
            if 2 * len({run.instance for run in group}) >= len(best)
        ]
        if points:
            found[engine] = sorted(points)
    return found


def _gaps(axes: Any, runs: Sequence[Run], ours: str) -> None:
    """Mean gaps by class as groups of bars."""
    axes.set_title("VRPTW")
    axes.set_ylabel("mean gap to the best known, %")
    sizes = sorted({run.size for run in runs})
    engines = sorted({run.engine for run in runs}, key=lambda name: (name != ours, name))
    for number, engine in enumerate(engines):
        found = [mean_gap([run for run in runs if (run.engine, run.size) == (engine, size)]) for size in sizes]
        width = 0.8 / len(engines)
        for place, gap in enumerate(found):
            if gap is not None:
                x = place + (number - (len(engines) - 1) / 2) * width
                bar = axes.bar(x, gap, width, color=_style(engine, ours)["color"])
                axes.bar_label(bar, [f"{gap:.2f}"], fontsize=8)
        axes.bar(0, 0, color=_style(engine, ours)["color"], label=engine)
    if sizes:
        axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])
        axes.set_xlabel("customers")
    else:
        _nothing(axes)


def _style(engine: str, ours: str) -> dict[str, Any]:
    if engine == ours:
        return {"color": OURS_COLOUR, "marker": "o", "zorder": 3}
    if engine.startswith(f"{ours},"):
        return {"color": OURS_COLOUR, "marker": "o", "markerfacecolor": "white", "zorder": 3}
    return {"color": COLOURS.get(engine, OTHER_COLOUR), "marker": MARKERS.get(engine, "X")}


def _nothing(axes: Any) -> None:
    axes.text(0.5, 0.5, "not measured", ha="center", va="center", transform=axes.transAxes)
