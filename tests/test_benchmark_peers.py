"""Other solvers behind their adapters: the same problem, a plan that passes our check, figures both sides agree on.

A solver that is not installed is skipped: they are the dependency group `bench`, and nothing needs them.
"""

from typing import Any

import pytest

from api.problems import build_problem
from benchmarks.formats.vrptw import read_vrptw, vrptw_document
from benchmarks.measure import judged
from benchmarks.peers import PEERS
from benchmarks.peers.answer import PeerAnswer, PeerLimits
from benchmarks.peers.flat import CannotModel, FlatDay
from benchmarks.reference import reference_data
from data.synthetic import EVERYTHING, synthetic_problem
from dispatcher.plan import Visit
from tests.benchmark_days import flat_day
from tests.reference import require_reference

SECONDS = 0.4
Document = dict[str, Any]


def solved(name: str, document: Document, seconds: float | None = SECONDS) -> tuple[PeerAnswer, Document]:
    """A peer's answer, and what the checker says of its plan."""
    peer = PEERS[name]
    if peer.version is None:
        pytest.skip(f"{peer.package} is not installed: it belongs to the dependency group bench")
    problem = build_problem(document)
    answer = peer.load()(FlatDay.of(problem, document), PeerLimits(seconds))
    return answer, judged(problem, document, answer.sequences)


@pytest.mark.parametrize("name", PEERS)
def test_the_plan_of_a_peer_passes_the_check_and_costs_what_the_peer_says(name: str) -> None:
    document = flat_day()
    answer, result = solved(name, document)
    assert result["findings"] == []
    assert 0 < result["served"] < len(document["work_orders"])
    assert answer.travel_seconds == result["travel_seconds"]
    assert answer.unserved_value == result["unserved_cost"]
    assert answer.unserved_orders == len(document["work_orders"]) - result["served"]
    assert answer.search_seconds > 0


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_leaves_the_order_of_least_value(name: str) -> None:
    document = flat_day(orders=3, engineers=1)
    shift = document["engineers"][0]["shifts"][0]
    document["engineers"][0] |= {"skills": [], "parts": {"kit": 2}}
    for number, order in enumerate(document["work_orders"], start=1):
        whole_day = [{"start": shift["start"], "end": shift["end"]}]
        order |= {"required_skills": [], "service_seconds": 600, "time_windows": whole_day, "value": 20000 * number}
    answer, _ = solved(name, document)
    least = document["work_orders"][0]["id"]
    served = {visit.work_order for visit in answer.sequences.routes[0].visits if isinstance(visit, Visit)}
    assert served == {order["id"] for order in document["work_orders"]} - {least}


def test_c101_is_solved_to_its_optimum() -> None:
    require_reference()
    document = vrptw_document(read_vrptw(reference_data() / "vrptw_solomon" / "C101.txt"))
    _, result = solved("vroom", document, None)
    assert (result["feasible"], result["served"], result["total"]) == (True, 100, 8273)


@pytest.mark.parametrize("name", [name for name in PEERS if name != "vroom"])
def test_a_peer_that_never_ends_asks_for_a_limit(name: str) -> None:
    with pytest.raises(CannotModel, match="end"):
        solved(name, flat_day(orders=2, engineers=1), None)


def test_what_a_flat_day_has_no_place_for_is_refused_by_name() -> None:
    document = synthetic_problem(EVERYTHING)
    with pytest.raises(CannotModel) as refusal:
        FlatDay.of(build_problem(document), document)
    for name in ("team", "breaks", "traffic", "deadlines", "pin", "depends_on", "open routes", "weight of distance"):
        assert name in str(refusal.value)


def test_a_crew_is_who_holds_the_skills() -> None:
    document = flat_day(orders=2, engineers=3)
    for engineer, level in zip(document["engineers"], (1, 2, 3), strict=True):
        engineer["skills"] = [{"skill": "pumps", "level": level}]
    first, second = document["work_orders"]
    first["required_skills"] = [{"skill": "pumps", "level": 2}]
    second["required_skills"] = [{"skill": "lifts", "level": 1}]
    day = FlatDay.of(build_problem(document), document)
    assert [day.crews[order.crew] for order in day.orders] == [frozenset({1, 2}), frozenset()]


def test_an_order_whose_window_is_past_is_for_nobody() -> None:
    document = flat_day(orders=1, engineers=1)
    document["now"] = document["engineers"][0]["shifts"][0]["end"]
    document["work_orders"][0]["required_skills"] = []
    assert document["work_orders"][0]["time_windows"][0]["end"] < document["now"]
    day = FlatDay.of(build_problem(document), document)
    assert day.crews[day.orders[0].crew] == frozenset()


def test_values_become_priorities_in_proportion() -> None:
    if PEERS["vroom"].version is None:
        pytest.skip("pyvroom is not installed: it belongs to the dependency group bench")
    from benchmarks.peers.vroom import priorities

    assert priorities([360000, 108000, 28800, 7200, 1, 0]) == [100, 30, 8, 2, 1, 0]
    assert priorities([]) == []
