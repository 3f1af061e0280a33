"""Every rule of the catalogue in the kernel, by itself: the price of a soft rule, the bound of a hard rule."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from data.travel import problem_travel
from dispatcher.documents import read_plan, read_problem
from dispatcher.evaluate import evaluate
from dispatcher.plan import Member, RouteSequence, Sequences, Visit
from dispatcher.rules import HARD_RULES, SOFT_RULES
from dispatcher.schedule import build_plan
from tests import rule_cases_soft
from tests.days import Day, one
from tests.kernel_plans import Loaded, defects, leaves_nothing_out, load, sequences_of_plan
from tests.rule_cases import SOFT_CASES, SoftCase
from tests.small_days import Document, at, day, engineer, order, read, rest, role, seconds, shift, skill, window

STEPS = 12


def loaded_day(made: Day) -> Loaded:
    problem = read_problem(made.problem, problem_travel)
    return load(problem, sequences_of_plan(problem, read_plan(made.plan)))


def agreeing_steps(plan: Loaded, steps: int = STEPS) -> set[str]:
    """All put in that can be, then iterations, each of which the evaluation agrees with; the orders ever served."""
    assert plan.disagreements() == []
    plan.fill()
    assert plan.disagreements() == []
    served = plan.served()
    for number in range(steps):
        plan.blink_after(number % 4)
        plan.accept_any()
        assert plan.disagreements() == []
        assert defects(plan) == []
        served |= plan.served()
    return served


# -- soft rules ----------------------------------------------------------------------------------------------------

soft_cases = pytest.mark.parametrize("case", SOFT_CASES, ids=lambda case: f"{case.rule}-{case.name}")


@soft_cases
def test_the_kernel_prices_a_soft_rule_as_the_evaluation_does(case: SoftCase) -> None:
    """With the rule's weight and without: the kernel's totals are as far apart as the rule's term is dear."""
    priced = loaded_day(case.make())
    free = case.make()
    free.problem.setdefault("objective", {}).setdefault("weights", {})[case.rule] = 0
    unpriced = loaded_day(free)
    plan = build_plan(priced.problem, priced.searcher.sequences())
    terms = {term.rule: term.cost_milli for term in evaluate(priced.problem, plan).terms}
    if leaves_nothing_out(priced):
        assert priced.searcher.total - unpriced.searcher.total == terms.get(case.rule, 0)
        assert (priced.constant, unpriced.constant) == (0, 0)
        assert bool(terms.get(case.rule)) == bool(case.cost)
    else:
        total_apart = priced.searcher.total + priced.constant - unpriced.searcher.total - unpriced.constant
        assert total_apart == terms.get(case.rule, 0)
    assert priced.disagreements() == unpriced.disagreements() == []


@soft_cases
def test_the_kernel_prices_a_soft_rule_alike_while_the_plan_around_it_changes(case: SoftCase) -> None:
    assert case.make.__module__ == rule_cases_soft.__name__
    made = case.make()
    made.problem["engineers"].append(engineer("Y"))
    fillers = [order(f"X{number}", place, 20) for number, place in enumerate(("p10", "p20", "p30", "p0"))]
    made.problem["work_orders"] += fillers
    made.plan["unassigned"] = [*made.plan.get("unassigned", []), *({"work_order": item["id"]} for item in fillers)]
    assert {"X0", "X1", "X2", "X3"} & agreeing_steps(loaded_day(made))


def test_every_soft_rule_has_a_price_in_the_kernel_and_not_only_outside_it() -> None:
    cases = [(case.rule, case.make) for case in SOFT_CASES if case.cost] + [("late_start_once", late_start_of_one)]
    inside = {rule for rule, make in cases if leaves_nothing_out(loaded_day(make()))}
    assert inside == {rule.name for rule in SOFT_RULES}


def late_start_of_one() -> Day:
    made = one()
    made.order("A")["deadlines"] = {"start_by": at("08:09")}
    return made


