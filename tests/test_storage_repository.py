"""Repositories: what is written comes back, all or nothing; versions, references and pages keep their promises."""

import threading
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from data.repositories import RESOURCES, Change, Record, Repository, Written
from data.session import Database
from dispatcher.actor import Actor
from dispatcher.errors import (
    Contention,
    InUse,
    InvalidInput,
    NotFound,
    RecordKey,
    Refusal,
    Stale,
    UnknownReference,
)
from tests.databases import ACTOR, SetClock
from tests.stored_fleet import RECORDS, at, store, store_fleet

OTHER_TENANT = Actor("globex", "dispatcher-1")


def upsert(database: Database, kind: str, *changes: Change, actor: Actor = ACTOR) -> list[Written]:
    with database.write(actor) as work:
        return list(Repository(work, kind).upsert(changes))


def fetch(database: Database, kind: str, *key: str, actor: Actor = ACTOR) -> Record:
    with database.read(actor) as work:
        return Repository(work, kind).get(*key)


def customers(*names: str) -> list[Change]:
    return [Change({"external_id": name}) for name in names]


def ids(database: Database, kind: str, **where: Any) -> list[str]:
    with database.read(ACTOR) as work:
        return [record.values["external_id"] for record in Repository(work, kind).iterate(where)]


# Reading and writing


def test_the_fleet_of_these_tests_has_every_kind_of_record() -> None:
    assert {kind for kind, _ in RECORDS} == RESOURCES.keys()


def test_what_is_written_comes_back_with_references_as_the_callers_ids(database: Database) -> None:
    store_fleet(database)
    for kind, values in RECORDS:
        record = fetch(database, kind, *RESOURCES[kind].key_of(values))
        assert {name: record.values[name] for name in values} == values
        assert (record.version, record.updated_by) == (1, ACTOR.principal)
        assert set(record.values) == set(RESOURCES[kind].fields)


def test_nothing_of_one_tenant_is_seen_or_named_by_another(database: Database) -> None:
    store_fleet(database)
    for kind, values in RECORDS:
        with pytest.raises(NotFound):
            fetch(database, kind, *RESOURCES[kind].key_of(values), actor=OTHER_TENANT)
        with database.read(OTHER_TENANT) as work:
            assert Repository(work, kind).page().items == ()
        if any(values.get(field) for field in RESOURCES[kind].links):
            with pytest.raises(UnknownReference):
                upsert(database, kind, Change(values), actor=OTHER_TENANT)
    store_fleet(database, OTHER_TENANT)


def test_a_field_left_out_is_empty_or_has_its_default(database: Database) -> None:
    store_fleet(database)
    upsert(database, "work_order", Change({"external_id": "W1", "site": "S1"}))
    values = fetch(database, "work_order", "W1").values
    assert (values["asset"], values["level"], values["status"], values["body"]) == (None, "L4", "open", {})


def test_a_change_raises_the_version_and_what_changes_nothing_does_not(database: Database, clock: SetClock) -> None:
    first = upsert(database, "customer", *customers("A", "B"))
    clock.advance(60)
    again = upsert(database, "customer", Change({"external_id": "B", "name": "Bee"}), *customers("A", "C"))
    assert [(written.version, written.outcome) for written in again] == [
        (2, "updated"),
        (1, "unchanged"),
        (1, "created"),
    ]
    assert (again[0].id, again[1].id) == (first[1].id, first[0].id)
    changed, same = fetch(database, "customer", "B"), fetch(database, "customer", "A")
    assert changed.updated_at > changed.created_at
    assert same.updated_at == same.created_at


def test_json_that_is_equal_only_to_python_is_a_change(database: Database) -> None:
    for attributes in ({"a": 1}, {"a": True}):
        upsert(database, "customer", Change({"external_id": "A", "attributes": attributes}))
    assert fetch(database, "customer", "A").values["attributes"]["a"] is True


