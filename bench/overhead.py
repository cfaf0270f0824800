"""What the flow adds to its probes, a Prefect server running, and the guide's own morning commands in the same run.

Own overhead is the flow's wall time minus that of its slowest probe, looked at just before and without Prefect.
"""

import asyncio
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from atomops import shell
from atomops.errors import CommandFailed
from atomops.sandbox import prefect
from atomops.sandbox.inventory import TARGET
from atomops.sandbox.redis import bundled_server
from atomops.sandbox.world import World, world
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.leftovers import own_world_folder

RUNS = 5
SECONDS = 120
GUIDE = """
curl -sf $URL/health/live; curl -sf $URL/health/ready; curl -s $URL/health/ready | jq .checks
psql -c "SELECT pg_size_pretty(pg_database_size('atom'))"
psql -c "SELECT schemaname, relname, n_live_tup FROM pg_stat_user_tables ORDER BY n_live_tup DESC LIMIT 10"
psql -c "SELECT count(*) FROM pg_stat_activity WHERE datname = 'atom'"
redis-cli -p $REDIS_PORT ping
redis-cli -p $REDIS_PORT INFO memory | grep used_memory_human
redis-cli -p $REDIS_PORT INFO clients | grep connected_clients
jq 'select(.level == "error")' $LOG | tail -100
jq -r 'select(.level == "error") | .error_code' $LOG | sort | uniq -c | sort -rn
grep -i "critical\\|emergency\\|fatal" $LOG | tail -50
psql -c "SELECT count(*), count(DISTINCT agent_id) FROM agent_executions WHERE started_at > now() - interval '1 hour'"
psql -c "SELECT status, count(*) FROM agent_executions WHERE started_at > now() - interval '1 hour' GROUP BY status"
"""
ONE_RUN = """
import asyncio, json, sys, time
from atomops.doctor import examine
from flows.morning_checklist import morning_checklist
from tasks.target import load_target
async def run():
    target = await load_target(sys.argv[1])
    await examine(target)
    slowest = max(each.seconds for each in await examine(target))
    started = time.monotonic()
    await morning_checklist(target=sys.argv[1], return_state=True)
    return {"flow": time.monotonic() - started, "probe": slowest}
print(json.dumps(asyncio.run(run())))
"""
TRIVIAL = """
import asyncio, json, sys, time
from prefect import flow
@flow
def plain(): return 1
@flow
async def quick(): return 1
def timed(run):
    started = time.monotonic(); run(); return time.monotonic() - started
if sys.argv[1] == "sync":
    plain(); print(min(timed(plain) for _ in range(3)))
else:
    asyncio.run(quick()); print(min(timed(lambda: asyncio.run(quick())) for _ in range(3)))
"""


def main() -> None:
    """Print the overhead of the flow, the ratio to the guide's commands, and the price of a sync flow."""
    with own_world_folder("atomops-bench-") as folder, prefect.prefect_server(folder) as server:
        with world(folder, folder / "history") as running:
            server.wait()
            runs = [json.loads(_child(server, ONE_RUN, TARGET)) for _ in range(RUNS)]
            guide = statistics.median(_guide(running) for _ in range(RUNS))
        sync, quick = (float(_child(server, TRIVIAL, kind)) for kind in ("sync", "async"))
    flow = statistics.median(run["flow"] for run in runs)
    overhead = statistics.median(run["flow"] - run["probe"] for run in runs)
    print(f"Morning checklist: {flow:.2f} s, {overhead:.2f} s of it not its slowest probe (median of {RUNS} runs)")
    print(f"  the guide's commands, one after the other: {guide:.2f} s; ratio {guide / flow:.2f}")
    print(f"  an empty flow on the same server: async {quick:.2f} s, sync {sync:.2f} s; ratio {sync / quick:.1f}")


def _child(server: prefect.PrefectServer, script: str, *arguments: str) -> str:
    """What a fresh process prints last: a second flow in one process waits for leftovers of the first."""
    env = server.environment() | {"PREFECT_LOGGING_LEVEL": "ERROR"}
    argv = [sys.executable, "-c", script, *arguments]
    output = asyncio.run(shell.run(argv, timeout=SECONDS, env=env))
    return output.stdout.decode().splitlines()[-1]


def _guide(running: World) -> float:
    with _clients(running) as env:
        started = time.monotonic()
        with contextlib.suppress(CommandFailed):  # grep finds nothing, jq stops at the first line that is not JSON
            asyncio.run(shell.run(["sh", "-c", GUIDE], timeout=SECONDS, env=env))
        return time.monotonic() - started


@contextlib.contextmanager
def _clients(running: World) -> Iterator[dict[str, str]]:
    """The guide's client programs, pointed at the sandbox by their own environment variables."""
    missing = [program for program in ("curl", "jq") if shutil.which(program) is None]
    if missing:
        sys.exit(f"the guide's commands need {' and '.join(missing)}: apt-get install {' '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "redis-cli").symlink_to(bundled_server().parent / "valkey-cli")
        yield {
            "PATH": f"{folder}:{bundled_binaries() / 'bin'}:{os.environ['PATH']}",
            "URL": running.application.url,
            "LOG": str(running.log),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(running.postgres.port),
            "PGUSER": "postgres",
            "PGPASSWORD": running.postgres.password,
            "PGDATABASE": "atom",
            "REDIS_PORT": str(running.redis.port),
            "REDISCLI_AUTH": running.redis.password or "",
        }


if __name__ == "__main__":
    main()
