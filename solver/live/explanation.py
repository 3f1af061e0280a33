"""Why an order is where it is in a running plan: why this engineer, why then, why not others, what it would take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatcher.collector import collector_paused
from dispatcher.documents import instant_text
from dispatcher.model import WorkOrder
from dispatcher.reasons import Fix, Reason, worded
from solver.live.candidates import Candidates, candidates, late_seconds
from solver.live.day import LiveDay
from solver.live.why_not import WhyNot
from solver.reasons import ReasonFinder
from solver.route_state import Made

MOST_FIXES = 3
FIXES_TRIED = 25
"""Engineers of a large fleet for whom a fix is sought, those first who lack least."""

SENTENCES: Mapping[str, str] = {
    "CHEAPEST": "{engineer} costs the plan least, {cost:,}; the next best is {next} with {next_cost:,}",
    "ONLY_ONE": "only {engineer} can do it; {others} others cannot",
    "KEPT": "{engineer} has it already; with {cheapest} the plan would cost {saved:,} less",
    "PINNED_TO": "it is pinned to {engineer}",
    "UNDER_WAY": "{engineer} is at work on it since {clock}",
    "ON_THE_WAY": "{engineer} is on the way to it",
    "TEAM": "its team is {members}",
    "NOT_SERVED": "nobody is planned for it; leaving it undone costs {value:,}",
    "ON_ARRIVAL": "it starts at {clock}, as soon as {engineer} arrives after {before}",
    "FIRST_STOP": "it starts at {clock}, as soon as {engineer} arrives: it is the first stop of the shift",
    "WINDOW_OPENS": "it starts at {clock}, when its time window opens; {engineer} is there {early} before",
    "PINNED_START": "it starts at {clock}, to which it is pinned",
    "TEAM_START": "it starts at {clock}, when the whole team can be there",
    "WAITS_FOR": "it starts at {clock}, after {other}, for which it waits",
    "LATE": "that is {late} later than promised",
}
"""Every sentence of an explanation."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is said; `params` are the parts of the message."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return worded(SENTENCES[self.code], self.params)


@dataclass(frozen=True, slots=True)
class Why:
    """The explanation of one order: about who, about when, about everybody else, and the smallest changes that would
    let others do it. `candidates` is None where the order cannot be asked about by itself."""

    work_order: str
    who: tuple[Said, ...]
    when: tuple[Said, ...]
    why_not: tuple[Reason, ...]
    fixes: tuple[Fix, ...]
    candidates: Candidates | None = None


@collector_paused()
def explanation(day: LiveDay, why_not: WhyNot, name: str) -> Why:
    """Explain one order of the running plan. Raises NotFound."""
    order = day.order(name)
    served = name in day.state.served
    if order.team is not None or day.problem.is_running(order) or name in day.awaited:
        who = _who_is_fixed(day, order) if served else (_not_served(day, order),)
        return Why(name, who, _when(day, order) if served else (), (), ())
    found = candidates(day, why_not, name)
    fixes = _fixes(day, order, found)
    who = _who(day, order, found) if served else (_not_served(day, order),)
    return Why(name, who, _when(day, order) if served else (), found.others, fixes, found)