def test_the_order_of_keys_in_json_is_no_change(database: Database) -> None:
    upsert(database, "customer", Change({"external_id": "A", "attributes": {"a": 1, "b": 2}}))
    (written,) = upsert(database, "customer", Change({"external_id": "A", "attributes": {"b": 2, "a": 1}}))
    assert written.outcome == "unchanged"


def test_thousands_of_records_are_written_and_read_in_one_go(database: Database) -> None:
    store_fleet(database)
    orders = [
        Change(
            {
                "external_id": f"N{number:04}",
                "site": "S1",
                "territory": "east",
                "body": {
                    "service_seconds": 60 * number,
                    "required_skills": [{"skill": "pumps"}],
                    "related_to": [f"N{(number + 1) % 2500:04}"],
                },
            }
        )
        for number in range(2500)
    ]
    assert {written.outcome for written in upsert(database, "work_order", *orders)} == {"created"}
    assert {written.outcome for written in upsert(database, "work_order", *orders)} == {"unchanged"}
    assert ids(database, "work_order") == sorted([f"N{number:04}" for number in range(2500)] + ["W1"])


@pytest.mark.parametrize("field", ["nickname", "id", "site_id", "tenant_id"])
def test_a_field_that_does_not_exist_is_a_mistake_of_the_program(database: Database, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        upsert(database, "customer", Change({"external_id": "A", field: "x"}))
    with database.read(ACTOR) as work, pytest.raises(ValueError, match=field):
        Repository(work, "customer").page({field: "x"})


# All or nothing


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (Change({"external_id": "X", "customer": "nobody", "timezone": "UTC"}), UnknownReference),
        (Change({"external_id": "X", "timezone": "UTC"}, version=3), Stale),
        (Change({"external_id": "GOOD", "timezone": "UTC"}), InvalidInput),
    ],
)
def test_one_wrong_change_and_none_is_written(database: Database, wrong: Change, error: type[Exception]) -> None:
    good = Change({"external_id": "GOOD", "timezone": "UTC"})
    with pytest.raises(error):
        upsert(database, "site", good, wrong)
    assert ids(database, "site") == []


def test_who_catches_a_refusal_and_goes_on_has_stored_nothing_of_it(database: Database) -> None:
    store_fleet(database)
    body = {"required_skills": [{"skill": "magic"}]}
    with database.write(ACTOR) as work:
        with pytest.raises(UnknownReference):
            Repository(work, "work_order").upsert([Change({"external_id": "W2", "site": "S1", "body": body})])
        store(work, "customer", external_id="C2")
    assert ids(database, "work_order") == ["W1"]
    assert ids(database, "customer") == ["C1", "C2"]


def test_records_that_stand_twice_in_a_list_are_refused_with_their_places(database: Database) -> None:
    with pytest.raises(InvalidInput) as caught:
        upsert(database, "customer", *customers("A", "B", "A", "B"))
    assert [(issue.path, issue.code) for issue in caught.value.issues] == [
        ("[2]", "DUPLICATE_ID"),
        ("[3]", "DUPLICATE_ID"),
    ]


