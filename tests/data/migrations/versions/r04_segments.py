"""Segments of episodes: one branch."""

from alembic import op

revision = "d4e5f6a1b2c3"
down_revision = "c3d4e5f6a1b2"


def upgrade() -> None:
    op.execute("CREATE TABLE episode_segment (id bigserial PRIMARY KEY, episode_id bigint REFERENCES episode)")


def downgrade() -> None:
    op.execute("DROP TABLE episode_segment")
