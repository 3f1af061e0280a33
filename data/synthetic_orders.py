"""The work orders of a synthetic day: what is broken where, how bad it is and what was promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

from data.synthetic_city import City, District, LocalDay, Place
from data.synthetic_fleet import Document, Stream
from data.synthetic_spec import FleetSpec
from data.synthetic_trade import JOBS, Job, Qualifier, flatten

SHORTEST_SECONDS, LONGEST_SECONDS = 1200, 14400
DRIVE_SECONDS = 1200
"""The drive to an order, as `tightness` counts it."""


@dataclass(frozen=True, slots=True)
class Site:
    location: str
    district: District
    machine: str


@dataclass(frozen=True, slots=True)
class OrderBook:
    """What the orders are drawn from. `now` is in epoch seconds."""

    spec: FleetSpec
    stream: Stream
    city: City
    day: LocalDay
    now: int
    engineers: list[Document]
    qualifier: Qualifier

    def draw(self, locations: dict[str, Place]) -> list[Document]:
        """Orders without teams and relations; their sites are added to `locations`."""
        levels = level_counts(self.spec)
        self.stream("levels").shuffle(levels)
        sites = self._sites(locations)
        orders = []
        for number, level in enumerate(levels):
            rng = self.stream(f"order {number}")
            site = sites[number]
            job, required = self._job(rng, site.machine, level)
            low, high = job.minutes
            order: Document = {
                "id": f"W{number + 1:03d}",
                "location": site.location,
                "territory": site.district.name,
                "service_seconds": rng.randrange(low, high + 1, 5) * 60,
                "level": level,
                "required_skills": required,
                "asset": f"{site.machine}-{site.location.removeprefix('site-')}",
                "attributes": {"title": job.title},
            }
            if self.spec.setup:
                order["setup_seconds"] = job.setup_minutes * 60
            self._promise(order, rng)
            self._parts(order, job, rng)
            orders.append(order)
        return orders

    def _sites(self, locations: dict[str, Place]) -> list[Site]:
        rng = self.stream("sites")
        sites: list[Site] = []
        machines = sorted({job.machine for job in JOBS})
        for number in range(self.spec.orders):
            district = self.city.pick(rng)
            place = self.city.place(rng, district)
            machine = rng.choice(machines)
            if sites and rng.random() < 0.12:
                sites.append(rng.choice(sites))
                continue
            location = f"site-{number + 1:03d}"
            locations[location] = place
            sites.append(Site(location, district, machine))
        return sites

    def _job(self, rng: Random, machine: str, level: str) -> tuple[Job, list[Document]]:
        """A job on the machine that somebody of the fleet can do; emergencies are never routine work."""
        jobs = [job for job in JOBS if job.machine == machine]
        rng.shuffle(jobs)
        if level in ("L1", "L2"):
            jobs.sort(key=lambda job: -max(needed for _, needed in job.skills))
        jobs += [job for job in JOBS if job.machine != machine]
        for job in jobs:
            chosen = job if self.spec.skill_graph else flatten(job)
            bonus = rng.choice((0, 0, 0, 1)) if level in ("L1", "L2") else 0
            for change in (bonus, 0, -1, -2):
                required = [
                    {"skill": skill, "level": min(5, max(1, needed + change))} for skill, needed in chosen.skills
                ]
                if len(self.qualifier.holders(required)) >= min(2, len(self.engineers)):
                    return chosen, required
        return chosen, required

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
        reported = self.now - round(age * (23 if level == "L3" else 70)) * 3600
        if self.spec.deadlines:
            limit = 24 if level == "L3" else 72
            order["deadlines"] = {"restore_by": day.text(reported + limit * 3600)}
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
        if self.spec.running and spans[-1][1] <= 12:
            # Appointments of the early morning are behind a day that is under way.
            spans = [(13, 17)]
        order["time_windows"] = [self._window(day.at(first), day.at(last)) for first, last in spans]

    def _window(self, start: int, end: int) -> Document:
        return {"start": self.day.text(start), "end": self.day.text(end)}

    def _parts(self, order: Document, job: Job, rng: Random) -> None:
        """Parts only where somebody who can do the work has them in the van."""
        needed = rng.random() < 0.6
        if not self.spec.parts or not needed or not job.parts:
            return
        able = self.qualifier.holders(order["required_skills"])
        carried = [
            engineer for engineer in self.engineers if engineer["id"] in able and job.parts[0] in engineer["parts"]
        ]
        if carried:
            order["parts"] = {job.parts[0]: 1}


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
            order["service_seconds"] = min(LONGEST_SECONDS, max(SHORTEST_SECONDS, stretched))
        if required_seconds(orders) < wanted:
            low = middle
        else:
            high = middle
