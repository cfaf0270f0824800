"""The whole probe, with its scanners as processes of their own."""

import asyncio
import datetime as dt
import gzip
import json
import os
import re
import resource
import sys
import time
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from atomops import shell
from atomops.errors import AccessDenied, AtomOpsError, NotThere, TimedOut
from atomops.facts.logs import LogFacts
from atomops.inventory import Target
from atomops.probes import logs
from atomops.probes.logs import look
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow(15)


def target(*paths: Path, **settings: object) -> Target:
    return Target.model_validate({"logs": {"paths": list(paths), **settings}, "name": "production"})


def seen(*paths: Path, **settings: object) -> LogFacts:
    return asyncio.run(look(target(*paths, **settings)))


def record(level: str, text: str, minutes: float = 5, **more: object) -> str:
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
    return json.dumps({"level": level, "message": text, "timestamp": moment.isoformat(), **more}) + "\n"


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(lines))
    return path


def test_a_mixed_log_with_rotated_siblings_becomes_facts(tmp_path: Path) -> None:
    newest = record("ERROR", "password=hunter2 was refused by 10.0.0.3", error_code="DB_1", logger="core.db")
    log = write(
        tmp_path / "atom.log",
        record("INFO", "entered critical section", minutes=6),
        "ERROR:api.health:check failed for 3\nTraceback (most recent call last):\nKeyError: 3\n",
        newest,
        '{"level":"err',
    )
    write(tmp_path / "atom.log.1", record("ERROR", "refused", error_code="DB_1", logger="core.db", minutes=60))
    (tmp_path / "atom.log.2.gz").write_bytes(gzip.compress(record("fatal", "the end", minutes=90).encode()))
    facts = seen(log)
    assert {group.name: (group.level, group.count, group.logger) for group in facts.groups} == {
        "DB_1": ("ERROR", 2, "core.db"),
        "check failed for <n> [KeyError]": ("ERROR", 1, "api.health"),
        "the end": ("CRITICAL", 1, None),
    }
    assert (facts.totals, facts.critical) == ({"ERROR": 3, "FATAL": 1}, 1)
    assert (facts.lines, facts.not_json, facts.unreadable) == (8, 3, 0)
    assert facts.unfinished == (str(log),)
    assert facts.newest == dt.datetime.fromisoformat(json.loads(newest)["timestamp"])
    assert len(facts.files) == 3
    assert "hunter2" not in repr(facts)
    adapter = TypeAdapter(LogFacts)
    assert adapter.validate_json(adapter.dump_json(facts)) == facts


def test_two_scanners_count_like_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "atom.log"
    block = "".join(record("error" if index % 9 == 0 else "info", "x" * 900) for index in range(9_000)) + "\x00\n"
    with log.open("w") as file:
        for _ in range(9):
            file.write(block)  # 80 MB: more than two blocks of work
    monkeypatch.setattr(logs, "SHARES", 2)
    facts = seen(log)
    assert (facts.lines, facts.totals, facts.unreadable) == (9 * 9_001, {"ERROR": 9_000}, 9)
    assert [group.count for group in facts.groups] == [9_000]
    monkeypatch.setattr(logs, "SHARES", 1)
    alone = seen(log)
    assert (alone.lines, alone.totals, alone.bytes) == (facts.lines, facts.totals, facts.bytes)


def test_times_without_offset_are_in_the_zone_of_the_target_unless_the_logs_have_their_own(tmp_path: Path) -> None:
    moment = dt.datetime.now(dt.timezone(dt.timedelta(hours=5))) - dt.timedelta(minutes=30)
    log = write(tmp_path / "atom.log", f"{moment:%Y-%m-%d %H:%M:%S},000 ERROR a: failed\n")
    assert seen(log).ahead > 4 * 3_600
    zoned = target(log).model_copy(update={"timezone": "Asia/Karachi"})
    assert asyncio.run(look(zoned)).ahead == 0
    assert seen(log, timezone="Asia/Karachi").ahead == 0


