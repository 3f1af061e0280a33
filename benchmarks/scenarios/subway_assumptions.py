"""What the records do not say and the scenario assumes, each number in one place.

`listed` turns them into the sentences that the problem carries in its attributes.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_STARTS_HOURS, DAY_ENDS_HOURS = 7, 31
"""The planned day runs from 07:00 to 07:00, as its shifts do."""
OVERTIME_MINUTES = 60
BREAK_MINUTES = 30
SHIFTS = {"day": (7, 15), "evening": (15, 23), "night": (23, 31)}

SPEED_KMH, DETOUR_FACTOR = 24, 1.3
TRAFFIC = (("07:00", "10:00", 1.4), ("15:30", "19:00", 1.5), ("23:00", "24:00", 0.8), ("00:00", "05:30", 0.7))

SETUP_MINUTES = 10
REPEATED_SIGNALS, REPEATED_MINUTES = 3, 30
"""A fault that keeps coming back takes longer to find."""
SAME_FAULT_HOURS = 12
LONG_TERM_DAYS = 3
ARRIVE_MINUTES = {"L1": 60, "L2": 120}
CLOSE_HOURS = {"L3": 24, "L4": 72}

PREVENTIVE_MINUTES = 90
NIGHT_SHARE = 2 / 3
NIGHT_WINDOW_HOURS, NOON_WINDOW_HOURS = (23.0, 27.75), (9.5, 13.0)
"""Hours in which planned work may start: off the peaks."""

TEAM_SHARE_OF_TWO, TEAM_SHARE_OF_THREE = 0.6, 0.45


@dataclass(frozen=True, slots=True)
class Cause:
    """What a signal of the monitoring system is taken to mean: the first cause with a word in its note."""

    name: str
    words: tuple[str, ...]
    skills: tuple[tuple[str, int], ...]
    minutes: int


CAUSES = (
    Cause("entrapment", ("ENTRAPMENT",), (("rescue", 2), ("elevator", 3)), 60),
    Cause("fire service", ("FIRE",), (("elevator", 2),), 30),
    Cause("communication", ("COMM/POWER", "NO COMMUNICATION", "COMM ERROR"), (("network", 2),), 40),
    Cause("doors", ("DOOR", "GATE", "SAFETY EDGE", "GLASS", "BDL"), (("elevator.doors", 2),), 75),
    Cause(
        "drive",
        ("DRIVE", "BRAKE", "TRACTION", "OVERSPEED", "WRONG DIRECTION"),
        (("elevator.drive", 3),),
        120,
    ),
    Cause("hydraulics", ("VALVE", "OIL", "PRESSURE"), (("elevator.hydraulics", 3),), 105),
    Cause("power", ("POWER", "DISC", "BATTERY", "FUSE", "UPS", "RELAY"), (("electrics", 2),), 60),
    Cause(
        "levelling and limits",
        ("LIMIT", "LEVELING", "SLOWDOWN", "SENSOR", "HALL BUTTON", "INPUT", "OUTPUT"),
        (("elevator.controls", 2),),
        60,
    ),
    Cause(
        "stop switch",
        ("STOP", "INSPECTION", "EXIT", "HATCH", "PIT", "SAFETY", "TROUBLE"),
        (("elevator", 2),),
        45,
    ),
    Cause("unknown", ("",), (("elevator", 3),), 75),
)
PLANNED_CODES = ("PM", "UPO", "MRP", "CLN", "AP", "APC", "APT", "TPE")
"""Codes of work planned beforehand: their records give reasons such as maintenance and planned work."""
PLANNED_MINUTES = {"CLN": 45}

SKILLS = (
    "elevator", "elevator.doors", "elevator.controls", "elevator.drive", "elevator.hydraulics",
    "escalator", "electrics", "network", "rescue",
)  # fmt: skip
RELATIONS: tuple[dict[str, object], ...] = (
    {"type": "implies", "from": "elevator", "to": "elevator.doors"},
    {"type": "implies", "from": "elevator", "to": "elevator.controls", "level_loss": 1},
    {"type": "implies", "from": "elevator", "to": "elevator.drive", "level_loss": 1},
    {"type": "implies", "from": "elevator", "to": "elevator.hydraulics", "level_loss": 1},
    {"type": "substitutes", "from": "electrics", "to": "elevator.controls", "level_loss": 1,
     "duration_factor": 1.25, "penalty": 900},
    {"type": "substitutes", "from": "elevator.controls", "to": "network", "level_loss": 1,
     "duration_factor": 1.3, "penalty": 300},
)  # fmt: skip

TRADES: dict[str, dict[str, int]] = {
    "specialist": {"elevator": 5, "escalator": 4, "electrics": 3, "network": 2, "rescue": 3},
    "mechanic": {"elevator": 4, "escalator": 3, "electrics": 2, "rescue": 2},
    "helper": {"elevator": 3, "electrics": 2, "rescue": 2},
    "electrician": {"electrics": 4, "elevator.controls": 3, "network": 3, "elevator": 2, "rescue": 1},
    "electronics": {"network": 4, "elevator.controls": 4, "electrics": 3, "elevator": 2},
}
BASES = {
    "143": "207 Street yard",
    "426": "East 180 Street yard",
    "461": "Long Island City",
    "259": "Jamaica yard",
    "184": "East New York yard",
    "58": "Coney Island yard",
}
"""Stations where a crew might be based, by id of the stations file: five beside a yard, one central."""
CREW: tuple[tuple[str, str, str], ...] = (
    ("day", "143", "specialist"), ("day", "426", "mechanic"), ("day", "461", "helper"),
    ("day", "259", "electronics"), ("day", "184", "electrician"), ("day", "58", "mechanic"),
    ("evening", "143", "mechanic"), ("evening", "461", "helper"), ("evening", "259", "specialist"),
    ("evening", "184", "electrician"), ("evening", "58", "mechanic"),
    ("night", "143", "mechanic"), ("night", "426", "helper"), ("night", "461", "mechanic"),
    ("night", "461", "helper"), ("night", "259", "specialist"), ("night", "184", "electrician"),
    ("night", "58", "mechanic"),
)  # fmt: skip
"""Shift, base and trade of every engineer."""


def cause_of(note: str) -> Cause:
    """The first cause whose words are in the note; a note that says nothing is of unknown cause."""
    upper = note.upper()
    return next(cause for cause in CAUSES if any(word in upper for word in cause.words))


def listed() -> list[str]:
    """Every assumption with its numbers."""
    minutes = ", ".join(f"{cause.name} {cause.minutes}" for cause in CAUSES)
    by_shift = ", ".join(f"{shift} {sum(crew[0] == shift for crew in CREW)}" for shift in SHIFTS)
    bases = ", ".join(BASES.values())
    return [
        "Local times: the files label times +00:00, but they are read as New York wall-clock times.",
        f"Planned day: {DAY_STARTS_HOURS}:00 to {DAY_STARTS_HOURS}:00 the next day; calls of the night whose "
        "published return was before the day started count as closed.",
        f"Crew: {len(CREW)} engineers ({by_shift}), eight-hour shifts, up to {OVERTIME_MINUTES} minutes "
        f"overtime, a break of {BREAK_MINUTES} minutes; based at stations beside: {bases}.",
        "Skills: assumed trades; what a call requires is read off the words of the monitoring note.",
        f"Labour minutes by cause: {minutes}; {REPEATED_MINUTES} more from {REPEATED_SIGNALS} signals on; "
        f"{SETUP_MINUTES} to set up at a station.",
        f"One call per machine: a signal within {SAME_FAULT_HOURS} hours of the one before belongs to it; "
        "lost communication and fire service are one call per station.",
        "Levels: L1 entrapment, or two machines with faults at once at one accessible station complex; L2 a "
        "machine of an accessible station, or the last one running of another; L3 planned work; L4 the rest, "
        "and lost communication.",
        f"Promises: L1 on site within {ARRIVE_MINUTES['L1']} minutes, L2 within {ARRIVE_MINUTES['L2']}, both "
        f"in service by the return published for the machine; L3 closed in {CLOSE_HOURS['L3']} hours, L4 in "
        f"{CLOSE_HOURS['L4']}. Reports of the night count from the start of the day.",
        f"Teams: two share the labour at {TEAM_SHARE_OF_TWO:.0%} of its time, three at "
        f"{TEAM_SHARE_OF_THREE:.0%}; an entrapment takes two, so its labour counts twice.",
        f"Left out: capital replacements, and outages published to last more than {LONG_TERM_DAYS} days.",
        "Preventive visits: the published number of scheduled outages of each machine in the month, spread "
        f"evenly over its days from a start drawn from the machine's name; {PREVENTIVE_MINUTES} minutes "
        f"each, {NIGHT_SHARE:.0%} of the machines at night, the others around noon.",
        f"Travel: {SPEED_KMH} km/h by road, detour {DETOUR_FACTOR}, slower in the rush hours, faster at night.",
        "Hindsight: calls of the day are known with their time of report and cannot be served before it.",
    ]
