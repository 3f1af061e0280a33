"""A running day over HTTP: two consoles and three phones at once, and in the end all of them see the same.

An L1 comes in, an engineer falls ill, a job runs late, an order is cancelled, and one phone is in a dead spot. Who is
first is left to chance; what has to hold is the same each time.
"""

import threading
from collections import Counter
from typing import Any

import httpx

from api.http.answers import json_bytes
from data.live_records import stored_live_state
from data.session import Database
from dispatcher.actor import Actor
from dispatcher.events import Event, LiveState, apply
from dispatcher.live_state import LIVE, differences
from dispatcher.told_records import moment
from tests.at_once import at_once
from tests.databases import SetClock
from tests.http_service import Json, open_services
from tests.live_service import event, logged, running, seen, send, streamed
from tests.planning_over_http import DAY, at, order, put, shift, work_off

ENGINEERS = ("E1", "E2", "E3")
ORDERS = tuple(f"W{number}" for number in range(1, 10))
PLANNING = threading.Lock()
# Any plan will do, and this one is there at once.
QUICKLY: Json = {"territories": ["east"], "dates": [DAY], "options": {"engine": "insertion", "iteration_limit": 100}}


def store(client: Any) -> None:
    put(client, "territories", {"id": "east", "timezone": "UTC"})
    places = {"depot": 13.40, "S1": 13.42, "S2": 13.44, "S3": 13.46}
    put(client, "sites", *({"id": n, "timezone": "UTC", "lat": 52.5, "lon": lon} for n, lon in places.items()))
    put(client, "engineers", *({"id": name, "territory": "east"} for name in ENGINEERS))
    put(client, "shifts", *(shift(name) for name in ENGINEERS))
    fixed = {"W1": ["E1"], "W2": ["E2"], "W3": ["E3"]}
    put(
        client,
        "work-orders",
        *(
            order(name, f"S{place % 3 + 1}", preferred_engineers=fixed.get(name, []))
            for place, name in enumerate(ORDERS)
        ),
    )


def replan(client: httpx.Client, database: Database) -> None:
    """Plan what is stored and put it in force; once more where the day went on meanwhile."""
    for _ in range(10):
        with PLANNING:
            asked = client.post("/v1/plans", json=QUICKLY)
            work_off(database)
            plan_id = client.get(asked.headers["location"]).json()["plan_id"]
        answer = client.post(f"/v1/plans/{plan_id}/accept", headers={"If-Match": "*"})
        if answer.status_code == 200:
            return
        assert answer.json()["code"] in ("SCOPE_CONFLICT", "WRONG_STATE", "CONTENTION"), answer.text
    raise AssertionError("the day never stood still")


class Phone:
    """An engineer's phone: what it reports carries times of its own, one minute after the other."""

    def __init__(self, engineer: str, client: httpx.Client) -> None:
        self.engineer, self.client = engineer, client
        self._minute = 0
        self.refused: Counter[str] = Counter()

    def report(self, kind: str, job: Json, **more: Any) -> Json:
        self._minute += 1
        clock = f"{8 + self._minute // 60:02}:{self._minute % 60:02}"
        body = {"work_order": job["work_order"], "engineer": self.engineer, **more}
        return event(kind, clock, f"{self.engineer}-{self._minute}", **body)

    def work(self, job: Json) -> list[Json]:
        shift = {"shift": job["shift"]} if job["shift"] is not None else {}
        steps = []
        if job["status"] in ("planned", "accepted"):
            steps.append(self.report("visit_en_route", job, **shift))
        if job["status"] not in ("on_site", "paused"):
            steps.append(self.report("visit_arrived", job, **shift))
        steps.append(self.report("visit_running_longer", job, expected_end=at("12:00")))
        return [*steps, self.report("visit_finished", job, parts_used={"P": 1})]

    def send(self, batch: list[Json]) -> None:
        """Twice, as after a connection that broke before the answer came."""
        first, again = send(self.client, *batch), send(self.client, *reversed(batch))
        kept = {item["client_id"] for item in first if item["outcome"] == "applied"}
        assert kept <= {item["client_id"] for item in again if item["outcome"] == "known"}
        self.refused.update(item["refusal"]["code"] for item in first if item["refusal"])

    def next(self) -> Json | None:
        found: Json | None = self.client.get(f"/v1/engineers/{self.engineer}/next").json()["job"]
        return found

    def work_until_nothing_is_left(self) -> None:
        for _ in range(20):
            job = self.next()
            if job is None:
                return
            self.send(self.work(job))
        raise AssertionError(f"{self.engineer} never ends: {self.refused}")

    def work_in_a_dead_spot(self) -> None:
        """The route is fetched once, worked without a word to anybody, and told at the end."""
        routes = self.client.get(f"/v1/engineers/{self.engineer}/route", params={"date": DAY}).json()["routes"]
        stops = [stop for route in routes for stop in route["stops"] if stop["kind"] == "work_order"]
        jobs = [{"work_order": stop["work_order"], "shift": DAY, "status": "planned"} for stop in stops]
        self.send([report for job in jobs[:2] for report in self.work(job)])


