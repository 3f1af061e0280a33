"""The page of the replay: targets, tables and a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.chart import DOTS_PER_INCH, OTHER_COLOUR, OURS_COLOUR
from benchmarks.replay.days import ENGINEERS, LOAD, ORDERS, SERVICE_SPREAD, TRAVEL_SPREAD
from benchmarks.replay.measures import CLOCKS, Outcome, Summary, summaries
from benchmarks.replay.policies import ANEW, POLICIES, REPAIR_SECONDS, TITLES
from benchmarks.report import table, target_table
from benchmarks.targets import Target
from dispatcher.model import LEVELS

MOST_BREACHES, LEAST_TRAVEL_SAVED = 0.5, 0.2
"""Of greedy nearest qualified."""
MOST_REASSIGNED, MOST_COST = 0.15, 1.03
"""Of from scratch at each event."""
KINDS = {"synthetic": "Synthetic days", "subway": "Days of a subway's real outages", "quick": "Small days"}


def replay_targets(outcomes: Sequence[Outcome], days: int) -> list[Target]:
    """Every target, over the synthetic days; judged once all of these have been replayed."""
    found = {
        item.policy: item for item in summaries([o for o in outcomes if o.day.startswith("synthetic")], [*POLICIES])
    }
    is_whole = set(found) >= {"nearest", "scratch", "muster"} and all(item.days == days for item in found.values())
    return [
        _ratio(found, "L1 and L2 breaches", "nearest", "grave_breaches", MOST_BREACHES, is_whole),
        _ratio(found, "travel", "nearest", "travel_seconds", 1 - LEAST_TRAVEL_SAVED, is_whole),
        _ratio(found, "reassignments", "scratch", "reassigned", MOST_REASSIGNED, is_whole),
        _ratio(found, "total cost", "scratch", "cost", MOST_COST, is_whole),
    ]


def _ratio(found: dict[str, Summary], what: str, other: str, name: str, most: float, is_whole: bool) -> Target:
    named, wanted = f"{what}, against {TITLES[other]}", f"at most {most:.0%} of it"
    if other not in found or "muster" not in found:
        return Target(named, wanted, "–", None)
    ours, theirs = found["muster"].sum(name), found[other].sum(name)
    share = f" ({ours / theirs:.0%})" if theirs else ""
    return Target(named, wanted, f"{ours:,}, theirs {theirs:,}{share}", ours <= most * theirs if is_whole else None)


def summary(outcomes: Sequence[Outcome], days: int, about: str, picture: str, details: str) -> str:
    """The section of the page of all benchmarks: targets, met or not. `details` is the address of the whole report."""
    parts = [
        "## Live dispatch",
        f"Policies against whole days of events with uncertain work and driving, as [described]({details}). Written by "
        "`make bench-live`.",
        about,
        f"![Breaches, travel, reassignments and cost by policy]({picture})",
        target_table(replay_targets(outcomes, days)),
    ]
    return "\n\n".join(parts) + "\n"


def report(outcomes: Sequence[Outcome], about: str) -> str:
    """The section with every policy's figures; `about` names machine and versions."""
    parts = [
        "Written by `python -m benchmarks.replay --write`; run it to have the figures of your machine.",
        f"A day's stream of events against a simulated crew: {ORDERS} orders, {ENGINEERS} engineers, work and driving "
        f"at {LOAD:.0%} of the hours there are. Four in ten orders come in during the day, all of L1 and L2 among "
        "them; a few are cancelled, somebody falls sick. How long work and drives really take is drawn around the "
        f"estimate (lognormal, {SERVICE_SPREAD:g} and {TRAVEL_SPREAD:g}), from streams that no policy sees and no "
        "policy moves. Nobody is called away from what they drive to or work on. Orders are for one engineer each; "
        "teams and breaks are not simulated. The simulator and its ten seeds were fixed before any policy was tuned on "
        "them.",
        _policies(),
        about,
    ]
    for kind, title in KINDS.items():
        found = summaries([outcome for outcome in outcomes if outcome.day.startswith(kind)], [*POLICIES])
        if found and found[0].days:
            parts += [f"## {title}", f"Sums over {found[0].days} days.", *_tables(found)]
    return "\n\n".join(parts) + "\n"


