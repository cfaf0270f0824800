"""The inventory's own commands, with real processes: what they say is believed, never that they ended well."""

import asyncio
import datetime as dt
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from atomops.errors import AccessDenied, AtomOpsError, CommandFailed, NotThere, TimedOut
from atomops.facts.runtime import Running
from atomops.inventory.runtime import Command
from atomops.runtimes.choose import runtime_of
from atomops.runtimes.command import CommandRuntime
from atomops.runtimes.runtime import NotComingUp, Runtime
from tests.targets import target
from tests.waiting import PATIENCE, wait_until

RAN, STOPPED = Running("command", wanted=1), Running("command", wanted=0)
START = "setsid sh -c 'echo $$ > pid; exec sleep 600' </dev/null >>out 2>&1 & while ! [ -s pid ]; do sleep 0.02; done"
STOP = "kill $(cat pid) && rm pid"
STATUS = "[ -s pid ] && kill -0 $(cat pid) && echo running as $(cat pid)"


def sh(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for file in tmp_path.glob("pid*"):
        os.kill(int(file.read_text()), signal.SIGKILL)


def runtime(folder: Path, **others: Any) -> CommandRuntime:  # noqa: ANN401 - as in an inventory
    commands = {"stop": sh(STOP), "start": sh(START), "restart": sh(f"{STOP}; {START}"), "status": sh(STATUS)}
    return CommandRuntime(
        Command.model_validate({"kind": "command", "directory": folder, "within": PATIENCE, **commands, **others})
    )


def is_gone(pid: int) -> bool:
    """A zombie that nobody reaps, as in a container without an init, is gone as well."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def failure(kind: type[AtomOpsError], of: Runtime, what: str, *given: object) -> AtomOpsError:
    with pytest.raises(kind) as caught:
        asyncio.run(getattr(of, what)(*given))
    return caught.value


def evidence_of(error: AtomOpsError) -> tuple[str, ...]:
    assert isinstance(error, NotComingUp)
    return error.evidence


def test_it_starts_restarts_and_stops_a_daemon_that_outlives_the_command(folder: Path) -> None:
    mine = runtime(folder)
    assert asyncio.run(mine.describe()).is_stopped

    asyncio.run(mine.start(RAN))
    first = asyncio.run(mine.describe())
    asyncio.run(mine.restart())
    second = asyncio.run(mine.describe())
    asyncio.run(mine.stop(second))

    assert (first.wanted, first.ready) == (1, 1)
    assert first.instances[0].state.startswith("running as ")
    assert second.instances != first.instances
    assert asyncio.run(mine.describe()).is_stopped
    assert asyncio.run(mine.logs(dt.datetime.now(dt.UTC))) == ()


def test_what_runs_is_not_started_again_and_what_did_not_run_is_not_started(folder: Path) -> None:
    mine = runtime(folder)
    asyncio.run(mine.start(STOPPED))
    assert asyncio.run(mine.describe()).is_stopped

    asyncio.run(mine.start(RAN))
    before = asyncio.run(mine.describe())
    asyncio.run(mine.start(RAN))
    asyncio.run(mine.undo(RAN))

    assert asyncio.run(mine.describe()) == before


def test_a_start_that_ends_well_and_starts_nothing_is_told_with_what_it_wrote(folder: Path) -> None:
    mine = runtime(folder, start=sh("echo no licence found"), within=0.5)
    error = failure(NotComingUp, mine, "start", RAN)
    assert "ended well, but after 0.5 s" in error.what
    assert evidence_of(error) == ("no licence found",)


def test_a_stop_that_ends_well_and_stops_nothing_is_told(folder: Path) -> None:
    mine = runtime(folder, stop=sh("true"), within=0.5)
    asyncio.run(runtime(folder).start(RAN))
    assert "it still runs" in failure(TimedOut, mine, "stop", RAN).what


def test_a_command_that_fails_is_told_with_its_last_words(folder: Path) -> None:
    error = failure(CommandFailed, runtime(folder, restart=sh("echo port taken >&2; exit 5")), "restart")
    assert "ended with exit code 5: port taken" in error.what


def test_a_start_in_the_foreground_is_ended_with_all_its_children(folder: Path) -> None:
    error = failure(TimedOut, runtime(folder, start=sh("sleep 600 & echo $! > child; wait"), within=0.5), "start", RAN)
    assert "must leave its session" in error.action
    assert is_gone(int((folder / "child").read_text()))


def test_programs_that_nobody_can_execute_are_missing_rights(folder: Path) -> None:
    mine = runtime(folder, stop=("./stop-it",), restart=("no-such-program",))
    assert [gap.reason for gap in asyncio.run(mine.missing_rights())] == [
        "no program ./stop-it",
        "no program no-such-program",
    ]
    (folder / "stop-it").touch(mode=0o755)
    assert len(asyncio.run(mine.missing_rights())) == 1


@pytest.mark.parametrize("code", [4, 126, 127])
def test_a_status_without_a_verdict_is_not_taken_for_stopped(folder: Path, code: int) -> None:
    assert f"exit code {code}" in failure(CommandFailed, runtime(folder, status=sh(f"exit {code}")), "describe").what


def test_programs_and_folders_that_are_not_there_or_closed_are_named(folder: Path) -> None:
    closed = folder / "closed"
    closed.write_text("#!/bin/sh\n")
    assert "/no/such" in failure(NotThere, runtime(folder, status=("/no/such",)), "describe").what
    assert "no folder" in failure(NotThere, runtime(folder, directory=folder / "gone"), "describe").what
    assert "Permission denied" in failure(AccessDenied, runtime(folder, status=(str(closed),)), "describe").what


def test_a_target_without_a_runtime_says_what_to_add() -> None:
    for at in (target(), target(runtime={"kind": "none"})):
        with pytest.raises(NotThere, match="nothing says what runs") as caught:
            runtime_of(at)
        assert "[targets.….runtime]" in caught.value.action


def test_the_inventorys_commands_are_the_runtime_of_a_target(folder: Path) -> None:
    settings = runtime(folder).settings.model_dump()
    chosen = runtime_of(target(runtime=settings))
    assert isinstance(chosen, CommandRuntime)
    assert chosen.settings == runtime(folder).settings


def test_a_stop_that_is_cancelled_ends_all_the_same_so_that_a_start_finds_what_is_true(folder: Path) -> None:
    slowly = sh(f"touch asked; sleep 0.5; {STOP}")
    mine = runtime(folder, stop=slowly)
    asyncio.run(mine.start(RAN))
    first = int((folder / "pid").read_text())

    async def cancelled_then_started() -> None:
        stopping = asyncio.create_task(mine.stop(RAN))
        await asyncio.to_thread(wait_until, (folder / "asked").exists, "the stop")
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        await mine.start(RAN)

    asyncio.run(cancelled_then_started())
    assert is_gone(first)
    assert not is_gone(int((folder / "pid").read_text()))


def test_an_application_that_is_about_to_end_is_waited_for_and_then_started(folder: Path) -> None:
    """As a stop leaves it that was killed together with us."""
    mine = runtime(folder, status=sh(f"{STATUS} && touch seen"))
    asyncio.run(runtime(folder).start(RAN))
    first = int((folder / "pid").read_text())

    async def started_while_it_ends() -> None:
        starting = asyncio.create_task(mine.start(RAN))
        await asyncio.to_thread(wait_until, (folder / "seen").exists, "a look at what runs")
        os.kill(first, signal.SIGTERM)
        await starting

    asyncio.run(started_while_it_ends())
    second = int((folder / "pid").read_text())
    assert second != first
    assert not is_gone(second)