def late_team(name: str) -> Loaded:
    """E and F arrive at T at 08:30, half an hour late, and start an hour after; one of them may serve X on the way."""
    team = {"roles": [role("lead"), role("support")]}
    orders = [order("T", "p30", team=team, deadlines={"arrive_by": at("08:00")})]
    orders.append(order("X", "p10", 10, allowed_engineers=[name]))
    document = day([engineer("E"), engineer("F")], orders, objective={"weights": {"worst_lateness": 5}})
    routes = [
        RouteSequence(who, "day", (Visit("T", of, seconds("09:30")),)) for who, of in (("E", "lead"), ("F", "support"))
    ]
    return load(read(document), Sequences(tuple(routes)))


@pytest.mark.parametrize("name", ["E", "F"])
def test_the_first_member_of_a_late_team_counts_for_the_worst_lateness(name: str) -> None:
    assert "X" in agreeing_steps(late_team(name))


def beside_a_closed_route(**weights: object) -> Loaded:
    """E serves A late and later than could be, which the kernel leaves alone; F may serve the others, X less late."""
    orders = [order("A", deadlines={"start_by": at("08:30")}), order("X", "p20"), order("Y", "p30")]
    orders[1]["deadlines"] = {"start_by": at("08:10")}
    document = day([engineer("E"), engineer("F")], orders, objective={"weights": weights})
    held = RouteSequence("E", "day", (Visit("A", leave_not_before=seconds("09:00")),))
    plan = load(read(document), Sequences((held,)))
    assert plan.compiled.closed == {0}
    return plan


@pytest.mark.parametrize(
    "rule",
    [
        "fairness",
        "worst_lateness",
        "engineers_used",
    ],
)
def test_what_a_closed_route_adds_to_the_rules_over_all_routes_is_known(rule: str) -> None:
    plan = beside_a_closed_route(**{rule: 1})
    assert {"X", "Y"} <= agreeing_steps(plan)


# -- hard rules ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bound:
    """`make(0)` is a day on which the kernel can serve A with not a second or piece to spare, `make(1)` lacks one."""

    rule: str
    make: Callable[[int], tuple[Document, Sequences]]


BOUNDS: list[Bound] = []
Make = Callable[[int], tuple[Document, Sequences]]


def bounds(rule: str) -> Callable[[Make], Make]:
    def register(make: Make) -> Make:
        BOUNDS.append(Bound(rule, make))
        return make

    return register


STAYS: Document = {"pin": {"engineer": "E"}}
"""What is planned for a pinned order is left alone."""


def later(clock: str, more_seconds: int) -> str:
    return at(f"{clock}:{more_seconds:02}") if more_seconds >= 0 else at(_before(clock))


def _before(clock: str) -> str:
    """The last second before a full minute."""
    minutes = 60 * int(clock[:2]) + int(clock[3:]) - 1
    return f"{minutes // 60:02}:{minutes % 60:02}:59"


def until(clock: str, **fields: Any) -> Document:
    """E's shift, over at a time at the latest."""
    return shift(end=clock, **fields)


def alone(*orders: Document, shifts: list[Document] | None = None, **fields: Any) -> tuple[Document, Sequences]:
    """A day of E alone; nothing is planned so far."""
    return day([engineer("E", shifts=shifts)], orders, **fields), Sequences()


@bounds("shift")
def home_by_the_latest_end(lacking: int) -> tuple[Document, Sequences]:
    return alone(order("A"), shifts=[shift(end="09:00") | {"latest_end": later("09:20", -lacking)}])


@bounds("shift")
def done_by_the_latest_end_of_an_open_route(lacking: int) -> tuple[Document, Sequences]:
    ends = {"latest_end": later("09:10", -lacking), "end_location": None}
    return alone(order("A"), shifts=[shift(end="09:00") | ends])


@bounds("now")
def nobody_sets_out_before_now(lacking: int) -> tuple[Document, Sequences]:
    return alone(order("A"), shifts=[until("09:20")], now=later("08:00", lacking))


@bounds("travel")
def a_leg_takes_what_it_takes(lacking: int) -> tuple[Document, Sequences]:
    document, nothing = alone(order("A"), shifts=[until("09:20")])
    document["travel"]["seconds"][0][1] += lacking
    return document, nothing


@bounds("travel")
def traffic_stretches_a_leg(lacking: int) -> tuple[Document, Sequences]:
    document, nothing = alone(order("A"), shifts=[until("09:30")])
    document["travel"]["seconds"][0][1] += lacking
    document["travel"]["traffic"] = [{"from": "08:00", "to": "09:00", "factor": 2}]
    return document, nothing


