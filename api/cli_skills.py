"""The commands `muster skills`: who can do what, where a crew is thin, its skill graph, and its history."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from api import cli_output as show
from api.cli_answers import answers, drawable, issue_error, unwritable, writable, write_document
from api.cli_output import BAD_INPUT
from api.documents import load_problem_document
from api.problems import read_checked_problem
from api.render_text import counted
from dispatcher.documents import instant_text
from dispatcher.errors import InvalidInput, Issue, together
from dispatcher.validate_values import did_you_mean, read_instant

if TYPE_CHECKING:
    from dispatcher.demand import Ask
    from dispatcher.problem import Problem
    from dispatcher.who import Answer
    from skills.history import ResolvedOrder

app = typer.Typer(no_args_is_help=True, help="Who can do what, where a crew is thin, and the skill graph.")

ProblemFile = Annotated[Path, typer.Argument(readable=False, metavar="PROBLEM", help="A problem document (JSON).")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on standard output.")]
Territory = Annotated[
    str | None, typer.Option(metavar="T", help="Only the engineers and work orders of this territory.")
]

MOST_NAMED = 20
"""So many known names an answer about an unknown one tells."""


def register(to: typer.Typer) -> None:
    """Add the commands to `muster`."""
    to.add_typer(app, name="skills")


@app.command()
def who(
    problem: ProblemFile,
    order: Annotated[str | None, typer.Option(metavar="ID", help="A work order of the problem.")] = None,
    skill: Annotated[str | None, typer.Option(metavar="S", help="A skill, instead of a work order.")] = None,
    level: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=5, help="The level of the skill; else 1.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="When; else as soon as the order may be started.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Who can do a work order, or holds a skill: by which path, with which certificate; and who is one step short."""
    with answers(as_json, str(problem)):
        found = _read(problem)
        subject, instant, asked = _question(found, order, skill, level, at)
        if as_json:
            from api.skill_answers import who_document

            show.print_json(who_document(found, instant, asked))
        else:
            from api.skill_tables import who_tables

            _print(who_tables(found, subject, instant, asked))


@app.command()
def coverage(
    problem: ProblemFile,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PNG", help="Where to draw it, hour by hour.")
    ] = None,
    territory: Territory = None,
    as_json: AsJson = False,
) -> None:
    """How many people on shift hold each skill that open orders ask for, against how many are needed, by the hour."""
    from dispatcher.coverage import coverage as coverage_of
    from dispatcher.coverage import territories

    with answers(as_json, str(problem)):
        read, _ = together(
            lambda: _in_territory(problem, territory), lambda: None if output is None else drawable(output, problem)
        )
        found = coverage_of(read, territory)
        if output is not None:
            from api.render_coverage import render_coverage

            try:
                render_coverage(read.id, found, output)
            except OSError as error:
                raise unwritable(output, error) from error
        if as_json:
            from api.skill_answers import coverage_document

            picture = {} if output is None else {"picture": str(output)}
            show.print_json(coverage_document(found) | picture)
            return
        from api.skill_tables import coverage_tables

        each = [] if territory is not None else [coverage_of(read, name) for name in territories(read)]
        _print(coverage_tables(found, each))
        if output is not None:
            _say(f"Picture written to {output}")


@app.command()
def gaps(problem: ProblemFile, territory: Territory = None, as_json: AsJson = False) -> None:
    """Single points of failure, orders with nobody to spare, and which training helps most."""
    from dispatcher.coverage import coverage as coverage_of
    from dispatcher.skill_gaps import gaps as gaps_of

    with answers(as_json, str(problem)):
        read = _in_territory(problem, territory)
        found = coverage_of(read, territory)
        thin = gaps_of(read, found)
        if as_json:
            from api.skill_answers import gaps_document

            show.print_json(gaps_document(found, thin))
        else:
            from api.skill_tables import gaps_tables

            _print(gaps_tables(read, found, thin))


@app.command()
def graph(
    problem: ProblemFile,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="A picture (.png), or the graph (.graphml, .json).")
    ],
    as_json: AsJson = False,
) -> None:
    """Draw the skill graph of a problem, or write it for another program."""
    with answers(as_json, str(problem)):
        read, _ = together(lambda: _read(problem), lambda: _writable_graph(output, problem))
        _write_graph(read, output)
        if as_json:
            show.print_json({"graph": str(output)})
        else:
            _say(f"Skill graph written to {output}")


