"""The guide's nightly dump and its restore against ours: the same database of about 2 GB, the same run.

`python -m bench.backup [GIGABYTES [ROUNDS]]`, or ATOMOPS_BENCH_GB and ATOMOPS_BENCH_ROUNDS; without them 2 GB, three
times. Every number is a median of the rounds. Processor time is that of the process and its descendants, a scratch
server among them, and that of the server that is dumped or restored into.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console
from rich.table import Table

from atomops import shell
from atomops.backup.access import Access
from atomops.backup.preflight import Tools, tools_for
from atomops.backup.scratch import Scratch, empty_database, scratch_server
from atomops.commands import postgres as commands
from atomops.humane import size
from atomops.inventory import INVENTORY_VARIABLE, Backups
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.leftovers import own_world_folder
from atomops.scratch.postgres import PostgresServer, postgres_server
from atomops.stores.local import LocalStore
from bench.backup_steps import TARGET
from bench.processes import Cost, measured, median

GIGABYTE = 1_000_000_000
ROOM = 3  # times the database: itself, its write-ahead log and the dumps, and one restored copy
DATABASE, ROLE, PASSWORD = "atom", "backup", "backup"  # the server lives as long as the benchmark, on 127.0.0.1
PER_GIGABYTE = {"agents": 10_000, "executions": 300_000, "events": 1_500_000}  # rows
PGBENCH_SCALE = 30  # per gigabyte
SECONDS = 3_600
SETTINGS = {
    "shared_buffers": "512MB",
    "effective_cache_size": "4GB",
    "maintenance_work_mem": "256MB",
    "work_mem": "16MB",
    "max_wal_size": "2GB",
    "autovacuum": "off",  # it would work at a moment of its own choosing
}
INVENTORY = """\
[targets.{target}]
history = {history}

[targets.{target}.postgres]
dsn = {dsn}
password = "env:BENCH_PASSWORD"

[targets.{target}.backups]
store = {store}
work_folder = {work}
"""
GUIDE_DUMP, GUIDE_RESTORE = "pg_dump atom | gzip > file", "gunzip < file | psql new"
PLAIN, STEP, PROVEN = "our pg_dump alone", "our dump: counted, hashed, kept", "our dump and its full proof"
FLOW, RESTORE = "atomops run nightly-backup", "our pg_restore"
AIMS = (  # the guide's step, ours, and how many times as fast ours should be
    (GUIDE_DUMP, PLAIN, 6.0),
    (GUIDE_DUMP, STEP, None),
    (GUIDE_DUMP, PROVEN, 1.0),
    (GUIDE_DUMP, FLOW, None),
    (GUIDE_RESTORE, RESTORE, None),
)
MOST_MEMORY = 200_000_000  # bytes of our own process


@dataclass(frozen=True)
class Bed:
    """The folder of the benchmark, and the server with the database in it."""

    folder: Path
    server: PostgresServer
    tools: Tools

    @property
    def dumped(self) -> Path:
        """The guide's dump."""
        return self.folder / "backup.sql.gz"

    @property
    def store(self) -> Path:
        """Where our sets lie."""
        return self.folder / "store" / TARGET

    def environment(self) -> Mapping[str, str]:
        """What the guide's commands, and ours, are told of the server."""
        return {
            "PATH": f"{self.tools.client.bin}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.server.port),
            "PGUSER": self.server.superuser,
            "PGPASSWORD": self.server.password,
            "BENCH_PASSWORD": PASSWORD,
            INVENTORY_VARIABLE: str(self.folder / "inventory.toml"),
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": "",
        }

    def run(self, *argv: str | Path) -> None:
        """Something that is not measured."""
        asyncio.run(shell.run(argv, timeout=SECONDS, env=self.environment(), cwd=self.folder))

    def measure(self, *argv: str | Path, server: int | None = None, env: Mapping[str, str] | None = None) -> Cost:
        """What it costs, the server's share with it."""
        leader = psutil.Process(server or self.server.server.pid)
        return measured(argv, folder=self.folder, env={**self.environment(), **(env or {})}, server=leader)


