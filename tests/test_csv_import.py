"""Importing a folder of CSV files: the documented example, every notation, errors that point at a cell."""

import re
from collections.abc import Iterator
from errno import EACCES
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import check_problem
from data.importers import IMPORT_CODES, RowError, import_csv, write_templates
from data.importers.csv_columns import FILES, SETTINGS
from dispatcher.errors import ISSUE_CODES

DOCS = Path(__file__).parent.parent / "docs" / "importing.md"
TEMPLATES = Path(__file__).parent.parent / "data" / "templates"

MINIMAL = {
    "settings.csv": "setting,value\ntimezone,Europe/Berlin\ndate,2026-11-23\n",
    "locations.csv": "location,lat,lon\nhome,52.52,13.40\nsite,52.50,13.45\n",
    "engineers.csv": "engineer,skills\nE1,gas:2\n",
    "shifts.csv": "engineer,start,end,start_location\nE1,08:00,16:00,home\n",
    "work_orders.csv": "work_order,location,service_minutes,skills\nW1,site,30,gas:1\n",
}


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def imported(folder: Path, **changes: str | bytes) -> dict[str, Any]:
    result = import_csv(write(folder, {**MINIMAL, **named(changes)}))
    assert [str(error) for error in result.errors] == []
    assert result.document is not None
    assert check_problem(result.document) == []
    return result.document


def errors_of(folder: Path, **changes: str | bytes) -> tuple[RowError, ...]:
    result = import_csv(write(folder, {**MINIMAL, **named(changes)}))
    assert result.document is None
    return result.errors


def named(changes: dict[str, str | bytes]) -> dict[str, str | bytes]:
    return {f"{name}.csv": content for name, content in changes.items()}


def only(errors: tuple[RowError, ...]) -> RowError:
    assert len(errors) == 1, [str(error) for error in errors]
    return errors[0]


def place(error: RowError) -> tuple[str, int | None, str | None, str | None, str]:
    return error.file, error.line, error.column, error.value, error.code


def orders(*lines: str, columns: str = "work_order,location,service_minutes") -> str:
    return "\n".join((columns, *lines)) + "\n"


def test_the_documented_example_is_the_template_and_imports(tmp_path: Path) -> None:
    blocks = re.findall(r"`([a-z_]+\.csv)`\n\n```csv\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert [name for name, _ in blocks] == list(FILES)
    result = import_csv(write(tmp_path, dict(blocks)))
    assert result.errors == ()
    assert result == import_csv(TEMPLATES)
    assert result.document is not None
    assert check_problem(result.document) == []


def test_the_documentation_names_every_file_column_setting_and_code() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, spec in FILES.items():
        section = text.split(f"### {name}\n")[1].split("\n##")[0]
        cells = {cell.strip() for line in section.splitlines() for cell in line.split("|")[1:2]}
        documented = {name for cell in cells for name in cell.split(", ")}
        expected = set(SETTINGS) if name == "settings.csv" else set(spec.columns)
        assert documented - {"column", "setting", "---"} == expected, name
    codes = re.findall(r"^\| `([A-Z_0-9]+)` \| (.*) \|$", text.split("## Error codes")[1], re.MULTILINE)
    assert dict(codes) == dict(IMPORT_CODES)


def test_templates_have_every_column_and_are_written_once(tmp_path: Path) -> None:
    written = write_templates(tmp_path / "new")
    assert [path.name for path in written] == list(FILES)
    for path in written:
        header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
        assert [name for name in header if not name.startswith("attributes.")] in (
            list(FILES[path.name].columns),
            sorted(FILES[path.name].columns, key=header.index),
        )
    assert import_csv(tmp_path / "new").errors == ()
    with pytest.raises(FileExistsError, match=r"settings\.csv is already there"):
        write_templates(tmp_path / "new")


def test_a_minimal_folder_is_a_problem(tmp_path: Path) -> None:
    assert imported(tmp_path) == {
        "version": 1,
        "id": "import-2026-11-23",
        "timezone": "Europe/Berlin",
        "horizon": {"start": "2026-11-23T00:00:00+01:00", "end": "2026-11-24T00:00:00+01:00"},
        "locations": {"home": {"lat": 52.52, "lon": 13.4}, "site": {"lat": 52.5, "lon": 13.45}},
        "engineers": [
            {
                "id": "E1",
                "skills": [{"skill": "gas", "level": 2}],
                "shifts": [
                    {
                        "id": "1",
                        "start": "2026-11-23T08:00:00+01:00",
                        "end": "2026-11-23T16:00:00+01:00",
                        "start_location": "home",
                    }
                ],
            }
        ],
        "work_orders": [
            {
                "id": "W1",
                "location": "site",
                "service_seconds": 1800,
                "required_skills": [{"skill": "gas", "level": 1}],
            }
        ],
        "travel": {"kind": "geodesic", "speed_kmh": 35, "detour_factor": 1.3},
        "objective": {"profile": "balanced"},
    }


def test_empty_tables_are_a_problem_without_work(tmp_path: Path) -> None:
    document = imported(
        tmp_path,
        engineers="engineer\n",
        shifts="engineer,start,end,start_location\n",
        work_orders="work_order,location,service_minutes\n",
    )
    assert document["work_orders"] == document["engineers"] == []


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace(",", ";").encode(),
        lambda text: ("sep=;\r\n" + text.replace(",", ";")).encode(),
        lambda text: text.replace(",", "\t").encode("utf-16"),
        lambda text: text.replace("\n", ",,\n").replace("start_location,,", "start_location").encode(),
        lambda text: (text + "\n,,,\n\n").encode(),
        lambda text: text.replace("start_location", "Start Location").replace("eng", "ENG").encode(),
    ],
    ids=[
        "mark",
        "windows lines",
        "semicolons",
        "sep line",
        "utf-16 tabs",
        "extra cells",
        "blank rows",
        "case",
    ],
)
def test_files_as_spreadsheets_save_them_are_read(tmp_path: Path, encode: Any) -> None:
    plain = imported(tmp_path)
    assert imported(tmp_path, shifts=encode(MINIMAL["shifts.csv"])) == plain


