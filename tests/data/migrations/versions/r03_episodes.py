"""Episodes."""

from alembic import op

revision = "c3d4e5f6a1b2"
down_revision = "b2c3d4e5f6a1"


def upgrade() -> None:
    op.execute("CREATE TABLE episode (id bigserial PRIMARY KEY, agent_id int REFERENCES agent_registry, title text)")


def downgrade() -> None:
    op.execute("DROP TABLE episode")
