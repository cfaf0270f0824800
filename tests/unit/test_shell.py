import asyncio
import gc
import os
import signal
import sys
from pathlib import Path

import pytest

from atomops import shell
from atomops.errors import CommandFailed, NotThere, TimedOut
from tests.waiting import wait_until


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid: int) -> None:
    wait_until(lambda: not is_alive(pid), f"the end of process {pid}")


def test_a_program_that_ends_well_gives_its_output() -> None:
    output = asyncio.run(shell.run(["cat"], timeout=60, stdin=b"hello"))
    assert output.stdout == b"hello"


def test_a_failing_program_raises_with_its_last_words() -> None:
    script = "import sys; print('first', file=sys.stderr); print('no space left', file=sys.stderr); sys.exit(7)"
    with pytest.raises(CommandFailed, match="exit code 7: no space left") as caught:
        asyncio.run(shell.run([sys.executable, "-c", script], timeout=60))
    assert caught.value.exit_code == 7
    assert "first" in caught.value.stderr


def test_an_exit_code_that_is_accepted_is_told_and_no_error() -> None:
    output = asyncio.run(shell.run(["sh", "-c", "echo found; exit 1"], timeout=60, accept=(0, 1)))
    assert (output.stdout, output.exit_code) == (b"found\n", 1)


def test_a_missing_program_is_named() -> None:
    with pytest.raises(NotThere, match="/no/such/program"):
        asyncio.run(shell.run(["/no/such/program"], timeout=60))


@pytest.mark.parametrize("then", ["wait", "exit 0"], ids=["with their parent", "that have outlived their parent"])
def test_a_time_out_takes_the_grandchildren_along(then: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {pid_file}; {then}"
    with pytest.raises(TimedOut, match=r"did not end within 2 s"):
        asyncio.run(shell.run(["sh", "-c", script], timeout=2))
    wait_until_gone(int(pid_file.read_text()))


def test_cancelling_takes_the_whole_group_along(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"

    async def cancelled() -> None:
        task = asyncio.create_task(shell.run(["sh", "-c", f"echo $$ > {pid_file}; sleep 60"], timeout=60))
        await asyncio.to_thread(wait_until, lambda: pid_file.exists() and pid_file.read_text(), "its number")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    wait_until_gone(int(pid_file.read_text()))


def test_cancelled_while_it_ends_a_command_it_leaves_no_pipe_to_a_closed_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a sibling in its task group does when both time out; the end takes a second for who has left the group."""
    pid_file = tmp_path / "pid"
    unraised: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraised.append)
    script = f"setsid sleep 60 & echo $! > {pid_file}; wait"
    ends, really = asyncio.Event(), shell._signal_group

    def ending(pid: int, number: signal.Signals) -> None:
        really(pid, number)
        ends.set()

    monkeypatch.setattr(shell, "_signal_group", ending)

    async def cancelled_in_its_end() -> None:
        task = asyncio.create_task(shell.run(["sh", "-c", script], timeout=2))
        await ends.wait()
        await asyncio.sleep(0.2)  # of the second that its end takes
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled_in_its_end())
    gc.collect()
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    assert unraised == []


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
@pytest.mark.parametrize("wrapped", ["", "shell._setpriv = lambda: ();"], ids=["by setpriv", "without setpriv"])
def test_a_child_dies_with_its_killed_parent(tmp_path: Path, wrapped: str) -> None:
    script = (
        f"import sys, pathlib, time; sys.path.insert(0, sys.argv[2]); from atomops import shell; {wrapped}"
        "server = shell.start(['sleep', '60'], log=pathlib.Path(sys.argv[1]) / 'log');"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", script, str(tmp_path), str(Path(shell.__file__).parents[1])]
    parent = shell.start(argv, log=tmp_path / "parent.log")
    wait_until(lambda: parent.tail().endswith("\n") or not parent.is_running(), "the child's number")
    child = int(parent.tail().strip())
    os.kill(parent.pid, signal.SIGKILL)
    parent.process.wait()
    wait_until_gone(child)


def test_a_server_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    server = shell.start(["sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60"], log=tmp_path / "log")
    assert server.is_running()
    server.stop(grace=0.3)
    assert not server.is_running()
