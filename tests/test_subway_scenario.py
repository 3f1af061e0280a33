"""A day of the subway: how records become work orders, on made-up records and on the real ones."""

import csv
import json
import re
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from api.documents import check_problem
from benchmarks.scenarios import subway_records
from benchmarks.scenarios.subway import main, preventive_days, subway_problem, summary
from benchmarks.scenarios.subway_assumptions import BASES, CAUSES, SKILLS, TRADES, cause_of
from benchmarks.scenarios.subway_records import VARIABLES, Machine, NoRecordsError, find_folder
from tests.reference import require_reference

Document = dict[str, Any]
DAY = date(2023, 11, 15)
DOCS = Path(__file__).parent.parent / "docs" / "scenarios.md"


@pytest.fixture(autouse=True)
def no_folder_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subway_records, "CHECKOUT", tmp_path / "checkout")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def reference() -> Path:
    """Found before a test forgets what the environment names."""
    return require_reference()


def signal(number: int, machine: str, created: str, **changes: str) -> dict[str, str]:
    """A record of the monitoring system at station 7, created on 15 November unless a day is given."""
    text = created if " " in created else f"2023-11-15 {created}"
    returns = datetime.fromisoformat(text).replace(minute=0)
    hours = (returns.hour + 9) % 24
    following = returns.day + (returns.hour + 9) // 24
    row = {
        "Outage": f"{number}.0",
        "Common Name": machine,
        "outage_code": "FR",
        "Status": "Cancelled",
        "External Source Note": "Drive Fault",
        "Reason Shown to Public Description": "Under Investigation",
        "Reference": f"ST231115.txt - {number}",
        "Source": "External Monitoring System",
        "Out of Service Date": f"{text}:00+00:00",
        "Date Created": f"{text}:00+00:00",
        "Estimated Return to Service Date": f"2023-11-{following:02d} {hours:02d}:00:00+00:00",
        "Station ID": "7.0",
        "Complex ID": "70.0",
        "Stop Name": "Seventh",
        "Borough": "M",
        "lat": "40.75",
        "long": "-73.98",
        "ADA": "1.0",
    }
    return row | changes


