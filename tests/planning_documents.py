"""Planning documents, written by hand, that between them use every field; and ways to damage them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

Change = Callable[[dict[str, Any]], Any]

GARBAGE: list[Any] = [None, True, 0, 1, -1, 2.0, 3600.5, 1e300, "", "x", "2", [], [[]], {}, {"x": 1}]
"""Values of every JSON type, some of them legal at some places."""


def at(clock: str) -> str:
    """An instant on the day of the documents: `"08:00"`."""
    return f"2026-11-23T{clock}:00+08:00"


def full_problem() -> dict[str, Any]:
    """A valid problem that uses every field; travel is geodesic."""
    return {
        "version": 1,
        "id": "shanghai-2026-11-23",
        "timezone": "Asia/Shanghai",
        "now": "2026-11-23T09:30:00.000+08:00",
        "horizon": {"start": "2026-11-22T16:00:00Z", "end": "2026-11-24T00:00:00+08:00"},
        "locations": {
            "depot": {"lat": 31.2, "lon": 121.5},
            "n17": {"lat": 31.25, "lon": 121},
            "plant 7": {"lat": 31.1, "lon": 121.44},
        },
        "skill_graph": {
            "skills": [{"id": "hydraulics"}, {"id": "hydraulics.pump"}, {"id": "pneumatics"}],
            "relations": [
                {"type": "implies", "from": "hydraulics", "to": "hydraulics.pump", "level_loss": 1},
                {"type": "implies", "from": "hydraulics.pump", "to": "pneumatics", "duration_factor": 1.0},
                {
                    "type": "substitutes",
                    "from": "pneumatics",
                    "to": "hydraulics",
                    "level_loss": 1,
                    "duration_factor": 1.3,
                    "penalty": 600.5,
                },
            ],
        },
        "engineers": [
            {
                "id": "E1",
                "name": "Li",
                "territory": "east",
                "skills": [{"skill": "hydraulics", "level": 4, "valid_until": "2027-01-01T00:00:00+08:00"}],
                "shifts": [
                    {
                        "id": "am",
                        "start": at("08:00"),
                        "end": at("12:00"),
                        "latest_end": at("13:00"),
                        "start_location": "depot",
                        "end_location": None,
                        "breaks": [
                            {
                                "earliest_start": at("10:00"),
                                "latest_start": at("10:00"),
                                "duration_seconds": 900,
                            }
                        ],
                        "max_work_orders": 12,
                        "attributes": {"van": 7},
                    },
                    # It touches the latest end of the shift before, which is legal.
                    {"id": "pm", "start": at("13:00"), "end": at("17:00"), "start_location": "n17"},
                ],
                "speed_factor": 1.0,
                "duration_factors": {"hydraulics": 0.9},
                "fix_probability": {"hydraulics": 0.85},
                "parts": {"P-12": 2},
                "on_call": True,
                "attributes": {"free": [1, {"deep": None}]},
            },
            {
                "id": "E2",
                "skills": [{"skill": "pneumatics"}],
                "shifts": [
                    {
                        "id": "am",
                        "start": at("08:00"),
                        "end": at("17:00"),
                        "start_location": "depot",
                        "end_location": "plant 7",
                    }
                ],
            },
        ],
        "work_orders": [
            {
                "id": "W1",
                "location": "n17",
                "territory": "east",
                "service_seconds": 3600.0,
                "setup_seconds": 300,
                "level": "L2",
                "value": 108000.5,
                "required_skills": [{"skill": "hydraulics.pump", "level": 2}],
                "time_windows": [
                    {"start": at("08:00"), "end": at("11:00")},
                    # Wholly past, so it may begin before the horizon.
                    {"start": "2026-11-20T08:00:00+08:00", "end": at("09:00")},
                ],
                "deadlines": {"arrive_by": at("10:00"), "start_by": at("10:30"), "restore_by": at("12:00")},
                "allowed_engineers": ["E1"],
                "excluded_engineers": ["E2"],
                "preferred_engineers": ["E1", "E2"],
                "parts": {"P-12": 1},
                "asset": "crane-7",
                "related_to": ["W2"],
                "depends_on": [{"completed_at": at("07:00"), "max_gap_seconds": 86400}],
                "pin": {"engineer": "E2", "start": at("09:00")},
                "attributes": {"customer": "c-9"},
            },
            {
                "id": "W2",
                "location": "plant 7",
                "service_seconds": 0,
                "value": 0,
                "depends_on": [{"work_order": "W1", "min_gap_seconds": 0, "max_gap_seconds": None}],
                "team": {
                    "roles": [
                        {
                            "role": "lead",
                            "min": 1,
                            "max": 1,
                            "required_skills": [{"skill": "hydraulics", "level": 4}],
                            "presence": "remote",
                            "service_seconds": 1800,
                        },
                        {"role": "support", "min": 1, "max": 3, "presence": "on_site"},
                        {"role": "backup", "presence": "standby"},
                    ],
                    "collective_skills": [{"skill": "pneumatics", "level": 1}],
                    "arrival": {"mode": "lead_first", "min_gap_seconds": 60, "max_gap_seconds": 600},
                    "service_seconds_by_size": {"2": 5400, "3": 3600},
                },
            },
        ],
        "travel": {
            "kind": "geodesic",
            "speed_kmh": 35,
            "detour_factor": 1.3,
            "traffic": [
                {"from": "16:30", "to": "24:00", "factor": 1.2},
                {"from": "07:00", "to": "09:30", "factor": 1.6},
                {"from": "09:30", "to": "10:00", "factor": 1},
            ],
        },
        "objective": {
            "profile": "sla_first",
            "weights": {"travel": 1.5, "late_start": 2, "late_restore": {"L1": 20, "L3": 1.5}},
        },
        "current_plan": full_plan(),
        "solve": {
            "time_limit_seconds": 2.5,
            "iteration_limit": 0,
            "seed": 2**63 - 1,
            "threads": 256,
            "engine": "hybrid",
        },
        "attributes": {"source": "import"},
    }


def matrix_problem() -> dict[str, Any]:
    """The full problem with a matrix for travel, and metres because `distance` has weight."""
    problem = full_problem()
    problem["locations"] = {"depot": {}, "n17": {"lat": 31.25, "lon": 121.46}, "plant 7": {}, "unused": {}}
    problem["travel"] = {
        "kind": "matrix",
        "location_ids": ["plant 7", "n17", "depot"],
        "seconds": [[0, 840, 900], [850.0, 99, 600], [910, 610, 0]],
        "meters": [[0, 9100, 9900], [9200, 0, 7000], [9950, 7100, 0]],
        "traffic": [{"from": "07:00", "to": "09:30", "factor": 1.6}],
    }
    problem["objective"]["weights"]["distance"] = 0.01
    return problem


def full_plan() -> dict[str, Any]:
    """A readable plan that uses every field; it also names a work order that no longer exists."""
    return {
        "version": 1,
        "problem_id": "shanghai-2026-11-22",
        "created_at": "2026-11-23T00:00:00Z",
        "score": {
            "total": 812345,
            "terms": [{"rule": "travel", "amount": 143210, "unit": "s", "cost": 143210.0}],
        },
        "routes": [
            {
                "engineer": "E1",
                "shift": "am",
                "stops": [
                    {"kind": "start", "location": "depot", "end": at("08:00")},
                    {
                        "kind": "work_order",
                        "work_order": "W-gone",
                        "role": "lead",
                        "location": "n17",
                        "travel_seconds": 840,
                        "travel_meters": 9100,
                        "arrival": at("08:14"),
                        "start": at("08:14"),
                        "end": at("09:14"),
                        "late_arrival_seconds": 0,
                        "late_start_seconds": 0,
                        "late_restore_seconds": 0,
                        "pinned": False,
                    },
                    {"kind": "break", "start": at("10:00"), "end": at("10:15")},
                    {
                        "kind": "end",
                        "location": "depot",
                        "travel_seconds": 600,
                        "travel_meters": 7000,
                        "arrival": at("10:25"),
                    },
                ],
            }
        ],
        "teams": [
            {
                "work_order": "W-gone",
                "start": at("08:14"),
                "members": [{"engineer": "E1", "role": "lead"}],
                "standby": [{"engineer": "E9", "role": "backup"}],
            }
        ],
        "unassigned": [
            {
                "work_order": "W5",
                "reasons": [{"engineer": "E1", "code": "SKILL_LEVEL", "params": {"skill": "a"}, "message": "too low"}],
                "reasons_left_out": 3,
                "cheapest_fix": {
                    "code": "OVERTIME",
                    "engineer": "E3",
                    "amount_seconds": 720,
                    "params": {},
                    "message": "12 minutes",
                },
            }
        ],
        "receipt": {
            "engine": "hybrid",
            "seed": 1,
            "threads": 2,
            "iterations": 120000,
            "elapsed_seconds": 9.98,
            "stopped_by": "time_limit",
            "approximated_rules": [],
            "problem_sha256": "ab" * 32,
            "travel_tier": "geodesic",
            "software": {"muster": "0.1.0"},
            "lower_bound": None,
            "gap": None,
        },
    }


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a document where something stands, deepest last; free data is left out."""
    children: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    for key, child in children:
        yield (*path, key)
        if key not in ("attributes", "params"):
            yield from places(child, (*path, key))


def parent_of(document: Any, path: tuple[str | int, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def changed(change: Change, document: dict[str, Any]) -> dict[str, Any]:
    change(document)
    return document


def setting(path: str, value: object) -> Change:
    """A change that sets what stands at a path like `work_orders[0].level`; keys must be plain names."""
    segments = [int(index) if index else name for name, index in re.findall(r"([A-Za-z_]\w*)|\[(\d+)\]", path)]

    def change(document: dict[str, Any]) -> None:
        parent_of(document, tuple(segments))[segments[-1]] = value

    return change
