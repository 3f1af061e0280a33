"""Asset models say which skills work on their machines needs; what they name is protected as in other bodies.

Revision: 0004, after 0003.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.String(26).with_variant(sa.String(26, collation="C"), "postgresql")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

BODIES = ("engineer", "shift", "work_order")
TARGETS = ("skill", "engineer", "work_order", "site")
BOOKKEEPING = ("tenant_id", "id", "version", "created_at", "updated_at", "updated_by")


def upgrade() -> None:
    op.add_column("asset_model", sa.Column("body", JSON, nullable=False, server_default=sa.text("'{}'")))
    _make_mentions_anew((*BODIES, "asset_model"))


def downgrade() -> None:
    op.execute("DELETE FROM mention WHERE by_asset_model_id IS NOT NULL")
    _make_mentions_anew(BODIES)
    op.drop_column("asset_model", "body")


def _make_mentions_anew(bodies: tuple[str, ...]) -> None:
    """The table with other columns and another check, which SQLite cannot change in place; its rows are kept."""
    kept = ", ".join((*BOOKKEEPING, *(f"by_{name}_id" for name in BODIES), *(f"{name}_id" for name in TARGETS)))
    op.execute(f"CREATE TEMPORARY TABLE kept_mention AS SELECT {kept} FROM mention")
    op.drop_table("mention")
    owners = [f"by_{name}_id" for name in BODIES]
    targets = [f"{name}_id" for name in TARGETS]
    # Columns of later revisions come last, as they do where they are added.
    added = [f"by_{name}_id" for name in bodies if name not in BODIES]
    op.create_table(
        "mention",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        *(sa.Column(column, ID) for column in (*owners, *targets, *added)),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mention")),
        *(_refers(f"by_{name}_id", name, ondelete="CASCADE") for name in bodies),
        *(_refers(f"{name}_id", name) for name in TARGETS),
        sa.CheckConstraint(_exactly_one(*owners, *added), name=op.f("ck_mention_one_body")),
        sa.CheckConstraint(_exactly_one(*targets), name=op.f("ck_mention_one_target")),
    )
    for column in (*owners, *targets, *added):
        op.create_index(op.f(f"ix_mention_tenant_id_{column}"), "mention", ["tenant_id", column])
    op.execute(f"INSERT INTO mention ({kept}) SELECT {kept} FROM kept_mention")
    op.execute("DROP TABLE kept_mention")


def _refers(column: str, target: str, **options: Any) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_mention_tenant_id_{column}"),
        **options,
    )


def _exactly_one(*columns: str) -> str:
    return " + ".join(f"(CASE WHEN {column} IS NULL THEN 0 ELSE 1 END)" for column in columns) + " = 1"
