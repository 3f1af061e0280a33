"""What the default engine has to reach, each target judged from the measured runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from benchmarks.figures import Duel, Refusal, Run, best_totals, duels, mean_change, mean_gap, vroom_duels
from benchmarks.suite import ENGINEERS, SEEDS, TIGHTNESS, VRPTW_SAMPLES

PEERS_AT_LIMITS = ("pyvrp", "ortools-plain", "vrp-cli")
LIMITS_SECONDS = (10.0, 60.0)
LEAD_FROM_ORDERS, LEAD_PERCENT = 300, 10.0
LONG_SECONDS, LONG_UP_TO_ORDERS, LONG_PERCENT = 600.0, 300, 1.0
"""A run of ten minutes of any engine, on days up to what size, and how far ours may stay above it."""
LARGEST_GAPS = {100: (10.0, 0.2), 200: (30.0, 0.5), 600: (60.0, 1.3), 1000: (60.0, 3.0)}
"""By customers: the time limit in seconds and the largest mean gap in per cent."""
SCALE = {5000: (3.0, 2.0), 20000: (30.0, 6.0)}
"""By orders: seconds to a complete plan and the gigabytes (10^9 bytes) it may take."""
LATE_SHARE, LATE_SECONDS = 0.05, 0.3


@dataclass(frozen=True, slots=True)
class Target:
    """One target with what was measured; `met` None: not measured. `missing`: instances it speaks of without a row."""

    what: str
    wanted: str
    figure: str
    met: bool | None
    missing: int = 0

    @property
    def verdict(self) -> str:
        if self.met and self.missing:
            return f"met so far, {self.missing} to be measured"
        return {None: "not measured", True: "met", False: "**not met**"}[self.met]


def targets(runs: Sequence[Run], ours: str, refused: Set[Refusal] = frozenset()) -> list[Target]:
    """Every target, measured or not. `refused`: what engines cannot be asked, and need not be beaten on."""
    return [
        *_against_vroom(runs, ours),
        *_against_peers(runs, ours, refused),
        _against_long_runs(runs, ours),
        *_against_best_known(runs, ours),
        *_at_scale(runs, ours),
        _punctual(runs, ours),
    ]


def _against_vroom(runs: Sequence[Run], ours: str) -> Iterator[Target]:
    found = vroom_duels(runs, ours)
    what = "hard track, VROOM's own finishing time (x=5, 2 threads)"
    won = sum(duel.won for duel in found)
    yield Target(
        what,
        "lower on every instance",
        f"{won} of {len(found)} lower",
        won == len(found) if found else None,
        _missing_days(found),
    )
    large = [duel for duel in found if duel.ours.size >= LEAD_FROM_ORDERS]
    change = mean_change(large)
    yield Target(
        f"{what}, {LEAD_FROM_ORDERS} orders and more",
        f"{LEAD_PERCENT:g} % lower in the mean",
        "–" if change is None else f"{change:+.1f} % over {len(large)} instances",
        (change is not None and change <= -LEAD_PERCENT) if large else None,
        _missing_days(large, least=LEAD_FROM_ORDERS),
    )


def _against_peers(runs: Sequence[Run], ours: str, refused: Set[Refusal]) -> Iterator[Target]:
    for peer in PEERS_AT_LIMITS:
        for limit in LIMITS_SECONDS:
            found = duels(runs, ours, peer, limit)
            won, change = sum(duel.won for duel in found), mean_change(found)
            cannot = sum((engine, at) == (peer, limit) for engine, _, at in refused)
            figure = (
                f"{won} of {len(found)} lower"
                + ("" if change is None else f", {change:+.1f} % in the mean")
                + (f"; {cannot} it cannot plan" if cannot else "")
            )
            yield Target(
                f"hard track, {peer}, {limit:g} s",
                "lower on every instance",
                figure,
                won == len(found) if found else None,
                max(0, _missing_days(found) - cannot),
            )


def _missing_days(found: Sequence[Duel], least: int = 0) -> int:
    return _missing({duel.ours.instance for duel in found}, least)


def _missing(measured: Set[str], least: int = 0, most: int | None = None) -> int:
    """Hard days of the suite, from and up to a number of orders, of which there is no row."""
    sizes = [size for size in ENGINEERS if size >= least and (most is None or size <= most)]
    return max(0, len(sizes) * len(TIGHTNESS) * len(SEEDS) - len(measured))


def _against_long_runs(runs: Sequence[Run], ours: str) -> Target:
    limit = LIMITS_SECONDS[-1]
    days = [run for run in runs if run.track == "hard" and run.size <= LONG_UP_TO_ORDERS]
    long_runs = [run for run in days if run.limit_seconds == LONG_SECONDS]
    best = best_totals(long_runs)
    found = [run for run in days if (run.engine, run.limit_seconds) == (ours, limit) and run.instance in best]
    gaps = [None if run.total is None else 100 * (run.total - best[run.instance]) / best[run.instance] for run in found]
    worst = None if None in gaps else max((gap for gap in gaps if gap is not None), default=None)
    near = sum(gap is not None and gap <= LONG_PERCENT for gap in gaps)
    engines = ", ".join(sorted({run.engine for run in long_runs}))
    figure = f"{near} of {len(gaps)} within" + ("" if worst is None else f", worst {worst:+.1f} %")
    return Target(
        f"hard track up to {LONG_UP_TO_ORDERS} orders, {limit:g} s against the best of any engine in 10 minutes",
        f"within {LONG_PERCENT:g} % on every instance",
        f"{figure} ({engines})" if found else "–",
        near == len(gaps) if found else None,
        _missing({run.instance for run in found}, most=LONG_UP_TO_ORDERS),
    )


def _against_best_known(runs: Sequence[Run], ours: str) -> Iterator[Target]:
    for customers, (limit, largest) in LARGEST_GAPS.items():
        by_engine = {engine: _class_runs(runs, engine, customers, limit) for engine in (ours, "pyvrp")}
        shared = {run.key for run in by_engine[ours]} & {run.key for run in by_engine["pyvrp"]}
        gap = mean_gap(by_engine[ours])
        named = f"VRPTW, {customers} customers, {limit:g} s, 1 thread"
        measured = len(by_engine[ours])
        yield Target(
            named,
            f"mean gap ≤ {largest:g} %",
            _gap_text(gap, measured),
            (gap is not None and gap <= largest) if measured else None,
            VRPTW_SAMPLES[customers] - measured,
        )
        pair = [mean_gap([run for run in by_engine[engine] if run.key in shared]) for engine in (ours, "pyvrp")]
        yield Target(
            f"{named}, the same instances",
            "mean gap below PyVRP's",
            f"{_gap_text(pair[0], len(shared))}, PyVRP {_gap_text(pair[1], len(shared))}",
            _is_below(*pair) if shared else None,
            VRPTW_SAMPLES[customers] - len(shared),
        )


def _class_runs(runs: Sequence[Run], engine: str, customers: int, limit: float) -> list[Run]:
    return [
        run
        for run in runs
        if (run.track, run.engine, run.size, run.limit_seconds, run.threads) == ("vrptw", engine, customers, limit, 1)
    ]


def _is_below(ours: float | None, theirs: float | None) -> bool:
    """A mean that some plan spoils is above every other."""
    return ours is not None and (theirs is None or ours < theirs)


def _gap_text(gap: float | None, number: int) -> str:
    if not number:
        return "–"
    return f"no mean over {number}: orders left or rules broken" if gap is None else f"{gap:.2f} % over {number}"


def _at_scale(runs: Sequence[Run], ours: str) -> Iterator[Target]:
    for orders, (seconds, gigabytes) in SCALE.items():
        found = [run for run in runs if run.track == "scale" and run.engine == ours and run.size == orders]
        found = [run for run in found if run.limit_seconds == seconds]
        named = f"a country's day, {orders:,} orders, rich"
        shown, memory = "–", "–"
        if found:
            slowest, most = max(run.search_seconds for run in found), max(run.peak_bytes for run in found)
            left = ", ".join("not known how many" if run.placeable is None else str(run.placeable) for run in found)
            shown, memory = f"{slowest:.1f} s, {left} orders still placeable", f"{most / 1e9:.2f} GB"
        done = [run.total is not None and run.placeable == 0 and run.search_seconds <= seconds for run in found]
        yield Target(named, f"complete plan within {seconds:g} s", shown, all(done) if found else None)
        fits = [run.peak_bytes < gigabytes * 1e9 for run in found]
        yield Target(named, f"less than {gigabytes:g} GB", memory, all(fits) if found else None)


def _overdue(run: Run) -> float:
    """Seconds a run took beyond its limit, negative where it ended before; minus infinity without a limit."""
    return run.search_seconds - (float("inf") if run.limit_seconds is None else run.limit_seconds)


def _is_punctual(run: Run) -> bool:
    return _overdue(run) <= max(LATE_SHARE * (run.limit_seconds or 0), LATE_SECONDS)


def _punctual(runs: Sequence[Run], ours: str) -> Target:
    bound = [run for run in runs if run.engine == ours and run.limit_seconds is not None]
    late = [run for run in bound if not _is_punctual(run)]
    figure = "–"
    if bound:
        worst = max(bound, key=_overdue)
        figure = (
            f"{len(late)} of {len(bound)} runs late, at worst {_overdue(worst):+.2f} s at {worst.limit_seconds:g} s"
        )
    return Target(f"every run of {ours}", "time limit kept within 5 % or 0.3 s", figure, not late if bound else None)
