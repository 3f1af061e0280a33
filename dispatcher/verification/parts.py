"""Parts out of the stock of shifts; a team pools what its on-site members carry."""

from fractions import Fraction

from dispatcher.verification.case import Case
from dispatcher.verification.facts import Engineer
from dispatcher.verification.values import plain

_ShiftKey = tuple[str, str]


def check_parts(case: Case) -> None:
    stocks: dict[str, _Stock] = {}
    for order in case.facts.orders.values():
        on_site = case.on_site(order)
        if not on_site or order.id in case.plan.unclear:
            continue
        shifts = {(service.engineer.id, service.route.shift.id): service.engineer for service in on_site}
        names = ", ".join(f"{engineer}/{shift}" for engineer, shift in shifts)
        for part, quantity in order.parts.items():
            short = stocks.setdefault(part, _Stock(part)).take(order.id, shifts, quantity)
            if short:
                case.findings.add(
                    "parts",
                    "STOCK_EXCEEDED",
                    on_site[0].stop.path,
                    "{work_order} needs {needed} of {part}, but beside other orders {shifts} can give it only {left}.",
                    work_order=order.id,
                    part=part,
                    needed=plain(quantity),
                    left=plain(quantity - short),
                    shifts=names,
                )


class _Stock:
    """One part in all shifts, as a flow from orders to shifts.

    An order that finds its shifts empty may send an order served before it to the shift of another of that
    order's members: an augmenting path.
    """

    def __init__(self, part: str) -> None:
        self._part = part
        self._left: dict[_ShiftKey, Fraction] = {}
        self._shifts_of: dict[str, list[_ShiftKey]] = {}
        self._taken: dict[_ShiftKey, dict[str, Fraction]] = {}

    def take(self, order: str, shifts: dict[_ShiftKey, Engineer], quantity: Fraction) -> Fraction:
        """Takes what there is; returns what is missing."""
        for key, engineer in shifts.items():
            self._left.setdefault(key, engineer.parts.get(self._part, Fraction(0)))
            self._taken.setdefault(key, {})
        self._shifts_of[order] = list(shifts)
        while quantity > 0:
            moved = self._augment(order, quantity)
            if moved == 0:
                return quantity
            quantity -= moved
        return quantity

    def _augment(self, order: str, quantity: Fraction) -> Fraction:
        """Pushes along one shortest path from the order to a shift with stock left."""
        came_from: dict[_ShiftKey, tuple[str, _ShiftKey | None]] = {}
        queue: list[tuple[str, _ShiftKey | None]] = [(order, None)]
        for asking, given_up in queue:
            for key in self._shifts_of[asking]:
                if key in came_from:
                    continue
                came_from[key] = (asking, given_up)
                if self._left[key] > 0:
                    return self._push(came_from, key, quantity)
                queue.extend((other, key) for other, amount in self._taken[key].items() if amount > 0)
        return Fraction(0)

    def _push(
        self, came_from: dict[_ShiftKey, tuple[str, _ShiftKey | None]], last: _ShiftKey, quantity: Fraction
    ) -> Fraction:
        steps: list[tuple[str, _ShiftKey, _ShiftKey | None]] = []
        key: _ShiftKey | None = last
        while key is not None:
            asking, given_up = came_from[key]
            steps.append((asking, key, given_up))
            key = given_up
        amount = min(
            [quantity, self._left[last]]
            + [self._taken[given_up][asking] for asking, _, given_up in steps if given_up is not None]
        )
        self._left[last] -= amount
        for asking, taken, given_up in steps:
            self._taken[taken][asking] = self._taken[taken].get(asking, Fraction(0)) + amount
            if given_up is not None:
                self._taken[given_up][asking] -= amount
        return amount
