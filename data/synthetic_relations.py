"""What ties the orders of a synthetic day to each other, to engineers and to work under way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from data.synthetic_city import LocalDay
from data.synthetic_fleet import Document, Stream
from data.synthetic_spec import FleetSpec
from data.synthetic_trade import Qualifier

SLOWEST_PACE, SPARE_SECONDS = 1.6, 5400
"""Running work has to be over in time to be home by the end of the shift, whoever does it."""
FIRST_START_HOURS, LAST_START_HOURS = 14, 15


def relate(
    spec: FleetSpec,
    stream: Stream,
    day: LocalDay,
    now: int,
    engineers: Sequence[Document],
    orders: Sequence[Document],
    qualifier: Qualifier,
) -> None:
    """Add related orders, dependencies, lists of engineers, pins and running work, as switched on."""
    if spec.associations:
        _associate(stream, orders)
    if spec.running:
        _run(stream, day, now, engineers, orders, qualifier)
    free = [order for order in orders if "pin" not in order]
    if spec.dependencies:
        _chain(stream, day, now, free)
    if spec.engineer_lists:
        _list_engineers(stream, engineers, free, qualifier)
    if spec.pins:
        _pin(stream, day, engineers, free, qualifier)


def _associate(stream: Stream, orders: Sequence[Document]) -> None:
    """Orders at one site belong together, and a few others do for reasons of their own."""
    rng = stream("associations")
    at_site: dict[str, list[str]] = {}
    for order in orders:
        at_site.setdefault(order["location"], []).append(order["id"])
    for order in orders:
        related = [name for name in at_site[order["location"]] if name != order["id"]]
        other = rng.choice(orders)["id"]
        if rng.random() < 0.06 and other not in (*related, order["id"]):
            related.append(other)
        if related:
            order["related_to"] = related


def _run(
    stream: Stream,
    day: LocalDay,
    now: int,
    engineers: Sequence[Document],
    orders: Sequence[Document],
    qualifier: Qualifier,
) -> None:
    """Some engineers have been at work for a while, each at one order of the morning."""
    rng = stream("running")
    free = [
        (order, qualifier.holders(order["required_skills"]))
        for order in orders
        if "team" not in order and "pin" not in order
    ]
    for engineer in engineers:
        begun = now - rng.randrange(5, 56) * 60
        chosen = rng.random() < 0.45
        on_shift = [
            shift for shift in engineer["shifts"] if _instant(shift["start"]) <= begun and now < _instant(shift["end"])
        ]
        if not chosen or len(on_shift) != 1:
            continue
        end, stock = _instant(on_shift[0]["end"]), engineer.get("parts", {})
        candidates = [
            order
            for order, holders in free
            if engineer["id"] in holders
            and "pin" not in order
            and all(stock.get(part, 0) > 0 for part in order.get("parts", {}))
            and begun + SLOWEST_PACE * order["service_seconds"] + SPARE_SECONDS <= end
        ]
        if candidates:
            order = rng.choice(candidates)
            order["pin"] = {"engineer": engineer["id"], "start": day.text(begun)}


def _chain(stream: Stream, day: LocalDay, now: int, orders: Sequence[Document]) -> None:
    """Now and then an order waits for an earlier one of the list, so there is never a circle."""
    rng = stream("dependencies")
    for index, order in enumerate(orders):
        waits, done = rng.random() < 0.08, rng.random() < 0.04
        other = orders[rng.randrange(index)] if index else None
        gap, limit = rng.choice((0, 0, 900, 1800)), rng.choice((None, None, 4 * 3600))
        finished = now - rng.randrange(1, 20) * 900
        if waits and other is not None:
            order["depends_on"] = [{"work_order": other["id"], "min_gap_seconds": gap, "max_gap_seconds": limit}]
        elif done:
            order["depends_on"] = [{"completed_at": day.text(finished), "min_gap_seconds": gap}]


def _list_engineers(
    stream: Stream, engineers: Sequence[Document], orders: Sequence[Document], qualifier: Qualifier
) -> None:
    """Customers have their usual engineers, and a few insist. Teams are left alone: they are scarce."""
    rng = stream("lists")
    everybody = [engineer["id"] for engineer in engineers]
    for order in orders:
        dice = rng.random()
        able = list(qualifier.holders(order["required_skills"]))
        rng.shuffle(able)
        if "team" in order or not able:
            continue
        if dice < 0.15:
            order["preferred_engineers"] = sorted(able[:2])
        elif dice < 0.19:
            order["allowed_engineers"] = sorted(able[:3])
        elif dice < 0.25 and len(everybody) > 2:
            order["excluded_engineers"] = sorted(rng.sample(everybody, 2))


def _pin(
    stream: Stream,
    day: LocalDay,
    engineers: Sequence[Document],
    orders: Sequence[Document],
    qualifier: Qualifier,
) -> None:
    """A few orders are promised to an engineer, some of them for two in the afternoon sharp."""
    rng = stream("pins")
    on_shift = {
        engineer["id"]
        for engineer in engineers
        if any(_covers(shift, day, FIRST_START_HOURS, LAST_START_HOURS) for shift in engineer["shifts"])
    }
    sharp: set[str] = set()
    for order in orders:
        chosen, timed = rng.random() < 0.05, rng.random() < 0.5
        able = [name for name in qualifier.holders(order["required_skills"]) if name in on_shift]
        if "allowed_engineers" in order:
            able = [name for name in able if name in order["allowed_engineers"]]
        if "excluded_engineers" in order:
            able = [name for name in able if name not in order["excluded_engineers"]]
        rng.shuffle(able)
        if not chosen or "team" in order or "depends_on" in order or not able:
            continue
        order["pin"] = {"engineer": able[0]}
        windows = order.get("time_windows") or []
        if (
            timed
            and able[0] not in sharp
            and all(_covers(w, day, FIRST_START_HOURS, FIRST_START_HOURS) for w in windows)
        ):
            sharp.add(able[0])
            order["pin"]["start"] = day.text(day.at(FIRST_START_HOURS))


def _covers(span: Document, day: LocalDay, first: float, last: float) -> bool:
    return _instant(span["start"]) <= day.at(first) and day.at(last) <= _instant(span["end"])


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
