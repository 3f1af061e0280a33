"""The command `muster sla grade`: how urgent a fault is, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api import cli_output as show
from api.cli_answers import answers, bounded, issue_error
from dispatcher.sla.grading import URGENCIES, Urgency

app = typer.Typer(no_args_is_help=True, help="Promises to customers.")


def register(to: typer.Typer) -> None:
    """Add the commands to `muster`."""
    to.add_typer(app, name="sla")


@app.callback()
def _group() -> None:
    """Promises to customers."""


@app.command()
def grade(
    down: Annotated[int, typer.Option(metavar="N", min=0, help="Machines that are down.")] = 0,
    of: Annotated[int | None, typer.Option(metavar="N", min=0, help="How many there are in the region.")] = None,
    capacity: Annotated[
        float | None,
        bounded("PERCENT", 0, 100, "The share of capacity lost."),
    ] = None,
    core: Annotated[bool, typer.Option("--core", help="Core machines are affected.")] = False,
    planned: Annotated[bool, typer.Option("--planned", help="It is planned or preventive work.")] = False,
    operation: Annotated[
        str | None, typer.Option(metavar="STATE", help="The customer's operation: unaffected, threatened or stopped.")
    ] = None,
    repair_seconds: Annotated[int | None, typer.Option(metavar="N", min=0, help="The expected repair.")] = None,
    skill_level: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=5, help="The highest skill level it needs.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(readable=False, metavar="FILE", help="A policy (YAML or JSON).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object on standard output.")] = False,
) -> None:
    """How urgent a fault is by the policy, and why."""
    with answers(as_json, "the facts"):
        from api.sla_answers import grade_document
        from api.sla_policy import policy_at
        from api.sla_state import facts_of
        from dispatcher.sla.grading import grade as graded

        facts = facts_of(
            {
                "capacity_lost_percent": capacity,
                "machines_down": down,
                "machines_total": of,
                "core": core,
                "planned": planned,
                "continuity": _urgency(operation),
                "repair_seconds": repair_seconds,
                "skill_level": skill_level,
            }
        )
        found = graded(facts, policy_at(policy).grading)
        if as_json:
            show.print_json(grade_document(found))
            return
        show.out.print(found.level, highlight=False)
        for reason in found.reasons:
            show.out.print(f"  {reason.message}", highlight=False, soft_wrap=True)


def _urgency(text: str | None) -> Urgency | None:
    for known in URGENCIES:
        if text == known:
            return known
    if text is None:
        return None
    remedy = f"Use one of {', '.join(URGENCIES)}."
    raise issue_error("operation", "UNKNOWN_VALUE", f"{text!r} is no state of an operation", remedy)
