"""`atomops` in a process that need not import everything first: `python -m tests.starter` forks one for each request.

A night's import of Prefect takes longer than the night. What is forked is the command itself, with an id, signals,
files and an end of its own. One at a time: a request is a line of JSON; the answers are the process id and, later, the
exit code.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn


class Run:
    """A forked command, handled like a Popen."""

    def __init__(self, starter: "Starter", arguments: tuple[str, ...], output: Path) -> None:
        self._starter = starter
        self.pid = starter.ask("started", {"arguments": arguments, "output": str(output)})
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        if self.returncode is None and self._starter.has_told(0):
            self.returncode = self._starter.told("ended")
        return self.returncode

    def wait(self, timeout: float = 180) -> int:
        """The exit code, when it has ended. Raises TimeoutExpired."""
        if self.returncode is None and not self._starter.has_told(timeout):
            raise subprocess.TimeoutExpired("atomops", timeout)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing is sent to one that has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Starter:
    """A process that has imported what a night imports, in an environment of its own."""

    def __init__(self, env: Mapping[str, str], cwd: Path) -> None:
        pipe = subprocess.PIPE
        argv = [sys.executable, "-m", "tests.starter"]
        root = str(Path(__file__).parents[1])
        env = {**env, "PYTHONPATH": root}
        self.process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=pipe, stdout=pipe, bufsize=0)

    def start(self, *arguments: str, output: Path) -> Run:
        """`atomops ...`, its output in that file."""
        return Run(self, arguments, output)

    def ask(self, what: str, request: object) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        return self.told(what)

    def told(self, what: str) -> int:
        """The number that it tells next, which must be of that: an exit code is no process to send a signal to."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        kind, _, number = line.partition(" ")
        assert kind == what, f"the starter says {line!r} where something has {what}"
        return int(number)

    def has_told(self, seconds: float) -> bool:
        assert self.process.stdout is not None
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def main() -> None:
    """Serve until the input ends."""
    from atomops.cli.flows import load_flow, names  # noqa: PLC0415 - a test that only starts us need not wait for it
    from atomops.cli.run import _keep_quiet  # noqa: PLC0415

    _keep_quiet()
    for name in names():
        load_flow(name)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
        _tell("started", pid)
        _, status = os.waitpid(pid, 0)
        _tell("ended", os.waitstatus_to_exitcode(status))


def _tell(what: str, number: int) -> None:
    sys.stdout.write(f"{what} {number}\n")
    sys.stdout.flush()


def _become(request: Mapping[str, Any]) -> NoReturn:
    """The command, as if it had been started anew."""
    from atomops.cli import main as atomops  # noqa: PLC0415

    os.setsid()  # as a scheduler starts it: no signal for its group reaches the tests
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, place in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
        os.dup2(place, number)
    sys.argv = ["atomops", *request["arguments"]]
    atomops()
    sys.exit()


if __name__ == "__main__":
    main()
