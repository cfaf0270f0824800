"""Room for long names of revisions.

Alembic itself gives them 32 characters.
"""

from alembic import op

revision = "17a8b9c0d1e2"
down_revision = "f6a1b2c3d4e5"


def upgrade() -> None:
    op.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(128)")


def downgrade() -> None:
    op.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(32)")
