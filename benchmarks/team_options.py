"""How long the questions of an emergency take on a large running day: `python -m benchmarks.team_options`, with
`--write` into the docs.

A synthetic day of 500 engineers and 3,000 orders under way is planned by insertion without its L1 team orders. Then
each of these is opened on its own: up to four options with their displaced work, on a warm day; some of them are put
into the plan, scored and judged by the independent checker, and a member drops out of them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from api.problems import read_checked_problem
from benchmarks.machine import machine
from benchmarks.page import write_section
from benchmarks.reference import CHECKOUT
from benchmarks.report import PAGE as TARGETS_PAGE
from benchmarks.report import target_table
from benchmarks.targets import Target
from data.synthetic import DEMO, synthetic_problem
from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits
from dispatcher.schedule import build_plan
from dispatcher.services.planning import PlanRequest, make_plan
from solver.budget import Budget
from solver.construction import IN_SEQUENCE, Construction
from solver.day_state import DayState
from solver.live.handed import Handed, explain_left_of
from solver.repair import without_breaches
from solver.teams import TeamOption, WarmDay, substitutes, team_options, warm_day

CLUSTERS_PER_ENGINEER = 1 / 20
PAGE = CHECKOUT / "docs" / "benchmarks-teams.md"
SECTION = "team-options"


def main() -> None:
    arguments = _arguments()
    figures = _figures(arguments)
    json.dump(figures, sys.stdout, indent=1)
    sys.stdout.write("\n")
    if arguments.write:
        write_section(PAGE, SECTION, _text(figures))
        write_section(TARGETS_PAGE, SECTION, _summary(figures))


def _figures(arguments: argparse.Namespace) -> dict[str, Any]:
    document, names = _day(arguments.orders, arguments.engineers, arguments.seed)
    problem = read_checked_problem(document)
    sequences = _planned(document, names)
    begun = time.perf_counter()
    day = warm_day(problem, build_plan(problem, sequences))
    figures: dict[str, Any] = {
        "orders": arguments.orders,
        "engineers": arguments.engineers,
        "machine": machine(),
        "load": round(os.getloadavg()[0], 1),
        "warm_up_seconds": round(time.perf_counter() - begun, 2),
    }
    asked: list[tuple[float, float]] = []
    accepted: list[tuple[float, float]] = []
    replaced: list[tuple[float, float]] = []
    counts: list[int] = []
    displaced: list[int] = []
    first: list[TeamOption] = []
    for name in names[: arguments.questions]:
        clock = _Clock()
        answer = team_options(day, name, explain=False)
        asked.append(clock.seconds())
        counts.append(len(answer.options))
        displaced += [len(option.displaced) for option in answer.options]
        first += answer.options[:1]
    for option in first[: arguments.accepted]:
        accepted.append(_accepted_seconds(day, document, option))
        replaced += _replaced_seconds(day, option)
    return figures | {
        "questions": len(asked),
        "options_mean": round(sum(counts) / max(1, len(counts)), 2),
        "displaced_mean": round(sum(displaced) / max(1, len(displaced)), 2),
        "options_ms": _quantiles(asked),
        "accept_ms": _quantiles(accepted),
        "substitutes": len(replaced),
        "substitutes_ms": _quantiles(replaced),
    }


class _Clock:
    """Time passed, and the processor's time of it: on a busy machine only the latter says what the work costs."""

    def __init__(self) -> None:
        self._begun, self._worked = time.perf_counter(), time.process_time()

    def seconds(self) -> tuple[float, float]:
        return time.perf_counter() - self._begun, time.process_time() - self._worked


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times emergency composition on a large running day.")
    parser.add_argument("--orders", type=int, default=3060)
    parser.add_argument("--engineers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--accepted", type=int, default=20)
    parser.add_argument("--write", action="store_true", help=f"renew its section of docs/{PAGE.name}")
    return parser.parse_args()


