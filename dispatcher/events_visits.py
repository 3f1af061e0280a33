"""What events about visits change: from accepting one to its end.

A visit is known by its work order and its engineer, as an engineer's route says them. Reports may come late and
twice: a step that was overtaken fills in its time where that is missing, and sets nothing back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from dispatcher.event_values import Event, not_before, refuse, there, wrong_state
from dispatcher.events_orders import AT_WORK, unfinished
from dispatcher.live_state import LIVE, Effects, LiveState
from dispatcher.services.state_visits import IN_HAND, WAITING
from dispatcher.told_records import Key, Values

NEW_VISIT = "new_visit"
"""The field of a body in which the log keeps the id that a visit gets when an event makes one."""
_OVER = frozenset({"done", "failed"})


def accepted(state: LiveState, event: Event) -> Effects:
    """The engineer will do it."""
    visit = _known(state, event)
    if visit["status"] == "planned":
        return _visit({**visit, "status": "accepted", "accepted_at": event.occurred_at})
    return _filled(visit, "accepted_at", event)


def en_route(state: LiveState, event: Event) -> Effects:
    """The engineer drives to the site."""
    visit = _own_or_taken(state, event)
    if visit["status"] not in WAITING:
        return _filled(visit, "departed_at", event)
    not_before(event, visit["accepted_at"], "the visit was accepted")
    begun = {**visit, "status": "en_route", "departed_at": event.occurred_at}
    return _begun(state, event, begun, "planned")


def arrived(state: LiveState, event: Event) -> Effects:
    """The engineer is on site, and work begins."""
    visit = _own_or_taken(state, event)
    if visit["status"] not in WAITING and visit["status"] != "en_route":
        return _filled(visit, "arrived_at", event)
    not_before(event, visit["departed_at"] or visit["accepted_at"], "the visit was accepted or on its way")
    begun = {**visit, "status": "on_site", "arrived_at": event.occurred_at}
    return _begun(state, event, begun, "in_progress")


def paused(state: LiveState, event: Event) -> Effects:
    """The work rests."""
    visit = _known(state, event)
    if visit["status"] == "paused":
        return Effects()
    if visit["status"] != "on_site":
        _not_now(event, visit, "pause", "Tell that the engineer has arrived first.")
    not_before(event, _latest(visit), "the work was begun")
    pauses = [*_report(visit).get("pauses", ()), {"from": event.occurred_at.isoformat(), **_cause(event)}]
    report = {**_report(visit), "pauses": pauses}
    return _visit({**visit, "status": "paused", "paused_at": event.occurred_at, "report": report})


def resumed(state: LiveState, event: Event) -> Effects:
    """The work goes on."""
    visit = _known(state, event)
    if visit["status"] == "on_site":
        return Effects()
    if visit["status"] != "paused":
        _not_now(event, visit, "resume", "Tell the pause first.")
    not_before(event, _latest(visit), "the work was paused")
    _refuse_elsewhere(state, event, visit)
    back = _back(state, visit)
    return Effects({"visit": [*back, {**_unpaused(visit, event.occurred_at), "status": "on_site"}]})


def finished(state: LiveState, event: Event) -> Effects:
    """The engineer is done. When nobody else is at it, so is the order, and nobody else has to come."""
    visit = _known(state, event)
    if visit["status"] == "done":
        return Effects()
    if visit["status"] not in AT_WORK:
        _not_now(event, visit, "finish", "Tell that the engineer has arrived, and when.")
    not_before(event, _latest(visit), "the last that was told of this visit happened")
    over = {**_noted(_unpaused(visit, event.occurred_at), event), "status": "done", "ended_at": event.occurred_at}
    order, waiting, busy = _others(state, visit)
    if busy:
        return _visit(over)
    return Effects({"work_order": [{**order, "status": "done"}], "visit": [over]}, {"visit": waiting})


def running_longer(state: LiveState, event: Event) -> Effects:
    """The work will end at `expected_end`; the last word counts."""
    visit = _known(state, event)
    if visit["status"] in _OVER and event.occurred_at <= visit["ended_at"]:
        return Effects()
    if visit["status"] not in AT_WORK:
        _not_now(event, visit, "run longer", "Tell that the engineer has arrived first.")
    expected = event.at("expected_end")
    if expected < event.occurred_at:
        message = "`expected_end` lies before `occurred_at`"
        refuse(event.path("expected_end"), "OUT_OF_ORDER", message, "Tell when the work will end.")
    return _visit({**visit, "expected_end": expected})


def failed(state: LiveState, event: Event) -> Effects:
    """The visit did not help. Its order is open again when nobody else is at it, and asks for what was missing."""
    visit = _known(state, event)
    if visit["status"] == "failed":
        return Effects()
    if visit["status"] == "done":
        _not_now(event, visit, "fail", "Open another order for what is left to do.")
    not_before(event, _latest(visit), "the last that was told of this visit happened")
    failure = {key: event.body[key] for key in ("cause", "missing_parts", "missing_skills") if event.body.get(key)}
    over = _noted(_unpaused(visit, event.occurred_at), event)
    over |= {"status": "failed", "ended_at": event.occurred_at, "failure": failure}
    order, waiting, busy = _others(state, visit)
    after = {**order, "body": _asking_for(order["body"], event.body)}
    if not busy:
        after["status"] = "open"
    return Effects({"work_order": [after], "visit": [over]}, {} if busy else {"visit": waiting})


def noted(state: LiveState, event: Event) -> Effects:
    """Notes and used parts, at any time of a visit and after it."""
    visit = _known(state, event)
    after = _noted(visit, event)
    return Effects() if after == visit else _visit(after)


# -- which visit is meant --------------------------------------------------------------------------------------------


def _own(state: LiveState, event: Event) -> tuple[Values, Values | None]:
    """The order that an event is about, and its engineer's visit: the live one, else the one that ended last."""
    order = there(state, "work_order", event, "work_order")
    own = [visit for visit in state.visits_of(order["external_id"]) if visit["engineer"] == event.body["engineer"]]
    live = [visit for visit in own if visit["status"] in LIVE]
    if live:
        return order, min(live, key=lambda visit: (visit["status"] not in IN_HAND, visit["external_id"]))
    over = [visit for visit in own if visit["ended_at"] is not None]
    return order, max(over, key=lambda visit: (visit["ended_at"], visit["external_id"]), default=None)


