"""What a running day needs: slower travel, engineers who come later, work that runs longer, reports of visits.

Revision: 0002, after 0001.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

COLUMNS: tuple[tuple[str, str, Any], ...] = (
    ("territory", "travel_factor", sa.Double()),
    ("territory", "travel_factor_until", INSTANT),
    ("shift", "available_from", INSTANT),
    ("visit", "expected_end", INSTANT),
    ("visit", "report", JSON),
)


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind))


def downgrade() -> None:
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name)
