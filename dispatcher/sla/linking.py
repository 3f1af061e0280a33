"""Which orders are one fault: those on the same machine, or on machines that belong to or hang on one another.

Orders that came in within a window are linked to one parent, and only the parent is dispatched. A person may set one
apart: it is then never linked again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from dispatcher.model import LEVELS, Level

AssetRelationType = Literal["part_of", "feeds"]
ASSET_RELATIONS: tuple[AssetRelationType, ...] = ("part_of", "feeds")

LINK_REASONS: Mapping[str, str] = {
    "SAME_ASSET": "both are about {asset}; reported {apart} apart",
    "PART_OF": "{asset} is part of {upstream}; reported {apart} apart",
    "FEEDS": "{upstream} feeds {asset}; reported {apart} apart",
    "HANGS_ON": "{asset} hangs on {upstream} by way of {through}; reported {apart} apart",
}


@dataclass(frozen=True, slots=True)
class AssetRelation:
    """`source` is part of `target`, or `source` feeds `target`."""

    type: AssetRelationType
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Reported:
    """An open work order about a machine; `movable` is False once somebody is on the way to it."""

    id: str
    asset: str
    opened_at: datetime
    level: Level
    movable: bool = True


@dataclass(frozen=True, slots=True)
class LinkReason:
    """A code of `LINK_REASONS` with its parameters."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        minutes = -(-int(str(self.params["apart_seconds"])) // 60)
        return LINK_REASONS[self.code].format(**self.params, apart=f"{minutes} min")


@dataclass(frozen=True, slots=True)
class Link:
    """`child` is the same fault as `parent` and waits with it."""

    child: str
    parent: str
    reason: LinkReason


def links(
    orders: Iterable[Reported],
    relations: Iterable[AssetRelation],
    window_seconds: int,
    apart: Collection[str] = (),
) -> tuple[Link, ...]:
    """Every child with its parent, by id of the child; parents are no children.

    The parent is the order on the machine that the others hang on; of several on it the most urgent, then the first
    reported, then by id. A child was reported at most `window_seconds` before or after its parent. Orders in `apart`
    stand alone.
    """
    upstream = _Upstream(relations)
    waiting = [order for order in orders if order.id not in apart]
    # Who has the fewest machines above comes first: nothing that hangs on another can take it as a child.
    waiting.sort(
        key=lambda item: (len(upstream.of(item.asset)), LEVELS.index(item.level), item.opened_at, item.id),
    )
    found: dict[str, Link] = {}
    for position, parent in enumerate(waiting):
        if parent.id in found:
            continue
        for child in waiting[position + 1 :]:
            seconds = abs(int((child.opened_at - parent.opened_at).total_seconds()))
            if child.id in found or not child.movable or seconds > window_seconds:
                continue
            reason = _reason(child, parent, upstream, seconds)
            if reason is not None:
                found[child.id] = Link(child.id, parent.id, reason)
    return tuple(found[name] for name in sorted(found))


def _reason(child: Reported, parent: Reported, upstream: _Upstream, seconds: int) -> LinkReason | None:
    if child.asset == parent.asset:
        return LinkReason("SAME_ASSET", {"asset": child.asset, "apart_seconds": seconds})
    way = upstream.of(child.asset).get(parent.asset)
    if way is None:
        return None
    params: dict[str, object] = {"asset": child.asset, "upstream": parent.asset, "apart_seconds": seconds}
    if len(way) == 1:
        return LinkReason(way[0][0].upper(), params)
    return LinkReason("HANGS_ON", {**params, "through": ", ".join(step[1] for step in way[:-1])})


class _Upstream:
    """The machines that a machine is part of or is fed by, over any number of steps."""

    def __init__(self, relations: Iterable[AssetRelation]) -> None:
        self._above: dict[str, list[tuple[AssetRelationType, str]]] = {}
        for relation in relations:
            lower, upper = relation.source, relation.target
            if relation.type == "feeds":
                lower, upper = upper, lower
            self._above.setdefault(lower, []).append((relation.type, upper))
        self._found: dict[str, Mapping[str, Sequence[tuple[AssetRelationType, str]]]] = {}

    def of(self, asset: str) -> Mapping[str, Sequence[tuple[AssetRelationType, str]]]:
        """Every machine above with the shortest way to it, step by step; machines in a circle are above each other."""
        if asset not in self._found:
            ways: dict[str, Sequence[tuple[AssetRelationType, str]]] = {asset: ()}
            pending = deque([asset])
            while pending:
                lower = pending.popleft()
                for step in sorted(self._above.get(lower, ())):
                    if step[1] not in ways:
                        ways[step[1]] = (*ways[lower], step)
                        pending.append(step[1])
            del ways[asset]
            self._found[asset] = ways
        return self._found[asset]
