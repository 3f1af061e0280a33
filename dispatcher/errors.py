"""The errors a caller may meet, as one tree, and the issues of a document.

    MusterError
    ├── InvalidInput    a document that cannot be read; carries every issue found, not only the first
    ├── NoResult        an engine ended without a plan
    ├── UnknownEngine   `solve.engine` names none of the engines there are
    ├── EngineRefuses   the engine asked for cannot keep a hard rule of this problem; another one can
    ├── PlanRefused     a plan the product made itself failed its checks; it is never published
    ├── EventRefused    what is stored does not allow an event of a batch; carries its one issue
    └── Refusal         what is stored does not allow a command; a stable code with parameters
        ├── NotFound              nothing has this key
        │   └── UnknownReference  records name others that there are not
        ├── InUse                 others name what should be deleted
        ├── Stale                 the caller's version is not the one stored
        ├── WrongState            its life has gone where this cannot happen any more
        │   └── NoPlanInForce     nothing was accepted for a territory on a date
        ├── ScopeConflict         another plan was accepted for the same territory and date
        ├── OptionGone            a way to send a team is not any more what it was when it was asked for
        ├── IdempotencyConflict   a key that stands for another command already
        ├── LeaseLost             a worker reports on a run that was taken from it
        ├── BadCursor             a page is asked for with a cursor of no list here
        ├── Contention            somebody else changed the same at the same time
        └── Unavailable           the database is locked for too long, restarting or gone

An issue is data: a stable code with parameters, beside a message and a remedy in English. `ISSUE_CODES` is
the catalogue of codes, `REFUSAL_CODES` that of refusals; docs/errors.md explains each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

ISSUE_CODES: Mapping[str, str] = {
    "UNREADABLE_FILE": "the file cannot be read",
    "UNWRITABLE_FILE": "the file cannot be written",
    "OTHER_PROBLEM": "a plan that was made for another problem",
    "COMPRESSED_FILE": "the file is compressed",
    "NOT_UTF8": "the bytes are not UTF-8 text",
    "INVALID_JSON": "the text is not JSON",
    "INVALID_TEXT": "a text that cannot be stored: half of a surrogate pair, or a NUL character",
    "DUPLICATE_KEY": "an object has the same key twice",
    "NOT_FINITE": "a number is NaN, infinite or too large for a decimal",
    "TOO_DEEP": "lists and objects are nested too deeply",
    "TOO_LARGE": "more of something than the limits allow",
    "WRONG_DOCUMENT": "a plan where a problem belongs, or the other way round",
    "UNSUPPORTED_VERSION": "a version of the format that is not known",
    "UNKNOWN_FIELD": "a field that the format does not have",
    "MISSING_FIELD": "a required field is absent",
    "WRONG_TYPE": "a value of the wrong JSON type",
    "UNKNOWN_VALUE": "a text that is none of the known ones",
    "OUT_OF_RANGE": "a number, or the length of a text, outside its bounds",
    "BAD_KEY": "a key that cannot stand in this object",
    "BAD_CLOCK": "not a clock time HH:MM",
    "BAD_INSTANT": "not an ISO 8601 instant with an offset in whole seconds",
    "BAD_DATE": "not a day YYYY-MM-DD",
    "BAD_TIMEZONE": "not a time zone of the IANA database",
    "OTHER_ID": "an id that is not the one in the path",
    "DUPLICATE_ID": "an id stands twice in its list",
    "NOT_FOUND": "an id that nothing in the problem has",
    "SELF_REFERENCE": "a work order that names itself",
    "CYCLE": "work orders that wait for each other in a circle",
    "EXACTLY_ONE": "one of two fields is needed, and only one",
    "ORDER": "the first of two bounds lies after the second",
    "OUTSIDE_HORIZON": "a time outside the horizon",
    "OVERLAP": "two intervals that must be apart overlap",
    "IMPLIES_WITH_PRICE": "an implies relation with a factor or a penalty",
    "SKILL_CYCLE": "relations between skills that lead round in a circle",
    "SKILL_CONTRADICTION": "relations between skills that cannot all be meant",
    "TEAM_WITHOUT_ON_SITE_ROLE": "a team in which nobody has to be on site",
    "TEAM_ROLE_SIZE": "a role whose max is below its min",
    "TEAM_LEAD_FIRST": "a lead_first arrival without exactly one lead who arrives",
    "MATRIX_SIZE": "a travel matrix that is not n × n",
    "MATRIX_CELLS": "more wrong cells in a matrix than are listed one by one",
    "MISSING_METERS": "`distance` has weight, but the matrix has no meters",
    "SKILL_GRAPH_TANGLED": "substitutions that search cannot untangle",
    "INVALID_GRAPHML": "a file that is not one directed graph in GraphML",
    "IMPOSSIBLE_MOVE": "a move of a what-if question that makes no sense",
    "COST_TOO_LARGE": "a cost might not fit into 63 bits",
}
"""Every code of an issue, with its meaning in half a line."""

REFUSAL_CODES: Mapping[str, str] = {
    "NOT_FOUND": "nothing has this key",
    "UNKNOWN_REFERENCE": "records name others that there are not",
    "IN_USE": "others name what should be deleted",
    "STALE_VERSION": "the record has changed since the caller read it",
    "WRONG_STATE": "the record's life has gone where this cannot happen any more",
    "NO_PLAN_IN_FORCE": "no plan is in force for the territory on the date",
    "SCOPE_CONFLICT": "another plan was accepted for the same territory and date",
    "OPTION_GONE": "the option is not any more what it was",
    "IDEMPOTENCY_CONFLICT": "the key stands for another command already",
    "LEASE_LOST": "the run was taken from this worker",
    "BAD_CURSOR": "the cursor belongs to no list here",
    "CONTENTION": "somebody else changed the same at the same time",
    "UNAVAILABLE": "the database does not answer now",
}
"""Every code of a refusal, with its meaning in half a line."""

EVENT_CODES: Mapping[str, str] = {
    "ALREADY_EXISTS": "an order with this id is there already",
    "IN_THE_FUTURE": "it has not happened yet",
    "OUT_OF_ORDER": "it would have happened before what it follows",
    "NO_VISIT": "the engineer has no visit to this order",
    "TAKEN": "somebody else is on the way to this order or at work on it",
    "ELSEWHERE": "the engineer is at work on another order",
    "BEYOND_SHIFT": "the instant lies behind the end of the shift",
}
"""Codes that only refused events have, beside some of the refusals above, with their meaning in half a line."""

Segment = str | int
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class MusterError(Exception):
    """The root of every error that this product raises on purpose."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with a document.

    `path` names the place (`work_orders[3].time_windows[0].start`; empty for the document as a whole),
    `code` is one of `ISSUE_CODES`, `message` says what was found and `remedy` what to do about it. `params`
    holds the parts of the message as JSON values.
    """

    path: str
    code: str
    message: str
    remedy: str
    params: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.path or 'document'}: {self.message} ({self.code}). {self.remedy}"


class InvalidInput(MusterError):  # noqa: N818  named for what it says, like the two below
    """A document was refused whole; `issues` holds everything found, in the order of the document."""

    issues: tuple[Issue, ...]

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = tuple(issues)
        super().__init__("\n".join(str(issue) for issue in self.issues))

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[tuple[Issue, ...]]]:
        # An exception is pickled with its message as the argument; a worker process hands over the issues.
        return type(self), (self.issues,)


def together(*steps: Callable[[], Any]) -> list[Any]:
    """What each of some steps gives, in turn.

    Raises:
        InvalidInput: with the issues of all steps that found some.
    """
    found: list[Any] = []
    issues: list[Issue] = []
    for step in steps:
        try:
            found.append(step())
        except InvalidInput as error:
            issues.extend(error.issues)
    if issues:
        raise InvalidInput(issues)
    return found


class NoResult(MusterError):  # noqa: N818
    """An engine ended without a plan, for instance because it was cancelled before its first one."""


class UnknownEngine(MusterError):  # noqa: N818
    """`solve.engine` names none of the engines there are."""


class EngineRefuses(MusterError):  # noqa: N818
    """An engine cannot keep a hard rule of this problem and says so rather than break it.

    `rule` is the hard rule, `why` says what about it, and what to do.
    """

    rule: str
    why: str

    def __init__(self, rule: str, why: str) -> None:
        self.rule, self.why = rule, why
        super().__init__(f"rule {rule}: {why}")

    def __reduce__(self) -> tuple[type[EngineRefuses], tuple[str, str]]:
        return type(self), (self.rule, self.why)


class PlanRefused(MusterError):  # noqa: N818
    """A plan of our own broke a rule or was scored differently by the checker: a defect, never published.

    `differences` says term by term, or finding by finding, what was wrong.
    """

    differences: tuple[str, ...]

    def __init__(self, differences: Iterable[str]) -> None:
        self.differences = tuple(differences)
        super().__init__("\n".join(self.differences))

    def __reduce__(self) -> tuple[type[PlanRefused], tuple[tuple[str, ...]]]:
        return type(self), (self.differences,)


class EventRefused(MusterError):  # noqa: N818
    """What is stored does not allow an event, and nothing has changed by it; `issue` says why, and what to do."""

    issue: Issue

    def __init__(self, issue: Issue) -> None:
        self.issue = issue
        super().__init__(str(issue))

    def __reduce__(self) -> tuple[type[EventRefused], tuple[Issue]]:
        return type(self), (self.issue,)


@dataclass(frozen=True, slots=True)
class RecordKey:
    """A stored record as its owner knows it: the kind (`site`) and the caller's ids (`("E1", "mon")` for a shift).

    No ids stand for a record that does not exist yet.
    """

    kind: str
    key: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {'/'.join(self.key)}".rstrip()

    def as_params(self) -> dict[str, object]:
        return {"kind": self.kind, "key": list(self.key)}


@dataclass(frozen=True, slots=True)
class NamedRecord:
    """`source` names `target` in its field `field`.

    `place` is where the source stands in the caller's document (`[3]`); empty where it is the document itself.
    """

    source: RecordKey
    field: str
    target: RecordKey
    place: str = ""

    def as_issue(self) -> Issue:
        beside = " or in the same list" if self.place and self.target.kind == self.source.kind else ""
        return Issue(
            path=f"{self.place}.{self.field}" if self.place else self.field,
            code=UnknownReference.code,
            message=f"there is no {self.target}",
            remedy=f"Create it first{beside}, or correct the id.",
            params=self.target.as_params(),
        )


@dataclass(frozen=True, slots=True)
class StaleRecord:
    """`expected` is the version the caller read, 0 where the record must not exist yet; `actual` the stored one."""

    record: RecordKey
    expected: int
    actual: int


class Refusal(MusterError):  # noqa: N818
    """A command that the stored state does not allow. Nothing has changed.

    `code` is one of `REFUSAL_CODES`; `params` holds the parts of the message as JSON values.
    """

    code: ClassVar[str]
    params: Mapping[str, object]

    def __init__(self, message: str, params: Mapping[str, object], *arguments: object) -> None:
        super().__init__(message)
        self.params = params
        self._arguments = arguments

    def __reduce__(self) -> tuple[type[Refusal], tuple[object, ...]]:
        return type(self), self._arguments


class NotFound(Refusal):
    """Nothing has this key."""

    code = "NOT_FOUND"

    def __init__(self, record: RecordKey) -> None:
        super().__init__(f"there is no {record}", record.as_params(), record)
        self.record = record


class UnknownReference(NotFound):
    """Records name others that there are not; `references` holds all of them, at least one."""

    code = "UNKNOWN_REFERENCE"

    def __init__(self, references: Iterable[NamedRecord]) -> None:
        self.references = tuple(references)
        self.record = self.references[0].target
        message = "; ".join(f"{item.source}: {item.field} names no {item.target}" for item in self.references)
        params = [
            {"source": item.source.as_params(), "field": item.field, "target": item.target.as_params()}
            for item in self.references
        ]
        Refusal.__init__(self, message, {"references": params}, self.references)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Each reference as an issue of the caller's document."""
        return tuple(item.as_issue() for item in self.references)