def test_a_decimal_comma_is_read_where_it_cannot_be_meant_otherwise(tmp_path: Path) -> None:
    locations = "location;lat;lon\nhome;52,52;13,40\nsite;52,50;13,45\n"
    assert imported(tmp_path, locations=locations) == imported(tmp_path)
    error = only(
        errors_of(tmp_path, locations=locations, work_orders="work_order;location;service_minutes\nW1;site;1,200\n")
    )
    assert place(error) == ("work_orders.csv", 2, "service_minutes", "1,200", "BAD_NUMBER")


@pytest.mark.parametrize(
    ("content", "line"),
    [("engineer,name\nE1,Zoë\nE2,René\n".encode("cp1252"), 2), ("engineer\nE1\n".encode("utf-16-le"), None)],
    ids=["windows", "utf-16 without a mark"],
)
def test_other_encodings_are_refused_with_a_way_out(tmp_path: Path, content: bytes, line: int | None) -> None:
    errors = errors_of(tmp_path, engineers=content)
    assert place(only(errors)) == ("engineers.csv", line, None, None, "ENCODING")
    assert "CSV UTF-8" in errors[0].remedy


def test_skills_levels_and_validity(tmp_path: Path) -> None:
    document = imported(tmp_path, engineers="engineer,skills\nE1,gas:4@2027-01-01; water ;power:2@2026-11-23 12:00\n")
    assert document["engineers"][0]["skills"] == [
        {"skill": "gas", "level": 4, "valid_until": "2027-01-01T23:59:59+01:00"},
        {"skill": "water"},
        {"skill": "power", "level": 2, "valid_until": "2026-11-23T12:00:00+01:00"},
    ]


def test_shifts_over_midnight_breaks_and_open_routes(tmp_path: Path) -> None:
    document = imported(
        tmp_path,
        shifts="engineer,start,end,latest_end,start_location,end_location,breaks\n"
        "E1,22:00,06:00,06:30,home,open,01:00-02:00/30; 23:30-00:30/15\n",
    )
    shift = document["engineers"][0]["shifts"][0]
    assert shift["end"] == "2026-11-24T06:00:00+01:00"
    assert shift["latest_end"] == "2026-11-24T06:30:00+01:00"
    assert shift["end_location"] is None
    assert [rest["earliest_start"] for rest in shift["breaks"]] == [
        "2026-11-24T01:00:00+01:00",
        "2026-11-23T23:30:00+01:00",
    ]
    assert document["horizon"]["end"] == "2026-11-24T06:30:00+01:00"


