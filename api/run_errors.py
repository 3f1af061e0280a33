"""Why a run failed, as the data that is stored with it: `code`, `message` and `params`."""

from __future__ import annotations

from typing import Any

from api.child import ChildLost
from dispatcher.errors import (
    EngineRefuses,
    InvalidInput,
    MusterError,
    NoResult,
    PlanRefused,
    Refusal,
    UnknownEngine,
)

LISTED_ISSUES = 1000

RUN_ERROR_CODES = {
    "INVALID_INPUT": "the problem has issues",
    "ENGINE_REFUSES": "the engine cannot keep a rule of the problem",
    "UNKNOWN_ENGINE": "there is no engine of this name",
    "NO_RESULT": "the engine ended without a plan",
    "PLAN_REFUSED": "a plan failed its own check: a defect",
    "UNKNOWN_REFERENCE": "a territory is gone since the run was asked for",
    "OUT_OF_MEMORY": "the problem needs more memory than there is",
    "PROCESS_LOST": "the planning process was lost in every attempt",
    "WORKER_LOST": "the worker was lost in every attempt",
    "INTERNAL_ERROR": "something went wrong inside: a defect",
}
"""Every code that the error of a run can have, with its meaning in half a line."""


def run_error(error: MusterError | MemoryError | ChildLost | str) -> dict[str, Any]:
    """An error as a run keeps it; a text is a traceback, which belongs into the log and not here."""
    if isinstance(error, InvalidInput):
        issues = [
            {
                "path": issue.path,
                "code": issue.code,
                "message": issue.message,
                "remedy": issue.remedy,
                "params": dict(issue.params),
            }
            for issue in error.issues[:LISTED_ISSUES]
        ]
        count = len(error.issues)
        message = f"the problem has {count} issues" if count != 1 else f"the problem has an issue: {error.issues[0]}"
        return _record("INVALID_INPUT", message, issues=issues, issue_count=count)
    if isinstance(error, Refusal):
        return _record(error.code, str(error), **error.params)
    if isinstance(error, EngineRefuses):
        return _record("ENGINE_REFUSES", str(error), rule=error.rule, why=error.why)
    if isinstance(error, UnknownEngine):
        return _record("UNKNOWN_ENGINE", str(error))
    if isinstance(error, NoResult):
        return _record("NO_RESULT", str(error))
    if isinstance(error, PlanRefused):
        return _record("PLAN_REFUSED", "the plan failed its check", differences=list(error.differences))
    if isinstance(error, MemoryError):
        return _record("OUT_OF_MEMORY", "the problem needs more memory than there is")
    if isinstance(error, ChildLost):
        return _record("PROCESS_LOST", str(error), exit_code=error.exit_code)
    return _record("INTERNAL_ERROR", "something went wrong inside; the log of the worker has the reason")


def _record(code: str, message: str, **params: object) -> dict[str, Any]:
    return {"code": code, "message": message, "params": params}
