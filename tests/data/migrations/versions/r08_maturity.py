"""Agents have a maturity level."""

from alembic import op

revision = "0008_add_maturity_level_to_the_agent_registry"
down_revision = "17a8b9c0d1e2"


def upgrade() -> None:
    op.execute("ALTER TABLE agent_registry ADD COLUMN maturity_level text NOT NULL DEFAULT 'student'")


def downgrade() -> None:
    op.execute("ALTER TABLE agent_registry DROP COLUMN maturity_level")
