"""The commands `muster teams`: ways to send a team to an order of a running plan, and who could come instead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api import cli_output as show
from api.cli_answers import answers, drawable, issue_error, unwritable, writable, write_document
from api.cli_documents import known_orders, with_work
from api.cli_output import NO_RESULT
from api.documents import load_plan_document, load_problem_document
from api.problems import read_checked_problem
from dispatcher.errors import together

if TYPE_CHECKING:
    from api.team_answers import Teams
    from dispatcher.plan import Plan

app = typer.Typer(no_args_is_help=True, help="Ways to send a team in the running day, and who could come instead.")

ProblemFile = Annotated[
    Path, typer.Argument(readable=False, metavar="PROBLEM", help="The problem as of now, the order in it (JSON).")
]
PlanFile = Annotated[Path, typer.Argument(readable=False, metavar="PLAN", help="The plan in force (JSON).")]
Order = Annotated[str, typer.Option(metavar="ID", help="The work order.")]
Most = Annotated[int, typer.Option(metavar="N", min=1, max=4, help="Options at most.")]
Picture = Annotated[Path | None, typer.Option(metavar="PNG", help="Where to draw who comes when, option by option.")]
Policy = Annotated[
    Path | None,
    typer.Option(
        readable=False, metavar="FILE", help="A team policy (YAML or JSON); else the one that comes with Muster."
    ),
]
Accept = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Write the plan of this option, checked, to the file of -o.")
]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="PLAN", help="Where to write that plan.")]
NewProblem = Annotated[
    Path | None,
    typer.Option(metavar="PROBLEM", help="Where to write the problem with the team that the policy composed."),
]
Everything = Annotated[bool, typer.Option("--all", help="Every reason, however many there are.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object on standard output.")]


def register(to: typer.Typer) -> None:
    """Add the commands to `muster`."""
    to.add_typer(app, name="teams")


@app.command()
def options(
    problem: ProblemFile,
    plan: PlanFile,
    order: Order,
    most: Most = 4,
    policy: Policy = None,
    accept: Accept = None,
    output: Output = None,
    problem_output: NewProblem = None,
    picture: Picture = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Up to four teams for an order, each with who comes when, who is displaced and what else moves."""
    from api.team_schemas import TeamQuestion

    with answers(as_json, "the documents"):
        files = Files((problem, plan, policy), output, problem_output, picture)
        files.check(accept)
        document, teams = _asked(problem, plan, order, TeamQuestion(most=most), policy)
        _answer(document, teams, files, accept, everything, as_json)