class InUse(Refusal):
    """Others name what should be deleted: `by` some of them, `more` if there are others."""

    code = "IN_USE"

    def __init__(self, record: RecordKey, by: Iterable[RecordKey], more: bool) -> None:
        self.record, self.by, self.more = record, tuple(by), more
        names = ", ".join(str(user) for user in self.by) + (" and others" if more else "")
        params = {**record.as_params(), "by": [user.as_params() for user in self.by], "more": more}
        super().__init__(f"{record} is used by {names}", params, record, self.by, more)


class Stale(Refusal):
    """The caller's version is not the one stored; `records` holds every such record of the command."""

    code = "STALE_VERSION"

    def __init__(self, records: Iterable[StaleRecord]) -> None:
        self.records = tuple(records)
        message = "; ".join(f"{item.record} is at version {item.actual}, not {item.expected}" for item in self.records)
        params = [
            {**item.record.as_params(), "expected": item.expected, "actual": item.actual} for item in self.records
        ]
        super().__init__(message, {"records": params}, self.records)


class WrongState(Refusal):
    """The record's life has gone where `action` cannot happen any more.

    The sentence is made of both: `state` is what follows "it is", `action` what follows "it is not possible to".
    """

    code = "WRONG_STATE"

    def __init__(self, record: RecordKey, state: str, action: str) -> None:
        self.record, self.state, self.action = record, state, action
        params = {**record.as_params(), "state": state, "action": action}
        told = action.replace("_", " ")
        super().__init__(f"{record} is {state}: it is not possible to {told}", params, record, state, action)


