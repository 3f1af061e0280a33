"""Windows, moves by hand, explanations, and the commands that ask for them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api import cli
from dispatcher.documents import instant_text
from dispatcher.evaluate import evaluate
from dispatcher.model import TimeWindow
from dispatcher.plan import Rest, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from solver.insertion import InsertionEngine
from solver.live.day import LiveDay, LivePolicy
from solver.live.explanation import SENTENCES, Said, Why, explanation
from solver.live.moves import Move, what_if
from solver.live.running import running_sequences
from solver.live.slots import slots, window_grid
from solver.live.why_not import WhyNot
from tests.live_days import driven, exact_total, insertions, planned_day, routes_of, small_document, without
from tests.small_days import (
    Document,
    at,
    clock,
    day,
    engineer,
    order,
    plan_of,
    read,
    rest,
    role,
    seconds,
    shift,
    skill,
    window,
)

FREE = LivePolicy(freeze_seconds=0)


def solved(problem: Problem) -> Sequences:
    return InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None, iteration_limit=50)).sequences


def live(document: Document, sequences: Sequences | None = None) -> LiveDay:
    problem = read(document)
    return LiveDay(problem, driven(problem, solved(problem) if sequences is None else sequences), policy=FREE)


def one_route(name: str, *orders: str) -> Sequences:
    return Sequences((RouteSequence(name, "day", tuple(Visit(item) for item in orders)),))


# Windows


def test_a_window_costs_what_the_plan_with_the_order_in_it_costs_more() -> None:
    problem, sequences = planned_day(1, 8)
    name = next(iter(routes_of(sequences).values()))[-1]
    rest_of_day = without(sequences, name)
    asked = LiveDay(problem, driven(problem, rest_of_day), policy=FREE)
    found = slots(asked, name, list(window_grid(problem, 4)))
    before = exact_total(problem, driven(problem, rest_of_day))
    worth = asked.state.unserved_cost(problem.order_by_id[name])
    assert found
    for slot in found:
        document = small_document(1, 8)
        zone = problem.timezone
        changed = json.loads(json.dumps(document))
        texts = [instant_text(instant, zone) for instant in (slot.start, slot.end)]
        [item] = [item for item in changed["work_orders"] if item["id"] == name]
        item["time_windows"] = [{"start": texts[0], "end": texts[1]}]
        other = read(changed)
        totals = [total for _, total, _ in insertions(other, rest_of_day, name)]
        expected = None if not totals else min(totals) - before + worth
        assert slot.cost_milli == expected
    costs = [slot.cost_milli for slot in found]
    assert costs == sorted(costs, key=lambda cost: (cost is None, cost or 0))


def test_windows_lie_where_somebody_works_from_now_on() -> None:
    problem = read(day([engineer("A", shifts=[shift("08:00", "13:00")])], [], now=at("09:30")))
    assert [(clock(w.start), clock(w.end)) for w in window_grid(problem, 2)] == [
        ("09:30", "10:00"),
        ("10:00", "12:00"),
        ("12:00", "14:00"),
    ]
    assert [clock(w.start) for w in window_grid(problem, 12, start=seconds("11:00"))] == ["11:00", "12:00"]


def test_a_window_that_nobody_can_keep_comes_last() -> None:
    asked = live(day([engineer("A")], [order("W1", "p10")]), Sequences())
    early, late = TimeWindow(seconds("00:00"), seconds("07:00")), TimeWindow(seconds("09:00"), seconds("10:00"))
    found = slots(asked, "W1", [early, late])
    assert [(slot.engineer, slot.cost_milli) for slot in found] == [("A", 1200_000), (None, None)]


# Moves


def test_a_move_costs_what_the_reference_rules_say() -> None:
    asked = live(
        day([engineer("A"), engineer("B")], [order("W1", "p10"), order("W2", "p20")]), one_route("A", "W1", "W2")
    )
    found = what_if(asked, [Move("assign", "W1", "B")])
    assert routes_of(found.sequences) == {("A", "day"): ["W2"], ("B", "day"): ["W1"]}
    assert found.evaluation.feasible
    assert found.evaluation.total == 3600
    swapped = what_if(asked, [Move("assign", "W1", "B"), Move("swap", "W1", other="W2")])
    assert routes_of(swapped.sequences) == {("A", "day"): ["W1"], ("B", "day"): ["W2"]}
    removed = what_if(asked, [Move("remove", "W1")])
    assert removed.plan.unassigned == ("W1",)
    placed = what_if(asked, [Move("assign", "W2", "A", position=0)])
    assert routes_of(placed.sequences) == {("A", "day"): ["W2", "W1"]}
    emptied = what_if(asked, [Move("remove", "W1"), Move("remove", "W2")])
    assert emptied.plan.routes == ()


def test_what_is_driven_to_stays_first_on_a_later_shift_too() -> None:
    shifts = [shift("06:00", "07:00", id="early"), shift(id="day")]
    problem = read(day([engineer("A", shifts=shifts)], [order("way", "p30"), order("W", "p10")]))
    plan = driven(problem, Sequences((RouteSequence("A", "day", (Visit("way"),)),)))
    asked = LiveDay(problem, plan, on_the_way=frozenset({"way"}), policy=LivePolicy(freeze_seconds=0))
    found = what_if(asked, [Move("assign", "W", "A", shift="day")])
    assert routes_of(found.sequences) == {("A", "day"): ["way", "W"]}


def test_a_move_that_breaks_a_rule_is_made_and_told() -> None:
    document = day(
        [engineer("A", shifts=[shift(breaks=[rest("08:30", "11:00", 30)])]), engineer("B")],
        [order("W1", "p10", required_skills=[skill("pumps")]), order("W2", "p10", 420), order("W3", "p20", 120)],
    )
    asked = live(document, Sequences((RouteSequence("A", "day", (Visit("W3"), Rest(0))),)))
    unskilled = what_if(asked, [Move("assign", "W1", "B")])
    assert [finding.rule for finding in unskilled.evaluation.findings] == ["qualification"]
    too_long = what_if(asked, [Move("assign", "W2", "A")])
    assert "shift" in {finding.rule for finding in too_long.evaluation.findings}
    kept = what_if(asked, [Move("assign", "W1", "A", position=0)])
    assert {finding.rule for finding in kept.evaluation.findings} >= {"qualification"}


def test_breaks_find_their_places_again_after_a_move() -> None:
    document = day(
        [engineer("A", shifts=[shift(breaks=[rest("10:00", "10:40", 30)])])],
        [order("W1", "p10", 60), order("W2", "p10", 60), order("W3", "p10", 30)],
    )
    asked = live(document, Sequences((RouteSequence("A", "day", (Visit("W1"), Visit("W2"), Rest(0))),)))
    found = what_if(asked, [Move("assign", "W3", "A", position=0)])
    assert found.evaluation.feasible


# Explanations


def explained(asked: LiveDay, name: str) -> Why:
    return explanation(asked, WhyNot(asked), name)


def codes(said: tuple[Said, ...]) -> list[str]:
    return [item.code for item in said]


def test_who_is_cheapest_the_only_one_or_kept_although_dearer() -> None:
    crew = [engineer("A", skill("pumps")), engineer("B"), engineer("C", shifts=[shift(start_location="p60")])]
    orders = [
        order("any", "p10"),
        order("pumps", "p20", required_skills=[skill("pumps")]),
        order("far", "p60"),
        order("left", "p300", value=0),
    ]
    asked = live(day(crew, orders), one_route("A", "any", "pumps", "far"))
    assert codes(explained(asked, "any").who) == ["CHEAPEST"]
    assert codes(explained(asked, "pumps").who) == ["ONLY_ONE"]
    assert codes(explained(asked, "far").who) == ["KEPT"]
    assert "with C the plan would cost" in explained(asked, "far").who[0].message
    left = explained(asked, "left")
    assert (codes(left.who), left.when) == (["NOT_SERVED"], ())


def test_when_is_explained_by_what_holds_the_start() -> None:
    crew = [engineer("A", shifts=[shift(breaks=[rest("10:00", "10:40", 15)])]), engineer("B")]
    orders = [
        order("first", "p10"),
        order("next", "p20"),
        order("window", "p10", time_windows=[window("12:00", "12:30")]),
        order("after", "p10", 30, depends_on=[{"work_order": "window", "min_gap_seconds": 1800}]),
        order("late", "p10", deadlines={"arrive_by": at("08:00")}),
        order("pinned", "p10", 30, pin={"engineer": "B", "start": at("13:00")}),
    ]
    document = day(crew, orders)
    visits = (Visit("first"), Visit("next"), Rest(0), Visit("window"), Visit("after"))
    sequences = Sequences(
        (RouteSequence("A", "day", visits), RouteSequence("B", "day", (Visit("late"), Visit("pinned"))))
    )
    asked = live(document, sequences)
    assert codes(explained(asked, "first").when) == ["FIRST_STOP"]
    assert codes(explained(asked, "next").when) == ["ON_ARRIVAL"]
    assert explained(asked, "next").when[0].message == "it starts at 09:20, as soon as A arrives after first"
    # Others wait for it, so that it cannot be asked about by itself, but it can be explained.
    assert codes(explained(asked, "window").when) == ["WINDOW_OPENS"]
    assert codes(explained(asked, "after").when) == ["WAITS_FOR"]
    assert codes(explained(asked, "late").when) == ["FIRST_STOP", "LATE"]
    assert codes(explained(asked, "pinned").when) == ["PINNED_START"]
    assert codes(explained(asked, "pinned").who) == ["PINNED_TO"]


def test_teams_and_running_work_are_explained_too() -> None:
    document = day(
        [engineer("A"), engineer("B")],
        [
            order("team", team={"roles": [role("lead"), role("support")]}),
            order("run", "p10", 60, pin={"engineer": "A", "start": at("08:30")}),
            order("next", "p10"),
        ],
        now=at("09:00"),
    )
    problem = read(document)
    sequences = solved(problem)
    asked = LiveDay(problem, driven(problem, sequences), on_the_way=frozenset({"next"}), policy=FREE)
    assert codes(explained(asked, "team").who) == ["TEAM"]
    assert codes(explained(asked, "team").when) == ["TEAM_START"]
    assert (codes(explained(asked, "run").who), explained(asked, "run").when) == (["UNDER_WAY"], ())
    assert codes(explained(asked, "next").who)[0] == "ON_THE_WAY"


def test_what_it_would_take_is_the_smallest_change_for_each_of_a_few() -> None:
    crew = [engineer("A", skill("pumps", 1)), engineer("B", shifts=[shift(end="08:30", latest_end="08:30")])]
    asked = live(day(crew, [order("W", "p10", required_skills=[{"skill": "pumps", "level": 2}])]), Sequences())
    assert [fix.code for fix in explained(asked, "W").fixes] == ["SKILL_LEVEL"]


def test_every_sentence_can_be_said() -> None:
    names = ["engineer", "next", "others", "cheapest", "members", "before", "other"]
    params: dict[str, object] = dict.fromkeys(names, "A") | dict.fromkeys(("cost", "next_cost", "saved", "value"), 1)
    params |= {"start": at("09:00"), "early_seconds": 60, "late_seconds": 60}
    for code in SENTENCES:
        assert "{" not in Said(code, params).message


# What is left of a plan


def test_what_cannot_be_kept_leaves_the_cheapest_first_and_keeps_the_pinned() -> None:
    document = day(
        [engineer("A", shifts=[shift(end="11:30", latest_end="11:30")])],
        [
            order("small", "p10", 60, level="L4"),
            order("big", "p10", 60, level="L2"),
            order("pinned", "p10", 60, pin={"engineer": "A"}),
            order("gone", "p10", 60, pin={"engineer": "A", "start": at("15:00")}),
        ],
        now=at("09:00"),
    )
    problem = read(document)
    stops = [
        {"kind": "work_order", "work_order": name, "location": "p10"}
        | dict.fromkeys(("start", "end", "arrival"), at("09:00"))
        for name in ("small", "big", "pinned", "gone", "unknown")
    ]
    routes = [{"engineer": "A", "shift": "day", "stops": stops}, {"engineer": "Z", "shift": "day", "stops": stops}]
    kept = routes_of(running_sequences(problem, routes))
    assert kept == {("A", "day"): ["big", "pinned"]}


def test_who_stands_by_still_does_and_a_team_keeps_its_start() -> None:
    roles = [role("lead"), role("backup", presence="standby")]
    document = day(
        [engineer("A"), engineer("B"), engineer("C")],
        [order("T", "p30", 60, team={"roles": roles}, time_windows=[window("10:00", "12:00")]), order("W", "p10")],
    )
    problem = read(document)
    plan, evaluation = plan_of(problem, solved(problem))
    shown = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=0)
    again = driven(problem, running_sequences(problem, shown["routes"], shown["teams"]))
    assert evaluate(problem, again).feasible
    assert again.teams == plan.teams


def test_a_running_team_stays_together() -> None:
    document = day(
        [engineer("A"), engineer("B")],
        [
            order("T", "p10", 120, team={"roles": [role("x", min=2)]}, pin={"engineer": "A", "start": at("08:30")}),
            order("W", "p10"),
        ],
        now=at("09:00"),
    )
    problem = read(document)
    plan, evaluation = plan_of(problem, solved(problem))
    shown = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=0)
    again = driven(problem, running_sequences(problem, shown["routes"], shown["teams"]))
    assert evaluate(problem, again).findings == ()
    assert again.teams == plan.teams


# Commands


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs a command on two files: a day with a plan for it."""
    document = day(
        [engineer("A"), engineer("B", skill("pumps"))], [order("W1"), order("W2", "p20"), order("W3", "p30")]
    )
    problem = read(document)
    plan, evaluation = plan_of(problem, one_route("A", "W1", "W2"))
    shown = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=0)
    (tmp_path / "problem.json").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "plan.json").write_text(json.dumps(shown), encoding="utf-8")
    other = {**document, "id": "another"}
    (tmp_path / "other.json").write_text(json.dumps(other), encoding="utf-8")

    def run(command: str, *arguments: str, problem: str = "problem.json") -> tuple[int, str]:
        files = [str(tmp_path / problem), str(tmp_path / "plan.json")]
        given = [str(tmp_path / item) if item.endswith(".json") else item for item in arguments]
        result = CliRunner().invoke(cli.app, [command, *files, *given])
        return result.exit_code, result.output

    return run


