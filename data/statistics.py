"""How many runs and plans there are, across all tenants: figures for whoever operates the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from data.orm import Plan, PlanningRun
from data.session import Database, UnitOfWork
from dispatcher.actor import Actor
from dispatcher.lifecycle import PLAN_STATES, RUN_STATES

_OPERATOR = Actor("", "operator")


@dataclass(frozen=True, slots=True)
class PlanningCounts:
    """Every state is there, with 0 where nothing is in it."""

    runs: Mapping[str, int]
    plans: Mapping[str, int]
    expired_leases: int
    retried: int


def planning_counts(database: Database) -> PlanningCounts:
    """Raises Unavailable if the database does not answer."""
    with database.read(_OPERATOR) as work:
        runs = select(PlanningRun.state, func.count()).group_by(PlanningRun.state)
        plans = select(Plan.state, func.count()).group_by(Plan.state)
        expired = select(func.count()).where(PlanningRun.state == "running", PlanningRun.lease_until <= work.now)
        retried = select(func.count()).where(PlanningRun.attempts > 1)
        return PlanningCounts(
            runs={**dict.fromkeys(RUN_STATES, 0), **_by_state(work, runs)},
            plans={**dict.fromkeys(PLAN_STATES, 0), **_by_state(work, plans)},
            expired_leases=work.session.scalars(expired).one(),
            retried=work.session.scalars(retried).one(),
        )


def _by_state(work: UnitOfWork, query: Select[str, int]) -> dict[str, int]:
    return {row[0]: row[1] for row in work.session.execute(query)}
