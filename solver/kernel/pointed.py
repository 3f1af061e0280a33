"""Named arrays that compiled code takes as one pointer.

A named tuple of eighty arrays goes to a function as some six hundred numbers, each time: that is most of the work of
a small function, and most of its compilation. Here the numbers that describe the arrays lie in memory of their own,
and what is passed is where. How numba reads them is in `solver.kernel.pointer_type`; this module needs no compiler.

`NUMBA_DISABLE_JIT=1` leaves an ordinary object with arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

NO_OWNERS = (0, 0)


@dataclass(frozen=True)
class Pointed:
    """The base of dataclasses whose fields are all arrays; they may be written into and never replaced."""

    def __post_init__(self) -> None:
        # Two owners, items, bytes per item, data, then length and stride of each dimension: numba's `ArrayModel`.
        words: list[int] = []
        for field in fields(self):
            array: np.ndarray[Any, Any] = getattr(self, field.name)
            words += (*NO_OWNERS, array.size, array.itemsize, array.ctypes.data, *array.shape, *array.strides)
        object.__setattr__(self, "_words", np.array(words, dtype=np.int64))

    @property
    def address(self) -> int:
        """Where the descriptions of the arrays lie."""
        words: np.ndarray[Any, Any] = self.__dict__["_words"]
        return int(words.ctypes.data)
