"""The guide's review of the error logs, by jq and grep, against ours: the same file, the same run.

`python -m bench.logs [GIGABYTES]`, or ATOMOPS_BENCH_GB; without either 1 GB. jq stops at the first line that is not
JSON, so the file that both read has no other; what ours needs for the application's real mix is measured after it.
"""

import asyncio
import datetime as dt
import json
import os
import random
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path

from atomops import shell
from atomops.facts.logs import LogFacts
from atomops.inventory import Target
from atomops.probes.logs import look

GIGABYTE = 1_000_000_000
PLAIN, FAILED, CODED, UPPER = 0.2, 0.015, 0.3, 0.5  # shares of plain lines, errors, errors with a code, one JSON shape
FORMS = 20_000
TIME = "2026-11-23T20:34:19.458099+00:00"
GUIDE = {
    "errors": """jq 'select(.level == "error")' "$LOG" | tail -100""",
    "by code": """jq -r 'select(.level == "error") | .error_code' "$LOG" | sort | uniq -c | sort -rn""",
    "critical": """grep -i "critical\\|emergency\\|fatal" "$LOG" | tail -50""",
}
LOGGERS = ("core.llm_service", "core.episodes", "core.cache", "api.agents", "api.health_routes")
STORIES = ("Agent {} finished", "Episode {} stored", "Request handled in {} ms", "Cache hit for {}", "Heartbeat {}")
FAILURES = ("No answer after {} ms in session {}", "Provider refused {} for agent {}", "Cannot archive {} of {}")
TRACEBACK = (
    "ERROR:api.health_routes:Database health check failed: timeout\nTraceback (most recent call last):\n"
    + '  File "/srv/atom/backend/api/health_routes.py", line 93, in check\n    await session.execute(statement)\n' * 6
    + "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection refused%.0s\n"
)


# The scanner as the probe starts it, saying its own peak afterwards: getrusage would count the parent's before exec.
WITH_MEMORY = """
import sys
from pathlib import Path
from atomops.probes.logs.scan import main
main()
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line), file=sys.stderr)
"""


def main() -> None:
    """Print both times, their ratio, and how much memory a scanner has at its peak."""
    size = int(float((sys.argv[1:] or [os.environ.get("ATOMOPS_BENCH_GB", "1")])[0]) * GIGABYTE)
    with tempfile.TemporaryDirectory(prefix="atomops-bench-") as folder:
        log = Path(folder) / "atom.log"
        _write(log, size, mixed=False)
        ours, facts = _ours(log)
        print(f"Error logs: {size / GIGABYTE:g} GB, {facts.lines:,} lines of JSON of the last 24 h")
        print(
            f"  Atom Ops             {ours:7.2f} s  {sum(facts.totals.values()):,} errors of {len(facts.groups)} kinds"
        )
        guide = _guide(log)
        if guide is not None:
            print(f"  ratio                {guide / ours:7.1f} times as fast as the guide's commands")
        _write(log, size, mixed=True)
        ours, facts = _ours(log)
        print(f"  Atom Ops, real mix   {ours:7.2f} s  {facts.not_json:,} of {facts.lines:,} lines are not JSON")
        print(f"  peak of a scanner    {_peak(log) / 1_000:7.0f} MB resident")


def _ours(log: Path) -> tuple[float, LogFacts]:
    target = Target.model_validate({"logs": {"paths": [log], "deadline": 3_600}})
    started = time.perf_counter()
    facts = asyncio.run(look(target))
    return time.perf_counter() - started, facts


def _guide(log: Path) -> float | None:
    if shutil.which("jq") is None:
        print("  the guide's commands were NOT measured: jq is not installed (apt-get install jq)")
        return None
    total = 0.0
    for name, command in GUIDE.items():
        started = time.perf_counter()
        asyncio.run(shell.run(("bash", "-c", command), timeout=3_600, env={"LOG": str(log)}))
        seconds = time.perf_counter() - started
        print(f"  guide, {name:13} {seconds:7.2f} s  {command}")
        total += seconds
    print(f"  guide, all three     {total:7.2f} s")
    return total


def _peak(log: Path) -> float:
    """In kB. One scanner reads the whole file here."""
    now = time.time()
    request = {"paths": [str(log)], "since": now - 86_400, "now": now, "zone": "UTC"}
    argv = (sys.executable, "-c", WITH_MEMORY)
    output = asyncio.run(shell.run(argv, timeout=3_600, stdin=json.dumps(request).encode()))
    return float(output.stderr.split()[-2])


def _write(log: Path, size: int, *, mixed: bool) -> None:
    """About `size` bytes of the last 23 hours."""
    source = random.Random(1)  # noqa: S311 - the same log at every run
    forms = [_form(source, mixed=mixed) for _ in range(FORMS)]
    records = size * FORMS // sum(len(form % TIME) for form in forms)
    start = time.time() - 23 * 3_600
    with log.open("w", encoding="utf-8") as file:
        for index in range(records):
            moment = dt.datetime.fromtimestamp(start + index * 23 * 3_600 / records, dt.UTC)
            file.write(source.choice(forms) % moment.isoformat(timespec="microseconds"))


def _form(source: random.Random, *, mixed: bool) -> str:
    """A record but for its time."""
    plain, failed, coded = source.random() < PLAIN, source.random() < FAILED, source.random() < CODED
    if mixed and plain:
        return TRACEBACK if failed else f"INFO:{source.choice(LOGGERS)}:Served {source.random()}%.0s\n"
    text = source.choice(FAILURES if failed else STORIES).format(source.randrange(9_999), _id(source))
    code = {"error_code": source.choice(("DB_001", "LLM_429"))} if failed and coded else {}
    return json.dumps(_record(source, "error" if failed else "info", text) | code) + "\n"


def _record(source: random.Random, level: str, text: str) -> dict[str, object]:
    logger = source.choice(LOGGERS)
    if source.random() < UPPER:
        record = {"level": level.upper(), "message": text, "timestamp": "%s", "logger": logger}
    else:
        record = {"event": text, "level": level, "logger": logger, "timestamp": "%s"}
    return record | {"request_id": _id(source), "duration_ms": source.random() * 100, "path": "/api/agents/run"}


def _id(source: random.Random) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


if __name__ == "__main__":
    main()
