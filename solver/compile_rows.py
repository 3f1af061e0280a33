"""Rows for the kernel's arrays, collected one by one or many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Rows:
    """Rows of one width laid end to end, of which others point to a stretch."""

    rows: list[list[int]] = field(default_factory=list)

    def add(self, rows: Iterable[Sequence[int]]) -> tuple[int, int]:
        """Append some; the numbers of the first of them and of the one after the last."""
        first = len(self.rows)
        self.rows.extend([*row] for row in rows)
        return first, len(self.rows)

    def array(self, width: int) -> NDArray[np.int64]:
        return table(self.rows, width)


def table(rows: Sequence[Sequence[int]], width: int) -> NDArray[np.int64]:
    """Rows as an array [len(rows), width]; without rows it keeps its width."""
    return np.array(rows or np.zeros((0, width)), dtype=np.int64).reshape(-1, width)


def flags(rows: Sequence[NDArray[np.bool_]], width: int) -> NDArray[np.bool_]:
    """Rows of truths as an array [len(rows), width]."""
    return np.array(rows or np.zeros((0, width)), dtype=np.bool_)
