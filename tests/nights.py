"""Nights on real servers: a backup as the flow makes it, a run as a scheduler starts it, and the traces it leaves."""

import asyncio
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from atomops.backup import dump as dumping
from atomops.backup.access import backups_of
from atomops.backup.making import SetInTheMaking, workshop
from atomops.backup.places import keep, places_of, sweep
from atomops.backup.preflight import examine, plan_backup
from atomops.backup.proving import bench, prove_draft, prove_stored
from atomops.facts.backup import Manifest, Proof
from atomops.facts.nightly import Stored
from atomops.inventory import Target
from atomops.scratch.postgres import PostgresServer
from atomops.stores.local import LocalStore
from tests.starter import Run, clean_environment, starter
from tests.targets import target
from tests.waiting import wait_until

_MARK = "ATOMOPS_TEST_NIGHT"  # in the environment of a run and all that it starts
_OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'atomops%%' AND datname = ANY (%s)"


@dataclass(frozen=True)
class Made:
    """A set as the night has made it, and what became of it in every store."""

    manifest: Manifest
    stored: tuple[Stored, ...]

    @property
    def proof(self) -> Proof:
        """Its proof in the first store."""
        proof = self.stored[0].proof
        assert proof is not None, self.stored[0].problem
        return proof


def backups_at(server: PostgresServer, database: str, store: Path, **settings: Any) -> Target:  # noqa: ANN401 - as in an inventory
    """A target whose superuser backs the database up into the folder."""
    postgres = {"dsn": server.dsn(database), "password": "env:X"}
    return target(server.password, postgres=postgres, backups={"store": str(store), **settings})


def back_up(at: Target) -> list[Made]:
    """Every database of the target, dumped, kept and proven, as in the flow but without Prefect."""
    return asyncio.run(_back_up(at))


async def _back_up(at: Target) -> list[Made]:
    settings = backups_of(at)
    made = []
    with workshop(settings) as work:
        plan = await plan_backup(at)
        places = await places_of(at, settings)
        await sweep(places)
        async with bench(settings, plan.tools, work) as on:
            for access in plan.databases:
                await examine(plan, access)
                draft = await SetInTheMaking(plan, access, [place.store for place in places], work).make(
                    jobs=settings.jobs
                )
                kept = await keep(draft, places)
                made.append(Made(draft.manifest, await prove_draft(draft, kept, places, on)))
    return made


def prove_again(at: Target, manifest: Manifest) -> Proof:
    """From nothing but the first store, as `atomops backups verify` does."""

    async def proven() -> Proof:
        settings = backups_of(at)
        with workshop(settings) as work:
            plan = await plan_backup(at)
            places = await places_of(at, settings)
            async with bench(settings, plan.tools, work) as on:
                return await prove_stored(places[0].store, manifest, on, work)

    return asyncio.run(proven())


@dataclass(frozen=True)
class World:
    """A target of its own with folders of its own, in which `atomops` is run as another process."""

    server: PostgresServer
    database: str
    folder: Path
    api: str | None = None
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def __post_init__(self) -> None:
        self.temp.mkdir(parents=True)
        self.folder.chmod(0o711)
        self.temp.chmod(0o711)

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.folder / "store", "production")

    @property
    def report(self) -> Any:  # noqa: ANN401 - JSON's own types
        return json.loads((self.folder / "report.json").read_text())

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    def write_inventory(self, backups: str = "", dsn: str = "") -> Path:
        path = self.folder / "inventory.toml"
        path.write_text(f"""
[targets.production]
history = "{self.folder}/history"
[targets.production.postgres]
dsn = "{dsn or self.server.dsn(self.database)}"
password = "env:A_PASSWORD"
[targets.production.backups]
store = "{self.store.name}"
{backups}
""")
        return path

    def _environment(self) -> dict[str, str]:
        own = {
            _MARK: self.mark,
            "TMPDIR": str(self.temp),
            "A_PASSWORD": self.server.password,
            "PREFECT_HOME": str(self.folder / "prefect"),
            "ATOMOPS_INVENTORY": str(self.folder / "inventory.toml"),
        }
        if self.api:
            own["PREFECT_API_URL"] = self.api
        return clean_environment() | own

    def start(self, *arguments: str) -> Run:
        """`atomops ...` in the background, with its output in a file."""
        return starter().start(*arguments, env=self._environment(), cwd=self.folder, output=self.folder / "output")

    def start_night(self) -> Run:
        return self.start(*self._night)

    @property
    def _night(self) -> tuple[str, ...]:
        return "run", "nightly-backup", "--json", str(self.folder / "report.json")

    def processes(self) -> list[psutil.Process]:
        """Whatever of a run is still there."""
        return [each for each in psutil.process_iter() if self._is_ours(each)]

    def backends(self) -> int:
        """Our sessions on the server."""
        with self.server.connect() as session:
            row = session.execute(_OURS, [["postgres", self.database]]).fetchone()
        return int(row[0]) if row else 0

    def wait_for_silence(self) -> None:
        """No process, no file in the temporary folder, and no session is left after a bounded wait."""
        with suppress(AssertionError):
            wait_until(lambda: not (self.processes() or any(self.temp.iterdir()) or self._backends_if_up()), "silence")
        assert not [process.cmdline() for process in self.processes()]
        assert not list(self.temp.iterdir())
        assert not self._backends_if_up()

    def _backends_if_up(self) -> int:
        try:
            return self.backends()
        except psycopg.OperationalError:
            return 0

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return Path(process.cwd()).is_relative_to(self.folder) or process.environ().get(_MARK) == self.mark
        except (psutil.Error, OSError):
            return False


def rows_of(session: psycopg.Connection[Any], question: str) -> Iterator[Any]:
    """The first column of every row."""
    yield from (row[0] for row in session.execute(question.encode()))


def everything_in(folder: Path) -> dict[Path, int]:
    """The folder and everything below it, each with when it was last changed: that of a folder tells of a file gone."""
    return {path: path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def doing(monkeypatch: pytest.MonkeyPatch, step: str, before: Callable[[], None]) -> None:
    """From now on that step of a dump begins with something that somebody else does, once."""
    real: Any = getattr(dumping, step)
    todo = [before]

    async def disturbed(*arguments: object) -> Any:  # noqa: ANN401 - whatever the step returns
        if todo:
            await asyncio.to_thread(todo.pop())
        return await real(*arguments)

    monkeypatch.setattr(dumping, step, disturbed)


def execute(server: PostgresServer, database: str, *statements: str) -> Callable[[], None]:
    def done() -> None:
        with server.connect(database) as session:
            for statement in statements:
                session.execute(statement.encode())

    return done
