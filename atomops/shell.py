"""The one place that starts a subprocess.

Every child leads a process group of its own, which is killed as a whole, and dies with its parent thread
(PR_SET_PDEATHSIG on Linux), so that a kill -9 of us leaves no orphan at work. The child asks for that by setpriv
(util-linux), and goes on only if we still live then. Without setpriv we ask between fork and exec; for that the whole
process is copied, which takes 50 ms of a processor where it has 350 MB.
"""

import asyncio
import contextlib
import ctypes
import functools
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomops.errors import CommandFailed, NotThere, TimedOut

_PR_SET_PDEATHSIG = 1
_IF_WE_LIVE = 'test "$PPID" = "$0" && exec "$@"'  # the arguments of the shell: our process id, then the program
_STDERR_TAIL = 4_000  # characters of stderr that an error carries
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Output:
    """What a program has written, and how it ended: with 0, or with another exit code that was accepted."""

    stdout: bytes
    stderr: str
    exit_code: int = 0


async def run(  # noqa: PLR0913 - each is a plain property of the child
    argv: Sequence[str | Path],
    *,
    timeout: float,  # noqa: ASYNC109 - the time-out belongs to the child, which must be killed by it
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    accept: Container[int] = (0,),
) -> Output:
    """A returned output is that of a program that exited with 0, or as `accept` has it, within `timeout` seconds.

    `env` is added to our own environment: secrets go there, never into `argv`. On time-out, cancellation or any error
    the whole process group is gone before this returns. Raises CommandFailed, TimedOut or NotThere.
    """
    name = Path(argv[0]).name
    async with _child(argv, env, cwd) as child:
        try:
            stdout, stderr = await asyncio.wait_for(child.communicate(stdin), timeout)
        except TimeoutError as error:
            raise TimedOut(f"{name} did not end within {timeout:g} s", action="look at what it waits for") from error
    text = stderr.decode(errors="replace")
    exit_code = child.returncode or 0
    if exit_code not in accept:
        message = f"{name} ended with exit code {exit_code}: {_last_line(text)}"
        raise CommandFailed(message, exit_code=exit_code, stderr=text[-_STDERR_TAIL:])
    return Output(stdout, text, exit_code)


@contextlib.asynccontextmanager
async def _child(
    argv: Sequence[str | Path], env: Mapping[str, str] | None, cwd: Path | None
) -> AsyncIterator[asyncio.subprocess.Process]:
    known = {**os.environ, **(env or {})}
    wrapped, between = _dying_with_us(argv, known, cwd)
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *wrapped,
            env=known,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=between,
        )
    )
    try:
        child = await asyncio.shield(starting)
    except FileNotFoundError as error:
        raise _no_program(argv) from error
    except asyncio.CancelledError:  # it may have started already, and children of its own
        await _end(await starting)
        raise
    try:
        yield child
    except BaseException:  # while its leader runs, or something that it has left behind holds the pipes
        await _end(child)
        raise


async def _end(child: asyncio.subprocess.Process) -> None:
    """Nothing of its group is left."""
    _signal_group(child.pid, signal.SIGKILL)
    try:
        with contextlib.suppress(TimeoutError):  # only one that left the group can still hold the pipes
            await asyncio.wait_for(child.communicate(), 1)
        await child.wait()
    finally:
        child._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - or its pipes outlive the event loop


@dataclass(frozen=True)
class Server:
    """A long-running child, its output in a file."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The process id, which is its process group's as well."""
        return self.process.pid

    def is_running(self) -> bool:
        """Whether the leader of the group still runs."""
        return self.process.poll() is None

    def stop(self, *, grace: float = 10, by: signal.Signals = signal.SIGTERM) -> None:
        """Nothing of the group is left afterwards: `by` first, SIGKILL after `grace` seconds."""
        if self.is_running():
            self.process.send_signal(by)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace)
        _signal_group(self.pid, signal.SIGKILL)
        self.process.wait()

    def tail(self) -> str:
        """The end of what it wrote."""
        return self.log.read_text(errors="replace")[-_STDERR_TAIL:] if self.log.exists() else ""


def start(  # noqa: PLR0913 - each is a plain property of the child
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    outlives_us: bool = False,
) -> Server:
    """A server that goes on running, as `user` when given (root only). Call from a thread that outlives it.

    Only what clears up after our death `outlives_us`.
    """
    known = {**os.environ, **(env or {})}
    wrapped, between = ([*map(str, argv)], None) if outlives_us else _dying_with_us(argv, known, cwd)
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                wrapped,
                env=known,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=between,  # noqa: PLW1509 - only a prctl call, safe here
                user=user,
                group=user and _group_of(user),
                extra_groups=[] if user else None,
            )
    except FileNotFoundError as error:
        raise _no_program(argv) from error
    return Server(process, log)


def display(argv: Sequence[str | Path]) -> str:
    """The command line as a person would type it."""
    return shlex.join(str(part) for part in argv)


def _group_of(user: str) -> int:
    import pwd  # noqa: PLC0415 - not on every platform

    return pwd.getpwnam(user).pw_gid


def _dying_with_us(
    argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None
) -> tuple[list[str], Callable[[], None] | None]:
    """The command line, and what is to be called between fork and exec where nothing else will do."""
    plain = [str(part) for part in argv]
    program = str(Path(cwd or ".", plain[0])) if os.sep in plain[0] else plain[0]
    if _setpriv() and shutil.which(program, path=env.get("PATH")):  # else the error is that of the program itself
        return [*_setpriv(), "sh", "-c", _IF_WE_LIVE, str(os.getpid()), *plain], None
    return plain, _die_with_parent


@functools.cache
def _setpriv() -> tuple[str, ...]:
    """Busybox has one that does not know the option."""
    found = shutil.which("setpriv")
    if sys.platform != "linux" or found is None:
        return ()
    usage = subprocess.run([found, "--help"], capture_output=True, text=True, check=False).stdout
    return (found, "--pdeathsig", "KILL", "--") if "--pdeathsig" in usage else ()


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def _no_program(argv: Sequence[str | Path]) -> NotThere:
    return NotThere(f"there is no program {argv[0]}", action="install it, or name its full path")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it wrote nothing to stderr"
