"""A plan document as tables for a terminal.

Every function reads a plan of the planning format, version 1; what is optional there may be absent, and is
then shown as a dash. Times are local as the plan writes them, their offset kept. Ids and messages are shown
literally, never read as markup, and long ones are folded, not cut. Rows that a `limit` leaves out are
counted in the caption.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api.render_text import (
    amount_text,
    counted,
    grouped,
    hours_and_minutes,
    human_distance,
    human_duration,
    plain,
    share_text,
)

MOST_ROUTES = 40
MOST_UNASSIGNED = 25
MOST_TEAMS = 25
_ALL_OPTION = "--all"
_NOTHING = "–"
_LATENESS = (
    ("late_arrival_seconds", "arrival"),
    ("late_start_seconds", "start"),
    ("late_restore_seconds", "restore"),
)
_MESSAGES = 2
_LEAST_WIDTH = 60
_ROUTE_HEADS = (
    "engineer", "shift", "orders", "start", "end", "driving\nh:mm", "distance", "service\nh:mm", "breaks\nh:mm",
    "waiting\nh:mm", "overtime\nh:mm", "late",
)  # fmt: skip
_STOP_HEADS = (
    "stop", "work order", "role", "location", "driving", "distance", "arrival", "waiting", "start", "end",
    "late", "pinned",
)  # fmt: skip

Document = Mapping[str, Any]


def plan_tables(plan: Document, everything: bool = False) -> list[RenderableType]:
    """What `muster show` prints: receipt, score, routes, teams, unassigned; `everything` adds every stop.

    Else long tables end after their first rows and say how many are missing and how to see them.
    """
    parts: list[RenderableType] = [
        receipt_line(plan),
        score_table(plan),
        routes_table(plan, limit=None if everything else MOST_ROUTES),
    ]
    if plan.get("teams"):
        parts.append(teams_table(plan, limit=None if everything else MOST_TEAMS))
    if plan.get("unassigned"):
        parts.append(unassigned_table(plan, limit=None if everything else MOST_UNASSIGNED))
    routes = _list(plan, "routes")
    if everything:
        parts += [route_detail(plan, str(route["engineer"]), str(route["shift"])) for route in routes]
    elif routes:
        parts.append(Text(f"{_ALL_OPTION} also shows every stop of {counted(len(routes), 'route')}.", style="dim"))
    return parts


def receipt_line(plan: Document) -> Text:
    """One line: which problem, how much is served, and how the plan was found."""
    problem = plan.get("problem_id")
    facts = [plain(problem) if problem else "problem not named"]
    served = {stop["work_order"] for route in _list(plan, "routes") for stop in _work(route)}
    facts.append(f"{len(served):,} served, {len(_list(plan, 'unassigned')):,} unassigned")
    if plan.get("created_at"):
        facts.append(f"made {plain(plan['created_at'])}")
    receipt = plan.get("receipt") or {}
    if receipt.get("engine"):
        facts.append(f"engine {plain(receipt['engine'])}")
    for field in ("seed", "threads"):
        if receipt.get(field) is not None:
            facts.append(f"{field} {plain(receipt[field])}")
    if receipt.get("iterations") is not None:
        facts.append(f"{grouped(receipt['iterations'])} iterations")
    if receipt.get("elapsed_seconds") is not None:
        facts.append(f"{grouped(receipt['elapsed_seconds'])} s")
    if receipt.get("stopped_by"):
        facts.append(f"stopped by {plain(receipt['stopped_by'])}")
    if receipt.get("lower_bound") is not None:
        facts.append(f"lower bound {grouped(receipt['lower_bound'])}")
    if receipt.get("gap") is not None:
        facts.append(f"gap {grouped(round(Decimal(str(receipt['gap'])) * 100, 2))} %")
    if receipt.get("approximated_rules"):
        rules = ", ".join(plain(rule) for rule in receipt["approximated_rules"])
        facts.append(f"approximated in the search, exact in the score: {rules}")
    if not receipt:
        facts.append("no receipt")
    return Text(" · ".join(facts))


def score_table(plan: Document) -> Table:
    """Cost by rule, the dearest first, and the total; an empty table that says so if there is no score."""
    score = plan.get("score") or {}
    terms = sorted(score.get("terms") or (), key=lambda term: -_decimal(term.get("cost")))
    whole = sum((_decimal(term.get("cost")) for term in terms), Decimal(0))
    table = _table("Score, cost in points, smaller is better", ("rule", "amount", "cost", "share"), right=(1, 2, 3))
    for term in terms:
        cost = _decimal(term.get("cost"))
        amount = amount_text(term) or _NOTHING
        cells = (plain(term.get("rule")), amount, grouped(cost), share_text(cost, whole))
        table.add_row(*_texts(cells), style="" if cost else "dim")
    if score.get("total") is None:
        table.caption = Text("The plan states no score.")
    else:
        table.add_section()
        table.add_row(*_texts(("total", "", grouped(score["total"]), "")), style="bold")
    return table


def routes_table(plan: Document, problem: Document | None = None, limit: int | None = None) -> Table:
    """One row per route; with the problem, names and overtime too. `limit`: rows at most (None: all).

    A column in which no route has anything is left away.
    """
    routes = _list(plan, "routes")
    clock = _Clock.of(plan)
    names: dict[str, str] = {}
    shift_ends: dict[tuple[str, str], str] = {}
    for engineer in _list(problem or {}, "engineers"):
        names[str(engineer["id"])] = str(engineer.get("name") or "")
        for shift in _list(engineer, "shifts"):
            shift_ends[str(engineer["id"]), str(shift["id"])] = shift["end"]
    rows = []
    for route in routes[:limit]:
        key = (str(route["engineer"]), str(route["shift"]))
        sums = _RouteSums.of(route)
        rows.append(
            (
                plain(f"{key[0]} {names.get(key[0], '')}".rstrip()),
                plain(key[1]),
                str(sums.orders),
                clock.short(sums.start),
                clock.short(sums.end),
                hours_and_minutes(sums.travel_seconds),
                _NOTHING if sums.travel_meters is None else human_distance(sums.travel_meters),
                hours_and_minutes(sums.service_seconds),
                hours_and_minutes(sums.break_seconds),
                hours_and_minutes(sums.waiting_seconds),
                _overtime(shift_ends.get(key), sums.end),
                sums.lateness,
            )
        )
    table = filled(f"Routes ({len(routes):,}){clock.context}", _ROUTE_HEADS, rows, right=range(2, 11))
    _count_left_out(table, len(routes), limit, "route")
    if rows and all(row[-1] == _NOTHING for row in rows):
        _add_caption(table, "The plan does not say how late its work orders are.")
    return table


def route_detail(plan: Document, engineer: str, shift: str) -> Table:
    """One route stop by stop. Raises LookupError, naming the engineer's shifts, if there is no such route."""
    routes = _list(plan, "routes")
    route = next((r for r in routes if (str(r["engineer"]), str(r["shift"])) == (engineer, shift)), None)
    if route is None:
        shifts = ", ".join(str(r["shift"]) for r in routes if str(r["engineer"]) == engineer)
        known = f"this engineer's shifts in it: {shifts}" if shifts else "this engineer is on no route"
        raise LookupError(plain(f"the plan has no route of engineer {engineer} on shift {shift}; {known}"))
    clock = _Clock.of(plan)
    rows = []
    before: datetime | None = None
    for stop in _list(route, "stops"):
        arrival, start, end = (_moment(stop.get(field)) for field in ("arrival", "start", "end"))
        driven = stop["kind"] not in ("start", "break")
        waiting = _waiting_seconds(before, stop)
        meters = stop.get("travel_meters")
        rows.append(
            (
                str(stop["kind"]).replace("_", " "),
                _or_empty(stop.get("work_order")),
                _or_empty(stop.get("role")),
                _or_empty(stop.get("location")),
                human_duration(stop.get("travel_seconds") or 0) if driven else "",
                human_distance(meters) if driven and meters is not None else "",
                clock.exact(arrival),
                human_duration(waiting) if waiting else "",
                clock.exact(start),
                clock.exact(end),
                _stop_lateness(stop),
                "pinned" if stop.get("pinned") else "",
            )
        )
        before = end or arrival or before
    title = f"Route of {plain(engineer)}, shift {plain(shift)}{clock.context}"
    return filled(title, _STOP_HEADS, rows, right=range(4, 10))


