"""Tables and a picture of what `benchmarks.teams` has measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.cache import Row
from benchmarks.chart import DOTS_PER_INCH, OTHER_COLOUR, OURS_COLOUR
from benchmarks.figures import Run, grouped, newest, versions_on_tracks
from benchmarks.report import table, target_table
from benchmarks.team_suite import HHCRSP_CLASSES, published
from benchmarks.team_targets import (
    LARGE,
    LARGEST_GAPS,
    LARGEST_LEAD,
    LONGER,
    TeamRun,
    class_gap,
    leads,
    team_targets,
    threads_of,
)

HHCRSP_TOTAL = 3000
"""A plan's total in published costs."""


def team_runs(rows: Sequence[Row], data: Path) -> list[TeamRun]:
    """The measured rows of the newest versions, each with its published cost recomputed from its routes.

    Rows on another number of threads than the targets' are left out.
    """
    kept, _ = newest(rows)
    return [
        _team_run(row, data)
        for row in kept
        if row["status"] == "measured"
        and row["cell"]["threads"] == threads_of(row["cell"]["track"], row["cell"]["size"])
    ]


def _team_run(row: Row, data: Path) -> TeamRun:
    run, routes = Run.of(row), row.get("routes")
    cost = None
    if routes is not None and (run.served == run.size or run.track == "strsp"):
        try:
            cost = published(row["cell"]["track"], run.instance, routes, data)
        except ValueError:
            # The checker has passed or failed it already; the page says which plans the published rules refuse.
            cost = None
    scale = HHCRSP_TOTAL if run.track == "hhcrsp" else 1
    return TeamRun(run, cost, run.best_known / scale if run.best_known else None, routes)


def summary(runs: Sequence[TeamRun], rows: Sequence[Row], picture: str, details: str) -> str:
    """The section of the page of all benchmarks: targets, met or not. `details` is the address of the whole report."""
    parts = [
        "## Teams",
        f"Published instances with synchronised visits, and days of our own with teams, as [described]({details}). "
        "Written by `python -m benchmarks.teams --write`.",
        *_about(rows),
        f"![Gaps by class, and what ten times longer gains]({picture})",
        target_table(team_targets(runs)),
    ]
    return "\n\n".join(parts) + "\n"


def report(runs: Sequence[TeamRun], rows: Sequence[Row]) -> str:
    """The section with every figure: classes, optima, our own days."""
    parts = [
        "Written by `python -m benchmarks.teams --write`; run it to have the figures of your machine. Every run is a "
        f"process of its own on one thread, home care from {LARGE} patients up on two; loading and compiling are not "
        "timed. The independent checker judges every plan, and where a published objective exists, code of its own "
        "recomputes it from the plan's routes on the instance as written: gaps are between published costs.",
        *_about(rows),
        *_home_care(runs),
        *_below(runs),
        *_synchronised(runs),
        *_own_suite(runs),
        *_technicians(runs),
    ]
    return "\n\n".join(parts) + "\n"


def _about(rows: Sequence[Row]) -> Iterator[str]:
    kept, left_out = newest(rows)
    if not kept:
        yield "Nothing has been measured yet."
        return
    days = sorted({str(row["at"])[:10] for row in kept})
    engine = kept[0]["cell"]["engine"]
    engines = [f"{engine} at {version} on {names}" for version, names in versions_on_tracks(kept).items()]
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    yield " · ".join([span, *sorted({row["machine"] for row in kept}), *engines])
    failed = sorted({row["cell"]["instance"] for row in kept if row["status"] != "measured"})
    if failed:
        yield f"Without a plan, and counted nowhere below: {', '.join(failed)}."
    if left_out:
        yield f"{left_out} rows of earlier versions are left out; a version begins a hash over an engine's sources."


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _home_care(runs: Sequence[TeamRun]) -> Iterator[str]:
    found = [item for item in runs if item.run.track == "hhcrsp"]
    if not found:
        return
    yield "## Home care with two caregivers"
    yield (
        "Instances of Mankowska, Meisel and Bierwirth (2014): some patients need two caregivers at once, some one "
        "after the other. Published cost is (distance + tardiness + largest tardiness) / 3; best known ones are of "
        "Ceschia et al. (2024). A unit of the instance is 1000 seconds of the planning document, which loses nothing; "
        "a total is 3000 times the published cost. The document differs in one place: its windows end some 1000 units "
        "after the last due date, while published tardiness is unbounded; no best known plan is more than 224 late."
    )
    classes = {patients: name for name, patients in HHCRSP_CLASSES.items()}
    lines = []
    for (patients, limit), group in grouped((item.run for item in found), "size", "limit_seconds"):
        items = [item for item in found if item.run in group]
        gaps = [item.gap for item in items if item.gap is not None]
        lines.append(
            (
                classes[patients],
                str(patients),
                f"{limit:g} s",
                str(len(items)),
                _number(class_gap(items)),
                _number(max(gaps, default=None)),
                str(sum(gap < 1e-3 for gap in gaps)),
                str(sum(item.is_below for item in items)),
                str(len(items) - len(gaps)),
            )
        )
    gaps_by = ("mean gap %", "worst gap %", "best reached", "below", "without a cost")
    yield table(("class", "patients", "limit", "instances", *gaps_by), lines)
    yield table(
        ("instance", "limit", "seed", "served", "published cost", "best known", "gap %"),
        [
            (
                item.run.instance,
                f"{item.run.limit_seconds:g} s",
                str(item.run.seed),
                str(item.run.served),
                _number(item.published, 3),
                _number(item.best, 3),
                _number(item.gap),
            )
            for item in sorted(found, key=lambda item: (item.run.size, item.run.instance, item.run.limit_seconds or 0))
        ],
    )


