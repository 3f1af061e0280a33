"""Who could make up an emergency team, at which start, and whose planned work would have to wait for it.

`TeamComposer` finds the cheapest team that disturbs nobody. Here the pool is small (who is there soonest, who is near
anyway, who is most likely to fix it), a member may be called away from planned work of a lower level, and a team is
sought for each of several goals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dispatcher.model import LEAD, Engineer, Role, WorkOrder
from dispatcher.service import base_seconds, chance_to_fix, engineer_factor
from skills.qualification import RequiredSkill
from solver.route_state import Insertion, Made, RouteState, trace
from solver.stint import Stint, shortest_seconds
from solver.team_insertion import Bounds, Candidate, Composition, TeamComposer
from solver.team_options.calls import Calls
from solver.team_options.elsewhere import ranked_routes
from solver.team_options.gaps import IMPOSSIBLE
from solver.team_options.warm_day import WarmDay
from solver.team_options.working_day import WorkingDay

Goal = Literal["fastest", "least_harm", "best_chance", "cheapest"]
GOALS: tuple[Goal, ...] = ("fastest", "least_harm", "best_chance", "cheapest")

SOONEST = 6
"""Engineers considered for one role because they could be there first."""
NEAREST = 4
"""Engineers considered for one role because their day passes near the site."""
LIKELIEST = 3
"""Engineers considered for one role because they are most likely to fix it."""
HOLDERS = 3
"""Engineers considered for a skill that the team holds together."""
WAITING = 8
"""Engineers considered for one standby role."""
STARTS = 8
"""Candidate starts tried, the earliest half and the rest spread over the day."""
FAST_STARTS = 3
"""Candidate starts with a team after which no faster one is sought."""
SINGLY = 2
"""Orders in the way of which each alone is tried to be displaced; beyond that only the next ones together."""
PRICED = 4
"""Engineers priced exactly for one role at one start, those that cost least about."""
FEW = 8
"""Shifts of possible members up to which every start is priced."""
PROMISING = 3
"""Starts at which teams are priced for one goal, those that look best."""
APART_SECONDS = 300
"""Starts closer to each other than that are not both tried."""
WAYS = 3
"""Ways to come compared for one engineer at one start."""
PLACES = 2
"""Places in a route at which a member's stop is tried for one start, the latest first."""
USUAL_REGRET_MILLI = 3_600_000
"""What displacing an order is guessed to cost where it is not worth looking: an hour of driving (thousandths)."""
HANDED_OVER_MILLI = 600_000
"""What calling somebody away from one planned order counts for beside the promises it breaks (thousandths)."""
_FIRST = 10**15
"""Puts a goal before the cost in one number: no cost of a day comes near it."""
_ALWAYS = _FIRST**3


@dataclass(frozen=True, slots=True)
class Choice(Candidate):
    """A candidate who may be called away: `displaced` orders, and the `harm` to promises of others (thousandths)."""

    displaced: frozenset[str] = frozenset()
    harm: int = 0


