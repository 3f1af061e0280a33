"""What the visits of a territory say about its engineers: read from storage, and as the service answers it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from api.references import named
from api.resolved_orders import history_document
from data.repositories import Between, Repository
from data.session import UnitOfWork
from dispatcher.documents import utc_text
from dispatcher.errors import InvalidInput, Issue
from dispatcher.experience import FIELDS, with_history
from dispatcher.services.state_history import OVER, PastWork, resolved_orders
from dispatcher.services.state_values import Values
from skills.exchange import GraphRefused, read_graph_document
from skills.graph import SkillGraph
from skills.history import History, learn


@dataclass(frozen=True, slots=True)
class Learned:
    """A history, the visits it was made of, and the engineers of the territory whom it is about."""

    territory: str
    since: datetime
    until: datetime
    visits: int
    engineers: Sequence[Values]
    graph: dict[str, Any]
    history: History


def learned(work: UnitOfWork, territory: str, days: int, half_life_days: float) -> Learned:
    """The history of a territory's engineers, wherever they worked.

    Raises:
        UnknownReference: if there is no such territory.
        InvalidInput: if the stored skill graph cannot be meant.
    """
    named(work, "territory", territory, "territory")
    since = work.now - timedelta(days=days)
    engineers = [item.values for item in Repository(work, "engineer").iterate({"territory": [territory]})]
    names = [engineer["external_id"] for engineer in engineers]
    ended = Between(low=since)
    visits = list(_among(work, "visit", "engineer", names, status=list(OVER), ended_at=ended))
    orders = list(_among(work, "work_order", "external_id", {visit["work_order"] for visit in visits}))
    assets = list(_among(work, "asset", "external_id", {order["asset"] for order in orders} - {None}))
    models = _among(work, "asset_model", "external_id", {asset["asset_model"] for asset in assets} - {None})
    document = _stored_graph(work)
    past = PastWork(visits, orders, engineers, assets, list(models), _graph(document))
    history = learn(resolved_orders(past), now=int(work.now.timestamp()), half_life_days=half_life_days)
    return Learned(territory, since, work.now, len(visits), engineers, document, history)


def learned_document(found: Learned) -> dict[str, Any]:
    """The figures, and the fields of each engineer that follow from them."""
    asked = [{"id": engineer["external_id"], "skills": engineer["body"].get("skills")} for engineer in found.engineers]
    filled = with_history({"skill_graph": found.graph, "engineers": asked}, found.history)["engineers"]
    return {
        "territory": found.territory,
        "since": utc_text(found.since),
        "visits": found.visits,
        **history_document(utc_text(found.until), found.history),
        "engineers": [
            {"id": engineer["id"], **{name: engineer.get(name, {}) for name in FIELDS}} for engineer in filled
        ],
    }


def _stored_graph(work: UnitOfWork) -> dict[str, Any]:
    return {
        "skills": [{"id": item.values["external_id"]} for item in Repository(work, "skill").iterate()],
        "relations": [
            {
                "type": item.values["type"],
                "from": item.values["from_skill"],
                "to": item.values["to_skill"],
                **item.values["body"],
            }
            for item in Repository(work, "skill_relation").iterate()
        ],
    }


def _graph(document: dict[str, Any]) -> SkillGraph:
    try:
        return read_graph_document(document)
    except GraphRefused as refused:
        raise InvalidInput(
            Issue(f"skill_graph.{issue.path}", issue.code, issue.message, issue.remedy) for issue in refused.issues
        ) from refused


def _among(work: UnitOfWork, kind: str, field: str, names: Iterable[str], **where: Any) -> Iterator[Values]:
    return (record.values for record in Repository(work, kind).iterate_among(field, names, where))
