"""One ticket an execution, without a lock: fails in its middle, and not whole, where one is there twice."""

from alembic import op

revision = "4be2f3a4b5c6"
down_revision = "3ad1e2f3a4b5"


def upgrade() -> None:
    op.execute("ALTER TABLE agent_execution ADD COLUMN checked boolean")
    with op.get_context().autocommit_block():
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY one_ticket ON agent_execution (ticket)")


def downgrade() -> None:
    op.execute("DROP INDEX one_ticket")
    op.execute("ALTER TABLE agent_execution DROP COLUMN checked")
