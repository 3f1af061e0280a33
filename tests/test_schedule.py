"""The scheduler finds the earliest schedule there is; the oracle crawls towards it second by second."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import check_problem
from data.travel import problem_travel
from dispatcher.documents import instant, read_problem
from dispatcher.evaluate import evaluate
from dispatcher.model import Arrival, ArrivalMode, Role, Team, TimeWindow
from dispatcher.plan import Member, Plan, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from dispatcher.schedule import TeamStarts, build_plan, earliest_in_windows, team_starts
from tests.small_days import Document, at, day, engineer, order, plan_of, read, rest, role, shift, starts, window

Starts = dict[tuple[str, str], int]

# One team by itself

MODES: tuple[ArrivalMode, ...] = ("together", "staggered", "lead_first")
LATEST = 14


def arrive_well(team: Team, on_site: Mapping[str, int], remote: Mapping[str, int], roles: Mapping[str, str]) -> bool:
    """Whether starts agree with the arrival mode, as the planning document words it."""
    mode, least, most = team.arrival.mode, team.arrival.min_gap_seconds, team.arrival.max_gap_seconds
    first = min(on_site.values())
    lead = next((name for name in (*on_site, *remote) if roles[name] == "lead"), None)
    for name, start in remote.items():
        if start != first and not (mode == "lead_first" and name == lead):
            return False
    for name, start in on_site.items():
        gap = start - first
        if mode == "together" and gap:
            return False
        if mode == "staggered" and most is not None and gap > most:
            return False
        if mode == "lead_first" and lead is not None and name != lead:
            gap = start - {**on_site, **remote}[lead]
            if gap < least or (most is not None and gap > most):
                return False
    return True


@st.composite
def teams(draw: st.DrawFn) -> tuple[Team, dict[str, str], TeamStarts, list[TimeWindow]]:
    mode = draw(st.sampled_from(MODES))
    least = draw(st.integers(0, 3)) if mode == "lead_first" else 0
    most = draw(st.none() | st.integers(least, 5))
    members = draw(st.integers(1, 3))
    presences = ["on_site", *draw(st.lists(st.sampled_from(["on_site", "remote"]), min_size=2, max_size=2))][:members]
    lead = draw(st.integers(0, members - 1))
    roles = {f"E{index}": "lead" if index == lead else f"hand{index}" for index in range(members)}
    floors = {f"E{index}": draw(st.integers(0, 7)) for index in range(members)}
    team = Team(
        roles=tuple(Role(roles[f"E{index}"], presence=of) for index, of in enumerate(presences)),  # type: ignore[arg-type]
        arrival=Arrival(mode, least, most),
    )
    on_site = {name: floors[name] for name, of in zip(floors, presences, strict=True) if of == "on_site"}
    remote = {name: start for name, start in floors.items() if name not in on_site}
    spans = draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), max_size=3))
    return team, roles, TeamStarts(on_site, remote), [TimeWindow(start, start + width) for start, width in spans]


@given(teams())
def test_team_starts_are_the_earliest_of_all_that_are_allowed(
    case: tuple[Team, dict[str, str], TeamStarts, list[TimeWindow]],
) -> None:
    team, roles, floors, windows = case
    names = [*floors.on_site, *floors.remote]
    allowed = []
    for choice in product(*(range(start, LATEST + 8) for start in (*floors.on_site.values(), *floors.remote.values()))):
        chosen = dict(zip(names, choice, strict=True))
        on_site = {name: chosen[name] for name in floors.on_site}
        remote = {name: chosen[name] for name in floors.remote}
        inside = not windows or any(all(each.holds(start) for start in on_site.values()) for each in windows)
        if inside and arrive_well(team, on_site, remote, roles):
            allowed.append(chosen)
    settled = team_starts(team, roles, floors, windows)
    if not allowed:
        assert settled is None
        return
    assert settled is not None
    earliest = {name: min(choice[name] for choice in allowed) for name in names}
    assert {**settled.on_site, **settled.remote} == earliest
    # All of them at once, and not each in another schedule.
    assert earliest in allowed


@pytest.mark.parametrize(
    ("start", "expected"), [(0, 5), (5, 5), (6, 6), (8, 8), (9, 20), (20, 20), (21, None)], ids=str
)
def test_earliest_in_windows_includes_both_bounds(start: int, expected: int | None) -> None:
    assert earliest_in_windows(start, [TimeWindow(20, 20), TimeWindow(5, 8)]) == expected


# Whole days, in seconds

HORIZON = 180
"""Days of the oracle are over after this many seconds."""


def second(number: int) -> str:
    """An instant in seconds after eight."""
    return at(f"08:{number // 60:02}:{number % 60:02}")


ZERO = instant(second(0))


@dataclass
class Crawler:
    """The naive oracle: all starts begin at 0, and whatever is too early for a rule moves by a second.

    No start ever passes the one of a schedule that keeps all rules, so where the crawl comes to rest is the
    earliest schedule of all.
    """

    problem: Problem
    document: Document
    sequences: Sequences
    starts: Starts = field(default_factory=dict)
    ends: Starts = field(default_factory=dict)

    def crawl(self) -> Starts | None:
        """Starts by (route's engineer, what); None where there is no schedule before the horizon ends."""
        for route in self.sequences.routes:
            for visit in route.visits:
                self.starts[route.engineer, self.label(visit)] = ZERO
        while True:
            early = set(self.too_early())
            if not early:
                return self.starts
            for key in early:
                self.starts[key] += 1
            if max(self.starts.values()) > ZERO + HORIZON or any(self.begun(*key) for key in early):
                return None

    def begun(self, name: str, what: str) -> bool:
        """Whether this is running work, which nothing can move."""
        running = next((route.visits[0] for route in self.sequences.routes if route.engineer == name), None)
        if not isinstance(running, Visit) or running.work_order != what:
            return False
        begin = (self.order(what).get("pin") or {}).get("start")
        return begin is not None and instant(begin) < self.problem.now and self.starts[name, what] > instant(begin)

    @staticmethod
    def label(visit: Visit | Rest) -> str:
        return visit.work_order if isinstance(visit, Visit) else f"break {visit.index}"

    def order(self, name: str) -> Document:
        found: Document = next(item for item in self.document["work_orders"] if item["id"] == name)
        return found

    def role(self, name: str, visit_role: str | None) -> Document:
        team = self.order(name).get("team") or {"roles": []}
        return next((item for item in team["roles"] if item["role"] == visit_role), {})

    def members(self, name: str, presence: str = "on_site") -> list[tuple[str, str]]:
        return [
            (route.engineer, name)
            for route in self.sequences.routes
            for visit in route.visits
            if isinstance(visit, Visit)
            and visit.work_order == name
            and self.role(name, visit.role).get("presence", "on_site") == presence
        ]

    def seconds_of(self, visit: Visit) -> int:
        item, of = self.order(visit.work_order), self.role(visit.work_order, visit.role)
        sizes = (item.get("team") or {}).get("service_seconds_by_size") or {}
        size = len(self.members(visit.work_order))
        fitting = [count for count in map(int, sizes) if count <= size]
        by_size = sizes[str(max(fitting))] if fitting else item["service_seconds"]
        given = of.get("service_seconds")
        return int(by_size if given is None else given)

    def too_early(self) -> Iterator[tuple[str, str]]:
        for route in self.sequences.routes:
            yield from self.too_early_on(route)
        for item in self.document["work_orders"]:
            if self.members(item["id"]):
                yield from self.too_early_in_windows(item)
                yield from self.too_early_in_team(item)
                yield from self.too_early_after_others(item)

    def too_early_on(self, route: RouteSequence) -> Iterator[tuple[str, str]]:
        problem, engineer = self.problem, self.problem.engineer_by_id[route.engineer]
        its_shift = problem.shift_by_key[route.engineer, route.shift]
        free, where, site = max(its_shift.start, problem.now), its_shift.start_location, ""
        for place, visit in enumerate(route.visits):
            key = (route.engineer, self.label(visit))
            if isinstance(visit, Rest):
                its_break = its_shift.breaks[visit.index]
                if self.starts[key] < max(free, its_break.earliest_start, problem.now):
                    yield key
                free = max(free, self.starts[key]) + its_break.duration_seconds
                continue
            item = self.order(visit.work_order)
            pin = item.get("pin") or {}
            pinned = instant(pin["start"]) if pin.get("start") and pin["engineer"] == route.engineer else None
            running = place == 0 and pin.get("start") and instant(pin["start"]) < problem.now
            seconds = self.seconds_of(visit)
            if self.role(visit.work_order, visit.role).get("presence") == "remote":
                arrival = free
            elif running:
                arrival, where = instant(pin["start"]), item["location"]
            else:
                leaving = max(free, problem.now)
                arrival = leaving + problem.leg_seconds(where, item["location"], leaving, engineer)
                where = item["location"]
            if self.role(visit.work_order, visit.role).get("presence") != "remote":
                seconds += 0 if site == where else item.get("setup_seconds", 0)
                site = where
            earliest = arrival if running else max(arrival, problem.now, pinned or 0, visit.not_before or 0)
            if self.starts[key] < earliest:
                yield key
            free = self.ends[key] = max(self.starts[key], arrival) + seconds

    def too_early_in_windows(self, item: Document) -> Iterator[tuple[str, str]]:
        """Only a later first member can bring all of them into one window."""
        pin = item.get("pin") or {}
        if not item.get("time_windows") or (pin.get("start") and instant(pin["start"]) < self.problem.now):
            return
        at_work = {key: self.starts[key] for key in self.members(item["id"])}
        spans = [(instant(span["start"]), instant(span["end"])) for span in item["time_windows"]]
        if not any(all(first <= start <= last for start in at_work.values()) for first, last in spans):
            yield min(at_work, key=lambda key: at_work[key])

    def too_early_in_team(self, item: Document) -> Iterator[tuple[str, str]]:
        if not item.get("team"):
            return
        arrival = item["team"].get("arrival") or {}
        mode, least, most = (
            arrival.get("mode", "together"),
            arrival.get("min_gap_seconds", 0),
            arrival.get("max_gap_seconds"),
        )
        on_site, remote = self.members(item["id"]), self.members(item["id"], "remote")
        lead = next((key for key in (*on_site, *remote) if self.role_of(key) == "lead"), None)
        anchored = lead if mode == "lead_first" else None
        first, last = min(self.starts[key] for key in on_site), max(self.starts[key] for key in on_site)
        for key in remote:
            if key != anchored:
                if self.starts[key] < first:
                    yield key
                yield from (other for other in on_site if self.starts[other] < self.starts[key])
        for key in on_site:
            behind = last - self.starts[key]
            if (mode == "together" and behind) or (mode == "staggered" and most is not None and behind > most):
                yield key
            if anchored is not None and key != anchored:
                if self.starts[key] < self.starts[anchored] + least:
                    yield key
                if most is not None and self.starts[anchored] < self.starts[key] - most:
                    yield anchored

    def role_of(self, key: tuple[str, str]) -> str | None:
        visits = next(route.visits for route in self.sequences.routes if route.engineer == key[0])
        return next(visit.role for visit in visits if isinstance(visit, Visit) and visit.work_order == key[1])

    def too_early_after_others(self, item: Document) -> Iterator[tuple[str, str]]:
        mine = self.members(item["id"])
        for waits in item.get("depends_on") or ():
            least, most = waits.get("min_gap_seconds", 0), waits.get("max_gap_seconds")
            others = self.members(waits["work_order"]) if waits.get("work_order") else []
            ended = max(self.ends[key] for key in others) if others else instant(waits["completed_at"])
            yield from (key for key in mine if self.starts[key] < ended + least)
            if others and most is not None and ended < min(self.starts[key] for key in mine) - most:
                yield from others


def random_case(rng: Random) -> tuple[Document, Sequences]:
    """A day of seconds with up to three engineers and four orders, and sequences that serve all of them."""

    def chance(probability: float) -> bool:
        return rng.random() < probability

    places = ["p0", "p1", "p2", "p3"][: rng.randint(2, 4)]
    now = rng.choice((0, 0, 20))
    names = ["E0", "E1", "E2"][: rng.randint(1, 3)]
    visits: dict[str, list[Visit | Rest]] = {name: [] for name in names}
    orders: list[Document] = []
    for number in range(rng.randint(1, 4)):
        item: dict[str, Any] = {
            "id": f"W{number}",
            "location": rng.choice(places),
            "service_seconds": rng.randint(0, 9),
        }
        if chance(0.3):
            item["setup_seconds"] = rng.randint(1, 4)
        if chance(0.4):
            spans = [(rng.randint(now, 60), rng.randint(0, 12)) for _ in range(rng.randint(1, 3))]
            spans += [(60, 60)] if chance(0.8) else []
            item["time_windows"] = [{"start": second(first), "end": second(first + width)} for first, width in spans]
        if number and chance(0.5):
            other = orders[rng.randrange(number)]
            item["depends_on"] = [{"work_order": other["id"], "min_gap_seconds": rng.choice((0, 3, 9))}]
            # Of a team any member may end later, so there is no one earliest schedule that keeps a largest gap.
            if chance(0.5) and not other.get("team"):
                item["depends_on"][0]["max_gap_seconds"] = item["depends_on"][0]["min_gap_seconds"] + rng.choice((0, 5))
        elif chance(0.2):
            item["depends_on"] = [{"completed_at": second(rng.randint(0, 30)), "min_gap_seconds": rng.choice((0, 15))}]
        who = rng.sample(names, rng.randint(1, len(names)))
        if len(who) > 1 or chance(0.2):
            _make_team(rng, item, who, visits)
        else:
            if chance(0.2):
                item["pin"] = {"engineer": who[0], "start": second(now + rng.randint(0, 40))}
            visits[who[0]].append(Visit(item["id"], not_before=ZERO + 25 if chance(0.1) else None))
        orders.append(item)
    engineers = []
    for name in names:
        breaks = [_break(rng, first) for first in rng.sample(range(60), rng.choice((0, 0, 1, 2)))]
        rng.shuffle(visits[name])
        for index in range(len(breaks)):
            visits[name].insert(rng.randint(0, len(visits[name])), Rest(index))
        ends = {"end_location": rng.choice((None, "p0")), "start_location": rng.choice(places)}
        its_shift = shift("08:00", "10:00", breaks=breaks, **ends) | {"start": second(rng.choice((0, 5)))}
        engineers.append(engineer(name, shifts=[its_shift], speed_factor=rng.choice((1, 0.7, 1.3))))
        _let_run(rng, name, now, orders, visits[name])
    cells = [[0 if a == b else rng.randint(1, 12) for b in places] for a in places]
    travel: Document = {"kind": "matrix", "location_ids": places, "seconds": cells}
    if chance(0.5):
        travel["traffic"] = [{"from": "08:00", "to": "08:01", "factor": rng.choice((0.5, 1.5, 3))}]
    document = {
        "version": 1,
        "id": "seconds",
        "timezone": "UTC",
        "now": second(now),
        "horizon": {"start": at("07:00"), "end": at("11:00")},
        "locations": {place: {} for place in places},
        "engineers": engineers,
        "work_orders": orders,
        "travel": travel,
    }
    routes = tuple(RouteSequence(name, "day", tuple(made)) for name, made in visits.items())
    return document, Sequences(tuple(route for route in routes if any(isinstance(v, Visit) for v in route.visits)))


def _break(rng: Random, first: int) -> Document:
    bounds = {"earliest_start": second(first), "latest_start": second(first + 90)}
    return bounds | {"duration_seconds": rng.randint(1, 9)}


def _make_team(rng: Random, item: Document, who: list[str], visits: dict[str, list[Visit | Rest]]) -> None:
    mode = rng.choice(MODES)
    least = rng.choice((0, 4)) if mode == "lead_first" else 0
    arrival = {"mode": mode, "min_gap_seconds": least, "max_gap_seconds": rng.choice((None, least, least + 6))}
    roles = []
    for number, name in enumerate(who):
        lead = number == len(who) - 1
        of: Document = {"role": "lead" if lead else f"hand{number}"}
        if number and rng.random() < 0.4:
            of["presence"] = "remote"
        if rng.random() < 0.3:
            of["service_seconds"] = rng.randint(0, 12)
        roles.append(of)
        visits[name].append(Visit(item["id"], of["role"]))
    item["team"] = {"roles": roles, "arrival": arrival}
    if rng.random() < 0.4:
        item["team"]["service_seconds_by_size"] = {"2": rng.randint(0, 9), "3": rng.randint(0, 9)}


def _let_run(rng: Random, name: str, now: int, orders: list[Document], visits: list[Visit | Rest]) -> None:
    """Now and then the first work of a route is under way."""
    first = visits[0] if visits else None
    if not now or not isinstance(first, Visit) or rng.random() < 0.5:
        return
    item = next(each for each in orders if each["id"] == first.work_order)
    if "team" not in item and "depends_on" not in item:
        item["pin"] = {"engineer": name, "start": second(rng.randint(0, now - 1))}


def starts_of(plan: Plan) -> Starts:
    found: Starts = {}
    for route in plan.routes:
        taken = 0
        for stop in route.stops:
            if stop.kind == "work_order" and stop.work_order and stop.start is not None:
                found[route.engineer, stop.work_order] = stop.start
            if stop.kind == "break" and stop.start is not None:
                found[route.engineer, f"nth break {taken}"] = stop.start
                taken += 1
    return found


def breaks_by_turn(starts: Starts, sequences: Sequences) -> Starts:
    """The oracle's breaks are known by index; in a plan they are known by their turn."""
    found = {key: start for key, start in starts.items() if not key[1].startswith("break ")}
    for route in sequences.routes:
        rests = [visit for visit in route.visits if isinstance(visit, Rest)]
        for turn, taken in enumerate(rests):
            found[route.engineer, f"nth break {turn}"] = starts[route.engineer, f"break {taken.index}"]
    return found


@pytest.mark.parametrize("batch", range(4))
def test_every_start_is_the_earliest_that_crawling_finds(batch: int) -> None:
    rng = Random(batch)
    scheduled = 0
    for turn in range(40):
        document, sequences = random_case(rng)
        assert check_problem(document) == []
        problem = read_problem(document, problem_travel)
        expected = Crawler(problem, document, sequences).crawl()
        plan = build_plan(problem, sequences)
        if expected is None:
            assert not evaluate(problem, plan).feasible, (batch, turn)
            continue
        scheduled += 1
        assert starts_of(plan) == breaks_by_turn(expected, sequences), (batch, turn)
    assert scheduled >= 15


# Examples


def test_a_team_that_waits_for_an_instant_was_pushed_by_what_its_first_member_lacked() -> None:
    """E could start at 08:10 and F at 08:20; both wait for 09:00, and F was sent there at 09:10."""
    roles = [role("lead"), role("support")]
    waits = [{"completed_at": at("08:00"), "min_gap_seconds": 3600}]
    near = engineer("E")
    far = engineer("F", shifts=[shift(start_location="p20")])
    problem = read(day([near, far], [order("T", "p0", team={"roles": roles}, depends_on=waits)]))
    visits = {"E": Visit("T", "lead"), "F": Visit("T", "support")}
    plan, evaluation = plan_of(problem, Sequences(tuple(RouteSequence(e, "day", (v,)) for e, v in visits.items())))
    assert starts(plan) == {("T", "E"): "09:00", ("T", "F"): "09:00"}
    assert evaluation.feasible


def test_the_order_waited_for_is_put_off_where_the_gap_would_be_too_long() -> None:
    waits = [{"work_order": "A", "max_gap_seconds": 600}]
    orders = [order("A"), order("B", "p20", depends_on=waits, time_windows=[window("12:00", "13:00")])]
    problem = read(day([engineer("E"), engineer("F")], orders))
    routes = (RouteSequence("E", "day", (Visit("A"),)), RouteSequence("F", "day", (Visit("B"),)))
    plan, evaluation = plan_of(problem, Sequences(routes))
    assert starts(plan) == {("A", "E"): "10:50", ("B", "F"): "12:00"}
    assert evaluation.feasible


def test_teams_that_wait_for_each_other_in_a_circle_end_in_a_plan_that_is_not_feasible() -> None:
    roles = [role("lead"), role("support")]
    problem = read(day([engineer("E"), engineer("F")], [order(name, team={"roles": roles}) for name in "ST"]))
    routes = (
        RouteSequence("E", "day", (Visit("S", "lead"), Visit("T", "lead"))),
        RouteSequence("F", "day", (Visit("T", "support"), Visit("S", "support"))),
    )
    _, evaluation = plan_of(problem, Sequences(routes))
    assert "arrival_mode" in {finding.rule for finding in evaluation.findings}


def test_work_that_can_never_be_in_time_ends_in_a_plan_that_is_not_feasible() -> None:
    """A waits for B's end, and B for a window after the end of the day: nothing is pushed without end."""
    waits = [{"work_order": "A", "max_gap_seconds": 0}]
    late = order("B", depends_on=waits, time_windows=[window("23:00", "23:30")])
    roles = [role("lead"), role("support")]
    problem = read(day([engineer("E"), engineer("F")], [order("A", team={"roles": roles}), late]))
    routes = (
        RouteSequence("E", "day", (Visit("A", "lead"), Visit("B"))),
        RouteSequence("F", "day", (Visit("A", "support"),)),
    )
    _, evaluation = plan_of(problem, Sequences(routes))
    assert {"shift", "depends_on"} & {finding.rule for finding in evaluation.findings}


def test_a_route_without_work_is_left_out_and_what_is_on_no_route_is_unassigned() -> None:
    problem = read(day([engineer("E", shifts=[shift(breaks=[rest("10:00", "11:00")])])], [order("A")]))
    plan, evaluation = plan_of(problem, Sequences((RouteSequence("E", "day", (Rest(0),)),)))
    assert plan == Plan(unassigned=("A",))
    assert evaluation.feasible


def test_a_team_is_listed_in_the_order_of_its_roles_with_its_first_start_and_its_standby() -> None:
    roles = [role("lead"), role("support", max=2), role("backup", presence="standby")]
    gaps = {"mode": "lead_first", "min_gap_seconds": 600}
    people = [engineer(name) for name in ("Z", "B", "A", "S")]
    problem = read(day(people, [order("T", team={"roles": roles, "arrival": gaps})]))
    of = {"A": "support", "B": "support", "Z": "lead"}
    standby = {"T": (Member("S", "backup"),)}
    plan, evaluation = plan_of(
        problem, Sequences(tuple(RouteSequence(e, "day", (Visit("T", r),)) for e, r in of.items()), standby)
    )
    entry = plan.teams[0]
    assert [(member.engineer, member.role) for member in entry.members] == [
        ("Z", "lead"),
        ("A", "support"),
        ("B", "support"),
    ]
    assert entry.start == instant(at("08:10"))
    assert entry.standby == (Member("S", "backup"),)
    assert starts(plan) == {("T", "Z"): "08:10", ("T", "A"): "08:20", ("T", "B"): "08:20"}
    assert evaluation.feasible


def test_a_break_due_before_now_begins_at_now() -> None:
    breaks = [rest("08:00", "10:00")]
    problem = read(day([engineer("E", shifts=[shift(breaks=breaks)])], [order("A")], now=at("09:00")))
    plan, evaluation = plan_of(problem, Sequences((RouteSequence("E", "day", (Rest(0), Visit("A"))),)))
    assert starts(plan) == {("A", "E"): "09:40"}
    assert evaluation.feasible


def test_after_running_work_that_is_over_the_engineer_leaves_at_now() -> None:
    running = order("A", pin={"engineer": "E", "start": at("07:00")})
    problem = read(day([engineer("E")], [running, order("B", "p20")], now=at("08:30")))
    plan, evaluation = plan_of(problem, Sequences((RouteSequence("E", "day", (Visit("A"), Visit("B"))),)))
    assert starts(plan) == {("A", "E"): "07:00", ("B", "E"): "08:40"}
    assert evaluation.feasible
