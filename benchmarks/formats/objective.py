"""Weights that leave only the rules a published objective consists of."""

from __future__ import annotations

from dispatcher.objective import make_weights


def only(**weights: int) -> dict[str, int]:
    """The weights given, and 0 for every other rule.

    Raises:
        KeyError: for a rule that does not exist.
    """
    known = make_weights()
    zeros = dict.fromkeys([*known.flat, *known.by_level], 0)
    unknown = weights.keys() - zeros.keys()
    if unknown:
        raise KeyError(f"no rule is called {', '.join(sorted(unknown))}")
    return zeros | weights
