"""What Alembic runs: the migrations, on the connection and in the transaction that `data.session` opened."""

from __future__ import annotations

from alembic import context

from data.orm import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite changes a table by copying it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
