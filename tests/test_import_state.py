"""What an import stores is what the document said: planning from the store sees the same engineers and work orders."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.bootstrap import Services
from api.documents import check_problem
from api.http.actors import everybody_may
from api.import_state import DEFAULT_TERRITORY, Collection, fleet_records
from api.planning_state import snapshot
from api.problems import build_problem
from api.settings import Settings
from data.session import Database
from data.synthetic import EVERYTHING, random_problem, synthetic_problem
from dispatcher.actor import Actor
from dispatcher.services.state import PlanQuestion
from tests.databases import SetClock, delete_all_rows, open_database
from tests.http_service import application
from tests.planning_documents import full_problem

ACTOR = Actor("default", "planner")
Document = dict[str, Any]


@dataclass
class Store:
    """A service on an empty database, and the clock it goes by."""

    client: TestClient
    database: Database
    clock: SetClock

    def set_clock(self, now: datetime) -> None:
        self.clock.advance((now - self.clock.now()).total_seconds())

    def imports(self, document: Document) -> None:
        for collection in fleet_records(document).collections:
            for batch in collection.batches(50):
                answer = self.client.put(f"/v1/{collection.name}", json=list(batch))
                assert answer.status_code == 200, answer.text

    def problem(self, document: Document) -> Document:
        """The problem of everything that is stored, on the dates of a document."""
        start, end = (datetime.fromisoformat(document["horizon"][key]) for key in ("start", "end"))
        days = [start.date() + timedelta(days=number) for number in range((end - start).days + 1)]
        with self.database.read(ACTOR) as work:
            question = PlanQuestion("stored", territories_of(document), days)
            return snapshot(work, question)[0]


@pytest.fixture(scope="module")
def store(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("import") / "muster.db"
    shutil.copyfile(sqlite_template, path)
    clock = SetClock()
    database = open_database(f"sqlite:///{path}", clock)
    settings = Settings(database_url=f"sqlite:///{path}", workers=0)
    client = TestClient(application(Services(settings, database, everybody_may)))
    yield Store(client, database, clock)
    database.close()


def territories_of(document: Document) -> list[str]:
    items = (*(document.get("engineers") or ()), *(document.get("work_orders") or ()))
    return sorted({item.get("territory") or DEFAULT_TERRITORY for item in items})


def now_of(document: Document) -> datetime:
    return datetime.fromisoformat(document.get("now") or document["horizon"]["start"])


def engineers_of(document: Document) -> dict[str, Any]:
    """The engineers as planning sees them, by id; without names, which no plan needs."""
    return {
        item.id: replace(
            item,
            name=None,
            territory=item.territory or DEFAULT_TERRITORY,
            shifts=tuple(sorted(item.shifts, key=lambda shift: shift.start)),
        )
        for item in build_problem(document).engineers
    }


def orders_of(document: Document) -> dict[str, Any]:
    """The work orders as planning sees them, by id."""
    now = int(now_of(document).timestamp())
    return {
        item.id: replace(
            item,
            territory=item.territory or DEFAULT_TERRITORY,
            # What is under way is no property of an order, and is not imported.
            pin=None if item.pin and item.pin.start is not None and item.pin.start < now else item.pin,
        )
        for item in build_problem(document).work_orders
    }


def same_after_import(store: Store, document: Document) -> None:
    delete_all_rows(str(store.database.engine.url))
    store.set_clock(now_of(document))
    store.imports(document)
    if not territories_of(document):
        return
    stored = store.problem(document)
    assert engineers_of(stored) == engineers_of(document)
    assert orders_of(stored) == orders_of(document)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), orders=st.integers(0, 12), engineers=st.integers(0, 5), places=st.booleans())
def test_planning_from_the_store_sees_the_engineers_and_orders_that_were_imported(
    store: Store, seed: int, orders: int, engineers: int, places: bool
) -> None:
    rng = Random(seed)
    document = random_problem(rng, orders=orders, engineers=engineers)
    for number, place in enumerate(document["locations"].values()):
        # Under a matrix they may have none, and from the store distances come from coordinates.
        place |= {"lat": 31.2, "lon": 121.5 + number / 100}
    if places:
        for item in (*document["engineers"], *document["work_orders"]):
            if rng.random() < 0.8:
                item["territory"] = rng.choice(("north", "south"))
    same_after_import(store, document)


@pytest.mark.parametrize("document", [synthetic_problem(EVERYTHING), full_problem()], ids=["everything", "by hand"])
def test_a_document_with_every_field_is_imported_whole(store: Store, document: Document) -> None:
    assert check_problem(document) == []
    same_after_import(store, document)


def test_importing_twice_changes_nothing(store: Store) -> None:
    document = synthetic_problem(EVERYTHING)
    delete_all_rows(str(store.database.engine.url))
    store.imports(document)
    for collection in fleet_records(document).collections:
        answer = store.client.put(f"/v1/{collection.name}", json=list(collection.records)).json()
        assert (answer["created"], answer["updated"]) == (0, 0), collection.name


def test_whatever_belongs_to_one_plan_is_named_in_a_notice() -> None:
    document = synthetic_problem(EVERYTHING)
    notices = "\n".join(fleet_records(document).notices)
    running = [order["id"] for order in document["work_orders"] if "start" in order.get("pin", {})]
    for word in ("now", "travel", "objective", "solve", "matrix", "current plan", running[0]):
        assert word in notices


def test_places_without_coordinates_are_named_in_a_notice() -> None:
    document = full_problem()
    document["locations"]["plant 7"] = {}
    assert any("plant 7" in notice for notice in fleet_records(document).notices)


def test_records_without_a_territory_get_one_and_a_notice_says_so() -> None:
    document = full_problem()
    records = {collection.name: collection.records for collection in fleet_records(document).collections}
    assert [engineer["territory"] for engineer in records["engineers"]] == ["east", DEFAULT_TERRITORY]
    assert {territory["id"] for territory in records["territories"]} == {"east", DEFAULT_TERRITORY}
    assert any("E2" in notice and DEFAULT_TERRITORY in notice for notice in fleet_records(document).notices)


def test_a_machine_at_two_places_is_stored_once_and_named_in_a_notice() -> None:
    document = full_problem()
    document["work_orders"][1]["asset"] = document["work_orders"][0]["asset"]
    found = fleet_records(document)
    [assets] = [collection.records for collection in found.collections if collection.name == "assets"]
    assert assets == ({"id": "crane-7", "site": "n17"},)
    assert any("crane-7" in notice for notice in found.notices)


def test_skills_that_are_only_tags_are_stored_too() -> None:
    document = full_problem()
    del document["skill_graph"]
    records = {collection.name: collection.records for collection in fleet_records(document).collections}
    assert {skill["id"] for skill in records["skills"]} == {"hydraulics", "hydraulics.pump", "pneumatics"}
    assert "skill-relations" not in records


def test_a_shift_counts_for_the_local_date_it_starts_on() -> None:
    document = full_problem()
    document["engineers"][1]["shifts"][0] |= {"start": "2026-11-22T16:30:00Z", "end": "2026-11-23T00:00:00Z"}
    [shifts] = [found.records for found in fleet_records(document).collections if found.name == "shifts"]
    assert {shift["date"] for shift in shifts} == {date(2026, 11, 23).isoformat()}


@given(links=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=30), size=st.integers(1, 12))
def test_orders_that_name_each_other_are_sent_in_one_list(links: list[tuple[int, int]], size: int) -> None:
    orders: list[Document] = [{"id": f"W{number}", "related_to": []} for number in range(30)]
    for one, other in links:
        orders[one]["related_to"].append(f"W{other}")
    batches = list(Collection("work-orders", tuple(orders)).batches(size))
    where = {order["id"]: number for number, batch in enumerate(batches) for order in batch}
    assert len(where) == sum(map(len, batches)) == 30
    for order in orders:
        assert {where[other] for other in order["related_to"]} <= {where[order["id"]]}
    if not links:
        assert max(map(len, batches)) <= size
