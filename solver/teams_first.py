"""Placing the teams that the kernel cannot hold before anything else, several times over: who found no room goes first
in the next round.

Teams are placed greedily, so what matters is the order. Each round takes the order of the cheapest round so far and
moves some of those it left out to the front ("squeaky wheel" optimization, Joslin and Clements 1999).
"""

from __future__ import annotations

from random import Random

from dispatcher.plan import Sequences
from dispatcher.problem import Problem
from solver.budget import Budget
from solver.compile_teams import is_searched
from solver.construction import Construction, regret
from solver.day_state import DayState
from solver.rank import Rank, rank_of
from solver.repair import served_by, without_breaches

MOST_ROUNDS = 40
SHARE_OF_TIME = 0.2
"""Share of the time limit after which no further round begins."""


def place_teams_first(problem: Problem, budget: Budget, seed: int) -> Sequences:
    """Running and pinned work, and as many teams that the search does not compose as the best round found room for."""
    chance = Random(seed)
    teams = [order.id for order in problem.work_orders if order.team and not is_searched(problem, order)]
    worth = DayState(problem)
    ranked = sorted(teams, key=lambda name: -worth.unserved_cost(problem.order_by_id[name]))
    best: tuple[Rank, Sequences, list[str], list[str]] | None = None
    counted = 0
    for number in range(MOST_ROUNDS):
        if number and (budget.stopped() is not None or budget.is_share_used(SHARE_OF_TIME)):
            break
        state = DayState(problem)
        Construction(state, budget, regret, lambda served: None).place_teams(ranked)
        sequences = without_breaches(problem, state.sequences())
        # What is placed over and over counts once.
        counted = counted if number else budget.iterations
        budget.iterations = counted
        rank = rank_of(problem, sequences)
        if best is None or rank < best[0]:
            served = served_by(sequences)
            best = (rank, sequences, ranked, [name for name in ranked if name not in served])
        if not best[3]:
            break
        front = chance.sample(best[3], chance.randint(1, len(best[3])))
        ranked = front + [name for name in best[2] if name not in front]
    assert best is not None
    return best[1]