def test_everything_an_order_can_say(tmp_path: Path) -> None:
    columns = (
        "work_order,location,service_minutes,setup_minutes,level,value,time_windows,arrive_by,parts,related_to,"
        "depends_on,pin_engineer,pin_start,preferred_engineers,attributes.phone"
    )
    document = imported(
        tmp_path,
        work_orders=orders(
            "W0,site,10,,,,,,,,,,,,",
            "W1,site,1.5,5,l2,0,08:00-12:00; 2026-11-24 09:00-11:00,10:00,p:2; q,W0,W0/30-240; @07:15/0-900,"
            "E1,13:00,E1,555",
            columns=columns,
        ),
    )
    assert document["work_orders"][1] == {
        "id": "W1",
        "location": "site",
        "service_seconds": 90,
        "setup_seconds": 300,
        "level": "L2",
        "value": 0,
        "time_windows": [
            {"start": "2026-11-23T08:00:00+01:00", "end": "2026-11-23T12:00:00+01:00"},
            {"start": "2026-11-24T09:00:00+01:00", "end": "2026-11-24T11:00:00+01:00"},
        ],
        "deadlines": {"arrive_by": "2026-11-23T10:00:00+01:00"},
        "parts": {"p": 2, "q": 1},
        "related_to": ["W0"],
        "depends_on": [
            {"work_order": "W0", "min_gap_seconds": 1800, "max_gap_seconds": 14400},
            {"completed_at": "2026-11-23T07:15:00+01:00", "min_gap_seconds": 0, "max_gap_seconds": 54000},
        ],
        "pin": {"engineer": "E1", "start": "2026-11-23T13:00:00+01:00"},
        "preferred_engineers": ["E1"],
        "attributes": {"phone": "555"},
    }


def test_teams_and_skill_graph(tmp_path: Path) -> None:
    document = imported(
        tmp_path,
        skills="skill,implies,substitutes\ngas,gas.meter:1,water:1:1.3:600\ngas.meter,,\nwater,,\n",
        teams="work_order,role,min,max,skills,presence,arrival,max_gap_minutes,minutes_by_size\n"
        "W1,lead,,,gas:3,,lead_first,30,2:60; 3:45\nW1,helper,1,2,water,,,,\nW1,spare,,,gas,standby,,,\n",
    )
    assert document["skill_graph"]["relations"] == [
        {"type": "implies", "from": "gas", "to": "gas.meter", "level_loss": 1},
        {
            "type": "substitutes",
            "from": "gas",
            "to": "water",
            "level_loss": 1,
            "duration_factor": 1.3,
            "penalty": 600,
        },
    ]
    assert document["work_orders"][0]["team"] == {
        "roles": [
            {"role": "lead", "required_skills": [{"skill": "gas", "level": 3}]},
            {"role": "helper", "min": 1, "max": 2, "required_skills": [{"skill": "water"}]},
            {"role": "spare", "required_skills": [{"skill": "gas"}], "presence": "standby"},
        ],
        "arrival": {"mode": "lead_first", "max_gap_seconds": 1800},
        "service_seconds_by_size": {"2": 3600, "3": 2700},
    }


