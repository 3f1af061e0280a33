"""Random numbers whose state is passed in: L'Ecuyer's combined generator (CACM 31, 1988), period 2.3e18.

Two products below 2^47 fit into signed 64 bits, so the compiled and the plain Python kernel draw the same.
"""

from __future__ import annotations

import math

from solver.kernel.compiled import inlined, jit
from solver.kernel.layout import Int64

_FIRST, _SECOND = 2147483563, 2147483399


def seed_dice(dice: Int64, seed: int) -> None:
    """Begin a sequence; any integer will do."""
    first = seed * 6364136223846793005 % (_FIRST - 1) + 1
    second = (seed + 1) * 1442695040888963407 % (_SECOND - 1) + 1
    for _ in range(8):
        first, second = 40014 * first % _FIRST, 40692 * second % _SECOND
    dice[0], dice[1] = first, second


@inlined
def throw(dice: Int64) -> float:
    """A number above 0 and below 1."""
    dice[0] = 40014 * dice[0] % 2147483563
    dice[1] = 40692 * dice[1] % 2147483399
    both = dice[0] - dice[1]
    if both < 1:
        both += 2147483562
    return float(both * 4.656613e-10)


@inlined
def below(dice: Int64, bound: int) -> int:
    """A whole number from 0 to bound - 1."""
    return int(throw(dice) * bound)


@jit
def steps_to_next(dice: Int64, probability: float) -> int:
    """How many trials until the next success, by the geometric distribution: one throw instead of many."""
    return int(math.log(throw(dice)) / math.log(1.0 - probability))
