"""Both branches together."""

revision = "f6a1b2c3d4e5"
down_revision = ("d4e5f6a1b2c3", "e5f6a1b2c3d4")


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