class NoPlanInForce(WrongState):
    """Nothing was accepted for a territory on a date (ISO), so there is no running plan to ask about."""

    code = "NO_PLAN_IN_FORCE"

    def __init__(self, territory: str, date: str) -> None:
        self.record = RecordKey("territory", (territory,))
        self.state, self.action = "without a plan", "ask about the running plan"
        message = f"no plan is in force for {territory} on {date}: accept one first"
        Refusal.__init__(self, message, {"territory": territory, "date": date}, territory, date)


class ScopeConflict(Refusal):
    """Since the plan's snapshot another plan was accepted for these (territory, ISO date) pairs."""

    code = "SCOPE_CONFLICT"

    def __init__(self, plan: str, scopes: Iterable[tuple[str, str]]) -> None:
        self.plan, self.scopes = plan, tuple(scopes)
        places = ", ".join(f"{territory} on {date}" for territory, date in self.scopes)
        params = {
            "plan": plan,
            "scopes": [{"territory": territory, "date": date} for territory, date in self.scopes],
        }
        super().__init__(
            f"another plan was accepted after plan {plan} was begun, for {places}", params, plan, self.scopes
        )


class OptionGone(Refusal):
    """A way to send a team to an order is not any more what it was when it was asked for; `why` says what changed."""

    code = "OPTION_GONE"

    def __init__(self, work_order: str, option: str, why: str) -> None:
        params = {"work_order": work_order, "option": option, "why": why}
        super().__init__(f"option {option} for {work_order} is gone: {why}", params, work_order, option, why)


