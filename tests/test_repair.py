"""What breaks a hard rule is taken out of an engine's result, and nothing else where that is enough."""

from itertools import chain
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.plan import Member, Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from solver.repair import without_breaches
from tests.small_days import Document, at, day, engineer, order, plan_of, read, rest, role, shift, skill, window


def route(name: str, *visits: str | Rest) -> RouteSequence:
    return RouteSequence(name, "day", tuple(Visit(visit) if isinstance(visit, str) else visit for visit in visits))


def kept(document: Document, *routes: RouteSequence) -> dict[str, list[str]]:
    """The orders left on each engineer's route once breaches are taken out; the rest must be feasible."""
    problem = read(document)
    repaired = without_breaches(problem, Sequences(routes))
    assert plan_of(problem, repaired)[1].findings == ()
    return {
        sequence.engineer: [visit.work_order for visit in sequence.visits if isinstance(visit, Visit)]
        for sequence in repaired.routes
    }


def test_a_plan_without_a_breach_stays_as_it_is() -> None:
    problem = read(day([engineer("A")], [order("V"), order("W")]))
    sequences = Sequences((route("A", "V", "W"),))
    assert without_breaches(problem, sequences) is sequences


def test_the_order_in_breach_goes_and_the_others_stay() -> None:
    late = order("late", "p60", time_windows=[window("08:00", "08:30")])
    unskilled = order("unskilled", required_skills=[skill("crane")])
    document = day([engineer("A")], [order("V"), late, unskilled, order("W")])
    assert kept(document, route("A", "V", "late", "unskilled", "W")) == {"A": ["V", "W"]}


def test_a_route_that_ends_too_late_loses_orders_from_its_end() -> None:
    document = day([engineer("A")], [order(name, "p30", 180) for name in "VWXY"])
    assert kept(document, route("A", "V", "W", "X", "Y")) == {"A": ["V", "W"]}


def test_only_the_route_that_ends_too_late_loses_orders() -> None:
    orders = [order(name, "p30", 300) for name in ("V", "W", "X")]
    assert kept(day([engineer("A"), engineer("B")], orders), route("A", "V", "W"), route("B", "X")) == {
        "A": ["V"],
        "B": ["X"],
    }


def test_a_route_that_loses_all_its_work_loses_its_break_too() -> None:
    noon = engineer("A", shifts=[shift(breaks=[rest("12:00", "13:00")])])
    document = day([noon], [order("W", required_skills=[skill("crane")])])
    assert kept(document, route("A", "W", Rest(0))) == {}


def test_what_waits_for_a_lost_order_goes_with_it() -> None:
    first = order("V", required_skills=[skill("crane")])
    document = day([engineer("A")], [first, order("W", depends_on=[{"work_order": "V"}])])
    assert kept(document, route("A", "V", "W")) == {}


def test_a_team_goes_as_a_whole_with_its_standby() -> None:
    roles = [role("lead"), role("hands", skill("crane")), role("backup", presence="standby")]
    document = day([engineer(name) for name in "ABC"], [order("T", team={"roles": roles}), order("W")])
    sequences = Sequences(
        (
            RouteSequence("A", "day", (Visit("T", "lead"), Visit("W"))),
            RouteSequence("B", "day", (Visit("T", "hands"),)),
        ),
        {"T": (Member("C", "backup"),)},
    )
    repaired = without_breaches(read(document), sequences)
    assert repaired == Sequences((route("A", "W"),), {})


def test_a_pin_that_is_not_kept_goes() -> None:
    pinned = order("W", "p60", pin={"engineer": "A", "start": at("08:30")})
    assert kept(day([engineer("A")], [pinned]), route("A", "W")) == {}


def scrambled(problem: Problem, rng: Random) -> Sequences:
    """Every order on some route in some role, in any sequence, with any breaks: nearly always a breach."""
    visits: dict[tuple[str, str], list[Visit | Rest]] = {}
    keys = sorted(problem.shift_by_key)
    for item in problem.work_orders:
        names: list[str | None] = [None]
        if item.team is not None:
            names = [one.name for one in item.team.roles if one.presence != "standby" for _ in range(one.minimum)]
        for name in names:
            visits.setdefault(rng.choice(keys), []).append(Visit(item.id, name))
    for key, made in visits.items():
        made += [Rest(index) for index in range(len(problem.shift_by_key[key].breaks)) if rng.random() < 0.8]
        rng.shuffle(made)
    return Sequences(tuple(RouteSequence(*key, tuple(made)) for key, made in visits.items()))


@given(seed=st.integers(0, 2**32))
def test_whatever_comes_in_what_goes_out_is_feasible(seed: int) -> None:
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(1, 9), engineers=rng.randint(1, 5))
    problem = read_problem(document, problem_travel)
    assume(problem.shift_by_key)
    sequences = scrambled(problem, rng)
    repaired = without_breaches(problem, sequences)
    assert plan_of(problem, repaired)[1].findings == ()
    before = set(chain.from_iterable(r.visits for r in sequences.routes))
    assert set(chain.from_iterable(r.visits for r in repaired.routes)) <= before
