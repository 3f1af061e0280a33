"""A planning problem from a folder of CSV files that a person filled in with a spreadsheet.

Nothing is dropped in silence: every file, column, row and cell is either read or reported, all at once. What
only shows once the document is whole (unknown ids, overlapping shifts, circles) is found by the validation of
documents and reported at the cell it was written in. See docs/importing.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from data.importers.csv_columns import FILES, OPEN_ROUTE, SETTINGS
from data.importers.csv_orders import Document, Sources, add_teams, read_orders
from data.importers.csv_report import Cell, Report, RowError, nearest
from data.importers.csv_table import Row, read_table
from data.importers.csv_values import Reader, entries, part_of, without_nothing
from dispatcher.errors import Issue
from dispatcher.objective import PROFILES
from dispatcher.validate import problem_issues
from dispatcher.validate_values import LIMITS

_KIND_FILES = {
    "engineers": "engineers.csv",
    "locations": "locations.csv",
    "work_orders": "work_orders.csv",
    "skill_graph.skills": "skills.csv",
}
_LAST_SEGMENT = re.compile(r'(\.?[A-Za-z_][A-Za-z0-9_-]*|\[\d+\]|\["(?:[^"\\]|\\.)*"\])$')


@dataclass(frozen=True, slots=True)
class ImportResult:
    """A valid problem document, or None and every error found."""

    document: Document | None
    errors: tuple[RowError, ...]


def import_csv(folder: Path) -> ImportResult:
    """Read a folder of CSV files laid out like the templates.

    Args:
        folder: the folder; its files are described in docs/importing.md.

    Returns:
        The problem document, or the errors: both are never there together. No exception is raised for
        anything in the folder, or for its absence.
    """
    report = Report()
    tables = _tables(folder, report)
    settings = _settings(tables["settings.csv"], report)
    read, settings_read = _reader(settings, report)
    document, sources = _document(tables, settings, read)
    if settings_read:
        # Without a zone or a date every time would be judged by an accident.
        for issue in problem_issues(document):
            _translate(issue, sources, report)
    errors = report.in_order()
    return ImportResult(None if errors else document, errors)


def write_templates(folder: Path) -> tuple[Path, ...]:
    """Write the templates, a small complete example, into a folder (made if need be); returns their paths.

    Raises:
        FileExistsError: one of the files is already there; then nothing is written.
    """
    source = resources.files("data") / "templates"
    targets = {name: folder / name for name in FILES}
    for target in targets.values():
        if target.exists():
            raise FileExistsError(f"{target} is already there")
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in targets.items():
        target.write_bytes((source / name).read_bytes())
    return tuple(targets.values())


def _tables(folder: Path, report: Report) -> dict[str, list[Row]]:
    try:
        present = {path.name.lower(): path for path in sorted(folder.iterdir())}
    except (FileNotFoundError, NotADirectoryError):
        present = {}
    except OSError as error:
        report.file(str(folder), "UNREADABLE_FILE", f"{error.strerror}", "Make the folder readable.")
        report.broken.update(FILES)
        return {name: [] for name in FILES}
    for name, path in present.items():
        if path.suffix.lower() == ".csv" and name not in FILES:
            remedy = nearest(name, FILES, f"Use one of: {', '.join(FILES)}; move other files elsewhere.")
            report.file(path.name, "UNKNOWN_FILE", "no import reads this file", remedy)
    tables = {}
    for name, spec in FILES.items():
        tables[name] = read_table(present[name], spec, report) if name in present else []
        if spec.needed and name not in present:
            remedy = f"Add it, with the columns {', '.join(spec.required)} at least."
            report.file(name, "MISSING_FILE", f"there is no such file in {folder}", remedy)
    return tables


def _settings(rows: list[Row], report: Report) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for row in rows:
        name = row["setting"].text.lower().replace(" ", "_")
        if name not in SETTINGS:
            remedy = nearest(name, SETTINGS, f"Use one of: {', '.join(SETTINGS)}.")
            report.cell(row["setting"], "UNKNOWN_VALUE", f'"{name}" is not a setting', remedy)
        elif name in found:
            report.cell(row["setting"], "DUPLICATE_ID", "the setting stands twice", "Remove one of the two.")
        else:
            found[name] = row["value"]
    if "settings.csv" not in report.broken:
        for name, default in SETTINGS.items():
            if default is None and (name not in found or not found[name].text):
                line = found[name].line if name in found else None
                remedy = "Write a row timezone,Asia/Shanghai and one date,2026-11-23."
                error = RowError("settings.csv", line, "value", "", "MISSING_VALUE", f"{name} is not set", remedy)
                report.errors.append(error)
    return {
        name: found[name] if name in found and found[name].text else Cell("settings.csv", 0, "value", default or "")
        for name, default in SETTINGS.items()
    }


def _reader(settings: Mapping[str, Cell], report: Report) -> tuple[Reader, bool]:
    """The reader for the zone and day of the settings, and whether both were there and right."""
    zone, name = ZoneInfo("UTC"), settings["timezone"]
    sound = bool(name.text and settings["date"].text)
    if name.text:
        zones = available_timezones()
        if name.text in zones:
            zone = ZoneInfo(name.text)
        else:
            sound = False
            remedy = nearest(name.text, zones, "Use a name like Asia/Shanghai or Europe/Berlin.")
            report.cell(name, "BAD_TIMEZONE", f'"{name.text}" is not an IANA time zone', remedy)
    anchor = Reader(report, zone, date(2000, 1, 1))
    day = anchor.day_of(settings["date"])
    return Reader(report, zone, day or anchor.day), sound and day is not None


def _document(tables: Mapping[str, list[Row]], settings: Mapping[str, Cell], read: Reader) -> tuple[Document, Sources]:
    sources: Sources = {}
    locations = _locations(tables["locations.csv"], read, sources)
    engineers = _engineers(tables["engineers.csv"], read, sources)
    _add_shifts(tables["shifts.csv"], engineers, read, sources)
    orders = read_orders(tables["work_orders.csv"], read, sources)
    add_teams(tables["teams.csv"], orders, read, sources)
    graph = _skill_graph(tables["skills.csv"], read, sources)
    document: Document = {
        "version": 1,
        "id": read.text(settings["id"]) or f"import-{read.day.isoformat()}",
        "timezone": read.zone.key,
        "horizon": _horizon(engineers, orders, read),
        "locations": locations,
        "engineers": engineers,
        "work_orders": orders,
        "travel": _travel(settings, read),
        "objective": {"profile": read.choice(settings["profile"], PROFILES)},
    }
    now = read.instant(settings["now"])
    if now is not None:
        document["now"] = read.text_of(now)
    if graph:
        document["skill_graph"] = graph
    return document, sources


def _locations(rows: list[Row], read: Reader, sources: Sources) -> Document:
    locations: Document = {}
    for row in rows:
        name = read.needed(row["location"])
        lat, lon = (
            read.decimal(row[column], -limit, limit, commas=row.comma_decimals)
            for column, limit in (("lat", 90), ("lon", 180))
        )
        for column in ("lat", "lon"):
            read.needed(row[column])
        if name is None:
            continue
        if name in locations:
            read.report.cell(row["location"], "DUPLICATE_ID", f'"{name}" stands twice', "Give each place its own id.")
        if name.lower() == OPEN_ROUTE:
            message = f'"{OPEN_ROUTE}" in shifts.csv means that a route ends anywhere'
            read.report.cell(row["location"], "RESERVED_NAME", message, "Call the place something else.")
        locations[name] = {"lat": lat or 0, "lon": lon or 0}
    sources["locations"] = Cell("locations.csv", 1, "location", "")
    return locations


def _engineers(rows: list[Row], read: Reader, sources: Sources) -> list[Document]:
    engineers: list[Document] = []
    for row in rows:
        path = f"engineers[{len(engineers)}]"
        low, high, decimal_commas = LIMITS.smallest_factor, LIMITS.largest_factor, row.comma_decimals

        def factor(
            cell: Cell, low: float = low, high: float = high, commas: bool = decimal_commas
        ) -> int | float | None:
            return read.decimal(cell, low, high, commas=commas)

        def probability(cell: Cell, commas: bool = decimal_commas) -> int | float | None:
            return read.decimal(cell, 0, 1, commas=commas)

        engineer: Document = {
            "id": read.needed(row["engineer"]),
            "name": read.text(row["name"]),
            "territory": read.text(row["territory"]),
            "skills": read.skills(row["skills"], held=True),
            "speed_factor": factor(row["speed_factor"]),
            "duration_factors": read.amounts(row["duration_factors"], factor, None),
            "fix_probability": read.amounts(row["fix_probability"], probability, None),
            "parts": read.amounts(row["parts"], read.whole, 1),
            "on_call": read.truth(row["on_call"]),
            "attributes": row.attributes(),
        }
        sources[path] = row["engineer"]
        for column in ("skills", "duration_factors", "fix_probability", "parts"):
            sources[f"{path}.{column}"] = row[column]
        engineers.append(without_nothing(engineer) | {"shifts": []})
    return engineers


def _add_shifts(rows: list[Row], engineers: list[Document], read: Reader, sources: Sources) -> None:
    index: dict[str, int] = {}
    for number, engineer in enumerate(engineers):
        index.setdefault(engineer.get("id", ""), number)
    for row in rows:
        name = read.needed(row["engineer"])
        if name is not None and name not in index and "engineers.csv" not in read.report.broken:
            remedy = nearest(name, index, "Use the engineer of a row of engineers.csv.")
            read.report.cell(row["engineer"], "NOT_FOUND", f'"{name}" is not in engineers.csv', remedy)
        owner = index.get(name or "")
        shifts = [] if owner is None else engineers[owner]["shifts"]
        path = f"engineers[{owner}].shifts[{len(shifts)}]"
        shifts.append(_shift(row, len(shifts) + 1, read))
        if owner is None:
            continue
        sources[path] = row["shift"] if row["shift"].text else row["start"]
        for column in ("start", "end", "latest_end", "start_location", "end_location", "breaks"):
            sources[f"{path}.{column}"] = row[column]


def _shift(row: Row, number: int, read: Reader) -> Document:
    day = read.day_of(row["date"]) or read.day
    for column in ("start", "end"):
        read.needed(row[column])
    start = read.instant(row["start"], day)
    end = read.after(row["end"], day, start)
    latest = read.after(row["latest_end"], day, end)
    shift: Document = {
        "id": read.text(row["shift"]) or str(number),
        "start": None if start is None else read.text_of(start),
        "end": None if end is None else read.text_of(end),
        "latest_end": None if latest is None else read.text_of(latest),
        "start_location": read.needed(row["start_location"]),
        "breaks": [found for entry in entries(row["breaks"]) if (found := _break(entry, day, start, read))],
        "max_work_orders": read.whole(row["max_work_orders"]),
        "attributes": row.attributes(),
    }
    home = read.text(row["end_location"])
    found = without_nothing(shift)
    if home:
        found["end_location"] = None if home.lower() == OPEN_ROUTE else home
    return found


def _break(cell: Cell, day: date, shift_start: int | None, read: Reader) -> Document | None:
    """`11:30-13:00/45`: starts in the span, lasts 45 minutes; before the shift's start is the next day."""
    window, slash, minutes = (part.strip() for part in cell.text.rpartition("/"))
    if not slash:
        read.bad_entry(cell, "11:30-13:00/45")
        return None
    span, duration = read.span(part_of(cell, window), day), read.seconds(part_of(cell, minutes))
    if span is None or duration is None:
        return None
    if shift_start is not None and span[1] < shift_start:
        span = read.span(part_of(cell, window), day + timedelta(days=1)) or span
    return {
        "earliest_start": read.text_of(span[0]),
        "latest_start": read.text_of(span[1]),
        "duration_seconds": duration,
    }


