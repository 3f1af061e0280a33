"""The command `muster`.

Exit codes: 0 good, 1 a plan that fails the check, 2 bad input, 3 no result. Every error of an input is reported at
once, on standard error, or as one JSON object on standard output with `--json`.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from api import cli_live, cli_service, cli_skills, cli_sla, cli_teams
from api import cli_output as show
from api.cli_answers import answers, bounded, drawable, interrupt, issue_error, unwritable, writable, write_document
from api.cli_documents import problem_and_plan, with_work
from api.cli_output import BAD_INPUT, FAILED_CHECK
from api.documents import load_plan_document, load_problem_document
from api.problems import SolveOptions, engine_for, read_checked_problem, solve_document
from api.render_text import counted
from dispatcher.validate import LIMITS
from dispatcher.verify import verify

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Plan field-service work: routes and 1+N teams inside SLA windows, with reasons.",
)

# readable=False, here and elsewhere: whether a file can be read is found out where it is read, which tells more.
ProblemFile = Annotated[Path, typer.Argument(readable=False, metavar="PROBLEM", help="A problem document (JSON).")]
PlanFile = Annotated[Path, typer.Argument(readable=False, metavar="PLAN", help="A plan document (JSON).")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on standard output.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"muster {version('muster')}")
        raise typer.Exit


@app.callback()
def muster(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Plan field-service work: routes and 1+N teams inside SLA windows, with reasons."""


@app.command()
def solve(
    problem: ProblemFile,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PLAN", help="Where to write the plan document.")
    ] = None,
    time_limit: Annotated[
        float | None,
        bounded("S", 0.001, LIMITS.time_limit_seconds, "Seconds of search; 10 if the problem names none."),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=LIMITS.iterations, help="Stop after this many steps.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, max=LIMITS.seed, help="Seed of the search.")] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="K", min=1, max=LIMITS.threads, help="Threads of the search.")
    ] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME", help="The engine, by name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Plan a problem; without -o the plan document goes to standard output. Ctrl-C keeps the best so far."""
    with answers(as_json, str(problem)):
        document = load_problem_document(problem)
        if output is not None:
            writable(output, problem)
        _tell_notices(document)
        options = SolveOptions(time_limit, iterations, seed, threads, engine)
        plan = _plan(document, options, title="Planning", quiet=as_json)
        if output is None:
            show.print_json(plan)
            return
        write_document(plan, output)
        if as_json:
            show.print_json({"plan": str(output), "score": plan["score"], "receipt": plan["receipt"]})
        else:
            show.out.print(show.score_line(plan), highlight=False)
            show.out.print(f"Plan written to {output}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def check(problem: ProblemFile, plan: PlanFile, as_json: AsJson = False) -> None:
    """Judge a plan, ours or anybody's, with the independent checker: every rule and every claim."""
    with answers(as_json, "the documents"):
        problem_document, plan_document = problem_and_plan(problem, plan)
        verdict = verify(problem_document, plan_document)
        terms = [{"rule": rule, "amount": _number(a), "cost": _number(c)} for rule, a, c in verdict.terms]
        if as_json:
            findings = [show.finding_document(finding) for finding in verdict.findings]
            answer = {
                "feasible": verdict.feasible,
                "total": verdict.total,
                "terms": terms,
                "findings": findings,
            }
            show.print_json(answer)
        elif verdict.feasible:
            show.out.print(f"The plan keeps every rule. Total cost {verdict.total:,}.", style="green", highlight=False)
        else:
            show.show_findings(verdict.findings)
        if not verdict.feasible:
            raise typer.Exit(FAILED_CHECK)


@app.command()
def validate(problem: ProblemFile, as_json: AsJson = False) -> None:
    """Check a problem document: every error at once, with path, code and remedy."""
    with answers(as_json, str(problem)):
        document = load_problem_document(problem)
        read_checked_problem(document)
        _tell_notices(document)
        if as_json:
            show.print_json({"valid": True, "errors": []})
        else:
            orders, engineers = len(document.get("work_orders") or ()), len(document.get("engineers") or ())
            line = f"{problem} is valid: {counted(orders, 'work order')}, {counted(engineers, 'engineer')}."
            show.out.print(line, style="green", highlight=False, markup=False, soft_wrap=True)