def _known(state: LiveState, event: Event) -> Values:
    order, visit = _own(state, event)
    if visit is None:
        if order["status"] == "cancelled":
            unfinished(state, event)
        _no_visit(event, order, "Fetch the route again: the order is not on it any more.")
    return visit


def _own_or_taken(state: LiveState, event: Event) -> Values:
    """The engineer's visit; where the plan gave it to others meanwhile and they have not begun, it is taken back.

    What happened counts more than what was planned: somebody who was out of reach may have worked on it.
    """
    order, visit = _own(state, event)
    if visit is not None and (visit["status"] in LIVE or event.occurred_at <= visit["ended_at"]):
        return visit
    order = unfinished(state, event)
    name = order["external_id"]
    live = [other for other in state.visits_of(name) if other["status"] in LIVE]
    busy = sorted(other["engineer"] for other in live if other["status"] in IN_HAND)
    if busy:
        refuse(
            event.path("work_order"),
            "TAKEN",
            f"{', '.join(busy)} is on the way to work order {name} or at work on it",
            "Fetch the route again, and agree with the dispatcher.",
            work_order=name,
            engineers=busy,
        )
    if event.body.get("shift") is None:
        _no_visit(event, order, "Name the shift of the route, so that the work can be taken over.")
    shift = there(state, "shift", event, "shift", event.text("engineer"))
    taken = live[0] if live else _new_visit(event, name)
    mine = {"engineer": event.body["engineer"], "shift": shift["external_id"], "status": "planned"}
    return {**taken, **mine, "accepted_at": None, "departed_at": None}


def _new_visit(event: Event, order: str) -> dict[str, Any]:
    empty = dict.fromkeys(("accepted_at", "departed_at", "arrived_at", "started_at", "paused_at", "ended_at"))
    return {**empty, "external_id": event.text(NEW_VISIT), "work_order": order}


def _no_visit(event: Event, order: Values, remedy: str) -> NoReturn:
    name, engineer = order["external_id"], event.text("engineer")
    message = f"{engineer} has no visit to work order {name}"
    refuse(event.path("engineer"), "NO_VISIT", message, remedy, work_order=name, engineer=engineer)


# -- what follows ----------------------------------------------------------------------------------------------------


def _begun(state: LiveState, event: Event, visit: Values, status: str) -> Effects:
    """A visit that is in hand now. Nobody is on the way to two places, so the engineer's other way is given back."""
    _refuse_elsewhere(state, event, visit)
    order = there(state, "work_order", event, "work_order")
    written: dict[str, list[Values]] = {"visit": [*_back(state, visit), visit]}
    if order["status"] != status and order["status"] != "in_progress":
        written["work_order"] = [{**order, "status": status}]
    return Effects(written)


def _back(state: LiveState, visit: Values) -> list[Values]:
    return [
        {**other, "status": "accepted", "departed_at": None}
        for other in state.visits_by(visit["engineer"])
        if other["status"] == "en_route" and other["external_id"] != visit["external_id"]
    ]


