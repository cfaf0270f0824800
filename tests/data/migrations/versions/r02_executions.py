"""Executions of agents."""

from alembic import op

revision = "b2c3d4e5f6a1"
down_revision = "a1b2c3d4e5f6"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE agent_execution ("
        " id bigserial PRIMARY KEY, agent_id int REFERENCES agent_registry, ticket int, status text,"
        " started_at timestamptz NOT NULL DEFAULT now())"
    )


def downgrade() -> None:
    op.execute("DROP TABLE agent_execution")