@bounds("service")
def a_stop_takes_its_service_time(lacking: int) -> tuple[Document, Sequences]:
    return alone(order("A") | {"service_seconds": 3600 + lacking}, shifts=[until("09:20")])


@bounds("service")
def a_slow_engineer_takes_longer(lacking: int) -> tuple[Document, Sequences]:
    work = order("A", required_skills=[skill("a")]) | {"service_seconds": 2400 + lacking}
    slow = engineer("E", skill("a"), shifts=[until("09:20")], duration_factors={"a": 1.5})
    return day([slow], [work]), Sequences()


@bounds("service")
def a_site_is_set_up_first(lacking: int) -> tuple[Document, Sequences]:
    work = order("A", setup_seconds=600 + lacking) | {"service_seconds": 3000}
    return alone(work, shifts=[until("09:20")])


@bounds("time_window")
def service_starts_inside_the_window(lacking: int) -> tuple[Document, Sequences]:
    return alone(order("A", time_windows=[{"start": at("08:00"), "end": later("08:10", -lacking)}]))


@bounds("time_window")
def service_waits_for_the_second_window(lacking: int) -> tuple[Document, Sequences]:
    second = {"start": later("12:00", lacking), "end": at("13:00")}
    return alone(order("A", time_windows=[window("07:00", "08:00"), second]), shifts=[until("13:10")])


@bounds("time_window")
def setup_that_is_saved_lets_another_window_do(lacking: int) -> tuple[Document, Sequences]:
    """Set up itself, B would have to start by 12:50, so in its first window; behind A it may start at 13:00."""
    first = order("A", "p0", setup_seconds=600) | {"service_seconds": 17400 + lacking}
    windows = [window("09:00", "12:00"), window("13:00", "17:00")]
    second = order("B", "p0", setup_seconds=600, time_windows=windows, **STAYS)
    return alone(first, second, shifts=[until("14:00")])[0], given("B")


@bounds("break")
def setup_that_is_saved_leaves_time_for_a_break(lacking: int) -> tuple[Document, Sequences]:
    """Set up itself, B cannot be done before the break; behind A it is by 11:05."""
    first = order("A", "p0", setup_seconds=600) | {"service_seconds": 6900 + lacking}
    second = order("B", "p0", setup_seconds=600, time_windows=[window("10:00", "10:30")], **STAYS)
    return alone(first, second, shifts=[until("13:00", breaks=[rest("08:00", "11:05", 60)])])[0], given("B")


@bounds("break")
def a_break_costs_its_time(lacking: int) -> tuple[Document, Sequences]:
    pause = rest("09:00", "09:30") | {"duration_seconds": 1800 + lacking}
    return alone(order("A"), shifts=[until("09:50", breaks=[pause])])


@bounds("break")
def a_break_has_to_begin_in_time(lacking: int) -> tuple[Document, Sequences]:
    """Behind A it is 09:10; before A there is no time for it, since A begins at 08:10 or not at all."""
    pause = rest("08:00", "09:00") | {"latest_start": later("09:10", -lacking)}
    return alone(order("A", time_windows=[window("08:10", "08:10")]), shifts=[shift(breaks=[pause])])


@bounds("qualification")
def the_level_is_enough(lacking: int) -> tuple[Document, Sequences]:
    return day([engineer("E", skill("a", 2))], [order("A", required_skills=[skill("a", 2 + lacking)])]), Sequences()


@bounds("qualification")
def the_certificate_is_valid_when_service_starts(lacking: int) -> tuple[Document, Sequences]:
    held = skill("a") | {"valid_until": later("08:10", -lacking)}
    return day([engineer("E", held)], [order("A", required_skills=[skill("a")])]), Sequences()


@bounds("qualification")
def once_a_certificate_has_lapsed_another_skill_takes_less_time(lacking: int) -> tuple[Document, Sequences]:
    """B alone takes an hour from 08:10 on; behind A it takes half of that."""
    relation = {"type": "substitutes", "from": "b", "to": "a", "duration_factor": 0.5, "penalty": 60}
    graph = {"skills": [{"id": "a"}, {"id": "b"}], "relations": [relation]}
    able = engineer("E", skill("a", until="08:30"), skill("b"), shifts=[until("09:20")])
    first = order("A", minutes=30) | {"service_seconds": 1800 + lacking}
    return day([able], [first, order("B", required_skills=[skill("a")], **STAYS)], skill_graph=graph), given("B")


