"""Runs the migrations over the connection that ``persistence.schema`` hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy.engine import Connection

from persistence.tables import metadata


def run() -> None:
    """Run the requested migrations in the transaction that the caller has opened."""
    connection: Connection = context.config.attributes["connection"]
    # SQLite cannot alter most of a table: Alembic copies it ("batch") there.
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run()
