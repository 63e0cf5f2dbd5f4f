"""Runs the migrations on the connection that `retrieval.catalogue.migration` hands over."""

from __future__ import annotations

from alembic import context

from retrieval.catalogue.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by copying it
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
