"""Episodes have a storage tier, and their oldest ones are found by it."""

from alembic import op

revision = "6da4b5c6d7e8"
down_revision = "5cf3a4b5c6d7"


def upgrade() -> None:
    op.execute("ALTER TABLE episode ADD COLUMN storage_tier text NOT NULL DEFAULT 'hot'")
    op.execute("CREATE INDEX episode_by_tier ON episode (storage_tier, id)")


def downgrade() -> None:
    op.execute("DROP INDEX episode_by_tier")
    op.execute("ALTER TABLE episode DROP COLUMN storage_tier")
