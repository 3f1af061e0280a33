"""Published plans: what they were made from, what they are about, and which of them is in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, insert, select

from data.orm import Base, Plan, PlanScope, Route, ScopeHead
from data.orm_base import canonical_sha256
from data.repositories.lookup import among, chunks, ids_of
from data.repositories.records import Page, cursor_after, page_size, position_of, storable
from data.repositories.resources import RESOURCES
from data.session import UnitOfWork
from dispatcher.documents import problem_sha256
from dispatcher.errors import (
    NamedRecord,
    NotFound,
    PlanRefused,
    RecordKey,
    ScopeConflict,
    Stale,
    StaleRecord,
    UnknownReference,
    WrongState,
)

_ROUTE = Base.metadata.tables[Route.__tablename__]
_TERRITORY = RESOURCES["territory"].table
# Phones ask for nothing else, and often: put together once.
_IN_FORCE = (
    select(Route.plan_id, Route.shift, Route.sha256, Route.document)
    .join(
        ScopeHead,
        and_(
            ScopeHead.tenant_id == Route.tenant_id,
            ScopeHead.plan_id == Route.plan_id,
            ScopeHead.territory_id == Route.territory_id,
            ScopeHead.local_date == Route.local_date,
        ),
    )
    .where(
        Route.tenant_id == bindparam("tenant_id"),
        Route.engineer == bindparam("engineer"),
        Route.local_date == bindparam("local_date"),
    )
    .order_by(Route.shift)
)


@dataclass(frozen=True, order=True, slots=True)
class Scope:
    """What a plan is about and conflicts are judged by: a territory, by the caller's id, on a local date."""

    territory: str
    local_date: date


