"""An application's migrations for tests: its scripts, its role with an awkward password, and its database."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from psycopg import sql

from atomops.inventory import Target
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore

SCRIPTS = Path(__file__).parent / "data" / "migrations"
ALEMBIC = str(Path(sys.executable).with_name("alembic"))
PASSWORD = "100% s@cr/t:#?é"
ROLE = "atom_owner"
MERGED, WIDE, LONG, UNIQUE, NO_NOTES, TICKETS, SUMMARIES, HEAD = (
    "f6a1b2c3d4e5",
    "17a8b9c0d1e2",
    "0008_add_maturity_level_to_the_agent_registry",
    "29c0d1e2f3a4",
    "3ad1e2f3a4b5",
    "4be2f3a4b5c6",
    "5cf3a4b5c6d7",
    "6da4b5c6d7e8",
)
CATALOGUE = (files("atomops.probes.schema") / "questions" / "catalogue.sql").read_bytes()
FILL = """
INSERT INTO agent_registry (name, status, notes)
SELECT 'agent ' || n, 'student', CASE WHEN n <= 7 THEN 'a note' END FROM generate_series(1, 20) AS n;
INSERT INTO agent_execution (agent_id, ticket, status)
SELECT 1 + n % 20, n, 'completed' FROM generate_series(1, 300) AS n;
INSERT INTO episode (agent_id, title) SELECT 1 + n % 20, 'episode ' || n FROM generate_series(1, 100) AS n;
"""


@dataclass(frozen=True)
class Scene:
    """One database of the application at some revision, with scripts, store and history of its own."""

    server: PostgresServer
    folder: Path
    database: str = field(default_factory=lambda: f"migrate_{secrets.token_hex(3)}")
    own_scratch: bool = False  # starts a server for each proof and rehearsal, on which roles can be made

    @property
    def scripts(self) -> Path:
        return self.folder / "scripts"

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.folder / "store", "test")

    @property
    def history(self) -> Path:
        return self.folder / "history"

    def with_scripts(self) -> "Scene":
        """Its own copy of the scripts."""
        shutil.copytree(SCRIPTS, self.scripts, ignore=shutil.ignore_patterns("__pycache__"))
        return self

    def make(self, revision: str) -> "Scene":
        """The database at that revision, with rows in it, all of it the role's own; none is not stamped."""
        self.with_scripts()
        with self.server.connect() as session:
            known = session.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).rowcount
            role, password = sql.Identifier(ROLE), sql.Literal(PASSWORD)
            if not known:
                session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, password))
            session.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(self.database), role))
        if revision:
            self.alembic("upgrade", MERGED)
            self.execute(FILL)
            if revision != MERGED:
                self.alembic("upgrade", revision)
        return self

    def alembic(self, *arguments: str) -> str:
        """The application's alembic as somebody runs it by hand."""
        url = f"postgresql://{ROLE}@127.0.0.1:{self.server.port}/{self.database}"
        own = {"DATABASE_URL": url, "PGPASSWORD": PASSWORD, "PYTHONDONTWRITEBYTECODE": "1"}
        argv = [ALEMBIC, *arguments]
        done = subprocess.run(argv, env=os.environ | own, cwd=self.scripts, capture_output=True, text=True, check=True)
        return done.stdout

    def execute(self, statements: str) -> None:
        with self.server.connect(self.database) as session:
            session.execute(statements.encode())

    def value(self, question: str) -> Any:  # noqa: ANN401 - of whatever type
        with self.server.connect(self.database) as session:
            row = session.execute(question.encode()).fetchone()
        return row[0] if row else None

    @property
    def revision(self) -> str:
        return str(self.value("SELECT string_agg(version_num, ', ' ORDER BY version_num) FROM alembic_version"))

    def elsewhere(self, folder: Path) -> "Scene":
        """The same database with other scripts, another store and another history."""
        return replace(self, folder=folder).with_scripts()

    def copy(self, folder: Path) -> "Scene":
        """A copy of the database, with all else of its own too."""
        made = Scene(self.server, folder).with_scripts()
        with self.server.connect() as session:
            names = sql.Identifier(made.database), sql.Identifier(self.database), sql.Identifier(ROLE)
            session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*names))
        return made

    def catalogue(self) -> dict[str, str]:
        """The whole schema, and every row of alembic's table."""
        with self.server.connect(self.database) as session:
            return dict(session.execute(CATALOGUE).fetchall()) | {"revision": self.revision}

    def edit(self, script: str, old: str, new: str) -> None:
        path = self.scripts / script
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def _proofs(self) -> dict[str, str]:
        """Sets are restored here, as superuser, so that no server is started for each; or on a server of their own."""
        here = {"scratch_dsn": self.server.dsn(), "scratch_password": "env:SUPERUSER_PASSWORD"}
        return {} if self.own_scratch else here

    def parts(self, **migrations: Any) -> dict[str, Any]:  # noqa: ANN401 - as in an inventory
        """The parts of the inventory: read and backed up by the superuser, changed by the application's own role."""
        return {
            "postgres": {"dsn": self.server.dsn(self.database), "password": "env:SUPERUSER_PASSWORD"},
            "changes": {
                "dsn": self.server.dsn(self.database, ROLE),
                "password": "env:ROLE_PASSWORD",
                "lock_timeout": 0.5,
                "ready_within": 2,
            },
            "backups": {"store": str(self.folder / "store"), "jobs": 1} | self._proofs(),
            "migrations": {"command": [ALEMBIC], "directory": str(self.scripts)} | migrations,
        }

    def target(self, **migrations: Any) -> Target:  # noqa: ANN401 - as in an inventory
        """The same as a target, its secrets read."""
        values = {"env:SUPERUSER_PASSWORD": self.server.password, "env:ROLE_PASSWORD": PASSWORD}
        made = {"name": "test", "history": str(self.history), **self.parts(**migrations)}
        return Target.model_validate(made, context={"read_secret": lambda reference: values[reference]})

    def inventory(self, name: str = "test", more: str = "", **migrations: Any) -> str:  # noqa: ANN401 - as in an inventory
        """The same as a file."""
        lines = [f"[targets.{name}]", f'history = "{self.history}"']
        for part, settings in self.parts(**migrations).items():
            lines += [f"[targets.{name}.{part}]", *(f"{key} = {_toml(value)}" for key, value in settings.items())]
        return "\n".join([*lines, more])


def _toml(value: Any) -> str:  # noqa: ANN401 - of an inventory
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)
