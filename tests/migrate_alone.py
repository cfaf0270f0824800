"""Migrates a scene in a process of its own, so that it can be killed: `python -m tests.migrate_alone`.

Standard input says which scene, as JSON: server port and password, folder and database.
"""

import asyncio
import json
import sys
from pathlib import Path
from unittest.mock import Mock

from atomops.backup.access import backups_of
from atomops.backup.making import workshop
from atomops.change.ending import cancelled_by_sigterm
from atomops.migration.execute import execute
from atomops.migration.look import look
from atomops.migration.order import Order
from atomops.scratch.postgres import PostgresServer
from tests.migrations import Scene


async def main(scene: Scene) -> None:
    """Everything but the backup and the rehearsal."""
    target = scene.target()
    with cancelled_by_sigterm(), workshop(backups_of(target)) as work:
        seen = await look(target, Order(), work)
        sys.stdout.write("looked\n")
        sys.stdout.flush()
        await execute(target, seen, Order(), "restore it")


if __name__ == "__main__":
    told = json.loads(sys.stdin.readline())
    running = PostgresServer(Mock(), told["port"], told["password"], Path())
    asyncio.run(main(Scene(running, Path(told["folder"]), told["database"])))
