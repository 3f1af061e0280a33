"""Reading cells: numbers, local times and the short notations of lists.

Every reader takes a cell, reports what is wrong with it and then returns None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from data.importers.csv_report import Cell, Report, nearest
from dispatcher.validate_values import LIMITS

T = TypeVar("T")

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")
_DATE = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_LOCAL = re.compile(rf"(?:(?P<date>{_DATE})[ T]+)?(?P<time>{_TIME})")
_SPAN = re.compile(
    rf"(?:(?P<date1>{_DATE})[ T]+)?(?P<time1>{_TIME})\s*[-–]\s*(?:(?P<date2>{_DATE})[ T]+)?(?P<time2>{_TIME})"
)
_OFFSET = re.compile(rf"{_DATE}[ T]{_TIME}(Z|[+-]\d{{2}}:?\d{{2}})")
_SKILL = re.compile(r"(?P<skill>[^:@]+)(?::(?P<level>[^@]*))?(?:@(?P<until>.+))?")
_TRUE, _FALSE = ("yes", "true", "1", "x", "y"), ("no", "false", "0", "n")

TIME_REMEDY = "Write a local time such as 08:00, or with its day 2026-11-23 08:00."


def entries(cell: Cell) -> list[Cell]:
    """The entries of a list in one cell, separated by semicolons."""
    parts = (part.strip() for part in cell.text.split(";"))
    return [Cell(cell.file, cell.line, cell.column, part) for part in parts if part]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the cells of one import: local times of the planned day are in `zone`."""

    report: Report
    zone: ZoneInfo
    day: date

    def needed(self, cell: Cell) -> str | None:
        """The text of a cell that may not be empty, as an id."""
        if not cell.text:
            # A column that is not there was reported once, for the file.
            if not cell.absent:
                self.report.cell(cell, "MISSING_VALUE", "the cell is empty", "Fill it in.")
            return None
        return self.text(cell)

    def text(self, cell: Cell) -> str | None:
        if len(cell.text) > LIMITS.id_length:
            message = f"the text has {len(cell.text)} characters"
            self.report.cell(cell, "OUT_OF_RANGE", message, f"Use at most {LIMITS.id_length}.")
            return None
        return cell.text or None

    def choice(self, cell: Cell, known: Iterable[str]) -> str | None:
        names = list(known)
        found = {name.lower(): name for name in names}.get(cell.text.lower())
        if cell.text and found is None:
            remedy = nearest(cell.text, names, f"Use one of: {', '.join(names)}.")
            self.report.cell(cell, "UNKNOWN_VALUE", f'"{cell.text}" is none of the known values', remedy)
        return found

    def truth(self, cell: Cell) -> bool | None:
        text = cell.text.lower()
        if text and text not in (*_TRUE, *_FALSE):
            self.report.cell(cell, "UNKNOWN_VALUE", f'"{cell.text}" is neither yes nor no', "Write yes or no.")
        return text in _TRUE if text in (*_TRUE, *_FALSE) else None

    def decimal(self, cell: Cell, low: float, high: float, *, commas: bool = False) -> int | float | None:
        """A number within its bounds; a decimal comma only where commas do not separate cells."""
        written = cell.text.replace(",", ".") if commas and _COMMA_NUMBER.fullmatch(cell.text) else cell.text
        if not written:
            return None
        if not _NUMBER.fullmatch(written):
            self._no_number(cell)
            return None
        value = float(written)
        if not low <= value <= high:
            message = f"{cell.text} lies outside {low:g} to {high:g}"
            self.report.cell(cell, "OUT_OF_RANGE", message, "Correct the number.")
            return None
        return int(value) if value.is_integer() else value

    def whole(self, cell: Cell, low: int = 0, high: int = LIMITS.count) -> int | None:
        value = self.decimal(cell, low, high)
        if isinstance(value, float):
            self.report.cell(cell, "BAD_NUMBER", f"{cell.text} is not a whole number", "Write a whole number.")
            return None
        return value

    def seconds(self, cell: Cell) -> int | None:
        """Minutes as seconds: 1.5 → 90. A comma is refused: 1,200 might be read as 1.2."""
        if not cell.text:
            return None
        if not _NUMBER.fullmatch(cell.text):
            self._no_number(cell)
            return None
        seconds = Fraction(cell.text) * 60
        if seconds.denominator != 1:
            self.report.cell(
                cell, "BAD_NUMBER", f"{cell.text} minutes are no whole seconds", "Round it to whole seconds."
            )
            return None
        if not 0 <= seconds <= LIMITS.duration_seconds:
            self.report.cell(
                cell,
                "OUT_OF_RANGE",
                f"{cell.text} minutes are less than 0 or too long",
                "Correct the number.",
            )
            return None
        return int(seconds)

    def _no_number(self, cell: Cell) -> None:
        remedy = "Write digits, with a point for decimals and nothing between thousands: 1200 or 1.5."
        self.report.cell(cell, "BAD_NUMBER", f'"{cell.text}" is not a number', remedy)

    def day_of(self, cell: Cell) -> date | None:
        if not cell.text:
            return None
        found = _as_date(cell.text)
        if found is None:
            self.report.cell(cell, "BAD_TIME", f'"{cell.text}" is not a date', "Write year, month, day: 2026-11-23.")
        return found

    def instant(self, cell: Cell, day: date | None = None) -> int | None:
        """Epoch seconds of a local time on `day` (by default the planned one), or of a time with its day."""
        if not cell.text:
            return None
        match = _LOCAL.fullmatch(cell.text)
        if match is not None:
            return self._local(cell, match["date"], match["time"], day or self.day)
        if _OFFSET.fullmatch(cell.text) and _as_date(cell.text[:10]):
            try:
                return int(datetime.fromisoformat(cell.text.replace("/", "-")).timestamp())
            except ValueError:
                pass
        self._bad_time(cell)
        return None

    def span(self, cell: Cell, day: date | None = None) -> tuple[int, int] | None:
        """`08:00-12:00`, each end with its day if need be; an end before its start is on the next day."""
        match = _SPAN.fullmatch(cell.text)
        if match is None:
            self.report.cell(cell, "BAD_TIME", f'"{cell.text}" is not a span of time', "Write it as 08:00-12:00.")
            return None
        start_day = day or self.day
        if match["date1"] is not None:
            start_day = _as_date(match["date1"]) or start_day
        start = self._local(cell, match["date1"], match["time1"], start_day)
        end = self._local(cell, match["date2"], match["time2"], start_day)
        if start is None or end is None:
            return None
        if match["date2"] is None and end < start:
            end = self._local(cell, None, match["time2"], start_day + timedelta(days=1))
        return None if end is None else (start, end)

    def after(self, cell: Cell, day: date, earlier: int | None) -> int | None:
        """A local time that, written without a day, lies after another one: on the next day if need be."""
        found = self.instant(cell, day)
        bare = _LOCAL.fullmatch(cell.text)
        if found is None or earlier is None or found >= earlier or bare is None or bare["date"]:
            return found
        return self._local(cell, None, bare["time"], day + timedelta(days=1))

    def _local(self, cell: Cell, written_day: str | None, clock: str, day: date) -> int | None:
        chosen = day if written_day is None else _as_date(written_day)
        hours, minutes, *rest = (int(part) for part in clock.split(":"))
        seconds = rest[0] if rest else 0
        if chosen is None or minutes > 59 or seconds > 59 or hours * 3600 + minutes * 60 + seconds > 86_400:
            self._bad_time(cell)
            return None
        wall = datetime.combine(chosen, time()) + timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return self._instant_of(cell, wall)

    def _instant_of(self, cell: Cell, wall: datetime) -> int | None:
        first, second = (wall.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        offset = "Write the offset with it, as in 2026-11-23T02:30+01:00."
        if first.utcoffset() != second.utcoffset():
            exists = first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) == wall
            code = "AMBIGUOUS_TIME" if exists else "NONEXISTENT_TIME"
            happens = "happens twice" if exists else "does not happen"
            message = f"{wall:%Y-%m-%d %H:%M} {happens} in {self.zone.key}, because the clock is changed"
            self.report.cell(cell, code, message, offset)
            return None
        return int(first.timestamp())

    def _bad_time(self, cell: Cell) -> None:
        self.report.cell(cell, "BAD_TIME", f'"{cell.text}" is not a time', TIME_REMEDY)

    def text_of(self, instant: int) -> str:
        return datetime.fromtimestamp(instant, UTC).astimezone(self.zone).isoformat()

    def skills(self, cell: Cell, *, held: bool = False) -> list[dict[str, Any]]:
        """`hydraulics:4;electrics`; held ones also `hydraulics:4@2027-01-01`, valid to that day's end."""
        found = []
        for entry in entries(cell):
            match = _SKILL.fullmatch(entry.text)
            if match is None or (match["until"] and not held):
                self.bad_entry(entry, "hydraulics:4" + ("@2027-01-01" if held else ""))
                continue
            item: dict[str, Any] = {"skill": match["skill"].strip()}
            if match["level"] is not None:
                level = self.whole(part_of(entry, match["level"]), 1, 5)
                if level is None:
                    continue
                item["level"] = level
            if match["until"]:
                until = self._valid_until(part_of(entry, match["until"]))
                if until is None:
                    continue
                item["valid_until"] = self.text_of(until)
            found.append(item)
        return found

    def _valid_until(self, cell: Cell) -> int | None:
        if not re.fullmatch(_DATE, cell.text):
            return self.instant(cell)
        last_day = self.day_of(cell)
        if last_day is None:
            return None
        midnight = datetime.combine(last_day + timedelta(days=1), time(), self.zone)
        return int(midnight.timestamp()) - 1

    def amounts(self, cell: Cell, read: Callable[[Cell], T | None], default: T | None) -> dict[str, T]:
        """`P-12:2;P-7`: names with an amount each; without a default the amount has to be there."""
        found: dict[str, T] = {}
        for entry in entries(cell):
            name, colon, written = (part.strip() for part in entry.text.partition(":"))
            if not name or name in found or (colon and not written) or (not colon and default is None):
                twice = " twice" if name in found else ""
                self.bad_entry(entry, "name:2;other:1, each name once" if twice else "name:2")
                continue
            amount = read(part_of(entry, written)) if colon else default
            if amount is not None:
                found[name] = amount
        return found

    def names(self, cell: Cell) -> list[str]:
        return [name for entry in entries(cell) if (name := self.text(entry))]

    def gaps(self, cell: Cell) -> dict[str, int] | None:
        """`30-240` or `30`: minutes at least and at most."""
        smallest, dash, largest = (part.strip() for part in cell.text.partition("-"))
        found: dict[str, int] = {}
        for key, written in (("min_gap_seconds", smallest), ("max_gap_seconds", largest)):
            if not written and (key == "min_gap_seconds" or dash):
                self.bad_entry(cell, "W1/30-240")
                return None
            if written:
                seconds = self.seconds(part_of(cell, written))
                if seconds is None:
                    return None
                found[key] = seconds
        return found

    def bad_entry(self, cell: Cell, example: str) -> None:
        """Reports an entry of a list that is not in its notation; `example` is."""
        self.report.cell(
            cell, "BAD_ENTRY", f'"{cell.text}" is not written as this column needs it', f"Write {example}."
        )


def part_of(cell: Cell, text: str) -> Cell:
    return Cell(cell.file, cell.line, cell.column, text.strip())


def _as_date(text: str) -> date | None:
    year, month, day = (int(part) for part in re.split(r"[-/]", text)) if re.fullmatch(_DATE, text) else (0, 0, 0)
    try:
        return date(year, month, day) if LIMITS.first_year < year < LIMITS.last_year else None
    except ValueError:
        return None


def without_nothing(item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something: no None, no empty list, object or text; a 0 says something."""
    return {key: value for key, value in item.items() if value not in (None, [], {}, "")}