def test_two_consoles_and_three_phones_end_in_the_same_state(
    database_url: str, database: Database, clock: SetClock
) -> None:
    clock.advance(30 * 60)
    with running(open_services(database, database_url)) as address:
        clients = [httpx.Client(base_url=address, timeout=60, headers={"X-Principal": f"c{n}"}) for n in range(5)]
        first, second = clients[:2]
        phones = [Phone(name, client) for name, client in zip(ENGINEERS, clients[2:], strict=True)]
        store(first)
        replan(first, database)
        # It is noon for the service: what phones tell happened in the morning.
        clock.advance(4 * 60 * 60)

        def emergency() -> None:
            urgent = event("order_opened", "11:00", order=order("L1-1", "S2", level="L1"))
            assert [item["outcome"] for item in send(first, urgent, urgent)] == ["applied", "known"]
            send(first, event("order_cancelled", "11:30", work_order="W9"))
            replan(first, database)

        def illness() -> None:
            send(second, event("engineer_off_sick", "11:00", engineer="E2", shift=DAY))
            send(second, event("travel_slower", "11:00", territory="east", factor=1.5, until=at("15:00")))
            send(second, event("order_regraded", "11:00", work_order="W8", level="L2", reason="customer rang"))

        at_once(
            emergency,
            illness,
            phones[0].work_until_nothing_is_left,
            phones[1].work_until_nothing_is_left,
            phones[2].work_in_a_dead_spot,
        )
        # What the illness left behind is planned again, and everybody works on until nothing is left.
        replan(second, database)
        at_once(*(phone.work_until_nothing_is_left for phone in phones))

        told = logged(first)
        followed = []
        for console, after in ((first, 0), (second, told[-1]["sequence"] // 2)):
            headers = {"Last-Event-ID": str(after)}
            with console.stream("GET", "/v1/events/stream", headers=headers) as stream:
                events = streamed(stream.iter_lines())
                followed.append(told[:after] + [next(events) for _ in range(told[-1]["sequence"] - after)])
        views = [*followed, *(logged(phone.client, limit=7) for phone in phones)]
        with database.read(Actor("default", "test")) as work:
            stored = stored_live_state(work)
        assert {json_bytes(view) for view in views} == {json_bytes(told)}
        assert [differences(seen(view), stored) for view in views] == [[]] * 5
        assert [phone.next() for phone in phones] == [None] * 3
        for client in clients:
            client.close()
    judge(stored, told)


def judge(stored: LiveState, told: list[Json]) -> None:
    """No order is lost, and none is dispatched twice, neither in the end nor at any moment."""
    orders = {name: dict(values) for (name,), values in stored.records["work_order"].items()}
    assert set(orders) == {*ORDERS, "L1-1"}
    # Whether the cancellation or the phone was first is left to chance.
    assert {values["status"] for name, values in orders.items() if name != "W9"} == {"done"}
    assert orders["W9"]["status"] in ("done", "cancelled")
    for name, values in orders.items():
        done = [visit for visit in stored.visits_of(name) if visit["status"] == "done"]
        assert len(done) == (values["status"] == "done"), name
        assert not [visit for visit in stored.visits_of(name) if visit["status"] in LIVE]
    assert stored.records["shift"][("E2", DAY)]["status"] == "cancelled"
    state = LiveState()
    for item in told:
        state.take(apply(state, Event(item["kind"], moment(item["occurred_at"]), item["body"])))
        if item["kind"] != "records_changed":
            for name in orders:
                assert len([visit for visit in state.visits_of(name) if visit["status"] in LIVE]) <= 1