@app.command()
def history(
    resolved: Annotated[
        Path,
        typer.Argument(readable=False, metavar="RESOLVED", help="Resolved orders: a CSV file, or a JSON document."),
    ],
    as_of: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Up to when ages are counted; now without it.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write the fields of the engineers.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What resolved orders say about each engineer at each skill: how fast, and how often the first visit fixes it."""
    from skills.history import engineer_fields, learn

    with answers(as_json, str(resolved)):
        now, orders, _ = together(
            lambda: _as_of(as_of),
            lambda: _resolved(resolved, as_json),
            lambda: None if output is None else writable(output, resolved),
        )
        orders = list(orders)
        later = sum(order.resolved_at > now for order in orders)
        if later:
            text = f"{counted(later, 'row')} resolved after {instant_text(now, ZoneInfo('UTC'))} not counted"
            show.err.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)
        found = learn(orders, now=now)
        if output is not None:
            fields = engineer_fields(found.experiences.values())
            write_document({"engineers": [{"id": name, **given} for name, given in fields.items()]}, output)
        if as_json:
            from api.resolved_orders import history_document

            written = {} if output is None else {"engineers": str(output)}
            show.print_json(history_document(instant_text(now, ZoneInfo("UTC")), found) | written)
            return
        from api.skill_tables import history_table

        _print([history_table(found)])
        if output is not None:
            _say(f"Fields of {counted(len(fields), 'engineer')} written to {output}")


# -- parts of commands -------------------------------------------------------------------------------------------


def _read(path: Path) -> Problem:
    return read_checked_problem(load_problem_document(path))


def _question(
    problem: Problem, order: str | None, skill: str | None, level: int | None, at: str | None
) -> tuple[str, int, Sequence[tuple[Ask, Sequence[Answer]]]]:
    """What is asked about, when, and everybody's answer, role by role.

    Raises:
        InvalidInput: for an order or a skill that nothing knows, both or neither of them, a level beside an order, or a
            wrong instant.
    """
    from dispatcher.demand import Ask
    from dispatcher.who import first_start, who_can_do, who_holds
    from skills.qualification import RequiredSkill

    issues = []
    if (order is None) == (skill is None):
        issues.append(Issue("order", "EXACTLY_ONE", "name either --order or --skill", "Give exactly one of them."))
    if order is not None and level is not None:
        message = "the order says which levels it needs"
        issues.append(Issue("level", "EXACTLY_ONE", message, "Leave --level out, or ask about a --skill."))
    if order is not None and order not in problem.order_by_id:
        issues.append(_unknown("order", f"no work order {order!r}", order, problem.order_by_id))
    known = _skills(problem)
    if skill is not None and skill not in known:
        issues.append(_unknown("skill", f"no skill {skill!r}: no graph, engineer or order has it", skill, known))
    instant = None
    if at is not None:
        try:
            instant = _instant("at", at)
        except InvalidInput as error:
            issues.extend(error.issues)
    if issues:
        raise InvalidInput(issues)
    if order is not None:
        work = problem.order_by_id[order]
        start = first_start(problem, work) if instant is None else instant
        return f"Who can do {order}", start, who_can_do(problem, work, start)
    start = first_start(problem) if instant is None else instant
    required = (RequiredSkill(skill or "", level or 1),)
    return "Who holds it", start, [(Ask(None, 1, required, 0), who_holds(problem, required, start))]


def _resolved(path: Path, as_json: bool) -> Sequence[ResolvedOrder]:
    """The orders of a file, by its ending.

    Raises:
        InvalidInput: for another ending, and everything wrong with a JSON file.
        typer.Exit: after every error of a CSV file was shown.
    """
    if path.suffix.lower() == ".json":
        from api.resolved_orders import load_resolved_document

        return load_resolved_document(path)
    if path.suffix.lower() != ".csv":
        message = f"{path.suffix or 'a name without an ending'} is no format for resolved orders"
        raise issue_error("resolved", "UNKNOWN_VALUE", message, "Use .csv or .json.")
    from data.importers.resolved_orders import read_resolved

    read = read_resolved(path)
    if read.errors:
        if as_json:
            show.print_json({"errors": [show.row_error_document(error) for error in read.errors]})
        else:
            show.show_row_errors(read.errors)
        raise typer.Exit(BAD_INPUT)
    return read.orders


def _as_of(written: str | None) -> int:
    if written is None:
        return int(time.time())
    return _instant("as_of", written)


def _instant(path: str, written: str) -> int:
    try:
        return read_instant(written)
    except ValueError as error:
        remedy = 'Write whole seconds with an offset: "2026-11-23T08:00:00+08:00".'
        raise issue_error(path, "BAD_INSTANT", f"{written!r}: {error}", remedy) from error


def _unknown(path: str, message: str, name: str, known: Any) -> Issue:
    some = sorted(known)[:MOST_NAMED]
    more = ", …" if len(known) > len(some) else ""
    choice = f"Use one of {', '.join(some)}{more}." if some else "The problem has none."
    return Issue(path, "NOT_FOUND", message, did_you_mean(name, known) or choice)


def _skills(problem: Problem) -> set[str]:
    from dispatcher.demand import asked_skills

    held = {item.skill for engineer in problem.engineers for item in engineer.skills}
    asked = {item.skill for order in problem.work_orders for item in asked_skills(order)}
    return {*problem.skill_graph.graph.nodes, *held, *asked}


def _in_territory(path: Path, territory: str | None) -> Problem:
    """The problem of a file, which has to know the territory that is asked about."""
    from dispatcher.coverage import territories

    problem = _read(path)
    known = territories(problem)
    if territory is not None and territory not in known:
        raise InvalidInput([_unknown("territory", f"no territory {territory!r}", territory, known)])
    return problem


def _writable_graph(output: Path, problem: Path) -> None:
    if output.suffix.lower() not in (".png", ".graphml", ".json"):
        message = f"{output.suffix or 'a name without an ending'} is no format for a skill graph"
        raise issue_error("output", "UNKNOWN_VALUE", message, "Use .png, .graphml or .json.")
    writable(output, problem)


def _write_graph(problem: Problem, output: Path) -> None:
    from skills.exchange import GraphRefused, graph_document, graphml

    try:
        if output.suffix.lower() == ".png":
            from api.render_skills import render_skill_graph

            render_skill_graph(problem, output)
        elif output.suffix.lower() == ".json":
            write_document(graph_document(problem.skill_graph), output)
        else:
            output.write_bytes(graphml(problem.skill_graph))
    except OSError as error:
        raise unwritable(output, error) from error
    except GraphRefused as error:
        raise InvalidInput([Issue(i.path, i.code, i.message, i.remedy) for i in error.issues]) from error


def _print(tables: Sequence[RenderableType]) -> None:
    for number, table in enumerate(tables):
        if number:
            show.out.print()
        show.out.print(table)


def _say(line: str) -> None:
    show.out.print(line, highlight=False, markup=False, soft_wrap=True)
