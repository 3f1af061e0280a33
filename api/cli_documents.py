"""The documents that commands read: the errors of all of them at once, and a plan only beside its own problem."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli_answers import issue_error
from api.documents import load_plan_document, load_problem_document
from dispatcher.errors import InvalidInput, Issue, together
from dispatcher.validate_values import did_you_mean

if TYPE_CHECKING:
    from dispatcher.problem import Problem


def problem_and_plan(problem: Path, plan: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A problem document and a plan document from files, whichever problem the plan is for."""
    first, second = together(lambda: load_problem_document(problem), lambda: load_plan_document(plan))
    return first, second


def with_work(problem: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    """The plan of a problem with those of its routes that have a stop; a plan need not have any.

    Raises:
        InvalidInput: where the plan says that it was made for another problem.
    """
    stated = plan.get("problem_id")
    if stated is not None and stated != problem["id"]:
        message = f"the plan is for the problem {stated!r}, not for {problem['id']!r}"
        raise issue_error("problem_id", "OTHER_PROBLEM", message, "Name the problem that the plan was made for.")
    return {**plan, "routes": [route for route in plan.get("routes") or () if route.get("stops")]}


def known_orders(problem: Problem, plan: Path, names: Iterable[str]) -> None:
    """Refuse work orders that a problem does not have; `plan` is the file of its plan.

    Raises:
        InvalidInput: with each of them, and where to see the others.
    """
    known = problem.order_by_id
    where = f"muster show {plan} --all lists the orders of the plan."
    issues = [
        Issue("order", "NOT_FOUND", f"no work order {name!r}", f"{did_you_mean(name, known)} {where}".strip())
        for name in names
        if name not in known
    ]
    if issues:
        raise InvalidInput(issues)
