"""The schema: models and migrations say the same on both databases, and every table keeps the house rules."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import ForeignKeyConstraint, Index, Inspector, Table, UniqueConstraint, inspect, text

from data.orm import Base
from data.session import downgrade, open_engine, schema_is_current, upgrade

TABLES = Base.metadata.sorted_tables
STORAGE_PAGE = Path(__file__).parent.parent / "docs" / "storage.md"
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def described(inspector: Inspector) -> dict[str, Any]:
    """Everything a database says of its tables."""
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            ],
            "primary key": inspector.get_pk_constraint(table),
            "unique": sorted(inspector.get_unique_constraints(table), key=lambda item: str(item["name"])),
            "foreign keys": sorted(inspector.get_foreign_keys(table), key=lambda item: str(item["name"])),
            "checks": sorted(inspector.get_check_constraints(table), key=lambda item: str(item["name"])),
            "indexes": sorted(inspector.get_indexes(table), key=lambda item: str(item["name"])),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_models_and_migrations_agree(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    engine.dispose()
    assert differences == []


def test_migrations_make_exactly_what_the_models_describe_checks_included(empty_url: str) -> None:
    engine = open_engine(empty_url)
    Base.metadata.create_all(engine)
    by_models = described(inspect(engine))
    Base.metadata.drop_all(engine)
    upgrade(empty_url)
    by_migrations = described(inspect(engine))
    engine.dispose()
    assert by_migrations == by_models
    assert set(by_migrations) == {table.name for table in TABLES}


def test_ids_are_compared_byte_by_byte_whatever_the_server_thinks_of_languages(postgres_migrated: str) -> None:
    query = "SELECT column_name, collation_name FROM information_schema.columns WHERE table_schema = 'public'"
    engine = open_engine(postgres_migrated)
    with engine.connect() as connection:
        columns = {(name, collation) for name, collation in connection.execute(text(query))}
    engine.dispose()
    for name in ("tenant_id", "id", "external_id", "client_id", "idempotency_key", "engineer_id"):
        assert {collation for column, collation in columns if column == name} == {"C"}


def test_a_schema_goes_up_and_down_and_says_whether_it_is_current(empty_url: str) -> None:
    engine = open_engine(empty_url)
    assert not schema_is_current(engine)
    upgrade(empty_url)
    assert schema_is_current(engine)
    upgrade(empty_url)
    downgrade(empty_url, "base")
    assert not schema_is_current(engine)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    upgrade(empty_url)
    assert schema_is_current(engine)
    engine.dispose()


def test_services_that_start_at_once_migrate_one_after_the_other(empty_url: str) -> None:
    program = "import sys; from data.session import upgrade; print(flush=True); upgrade(sys.argv[1])"
    with subprocess.Popen([sys.executable, "-c", program, empty_url], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        upgrade(empty_url)
        assert other.wait() == 0
    engine = open_engine(empty_url)
    assert schema_is_current(engine)
    engine.dispose()


@each_table
def test_every_row_has_tenant_id_version_times_and_principal(table: Table) -> None:
    for name in ("tenant_id", "id", "version", "created_at", "updated_at", "updated_by"):
        assert not table.columns[name].nullable
    assert [column.name for column in table.primary_key] == ["tenant_id", "id"]


@each_table
def test_the_tenant_comes_first_in_every_unique_key_and_reference(table: Table) -> None:
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint | ForeignKeyConstraint):
            assert constraint.columns.keys()[0] == "tenant_id"
    for reference in table.foreign_key_constraints:
        assert [element.column.name for element in reference.elements] == ["tenant_id", "id"]


@each_table
def test_every_constraint_has_a_name_short_enough_for_both_databases(table: Table) -> None:
    named: list[Any] = [*table.constraints, *table.indexes]
    for item in named:
        assert item.name is not None
        assert len(item.name) <= 63
    assert len({item.name for item in named}) == len(named)


@each_table
def test_what_refers_to_a_row_is_found_by_an_index(table: Table) -> None:
    leading = [
        [column.name for column in item.columns][:2]
        for item in (*table.indexes, *table.constraints)
        if isinstance(item, Index | UniqueConstraint)
    ]
    for reference in table.foreign_key_constraints:
        assert reference.columns.keys() in leading


def test_the_page_on_storage_lists_every_table() -> None:
    page = STORAGE_PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z_]+)` \|", page, flags=re.MULTILINE)) == {table.name for table in TABLES}


def test_what_bodies_name_is_kept_when_asset_models_get_bodies_and_lose_them(empty_url: str) -> None:
    upgrade(empty_url, "0003")
    engine = open_engine(empty_url)
    stamp = "'acme', '{}', 1, '2026-11-23 00:00:00+00:00', '2026-11-23 00:00:00+00:00', 'somebody'"
    columns = "tenant_id, id, version, created_at, updated_at, updated_by"
    with engine.begin() as connection:
        for statement in (
            f"INSERT INTO skill ({columns}, external_id, attributes) VALUES ({stamp.format('S')}, 'pumps', '{{}}')",
            f"INSERT INTO engineer ({columns}, external_id, body) VALUES ({stamp.format('E')}, 'E1', '{{}}')",
            f"INSERT INTO asset_model ({columns}, external_id, attributes) VALUES ({stamp.format('M')}, 'M1', '{{}}')",
            f"INSERT INTO mention ({columns}, by_engineer_id, skill_id) VALUES ({stamp.format('N')}, 'E', 'S')",
        ):
            connection.execute(text(statement))

    def mentions() -> list[tuple[str, str, str]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text("SELECT id, by_engineer_id, skill_id FROM mention"))]

    upgrade(empty_url, "0004")
    assert mentions() == [("N", "E", "S")]
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM asset_model WHERE body IS NOT NULL")).scalar_one() == 1
        connection.execute(
            text(f"INSERT INTO mention ({columns}, by_asset_model_id, skill_id) VALUES ({stamp.format('O')}, 'M', 'S')")
        )
    downgrade(empty_url, "0003")
    assert mentions() == [("N", "E", "S")]
    engine.dispose()
