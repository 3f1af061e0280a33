"""Small random days with teams, of every feature that the oracle models."""

from random import Random
from typing import Any

from dispatcher.problem import Problem
from tests.small_days import Document, at, day, engineer, order, read, rest, role, shift, skill, window

SITES = ("p10", "p20", "p30", "p60")
LEVELS = ("L1", "L2", "L3", "L4")
MOST_ORDERS, MOST_ENGINEERS = 6, 4


def oracle_day(seed: int) -> Problem:
    """A day of up to six orders and four engineers, one or two of the orders with a team."""
    return read(oracle_document(seed))


def oracle_document(seed: int) -> Document:
    """The document of `oracle_day`; the same seed gives the same document."""
    rng = Random(f"oracle/{seed}")
    engineers = [_engineer(rng, f"E{number}") for number in range(rng.randint(3, MOST_ENGINEERS))]
    count = rng.randint(3, MOST_ORDERS)
    teams = rng.choice((1, 1, 2))
    orders = [_order(rng, f"W{number}", number < teams) for number in range(count)]
    _relate(rng, orders, [document["id"] for document in engineers])
    weights: Document = {}
    for rule, choices in (("worst_lateness", (1, 0.5)), ("engineers_used", (600, 1800)), ("travel", (0.5, 2))):
        if rng.random() < 0.2:
            weights[rule] = rng.choice(choices)
    fields: Document = {
        "objective": {"profile": rng.choice(("balanced", "sla_first", "cost_first")), "weights": weights}
    }
    if rng.random() < 0.6:
        fields["skill_graph"] = {
            "skills": [{"id": name} for name in "abc"],
            "relations": [
                {"type": "implies", "from": "a", "to": "b", "level_loss": 1},
                {
                    "type": "substitutes",
                    "from": "c",
                    "to": "a",
                    "level_loss": 1,
                    "duration_factor": 1.3,
                    "penalty": 600,
                },
            ],
        }
    if rng.random() < 0.3:
        fields["now"] = at("08:30")
    return day(engineers, orders, **fields)


def _engineer(rng: Random, name: str) -> Document:
    skills = [skill(tag, rng.randint(2, 5)) for tag in "abc" if rng.random() < 0.75]
    hours = rng.choice((("08:00", "12:00", "13:00"), ("08:00", "14:00", None), ("09:00", "13:00", "13:30")))
    fields: dict[str, Any] = {}
    if rng.random() < 0.3:
        fields["breaks"] = [rest("10:30", rng.choice(("11:00", "12:00")), 30)]
    if rng.random() < 0.2:
        fields["end_location"] = None
    if rng.random() < 0.2:
        fields["max_work_orders"] = rng.randint(1, 3)
    more: dict[str, Any] = {}
    if rng.random() < 0.3:
        more["speed_factor"] = rng.choice((0.8, 1.2))
    if rng.random() < 0.3:
        more["duration_factors"] = {"a": rng.choice((0.9, 1.25))}
    if rng.random() < 0.5:
        more["parts"] = {"P": rng.randint(1, 2)}
    return engineer(name, *skills, shifts=[shift(*hours, **fields)], **more)


def _order(rng: Random, name: str, has_team: bool) -> Document:
    fields: dict[str, Any] = {"level": rng.choice(LEVELS)}
    required = [skill(rng.choice("abc"), rng.randint(1, 3))]
    if has_team:
        fields["team"] = _team(rng)
        if rng.random() < 0.5:
            fields["required_skills"] = [skill(rng.choice("abc"))]
    else:
        fields["required_skills"] = required
    if rng.random() < 0.4:
        fields["time_windows"] = [window("09:00", "10:30")]
        if rng.random() < 0.4:
            fields["time_windows"].append(window("11:30", "12:30"))
    if rng.random() < 0.7:
        kinds = rng.sample(("arrive_by", "start_by", "restore_by"), rng.choice((1, 1, 2)))
        fields["deadlines"] = {kind: at(rng.choice(("09:00", "10:00", "11:15", "12:30"))) for kind in kinds}
    if rng.random() < 0.3:
        fields["setup_seconds"] = rng.choice((300, 900))
    if not has_team and rng.random() < 0.25:
        fields["parts"] = {"P": rng.randint(1, 2)}
    return order(name, rng.choice(SITES), rng.choice((20, 30, 45, 60, 90)), **fields)


def _team(rng: Random) -> Document:
    lead = role("lead", skill(rng.choice("abc"), rng.randint(1, 3)))
    support = role("support", min=1, max=rng.choice((1, 1, 2)))
    if rng.random() < 0.5:
        support["required_skills"] = [skill(rng.choice("abc"))]
    team: Document = {"roles": [lead, support]}
    chance = rng.random()
    if chance < 0.15:
        lead["presence"] = "remote"
    elif chance < 0.35:
        support["service_seconds"] = 60 * rng.choice((15, 30, 60))
    elif chance < 0.55:
        team["service_seconds_by_size"] = {"2": 3600, "3": 2400}
    if rng.random() < 0.25:
        team["roles"].append(role("backup", skill(rng.choice("abc")), presence="standby"))
    if rng.random() < 0.3:
        team["collective_skills"] = [skill(rng.choice("abc"), 2)]
    mode = rng.choice(("together", "together", "staggered", "lead_first"))
    if mode != "together":
        team["arrival"] = {"mode": mode, "max_gap_seconds": rng.choice((900, 2700))}
        if mode == "lead_first":
            team["arrival"]["min_gap_seconds"] = rng.choice((0, 600))
    return team


def _relate(rng: Random, orders: list[Document], people: list[str]) -> None:
    names = [document["id"] for document in orders]
    for place, document in enumerate(orders):
        if place and rng.random() < 0.15:
            gap = rng.choice((0, 1800))
            document["depends_on"] = [{"work_order": rng.choice(names[:place]), "min_gap_seconds": gap}]
            if rng.random() < 0.4:
                document["depends_on"][0]["max_gap_seconds"] = gap + 5400
        if rng.random() < 0.15:
            document["related_to"] = [rng.choice([name for name in names if name != document["id"]])]
        if rng.random() < 0.15:
            kind = rng.choice(("allowed_engineers", "excluded_engineers", "preferred_engineers"))
            document[kind] = rng.sample(people, 2)
