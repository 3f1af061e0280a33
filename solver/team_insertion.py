"""Composing a "1+N" team into routes under construction: start, members, roles, size and standby by cost.

A team's start is an anchor: for each candidate start every member's stop has a fixed place in time, so the cost of a
member depends on that member's route alone, and the cheapest members are found by search over roles. Candidate
starts are the instants at which qualified engineers could first be there, and where windows open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from dispatcher.model import LEAD, Engineer, Role, Team, WorkOrder
from dispatcher.plan import Member
from dispatcher.service import base_seconds, repeat_visit_seconds
from dispatcher.soft_rules import CHANGE_TOLERANCE_SECONDS
from skills.qualification import RequiredSkill
from solver.day_state import DayState, Duty, Placed, Placement, Price
from solver.route_state import Insertion, Made, trace
from solver.stint import FAR_FUTURE, FAR_PAST, Stint, lateness_cost, make_stint

MAX_STARTS = 24
"""Candidate starts tried for one team: the earliest half, the rest spread over the day."""
MAX_ENGINEERS = 40
"""Engineers considered for one role, nearest first; all of them where these make no team."""
MAX_CANDIDATES = 8
"""Members considered for one role at one start, cheapest first (who must be considered comes on top)."""
MAX_MISSES = 100
"""Compositions without a standby at one start after which the start is given up."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where members may start for one candidate start, by kind of member."""

    lead: tuple[int, int]
    others: tuple[int, int]
    remote: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One engineer in one role, at the best place of one route."""

    engineer: Engineer
    role: Role
    route: int
    stint: Stint
    delta: int
    insertion: Insertion
    made: Made


@dataclass(frozen=True, slots=True)
class Composition:
    """A whole team: what it changes the total by (thousandths), its members and its standby."""

    delta: int
    members: tuple[Candidate, ...]
    duties: tuple[Duty, ...]


@dataclass(slots=True)
class _Search:
    """A search for the cheapest members: candidates by slot, what the slots from each on cost at least, who is able to
    stand by (see `TeamComposer._cheapest`), and what serving the order saves; what was found. Costs in thousandths.

    Not variables of a function that calls itself: that is a cycle, and keeps them all until the collector comes.
    """

    slots: Sequence[Sequence[Candidate]]
    floors: Sequence[int]
    able: Sequence[tuple[int, frozenset[str]]]
    gain: int
    best: Composition | None = None
    misses: int = 0


class TeamComposer:
    """Finds the cheapest team for an order in the present state of the day."""

    def __init__(self, state: DayState, order: WorkOrder, most_starts: int = MAX_STARTS) -> None:
        assert order.team is not None
        self._most_starts = most_starts
        self._state = state
        self._problem = state.problem
        self._order = order
        self._team: Team = order.team
        self._running = self._problem.is_running(order)
        self._roles = [role for role in self._team.roles if role.presence != "standby"]
        self._previous = self._problem.previous.get(order.id)
        self._lateness = lateness_cost(self._problem, order)
        self._stints: dict[tuple[str, str, int], Stint | None] = {}
        self._engineers = self._reserve = state.engineers_for(order)
        self._prices: dict[int, Price | None] = {}
        self._on_call: dict[tuple[str, int, int], list[tuple[str, Duty]]] = {}

    def best(self) -> Placement | None:
        """The cheapest placement with its standby, or None where no team can be made."""
        bounds = self._state.bounds(self._order)
        if bounds is None:
            return None
        everybody = self._engineers
        self._engineers = self._nearest(everybody)
        best = self._best_over_starts(bounds)
        if best is None and len(self._engineers) < len(everybody):
            self._engineers = everybody
            best = self._best_over_starts(bounds)
        if best is None:
            return None
        placed = tuple(Placed(m.route, m.insertion.position, m.stint) for m in best.members)
        return Placement(self._order, best.delta, placed, best.duties)

    def _best_over_starts(self, bounds: tuple[int, int]) -> Composition | None:
        best: Composition | None = None
        for start, window in self._starts(bounds):
            found = self._compose_at(start, window, bounds)
            if found is not None and (best is None or found.delta < best.delta):
                best = found
        return best

    def _nearest(self, engineers: list[Engineer]) -> list[Engineer]:
        """For every role and collective skill those who start nearest, and who must be considered anyway."""
        if len(engineers) <= MAX_ENGINEERS:
            return engineers
        problem = self._problem
        ride = problem.travel.free_flow_row(problem.location_index[self._order.location], 1)
        start = {e.id: min(ride[problem.location_index[shift.start_location]] for shift in e.shifts) for e in engineers}
        by_ride = sorted(engineers, key=lambda engineer: (start[engineer.id], engineer.id))
        kept = {e.id for e in engineers if self._is_pinned(e)} | (self._previous.engineers if self._previous else set())
        for role in self._roles:
            able = (engineer.id for engineer in by_ride if self._stint(engineer, role, 1) is not None)
            kept |= set(islice(able, MAX_ENGINEERS))
        for required in self._team.collective_skills:
            holders = (e.id for e in by_ride if problem.holds(e, (required,), problem.now))
            kept |= set(islice(holders, MAX_CANDIDATES))
        return [engineer for engineer in engineers if engineer.id in kept]

    # -- candidate starts --------------------------------------------------------------------------------------

    def _starts(self, bounds: tuple[int, int]) -> list[tuple[int, tuple[int, int]]]:
        """(start, window) pairs worth trying; without windows the window is unbounded."""
        pin = self._order.pin
        if self._running:
            assert pin is not None
            assert pin.start is not None
            return [(pin.start, (FAR_PAST, FAR_FUTURE))]
        windows = [(w.start, w.end) for w in self._order.time_windows] or [(FAR_PAST, FAR_FUTURE)]
        instants = {*self._arrivals(), *self._standby_instants()}
        gap = self._team.arrival.min_gap_seconds
        if pin is not None and pin.start is not None:
            instants |= {pin.start, pin.start - gap}
        instants.add(bounds[0])
        leads_from_afar = False
        if self._team.arrival.mode == "lead_first":
            lead = self._team.role(LEAD)
            leads_from_afar = lead is not None and lead.presence == "remote"
            instants |= {opens for opens, _ in windows}
            instants |= {instant - gap for instant in list(instants)}
        pairs: set[tuple[int, tuple[int, int]]] = set()
        for window in windows:
            # A lead who is not on site may begin before the window opens for the others.
            lowest = self._problem.now if leads_from_afar else max(self._problem.now, window[0])
            highest = min(window[1], bounds[1], self._problem.end)
            pairs |= {(max(instant, lowest), window) for instant in instants if max(instant, lowest) <= highest}
        ordered = sorted(pairs)
        most = self._most_starts
        if len(ordered) <= most:
            return ordered
        head = most // 2
        step = (len(ordered) - head) / (most - head)
        return ordered[:head] + [ordered[head + int(step * number)] for number in range(most - head)]

    def _arrivals(self) -> Iterator[int]:
        """When an engineer who could be a member could begin, after each stop of their routes.

        On site that is when they get there, remotely when they are free.
        """
        problem = self._problem
        place = problem.location_index[self._order.location]
        for engineer in self._engineers:
            presences = {role.presence for role in self._roles if self._stint(engineer, role, 1) is not None}
            if not presences:
                continue
            for index in self._state.routes_of[engineer.id]:
                route = self._state.routes[index]
                free, where = max(route.shift.start, problem.now), route.start_place()
                instants = [(free, where)]
                for made in route.made():
                    if made.stint is not None and not made.stint.remote:
                        where = made.stint.place
                    instants.append((made.end, where))
                for free, where in instants:
                    if "remote" in presences:
                        yield free
                    if "on_site" in presences:
                        yield free + problem.travel.seconds(where, place, free, engineer.speed_factor)

    def _standby_instants(self) -> Iterator[int]:
        """Starts at which a standby who is busy before would still come: just in time, and for certain."""
        problem, order = self._problem, self._order
        place = problem.location_index[order.location]
        roles = [role for role in self._team.roles if role.presence == "standby"]
        size = sum(role.minimum for role in self._roles if role.presence == "on_site")
        shortest = min(base_seconds(order, role.name, size) for role in self._roles)
        for engineer in self._reserve:
            if not any(problem.holds(engineer, role.required_skills, problem.now) for role in roles):
                continue
            for index in self._state.routes_of[engineer.id]:
                route = self._state.routes[index]
                yield route.shift.start
                where = route.start_place()
                for made in route.made():
                    if made.stint is not None and not made.stint.remote:
                        where = made.stint.place
                    there = made.end + problem.travel.seconds(where, place, made.end, engineer.speed_factor)
                    yield there - shortest
                    yield there

    # -- members -----------------------------------------------------------------------------------------------

    def _compose_at(self, start: int, window: tuple[int, int], bounds: tuple[int, int]) -> Composition | None:
        """The best composition at a start, growing the team while that is cheaper (or while nobody else will do)."""
        counts = {role.name: role.minimum for role in self._roles}
        able = self._able_to_stand_by(start)
        best: Composition | None = None
        while True:
            spans = self._spans(start, window, bounds, counts)
            found = None if spans is None else self._cheapest(counts, spans, able)
            if found is not None and (best is None or found.delta < best.delta):
                best = found
            elif best is not None:
                break
            grown = next((r for r in self._roles if counts[r.name] < r.maximum and r.presence == "on_site"), None)
            if grown is None:
                break
            counts = {**counts, grown.name: counts[grown.name] + 1}
        return best

    def _spans(
        self, start: int, window: tuple[int, int], bounds: tuple[int, int], counts: Mapping[str, int]
    ) -> Bounds | None:
        """Ranges of starts that satisfy the arrival mode whichever start in them a member takes."""
        arrival = self._team.arrival
        widest = FAR_FUTURE if arrival.max_gap_seconds is None else arrival.max_gap_seconds
        lead_role = self._team.role(LEAD) if arrival.mode == "lead_first" else None
        followers = any(
            role.presence == "remote" and counts[role.name] and role is not lead_role for role in self._roles
        )
        lowest, highest = max(window[0], bounds[0]), min(window[1], bounds[1])
        lead = (start, start)
        if arrival.mode == "together":
            others = (start, start)
        elif arrival.mode == "staggered":
            others = (start, start if followers else start + widest)
        else:
            first = start + arrival.min_gap_seconds
            if lead_role is not None and lead_role.presence == "remote":
                first = max(first, lowest)
            others = (first, first if followers else start + widest)
        lead_on_site = lead_role is None or lead_role.presence == "on_site"
        if lead_on_site and not self._running:
            lead = (max(lead[0], lowest), min(lead[1], highest))
        if not self._running:
            others = (max(others[0], lowest), min(others[1], highest))
        if lead[0] > lead[1] or others[0] > others[1] or others[0] > start + widest:
            return None
        first_on_site = start if lead_on_site else others[0]
        return Bounds(lead, others, (first_on_site, first_on_site))

    def _stint(self, engineer: Engineer, role: Role, size: int) -> Stint | None:
        key = (engineer.id, role.name, size)
        if key not in self._stints:
            self._stints[key] = make_stint(self._problem, engineer, self._order, role.name, size)
        return self._stints[key]

    def _candidates(self, role: Role, size: int, spans: Bounds) -> list[Candidate]:
        """Engineers for a role, cheapest first; each in the best place of the best of their routes."""
        found: list[Candidate] = []
        is_lead = self._team.arrival.mode == "lead_first" and role.name == LEAD
        span = spans.lead if is_lead else spans.remote if role.presence == "remote" else spans.others
        for engineer in self._engineers:
            stint = self._stint(engineer, role, size)
            if stint is None:
                continue
            if self._running and (self._is_pinned(engineer) or self._team.arrival.mode == "together"):
                bound = replace(stint, windows=(), running_since=span[0])
            else:
                bound = replace(stint, windows=()).held(not_before=span[0], not_after=span[1])
            best: Candidate | None = None
            for index in self._state.routes_of[engineer.id]:
                answer = self._state.routes[index].best_insertion(bound, price=self._price(index))
                if answer is not None and (best is None or answer[0] < best.delta):
                    delta, insertion = answer
                    made = next(item for item in trace(insertion.label) if item.stint is bound)
                    best = Candidate(engineer, role, index, bound, delta, insertion, made)
                if best is not None and self._running:
                    break  # running work belongs to the first shift that can hold it
            if best is not None:
                found.append(best)
        found.sort(key=lambda candidate: (candidate.delta, candidate.engineer.id))
        return self._shortlist(found)

    def _price(self, route: int) -> Price | None:
        """How to price an insertion into a route while the state stays as it is."""
        if route not in self._prices:
            self._prices[route] = self._state.price_for(route, shared=False)
        return self._prices[route]

    def _is_pinned(self, engineer: Engineer) -> bool:
        return self._order.pin is not None and self._order.pin.engineer == engineer.id

    def _shortlist(self, found: list[Candidate]) -> list[Candidate]:
        """The cheapest, and on top who must be considered: the pinned, previous members, holders of rare skills.

        Where a repeat visit has a price, so must be whoever is most likely to fix it.
        """
        kept = found[:MAX_CANDIDATES]
        surest: Candidate | None = None
        if self._problem.weights.of("repeat_visit"):
            surest = min(found, key=lambda item: self._repeat_seconds([item]), default=None)
        holders = dict.fromkeys(self._team.collective_skills, 0)
        for candidate in found:
            skilled = [required for required in holders if self._holds(candidate, required)]
            previous = self._previous is not None and candidate.engineer.id in self._previous.engineers
            wanted = self._is_pinned(candidate.engineer) or previous or candidate is surest
            if wanted or any(holders[required] < 2 for required in skilled):
                if candidate not in kept:
                    kept.append(candidate)
                for required in skilled:
                    holders[required] += 1
        return kept

    def _holds(self, candidate: Candidate, required: RequiredSkill) -> bool:
        return self._problem.holds(candidate.engineer, (required,), candidate.made.start)

    def _cheapest(
        self, counts: Mapping[str, int], spans: Bounds, able: Sequence[tuple[int, frozenset[str]]]
    ) -> Composition | None:
        """The members with the least total cost, by depth-first search with bounds over the slots.

        `able` are, for every standby role, how many it takes and who could be one of them if they are not members.
        """
        size = sum(counts[role.name] for role in self._roles if role.presence == "on_site")
        slots: list[list[Candidate]] = []
        for role in sorted(self._roles, key=lambda item: item.name != LEAD):
            if counts[role.name]:
                candidates = self._candidates(role, size, spans)
                if not candidates:
                    return None
                slots.extend([candidates] * counts[role.name])
        if not slots:
            return None
        floors = [0] * (len(slots) + 1)
        for index in range(len(slots) - 1, -1, -1):
            floors[index] = floors[index + 1] + slots[index][0].delta
        search = _Search(slots, floors, able, self._state.unserved_cost(self._order))
        self._extend(search, 0, [], 0, 0)
        return search.best

    def _extend(self, search: _Search, index: int, chosen: list[Candidate], cost: int, first: int) -> None:
        """Fill the slots from `index` on in every way that may be the cheapest, its candidates from `first` on."""
        slots, best = search.slots, search.best
        if search.misses > MAX_MISSES:
            return
        if best is not None and cost + search.floors[index] - search.gain >= best.delta:
            return
        members = {candidate.engineer.id for candidate in chosen}
        if any(len(people - members) < count for count, people in search.able):
            return
        if index == len(slots):
            total = self._total(chosen, cost - search.gain)
            if total is not None and (best is None or total < best.delta):
                duties = self._standby(chosen)
                if duties is None:
                    search.misses += 1
                else:
                    search.best = Composition(total, tuple(chosen), duties)
            return
        # Slots of one role share a list: taking them in order avoids counting the same people twice.
        same = index + 1 < len(slots) and slots[index + 1] is slots[index]
        for place in range(first, len(slots[index])):
            candidate = slots[index][place]
            if candidate.engineer.id not in members:
                chosen.append(candidate)
                self._extend(search, index + 1, chosen, cost + candidate.delta, place + 1 if same else 0)
                chosen.pop()

    def _total(self, members: Sequence[Candidate], cost: int) -> int | None:
        """Cost of a complete team with what is judged over all members; None where a rule forbids it."""
        order, problem = self._order, self._problem
        on_site = [member for member in members if not member.stint.remote]
        if order.pin is not None and all(not self._is_pinned(member.engineer) for member in members):
            return None
        if not self._running and any(
            not any(self._holds(member, required) for member in members) for required in self._team.collective_skills
        ):
            return None
        if not self._state.has_parts(order, [member.route for member in on_site]):
            return None
        weights, lateness = problem.weights, self._lateness
        starts = [member.made.start for member in on_site]
        worst = 0
        if lateness is not None:
            arrival, end = min(m.made.arrival for m in on_site), max(m.made.end for m in on_site)
            cost += lateness.of(arrival, lateness.start_by, end) + lateness.of_starts(starts)
            worst = lateness.worst(arrival, max(starts), end)
        cost += self._state.shared_delta({m.route: m.insertion.label for m in members}, worst)
        engineers = {member.engineer.id for member in members}
        if order.preferred_engineers and any(m.engineer.id not in order.preferred_engineers for m in on_site):
            cost += weights.of("preference")
        if weights.of("repeat_visit"):
            cost += weights.of("repeat_visit") * self._repeat_seconds(members)
        if self._previous is not None:
            if self._previous.first_start is not None:
                moved = max(0, abs(min(starts) - self._previous.first_start) - CHANGE_TOLERANCE_SECONDS)
                cost += weights.of("change_shift") * moved
            cost += weights.of("change") if engineers != self._previous.engineers else 0
        return cost + self._state.company_cost(order, engineers, {member.engineer.id for member in on_site})

    def _repeat_seconds(self, members: Sequence[Candidate]) -> int:
        return repeat_visit_seconds(self._order, [(member.engineer, member.role.name) for member in members])

    # -- standby -----------------------------------------------------------------------------------------------

    def _able_to_stand_by(self, start: int) -> list[tuple[int, frozenset[str]]]:
        """For every standby role how many it takes, and who knows enough and is still on shift at a team's start."""
        if self._running:
            return []
        people = [engineer for engineer in self._reserve if any(shift.latest_end > start for shift in engineer.shifts)]
        return [
            (
                role.minimum,
                frozenset(e.id for e in people if self._problem.holds(e, role.required_skills, start)),
            )
            for role in self._team.roles
            if role.presence == "standby"
        ]

    def _standby(self, members: Sequence[Candidate]) -> tuple[Duty, ...] | None:
        """Who stands by, soonest there first; None where a standby role cannot be filled."""
        on_site = [member.made for member in members if not member.stint.remote]
        instant, service_end = min(made.start for made in on_site), max(made.end for made in on_site)
        taken = {member.engineer.id for member in members}
        slots: list[dict[str, Duty]] = []
        for role in self._team.roles:
            if role.presence == "standby":
                ready = self._ready(role, instant, service_end)
                slots += [{engineer: duty for engineer, duty in ready if engineer not in taken}] * role.minimum
        held = _matched(slots)
        if len(held) < len(slots) and not self._running:
            return None
        return tuple(slots[slot][engineer] for engineer, slot in sorted(held.items(), key=lambda item: item[1]))

    def _ready(self, role: Role, instant: int, service_end: int) -> list[tuple[str, Duty]]:
        """Who could stand by in a role from an instant to the end of the service, the soonest there first."""
        key = (role.name, instant, service_end)
        if key not in self._on_call:
            found = sorted(self._reachable(role, instant, service_end), key=lambda item: item[:2])
            self._on_call[key] = [(engineer, duty) for _, engineer, duty in found]
        return self._on_call[key]

    def _reachable(self, role: Role, instant: int, service_end: int) -> Iterator[tuple[int, str, Duty]]:
        """(when they could be there, engineer, promise) of all who would come in time, one shift each."""
        problem = self._problem
        place = problem.location_index[self._order.location]
        for engineer in self._reserve:
            if not problem.holds(engineer, role.required_skills, instant):
                continue
            for index in self._state.routes_of[engineer.id]:
                route = self._state.routes[index]
                if route.shift.start > instant or route.shift.latest_end < service_end:
                    continue
                member = Member(engineer.id, role.name)
                duty = Duty(self._order.id, index, member, instant, service_end, place)
                arrival = self._state.arrival_on_call(duty, route.made(), route.end())
                if arrival <= service_end:
                    yield arrival, engineer.id, duty
                    break


def _matched(slots: Sequence[Iterable[str]]) -> dict[str, int]:
    """One name for as many slots as can be (augmenting paths, Kuhn 1955), each slot's first names first."""
    held: dict[str, int] = {}
    for slot in range(len(slots)):
        _fill(slot, slots, held, set())
    return held


def _fill(slot: int, slots: Sequence[Iterable[str]], held: dict[str, int], asked: set[str]) -> bool:
    """Gives a slot a name, if need be one whose slot finds another name, none of them `asked` before."""
    for name in slots[slot]:
        if name not in asked:
            asked.add(name)
            if name not in held or _fill(held[name], slots, held, asked):
                held[name] = slot
                return True
    return False
