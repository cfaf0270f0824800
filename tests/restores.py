"""Restores on real servers: a database with a set of it, an application of commands, and the flow without Prefect."""

import asyncio
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from psycopg import sql

from atomops.backup.access import backups_of
from atomops.backup.making import SetInTheMaking, workshop
from atomops.backup.places import keep, places_of
from atomops.backup.preflight import plan_backup
from atomops.change.lock import one_change_at_a_time
from atomops.facts.backup import Manifest
from atomops.facts.restore import SWAP, TABLES, RestoreFacts
from atomops.inventory import Target
from atomops.restore.choosing import FromSet
from atomops.restore.copying import Restoring
from atomops.restore.planning import RestorePlan, Wanted, plan_restore
from atomops.restore.recovery import clear_leftovers, finish_killed
from atomops.restore.swapping import Swap
from atomops.restore.tables import copy_tables
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Unseen
from tests.backup_sets import proof

_OURS = """
    SELECT datname::text FROM pg_database WHERE datname ~ '_(incoming|replaced|refused)_' AND datname LIKE %s ORDER BY 1
"""


def flag_runtime(folder: Path, **others: str) -> dict[str, Any]:
    """An application that is a file: it runs while the file is there."""
    flag = shlex.quote(str(folder / "running"))
    scripts = {"stop": f"rm {flag}", "start": f"touch {flag}", "restart": f"touch {flag}", "status": f"test -e {flag}"}
    commands = {name: ("sh", "-c", script) for name, script in (scripts | others).items()}
    return {"kind": "command", "within": 10, **commands}


@dataclass
class Ground:
    """A database of its own with a folder of its own. Every secret is the superuser's password, unless it is named."""

    server: PostgresServer
    database: str
    folder: Path
    parts: dict[str, Any] = field(default_factory=dict)
    password: str | None = None
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        dsn = self.server.dsn(self.database)
        default: dict[str, Any] = {
            "postgres": {"dsn": dsn, "password": "env:X"},
            "backups": {"store": str(self.folder / "store")},
            "runtime": flag_runtime(self.folder),
            "history": str(self.folder / "history"),
        }
        password = self.password or self.server.password
        context = {"read_secret": lambda reference: self.secrets.get(reference, password)}
        return Target.model_validate({"name": "test", **(default | self.parts)}, context=context)

    def but(self, **parts: Any) -> "Ground":  # noqa: ANN401 - as in an inventory
        """The same with other settings."""
        return replace(self, parts={**self.parts, **parts})

    @property
    def runs(self) -> bool:
        return (self.folder / "running").exists()

    def execute(self, script: str, database: str | None = None) -> None:
        with self.server.connect(database or self.database) as session:
            session.execute(script.encode())

    def rows(self, question: str, database: str | None = None) -> list[Any]:
        """The first column of every row."""
        with self.server.connect(database or self.database) as session:
            return [row[0] for row in session.execute(question.encode())]

    def ours(self) -> list[str]:
        """The databases that restores have made on the server, but for the live one."""
        with self.server.connect() as session:
            return [row[0] for row in session.execute(_OURS, [f"{self.database[:30]}%"])]

    def drop_ours(self) -> None:
        with self.server.connect() as session:
            for name in self.ours():
                session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def dump(self, *, proven: bool = True) -> Manifest:
        """A new set of the database in every store, with a proof that says so."""
        return asyncio.run(dump(self.target, proven=proven))

    def plan(self, **wanted: Any) -> RestorePlan:  # noqa: ANN401 - as the flow's parameters
        return asyncio.run(plan_restore(self.target, Wanted(**({"backup": "latest"} | wanted))))

    def restore(self, **wanted: Any) -> RestoreFacts:  # noqa: ANN401 - as the flow's parameters
        """As the flow does it, but without Prefect. Raises what a step raises."""
        return asyncio.run(restore(self.target, Wanted(**({"backup": "latest"} | wanted))))


def ground(server: PostgresServer, database: str, folder: Path, script: str = "", **parts: Any) -> Ground:  # noqa: ANN401
    """A new database, filled by the script; its application runs."""
    server.create_database(database, script)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "running").touch()
    return Ground(server, database, folder, parts)


async def dump(at: Target, *, proven: bool) -> Manifest:
    """A new set in every store, with a proof that says so if it is to be `proven`."""
    settings = backups_of(at)
    with workshop(settings) as work:
        plan = await plan_backup(at)
        places = await places_of(at, settings)
        making = SetInTheMaking(plan, plan.databases[0], [place.store for place in places], work)
        draft = await making.make(jobs=settings.jobs)
        stored = await keep(draft, places)
        assert not [each.problem for each in stored if each.problem]
        if proven:
            for place in places:
                place.store.add_proof(draft.manifest.id, proof())
    return draft.manifest


async def restore(at: Target, wanted: Wanted, run: str = "a run") -> RestoreFacts:
    """The flow's own steps, one after another."""
    async with one_change_at_a_time(at, "restore-database"):
        with workshop(backups_of(at)) as work:
            finished = await finish_killed(at)
            plan = await plan_restore(at, wanted)
            if plan.obstacles:
                return plan.facts()
            cleared = (*finished, *await clear_leftovers(at, plan.names.live))
            return plan.facts(cleared=cleared, **await _carried_out(plan, wanted, work, run))


async def _carried_out(plan: RestorePlan, wanted: Wanted, work: Path, run: str) -> dict[str, Any]:
    if not isinstance(plan.source, FromSet):
        return {"exchange": await Swap(plan, run).do()}
    restoring = Restoring(plan, plan.source, work)
    async with restoring.removed():
        found: dict[str, Any] = {"copy": await restoring.make()}
        if found["copy"].differences:
            return {**found, "problem": Unseen(found["copy"].differences[0])}
        if wanted.mode == TABLES:
            found["schema"] = await copy_tables(plan, work)
        elif wanted.mode == SWAP:
            found["exchange"] = await Swap(plan, run).do()
        return found


def obstacles(facts: RestoreFacts) -> Iterator[str]:
    """Each with its remedy, in a line."""
    yield from (f"{each.thing}: {each.reason}: {each.remedy}" for each in facts.obstacles)
