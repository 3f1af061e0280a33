"""Who is near: the lists that keep the search from looking everywhere.

Near is only who matters: visits that nobody could serve both never change places, however close they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.compile_travel import TravelArrays
from solver.kernel.layout import NONE
from solver.kernel.nearest import keep_nearest

MOST_NEIGHBOURS = 100
MOST_SHIFTS = 16
MOST_KINDS = 4000
"""With more kinds of visits, by who may serve them, everybody is taken to serve every kind."""
_CHUNK = 64
"""Visits looked at together."""


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
    columns = places if points is None else np.arange(amount)
    keys, numbers = np.zeros(count), np.zeros(count, dtype=np.int64)
    found = np.empty((_CHUNK, count), dtype=np.int64)
    # One block of distances for all: new memory for each would take longer than filling it.
    apart = np.empty((min(_CHUNK, amount), travel.places if points is None else amount))
    for first in range(0, amount, _CHUNK):
        rows = slice(first, min(amount, first + _CHUNK))
        own, block = found[: rows.stop - first], apart[: rows.stop - first]
        if points is None:
            for row, place in zip(block, places[rows].tolist(), strict=True):
                row[:] = travel.apart[place]
                if not travel.is_symmetric:
                    row += travel.apart[:, place]
        else:
            np.subtract(1.0, np.matmul(points[rows], points.T, out=block), out=block)
        keep_nearest(block, columns, first, kind_of, is_shared, keys, numbers, own)
        near[singles[rows]] = np.where(own < 0, NONE, singles[own])
    return near


def _kinds(serving: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Visits by who may serve them: the kind of each [V], and which kinds some shift could serve both [K, K]."""
    packed = np.packbits(serving, axis=1)
    kinds: dict[bytes, int] = {}
    kind_of = np.array([kinds.setdefault(row.tobytes(), len(kinds)) for row in packed], dtype=np.int64)
    if len(kinds) > MOST_KINDS:
        return np.zeros(len(serving), dtype=np.int64), np.ones((1, 1), dtype=np.bool_)
    _, firsts = np.unique(kind_of, return_index=True)
    able = serving[firsts].astype(np.float32)
    return kind_of, able @ able.T > 0


def nearest_shifts(
    travel: TravelArrays, places: NDArray[np.int64], starts: NDArray[np.int64], serving: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Of each visit the shifts that may serve it, those that start nearest first [V, K]; -1 where there are fewer."""
    amount, shifts = serving.shape
    count = min(MOST_SHIFTS, max(1, shifts))
    near = np.full((amount, count), -1, dtype=np.int64)
    if not shifts:
        return near
    points, from_starts = None, None
    if travel.has_matrix:
        from_starts = travel.apart[starts].astype(np.float64).T
    else:
        points = travel.points()
    for first in range(0, amount, _CHUNK):
        rows = slice(first, min(amount, first + _CHUNK))
        if points is None:
            assert from_starts is not None
            apart = from_starts[places[rows]]
        else:
            apart = 1.0 - points[places[rows]] @ points[starts].T
        apart[~serving[rows]] = np.inf
        chosen = _smallest(apart, count)
        keys = np.take_along_axis(apart, chosen, axis=1)
        order = np.argsort(keys, axis=1, kind="stable")
        near[rows] = np.take_along_axis(np.where(np.isfinite(keys), chosen, NONE), order, axis=1)
    return near


def _smallest(keys: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The columns of the smallest keys of each row, ascending; of equal keys the first [rows, count]."""
    last = np.partition(keys, count - 1, axis=1)[:, count - 1 : count]
    below, equal = keys < last, keys == last
    room = count - below.sum(axis=1, keepdims=True)
    chosen = below | (equal & (equal.cumsum(axis=1) <= room))
    return np.nonzero(chosen)[1].reshape(-1, count)
