"""What events are about, held in memory: the records that the log tells, found as events look for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dispatcher.services.state_values import ShiftKey
from dispatcher.services.state_visits import IN_HAND, WAITING, shift_key
from dispatcher.told_records import TOLD, Key, Values

LIVE = IN_HAND | WAITING


@dataclass(frozen=True, slots=True)
class Effects:
    """What an event changes: records by kind, whole as they are from now on, and keys of records that are gone."""

    written: Mapping[str, Sequence[Values]] = field(default_factory=dict)
    dropped: Mapping[str, Sequence[Key]] = field(default_factory=dict)


class LiveState:
    """Records by kind and key. All of them, or as many as an event looks at."""

    def __init__(self) -> None:
        self.records: dict[str, dict[Key, Values]] = {kind: {} for kind in TOLD}
        self._by_order: dict[str, set[str]] = {}
        self._by_engineer: dict[str, set[str]] = {}

    def find(self, kind: str, *key: str) -> Values | None:
        return self.records[kind].get(key)

    def visits_of(self, order: str) -> list[Values]:
        """All visits of an order, by id."""
        return self._visits(self._by_order.get(order, ()))

    def visits_by(self, engineer: str) -> list[Values]:
        """The live visits of an engineer, by id."""
        return self._visits(self._by_engineer.get(engineer, ()))

    def visits_in(self, key: ShiftKey) -> list[Values]:
        """The live visits of a shift, by id."""
        return [visit for visit in self.visits_by(key[0]) if shift_key(visit) == key]

    def write(self, kind: str, values: Mapping[str, Any]) -> None:
        """Put a record in the place of the one with its key."""
        record = TOLD[kind].complete(values)
        key = TOLD[kind].key_of(record)
        self.drop(kind, key)
        self.records[kind][key] = record
        if kind == "visit":
            self._by_order.setdefault(record["work_order"], set()).add(key[0])
            if record["status"] in LIVE:
                self._by_engineer.setdefault(record["engineer"], set()).add(key[0])

    def drop(self, kind: str, key: Key) -> None:
        """Forget a record, if there is one."""
        known = self.records[kind].pop(key, None)
        if known is not None and kind == "visit":
            self._by_order[known["work_order"]].discard(key[0])
            self._by_engineer.get(known["engineer"], set()).discard(key[0])

    def take(self, effects: Effects) -> None:
        """Change what an event changes."""
        for kind, records in effects.written.items():
            for values in records:
                self.write(kind, values)
        for kind, keys in effects.dropped.items():
            for key in keys:
                self.drop(kind, key)

    def _visits(self, names: Sequence[str] | set[str] | tuple[str, ...]) -> list[Values]:
        known = self.records["visit"]
        return [known[(name,)] for name in sorted(names)]


def differences(one: LiveState, other: LiveState) -> list[str]:
    """Where two states differ, record by record; empty where they are equal."""
    found = []
    for kind in TOLD:
        left, right = one.records[kind], other.records[kind]
        for key in sorted(left.keys() | right.keys()):
            if key not in right or key not in left:
                found.append(f"{kind} {'/'.join(key)} is only in the {'first' if key in left else 'second'}")
            elif left[key] != right[key]:
                names = [name for name in left[key] if left[key][name] != right[key][name]]
                found.append(f"{kind} {'/'.join(key)} differs in {', '.join(names)}")
    return found