def test_one_missing_file_of_several_is_said_and_the_others_are_read(tmp_path: Path) -> None:
    log = write(tmp_path / "atom.log", record("error", "x"))
    facts = seen(log, tmp_path / "absent.log", tmp_path)
    assert facts.totals == {"ERROR": 1}
    assert [(file.kind, file.reason) for file in facts.skipped] == [
        ("missing", "does not exist"),
        ("other", "is a directory"),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent.log", "does not exist"), ("", "is a directory"), ("dangling.log", "is a link that leads nowhere")],
)
def test_when_nothing_can_be_read_one_line_says_what_and_where(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "dangling.log").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotThere) as missing:
        seen(tmp_path / name)
    assert missing.value.what == f"the log file {tmp_path / name} {reason}"
    assert missing.value.action


AS_NOBODY = """
import os
from atomops.probes.logs.scan import main

os.seteuid(65534)
main()
"""


def test_a_log_that_we_may_not_read_is_access_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = write(tmp_path / "atom.log", record("error", "x"))
    log.chmod(0)
    if os.geteuid() == 0:  # root reads whatever its mode says
        monkeypatch.setattr(logs, "SCANNER", (sys.executable, "-c", AS_NOBODY))
    with pytest.raises(AccessDenied, match=re.escape(f"{log} may not be read by this user")):
        seen(log)


def test_empty_and_binary_logs_are_read_without_complaint(tmp_path: Path) -> None:
    empty = write(tmp_path / "empty.log")
    facts = seen(empty)
    assert (facts.lines, facts.groups, len(facts.files)) == (0, (), 1)
    binary = tmp_path / "binary.log"
    binary.write_bytes(os.urandom(3_000_000))
    assert seen(binary).unreadable > 1_000


def test_a_target_without_logs_is_told_what_to_configure() -> None:
    with pytest.raises(NotThere, match="add"):
        asyncio.run(look(Target.model_validate({"name": "production"})))


def test_a_log_too_long_for_the_deadline_ends_as_a_time_out(tmp_path: Path) -> None:
    log = write(tmp_path / "atom.log", record("error", "x"))
    with pytest.raises(TimedOut, match=r"atom.log could not be read within 0.01 s: raise logs.deadline"):
        seen(log, deadline=0.01)


def test_a_scanner_that_falls_over_is_an_error_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "SCANNER", (sys.executable, "-c", "raise MemoryError('no memory')"))
    with pytest.raises(AtomOpsError, match=r"the scan of .*atom.log failed: .*MemoryError: no memory"):
        seen(tmp_path / "atom.log")


def test_a_large_log_holds_up_nobody_else(tmp_path: Path) -> None:
    line = record("info", "x" * 200)
    log = write(tmp_path / "atom.log", line * 150_000)

    async def longest_turn() -> float:
        """Of this thread's own work: how long others keep the machine busy is not counted."""
        scan = asyncio.create_task(look(target(log)))
        longest = 0.0
        while not scan.done():
            before = time.thread_time()
            await asyncio.sleep(0.005)
            longest = max(longest, time.thread_time() - before)
        assert (await scan).lines == 150_000
        return longest

    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    longest = asyncio.run(longest_turn())
    scanning = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert longest < scanning / 2  # seconds of a processor, however slow it is


# The scanner as the probe starts it, saying its own peak afterwards.
WITH_PEAK = """
import sys
from atomops.probes.logs.scan import main

main()
print(next(line for line in open("/proc/self/status") if "VmHWM" in line), file=sys.stderr)
"""


def peak(log: Path) -> float:
    now = time.time()
    request = {"paths": [str(log)], "since": now - 86_400, "now": now, "zone": "UTC"}
    run = shell.run((sys.executable, "-c", WITH_PEAK), timeout=PATIENCE, stdin=json.dumps(request).encode())
    return float(asyncio.run(run).stderr.split()[-2]) / 1_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells the peak in /proc")
def test_memory_does_not_depend_on_the_size_of_the_log(tmp_path: Path) -> None:
    lines = "".join(record("error" if index % 50 == 0 else "info", f"{index} " + "x" * 150) for index in range(1_000))
    small = peak(write(tmp_path / "small.log", lines * 10))
    large = peak(write(tmp_path / "large.log", lines * 400))
    assert large < 60
    assert large < small + 10
