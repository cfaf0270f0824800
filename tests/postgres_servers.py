"""PostgreSQL servers for tests: a cluster is initialised once a process and major version, and copied for each server.

A copy takes a twentieth of the processor time of initdb. The copies share the password of their superuser.
"""

import functools
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from atomops.scratch import postgres
from atomops.scratch.leftovers import FOLDER_VARIABLE
from atomops.scratch.place import make_folder, own_folder
from atomops.scratch.postgres import SUPERUSER, PostgresServer
from tests import servers


@contextmanager
def postgres_server(
    major: int, folder: Path, *, settings: Mapping[str, str] | None = None, superuser: str = SUPERUSER
) -> Iterator[PostgresServer]:
    """A server of that major version, its data in a new folder below `folder`. Skips where there is none."""
    installation = servers.required(lambda: servers.postgres_installation(major))
    with postgres.postgres_server(installation, folder, settings=settings, superuser=superuser, make=_copy) as server:
        yield server


def _copy(home: Path, data: Path, superuser: str) -> str:
    template, password = _template(home, superuser)
    subprocess.run(["cp", "--archive", "--reflink=auto", f"{template}/.", data], check=True)  # noqa: S607 - of coreutils
    return password


@functools.cache
def _template(home: Path, superuser: str) -> tuple[Path, str]:
    data = own_folder(make_folder("cluster-", Path(os.environ[FOLDER_VARIABLE])), "data")
    return data, postgres.initialise(home, data, superuser)
