"""A small working day with most of what a plan can hold, and a right plan for it, to test the checker with.

Travel is a matrix of whole minutes. E1 and E2 meet for the team order W2, with E3 on standby; E4 leads W5
from afar before going to W3 on an open route; W8 is pinned; W6 and W7 stay undone.
"""

from typing import Any

Json = dict[str, Any]

DATE = "2026-11-23"


def at(clock: str) -> str:
    """An instant of the day, like 08:10 or 08:10:30."""
    return f"{DATE}T{clock if clock.count(':') == 2 else clock + ':00'}+01:00"


def shift(**fields: Any) -> Json:
    return {
        "id": "mon",
        "start": at("08:00"),
        "end": at("16:00"),
        "latest_end": at("17:00"),
        "start_location": "depot",
        **fields,
    }


def day_problem() -> Json:
    noon = {"earliest_start": at("11:00"), "latest_start": at("12:30"), "duration_seconds": 1800}
    return {
        "version": 1,
        "id": "day",
        "timezone": "Europe/Berlin",
        "now": at("07:00"),
        "horizon": {"start": at("00:00"), "end": at("23:59")},
        "locations": {"depot": {}, "a": {}, "b": {}},
        "skill_graph": {
            "skills": [{"id": "pump"}, {"id": "hydraulics"}, {"id": "electrics"}],
            "relations": [
                {
                    "type": "substitutes",
                    "from": "hydraulics",
                    "to": "pump",
                    "level_loss": 1,
                    "duration_factor": 1.5,
                    "penalty": 60,
                }
            ],
        },
        "engineers": [
            {
                "id": "E1",
                "skills": [
                    {"skill": "pump", "level": 4},
                    {"skill": "electrics", "level": 2, "valid_until": at("09:30")},
                ],
                "shifts": [shift(breaks=[noon], max_work_orders=3)],
                "parts": {"P": 1},
            },
            {
                "id": "E2",
                "skills": [{"skill": "hydraulics", "level": 3}],
                "shifts": [shift()],
                "parts": {"P": 2},
            },
            {"id": "E3", "skills": [{"skill": "pump", "level": 3}], "shifts": [shift()]},
            {"id": "E4", "skills": [{"skill": "pump", "level": 5}], "shifts": [shift(end_location=None)]},
        ],
        "work_orders": [
            {
                "id": "W1",
                "location": "a",
                "service_seconds": 3600,
                "setup_seconds": 300,
                "level": "L2",
                "required_skills": [{"skill": "electrics", "level": 2}],
                "time_windows": [
                    {"start": at("08:00"), "end": at("09:00")},
                    {"start": at("13:00"), "end": at("14:00")},
                ],
                "deadlines": {"start_by": at("08:00"), "restore_by": at("10:00")},
                "related_to": ["W3"],
            },
            {
                "id": "W2",
                "location": "b",
                "service_seconds": 3600,
                "time_windows": [
                    {"start": at("09:00"), "end": at("09:40")},
                    {"start": at("09:41"), "end": at("10:30")},
                ],
                "team": {
                    "roles": [
                        {"role": "lead", "required_skills": [{"skill": "pump", "level": 4}]},
                        {
                            "role": "support",
                            "required_skills": [{"skill": "pump", "level": 2}],
                            "service_seconds": 1200,
                        },
                        {
                            "role": "backup",
                            "required_skills": [{"skill": "pump", "level": 3}],
                            "presence": "standby",
                        },
                    ],
                    "collective_skills": [{"skill": "pump", "level": 4}],
                    "service_seconds_by_size": {"1": 5000, "2": 1800, "3": 900},
                },
                "parts": {"P": 2},
            },
            {
                "id": "W3",
                "location": "a",
                "service_seconds": 1800,
                "setup_seconds": 300,
                "excluded_engineers": ["E3"],
                "depends_on": [{"work_order": "W1", "min_gap_seconds": 600, "max_gap_seconds": 3600}],
            },
            {
                "id": "W5",
                "location": "a",
                "service_seconds": 1200,
                "team": {
                    "roles": [
                        {
                            "role": "lead",
                            "required_skills": [{"skill": "pump", "level": 5}],
                            "presence": "remote",
                        },
                        {
                            "role": "technician",
                            "required_skills": [{"skill": "pump", "level": 1}],
                            "service_seconds": 800,
                        },
                    ],
                },
            },
            {"id": "W6", "location": "a", "service_seconds": 600, "value": 100},
            {
                "id": "W7",
                "location": "a",
                "service_seconds": 600,
                "depends_on": [{"work_order": "W6"}],
            },
            {
                "id": "W8",
                "location": "b",
                "service_seconds": 600,
                "setup_seconds": 120,
                "allowed_engineers": ["E2", "E3"],
                "parts": {"P": 1},
                "pin": {"engineer": "E2", "start": at("14:00")},
            },
        ],
        "travel": {
            "kind": "matrix",
            "location_ids": ["depot", "a", "b"],
            "seconds": [[0, 600, 900], [600, 0, 300], [900, 300, 0]],
            "meters": [[0, 6000, 9000], [6000, 0, 3000], [9000, 3000, 0]],
        },
        "objective": {"profile": "balanced"},
    }