def _skill_graph(rows: list[Row], read: Reader, sources: Sources) -> Document:
    skills: list[Document] = []
    relations: list[Document] = []
    for row in rows:
        name = read.needed(row["skill"])
        if name is None:
            continue
        sources[f"skill_graph.skills[{len(skills)}]"] = row["skill"]
        skills.append({"id": name})
        for entry in entries(row["implies"]) + entries(row["substitutes"]):
            sources[f"skill_graph.relations[{len(relations)}]"] = entry
            relations.append(_relation(name, entry, read, row.comma_decimals))
    return {"skills": skills, "relations": relations} if skills else {}


def _relation(skill: str, cell: Cell, read: Reader, commas: bool) -> Document:
    """`to`, `to:loss` and, of substitutes, `to:loss:factor:penalty`."""
    target, *amounts = (part.strip() for part in cell.text.split(":"))
    substitutes = cell.column == "substitutes"
    relation: Document = {"type": cell.column, "from": skill, "to": target}
    if not target or "" in amounts or len(amounts) > (3 if substitutes else 1):
        read.bad_entry(cell, "hydraulics:1:1.3:600" if substitutes else "hydraulics.pump:1")
        return relation
    bounds = (
        ("level_loss", 0, 4),
        ("duration_factor", LIMITS.smallest_factor, LIMITS.largest_factor),
        ("penalty", 0, LIMITS.value),
    )
    for (key, low, high), written in zip(bounds, amounts, strict=False):
        found = part_of(cell, written)
        if key == "level_loss":
            relation[key] = read.whole(found, int(low), int(high))
        else:
            relation[key] = read.decimal(found, low, high, commas=commas)
    return relation


