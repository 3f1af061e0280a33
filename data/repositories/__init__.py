"""Reading and writing what is stored, inside a unit of work of `data.session`; nothing here commits.

`Repository` serves every kind of record in `RESOURCES`; `Plans` the published plans.
"""

from __future__ import annotations

from data.repositories.marks import Marks
from data.repositories.plans import InForce, PlanRecord, Plans, Publication, Scope
from data.repositories.records import MAX_PAGE, Between, Change, Page, Record, Written
from data.repositories.repository import Repository
from data.repositories.resources import RESOURCES, Resource

__all__ = [
    "MAX_PAGE",
    "RESOURCES",
    "Between",
    "Change",
    "InForce",
    "Marks",
    "Page",
    "PlanRecord",
    "Plans",
    "Publication",
    "Record",
    "Repository",
    "Resource",
    "Scope",
    "Written",
]
