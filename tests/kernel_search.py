"""A short search in a process of its own, for other settings of the compiler: `python -m tests.kernel_search 20`."""

import json
import sys

from data.synthetic import EVERYTHING, HARD_WINDOWS
from solver.kernel import compiled
from tests.kernel_plans import synthetic_plan

SPECS = {"hard windows": HARD_WINDOWS, "everything": EVERYTHING}


def found(iterations: int) -> dict[str, object]:
    """Routes and totals of two small days after so many iterations."""
    answer: dict[str, object] = {}
    for name, spec in SPECS.items():
        plan = synthetic_plan(spec, 1, orders=9, engineers=3)
        plan.searcher.run(iterations, 1e7, 1e4)
        answer[name] = [plan.searcher.routes(), plan.searcher.best().routes, plan.searcher.best_total]
    return answer


if __name__ == "__main__":
    print(json.dumps({"found": found(int(sys.argv[1])), "cache": str(compiled.CACHE_FOLDER)}))
