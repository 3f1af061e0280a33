"""Candidates and instant answers say exactly what the reference rules say, as trying everything shows."""

import pytest

from dispatcher.errors import NotFound, WrongState
from dispatcher.evaluate import evaluate
from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from solver.day_state import DayState
from solver.insertion import InsertionEngine
from solver.live.candidates import candidates
from solver.live.day import LiveDay, LivePolicy
from solver.live.instant import Inserter
from solver.live.why_not import WhyNot
from solver.route_state import trace
from tests.live_days import best_total, driven, exact_total, insertions, planned_day, routes_of, without
from tests.small_days import day, engineer, order, read, rest, role, shift, skill

FREE = LivePolicy(freeze_seconds=0)


def live(problem: Problem, sequences: Sequences, policy: LivePolicy = FREE) -> LiveDay:
    plan = driven(problem, sequences)
    assert evaluate(problem, plan).feasible
    return LiveDay(problem, plan, policy=policy)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_a_candidate_costs_is_the_difference_of_totals(seed: int) -> None:
    problem, sequences = planned_day(seed)
    served = [name for names in routes_of(sequences).values() for name in names]
    for name in served[:: max(1, len(served) // 3)]:
        rest_of_day = without(sequences, name)
        before = exact_total(problem, driven(problem, rest_of_day))
        for asked in (live(problem, rest_of_day), live(problem, sequences)):
            answer = candidates(asked, WhyNot(asked), name)
            costs = {found.engineer: found.cost_milli - answer.unserved_cost_milli for found in answer.candidates}
            tried = {key[0]: total - before for key, total, _ in insertions(problem, rest_of_day, name)}
            assert costs == tried
            ranked = [found.cost_milli for found in answer.candidates]
            assert ranked == sorted(ranked)
            assert {reason.engineer for reason in answer.others} == {e.id for e in problem.engineers} - costs.keys()


@pytest.mark.parametrize("seed", [1, 4])
def test_what_others_feel_is_what_the_plan_with_the_candidate_says(seed: int) -> None:
    problem, sequences = planned_day(seed)
    name = next(iter(routes_of(sequences).values()))[0]
    left = without(sequences, name)
    # Where a break costs the same at several places, the one that the state of the day takes.
    rest_of_day = DayState.of_plan(problem, driven(problem, left)).sequences()
    plan = driven(problem, rest_of_day)
    asked = live(problem, rest_of_day)
    before = {stop.work_order: stop for route in plan.routes for stop in route.stops if stop.work_order}
    made_with: dict[str, Sequences] = {}
    for option in asked.options(asked.state, problem.order_by_id[name]):
        state = asked.state.fork_route(option.route)
        state.commit(option.placement(0))
        made_with[option.engineer.id] = state.sequences()
    answer = candidates(asked, WhyNot(asked), name)
    assert answer.candidates
    for candidate in answer.candidates:
        after_plan = driven(problem, made_with[candidate.engineer])
        after = {stop.work_order: stop for route in after_plan.routes for stop in route.stops if stop.work_order}
        assert (after[name].arrival, after[name].start, after[name].end) == (
            candidate.arrival,
            candidate.start,
            candidate.end,
        )
        moved = {
            other: (after[other].start or 0) - (stop.start or 0)
            for other, stop in before.items()
            if other is not None and after[other].start != stop.start
        }
        assert {
            effect.work_order: effect.later_seconds for effect in candidate.effects if effect.later_seconds
        } == moved


def ejections(problem: Problem, sequences: Sequences, name: str) -> int:
    """The least total of inserting an order with at most one other taken out and put back anywhere, or left out."""
    order = problem.order_by_id[name]
    totals = [exact_total(problem, driven(problem, sequences))]
    totals += [total for _, total, _ in insertions(problem, sequences, name)]
    for key, names in routes_of(sequences).items():
        for other in names:
            if problem.order_by_id[other].value >= order.value:
                continue
            left = [found for found in names if found != other]
            for place in range(len(left) + 1):
                found = best_total(problem, without(sequences, other), key, [*left[:place], name, *left[place:]])
                if found is not None:
                    totals.append(found[0])
                    totals += [total for _, total, _ in insertions(problem, found[1], other)]
    return min(totals)


@pytest.mark.parametrize("seed", [2, 5, 6])
def test_an_instant_answer_is_what_trying_everything_finds(seed: int) -> None:
    problem, sequences = planned_day(seed, 8)
    ranked = sorted((o for o in problem.work_orders), key=lambda o: -o.value)
    name = next(o.id for o in ranked if any(o.id in names for names in routes_of(sequences).values()))
    rest_of_day = without(sequences, name)
    asked = live(problem, rest_of_day)
    before = exact_total(problem, driven(problem, rest_of_day))
    found = Inserter(asked).best(name, depth=1)
    assert before + found.delta >= ejections(problem, rest_of_day, name)
    direct = Inserter(asked).best(name, depth=0)
    best_direct = min([before, *(total for _, total, _ in insertions(problem, rest_of_day, name))])
    assert before + direct.delta == best_direct
    assert found.delta <= direct.delta
    assert Inserter(asked).best(name, depth=2).delta <= found.delta


def test_less_important_work_makes_room_and_goes_elsewhere() -> None:
    tight = shift(end="11:00", latest_end="11:00")
    problem = read(
        day(
            [engineer("A", skill("pumps"), shifts=[tight]), engineer("B", shifts=[shift()])],
            [
                order("small", "p10", 120, level="L4"),
                order("urgent", "p10", 120, level="L1", required_skills=[{"skill": "pumps"}]),
            ],
        )
    )
    ((_, sequences),) = [best_total(problem, Sequences(), ("A", "day"), ["small"]) or (0, Sequences())]
    asked = live(problem, sequences)
    found = Inserter(asked).best("urgent", depth=1)
    assert [(step.order.id, step.option and step.option.engineer.id) for step in found.steps] == [
        ("urgent", "A"),
        ("small", "B"),
    ]
    assert Inserter(asked).best("urgent", depth=0).option is None
    _, with_urgent = best_total(problem, Sequences(), ("A", "day"), ["urgent"]) or (0, Sequences())
    before = exact_total(problem, driven(problem, sequences))
    assert before + found.delta == min(total for _, total, _ in insertions(problem, with_urgent, "small"))


def test_everybody_else_is_told_why_not() -> None:
    problem = read(
        day(
            [
                engineer("able", skill("pumps", 2)),
                engineer("unskilled"),
                engineer("novice", skill("pumps", 1)),
                engineer("busy", skill("pumps", 2), shifts=[shift(end="10:00", latest_end="10:00")]),
                engineer("idle", skill("pumps", 2), shifts=[]),
                engineer("short", skill("pumps", 2), shifts=[shift(end="08:30", latest_end="08:30")]),
                engineer("barred", skill("pumps", 2)),
            ],
            [
                order("W", "p20", 60, required_skills=[{"skill": "pumps", "level": 2}], excluded_engineers=["barred"]),
                order("other", "p10", 60, level="L1"),
            ],
        )
    )
    found = best_total(problem, Sequences(), ("busy", "day"), ["other"])
    assert found is not None
    asked = live(problem, found[1])
    answer = candidates(asked, WhyNot(asked), "W")
    assert [candidate.engineer for candidate in answer.candidates] == ["able"]
    assert {reason.engineer: reason.code for reason in answer.others} == {
        "unskilled": "SKILL_MISSING",
        "novice": "SKILL_LEVEL",
        "busy": "DISPLACED",
        "idle": "NO_SHIFT",
        "short": "SHIFT",
        "barred": "NOT_ALLOWED",
    }


def test_what_starts_soon_and_what_is_driven_to_stays_first() -> None:
    problem = read(
        day(
            [engineer("A")],
            [order("near", "p10", 60), order("far", "p60", 60), order("W", "p0", 30), order("L", "p0", 30, level="L1")],
            now="2026-11-23T08:00:00+00:00",
        )
    )
    sequences = best_total(problem, Sequences(), ("A", "day"), ["near", "far"])
    assert sequences is not None
    plan = driven(problem, sequences[1])

    def place(name: str, **policy: object) -> int:
        on_the_way = frozenset({"near"}) if policy.pop("driving", False) else frozenset[str]()
        asked = LiveDay(problem, plan, on_the_way=on_the_way, policy=LivePolicy(**policy))  # type: ignore[arg-type]
        return candidates(asked, WhyNot(asked), name).candidates[0].position

    assert place("L", freeze_seconds=0) == 0
    assert place("L", freeze_seconds=0, breaks_in=frozenset()) == 0
    assert place("W", freeze_seconds=3600) > 0
    assert place("L", freeze_seconds=3600) == 0
    assert place("L", freeze_seconds=3600, driving=True) > 0
    assert place("L", freeze_seconds=3600, driving=True, diverts=True) == 0


def test_what_starts_soon_keeps_its_own_place_open() -> None:
    problem = read(day([engineer("A"), engineer("B")], [order("soon", "p10"), order("next", "p20")]))
    found = best_total(problem, Sequences(), ("A", "day"), ["soon", "next"])
    assert found is not None
    asked = live(problem, found[1], LivePolicy(freeze_seconds=24 * 3600))
    for name, position in (("soon", 0), ("next", 1)):
        answer = candidates(asked, WhyNot(asked), name)
        assert answer.others == ()
        [current] = [candidate for candidate in answer.candidates if candidate.is_current]
        assert (current.engineer, current.position) == ("A", position)


def test_who_could_only_come_before_what_stays_is_told_so() -> None:
    problem = read(
        day(
            [engineer("A", shifts=[shift(end="10:30", latest_end="10:30")])],
            [
                order(
                    "soon",
                    "p0",
                    60,
                    time_windows=[{"start": "2026-11-23T09:10:00+00:00", "end": "2026-11-23T09:20:00+00:00"}],
                ),
                order(
                    "W",
                    "p0",
                    30,
                    time_windows=[{"start": "2026-11-23T08:00:00+00:00", "end": "2026-11-23T09:00:00+00:00"}],
                ),
            ],
        )
    )
    found = best_total(problem, Sequences(), ("A", "day"), ["soon"])
    assert found is not None
    asked = live(problem, found[1], LivePolicy(freeze_seconds=24 * 3600))
    assert [reason.code for reason in candidates(asked, WhyNot(asked), "W").others] == ["FROZEN"]


def test_a_break_does_not_push_what_stays() -> None:
    problem = read(
        day(
            [engineer("A", shifts=[shift(breaks=[rest("08:00", "12:30", 60)])])],
            [order("first", "p10", 60), order("W", "p10", 200)],
            now="2026-11-23T08:00:00+00:00",
        )
    )
    found = best_total(problem, Sequences(), ("A", "day"), ["first"])
    assert found is not None
    asked = live(problem, found[1], LivePolicy(freeze_seconds=7200))
    start = next(stop.start for stop in asked.plan.routes[0].stops if stop.work_order == "first")
    option = Inserter(asked).best("W").option
    assert option is not None
    after = [
        made for made in trace(option.insertion.label) if made.stint is not None and made.stint.order.id == "first"
    ]
    assert [made.start for made in after] == [start]


def test_the_work_of_teams_and_running_work_is_not_asked_about_alone() -> None:
    roles = [role("lead")]
    problem = read(
        day(
            [engineer("A"), engineer("B")],
            [
                order("team", team={"roles": roles}),
                order("run", "p10", 120, pin={"engineer": "A", "start": "2026-11-23T08:30:00+00:00"}),
                order("before"),
                order("after", depends_on=[{"work_order": "before"}]),
            ],
            now="2026-11-23T09:00:00+00:00",
        )
    )
    sequences = InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None, iteration_limit=50)).sequences
    asked = live(problem, sequences)
    for name in ("team", "run", "before"):
        with pytest.raises(WrongState):
            candidates(asked, WhyNot(asked), name)
    with pytest.raises(NotFound):
        candidates(asked, WhyNot(asked), "nothing")
    assert candidates(asked, WhyNot(asked), "after").candidates
