"""Small, weird problems for property tests: every feature of the planning document, in odd company."""

from __future__ import annotations

import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from data.synthetic_city import City, LocalDay, Place, road_matrix
from data.synthetic_plan import simple_plan

Document = dict[str, Any]

DAYS = (
    ("Asia/Shanghai", datetime.date(2026, 11, 23)),
    ("Asia/Shanghai", datetime.date(2026, 11, 23)),
    ("Europe/Berlin", datetime.date(2026, 10, 25)),
    ("America/New_York", datetime.date(2026, 11, 1)),
    ("Europe/Berlin", datetime.date(2026, 3, 29)),
    ("Asia/Kolkata", datetime.date(2026, 6, 1)),
)
"""Ordinary days, days on which the clock goes back or forward at night, and a zone off the full hour."""

SKILLS = ("a", "a.x", "b", "c")
ENGINEER_LISTS = ("allowed_engineers", "excluded_engineers", "preferred_engineers")
LEVELS = ("L1", "L2", "L3", "L4")
PARTS = ("p", "q")
NOTHING: tuple[tuple[str, Any], ...] = (
    ("team", None), ("time_windows", []), ("deadlines", None), ("required_skills", []), ("value", None),
    ("parts", None), ("territory", None), ("pin", None), ("depends_on", []), ("allowed_engineers", []),
)  # fmt: skip
"""Ways to say that there is no restriction."""
GRADED_RULES = ("late_arrival", "late_start", "late_restore", "late_arrival_once", "late_restore_once")
PLAIN_RULES = (
    "unserved",
    "travel",
    "overtime",
    "association",
    "fairness",
    "engineers_used",
    "worst_lateness",
)


def random_problem(rng: Random, *, orders: int, engineers: int) -> Document:
    """A valid problem document with features switched on and off by chance.

    Args:
        rng: where all chance comes from; the same state gives the same document.
        orders, engineers: how many of each; both may be 0.
    """
    return _Weird(rng, orders, engineers).document()


