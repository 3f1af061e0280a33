"""Published instances with teams: read as written, and our totals are the published costs."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from api.documents import check_problem
from api.problems import build_problem
from benchmarks.formats.hhcrsp import (
    ROLES,
    CareRoutes,
    hhcrsp_best_known,
    hhcrsp_document,
    published_cost,
    read_hhcrsp,
)
from benchmarks.formats.objective import only
from benchmarks.formats.strsp import StrspInstance, Tour, read_strsp, strsp_document, tours_of
from benchmarks.formats.strsp import published_cost as strsp_cost
from benchmarks.formats.vrptwsyn import proven_optima, published_travel, read_vrptwsyn, vrptwsyn_document
from benchmarks.measure import judged
from benchmarks.reference import reference_data
from dispatcher.plan import RouteSequence, Sequences, Visit
from tests.reference import require_reference


def family(name: str) -> Path:
    return reference_data(str(require_reference())) / name


def toy_routes() -> CareRoutes:
    """The published solution of the toy instance."""
    instance = read_hhcrsp(family("hhcrsp") / "toy.json")
    solution = json.loads((family("hhcrsp") / "sol_toy_optimal.json").read_text(encoding="utf-8"))
    number = {(p.name, service): n for p in instance.patients for n, (service, _) in enumerate(p.services)}
    return {
        route["caregiver_id"]: [
            (stop["patient_id"], number[stop["patient_id"], stop["service_id"]]) for stop in route["locations"]
        ]
        for route in solution["routes"]
    }


def care_sequences(routes: CareRoutes, teams: set[str]) -> Sequences:
    return Sequences(
        tuple(
            RouteSequence(
                caregiver,
                "day",
                tuple(Visit(patient, ROLES[number] if patient in teams else None) for patient, number in visits),
            )
            for caregiver, visits in routes.items()
        )
    )


def test_the_published_toy_solution_costs_what_is_published() -> None:
    cost = published_cost(read_hhcrsp(family("hhcrsp") / "toy.json"), toy_routes())
    assert (cost.distance, cost.tardiness, cost.largest_tardiness) == (334.0, 0.0, 0.0)
    assert cost.total == pytest.approx(111.33333333333333)


def test_the_published_toy_solution_passes_our_checker_at_three_thousand_times_its_cost() -> None:
    instance = read_hhcrsp(family("hhcrsp") / "toy.json")
    document = hhcrsp_document(instance)
    assert check_problem(document) == []
    teams = {patient.name for patient in instance.patients if len(patient.services) == 2}
    result = judged(build_problem(document), document, care_sequences(toy_routes(), teams))
    assert (result["feasible"], result["served"], result["total"]) == (True, 6, 334_000)


def test_simultaneous_and_sequential_services_become_arrival_modes_with_their_gaps() -> None:
    document = hhcrsp_document(read_hhcrsp(family("hhcrsp") / "toy.json"))
    arrivals = {order["id"]: order["team"]["arrival"] for order in document["work_orders"] if "team" in order}
    assert arrivals == {
        "p4": {"mode": "together"},
        "p5": {"mode": "lead_first", "min_gap_seconds": 30_000, "max_gap_seconds": 45_000},
        "p6": {"mode": "lead_first", "min_gap_seconds": 60_000, "max_gap_seconds": 90_000},
    }


def test_tardiness_counts_for_each_service_and_the_largest_once_more() -> None:
    instance = read_hhcrsp(family("hhcrsp") / "toy.json")
    # Both services of p4 now have to start by 100 but cannot before 120.
    tight = replace(instance, patients=tuple(replace(p, due=100.0) if p.name == "p4" else p for p in instance.patients))
    cost = published_cost(tight, toy_routes())
    assert (cost.tardiness, cost.largest_tardiness) == (40.0, 20.0)
    document = hhcrsp_document(tight)
    teams = {patient.name for patient in tight.patients if len(patient.services) == 2}
    result = judged(build_problem(document), document, care_sequences(toy_routes(), teams))
    assert result["total"] == round(3000 * cost.total) == 394_000


def test_a_first_service_waits_where_the_second_cannot_follow_in_time() -> None:
    instance = read_hhcrsp(family("hhcrsp") / "toy.json")
    # The second service of p5 may follow no more than two after the first: then it holds the first one back.
    near = replace(
        instance, patients=tuple(replace(p, gaps=(0.0, 2.0)) if p.name == "p5" else p for p in instance.patients)
    )
    assert published_cost(near, toy_routes()).tardiness >= published_cost(instance, toy_routes()).tardiness
    document = hhcrsp_document(near)
    teams = {patient.name for patient in near.patients if len(patient.services) == 2}
    result = judged(build_problem(document), document, care_sequences(toy_routes(), teams))
    assert result["feasible"]
    assert result["total"] == round(3000 * published_cost(near, toy_routes()).total)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda routes: {**routes, "c1": routes["c1"][1:]}, "not every service"),
        (lambda routes: {"c1": routes["c2"], "c2": routes["c1"], "c3": routes["c3"]}, "without the ability"),
        (lambda routes: {"c1": [*routes["c1"], *routes["c2"]], "c3": routes["c3"]}, "both services"),
    ],
)
def test_care_routes_that_break_a_published_rule_have_no_cost(broken: object, said: str) -> None:
    instance = read_hhcrsp(family("hhcrsp") / "toy.json")
    assert callable(broken)
    with pytest.raises(ValueError, match=said):
        published_cost(instance, broken(toy_routes()))


def test_all_home_care_instances_are_read_without_rounding_and_have_a_best_known_cost() -> None:
    known = hhcrsp_best_known(family("hhcrsp"))
    paths = sorted(family("hhcrsp").glob("*_HCSRP_*.json"))
    assert {path.stem for path in paths} == set(known)
    for path in paths[::7]:
        instance = read_hhcrsp(path)
        document = hhcrsp_document(instance)
        assert check_problem(document) == []
        seconds = document["travel"]["seconds"]
        assert seconds == [[pytest.approx(1000 * leg, abs=1e-6) for leg in row] for row in instance.distances]


@pytest.mark.parametrize("text", ["{}", "[]", '{"patients": [], "services": [], "caregivers": [], "distances": []}'])
def test_a_file_that_is_no_home_care_instance_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.json is no HHCRSP instance"):
        read_hhcrsp(path)


def test_a_pair_of_visits_becomes_one_order_for_two_who_start_together() -> None:
    instance = read_vrptwsyn(family("vrptwsyn_bredstrom") / "case_1_20_4_2_1.dat")
    assert (instance.staff, instance.horizon, instance.pairs) == (4, 695, {1: 19, 3: 20})
    document = vrptwsyn_document(instance)
    assert check_problem(document) == []
    teams = {order["id"]: order["team"] for order in document["work_orders"] if "team" in order}
    assert set(teams) == {"c1", "c3"}
    assert len(document["work_orders"]) == 18


def test_windows_that_end_after_the_horizon_are_clipped_to_it() -> None:
    instance = read_vrptwsyn(family("vrptwsyn_bredstrom") / "case_4_20_4_2_4.dat")
    assert instance.horizon == 554
    assert max(latest for _, latest in instance.windows.values()) == 554


def test_the_published_travel_of_synchronised_tours_is_recomputed_and_wrong_tours_have_none() -> None:
    instance = read_vrptwsyn(family("vrptwsyn_bredstrom") / "case_1_20_4_2_5.dat")
    loose = replace(
        instance,
        horizon=5000,
        windows=dict.fromkeys(instance.windows, (0, 5000)),
        staff=2,
    )
    everybody = list(loose.customers)
    tours = [everybody, [1, 3]]
    legs = [leg for tour in tours for leg in zip([0, *tour], [*tour, 0], strict=True)]
    assert published_travel(loose, tours) == sum(loose.travel[one][other] for one, other in legs)
    for wrong, said in (
        ([everybody, [1]], "exactly as often"),
        ([[*everybody, 1, 3]], "both visits of a pair"),
        ([everybody, [3, 1]], "no starts fit"),
    ):
        with pytest.raises(ValueError, match=said):
            published_travel(loose, wrong)
    with pytest.raises(ValueError, match=r"after its window|no starts fit"):
        published_travel(replace(loose, windows={**loose.windows, everybody[-1]: (0, 10)}), tours)


def test_only_proven_optima_are_taken_from_the_anchors() -> None:
    optima = proven_optima(family("vrptwsyn_bredstrom"))
    assert len(optima) == 20
    assert optima["case_1_20_4_2_1"] == 396
    assert "case_1_20_4_2_5" not in optima


def published_tours() -> tuple[StrspInstance, list[Tour]]:
    """The one public solution with teams: the first fifty tasks of an instance."""
    folder = family("strsp_kovacs")
    crew = folder / "techniciansReduced_Team" / "R2, C2, RC2" / "technicians_6x6_Team_long.txt"
    instance = read_strsp(folder / "tasks_Team" / "C201_6x6_Team.txt", crew)
    text = (folder / "example_solution" / "BPC_50_12_Reduced_3_C201_6x6_Team.txt").read_text(encoding="utf-8")
    legs, teams = ([list(map(int, line.split(";"))) for line in part.split()] for part in text.split("---")[:2])
    following: dict[int, dict[int, int]] = defaultdict(dict)
    for here, there, _, team in legs:
        following[team][here] = there
    tours = []
    for team, after in following.items():
        members = frozenset(technician - 1 for technician, _, of in teams if of == team)
        here, tasks = after[1], []
        while here != 1:
            tasks.append(here - 1)
            here = after[here]
        tours.append(Tour(members, tuple(tasks)))
    return replace(instance, tasks=instance.tasks[:51]), tours


def test_the_public_solution_with_teams_costs_what_its_authors_say() -> None:
    cost = strsp_cost(*published_tours())
    assert cost.travel == pytest.approx(408.73, abs=0.005)
    assert cost.outsourcing == pytest.approx(282.82, abs=0.005)


def test_a_team_that_lacks_a_skill_or_a_task_served_twice_is_refused() -> None:
    instance, tours = published_tours()
    strangers = [replace(tour, technicians=frozenset(n + 1 for n in tour.technicians)) for tour in tours]
    with pytest.raises(ValueError, match="lacks what it wants"):
        strsp_cost(instance, strangers)
    with pytest.raises(ValueError, match="on two tours"):
        strsp_cost(instance, [*tours, tours[0]])


def test_a_plan_for_technicians_alone_costs_its_published_cost_in_thousandths() -> None:
    folder = family("strsp_kovacs")
    technicians = folder / "technicians_noTeam" / "technicians_R101_5x4_noTeam.txt"
    instance = read_strsp(folder / "tasks_noTeam" / "R101_5x4_noTeam.txt", technicians)
    document = strsp_document(instance)
    assert check_problem(document) == []
    problem = build_problem(document)
    order = problem.work_orders[0]
    able = next(e for e in problem.engineers if problem.qualification(e, order, None, problem.now).qualified)
    sequences = Sequences((RouteSequence(able.id, "day", (Visit(order.id),)),))
    result = judged(problem, document, sequences)
    cost = strsp_cost(instance, tours_of({able.id: [order.id]}))
    # Two legs, each rounded up, and a value of every task that is left, rounded.
    assert result["feasible"]
    assert result["total"] == pytest.approx(1000 * cost.total, abs=2 + 0.5 * 99)


def test_what_several_technicians_are_wanted_for_is_spread_over_roles_and_the_rest_is_collective() -> None:
    folder = family("strsp_kovacs")
    crew = folder / "technicians_Team" / "technicians_5x4_Team.txt"
    document = strsp_document(read_strsp(folder / "tasks_Team" / "C201_5x4_Team.txt", crew))
    assert check_problem(document) == []
    # 1 1 0 0 / 1 1 1 1 / 5 0 0 0 / 0 0 0 0 / 1 1 1 0: five with the third domain, and who is good at the others.
    team = document["work_orders"][0]["team"]
    third = [{"skill": "domain 3", "level": 1}]
    assert [role.get("required_skills") for role in team["roles"]] == [third] * 5 + [None]
    levels = {skill["skill"]: skill["level"] for skill in team["collective_skills"]}
    assert levels == {"domain 1": 2, "domain 2": 4, "domain 3": 1, "domain 5": 3}


def test_a_published_objective_leaves_no_weight_to_other_rules() -> None:
    weights = only(travel=1)
    assert weights.pop("travel") == 1
    assert {"change", "late_start", "repeat_visit", "worst_lateness"} <= set(weights)
    assert set(weights.values()) == {0}
    with pytest.raises(KeyError, match="no rule is called tardiness"):
        only(tardiness=1)
