"""The inventory's own commands: for whatever runs the application that we have no client for.

A command that starts a daemon must set it free: in a session of its own (`setsid`), its output elsewhere than ours
(`>>FILE 2>&1`), and then end. A command that stays in the foreground is ended when its time is over, and its whole
process group with it; of one whose daemon holds our output nobody would see the end. The daemon inherits our
environment and the control group of whoever runs us: under systemd a worker needs `KillMode=process`, or its end is the
application's too.
"""

import asyncio
import datetime as dt
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from atomops import shell
from atomops.errors import AccessDenied, AtomOpsError, CommandFailed, NotThere, TimedOut
from atomops.facts.runtime import Instance, Running
from atomops.inventory.runtime import Argv, Command
from atomops.runtimes.runtime import NotComingUp
from atomops.verdict import Unseen

_EVERY_SECONDS = 0.2
_GRACE_SECONDS = 10  # for a command under way when we are cancelled: whoever does so kills us after 30
_STEADY_SECONDS = 5  # longer than most applications take to end
_SHOWN = 120  # characters of what `status` says
_LINES = 20  # of what a command wrote, as evidence
_NO_VERDICT = frozenset({4, 126, 127})  # LSB's "unknown", and a shell's "not executable" and "not found"
_NO_REVISIONS = "commands know no earlier revision: undo only starts what does not run"


@dataclass(frozen=True)
class CommandRuntime:
    """One application behind four commands. `status` is what we believe, never that a command ended well."""

    settings: Command

    @property
    def name(self) -> str:
        """The same for all: its commands are in every plan and error."""
        return "the application"

    async def describe(self) -> Running:
        """One instance, or none. Raises what kept `status` from giving a verdict."""
        said = await self._status()
        if said is None:
            return Running("command", wanted=0, notes=(_NO_REVISIONS,))
        instance = Instance(self.name, said or "running", is_ready=True)
        return Running("command", wanted=1, instances=(instance,), notes=(_NO_REVISIONS,))

    async def stop(self, before: Running) -> None:  # noqa: ARG002 - a command can remember nothing for us
        """`status` says that it does not run. Raises CommandFailed, TimedOut or NotThere."""
        await self._carry_out(self.settings.stop)
        if not await self._until(runs=False):
            what = f"`{shell.display(self.settings.stop)}` ended well, but after {self._within} it still runs"
            raise TimedOut(what, action="look at what it waits for, and at what `status` looks at")

    async def start(self, before: Running) -> None:
        """`status` says that it runs, if it ran `before`. Raises NotComingUp, CommandFailed, TimedOut or NotThere."""
        if before.wanted and not await self._stays_up():
            await self._bring_up(self.settings.start)

    async def restart(self) -> None:
        """`restart` ended well, and `status` says that it runs. Raises as `start`."""
        await self._bring_up(self.settings.restart)

    async def undo(self, before: Running) -> None:
        """It runs, if it ran `before`: there is no earlier revision to go back to. Raises as `start`."""
        await self.start(before)

    async def missing_rights(self) -> tuple[Unseen, ...]:
        """Every command whose program this user cannot execute."""
        commands = (self.settings.stop, self.settings.start, self.settings.restart)
        programs = dict.fromkeys(argv[0] for argv in commands)
        action = "install it, let this user execute it, or name its full path"
        return tuple(Unseen(f"no program {each}", action) for each in programs if not self._finds(each))

    def _finds(self, program: str) -> bool:
        """As the system does: a path is taken from the folder that commands run in, a name from PATH."""
        folder = self.settings.directory or Path()
        return shutil.which(folder / program if "/" in program else program) is not None

    async def logs(self, since: dt.datetime) -> tuple[str, ...]:  # noqa: ARG002 - of no instance
        """None: the inventory's [logs] are where such an application is read."""
        return ()

    @property
    def _within(self) -> str:
        return f"{self.settings.within:g} s"

    async def _bring_up(self, argv: Argv) -> None:
        output = await self._carry_out(argv)
        if await self._until(runs=True):
            return
        lines = (output.stdout.decode(errors="replace") + output.stderr).splitlines()
        what = f"`{shell.display(argv)}` ended well, but after {self._within} `status` says that it does not run"
        raise NotComingUp(what, action="look at its error log", evidence=tuple(lines[-_LINES:]))

    async def _stays_up(self) -> bool:
        """Whether it runs, and still does a moment later: a stop that was killed may be about to end it."""
        deadline = time.monotonic() + _STEADY_SECONDS
        while await self._status() is not None:
            if time.monotonic() > deadline:
                return True
            await asyncio.sleep(_EVERY_SECONDS)
        return False

    async def _carry_out(self, argv: Argv) -> shell.Output:
        """To its end, also when we are cancelled meanwhile, if that is near: half a stop leaves nobody knows what."""
        doing = asyncio.ensure_future(self._run(argv))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait({doing}, timeout=_GRACE_SECONDS)
            doing.cancel()
            await asyncio.wait({doing})
            raise

    async def _until(self, *, runs: bool) -> bool:
        """Whether `status` came to say so in time."""
        deadline = time.monotonic() + self.settings.within
        while (await self._status() is not None) is not runs:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_EVERY_SECONDS)
        return True

    async def _status(self) -> str | None:
        """What it says of an application that runs, in short; None when it does not. Raises when nobody knows."""
        try:
            output = await self._run(self.settings.status)
        except CommandFailed as error:
            if error.exit_code < 0 or error.exit_code in _NO_VERDICT:
                raise
            return None
        lines = output.stdout.decode(errors="replace").strip().splitlines()
        return lines[0][:_SHOWN] if lines else ""

    async def _run(self, argv: Argv) -> shell.Output:
        """Raises NotThere, CommandFailed or TimedOut, each naming the command as the inventory has it."""
        folder = self.settings.directory
        if folder is not None and not folder.is_dir():
            raise NotThere(f"there is no folder {folder}", action="correct runtime.directory in the inventory")
        try:
            return await shell.run(argv, timeout=self.settings.within, cwd=folder)
        except TimedOut as error:
            action = "it must end by itself, and a daemon that it starts must leave its session and its output"
            raise TimedOut(f"`{shell.display(argv)}` did not end within {self._within}", action=action) from error
        except CommandFailed as error:
            raise CommandFailed(
                f"`{shell.display(argv)}`: {error.what}",
                exit_code=error.exit_code,
                stderr=error.stderr,
                action="run it by hand as this user, and see",
            ) from error
        except OSError as error:  # of starting it: not executable, not a program, a folder that is closed to us
            if isinstance(error, AtomOpsError):
                raise
            what = f"`{shell.display(argv)}` cannot be run ({error.strerror}: {error.filename})"
            raise AccessDenied(what, action="let this user execute it, and enter runtime.directory") from error