CELL_ERRORS: list[tuple[dict[str, str], tuple[str, int | None, str | None, str | None, str]]] = [
    (
        {"work_orders": orders("W1,site,soon")},
        ("work_orders.csv", 2, "service_minutes", "soon", "BAD_NUMBER"),
    ),
    ({"work_orders": orders("W1,site,")}, ("work_orders.csv", 2, "service_minutes", "", "MISSING_VALUE")),
    ({"work_orders": orders("W1,site,-5")}, ("work_orders.csv", 2, "service_minutes", "-5", "OUT_OF_RANGE")),
    (
        {"work_orders": orders("W1,site,0.001")},
        ("work_orders.csv", 2, "service_minutes", "0.001", "BAD_NUMBER"),
    ),
    ({"work_orders": orders(",site,5")}, ("work_orders.csv", 2, "work_order", "", "MISSING_VALUE")),
    ({"work_orders": orders("W1,sites,5")}, ("work_orders.csv", 2, "location", "sites", "NOT_FOUND")),
    (
        {"work_orders": orders("W1,site,5", "W1,home,5")},
        ("work_orders.csv", 3, "work_order", "W1", "DUPLICATE_ID"),
    ),
    (
        {"work_orders": orders("W1,site,5,L9", columns="work_order,location,service_minutes,level")},
        ("work_orders.csv", 2, "level", "L9", "UNKNOWN_VALUE"),
    ),
    (
        {"work_orders": orders("W1,site,5,W1", columns="work_order,location,service_minutes,related_to")},
        ("work_orders.csv", 2, "related_to", "W1", "SELF_REFERENCE"),
    ),
    (
        {"work_orders": orders("W1,site,5,W1/x", columns="work_order,location,service_minutes,depends_on")},
        ("work_orders.csv", 2, "depends_on", "x", "BAD_NUMBER"),
    ),
    (
        {"work_orders": orders("W1,site,5,09:00", columns="work_order,location,service_minutes,pin_start")},
        ("work_orders.csv", 2, "pin_engineer", "", "MISSING_VALUE"),
    ),
    (
        {"work_orders": orders("W1,site,5,9am-5pm", columns="work_order,location,service_minutes,time_windows")},
        ("work_orders.csv", 2, "time_windows", "9am-5pm", "BAD_TIME"),
    ),
    (
        {"work_orders": orders("W1,site,5,p:two", columns="work_order,location,service_minutes,parts")},
        ("work_orders.csv", 2, "parts", "two", "BAD_NUMBER"),
    ),
    (
        {"work_orders": orders("W1,site,5,p;p", columns="work_order,location,service_minutes,parts")},
        ("work_orders.csv", 2, "parts", "p", "BAD_ENTRY"),
    ),
    ({"engineers": "engineer,skills\nE1,gas:9\n"}, ("engineers.csv", 2, "skills", "9", "OUT_OF_RANGE")),
    ({"engineers": "engineer,skills\nE1,:3\n"}, ("engineers.csv", 2, "skills", ":3", "BAD_ENTRY")),
    (
        {"engineers": "engineer,on_call\nE1,maybe\n"},
        ("engineers.csv", 2, "on_call", "maybe", "UNKNOWN_VALUE"),
    ),
    (
        {"engineers": "engineer,speed_factor\nE1,0\n"},
        ("engineers.csv", 2, "speed_factor", "0", "OUT_OF_RANGE"),
    ),
    ({"engineers": "engineer\nE1\nE1\n"}, ("engineers.csv", 3, "engineer", "E1", "DUPLICATE_ID")),
    (
        {"engineers": "engineer,fix_probability\nE1,gas:1.2\n"},
        ("engineers.csv", 2, "fix_probability", "1.2", "OUT_OF_RANGE"),
    ),
    (
        {"engineers": "engineer,duration_factors\nE1,gas\n"},
        ("engineers.csv", 2, "duration_factors", "gas", "BAD_ENTRY"),
    ),
    (
        {"shifts": "engineer,start,end,start_location\nE7,08:00,16:00,home\n"},
        ("shifts.csv", 2, "engineer", "E7", "NOT_FOUND"),
    ),
    (
        {"shifts": "engineer,start,end,start_location\nE1,25:00,16:00,home\n"},
        ("shifts.csv", 2, "start", "25:00", "BAD_TIME"),
    ),
    (
        {"shifts": "engineer,start,end,start_location,date\nE1,08:00,16:00,home,23/11/2026\n"},
        ("shifts.csv", 2, "date", "23/11/2026", "BAD_TIME"),
    ),
    (
        {"shifts": "engineer,start,end,start_location,breaks\nE1,08:00,16:00,home,12:00-13:00\n"},
        ("shifts.csv", 2, "breaks", "12:00-13:00", "BAD_ENTRY"),
    ),
    (
        {"shifts": "engineer,shift,start,end,start_location\nE1,a,08:00,16:00,home\nE1,b,15:00,18:00,home\n"},
        ("shifts.csv", 3, "shift", "b", "OVERLAP"),
    ),
    (
        {"locations": "location,lat,lon\nhome,52,13\nsite,95,13\n"},
        ("locations.csv", 3, "lat", "95", "OUT_OF_RANGE"),
    ),
    (
        {"locations": "location,lat,lon\nhome,52,13\nsite,52,13\nhome,1,1\n"},
        ("locations.csv", 4, "location", "home", "DUPLICATE_ID"),
    ),
    (
        {"locations": "location,lat,lon\nhome,52,13\nsite,52,13\nopen,1,1\n"},
        ("locations.csv", 4, "location", "open", "RESERVED_NAME"),
    ),
    ({"teams": "work_order,role\nW2,lead\n"}, ("teams.csv", 2, "work_order", "W2", "NOT_FOUND")),
    ({"teams": "work_order,role,min,max\nW1,lead,2,1\n"}, ("teams.csv", 2, "max", "1", "TEAM_ROLE_SIZE")),
    (
        {"teams": "work_order,role,presence\nW1,lead,remote\n"},
        ("teams.csv", 2, "role", "lead", "TEAM_WITHOUT_ON_SITE_ROLE"),
    ),
    (
        {"teams": "work_order,role,arrival\nW1,lead,together\nW1,aid,staggered\n"},
        ("teams.csv", 3, "arrival", "staggered", "CONFLICT"),
    ),
    ({"skills": "skill\ngas\ngas\n"}, ("skills.csv", 3, "skill", "gas", "DUPLICATE_ID")),
    (
        {"skills": "skill\ngas\n", "engineers": "engineer,skills\nE1,gaz:2\n"},
        ("engineers.csv", 2, "skills", "gaz:2", "NOT_FOUND"),
    ),
    (
        {"skills": "skill,implies\ngas,water:1:2\nwater,\n"},
        ("skills.csv", 2, "implies", "water:1:2", "BAD_ENTRY"),
    ),
    (
        {"settings": "setting,value\ntimezone,Europe/Berlim\ndate,2026-11-23\n"},
        ("settings.csv", 2, "value", "Europe/Berlim", "BAD_TIMEZONE"),
    ),
    (
        {"settings": "setting,value\ntimezone,Europe/Berlin\ndate,2026-11-23\nzone,x\n"},
        ("settings.csv", 4, "setting", "zone", "UNKNOWN_VALUE"),
    ),
    ({"settings": "setting,value\ntimezone,UTC\n"}, ("settings.csv", None, "value", "", "MISSING_VALUE")),
    (
        {"settings": "setting,value\ntimezone,UTC\ndate,2026-11-23\ntraffic,7-9\n"},
        ("settings.csv", 4, "value", "7-9", "BAD_ENTRY"),
    ),
    (
        {"shifts": "engineer,start,end\nE1,08:00,16:00\n"},
        ("shifts.csv", 1, "start_location", None, "MISSING_COLUMN"),
    ),
    ({"engineers": "engineer,skils\nE1,gas:2\n"}, ("engineers.csv", 1, "skils", None, "UNKNOWN_COLUMN")),
    ({"engineers": "engineer,name,Name\nE1,a,b\n"}, ("engineers.csv", 1, "name", None, "DUPLICATE_COLUMN")),
    ({"engineers": "engineer,name\nE1,a,b\n"}, ("engineers.csv", 2, None, None, "RAGGED_ROW")),
    ({"engineers": "engineer,name\nE1\n"}, ("engineers.csv", 2, None, None, "RAGGED_ROW")),
    ({"engineers": 'engineer,name\nE1,"a\n'}, ("engineers.csv", 2, None, None, "BAD_QUOTES")),
    ({"engineers": ""}, ("engineers.csv", None, None, None, "EMPTY_FILE")),
    ({"work_order": "work_order\n"}, ("work_order.csv", None, None, None, "UNKNOWN_FILE")),
]


