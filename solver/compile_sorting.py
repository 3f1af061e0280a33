"""In which orders the search takes visits up again: sort keys, each with its chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.compile_travel import TravelArrays
from solver.kernel import layout as at
from solver.kernel.layout import FAR_FUTURE, FAR_PAST

PAPER_CHANCES = {
    "most work or parts": 4.0,
    "farthest": 2.0,
    "nearest": 1.0,
    "shortest window": 2.0,
    "first opened": 2.0,
    "last closed": 2.0,
}
"""Of each order of the paper, how often it is taken, beside a random order."""
OWN_CHANCES = {"most valuable": 4.0, "most valuable per second": 4.0, "fewest who may come": 2.0}
"""Of each order that the paper, where every customer is served, has no use for."""
RANDOM_CHANCE = 4.0


def sort_arrays(
    visits: NDArray[np.int64],
    windows: NDArray[np.int64],
    parts: NDArray[np.int64],
    travel: TravelArrays,
    shifts: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The orders in which recreate may take visits, each with its chance; the last chance is that of a random order.

    Which there are, and how often each is taken, is in `PAPER_CHANCES` and `OWN_CHANCES`.
    """
    amount = len(visits)
    seconds = np.maximum(1, visits[:, at.SERVICE] + visits[:, at.SETUP]).astype(float)
    value = visits[:, at.WORTH].astype(float)
    home = travel.from_place(int(np.bincount(shifts[:, at.START_PLACE]).argmax())) if len(shifts) else np.zeros(1)
    far = home[visits[:, at.PLACE]] if len(shifts) else np.zeros(amount)
    opens, closes = np.full(amount, float(FAR_PAST)), np.full(amount, float(FAR_FUTURE))
    pieces = np.zeros(amount)
    for visit in range(amount):
        row = visits[visit]
        first, last = row[at.WINDOWS_FROM], row[at.WINDOWS_TO]
        if first < last:
            opens[visit], closes[visit] = windows[first, 0], windows[last - 1, 1]
        closes[visit] = min(closes[visit], row[at.START_BY], row[at.ARRIVE_BY], row[at.RESTORE_BY] - seconds[visit])
        pieces[visit] = parts[row[at.PARTS_FROM] : row[at.PARTS_TO], 1].sum()
    demand = pieces if pieces.any() else seconds
    by_name = {
        "most work or parts": -demand,
        "farthest": -far,
        "nearest": far,
        "shortest window": closes - opens,
        "first opened": opens,
        "last closed": -closes,
        "most valuable": -value,
        "most valuable per second": -value / seconds,
        "fewest who may come": visits[:, at.SCARCITY].astype(float),
    }
    chance_of = PAPER_CHANCES | OWN_CHANCES
    telling = [(keys, chance_of[name]) for name, keys in by_name.items() if amount and keys.min() < keys.max()]
    chances = np.cumsum([chance for _, chance in telling] + [RANDOM_CHANCE])
    keys = np.array([keys for keys, _ in telling] or np.zeros((0, max(1, amount))))
    return np.ascontiguousarray(keys, dtype=np.float64), chances / chances[-1]
