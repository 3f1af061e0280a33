"""The outage records of a city's subway, as published, read into plain records.

What the columns mean, and how that was found out, is in docs/scenarios.md.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.reference import CHECKOUT

ZONE = ZoneInfo("America/New_York")
VARIABLES = ("MUSTER_SUBWAY_DATA", "MUSTER_REFERENCE_DATA")
OUTAGES, STATIONS, AVAILABILITY = "outages_2023.csv", "subway_stations.csv", "elevator-avail-2023.csv"
_BELOW = ("", "mta_elevators", "field_records/mta_elevators", "data/field_records/mta_elevators")


class NoRecordsError(Exception):
    """There are no records to build a day from; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Station:
    """A station; `accessible` where lifts are what makes it step-free (wholly or one way)."""

    id: str
    complex_id: str
    name: str
    borough: str
    latitude: float
    longitude: float
    accessible: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage record. Times are local and aware; `note` is what the monitoring system said."""

    id: str
    machine: str
    code: str
    is_open: bool
    note: str
    reason: str
    reference: str
    source: str
    out_of_service: datetime
    created: datetime
    estimated_return: datetime
    station: Station

    @property
    def kind(self) -> str:
        return "escalator" if self.machine.startswith("ES") else "elevator"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine in a month: how often it was taken out of service as planned, of how many outages."""

    id: str
    station_id: str
    scheduled_outages: int


def find_folder(given: Path | None) -> Path:
    """The folder with the files: the one given or named in the environment, else `shared` beside the checkout, or the
    usual places below it.

    Raises:
        NoRecordsError: there is none.
    """
    named = [given] if given else [Path(value) for name in VARIABLES if (value := os.environ.get(name))]
    for folder in named or [CHECKOUT.parent / "shared"]:
        for below in _BELOW:
            if (folder / below / OUTAGES).is_file():
                return folder / below
    if not named:
        raise NoRecordsError(f"no subway records: give --data FOLDER or set {' or '.join(VARIABLES)}")
    raise NoRecordsError(f"no subway records: {OUTAGES} is not in {named[0]}")


def read_stations(folder: Path) -> dict[str, Station]:
    """Stations by id."""
    stations = {}
    for row in _rows(folder / STATIONS):
        stations[row["Station ID"]] = Station(
            id=row["Station ID"],
            complex_id=row["Complex ID"],
            name=row["Stop Name"],
            borough=row["Borough"],
            latitude=float(row["GTFS Latitude"]),
            longitude=float(row["GTFS Longitude"]),
            accessible=row["ADA"] in ("1", "2"),
        )
    return stations


def read_outages(folder: Path) -> list[Outage]:
    """All outages of the year, by the time they were recorded."""
    outages = [
        Outage(
            id=str(int(float(row["Outage"]))),
            machine=row["Common Name"],
            code=row["outage_code"],
            is_open=row["Status"] == "Open",
            note=row["External Source Note"].strip(),
            reason=row["Reason Shown to Public Description"],
            reference=row["Reference"],
            source=row["Source"],
            out_of_service=_local(row["Out of Service Date"]),
            created=_local(row["Date Created"]),
            estimated_return=_local(row["Estimated Return to Service Date"]),
            station=Station(
                id=str(int(float(row["Station ID"]))),
                complex_id=str(int(float(row["Complex ID"]))),
                name=row["Stop Name"],
                borough=row["Borough"],
                latitude=float(row["lat"]),
                longitude=float(row["long"]),
                accessible=float(row["ADA"]) > 0,
            ),
        )
        for row in _rows(folder / OUTAGES)
    ]
    return sorted(outages, key=lambda outage: (outage.created, outage.id))


def read_machines(folder: Path, day: date) -> list[Machine]:
    """Every machine of the month of `day`."""
    month = f"{day.month}/1/{day:%y}"
    return sorted(
        (
            Machine(row["Equipment Code"], row["Station MRN"], int(row["Scheduled Outages"]))
            for row in _rows(folder / AVAILABILITY)
            if row["Month"] == month
        ),
        key=lambda machine: machine.id,
    )


def midnight(day: date, hours: float = 0) -> datetime:
    """A wall-clock time of a day; hours may pass 24 into the next one."""
    return (datetime(day.year, day.month, day.day) + timedelta(hours=hours)).replace(tzinfo=ZONE)


def _local(text: str) -> datetime:
    # The file says +00:00, but the times are those of a clock in New York: see docs/scenarios.md.
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    if not path.is_file():
        raise NoRecordsError(f"no subway records: {path.name} is not in {path.parent}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)
