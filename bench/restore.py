"""How long users wait while a database is restored: the guide's own procedure against ours, at two sizes.

`python -m bench.restore [MEGABYTES MEGABYTES]`, or ATOMOPS_BENCH_RESTORE_MB="50 1000", which is the default. One
client asks the sandbox's application for its readiness all the time, in the same way for everybody. The guide's: stop
the application, `gunzip | psql` into the emptied database, start the application.
"""

import asyncio
import contextlib
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from psycopg import sql
from rich.console import Console
from rich.table import Table

from atomops import shell
from atomops.errors import CommandFailed
from atomops.humane import size
from atomops.inventory import INVENTORY_VARIABLE
from atomops.sandbox.application import control
from atomops.sandbox.inventory import TARGET
from atomops.sandbox.seed import DATABASE, OWNER
from atomops.sandbox.world import World, world
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.leftovers import own_world_folder

MEGABYTE = 1_000_000
SIZES = (50, 1000)  # megabytes
SECONDS = 3_600
MORE = """
CREATE TABLE IF NOT EXISTS {table} (id bigserial PRIMARY KEY, agent int, kind text, doc jsonb);
CREATE INDEX IF NOT EXISTS {table}_by_agent ON {table} (agent, kind);
INSERT INTO {table} (agent, kind, doc)
SELECT n % 997, 'kind ' || n % 13, jsonb_build_object('n', n, 'text', md5(n::text), 'note', repeat('word ', 20))
FROM generate_series(1, 60000) AS n;
ALTER TABLE {table} OWNER TO atom;
"""
TABLES = ("runs", "steps", "messages", "documents")
OLD = "SELECT datname::text FROM pg_database WHERE datname ~ '_replaced_'"
EVERY_SECONDS = 0.01
_WARNING = 1  # an exit code
GUIDE, STOP, DISCONNECT = "the guide's", "quiesce=stop", "quiesce=disconnect"


@dataclass
class Client:
    """Somebody who asks whether it is ready, and notes when it was not. Times are monotonic seconds."""

    url: str
    refused: list[float] = field(default_factory=list)
    good: list[float] = field(default_factory=list)

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """During the block."""
        over = threading.Event()
        thread = threading.Thread(target=self._ask, args=[over])
        thread.start()
        try:
            yield
            time.sleep(1)  # until it is sure that it stays ready
        finally:
            over.set()
            thread.join()

    @property
    def downtime(self) -> float:
        """From the first refused request to the first good one that stayed."""
        if not self.refused:
            return 0
        return next(at for at in self.good if at > self.refused[-1]) - self.refused[0]

    def _ask(self, over: threading.Event) -> None:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=10) as client:
            while not over.wait(EVERY_SECONDS):
                asked = time.monotonic()
                try:
                    is_ready = client.get("/health/ready").is_success
                except httpx.TransportError:
                    is_ready = False
                if is_ready:
                    self.good.append(time.monotonic())
                else:
                    self.refused.append(asked)


@dataclass(frozen=True)
class Restored:
    """Seconds without a ready application, and of everything."""

    downtime: float
    whole: float


def main() -> None:
    """Print both times at each size, and their ratios."""
    asked = sys.argv[1:] or os.environ.get("ATOMOPS_BENCH_RESTORE_MB", "").split()
    sizes = sorted(map(float, asked)) or SIZES
    with own_world_folder("atomops-bench-") as folder, world(folder, folder / "history") as running:
        results = {each: _measured_at(running, each) for each in sizes}
    table = Table(
        "database", title="Restore: seconds without a ready application / of everything", title_justify="left"
    )
    for name in (GUIDE, STOP, DISCONNECT):
        table.add_column(name, justify="right")
    for held, found in results.values():
        cells = (f"{each.downtime:.2f} / {each.whole:.1f}" for each in found.values())
        table.add_row(size(held), *cells)
    Console(width=120).print(table)
    for held, found in results.values():
        for name in (STOP, DISCONNECT):
            down, whole = found[GUIDE].downtime / found[name].downtime, found[GUIDE].whole / found[name].whole
            print(f"  {size(held)}, guide / {name}: downtime {down:.1f} x, whole restore {whole:.1f} x")