@bounds("qualification")
def before_a_certificate_lapses_work_takes_less_time(lacking: int) -> tuple[Document, Sequences]:
    """B done by 12:00 leaves time for the break behind it; begun after 11:00 it would take half as long again."""
    relation = {"type": "substitutes", "from": "b", "to": "a", "duration_factor": 1.5, "penalty": 60}
    graph = {"skills": [{"id": "a"}, {"id": "b"}], "relations": [relation]}
    shifts = [until("13:00", breaks=[rest("10:15", "12:00", 60)])]
    first = order("A", "p0", 180) | {"service_seconds": 10800 + lacking}
    second = order("B", "p0", required_skills=[skill("a")], time_windows=[window("10:30", "17:00")], **STAYS)
    able = engineer("E", skill("a", until="11:00"), skill("b"), shifts=shifts)
    return day([able], [first, second], skill_graph=graph), given("B")


@bounds("parts")
def the_parts_are_on_board(lacking: int) -> tuple[Document, Sequences]:
    """B takes one of three."""
    stocked = engineer("E", parts={"p": 3})
    return day([stocked], [order("A", parts={"p": 2 + lacking}), order("B", parts={"p": 1}, **STAYS)]), given("B")


@bounds("max_work_orders")
def a_shift_has_a_stop_left(lacking: int) -> tuple[Document, Sequences]:
    return alone(order("A"), order("B", **STAYS), shifts=[shift(max_work_orders=2 - lacking)])[0], given("B")


@bounds("allowed_engineers")
def the_only_one_allowed_has_the_time(lacking: int) -> tuple[Document, Sequences]:
    """F would have the whole day."""
    people = [engineer("E", shifts=[shift() | {"end": later("09:20", -lacking)}]), engineer("F")]
    return day(people, [order("A", allowed_engineers=["E"])]), Sequences()


@bounds("allowed_engineers")
def who_is_not_excluded_has_the_time(lacking: int) -> tuple[Document, Sequences]:
    people = [engineer("E", shifts=[shift() | {"end": later("09:20", -lacking)}]), engineer("F")]
    return day(people, [order("A", excluded_engineers=["F"])]), Sequences()


@bounds("pin")
def who_it_is_pinned_to_has_the_time(lacking: int) -> tuple[Document, Sequences]:
    people = [engineer("E", shifts=[shift() | {"end": later("09:20", -lacking)}]), engineer("F")]
    return day(people, [order("A", pin={"engineer": "E"})]), Sequences()


@bounds("pin")
def the_pinned_start_can_be_reached(lacking: int) -> tuple[Document, Sequences]:
    return alone(order("A", pin={"engineer": "E", "start": later("08:10", -lacking)}))


@bounds("pin")
def running_work_is_done_first(lacking: int) -> tuple[Document, Sequences]:
    """E is at B since 07:30 and at A by 08:40."""
    orders = [order("A", "p20"), order("B", pin={"engineer": "E", "start": at("07:30")})]
    document = day([engineer("E", shifts=[until("10:00")])], orders, now=at("08:00"))
    document["work_orders"][0]["time_windows"] = [{"start": at("08:00"), "end": later("08:40", -lacking)}]
    return document, given("B")


@bounds("depends_on")
def late_enough_after_what_it_waits_for(lacking: int) -> tuple[Document, Sequences]:
    """B is done at 09:10."""
    waiting = order("A", "p20", depends_on=[{"work_order": "B", "min_gap_seconds": 600 + lacking}])
    waiting |= {"time_windows": [window("08:00", "09:20")], "allowed_engineers": ["F"]}
    return day([engineer("E"), engineer("F")], [waiting, order("B")]), given("B")


