"""What an import has to say about a folder of CSV files: errors that point at a cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

IMPORT_CODES: Mapping[str, str] = {
    "MISSING_FILE": "a file that every import needs is not in the folder",
    "UNKNOWN_FILE": "a CSV file that no import reads",
    "UNREADABLE_FILE": "the file, or the folder, cannot be opened",
    "ENCODING": "the bytes are not UTF-8, and not UTF-16 with a byte order mark either",
    "EMPTY_FILE": "a file without a header line",
    "BAD_QUOTES": "quotation marks that do not pair up",
    "MISSING_COLUMN": "a column that every row needs is absent",
    "UNKNOWN_COLUMN": "a column that no import reads",
    "DUPLICATE_COLUMN": "a column stands twice in the header",
    "RAGGED_ROW": "a row with more or fewer cells than the header",
    "MISSING_VALUE": "an empty cell where a value is needed",
    "BAD_NUMBER": "not a number",
    "BAD_TIME": "not a date or a time",
    "NONEXISTENT_TIME": "a local time that the change of the clock skips",
    "AMBIGUOUS_TIME": "a local time that the change of the clock repeats",
    "BAD_ENTRY": "an entry of a list that is not written as its column needs it",
    "RESERVED_NAME": "an id that has a meaning of its own",
    "CONFLICT": "two rows that say different things about one team",
}
"""Codes of the importer itself; cells that cannot be meant carry the codes of planning documents."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong with a folder of CSV files.

    Attributes:
        file: name of the file.
        line: line of the file as a text editor counts it, from 1; None where the file as a whole is meant.
        column: name of the column; None where the line as a whole is meant.
        value: the cell as written.
        code: one of `IMPORT_CODES` or `dispatcher.errors.ISSUE_CODES`.
        message, remedy: what was found, and what to do about it.
    """

    file: str
    line: int | None
    column: str | None
    value: str | None
    code: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place += f", line {self.line}"
        if self.column is not None:
            place += f", column {self.column}"
        return f"{place}: {self.message} ({self.code}). {self.remedy}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, without white space around it; `absent` says that the file has no such column."""

    file: str
    line: int
    column: str
    text: str
    absent: bool = False


@dataclass(slots=True)
class Report:
    """Collects every error of an import. `broken` holds files of which not every row could be read."""

    errors: list[RowError] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def cell(self, cell: Cell, code: str, message: str, remedy: str) -> None:
        self.errors.append(RowError(cell.file, cell.line, cell.column, cell.text, code, message, remedy))

    def file(
        self,
        file: str,
        code: str,
        message: str,
        remedy: str,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        """An error that leaves rows of the file unread."""
        self.broken.add(file)
        self.errors.append(RowError(file, line, column, None, code, message, remedy))

    def in_order(self) -> tuple[RowError, ...]:
        return tuple(sorted(self.errors, key=lambda error: (error.file, error.line or 0)))


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """`Did you mean "engineer"?`, or the other remedy where nothing is near."""
    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.7)
    return f'Did you mean "{near[0]}"?' if near else otherwise