def _measured_at(running: World, megabytes: float) -> tuple[int, Mapping[str, Restored]]:
    held = _grow(running, megabytes)
    _run(running, *_atomops("nightly-backup"))
    _run(running, "bash", "-c", f"pg_dump {DATABASE} | gzip > backup.sql.gz")
    found = {GUIDE: _timed(running, *_guide(running))}
    for quiesce in (STOP, DISCONNECT):
        found[quiesce] = _timed(running, _atomops("restore-database", "dry_run=false", quiesce))
        print(f"  {size(held)}, {quiesce}: {_steps(running)}")
        _drop_replaced(running)
    return held, found


def _grow(running: World, megabytes: float) -> int:
    """To that size at least; what it is then."""
    for table in itertools.cycle(TABLES):
        with running.postgres.connect(DATABASE) as session:
            (held,) = session.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
            if held >= megabytes * MEGABYTE:
                session.execute("VACUUM ANALYZE")
                break
            session.execute(MORE.format(table=table).encode())
    return int(held)


def _timed(running: World, *argvs: Sequence[str | Path]) -> Restored:
    """These commands, one after another, with somebody who asks meanwhile."""
    client = Client(running.application.url)
    with client.asking():
        started = time.monotonic()
        for argv in argvs:
            _run(running, *argv)
        _wait_until_ready(running)
        whole = time.monotonic() - started
    return Restored(client.downtime, whole)


def _guide(running: World) -> Iterator[Sequence[str]]:
    config = running.application.config
    yield control.command("stop", config)
    yield "dropdb", DATABASE
    yield "createdb", "--template=template0", f"--owner={OWNER}", DATABASE
    yield "bash", "-c", f"gunzip < backup.sql.gz | psql -q {DATABASE}"
    yield control.command("start", config)


def _steps(running: World) -> str:
    """What the copy's time went into, by the last report."""
    reports = (running.history / TARGET / "restore-database").rglob("*.json")
    report = json.loads(max(reports).read_bytes())
    (told,) = [each for each in report["findings"] if each["code"] == "RESTORE-COPY-DIFFERS"]
    return ", ".join(f"{name} {seconds}" for name, seconds in told["evidence"]["rows"])


def _atomops(flow: str, *settings: str) -> Sequence[str | Path]:
    sets = (part for each in settings for part in ("--set", each))
    return Path(sys.executable).with_name("atomops"), "run", flow, "--target", TARGET, *sets


def _run(running: World, *argv: str | Path) -> None:
    env = {
        "PATH": f"{bundled_binaries() / 'bin'}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(running.postgres.port),
        "PGUSER": running.postgres.superuser,
        "PGPASSWORD": running.postgres.password,
        INVENTORY_VARIABLE: str(running.inventory),
        "PREFECT_HOME": str(running.folder / "prefect"),
        "PREFECT_API_URL": "",
    }
    try:
        asyncio.run(shell.run(argv, timeout=SECONDS, env=env, cwd=running.folder))
    except CommandFailed as error:
        if error.exit_code != _WARNING:  # a night's and a restore's, such as of more than 5 s without an answer
            sys.exit(f"{shell.display(argv)} failed: {error.stderr}")


def _wait_until_ready(running: World) -> None:
    with httpx.Client(base_url=running.application.url, trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if client.get("/health/ready").is_success:
                    return
            time.sleep(EVERY_SECONDS)


def _drop_replaced(running: World) -> None:
    with running.postgres.connect() as session:
        for (name,) in session.execute(OLD).fetchall():
            session.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


if __name__ == "__main__":
    main()
