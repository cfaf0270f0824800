"""Episodes have a summary, which is worked out for a while under a lock that nobody can read beside."""

from alembic import op

revision = "5cf3a4b5c6d7"
down_revision = "4be2f3a4b5c6"


def upgrade() -> None:
    op.execute("ALTER TABLE episode ADD COLUMN summary text")
    op.execute("UPDATE episode SET summary = left(title, 20)")
    op.execute("SELECT pg_sleep(0.3)")


def downgrade() -> None:
    op.execute("ALTER TABLE episode DROP COLUMN summary")
