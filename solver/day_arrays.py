"""The arrays one thread of the search changes: a plan in the making, and room to take changes back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.compile import Compiled
from solver.kernel import layout as at
from solver.kernel.layout import FAR_FUTURE, FAR_PAST, NONE, Case, Day

MOST_TOUCHED = 1024
"""Routes that one iteration may change; whoever is asked to stand by counts too."""
MOST_STOPS = 400
"""Work stops one shift may have; more are not planned by the kernel."""


def make_day(compiled: Compiled) -> Day:
    """Empty arrays for one thread."""
    case = compiled.case
    amount, shifts = len(case.visits), len(case.shifts)
    longest = max(1, min(amount, MOST_STOPS))
    columns = at.FIRST_LABEL + at.LABEL_COLUMNS * int(case.numbers[at.LABELS])
    slots = max(1, min(shifts, MOST_TOUCHED))
    routes = np.zeros((shifts, at.ROUTE_COLUMNS), dtype=np.int64)
    routes[:, at.STAY_FROM], routes[:, at.STAY_FOR] = FAR_FUTURE, NONE
    return Day(
        sequence=np.zeros((shifts, longest), dtype=np.int64),
        labels=np.zeros((shifts, longest + 2, columns), dtype=np.int64),
        routes=routes,
        standing=_empty_standing(amount),
        stock=case.stock.copy(),
        bank=np.zeros(max(1, amount), dtype=np.int64),
        counts=np.zeros(at.COUNTS, dtype=np.int64),
        dice=np.zeros(2, dtype=np.int64),
        work=np.zeros((8, max(columns, longest + 2)), dtype=np.int64),
        saved_sequence=np.zeros((slots, longest), dtype=np.int64),
        saved_labels=np.zeros((slots, longest + 2, columns), dtype=np.int64),
        saved_routes=np.zeros((slots, at.ROUTE_COLUMNS), dtype=np.int64),
        saved_stock=np.zeros((slots, case.stock.shape[1]), dtype=np.int64),
        touched=np.full(shifts, NONE, dtype=np.int64),
        touched_list=np.zeros(slots, dtype=np.int64),
        queue=np.zeros(max(1, shifts), dtype=np.int64),
        removed=np.zeros(max(1, amount), dtype=np.int64),
        inserted=np.zeros(max(1, 2 * amount), dtype=np.int64),
        order=np.zeros(max(1, amount), dtype=np.int64),
        first_order=_first_order(case),
        keys=np.zeros(max(1, amount), dtype=np.float64),
        ranks=np.zeros(max(1, amount), dtype=np.int64),
        looked=np.zeros(max(1, shifts), dtype=np.int64),
        barred=np.zeros(at.MOST_BARRED, dtype=np.int64),
        stamps=np.zeros(2 * shifts + amount + 1, dtype=np.int64),
        marks=np.zeros(amount, dtype=np.int64),
        best_sequence=np.zeros((shifts, longest), dtype=np.int64),
        best_lengths=np.zeros(shifts, dtype=np.int64),
        dirty=np.ones(shifts, dtype=np.bool_),
        busy=np.zeros(max(1, int(case.numbers[at.ENGINEERS])), dtype=np.int64),
        teams=np.zeros((len(case.teams), at.TEAM_STATE_COLUMNS), dtype=np.int64),
        saved_teams=np.zeros((len(case.teams), at.TEAM_STATE_COLUMNS), dtype=np.int64),
        saved_seats=np.zeros((amount, 4), dtype=np.int64),
        changed=np.zeros(len(case.teams), dtype=np.bool_),
        changed_list=np.zeros(len(case.teams), dtype=np.int64),
        best_held=np.full(amount, NONE, dtype=np.int64),
        best_stays=routes[:, at.STAY_FROM : at.STAY_FOR + 1].copy(),
        offers=np.zeros((at.MOST_ROLES, at.MOST_OFFERS, at.OFFER_COLUMNS), dtype=np.int64),
        likely=np.zeros((at.MOST_ROLES, at.MOST_OFFERS, at.OFFER_COLUMNS), dtype=np.int64),
        amounts=np.zeros((6, at.MOST_ROLES), dtype=np.int64),
        instants=np.zeros((at.MOST_STARTS, 3), dtype=np.int64),
        crew=np.zeros((at.MOST_SEATS, 5), dtype=np.int64),
        functions=np.zeros(at.FUNCTIONS, dtype=np.int64),
    )


def _first_order(case: Case) -> NDArray[np.int64]:
    """A first plan takes the most valuable visits first, of these the most urgent; what waits comes after the rest."""
    visits = case.visits
    urgent = np.minimum(visits[:, at.START_BY], visits[:, at.NOT_AFTER])
    waits = visits[:, at.BEFORE_FROM] < visits[:, at.BEFORE_TO]
    order = np.lexsort((urgent, -visits[:, at.UNSERVED], waits)).astype(np.int64)
    # A team is taken up by its head.
    is_other = visits[:, at.TEAM] >= 0
    is_other[case.teams[:, at.HEAD]] = False
    return order[~is_other[order]]


def _empty_standing(amount: int) -> NDArray[np.int64]:
    standing = np.zeros((amount, at.STANDING_COLUMNS), dtype=np.int64)
    standing[:, at.ROUTE] = standing[:, at.BANK_PLACE] = NONE
    standing[:, at.FLOOR] = standing[:, at.END_FLOOR] = FAR_PAST
    standing[:, at.CEILING] = standing[:, at.END_CEILING] = FAR_FUTURE
    standing[:, at.HELD] = standing[:, at.PAYS] = NONE
    return standing
