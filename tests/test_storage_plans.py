"""Published plans: kept as written, in force by territory and date, conflicts judged there."""

import json
import threading
from datetime import date

import pytest

from api.problems import SolveOptions, solve_document
from data.job_store import Runs
from data.repositories import Plans, Publication, Repository, Scope
from data.session import Database
from data.synthetic import FleetSpec, synthetic_problem
from dispatcher.actor import Actor
from dispatcher.documents import problem_sha256
from dispatcher.errors import (
    BadCursor,
    InUse,
    NotFound,
    PlanRefused,
    Refusal,
    ScopeConflict,
    Stale,
    UnknownReference,
    WrongState,
)
from tests.databases import ACTOR
from tests.stored_fleet import MONDAY, at, publication, publish, store, store_fleet

EAST, WEST = Scope("east", MONDAY), Scope("west", MONDAY)
TUESDAY = date(2026, 11, 24)


def state(database: Database, plan_id: str) -> str:
    with database.read(ACTOR) as work:
        return Plans(work).get(plan_id).state


def accept(database: Database, plan_id: str, version: int = 1) -> None:
    with database.write(ACTOR) as work:
        Plans(work).accept(plan_id, version)


def in_force(database: Database, engineer: str = "E1", day: date = MONDAY) -> list[tuple[str, str]]:
    with database.read(ACTOR) as work:
        return [(route.plan_id, route.shift) for route in Plans(work).in_force(engineer, day)]


def plan_for(database: Database, *scopes: Scope, number: int = 1) -> str:
    """A plan made from what is in force now."""
    with database.read(ACTOR) as work:
        versions = Plans(work).versions(scopes)
    return publish(database, publication(("E1", "mon", number), scopes=versions))


# Documents


def test_problem_and_plan_are_kept_to_the_letter(database: Database) -> None:
    made = publication(("E1", "mon", 1), total=2**62 - 1)
    plan_id = publish(database, made)
    with database.read(ACTOR) as work:
        plans = Plans(work)
        record, problem, document = plans.get(plan_id), plans.problem(plan_id), plans.document(plan_id)
    assert json.dumps(problem) == json.dumps(made.problem)
    assert json.dumps(document) == json.dumps(made.plan)
    assert record.problem_sha256 == problem_sha256(problem) == problem_sha256(made.problem)
    assert (record.total, record.state, record.scopes) == (2**62 - 1, "published", ())


def test_what_the_planner_makes_can_be_stored(database: Database) -> None:
    problem = synthetic_problem(FleetSpec(orders=4, engineers=2))
    plan = solve_document(problem, SolveOptions(engine="insertion"))
    plan_id = publish(database, Publication(problem, plan, {}))
    with database.read(ACTOR) as work:
        assert Plans(work).get(plan_id).total == plan["score"]["total"]


def test_a_plan_for_another_problem_is_refused_and_its_run_goes_on(database: Database) -> None:
    made = publication()
    other = Publication({**made.problem, "id": "other"}, made.plan, {})
    with pytest.raises(PlanRefused, match="made from the problem"):
        publish(database, other)
    with database.read(ACTOR) as work:
        assert Plans(work).page().items == ()
        assert [run.state for run in Runs(work).page().items] == ["running"]


def test_plans_are_those_of_their_tenant(database: Database) -> None:
    plan_id = publish(database, publication())
    with database.read(Actor("globex", "x")) as work:
        plans = Plans(work)
        assert plans.page().items == ()
        for ask in (plans.get, plans.document, plans.problem):
            with pytest.raises(NotFound):
                ask(plan_id)


def test_plans_are_listed_the_newest_first_by_state_and_scope(database: Database) -> None:
    store_fleet(database)
    one, two, three = (plan_for(database, *scopes) for scopes in ([EAST], [EAST, WEST], [WEST]))
    accept(database, three)
    with database.read(ACTOR) as work:
        plans = Plans(work)
        first = plans.page(limit=2)
        assert [plan.id for plan in first.items] == [three, two]
        assert [plan.id for plan in plans.page(limit=2, after=first.next).items] == [one]
        assert plans.page(limit=3).next is None
        assert [plan.id for plan in plans.page(scope=EAST).items] == [two, one]
        assert [plan.id for plan in plans.page(scope=WEST, state="accepted").items] == [three]
        assert plans.page(scope=Scope("east", TUESDAY)).items == ()
        assert plans.get(two).scopes == (EAST, WEST)
        with pytest.raises(BadCursor):
            plans.page(after="x")


def test_scopes_are_territories_there_are(database: Database) -> None:
    with database.read(ACTOR) as work, pytest.raises(UnknownReference, match="no territory nowhere"):
        Plans(work).versions([Scope("nowhere", MONDAY)])


# Accepting


