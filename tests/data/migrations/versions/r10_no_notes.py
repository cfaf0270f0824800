"""Nobody reads the notes: their column goes with all that is in it."""

from alembic import op

revision = "3ad1e2f3a4b5"
down_revision = "29c0d1e2f3a4"


def upgrade() -> None:
    op.execute("ALTER TABLE agent_registry DROP COLUMN notes")


def downgrade() -> None:
    op.execute("ALTER TABLE agent_registry ADD COLUMN notes text")
