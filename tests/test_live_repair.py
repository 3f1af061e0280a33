"""A repaired plan passes the checker, is never worse, keeps what stays and respects the change budget."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.errors import WrongState
from dispatcher.evaluate import evaluate
from dispatcher.facts import read_facts
from dispatcher.model import Level
from dispatcher.plan import Plan, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.services.planning import disagreements
from dispatcher.verify import verify
from solver.insertion import InsertionEngine
from solver.live.background import improve
from solver.live.day import LiveDay, LivePolicy
from solver.live.neighbourhood import neighbourhood
from solver.live.promises import Margins, urgent_breaches
from solver.live.repair import Repairer
from solver.live.running import running_sequences
from tests.live_days import driven, planned_day, routes_of, small_document, without
from tests.small_days import Document, at, day, engineer, order, read, role, seconds, shift, window

EVERYTHING_STAYS = LivePolicy(freeze_seconds=24 * 3600, breaks_in=frozenset())


def checked(problem: Problem, document: Document, plan: Plan) -> None:
    evaluation = evaluate(problem, plan)
    assert evaluation.findings == ()
    shown = plan_document(
        problem, plan, evaluation, explanations=(), receipt={"problem_sha256": problem.sha256}, created_at=0
    )
    assert disagreements(evaluation, verify(document, shown)) == []


def starts(plan: Plan) -> dict[tuple[str, str], int]:
    return {
        (route.engineer, stop.work_order): stop.start or 0
        for route in plan.routes
        for stop in route.stops
        if stop.work_order is not None
    }


@settings(max_examples=12)
@given(seed=st.integers(1, 6), chance=st.randoms(use_true_random=False))
def test_a_repair_passes_the_checker_and_moves_nothing_that_stays(seed: int, chance: Random) -> None:
    problem, sequences = planned_day(seed)
    document = small_document(seed)
    names = [name for found in routes_of(sequences).values() for name in found]
    lost = chance.sample(names, min(len(names), chance.randint(1, 3)))
    plan = driven(problem, without(sequences, *lost))
    first = {route.engineer: route.stops[1].work_order for route in plan.routes if route.stops[1].work_order}
    driving = frozenset(name for name in first.values() if name is not None and chance.random() < 0.5)
    policy = LivePolicy(
        freeze_seconds=chance.choice((0, 3600, 3 * 3600)),
        breaks_in=chance.choice((frozenset[Level](), frozenset[Level]({"L1"}))),
        change_budget=chance.choice((None, None, 0, 1)),
    )
    live = LiveDay(problem, plan, on_the_way=driving, policy=policy)
    before = live.state.sequences()
    found = Repairer(live).repair(lost if chance.random() < 0.5 else (), seconds=chance.choice((0, 0, 0.05)))
    checked(problem, document, found.plan)
    assert found.evaluation.total <= evaluate(problem, driven(problem, before)).total
    held = starts(driven(problem, before))
    after = starts(found.plan)
    routes = routes_of(found.sequences)
    for name, key in routes_of(before).items():
        index = next(i for i, route in enumerate(live.state.routes) if route.key == name)
        moving = key[: live.moving[index]]
        assert routes[name][: len(moving)] == moving
        for order_name in key[: live.staying[index]] if not policy.breaks_in else ():
            if order_name in live.late:
                continue
            assert after[name[0], order_name] <= held[name[0], order_name]
    if policy.change_budget is not None and found.reassigned > policy.change_budget:
        assert found.over_budget
        assert broken(problem, found.plan) < broken(problem, driven(problem, before))


def test_what_nobody_may_move_is_left_as_it_is_by_the_search() -> None:
    problem, sequences = planned_day(3)
    live = LiveDay(problem, driven(problem, sequences), policy=EVERYTHING_STAYS)
    found = Repairer(live).repair(seconds=0.05)
    assert routes_of(found.sequences) == routes_of(live.state.sequences())


def test_the_routes_of_a_neighbourhood_are_as_they_were_until_somebody_searches() -> None:
    for seed in (1, 2, 3):
        problem, sequences = planned_day(seed)
        live = LiveDay(problem, driven(problem, sequences), policy=LivePolicy(freeze_seconds=3600))
        part = neighbourhood(live, live.state, range(len(live.state.routes)), [])
        plan = driven(part.problem, part.given)
        assert evaluate(part.problem, plan).feasible
        whole = live.state.sequences()
        again = part.back(whole, part.given)
        assert routes_of(again) == routes_of(whole)
        assert starts(driven(problem, again)) == starts(driven(problem, whole))


def route(name: str, *orders: str) -> Document:
    return {
        "engineer": name,
        "shift": "day",
        "stops": [
            {"kind": "start", "location": "p0", "end": _NOON},
            *(
                {"kind": "work_order", "work_order": name, "location": "p10", "travel_seconds": 0}
                | dict.fromkeys(("arrival", "start", "end"), _NOON)
                for name in orders
            ),
        ],
    }


_NOON = "2026-11-23T12:00:00+00:00"


@pytest.mark.parametrize(("budget", "level", "placed"), [(None, "L3", True), (0, "L3", False), (0, "L2", True)])
def test_the_change_budget_holds_unless_an_urgent_order_would_suffer(
    budget: int | None, level: str, placed: bool
) -> None:
    tight = shift(end="12:00", latest_end="12:00")
    problem = read(
        day(
            [engineer("A", shifts=[tight]), engineer("B")],
            [
                order("one", "p10", 100, level="L4"),
                order("new", "p10", 180, level=level, allowed_engineers=["A"]),
            ],
            current_plan={"version": 1, "routes": [route("A", "one")]},
        )
    )
    plan = driven(problem, running_sequences(problem, [route("A", "one")]))
    live = LiveDay(problem, plan, policy=LivePolicy(freeze_seconds=0, change_budget=budget))
    found = Repairer(live).repair(["new"], seconds=0.05)
    assert ("new" not in found.plan.unassigned) == placed
    assert found.reassigned == int(placed)
    assert found.over_budget == (budget == 0 and placed)


def test_teams_stand_where_they_stand_while_others_move_around_them() -> None:
    roles = [role("lead"), role("support")]
    problem = read(
        day(
            [engineer("A"), engineer("B"), engineer("C")],
            [
                order("T", "p10", 60, team={"roles": roles}),
                order("W1", "p20", 60),
                order("W2", "p30", 60),
                order("L1", "p60", 60, level="L1"),
            ],
        )
    )
    sequences = InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None, iteration_limit=50)).sequences
    live = LiveDay(problem, driven(problem, without(sequences, "L1")), policy=LivePolicy(freeze_seconds=0))
    found = Repairer(live).repair(["L1"], seconds=0.1)
    before, after = (plan.teams[0] for plan in (live.plan, found.plan))
    assert (before.start, before.members) == (after.start, after.members)
    assert found.plan.unassigned == ()
    assert found.evaluation.feasible


def test_background_work_offers_what_is_better_and_never_what_is_worse() -> None:
    problem, sequences = planned_day(2)
    names = [name for found in routes_of(sequences).values() for name in found][:3]
    live = LiveDay(problem, driven(problem, without(sequences, *names)), policy=LivePolicy(freeze_seconds=0))
    found = improve(live, seconds=0.3)
    checked(problem, small_document(2), found.plan)
    assert found.evaluation.total <= evaluate(problem, live.plan).total
    assert improve(live, seconds=0.1, cancelled=lambda: True).evaluation.total <= evaluate(problem, live.plan).total


def test_a_planned_order_is_moved_only_where_that_pays() -> None:
    problem = read(
        day(
            [engineer("A"), engineer("B", shifts=[shift(start_location="p60")])],
            [order("W1", "p60"), order("W2", "p0")],
        )
    )
    plan = driven(problem, running_sequences(problem, [route("A", "W2", "W1")]))
    live = LiveDay(problem, plan, policy=LivePolicy(freeze_seconds=0))
    found = Repairer(live).repair(["W1", "W2"], seconds=0)
    assert routes_of(found.sequences) == {("A", "day"): ["W2"], ("B", "day"): ["W1"]}
    again = LiveDay(problem, found.plan, policy=LivePolicy(freeze_seconds=0))
    assert routes_of(Repairer(again).repair(["W1", "W2"], seconds=0).sequences) == routes_of(found.sequences)


def test_the_work_of_a_team_is_not_repaired_like_that_of_one() -> None:
    orders = [order("W", "p10"), order("T", "p20", level="L1", team={"roles": [role("lead"), role("support")]})]
    problem = read(day([engineer("A"), engineer("B")], orders))
    live = LiveDay(problem, driven(problem, Sequences()))
    assert routes_of(Repairer(live).repair(["W"], seconds=0).sequences)
    for asked in (Repairer(live).repair, Repairer(live).insert):
        with pytest.raises(WrongState):
            asked(["W", "T"])


def test_an_empty_day_is_repaired_at_once() -> None:
    problem = read(day([], []))
    live = LiveDay(problem, driven(problem, Sequences()))
    assert Repairer(live).repair(seconds=0.05).plan.routes == ()
    assert improve(live, seconds=0.05).plan.routes == ()


def broken(problem: Problem, plan: Plan) -> int:
    return len(urgent_breaches(read_facts(problem, plan)))


def at_noon(work_ends: str, *orders: Document, queue: tuple[str, ...] = (), budget: int | None = None) -> LiveDay:
    """A works at p10 until `work_ends`, with `queue` to follow; B is free at p20. An hour is frozen."""
    work = order(
        "work", "p10", (seconds(work_ends) - seconds("11:00")) // 60, pin={"engineer": "A", "start": at("11:00")}
    )
    engineers = [
        engineer("A", shifts=[shift(start_location="p10")]),
        engineer("B", shifts=[shift(start_location="p20")]),
    ]
    problem = read(day(engineers, [work, *orders], now=at("12:00")))
    sequences = Sequences((RouteSequence("A", "day", tuple(Visit(name) for name in ("work", *queue))),))
    return LiveDay(problem, driven(problem, sequences), policy=LivePolicy(freeze_seconds=3600, change_budget=budget))


@pytest.mark.parametrize(("level", "who"), [("L1", "B"), ("L2", "B"), ("L3", "A")])
def test_an_urgent_order_that_will_be_late_is_given_to_others_however_soon_it_starts(level: str, who: str) -> None:
    soon = order("soon", "p10", 30, level=level, deadlines={"arrive_by": at("12:15")})
    live = at_noon("12:40", soon, queue=("soon",))
    assert (who, "soon") in starts(Repairer(live).repair(seconds=0.1).plan)


@pytest.mark.parametrize("budget", [None, 5])
@pytest.mark.parametrize(("level", "who"), [("L1", "B"), ("L3", "A")])
def test_an_urgent_order_goes_to_who_will_be_there_with_a_margin_even_if_others_are_nearer(
    level: str, who: str, budget: int | None
) -> None:
    new = order("new", "p10", 30, level=level, deadlines={"arrive_by": at("13:00")})
    live = at_noon("12:50", new, budget=budget)
    assert ("A", "new") in starts(Repairer(live).repair(["new"], seconds=0).plan)
    assert (who, "new") in starts(Repairer(live).repair(["new"], seconds=0.1).plan)


@given(left=st.integers(1, 10 * 3600), typical=st.integers(60, 4 * 3600), level=st.sampled_from(["L1", "L2", "L3"]))
def test_a_margin_grows_with_the_time_left_and_leaves_at_least_half_of_it(left: int, typical: int, level: str) -> None:
    problem = read(day([engineer("A")], [order("one", level=level, deadlines={"arrive_by": at("20:00")})]))
    (one,) = problem.work_orders
    by = seconds("20:00")
    margins = Margins(by - left, typical)
    held = margins.held_by(one)
    if level == "L3":
        assert held is None
        assert margins.held(one) is one
        return
    assert held is not None
    assert by - left + left // 2 <= held <= by
    assert margins.held(one).deadlines.start_by == held
    assert margins.held(one).deadlines.arrive_by == by
    later = Margins(by - left // 2, typical).held_by(one)
    assert later is None or later >= held
    assert Margins(by, typical).held_by(one) is None


def test_a_promised_start_stays_as_it_was_promised() -> None:
    promised = order("one", level="L1", deadlines={"arrive_by": at("20:00"), "start_by": at("20:30")})
    problem = read(day([engineer("A")], [promised], now=at("12:00")))
    assert Margins.of(problem).held(problem.work_orders[0]) is problem.work_orders[0]


def test_a_margin_takes_no_change_of_the_budget_from_who_was_asked_for() -> None:
    soon = order("soon", "p10", 30, level="L1", deadlines={"arrive_by": at("13:00")})
    new = order("new", "p20", 30, level="L3")
    live = at_noon("12:50", soon, new, queue=("soon",), budget=0)
    for seconds_of_search in (0, 0.1):
        found = Repairer(live).repair(["new"], seconds=seconds_of_search)
        assert found.plan.unassigned == ()
        assert found.reassigned == 0


def test_a_margin_breaks_no_promise_of_another_order() -> None:
    """B could be there for the L1 with a margin, but then nobody would be in time for the L2."""
    first = order("first", "p10", 60, level="L1", deadlines={"arrive_by": at("13:00")})
    second = order("second", "p20", 60, level="L2", deadlines={"arrive_by": at("12:10")})
    live = at_noon("12:55", first, second)
    found = Repairer(live).repair(["first", "second"], seconds=0.2)
    assert broken(live.problem, found.plan) == 0


@pytest.mark.parametrize("kept", [{"start_by": at("13:30")}, {}])
def test_a_margin_is_held_only_where_it_can_be(kept: Document) -> None:
    windows: Document = {} if kept else {"time_windows": [window("12:55", "15:00")]}
    promised = order("one", level="L1", deadlines={"arrive_by": at("13:00"), **kept}, **windows)
    live = at_noon("12:55", promised, queue=("one",))
    assert live.margins.held_by(live.order("one")) is None
    assert live.threatened == frozenset()
