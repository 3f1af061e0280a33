"""The benchmark of teams: what it measures on, how targets are judged, what its page shows."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.figures import Run
from benchmarks.measure import routes_of
from benchmarks.reference import reference_data
from benchmarks.team_report import draw, report, team_runs
from benchmarks.team_suite import (
    HHCRSP_CLASSES,
    TEAM_SHARES,
    hhcrsp_instances,
    published,
    strsp_instances,
    team_days,
    team_spec,
    vrptwsyn_instances,
)
from benchmarks.team_targets import (
    INSTANCES,
    OWN_DAYS,
    PROVEN_INSTANCES,
    VRPTWSYN_SEEDS,
    TeamRun,
    class_gap,
    leads,
    team_targets,
)
from benchmarks.teams import whole_batches
from data.synthetic import synthetic_problem
from dispatcher.plan import Rest, RouteSequence, Sequences, Visit
from tests.reference import require_reference


def team_run(track: str, cost: float | None, best: float | None, **changes: Any) -> TeamRun:
    fields: dict[str, Any] = {
        "track": track,
        "instance": "one",
        "size": 10,
        "engine": "hybrid",
        "limit_seconds": 60.0,
        "seed": 1,
        "threads": 2,
        "search_seconds": 60.0,
        "total": 1000,
        "served": 10,
        "unserved_cost": 0,
        "travel_seconds": 1000,
        "peak_bytes": 10**8,
        "best_known": None,
        "placeable": None,
    }
    return TeamRun(Run(**(fields | changes)), cost, best, {"c1": [("p1", None), ("p2", "lead")]})


def verdicts(runs: list[TeamRun]) -> dict[str, bool | None]:
    return {target.what.partition(",")[0]: target.met for target in team_targets(runs)}


def whole_class(name: str, cost: float, best: float = 100.0) -> list[TeamRun]:
    return [
        team_run("hhcrsp", cost, best, size=HHCRSP_CLASSES[name], instance=f"{name}{number}")
        for number in range(INSTANCES[name])
    ]


def test_a_class_of_home_care_is_judged_by_its_mean_gap_once_all_its_instances_are_there() -> None:
    assert verdicts(whole_class("B", 100.2))["hhcrsp B"] is True
    assert verdicts(whole_class("B", 100.3))["hhcrsp B"] is False
    assert verdicts(whole_class("A", 100.0))["hhcrsp A"] is True
    assert verdicts(whole_class("A", 100.1))["hhcrsp A"] is False
    assert verdicts(whole_class("B", 100.2)[1:])["hhcrsp B"] is None
    assert verdicts([])["hhcrsp G"] is None


def test_one_plan_without_a_published_cost_leaves_its_class_without_a_mean() -> None:
    runs = [*whole_class("B", 100.0)[1:], team_run("hhcrsp", None, 100.0, size=25)]
    assert class_gap(runs) is None
    assert verdicts(runs)["hhcrsp B"] is False


def test_a_plan_that_breaks_a_rule_has_no_gap() -> None:
    assert team_run("hhcrsp", 100.0, 100.0, total=None).gap is None


def test_every_seed_has_to_reach_every_proven_optimum() -> None:
    runs = [
        team_run("vrptwsyn", 396.0, 396.0, instance=f"case{number}", seed=seed, limit_seconds=10.0)
        for number in range(PROVEN_INSTANCES)
        for seed in VRPTWSYN_SEEDS
    ]
    assert verdicts(runs)["vrptwsyn"] is True
    missed = team_run("vrptwsyn", 397.0, 396.0, limit_seconds=10.0)
    assert verdicts([*runs[1:], missed])["vrptwsyn"] is False
    assert verdicts(runs[1:])["vrptwsyn"] is None


def own_days(short: int, long: int) -> list[TeamRun]:
    return [
        team_run("teams", None, None, instance=f"day{number}", total=total, limit_seconds=limit)
        for number in range(OWN_DAYS)
        for total, limit in ((short, 10.0), (long, 100.0))
    ]


def test_our_own_days_are_compared_with_runs_ten_times_longer() -> None:
    assert verdicts(own_days(1020, 1000))["own team suite"] is True
    assert verdicts(own_days(1021, 1000))["own team suite"] is False
    assert [round(lead.percent or 0, 1) for lead in leads(own_days(1021, 1000), 10.0)] == [2.1] * OWN_DAYS
    assert verdicts(own_days(1020, 1000)[:-1])["own team suite"] is None


def test_a_value_below_the_best_known_is_shown_with_its_plan() -> None:
    below = team_run("hhcrsp", 99.0, 100.0)
    assert below.is_below
    assert not team_run("hhcrsp", 99.9995, 100.0).is_below
    text = report([below], [])
    assert "Below the best known: one at 99.000 instead of 100.000" in text
    assert "- c1: p1 p2/lead" in text


def test_the_picture_is_drawn_with_and_without_figures(tmp_path: Path) -> None:
    for number, runs in enumerate(([], [*whole_class("C", 101.0), *own_days(1010, 1000)])):
        path = tmp_path / f"{number}.png"
        draw(runs, path)
        assert path.read_bytes().startswith(b"\x89PNG")


def test_routes_of_a_row_name_work_orders_and_roles_and_leave_breaks_out() -> None:
    visits = (Visit("W1"), Rest(0), Visit("W2", "lead"))
    sequences = Sequences((RouteSequence("A", "day", visits), RouteSequence("B", "day", ())))
    assert routes_of(sequences) == {"A": [("W1", None), ("W2", "lead")]}


def test_the_suite_speaks_of_the_instances_that_the_targets_count() -> None:
    data = reference_data(str(require_reference()))
    sizes = [instance.size for instance in hhcrsp_instances(data)]
    assert {name: sizes.count(patients) for name, patients in HHCRSP_CLASSES.items()} == INSTANCES
    assert len(vrptwsyn_instances(data)) == PROVEN_INSTANCES
    assert len(team_days()) == OWN_DAYS
    assert len(strsp_instances(data)) == 8
    cells = sum(len(batch) for batch in whole_batches(data).values())
    assert cells == 60 + PROVEN_INSTANCES * len(VRPTWSYN_SEEDS) + 2 * OWN_DAYS + 8


@pytest.mark.parametrize("share", TEAM_SHARES)
def test_our_own_days_have_the_share_of_teams_their_name_says(share: float) -> None:
    document = synthetic_problem(team_spec(100, share, 1))
    assert sum("team" in order for order in document["work_orders"]) == round(100 * share)


def test_a_row_is_scored_by_its_published_convention_and_nothing_where_there_is_none() -> None:
    data = reference_data(str(require_reference()))
    names = {instance.name for instance in strsp_instances(data)}
    assert "C101_5x4_Team" in names
    assert published("strsp", "C101_5x4_Team", {}, data) is None
    alone = published("strsp", "C101_5x4_noTeam", {}, data)
    # Nothing is served: every task is outsourced at 200 and more.
    assert alone is not None
    assert alone > 100 * 200
    with pytest.raises(ValueError, match="not every service"):
        published("hhcrsp", "InstanzCPLEX_HCSRP_10_1", {}, data)


def test_a_row_whose_plan_leaves_an_order_has_no_published_cost() -> None:
    data = reference_data(str(require_reference()))
    (instance,) = (item for item in hhcrsp_instances(data) if item.name == "InstanzCPLEX_HCSRP_10_1")
    cell = {
        "track": "hhcrsp",
        "instance": instance.name,
        "size": 10,
        "digest": "d",
        "engine": "hybrid",
        "version": "v",
        "limit_seconds": 60.0,
        "seed": 1,
        "threads": 1,
    }
    row = {
        "cell": cell,
        "status": "measured",
        "at": "2026-11-21",
        "search_seconds": 60.0,
        "peak_bytes": 1,
        "feasible": True,
        "total": 5,
        "served": 9,
        "unserved_cost": 5,
        "travel_seconds": 0,
        "best_known": instance.best_known,
        "routes": {},
    }
    (run,) = team_runs([row], data)
    assert (run.published, run.gap) == (None, None)
    assert run.best == pytest.approx(218.199, abs=0.001)