def start(end: str, location: str = "depot") -> Json:
    return {"kind": "start", "location": location, "end": at(end)}


def work(order: str, location: str, travel_seconds: int, arrival: str, begin: str, end: str, **fields: Any) -> Json:
    return {
        "kind": "work_order",
        "work_order": order,
        "role": None,
        "location": location,
        "travel_seconds": travel_seconds,
        "travel_meters": travel_seconds * 10,
        "arrival": at(arrival),
        "start": at(begin),
        "end": at(end),
        "late_arrival_seconds": 0,
        "late_start_seconds": 0,
        "late_restore_seconds": 0,
        "pinned": False,
        **fields,
    }


def rest(begin: str, end: str) -> Json:
    return {"kind": "break", "start": at(begin), "end": at(end)}


def back(travel_seconds: int, arrival: str, location: str = "depot") -> Json:
    return {
        "kind": "end",
        "location": location,
        "travel_seconds": travel_seconds,
        "travel_meters": travel_seconds * 10,
        "arrival": at(arrival),
    }


def day_plan() -> Json:
    terms = [
        ("unserved", 7300, 7300),
        ("late_start", 600, 1800),
        ("late_start_once", 1, 10800),
        ("travel", 4200, 4200),
        ("distance", 42000, 0),
        ("substitution", 120, 120),
        ("association", 1, 900),
        ("worst_lateness", 600, 0),
        ("fairness", 2250, 0),
        ("engineers_used", 3, 0),
    ]
    return {
        "version": 1,
        "problem_id": "day",
        "created_at": at("07:00"),
        "routes": [
            {
                "engineer": "E1",
                "shift": "mon",
                "stops": [
                    start("08:00"),
                    work("W1", "a", 600, "08:10", "08:10", "09:15", late_start_seconds=600),
                    work("W2", "b", 300, "09:20", "09:40", "10:10", role="lead"),
                    rest("11:00", "11:30"),
                    back(900, "11:45"),
                ],
            },
            {
                "engineer": "E2",
                "shift": "mon",
                "stops": [
                    start("08:00"),
                    work("W5", "a", 600, "08:10", "08:10", "08:30", role="technician"),
                    work("W2", "b", 300, "08:35", "09:40", "10:10", role="support"),
                    work("W8", "b", 0, "10:10", "14:00", "14:10", pinned=True),
                    back(900, "14:25"),
                ],
            },
            {
                "engineer": "E4",
                "shift": "mon",
                "stops": [
                    start("08:00"),
                    work("W5", "depot", 0, "08:00", "08:10", "08:30", role="lead"),
                    work("W3", "a", 600, "08:40", "09:45", "10:20"),
                ],
            },
        ],
        "teams": [
            {
                "work_order": "W2",
                "start": at("09:40"),
                "members": [{"engineer": "E1", "role": "lead"}, {"engineer": "E2", "role": "support"}],
                "standby": [{"engineer": "E3", "role": "backup"}],
            },
            {
                "work_order": "W5",
                "start": at("08:10"),
                "members": [{"engineer": "E2", "role": "technician"}, {"engineer": "E4", "role": "lead"}],
                "standby": [],
            },
        ],
        "unassigned": [
            {
                "work_order": "W6",
                "reasons": [{"engineer": "E1", "code": "MAX_WORK_ORDERS", "params": {}, "message": "full"}],
                "cheapest_fix": {"code": "OVERTIME", "engineer": "E3", "amount_seconds": 720},
            },
            {"work_order": "W7"},
        ],
        "score": {
            "total": 25120,
            "terms": [{"rule": rule, "amount": amount, "cost": cost} for rule, amount, cost in terms],
        },
    }


def by_id(items: list[Json], name: str) -> Json:
    return next(item for item in items if item["id"] == name)


def engineer(problem: Json, name: str) -> Json:
    return by_id(problem["engineers"], name)


def order(problem: Json, name: str) -> Json:
    return by_id(problem["work_orders"], name)


def route(plan: Json, name: str) -> Json:
    found: Json = next(each for each in plan["routes"] if each["engineer"] == name)
    return found


def stops(plan: Json, name: str) -> list[Json]:
    found: list[Json] = route(plan, name)["stops"]
    return found


def move(stop: Json, **clocks: str) -> None:
    """Sets instants of a stop: move(stop, start="08:20")."""
    stop.update({field: at(clock) for field, clock in clocks.items()})
