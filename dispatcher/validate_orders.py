"""What work orders have to satisfy beyond their shape: windows, teams, and references to each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dispatcher.model import LEAD
from dispatcher.validate_engineers import Horizon
from dispatcher.validate_values import (
    IssueList,
    JsonObject,
    Path,
    instant,
    objects,
    shown,
    text,
    texts,
    whole,
)

_ENGINEER_LISTS = ("allowed_engineers", "excluded_engineers", "preferred_engineers")


def order_issues(
    document: JsonObject, engineers: Collection[str], horizon: Horizon, now: int | None, issues: IssueList
) -> None:
    """`now` (epoch seconds) decides which time windows are wholly past; None where it cannot be read."""
    orders = list(objects(document.get("work_orders"), ("work_orders",)))
    known = issues.duplicates(
        (((*path, "id"), name) for path, order in orders if (name := text(order.get("id")))), "work order"
    )
    for path, order in orders:
        for place, window in objects(order.get("time_windows"), (*path, "time_windows")):
            _window_issues(place, window, horizon, now, issues)
        for place, name in _engineers_named(path, order):
            if name not in engineers:
                issues.not_found(place, "engineers", name, engineers)
        _related_issues(path, order, known, issues)
        _dependency_issues(path, order, known, issues)
        team = order.get("team")
        if isinstance(team, dict) and team:
            _team_issues((*path, "team"), team, issues)
    _cycle_issues(orders, issues)


def _window_issues(path: Path, window: JsonObject, horizon: Horizon, now: int | None, issues: IssueList) -> None:
    start, end = instant(window.get("start")), instant(window.get("end"))
    if start is not None and end is not None and start > end:
        issues.order((*path, "end"), "start", "end", (window["start"], window["end"]))
        return
    if end is not None and now is not None and end < now:
        return
    for key in ("start", "end"):
        horizon.check((*path, key), window.get(key), issues)


def _engineers_named(path: Path, order: JsonObject) -> Iterator[tuple[Path, str]]:
    for key in _ENGINEER_LISTS:
        yield from texts(order.get(key), (*path, key))
    pin = order.get("pin")
    name = text(pin.get("engineer")) if isinstance(pin, dict) else None
    if name is not None:
        yield (*path, "pin", "engineer"), name


def _related_issues(path: Path, order: JsonObject, known: Collection[str], issues: IssueList) -> None:
    for place, name in texts(order.get("related_to"), (*path, "related_to")):
        _order_named(place, name, order, known, issues)


def _order_named(path: Path, name: str, order: JsonObject, known: Collection[str], issues: IssueList) -> None:
    if name == order.get("id"):
        issues.report(
            path,
            "SELF_REFERENCE",
            f"work order {shown(name)} names itself",
            "Remove this entry, or name another work order.",
            id=name,
        )
    elif name not in known:
        issues.not_found(path, "work_orders", name, known)


def _dependency_issues(path: Path, order: JsonObject, known: Collection[str], issues: IssueList) -> None:
    for place, entry in objects(order.get("depends_on"), (*path, "depends_on")):
        other, completed = entry.get("work_order"), entry.get("completed_at")
        if (other is None) == (completed is None):
            found = "neither" if other is None else "both"
            issues.report(
                place,
                "EXACTLY_ONE",
                f"{found} of `work_order` and `completed_at` given",
                "Give `work_order` for an order of this problem, or `completed_at` for one already done.",
                found=found,
            )
        name = text(other)
        if name is not None:
            _order_named((*place, "work_order"), name, order, known, issues)
        _gap_issues(place, entry, issues)


def _gap_issues(path: Path, item: JsonObject, issues: IssueList) -> None:
    smallest, largest = whole(item.get("min_gap_seconds")), whole(item.get("max_gap_seconds"))
    if smallest is not None and largest is not None and smallest > largest:
        issues.order((*path, "max_gap_seconds"), "min_gap_seconds", "max_gap_seconds", (smallest, largest))


def _team_issues(path: Path, team: JsonObject, issues: IssueList) -> None:
    roles = list(objects(team.get("roles"), (*path, "roles")))
    issues.duplicates((((*place, "role"), name) for place, role in roles if (name := text(role.get("role")))), "role")
    if not any(_presence(role) == "on_site" and _least(role) >= 1 for _, role in roles):
        issues.report(
            (*path, "roles"),
            "TEAM_WITHOUT_ON_SITE_ROLE",
            "no role of the team is `on_site` with `min` 1 or more",
            "Add such a role, or remove the team.",
        )
    for place, role in roles:
        largest = whole(role.get("max"))
        if largest is not None and largest < _least(role):
            issues.report(
                (*place, "max"),
                "TEAM_ROLE_SIZE",
                f"`max` {shown(largest)} is below `min` {shown(_least(role))}",
                "Let `max` be at least `min` (1 where absent).",
                minimum=_least(role),
                maximum=largest,
            )
    arrival = team.get("arrival")
    if isinstance(arrival, dict):
        _gap_issues((*path, "arrival"), arrival, issues)
        if arrival.get("mode") == "lead_first":
            _lead_issues(path, [role for _, role in roles], issues)


def _lead_issues(path: Path, roles: list[JsonObject], issues: IssueList) -> None:
    leads = [role for role in roles if role.get("role") == LEAD]
    if len(leads) == 1 and _presence(leads[0]) != "standby" and _least(leads[0]) == 1 == _most(leads[0]):
        return
    issues.report(
        (*path, "arrival", "mode"),
        "TEAM_LEAD_FIRST",
        f"`lead_first` needs exactly one role called `{LEAD}`, on site or remote, with `min` and `max` 1",
        f"Name such a role `{LEAD}`, or use another mode.",
        leads=len(leads),
    )


def _presence(role: JsonObject) -> object:
    return role.get("presence") or "on_site"


def _least(role: JsonObject) -> int:
    given = whole(role.get("min"))
    return 1 if given is None else given


def _most(role: JsonObject) -> int:
    given = whole(role.get("max"))
    return _least(role) if given is None else given


def _cycle_issues(orders: list[tuple[Path, JsonObject]], issues: IssueList) -> None:
    """Reports circles of `depends_on`, each whole, at the entry that closes it.

    Of circles that share a work order one is reported: their number can grow far beyond that of the orders.
    """
    waits_for: dict[str, list[tuple[str, Path]]] = {}
    for path, order in orders:
        name = text(order.get("id"))
        if name is None or name in waits_for:
            continue
        waits_for[name] = [
            (other, (*place, "work_order"))
            for place, entry in objects(order.get("depends_on"), (*path, "depends_on"))
            if (other := text(entry.get("work_order"))) and other != name
        ]
    finished: set[str] = set()
    reported: set[str] = set()
    for root in waits_for:
        # Depth first without recursion: a chain may be as long as the list of work orders.
        chain: list[str] = []
        position: dict[str, int] = {}
        pending = [] if root in finished else [(root, iter(waits_for[root]))]
        if pending:
            position[root] = 0
            chain.append(root)
        while pending:
            step = next(pending[-1][1], None)
            if step is None:
                pending.pop()
                done = chain.pop()
                del position[done]
                finished.add(done)
                continue
            other, path = step
            if other in position:
                circle = [*chain[position[other] :], other]
                if not reported.isdisjoint(circle):
                    continue
                reported.update(circle)
                issues.report(
                    path,
                    "CYCLE",
                    f"work orders wait for each other in a circle: {' → '.join(circle)}",
                    "Remove one of these dependencies.",
                    cycle=circle,
                )
            elif other in waits_for and other not in finished:
                position[other] = len(chain)
                chain.append(other)
                pending.append((other, iter(waits_for[other])))
