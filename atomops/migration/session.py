"""A session that looks on, as the role that migrates: it finds the tables that alembic finds."""

import contextlib
from collections.abc import AsyncIterator

import psycopg

from atomops.backup.access import Access
from atomops.backup.scratch import reading_settings
from atomops.errors import TemporaryError
from atomops.probes.postgres.connect import Session
from atomops.probes.postgres.session import read_only_session

_SECONDS = 60  # for one statement


@contextlib.asynccontextmanager
async def looking(access: Access, seconds: float = _SECONDS) -> AsyncIterator[Session]:
    """It cannot write, and bounds its time. Raises what connecting raises; TemporaryError when a look has failed."""
    try:
        async with read_only_session(reading_settings(access, seconds)) as session:
            yield session
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        action = "run it again; if it fails again, look at the server's log"
        raise TemporaryError(f"a look at {access.address} failed: {said}", action=action) from None