def write_rows(path: Path, rows: Iterable[dict[str, str]]) -> None:
    rows = list(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ids = ["7", "8", *BASES]
    write_rows(
        tmp_path / "subway_stations.csv",
        (
            {
                "Station ID": name,
                "Complex ID": f"{name}0",
                "Stop Name": f"stop {name}",
                "Borough": "M",
                "GTFS Latitude": "40.7",
                "GTFS Longitude": "-73.9",
                "ADA": "1",
            }
            for name in ids
        ),
    )
    machines = [("EL1", "7"), ("EL2", "7"), ("EL3", "8"), ("EL4", "8")]
    write_rows(
        tmp_path / "elevator-avail-2023.csv",
        (
            {"Month": "11/1/23", "Equipment Code": name, "Station MRN": station, "Scheduled Outages": "0"}
            for name, station in machines
        ),
    )
    return tmp_path


def orders_of(folder: Path, *signals: dict[str, str]) -> list[Document]:
    write_rows(folder / "outages_2023.csv", signals)
    problem = subway_problem(folder, DAY)
    assert check_problem(problem) == []
    orders: list[Document] = problem["work_orders"]
    return orders


def test_one_fault_at_an_accessible_station_is_an_l2_call(folder: Path) -> None:
    [order] = orders_of(folder, signal(11, "EL1", "09:10"))
    assert order["id"] == "11"
    assert order["level"] == "L2"
    assert order["location"] == "S7"
    assert order["required_skills"] == [{"skill": "elevator.drive", "level": 3}]
    assert order["time_windows"][0]["start"] == "2023-11-15T09:10:00-05:00"
    assert order["deadlines"] == {
        "arrive_by": "2023-11-15T11:10:00-05:00",
        "restore_by": "2023-11-15T18:00:00-05:00",
    }
    assert order["attributes"]["codes"] == ["FR"]
    assert order["attributes"]["reasons_shown_to_public"] == ["Under Investigation"]
    assert order["attributes"]["references"] == ["ST231115.txt - 11"]
    assert order["attributes"]["machines"] == ["EL1"]


def test_signals_of_one_fault_are_one_order(folder: Path) -> None:
    [order] = orders_of(folder, *(signal(number, "EL1", f"{number}:00") for number in (10, 12, 16, 20)))
    assert order["attributes"]["outages"] == ["10", "12", "16", "20"]
    assert order["service_seconds"] == (120 + 30) * 60


def test_two_machines_at_once_at_one_accessible_complex_are_one_team(folder: Path) -> None:
    changed = {"External Source Note": "DOWN SLOWDOWN LIMIT OPEN"}
    [order] = orders_of(folder, signal(1, "EL1", "09:00", **changed), signal(2, "EL2", "10:30", **changed))
    assert order["level"] == "L1"
    assert order["asset"] == "EL1, EL2"
    assert [role["role"] for role in order["team"]["roles"]] == ["lead", "support", "backup"]
    assert order["time_windows"][0]["start"] == "2023-11-15T10:30:00-05:00"
    assert order["deadlines"]["arrive_by"] == "2023-11-15T11:30:00-05:00"


def test_machines_that_fail_one_after_the_other_are_no_cluster(folder: Path) -> None:
    calls = orders_of(folder, signal(1, "EL1", "07:30"), signal(2, "EL2", "23:30"))
    assert [order["level"] for order in calls] == ["L2", "L2"]


def test_lost_connections_at_one_station_are_one_visit_of_low_level(folder: Path) -> None:
    changed = {"External Source Note": "No Comm/Power"}
    [order] = orders_of(folder, signal(1, "EL1", "09:00", **changed), signal(2, "EL2", "09:00", **changed))
    assert order["level"] == "L4"
    assert order["attributes"]["machines"] == ["EL1", "EL2"]
    assert "team" not in order


def test_an_entrapment_is_a_team_of_rescuers(folder: Path) -> None:
    [order] = orders_of(folder, signal(1, "EL1", "09:00", **{"External Source Note": "Entrapment"}))
    assert order["level"] == "L1"
    assert order["team"]["roles"][1]["required_skills"] == [{"skill": "rescue", "level": 1}]


def test_a_bank_of_lifts_carries_on_until_the_last_one_fails(folder: Path) -> None:
    place = {"Station ID": "8.0", "Complex ID": "80.0", "ADA": "0.0"}
    [one] = orders_of(folder, signal(1, "EL3", "09:00", **place))
    assert one["level"] == "L4"
    both = orders_of(folder, signal(1, "EL3", "09:00", **place), signal(2, "EL4", "09:00", **place))
    assert [order["level"] for order in both] == ["L2", "L2"]


def test_an_escalator_needs_its_own_trade(folder: Path) -> None:
    [order] = orders_of(folder, signal(1, "ES5", "09:00"))
    assert order["required_skills"] == [{"skill": "escalator", "level": 3}]


def test_capital_replacements_are_no_days_work(folder: Path) -> None:
    late = {"Estimated Return to Service Date": "2024-06-30 23:59:00+00:00"}
    calls = orders_of(
        folder,
        signal(1, "EL1", "09:00", **late),
        signal(2, "EL2", "09:00", Status="Open"),
        signal(3, "EL3", "09:00"),
    )
    assert [order["id"] for order in calls] == ["3"]


def test_calls_of_the_night_are_open_until_their_published_return(folder: Path) -> None:
    calls = orders_of(
        folder,
        signal(1, "EL1", "2023-11-14 20:10"),
        signal(2, "EL3", "02:10", **{"Station ID": "8.0", "Complex ID": "80.0"}),
    )
    assert [order["id"] for order in calls] == ["2"]
    assert calls[0]["time_windows"][0]["start"] == "2023-11-15T07:00:00-05:00"


def test_recorded_planned_work_keeps_its_announced_outage(folder: Path) -> None:
    night = {
        "outage_code": "UPO",
        "Reason Shown to Public Description": "Maintenance",
        "Out of Service Date": "2023-11-15 23:00:00+00:00",
        "Estimated Return to Service Date": "2023-11-16 05:00:00+00:00",
        "External Source Note": "",
    }
    planned, _ = sorted(
        orders_of(folder, signal(1, "EL1", "2023-11-02 10:00", **night), signal(2, "EL3", "09:00")),
        key=lambda order: str(order["level"]),
        reverse=True,
    )
    assert planned["level"] == "L3"
    assert planned["time_windows"] == [{"start": "2023-11-15T23:00:00-05:00", "end": "2023-11-16T03:30:00-05:00"}]


@pytest.mark.parametrize("count", [0, 1, 2, 4, 7])
def test_preventive_visits_are_spread_over_the_month(count: int) -> None:
    for name in ("EL1", "EL2", "EL301"):
        days = sorted(preventive_days(Machine(name, "7", count), DAY))
        assert len(days) == count
        assert all(1 <= day <= 30 for day in days)
        if count > 1:
            gaps = [later - earlier for earlier, later in zip(days, [*days[1:], days[0] + 30], strict=True)]
            assert max(gaps) - min(gaps) <= 1


def test_every_note_has_a_cause_and_every_cause_somebody_who_can_see_to_it() -> None:
    assert cause_of("MULTIPLE RELEVELING FAULT").name == "levelling and limits"
    assert cause_of("Controller Power Loss").name == "power"
    assert cause_of("").name == "unknown"
    required = {skill for cause in CAUSES for skill, _ in cause.skills}
    assert required <= set(SKILLS)
    assert {skill for trade in TRADES.values() for skill in trade} <= set(SKILLS)


def test_a_day_without_outages_is_an_error_of_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(folder / "outages_2023.csv", [signal(1, "EL1", "09:00")])
    arguments = ["--date", "2023-11-20", "--data", str(folder), "--out", str(tmp_path / "p.json")]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: no outages on 2023-11-20 in ")
    assert error.count("\n") == 1
    assert not (tmp_path / "p.json").exists()


def test_absent_records_are_an_error_of_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--date", "2023-11-15", "--out", str(tmp_path / "p.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["--date", "2023-11-15", "--data", str(tmp_path), "--out", str(tmp_path / "p.json")]) == 2
    assert "outages_2023.csv is not in" in capsys.readouterr().err