def teams_table(plan: Document, limit: int | None = None) -> Table:
    """One row per team: when it starts, members with their roles, standby. `limit`: rows at most."""
    teams = _list(plan, "teams")
    clock = _Clock.of(plan)
    rows = [
        (
            plain(team["work_order"]),
            clock.short(_moment(team.get("start"))),
            str(len(_list(team, "members"))),
            _roles(_list(team, "members")),
            _roles(_list(team, "standby")),
        )
        for team in teams[:limit]
    ]
    heads = ("work order", "start", "size", "members", "standby")
    table = filled(f"Teams ({len(teams):,}){clock.context}", heads, rows, right=(1, 2))
    _count_left_out(table, len(teams), limit, "team")
    return table


def unassigned_table(plan: Document, limit: int | None = None) -> Table:
    """One row per order left out: engineers by reason, telling messages, cheapest fix. `limit`: rows at most.

    The rarest reason is told first: where most engineers lack a skill and one lacks an hour, it is the hour
    that can be mended.
    """
    entries = _list(plan, "unassigned")
    rows = []
    for entry in entries[:limit]:
        reasons = _list(entry, "reasons")
        counts = Counter(str(reason.get("code") or "UNKNOWN") for reason in reasons)
        by_code = "\n".join(f"{plain(code)} × {count}" for code, count in counts.most_common())
        rows.append(
            (
                plain(entry["work_order"]),
                by_code or _NOTHING,
                _messages(reasons, counts),
                _fix(entry.get("cheapest_fix")),
            )
        )
    heads = ("work order", "engineers by reason", "for example", "cheapest fix")
    table = filled(f"Unassigned work orders ({len(entries):,})", heads, rows)
    _count_left_out(table, len(entries), limit, "work order")
    unsaid = sum(int(entry.get("reasons_left_out") or 0) for entry in entries)
    if unsaid:
        _add_caption(table, f"In this large fleet {counted(unsaid, 'reason')} of engineers further away are left out.")
    if entries and not any(entry.get("reasons") for entry in entries):
        _add_caption(table, "The plan gives no reasons.")
    return table