def main() -> None:
    """Print what each step costs, and the ratios beside what we aim at."""
    arguments = dict(enumerate(sys.argv[1:]))
    gigabytes = float(arguments.get(0) or os.environ.get("ATOMOPS_BENCH_GB") or 2)
    rounds = int(arguments.get(1) or os.environ.get("ATOMOPS_BENCH_ROUNDS") or 3)
    with own_world_folder("atomops-bench-") as folder:
        _look_for_room(folder, gigabytes)
        with _bed(folder, gigabytes) as bed:
            steps: dict[str, list[Cost]] = {}
            for _ in range(rounds):
                for name, cost in _round(bed):
                    steps.setdefault(name, []).append(cost)
                sizes = _sizes(bed)
                shutil.rmtree(bed.store)
    costs = {name: median(each) for name, each in steps.items()}
    _print_costs(costs, sizes, rounds)
    _print_aims(costs)


def _look_for_room(folder: Path, gigabytes: float) -> None:
    wanted, free = gigabytes * GIGABYTE * ROOM, shutil.disk_usage(folder).free
    if free < wanted:
        sys.exit(
            f"the backup benchmark needs about {size(wanted)} in {folder.parent}, where {size(free)} are free: "
            "set TMPDIR to a larger disk, or ATOMOPS_BENCH_GB to less than 2"
        )


@contextlib.contextmanager
def _bed(folder: Path, gigabytes: float) -> Iterator[Bed]:
    tools = asyncio.run(tools_for(Backups(store="unused", postgres_bin=bundled_binaries() / "bin"), 17))
    with postgres_server(bundled_binaries(), folder, settings=SETTINGS) as server:
        bed = Bed(folder, server, tools)
        started = time.perf_counter()
        server.create_database(DATABASE)
        server.create_reader(ROLE, PASSWORD)
        scale = max(1, round(PGBENCH_SCALE * gigabytes))
        bed.run("pgbench", "--initialize", "--quiet", "--init-steps=dtGvp", f"--scale={scale}", DATABASE)
        rows = [f"--set={name}={max(1, round(number * gigabytes))}" for name, number in PER_GIGABYTE.items()]
        script = Path(__file__).with_name("backup.sql")
        bed.run("psql", "-qX", "--set=ON_ERROR_STOP=1", *rows, f"--file={script}", DATABASE)
        bed.run("vacuumdb", "--quiet", "--analyze", DATABASE)  # reads every page: the cache is warm from here on
        bed.run("psql", "-qXc", "CHECKPOINT", DATABASE)
        _write_inventory(bed)
        bed.run(*_atomops(), "--set", "dry_run=true")  # the first run of all makes Prefect's own database
        print(f"Backup: {_described(server)}, made in {time.perf_counter() - started:.0f} s")
        yield bed