def _below(runs: Sequence[TeamRun]) -> Iterator[str]:
    for item in runs:
        if item.is_below and item.routes is not None:
            yield (
                f"Below the best known: {item.run.instance} at {_number(item.published, 3)} instead of "
                f"{_number(item.best, 3)}. Its routes, each visit with its role where the patient needs two:"
            )
            yield "\n".join(
                f"- {engineer}: {' '.join(order if role is None else f'{order}/{role}' for order, role in stops)}"
                for engineer, stops in item.routes.items()
            )


def _synchronised(runs: Sequence[TeamRun]) -> Iterator[str]:
    found = [item for item in runs if item.run.track == "vrptwsyn"]
    if not found:
        return
    yield "## Synchronised visits"
    yield (
        "Instances of Bredström and Rönnqvist (2008) with 20 visits, four of them in two pairs that start together; "
        "travel time in total is to be smallest. Optima are proven by a constraint solver. Figures are the travel "
        "times of the seeds in turn."
    )
    lines = []
    for (instance, limit), group in grouped((item.run for item in found), "instance", "limit_seconds"):
        items = sorted((item for item in found if item.run in group), key=lambda item: item.run.seed)
        reached = sum(item.gap is not None and item.gap <= 0 for item in items)
        costs = ", ".join(_number(item.published, 0) for item in items)
        lines.append((instance, f"{limit:g} s", _number(items[0].best, 0), costs, f"{reached} of {len(items)}"))
    yield table(("instance", "limit", "optimum", "travel by seed", "optimal"), lines)


def _own_suite(runs: Sequence[TeamRun]) -> Iterator[str]:
    limits = sorted({item.run.limit_seconds or 0 for item in runs if item.run.track == "teams"})
    found = [lead for limit in limits for lead in leads(runs, limit)]
    if not found:
        return
    yield "## Our own days with teams"
    yield (
        "Synthetic days like [`DEMO`](scenarios.md) with every arrival mode, remote leads and standby; the name gives "
        "orders, engineers and the percentage of orders that need a team. *Difference* is the shorter run's total "
        f"against one of {LONGER} times its limit."
    )
    yield table(
        ("day", "limit", "served", "total", "served, longer", "total, longer", "difference %"),
        [
            (
                lead.short.instance,
                f"{lead.short.limit_seconds:g} s",
                str(lead.short.served),
                _number(lead.short.total, 0),
                str(lead.long.served),
                _number(lead.long.total, 0),
                _number(lead.percent),
            )
            for lead in found
        ],
    )


def _technicians(runs: Sequence[TeamRun]) -> Iterator[str]:
    found = [item for item in runs if item.run.track == "strsp"]
    if not found:
        return
    yield "## Technicians with levels, and outsourcing"
    yield (
        "Instances of Kovacs et al. (2012) with few technicians; nobody's results were to be found, so these are a "
        "first baseline. *Alone*, the cost is the published one, travel plus outsourcing. In *teams* there is none to "
        "compare: published teams stay together all day and travel once, ours meet anew at every task, and every "
        "member's travel counts; the total is in units of the instance."
    )
    yield table(
        ("instance", "limit", "served", "published cost", "total"),
        [
            (
                item.run.instance,
                f"{item.run.limit_seconds:g} s",
                f"{item.run.served} of {item.run.size}",
                _number(item.published),
                _number(None if item.run.total is None else item.run.total / 1000),
            )
            for item in sorted(found, key=lambda item: item.run.instance)
        ],
    )


def draw(runs: Sequence[TeamRun], path: Path) -> None:
    """Write the picture as PNG: gaps by class beside their targets, and what ten times longer gains."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), dpi=DOTS_PER_INCH, layout="constrained")
    _draw_classes(left, [item for item in runs if item.run.track == "hhcrsp"])
    _draw_leads(right, runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def _draw_classes(axes: Any, runs: Sequence[TeamRun]) -> None:
    axes.set_title("Home care with two caregivers: gap to the best known")
    axes.set_ylabel("%")
    axes.set_xticks(range(len(HHCRSP_CLASSES)), [f"{name}\n{size}" for name, size in HHCRSP_CLASSES.items()])
    axes.set_xlabel("class and patients")
    for place, (name, patients) in enumerate(HHCRSP_CLASSES.items()):
        wanted = LARGEST_GAPS[name]
        axes.plot((place - 0.4, place + 0.4), (wanted, wanted), color=OTHER_COLOUR, label=None if place else "target")
        gaps = [item.gap for item in runs if item.run.size == patients and item.gap is not None]
        if gaps:
            axes.scatter([place] * len(gaps), gaps, 12, color=OURS_COLOUR, alpha=0.5, label=None if place else "plans")
            axes.bar(place, fmean(gaps), 0.5, color=OURS_COLOUR, alpha=0.35, label=None if place else "mean")
    axes.legend(fontsize=8)


def _draw_leads(axes: Any, runs: Sequence[TeamRun]) -> None:
    axes.set_title(f"Own days: the run against one of {LONGER} times its limit")
    axes.set_ylabel("%")
    limits = sorted({item.run.limit_seconds or 0 for item in runs if item.run.track == "teams"})
    found = [lead for limit in limits for lead in leads(runs, limit)]
    shown = [(lead.short.instance.removeprefix("teams-"), lead.percent) for lead in found if lead.percent is not None]
    if not shown:
        axes.text(0.5, 0.5, "not measured", ha="center", va="center", transform=axes.transAxes)
        return
    axes.bar(range(len(shown)), [percent for _, percent in shown], color=OURS_COLOUR, alpha=0.7)
    axes.axhline(LARGEST_LEAD, color=OTHER_COLOUR)
    axes.set_xticks(range(len(shown)), [name for name, _ in shown], rotation=60, ha="right", fontsize=7)