def test_two_who_write_the_same_records_in_opposite_order_both_get_through(database: Database) -> None:
    names = [f"C{number}" for number in range(100)]
    upsert(database, "customer", *customers(*names))
    failures: list[Exception] = []

    def write(who: str, order: list[str]) -> None:
        try:
            for turn in range(10):
                changes = [Change({"external_id": name, "name": f"{who} {turn}"}) for name in order]
                upsert(database, "customer", *changes)
        except Exception as error:
            failures.append(error)

    threads = [
        threading.Thread(target=write, args=("one", names)),
        threading.Thread(target=write, args=("two", names[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.read(ACTOR) as work:
        records = list(Repository(work, "customer").iterate())
    # Each of the twenty lists was written whole: the last one, and every version counted.
    assert len({record.values["name"] for record in records}) == 1
    assert {record.version for record in records} == {21}


def test_two_who_create_the_same_record_at_once_make_one(database: Database) -> None:
    outcomes: list[str] = []

    def create() -> None:
        try:
            outcomes.append(upsert(database, "customer", *customers("A"))[0].outcome)
        except Contention:
            outcomes.append("contention")

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("created") == 1
    assert set(outcomes) <= {"created", "unchanged", "contention"}
    assert ids(database, "customer") == ["A"]


# Versions


def test_a_change_on_the_version_read_is_taken_and_on_an_older_one_refused(database: Database) -> None:
    upsert(database, "customer", *customers("A", "B"))
    upsert(database, "customer", Change({"external_id": "A", "name": "2"}, version=1))
    stale = [Change({"external_id": name, "name": "3"}, version=version) for name, version in (("A", 1), ("B", 7))]
    with pytest.raises(Stale) as caught:
        upsert(database, "customer", *stale)
    assert [(str(item.record), item.expected, item.actual) for item in caught.value.records] == [
        ("customer A", 1, 2),
        ("customer B", 7, 1),
    ]
    assert fetch(database, "customer", "A").values["name"] == "2"


def test_a_record_that_must_be_new_is_refused_where_there_is_one(database: Database) -> None:
    upsert(database, "customer", Change({"external_id": "A"}, version=0))
    with pytest.raises(Stale):
        upsert(database, "customer", Change({"external_id": "A"}, version=0))


def test_a_record_that_is_gone_is_stale_for_who_has_a_version_of_it(database: Database) -> None:
    with pytest.raises(Stale):
        upsert(database, "customer", Change({"external_id": "A"}, version=1))


# References


BODIES: list[tuple[str, dict[str, Any], str, RecordKey]] = [
    ("engineer", {"skills": [{"skill": "x"}]}, "body.skills[0].skill", RecordKey("skill", ("x",))),
    ("engineer", {"duration_factors": {"x": 0.9}}, "body.duration_factors.x", RecordKey("skill", ("x",))),
    ("engineer", {"fix_probability": {"x": 0.9}}, "body.fix_probability.x", RecordKey("skill", ("x",))),
    ("asset_model", {"required_skills": [{"skill": "x"}]}, "body.required_skills[0].skill", RecordKey("skill", ("x",))),
    ("shift", {"start_location": "x"}, "body.start_location", RecordKey("site", ("x",))),
    ("shift", {"start_location": "depot", "end_location": "x"}, "body.end_location", RecordKey("site", ("x",))),
    ("work_order", {"required_skills": [{"skill": "x"}]}, "body.required_skills[0].skill", RecordKey("skill", ("x",))),
    (
        "work_order",
        {"team": {"collective_skills": [{"skill": "pumps"}, {"skill": "x"}]}},
        "body.team.collective_skills[1].skill",
        RecordKey("skill", ("x",)),
    ),
    (
        "work_order",
        {"team": {"roles": [{"role": "lead", "required_skills": [{"skill": "x"}]}]}},
        "body.team.roles[0].required_skills[0].skill",
        RecordKey("skill", ("x",)),
    ),
    ("work_order", {"allowed_engineers": ["E1", "x"]}, "body.allowed_engineers[1]", RecordKey("engineer", ("x",))),
    ("work_order", {"excluded_engineers": ["x"]}, "body.excluded_engineers[0]", RecordKey("engineer", ("x",))),
    ("work_order", {"preferred_engineers": ["x"]}, "body.preferred_engineers[0]", RecordKey("engineer", ("x",))),
    ("work_order", {"pin": {"engineer": "x"}}, "body.pin.engineer", RecordKey("engineer", ("x",))),
    ("work_order", {"related_to": ["x"]}, "body.related_to[0]", RecordKey("work_order", ("x",))),
    (
        "work_order",
        {"depends_on": [{"completed_at": "2026-11-23T00:00:00Z"}, {"work_order": "x"}]},
        "body.depends_on[1].work_order",
        RecordKey("work_order", ("x",)),
    ),
]


def with_body(kind: str, body: dict[str, Any]) -> Change:
    base: dict[str, dict[str, Any]] = {
        "engineer": {"external_id": "E2"},
        "shift": {
            "external_id": "tue",
            "engineer": "E1",
            "local_date": date(2026, 11, 24),
            "start": at(0, 24),
            "end": at(9, 24),
            "latest_end": at(9, 24),
        },
        "work_order": {"external_id": "W2", "site": "S1"},
        "asset_model": {"external_id": "M2"},
    }
    return Change({**base[kind], "body": body})


def create_target(database: Database, target: RecordKey) -> None:
    extra: dict[str, Any] = {"site": {"timezone": "UTC"}, "work_order": {"site": "S1"}}.get(target.kind, {})
    upsert(database, target.kind, Change({"external_id": target.key[0], **extra}))


@pytest.mark.parametrize(("kind", "body", "field", "target"), BODIES, ids=[case[2] for case in BODIES])
def test_a_body_names_only_what_there_is_and_protects_it(
    database: Database, kind: str, body: dict[str, Any], field: str, target: RecordKey
) -> None:
    store_fleet(database)
    change = with_body(kind, body)
    name = RecordKey(kind, RESOURCES[kind].key_of(change.values))
    with pytest.raises(UnknownReference) as caught:
        upsert(database, kind, change)
    assert [(item.source, item.field, item.target) for item in caught.value.references] == [(name, field, target)]

    create_target(database, target)
    upsert(database, kind, change)
    with pytest.raises(InUse) as used, database.write(ACTOR) as work:
        Repository(work, target.kind).delete(*target.key)
    assert used.value.by == (name,)

    upsert(database, kind, with_body(kind, {"start_location": "depot"} if kind == "shift" else {}))
    with database.write(ACTOR) as work:
        Repository(work, target.kind).delete(*target.key)


def test_bodies_may_be_empty_everywhere(database: Database) -> None:
    store_fleet(database)
    empty: dict[str, Any] = {
        "required_skills": None,
        "team": {"roles": [{"role": "lead"}], "collective_skills": None},
        "allowed_engineers": [],
        "pin": None,
        "depends_on": None,
    }
    upsert(database, "work_order", with_body("work_order", empty))
    upsert(database, "engineer", with_body("engineer", {"skills": None, "duration_factors": None}))
    upsert(database, "shift", with_body("shift", {"start_location": "depot", "end_location": None}))


def test_records_of_one_list_may_name_each_other(database: Database) -> None:
    store_fleet(database)
    changes = [
        Change({"external_id": name, "site": "S1", "body": {"related_to": [other, other]}})
        for name, other in (("W8", "W9"), ("W9", "W8"))
    ]
    upsert(database, "work_order", *changes)
    with pytest.raises(InUse) as caught, database.write(ACTOR) as work:
        Repository(work, "work_order").delete("W8")
    assert [str(user) for user in caught.value.by] == ["work order W9"]


def test_all_unknown_references_are_reported_at_once(database: Database) -> None:
    store_fleet(database)
    changes = [
        Change({"external_id": name, "site": name, "asset": "A1", "territory": "nowhere"}) for name in ("P", "Q")
    ]
    with pytest.raises(UnknownReference) as caught:
        upsert(database, "work_order", *changes)
    assert {(item.source.key[0], item.field) for item in caught.value.references} == {
        ("P", "site"),
        ("P", "territory"),
        ("Q", "site"),
        ("Q", "territory"),
    }


def test_a_visit_names_a_shift_of_its_own_engineer(database: Database) -> None:
    store_fleet(database)
    upsert(database, "engineer", Change({"external_id": "E2"}))
    with pytest.raises(UnknownReference) as caught:
        upsert(
            database,
            "visit",
            Change({"external_id": "V2", "work_order": "W1", "engineer": "E2", "shift": "mon"}),
        )
    assert [str(item.target) for item in caught.value.references] == ["shift E2/mon"]


# Deleting


USED = [
    ("territory", ("east",), {"site S1", "engineer E1", "work order W1"}),
    ("customer", ("C1",), {"contract K1", "site S1"}),
    ("contract", ("K1",), {"asset A1"}),
    ("site", ("S1",), {"asset A1", "asset A2", "work order W1"}),
    ("site", ("depot",), {"shift E1/mon"}),
    ("asset_model", ("M1",), {"asset A1"}),
    ("asset", ("A1",), {"asset relation AR1", "work order W1"}),
    ("skill", ("hydraulics",), {"skill relation R1", "engineer E1"}),
    ("skill", ("pumps",), {"skill relation R1", "work order W1"}),
    ("engineer", ("E1",), {"shift E1/mon", "visit V1"}),
    ("shift", ("E1", "mon"), {"visit V1"}),
    ("work_order", ("W1",), {"visit V1"}),
]


def test_what_others_refer_to_is_not_deleted_and_they_are_named(database: Database) -> None:
    store_fleet(database)
    for kind, key, users in USED:
        with pytest.raises(InUse) as caught, database.write(ACTOR) as work:
            Repository(work, kind).delete(*key)
        assert {str(user) for user in caught.value.by} == users
        assert not caught.value.more
        fetch(database, kind, *key)


def test_everything_can_be_deleted_from_the_leaves_on(database: Database) -> None:
    store_fleet(database)
    with database.write(ACTOR) as work:
        for kind, values in reversed(RECORDS):
            # A position is a part of its engineer and needs no call.
            if kind != "engineer_position":
                Repository(work, kind).delete(*RESOURCES[kind].key_of(values))
    with database.read(ACTOR) as work:
        assert [kind for kind in RESOURCES if Repository(work, kind).page().items] == []
        assert work.session.execute(text("SELECT count(*) FROM mention")).scalar_one() == 0


def test_of_many_users_some_are_named(database: Database) -> None:
    sites = [Change({"external_id": f"S{number}", "customer": "C", "timezone": "UTC"}) for number in range(20)]
    upsert(database, "customer", *customers("C"))
    upsert(database, "site", *sites)
    with pytest.raises(InUse) as caught, database.write(ACTOR) as work:
        Repository(work, "customer").delete("C")
    assert len(caught.value.by) == 10
    assert caught.value.more


def test_only_what_there_is_in_the_version_read_is_deleted(database: Database) -> None:
    upsert(database, "customer", *customers("A"))
    for version, error in ((2, Stale), (1, None), (None, NotFound)):
        with database.write(ACTOR) as work:
            if error is None:
                Repository(work, "customer").delete("A", version=version)
            else:
                with pytest.raises(error):
                    Repository(work, "customer").delete("A", version=version)


def test_naming_what_is_being_deleted_at_the_same_moment_never_leaves_a_broken_reference(database: Database) -> None:
    upsert(database, "customer", *customers(*(f"C{number}" for number in range(20))))
    odd: list[Exception] = []

    def race(action: Any) -> None:
        for number in range(20):
            try:
                action(f"C{number}")
            except Refusal:
                continue
            except Exception as error:
                odd.append(error)

    def name(customer: str) -> None:
        upsert(database, "site", Change({"external_id": f"S {customer}", "customer": customer, "timezone": "UTC"}))

    def remove(customer: str) -> None:
        with database.write(ACTOR) as work:
            Repository(work, "customer").delete(customer)

    threads = [threading.Thread(target=race, args=(action,)) for action in (name, remove)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert odd == []
    left = set(ids(database, "customer"))
    assert {site.removeprefix("S ") for site in ids(database, "site")} == left
