"""A Prefect server without pages and background services, as `atomops run` starts it where none is configured.

Its database is a copy of one that another server has made when the servers were fetched, which takes 7 s of a
processor.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect.settings import PREFECT_HOME, temporary_settings

from atomops.cli import server
from tests import servers
from tests.ports import own_port

_AS_IT_IS = {"PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "0", "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "0"}


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """The address of the API of a server of its own, whose files lie in the folder. No setting changes here."""
    shutil.copy(servers.prefect_database(), home / "prefect.db")
    with _serving(home, _AS_IT_IS) as address:
        yield address


@contextmanager
def first_server(home: Path) -> Iterator[str]:
    """The same in an empty folder."""
    with _serving(home, {}) as address:
        yield address


@contextmanager
def _serving(home: Path, env: Mapping[str, str]) -> Iterator[str]:
    port = own_port()
    address = f"http://127.0.0.1:{port}/api"
    with pytest.MonkeyPatch.context() as patch, temporary_settings({PREFECT_HOME: home}):
        for name, value in {"PREFECT_HOME": str(home), **env}.items():
            patch.setenv(name, value)
        running = server._start(port)
    try:
        server._wait(running, address)
        yield address
    finally:
        running.stop(grace=20)
