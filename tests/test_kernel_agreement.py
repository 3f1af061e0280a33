"""The search kernel and the reference evaluation agree on random plans of the whole format, to the last thousandth.

The first batches are looked at by default; `make test-full` looks at 2,000 plans.
"""

import pytest

from solver.kernel import layout as at
from solver.kernel.iterate import whole_total
from tests.kernel_plans import defects, leaves_nothing_out, random_plan, snapshot

BATCH = 20
BATCHES = 100
QUICK_BATCHES = 4
STEPS = 4


def disagreements(seed: int) -> list[str]:
    """Along a few iterations, taken and refused in turn, with whole and with short looks at the routes."""
    plan = random_plan(seed)
    found = [f"loaded: {text}" for text in plan.disagreements()]
    if plan.constant and leaves_nothing_out(plan):
        found.append(f"loaded: the kernel leaves out {plan.constant}")
    if seed % 3 == 0:
        plan.case.numbers[at.IS_SCANNED_WHOLE] = 0
    for number in range(STEPS):
        before = snapshot(plan)
        plan.reject()
        if snapshot(plan) != before:
            found.append(f"step {number}: what was refused is not as it was before")
        plan.blink_after((seed + number) % 5)
        plan.accept_any()
        if whole_total(plan.case, plan.day) != plan.searcher.total:
            found.append(
                f"step {number}: the routes cost {whole_total(plan.case, plan.day)}, not {plan.searcher.total}"
            )
        found += [f"step {number}: {text}" for text in [*defects(plan), *plan.disagreements()]]
    return [f"seed {seed}: {text}" for text in found]


@pytest.mark.parametrize(
    "batch", [pytest.param(number, marks=[pytest.mark.slow][: number >= QUICK_BATCHES]) for number in range(BATCHES)]
)
def test_kernel_and_evaluator_agree_on_plans_and_on_what_a_search_makes_of_them(batch: int) -> None:
    seeds = range(batch * BATCH, (batch + 1) * BATCH)
    assert [text for seed in seeds for text in disagreements(seed)] == []


@pytest.mark.parametrize("seed", [1088, 1157, 1869])
def test_they_agree_where_once_they_did_not(seed: int) -> None:
    """A team moved back after it had come to cost something else; teams tried that wait for others, and left out."""
    assert disagreements(seed) == []