def test_commands_answer_in_tables_and_in_json(ask: Callable[..., tuple[int, str]]) -> None:
    for command, said in (("candidates", "B"), ("slots", "08:00"), ("explain", "nobody is planned")):
        exit_code, output = ask(command, "W3")
        assert (exit_code, said in output) == (0, True), output
        exit_code, output = ask(command, "W3", "--json")
        assert (exit_code, json.loads(output)["work_order"]) == (0, "W3")
    exit_code, output = ask("candidates", "W3", "--limit", "1")
    assert "1 candidate more" in output


def test_a_repair_is_written_and_compared(ask: Callable[..., tuple[int, str]]) -> None:
    exit_code, output = ask("repair", "-o", "better.json", "--order", "W3", "--seconds", "0", "--json")
    answer = json.loads(output)
    placed = [item["work_order"] for item in answer["orders"] if item["kind"] == "placed"]
    assert (exit_code, placed) == (0, ["W3"])
    exit_code, output = ask("diff", "better.json")
    assert (exit_code, "placed" in output) == (0, True)
    assert ask("diff", "plan.json")[1].startswith("The two plans serve every order alike.")
    assert ask("repair", "--seconds", "0")[0] == 0


def test_a_wrong_question_is_told_so(ask: Callable[..., tuple[int, str]]) -> None:
    exit_code, output = ask("candidates", "W3", "--json", problem="other.json")
    assert (exit_code, json.loads(output)["errors"][0]["code"]) == (2, "OTHER_PROBLEM")


@pytest.mark.parametrize("command", ["candidates", "slots", "explain", "repair"])
def test_an_order_that_there_is_not_is_bad_input_with_a_remedy(
    command: str, ask: Callable[..., tuple[int, str]]
) -> None:
    asked = ("--order", "W33", "--order", "nothing") if command == "repair" else ("nothing",)
    exit_code, output = ask(command, *asked, "--json")
    errors = json.loads(output)["errors"]
    assert exit_code == 2
    assert [(error["path"], error["code"]) for error in errors] == [("order", "NOT_FOUND")] * len(
        set(asked) - {"--order"}
    )
    assert errors[-1]["message"] == "no work order 'nothing'"
    assert errors[-1]["remedy"].startswith("muster show ")
    assert errors[-1]["remedy"].endswith("plan.json --all lists the orders of the plan.")
    if command == "repair":
        assert errors[0]["remedy"].startswith('Did you mean "W3"? muster show ')
