"""The picture of the benchmarks: totals against time on the hard track, gaps to the best known on VRPTW."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.figures import Run, best_totals, grouped, mean_gap

OURS_COLOUR = "#882255"
COLOURS = {"vroom": "#e69f00", "pyvrp": "#0072b2", "ortools-plain": "#009e73", "vrp-cli": "#56b4e9"}
OTHER_COLOUR = "#5c6672"
MARKERS = {"vroom": "s", "pyvrp": "^", "ortools-plain": "D", "vrp-cli": "v"}
DOTS_PER_INCH = 110
TICKS_SECONDS = (0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600)


def draw(runs: Sequence[Run], ours: str, path: Path) -> None:
    """Write the picture as PNG; a panel without figures says so."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), dpi=DOTS_PER_INCH, layout="constrained")
    _score_against_time(left, [run for run in runs if run.track == "hard"], ours)
    _gaps(right, [run for run in runs if run.track == "vrptw"], ours)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def _score_against_time(axes: Any, runs: Sequence[Run], ours: str) -> None:
    """For every engine, size and limit: mean seconds, and the mean of totals over the best total of all engines."""
    axes.set_title("Hard windows: total over the best plan of all engines")
    axes.set_xlabel("search, seconds")
    axes.set_ylabel("mean, % above the best")
    axes.set_xscale("log")
    best = best_totals(runs)
    for (engine,), of_engine in grouped((run for run in runs if run.total is not None), "engine"):
        points = []
        for (_, size), group in grouped(of_engine, "limit_seconds", "size"):
            above = [100 * (run.total / best[run.instance] - 1) for run in group if run.total is not None]
            points.append((fmean(run.search_seconds for run in group), fmean(above), size))
        seconds, above_best, sizes = zip(*points, strict=True)
        areas = [14 + size / 12 for size in sizes]
        axes.scatter(seconds, above_best, areas, label=engine, alpha=0.85, **_style(engine, ours))
    if best:
        low, high = axes.get_xlim()
        axes.set_xticks([tick for tick in TICKS_SECONDS if low <= tick <= high])
        axes.set_xticks([], minor=True)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.legend(title="mark size: orders", fontsize=8, title_fontsize=8)
        axes.grid(color="#dfe3e8")
        axes.set_axisbelow(True)
    else:
        _nothing(axes)


def _gaps(axes: Any, runs: Sequence[Run], ours: str) -> None:
    """Mean gaps by class as groups of bars."""
    axes.set_title("VRPTW, DIMACS rounding: mean gap to the best known")
    axes.set_ylabel("%")
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
        axes.set_xticks(range(len(sizes)), [f"{size} customers" for size in sizes])
        axes.legend(fontsize=8)
    else:
        _nothing(axes)


def _style(engine: str, ours: str) -> dict[str, Any]:
    if engine == ours:
        return {"color": OURS_COLOUR, "marker": "o", "zorder": 3}
    return {"color": COLOURS.get(engine, OTHER_COLOUR), "marker": MARKERS.get(engine, "X")}


def _nothing(axes: Any) -> None:
    axes.text(0.5, 0.5, "not measured", ha="center", va="center", transform=axes.transAxes)
