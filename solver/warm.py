"""A problem of one order and one shift, on which every part of the kernel runs once (`python -m solver.warm`)."""

from __future__ import annotations

from collections.abc import Sequence
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
from solver.compile import arrangement_of, compile_problem
from solver.searcher import Searcher


class _NoTravel:
    """Everything is where it is (the port `TravelTimes`)."""

    tier = "matrix"
    has_meters = varies_with_time = may_speed_up = False

    def meters(self, origin: int, destination: int) -> int:  # noqa: ARG002
        return 0

    def seconds(self, origin: int, destination: int, departure: int, speed_factor: Exact) -> int:  # noqa: ARG002
        return 0

    def free_flow_row(self, origin: int, speed_factor: Exact) -> Sequence[int]:  # noqa: ARG002
        return [0]

    def drive_law(self) -> DriveLaw:
        return DriveLaw(1, 1, None, 0.0, (0,), (1,), 1)

    def units(self, places: Sequence[int]) -> Any:
        return np.zeros((len(places), len(places)), dtype=np.int32)

    def meters_between(self, places: Sequence[int]) -> Any:
        return self.units(places)


def run_once() -> None:
    """Compile the kernel, or load what was compiled before: two minutes, or a second."""
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
    compiled = compile_problem(problem, sequences, build_plan(problem, sequences))
    searcher = Searcher(compiled, arrangement_of(compiled, sequences), 1)
    searcher.place_all()
    searcher.run(10, 1000.0, 10.0)
    searcher.load(searcher.best())
    searcher.sequences()


if __name__ == "__main__":
    from solver.hybrid import warm_up

    warm_up(lambda _, text: print(f"{text.capitalize()} ...", flush=True))
