"""Resolved orders from a CSV file: what the history of a crew is learnt from. docs/skills.md explains the columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from data.importers.csv_columns import FileSpec
from data.importers.csv_report import Cell, Report, RowError
from data.importers.csv_table import Row, read_table
from data.importers.csv_values import Reader
from dispatcher.validate_values import read_instant
from skills.history import ResolvedOrder

REQUIRED = ("engineer", "skill", "resolved_at")
OPTIONAL = ("asset_model", "first_time_fix", "actual_minutes", "estimated_minutes")


@dataclass(frozen=True, slots=True)
class ResolvedFile:
    """The orders of a file, or every error found; both are never there together."""

    orders: tuple[ResolvedOrder, ...]
    errors: tuple[RowError, ...]


def read_resolved(path: Path) -> ResolvedFile:
    """Read a CSV file with one row per engineer, skill and resolved order.

    No exception is raised for anything in the file, or for its absence.
    """
    report = Report()
    # Every time has its own offset, so neither zone nor day of the reader counts.
    read = Reader(report, ZoneInfo("UTC"), date(1970, 1, 1))
    rows = read_table(path, FileSpec(path.name, True, REQUIRED, OPTIONAL), report)
    orders = [_order(row, read) for row in rows]
    errors = report.in_order()
    return ResolvedFile(() if errors else tuple(order for order in orders if order is not None), errors)


def _order(row: Row, read: Reader) -> ResolvedOrder | None:
    """The order of a row; None where anything in it is wrong, which is reported."""
    before = len(read.report.errors)
    engineer, skill = read.needed(row["engineer"]), read.needed(row["skill"])
    resolved_at = _instant(row["resolved_at"], read)
    model, fixed = read.text(row["asset_model"]), read.truth(row["first_time_fix"])
    actual, estimated = (_seconds(row[name], read) for name in ("actual_minutes", "estimated_minutes"))
    if len(read.report.errors) > before or engineer is None or skill is None or resolved_at is None:
        return None
    return ResolvedOrder(engineer, skill, resolved_at, model, fixed, actual, estimated)


def _instant(cell: Cell, read: Reader) -> int | None:
    """A day, whose beginning in UTC is near enough, or a time with its offset."""
    if read.needed(cell) is None:
        return None
    if len(cell.text) <= len("2026-11-20"):
        day = read.day_of(cell)
        return None if day is None else int(datetime.combine(day, time(), UTC).timestamp())
    try:
        return read_instant(cell.text)
    except ValueError:
        remedy = "Write a day, 2026-11-20, or a time with its offset, 2026-11-20T14:30:00+08:00."
        read.report.cell(cell, "BAD_TIME", f'"{cell.text}" is neither a day nor a time with an offset', remedy)
        return None


def _seconds(cell: Cell, read: Reader) -> int | None:
    seconds = read.seconds(cell)
    if seconds is not None and seconds < 1:
        read.report.cell(cell, "OUT_OF_RANGE", "no work takes no time at all", "Leave it empty where it is not known.")
    return seconds