@dataclass(frozen=True, slots=True)
class _Clock:
    """Writes instants as the plan does: offset and date in the title where all agree, else in every cell."""

    offset: str | None
    one_day: str | None

    @classmethod
    def of(cls, plan: Document) -> _Clock:
        moments = [
            datetime.fromisoformat(stop[field])
            for route in _list(plan, "routes")
            for stop in _list(route, "stops")
            for field in ("arrival", "start", "end")
            if stop.get(field)
        ]
        offsets = {f"{moment:%z}" for moment in moments}
        days = {moment.date().isoformat() for moment in moments}
        return cls(
            offset=f"{moments[0].isoformat()[19:]}" if len(offsets) == 1 else None,
            one_day=days.pop() if len(days) == 1 else None,
        )

    @property
    def context(self) -> str:
        """What holds for every time of the table, for its title."""
        shared = " ".join(part for part in (self.one_day, self.offset) if part)
        return f", local times of {shared}" if self.one_day else f", local times, {shared}" if shared else ""

    def short(self, moment: datetime | None) -> str:
        """To the minute, rounded down like a clock."""
        return _NOTHING if moment is None else self._with_context(moment, f"{moment:%H:%M}")

    def exact(self, moment: datetime | None) -> str:
        return "" if moment is None else self._with_context(moment, f"{moment:%H:%M:%S}")

    def _with_context(self, moment: datetime, clock: str) -> str:
        day = "" if self.one_day else f"{moment.date().isoformat()} "
        return day + clock + ("" if self.offset else moment.isoformat()[19:])


@dataclass(frozen=True, slots=True)
class _RouteSums:
    """What a route adds up to, by the times it states."""

    orders: int
    start: datetime | None
    end: datetime | None
    travel_seconds: int
    travel_meters: int | None
    service_seconds: int
    break_seconds: int
    waiting_seconds: int
    lateness: str

    @classmethod
    def of(cls, route: Document) -> _RouteSums:
        stops = _list(route, "stops")
        before: datetime | None = None
        waiting = 0
        seconds = {"work_order": 0, "break": 0}
        for stop in stops:
            waiting += _waiting_seconds(before, stop)
            if stop["kind"] in seconds:
                spent = datetime.fromisoformat(stop["end"]) - datetime.fromisoformat(stop["start"])
                seconds[stop["kind"]] += int(spent.total_seconds())
            before = _moment(stop.get("end")) or _moment(stop.get("arrival")) or before
        work = _work(route)
        meters = [stop.get("travel_meters") for stop in stops if stop["kind"] not in ("start", "break")]
        first = stops[0].get("end") if stops else None
        return cls(
            orders=len(work),
            start=_moment(first),
            end=before,
            travel_seconds=sum(int(stop.get("travel_seconds") or 0) for stop in stops),
            travel_meters=None if None in meters else sum(int(m) for m in meters if m is not None),
            service_seconds=seconds["work_order"],
            break_seconds=seconds["break"],
            waiting_seconds=waiting,
            lateness=_route_lateness(work),
        )