@app.command()
def substitute(
    problem: ProblemFile,
    plan: PlanFile,
    order: Order,
    engineer: Annotated[str, typer.Option(metavar="ID", help="Who drops out of the order's team.")],
    most: Most = 4,
    accept: Accept = None,
    output: Output = None,
    picture: Picture = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Who could come instead of a member of a planned team; the others keep their roles."""
    from api.team_schemas import TeamQuestion

    with answers(as_json, "the documents"):
        question = TeamQuestion(most=most, instead_of=engineer)
        files = Files((problem, plan), output, None, picture)
        files.check(accept)
        document, teams = _asked(problem, plan, order, question, None)
        _answer(document, teams, files, accept, everything, as_json)


# -- parts of commands -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Files:
    """What a command reads, and where it writes the plan, the problem and the picture of the answer."""

    read: tuple[Path | None, ...]
    plan: Path | None
    problem: Path | None
    picture: Path | None

    def check(self, accept: int | None) -> None:
        """Refuse what cannot be, before any work is done: every error at once.

        Raises:
            InvalidInput: for files that cannot be written, that are named twice, or that nothing would be written to.
        """
        checks = [partial(self._check_accept, accept)]
        if self.plan is not None:
            checks.append(partial(writable, self.plan, *self.read, self.problem, self.picture))
        if self.problem is not None:
            checks.append(partial(writable, self.problem, *self.read, self.picture))
        if self.picture is not None:
            checks.append(partial(drawable, self.picture, *self.read, option="picture"))
        together(*checks)

    def _check_accept(self, accept: int | None) -> None:
        if accept is not None and self.plan is None:
            raise issue_error("output", "MISSING_FIELD", "an accepted option needs a file for its plan", "Add -o PLAN.")
        if accept is None and (self.plan or self.problem):
            message = "nothing is written unless an option is accepted"
            raise issue_error("accept", "MISSING_FIELD", message, "Add --accept N.")


def _asked(problem: Path, plan: Path, order: str, question: Any, policy: Path | None) -> tuple[dict[str, Any], Teams]:
    from api.team_answers import ask, team_policy
    from dispatcher.schedule import build_plan
    from solver.live.running import running_sequences

    document, force, rules = together(
        lambda: load_problem_document(problem), lambda: load_plan_document(plan), lambda: team_policy(policy)
    )
    force = with_work(document, force)
    read = read_checked_problem(document)
    known_orders(read, plan, [order])
    running = build_plan(read, running_sequences(read, force["routes"], force.get("teams") or ()))
    if question.instead_of is not None:
        _known_member(running, order, question.instead_of)
    planned = {stop["work_order"] for route in force["routes"] for stop in route["stops"] if stop.get("work_order")}
    return document, ask(read, running, order, question, rules, planned)


def _known_member(plan: Plan, order: str, engineer: str) -> None:
    """Refuse a substitute for somebody who is not in the team of an order."""
    team = next((team for team in plan.teams if team.work_order == order), None)
    if team is None:
        message, remedy = f"no team is planned for {order}", "muster teams options finds one."
        raise issue_error("order", "NOT_FOUND", message, remedy)
    people = [member.engineer for member in (*team.members, *team.standby)]
    if engineer not in people:
        message = f"{engineer!r} is not in the team of {order}"
        raise issue_error("engineer", "NOT_FOUND", message, f"Name one of its people: {', '.join(people)}.")


def _answer(
    document: dict[str, Any], teams: Teams, files: Files, accept: int | None, everything: bool, as_json: bool
) -> None:
    from api.team_tables import team_tables

    answer = teams.document()
    if files.picture is not None and answer["options"]:
        _draw(answer, teams, files.picture)
    with_problem = accept is not None and _accept(document, teams, files, accept)
    if as_json:
        show.print_json(answer)
    else:
        for table in team_tables(answer, everything=everything):
            show.out.print(table)
        if accept is not None:
            _say(f"Plan written to {files.plan}")
            if with_problem:
                _say(f"Problem written to {files.problem}")
        if files.picture is not None and answer["options"]:
            _say(f"Picture written to {files.picture}")
    if not teams.answer.options:
        raise typer.Exit(NO_RESULT)


def _accept(document: dict[str, Any], teams: Teams, files: Files, number: int) -> bool:
    """Write the plan of an option, and the problem where the policy changed it; whether it did.

    Raises:
        InvalidInput: for an option that there is not, or files that are missing or cannot be written.
    """
    from api.team_answers import accepted_plan

    found = teams.answer.options
    if not 1 <= number <= len(found):
        message = f"there is no option {number}; there are {len(found)}"
        raise issue_error("accept", "OUT_OF_RANGE", message, "Name one that the answer shows.")
    option = found[number - 1]
    fields = teams.changed_order(option)
    if fields is not None and files.problem is None:
        message = "the policy composed the team, which the problem does not name yet"
        raise issue_error("problem-output", "MISSING_FIELD", message, "Add --problem-output PROBLEM.")
    if fields is not None:
        orders = [o | fields if o["id"] == option.order.id else o for o in document["work_orders"]]
        document = document | {"work_orders": orders}
    plan = accepted_plan(document, option, teams.day)
    assert files.plan is not None, "checked before"
    if fields is not None and files.problem is not None:
        write_document(document, files.problem)
    write_document(plan, files.plan)
    return fields is not None


def _say(text: str) -> None:
    show.out.print(text, highlight=False, markup=False, soft_wrap=True)


def _draw(answer: dict[str, Any], teams: Teams, path: Path) -> None:
    from api.render_teams import render_team_options

    try:
        render_team_options(answer, teams.day.problem.timezone, path)
    except OSError as error:
        raise unwritable(path, error) from error
