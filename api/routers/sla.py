"""Promises to customers: grading, clocks, what is at risk, what was kept, and which orders are one fault."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.fault_links import tell_link
from api.http.actors import permitted, services_of
from api.http.answers import json_response
from api.http.conditions import IfMatch, etag_of, required_version
from api.http.documents import JsonBody, body_of, describes_body
from api.http.parameters import LocalDate, PathId, QueryId
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.references import named
from api.sla_answers import (
    attainment,
    clocks_document,
    crossing_document,
    felt_sum,
    grade_document,
    link_document,
    risks,
)
from api.sla_policy import policy_of
from api.sla_schemas import (
    Clocks,
    Grade,
    GradeRequest,
    LevelChange,
    Links,
    ParentChange,
    RecordedCrossings,
    Report,
    Risks,
    StateMark,
)
from api.sla_state import (
    UNFINISHED,
    facts_of,
    orders_of,
    orders_to_watch,
    planned_times,
    proposed_links,
    record_crossings,
    watched,
    watched_order,
)
from data.event_log import EventLog
from data.live_records import tell_changes
from data.repositories import Change, Marks, Repository
from data.session import UnitOfWork
from dispatcher.actor import Actor
from dispatcher.documents import utc_text
from dispatcher.errors import InvalidInput, Issue, RecordKey, WrongState, together
from dispatcher.sla.grading import grade
from dispatcher.sla.history import Mark

_ETAG_HEADER = {"ETag": {"description": "The version of the work order.", "schema": {"type": "string"}}}
_FACTS = {"machines_down": 3, "machines_total": 40, "core": True, "continuity": "stopped", "repair_seconds": 7200}
Territory = Annotated[QueryId, Query(description="The territory.")]
router = APIRouter(route_class=KnowingRoute, tags=["promises"])


@router.post(
    "/sla/grade",
    summary="Grade a fault by its facts",
    operation_id="grade",
    responses={200: {"model": Grade}, **problem_responses()},
    openapi_extra=describes_body(GradeRequest, core_machines={"facts": _FACTS}),
)
def graded(request: Request, actor: Annotated[Actor, permitted("read", "contract")], raw: JsonBody) -> Response:
    """The level by the policy and why. Nothing is stored."""
    question = body_of(GradeRequest, raw)
    changes = None
    if question.contract is not None:
        with services_of(request).database.read(actor) as work:
            changes = named(work, "contract", question.contract, "contract").values["sla"]
    facts = facts_of(question.facts.model_dump(exclude_none=True))
    return json_response(grade_document(grade(facts, policy_of(changes).grading)))


@router.get(
    "/sla/at-risk",
    summary="List the promises that may break",
    operation_id="list_at_risk",
    responses={200: {"model": Risks}, **problem_responses()},
)
def at_risk(
    request: Request, territory: Territory, actor: Annotated[Actor, permitted("read", "work_order")]
) -> Response:
    """Promises from their first threshold on, broken ones that are still open, and those that the plan misses.

    By the time to breach; those whose clock rests come last.
    """
    with services_of(request).database.read(actor) as work:
        named(work, "territory", territory, "territory")
        orders = watched(work, orders_of(work, territory, status=UNFINISHED))
        planned = planned_times(work, (order.name for order in orders))
        now = work.now
    return json_response({"now": utc_text(now), "items": risks(orders, planned, now)})


@router.post(
    "/sla/crossings",
    summary="Record the promises that came near their end or broke",
    operation_id="record_crossings",
    responses={200: {"model": RecordedCrossings}, **problem_responses()},
)
def recorded(
    request: Request, territory: Territory, actor: Annotated[Actor, permitted("write", "work_order")]
) -> Response:
    """Each threshold of each promise is told to the event log once, with its cause; asked again, nothing is new.

    Looks at unfinished orders, and at those that were changed in the last day.
    """
    with services_of(request).database.write(actor) as work:
        named(work, "territory", territory, "territory")
        found = record_crossings(work, watched(work, orders_to_watch(work, territory)))
    return json_response({"recorded": [crossing_document(name, item) for name, item in found]})


@router.get(
    "/sla/report",
    summary="Get what was promised, kept and felt",
    operation_id="get_sla_report",
    responses={200: {"model": Report}, **problem_responses()},
)
def report(
    request: Request,
    territory: Territory,
    actor: Annotated[Actor, permitted("read", "work_order")],
    first: Annotated[LocalDate, Query(alias="from", description="The first local date of opening.")],
    last: Annotated[LocalDate, Query(alias="to", description="The last local date of opening, inclusive.")],
) -> Response:
    """The orders of a territory by the local date of their opening, as things are now."""
    if last < first:
        message, remedy = f"`to` {last} lies before `from` {first}", "Let `to` be at or after `from`."
        raise InvalidInput([Issue("to", "ORDER", message, remedy)])
    with services_of(request).database.read(actor) as work:
        zone = ZoneInfo(named(work, "territory", territory, "territory").values["timezone"])
        begin, end = _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
        orders = [
            order
            for order in watched(work, orders_of(work, territory))
            if order.timeline is not None and begin <= order.timeline.opened_at < end
        ]
        now = work.now
    answer: dict[str, Any] = {"territory": territory, "from": first.isoformat(), "to": last.isoformat()}
    return json_response(answer | {"attainment": attainment(orders), "experience": felt_sum(orders, now)})


@router.get(
    "/sla/links",
    summary="List the orders that look like one fault",
    operation_id="list_proposed_links",
    responses={200: {"model": Links}, **problem_responses()},
)
def proposed(
    request: Request, territory: Territory, actor: Annotated[Actor, permitted("read", "work_order")]
) -> Response:
    """Orders on the same machine, or on machines that are part of or fed by another, that came in close together.

    Those that are linked already, were set apart, or have somebody on the way are not listed.
    """
    with services_of(request).database.read(actor) as work:
        named(work, "territory", territory, "territory")
        found = proposed_links(work, territory)
    return json_response({"links": [link_document(link) for link in found]})


@router.post(
    "/sla/links",
    summary="Link the orders that look like one fault",
    operation_id="link_orders",
    responses={200: {"model": Links}, **problem_responses()},
)
def linked(
    request: Request, territory: Territory, actor: Annotated[Actor, permitted("write", "work_order")]
) -> Response:
    """Each child waits with its parent from now on; the answer lists what was linked."""
    with services_of(request).database.write(actor) as work:
        EventLog(work).hold()
        named(work, "territory", territory, "territory")
        found = proposed_links(work, territory)
        orders = Repository(work, "work_order")
        for link in found:
            tell_link(work, orders.get(link.child), orders.get(link.parent), link)
    return json_response({"links": [link_document(link) for link in found]})


@router.get(
    "/work-orders/{id}/clocks",
    summary="Get how the promises of a work order stand",
    operation_id="get_clocks",
    responses={200: {"model": Clocks, "headers": _ETAG_HEADER}, **problem_responses(404)},
)
def clocks(request: Request, id: PathId, actor: Annotated[Actor, permitted("read", "work_order")]) -> Response:
    """Every clock of its level at this instant, with what was reached and why, and what the customer felt."""
    with services_of(request).database.read(actor) as work:
        return _answer(work, id)


@router.put(
    "/work-orders/{id}/level",
    summary="Set the level of a work order, with a reason",
    operation_id="set_level",
    responses={200: {"model": Clocks, "headers": _ETAG_HEADER}, **problem_responses(404, 409, 412, 428)},
    openapi_extra=describes_body(LevelChange, sooner={"level": "L1", "reason": "the second crane stands too"}),
)
def levelled(
    request: Request,
    id: PathId,
    actor: Annotated[Actor, permitted("write", "work_order")],
    raw: JsonBody,
    if_match: IfMatch = None,
) -> Response:
    """Overrules the grading. The reason is kept and shown; what has elapsed stays, only the promises change."""
    version = required_version(if_match)
    change = body_of(LevelChange, raw)
    because = Actor(actor.tenant_id, actor.principal, change.reason)
    with services_of(request).database.write(because) as work:
        EventLog(work).hold()
        record = Repository(work, "work_order").get(id)
        if record.values["status"] not in UNFINISHED:
            raise WrongState(RecordKey("work_order", (id,)), record.values["status"], "set another level")
        values = {**record.values, "level": change.level}
        [written] = Repository(work, "work_order").upsert([Change(values, version)])
        if written.outcome != "unchanged":
            tell_changes(work, "work_order", [values])
        record_crossings(work, [watched_order(work, id)])
        return _answer(work, id)


@router.post(
    "/work-orders/{id}/states",
    summary="Tell what happened to a work order beside its visits",
    operation_id="tell_state",
    responses={200: {"model": Clocks, "headers": _ETAG_HEADER}, **problem_responses(404)},
    openapi_extra=describes_body(StateMark, advice={"state": "consulting", "reason": "by telephone"}),
)
def told(
    request: Request, id: PathId, actor: Annotated[Actor, permitted("write", "work_order")], raw: JsonBody
) -> Response:
    """Somebody answered (`accepted`), an expert advises (`consulting`), it waits, or it works again (`restored`).

    What visits tell needs no such word. Told again with the same instant, nothing is new.
    """
    told_state = body_of(StateMark, raw)
    with services_of(request).database.write(actor) as work:
        order = watched_order(work, id)
        at = told_state.at or work.now.replace(microsecond=0)
        together(lambda: _refuse_unknown(told_state.state, order.policy.states), lambda: _refuse_future(at, work.now))
        mark = Mark(at, "state", told_state.state, reason=told_state.reason)
        if not any((mark.kind, mark.at, mark.value) == (one.kind, one.at, one.value) for one in order.marks):
            Marks(work).tell(order.record.id, mark)
        return _answer(work, id)


@router.put(
    "/work-orders/{id}/parent",
    summary="Link a work order to another one as the same fault, or set it apart",
    operation_id="set_parent",
    responses={200: {"model": Clocks, "headers": _ETAG_HEADER}, **problem_responses(404)},
    openapi_extra=describes_body(ParentChange, apart={"parent": None, "reason": "another cable"}),
)
def parented(
    request: Request, id: PathId, actor: Annotated[Actor, permitted("write", "work_order")], raw: JsonBody
) -> Response:
    """While its parent is unfinished, it is not planned by itself. Set apart, it is never linked by itself again."""
    change = body_of(ParentChange, raw)
    because = Actor(actor.tenant_id, actor.principal, change.reason or actor.reason)
    with services_of(request).database.write(because) as work:
        EventLog(work).hold()
        Repository(work, "work_order").get(id)
        if change.parent is not None:
            named(work, "work_order", change.parent, "parent")
        _refuse_circle(work, id, change.parent)
        orders = Repository(work, "work_order")
        tell_link(work, orders.get(id), None if change.parent is None else orders.get(change.parent))
        return _answer(work, id)


def _answer(work: UnitOfWork, name: str) -> Response:
    order = watched_order(work, name)
    return json_response(clocks_document(order, work.now), headers={"ETag": etag_of(order.record.version)})


def _refuse_circle(work: UnitOfWork, child: str, parent: str | None) -> None:
    """A parent waits for nobody, and a child has no children: who waits, waits with an order that is dispatched."""
    if parent is None:
        return
    if parent == child:
        issue = Issue("parent", "SELF_REFERENCE", f"{child} names itself", "Name another order, or null.")
        raise InvalidInput([issue])
    order = watched_order(work, parent)
    if order.parent is not None:
        message = f"{parent} waits with {order.parent} itself"
        raise InvalidInput([Issue("parent", "CYCLE", message, f"Name {order.parent}.")])
    if Marks(work).children(child):
        message = f"other orders wait with {child}"
        raise InvalidInput([Issue("parent", "CYCLE", message, "Link those to the other order first.")])


def _refuse_unknown(state: str, known: frozenset[str]) -> None:
    if state not in known:
        message = f"{state!r} is no state of a work order"
        remedy = f"Use one of {', '.join(sorted(known))}, or add it to `pauses` of the policy."
        raise InvalidInput([Issue("state", "UNKNOWN_VALUE", message, remedy, {"known": sorted(known)})])


def _refuse_future(at: datetime, now: datetime) -> None:
    if at > now:
        raise InvalidInput([Issue("at", "OUT_OF_RANGE", f"{utc_text(at)} has not come yet", "Tell what happened.")])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
