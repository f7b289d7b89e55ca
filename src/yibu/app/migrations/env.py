"""Run by Alembic for each command; `app/migrate.py` hands the connection over, in a transaction that it commits."""

from alembic import context

from yibu.kit.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    # For its naming convention; the tables themselves are written out in the migrations.
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
