"""The first tables: every one of docs/storage.md.

Revision: 0001, after nothing.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out, and not taken from the models: a revision says what the tables were when it was made.
ID = sa.String(26).with_variant(sa.String(26, collation="C"), "postgresql")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SHA256 = sa.String(64)
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

TABLES = (
    "territory",
    "customer",
    "contract",
    "site",
    "asset_model",
    "asset",
    "skill",
    "skill_relation",
    "engineer",
    "shift",
    "engineer_position",
    "work_order",
    "visit",
    "mention",
    "planning_run",
    "plan",
    "plan_scope",
    "scope_head",
    "route",
    "event",
    "event_head",
    "outbox",
)
"""In the order in which they can be made."""


def upgrade() -> None:
    _places()
    _people()
    _work()
    _planning()
    _events()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _places() -> None:
    _create(
        "territory",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        _unique("territory", "external_id"),
    )
    _create(
        "customer",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("attributes", JSON, nullable=False),
        _unique("customer", "external_id"),
    )
    _create(
        "contract",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("starts_on", sa.Date()),
        sa.Column("ends_on", sa.Date()),
        sa.Column("attributes", JSON, nullable=False),
        _unique("contract", "external_id"),
        _refers("contract", "customer_id", "customer"),
    )
    _index("contract", "tenant_id", "customer_id")
    _create(
        "site",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("customer_id", ID),
        sa.Column("territory_id", ID),
        sa.Column("name", sa.Text()),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        _unique("site", "external_id"),
        _refers("site", "customer_id", "customer"),
        _refers("site", "territory_id", "territory"),
    )
    _index("site", "tenant_id", "customer_id")
    _index("site", "tenant_id", "territory_id")
    _create(
        "asset_model",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("attributes", JSON, nullable=False),
        _unique("asset_model", "external_id"),
    )
    _create(
        "asset",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("asset_model_id", ID),
        sa.Column("contract_id", ID),
        sa.Column("name", sa.Text()),
        sa.Column("attributes", JSON, nullable=False),
        _unique("asset", "external_id"),
        _refers("asset", "asset_model_id", "asset_model"),
        _refers("asset", "contract_id", "contract"),
        _refers("asset", "site_id", "site"),
    )
    _index("asset", "tenant_id", "asset_model_id")
    _index("asset", "tenant_id", "contract_id")
    _index("asset", "tenant_id", "site_id")


def _people() -> None:
    _create(
        "skill",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("attributes", JSON, nullable=False),
        _unique("skill", "external_id"),
    )
    _create(
        "skill_relation",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("from_skill_id", ID, nullable=False),
        sa.Column("to_skill_id", ID, nullable=False),
        sa.Column("body", JSON, nullable=False),
        _unique("skill_relation", "external_id"),
        _refers("skill_relation", "from_skill_id", "skill"),
        _refers("skill_relation", "to_skill_id", "skill"),
        _check("skill_relation", "type", "type IN ('implies', 'substitutes')"),
    )
    _index("skill_relation", "tenant_id", "from_skill_id")
    _index("skill_relation", "tenant_id", "to_skill_id")
    _create(
        "engineer",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("territory_id", ID),
        sa.Column("name", sa.Text()),
        sa.Column("body", JSON, nullable=False),
        _unique("engineer", "external_id"),
        _refers("engineer", "territory_id", "territory"),
    )
    _index("engineer", "tenant_id", "territory_id")
    _create(
        "shift",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("engineer_id", ID, nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("start", INSTANT, nullable=False),
        sa.Column("end", INSTANT, nullable=False),
        sa.Column("latest_end", INSTANT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        _unique("shift", "engineer_id", "external_id"),
        _refers("shift", "engineer_id", "engineer"),
        _check("shift", "order", 'start <= "end" AND "end" <= latest_end'),
        _check("shift", "status", "status IN ('planned', 'active', 'ended', 'cancelled')"),
    )
    _index("shift", "tenant_id", "local_date")
    _create(
        "engineer_position",
        sa.Column("engineer_id", ID, nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        _unique("engineer_position", "engineer_id"),
        _refers("engineer_position", "engineer_id", "engineer", ondelete="CASCADE"),
    )


def _work() -> None:
    _create(
        "work_order",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("asset_id", ID),
        sa.Column("territory_id", ID),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        _unique("work_order", "external_id"),
        _refers("work_order", "asset_id", "asset"),
        _refers("work_order", "site_id", "site"),
        _refers("work_order", "territory_id", "territory"),
        _check("work_order", "level", "level IN ('L1', 'L2', 'L3', 'L4')"),
        _check("work_order", "status", "status IN ('open', 'planned', 'in_progress', 'done', 'cancelled')"),
    )
    _index("work_order", "tenant_id", "asset_id")
    _index("work_order", "tenant_id", "site_id")
    _index("work_order", "tenant_id", "territory_id", "status")
    _create(
        "visit",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("work_order_id", ID, nullable=False),
        sa.Column("engineer_id", ID, nullable=False),
        sa.Column("shift_id", ID),
        sa.Column("role", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("planned_start", INSTANT),
        sa.Column("planned_end", INSTANT),
        sa.Column("accepted_at", INSTANT),
        sa.Column("departed_at", INSTANT),
        sa.Column("arrived_at", INSTANT),
        sa.Column("started_at", INSTANT),
        sa.Column("paused_at", INSTANT),
        sa.Column("paused_seconds", sa.Integer(), nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("failure", JSON),
        _unique("visit", "external_id"),
        _refers("visit", "engineer_id", "engineer"),
        _refers("visit", "shift_id", "shift"),
        _refers("visit", "work_order_id", "work_order"),
        _check(
            "visit", "status", "status IN ('planned', 'accepted', 'en_route', 'on_site', 'paused', 'done', 'failed')"
        ),
    )
    _index("visit", "tenant_id", "engineer_id")
    _index("visit", "tenant_id", "shift_id")
    _index("visit", "tenant_id", "work_order_id")
    _create(
        "mention",
        sa.Column("by_engineer_id", ID),
        sa.Column("by_shift_id", ID),
        sa.Column("by_work_order_id", ID),
        sa.Column("skill_id", ID),
        sa.Column("engineer_id", ID),
        sa.Column("work_order_id", ID),
        sa.Column("site_id", ID),
        _refers("mention", "by_engineer_id", "engineer", ondelete="CASCADE"),
        _refers("mention", "by_shift_id", "shift", ondelete="CASCADE"),
        _refers("mention", "by_work_order_id", "work_order", ondelete="CASCADE"),
        _refers("mention", "engineer_id", "engineer"),
        _refers("mention", "site_id", "site"),
        _refers("mention", "skill_id", "skill"),
        _refers("mention", "work_order_id", "work_order"),
        _check("mention", "one_body", _exactly_one("by_engineer_id", "by_shift_id", "by_work_order_id")),
        _check("mention", "one_target", _exactly_one("skill_id", "engineer_id", "work_order_id", "site_id")),
    )
    _index("mention", "tenant_id", "by_engineer_id")
    _index("mention", "tenant_id", "by_shift_id")
    _index("mention", "tenant_id", "by_work_order_id")
    _index("mention", "tenant_id", "engineer_id")
    _index("mention", "tenant_id", "site_id")
    _index("mention", "tenant_id", "skill_id")
    _index("mention", "tenant_id", "work_order_id")


def _planning() -> None:
    _create(
        "planning_run",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("idempotency_key", KEY),
        sa.Column("request_sha256", SHA256, nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("fencing_token", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("lease_until", INSTANT),
        sa.Column("heartbeat_at", INSTANT),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("progress_text", sa.Text(), nullable=False),
        sa.Column("best_so_far", sa.Text()),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("error", JSON),
        _unique("planning_run", "idempotency_key"),
        _check("planning_run", "attempts", "attempts >= 0 AND attempts <= max_attempts"),
        _check("planning_run", "lease", "(state = 'running') = (lease_until IS NOT NULL)"),
        _check("planning_run", "progress", "progress >= 0 AND progress <= 1"),
        _check("planning_run", "state", "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')"),
    )
    _index("planning_run", "state", "id")
    _create(
        "plan",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("problem_sha256", SHA256, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        _unique("plan", "run_id"),
        _refers("plan", "run_id", "planning_run"),
        _check("plan", "state", "state IN ('published', 'accepted', 'superseded')"),
    )
    _create(
        "plan_scope",
        sa.Column("plan_id", ID, nullable=False),
        sa.Column("territory_id", ID, nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        _unique("plan_scope", "plan_id", "territory_id", "local_date"),
        _refers("plan_scope", "plan_id", "plan", ondelete="CASCADE"),
        _refers("plan_scope", "territory_id", "territory"),
    )
    _index("plan_scope", "tenant_id", "territory_id")
    _create(
        "scope_head",
        sa.Column("territory_id", ID, nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("plan_id", ID, nullable=False),
        _unique("scope_head", "territory_id", "local_date"),
        _refers("scope_head", "plan_id", "plan"),
        _refers("scope_head", "territory_id", "territory"),
    )
    _index("scope_head", "tenant_id", "plan_id")
    _create(
        "route",
        sa.Column("plan_id", ID, nullable=False),
        sa.Column("territory_id", ID, nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("engineer", KEY, nullable=False),
        sa.Column("shift", KEY, nullable=False),
        sa.Column("sha256", SHA256, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        _unique("route", "plan_id", "engineer", "shift"),
        _refers("route", "plan_id", "plan", ondelete="CASCADE"),
        _refers("route", "territory_id", "territory"),
    )
    _index("route", "tenant_id", "engineer", "local_date")
    _index("route", "tenant_id", "territory_id")


def _events() -> None:
    _create(
        "event",
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("client_id", KEY),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("previous_sha256", SHA256, nullable=False),
        sa.Column("sha256", SHA256, nullable=False),
        _unique("event", "client_id"),
        _unique("event", "sequence"),
    )
    _create(
        "event_head",
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("sha256", SHA256, nullable=False),
        _unique(
            "event_head",
        ),
    )
    _create(
        "outbox",
        sa.Column("event_id", ID, nullable=False),
        sa.Column("delivered_at", INSTANT),
        _unique("outbox", "event_id"),
        _refers("outbox", "event_id", "event"),
    )
    _index("outbox", "tenant_id", "delivered_at")


def _create(table: str, *own: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        *own,
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    )


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    names = ("tenant_id", *columns)
    return sa.UniqueConstraint(*names, name=op.f(f"uq_{table}_{'_'.join(names)}"))


def _refers(table: str, column: str, target: str, **options: Any) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        **options,
    )


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _exactly_one(*columns: str) -> str:
    return " + ".join(f"(CASE WHEN {column} IS NULL THEN 0 ELSE 1 END)" for column in columns) + " = 1"
