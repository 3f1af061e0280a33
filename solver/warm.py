"""A problem of one order and one shift, on which every part of the kernel runs once (`python -m solver.warm`).

What there is not yet is compiled by two processes: what composes teams and what takes visits out by one, the rest by
the other. They meet in the folder that compiled code is kept in.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from dispatcher.model import Engineer, Exact, Location, Shift, WorkOrder
from dispatcher.objective import make_weights
from dispatcher.plan import Sequences
from dispatcher.ports import DriveLaw
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from skills.graph import SkillGraph
from solver.compile import Compiled, arrangement_of, compile_problem
from solver.day_arrays import make_day
from solver.kernel.change import insert, settle, take_back
from solver.kernel.compiled import CACHE_FOLDER, cache_folder, compile_for, is_warm, note_warm
from solver.kernel.compose import compose
from solver.kernel.iterate import begin, changed_total, driven, remember, search, start
from solver.kernel.nearest import keep_nearest
from solver.kernel.recreate import best_place, choose_candidates, rank_candidates
from solver.kernel.ruin import ruin
from solver.kernel.schedule import trace_all
from solver.kernel.seating import pull_forward
from solver.searcher import Searcher

_FIRST_HALF = "first-half"


class _NoTravel:
    """Everything is where it is (the port `TravelTimes`)."""

    tier = "matrix"
    has_meters = varies_with_time = may_speed_up = False

    def meters(self, origin: int, destination: int) -> int:
        return 0

    def seconds(self, origin: int, destination: int, departure: int, speed_factor: Exact) -> int:
        return 0

    def leg(self, origin: int, destination: int, speed_factor: Exact) -> Callable[[int], int]:
        return lambda _: 0

    def free_flow_row(self, origin: int, speed_factor: Exact) -> Sequence[int]:
        return [0]

    def drive_law(self) -> DriveLaw:
        return DriveLaw(1, 1, None, 0.0, (0,), (1,), 1)

    def units(self, places: Sequence[int]) -> Any:
        return np.zeros((len(places), len(places)), dtype=np.int32)

    def meters_between(self, places: Sequence[int]) -> Any:
        return self.units(places)


def run_once() -> None:
    """Compile the kernel, or load what was compiled before: a minute, or a second."""
    compiled = _compiled()
    # A folder of this process alone cannot be met in.
    if not is_warm() and cache_folder() == CACHE_FOLDER:
        # What it could not compile is compiled below.
        with subprocess.Popen([sys.executable, "-m", "solver.warm", _FIRST_HALF]) as other:
            try:
                _compile_second_half(compiled)
            except BaseException:
                other.kill()
                raise
    searcher = Searcher(compiled, arrangement_of(compiled, Sequences()), 1)
    searcher.place_all()
    searcher.run(10, 1000.0, 10.0)
    searcher.load(searcher.best())
    searcher.sequences()
    note_warm()


def _compile_first_half(compiled: Compiled) -> None:
    case, day = compiled.case, make_day(compiled)
    # First what the other half is to find in the folder.
    compile_for(ruin, case, day, 0, False)
    compile_for(pull_forward, case, day, 0)
    compile_for(take_back, case, day)
    compile_for(changed_total, case, day, 0, 0)
    compile_for(settle, case, day, 0)
    compile_for(compose, case, day, 0, True)
    whole, halves = np.zeros((1, 1), dtype=np.int64), np.zeros((1, 1))
    compile_for(keep_nearest, halves, whole[0], 0, whole[0], whole > 0, halves[0], whole[0], whole)


def _compile_second_half(compiled: Compiled) -> None:
    case, day = compiled.case, make_day(compiled)
    for function in (begin, start, remember, driven):
        compile_for(function, case, day)
    compile_for(trace_all, case, day, np.zeros((1, 1), dtype=np.int64))
    compile_for(choose_candidates, case, day, 0)
    compile_for(rank_candidates, case, day, 0)
    compile_for(best_place, case, day, 0, 0)
    compile_for(insert, case, day, 0, 0, 0)
    compile_for(search, case, day, 0, 1.0, 1.0, 0)


def _compiled() -> Compiled:
    problem = Problem(
        id="warm",
        timezone=ZoneInfo("UTC"),
        now=0,
        start=0,
        end=3600,
        locations=(Location("here"),),
        engineers=(Engineer("E1", (Shift("day", 0, 3600, 3600, "here", "here"),)),),
        work_orders=(WorkOrder("W1", "here", 60),),
        skill_graph=SkillGraph((), ()),
        travel=_NoTravel(),
        weights=make_weights(),
    )
    sequences = Sequences()
    return compile_problem(problem, sequences, build_plan(problem, sequences))


if __name__ == "__main__":
    if sys.argv[1:] == [_FIRST_HALF]:
        _compile_first_half(_compiled())
    else:
        from solver.hybrid import warm_up

        warm_up(lambda _, text: print(f"{text.capitalize()} ...", flush=True))
