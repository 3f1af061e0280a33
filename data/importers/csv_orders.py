"""Work orders and their teams, from work_orders.csv and teams.csv."""

from __future__ import annotations

from typing import Any

from data.importers.csv_report import Cell, nearest
from data.importers.csv_table import Row
from data.importers.csv_values import Reader, entries, part_of, without_nothing
from dispatcher.model import LEVELS
from dispatcher.validate_values import LIMITS

Document = dict[str, Any]
Sources = dict[str, Cell]
"""Where a place of the document, such as `work_orders[3].time_windows`, was written."""

PRESENCES = ("on_site", "remote", "standby")
ARRIVALS = ("together", "staggered", "lead_first")
_TEAM_COLUMNS = ("arrival", "min_gap_minutes", "max_gap_minutes", "collective_skills", "minutes_by_size")


def read_orders(rows: list[Row], read: Reader, sources: Sources) -> list[Document]:
    orders: list[Document] = []
    for row in rows:
        path = f"work_orders[{len(orders)}]"
        order: Document = {
            "id": read.needed(row["work_order"]),
            "location": read.needed(row["location"]),
            "territory": read.text(row["territory"]),
            "service_seconds": read.seconds(row["service_minutes"]) if read.needed(row["service_minutes"]) else None,
            "setup_seconds": read.seconds(row["setup_minutes"]),
            "level": read.choice(row["level"], LEVELS),
            "value": read.decimal(row["value"], 0, LIMITS.value),
            "required_skills": read.skills(row["skills"]),
            "time_windows": [
                {"start": read.text_of(span[0]), "end": read.text_of(span[1])}
                for entry in entries(row["time_windows"])
                if (span := read.span(entry))
            ],
            "deadlines": _deadlines(row, read),
            "parts": read.amounts(row["parts"], read.whole, 1),
            "asset": read.text(row["asset"]),
            "depends_on": [found for entry in entries(row["depends_on"]) if (found := _dependency(entry, read))],
            "pin": _pin(row, read),
            "attributes": row.attributes(),
        }
        for column in ("allowed_engineers", "excluded_engineers", "preferred_engineers", "related_to"):
            order[column] = read.names(row[column])
            sources[f"{path}.{column}"] = row[column]
        _remember(path, row, sources)
        orders.append(without_nothing(order))
    return orders


def _remember(path: str, row: Row, sources: Sources) -> None:
    for name, column in (
        ("", "work_order"),
        (".location", "location"),
        (".required_skills", "skills"),
        (".time_windows", "time_windows"),
        (".depends_on", "depends_on"),
        (".pin", "pin_engineer"),
        (".value", "value"),
        (".parts", "parts"),
    ):
        sources[path + name] = row[column]


def _deadlines(row: Row, read: Reader) -> Document:
    found = {column: read.instant(row[column]) for column in ("arrive_by", "start_by", "restore_by")}
    return {column: read.text_of(instant) for column, instant in found.items() if instant is not None}


def _dependency(cell: Cell, read: Reader) -> Document | None:
    """`W1`, `W1/30-240` with gaps in minutes, or `@10:30/0-60` for work that was done then."""
    named, slash, gaps = (part.strip() for part in cell.text.partition("/"))
    if cell.text.startswith("@"):
        # A date may be written with slashes too: the gaps follow the last one.
        named, slash, gaps = cell.text, "", ""
        if cell.text.count("/") in (1, 3):
            named, slash, gaps = (part.strip() for part in cell.text.rpartition("/"))
    found = read.gaps(part_of(cell, gaps)) if slash else {}
    if found is None or not named.strip("@ "):
        if found is not None:
            read.bad_entry(cell, "W1 or @10:30")
        return None
    if not named.startswith("@"):
        return {"work_order": named, **found}
    done = read.instant(part_of(cell, named[1:]))
    return None if done is None else {"completed_at": read.text_of(done), **found}


def _pin(row: Row, read: Reader) -> Document | None:
    engineer, start = read.text(row["pin_engineer"]), read.instant(row["pin_start"])
    if engineer is None:
        if row["pin_start"].text:
            remedy = "Name the engineer, or empty pin_start."
            read.report.cell(row["pin_engineer"], "MISSING_VALUE", "pin_start is given without an engineer", remedy)
        return None
    return {"engineer": engineer} | ({} if start is None else {"start": read.text_of(start)})


def add_teams(rows: list[Row], orders: list[Document], read: Reader, sources: Sources) -> None:
    """Give orders their teams: a row is a role; what concerns the whole team stands in any of its rows."""
    index = {order["id"]: number for number, order in enumerate(orders) if "id" in order}
    for row in rows:
        name = read.needed(row["work_order"])
        if name is None:
            continue
        if name not in index:
            if "work_orders.csv" not in read.report.broken:
                remedy = nearest(name, index, "Use the work_order of a row of work_orders.csv.")
                message = f'"{name}" is not in work_orders.csv'
                read.report.cell(row["work_order"], "NOT_FOUND", message, remedy)
            continue
        order = orders[index[name]]
        path = f"work_orders[{index[name]}].team"
        team = order.setdefault("team", {"roles": []})
        place = f"{path}.roles[{len(team['roles'])}]"
        team["roles"].append(_role(row, read))
        sources.setdefault(path, row["role"])
        sources |= {
            place: row["role"],
            f"{place}.max": row["max"],
            f"{place}.required_skills": row["skills"],
        }
        _team_cells(row, team, path, read, sources)
    for order in orders:
        if "team" in order:
            order["team"] = _team(order["team"])


def _role(row: Row, read: Reader) -> Document:
    role = {
        "role": read.needed(row["role"]),
        "min": read.whole(row["min"]),
        "max": read.whole(row["max"]),
        "required_skills": read.skills(row["skills"]),
        "presence": read.choice(row["presence"], PRESENCES),
        "service_seconds": read.seconds(row["service_minutes"]),
    }
    return without_nothing(role)


def _team_cells(row: Row, team: Document, path: str, read: Reader, sources: Sources) -> None:
    said = team.setdefault("said", {})
    for column in _TEAM_COLUMNS:
        cell = row[column]
        if not cell.text:
            continue
        before = said.setdefault(column, cell)
        if before.text != cell.text:
            message = f'line {before.line} says "{before.text}" for the same team'
            read.report.cell(cell, "CONFLICT", message, "Say it once, or twice the same.")
        elif before is cell:
            sources[f"{path}.arrival" if column.endswith("minutes") else f"{path}.{column}"] = cell
            team[column] = _team_value(column, cell, read)


def _team_value(column: str, cell: Cell, read: Reader) -> Any:
    if column == "arrival":
        return read.choice(cell, ARRIVALS)
    if column == "collective_skills":
        return read.skills(cell)
    if column == "minutes_by_size":
        sizes = read.amounts(cell, read.seconds, None)
        for size in sizes:
            read.whole(part_of(cell, size), 1)
        return sizes
    return read.seconds(cell)


def _team(read_so_far: Document) -> Document:
    arrival = {
        "mode": read_so_far.get("arrival"),
        "min_gap_seconds": read_so_far.get("min_gap_minutes"),
        "max_gap_seconds": read_so_far.get("max_gap_minutes"),
    }
    return without_nothing(
        {
            "roles": read_so_far["roles"],
            "collective_skills": read_so_far.get("collective_skills"),
            "arrival": without_nothing(arrival),
            "service_seconds_by_size": read_so_far.get("minutes_by_size"),
        }
    )
