"""The errors a caller may meet, as one tree, and the issues of a document.

    MusterError
    ├── InvalidInput    a document that cannot be read; carries every issue found, not only the first
    ├── NoResult        an engine ended without a plan
    ├── UnknownEngine   `solve.engine` names none of the engines there are
    └── PlanRefused     a plan the product made itself failed its checks; it is never published

An issue is data: a stable code with parameters, beside a message and a remedy in English. `ISSUE_CODES` is
the catalogue of codes; docs/errors.md explains each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ISSUE_CODES: Mapping[str, str] = {
    "UNREADABLE_FILE": "the file cannot be read",
    "UNWRITABLE_FILE": "the file cannot be written",
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
    "BAD_TIMEZONE": "not a time zone of the IANA database",
    "DUPLICATE_ID": "an id stands twice in its list",
    "NOT_FOUND": "an id that nothing in the problem has",
    "SELF_REFERENCE": "a work order that names itself",
    "CYCLE": "work orders that wait for each other in a circle",
    "EXACTLY_ONE": "one of two fields is needed, and only one",
    "ORDER": "the first of two bounds lies after the second",
    "OUTSIDE_HORIZON": "a time outside the horizon",
    "OVERLAP": "two intervals that must be apart overlap",
    "IMPLIES_WITH_PRICE": "an implies relation with a factor or a penalty",
    "TEAM_WITHOUT_ON_SITE_ROLE": "a team in which nobody has to be on site",
    "TEAM_ROLE_SIZE": "a role whose max is below its min",
    "TEAM_LEAD_FIRST": "a lead_first arrival without exactly one lead who arrives",
    "MATRIX_SIZE": "a travel matrix that is not n × n",
    "MATRIX_CELLS": "more wrong cells in a matrix than are listed one by one",
    "MISSING_METERS": "`distance` has weight, but the matrix has no meters",
    "SKILL_GRAPH_TANGLED": "substitutions that search cannot untangle",
    "COST_TOO_LARGE": "a cost might not fit into 63 bits",
}
"""Every code of an issue, with its meaning in half a line."""

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


class NoResult(MusterError):  # noqa: N818
    """An engine ended without a plan, for instance because it was cancelled before its first one."""


class UnknownEngine(MusterError):  # noqa: N818
    """`solve.engine` names none of the engines there are."""


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