def _waiting_seconds(before: datetime | None, stop: Document) -> int:
    """Seconds between the end of the stop before and this stop's start that are neither driven nor worked."""
    begins = stop.get("start") or (stop.get("arrival") if stop["kind"] == "end" else None)
    if before is None or begins is None:
        return 0
    between = int((datetime.fromisoformat(begins) - before).total_seconds())
    return max(0, between - int(stop.get("travel_seconds") or 0))


def _overtime(shift_end: str | None, end: datetime | None) -> str:
    if shift_end is None or end is None:
        return _NOTHING
    return hours_and_minutes(max(0, int((end - datetime.fromisoformat(shift_end)).total_seconds())))


def _route_lateness(work: Sequence[Document]) -> str:
    """How many orders are late and by how much at most; a dash where the plan does not say."""
    if not any(stop.get(name) is not None for stop in work for name, _ in _LATENESS):
        return _NOTHING
    worst = [max(int(stop.get(name) or 0) for name, _ in _LATENESS) for stop in work]
    late = sum(1 for seconds in worst if seconds)
    return f"{late}, worst {human_duration(max(worst))}" if late else "0"


def _stop_lateness(stop: Document) -> str:
    return ", ".join(f"{what} {human_duration(stop[name])}" for name, what in _LATENESS if stop.get(name))


def _roles(members: Iterable[Document]) -> str:
    named = (f"{'★ ' if m.get('role') == 'lead' else ''}{m['engineer']} ({m.get('role') or 'member'})" for m in members)
    return plain(", ".join(named)) or _NOTHING


def _messages(reasons: Sequence[Document], counts: Mapping[str, int]) -> str:
    first_by_code: dict[str, str] = {}
    for reason in reasons:
        if reason.get("message"):
            first_by_code.setdefault(str(reason.get("code") or "UNKNOWN"), plain(reason["message"]))
    told = [first_by_code[code] for code in sorted(first_by_code, key=lambda code: counts[code])]
    lines = told[:_MESSAGES]
    if len(told) > _MESSAGES:
        lines.append(f"(and {counted(len(told) - _MESSAGES, 'other reason')})")
    return "\n".join(lines) or _NOTHING


def _fix(fix: Document | None) -> str:
    if not fix:
        return _NOTHING
    if fix.get("message"):
        return plain(fix["message"])
    parts = [plain(fix.get("code") or "")]
    if fix.get("engineer"):
        parts.append(plain(fix["engineer"]))
    if fix.get("amount_seconds") is not None:
        parts.append(human_duration(fix["amount_seconds"]))
    return " ".join(part for part in parts if part) or _NOTHING


def _table(title: str, heads: Sequence[str], right: Iterable[int] = ()) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", caption_justify="left")
    table.box = box.SIMPLE_HEAD
    # Titles and captions are folded to the table's width; one narrow column should not shred them.
    table.min_width = min(_LEAST_WIDTH, len(title) + 2)
    aligned = set(right)
    for index, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if index in aligned else "left", overflow="fold")
    return table


def filled(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> Table:
    """A table without the columns in which no row has anything; the first always stays."""
    kept = [i for i in range(len(heads)) if i == 0 or any(row[i] not in ("", _NOTHING) for row in rows)]
    aligned = set(right)
    table = _table(title, [heads[i] for i in kept], [n for n, i in enumerate(kept) if i in aligned])
    for row in rows:
        table.add_row(*_texts(row[i] for i in kept))
    return table


def _count_left_out(table: Table, rows: int, limit: int | None, noun: str) -> None:
    if limit is not None and rows > limit:
        shown = f"{limit:,} of {counted(rows, noun)} shown"
        _add_caption(table, f"{shown}, {rows - limit:,} left out; {_ALL_OPTION} shows all.")


def _add_caption(table: Table, sentence: str) -> None:
    table.caption = Text(f"{table.caption or ''} {sentence}".strip())


def _texts(cells: Iterable[str]) -> list[Text]:
    return [Text(cell, overflow="fold") for cell in cells]


def _work(route: Document) -> list[Document]:
    return [stop for stop in _list(route, "stops") if stop["kind"] == "work_order"]


def _moment(instant: str | None) -> datetime | None:
    return datetime.fromisoformat(instant) if instant else None


def _or_empty(value: object) -> str:
    return "" if value is None else plain(value)


def _decimal(number: object) -> Decimal:
    return Decimal(str(number or 0))


def _list(document: Document, field: str) -> list[Any]:
    return list(document.get(field) or ())
