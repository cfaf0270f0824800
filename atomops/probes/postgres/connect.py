"""The one way to a server for every session of ours."""

import asyncio
import traceback

import psycopg
from psycopg.abc import ConnParam
from psycopg.conninfo import make_conninfo

Session = psycopg.AsyncConnection[tuple[object, ...]]


async def connect(conninfo: str, password: str | None, **settings: ConnParam) -> Session:
    """A session in autocommit. Raises psycopg.Error.

    An attempt that is cancelled is closed at once. Else it lives as long as the error does, and its backend, which
    waits for the rest of a password exchange, holds every DROP DATABASE up for a minute: also the one of our clean-up.
    """
    text = make_conninfo(conninfo, client_encoding="utf8", **settings)  # or SQL_ASCII would give us bytes as names
    try:
        return await psycopg.AsyncConnection.connect(text, password=password, autocommit=True)
    except asyncio.CancelledError as error:
        traceback.clear_frames(error.__traceback__)
        raise
