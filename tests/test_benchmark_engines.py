"""The comparison of engines: its figures are judged, and a further engine is a further column."""

from dataclasses import replace

from benchmarks.engines import Row, Run, headings, measure, section, summary
from data.synthetic import DEMO
from dispatcher.planning import SearchLimits


def row(seed: int, *totals: int | None) -> Row:
    names = ("insertion", "ortools", "third")
    runs = {
        name: Run(total, 9, 1.0, "feasible" if total else "refused: travel")
        for name, total in zip(names, totals, strict=False)
    }
    return Row("demo", 10, 2, seed, runs)


def test_every_plan_it_measures_has_passed_the_checker() -> None:
    found = measure("demo", replace(DEMO, orders=8, engineers=3), ("insertion", "ortools"), SearchLimits(0.2))
    assert {name: run.verdict for name, run in found.runs.items()} == {"insertion": "feasible", "ortools": "feasible"}
    assert len(found.cells()) == len(headings(("insertion", "ortools")))


def test_a_further_engine_is_a_further_column() -> None:
    names = ("insertion", "ortools", "third")
    found = section([row(1, 100, 90, 110)], names, 10, 0.5)
    assert "| day | orders | engineers | seed | insertion | ortools | ortools to insertion | third |" in found
    assert "50% of one core" in found
    assert "| demo | 10 | 2 | 1 | 100 (9) | 90 (9) | -10.0% | 110 (9) | +10.0% | feasible |" in found


def test_a_refused_problem_counts_for_no_engine() -> None:
    rows = [row(1, 100, 50), row(2, 100, None)]
    assert rows[1].cells()[4:] == ("100 (9)", "refused: travel", "–", "feasible, refused: travel")
    assert "better on 1 of 1 days, worse on 0; totals -50.0%" in summary(rows, ("insertion", "ortools"))
    assert all(run.is_right for run in rows[1].runs.values())
