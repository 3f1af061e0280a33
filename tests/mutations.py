"""Random damage and random variety for plans, well-formed all the same: what two judges of a plan must agree on.

A mutation changes a draft (a problem and a plan for it) in one way, by chance. Half of them change the plan, half
what the problem asks of it; some make it wrong, some only different.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

Document = dict[str, Any]

SHIFTS_SECONDS = (-7200, -900, -60, -1, 1, 60, 900, 7200)
SKILLS = ("a", "a.x", "b", "c")
TIMES = ("arrival", "start", "end")
CLAIMS = ("late_arrival_seconds", "late_start_seconds", "late_restore_seconds", "pinned")


class NothingToChange(Exception):  # noqa: N818  no error: the draft has nothing of the kind
    """The draft has nothing that a mutation could change."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A problem and a plan for it, both documents, and where chance comes from."""

    rng: Random
    problem: Document
    plan: Document

    def one_of(self, choices: Iterable[Any]) -> Any:
        found = list(choices)
        if not found:
            raise NothingToChange
        return self.rng.choice(found)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def seconds(self) -> int:
        """How far to move something, later more often than earlier."""
        seconds = self.rng.choice(SHIFTS_SECONDS)
        return seconds if self.chance(0.5) else abs(seconds)

    def route(self) -> Document:
        found: Document = self.one_of(self.plan["routes"])
        return found

    def stops(self) -> list[Document]:
        return [stop for route in self.plan["routes"] for stop in route["stops"]]

    def stop(self, kind: str = "") -> Document:
        found: Document = self.one_of(stop for stop in self.stops() if kind in ("", stop["kind"]))
        return found

    def route_and_stop(self, kind: str = "work_order") -> tuple[Document, Document]:
        found: tuple[Document, Document] = self.one_of(
            (route, stop) for route in self.plan["routes"] for stop in route["stops"] if stop["kind"] == kind
        )
        return found

    def order(self, name: str) -> Document:
        found: Document = next(order for order in self.problem["work_orders"] if order["id"] == name)
        return found

    def order_of_a_stop(self) -> tuple[Document, Document]:
        """A work stop and its order."""
        stop = self.stop("work_order")
        return stop, self.order(stop["work_order"])

    def shift_of(self, route: Document) -> Document:
        engineer = next(each for each in self.problem["engineers"] if each["id"] == route["engineer"])
        found: Document = next(each for each in engineer["shifts"] if each["id"] == route["shift"])
        return found

    def people(self) -> list[str]:
        return [engineer["id"] for engineer in self.problem["engineers"]]

    def a_team(self) -> Document:
        """What an order of the problem asks for."""
        found: Document = self.one_of(order["team"] for order in self.problem["work_orders"] if order.get("team"))
        return found

    def entry(self) -> tuple[Document, Document]:
        """An entry of `teams` and the team its order asks for."""
        entry = self.one_of(item for item in self.plan["teams"] if self.order(item["work_order"]).get("team"))
        return entry, self.order(entry["work_order"])["team"]


Mutation = Callable[[Draft], None]

MUTATIONS: dict[str, Mutation] = {}
"""Every mutation by its name; after those of `UNREADABLE` no other can be made."""
UNREADABLE: set[str] = set()


def mutation(change: Mutation) -> Mutation:
    """Registers a mutation under its function's name."""
    MUTATIONS[change.__name__] = change
    return change


def unreadable(change: Mutation) -> Mutation:
    UNREADABLE.add(change.__name__)
    return mutation(change)


def mutate(draft: Draft, names: Iterable[str]) -> None:
    """Make the mutations, as far as the draft has something to change."""
    for name in sorted(names, key=lambda name: name in UNREADABLE):
        try:
            MUTATIONS[name](draft)
        except NothingToChange:
            continue


def without_claims(plan: Document) -> Document:
    """A copy as a tool would write it that knows nothing of scores: no lateness, pins, score or receipt."""
    bare = copy.deepcopy(plan)
    for key in ("problem_id", "created_at", "score", "receipt"):
        bare.pop(key, None)
    for route in bare["routes"]:
        for stop in route["stops"]:
            for claim in CLAIMS:
                stop.pop(claim, None)
    return bare


def later(instant: str, seconds: int) -> str:
    """An instant of a document, moved."""
    return (datetime.fromisoformat(instant) + timedelta(seconds=seconds)).isoformat()


def move(stop: Document, seconds: int) -> None:
    for key in TIMES:
        if key in stop:
            stop[key] = later(stop[key], seconds)
