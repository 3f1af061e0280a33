"""The work orders of a synthetic day: what is broken where, how bad it is and what was promised."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from data.synthetic_city import City, District, LocalDay, Place
from data.synthetic_fleet import Document, Stream
from data.synthetic_spec import FleetSpec
from data.synthetic_trade import JOBS, Job, Qualifier, flatten

SHORTEST_SECONDS, SHORTEST_TEAM_SECONDS, LONGEST_SECONDS = 1200, 3600, 14400
CHOICES, GRAVE_CHOICES = 6, 2
"""How many jobs an order may be: the more, the better the work fits the crew. Emergencies choose less."""
DRIVE_SECONDS = 1200
"""The drive to an order, as `tightness` counts it."""


@dataclass(frozen=True, slots=True)
class OrderBook:
    """What the orders are drawn from. `now` is in epoch seconds.

    `machines` remembers what stands at a site, `demand` how many of a part are needed, `load` the minutes of work
    that fall to each engineer: a company hires for the work it has, so work leans towards those who have less.
    """

    spec: FleetSpec
    stream: Stream
    city: City
    day: LocalDay
    now: int
    engineers: list[Document]
    qualifier: Qualifier
    machines: dict[str, str] = field(default_factory=dict)
    load: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    demand: dict[str, int] = field(default_factory=dict)

    def draw(self, locations: dict[str, Place]) -> list[Document]:
        """Orders without teams and relations; their sites are added to `locations`."""
        levels = level_counts(self.spec)
        self.stream("levels").shuffle(levels)
        sites = self._sites(locations)
        orders = []
        for number, (level, (location, district)) in enumerate(zip(levels, sites, strict=True), start=1):
            rng = self.stream(f"order {number}")
            job, required = self._job(rng, self.machines.get(location), level)
            self.machines[location] = job.machine
            order: Document = {
                "id": f"W{number:03d}",
                "location": location,
                "territory": district.name,
                "service_seconds": self._minutes(rng, job, required) * 60,
                "level": level,
                "required_skills": required,
                "asset": f"{job.machine}-{location.removeprefix('site-')}",
                "attributes": {"title": job.title},
            }
            if self.spec.setup:
                order["setup_seconds"] = job.setup_minutes * 60
            self._promise(order, rng)
            self._parts(order, job, rng)
            orders.append(order)
        return orders

    def _sites(self, locations: dict[str, Place]) -> list[tuple[str, District]]:
        """A place and its district for every order; one order in eight shares its place with an earlier one."""
        rng = self.stream("sites")
        sites: list[tuple[str, District]] = []
        for number in range(1, self.spec.orders + 1):
            district = self.city.pick(rng)
            place = self.city.place(rng, district)
            if sites and rng.random() < 0.12:
                sites.append(rng.choice(sites))
                continue
            location = f"site-{number:03d}"
            locations[location] = place
            sites.append((location, district))
        return sites

    def _job(self, rng: Random, machine: str | None, level: str) -> tuple[Job, list[Document]]:
        """A job that two engineers of the fleet can do at least, of a few the one whose trade has the least to do.

        Emergencies ask for more skill, never for less than half-knowledge.
        """
        grave = level in ("L1", "L2")
        jobs = [job if self.spec.skill_graph else flatten(job) for job in JOBS if machine in (None, job.machine)]
        rng.shuffle(jobs)
        found: list[tuple[float, int, Job, list[Document]]] = []
        for job in jobs:
            bonus = rng.choice((0, 0, 0, 1)) if grave else 0
            required: list[Document] = []
            able: Collection[str] = ()
            for change in (bonus, 0, -1, -2):
                required = [{"skill": skill, "level": min(5, max(1, needed + change))} for skill, needed in job.skills]
                able = self.qualifier.holders(required)
                if len(able) >= min(2, len(self.engineers)):
                    break
            busy = sum(map(self.load.__getitem__, able)) / len(able) if able else float("inf")
            routine = grave and max(needed for _, needed in job.skills) < 3
            found.append((busy + (240.0 if routine else 0.0), len(found), job, required))
            if len(found) == (GRAVE_CHOICES if grave else CHOICES):
                break
        _, _, job, required = min(found, key=lambda item: item[:2])
        return job, required

    def _minutes(self, rng: Random, job: Job, required: list[Document]) -> int:
        low, high = job.minutes
        minutes = rng.randrange(low, high + 1, 5)
        able = self.qualifier.holders(required)
        for name in able:
            self.load[name] += minutes / len(able)
        return minutes

    def _promise(self, order: Document, rng: Random) -> None:
        """Time windows and, where the fleet works to deadlines, what its service levels promise.

        L1: on site an hour after the report (half an hour to consult an expert, half to drive), repaired
        after eight. L2: first handling on site within two hours of the report or of the site's opening. L3:
        closed within 24 hours. L4: within 72.
        """
        level, day = order["level"], self.day
        age, shape, opening = rng.random(), rng.random(), rng.choice((9, 10, 11, 13, 14))
        if level in ("L1", "L2"):
            reported = self.now - round(age * 20) * 60
            if level == "L2" and shape < 0.65:
                reported = max(reported, day.at(opening))
            hours = 1 if level == "L1" else 2
            if self.spec.deadlines:
                order["deadlines"] = {
                    "arrive_by": day.text(reported + hours * 3600),
                    "restore_by": day.text(reported + 8 * 3600),
                }
            if level == "L2" or not self.spec.deadlines:
                begin = max(reported, day.at(8))
                order["time_windows"] = [self._window(begin, max(begin + 3 * 3600, day.at(12)))]
            return
        limit = 24 if level == "L3" else 72
        restore_by = self.now + (limit - round(age * (limit - 4))) * 3600
        if self.spec.deadlines:
            order["deadlines"] = {"restore_by": day.text(restore_by)}
        slot = rng.choice((8, 9, 10, 11, 13, 14, 15))
        if self.spec.several_windows and rng.random() < 0.15:
            spans = [(8, 10.5), (14.5, 17)]
        elif shape < 0.4:
            spans = [(8, 17)]
        elif shape < 0.62:
            spans = [(8, 12)]
        elif shape < 0.84:
            spans = [(13, 17)]
        else:
            spans = [(slot, slot + 2)]
        if restore_by < day.at(spans[0][0] + 3):
            # Nobody makes an appointment that breaks the promise.
            spans = [(8, 12)]
        if self.spec.running and spans[-1][1] <= 12:
            # Appointments of the early morning are behind a day that is under way.
            spans = [(13, 17)]
        order["time_windows"] = [self._window(day.at(first), day.at(last)) for first, last in spans]

    def _window(self, start: int, end: int) -> Document:
        return {"start": self.day.text(start), "end": self.day.text(end)}

    def _parts(self, order: Document, job: Job, rng: Random) -> None:
        """Parts only where those who can do the work carry enough of them for twice the demand so far."""
        needed = rng.random() < 0.6
        if not self.spec.parts or not needed or not job.parts:
            return
        part, able = job.parts[0], self.qualifier.holders(order["required_skills"])
        carried = sum(engineer["parts"].get(part, 0) for engineer in self.engineers if engineer["id"] in able)
        if carried >= 2 * (self.demand.get(part, 0) + 1):
            self.demand[part] = self.demand.get(part, 0) + 1
            order["parts"] = {part: 1}


def level_counts(spec: FleetSpec) -> list[str]:
    """The mix as whole orders: remainders go to the largest fractions, ties to the graver level."""
    total = sum(spec.level_mix.values())
    shares = {level: spec.orders * share / total for level, share in sorted(spec.level_mix.items())}
    counts = {level: int(share) for level, share in shares.items()}
    rest = spec.orders - sum(counts.values())
    for level in sorted(shares, key=lambda name: (counts[name] - shares[name], name))[:rest]:
        counts[level] += 1
    return [level for level, count in counts.items() for _ in range(count)]


def capacity_seconds(engineers: list[Document]) -> int:
    """Shift time without breaks and overtime."""
    total = 0
    for engineer in engineers:
        for shift in engineer["shifts"]:
            span = datetime.fromisoformat(shift["end"]) - datetime.fromisoformat(shift["start"])
            total += int(span.total_seconds())
            total -= sum(rest["duration_seconds"] for rest in shift.get("breaks") or ())
    return total


def required_seconds(orders: list[Document]) -> int:
    """Service, setup and a drive of every member a team needs at least."""
    total = 0
    for order in orders:
        roles = (order.get("team") or {}).get("roles") or [{}]
        members = sum(role.get("min", 1) for role in roles if role.get("presence") != "standby")
        total += members * (order["service_seconds"] + order.get("setup_seconds", 0) + DRIVE_SECONDS)
    return total


def stretch_services(orders: list[Document], engineers: list[Document], tightness: float) -> None:
    """Stretch or shrink the services, in steps of five minutes, to fill that share of the capacity."""
    wanted = tightness * capacity_seconds(engineers)
    natural = [order["service_seconds"] for order in orders]
    low, high = 0.05, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        for order, seconds in zip(orders, natural, strict=True):
            stretched = int(seconds * middle / 300 + 0.5) * 300
            shortest = SHORTEST_TEAM_SECONDS if "team" in order else SHORTEST_SECONDS
            order["service_seconds"] = min(LONGEST_SECONDS, max(shortest, stretched))
        if required_seconds(orders) < wanted:
            low = middle
        else:
            high = middle
