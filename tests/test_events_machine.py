"""Any sequence of events, accepted plans and edits, on a real database: what must never happen does not.

The order of the rules is the machine's; late reports come with earlier times, and repeated ones with known ids.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from api.live_events import Outcome, Told, tell
from api.planning_state import accept_plan, snapshot
from api.problems import SolveOptions, solve_document
from data.event_log import EventLog, EventRecord
from data.job_store import Runs
from data.live_records import event_of, stored_live_state
from data.repositories import Plans, Publication, Repository
from dispatcher.actor import Actor
from dispatcher.errors import EVENT_CODES, REFUSAL_CODES, WrongState
from dispatcher.events import KINDS, rebuild
from dispatcher.events_orders import AT_WORK
from dispatcher.live_state import LIVE, LiveState, differences
from dispatcher.services.state import PlanQuestion
from tests.databases import SetClock, delete_all_rows, open_database
from tests.stored_fleet import MONDAY, at, store

ACTOR = Actor("acme", "console-1")
ENGINEERS = ("E1", "E2", "E3")
ORDERS = ("W1", "W2", "W3", "W4", "W5")
FINAL = frozenset({"done", "cancelled"})
TIMES = ("accepted_at", "departed_at", "arrived_at", "ended_at")
QUESTION = PlanQuestion("day", ["east"], [MONDAY])
STEPS = ("visit_accepted", "visit_en_route", "visit_arrived", "visit_paused", "visit_resumed", "visit_finished")
ENDS = ("visit_finished", "visit_failed", "visit_running_longer", "visit_noted")
TEAM = {"roles": [{"role": "lead"}, {"role": "support"}]}


class RunningDay(RuleBasedStateMachine):
    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        delete_all_rows(self.url)
        self.clock = SetClock()
        self.database = open_database(self.url, self.clock)
        self.told: list[tuple[Told, Outcome]] = []
        self.versions: dict[tuple[str, str], int] = {}
        self.made: str | None = None
        self.at_work: dict[str, dict[str, Any]] = {}
        self.sequence = 0

    def teardown(self) -> None:
        self.database.close()

    @initialize()
    def fleet(self) -> None:
        with self.database.write(ACTOR) as work:
            store(work, "territory", external_id="east", timezone="UTC")
            for place, name in enumerate(("depot", "S1", "S2")):
                longitude = 13.4 + place / 50
                store(work, "site", external_id=name, timezone="UTC", latitude=52.5, longitude=longitude)
            store(work, "skill", external_id="pumps")
            for name in ENGINEERS:
                store(work, "engineer", external_id=name, territory="east")
                times = {"start": at(7), "end": at(16), "latest_end": at(18)}
                body = {"start_location": "depot"}
                store(work, "shift", external_id="mon", engineer=name, local_date=MONDAY, body=body, **times)
            # What the log tells was stored here without it: from here on it tells everything.
            self.beginning = stored_live_state(work)
        for number, name in enumerate(ORDERS[:4]):
            self.open(name, ("S1", "S2")[number % 2], 1800, number == 0)
        self.plan()
        self.accept()

    # -- what people do ----------------------------------------------------------------------------------------------

    def tell(self, kind: str, late_minutes: int, **body: Any) -> str:
        happened = self.clock.now() - timedelta(minutes=late_minutes)
        self.told.append((Told(f"client-{len(self.told)}", kind, happened, body), Outcome("refused")))
        return self.send(len(self.told) - 1)

    def send(self, number: int) -> str:
        told, _ = self.told[number]
        (outcome,) = tell(self.database, ACTOR, [told])
        if outcome.refusal is not None:
            assert outcome.refusal.code in {**EVENT_CODES, **REFUSAL_CODES, "NOT_FOUND": ""}
        self.told[number] = (told, outcome)
        return outcome.outcome

    @rule(
        name=st.sampled_from(ORDERS),
        place=st.sampled_from(["S1", "S2", "nowhere"]),
        seconds=st.integers(0, 7200),
        team=st.booleans(),
    )
    def open(self, name: str, place: str, seconds: int, team: bool) -> None:
        order = {"id": name, "location": place, "territory": "east", "service_seconds": seconds}
        self.tell("order_opened", 0, order={**order, "team": TEAM} if team else order)

    @rule(name=st.sampled_from(ORDERS), level=st.sampled_from(["L1", "L2", "L3", "L4"]))
    def regrade(self, name: str, level: str) -> None:
        self.tell("order_regraded", 0, work_order=name, level=level, reason="because")

    @rule(name=st.sampled_from(ORDERS), place=st.sampled_from(["S1", "S2"]), version=st.sampled_from([None, 1, 2, 3]))
    def edit(self, name: str, place: str, version: int | None) -> None:
        self.tell("order_edited", 0, work_order=name, changes={"location": place, "parts": None}, version=version)

    @rule(name=st.sampled_from(ORDERS))
    def cancel(self, name: str) -> None:
        self.tell("order_cancelled", 0, work_order=name)

    @rule(
        kind=st.sampled_from(["engineer_late", "engineer_off_sick", "engineer_back"]),
        name=st.sampled_from(ENGINEERS),
        hour=st.integers(6, 19),
        late=st.integers(0, 60),
    )
    def shift(self, kind: str, name: str, hour: int, late: int) -> None:
        expected = {"expected_at": at(hour).isoformat()} if kind == "engineer_late" else {}
        self.tell(kind, late, engineer=name, shift="mon", **expected)

    @rule(name=st.sampled_from(ENGINEERS), place=st.integers(0, 90), late=st.integers(0, 60))
    def move(self, name: str, place: int, late: int) -> None:
        self.tell("engineer_position", late, engineer=name, lat=place, lon=place)

    @rule(factor=st.sampled_from([1, 1.5, 2]), hours=st.integers(-1, 3))
    def roads(self, factor: float, hours: int) -> None:
        until = self.clock.now() + timedelta(hours=hours)
        self.tell("travel_slower", 0, territory="east", factor=factor, until=until.isoformat())

    @rule(
        kind=st.sampled_from(sorted(kind for kind in KINDS if kind.startswith("visit_"))),
        name=st.sampled_from(ORDERS),
        engineer=st.sampled_from(ENGINEERS),
        late=st.integers(0, 90),
    )
    def visit(self, kind: str, name: str, engineer: str, late: int) -> None:
        self.report(kind, name, engineer, late)

    @rule(first=st.integers(0, 4), count=st.integers(1, 5), number=st.integers(0, 9), late=st.integers(0, 30))
    def work(self, first: int, count: int, number: int, late: int) -> None:
        """Most reports are about a visit that there is, and come one after the other."""
        self.steps(STEPS[first : first + count], number, late)

    @rule(kind=st.sampled_from(ENDS), number=st.integers(0, 9), late=st.integers(0, 30))
    def end(self, kind: str, number: int, late: int) -> None:
        self.steps(["visit_arrived", kind], number, late)

    def steps(self, steps: Sequence[str], number: int, late: int) -> None:
        visits = [item for item in self.stored().records["visit"].values() if item["status"] in LIVE]
        if visits:
            visit = visits[number % len(visits)]
            for step in steps:
                self.report(step, visit["work_order"], visit["engineer"], late)

    def report(self, kind: str, name: str, engineer: str, late: int) -> None:
        more: dict[str, Any] = {}
        if kind in ("visit_en_route", "visit_arrived"):
            more = {"shift": "mon"}
        elif kind == "visit_running_longer":
            more = {"expected_end": (self.clock.now() + timedelta(hours=1)).isoformat()}
        elif kind == "visit_failed":
            skills = [{"skill": "pumps" if late % 2 else "unknown", "level": 1}]
            more = {"cause": "skill", "missing_skills": skills, "missing_parts": {"P": late}}
        elif kind in ("visit_noted", "visit_finished"):
            more = {"notes": "x", "parts_used": {"P": 1}}
        self.tell(kind, late, work_order=name, engineer=engineer, **more)

    @rule(number=st.integers(0, 100))
    def repeat(self, number: int) -> None:
        """Whatever was applied counts once, however often it is told."""
        if self.told:
            number %= len(self.told)
            _, before = self.told[number]
            if before.outcome != "refused":
                assert self.send(number) == "known"
                event, first = self.told[number][1].event, before.event
                assert event == first

    @rule()
    def plan(self) -> None:
        with self.database.read(ACTOR) as work:
            document, scopes = snapshot(work, QUESTION)
        plan = solve_document(document, SolveOptions(iteration_limit=100, engine="insertion"))
        with self.database.write(ACTOR) as work:
            run = Runs(work).enqueue("plan", {"at": self.clock.now().isoformat(), "n": self.sequence})
            self.made = Plans(work).publish(run.id, Publication(document, plan, scopes))

    @rule()
    def accept(self) -> None:
        """The plan may be older than much of what happened since."""
        if self.made is not None:
            try:
                with self.database.write(ACTOR) as work:
                    accept_plan(work, self.made, None)
            except WrongState:
                pass
            self.made = None

    @rule(minutes=st.integers(1, 60))
    def wait(self, minutes: int) -> None:
        self.clock.advance(60 * minutes)

    # -- what must never happen --------------------------------------------------------------------------------------

    def stored(self) -> LiveState:
        with self.database.read(ACTOR) as work:
            return stored_live_state(work)

    @invariant()
    def nothing_is_broken(self) -> None:
        if not hasattr(self, "beginning"):
            return
        with self.database.read(ACTOR) as work:
            events = list(EventLog(work).read(0, 10_000))
            state = stored_live_state(work)
            versions = {
                (kind, item.id): item.version
                for kind in ("work_order", "shift", "visit")
                for item in Repository(work, kind).iterate()
            }
            document, _ = snapshot(work, QUESTION)
        self.the_log_leads_to_what_is_stored(events, state)
        self.an_order_is_in_one_place_only(state)
        self.what_runs_is_never_moved(state)
        self.clocks_never_run_backwards(state)
        self.no_order_is_lost(state, document)
        assert all(versions[key] >= version for key, version in self.versions.items() if key in versions)
        self.versions = versions

    def the_log_leads_to_what_is_stored(self, events: Sequence[EventRecord], stored: LiveState) -> None:
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert all(event.content_sha256() == event.sha256 for event in events[self.sequence :])
        self.sequence = len(events)
        beginning = LiveState()
        for kind, records in self.beginning.records.items():
            for values in records.values():
                beginning.write(kind, values)
        assert differences(rebuild(map(event_of, events), beginning), stored) == []

    def an_order_is_in_one_place_only(self, state: LiveState) -> None:
        for (name,), order in state.records["work_order"].items():
            live = [visit for visit in state.visits_of(name) if visit["status"] in LIVE]
            assert bool(live) == (order["status"] in ("planned", "in_progress")), (order, live)
            assert len({visit["engineer"] for visit in live}) == len(live)
            if not order["body"].get("team"):
                assert len(live) <= 1
            if any(visit["status"] in AT_WORK for visit in live):
                assert order["status"] == "in_progress"
        for engineer in ENGINEERS:
            steps = [visit["status"] for visit in state.visits_by(engineer)]
            assert steps.count("on_site") <= 1
            assert steps.count("en_route") <= 1

    def what_runs_is_never_moved(self, state: LiveState) -> None:
        for name, before in self.at_work.items():
            after = state.find("visit", name)
            assert after is not None
            kept = ("work_order", "engineer", "shift", "role")
            assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
            assert before["arrived_at"] in (None, after["arrived_at"])
        begun = AT_WORK | {"done", "failed"}
        self.at_work = {
            name: dict(visit) for (name,), visit in state.records["visit"].items() if visit["status"] in begun
        }

    def clocks_never_run_backwards(self, state: LiveState) -> None:
        for visit in state.records["visit"].values():
            times = [visit[name] for name in TIMES if visit[name] is not None]
            assert times == sorted(times)
            if visit["ended_at"] is not None and visit["arrived_at"] is not None:
                assert 0 <= visit["paused_seconds"] <= (visit["ended_at"] - visit["arrived_at"]).total_seconds()

    def no_order_is_lost(self, state: LiveState, document: dict[str, Any]) -> None:
        unfinished = {name for (name,), item in state.records["work_order"].items() if item["status"] not in FINAL}
        left_out = set(document.get("attributes", {}).get("left_out", {}))
        assert {order["id"] for order in document["work_orders"]} | left_out == unfinished


def test_no_sequence_of_events_breaks_an_invariant(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "muster.db"
    shutil.copyfile(sqlite_template, path)

    class OnSqlite(RunningDay):
        url = f"sqlite:///{path}"

    run_state_machine_as_test(OnSqlite, settings=settings(max_examples=5, stateful_step_count=25))


def _walk(day: RunningDay, random: Random) -> None:
    """One step of a long day, with more orders than the machine has and work that mostly goes well."""
    name, engineer, late = f"W{random.randrange(40)}", random.choice(ENGINEERS), random.randrange(20)
    steps: list[Callable[[], None]] = [
        lambda: day.open(name, random.choice(("S1", "S2")), 1800, random.random() < 0.2),
        lambda: day.regrade(name, random.choice(("L1", "L2"))),
        lambda: day.edit(name, random.choice(("S1", "S2")), random.choice((None, 1, 2))),
        lambda: day.cancel(name),
        lambda: day.shift(random.choice(("engineer_late", "engineer_off_sick")), engineer, random.randint(7, 12), late),
        lambda: day.shift("engineer_back", engineer, 9, 0),
        lambda: day.move(engineer, late, late),
        lambda: day.roads(random.choice((1, 1.5)), 2),
        lambda: day.visit(random.choice(STEPS), name, engineer, late),
        lambda: day.end(random.choice(ENDS), random.randrange(10), late),
        lambda: day.repeat(random.randrange(1000)),
        day.plan,
        day.accept,
        lambda: day.wait(random.randint(1, 10)),
    ]
    if random.random() < 0.5:
        day.work(random.randrange(5), random.randint(1, 5), random.randrange(10), late)
    else:
        random.choice(steps)()
    day.nothing_is_broken()


@pytest.mark.slow
def test_a_long_day_at_random_breaks_none_either_on_both_databases(database_url: str) -> None:
    class OnThis(RunningDay):
        url = database_url

    day, random = OnThis(), Random(20261123)
    try:
        day.fleet()
        for _ in range(70):
            _walk(day, random)
    finally:
        day.teardown()
    outcomes = Counter(item.outcome for _, item in day.told)
    assert min(outcomes["applied"], outcomes["refused"]) > 15
    assert outcomes["known"]
