"""`atomops` in processes that need not import everything first: `python -m tests.starter` forks one for each request.

The imports of a command take longer than most commands. What is forked is the command itself, with an id, signals,
files, a folder, an environment and an end of its own. A request is a line of JSON; each command is answered with a line
when it has begun (`began PID`) and with another when it has ended (`ended PID CODE`).
"""

import contextlib
import functools
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

from atomops.scratch.leftovers import FOLDER_VARIABLE
from tests.waiting import PATIENCE

_OWN = ("PREFECT_", "ATOMOPS_")  # what begins so in our environment is no business of the command's


class Run:
    """A forked command, handled like a Popen."""

    def __init__(self, starter: "Starter", pid: int) -> None:
        self._starter, self.pid = starter, pid

    @property
    def returncode(self) -> int | None:
        return self._starter.ended.get(self.pid)

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        self._starter.listen(0)
        return self.returncode

    def wait(self, timeout: float = PATIENCE) -> int:
        """The exit code, when it has ended. Raises TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while self.returncode is None:
            if (left := deadline - time.monotonic()) < 0:
                raise subprocess.TimeoutExpired("atomops", timeout)
            self._starter.listen(left)
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing is sent to one that has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Starter:
    """A process that has imported what every command imports."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self.began: list[int] = []
        self.ended: dict[int, int] = {}
        self._heard = b""
        root = Path(__file__).parents[1]
        self.process = subprocess.Popen([sys.executable, "-m", __name__], cwd=root, stdin=pipe, stdout=pipe, bufsize=0)

    def start(
        self, *arguments: str, env: Mapping[str, str], cwd: Path, output: Path, errors: Path | None = None
    ) -> Run:
        """`atomops ...` in that environment and folder; its output goes into one file, or its errors into another."""
        files = [str(output), str(errors or output)]
        request = {"arguments": arguments, "env": dict(env), "cwd": str(cwd), "files": files}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        while not self.began:
            self.listen(PATIENCE)
        return Run(self, self.began.pop())

    def listen(self, seconds: float) -> None:
        """Take in what it says within that time, which may be nothing."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return
        said = self.process.stdout.read(4096)
        assert said, "the starter has ended"
        *lines, self._heard = (self._heard + said).split(b"\n")
        for kind, *numbers in (line.decode().split() for line in lines):
            pid, *code = map(int, numbers)
            if kind == "began":
                self.began.append(pid)
            else:
                self.ended[pid] = code[0]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@functools.cache
def starter() -> Starter:
    """The one of this process. It ends when we do: its input ends then."""
    return Starter()


def clean_environment() -> dict[str, str]:
    """Ours, without what would decide where a command finds its inventory and its server."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    return mine | {FOLDER_VARIABLE: os.environ[FOLDER_VARIABLE]}


def run_atomops(*arguments: str, env: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command that has ended, and what it said."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        code = starter().start(*arguments, env=env, cwd=cwd, output=output, errors=errors).wait()
        said = [file.read_text(encoding="utf-8") for file in (output, errors)]
    return subprocess.CompletedProcess(["atomops", *arguments], code, *said)


def main() -> None:
    """Serve until the input ends."""
    from atomops.cli.flows import load_flow, names  # noqa: PLC0415 - a test that only starts us need not wait for it
    from atomops.cli.run import _keep_quiet  # noqa: PLC0415
    from tests.postgres_servers import copy_scratch_servers  # noqa: PLC0415

    _keep_quiet()
    for name in names():
        load_flow(name)
    copy_scratch_servers(pytest.MonkeyPatch())
    gc.freeze()  # or each child copies what it only looks through
    waking, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    heard = b""
    while True:
        readable, _, _ = select.select([0, waking], [], [])
        if waking in readable:
            os.read(waking, 4096)
            _tell_who_ended()
        if 0 in readable:
            said = os.read(0, 1 << 20)
            if not said:
                return
            *requests, heard = (heard + said).split(b"\n")
            for request in requests:
                _begin(json.loads(request))


def _begin(request: Mapping[str, Any]) -> None:
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _become(request)
    _tell("began", pid)


def _tell_who_ended() -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _tell("ended", ended[0], os.waitstatus_to_exitcode(ended[1]))


def _tell(*words: object) -> None:
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


def _become(request: Mapping[str, Any]) -> NoReturn:
    """The command, as if it had been started anew."""
    from prefect.context import refresh_global_settings_context  # noqa: PLC0415 - it is there already

    from atomops.cli import main as atomops  # noqa: PLC0415 - likewise
    from atomops.cli.run import _keep_quiet  # noqa: PLC0415 - likewise

    os.setsid()  # as a scheduler starts it: no signal for its group reaches the tests
    os.chdir(request["cwd"])
    files = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND) for path in request["files"]]
    for number, place in enumerate((os.open(os.devnull, os.O_RDONLY), *files)):
        os.dup2(place, number)
    os.environ.clear()
    os.environ.update(request["env"])
    tempfile.tempdir = None
    _keep_quiet()
    refresh_global_settings_context()
    sys.argv = ["atomops", *request["arguments"]]
    atomops()
    sys.exit()


if __name__ == "__main__":
    main()
