"""The commands about a running plan: `muster candidates`, `slots`, `explain`, `diff` and `repair`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api import cli_output as show
from api.cli_answers import answers, bounded, writable, write_document
from api.cli_documents import known_orders, problem_and_plan, with_work
from api.documents import load_plan_document, load_problem_document
from api.problems import read_checked_problem
from api.render_text import counted
from dispatcher.errors import together
from dispatcher.validate import LIMITS

if TYPE_CHECKING:
    from api.live_answers import Shown
    from solver.live.day import LiveDay

ProblemFile = Annotated[
    Path, typer.Argument(readable=False, metavar="PROBLEM", help="A problem document (JSON), as of now.")
]
PlanFile = Annotated[Path, typer.Argument(readable=False, metavar="PLAN", help="The plan that runs (JSON).")]
Order = Annotated[str, typer.Argument(metavar="ORDER", help="The id of a work order.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on standard output.")]
Freeze = Annotated[
    int,
    typer.Option(metavar="S", min=0, max=86_400, help="What starts within so many seconds stays where it is."),
]


def register(to: typer.Typer) -> None:
    """Add the commands to `muster`."""
    for command in (candidates, slots, explain, diff, repair):
        to.command()(command)


def candidates(
    problem: ProblemFile,
    plan: PlanFile,
    order: Order,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="How many candidates at most.")] = 20,
    freeze: Freeze = 900,
    as_json: AsJson = False,
) -> None:
    """Everybody ranked for a work order: at which cost, when there, whom it would delay; or why not."""
    with answers(as_json, "the documents"):
        from api.live_tables import candidate_tables
        from solver.live.candidates import candidates as ranked
        from solver.live.why_not import WhyNot

        _, day, shown = _read(problem, plan, freeze, [order], quiet=as_json)
        answer = shown.candidates(ranked(day, WhyNot(day), order), limit)
        _print(answer, as_json, candidate_tables)


def slots(
    problem: ProblemFile,
    plan: PlanFile,
    order: Order,
    hours: Annotated[int, typer.Option(metavar="H", min=1, max=24, help="How long a window is.")] = 4,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="How many windows at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Windows that could be offered for a work order, the cheapest first."""
    with answers(as_json, "the documents"):
        from api.live_tables import slot_tables
        from solver.live.slots import slots as offered
        from solver.live.slots import window_grid

        _, day, shown = _read(problem, plan, 900, [order], quiet=as_json)
        found = offered(day, order, list(window_grid(day.problem, hours)))
        _print(shown.slots(order, found, limit), as_json, slot_tables)


