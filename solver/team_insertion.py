"""Composing a "1+N" team into routes under construction: start, members, roles, size and standby by cost.

A team's start is an anchor: for each candidate start every member's stop has a fixed place in time, so the cost of a
member depends on that member's route alone, and the cheapest members are found by search over roles. Candidate
starts are the instants at which qualified engineers could first be there, and where windows open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dispatcher.model import LEAD, Engineer, Role, Team, WorkOrder
from dispatcher.plan import Member
from dispatcher.soft_rules import CHANGE_TOLERANCE_SECONDS
from skills.qualification import RequiredSkill, qualify
from solver.day_state import DayState, Duty, Placed, Placement
from solver.route_state import Insertion, Made, trace
from solver.stint import FAR_FUTURE, FAR_PAST, Stint, lateness_cost, make_stint

MAX_STARTS = 24
"""Candidate starts tried for one team: the earliest half, the rest spread over the day."""
MAX_CANDIDATES = 8
"""Members considered for one role at one start, cheapest first (who must be considered comes on top)."""
KEPT_COMPOSITIONS = 12
"""Compositions kept in case the cheapest finds no standby."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Where members may start for one candidate start, by kind of member."""

    lead: tuple[int, int]
    others: tuple[int, int]
    remote: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One engineer in one role, at the best place of one route."""

    engineer: Engineer
    role: Role
    route: int
    stint: Stint
    delta: int
    insertion: Insertion
    made: Made


class TeamComposer:
    """Finds the cheapest team for an order in the present state of the day."""

    def __init__(self, state: DayState, order: WorkOrder) -> None:
        assert order.team is not None
        self._state = state
        self._problem = state.problem
        self._order = order
        self._team: Team = order.team
        self._running = self._problem.is_running(order)
        self._roles = [role for role in self._team.roles if role.presence != "standby"]
        self._previous = self._problem.previous.get(order.id)
        self._stints: dict[tuple[str, str, int], Stint | None] = {}
        self._prices = [state.price_for(index, shared=False) for index in range(len(state.routes))]

    def best(self) -> Placement | None:
        """The cheapest placement with its standby, or None where no team can be made."""
        bounds = self._state.bounds(self._order)
        if bounds is None:
            return None
        found: list[tuple[int, int, list[_Candidate]]] = []
        for start, window in self._starts(bounds):
            counts = {role.name: role.minimum for role in self._roles}
            found.extend(self._compose_at(start, window, bounds, counts, len(found)))
            found.sort(key=lambda item: item[:2])
            del found[KEPT_COMPOSITIONS:]
        for delta, _, members in found:
            duties = self._standby(members)
            if duties is not None:
                placed = tuple(Placed(m.route, m.insertion.position, m.stint) for m in members)
                return Placement(self._order, delta, placed, duties)
        return None

    # -- candidate starts --------------------------------------------------------------------------------------

    def _starts(self, bounds: tuple[int, int]) -> list[tuple[int, tuple[int, int]]]:
        """(start, window) pairs worth trying; without windows the window is unbounded."""
        pin = self._order.pin
        if self._running:
            assert pin is not None
            assert pin.start is not None
            return [(pin.start, (FAR_PAST, FAR_FUTURE))]
        windows = [(w.start, w.end) for w in self._order.time_windows] or [(FAR_PAST, FAR_FUTURE)]
        instants = set(self._arrivals())
        gap = self._team.arrival.min_gap_seconds
        if pin is not None and pin.start is not None:
            instants |= {pin.start, pin.start - gap}
        instants.add(bounds[0])
        if self._team.arrival.mode == "lead_first":
            instants |= {instant - gap for instant in list(instants)}
        pairs: set[tuple[int, tuple[int, int]]] = set()
        for window in windows:
            lowest = max(self._problem.now, window[0] - (gap if self._team.arrival.mode == "lead_first" else 0))
            highest = min(window[1], bounds[1], self._problem.end)
            pairs |= {(max(instant, lowest), window) for instant in instants if max(instant, lowest) <= highest}
        ordered = sorted(pairs)
        if len(ordered) <= MAX_STARTS:
            return ordered
        head = MAX_STARTS // 2
        step = (len(ordered) - head) / (MAX_STARTS - head)
        return ordered[:head] + [ordered[head + int(step * number)] for number in range(MAX_STARTS - head)]

    def _arrivals(self) -> Iterator[int]:
        """When an engineer who could hold an on-site role could be there, after each stop of their routes."""
        problem = self._problem
        place = problem.location_index[self._order.location]
        for engineer in self._state.engineers_for(self._order):
            if not any(
                role.presence == "on_site" and self._stint(engineer, role, 1) is not None for role in self._roles
            ):
                continue
            for index in self._state.routes_of[engineer.id]:
                route = self._state.routes[index]
                free, where = max(route.shift.start, problem.now), route.start_place()
                yield free + problem.travel.seconds(where, place, free, engineer.speed_factor)
                for made in route.made():
                    if made.stint is not None and not made.stint.remote:
                        where = made.stint.place
                    yield made.end + problem.travel.seconds(where, place, made.end, engineer.speed_factor)

    # -- members -----------------------------------------------------------------------------------------------

    def _compose_at(
        self,
        start: int,
        window: tuple[int, int],
        bounds: tuple[int, int],
        counts: dict[str, int],
        serial: int,
    ) -> list[tuple[int, int, list[_Candidate]]]:
        """The best composition at a start, growing the team while that is cheaper (or while nobody else will do)."""
        best: tuple[int, list[_Candidate]] | None = None
        while True:
            spans = self._spans(start, window, bounds, counts)
            found = None if spans is None else self._cheapest(counts, spans)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
            elif best is not None:
                break
            grown = next((r for r in self._roles if counts[r.name] < r.maximum and r.presence == "on_site"), None)
            if grown is None:
                break
            counts = {**counts, grown.name: counts[grown.name] + 1}
        return [] if best is None else [(best[0], serial, best[1])]

    def _spans(
        self, start: int, window: tuple[int, int], bounds: tuple[int, int], counts: Mapping[str, int]
    ) -> _Bounds | None:
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
        return _Bounds(lead, others, (first_on_site, first_on_site))

    def _stint(self, engineer: Engineer, role: Role, size: int) -> Stint | None:
        key = (engineer.id, role.name, size)
        if key not in self._stints:
            self._stints[key] = make_stint(self._problem, engineer, self._order, role.name, size)
        return self._stints[key]

    def _candidates(self, role: Role, size: int, spans: _Bounds) -> list[_Candidate]:
        """Engineers for a role, cheapest first; each in the best place of the best of their routes."""
        found: list[_Candidate] = []
        is_lead = self._team.arrival.mode == "lead_first" and role.name == LEAD
        span = spans.lead if is_lead else spans.remote if role.presence == "remote" else spans.others
        for engineer in self._state.engineers_for(self._order):
            stint = self._stint(engineer, role, size)
            if stint is None:
                continue
            if self._running and (self._is_pinned(engineer) or self._team.arrival.mode == "together"):
                bound = replace(stint, windows=(), running_since=span[0])
            else:
                bound = replace(stint, windows=()).held(not_before=span[0], not_after=span[1])
            best: _Candidate | None = None
            for index in self._state.routes_of[engineer.id]:
                answer = self._state.routes[index].best_insertion(bound, price=self._prices[index])
                if answer is not None and (best is None or answer[0] < best.delta):
                    delta, insertion = answer
                    made = next(item for item in trace(insertion.label) if item.stint is bound)
                    best = _Candidate(engineer, role, index, bound, delta, insertion, made)
                if best is not None and self._running:
                    break  # running work belongs to the first shift that can hold it
            if best is not None:
                found.append(best)
        found.sort(key=lambda candidate: (candidate.delta, candidate.engineer.id))
        return self._shortlist(found)

    def _is_pinned(self, engineer: Engineer) -> bool:
        return self._order.pin is not None and self._order.pin.engineer == engineer.id

    def _shortlist(self, found: list[_Candidate]) -> list[_Candidate]:
        """The cheapest, and on top who must be considered: the pinned, previous members, holders of rare skills."""
        kept = found[:MAX_CANDIDATES]
        holders = dict.fromkeys(self._team.collective_skills, 0)
        for candidate in found:
            skilled = [required for required in holders if self._holds(candidate, required)]
            previous = self._previous is not None and candidate.engineer.id in self._previous.engineers
            wanted = self._is_pinned(candidate.engineer) or previous
            if wanted or any(holders[required] < 2 for required in skilled):
                if candidate not in kept:
                    kept.append(candidate)
                for required in skilled:
                    holders[required] += 1
        return kept

    def _holds(self, candidate: _Candidate, required: RequiredSkill) -> bool:
        graph = self._problem.skill_graph
        return qualify(graph, candidate.engineer.skills, (required,), candidate.made.start).qualified

    def _cheapest(self, counts: Mapping[str, int], spans: _Bounds) -> tuple[int, list[_Candidate]] | None:
        """The members with the least total cost, by depth-first search with bounds over the slots."""
        size = sum(counts[role.name] for role in self._roles if role.presence == "on_site")
        slots: list[list[_Candidate]] = []
        for role in sorted(self._roles, key=lambda item: item.name != LEAD):
            candidates = self._candidates(role, size, spans) if counts[role.name] else []
            slots.extend([candidates] * counts[role.name])
        if not slots or any(not candidates for candidates in slots):
            return None
        floors = [0] * (len(slots) + 1)
        for index in range(len(slots) - 1, -1, -1):
            floors[index] = floors[index + 1] + slots[index][0].delta
        best: tuple[int, list[_Candidate]] | None = None
        gain = self._state.unserved_cost(self._order)

        def search(index: int, chosen: list[_Candidate], cost: int, first: int) -> None:
            nonlocal best
            if best is not None and cost + floors[index] - gain >= best[0]:
                return
            if index == len(slots):
                total = self._total(chosen, cost - gain)
                if total is not None and (best is None or total < best[0]):
                    best = (total, list(chosen))
                return
            # Slots of one role share a list: taking them in order avoids counting the same people twice.
            same = index + 1 < len(slots) and slots[index + 1] is slots[index]
            for place in range(first, len(slots[index])):
                candidate = slots[index][place]
                if any(candidate.engineer.id == other.engineer.id for other in chosen):
                    continue
                chosen.append(candidate)
                search(index + 1, chosen, cost + candidate.delta, place + 1 if same else 0)
                chosen.pop()

        search(0, [], 0, 0)
        return best

    def _total(self, members: Sequence[_Candidate], cost: int) -> int | None:
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
        weights = problem.weights
        lateness = lateness_cost(problem, order)
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
        if self._previous is not None:
            if self._previous.first_start is not None:
                moved = max(0, abs(min(starts) - self._previous.first_start) - CHANGE_TOLERANCE_SECONDS)
                cost += weights.of("change_shift") * moved
            cost += weights.of("change") if engineers != self._previous.engineers else 0
        return cost + self._state.company_cost(order, engineers, {member.engineer.id for member in on_site})

    # -- standby -----------------------------------------------------------------------------------------------

    def _standby(self, members: Sequence[_Candidate]) -> tuple[Duty, ...] | None:
        """Who stands by, soonest there first; None where a standby role cannot be filled."""
        on_site = [member.made for member in members if not member.stint.remote]
        instant, service_end = min(made.start for made in on_site), max(made.end for made in on_site)
        taken = {member.engineer.id for member in members}
        duties: list[Duty] = []
        for role in self._team.roles:
            if role.presence != "standby":
                continue
            ready = sorted(self._ready(role, taken, instant, service_end), key=lambda item: item[:2])
            if len(ready) < role.minimum and not self._running:
                return None
            for _, engineer, duty in ready[: role.minimum]:
                taken.add(engineer)
                duties.append(duty)
        return tuple(duties)

    def _ready(
        self, role: Role, taken: Iterable[str], instant: int, service_end: int
    ) -> Iterator[tuple[int, str, Duty]]:
        problem = self._problem
        place = problem.location_index[self._order.location]
        for engineer in self._state.engineers_for(self._order):
            if engineer.id in taken:
                continue
            if not qualify(problem.skill_graph, engineer.skills, role.required_skills, instant).qualified:
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