@app.command("show")
def show_plan(
    plan: PlanFile,
    everything: Annotated[bool, typer.Option("--all", help="Every row, however many there are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a plan as tables: routes, teams, unassigned orders with their reasons, score by rule."""
    with answers(as_json, str(plan)):
        document = load_plan_document(plan)
        if as_json:
            show.print_json(document)
            return
        _print_tables(document, everything)


@app.command()
def render(
    problem: ProblemFile,
    plan: PlanFile,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PNG", help="Where to write the picture.")] = Path(
        "plan.png"
    ),
    as_json: AsJson = False,
) -> None:
    """Draw a plan: a map of the routes, a Gantt chart and what the plan costs."""
    with answers(as_json, "the documents"):
        problem_document, plan_document = problem_and_plan(problem, plan)
        drawable(output, problem, plan)
        _draw(problem_document, with_work(problem_document, plan_document), output)
        if as_json:
            show.print_json({"picture": str(output)})
        else:
            show.out.print(f"Picture written to {output}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the documents and the picture go.")] = Path("demo"),
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Another city, fleet and day.")] = None,
) -> None:
    """Plan a demo day of 120 orders for 20 engineers: tables here, documents and a picture in a folder."""
    from dataclasses import replace

    from data.synthetic import DEMO, synthetic_problem

    with answers(False, "the demo"):
        problem_file, plan_file, picture = out / "problem.json", out / "plan.json", out / "plan.png"
        writable(problem_file)
        document = synthetic_problem(DEMO if seed is None else replace(DEMO, seed=seed))
        write_document(document, problem_file)
        plan = _plan(document, SolveOptions(), title="Planning the demo day", quiet=False)
        write_document(plan, plan_file)
        _draw(document, plan, picture)
        _print_tables(plan, everything=False)
        show.out.print(show.score_line(plan), highlight=False)
        for name, path in (("Problem", problem_file), ("Plan", plan_file), ("Picture", picture)):
            show.out.print(f"{name + ':':<9}{path}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def generate(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PROBLEM", help="Where to write the problem.")],
    orders: Annotated[int, typer.Option(min=0, help="Work orders.")] = 120,
    engineers: Annotated[int, typer.Option(min=0, help="Engineers.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same day everywhere.")] = 1,
    preset: Annotated[str, typer.Option(help="demo, everything (all features) or hard-windows.")] = "demo",
    as_json: AsJson = False,
) -> None:
    """Write a synthetic problem: a clustered city, a fleet with a skill graph, a day of work."""
    from dataclasses import replace

    from data.synthetic import DEMO, EVERYTHING, HARD_WINDOWS, synthetic_problem

    presets = {"demo": DEMO, "everything": EVERYTHING, "hard-windows": HARD_WINDOWS}
    with answers(as_json, "the request"):
        if preset not in presets:
            raise issue_error(
                "preset",
                "UNKNOWN_VALUE",
                f"there is no preset {preset!r}",
                f"Use one of {', '.join(presets)}.",
            )
        writable(output)
        spec = replace(presets[preset], orders=orders, engineers=engineers, seed=seed)
        document = synthetic_problem(spec)
        write_document(document, output)
        if as_json:
            show.print_json({"problem": str(output), "work_orders": orders, "engineers": engineers})
        else:
            show.out.print(f"Problem written to {output}", highlight=False, markup=False, soft_wrap=True)


@app.command("import-csv")
def import_csv_folder(
    folder: Annotated[
        Path, typer.Argument(readable=False, metavar="FOLDER", help="A folder of CSV files, see docs/importing.md.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PROBLEM", help="The problem to write.")
    ] = None,
    template: Annotated[bool, typer.Option(help="Write a small complete example to fill in, into FOLDER.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn spreadsheets into a problem document; every error is named with file, line and column."""
    from data.importers.csv_import import import_csv, write_templates

    with answers(as_json, str(folder)):
        if template:
            try:
                paths = write_templates(folder)
            except OSError as error:
                raise issue_error(
                    str(folder), "UNREADABLE_FILE", error.strerror or str(error), "Name a new or empty folder."
                ) from error
            for path in paths:
                show.out.print(str(path), highlight=False, markup=False, soft_wrap=True)
            return
        result = import_csv(folder)
        if result.document is None:
            errors = [show.row_error_document(error) for error in result.errors]
            if as_json:
                show.print_json({"errors": errors})
            else:
                show.show_row_errors(result.errors)
            raise typer.Exit(BAD_INPUT)
        if output is None:
            show.print_json(result.document)
            return
        writable(output, *folder.glob("*.csv"))
        write_document(result.document, output)
        if as_json:
            show.print_json({"problem": str(output)})
        else:
            show.out.print(f"Problem written to {output}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def schema(
    document: Annotated[str, typer.Argument(metavar="[problem|plan]", help="Which document.")] = "problem",
) -> None:
    """Print the JSON Schema of a planning document."""
    from api.schemas import plan_schema, problem_schema

    schemas = {"problem": problem_schema, "plan": plan_schema}
    with answers(False, "the request"):
        if document not in schemas:
            raise issue_error("document", "UNKNOWN_VALUE", f"there is no document {document!r}", "Use problem or plan.")
        show.print_json(schemas[document]())


cli_service.register(app)
cli_teams.register(app)
cli_skills.register(app)
cli_sla.register(app)
cli_live.register(app)


def main() -> None:
    """The entry point of the console script."""
    app()


# -- parts of commands -------------------------------------------------------------------------------------------


def _tell_notices(document: dict[str, Any]) -> None:
    """Say on standard error what is legal in a problem and hardly meant."""
    from api.problem_notices import problem_notices

    for notice in problem_notices(document):
        show.err.print(notice, style="yellow", highlight=False, markup=False, soft_wrap=True)


def _plan(document: dict[str, Any], options: SolveOptions, *, title: str, quiet: bool) -> dict[str, Any]:
    name, wished = engine_for(document, options)
    if wished is not None:
        show.err.print(f"The engine {wished!r} is not part of this version: planning with {name!r}.", style="yellow")
    with interrupt() as cancelled, show.progress_bar(title, quiet=quiet) as progress:
        return solve_document(document, options, cancelled=cancelled, progress=progress)


def _draw(problem: dict[str, Any], plan: dict[str, Any], path: Path) -> None:
    from api.render import render_plan

    with show.progress_bar("Drawing", quiet=False) as progress:
        progress(0.3, "map and Gantt chart")
        try:
            render_plan(problem, plan, path)
        except OSError as error:
            raise unwritable(path, error) from error


def _print_tables(plan: dict[str, Any], everything: bool) -> None:
    from api.tables import plan_tables

    for table in plan_tables(plan, everything):
        show.out.print(table)


def _number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)


if __name__ == "__main__":
    main()