def test_a_missing_second_file_is_named(folder: Path) -> None:
    write_rows(folder / "outages_2023.csv", [signal(1, "EL1", "09:00")])
    (folder / "subway_stations.csv").unlink()
    with pytest.raises(NoRecordsError, match=r"subway_stations\.csv is not in"):
        subway_problem(folder, DAY)


def test_the_folder_may_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(folder / "outages_2023.csv", [signal(1, "EL1", "09:00")])
    monkeypatch.setenv("MUSTER_SUBWAY_DATA", str(folder))
    assert find_folder(None) == folder


def test_the_folder_may_lie_beside_the_checkout(tmp_path: Path) -> None:
    beside = tmp_path / "shared" / "field_records" / "mta_elevators"
    beside.mkdir(parents=True)
    write_rows(beside / "outages_2023.csv", [signal(1, "EL1", "09:00")])
    assert find_folder(None) == beside


def test_a_real_day_is_a_valid_problem_as_documented(
    reference: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "p.json"
    assert main(["--date", "2023-11-15", "--data", str(reference), "--out", str(out)]) == 0
    problem = json.loads(out.read_text(encoding="utf-8"))
    assert check_problem(problem) == []
    assert 20 <= len(problem["work_orders"]) <= 80
    assert problem["attributes"]["assumptions"]
    assert problem == subway_problem(find_folder(reference), DAY)
    printed = capsys.readouterr().out
    documented = re.search(r"```text\n(subway-2023-11-15.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert documented is not None
    assert printed.startswith(documented[1].rstrip())
    assert summary(problem) in printed


def test_real_days_are_plausible(reference: Path) -> None:
    folder = find_folder(reference)
    for day in (
        date(2023, 3, 12),
        date(2023, 3, 26),
        date(2023, 6, 28),
        date(2023, 8, 23),
        date(2023, 11, 5),
    ):
        problem = subway_problem(folder, day)
        assert check_problem(problem) == []
        assert 12 <= len(problem["work_orders"]) <= 80
        for place in problem["locations"].values():
            assert 40.5 < place["lat"] < 40.95
            assert -74.3 < place["lon"] < -73.6
        for order in problem["work_orders"]:
            assert ("team" in order) == (order["level"] == "L1")
            assert order["attributes"]["cause"] != "preventive maintenance" or order["id"].startswith("PM-")