@pytest.mark.parametrize(
    ("changes", "expected"),
    CELL_ERRORS,
    ids=[f"{case[1][4]}-{case[1][0]}-{case[1][3]}" for case in CELL_ERRORS],
)
def test_an_error_points_at_its_cell_and_stands_alone(
    tmp_path: Path, changes: dict[str, str], expected: tuple[str, int | None, str | None, str | None, str]
) -> None:
    error = only(errors_of(tmp_path, **changes))
    assert place(error) == expected
    assert error.message
    assert error.remedy
    assert error.code in {**IMPORT_CODES, **ISSUE_CODES}


def test_a_circle_of_dependencies_is_reported_where_it_closes(tmp_path: Path) -> None:
    columns = "work_order,location,service_minutes,depends_on"
    error = only(errors_of(tmp_path, work_orders=orders("W1,site,5,W2", "W2,site,5,W1", columns=columns)))
    assert place(error) == ("work_orders.csv", 3, "depends_on", "W1", "CYCLE")


def test_every_error_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    errors = errors_of(
        tmp_path,
        locations="location,lat,lon\nhome,north,13\nsite,52,\n",
        engineers="engineer,skills\nE1,gas:x;water:7\n",
        shifts="engineer,start,end,start_location\nE1,8 o'clock,16:00,nowhere\n",
        work_orders=orders("W1,sitee,five", "W1,site,5"),
    )
    assert [place(error) for error in errors] == [
        ("engineers.csv", 2, "skills", "x", "BAD_NUMBER"),
        ("engineers.csv", 2, "skills", "7", "OUT_OF_RANGE"),
        ("locations.csv", 2, "lat", "north", "BAD_NUMBER"),
        ("locations.csv", 3, "lon", "", "MISSING_VALUE"),
        ("shifts.csv", 2, "start", "8 o'clock", "BAD_TIME"),
        ("shifts.csv", 2, "start_location", "nowhere", "NOT_FOUND"),
        ("work_orders.csv", 2, "service_minutes", "five", "BAD_NUMBER"),
        ("work_orders.csv", 2, "location", "sitee", "NOT_FOUND"),
        ("work_orders.csv", 3, "work_order", "W1", "DUPLICATE_ID"),
    ]


