"""No two agents of one name: fails, whole, where there are two."""

from alembic import op

revision = "29c0d1e2f3a4"
down_revision = "0008_add_maturity_level_to_the_agent_registry"


def upgrade() -> None:
    op.execute("ALTER TABLE agent_registry ADD CONSTRAINT one_of_each_name UNIQUE (name)")


def downgrade() -> None:
    op.execute("ALTER TABLE agent_registry DROP CONSTRAINT one_of_each_name")
