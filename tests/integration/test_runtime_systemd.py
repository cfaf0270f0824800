"""Units of a real systemd: up means another process that stays, stopped means none, and why not is in the journal."""

import asyncio
import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atomops.errors import AccessDenied, AtomOpsError, NotThere, TimedOut, Unreachable
from atomops.facts.runtime import Running
from atomops.inventory.runtime import Systemd as Settings
from atomops.runtimes.choose import runtime_of
from atomops.runtimes.runtime import NotComingUp
from atomops.runtimes.systemd import SystemdRuntime
from atomops.scratch.place import make_folder
from tests.engines import Systemd, systemd
from tests.targets import target

RAN = Running("systemd", wanted=1)
BEGINNING = dt.datetime.fromtimestamp(0, dt.UTC)
SERVES = "exec sleep 600"


@pytest.fixture(scope="module")
def manager() -> Iterator[Systemd]:
    with systemd(make_folder("atomops-systemd-")) as it:
        yield it


@pytest.fixture(autouse=True)
def programs(manager: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """systemctl and journalctl as the unit's host has them."""
    for name in ("systemctl", "journalctl"):
        script(tmp_path / name, f'exec {" ".join(manager.enter)} {shutil.which(name)} "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("atomops.runtimes.systemd._STEADY_SECONDS", 1)
    return tmp_path


@pytest.fixture
def unit(manager: Systemd, request: pytest.FixtureRequest) -> Callable[..., SystemdRuntime]:
    """Makes a unit of this test's own; its shell command, and further lines of its sections."""
    name = f"{request.node.name[:60].replace('[', '-').replace(']', '')}.service"

    def make(command: str, service: str = "", whole: str = "", within: float = 20) -> SystemdRuntime:
        lines = f"[Unit]\nDefaultDependencies=no\n{whole}\n[Service]\nExecStart=/bin/sh -c '{command}'\n{service}\n"
        manager.write(name, lines)
        return SystemdRuntime(Settings(kind="systemd", unit=name, within=within))

    return make


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def failure(kind: type[AtomOpsError], of: SystemdRuntime, what: str, *given: object) -> AtomOpsError:
    with pytest.raises(kind) as caught:
        asyncio.run(getattr(of, what)(*given))
    return caught.value


def evidence_of(error: AtomOpsError) -> tuple[str, ...]:
    assert isinstance(error, NotComingUp)
    return error.evidence


def test_it_starts_restarts_and_stops_a_unit(unit: Callable[..., SystemdRuntime]) -> None:
    mine = unit(SERVES)
    assert asyncio.run(mine.describe()).is_stopped

    asyncio.run(mine.start(RAN))
    first = asyncio.run(mine.describe())
    asyncio.run(mine.start(RAN))
    asyncio.run(mine.undo(first))
    assert asyncio.run(mine.describe()) == first
    asyncio.run(mine.restart())
    second = asyncio.run(mine.describe())
    asyncio.run(mine.stop(second))

    assert (first.wanted, first.ready) == (1, 1)
    assert first.instances[0].state == "active (running)"
    assert first.instances[0].name != second.instances[0].name
    assert asyncio.run(mine.describe()).is_stopped


def test_what_did_not_run_before_is_not_started(unit: Callable[..., SystemdRuntime]) -> None:
    mine = unit(SERVES)
    asyncio.run(mine.start(Running("systemd", wanted=0)))
    assert asyncio.run(mine.describe()).is_stopped


def test_one_that_ends_at_once_is_told_with_its_journal(unit: Callable[..., SystemdRuntime]) -> None:
    error = failure(NotComingUp, unit("echo no licence found; exit 3"), "restart")
    assert "it is failed (failed): exit-code, exit status 3" in error.what
    assert any("no licence found" in line for line in evidence_of(error))


def test_one_that_ends_a_moment_after_its_start_has_not_come_up(unit: Callable[..., SystemdRuntime]) -> None:
    assert "exit status 4" in failure(NotComingUp, unit("sleep 0.4; exit 4"), "start", RAN).what


def test_one_that_is_started_anew_again_and_again_has_not_come_up(unit: Callable[..., SystemdRuntime]) -> None:
    mine = unit("sleep 0.3; exit 5", "Restart=always\nRestartSec=0.1")
    failure(NotComingUp, mine, "restart")
    asyncio.run(mine.stop(RAN))


def test_one_whose_start_itself_fails_is_told_with_its_journal(unit: Callable[..., SystemdRuntime]) -> None:
    error = failure(NotComingUp, unit("echo disk full; exit 6", "Type=oneshot"), "restart")
    assert any("disk full" in line for line in evidence_of(error))


def test_a_failed_one_is_brought_back_once_it_can_start_whatever_the_limit_of_starts(
    manager: Systemd, unit: Callable[..., SystemdRuntime]
) -> None:
    broken = unit("exit 1", whole="StartLimitBurst=1\nStartLimitIntervalSec=1h")
    failure(NotComingUp, broken, "start", RAN)
    seen = asyncio.run(broken.describe())
    assert (seen.wanted, seen.ready, seen.instances[0].state) == (1, 0, "failed (failed)")

    mended = unit(SERVES, whole="StartLimitBurst=1\nStartLimitIntervalSec=1h")
    manager.run("systemctl", "daemon-reload")
    asyncio.run(mended.start(seen))
    assert asyncio.run(mended.describe()).ready == 1


def test_a_restart_takes_over_changed_unit_files_and_says_so_before(unit: Callable[..., SystemdRuntime]) -> None:
    mine = unit("echo the old one; exec sleep 600")
    asyncio.run(mine.start(RAN))
    unit("echo the new one; exec sleep 600")
    assert any("its unit files have changed" in note for note in asyncio.run(mine.describe()).notes)
    asyncio.run(mine.restart())
    told = asyncio.run(mine.logs(BEGINNING))
    assert told[-1].startswith(f"{mine.settings.unit}: ")
    assert told[-1].endswith("the new one")


def test_a_stop_that_takes_too_long_is_told(manager: Systemd, unit: Callable[..., SystemdRuntime]) -> None:
    mine = unit('trap "" TERM; while :; do sleep 0.1; done', within=3)
    asyncio.run(mine.start(RAN))
    error = failure(TimedOut, mine, "stop", RAN)
    assert "systemctl list-jobs" in error.action
    manager.run("systemctl", "kill", "--signal=KILL", mine.settings.unit)


def test_only_the_lines_since_then_are_read_and_no_more_than_configured(unit: Callable[..., SystemdRuntime]) -> None:
    mine = unit("for n in 1 2 3 4 5; do echo line $n; done; exec sleep 600")
    asyncio.run(mine.start(RAN))
    few = SystemdRuntime(mine.settings.model_copy(update={"log_lines": 2}))
    assert [line.rsplit(": ")[-1] for line in asyncio.run(few.logs(BEGINNING))] == ["line 4", "line 5"]
    assert asyncio.run(mine.logs(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))) == ()


def test_a_socket_that_would_start_it_again_is_noted(manager: Systemd, unit: Callable[..., SystemdRuntime]) -> None:
    mine = unit(SERVES)
    socket = mine.settings.unit.replace(".service", ".socket")
    manager.write(socket, "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/test.sock\n")
    manager.run("systemctl", "start", socket)
    asyncio.run(mine.start(RAN))
    assert f"{socket} starts it again when it is stopped" in asyncio.run(mine.describe()).notes


def test_a_unit_that_is_not_there_or_cannot_be_loaded_is_named(unit: Callable[..., SystemdRuntime]) -> None:
    absent = SystemdRuntime(Settings(kind="systemd", unit="nobody-has-made.service"))
    assert "is not-found" in failure(NotThere, absent, "describe").what
    bad = unit(SERVES, "Type=nonsense\nExecStart=")
    assert "is bad-setting" in failure(NotThere, bad, "describe").what


@pytest.mark.parametrize(
    ("said", "kind", "remedy"),
    [
        ("Failed to restart atom-os.service: Access denied", AccessDenied, "polkit"),
        ("Failed to restart atom-os.service: Interactive authentication required.", AccessDenied, "polkit"),
        ("System has not been booted with systemd as init system (PID 1). Can't operate.", Unreachable, "host of the"),
        ("Failed to connect to bus: No such file or directory", Unreachable, "host of the"),
    ],
)
def test_what_systemctl_says_when_it_refuses_becomes_what_to_do(
    programs: Path, said: str, kind: type[AtomOpsError], remedy: str
) -> None:
    script(programs / "systemctl", f'echo "{said}" >&2; exit 1')
    assert remedy in failure(kind, SystemdRuntime(Settings(kind="systemd", unit="atom-os.service")), "describe").action


def test_a_user_without_the_right_to_the_journal_is_told(programs: Path, unit: Callable[..., SystemdRuntime]) -> None:
    hint = "Hint: You are currently not seeing messages from other users and the system."
    script(programs / "journalctl", f'echo "{hint}" >&2')
    assert "systemd-journal" in failure(AccessDenied, unit(SERVES), "logs", BEGINNING).action


def test_the_inventorys_unit_is_the_runtime_of_a_target() -> None:
    chosen = runtime_of(target(runtime={"kind": "systemd", "unit": "atom-os.service", "user": True}))
    assert chosen.name == "user unit atom-os.service"
    with pytest.raises(ValueError, match="pattern"):
        Settings(kind="systemd", unit="atom*")
