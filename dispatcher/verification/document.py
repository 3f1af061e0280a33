"""A plan document, read shape first: what is missing or mistyped is a finding, never an exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from dispatcher.verification.facts import Engineer, Facts, Order, Shift
from dispatcher.verification.findings import Findings
from dispatcher.verification.values import instant, number, whole

LATE_CLAIMS = ("late_arrival_seconds", "late_start_seconds", "late_restore_seconds")

_PLAN = frozenset({"version", "problem_id", "created_at", "score", "routes", "teams", "unassigned", "receipt"})
_ROUTE = frozenset({"engineer", "shift", "stops"})
_LEG = frozenset({"location", "travel_seconds", "travel_meters", "arrival"})
_STOPS = {
    "start": frozenset({"kind", "location", "end"}),
    "work_order": _LEG | {"kind", "work_order", "role", "start", "end", "pinned", *LATE_CLAIMS},
    "break": frozenset({"kind", "start", "end"}),
    "end": _LEG | {"kind"},
}
_ANY_STOP = frozenset().union(*_STOPS.values())
_TEAM = frozenset({"work_order", "start", "members", "standby"})
_MEMBER = frozenset({"engineer", "role"})
_UNASSIGNED = frozenset({"work_order", "reasons", "cheapest_fix", "reasons_left_out"})
_REASON = frozenset({"engineer", "code", "params", "message"})
_FIX = _REASON | {"amount_seconds"}
_SCORE = frozenset({"total", "terms"})
_TERM = frozenset({"rule", "amount", "unit", "cost"})
_RECEIPT_TEXTS = ("engine", "stopped_by", "problem_sha256")
_RECEIPT_WHOLES = ("threads", "iterations")
_RECEIPT_NUMBERS = ("seed", "elapsed_seconds", "lower_bound", "gap")


@dataclass(slots=True)
class Stop:
    """One well-shaped stop. A start stop has only an `end`; the end stop starts and ends when it arrives."""

    path: str
    kind: str
    order: Order | None = None
    role: str | None = None
    location: str = ""
    travel_seconds: int = 0
    travel_meters: int | None = None
    arrival: int = 0
    start: int = 0
    end: int = 0
    late: dict[str, int] = field(default_factory=dict)
    pinned: bool | None = None


@dataclass(slots=True)
class Route:
    path: str
    engineer: Engineer
    shift: Shift
    stops: list[Stop]

    @property
    def start(self) -> int:
        return self.stops[0].end

    @property
    def end(self) -> int:
        """Arrival at the end stop; on an open route the end of the last stop."""
        return self.stops[-1].end

    @property
    def work(self) -> list[Stop]:
        return [stop for stop in self.stops if stop.order is not None]


@dataclass(frozen=True, slots=True)
class Member:
    path: str
    engineer: Engineer
    role: str


@dataclass(frozen=True, slots=True)
class TeamEntry:
    path: str
    order: Order
    start: int
    members: tuple[Member, ...]
    standby: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class StatedTerm:
    path: str
    rule: str
    amount: Fraction
    cost: Fraction
    amount_as_written: object
    cost_as_written: object
    unit: str | None


@dataclass(frozen=True, slots=True)
class StatedScore:
    """Without `lists_terms` only the total was stated."""

    total: int
    terms: tuple[StatedTerm, ...]
    lists_terms: bool


@dataclass(slots=True)
class Plan:
    """The readable part of a plan document.

    `unclear` are the orders on routes that could not be read, so that nothing can be said about all their
    stops together; `unread_teams` those whose team entry could not. `complete`: every route was read.
    """

    routes: list[Route] = field(default_factory=list)
    teams: list[TeamEntry] = field(default_factory=list)
    unassigned: list[tuple[str, Order]] = field(default_factory=list)
    score: StatedScore | None = None
    problem_id: object = None
    problem_sha256: str | None = None
    unclear: set[str] = field(default_factory=set)
    unread_teams: set[str] = field(default_factory=set)
    complete: bool = True


def read_plan(document: object, facts: Facts, findings: Findings) -> Plan:
    return _Reader(facts, findings).plan(document)


def _at(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


class _Reader:
    """Every method returns None for what it could not read, and has reported it then.

    `_broken` counts what was missing or mistyped, so that a caller knows whether a part is whole; an unknown
    field is a finding that leaves the rest readable.
    """

    def __init__(self, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._broken = 0

    def plan(self, document: object) -> Plan:
        plan = Plan()
        body = self._object(document, "", _PLAN)
        if body is None:
            plan.complete = False
            return plan
        version = body.get("version")
        if isinstance(version, bool) or version != 1:
            self._wrong("version", "the number 1", version)
        plan.problem_id = self._text(body, "problem_id", "", optional=True)
        if body.get("created_at") is not None:
            self._instant(body, "created_at", "")
        for path, raw in self._list(body, "routes", ""):
            self._route(raw, path, plan)
        if not isinstance(body.get("routes"), list | None):
            plan.complete = False
        for path, raw in self._list(body, "teams", ""):
            self._team(raw, path, plan)
        for path, raw in self._list(body, "unassigned", ""):
            self._unassigned(raw, path, plan)
        if body.get("score") is not None:
            plan.score = self._score(body["score"])
        if body.get("receipt") is not None:
            plan.problem_sha256 = self._receipt(body["receipt"])
        return plan

    # Values

    def _wrong(self, path: str, expected: str, found: object) -> None:
        self._broken += 1
        self._findings.add(
            "structure",
            "MISSING" if found is None else "WRONG_VALUE",
            path,
            "{where} should be {expected}, but is {stated}.",
            where=path or "The plan",
            expected=expected,
            stated=_shown(found),
        )

    def _unknown(self, code: str, path: str, kind: str, name: str) -> None:
        self._broken += 1
        message = "{where} names the {kind} {id}, which the problem does not have."
        self._findings.add("structure", code, path, message, where=path, kind=kind, id=name)

    def _object(
        self, value: object, path: str, known: frozenset[str] | None, elsewhere: frozenset[str] = frozenset()
    ) -> Mapping[str, Any] | None:
        """`elsewhere` are fields that belong to a sibling and may stand here as long as they are null."""
        if not isinstance(value, Mapping):
            self._wrong(path, "an object", value)
            return None
        if known is None or value.keys() <= known:
            return value
        for key in value:
            if key in known or (key in elsewhere and value[key] is None):
                continue
            self._findings.add(
                "structure",
                "UNKNOWN_FIELD",
                _at(path, str(key)),
                "{where} has the unknown field {field}; it knows {known}.",
                where=path or "The plan",
                field=str(key),
                known=", ".join(sorted(known)),
            )
        return value

    def _list(self, body: Mapping[str, Any], key: str, path: str) -> list[tuple[str, Any]]:
        value, where = body.get(key), _at(path, key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self._wrong(where, "a list", value)
            return []
        return [(_at(where, index), item) for index, item in enumerate(value)]

    def _text(self, body: Mapping[str, Any], key: str, path: str, *, optional: bool = False) -> str | None:
        value = body.get(key)
        if isinstance(value, str) and value:
            return value
        if value is not None or not optional:
            self._wrong(_at(path, key), "a non-empty string", value)
        return None

    def _instant(self, body: Mapping[str, Any], key: str, path: str) -> int:
        found = instant(body.get(key))
        if found is None:
            self._wrong(_at(path, key), "an ISO 8601 instant with an offset and whole seconds", body.get(key))
            return 0
        return found

    def _whole(self, body: Mapping[str, Any], key: str, path: str, *, optional: bool = False) -> int | None:
        value = body.get(key)
        if value is None and optional:
            return None
        found = whole(value)
        if found is None or found < 0:
            self._wrong(_at(path, key), "a whole number, 0 or more", value)
            return None
        return found

    def _number(self, body: Mapping[str, Any], key: str, path: str) -> Fraction | None:
        found = number(body.get(key))
        if found is None:
            self._wrong(_at(path, key), "a finite number", body.get(key))
        return found

    def _location(self, body: Mapping[str, Any], path: str) -> str:
        name = self._text(body, "location", path)
        if name is not None and name not in self._facts.locations:
            self._unknown("UNKNOWN_LOCATION", _at(path, "location"), "location", name)
        return name or ""

    def _order(self, body: Mapping[str, Any], path: str) -> Order | None:
        name = self._text(body, "work_order", path)
        if name is None:
            return None
        order = self._facts.orders.get(name)
        if order is None:
            self._unknown("UNKNOWN_WORK_ORDER", _at(path, "work_order"), "work order", name)
        return order

    def _engineer(self, body: Mapping[str, Any], path: str, *, optional: bool = False) -> Engineer | None:
        name = self._text(body, "engineer", path, optional=optional)
        if name is None:
            return None
        engineer = self._facts.engineers.get(name)
        if engineer is None:
            self._unknown("UNKNOWN_ENGINEER", _at(path, "engineer"), "engineer", name)
        return engineer

    # Routes

    def _route(self, raw: object, path: str, plan: Plan) -> None:
        before = self._broken
        body = self._object(raw, path, _ROUTE)
        if body is None:
            plan.complete = False
            return
        engineer = self._engineer(body, path)
        shift = self._shift(body, path, engineer)
        stops = [self._stop(raw_stop, stop_path) for stop_path, raw_stop in self._list(body, "stops", path)]
        if self._broken == before and engineer is not None and shift is not None:
            plan.routes.append(Route(path, engineer, shift, stops))
        else:
            plan.complete = False
            plan.unclear.update(stop.order.id for stop in stops if stop.order is not None)

    def _shift(self, body: Mapping[str, Any], path: str, engineer: Engineer | None) -> Shift | None:
        name = self._text(body, "shift", path)
        if name is None or engineer is None:
            return None
        shift = engineer.shifts.get(name)
        if shift is None:
            self._unknown("UNKNOWN_SHIFT", _at(path, "shift"), f"shift of {engineer.id}", name)
        return shift

    def _stop(self, raw: object, path: str) -> Stop:
        stop = Stop(path, "")
        kind = raw.get("kind") if isinstance(raw, Mapping) else None
        if isinstance(raw, Mapping) and not (isinstance(kind, str) and kind in _STOPS):
            self._wrong(_at(path, "kind"), "one of start, work_order, break, end", kind)
            return stop
        body = self._object(raw, path, _STOPS.get(kind or ""), _ANY_STOP)
        if body is None or kind is None:
            return stop
        stop.kind = kind
        if kind != "break":
            stop.location = self._location(body, path)
        if kind in ("work_order", "end"):
            stop.travel_seconds = self._whole(body, "travel_seconds", path) or 0
            stop.travel_meters = self._whole(body, "travel_meters", path, optional=True)
            stop.arrival = self._instant(body, "arrival", path)
        if kind in ("work_order", "break"):
            stop.start = self._instant(body, "start", path)
        stop.end = stop.arrival if kind == "end" else self._instant(body, "end", path)
        if kind == "end":
            stop.start = stop.arrival
        if kind == "work_order":
            self._work(body, path, stop)
        return stop

    def _work(self, body: Mapping[str, Any], path: str, stop: Stop) -> None:
        stop.order = self._order(body, path)
        stop.role = self._text(body, "role", path, optional=True)
        for claim in LATE_CLAIMS:
            seconds = self._whole(body, claim, path, optional=True)
            if seconds is not None:
                stop.late[claim] = seconds
        pinned = body.get("pinned")
        if isinstance(pinned, bool):
            stop.pinned = pinned
        elif pinned is not None:
            self._wrong(_at(path, "pinned"), "true or false", pinned)

    # Teams and what is left over

    def _team(self, raw: object, path: str, plan: Plan) -> None:
        before = self._broken
        body = self._object(raw, path, _TEAM)
        if body is None:
            return
        order = self._order(body, path)
        start = self._instant(body, "start", path)
        members = self._members(body, "members", path)
        standby = self._members(body, "standby", path)
        if order is not None and self._broken == before:
            plan.teams.append(TeamEntry(path, order, start, members, standby))
        elif order is not None:
            plan.unread_teams.add(order.id)

    def _members(self, body: Mapping[str, Any], key: str, path: str) -> tuple[Member, ...]:
        members = []
        for where, raw in self._list(body, key, path):
            member = self._object(raw, where, _MEMBER)
            if member is None:
                continue
            engineer, role = self._engineer(member, where), self._text(member, "role", where)
            if engineer is not None and role is not None:
                members.append(Member(where, engineer, role))
        return tuple(members)

    def _unassigned(self, raw: object, path: str, plan: Plan) -> None:
        body = self._object(raw, path, _UNASSIGNED)
        if body is None:
            return
        order = self._order(body, path)
        if order is not None:
            plan.unassigned.append((path, order))
        for where, reason in self._list(body, "reasons", path):
            self._reason(reason, where, _REASON)
        self._whole(body, "reasons_left_out", path, optional=True)
        if body.get("cheapest_fix") is not None:
            self._reason(body["cheapest_fix"], _at(path, "cheapest_fix"), _FIX)

    def _reason(self, raw: object, path: str, known: frozenset[str]) -> None:
        body = self._object(raw, path, known)
        if body is None:
            return
        self._text(body, "code", path)
        self._engineer(body, path, optional=True)
        self._text(body, "message", path, optional=True)
        if not isinstance(body.get("params"), Mapping | None):
            self._wrong(_at(path, "params"), "an object", body["params"])
        self._whole(body, "amount_seconds", path, optional=True)

    # Score and receipt

    def _score(self, raw: object) -> StatedScore | None:
        body = self._object(raw, "score", _SCORE)
        if body is None:
            return None
        total = self._number(body, "total", "score")
        if total is not None and total.denominator != 1:
            self._wrong("score.total", "a whole number", body["total"])
            total = None
        terms = [self._term(term, path) for path, term in self._list(body, "terms", "score")]
        readable = tuple(term for term in terms if term is not None)
        if total is None or len(readable) < len(terms):
            return None
        return StatedScore(total.numerator, readable, body.get("terms") is not None)

    def _term(self, raw: object, path: str) -> StatedTerm | None:
        body = self._object(raw, path, _TERM)
        if body is None:
            return None
        rule = self._text(body, "rule", path)
        amount, cost = self._number(body, "amount", path), self._number(body, "cost", path)
        unit = self._text(body, "unit", path, optional=True)
        if rule is None or amount is None or cost is None:
            return None
        return StatedTerm(path, rule, amount, cost, body["amount"], body["cost"], unit)

    def _receipt(self, raw: object) -> str | None:
        """The product may add to a receipt, so only the fields known here are looked at."""
        body = self._object(raw, "receipt", None)
        if body is None:
            return None
        for key in _RECEIPT_TEXTS:
            self._text(body, key, "receipt", optional=True)
        for key in _RECEIPT_WHOLES:
            self._whole(body, key, "receipt", optional=True)
        for key in _RECEIPT_NUMBERS:
            if body.get(key) is not None:
                self._number(body, key, "receipt")
        for path, rule in self._list(body, "approximated_rules", "receipt"):
            if not isinstance(rule, str):
                self._wrong(path, "a rule's name", rule)
        if not isinstance(body.get("software"), Mapping | None):
            self._wrong("receipt.software", "an object", body["software"])
        sha = body.get("problem_sha256")
        return sha if isinstance(sha, str) else None


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, str):
        return repr(value[:60])
    if isinstance(value, bool | float) or (isinstance(value, int) and number(value) is not None):
        return str(value)[:60]
    return f"a {type(value).__name__}"
