"""Tables and a picture of what `benchmarks.run` has measured: `python -m benchmarks.report`.

With `--write` they renew their section of the docs, else they are printed and kept beside the rows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.markdown import Markdown

from benchmarks.cache import FOLDER, Cache, Row, engine_version
from benchmarks.chart import draw
from benchmarks.figures import (
    Run,
    columns_of,
    grouped,
    mean_gap,
    newest,
    refusals,
    runs_of,
    versions_on_tracks,
    vroom_duels,
)
from benchmarks.page import write_section
from benchmarks.peers import PEERS
from benchmarks.reference import CHECKOUT
from benchmarks.targets import Target, targets
from solver.engines import DEFAULT_ENGINE, ENGINES

PAGE = CHECKOUT / "docs" / "benchmarks.md"
ROWS = PAGE.with_name("benchmarks-rows.jsonl")
PICTURE = CHECKOUT / "docs" / "pictures" / "benchmarks.png"
SECTION = "other solvers"
LONGEST_LIST = 5


def report(rows: Sequence[Row], ours: str, picture: str, rows_file: str) -> str:
    """The section: what was measured on what, targets, tables.

    `picture` and `rows_file` are the addresses of the picture and of the rows behind the tables.
    """
    kept, left_out = newest(rows)
    runs = runs_of(kept)
    parts = [
        "## Beside other solvers",
        "Written by `python -m benchmarks.report --write` from what `python -m benchmarks.run` has measured; "
        "`make bench` does a little of everything. Every run is a process of its own, pinned to its number of "
        "processors; loading, compiling and building a model are not timed. Other solvers give sequences, our "
        "scheduler gives them times, and the independent checker scores every plan. On the hard track a total is the "
        f"value left plus the seconds of travel; smaller is better. Our engine is `{ours}`. "
        f"The rows behind the tables, one run a line, are in [{rows_file}]({rows_file}).",
        *_about(kept, left_out),
        f"![Totals against time, and gaps to the best known]({picture})",
        "### Targets",
        target_table(targets(runs, ours, refusals(kept))),
        *_vroom(runs, ours),
        *_hard(runs),
        *_rich(runs),
        *_documents(runs),
        *_vrptw(runs),
        *_scale(runs),
        *_refused(kept),
    ]
    return "\n\n".join(parts) + "\n"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A Markdown table; columns from `left` on are aligned to the right where all they hold are numbers or nothing."""
    numeric = [
        number >= left and all(row[number].strip("*")[:1] in "+-–0123456789" for row in rows)
        for number in range(len(headings))
    ]
    rule = "|".join("---:" if is_number else "---" for is_number in numeric)
    lines = [f"| {' | '.join(headings)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def target_table(targets: Iterable[Target]) -> str:
    """What was wanted and what was measured."""
    rows = [(target.what, target.wanted, target.figure, target.verdict) for target in targets]
    return table(("target", "wanted", "measured", "verdict"), rows, left=4)


def _about(rows: Sequence[Row], left_out: int) -> Iterator[str]:
    """Machine, dates, versions, seeds."""
    if not rows:
        yield "Nothing has been measured yet."
        return
    days = sorted({str(row["at"])[:10] for row in rows})
    versions = []
    for engine in sorted({row["cell"]["engine"] for row in rows}):
        tracks = versions_on_tracks(row for row in rows if row["cell"]["engine"] == engine)
        peer = PEERS.get(engine)
        if peer:
            # A peer's version carries a digest of our adapter, which is nobody's concern here.
            numbers = sorted({version.rpartition("-")[0] for version in tracks})
            versions.append(f"{engine} ({peer.package} {', '.join(numbers)})")
        elif len(tracks) == 1:
            versions.append(f"{engine} at {next(iter(tracks))}")
        else:
            shown = (f"{version} on {names}" for version, names in tracks.items())
            versions.append(f"{engine} at {', '.join(shown)}")
    seeds = ", ".join(map(str, sorted({row["cell"]["seed"] for row in rows})))
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    yield f"{span} · {' · '.join(_machines(rows))} · {', '.join(versions)} · seeds {seeds}"
    yield from _caveats(rows)
    failed = [row for row in rows if row["status"] == "failed"]
    if failed:
        yield f"{_listed(failed)} failed and count nowhere below."
    if left_out:
        yield f"{left_out} rows of earlier versions are left out; a version begins a hash over an engine's sources."


def _caveats(rows: Sequence[Row]) -> Iterator[str]:
    """What to mind where engines are set side by side: other machines, other sources."""
    machines: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        machines[row["cell"]["track"]].add(row["machine"])
    mixed = sorted(track for track, names in machines.items() if len(names) > 1)
    if mixed:
        yield f"On {' and '.join(mixed)} not all engines were measured on the same machine."
    measured = {(row["cell"]["engine"], row["cell"]["version"]) for row in rows if row["cell"]["engine"] in ENGINES}
    changed = sorted({engine for engine, version in measured if version != engine_version(engine)})
    if changed:
        now = ", ".join(f"{engine} is at {engine_version(engine)}" for engine in changed)
        yield f"Sources have changed since some of this was measured: {now} now."


def _machines(rows: Sequence[Row]) -> list[str]:
    """The machines, newest first; where there are several, each with the tracks that were measured on it, and with the
    engines where others were measured on another one."""
    engines: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in reversed(rows):
        engines[row["machine"]][row["cell"]["track"]].add(row["cell"]["engine"])
    if len(engines) == 1:
        return list(engines)
    machines_of = Counter(track for tracks in engines.values() for track in tracks)
    listed = []
    for name, tracks in engines.items():
        parts = [
            track if machines_of[track] == 1 else f"{track} ({', '.join(sorted(named))})"
            for track, named in sorted(tracks.items())
        ]
        listed.append(f"{name} on {' and '.join(parts)}")
    return listed


def _listed(rows: Sequence[Row]) -> str:
    names = [f"{row['cell']['engine']} on {row['cell']['instance']}" for row in rows]
    shown = ", ".join(names[:LONGEST_LIST])
    return shown if len(names) <= LONGEST_LIST else f"{shown} and {len(names) - LONGEST_LIST} more"


def _number(total: int | None) -> str:
    return "–" if total is None else f"{total:,}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:+.{digits}f} %"


def _vroom(runs: Sequence[Run], ours: str) -> Iterator[str]:
    found = vroom_duels(runs, ours)
    if found:
        yield "### Hard windows, as long as VROOM takes"
        yield "VROOM runs to its end at exploration level 5, then ours gets exactly the time it took."
        yield table(
            ("day", "threads", "time", "VROOM served", "VROOM total", f"{ours} served", f"{ours} total", "difference"),
            [
                (
                    duel.ours.instance,
                    str(duel.ours.threads),
                    f"{duel.theirs.search_seconds:.1f} s",
                    str(duel.theirs.served),
                    _number(duel.theirs.total),
                    str(duel.ours.served),
                    _number(duel.ours.total),
                    _percent(duel.change),
                )
                for duel in found
            ],
        )


def _hard(runs: Sequence[Run]) -> Iterator[str]:
    runs = [run for run in runs if run.track == "hard" and run.limit_seconds and not run.as_long_as_vroom]
    if runs:
        peculiar = {
            "ortools-plain": "OR-Tools searches on one thread",
            "pyvrp": "PyVRP searches on one thread",
            "vroom": "VROOM shares a limit out among its searches, so that it may end sooner, and worse, than "
            "without one",
            "vrp-cli": "vrp-cli takes whole seconds",
        }
        of_those = [said for engine, said in peculiar.items() if engine in {run.engine for run in runs}]
        threads = max(run.threads for run in runs)
        yield "### Hard windows, equal time limits"
        yield (
            f"Totals by day and limit, on {threads} threads where the column does not say otherwise. "
            + "".join(f"{said}. " for said in of_those)
            + "A dash stands for a plan that breaks a rule, a blank for what was not measured."
        )
        yield _side_by_side(runs)


def _side_by_side(runs: Sequence[Run]) -> str:
    columns = columns_of(runs)
    names = sorted(set(columns.values()), key=lambda name: (name in PEERS, name))
    lines = []
    for (size, instance, limit, seed), group in grouped(runs, "size", "instance", "limit_seconds", "seed"):
        del size
        totals = {columns[run]: _number(run.total) for run in group}
        best = min((run.total for run in group if run.total is not None), default=None)
        cells = [totals.get(name, "") for name in names]
        cells = [f"**{cell}**" if best is not None and cell == _number(best) else cell for cell in cells]
        lines.append((instance, f"{limit:g} s", str(seed), *cells))
    return table(("day", "limit", "seed", *names), lines)


def _rich(runs: Sequence[Run]) -> Iterator[str]:
    runs = [run for run in runs if run.track == "rich"]
    if runs:
        yield "### Everything the planning document has"
        yield (
            "Teams, skill graph, breaks, parts, deadlines, pins, traffic and the rest; no peer can model it. Tightness "
            "counts whole shifts, but the day is under way: part of the capacity is gone, and much work has to be left."
        )
        yield _one_by_one(runs)


def _documents(runs: Sequence[Run]) -> Iterator[str]:
    runs = [run for run in runs if run.track == "documents"]
    if runs:
        yield "### Documents of your own"
        yield _one_by_one(runs)


def _one_by_one(runs: Sequence[Run]) -> str:
    return table(
        ("day", "limit", "seed", "engine", "time", "served", "total"),
        [
            (
                instance,
                "–" if limit is None else f"{limit:g} s",
                str(run.seed),
                engine,
                f"{run.search_seconds:.1f} s",
                str(run.served),
                _number(run.total),
            )
            for (_, instance, limit, engine), group in grouped(runs, "size", "instance", "limit_seconds", "engine")
            for run in sorted(group, key=lambda run: run.seed)
        ],
    )


def _vrptw(runs: Sequence[Run]) -> Iterator[str]:
    runs = [run for run in runs if run.track == "vrptw"]
    if runs:
        yield "### VRPTW with DIMACS rounding"
        yield (
            "A fixed sample of the instances of Solomon and of Gehring and Homberger: distances truncated to one "
            "decimal, only distance counts, one thread. Gaps are to the best known distances."
        )
        lines = []
        for (size, limit, engine), group in grouped(runs, "size", "limit_seconds", "engine"):
            gaps = [run.gap for run in group if run.gap is not None]
            worst = max(gaps, default=None)
            reached = sum(gap <= 0 for gap in gaps)
            mean, seconds = mean_gap(group), fmean(run.search_seconds for run in group)
            lines.append(
                (
                    str(size),
                    f"{limit:g} s",
                    engine,
                    str(len(group)),
                    f"{seconds:.1f} s",
                    _percent(mean, 2),
                    _percent(worst, 2),
                    str(reached),
                )
            )
        yield table(
            ("customers", "limit", "engine", "instances", "time", "mean gap", "worst gap", "best known reached"), lines
        )


def _scale(runs: Sequence[Run]) -> Iterator[str]:
    runs = [run for run in runs if run.track == "scale"]
    if runs:
        yield "### A country's day"
        yield (
            "*Still placeable*: orders left undone that have a place in the plan as it is, by exact insertion on every "
            "route, and go in one after the other; 0 is a complete plan."
        )
        yield table(
            ("day", "limit", "engine", "time", "memory", "served", "still placeable", "total"),
            [
                (
                    run.instance,
                    "–" if run.limit_seconds is None else f"{run.limit_seconds:g} s",
                    run.engine,
                    f"{run.search_seconds:.1f} s",
                    f"{run.peak_bytes / 1e9:.2f} GB",
                    str(run.served),
                    "–" if run.placeable is None else str(run.placeable),
                    _number(run.total),
                )
                for run in sorted(runs, key=lambda run: (run.size, run.limit_seconds or 0, run.engine))
            ],
        )


def _refused(rows: Sequence[Row]) -> Iterator[str]:
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["status"] == "refused":
            reasons.setdefault((row["cell"]["engine"], row["reason"]), []).append(row["cell"]["instance"])
    if reasons:
        yield "### What an engine could not be asked"
        yield "\n".join(
            f"- {engine} on {', '.join(sorted(set(names)))}: {reason}" for (engine, reason), names in reasons.items()
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report, or write it into the docs with its picture; 1 where nothing has been measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew the section of docs/benchmarks.md and its picture")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the rows are kept")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    rows = Cache(options.folder / "cells.jsonl").rows()
    if not rows:
        console.print(f"nothing in {options.folder}: run python -m benchmarks.run first", highlight=False)
        return 1
    kept, _ = newest(rows)
    runs = runs_of(kept)
    if options.write:
        draw(runs, DEFAULT_ENGINE, PICTURE)
        ROWS.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), encoding="utf-8")
        write_section(PAGE, SECTION, report(rows, DEFAULT_ENGINE, f"pictures/{PICTURE.name}", ROWS.name))
        console.print(f"written to {PAGE}", highlight=False, soft_wrap=True)
        return 0
    page, picture = options.folder / "report.md", options.folder / PICTURE.name
    draw(runs, DEFAULT_ENGINE, picture)
    text = report(rows, DEFAULT_ENGINE, picture.name, "cells.jsonl")
    page.write_text(text, encoding="utf-8")
    console.print(Markdown(text))
    console.print(f"written to {page} and {picture}", highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