def _described(server: PostgresServer) -> str:
    with server.connect(DATABASE) as session:
        question = (
            "SELECT pg_database_size(current_database()), sum(reltuples)::bigint, count(*) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        held, rows, tables = session.execute(question).fetchone() or (0, 0, 0)
    return f"a database of {size(held)}, {rows:,} rows in {tables} tables"


def _write_inventory(bed: Bed) -> None:
    (bed.folder / "work").mkdir()
    values = {
        "history": bed.folder / "history",
        "dsn": bed.server.dsn(DATABASE, ROLE),
        "store": bed.store.parent,
        "work": bed.folder / "work",
    }
    quoted = {name: json.dumps(str(value)) for name, value in values.items()}  # a JSON string is a TOML string
    (bed.folder / "inventory.toml").write_text(INVENTORY.format(target=TARGET, **quoted), encoding="utf-8")


def _round(bed: Bed) -> Iterator[tuple[str, Cost]]:
    yield GUIDE_DUMP, bed.measure("bash", "-c", f"pg_dump {DATABASE} | gzip > {bed.dumped.name}")
    yield PLAIN, _plain_dump(bed)
    yield STEP, bed.measure(sys.executable, "-m", "bench.backup_steps", "dump", env=_where())
    yield PROVEN, bed.measure(sys.executable, "-m", "bench.backup_steps", "prove", env=_where())
    yield FLOW, bed.measure(*_atomops())
    bed.run("createdb", "--template=template0", "restored")
    yield GUIDE_RESTORE, bed.measure("bash", "-c", f"gunzip < {bed.dumped.name} | psql -q restored")
    bed.run("dropdb", "restored")
    yield RESTORE, _restore(bed)


def _where() -> Mapping[str, str]:
    return {"PYTHONPATH": str(Path(__file__).parent.parent)}


def _atomops() -> tuple[str | Path, ...]:
    return Path(sys.executable).with_name("atomops"), "run", "nightly-backup", "--target", TARGET


def _plain_dump(bed: Bed) -> Cost:
    """As our code builds it, of a snapshot that another session holds."""
    access = Access(bed.server.dsn(DATABASE, ROLE), DATABASE, PASSWORD)
    into = bed.folder / "plain"
    options = commands.DumpOptions(2, bed.tools.codec, 60, bed.tools.client.major)
    with bed.server.connect(DATABASE) as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        snapshot = (session.execute("SELECT pg_export_snapshot()").fetchone() or ("",))[0]
        argv = commands.dump(str(bed.tools.client.bin), access.conninfo, str(into), snapshot, options)
        cost = bed.measure(*argv, env={"PGPASSWORD": PASSWORD})
    shutil.rmtree(into)
    return cost


def _restore(bed: Bed) -> Cost:
    """Of the newest of our sets, into a scratch server; measured outside the event loop, which would hold Ctrl-C."""
    newest = LocalStore(bed.store.parent, TARGET).listing().sets[0]
    archive = bed.store / newest.id / commands.DATA
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        try:
            scratch = runner.run(
                stack.enter_async_context(scratch_server(Backups(store="unused"), bed.tools, bed.folder))
            )
            access, _ = runner.run(stack.enter_async_context(empty_database(scratch, newest.manifest.origin)))
            argv = commands.restore(str(bed.tools.client.bin), access.conninfo, str(archive), jobs=2)
            return bed.measure(*argv, server=_leader(scratch), env={"PGPASSWORD": access.password or ""})
        finally:
            runner.run(stack.aclose())


def _leader(scratch: Scratch) -> int:
    """The process that all of the server's are children of."""
    port = conninfo_to_dict(scratch.access.conninfo)["port"]
    found = [child for child in psutil.Process().children() if f"--port={port}" in child.cmdline()]
    return found[0].pid


def _sizes(bed: Bed) -> Mapping[str, int]:
    newest = max(bed.store.iterdir())
    ours = sum(file.stat().st_size for file in newest.rglob("*") if file.is_file())
    return {GUIDE_DUMP: bed.dumped.stat().st_size} | dict.fromkeys((PLAIN, STEP, PROVEN, FLOW), ours)


def _print_costs(costs: Mapping[str, Cost], sizes: Mapping[str, int], rounds: int) -> None:
    table = Table("step", title=f"medians of {rounds} rounds", title_justify="left")
    for column in ("wall s", "processor s", "of the server s", "stored", "our own memory"):
        table.add_column(column, justify="right")
    for name, cost in costs.items():
        stored = size(sizes[name]) if name in sizes else ""
        memory = f"{cost.peak / 1e6:.0f} MB" if name in (STEP, PROVEN, FLOW) else ""
        row = (f"{cost.wall:.2f}", f"{cost.processor:.2f}", f"{cost.server:.2f}", stored, memory)
        table.add_row(name, *row)
    Console(width=120).print(table)


def _print_aims(costs: Mapping[str, Cost]) -> None:
    for guide, ours, aim in AIMS:
        ratio = costs[guide].wall / costs[ours].wall
        wanted = f"  (aim: {aim:.0f} x, {'holds' if ratio >= aim else 'MISSED'})" if aim else ""
        print(f"  {guide} / {ours}: {ratio:.1f} x{wanted}")
    memory = max(costs[name].peak for name in (STEP, PROVEN, FLOW))
    verdict = "holds" if memory < MOST_MEMORY else "MISSED"
    print(
        f"  most memory of our own process: {memory / 1e6:.0f} MB  (aim: under {MOST_MEMORY / 1e6:.0f} MB, {verdict})"
    )


if __name__ == "__main__":
    main()