class _Weird:
    def __init__(self, rng: Random, orders: int, engineers: int) -> None:
        self.rng = rng
        zone, date = rng.choice(DAYS)
        self.day = LocalDay(date, ZoneInfo(zone))
        self.zone = zone
        self.nightly = date.month in (3, 10, 11) and zone != "Asia/Shanghai" and self.chance(0.8)
        """Shifts and traffic lie in the night in which the clock changes."""
        self.days = 2 if self.chance(0.2) else 1
        self.hours_now = rng.choice((0.0, 1.0, 2.5) if self.nightly else (0.0, 7.5, 10.5, 13.0))
        self.now = self.day.at(self.hours_now)
        self.matrix = self.chance(0.4)
        self.graph = self.chance(0.6)
        self.teams = self.chance(0.6)
        self.locations = self._places(max(2, orders // 2 + engineers))
        self.ids = list(self.locations)
        self.engineers = [self._engineer(f"E{index}") for index in range(engineers)]
        self.orders = [self._order(f"W{index}") for index in range(orders)]
        self._relate()

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def text(self, hours: float, plus_seconds: int = 0) -> str:
        """The wall-clock time as an instant: mostly with the zone's offset, now and then in UTC."""
        instant = self.day.at(hours) + plus_seconds
        if self.chance(0.05):
            return datetime.datetime.fromtimestamp(instant, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self.day.text(instant)

    def document(self) -> Document:
        rng, day = self.rng, self.day
        document: Document = {
            "version": 1,
            "id": f"weird-{rng.randrange(10**9)}",
            "timezone": self.zone,
            "horizon": {"start": day.text(day.at(0)), "end": day.text(day.at(24 * self.days))},
            "locations": self.locations,
            "engineers": self.engineers,
            "work_orders": self.orders,
        }
        if self.chance(0.2):
            document["attributes"] = {"source": "chance"}
        if self.hours_now or self.chance(0.5):
            document["now"] = day.text(self.now)
        if self.graph:
            document["skill_graph"] = self._skill_graph()
        weights = self._weights()
        has_meters = self.chance(0.6) or bool(weights.get("distance"))
        document["travel"] = self._travel(has_meters)
        document["objective"] = {
            "profile": rng.choice(("balanced", "balanced", "sla_first", "cost_first", "stable")),
            "weights": weights,
        }
        if self.chance(0.35):
            document["current_plan"] = self._forget(simple_plan(document))
        self._doubt(Random(document["id"]), weights)
        return document

    def _places(self, count: int) -> dict[str, Place]:
        """A small town; now and then two places share their coordinates, or everything is one place."""
        rng = self.rng
        city = City.grow(rng, 31.2, 121.5, rng.choice((1, 2, 3)))
        places: dict[str, Place] = {}
        spread = rng.choice((0.0, 0.3, 1.0, 2.0))
        for index in range(count):
            place = city.place(rng, city.pick(rng), spread)
            if places and self.chance(0.1):
                place = dict(rng.choice(list(places.values())))
            places[f"n{index}"] = place
        return places

    def _engineer(self, name: str) -> Document:
        rng = self.rng
        held: list[Document] = []
        for skill in SKILLS:
            if self.chance(0.7):
                item: Document = {"skill": skill, "level": rng.choice((1, 2, 3, 4, 5))}
                if self.chance(0.15):
                    hours = rng.choice((-20.0, 9.0, 12.0, 1.5, 30.0, 900.0))
                    item["valid_until"] = self.text(hours)
                held.append(item)
        engineer: Document = {"id": name, "skills": held, "shifts": self._shifts()}
        if self.chance(0.3):
            engineer["speed_factor"] = rng.choice((0.7, 0.95, 1, 1.15, 1.3))
        if self.chance(0.4):
            engineer["duration_factors"] = {
                skill: rng.choice((0.8, 1.15, 1.05, 0.333, 1)) for skill in rng.sample(SKILLS, 2)
            }
        if self.chance(0.5):
            engineer["parts"] = {part: rng.choice((0, 1, 2, 3)) for part in PARTS}
        if self.chance(0.2):
            engineer["on_call"] = self.chance(0.5)
        if self.chance(0.1):
            engineer["attributes"] = {"note": "read by nobody", "nested": {"list": [1, None, 2.5]}}
        return engineer

    def _shifts(self) -> list[Document]:
        rng = self.rng
        shapes: list[list[tuple[float, float]]] = [
            [(8.0, 17.0)], [(8.0, 17.0)], [(8.0, 17.0)], [(7.0, 12.5)], [(12.0, 23.0)],
            [(6.0, 9.0), (13.0, 20.0)], [],
        ]  # fmt: skip
        if self.nightly:
            shapes = [[(0.0, 8.0)], [(0.5, 6.0)], [(0.0, 1.5), (3.5, 9.0)], [(0.0, 20.0)], []]
        spans = rng.choice(shapes)
        if self.days == 2:
            spans = rng.choice((spans, [*spans, *((first + 24, last + 24) for first, last in spans)]))
        return [self._shift(f"s{index}", first, last) for index, (first, last) in enumerate(spans)]

    def _shift(self, name: str, first: float, last: float) -> Document:
        rng = self.rng
        start = rng.choice(self.ids)
        shift: Document = {
            "id": name,
            "start": self.text(first),
            "end": self.text(last),
            "start_location": start,
        }
        if self.chance(0.6):
            shift["end_location"] = rng.choice((start, start, rng.choice(self.ids), None))
        if self.chance(0.5):
            shift["latest_end"] = self.text(last + rng.choice((0.0, 0.5, 1.0)))
        if self.chance(0.5) and last - first > 2:
            middle = first + (last - first) * rng.choice((0.0, 0.2, 0.4, 0.6))
            shift["breaks"] = [self._break(middle, rng.choice((0.0, 0.5, 1.5)))]
            if self.chance(0.25):
                shift["breaks"].append(self._break(middle + 2.5, 0.5))
        if self.chance(0.25):
            shift["max_work_orders"] = rng.choice((1, 2, 3, 6))
        return shift

    def _break(self, hours: float, width: float) -> Document:
        earliest = self.day.at(hours)
        return {
            "earliest_start": self.day.text(earliest),
            "latest_start": self.day.text(earliest + round(width * 3600)),
            "duration_seconds": self.rng.choice((60, 900, 2700)),
        }

    def _order(self, name: str) -> Document:
        rng = self.rng
        order: Document = {
            "id": name,
            "location": rng.choice(self.ids),
            "service_seconds": rng.choice((0, 1, 50, 599, 1800, 3600, 5400, 9001)),
        }
        if self.chance(0.3):
            order["setup_seconds"] = rng.choice((1, 300, 777))
        if self.chance(0.8):
            order["level"] = rng.choice(LEVELS)
        if self.chance(0.3):
            order["value"] = rng.choice((0, 1, 2.5, 5000, 90000))
        if self.chance(0.7):
            order["required_skills"] = self._required(rng.choice((1, 1, 2)))
        if self.chance(0.6):
            order["time_windows"] = self._windows()
        if self.chance(0.5):
            order["deadlines"] = {
                key: self._instant() for key in ("arrive_by", "start_by", "restore_by") if self.chance(0.5)
            }
        if self.chance(0.25):
            order["parts"] = {rng.choice(PARTS): rng.choice((1, 1, 2, 3))}
        if self.teams and self.chance(0.35):
            order["team"] = self._team()
        for key, nothing in NOTHING:
            if key not in order and self.chance(0.04):
                order[key] = nothing
        return order

    def _required(self, count: int, highest: int = 4) -> list[Document]:
        rng = self.rng
        required = []
        for skill in rng.sample(SKILLS, count):
            item: Document = {"skill": skill}
            if self.chance(0.8):
                item["level"] = rng.randrange(1, highest + 1)
            required.append(item)
        return required

    def _instant(self) -> str:
        hours = self.rng.choice((-5.0, 0.0, 1.5, 2.5, 4.0, 8.0, 9.25, 12.0, 16.0, 26.0))
        return self.text(hours, self.rng.randrange(120))

    def _windows(self) -> list[Document]:
        """One to three windows; some are a single instant, some wholly past (even before the horizon)."""
        spans: tuple[tuple[float, float], ...] = (
            (8.0, 12.0), (8.0, 17.0), (9.0, 9.5), (10.0, 10.0), (13.0, 17.0), (15.0, 16.0),
            (0.0, 24.0), (24.0 * self.days - 16, 24.0 * self.days),
        )  # fmt: skip
        if self.nightly:
            spans = ((0.0, 4.0), (1.0, 3.0), (2.5, 2.5), (0.0, 24.0), (3.0, 8.0))
        chosen = self.rng.sample(spans, self.rng.choice((1, 1, 2, 3)))
        if self.chance(0.1) and self.hours_now >= 1:
            chosen.append((-3.0, self.hours_now - 0.5))
        return [{"start": self.text(first), "end": self.text(last)} for first, last in chosen]

    def _team(self) -> Document:
        rng = self.rng
        mode = rng.choice(("together", "together", "staggered", "lead_first"))
        lead: Document = {"role": "lead" if mode == "lead_first" or self.chance(0.7) else "chief"}
        if self.chance(0.25):
            lead["presence"] = "remote"
        support: Document = {"role": "support", "min": rng.choice((1, 1, 2)), "presence": "on_site"}
        support["max"] = support["min"] + rng.choice((0, 0, 1, 2))
        roles = [lead, support]
        if self.chance(0.2):
            # A role nobody has to hold, but a helper may.
            roles.append({"role": "helper", "min": 0, "max": 1})
        if self.chance(0.35):
            roles.append({"role": "backup", "presence": "standby", "min": rng.choice((1, 1, 0)), "max": 1})
        for role in roles:
            if self.chance(0.6):
                role["required_skills"] = self._required(1, highest=3)
            if self.chance(0.15):
                role["service_seconds"] = rng.choice((0, 600, 2400))
        rng.shuffle(roles)
        team: Document = {"roles": roles}
        if mode != "together" or self.chance(0.3):
            team["arrival"] = {"mode": mode}
        if mode != "together" and self.chance(0.8):
            team["arrival"]["max_gap_seconds"] = rng.choice((600, 1800, 7200))
            if mode == "lead_first" and self.chance(0.5):
                team["arrival"]["min_gap_seconds"] = rng.choice((0, 300, 600))
        if self.chance(0.4):
            team["service_seconds_by_size"] = {str(size): rng.choice((0, 900, 3000, 4000)) for size in (2, 3)}
        if self.chance(0.3):
            team["collective_skills"] = self._required(1, highest=2)
        return team

    def _relate(self) -> None:
        rng = self.rng
        names = [order["id"] for order in self.orders]
        people = [engineer["id"] for engineer in self.engineers]
        for index, order in enumerate(self.orders):
            if index and "depends_on" not in order and self.chance(0.15):
                gap = rng.choice((0, 60, 1800))
                order["depends_on"] = [
                    {"work_order": rng.choice(names[:index]), "min_gap_seconds": gap}
                    | ({"max_gap_seconds": gap + rng.choice((0, 3600, 20000))} if self.chance(0.5) else {})
                ]
            elif self.chance(0.08):
                done = self.day.text(self.now - rng.choice((0, 600, 90000)))
                order["depends_on"] = [{"completed_at": done, "max_gap_seconds": rng.choice((None, 100000))}]
            if len(names) > 1 and self.chance(0.2):
                order["related_to"] = rng.sample([name for name in names if name != order["id"]], 1)
            if people and self.chance(0.2):
                order[rng.choice(ENGINEER_LISTS)] = rng.sample(people, rng.randrange(1, len(people) + 1))
        if people:
            self._pin(people)

    def _pin(self, people: list[str]) -> None:
        """Pins with and without a start, and running work: one order at most for who is on shift."""
        rng = self.rng
        running = [engineer for engineer in self.engineers if self._works_now(engineer)]
        for order in self.orders:
            able = [name for name in people if name not in order.get("excluded_engineers", [])]
            able = [name for name in able if name in (order.get("allowed_engineers") or able)]
            if not able or "pin" in order:
                continue
            if running and "team" not in order and self.chance(0.2):
                engineer = running.pop(rng.randrange(len(running)))
                if engineer["id"] in able:
                    begun = self.now - rng.choice((1, 60, 1800, 7000))
                    order["pin"] = {"engineer": engineer["id"], "start": self.day.text(begun)}
            elif self.chance(0.1):
                order["pin"] = {"engineer": rng.choice(able)}
                if self.chance(0.4):
                    later = self.now + rng.choice((0, 1800, 7200, 14400))
                    order["pin"]["start"] = self.day.text(later)

    def _works_now(self, engineer: Document) -> bool:
        """Whether the first shift is the one under way: nobody can doubt where running work belongs."""
        spans = [(_instant(shift["start"]), _instant(shift["end"])) for shift in engineer["shifts"]]
        return bool(spans) and all(
            start < self.now < end if index == 0 else start > self.now + 3600
            for index, (start, end) in enumerate(spans)
        )

    def _skill_graph(self) -> Document:
        rng = self.rng
        relations: list[Document] = []
        if self.chance(0.8):
            relations.append({"type": "implies", "from": "a", "to": "a.x", "level_loss": rng.choice((0, 1, 2))})
        if self.chance(0.6):
            relations.append(
                {
                    "type": "substitutes",
                    "from": "b",
                    "to": rng.choice(("a", "c")),
                    "level_loss": rng.choice((0, 1)),
                    "duration_factor": rng.choice((1.0, 1.15, 1.3, 2)),
                    "penalty": rng.choice((0, 600, 12.5)),
                }
            )
        if self.chance(0.3):
            relations.append({"type": "substitutes", "from": "c", "to": "b", "duration_factor": 1.05})
        return {"skills": [{"id": skill} for skill in SKILLS], "relations": relations}

    def _weights(self) -> Document:
        rng = self.rng
        weights: Document = {}
        if self.chance(0.4):
            weights["distance"] = rng.choice((0.01, 0.0005, 1, 0))
        for rule in PLAIN_RULES:
            if self.chance(0.15):
                weights[rule] = rng.choice((0, 0.25, 1, 3, 7200))
        for rule in GRADED_RULES:
            if self.chance(0.15):
                levels = rng.sample(LEVELS, 2)
                weights[rule] = rng.choice((1.5, {level: rng.choice((0, 0.05, 20)) for level in levels}))
        return weights

    def _doubt(self, rng: Random, weights: Document) -> None:
        """Now and then engineers may not fix it at once, which mostly costs something.

        By a chance of its own, so that the rest of the document is the same with and without it.
        """
        if rng.random() < 0.7:
            return
        for engineer in self.engineers:
            if rng.random() < 0.7:
                engineer["fix_probability"] = {
                    skill: rng.choice((0, 0.25, 0.333, 0.8, 0.95, 1, None)) for skill in rng.sample(SKILLS, 2)
                }
        weights["repeat_visit"] = rng.choice((0, 0.25, 1, 3))

    def _travel(self, has_meters: bool) -> Document:
        rng = self.rng
        travel: Document
        if self.matrix:
            travel = road_matrix(rng, self.locations, 30, meters=has_meters)
            if self.chance(0.5):
                self.locations.update({name: {} for name in self.locations})
        else:
            travel = {"kind": "geodesic", "speed_kmh": rng.choice((30, 35.5, 50))}
            if self.chance(0.7):
                travel["detour_factor"] = rng.choice((1, 1.3, 1.37))
        if self.chance(0.5):
            day = [("07:00", "09:30", 1.6), ("09:30", "12:00", 0.9), ("16:00", "24:00", 1.25)]
            night = [("00:00", "02:00", 1.2), ("02:00", "03:00", 2), ("03:30", "07:00", 0.8)]
            travel["traffic"] = [
                {"from": first, "to": last, "factor": factor}
                for first, last, factor in (night if self.nightly else day)
                if self.chance(0.8)
            ]
        return travel

    def _forget(self, plan: Document) -> Document:
        """A plan made elsewhere: some of what may be absent is, and some of its work has become undone."""
        for key in ("problem_id", "created_at"):
            if self.chance(0.3):
                del plan[key]
        if self.chance(0.3) and plan["routes"]:
            dropped = self.rng.choice(plan["routes"])
            gone = {stop.get("work_order") for stop in dropped["stops"]} - {None}
            teams = {team["work_order"] for team in plan["teams"]}
            if not gone & teams:
                plan["routes"].remove(dropped)
                plan["unassigned"] += [{"work_order": name} for name in sorted(gone)]
        return plan


def _instant(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()
