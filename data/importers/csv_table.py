"""Reading one CSV file as people save it: any of three delimiters, with or without a byte order mark."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.importers.csv_columns import ATTRIBUTE_PREFIX, FileSpec
from data.importers.csv_report import Cell, Report, nearest

_SAVE_AS_UTF8 = 'Save the file again as "CSV UTF-8": in Excel that is one of the file types of "Save as".'


@dataclass(frozen=True, slots=True)
class Row:
    """A row by column; every column of the file's specification is there, absent ones with an empty text."""

    file: str
    line: int
    cells: dict[str, Cell]
    comma_decimals: bool

    def __getitem__(self, column: str) -> Cell:
        return self.cells.get(column) or Cell(self.file, self.line, column, "", absent=True)

    def attributes(self) -> dict[str, str]:
        """What the columns `attributes.…` hold, without the empty ones."""
        return {
            name.removeprefix(ATTRIBUTE_PREFIX): cell.text
            for name, cell in self.cells.items()
            if name.startswith(ATTRIBUTE_PREFIX) and cell.text
        }


def read_table(path: Path, spec: FileSpec, report: Report) -> list[Row]:
    """The rows of a file; whatever keeps a row from being read is reported."""
    text = _decode(path, spec.name, report)
    if text is None:
        return []
    delimiter, text, skipped = _delimiter(text, spec)
    lines = _records(text, delimiter, spec.name, skipped, report)
    header: list[str] | None = None
    rows = []
    for line, record in lines:
        cells = [cell.strip().strip("\ufeff") for cell in record]
        if not any(cells):
            continue
        if header is None:
            header = _header(cells, spec, line, report)
            continue
        if len(cells) > len(header) and not any(cells[len(header) :]):
            cells = cells[: len(header)]
        if len(cells) != len(header):
            quoting = ' A cell that holds the delimiter needs quotation marks: "a;b".'
            report.file(
                spec.name,
                "RAGGED_ROW",
                f"the row has {len(cells)} cells, the header has {len(header)}",
                f"Give each row as many cells as the header.{quoting}",
                line=line,
            )
            continue
        named = zip(header, cells, strict=True)
        found = {name: Cell(spec.name, line, name, text) for name, text in named if name}
        rows.append(Row(spec.name, line, found, comma_decimals=delimiter != ","))
    if header is None and spec.name not in report.broken:
        report.file(spec.name, "EMPTY_FILE", "the file has no header line", f"Start with: {','.join(spec.required)}")
    return rows


def _decode(path: Path, name: str, report: Report) -> str | None:
    try:
        raw = path.read_bytes()
    except OSError as error:
        report.file(name, "UNREADABLE_FILE", f"{error.strerror}", "Make the file readable.")
        return None
    marked = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    encoding = "utf-16" if marked else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = None if marked else raw.count(b"\n", 0, error.start) + 1
        report.file(
            name,
            "ENCODING",
            f"byte {error.start} is not {encoding.upper()[:6].rstrip('-')} text",
            _SAVE_AS_UTF8,
            line,
        )
        return None
    if "\0" in text:
        report.file(name, "ENCODING", "there are NUL characters, as in UTF-16 without a mark", _SAVE_AS_UTF8)
        return None
    return text


def _delimiter(text: str, spec: FileSpec) -> tuple[str, str, int]:
    """The delimiter that makes the most of the first line; a line `sep=;` of Excel's is taken at its word.

    Returns the delimiter, the text to read and the number of lines left out before it.
    """
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4], rest, 1
    known = set(spec.columns)

    def score(delimiter: str) -> int:
        return sum(_column(name.strip('"')) in known for name in first.split(delimiter))

    return max(",;\t", key=score), text, 0


def _records(text: str, delimiter: str, name: str, skipped: int, report: Report) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1 + skipped
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            report.file(
                name,
                "BAD_QUOTES",
                f"the row cannot be read ({error}); the rest of the file was not looked at",
                'Close every quotation mark, and write one inside a cell twice: "a ""b"" c".',
                line=line,
            )
            return


def _header(cells: list[str], spec: FileSpec, line: int, report: Report) -> list[str]:
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = _column(cell)
        carried = spec.attributes and name.startswith(ATTRIBUTE_PREFIX) and name != ATTRIBUTE_PREFIX
        if name in names and name:
            report.file(spec.name, "DUPLICATE_COLUMN", "the column stands twice", "Remove one of the two.", line, name)
            name = ""
        elif not carried and name not in spec.columns:
            known = ", ".join(spec.columns)
            also = f" Data of your own goes into columns {ATTRIBUTE_PREFIX}…" if spec.attributes else ""
            report.file(
                spec.name,
                "UNKNOWN_COLUMN",
                f"{cell!r} is not a column of this file" if cell else f"column {number} has no name",
                nearest(name, spec.columns, f"Use one of: {known}.{also}"),
                line,
                cell or None,
            )
            name = ""
        names.append(name)
    for name in spec.required:
        if name not in names:
            report.file(spec.name, "MISSING_COLUMN", "the column is missing", "Add the column.", line, name)
    return names


def _column(cell: str) -> str:
    name = cell.strip().strip("\ufeff")
    if name.lower().startswith(ATTRIBUTE_PREFIX):
        return ATTRIBUTE_PREFIX + name[len(ATTRIBUTE_PREFIX) :].strip()
    return name.lower().replace(" ", "_").replace("-", "_")
