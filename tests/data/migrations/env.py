"""As an application's own: the address comes from the environment; it is not the default one, and it prints."""

import logging.config
import os
import sys

from alembic import context
from sqlalchemy import create_engine, pool

config = context.config
logging.config.fileConfig(config.config_file_name)
OPTIONS = {
    "version_table": os.environ.get("VERSION_TABLE", "alembic_version"),
    "transaction_per_migration": os.environ.get("ONE_BY_ONE") == "yes",
}
sys.stdout.write("Welcome to Atom.\n")  # real applications do so when they are imported


def address() -> str:
    return os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")


def migrate(**how: object) -> None:
    context.configure(**how, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    migrate(url=address(), literal_binds=True, dialect_opts={"paramstyle": "named"})
else:
    with create_engine(address(), poolclass=pool.NullPool).connect() as connection:
        migrate(connection=connection)