def _day(orders: int, engineers: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    """The problem document and its L1 team orders, which nobody has planned."""
    clusters = max(1, round(engineers * CLUSTERS_PER_ENGINEER))
    spec = replace(DEMO, orders=orders, engineers=engineers, seed=seed, clusters=clusters, running=True)
    document = synthetic_problem(spec)
    names = [o["id"] for o in document["work_orders"] if o["level"] == "L1" and o.get("team") and not o.get("pin")]
    return document, names


def _planned(document: dict[str, Any], left: list[str]) -> Sequences:
    """The rest of the day, planned once by insertion."""
    names = set(left)
    orders = [
        {**order, "related_to": [other for other in order.get("related_to") or () if other not in names]}
        for order in document["work_orders"]
        if order["id"] not in names
    ]
    problem = read_checked_problem({**document, "work_orders": orders})
    state = DayState(problem)
    budget = Budget(SearchLimits(time_limit_seconds=None), lambda: False)
    Construction(state, budget, IN_SEQUENCE, lambda served: None).run()
    return without_breaches(problem, state.sequences())


def _accepted_seconds(day: WarmDay, document: dict[str, Any], option: TeamOption) -> tuple[float, float]:
    """How long it takes until the plan of an option is driven, scored, explained and checked."""
    request = PlanRequest(
        problem=day.problem,
        document=document,
        engine=Handed("repair", option.sequences),
        limits=SearchLimits(time_limit_seconds=None),
        explainer=explain_left_of(day.facts.services),
        software={},
        created_at=day.problem.now,
    )
    clock = _Clock()
    make_plan(request)
    return clock.seconds()


def _replaced_seconds(day: WarmDay, option: TeamOption) -> list[tuple[float, float]]:
    """How long it takes to name substitutes for each member of an option that is accepted."""
    with_team = warm_day(day.problem, build_plan(day.problem, option.sequences))
    found = []
    for member in option.members:
        clock = _Clock()
        substitutes(with_team, option.order.id, member.engineer)
        found.append(clock.seconds())
    return found


def _quantiles(seconds: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Milliseconds of time passed and of the processor, by quantile; and of how many they are."""
    found: dict[str, Any] = {"number": len(seconds)} if seconds else {}
    for kind, values in zip(("passed", "processor"), zip(*seconds, strict=True), strict=False):
        ordered = sorted(values)
        last = len(ordered) - 1
        found[kind] = {
            name: round(1000 * ordered[min(last, int(share * len(ordered)))], 1)
            for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
        }
    return found


QUESTIONS = (
    ("up to four options with their displaced work", "options_ms", 150),
    ("an accepted one driven, scored, explained and checked", "accept_ms", 1000),
    ("substitutes for a member who drops out", "substitutes_ms", None),
)
"""What is timed, the key of its figures, and how many milliseconds 95 of 100 may take at most."""


def _summary(figures: dict[str, Any]) -> str:
    """The section of the page of all benchmarks: targets, met or not."""
    reached = [
        Target(f"{name}, p95", f"under {wanted:,} ms", f"{took:,.0f} ms", took < wanted)
        for name, key, wanted in QUESTIONS
        if wanted is not None and figures[key]
        for took in (figures[key]["passed"]["p95"],)
    ]
    described = f"[Warm and in process]({PAGE.name}#options-in-an-emergency), {figures['engineers']} engineers and "
    described += f"{figures['orders']:,} orders. Written by `python -m benchmarks.team_options --write`."
    stamp = f"{datetime.now(UTC).date().isoformat()} · {figures['machine']}"
    return "\n\n".join(["### Options in an emergency", described, target_table(reached), stamp])


def _text(figures: dict[str, Any]) -> str:
    """The figures as a section of a page."""
    table = [
        "| question | timed | wanted, p95 | p50 | p95 | longest | processor, p50 | processor, p95 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, key, wanted in QUESTIONS:
        if figures[key]:
            passed, worked = figures[key]["passed"], figures[key]["processor"]
            cells = [f"{passed[share]:.0f} ms" for share in ("p50", "p95", "max")]
            cells += [f"{worked[share]:.0f} ms" for share in ("p50", "p95")]
            asked = f"{name} | {figures[key]['number']}"
            table.append(f"| {asked} | {'' if wanted is None else f'{wanted} ms'} | {' | '.join(cells)} |")
    size = f"{figures['engineers']} engineers and {figures['orders']:,} orders"
    found = f"{figures['options_mean']} options found for each in the mean"
    return f"""## Options in an emergency

Written by `python -m benchmarks.team_options --write` on {datetime.now(UTC):%-d %B %Y}, {figures["machine"]}.
A synthetic day of {size} under way, warm, which took {figures["warm_up_seconds"]} s; {figures["questions"]} of them,
team orders of level L1 that nobody has planned, are opened, each on its own, and {found}, each of them with
{figures["displaced_mean"]} displaced orders repaired in the mean and a price that is exact. Reasons why others cannot
come are not asked for. The machine's load was {figures["load"]}: the processor's time leaves out waiting for it.

{chr(10).join(table)}
"""


if __name__ == "__main__":
    main()
