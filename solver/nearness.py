"""Who is near: the lists that keep the search from looking everywhere.

Near is only who matters: visits that nobody could serve both never change places, however close they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.compile_travel import TravelArrays

MOST_NEIGHBOURS = 100
MOST_SHIFTS = 16
MOST_KINDS = 4000
"""With more kinds of visits, by who may serve them, everybody is taken to serve every kind."""
_CHUNK = 512


def nearest_visits(
    travel: TravelArrays, places: NDArray[np.int64], singles: NDArray[np.int64], serving: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Of each of some visits the nearest others of them that one shift could serve with it, by the mean of both ways
    [V, K]; -1 where there are fewer. `serving` says which shifts could serve which visits [V, R]."""
    amount = len(singles)
    count = min(MOST_NEIGHBOURS, max(1, amount - 1))
    near = np.full((len(places), count), -1, dtype=np.int64)
    if amount < 2 or not serving.shape[1]:
        return near
    places = places[singles]
    kind_of, is_shared = _kinds(serving[singles])
    points = None if travel.has_matrix else travel.points()[places]
    for first in range(0, amount, _CHUNK):
        rows = slice(first, min(amount, first + _CHUNK))
        if points is None:
            apart = travel.apart[places[rows]][:, places].astype(np.float64)
            if not travel.is_symmetric:
                apart += travel.apart[:, places[rows]].T[:, places]
        else:
            apart = 1.0 - points[rows] @ points.T
        apart[~is_shared[kind_of[rows]][:, kind_of]] = np.inf
        numbers = np.arange(rows.start, rows.stop)
        apart[numbers - first, numbers] = np.inf
        chosen = np.argpartition(apart, count - 1, axis=1)[:, :count]
        distances = np.take_along_axis(apart, chosen, axis=1)
        # Equal distances by number: the same lists whatever the library's partition does.
        order = np.lexsort((chosen, distances), axis=1)
        found = singles[np.take_along_axis(chosen, order, axis=1)]
        near[singles[rows]] = np.where(np.isfinite(np.take_along_axis(distances, order, axis=1)), found, -1)
    return near


def _kinds(serving: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Visits by who may serve them: the kind of each [V], and which kinds some shift could serve both [K, K]."""
    rows, kind_of = np.unique(np.packbits(serving, axis=1), axis=0, return_inverse=True)
    if len(rows) > MOST_KINDS:
        return np.zeros(len(serving), dtype=np.int64), np.ones((1, 1), dtype=np.bool_)
    able = np.unpackbits(rows, axis=1).astype(np.float32)
    return kind_of.reshape(-1).astype(np.int64), able @ able.T > 0


def nearest_shifts(
    travel: TravelArrays, places: NDArray[np.int64], starts: NDArray[np.int64], serving: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Of each visit the shifts that may serve it, those that start nearest first [V, K]; -1 where there are fewer."""
    amount, shifts = serving.shape
    count = min(MOST_SHIFTS, max(1, shifts))
    near = np.full((amount, count), -1, dtype=np.int64)
    if not shifts:
        return near
    points = None if travel.has_matrix else travel.points()
    for first in range(0, amount, _CHUNK):
        rows = slice(first, min(amount, first + _CHUNK))
        if points is None:
            apart = travel.apart[starts][:, places[rows]].T.astype(np.float64)
        else:
            apart = 1.0 - points[places[rows]] @ points[starts].T
        apart[~serving[rows]] = np.inf
        order = np.argsort(apart, axis=1, kind="stable")[:, :count]
        near[rows] = np.where(np.isfinite(np.take_along_axis(apart, order, axis=1)), order, -1)
    return near
