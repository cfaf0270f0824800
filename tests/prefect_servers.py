"""A Prefect server without pages and background services, as `atomops run` starts it where none is configured.

Its database is a copy of one that was migrated when the servers were fetched: that takes 5 s of a processor each time.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect.settings import PREFECT_HOME, temporary_settings

from atomops.cli import server
from tests import servers
from tests.ports import own_port


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """The address of the API of a server of its own, whose files lie in the folder. No setting changes here."""
    shutil.copy(servers.prefect_database(), home / "prefect.db")
    port = own_port()
    address = f"http://127.0.0.1:{port}/api"
    with pytest.MonkeyPatch.context() as patch, temporary_settings({PREFECT_HOME: home}):
        patch.setenv("PREFECT_HOME", str(home))
        running = server._start(port)
    try:
        server._wait(running, address)
        yield address
    finally:
        running.stop(grace=5)
