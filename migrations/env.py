"""Alembic environment: the app's engine and metadata, short locks, one transaction a migration."""

from alembic import context
from flask import current_app
from sqlalchemy import text

config = context.config
target = current_app.extensions["migrate"].db


def run() -> None:
    """Run the migrations online; there is no offline mode, because Koz has one kind of database."""
    with target.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=target.metadata,
            compare_type=True,
            compare_server_default=False,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            connection.execute(text("SET lock_timeout = '4s'"))
            connection.execute(text("SET statement_timeout = '60s'"))
            context.run_migrations()
        connection.commit()


if context.is_offline_mode():
    raise SystemExit("Koz migrates a running PostgreSQL only.")
run()