def test_hints_name_the_nearest_thing_and_messages_speak_of_files(tmp_path: Path) -> None:
    error = only(errors_of(tmp_path, work_orders=orders("W1,sites,5")))
    assert str(error) == (
        'work_orders.csv, line 2, column location: "sites" is not in locations.csv (NOT_FOUND). Did you mean "site"?'
    )
    double = only(errors_of(tmp_path, work_orders=orders("W1,site,5", "", "W1,home,5")))
    assert double.message == 'work order "W1" is already in work_orders.csv, line 2'
    assert double.line == 4


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    content = 'engineer,name\nE1,"two\nlines"\nE2,ok\nE3,ok,extra\n'
    assert only(errors_of(tmp_path, engineers=content)).line == 5


def test_a_clock_change_is_never_guessed(tmp_path: Path) -> None:
    for date, code in (("2026-10-25", "AMBIGUOUS_TIME"), ("2026-03-29", "NONEXISTENT_TIME")):
        settings = f"setting,value\ntimezone,Europe/Berlin\ndate,{date}\n"
        shifts = "engineer,start,end,start_location\nE1,02:30,09:00,home\n"
        error = only(errors_of(tmp_path, settings=settings, shifts=shifts))
        assert place(error) == ("shifts.csv", 2, "start", "02:30", code)
    settings = "setting,value\ntimezone,Europe/Berlin\ndate,2026-10-25\n"
    shifts = "engineer,start,end,start_location\nE1,2026-10-25T02:30+02:00,09:00,home\n"
    document = imported(tmp_path, settings=settings, shifts=shifts)
    assert document["engineers"][0]["shifts"][0]["start"] == "2026-10-25T02:30:00+02:00"


def test_a_missing_folder_or_file_is_an_error_and_no_exception(tmp_path: Path) -> None:
    missing = {name for name, spec in FILES.items() if spec.needed}
    errors = import_csv(tmp_path / "nowhere").errors
    assert {error.file for error in errors} == missing
    assert {error.code for error in errors} == {"MISSING_FILE"}


def test_a_folder_that_may_not_be_read_is_named_and_no_file_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: Path) -> Iterator[Path]:
        raise PermissionError(EACCES, "Permission denied", str(path))

    # Who runs the tests may read every folder.
    monkeypatch.setattr(Path, "iterdir", forbidden)
    error = only(import_csv(tmp_path).errors)
    assert (error.file, error.code, error.message) == (str(tmp_path), "UNREADABLE_FILE", "Permission denied")


def test_one_broken_row_does_not_accuse_what_refers_to_it(tmp_path: Path) -> None:
    error = only(errors_of(tmp_path, engineers="engineer,name\nE1,a,b\n"))
    assert error.code == "RAGGED_ROW"


FUZZ = "0123456789;:,-/@\"\n\t'aE\u00e9\u0660.\x00 "


@given(
    name=st.sampled_from(list(FILES)),
    place=st.integers(0, 5000),
    cut=st.integers(0, 6),
    put=st.text(FUZZ, max_size=6) | st.sampled_from(["2026-02-30", "9999-12-31 24:00", "24:30", "1e999", "\ufeff"]),
)
def test_whatever_is_in_the_files_is_imported_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, place: int, cut: int, put: str
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    write_templates(folder)
    text = (folder / name).read_text(encoding="utf-8")
    place %= len(text)
    (folder / name).write_bytes((text[:place] + put + text[place + cut :]).encode())
    result = import_csv(folder)
    assert (result.document is None) == bool(result.errors)
    if result.document is not None:
        assert check_problem(result.document) == []
