"""What is legal in a problem and hardly meant: told beside the answer, since nothing is refused for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.render_text import counted, listed
from dispatcher.validate_values import instant

Fields = Mapping[str, Any]


def problem_notices(document: Fields) -> Iterator[str]:
    """What a valid problem document says that its author should look at again, each in a sentence or two."""
    orders = document.get("work_orders") or ()
    empty = [order["id"] for order in orders if order.get("team") == {}]
    if empty:
        yield (
            f"{counted(len(empty), 'work order')} with an empty team, for which one engineer comes: {listed(empty)}. "
            "Name the roles where several have to come."
        )
    now = instant(document.get("now") or document["horizon"]["start"])
    assert now is not None
    missed = [order["id"] for order in orders if _is_missed(order, now)]
    if missed:
        yield (
            f"{counted(len(missed), 'work order')} that cannot be served any more, since all time windows ended "
            f"before now: {listed(missed)}."
        )


def _is_missed(order: Fields, now: int) -> bool:
    """Whether every window of an order has ended; work that is under way is bound by none."""
    begun = instant((order.get("pin") or {}).get("start"))
    ends = [instant(window["end"]) for window in order.get("time_windows") or ()]
    return bool(ends) and all(end is not None and end < now for end in ends) and (begun is None or begun >= now)
