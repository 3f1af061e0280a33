"""Work orders inherit what the model of their asset requires, from the database to the problem document."""

from api.planning_state import snapshot
from data.session import Database
from dispatcher.services.state import PlanQuestion
from tests.databases import ACTOR
from tests.stored_fleet import MONDAY, store, store_fleet


def test_what_is_planned_from_a_database_asks_for_what_its_machines_need(database: Database) -> None:
    store_fleet(database)
    needs = [{"skill": "pumps", "level": 1}, {"skill": "hydraulics", "level": 3}]
    with database.write(ACTOR) as work:
        store(work, "asset_model", external_id="M1", body={"required_skills": needs})
        store(work, "work_order", external_id="W2", site="S1", territory="east", body={"service_seconds": 60})
        document, _ = snapshot(work, PlanQuestion("question", ["east"], [MONDAY]))
    found = {order["id"]: order.get("required_skills") for order in document["work_orders"]}
    assert found == {"W1": [{"skill": "pumps", "level": 2}, {"skill": "hydraulics", "level": 3}], "W2": None}
