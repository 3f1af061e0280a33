"""Tiny problems with right plans, written by hand, to break or to price one rule at a time.

Places and problems are those of `tests.small_days`: a line of places, `p10` ten minutes from the depot `p0`, a
kilometre a minute. A plan's legs are filled in from the places, its times are as written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from data.travel import problem_travel
from dispatcher.documents import read_plan, read_problem
from dispatcher.evaluate import Evaluation, evaluate
from dispatcher.verify import Verdict, verify
from tests.small_days import Document, at, day, engineer, order, rest, role, shift

# Stops of a plan


def start(end: str = "08:00", place: str = "p0") -> Document:
    return {"kind": "start", "location": place, "end": at(end)}


def work(name: str, place: str, begin: str, end: str, *, arrival: str | None = None, **fields: Any) -> Document:
    """A work stop that begins on arrival unless told otherwise."""
    times = {"arrival": at(arrival or begin), "start": at(begin), "end": at(end)}
    return {"kind": "work_order", "work_order": name, "role": None, "location": place, **times, **fields}


def pause(begin: str, end: str) -> Document:
    return {"kind": "break", "start": at(begin), "end": at(end)}


def back(arrival: str, place: str = "p0") -> Document:
    return {"kind": "end", "location": place, "arrival": at(arrival)}


def route(name: str, *stops: Document) -> Document:
    """A route of the shift `day`, each leg as long as the places are apart."""
    place = stops[0]["location"]
    for stop in stops[1:]:
        if stop["kind"] != "break":
            minutes = abs(int(stop["location"][1:]) - int(place[1:]))
            place = stop["location"]
            stop |= {"travel_seconds": 60 * minutes, "travel_meters": 1000 * minutes}
    return {"engineer": name, "shift": "day", "stops": list(stops)}


def team(name: str, begin: str, members: Mapping[str, str], standby: Mapping[str, str] | None = None) -> Document:
    """An entry of `teams`; members and standby are roles by engineer."""

    def people(roles: Mapping[str, str]) -> list[Document]:
        return [{"engineer": engineer, "role": role} for engineer, role in roles.items()]

    return {"work_order": name, "start": at(begin), "members": people(members), "standby": people(standby or {})}


def plan(*routes: Document, teams: tuple[Document, ...] = (), unassigned: tuple[str, ...] = ()) -> Document:
    return {
        "version": 1,
        "routes": list(routes),
        "teams": list(teams),
        "unassigned": [{"work_order": name} for name in unassigned],
    }


# Days


@dataclass(frozen=True, slots=True)
class Day:
    """A problem and a plan for it, both documents to be changed at will."""

    problem: Document
    plan: Document

    def order(self, name: str) -> Document:
        return _by("id", name, self.problem["work_orders"])

    def engineer(self, name: str) -> Document:
        return _by("id", name, self.problem["engineers"])

    def shift(self, name: str) -> Document:
        found: Document = self.engineer(name)["shifts"][0]
        return found

    def stops(self, name: str) -> list[Document]:
        found: list[Document] = _by("engineer", name, self.plan["routes"])["stops"]
        return found

    def evaluate(self) -> Evaluation:
        return evaluate(read_problem(self.problem, problem_travel), read_plan(self.plan))

    def verify(self) -> Verdict:
        return verify(self.problem, self.plan)


def _by(key: str, value: str, items: list[Document]) -> Document:
    return next(item for item in items if item[key] == value)


Base = Callable[[], Day]


def one() -> Day:
    """E serves A, an hour's work ten minutes away."""
    problem = day([engineer("E")], [order("A")])
    return Day(problem, plan(route("E", start(), work("A", "p10", "08:10", "09:10"), back("09:20"))))


def two() -> Day:
    """E serves A and then B; F could come, but stays at home."""
    problem = day([engineer("E"), engineer("F")], [order("A"), order("B", "p20")])
    stops = [start(), work("A", "p10", "08:10", "09:10"), work("B", "p20", "09:20", "10:20"), back("10:40")]
    return Day(problem, plan(route("E", *stops)))


def rested() -> Day:
    """E takes half an hour of break between A and B."""
    day_of_two = two()
    day_of_two.shift("E")["breaks"] = [rest("09:00", "09:30")]
    a, b = work("A", "p10", "08:10", "09:10"), work("B", "p20", "09:50", "10:50")
    return Day(day_of_two.problem, plan(route("E", start(), a, pause("09:10", "09:40"), b, back("11:10"))))


def pair() -> Day:
    """E leads T with F's support, half an hour away, while S stands by at the depot."""
    roles = [role("lead"), role("support"), role("backup", presence="standby")]
    problem = day([engineer("E"), engineer("F"), engineer("S")], [order("T", "p30", team={"roles": roles})])

    def trip(name: str, of: str) -> Document:
        return route(name, start(), work("T", "p30", "08:30", "09:30", role=of), back("10:00"))

    entry = team("T", "08:30", {"E": "lead", "F": "support"}, {"S": "backup"})
    return Day(problem, plan(trip("E", "lead"), trip("F", "support"), teams=(entry,)))


def guided() -> Day:
    """E works on T, half an hour away, while R leads from the depot."""
    roles = [role("hand"), role("lead", presence="remote")]
    problem = day([engineer("E"), engineer("R")], [order("T", "p30", team={"roles": roles})])
    hand = route("E", start(), work("T", "p30", "08:30", "09:30", role="hand"), back("10:00"))
    lead = route("R", start(), work("T", "p0", "08:30", "09:30", arrival="08:00", role="lead"), back("09:30"))
    return Day(problem, plan(hand, lead, teams=(team("T", "08:30", {"E": "hand", "R": "lead"}),)))


def underway() -> Day:
    """E has been at A since 07:30, half an hour before the shift; it is 08:00, and B is next."""
    orders = [order("A", pin={"engineer": "E", "start": at("07:30")}), order("B", "p20")]
    problem = day([engineer("E"), engineer("F")], orders, now=at("08:00"))
    begun = [start("07:30", "p10"), work("A", "p10", "07:30", "08:30")]
    return Day(problem, plan(route("E", *begun, work("B", "p20", "08:40", "09:40"), back("10:00"))))


def open_ended() -> Day:
    """E serves A on a route that ends there."""
    problem = day([engineer("E", shifts=[shift(end_location=None)])], [order("A")])
    return Day(problem, plan(route("E", start(), work("A", "p10", "08:10", "09:10"))))


def move(stop: Document, **clocks: str) -> None:
    """Sets instants of a stop: `move(stop, start="08:20")`."""
    stop.update({key: at(clock) for key, clock in clocks.items()})
