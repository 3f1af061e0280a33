"""Every kind of record the service keeps: its paths, its bodies, its filters, and the way to storage and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, Field, RootModel, create_model
from pydantic_core import PydanticCustomError

from api.http.parameters import LocalDate, Moment, QueryId, read_date
from api.resource_schemas import (
    EXAMPLES,
    AssetFields,
    AssetModelFields,
    AssetRelationFields,
    ContractFields,
    CustomerFields,
    EngineerFields,
    Expected,
    Identified,
    IdentifiedByPath,
    OfEngineer,
    OfEngineerByPath,
    PositionFields,
    RelationType,
    ShiftFields,
    ShiftStatus,
    SiteFields,
    SkillFields,
    SkillRelationFields,
    Stored,
    TerritoryFields,
    VisitFields,
    VisitStatus,
    WorkOrderFields,
    WorkOrderStatus,
)
from api.schemas_values import Document, Level
from api.sla_policy import issues_of_changes, placed
from data.repositories import MAX_PAGE, RESOURCES, Between, Record, Resource
from dispatcher.documents import utc_text
from dispatcher.errors import Issue, UnknownReference
from dispatcher.sla.linking import AssetRelationType
from dispatcher.validate_engineers import Horizon, engineer_issues
from dispatcher.validate_orders import order_issues
from dispatcher.validate_skills import relation_issues
from dispatcher.validate_values import IssueList, instant, objects

MAX_BULK = 10_000
_ANY_TIME = Horizon(None, None)
# Which class brings which part of a key.
_IN_THE_PATH: Mapping[str, type[Document]] = {"external_id": IdentifiedByPath, "engineer": OfEngineerByPath}
_IN_THE_BODY: Mapping[str, type[Document]] = {"external_id": Identified, "engineer": OfEngineer}


class PageQuery(BaseModel):
    """Which page of a list, and what is on it."""

    limit: int = Field(default=100, ge=1, le=MAX_PAGE, description="How many records at most.")
    after: str | None = Field(
        default=None, max_length=2000, description="`next` of the page before; the first page without it."
    )
    updated_since: Moment | None = Field(default=None, description="Records changed at this instant or later.")


def _alias(fields: type[Document], name: str) -> str | None:
    info = fields.model_fields.get(name)
    return None if info is None else info.alias


def _query(fields: type[Document], **filters: Any) -> type[PageQuery]:
    """A page query with filters by field; each may be given several times, and one of its values has to fit."""
    parameters: dict[str, Any] = {
        name: (list[kind] | None, Field(default=None, max_length=100, alias=_alias(fields, name)))  # type: ignore[valid-type]
        for name, kind in filters.items()
    }
    model: type[PageQuery] = create_model(
        fields.__name__.removesuffix("Fields") + "Query", __base__=PageQuery, **parameters
    )
    return model


@dataclass(frozen=True)
class Kind:
    """One kind of record. `list_path` lists and writes many of them, `one_path` is one of them.

    `conditional` is False where the last word counts, whatever was there before.
    """

    kind: str
    title: str
    fields: type[Document]
    list_path: str
    one_path: str
    query: type[PageQuery]
    conditional: bool = True

    @property
    def resource(self) -> Resource:
        return RESOURCES[self.kind]

    @property
    def key(self) -> tuple[str, ...]:
        return self.resource.key

    @property
    def example(self) -> dict[str, Any]:
        return EXAMPLES[self.kind]

    @property
    def one_example(self) -> dict[str, Any]:
        return {name: value for name, value in self.example.items() if name not in ("id", *self.key)}

    @cached_property
    def body(self) -> type[BaseModel]:
        """One record, whose key stands in the path."""
        return self._model("Body", *(_IN_THE_PATH[name] for name in self.key))

    @cached_property
    def item(self) -> type[BaseModel]:
        """One record of a list."""
        return self._model("Item", *(_IN_THE_BODY[name] for name in self.key), Expected)

    @cached_property
    def items(self) -> type[BaseModel]:
        model: type[BaseModel] = create_model(
            f"{self.title}List",
            __base__=RootModel[Annotated[list[self.item], Field(max_length=MAX_BULK)]],  # type: ignore[name-defined]
        )
        return model

    @cached_property
    def record(self) -> type[BaseModel]:
        """A record as it is given."""
        return self._model("Record", *(_IN_THE_BODY[name] for name in self.key), Stored)

    @cached_property
    def page(self) -> type[BaseModel]:
        model: type[BaseModel] = create_model(
            f"{self.title}Page",
            items=(list[self.record], ...),  # type: ignore[name-defined]
            next=(str | None, Field(description="`after` of the next page; null at the end.")),
        )
        return model

    def _model(self, suffix: str, *extra: type[Document]) -> type[BaseModel]:
        model: type[BaseModel] = create_model(
            f"{self.title}{suffix}", __base__=(self.fields, *extra), __doc__=self.fields.__doc__
        )
        return model

    def where(self, query: PageQuery) -> dict[str, Any]:
        """The filters of a query as the repository takes them."""
        given = {name: getattr(query, name) for name in type(query).model_fields if name not in PageQuery.model_fields}
        where = {name: value for name, value in given.items() if value is not None}
        if query.updated_since is not None:
            where["updated_at"] = Between(low=query.updated_since)
        return where

    def values(self, record: BaseModel, written: Mapping[str, Any]) -> dict[str, Any]:
        """A checked record as the repository takes it; `written` is its JSON, of which a body keeps the words."""
        values: dict[str, Any] = {}
        body: dict[str, Any] = {}
        stored = self.resource.fields
        for name, info in type(record).model_fields.items():
            alias = info.alias or name
            if name in stored:
                value = getattr(record, name)
                if value is not None:
                    values[name] = written[alias] if isinstance(value, BaseModel) else value
            elif name != "version" and alias in written and (written[alias] is not None or name == "end_location"):
                body[alias] = written[alias]
        if "body" in stored:
            values["body"] = body
        if self.kind == "shift":
            values.setdefault("latest_end", values["end"])
        return values

    def presented(self, record: Record) -> dict[str, Any]:
        """A stored record as JSON values."""
        fields = self.record.model_fields
        shown: dict[str, Any] = {}
        for name in (*reversed(self.key), *fields):
            if name in record.values:
                shown.setdefault(fields[name].alias or name, _plain(record.values[name]))
        shown |= record.values.get("body", {})
        shown["version"] = record.version
        shown["created_at"], shown["updated_at"] = _plain(record.created_at), _plain(record.updated_at)
        shown["updated_by"] = record.updated_by
        return shown

    def meant(self, documents: Sequence[Any]) -> Iterator[tuple[int, Issue]]:
        """What records say that cannot be meant, by position; whatever is malformed is left to the check of shape."""
        issues = IssueList()
        if self.kind == "work_order":
            order_issues({"work_orders": list(documents)}, _Everything(), _ANY_TIME, None, issues)
        elif self.kind == "shift":
            engineer_issues({"engineers": [{"shifts": [shift]} for shift in documents]}, _ANY_TIME, issues)
        for path, document in objects(list(documents), (self.kind,)):
            for earlier, later in _IN_ORDER.get(self.kind, ()):
                first, second = _time(document.get(earlier)), _time(document.get(later))
                if first is not None and second is not None and first > second:
                    issues.order((*path, later), earlier, later, (document[earlier], document[later]))
            if self.kind == "asset_relation" and document.get("from") == document.get("to") is not None:
                issues.report((*path, "to"), "SELF_REFERENCE", "a machine is related to itself", "Name another one.")
            if self.kind == "contract":
                changes = issues_of_changes(document.get("sla"))
                yield from (_placed(placed(issue, (*path, "sla"))) for issue in changes)
            if self.kind == "skill_relation" and document.get("type") == "implies":
                for key, neutral in (("duration_factor", 1), ("penalty", 0)):
                    if document.get(key) not in (None, neutral):
                        issues.report(
                            (*path, key),
                            "IMPLIES_WITH_PRICE",
                            f"`implies` carries no `{key}`",
                            f"Remove `{key}`, or use the type `substitutes`.",
                            field=key,
                        )
        if self.kind == "skill_relation":
            relation_issues(objects(list(documents), (self.kind,)), issues)
        for issue in issues:
            # Whether what is named exists, only storage knows.
            if issue.code != "NOT_FOUND":
                yield _placed(issue)

    def in_our_words(self, error: UnknownReference, places: Mapping[tuple[str, ...], str]) -> UnknownReference:
        """The same refusal with the fields as callers know them; `places` says where in a list each record stands."""

        def renamed(field: str) -> str:
            info = self.fields.model_fields.get(field)
            return (info.alias or field) if info is not None else field.removeprefix("body.")

        return UnknownReference(
            replace(item, field=renamed(item.field), place=places.get(item.source.key, "")) for item in error.references
        )


class _Everything(frozenset[str]):
    """A collection that has whatever it is asked for."""

    def __contains__(self, _name: object) -> bool:
        return True


_IN_ORDER = {"contract": (("starts_on", "ends_on"),), "visit": (("planned_start", "planned_end"),)}
_FIRST_PLACE = re.compile(r"(?:work_orders|engineers|[a-z_]+)\[([0-9]+)\](?:\.shifts\[0\])?\.?")


def _time(value: object) -> int | None:
    """An instant or a date as a number that can be compared with others of its sort."""
    at = instant(value)
    if at is not None:
        return at
    try:
        return read_date(value).toordinal()
    except PydanticCustomError:
        return None


def _placed(issue: Issue) -> tuple[int, Issue]:
    """The position of the record that an issue is about, and the issue with its path inside that record."""
    match = _FIRST_PLACE.match(issue.path)
    assert match is not None
    return int(match[1]), replace(issue, path=issue.path[match.end() :])


def _plain(value: Any) -> Any:
    """A stored value as JSON; instants in whole seconds, as documents write them."""
    if isinstance(value, datetime):
        return utc_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _kind(
    kind: str,
    title: str,
    fields: type[Document],
    path: str,
    *,
    within: str = "",
    conditional: bool = True,
    **filters: Any,
) -> Kind:
    """A kind whose records lie at `path`, or `within` an engineer."""
    one_path = f"/engineers/{{engineer}}/{within}" if within else f"/{path}/{{id}}"
    return Kind(kind, title, fields, f"/{path}", one_path, _query(fields, **filters), conditional)


KINDS: Sequence[Kind] = (
    _kind("territory", "Territory", TerritoryFields, "territories"),
    _kind("customer", "Customer", CustomerFields, "customers"),
    _kind("contract", "Contract", ContractFields, "contracts", customer=QueryId),
    _kind("site", "Site", SiteFields, "sites", customer=QueryId, territory=QueryId),
    _kind("skill", "Skill", SkillFields, "skills"),
    _kind(
        "skill_relation",
        "SkillRelation",
        SkillRelationFields,
        "skill-relations",
        type=RelationType,
        from_skill=QueryId,
        to_skill=QueryId,
    ),
    _kind("asset_model", "AssetModel", AssetModelFields, "asset-models"),
    _kind("asset", "Asset", AssetFields, "assets", site=QueryId, asset_model=QueryId, contract=QueryId),
    _kind(
        "asset_relation",
        "AssetRelation",
        AssetRelationFields,
        "asset-relations",
        type=AssetRelationType,
        from_asset=QueryId,
        to_asset=QueryId,
    ),
    _kind("engineer", "Engineer", EngineerFields, "engineers", territory=QueryId),
    _kind(
        "shift",
        "Shift",
        ShiftFields,
        "shifts",
        within="shifts/{id}",
        engineer=QueryId,
        local_date=LocalDate,
        status=ShiftStatus,
    ),
    _kind(
        "engineer_position",
        "Position",
        PositionFields,
        "positions",
        within="position",
        conditional=False,
        engineer=QueryId,
    ),
    _kind(
        "work_order",
        "WorkOrder",
        WorkOrderFields,
        "work-orders",
        territory=QueryId,
        level=Level,
        status=WorkOrderStatus,
        site=QueryId,
        asset=QueryId,
    ),
    _kind("visit", "Visit", VisitFields, "visits", work_order=QueryId, engineer=QueryId, status=VisitStatus),
)
"""In an order in which they can be written."""
