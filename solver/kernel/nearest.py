"""The nearest of many, by a heap that keeps the few best so far."""

from __future__ import annotations

from solver.kernel.compiled import inlined, jit
from solver.kernel.layout import Bool, Float, Int64


@inlined
def sink(keys: Float, numbers: Int64, root: int, end: int) -> None:
    """Move an entry down a heap of the first `end` ones, the largest (key, number) on top."""
    key, number = keys[root], numbers[root]
    child = 2 * root + 1
    while child < end:
        after = child + 1
        if after < end and (keys[child], numbers[child]) < (keys[after], numbers[after]):
            child = after
        if (key, number) >= (keys[child], numbers[child]):
            break
        keys[root], numbers[root] = keys[child], numbers[child]
        root = child
        child = 2 * root + 1
    keys[root], numbers[root] = key, number


@jit
def keep_nearest(
    apart: Float,
    columns: Int64,
    first: int,
    kind_of: Int64,
    is_shared: Bool,
    keys: Float,
    numbers: Int64,
    near: Int64,
) -> None:
    """Write into each row of `near` [rows, K] who is nearest of those of a shared kind, and -1 where there are fewer.

    Row r of `apart` says how far places are from number `first` + r, who is not near itself; `columns` [V] is the place
    of each. Of equal ones the first count as nearer. `keys` and `numbers` [K] are for scratch.
    """
    most = near.shape[1]
    for row in range(apart.shape[0]):
        own, count = first + row, 0
        kind = kind_of[own]
        for other in range(len(columns)):
            distance = apart[row, columns[other]]
            if count == most and distance >= keys[0]:
                continue
            if other == own or not is_shared[kind, kind_of[other]]:
                continue
            if count < most:
                keys[count], numbers[count] = distance, other
                count += 1
                if count == most:
                    for root in range(most // 2 - 1, -1, -1):
                        sink(keys, numbers, root, most)
            else:
                keys[0], numbers[0] = distance, other
                sink(keys, numbers, 0, most)
        if count < most:
            for root in range(count // 2 - 1, -1, -1):
                sink(keys, numbers, root, count)
        for end in range(count - 1, 0, -1):
            keys[0], keys[end] = keys[end], keys[0]
            numbers[0], numbers[end] = numbers[end], numbers[0]
            sink(keys, numbers, 0, end)
        for place in range(most):
            near[row, place] = numbers[place] if place < count else -1