def explain(
    problem: ProblemFile,
    plan: PlanFile,
    order: Order,
    others: Annotated[int, typer.Option(metavar="N", min=0, help="How many other candidates are told.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Why a work order is where it is: why this engineer, why then, why not the others, what it would take."""
    with answers(as_json, "the documents"):
        from api.live_tables import explanation_tables
        from solver.live.explanation import explanation
        from solver.live.why_not import WhyNot

        _, day, shown = _read(problem, plan, 900, [order], quiet=as_json)
        _print(shown.explanation(explanation(day, WhyNot(day), order), others), as_json, explanation_tables)


def diff(
    problem: ProblemFile,
    plan: PlanFile,
    other: Annotated[Path, typer.Argument(readable=False, metavar="OTHER", help="The plan to compare with (JSON).")],
    after: Annotated[
        Path | None,
        typer.Option(
            "--problem", readable=False, metavar="PROBLEM", help="The problem that OTHER answers, if it is another one."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What is different between two plans: whose orders, by how much, and why."""
    with answers(as_json, "the documents"):
        from api.live_answers import difference_json
        from api.live_tables import difference_tables
        from dispatcher.difference import difference

        first, one, second, two = together(
            lambda: load_problem_document(problem),
            lambda: load_plan_document(plan),
            lambda: None if after is None else load_problem_document(after),
            lambda: load_plan_document(other),
        )
        second = second or first
        found = difference((first, with_work(first, one)), (second, with_work(second, two)))
        _print(difference_json(found, read_checked_problem(first).timezone), as_json, difference_tables)


def repair(
    problem: ProblemFile,
    plan: PlanFile,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PLAN", help="Where to write the repaired plan.")
    ] = None,
    order: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="An order to place, or to place better; repeatable."),
    ] = None,
    seconds: Annotated[
        float,
        bounded("S", 0, LIMITS.time_limit_seconds, "Seconds of search; 0 only places."),
    ] = 1.0,
    freeze: Freeze = 900,
    budget: Annotated[
        int | None, typer.Option(metavar="K", min=0, help="At most so many orders get others, but for L1 and L2.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Repair a running plan: what is undone is placed, what cannot be kept finds another place; say what changed."""
    with answers(as_json, "the documents"):
        from api.live_answers import bare_document, difference_json
        from api.live_tables import difference_tables
        from dispatcher.difference import difference
        from dispatcher.planning import SearchLimits, SearchResult
        from dispatcher.services.planning import checked_document, receipt
        from solver.live.repair import Repairer

        if output is not None:
            writable(output, problem, plan)
        document, day, shown = _read(problem, plan, freeze, order or (), quiet=as_json, budget=budget)
        lost = shown.lost
        began = time.monotonic()
        found = Repairer(day).repair(order or (), seconds=seconds)
        result = SearchResult(found.sequences, 0, time.monotonic() - began, "finished")
        software = {name: version(name) for name in ("muster", "numba", "numpy")}
        limits = SearchLimits(time_limit_seconds=seconds)
        repaired = checked_document(
            day.problem,
            document,
            found.plan,
            found.evaluation,
            receipt=receipt(day.problem, "repair", limits, result, software),
            created_at=int(time.time()),
        )
        before = bare_document(day.problem, day.plan)
        changes = difference_json(difference((document, before), (document, repaired)), day.problem.timezone)
        if output is not None:
            write_document(repaired, output)
        told = {"plan": None if output is None else str(output), "cannot_be_kept": lost, **changes}
        _print(told, as_json, difference_tables)
        left = [name for name in lost if name in set(found.plan.unassigned)]
        if left and not as_json:
            text = f"Of the plan that was given {counted(len(left), 'order')} found no other place: {', '.join(left)}"
            show.out.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)
        if output is not None and not as_json:
            show.out.print(f"Plan written to {output}", highlight=False, markup=False, soft_wrap=True)


def _read(
    problem: Path, plan: Path, freeze: int, asked: Iterable[str], *, quiet: bool, budget: int | None = None
) -> tuple[dict[str, Any], LiveDay, Shown]:
    """The problem and the running day of two files; what of the plan cannot be kept is said on standard error.

    Raises:
        InvalidInput: for documents with errors, a plan of another problem, and orders asked about that there are not.
    """
    from api.live_answers import Shown
    from dispatcher.documents import instant_text
    from dispatcher.schedule import build_plan
    from solver.live.day import LiveDay, LivePolicy
    from solver.live.running import running_sequences

    document, given = problem_and_plan(problem, plan)
    given = with_work(document, given)
    read = read_checked_problem(document)
    known_orders(read, plan, asked)
    running = build_plan(read, running_sequences(read, given["routes"], given.get("teams") or ()))
    planned = {stop.get("work_order") for route in given["routes"] for stop in route.get("stops") or ()}
    lost = sorted(set(running.unassigned) & planned)
    if lost and not quiet:
        text = f"{counted(len(lost), 'order')} of the plan cannot be kept: {', '.join(lost)}"
        show.err.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)
    policy = LivePolicy(freeze_seconds=freeze, change_budget=budget)
    about = {"problem_id": read.id, "now": instant_text(read.now, read.timezone), "cannot_be_kept": lost}
    return document, LiveDay(read, running, policy=policy), Shown(read.timezone, about)


def _print(answer: dict[str, Any], as_json: bool, tables: Any) -> None:
    if as_json:
        show.print_json(answer)
        return
    for part in tables(answer):
        show.out.print(part)