def _policies() -> str:
    said = {
        "nearest": "no plan; a free engineer gets the gravest open order, an order the nearest free engineer who can",
        "once": "the morning's plan carried out; what comes in goes to the end of the queue that is done first",
        "scratch": f"a new plan in {ANEW.time_limit_seconds:g} s at every event, as if there had been none",
        "muster": f"the plan in force repaired in {REPAIR_SECONDS:g} s at every event, changes at their price",
        "unstable": "the same with changes free and nothing frozen",
    }
    return "\n".join(f"- *{TITLES[name]}*: {text}." for name, text in said.items())


def _tables(found: Sequence[Summary]) -> Iterator[str]:
    yield "Promises kept, of all that fell due. *Respond*: somebody named; *arrive*: on site; *restore*: work ended."
    promises = [(level, clock) for level in LEVELS for clock in CLOCKS if any(s.kept(level, clock)[1] for s in found)]
    yield table(
        ("policy", *(f"{level} {clock}" for level, clock in promises)),
        [(TITLES[item.policy], *(_share(*item.kept(*promise)) for promise in promises)) for item in found],
    )
    yield (
        "Lateness of orders with a promise, those undone counted to the end of the day; *cost*: the days as they went, "
        "by the balanced weights without those of changes."
    )
    yield table(
        ("policy", "mean late", "worst late", "value served", "served", "travel", "overtime", "cost"),
        [
            (
                TITLES[item.policy],
                f"{item.mean_late_seconds / 60:.1f} min",
                f"{item.worst_late_seconds / 3600:.1f} h",
                f"{item.value_share:.1%}",
                f"{item.sum('served'):,}",
                f"{item.sum('travel_seconds') / 3600:,.0f} h",
                f"{item.sum('overtime_seconds') / 3600:,.0f} h",
                f"{item.sum('cost'):,}",
            )
            for item in found
        ],
    )
    yield (
        "Unrest, by order: how often one was given to somebody else, how often its planned start moved by more than a "
        "quarter of an hour, by decision and not by delay. Latency of a decision, in process and warm."
    )
    yield table(
        ("policy", "reassigned", "per order", "starts moved", "per order", "p50", "p95", "p99"),
        [
            (
                TITLES[item.policy],
                f"{item.sum('reassigned'):,}",
                f"{item.per_order('reassigned'):.2f}",
                f"{item.sum('moved'):,}",
                f"{item.per_order('moved'):.2f}",
                *(f"{1000 * item.latency(share):,.0f} ms" for share in (0.5, 0.95, 0.99)),
            )
            for item in found
        ],
    )


def _share(kept: int, promised: int) -> str:
    return f"{kept / promised:.0%} of {promised}" if promised else "–"


def draw(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write the picture as PNG: four measures by policy, of the kind of days there are most of."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    kinds = {kind: sum(outcome.day.startswith(kind) for outcome in outcomes) for kind in KINDS}
    kind = max(kinds, key=lambda name: kinds[name])
    found = summaries([outcome for outcome in outcomes if outcome.day.startswith(kind)], [*POLICIES])
    figure, panels = plt.subplots(1, 4, figsize=(13, 3.6), dpi=DOTS_PER_INCH, layout="constrained")
    for axes, (title, name, unit) in zip(
        panels,
        (
            ("L1 and L2 breaches", "grave_breaches", 1),
            ("travel, hours", "travel_seconds", 3600),
            ("reassignments", "reassigned", 1),
            ("cost, millions", "cost", 10**6),
        ),
        strict=True,
    ):
        _bars(axes, title, [(item.policy, item.sum(name) / unit) for item in found])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def _bars(axes: Any, title: str, values: Sequence[tuple[str, float]]) -> None:
    axes.set_title(title, fontsize=10)
    colours = [OURS_COLOUR if policy == "muster" else OTHER_COLOUR for policy, _ in values]
    bars = axes.bar(range(len(values)), [value for _, value in values], color=colours)
    axes.bar_label(bars, [f"{value:,.3g}" if value < 10 else f"{value:,.0f}" for _, value in values], fontsize=8)
    axes.set_xticks(range(len(values)), [policy for policy, _ in values], rotation=45, ha="right", fontsize=8)
