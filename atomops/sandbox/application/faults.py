"""A session that holds its transaction open without a word, as a forgotten export does."""

import asyncio
import logging

import psycopg

from atomops.sandbox.application import database
from atomops.sandbox.application.settings import Settings

LOG = logging.getLogger("core.export")
_HELD_SECONDS = 900
_PAUSE_SECONDS = 300


async def hold_transactions(settings: Settings) -> None:
    """Fifteen minutes idle in a transaction, five minutes of peace, for ever."""
    while True:
        try:
            await _hold_one(settings)
        except psycopg.Error as error:
            LOG.warning("export was interrupted: %s", type(error).__name__)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _hold_one(settings: Settings) -> None:
    async with await database.connect(settings, "atom-report-export") as session, session.transaction():
        await session.execute("SELECT count(*) FROM agent_episodes")
        await asyncio.sleep(_HELD_SECONDS)
