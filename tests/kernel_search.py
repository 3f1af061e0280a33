"""A short search in a process of its own, for other settings of the compiler: `python -m tests.kernel_search 20`."""

import json
import sys

from data.synthetic import EVERYTHING, HARD_WINDOWS
from solver.compile import DEAR_PER_MILLE
from solver.kernel import compiled
from solver.kernel import layout as at
from tests.kernel_plans import synthetic_plan

SPECS = {
    "hard windows": (HARD_WINDOWS, DEAR_PER_MILLE),
    "everything": (EVERYTHING, DEAR_PER_MILLE),
    "everything dear": (EVERYTHING, 1000),
}


def found(iterations: int) -> dict[str, object]:
    """Routes and totals of small days after so many iterations; of one where each begins at something dear."""
    answer: dict[str, object] = {}
    for name, (spec, dear_per_mille) in SPECS.items():
        plan = synthetic_plan(spec, 1, orders=9, engineers=3)
        plan.case.numbers[at.DEAR_PER_MILLE] = dear_per_mille
        plan.searcher.run(iterations, 1e7, 1e4)
        answer[name] = [plan.searcher.routes(), plan.searcher.best().routes, plan.searcher.best_total]
    return answer


if __name__ == "__main__":
    print(json.dumps({"found": found(int(sys.argv[1])), "cache": str(compiled.CACHE_FOLDER)}))
