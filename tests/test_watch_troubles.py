"""What the watch of a server does where something comes in between, goes wrong, or waits for another day."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.live_days import LiveDays
from api.self_repair import Overtaken, SelfRepair, live_policy
from data.event_log import EventLog
from data.session import Database
from dispatcher.errors import PlanRefused, RecordKey, ScopeConflict, Stale, StaleRecord, WrongState
from tests.databases import SetClock
from tests.http_service import open_services, sqlite_client, sqlite_database, sqlite_url
from tests.live_service import event, tell
from tests.planning_over_http import DAY, accept, at, order, planned, put, shift, store_day
from tests.watching import ANYBODY, QUICKLY, URGENT, crowded, following, held, in_force, log, watch

__all__ = ["sqlite_client", "sqlite_database", "sqlite_url"]


def advance(database: Database, seconds: float) -> None:
    assert isinstance(database.clock, SetClock)
    database.clock.advance(seconds)


def test_one_need_is_offered_one_repair_however_often_its_plan_is_looked_at(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client, database = sqlite_client, sqlite_database
    crowded(client)
    follower = following(client, database)
    tell(client, event("order_opened", order=URGENT))
    assert follower.look() == ["proposed"]
    for seconds in (3600, 5400):
        # With another duration the repair is another one.
        tell(client, event("order_edited", work_order="W9", changes={"service_seconds": seconds}))
        assert follower.look() == ["known"]
    assert len(log(database, "repair_proposed")) == 1
    # Another need is another matter, and one that nobody feels is seen to at once.
    later = order("W8", "S2", level="L2", deadlines={"arrive_by": at("12:00")})
    tell(client, event("order_opened", order=later))
    assert follower.look() == ["repaired"]
    assert "W8" in held(client)


def meanwhile(database: Database, act: Any) -> SelfRepair:
    """What looks at plans, with something that happens between its reading and its writing."""
    settings = open_services(database, "sqlite:///unused.db").settings

    def can_search() -> bool:
        act()
        return True

    return SelfRepair(database, settings, LiveDays(live_policy(settings)), search_seconds=0.0, can_search=can_search)


def test_only_what_concerns_the_plan_stops_a_repair_that_is_being_made(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client, database = sqlite_client, sqlite_database
    crowded(client)
    put(client, "territories", {"id": "west", "timezone": "UTC"})
    put(client, "engineers", {"id": "E7", "territory": "west"})
    plan_id = in_force(client, database)
    tell(client, event("order_opened", order=URGENT))
    own: list[Any] = [
        lambda: tell(client, event("order_opened", order=order("W8"))),
        lambda: tell(client, event("engineer_late", engineer="E1", shift=DAY, expected_at=at("08:01"))),
        lambda: client.delete("/v1/work-orders/W8", headers={"If-Match": '"1"'}).raise_for_status(),
    ]
    for act in own:
        with pytest.raises(Overtaken):
            meanwhile(database, act).look(plan_id)

    def elsewhere() -> None:
        tell(client, event("order_opened", order=order("W7", territory="west", level="L1")))
        put(client, "shifts", shift("E7"))

    assert meanwhile(database, elsewhere).look(plan_id) == "proposed"


def test_a_plan_that_was_overtaken_is_looked_at_again_at_once_only_where_it_cannot_wait(
    sqlite_client: TestClient, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, database = sqlite_client, sqlite_database
    store_day(client)
    follower = following(client, database)

    def overtaken(*_: object) -> Any:
        raise Overtaken

    for level, at_once in (("L3", []), ("L1", ["repaired"])):
        tell(client, event("order_opened", order=order(f"W-{level}", level=level)))
        with monkeypatch.context() as patched:
            patched.setattr(SelfRepair, "look", overtaken)
            assert follower.look() == []
        assert follower.look(at_all=False) == at_once
        assert follower.look() == ["nothing"]


@pytest.mark.parametrize(
    "error",
    [
        ScopeConflict("P", [("east", DAY)]),
        WrongState(RecordKey("plan", ("P",)), "superseded", "accept"),
        Stale([StaleRecord(RecordKey("plan", ("P",)), 1, 2)]),
        PlanRefused(["a rule is broken"]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_repair_that_could_not_be_put_in_force_is_tried_again_at_the_interval(
    error: Exception, sqlite_client: TestClient, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, database = sqlite_client, sqlite_database
    store_day(client)
    follower = following(client, database)
    tell(client, event("order_opened", order=order("W9", level="L1")))

    def refused(*_: object) -> Any:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("api.self_repair.accept_plan", refused)
        assert follower.look(at_all=False) == []
    assert follower.look(at_all=False) == []
    assert follower.look() == ["repaired"]


def two_territories(client: TestClient, database: Database) -> list[str]:
    """The plans in force of the east and the west, each with an engineer who has room."""
    store_day(client)
    put(client, "engineers", {"id": "E7", "territory": "west"})
    put(client, "shifts", shift("E7"))
    plans = []
    for name in ("east", "west"):
        plans.append(planned(client, database, {**QUICKLY, "territories": [name]}))
        accept(client, plans[-1])
    return plans


def test_what_goes_wrong_with_one_plan_or_one_event_holds_up_no_other(
    sqlite_client: TestClient, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, database = sqlite_client, sqlite_database
    east, _ = two_territories(client, database)
    follower = watch(database)
    follower.look()
    with database.write(ANYBODY) as work:
        EventLog(work).append("sla_breached", "work_order W1", {"of": "another version"})
    tell(client, *(event("order_opened", order=order(f"W-{n}", territory=n, level="L1")) for n in ("east", "west")))
    look = SelfRepair.look

    def failing(self: SelfRepair, plan_id: str) -> Any:
        if plan_id == east:
            raise RuntimeError("a defect")
        return look(self, plan_id)

    def unlinkable(*_: object, **__: object) -> Any:
        raise RuntimeError("another defect")

    with monkeypatch.context() as patched:
        patched.setattr(SelfRepair, "look", failing)
        patched.setattr("api.watch.see_to_links", unlinkable)
        assert follower.look(at_all=False) == ["repaired"]
    assert held(client).keys() & {"W-east", "W-west"} == {"W-west"}
    assert "repaired" in follower.look()
    assert "W-east" in held(client)


def test_what_was_told_of_tomorrow_is_seen_to_when_tomorrow_comes(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client, database = sqlite_client, sqlite_database
    store_day(client)
    tomorrow = "2026-11-24"
    for day in (DAY, tomorrow):
        put(client, "shifts", *(shift(name, day) for name in ("E1", "E2")))
    accept(client, planned(client, database, {**QUICKLY, "dates": [tomorrow]}))
    follower = watch(database)
    follower.look()
    sick = held(client)["W1"]
    tell(client, event("engineer_off_sick", engineer=sick, shift=tomorrow))
    assert follower.look() == []
    advance(database, 20 * 3600)
    assert follower.look() == ["repaired"]
    assert held(client)["W1"] != sick


def test_a_night_shift_is_watched_past_midnight_until_it_ends(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client, database = sqlite_client, sqlite_database
    store_day(client)
    put(client, "shifts", *(shift(n, start=at("20:00"), end=at("06:00", "2026-11-24")) for n in ("E1", "E2")))
    follower = following(client, database)
    advance(database, 18 * 3600)
    assert follower.look() == []
    opened = order("W9", level="L1", deadlines={"arrive_by": at("03:00", "2026-11-24")})
    tell(client, {**event("order_opened", order=opened), "occurred_at": at("01:30", "2026-11-24")})
    assert follower.look(at_all=False) == ["repaired"]
    assert "W9" in held(client)
    advance(database, 6 * 3600)
    follower.look()
    tell(client, {**event("order_opened", order=order("W8", level="L1")), "occurred_at": at("07:30", "2026-11-24")})
    assert follower.look() == []