class IdempotencyConflict(Refusal):
    """The caller's key stands for another command already."""

    code = "IDEMPOTENCY_CONFLICT"

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} was used for another command", {"idempotency_key": key}, key)


class LeaseLost(Refusal):
    """A worker reports on a run that was taken from it: its lease ran out, or the run has ended."""

    code = "LEASE_LOST"

    def __init__(self, run: str) -> None:
        super().__init__(f"run {run} is no longer held by this worker", {"run": run}, run)


class BadCursor(Refusal):
    """A page is asked for with a cursor that this list never gave out."""

    code = "BAD_CURSOR"

    def __init__(self) -> None:
        super().__init__("the cursor belongs to no list here", {})


class Contention(Refusal):
    """Somebody else changed the same at the same time; the same command may succeed when it is sent again."""

    code = "CONTENTION"

    def __init__(self) -> None:
        super().__init__("somebody else changed the same at the same time: send it again", {})


class Unavailable(Refusal):
    """The database is locked for too long, restarting or gone; the same command may succeed later."""

    code = "UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("the database does not answer now: try again later", {})


def path_text(segments: Iterable[Segment]) -> str:
    """Keys and list positions as a path: `("locations", "a b", "lat")` → `locations["a b"].lat`."""
    text = ""
    for segment in segments:
        if isinstance(segment, int):
            text += f"[{segment}]"
        elif _PLAIN_KEY.fullmatch(segment):
            text += f".{segment}" if text else segment
        else:
            text += f"[{json.dumps(segment)}]"
    return text
