"""The tables, by subject in `orm_*.py`; docs/storage.md describes them."""

from __future__ import annotations

from data.orm_base import Base, Row
from data.orm_events import Event, EventHead, Outbox
from data.orm_people import Engineer, EngineerPosition, Shift, Skill, SkillRelation
from data.orm_places import Asset, AssetModel, AssetRelation, Contract, Customer, Site, Territory
from data.orm_plans import Plan, PlanningRun, PlanScope, Route, ScopeHead
from data.orm_work import Mention, Visit, WorkOrder, WorkOrderMark

__all__ = [
    "Asset",
    "AssetModel",
    "AssetRelation",
    "Base",
    "Contract",
    "Customer",
    "Engineer",
    "EngineerPosition",
    "Event",
    "EventHead",
    "Mention",
    "Outbox",
    "Plan",
    "PlanScope",
    "PlanningRun",
    "Route",
    "Row",
    "ScopeHead",
    "Shift",
    "Site",
    "Skill",
    "SkillRelation",
    "Territory",
    "Visit",
    "WorkOrder",
    "WorkOrderMark",
]
