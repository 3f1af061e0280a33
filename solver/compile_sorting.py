"""In which orders the search takes visits up again: sort keys, each with its chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.compile_travel import TravelArrays
from solver.kernel import layout as at
from solver.kernel.layout import FAR_FUTURE, FAR_PAST


def sort_arrays(
    visits: NDArray[np.int64],
    windows: NDArray[np.int64],
    parts: NDArray[np.int64],
    travel: TravelArrays,
    shifts: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The orders in which recreate may take visits, each with its chance; the last chance is that of a random order.

    Beside the paper's (random, demand, far, close, and for time windows length, start, end): value, value per second
    of work, and how few may come.
    """
    amount = len(visits)
    seconds = np.maximum(1, visits[:, at.SERVICE] + visits[:, at.SETUP]).astype(float)
    value = visits[:, at.UNSERVED].astype(float)
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
    candidates = [
        (-demand, 4.0),
        (-far, 2.0),
        (far, 1.0),
        (closes - opens, 2.0),
        (opens, 2.0),
        (-closes, 2.0),
        (-value, 4.0),
        (-value / seconds, 4.0),
        (visits[:, at.SCARCITY].astype(float), 2.0),
    ]
    telling = [(keys, chance) for keys, chance in candidates if amount and keys.min() < keys.max()]
    chances = np.cumsum([chance for _, chance in telling] + [4.0])
    keys = np.array([keys for keys, _ in telling] or np.zeros((0, max(1, amount))))
    return np.ascontiguousarray(keys, dtype=np.float64), chances / chances[-1]
