"""How the application's schema is migrated: by its own alembic, with its own interpreter."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from atomops.inventory.base import Seconds, Settings
from atomops.inventory.runtime import Argv
from atomops.secret import SecretOrText

VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Migrations(Settings):
    """The application's own alembic, and how its env.py learns which database is meant.

    That must be the variable `url_variable` alone, so that a rehearsal can be pointed at a copy; whether it is, is
    tried before every rehearsal.
    """

    command: Argv = Field(("alembic",), description="run without a shell, with the application's own interpreter")
    directory: Path = Field(description="where it is run: the folder of alembic.ini")
    environment: Mapping[VariableName, SecretOrText] = Field(
        default_factory=dict, description="what the application wants to find: texts, or env:, file: and block: secrets"
    )
    url_variable: VariableName = Field("DATABASE_URL", description="gets the database's address, password included")
    url_scheme: str = Field(
        "postgresql", pattern=r"^postgres(ql)?(\+[a-z0-9_]+)?$", description='such as "postgresql+psycopg"'
    )
    password_in_url: bool = Field(
        default=True, description="false: by PGPASSWORD alone, for an env.py that cannot take a % in the address"
    )
    timeout: Seconds = Field(3600, description="seconds that a migration may take")
    look_timeout: Seconds = Field(60, description="seconds for a command that only looks")
    backup_hours: float = Field(1, gt=0, description="how old a proven set may be that a migration is backed up by")
