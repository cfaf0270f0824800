"""Agents."""

from alembic import op

revision = "a1b2c3d4e5f6"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE agent_registry (id serial PRIMARY KEY, name text NOT NULL, status text, notes text)")


def downgrade() -> None:
    op.execute("DROP TABLE agent_registry")