def _travel(settings: Mapping[str, Cell], read: Reader) -> Document:
    traffic = []
    for entry in entries(settings["traffic"]):
        match = re.fullmatch(r"(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})\s*/\s*(\S+)", entry.text)
        if match is None:
            read.bad_entry(entry, "07:00-09:30/1.6")
            continue
        factor = read.decimal(part_of(entry, match[3]), LIMITS.smallest_factor, LIMITS.largest_factor)
        if factor is not None:
            traffic.append({"from": match[1].zfill(5), "to": match[2].zfill(5), "factor": factor})
    speed = read.decimal(settings["speed_kmh"], LIMITS.smallest_speed_kmh, LIMITS.largest_speed_kmh)
    detour = read.decimal(settings["detour_factor"], LIMITS.smallest_factor, LIMITS.largest_factor)
    travel = {"kind": "geodesic", "speed_kmh": speed, "detour_factor": detour, "traffic": traffic}
    return without_nothing(travel)


def _horizon(engineers: list[Document], orders: list[Document], read: Reader) -> Document:
    """The planned day, stretched to hold every shift and time window."""
    midnights = (datetime.combine(read.day + timedelta(days=days), time(), read.zone) for days in (0, 1))
    written = [midnight.isoformat() for midnight in midnights]
    written += [
        shift[key]
        for engineer in engineers
        for shift in engineer["shifts"]
        for key in ("start", "end", "latest_end")
        if shift.get(key)
    ]
    written += [window[key] for order in orders for window in order.get("time_windows", ()) for key in window]
    instants = [int(datetime.fromisoformat(text).timestamp()) for text in written]
    return {"start": read.text_of(min(instants)), "end": read.text_of(max(instants))}


def _translate(issue: Issue, sources: Sources, report: Report) -> None:
    """An issue of the document as an error at the cell it comes from."""
    kind = issue.params.get("kind")
    if issue.code == "NOT_FOUND" and _KIND_FILES.get(str(kind)) in report.broken:
        return
    cell = _source(issue.path, sources) or Cell("settings.csv", 0, "value", "")
    message, first = issue.message, issue.params.get("first")
    if isinstance(first, str) and (origin := _source(first, sources)) is not None:
        message = message.replace(f"at {first}", f"in {origin.file}, line {origin.line}")
    remedy = issue.remedy
    for name, file in _KIND_FILES.items():
        message, remedy = (text.replace(f"`{name}`", file) for text in (message, remedy))
    report.errors.append(RowError(cell.file, cell.line or None, cell.column, cell.text, issue.code, message, remedy))


def _source(path: str, sources: Sources) -> Cell | None:
    while path:
        if path in sources:
            return sources[path]
        path = _LAST_SEGMENT.sub("", path)
    return None
