"""Skills: the other branch."""

from alembic import op

revision = "e5f6a1b2c3d4"
down_revision = "c3d4e5f6a1b2"


def upgrade() -> None:
    op.execute("CREATE TABLE skill (id serial PRIMARY KEY, name text NOT NULL UNIQUE)")


def downgrade() -> None:
    op.execute("DROP TABLE skill")