@dataclass(frozen=True, slots=True)
class Publication:
    """A checked plan with the problem it answers.

    `scopes` holds the version each scope had when the problem was read (`Plans.versions`); empty for a problem that
    did not come from what is stored.
    """

    problem: Mapping[str, Any]
    plan: Mapping[str, Any]
    scopes: Mapping[Scope, int]


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan without its documents, which may be large."""

    id: str
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str
    run_id: str
    state: str
    total: int
    problem_sha256: str
    scopes: tuple[Scope, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """A route of the plan in force. `sha256` changes exactly when the route does, also where the plan is another."""

    plan_id: str
    shift: str
    sha256: str
    route: Mapping[str, Any]


class Plans:
    """The plans of the tenant whose unit of work it is."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def versions(self, scopes: Iterable[Scope]) -> dict[Scope, int]:
        """The version of each scope, 0 where nothing was ever accepted; to be read before the problem is.

        Raises:
            UnknownReference: for territories that there are not.
        """
        wanted = sorted(set(scopes))
        territories = self._territories(wanted, "scopes")
        heads = self._heads([(territories[scope.territory], scope.local_date) for scope in wanted])
        found = {}
        for scope in wanted:
            head = heads.get((territories[scope.territory], scope.local_date))
            found[scope] = 0 if head is None else head.version
        return found

    def heads(self, scopes: Iterable[Scope]) -> dict[Scope, str]:
        """The id of the plan in force for each scope that has one."""
        wanted = sorted(set(scopes))
        territories = ids_of(self._work, RESOURCES["territory"], ((scope.territory,) for scope in wanted))
        places = {
            scope: (territories[(scope.territory,)], scope.local_date)
            for scope in wanted
            if (scope.territory,) in territories
        }
        heads = self._heads(list(places.values()))
        return {scope: heads[place].plan_id for scope, place in places.items() if place in heads}

    def publish(self, run_id: str, publication: Publication) -> str:
        """Store a plan of a run; its id. A run has at most one, which the schema itself sees to.

        Raises:
            PlanRefused: if the plan says that it was made from another problem.
            UnknownReference: for territories that there are not any more.
        """
        sha256 = problem_sha256(publication.problem)
        claimed = publication.plan["receipt"]["problem_sha256"]
        if claimed != sha256:
            raise PlanRefused([f"the plan was made from the problem {claimed}, not from {sha256}"])
        scopes = sorted(publication.scopes)
        territories = self._territories(scopes, "scopes")
        plan = self._work.add(
            Plan,
            run_id=run_id,
            state="published",
            total=publication.plan["score"]["total"],
            problem_sha256=sha256,
            problem=publication.problem,
            document=publication.plan,
        )
        for scope in scopes:
            self._work.add(
                PlanScope,
                plan_id=plan.id,
                territory_id=territories[scope.territory],
                local_date=scope.local_date,
                base_version=publication.scopes[scope],
            )
        if scopes:
            self._add_routes(plan.id, publication.plan["routes"])
        return plan.id

    def get(self, plan_id: str) -> PlanRecord:
        """Raises NotFound if there is no such plan."""
        return self._records([self._row(plan_id)])[0]

    def document(self, plan_id: str) -> dict[str, Any]:
        """The plan as it was published. Raises NotFound if there is no such plan."""
        return self._row(plan_id).document

    def problem(self, plan_id: str) -> dict[str, Any]:
        """The problem it answers, as it was when it was read. Raises NotFound if there is no such plan."""
        return self._row(plan_id).problem

    def page(
        self, *, state: str | None = None, scope: Scope | None = None, after: str | None = None, limit: int = 100
    ) -> Page[PlanRecord]:
        """Up to `limit` plans, the newest first, from the place of a cursor on.

        Raises:
            BadCursor: for a cursor that no such list gave out.
        """
        limit = page_size(limit)
        query = self._select().order_by(Plan.id.desc()).limit(limit + 1)
        if state is not None:
            query = query.where(Plan.state == state)
        if scope is not None:
            about = and_(
                PlanScope.tenant_id == Plan.tenant_id,
                PlanScope.plan_id == Plan.id,
                PlanScope.local_date == scope.local_date,
                PlanScope.territory_id == _TERRITORY.c.id,
                _TERRITORY.c.tenant_id == Plan.tenant_id,
                _TERRITORY.c.external_id == scope.territory,
            )
            query = query.where(exists().where(about))
        if after is not None:
            query = query.where(Plan.id < position_of(after, "plan"))
        rows = list(self._work.session.scalars(query))
        records = tuple(self._records(rows[:limit]))
        return Page(records, cursor_after("plan", records[-1].id) if len(rows) > limit else None)

    def accept(self, plan_id: str, version: int) -> PlanRecord:
        """Put a plan in force for all of its scopes, in place of the plans there.

        A plan that is in force nowhere any more is superseded.

        Raises:
            NotFound: if there is no such plan.
            Stale: if the caller has read another version of it.
            WrongState: if it was accepted before, or is about nothing stored.
            ScopeConflict: if since its snapshot another plan was accepted for one of its scopes.
        """
        name = RecordKey("plan", (plan_id,))
        plan = self._row(plan_id, lock=True)
        if plan.version != version:
            raise Stale([StaleRecord(name, version, plan.version)])
        scopes = self._scopes([plan_id])
        if plan.state != "published" or not scopes:
            raise WrongState(name, plan.state if scopes else "without a scope", "accept")
        heads = self._heads([(row.territory_id, row.local_date) for row, _ in scopes], lock=True)
        moved = []
        for row, territory in scopes:
            head = heads.get((row.territory_id, row.local_date))
            if row.base_version != (0 if head is None else head.version):
                moved.append((territory, row.local_date.isoformat()))
        if moved:
            raise ScopeConflict(plan_id, moved)
        displaced = {head.plan_id for head in heads.values()}
        for row, _ in scopes:
            head = heads.get((row.territory_id, row.local_date))
            if head is None:
                self._work.add(ScopeHead, territory_id=row.territory_id, local_date=row.local_date, plan_id=plan_id)
            else:
                head.plan_id = plan_id
                self._work.touch(head)
        plan.state = "accepted"
        self._work.touch(plan)
        for other in sorted(displaced):
            self._supersede(other)
        return self.get(plan_id)

    def in_force(self, engineer: str, local_date: date) -> Sequence[InForce]:
        """An engineer's routes of a date by the plan in force there, one per shift that has one."""
        if not storable(engineer):
            return []
        wanted = {"tenant_id": self._work.tenant_id, "engineer": engineer, "local_date": local_date}
        return [InForce(*row) for row in self._work.session.execute(_IN_FORCE, wanted)]

    def routes_in_force(self, scopes: Iterable[Scope]) -> list[dict[str, Any]]:
        """The routes of all engineers, as their plan documents have them, by the plans in force for these scopes."""
        wanted = sorted(set(scopes))
        territories = ids_of(self._work, RESOURCES["territory"], ((scope.territory,) for scope in wanted))
        places = [
            (territories[(scope.territory,)], scope.local_date) for scope in wanted if (scope.territory,) in territories
        ]
        heads = self._heads(places)
        found: list[dict[str, Any]] = []
        for territory_id, local_date in places:
            head = heads.get((territory_id, local_date))
            if head is not None:
                query = (
                    select(Route.document)
                    .where(
                        Route.tenant_id == self._work.tenant_id,
                        Route.plan_id == head.plan_id,
                        Route.territory_id == territory_id,
                        Route.local_date == local_date,
                    )
                    .order_by(Route.engineer, Route.shift)
                )
                found.extend(self._work.session.scalars(query))
        return found

    def teams_in_force(self, scopes: Iterable[Scope]) -> list[dict[str, Any]]:
        """The teams, as their plan documents have them, of the plans in force for these scopes."""
        heads = sorted({*self.heads(scopes).values()})
        return [team for plan_id in heads for team in self.document(plan_id).get("teams") or ()]

    def _select(self) -> Select[Plan]:
        return select(Plan).where(Plan.tenant_id == self._work.tenant_id)

    def _row(self, plan_id: str, *, lock: bool = False) -> Plan:
        query = self._select().where(Plan.id == plan_id)
        if lock:
            query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
        plan = self._work.session.scalars(query).one_or_none() if storable(plan_id) else None
        if plan is None:
            raise NotFound(RecordKey("plan", (plan_id,)))
        return plan

    def _records(self, plans: Sequence[Plan]) -> list[PlanRecord]:
        scopes: dict[str, list[Scope]] = {plan.id: [] for plan in plans}
        for row, territory in self._scopes(list(scopes)):
            scopes[row.plan_id].append(Scope(territory, row.local_date))
        return [
            PlanRecord(
                plan.id,
                plan.version,
                plan.created_at,
                plan.updated_at,
                plan.updated_by,
                plan.run_id,
                plan.state,
                plan.total,
                plan.problem_sha256,
                tuple(scopes[plan.id]),
            )
            for plan in plans
        ]

    def _scopes(self, plan_ids: Sequence[str]) -> Sequence[tuple[PlanScope, str]]:
        """The scopes of plans with the caller's ids of their territories, sorted."""
        query = (
            select(PlanScope, _TERRITORY.c.external_id)
            .join(
                _TERRITORY,
                (_TERRITORY.c.tenant_id == PlanScope.tenant_id) & (_TERRITORY.c.id == PlanScope.territory_id),
            )
            .where(PlanScope.tenant_id == self._work.tenant_id, PlanScope.plan_id.in_(plan_ids))
            .order_by(_TERRITORY.c.external_id, PlanScope.local_date)
        )
        return [(row, territory) for row, territory in self._work.session.execute(query)]

    def _territories(self, scopes: Sequence[Scope], field: str) -> dict[str, str]:
        found = ids_of(self._work, RESOURCES["territory"], ((scope.territory,) for scope in scopes))
        unknown = [
            NamedRecord(RecordKey("plan", ()), field, RecordKey("territory", (scope.territory,)))
            for scope in scopes
            if (scope.territory,) not in found
        ]
        if unknown:
            raise UnknownReference(unknown)
        return {key[0]: row_id for key, row_id in found.items()}

    def _heads(self, places: Sequence[tuple[str, date]], *, lock: bool = False) -> dict[tuple[str, date], ScopeHead]:
        found = {}
        for chunk in chunks(places):
            query = (
                select(ScopeHead)
                .where(
                    ScopeHead.tenant_id == self._work.tenant_id,
                    ScopeHead.territory_id.in_({territory for territory, _ in chunk}),
                    ScopeHead.local_date.in_({day for _, day in chunk}),
                )
                .order_by(ScopeHead.territory_id, ScopeHead.local_date)
            )
            if lock:
                query = query.with_for_update().execution_options(populate_existing=True)
            for head in self._work.session.scalars(query):
                found[head.territory_id, head.local_date] = head
        return {place: found[place] for place in places if place in found}

    def _supersede(self, plan_id: str) -> None:
        query = select(ScopeHead.id).where(ScopeHead.tenant_id == self._work.tenant_id, ScopeHead.plan_id == plan_id)
        if self._work.session.scalars(query.limit(1)).first() is None:
            plan = self._row(plan_id, lock=True)
            plan.state = "superseded"
            self._work.touch(plan)

    def _add_routes(self, plan_id: str, routes: Sequence[Mapping[str, Any]]) -> None:
        """The routes of shifts that are stored in a territory; only such a shift has a plan in force."""
        shifts, engineers = RESOURCES["shift"], RESOURCES["engineer"].table
        by_key = {(route["engineer"], route["shift"]): route for route in routes}
        rows = []
        for chunk in chunks(sorted(by_key)):
            query = (
                shifts.select_keys()
                .add_columns(shifts.table.c.local_date, engineers.c.territory_id)
                .join(
                    engineers,
                    and_(
                        engineers.c.tenant_id == shifts.table.c.tenant_id,
                        engineers.c.id == shifts.table.c.engineer_id,
                    ),
                )
                .where(
                    shifts.table.c.tenant_id == self._work.tenant_id,
                    engineers.c.territory_id.is_not(None),
                    among(shifts.key_columns(), chunk),
                )
            )
            for _, engineer, shift, local_date, territory_id in self._work.session.execute(query):
                route = by_key[engineer, shift]
                rows.append(
                    {
                        **self._work.bookkeeping(),
                        "plan_id": plan_id,
                        "territory_id": territory_id,
                        "local_date": local_date,
                        "engineer": engineer,
                        "shift": shift,
                        "sha256": canonical_sha256(route),
                        "document": route,
                    }
                )
        if rows:
            self._work.session.execute(insert(_ROUTE), rows)
