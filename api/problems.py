"""The composition root of planning: documents in, documents out, every part wired here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from api.documents import check_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.errors import InvalidInput, Issue
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.services.planning import PlanRequest, make_plan
from solver.engines import DEFAULT_ENGINE, ENGINES, engine_named
from solver.reasons import explain_unassigned

DEFAULT_TIME_LIMIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """What the caller asks for; None leaves it to the document's `solve`, then to the defaults."""

    time_limit_seconds: float | None = None
    iteration_limit: int | None = None
    seed: int | None = None
    threads: int | None = None
    engine: str | None = None


def build_problem(document: Mapping[str, Any]) -> Problem:
    """The problem of a parsed document.

    Raises:
        InvalidInput: with every issue of the document.
    """
    issues = check_problem(document)
    if issues:
        raise InvalidInput(issues)
    return read_checked_problem(document)


def read_checked_problem(document: Mapping[str, Any]) -> Problem:
    """The problem of a document already known to have no issue.

    Raises:
        InvalidInput: where the skill graph is too tangled to search.
    """
    try:
        return read_problem(document, problem_travel)
    except ValueError as error:
        issue = Issue(
            "skill_graph.relations",
            "SKILL_GRAPH_TANGLED",
            str(error),
            "Give the substitutions a penalty, or a duration_factor of 1 or more.",
        )
        raise InvalidInput([issue]) from error


def engine_for(document: Mapping[str, Any], options: SolveOptions) -> tuple[str, str | None]:
    """The name of the engine to use, and the one the document asks for if this version does not have it."""
    if options.engine is not None:
        return options.engine, None
    wished = (document.get("solve") or {}).get("engine")
    if wished is None or wished in ENGINES:
        return wished or DEFAULT_ENGINE, None
    return DEFAULT_ENGINE, wished


def search_limits(document: Mapping[str, Any], options: SolveOptions) -> SearchLimits:
    """Limits by option, then by document, then by default; an iteration limit alone lifts the time limit."""
    solve = document.get("solve") or {}

    def chosen(option: Any, key: str, default: Any) -> Any:
        if option is not None:
            return option
        return default if solve.get(key) is None else solve[key]

    iterations = chosen(options.iteration_limit, "iteration_limit", None)
    default_time = DEFAULT_TIME_LIMIT_SECONDS if iterations is None else None
    seconds = chosen(options.time_limit_seconds, "time_limit_seconds", default_time)
    if options.iteration_limit is not None and options.time_limit_seconds is None:
        seconds = None
    return SearchLimits(
        time_limit_seconds=None if seconds is None else float(seconds),
        iteration_limit=None if iterations is None else int(iterations),
        seed=int(chosen(options.seed, "seed", 1)),
        threads=int(chosen(options.threads, "threads", 1)),
    )


def solve_document(
    document: Mapping[str, Any],
    options: SolveOptions,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> dict[str, Any]:
    """Plan a document that has no issue; the plan document is evaluated, explained and checked.

    Raises:
        InvalidInput: see `read_checked_problem`.
        UnknownEngine: for an engine option that names none.
        PlanRefused: if the plan failed its own check; a defect of ours.
    """
    engine = engine_named(engine_for(document, options)[0])
    request = PlanRequest(
        problem=read_checked_problem(document),
        document=document,
        engine=engine,
        limits=search_limits(document, options),
        explainer=explain_unassigned,
        software={name: version(name) for name in ("muster", "numba", "numpy", "ortools", "networkx")},
        created_at=int(time.time()),
    )
    return make_plan(request, cancelled=cancelled, progress=progress)