class EmergencyComposer(TeamComposer):
    """Finds teams for one order in a running day, one goal after the other.

    Args:
        day: the warm day; never changed.
        state: the routes to compose on: the day's, or a fork without the order.
        order: with its team.
        may_displace: whether planned work of a lower level may make room.
        held: engineers who keep their role, by id; nobody else takes one of these roles' places they fill.
        without: engineers who cannot come.

    Attributes:
        goals: those that make a difference; without any known chances to fix it, that is none.
    """

    def __init__(
        self,
        day: WarmDay,
        state: WorkingDay,
        order: WorkOrder,
        *,
        may_displace: bool,
        held: Mapping[str, str] | None = None,
        without: Iterable[str] = (),
    ) -> None:
        super().__init__(state, order, STARTS)
        self.barred = frozenset(without)
        self._day, self._working = day, state
        self._may_displace = may_displace
        self._held = dict(held or {})
        self._goal: Goal = "cheapest"
        self._apart: str | None = None
        self._tried: list[tuple[int, tuple[int, int]]] | None = None
        self._ways: dict[tuple[str, str, int, tuple[int, int]], list[Choice]] = {}
        self._emptied: dict[tuple[int, frozenset[str]], RouteState] = {}
        self._insertions: dict[tuple[object, ...], Insertion | None] = {}
        # What does not depend on the order asked about is kept with the day, unless the day was changed for it.
        self._regrets = day.kept.regrets if state is day.state else {}
        self._undone: dict[str, int] = {}
        self._promises: dict[int, int] = {}
        self._place = self._problem.location_index[order.location]
        self._nearness = state.by_nearness(self._place)
        self._soonest: dict[str, int] = {}
        self._ready_times: dict[tuple[int, bool], int] = {}
        self._waits: dict[str, bool] = {}
        self._movable: dict[tuple[int, bool], list[tuple[str, int]]] = {}
        self._open: dict[str, list[int]] = {}
        self._shortest_of: dict[str, tuple[list[Stint | None], NDArray[np.int64]]] = {}
        self._likeliest: set[str] = set()
        self._estimates: dict[tuple[str, tuple[int, int]], dict[str, tuple[float, float]]] = {}
        able = {role.name: self._able(role) for role in self._team.roles}
        self._by_role = {role.name: self._pool(role, able[role.name]) for role in self._roles}
        for required in self._team.collective_skills:
            self._add_holders(required, able)
        members = {engineer.id: engineer for pool in self._by_role.values() for engineer in pool}
        self._engineers = [engineer for engineer in self._engineers if engineer.id in members]
        self._reserve = [
            engineer
            for role in self._team.roles
            if role.presence == "standby"
            for engineer in self._soonest_of(able[role.name])[:WAITING]
        ]
        self._earliest = self._earliest_start()
        self._shortest = self._shortest_service()
        known = any(engineer.fix_probability for pool in self._by_role.values() for engineer in pool)
        self.goals: tuple[Goal, ...] = GOALS if known else tuple(goal for goal in GOALS if goal != "best_chance")

    # -- teams -------------------------------------------------------------------------------------------------

    def compose(self, goal: Goal, most: int = 1) -> list[Composition]:
        """The best teams for a goal, the best first, all of different people; none where none can be made."""
        bounds = self._state.bounds(self._order)
        if bounds is None or self._running:
            return []
        self._goal = goal
        best: dict[frozenset[tuple[str, str]], tuple[tuple[int, ...], Composition]] = {}
        found = 0
        if self._tried is None:
            self._tried = self._starts(bounds)
        for start, window in self._promising(self._tried, bounds):
            if goal == "fastest" and best and start + self._shortest > min(rank[0] for rank, _ in best.values()):
                break
            for composition in self._compose_sizes(start, window, bounds):
                people = frozenset((member.engineer.id, member.role.name) for member in composition.members)
                if not self._keeps_held(composition):
                    continue
                rank = self._rank(composition)
                if people not in best or rank < best[people][0]:
                    best[people] = (rank, composition)
                found += 1
            if goal == "fastest" and found >= FAST_STARTS:
                break
        ranked = sorted(best.values(), key=lambda pair: pair[0])
        if most > 1 and ranked:
            ranked = sorted([*ranked, *self._without_one(ranked[0][1], bounds)], key=lambda pair: pair[0])
        return [composition for _, composition in ranked[:most]]

    def regret_more(self, undone: Iterable[str]) -> bool:
        """Displaced orders turned out to be left undone: from now on they cost that; whether they cost less before."""
        dearer = {name for name in undone if self._regret(name) < self._unserved(name)}
        self._undone |= {name: self._unserved(name) for name in dearer}
        self._ways = {key: ways for key, ways in self._ways.items() if not any(way.displaced & dearer for way in ways)}
        self._estimates.clear()
        vars(self).pop("_calls", None)
        return bool(dearer)

    def _unserved(self, name: str) -> int:
        return self._state.unserved_cost(self._problem.order_by_id[name])

    def _without_one(self, best: Composition, bounds: tuple[int, int]) -> Iterator[tuple[tuple[int, ...], Composition]]:
        """The best teams at the start of a team without one of its members or another."""
        begins = min(member.made.start for member in best.members)
        for start, window in self._tried or ():
            for member in best.members if start == begins else ():
                if member.engineer.id in self._held:
                    continue
                self._apart = member.engineer.id
                for composition in self._compose_sizes(start, window, bounds)[:1]:
                    if self._keeps_held(composition):
                        yield self._rank(composition), composition
        self._apart = None

    def _keeps_held(self, composition: Composition) -> bool:
        return self._held.items() <= {(member.engineer.id, member.role.name) for member in composition.members}

    def _rank(self, composition: Composition) -> tuple[int, ...]:
        on_site = [member.made for member in composition.members if not member.stint.remote]
        if self._goal == "fastest":
            return max(made.end for made in on_site), max(made.start for made in on_site), composition.delta
        if self._goal == "least_harm" and self._lateness is not None:
            arrival, end = min(made.arrival for made in on_site), max(made.end for made in on_site)
            late = self._lateness.of(arrival, self._lateness.start_by, end)
            return (composition.delta + _FIRST * (late + self._lateness.of_starts([made.start for made in on_site])),)
        return (composition.delta,)

    def _promising(
        self, starts: list[tuple[int, tuple[int, int]]], bounds: tuple[int, int]
    ) -> list[tuple[int, tuple[int, int]]]:
        """The starts worth pricing for the goal, by what the smallest team looks like; all where that is not known."""
        if self._goal in ("fastest", "best_chance") or len(self._called) <= FEW:
            return starts
        counts = {role.name: role.minimum for role in self._roles}
        looks = []
        for start, window in starts:
            spans = self._spans(start, window, bounds, counts)
            if spans is None:
                continue
            cost, taken = 0.0, set[str]()
            for role in sorted(self._roles, key=lambda role: len(self._by_role[role.name])):
                if role.presence == "on_site" and counts[role.name]:
                    found = self._looks(role, self._span(role, spans))
                    names = {engineer.id for engineer in self._by_role[role.name]} & found.keys() - taken
                    own = sorted((found[name][self._goal == "least_harm"], name) for name in names)
                    own = own[: counts[role.name]]
                    taken.update(name for _, name in own)
                    cost += sum(look for look, _ in own) if len(own) == counts[role.name] else IMPOSSIBLE
            looks.append((cost + self._late_from(start), start, window))
        chosen: list[tuple[int, tuple[int, int]]] = []
        for _, start, window in sorted(looks):
            # Teams that start within minutes of each other are much the same.
            if all(window != other or abs(start - begun) > APART_SECONDS for begun, other in chosen):
                chosen.append((start, window))
        return chosen[:PROMISING]

    def _late_from(self, start: int) -> int:
        """About what lateness of the order costs if its team starts at an instant, in thousandths."""
        if self._lateness is None:
            return 0
        late = self._lateness.of(start, self._lateness.start_by, start + self._shortest)
        return late + self._lateness.of_starts([start])

    def _compose_sizes(self, start: int, window: tuple[int, int], bounds: tuple[int, int]) -> list[Composition]:
        """The best composition of each size at a start, as long as a larger one is better for the goal."""
        counts = {role.name: role.minimum for role in self._roles}
        able = self._able_to_stand_by(start)
        found: list[Composition] = []
        while True:
            spans = self._spans(start, window, bounds, counts)
            composition = None if spans is None else self._cheapest(counts, spans, able)
            if composition is not None:
                found.append(composition)
            if found and (composition is None or self._rank(composition) > self._rank(found[0])):
                return found
            grown = next((r for r in self._roles if counts[r.name] < r.maximum and r.presence == "on_site"), None)
            if grown is None:
                return found
            counts = {**counts, grown.name: counts[grown.name] + 1}

    # -- who is considered -------------------------------------------------------------------------------------

    def _able(self, role: Role) -> list[Engineer]:
        """Who reaches what a role asks for today, by its levels; whether certificates last is seen later."""
        required = role.required_skills if role.presence == "standby" else self._order.required_of(role.name)
        names = {engineer.id for engineer in self._engineers} - self.barred
        for item in required:
            reach = self._day.reach(item.skill)
            names = {name for name in names if reach.get(name, 0) >= item.level}
        return [
            engineer
            for engineer in self._engineers
            if engineer.id in names
            and self._held.get(engineer.id, role.name) == role.name
            and self._open_routes(engineer)
        ]

    def _open_routes(self, engineer: Engineer) -> list[int]:
        found = self._open.get(engineer.id)
        if found is None:
            now, routes = self._problem.now, self._state.routes
            own = self._state.routes_of[engineer.id]
            found = [index for index in own if routes[index].shift.latest_end > now and not routes[index].is_closed]
            self._open[engineer.id] = found
        return found

    def _pool(self, role: Role, able: list[Engineer]) -> list[Engineer]:
        holding = [engineer for engineer in able if engineer.id in self._held]
        if len(holding) >= role.maximum:
            return holding
        chosen = {engineer.id for engineer in holding}
        chosen.update(engineer.id for engineer in self._soonest_of(able)[:SOONEST])
        names = {engineer.id for engineer in able}
        near = (self._state.routes[index].engineer.id for index in self._nearness)
        chosen.update(islice((name for name in near if name in names), NEAREST))
        likely = [engineer for engineer in able if engineer.fix_probability]
        likely.sort(key=lambda engineer: (-chance_to_fix(self._order, [(engineer, role.name)]), engineer.id))
        self._likeliest |= {engineer.id for engineer in likely[:LIKELIEST]}
        chosen.update(engineer.id for engineer in likely[:LIKELIEST])
        if self._order.pin is not None:
            chosen.add(self._order.pin.engineer)
        if self._previous is not None:
            chosen |= self._previous.engineers
        return [engineer for engineer in able if engineer.id in chosen]

    def _add_holders(self, required: RequiredSkill, able: Mapping[str, list[Engineer]]) -> None:
        """Somebody must hold a skill of the whole team: the soonest holders belong to every pool they could join."""
        reach = self._day.reach(required.skill)
        for role in self._roles:
            pool = self._by_role[role.name]
            holders = [e for e in able[role.name] if reach.get(e.id, 0) >= required.level and e not in pool]
            self._by_role[role.name] = pool + self._soonest_of(holders)[:HOLDERS]

    def _soonest_of(self, engineers: list[Engineer]) -> list[Engineer]:
        return sorted(engineers, key=lambda engineer: (self._arrival(engineer), engineer.id))

    def _arrival(self, engineer: Engineer) -> int:
        """When an engineer could be on site if all movable work made room."""
        found = self._soonest.get(engineer.id)
        if found is None:
            found = min(self._ready_at(index, remote=False) for index in self._open_routes(engineer))
            self._soonest[engineer.id] = found
        return found

    def _ready_at(self, index: int, *, remote: bool) -> int:
        found = self._ready_times.get((index, remote))
        if found is None:
            route = self._state.routes[index]
            found = max(route.shift.start, self._problem.now)
            if route.is_running:
                found = max(found, route.made()[0].end)
            if not remote:
                where, speed = route.start_place(), route.engineer.speed_factor
                found += self._problem.travel.seconds(where, self._place, found, speed)
            self._ready_times[(index, remote)] = found
        return found

    def _earliest_start(self) -> int:
        """No team can start sooner: by then every role that is needed could be filled, were nobody in two."""
        mode = self._team.arrival.mode
        bound = self._problem.now
        for role in self._roles:
            pool = self._by_role[role.name]
            if role.presence == "remote":
                ready = [min(self._ready_at(i, remote=True) for i in self._open_routes(e)) for e in pool]
            else:
                ready = [self._arrival(engineer) for engineer in pool]
            binding = mode == "together" or (mode == "lead_first" and role.name == LEAD)
            if binding and role.minimum and len(ready) >= role.minimum:
                bound = max(bound, sorted(ready)[role.minimum - 1])
        return bound

    def _shortest_service(self) -> int:
        """No member is on site for less (seconds)."""
        on_site = [role for role in self._roles if role.presence == "on_site"]
        size = sum(role.maximum for role in on_site)
        return min(
            (
                int(base_seconds(self._order, role.name, size) * engineer_factor(engineer, self._order, role.name))
                for role in on_site
                for engineer in self._by_role[role.name]
            ),
            default=0,
        )

    # -- candidate starts --------------------------------------------------------------------------------------

    def _arrivals(self) -> Iterator[int]:
        return (max(instant, self._earliest) for instant in super()._arrivals())

    def _standby_instants(self) -> Iterator[int]:
        return (instant for instant in super()._standby_instants() if instant >= self._earliest)

    # -- members -----------------------------------------------------------------------------------------------

    def _candidates(self, role: Role, size: int, spans: Bounds) -> list[Candidate]:
        """Engineers for a role, best for the goal first, each in the best of the ways there are for them."""
        span = self._span(role, spans)
        found: list[Candidate] = []
        for engineer in self._worth_pricing(role, span):
            ways = self._ways_of(engineer, role, size, span) if engineer.id != self._apart else ()
            if ways:
                best = min(ways, key=self._measure)
                cost = self._measure(best)
                found.append(best if best.delta == cost else replace(best, delta=cost))
        found.sort(key=lambda candidate: (candidate.delta, candidate.engineer.id))
        return self._shortlist(found)

    def _span(self, role: Role, spans: Bounds) -> tuple[int, int]:
        is_lead = self._team.arrival.mode == "lead_first" and role.name == LEAD
        return spans.lead if is_lead else spans.remote if role.presence == "remote" else spans.others

    def _worth_pricing(self, role: Role, span: tuple[int, int]) -> list[Engineer]:
        """Those of a role's engineers who look best for the goal, and who must be considered anyway."""
        pool = self._by_role[role.name]
        if role.presence == "remote" or len(pool) <= PRICED:
            return pool
        looks = self._looks(role, span)
        by = {engineer.id: looks[engineer.id][self._goal == "least_harm"] for engineer in pool if engineer.id in looks}
        best = sorted(by, key=lambda name: (by[name], name))
        kept = {*[name for name in best if name != self._apart][:PRICED], *self._always}
        return [engineer for engineer in pool if engineer.id in kept]

    def _looks(self, role: Role, span: tuple[int, int]) -> Mapping[str, tuple[float, float]]:
        """About what each engineer costs as a member of the smallest team, and the harm to others, by id."""
        key = (role.name, span)
        found = self._estimates.get(key)
        if found is None:
            found = self._estimates[key] = {}
            stints, seconds = self._smallest(role)
            costs, harms = self._calls.costs(seconds, span, HANDED_OVER_MILLI)
            for index, stint, cost, harm in zip(self._called, stints, costs.tolist(), harms.tolist(), strict=True):
                name = self._state.routes[index].engineer.id
                if stint is not None and (name not in found or cost < found[name][0]):
                    found[name] = (cost, harm)
        return found

    def _smallest(self, role: Role) -> tuple[list[Stint | None], NDArray[np.int64]]:
        """What each member of the smallest team would do in a role, by open route, and how long it takes at least."""
        if role.name not in self._shortest_of:
            size = sum(other.minimum for other in self._roles if other.presence == "on_site")
            stints = [self._stint(self._state.routes[index].engineer, role, size) for index in self._called]
            seconds = [0 if stint is None else shortest_seconds(stint) for stint in stints]
            self._shortest_of[role.name] = stints, np.array(seconds, dtype=np.int64)
        return self._shortest_of[role.name]

    @cached_property
    def _called(self) -> list[int]:
        """The open routes of all who could be members."""
        members = {engineer.id: engineer for pool in self._by_role.values() for engineer in pool}
        return [index for engineer in members.values() for index in self._open_routes(engineer)]

    @cached_property
    def _calls(self) -> Calls:
        return Calls(self._problem, self._day.gaps, self._called, self._place, self._price_of, self._earliest)

    def _price_of(self, name: str, a_guess_will_do: bool) -> int | None:
        if not self._may_displace or name not in self._state.served or not self._may_wait(name):
            return None
        if a_guess_will_do and name not in self._regrets:
            return min(USUAL_REGRET_MILLI, self._state.unserved_cost(self._problem.order_by_id[name]))
        return self._regret(name)

    @cached_property
    def _always(self) -> frozenset[str]:
        """Who is priced whatever they seem to cost: estimates do not know what else speaks for them."""
        names = {self._state.routes[index].engineer.id for index in self._working.changed} | self._held.keys()
        if self._order.pin is not None:
            names.add(self._order.pin.engineer)
        if self._previous is not None:
            names |= self._previous.engineers
        for required in self._team.collective_skills:
            reach = self._day.reach(required.skill)
            names |= {engineer.id for engineer in self._engineers if reach.get(engineer.id, 0) >= required.level}
        return frozenset(names | self._likeliest)

    def _measure(self, choice: Choice) -> int:
        """What a member costs by the goal, as one number."""
        first = 0
        if self._goal == "least_harm":
            first = choice.harm + HANDED_OVER_MILLI * len(choice.displaced)
        elif self._goal == "fastest" and not choice.stint.remote:
            first = choice.made.end - self._problem.now
        elif self._goal == "best_chance" and (choice.role.name == LEAD or self._team.role(LEAD) is None):
            chance = chance_to_fix(self._order, [(choice.engineer, choice.role.name)])
            first = int((1 - chance) * 1_000_000)
        # Whoever keeps a role comes before everybody else, whatever the goal.
        kept = _ALWAYS if choice.engineer.id in self._held else 0
        return first * _FIRST + choice.delta - kept

    def _ways_of(self, engineer: Engineer, role: Role, size: int, span: tuple[int, int]) -> list[Choice]:
        """How an engineer could come: between planned work, or instead of some of it."""
        key = (engineer.id, role.name, size, span)
        ways = self._ways.get(key)
        if ways is None:
            ways = self._ways[key] = []
            stint = self._stint(engineer, role, size)
            if stint is not None:
                earliest, latest = max(span[0], stint.not_before), min(span[1], stint.not_after)
                open_routes = self._open_routes(engineer)
                in_time = [index for index in open_routes if self._ready_at(index, remote=stint.remote) <= latest]
                bound = replace(stint, windows=(), not_before=earliest, not_after=latest) if in_time else stint
                for index in in_time:
                    if self._state.routes[index].can_rest_beside(bound):
                        ways += self._ways_on(index, engineer, role, bound)
        return ways

    def _ways_on(self, index: int, engineer: Engineer, role: Role, bound: Stint) -> list[Choice]:
        route = self._state.routes[index]
        ways: list[Choice] = []
        for displaced in self._sets_to_displace(index, bound):
            insertion = self._insertion(index, displaced, bound)
            if insertion is None:
                continue
            regret = sum(self._regret(name) for name in displaced)
            made = trace(insertion.label)
            mine = next(item for item in made if item.stint is not None and item.stint.order is self._order)
            harm = _promise_cost(made, mine.stint) - self._promise_cost(index) + regret
            delta = insertion.label.cost - route.cost + regret
            ways.append(Choice(engineer, role, index, bound, delta, insertion, mine, displaced, harm))
            if harm <= 0 or len(ways) == WAYS:
                break
        return ways

    def _sets_to_displace(self, index: int, bound: Stint) -> Iterator[frozenset[str]]:
        """Nothing; then each of the next movable orders in the way; then the next two, three, and all that are left."""
        yield frozenset()
        if not self._may_displace:
            return
        movable = [name for name, until in self._movable_on(index, bound.remote) if until > bound.not_before]
        yield from (frozenset(self._working.bound_with([name])) for name in movable[:SINGLY])
        for count in sorted({2, 3, len(movable)}):
            if 2 <= count <= len(movable):
                yield frozenset(self._working.bound_with(movable[:count]))

    def _movable_on(self, index: int, remote: bool) -> list[tuple[str, int]]:
        """The orders of a route that may make room, and until when each is in the way of a stop at the site."""
        found = self._movable.get((index, remote))
        if found is None:
            route, travel = self._state.routes[index], self._problem.travel
            found = self._movable[index, remote] = []
            for made in route.made():
                stint = made.stint
                if stint is not None and self._may_wait(stint.order.id):
                    speed, is_far = route.engineer.speed_factor, not (remote or stint.remote)
                    ride = travel.free_flow_row(stint.place, speed)[self._place] if is_far else 0
                    found.append((stint.order.id, made.end + ride))
        return found

    def _may_wait(self, name: str) -> bool:
        found = self._waits.get(name)
        if found is None:
            found = self._waits[name] = self._working.may_make_room(name, self._order)
        return found

    def _insertion(self, index: int, displaced: frozenset[str], bound: Stint) -> Insertion | None:
        """A member's place on a route without displaced work: the same in every role where it takes as long."""
        key = (index, displaced, bound.remote, bound.segments, bound.not_before, bound.not_after)
        if key not in self._insertions:
            base = self._without(index, displaced)
            if bound.not_before == bound.not_after and not bound.after:
                answer = base.latest_insertion(bound, PLACES)
            else:
                answer = base.best_insertion(bound)
            self._insertions[key] = None if answer is None else answer[1]
        return self._insertions[key]

    def _without(self, index: int, displaced: frozenset[str]) -> RouteState:
        route = self._state.routes[index]
        if not displaced:
            return route
        key = (index, displaced)
        if key not in self._emptied:
            stints = [stint for stint in route.stints if stint.order.id not in displaced]
            self._emptied[key] = route.varied(route.shift, stints)
        return self._emptied[key]

    # -- what it does to others --------------------------------------------------------------------------------

    def _regret(self, name: str) -> int:
        """About what displacing an order costs, in thousandths: another place near by, or leaving it undone."""
        found = self._undone.get(name, self._regrets.get(name))
        if found is None:
            order = self._problem.order_by_id[name]
            found = self._state.unserved_cost(order)
            bounds = self._state.bounds(order)
            if order.team is None and bounds is not None:
                for cost, _ in ranked_routes(self._day, self._working, order, bounds):
                    found = min(found, cost)
                    break
            self._regrets[name] = found
        return found

    def _promise_cost(self, index: int) -> int:
        if index not in self._promises:
            self._promises[index] = _promise_cost(self._state.routes[index].made(), None)
        return self._promises[index]


def _promise_cost(made: list[Made], apart_from: Stint | None) -> int:
    """What lateness costs along a route, in thousandths, one stint apart."""
    cost = 0
    for item in made:
        stint = item.stint
        if stint is None or stint is apart_from or stint.lateness is None:
            continue
        arrival, end = min(item.arrival, stint.others_arrival), max(item.end, stint.others_end)
        start = stint.lateness.start_by if stint.order.team is not None else item.start
        cost += stint.lateness.of(arrival, start, end)
    return cost
