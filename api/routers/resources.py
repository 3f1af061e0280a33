"""What is stored, kind by kind: lists, single records, and whole lists written at once.

One set of routes serves every kind of `api.resource_kinds.KINDS`; what differs is data there.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.documents import in_order
from api.http.actors import permitted, services_of
from api.http.answers import json_response
from api.http.conditions import (
    EXISTING,
    IfMatch,
    IfNoneMatch,
    OnlyNew,
    etag_of,
    is_unchanged,
    not_modified,
    nothing_exists,
    precondition_required,
    required_version,
    version_to_write,
)
from api.http.documents import JsonBody, checked, describes_body, read_body
from api.http.parameters import PathId
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.resource_kinds import KINDS, MAX_BULK, Kind, PageQuery
from api.resource_schemas import BulkAnswer
from api.sla_state import with_levels
from data.event_log import EventLog
from data.live_records import tell_changes
from data.repositories import Change, Record, Repository, Written
from data.session import Database, UnitOfWork
from dispatcher.actor import Actor
from dispatcher.errors import Contention, InvalidInput, Issue, NotFound, RecordKey, UnknownReference
from dispatcher.told_records import TOLD
from dispatcher.validate_values import shown

router = APIRouter(route_class=KnowingRoute)
Result = TypeVar("Result")
# Where an engineer was is kept nowhere, unless it is told as an event.
_TOLD = TOLD.keys() - {"engineer_position"}


_ETAG_HEADER = {"ETag": {"description": "The version, for If-Match and If-None-Match.", "schema": {"type": "string"}}}


def _key_of(kind: Kind) -> Any:
    """A dependency that gives the key of a record from the path."""

    async def own(id: PathId) -> tuple[str, ...]:
        return (id,)

    async def of_engineer(engineer: PathId) -> tuple[str, ...]:
        return (engineer,)

    async def within_engineer(engineer: PathId, id: PathId) -> tuple[str, ...]:
        return engineer, id

    keys: dict[tuple[str, ...], Callable[..., Any]] = {
        ("external_id",): own,
        ("engineer",): of_engineer,
        ("engineer", "external_id"): within_engineer,
    }
    return Depends(keys[kind.key])


def _add_list(kind: Kind, name: str) -> None:
    @router.get(
        kind.list_path,
        tags=[name],
        summary=f"List {name}",
        operation_id=f"list_{kind.kind}",
        responses={200: {"model": kind.page}, **problem_responses()},
    )
    def listed(
        request: Request,
        query: Annotated[kind.query, Query()],  # type: ignore[name-defined]
        actor: Annotated[Actor, permitted("read", kind.kind)],
    ) -> Response:
        """A page in the order of ids (shifts and positions: in the order in which they were first stored).

        `next` is the `after` of the page that follows, null at the end. Records that come or go meanwhile shift
        nothing.
        """
        assert isinstance(query, PageQuery)
        with services_of(request).database.read(actor) as work:
            page = Repository(work, kind.kind).page(kind.where(query), after=query.after, limit=query.limit)
        return json_response({"items": [kind.presented(record) for record in page.items], "next": page.next})


def _add_bulk(kind: Kind, name: str) -> None:
    @router.put(
        kind.list_path,
        tags=[name],
        summary=f"Create or replace many {name}, all or none",
        operation_id=f"write_many_{kind.kind}",
        responses={200: {"model": BulkAnswer}, **problem_responses(412)},
        openapi_extra=describes_body(kind.items, example=[kind.example]),
    )
    def written(request: Request, actor: Annotated[Actor, permitted("write", kind.kind)], raw: JsonBody) -> Response:
        """Each record is replaced whole: a field left out is empty or has its default.

        A record with a `version` is only written if that is still its version; 0 says that it must be new. Records of
        the list may name each other.
        """
        changes = read_body(raw, lambda document: _changes(kind, document))
        database = services_of(request).database
        answers = _writing(database, actor, lambda work: _upserted(kind, work, changes, listed=True))
        return json_response(_summary(kind, changes, answers))


def _add_get(kind: Kind, name: str) -> None:
    @router.get(
        kind.one_path,
        tags=[name],
        summary=f"Get one of {name}",
        operation_id=f"get_{kind.kind}",
        responses={
            200: {"model": kind.record, "headers": _ETAG_HEADER},
            304: {"description": "Not Modified", "headers": _ETAG_HEADER},
            **problem_responses(404),
        },
    )
    def got(
        request: Request,
        key: Annotated[tuple[str, ...], _key_of(kind)],
        actor: Annotated[Actor, permitted("read", kind.kind)],
        if_none_match: IfNoneMatch = None,  # noqa: ARG001  read from the request, here for its description
    ) -> Response:
        with services_of(request).database.read(actor) as work:
            record = Repository(work, kind.kind).get(*key)
        etag = etag_of(record.version)
        return not_modified(etag) if is_unchanged(request, etag) else _one(kind, record)


def _add_put(kind: Kind, name: str) -> None:
    conditions = (412, 428) if kind.conditional else (412,)

    @router.put(
        kind.one_path,
        tags=[name],
        summary=f"Create or replace one of {name}",
        operation_id=f"write_{kind.kind}",
        responses={
            200: {"model": kind.record, "headers": _ETAG_HEADER, "description": "Replaced, or as it was"},
            201: {"model": kind.record, "headers": _ETAG_HEADER, "description": "Created"},
            **problem_responses(*conditions),
        },
        openapi_extra=describes_body(kind.body, example=kind.one_example),
    )
    def put(
        request: Request,
        # First who asks, then the body: nobody without a token has megabytes read.
        actor: Annotated[Actor, permitted("write", kind.kind)],
        key: Annotated[tuple[str, ...], _key_of(kind)],
        raw: JsonBody,
        if_match: IfMatch = None,
        if_none_match: OnlyNew = None,
    ) -> Response:
        version = version_to_write(if_match, if_none_match)
        values = read_body(raw, lambda document: _values(kind, key, document))

        def write(work: UnitOfWork) -> tuple[Written, Record]:
            repository = Repository(work, kind.kind)
            if version is None and kind.conditional and _exists(repository, key):
                raise precondition_required()
            if version == EXISTING and not _exists(repository, key):
                raise nothing_exists(RecordKey(kind.kind, key))
            [answer] = _upserted(kind, work, [Change(values, None if version == EXISTING else version)])
            return answer, repository.get(*key)

        answer, record = _writing(services_of(request).database, actor, write)
        return _one(kind, record, created=answer.outcome == "created")


def _add_delete(kind: Kind, name: str) -> None:
    @router.delete(
        kind.one_path,
        tags=[name],
        summary=f"Delete one of {name}",
        operation_id=f"delete_{kind.kind}",
        status_code=204,
        response_class=Response,
        responses={204: {"description": "Deleted"}, **problem_responses(404, 409, 412, 428)},
    )
    def delete(
        request: Request,
        key: Annotated[tuple[str, ...], _key_of(kind)],
        actor: Annotated[Actor, permitted("delete", kind.kind)],
        if_match: IfMatch = None,
    ) -> Response:
        """What others name cannot be deleted: the refusal says who."""
        version = required_version(if_match)
        database = services_of(request).database
        _writing(database, actor, lambda work: _deleted(kind, work, key, version))
        return Response(status_code=204)


def _changes(kind: Kind, document: object) -> list[Change]:
    """A list of records as changes.

    Raises:
        InvalidInput: with every issue of every record.
    """
    if isinstance(document, list) and len(document) > MAX_BULK:
        message = f"the list has {len(document)} records, the limit is {MAX_BULK}"
        raise InvalidInput([Issue("", "TOO_LARGE", message, "Send it in parts.", {"limit": MAX_BULK})])
    written = document if isinstance(document, list) else []
    found = _sound(kind, kind.items, document, [(_place(position), item) for position, item in enumerate(written)])
    records: list[Any] = getattr(found, "root")  # noqa: B009  the class is made at run time
    return [Change(kind.values(record, item), record.version) for record, item in zip(records, written, strict=True)]


def _place(position: int) -> str:
    return f"[{position}]"


def _values(kind: Kind, key: tuple[str, ...], document: object) -> dict[str, Any]:
    """The record that a body and its path describe, as the repository takes it.

    Raises:
        InvalidInput: with every issue, also where the body names another record than the path.
    """
    names = {"external_id": "id", "engineer": "engineer"}
    path = {names[part]: value for part, value in zip(kind.key, key, strict=True)}
    whole = {**document, **path} if isinstance(document, dict) else document
    others = [
        Issue(
            name,
            "OTHER_ID",
            f"the body says {shown(document[name])}, the path {shown(value)}",
            "Leave it out here, or write what the path says.",
            {"path": value},
        )
        for name, value in path.items()
        if isinstance(document, dict) and document.get(name) not in (None, value)
    ]
    record = _sound(kind, kind.body, whole, [("", whole)], others)
    assert isinstance(whole, dict)
    return kind.values(record, whole)


def _sound(
    kind: Kind,
    model: type[BaseModel],
    document: object,
    records: Sequence[tuple[str, object]],
    others: Sequence[Issue] = (),
) -> BaseModel:
    """A document as its model; `records` are the single records in it, each with its place.

    Raises:
        InvalidInput: with every issue of shape and meaning.
    """
    issues = list(others)
    try:
        found = checked(model, document)
    except InvalidInput as error:
        issues += error.issues
    for position, issue in kind.meant([record for _, record in records]):
        place = records[position][0]
        path = place + ("." if place and issue.path else "") + issue.path
        issues.append(replace(issue, path=path))
    if issues:
        raise InvalidInput(in_order(document, issues))
    return found


def _upserted(kind: Kind, work: UnitOfWork, changes: Sequence[Change], *, listed: bool = False) -> Sequence[Written]:
    told = kind.kind in _TOLD
    if told:
        EventLog(work).hold()
    if kind.kind == "work_order":
        changes = with_levels(work, changes)
    try:
        answers = Repository(work, kind.kind).upsert(changes)
    except UnknownReference as error:
        keys = [kind.resource.key_of(change.values) for change in changes] if listed else []
        raise kind.in_our_words(error, {key: _place(position) for position, key in enumerate(keys)}) from None
    if told:
        changed = zip(changes, answers, strict=True)
        tell_changes(work, kind.kind, [item.values for item, answer in changed if answer.outcome != "unchanged"])
    return answers


def _deleted(kind: Kind, work: UnitOfWork, key: tuple[str, ...], version: int | None) -> None:
    # The position of an engineer goes with the engineer.
    told = {"engineer": "engineer_position"}.get(kind.kind, kind.kind)
    if told in TOLD:
        EventLog(work).hold()
    Repository(work, kind.kind).delete(*key, version=version)
    if told in TOLD:
        tell_changes(work, told, [], [key])


def _exists(repository: Repository, key: tuple[str, ...]) -> bool:
    try:
        repository.get(*key)
    except NotFound:
        return False
    return True


def _writing(database: Database, actor: Actor, act: Callable[[UnitOfWork], Result]) -> Result:
    """What an act in a unit of work gives; tried again once where somebody else came between.

    Raises:
        Contention: if somebody did so again.
    """
    try:
        with database.write(actor) as work:
            return act(work)
    except Contention:
        with database.write(actor) as work:
            return act(work)


def _summary(kind: Kind, changes: Sequence[Change], answers: Sequence[Written]) -> dict[str, Any]:
    names = {"external_id": "id", "engineer": "engineer"}
    counts = Counter(answer.outcome for answer in answers)
    return {
        **{outcome: counts[outcome] for outcome in ("created", "updated", "unchanged")},
        "records": [
            {names[part]: change.values[part] for part in kind.key}
            | {"version": answer.version, "outcome": answer.outcome}
            for change, answer in zip(changes, answers, strict=True)
        ],
    }


def _one(kind: Kind, record: Record, *, created: bool = False) -> Response:
    return json_response(kind.presented(record), 201 if created else 200, {"ETag": etag_of(record.version)})


for _kind in KINDS:
    _name = _kind.list_path.strip("/").replace("-", " ")
    for _add in (_add_list, _add_bulk, _add_get, _add_put, _add_delete):
        _add(_kind, _name)
