"""PostgreSQL servers for tests: a cluster is initialised once a major version, and copied for each server.

A copy takes a twentieth of the processor time of initdb. The copies share the password of their superuser.
"""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from atomops.scratch import postgres
from atomops.scratch.leftovers import FOLDER_VARIABLE
from atomops.scratch.place import own_folder
from atomops.scratch.postgres import SUPERUSER, PostgresServer
from tests import servers
from tests.rounds import IS_THOROUGH


@contextmanager
def postgres_server(
    major: int, folder: Path, *, settings: Mapping[str, str] | None = None, superuser: str = SUPERUSER
) -> Iterator[PostgresServer]:
    """A server of that major version, its data in a new folder below `folder`. Skips where there is none."""
    installation = servers.required(lambda: servers.postgres_installation(major))
    with postgres.postgres_server(installation, folder, settings=settings, superuser=superuser, make=copied) as server:
        yield server
    shutil.rmtree(server.data)


def copied(home: Path, data: Path, superuser: str) -> str:
    """What `postgres.initialise` gives, by a copy."""
    template, password = _template(home, superuser)
    argv = ["cp", "--archive", "--reflink=auto", f"{template}/.", "."]
    done = subprocess.run(argv, cwd=data, check=False, capture_output=True)  # there it goes with the folder
    if done.returncode == 0:
        return password
    for path in data.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return postgres.initialise(home, data, superuser)  # which says what is wrong, such as a full disk


def copy_scratch_servers(patch: pytest.MonkeyPatch) -> None:
    """What this process restores to prove it is restored in copies from now on. Thoroughly, each is made anew."""
    if not IS_THOROUGH:
        copying = functools.partial(postgres.postgres_server, make=copied)
        patch.setattr("atomops.backup.scratch.postgres_server", copying)


def _template(home: Path, superuser: str) -> tuple[Path, str]:
    """The data folder and the password of the one that all processes of the suite copy; whoever asks first makes it."""
    name = hashlib.sha256(f"{home} {superuser}".encode()).hexdigest()[:12]
    folder = Path(os.environ[FOLDER_VARIABLE]) / f"cluster-{name}"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o711)  # its server runs as another user
            made = postgres.initialise(home, own_folder(folder, "data"), superuser, *_options(home))
            (folder / "password").write_text(made)
    return folder / "data", (folder / "password").read_text()


def _options(home: Path) -> list[str]:
    """Less to copy; and since 16, a password that is not hashed four thousand times for each session."""
    knows = b"scram_iterations" in (home / "bin" / "postgres").read_bytes()
    return ["--wal-segsize=1", *(["--set=scram_iterations=1"] if knows else [])]
