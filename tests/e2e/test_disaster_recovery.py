"""Everything is gone but the store: docs/disaster-recovery.md is followed, command by command."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest

from atomops.scratch.installations import bundled_binaries
from atomops.scratch.place import make_folder
from atomops.scratch.postgres import PostgresServer
from tests.postgres_servers import postgres_server
from tests.starter import clean_environment, run_atomops

pytestmark = pytest.mark.slow(60)

PAGE = (Path(__file__).parents[2] / "docs" / "disaster-recovery.md").read_text(encoding="utf-8")
BEFORE = """
    CREATE ROLE atom_app LOGIN PASSWORD 'lost with the server';
    CREATE ROLE auditors;
    CREATE TABLE agent_registry (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO agent_registry SELECT n, 'agent ' || n FROM generate_series(1, 1000) n;
    CREATE SEQUENCE tickets OWNED BY NONE;
    SELECT setval('tickets', 4711);
    ALTER TABLE agent_registry OWNER TO atom_app;
    GRANT SELECT ON agent_registry TO auditors;
    ALTER DATABASE atom OWNER TO atom_app;
    ALTER DATABASE atom SET work_mem = '8MB';
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = make_folder("atomops-disaster-")  # where a server's own user may enter
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Newcomer:
    """Who has a checkout, the store, the age identity and an empty server; and does as the page says."""

    folder: Path
    server: PostgresServer
    api: str

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment() | {
            "PATH": f"{bundled_binaries() / 'bin'}:{os.environ['PATH']}",
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": self.api,
            "ATOM_PGPASSWORD": self.server.password,
            "PGPASSWORD": self.server.password,
            "PGPORT": str(self.server.port),
        }

    def writes(self, words: Mapping[str, str]) -> None:
        """The inventory of the page."""
        (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
        (self.folder / "inventory.toml").write_text(_with(words, text))

    def types(self, command: str) -> str:
        """What it says."""
        program, *arguments = shlex.split(command)
        ended = (
            run_atomops(*arguments, env=self.environment, cwd=self.folder)
            if program == "atomops"
            else self._run(program, *arguments)
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def _run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=180
        )


def _with(words: Mapping[str, str], text: str) -> str:
    for there, here in words.items():
        assert there in PAGE
        text = text.replace(there, here)
    return text


def _commands(of: str) -> list[str]:
    """What the section bids one type."""
    (section,) = re.findall(rf"^## {re.escape(of)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return re.findall(r"^\$ (.*)$", section, re.MULTILINE)


def _in_new_server(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    (folder / name).chmod(0o755)
    return folder / name


def test_a_newcomer_brings_everything_back_from_the_store_alone(folder: Path, api: str) -> None:
    identity = pyrage.x25519.Identity.generate()
    (folder / "identity.txt").write_text(str(identity))
    words = {
        "postgres@db.example.com:5432": "postgres@127.0.0.1:PORT",
        "/backups/atom": str(folder / "store"),
        "/etc/atomops/age-identity.txt": str(folder / "identity.txt"),
        "db.example.com": "127.0.0.1",
        "/tmp/atom-set": str(folder / "set"),  # noqa: S108 - the page's word, replaced
    }
    with postgres_server(17, _in_new_server(folder, "lost")) as lost:
        lost.create_database("atom", BEFORE)
        before = Newcomer(folder, lost, api)
        before.writes(words | {"postgres@db.example.com:5432": f"postgres@127.0.0.1:{lost.port}"})
        with (folder / "inventory.toml").open("a") as inventory:
            inventory.write(f'recipients = ["{identity.to_public()}"]\n')
        before.types(f"{_commands('7. Atom Ops itself')[-1]} --inventory inventory.toml")
    for gone in ("lost", "prefect"):
        shutil.rmtree(folder / gone)
    (folder / "inventory.toml").unlink()

    with postgres_server(17, _in_new_server(folder, "new")) as new:
        newcomer = Newcomer(folder, new, api)
        newcomer.writes(words | {"postgres@db.example.com:5432": f"postgres@127.0.0.1:{new.port}"})
        (listing,) = _commands("3. What is there")
        told = newcomer.types(listing)
        (newest,) = re.findall(r"^(atom-\S+) .*restored, \d+ tables?, 1,000 rows equal", told, re.MULTILINE)
        for command in (*_commands("4. Roles"), *_commands("5. The database")):
            newcomer.types(_with(words, re.sub(r"\bID\b", newest, command)))

        with new.connect("atom") as session:
            assert session.execute("SELECT count(*), min(name), max(name) FROM agent_registry").fetchone() == (
                1000,
                "agent 1",
                "agent 999",
            )
            assert session.execute("SELECT nextval('tickets')").fetchone() == (4712,)
            assert session.execute("SHOW work_mem").fetchone() == ("8MB",)
            assert session.execute("SELECT has_table_privilege('auditors', 'agent_registry', 'SELECT')").fetchone() == (
                True,
            )
            assert session.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'atom_app'").fetchone() == (None,)
        told = newcomer.types(_commands("7. Atom Ops itself")[-1])
        assert "restored" in told
        assert len(re.findall(r"^atom-\S+ .*restored", newcomer.types(listing), re.MULTILINE)) == 2