@bounds("depends_on")
def not_too_late_after_what_it_waits_for(lacking: int) -> tuple[Document, Sequences]:
    """B begins at 08:10 or not at all."""
    waiting = order("A", "p20", depends_on=[{"work_order": "B", "max_gap_seconds": 3600 - lacking}])
    waiting |= {"time_windows": [window("10:10", "12:00")], "allowed_engineers": ["F"]}
    return day([engineer("E"), engineer("F")], [waiting, order("B", time_windows=[window("08:10", "08:10")])]), given(
        "B"
    )


@bounds("depends_on")
def late_enough_after_what_was_done_before(lacking: int) -> tuple[Document, Sequences]:
    waiting = order("A", depends_on=[{"completed_at": at("08:00"), "min_gap_seconds": 600 + lacking}])
    return alone(waiting | {"time_windows": [window("08:00", "08:10")]})


@bounds("depends_on")
def not_too_late_after_what_was_done_before(lacking: int) -> tuple[Document, Sequences]:
    gap = {"completed_at": at("08:00"), "min_gap_seconds": 0, "max_gap_seconds": 600 - lacking}
    return alone(order("A", depends_on=[gap]), now=at("08:00"))


def team_of_two(lacking: int, mode: Document | None, lead: str, support: str) -> tuple[Document, Sequences]:
    """E leads T, pinned to E, half an hour away with F's support and may do A on the way, if that leaves time."""
    team = {"roles": [role("lead"), role("support")]} | ({"arrival": mode} if mode else {})
    work = order("A", allowed_engineers=["E"]) | {"service_seconds": 3600 + lacking}
    people = [engineer("E", shifts=[until("11:00")]), engineer("F", shifts=[until("12:00")])]
    routes = [
        RouteSequence(name, "day", (Visit("T", role_of, seconds(start)),))
        for name, role_of, start in (("E", "lead", lead), ("F", "support", support))
    ]
    return day(people, [work, order("T", "p30", team=team, pin={"engineer": "E"})]), Sequences(tuple(routes))


@bounds("team")
def a_member_is_there_when_the_team_starts(lacking: int) -> tuple[Document, Sequences]:
    return team_of_two(lacking, None, "09:30", "09:30")


@bounds("arrival_mode")
def the_lead_is_there_as_long_before_the_support_as_agreed(lacking: int) -> tuple[Document, Sequences]:
    return team_of_two(lacking, {"mode": "lead_first", "min_gap_seconds": 600}, "09:30", "09:40")


@bounds("arrival_mode")
def staggered_members_keep_their_starts(lacking: int) -> tuple[Document, Sequences]:
    return team_of_two(lacking, {"mode": "staggered", "max_gap_seconds": 600}, "09:30", "09:40")


@bounds("standby")
def who_stands_by_could_still_come(lacking: int) -> tuple[Document, Sequences]:
    """T takes until 09:30, half an hour away, and S is done with A at 09:00."""
    roles = [role("lead"), role("backup", presence="standby")]
    work = order("A", "p0", allowed_engineers=["S"], time_windows=[window("08:00", "08:00")])
    work["service_seconds"] = 3600 + lacking
    orders = [work, order("T", "p30", team={"roles": roles}, pin={"engineer": "E"})]
    lead = RouteSequence("E", "day", (Visit("T", "lead", seconds("08:30")),))
    return day([engineer("E"), engineer("S")], orders), Sequences((lead,), {"T": (Member("S", "backup"),)})


def given(name: str) -> Sequences:
    """E does one order, and nothing else is planned so far."""
    return Sequences((RouteSequence("E", "day", (Visit(name),)),))


HELD_BY_ITSELF = {"structure", "assignment"}
"""No problem can ask for more or less of these; every test of agreement finds them kept."""
hard_cases = pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: f"{bound.rule}-{bound.make.__name__}")


def test_every_hard_rule_has_a_bound() -> None:
    assert {bound.rule for bound in BOUNDS} == {rule.name for rule in HARD_RULES} - HELD_BY_ITSELF


@hard_cases
def test_what_a_hard_rule_just_allows_is_found(bound: Bound) -> None:
    document, sequences = bound.make(0)
    assert "A" in agreeing_steps(load(read(document), sequences))


@hard_cases
def test_what_a_hard_rule_just_forbids_is_never_done(bound: Bound) -> None:
    document, sequences = bound.make(1)
    assert "A" not in agreeing_steps(load(read(document), sequences), 3 * STEPS)