def _refuse_elsewhere(state: LiveState, event: Event, visit: Values) -> None:
    for other in state.visits_by(visit["engineer"]):
        if other["status"] == "on_site" and other["external_id"] != visit["external_id"]:
            refuse(
                event.path("engineer"),
                "ELSEWHERE",
                f"{visit['engineer']} is at work on work order {other['work_order']}",
                "Tell first that this work is paused, finished or failed.",
                engineer=visit["engineer"],
                work_order=other["work_order"],
            )


def _others(state: LiveState, visit: Values) -> tuple[Values, list[Key], bool]:
    """The order of a visit, its waiting visits, and whether somebody else is on the way or at work."""
    order = state.find("work_order", visit["work_order"])
    assert order is not None
    live = [
        other
        for other in state.visits_of(visit["work_order"])
        if other["status"] in LIVE and other["external_id"] != visit["external_id"]
    ]
    waiting: list[Key] = [(other["external_id"],) for other in live if other["status"] in WAITING]
    return order, waiting, any(other["status"] in IN_HAND for other in live)


def _filled(visit: Values, field: str, event: Event) -> Effects:
    """A step that was overtaken or told before: its time is kept where it is missing and fits."""
    steps = ("accepted_at", "departed_at", "arrived_at", "ended_at")
    place = steps.index(field)
    before = [visit[name] for name in steps[:place] if visit[name] is not None]
    after = [visit[name] for name in steps[place + 1 :] if visit[name] is not None]
    fits = all(at <= event.occurred_at for at in before) and all(event.occurred_at <= at for at in after)
    if visit[field] is not None or not fits or not after:
        return Effects()
    return _visit({**visit, field: event.occurred_at})


def _unpaused(visit: Values, at: datetime) -> dict[str, Any]:
    """A visit whose pause, if there is one, ends at an instant."""
    if visit["paused_at"] is None:
        return dict(visit)
    seconds = max(0, int((at - visit["paused_at"]).total_seconds()))
    report = _report(visit)
    if report.get("pauses"):
        *earlier, last = report["pauses"]
        report = {**report, "pauses": [*earlier, {**last, "until": at.isoformat()}]}
    rested = {"paused_at": None, "paused_seconds": (visit["paused_seconds"] or 0) + seconds, "report": report or None}
    return {**visit, **rested}


def _noted(visit: Values, event: Event) -> dict[str, Any]:
    """A visit with the notes and used parts of an event; parts of several reports add up."""
    report = dict(_report(visit))
    if event.body.get("notes"):
        note = {"at": event.occurred_at.isoformat(), "text": event.body["notes"]}
        report["notes"] = [*report.get("notes", ()), note]
    if event.body.get("parts_used"):
        used = dict(report.get("parts_used") or {})
        for part, count in event.body["parts_used"].items():
            used[part] = used.get(part, 0) + (count or 0)
        report["parts_used"] = used
    return {**visit, "report": report or None}


def _asking_for(body: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an order with the parts and skills that a visit missed; of a team one member has to hold them."""
    after = dict(body)
    parts = dict(body.get("parts") or {})
    for part, count in (told.get("missing_parts") or {}).items():
        parts[part] = max(parts.get(part) or 0, count or 0)
    if parts:
        after["parts"] = parts
    missing = told.get("missing_skills") or ()
    if missing and body.get("team"):
        team = dict(body["team"])
        team["collective_skills"] = _merged(team.get("collective_skills") or (), missing)
        after["team"] = team
    elif missing:
        after["required_skills"] = _merged(body.get("required_skills") or (), missing)
    return after


def _merged(held: Any, missing: Any) -> list[dict[str, Any]]:
    """Required skills, each once with the higher level, in their order."""
    levels: dict[str, int] = {}
    for entry in (*held, *missing):
        levels[entry["skill"]] = max(levels.get(entry["skill"], 1), entry.get("level") or 1)
    return [{"skill": skill, "level": level} for skill, level in levels.items()]


def _report(visit: Values) -> Mapping[str, Any]:
    return visit.get("report") or {}


def _cause(event: Event) -> dict[str, Any]:
    return {"cause": event.body["cause"]} if event.body.get("cause") else {}


def _latest(visit: Values) -> datetime | None:
    """The last instant that is known of a visit."""
    known = [
        visit[name] for name in ("accepted_at", "departed_at", "arrived_at", "started_at", "paused_at") if visit[name]
    ]
    pauses = [datetime.fromisoformat(pause["until"]) for pause in _report(visit).get("pauses", ()) if "until" in pause]
    return max([*known, *pauses], default=None)


def _visit(visit: Values) -> Effects:
    return Effects({"visit": [visit]})


def _not_now(event: Event, visit: Values, action: str, remedy: str) -> NoReturn:
    wrong_state(
        event,
        "work_order",
        f"the visit of {visit['engineer']} to work order {visit['work_order']} is {visit['status']}: "
        f"it cannot {action}",
        remedy,
        work_order=visit["work_order"],
        engineer=visit["engineer"],
        state=visit["status"],
    )
