"""What the parts of the search are worth, and how long a start takes: the figures and what they leave behind."""

from dataclasses import replace

import pytest

from benchmarks import ablation, kernel, startup
from data.synthetic import DEMO, synthetic_problem
from solver import compile_sorting, search


def test_a_part_is_judged_by_the_mean_ratio_of_totals_over_days_and_seeds() -> None:
    usual, pool = (variant.name for variant in ablation.VARIANTS[:2])
    runs = [(kind, day, seed) for kind in "ab" for day in ablation.DAY_SEEDS for seed in ablation.SEEDS]
    totals = {(*run, usual): 100 for run in runs} | {(*run, pool): 102 if run[0] == "a" else 100 for run in runs}
    assert ablation.change(totals, pool, ["a"]) == pytest.approx(2.0)
    gain, error = ablation.change(totals, pool, ["a", "b"]), ablation.noise(totals, pool, ["a", "b"])
    assert 0.9 < gain < 1.0
    assert 0.2 < error < 0.4
    assert ablation.noise(totals, pool, ["a"]) == pytest.approx(0.0)
    assert ablation.dearer(totals, pool, ["a", "b"]) == f"{len(runs) // 2} of {len(runs) // 2}"
    assert (ablation.verdict(gain, error), ablation.verdict(gain, 1.1)) == ("earns its place", "within the noise")
    assert ablation.verdict(0.2, 0.1) == "not shown to be worth it"


@pytest.mark.parametrize("variant", ablation.VARIANTS, ids=lambda variant: variant.name)
def test_a_day_planned_without_a_part_leaves_the_search_as_it_was(variant: ablation.Variant) -> None:
    before = (search.RECOMBINED_AT, search.QUICK_SHARE, search.FIRST_TEMPERATURE, dict(compile_sorting.OWN_CHANCES))
    assert ablation.planned(synthetic_problem(replace(DEMO, orders=8, engineers=3)), 1, variant, 0.3) > 0
    after = (search.RECOMBINED_AT, search.QUICK_SHARE, search.FIRST_TEMPERATURE, dict(compile_sorting.OWN_CHANCES))
    assert after == before


def test_a_start_slower_than_wanted_is_called_so() -> None:
    found = startup.section(cold=61.0, whole=4.0, before=1.5, beside=2.5)
    assert "| 61.0 s | under 60 s | **not met** |" in found
    assert "| 1.5 s | under 2 s | met |" in found


def test_the_speed_of_the_kernel_is_iterations_over_seconds() -> None:
    speed = kernel.speed_of("a day", synthetic_problem(replace(DEMO, orders=8, engineers=3)), 0.2)
    assert speed.iterations >= kernel.SLICE_ITERATIONS
    assert speed.seconds >= 0.2
    shown = kernel.section([kernel.Speed("a day", 0.25, 30_000, 2.0, 7)])
    assert "| a day | 0.25 s | 15,000 | 67 µs | 7 |" in shown
