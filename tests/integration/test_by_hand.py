"""A set of a real database, restored by the very lines that `atomops backups show` prints."""

import asyncio
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from atomops import shell
from atomops.commands.by_hand import restore_by_hand
from atomops.facts.backup import StoredFile
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.postgres import PostgresServer
from tests.backup_sets import manifest
from tests.nights import back_up, backups_at
from tests.waiting import PATIENCE

SCRIPT = """
CREATE TABLE t (n int PRIMARY KEY);
INSERT INTO t SELECT generate_series(1, 1000);
ALTER TABLE t OWNER TO hand_keeper;
"""


@pytest.fixture
def environment(postgres: PostgresServer) -> dict[str, str]:
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "postgres", "PGPASSWORD": postgres.password}
    return where | {"PATH": f"{bundled_binaries() / 'bin'}:{os.environ['PATH']}"}


def run(line: str, environment: dict[str, str]) -> bytes:
    return asyncio.run(shell.run(["sh", "-e", "-c", line], timeout=PATIENCE, env=environment)).stdout


def test_the_printed_lines_bring_everything_back(
    postgres: PostgresServer, environment: dict[str, str], tmp_path: Path
) -> None:
    with postgres.connect() as session:
        session.execute("CREATE ROLE hand_keeper")
    postgres.create_database("by hand", SCRIPT)
    folder = tmp_path / "my set"
    folder.mkdir()
    run(f"pg_dump -Fd -f '{folder}/data' 'by hand'", environment)
    (folder / "roles.sql").write_bytes(run("pg_dumpall --globals-only --no-role-passwords", environment))
    paths = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    made = replace(
        manifest(),
        database="by hand",
        files=tuple(StoredFile(path, (folder / path).stat().st_size, "") for path in paths),
    )

    run("\n".join(restore_by_hand(made, str(folder))), environment)

    with postgres.connect("by hand_restored") as session:
        assert session.execute("SELECT count(*) FROM t").fetchone() == (1000,)
        assert session.execute("SELECT tableowner FROM pg_tables WHERE tablename = 't'").fetchone() == ("hand_keeper",)


def test_the_readmes_lines_restore_a_set_of_the_night_with_postgresqls_own_programs_alone(
    postgres: PostgresServer, environment: dict[str, str], tmp_path: Path
) -> None:
    with postgres.connect() as session:
        session.execute("CREATE ROLE night_keeper")
    postgres.create_database("of the night", SCRIPT.replace("hand_keeper", "night_keeper"))
    (made,) = back_up(backups_at(postgres, "of the night", tmp_path / "backups"))
    folder = tmp_path / "backups" / "test" / made.manifest.id
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (lines,) = [block for block in re.findall(r"```bash\n(.*?)```", readme, re.DOTALL) if "pg_restore" in block]

    said = run(f"cd '{folder}'\n{lines}", environment).decode()

    for file in made.manifest.files:
        if file.path.startswith("data/"):
            assert f"{file.sha256}  {file.path}" in said
    with postgres.connect("atom_restored") as session:
        assert session.execute("SELECT count(*) FROM t").fetchone() == (1000,)
        assert session.execute("SELECT tableowner FROM pg_tables WHERE tablename = 't'").fetchone() == ("night_keeper",)
