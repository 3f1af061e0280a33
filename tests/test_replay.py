"""The replay: the same day again and again, carried out by the book, with nobody seeing what is still to come."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from api.documents import check_problem
from benchmarks.replay.days import SEEDS, ReplayDay, Truths, epoch, synthetic_day
from benchmarks.replay.measures import Outcome, outcome, summaries
from benchmarks.replay.policies import POLICIES, NearestQualified, PlanOnce
from benchmarks.replay.report import replay_targets, report, summary
from benchmarks.replay.snapshot import Queues, Snapshot
from benchmarks.replay.world import Log, Policy, World, replay
from dispatcher.evaluate import evaluate
from dispatcher.planning import SearchLimits
from dispatcher.schedule import build_plan
from solver.live.running import running_sequences
from tests.small_days import at, day, engineer, order, shift, skill, window

EVERYTHING = frozenset({"begin_of_day", "opened", "cancelled", "sick", "overdue", "returned", "free", "due"})
START = epoch(at("08:00"))


@dataclass(frozen=True, slots=True)
class AsEstimated(Truths):
    """Everything takes what it was estimated at."""

    seed: str = ""
    service: dict[str, float] = field(default_factory=dict)

    def service_factor(self, order: str) -> float:
        return self.service.get(order, 1.0)

    def travel_factor(self, engineer: str, origin: str, destination: str) -> float:
        del engineer, origin, destination
        return 1.0


@dataclass(frozen=True, slots=True)
class Scripted:
    """Says what a test wants, and keeps what it was shown."""

    says: Callable[[Snapshot], Queues]
    shown: list[Snapshot] = field(default_factory=list)
    name: str = "scripted"
    wakes_on: frozenset[str] = EVERYTHING

    def decide(self, snapshot: Snapshot) -> Queues:
        self.shown.append(snapshot)
        return self.says(snapshot)


def everything_to(name: str) -> Callable[[Snapshot], Queues]:
    return lambda snapshot: {name: list(snapshot.waiting)}


def replay_day(orders: list[dict[str, Any]], opened: dict[str, str] | None = None, **changes: Any) -> ReplayDay:
    """A day of two engineers who can do everything; orders are known unless `opened` says when they come in."""
    engineers = [engineer(name, skill("a"), shifts=[shift("08:00", "16:00", "17:00")]) for name in "AB"]
    document = day(engineers, orders, now=at("08:00"))
    known = {item["id"]: START - 1 for item in orders} | {n: epoch(at(t)) for n, t in (opened or {}).items()}
    return replace(ReplayDay("small", document, START, known, AsEstimated()), **changes)


def clock_of(log: Log, name: str) -> tuple[int | None, int | None, int | None]:
    """Minutes after the beginning of arrival, start and end."""
    record = log.records[name]
    times = (record.arrived, record.started, record.ended)
    arrived, started, ended = (None if time is None else (time - START) // 60 for time in times)
    return arrived, started, ended


def test_a_queue_is_driven_and_worked_by_the_minute_and_all_travel_counts() -> None:
    log = replay(replay_day([order("W1", "p10"), order("W2", "p30")]), Scripted(everything_to("A")))
    assert clock_of(log, "W1") == (10, 10, 70)
    assert clock_of(log, "W2") == (90, 90, 150)
    assert log.travel_seconds == 60 * (10 + 20 + 30)
    assert log.overtime_seconds == 0


def test_nobody_is_sent_long_before_a_window_opens() -> None:
    late = order("W1", "p10", time_windows=[window("10:00", "11:00")])
    log = replay(replay_day([late]), Scripted(everything_to("A")))
    # Ten minutes before it opens they are there, and wait.
    assert clock_of(log, "W1") == (110, 120, 180)


def test_what_would_end_after_the_latest_end_comes_back_and_is_left() -> None:
    orders = [order(f"W{number}", "p10", 150) for number in range(4)]
    policy = Scripted(everything_to("A"))
    log = replay(replay_day(orders), policy)
    # Home by 15:40 with three of them; the fourth would last until 18:00.
    assert [log.records[f"W{number}"].ended is not None for number in range(4)] == [True, True, True, False]
    assert any(happening.kind == "returned" for snapshot in policy.shown for happening in snapshot.happened)


def test_who_falls_sick_leaves_their_work_to_others() -> None:
    def says(snapshot: Snapshot) -> Queues:
        who = "A" if any(view.engineer == "A" for view in snapshot.workers) else "B"
        return {who: list(snapshot.waiting)}

    sick = {"A": epoch(at("08:30"))}
    log = replay(replay_day([order("W1", "p10")], sick=sick), Scripted(says))
    # Begun at 08:10, open again at 08:30; the other one drives from the depot.
    assert log.records["W1"].engineer == "B"
    assert clock_of(log, "W1") == (40, 40, 100)


def test_a_cancelled_order_is_not_done_unless_somebody_is_on_the_way() -> None:
    cancelled = {"W1": epoch(at("08:05")), "W2": epoch(at("08:05"))}
    log = replay(
        replay_day([order("W1", "p10"), order("W2", "p30")], cancelled=cancelled), Scripted(everything_to("A"))
    )
    assert log.records["W1"].ended is not None
    assert log.records["W2"].cancelled
    assert log.records["W2"].ended is None


def test_work_that_overruns_is_reported_and_its_end_is_expected_later() -> None:
    policy = Scripted(everything_to("A"))
    slow = AsEstimated(service={"W1": 2.0})
    replay(replay_day([order("W1", "p10"), order("W2", "p30")], truths=slow), policy)
    reported = [s for s in policy.shown if any(h.kind == "overdue" for h in s.happened)]
    # Estimated until 09:10, reported a quarter of an hour later, thought to last ten minutes more.
    assert [(s.now - START) // 60 for s in reported] == [85]
    (view,) = (view for view in reported[0].workers if view.engineer == "A")
    assert (view.doing, (view.free_at - START) // 60) == ("working", 95)


def test_reassignments_and_moved_starts_are_counted_by_decision_and_not_by_delay() -> None:
    def says(snapshot: Snapshot) -> Queues:
        is_later = any(happening.kind == "opened" for happening in snapshot.happened)
        if not is_later:
            return {"A": [name for name in ("W1", "W2") if name in snapshot.waiting]}
        return {"B": [name for name in ("W3", "W2") if name in snapshot.waiting]}

    orders = [order("W1", "p10"), order("W2", "p30"), order("W3", "p20")]
    log = replay(replay_day(orders, {"W3": "08:20"}), Scripted(says, wakes_on=frozenset({"begin_of_day", "opened"})))
    assert log.reassigned == 1
    # W2 would have begun at 09:30 with A; with B it is 08:20 + 20 + 60 + 10 minutes: 09:50.
    assert (log.moved, log.moved_seconds) == (1, 20 * 60)
    slow = AsEstimated(service={"W1": 3.0})
    steady = Scripted(lambda s: {"A": [name for name in ("W1", "W2", "W3") if name in s.waiting]})
    assert replay(replay_day(orders, truths=slow), steady).reassigned == 0


def test_a_policy_that_names_what_it_may_not_is_refused() -> None:
    for says, said in (
        (lambda s: {"A": ["W1"], "B": ["W1"]}, "two queues"),
        (lambda s: {"A": ["W9"]}, "not open"),
    ):
        with pytest.raises(AssertionError, match=said):
            replay(replay_day([order("W1", "p10")]), Scripted(says))


def test_a_snapshot_is_a_valid_problem_in_which_begun_work_stays() -> None:
    policy = Scripted(everything_to("A"))
    replay(replay_day([order("W1", "p10"), order("W2", "p30"), order("W3", "p60")], {"W3": "08:30"}), policy)
    for snapshot in policy.shown:
        assert check_problem(snapshot.problem_document) == []
    (opened,) = (s for s in policy.shown if any(h.kind == "opened" for h in s.happened))
    plan = opened.plan
    (route,) = plan.routes
    works = [(stop.work_order, stop.start) for stop in route.stops if stop.kind == "work_order"]
    # At 08:30 W1 has been under way since 08:10; the rest of the queue follows.
    assert works == [("W1", START + 600), ("W2", START + 90 * 60)]
    assert check_problem(opened.with_current_plan()) == []


# -- the days of the benchmark -----------------------------------------------------------------------------------


def small(seed: int) -> ReplayDay:
    return synthetic_day(seed, orders=24, engineers=5)


def test_the_same_seed_is_the_same_day_and_others_are_others() -> None:
    assert small(3).digest == small(3).digest
    assert len({small(seed).digest for seed in (3, 4, 5)}) == 3


def test_the_days_of_the_benchmark_are_frozen() -> None:
    """Whoever changes one of these changes what the published figures mean, and has to measure all policies anew."""
    assert SEEDS == (11, 23, 37, 41, 53, 67, 71, 83, 97, 101)
    assert [synthetic_day(seed).digest for seed in SEEDS[:2]] == ["c97bf90ae0b0", "fbb1dcc0ca41"]


def test_truths_are_around_the_estimates_and_belong_to_their_subject_alone() -> None:
    truths = Truths("truth/1")
    factors = [truths.service_factor(f"W{number}") for number in range(2000)]
    assert sum(factors) / len(factors) == pytest.approx(1, abs=0.03)
    assert (
        truths.service_factor("W7") == Truths("truth/1").service_factor("W7") != Truths("truth/2").service_factor("W7")
    )
    assert truths.travel_factor("A", "p", "q") != truths.travel_factor("A", "q", "p")


def test_a_replay_of_the_same_day_is_the_same_to_the_second() -> None:
    one, other = (replay(small(6), NearestQualified()) for _ in range(2))
    assert (one.records, one.history, one.travel_seconds) == (other.records, other.history, other.travel_seconds)


def without_the_future(whole: ReplayDay, instant: int) -> ReplayDay:
    """The same day with everything that comes after an instant left out or drawn anew."""

    def until(times: dict[str, int]) -> dict[str, int]:
        return {name: at for name, at in times.items() if at <= instant}

    opened = until(dict(whole.opened))
    orders = [item for item in whole.document["work_orders"] if item["id"] in opened]
    document = whole.document | {"work_orders": orders}
    return replace(
        whole, document=document, opened=opened, cancelled=until(dict(whole.cancelled)), sick=until(dict(whole.sick))
    )


@pytest.mark.parametrize("policy", [NearestQualified(), PlanOnce()], ids=lambda policy: policy.name)
def test_no_policy_sees_what_is_still_to_come(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.replay.policies.MORNING", SearchLimits(iteration_limit=500, seed=1))
    whole = small(8)
    instant = whole.start + 3 * 3600
    assert any(opened > instant for opened in whole.opened.values())
    histories = []
    for known in (whole, without_the_future(whole, instant)):
        histories.append([entry for entry in replay(known, policy).history if entry[0] <= instant])
    assert histories[0] == histories[1] != []


def test_a_snapshot_names_no_order_before_it_is_opened_and_no_truth_at_all() -> None:
    policy = Scripted(NearestQualified().decide)
    whole = small(9)
    replay(whole, policy)
    assert len(policy.shown) > 10
    for snapshot in policy.shown:
        for item in snapshot.document["work_orders"]:
            assert whole.opened[item["id"]] <= snapshot.now
            assert set(item.get("related_to") or ()) <= {other["id"] for other in snapshot.document["work_orders"]}
        assert not hasattr(snapshot, "truths")


def test_every_order_is_done_once_or_accounted_for() -> None:
    whole = small(12)
    log = replay(whole, NearestQualified())
    for name, record in log.records.items():
        done = record.ended is not None
        assert done == (record.started is not None)
        if done:
            assert record.arrived is not None
            assert record.started is not None
            assert record.ended is not None
            assert whole.opened[name] <= record.arrived <= record.started < record.ended
            assert not record.cancelled


@pytest.mark.parametrize("name", ["scratch", "muster", "unstable"])
def test_a_planning_policy_never_moves_what_has_begun(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.replay.policies.MORNING", SearchLimits(iteration_limit=300, seed=1))
    monkeypatch.setattr("benchmarks.replay.policies.ANEW", SearchLimits(iteration_limit=300, seed=1))
    monkeypatch.setattr("benchmarks.replay.policies.REPAIR_SECONDS", 0.02)
    policy = POLICIES[name]()
    watched = Scripted(policy.decide, wakes_on=policy.wakes_on)
    replay(synthetic_day(14, orders=12, engineers=3), watched)
    assert len(watched.shown) > 3
    for snapshot in watched.shown:
        plan = build_plan(snapshot.problem, running_sequences(snapshot.problem, ()))
        evaluation = evaluate(snapshot.problem, plan)
        assert evaluation.feasible, evaluation.findings
        working = {view.order for view in snapshot.workers if view.doing == "working" and view.since < snapshot.now}
        assert working == {stop.work_order for route in plan.routes for stop in route.stops if stop.work_order}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*POLICIES])
def test_every_policy_carries_a_small_day_through(name: str) -> None:
    whole = small(13)
    found = outcome(whole, name, replay(whole, POLICIES[name]()))
    assert found.served > 0.7 * (found.orders - len(whole.cancelled))
    assert found.cost > 0


# -- what it comes to --------------------------------------------------------------------------------------------


def test_promises_lateness_and_cost_are_counted_as_by_hand() -> None:
    urgent = order("W1", "p30", level="L1", deadlines={"arrive_by": at("08:45"), "restore_by": at("12:00")})
    left = order("W2", "p300", level="L4", value=5000, deadlines={"restore_by": at("20:00")})
    whole = replay_day([urgent, left], {"W1": "08:20"})
    found = outcome(whole, "scripted", replay(whole, Scripted(everything_to("A"))))
    assert found.promised == {"L1/respond": 1, "L1/arrive": 1, "L1/restore": 1, "L4/restore": 1}
    assert found.kept == {"L1/respond": 1, "L1/arrive": 0, "L1/restore": 1, "L4/restore": 0}
    assert found.grave_breaches == 1
    # W1 is opened at 08:20, arrived at by 08:50: 300 s late. W2 is left: late until the end of the horizon, 23:59.
    left_late = 3 * 3600 + 59 * 60
    assert sorted(found.late_seconds) == [300, left_late]
    travel = 2 * 1800
    assert found.cost == travel + 10 * 300 + 36000 + 5000 + round(0.1 * left_late) + 720


def outcomes_of(**changes: dict[str, int]) -> list[Outcome]:
    whole = replay_day([order("W1", "p30")])
    base = outcome(whole, "nearest", replay(whole, Scripted(everything_to("A"))))
    base = replace(base, day="synthetic-1", promised={"L1/arrive": 10}, kept={"L1/arrive": 0}, travel_seconds=1000)
    base = replace(base, cost=1000, reassigned=100)
    return [replace(base, policy=name, **changes.get(name, {})) for name in ("nearest", "scratch", "muster")]  # type: ignore[arg-type]


def test_targets_are_judged_against_the_named_policies_once_all_days_are_there() -> None:
    good: dict[str, Any] = {"kept": {"L1/arrive": 5}, "travel_seconds": 800, "reassigned": 15, "cost": 1030}
    assert [target.met for target in replay_targets(outcomes_of(muster=good), 1)] == [True] * 4
    bad: dict[str, Any] = {"kept": {"L1/arrive": 4}, "travel_seconds": 801, "reassigned": 16, "cost": 1031}
    assert [target.met for target in replay_targets(outcomes_of(muster=bad), 1)] == [False] * 4
    assert [target.met for target in replay_targets(outcomes_of(muster=good), 10)] == [None] * 4
    assert [target.met for target in replay_targets([], 10)] == [None] * 4


def test_policies_are_summed_over_the_days_that_all_of_them_have() -> None:
    both = outcomes_of()
    alone = replace(both[2], day="synthetic-2")
    assert [(item.policy, item.days) for item in summaries([*both, alone], [*POLICIES])] == [
        ("nearest", 1),
        ("scratch", 1),
        ("muster", 1),
    ]


def test_the_page_names_every_policy_and_says_what_was_not_measured() -> None:
    text = report(outcomes_of(), "a machine")
    assert "greedy nearest qualified" in text
    assert "Muster's default" in text
    targets = summary(outcomes_of(), 10, "a machine", "picture.png", "details.md")
    assert targets.count("not measured") == 4


def test_a_world_without_orders_ends() -> None:
    assert World(replay_day([]), Scripted(lambda snapshot: {})).run().travel_seconds == 0