def test_an_accepted_plan_is_in_force_and_the_one_before_superseded(database: Database) -> None:
    store_fleet(database)
    assert in_force(database) == []
    first = plan_for(database, EAST)
    assert in_force(database) == []
    accept(database, first)
    assert in_force(database) == [(first, "mon")]
    second = plan_for(database, EAST)
    accept(database, second)
    assert in_force(database) == [(second, "mon")]
    assert (state(database, first), state(database, second)) == ("superseded", "accepted")
    assert in_force(database, "E1", TUESDAY) == []
    assert in_force(database, "nobody") == in_force(database, "\0") == []


def test_a_plan_begun_before_another_was_accepted_is_a_conflict_where_they_meet(database: Database) -> None:
    store_fleet(database)
    east, both, west = (plan_for(database, *scopes) for scopes in ([EAST], [EAST, WEST], [WEST]))
    accept(database, east)
    with pytest.raises(ScopeConflict) as caught:
        accept(database, both)
    assert caught.value.scopes == (("east", "2026-11-23"),)
    assert state(database, both) == "published"
    # Where they do not meet there is nothing to fear.
    accept(database, west)
    assert (state(database, east), state(database, west)) == ("accepted", "accepted")


def test_a_plan_stays_accepted_while_it_is_in_force_anywhere(database: Database) -> None:
    store_fleet(database)
    both = plan_for(database, EAST, WEST)
    accept(database, both)
    accept(database, plan_for(database, EAST))
    assert state(database, both) == "accepted"
    accept(database, plan_for(database, WEST))
    assert state(database, both) == "superseded"


def test_a_route_in_force_is_of_the_plan_for_its_engineers_territory(database: Database) -> None:
    store_fleet(database)
    # The plan for both has a route for E1 of the east, where a later plan takes over.
    accept(database, plan_for(database, EAST, WEST, number=1))
    east = plan_for(database, EAST, number=2)
    accept(database, east)
    with database.read(ACTOR) as work:
        (route,) = Plans(work).in_force("E1", MONDAY)
    assert route.plan_id == east
    assert route.route["stops"][0]["travel_seconds"] == 2


def test_every_shift_of_a_day_has_its_own_route(database: Database) -> None:
    store_fleet(database)
    with database.write(ACTOR) as work:
        times = {"start": at(12), "end": at(15), "latest_end": at(15)}
        store(work, "shift", external_id="late", engineer="E1", local_date=MONDAY, **times)
    routes = [("E1", "mon", 1), ("E1", "late", 2), ("E9", "gone", 3)]
    plan_id = publish(database, publication(*routes, scopes={EAST: 0}))
    accept(database, plan_id)
    assert in_force(database) == [(plan_id, "late"), (plan_id, "mon")]
    assert in_force(database, "E9") == []


def test_the_hash_of_a_route_changes_when_the_route_does_and_not_with_the_plan(database: Database) -> None:
    store_fleet(database)
    hashes = []
    for number in (1, 1, 2):
        accept(database, plan_for(database, EAST, number=number))
        with database.read(ACTOR) as work:
            hashes.append(Plans(work).in_force("E1", MONDAY)[0].sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_plan_is_accepted_once_and_in_the_version_read(database: Database) -> None:
    store_fleet(database)
    plan_id = plan_for(database, EAST)
    with pytest.raises(Stale):
        accept(database, plan_id, version=2)
    accept(database, plan_id)
    with pytest.raises(Stale):
        accept(database, plan_id, version=1)
    with pytest.raises(WrongState):
        accept(database, plan_id, version=2)
    with pytest.raises(NotFound):
        accept(database, "nothing")


def test_a_plan_of_a_problem_from_outside_cannot_be_accepted(database: Database) -> None:
    plan_id = publish(database, publication(("E1", "mon", 1)))
    with pytest.raises(WrongState):
        accept(database, plan_id)


def test_of_plans_accepted_at_the_same_moment_one_comes_into_force(database: Database) -> None:
    store_fleet(database)
    plans = [plan_for(database, EAST) for _ in range(4)]
    outcomes: dict[str, str] = {}

    def race(plan_id: str) -> None:
        try:
            accept(database, plan_id)
            outcomes[plan_id] = "accepted"
        except Refusal as refusal:
            outcomes[plan_id] = refusal.code

    threads = [threading.Thread(target=race, args=(plan_id,)) for plan_id in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = (plan_id for plan_id, outcome in outcomes.items() if outcome == "accepted")
    # Who finds the first one just being written is told to try again, and then of the conflict.
    assert set(outcomes.values()) <= {"accepted", "SCOPE_CONFLICT", "CONTENTION"}
    assert len(outcomes) == 4
    assert in_force(database) == [(winner, "mon")]


def test_a_territory_with_plans_is_not_deleted(database: Database) -> None:
    store_fleet(database)
    plan_id = plan_for(database, WEST)
    with pytest.raises(InUse) as caught, database.write(ACTOR) as work:
        Repository(work, "territory").delete("west")
    assert [str(user) for user in caught.value.by] == [f"plan {plan_id}"]