def _not_served(day: LiveDay, order: WorkOrder) -> Said:
    return Said("NOT_SERVED", {"value": day.state.unserved_cost(order) // 1000})


def _who(day: LiveDay, order: WorkOrder, found: Candidates) -> tuple[Said, ...]:
    current = next((candidate for candidate in found.candidates if candidate.is_current), None)
    ((index, _),) = [(index, made) for index, made in day.state.made_of(order.id)]
    engineer = day.state.routes[index].engineer.id
    said = []
    if order.id in day.on_the_way:
        said.append(Said("ON_THE_WAY", {"engineer": engineer}))
    if order.pin is not None:
        said.append(Said("PINNED_TO", {"engineer": engineer}))
        return tuple(said)
    others = [candidate for candidate in found.candidates if not candidate.is_current]
    if not others:
        said.append(Said("ONLY_ONE", {"engineer": engineer, "others": len(found.others)}))
    elif current is None:
        return tuple(said)
    elif current.cost_milli <= others[0].cost_milli:
        params = {"engineer": engineer, "cost": current.cost_milli // 1000, "next": others[0].engineer}
        said.append(Said("CHEAPEST", {**params, "next_cost": others[0].cost_milli // 1000}))
    else:
        saved = (current.cost_milli - others[0].cost_milli) // 1000
        said.append(Said("KEPT", {"engineer": engineer, "cheapest": others[0].engineer, "saved": saved}))
    return tuple(said)


def _who_is_fixed(day: LiveDay, order: WorkOrder) -> tuple[Said, ...]:
    engineers = [day.state.routes[index].engineer.id for index in day.state.served[order.id]]
    if day.problem.is_running(order) and order.pin is not None and order.pin.start is not None:
        return (Said("UNDER_WAY", {"engineer": order.pin.engineer, "start": _clock(day, order.pin.start)}),)
    if order.team is not None:
        return (Said("TEAM", {"members": ", ".join(engineers)}),)
    return (Said("PINNED_TO", {"engineer": engineers[0]}),) if order.pin else ()


def _when(day: LiveDay, order: WorkOrder) -> tuple[Said, ...]:
    index, made = day.state.made_of(order.id)[0]
    route = day.state.routes[index]
    params: dict[str, object] = {"start": _clock(day, made.start), "engineer": route.engineer.id}
    waits = made.start - made.arrival
    stint = made.stint
    code = "ON_ARRIVAL"
    if stint is not None and stint.running_since is not None:
        return ()
    if order.team is not None:
        code = "TEAM_START"
    elif order.pin is not None and order.pin.start == made.start:
        code = "PINNED_START"
    elif waits > 0 and any(window.start == made.start for window in order.time_windows):
        code, params["early_seconds"] = "WINDOW_OPENS", waits
    elif waits > 0 and order.depends_on:
        other = next((item.work_order for item in order.depends_on if item.work_order is not None), None)
        code, params["other"] = "WAITS_FOR", other or "work that is done"
    else:
        before = _before(route.made(), made)
        code = "FIRST_STOP" if before is None else "ON_ARRIVAL"
        params["before"] = before
    late = late_seconds(order, made)
    return (Said(code, params), *([Said("LATE", {"late_seconds": late})] if late else []))


def _before(made: list[Made], own: Made) -> str | None:
    """What is done before a stop on its route: an order, or a break."""
    place = next(place for place, item in enumerate(made) if item.stint is own.stint and item.start == own.start)
    if place == 0:
        return None
    stint = made[place - 1].stint
    return "a break" if stint is None else stint.order.id


def _fixes(day: LiveDay, order: WorkOrder, found: Candidates) -> tuple[Fix, ...]:
    """The smallest changes by which somebody else could do the order, one per engineer."""
    state = day.without(order)
    finder = ReasonFinder(day.problem, day.plan, state)
    lacking = sorted(found.others, key=lambda reason: _FAR.get(reason.code, 1))
    fixes: list[Fix] = []
    for reason in lacking[:FIXES_TRIED]:
        _, changes = finder.why_not(order, day.problem.engineer_by_id[reason.engineer])
        fixes.extend(changes[:1])
    fixes.sort(key=lambda fix: (fix.amount_seconds, fix.code, fix.engineer))
    return tuple(fixes[:MOST_FIXES])


_FAR = {"DISPLACED": 0, "MAX_WORK_ORDERS": 0, "SHIFT": 0, "TIME_WINDOW": 0, "SKILL_MISSING": 2, "NO_SHIFT": 3}


def _clock(day: LiveDay, instant: int) -> str:
    return instant_text(instant, day.problem.timezone)
