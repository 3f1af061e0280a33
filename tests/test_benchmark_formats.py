"""Instances of the benchmarks: read as written, scored as by hand, drawn the same everywhere."""

import gzip
import json
from pathlib import Path

import pytest

from api.documents import check_problem
from api.problems import build_problem
from benchmarks.formats.planning import read_document
from benchmarks.formats.vrptw import best_known, read_vrptw, vrptw_document
from benchmarks.measure import judged
from benchmarks.reference import VARIABLE, NoReferenceData, reference_data
from benchmarks.suite import hard_spec, rich_spec, scale_spec, synthetic_instances, vrptw_instances
from dispatcher.errors import InvalidInput
from dispatcher.plan import RouteSequence, Sequences, Visit
from tests.benchmark_days import SQUARE, square_file
from tests.reference import require_reference


def routes(*orders: tuple[str, ...]) -> Sequences:
    return Sequences(
        tuple(
            RouteSequence(f"V{number:03d}", "tour", tuple(Visit(order) for order in route))
            for number, route in enumerate(orders, start=1)
        )
    )


def test_a_vrptw_file_becomes_a_valid_document_in_tenths_with_truncated_distances(tmp_path: Path) -> None:
    document = vrptw_document(read_vrptw(square_file(tmp_path)))
    assert check_problem(document) == []
    # 0-1 is √2 = 1.414…, truncated to 1.4; 1-3 the same; 2-3 is √5 = 2.236…, truncated to 2.2.
    assert document["travel"]["seconds"] == [[0, 14, 10, 20], [14, 0, 10, 14], [10, 10, 0, 22], [20, 14, 22, 0]]
    assert [order["service_seconds"] for order in document["work_orders"]] == [50, 50, 50]
    assert [engineer["parts"] for engineer in document["engineers"]] == [{"load": 20}, {"load": 20}]
    assert document["work_orders"][1]["time_windows"] == [
        {"start": "2026-01-05T00:03:20+00:00", "end": "2026-01-05T00:05:00+00:00"}
    ]
    # The depot closes at 100, before customer 3's due date of 120.
    assert document["work_orders"][2]["time_windows"][0]["end"] == "2026-01-05T00:16:40+00:00"


def test_a_vrptw_plan_costs_its_distance_in_tenths(tmp_path: Path) -> None:
    document = vrptw_document(read_vrptw(square_file(tmp_path)))
    result = judged(build_problem(document), document, routes(("c1", "c2"), ("c3",)))
    assert (result["feasible"], result["served"]) == (True, 3)
    assert result["total"] == (14 + 10 + 10) + (20 + 20)


def test_an_order_left_costs_more_than_any_detour_to_it(tmp_path: Path) -> None:
    document = vrptw_document(read_vrptw(square_file(tmp_path)))
    problem = build_problem(document)
    left, served = (judged(problem, document, routes(("c1", "c2"), *rest)) for rest in ((), (("c3",),)))
    assert left["total"] > served["total"]


def test_a_vehicle_carries_no_more_than_its_capacity(tmp_path: Path) -> None:
    document = vrptw_document(read_vrptw(square_file(tmp_path)))
    result = judged(build_problem(document), document, routes(("c1", "c2", "c3")))
    assert not result["feasible"]


@pytest.mark.parametrize("text", ["", "NAME\n\nVEHICLE\n", SQUARE.partition("CUST NO")[0], "a b c\n" * 9])
def test_a_file_of_another_format_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.txt is no VRPTW instance"):
        read_vrptw(path)


def test_best_known_distances_are_read_in_tenths(tmp_path: Path) -> None:
    table = "name,customers,cost_dimacs_trunc1\nC101,100,827.3\nR1_10_3,1000,44677.9\n"
    (tmp_path / "bks_dimacs_distance.csv").write_text(table, encoding="utf-8")
    assert best_known(tmp_path) == {"C101": 8273, "R1_10_3": 446779}


def test_documents_of_our_own_are_read_plain_and_compressed(tmp_path: Path) -> None:
    document = vrptw_document(read_vrptw(square_file(tmp_path)))
    plain, packed = tmp_path / "day.json", tmp_path / "day.json.gz"
    plain.write_text(json.dumps(document), encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_document(plain) == read_document(packed) == document


def test_a_document_with_issues_is_refused_with_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "day.json"
    path.write_text(json.dumps({"version": 1, "id": "x"}), encoding="utf-8")
    with pytest.raises(InvalidInput) as refusal:
        read_document(path)
    assert len(refusal.value.issues) > 1


def test_every_size_of_the_suite_comes_with_both_tightnesses_and_three_seeds() -> None:
    for instances in (synthetic_instances("hard"), synthetic_instances("rich")):
        assert len(instances) == len({instance.name for instance in instances}) == 4 * 2 * 3
        assert [instance.size for instance in instances[::6]] == [100, 300, 800, 2000]
    assert [instance.name for instance in synthetic_instances("scale")] == ["scale-5000-500", "scale-20000-2000"]


def test_the_digest_of_a_synthetic_day_tells_specifications_apart() -> None:
    digests = [instance.digest for instance in (*synthetic_instances("hard"), *synthetic_instances("rich"))]
    assert len(set(digests)) == len(digests)


def test_tracks_are_hard_or_everything() -> None:
    hard, rich = hard_spec(100, 1.1, 1), rich_spec(100, 1.1, 1)
    names = ("overtime", "breaks", "team_share", "skill_graph", "traffic", "matrix")
    assert not any(getattr(hard, name) for name in names)
    assert all(getattr(rich, name) for name in names)
    assert not scale_spec(5000).matrix


def test_the_sample_of_vrptw_instances_is_fixed_and_each_has_a_best_known_distance() -> None:
    require_reference()
    instances = vrptw_instances(reference_data())
    assert [instance.name for instance in instances] == [
        instance.name for instance in vrptw_instances(reference_data())
    ]
    sizes = [instance.size for instance in instances]
    assert {size: sizes.count(size) for size in sizes} == {100: 20, 200: 10, 600: 10, 1000: 10}
    assert all(instance.best_known for instance in instances)


def test_a_solomon_instance_has_all_its_rows_in_its_document() -> None:
    folder = require_reference()
    instance = read_vrptw(reference_data(str(folder)) / "vrptw_solomon" / "C101.txt")
    assert (instance.vehicles, instance.capacity, len(instance.customers)) == (25, 200, 101)
    assert check_problem(vrptw_document(instance)) == []


def test_absent_reference_data_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(NoReferenceData, match=rf"nowhere.*--data or {VARIABLE}"):
        reference_data()
