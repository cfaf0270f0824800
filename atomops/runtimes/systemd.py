"""A unit of systemd, by `systemctl` and `journalctl`: what they show is believed, never that a job ended well."""

import asyncio
import datetime as dt
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from atomops import shell
from atomops.commands import systemd
from atomops.commands.systemd import Unit
from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, CommandFailed, NotThere, TimedOut, Unreachable
from atomops.facts.runtime import Instance, Running
from atomops.inventory.runtime import Systemd
from atomops.runtimes.runtime import NotComingUp
from atomops.verdict import Unseen

_SECONDS = 10  # for a question
_EVERY_SECONDS = 0.2
_STEADY_SECONDS = 2  # that a unit must stay the same process before it counts as up: many die a moment after the start
_DENIED = ("access denied", "interactive authentication required", "permission denied", "not permitted")
_ABSENT = ("failed to connect to bus", "not been booted with systemd", "$dbus_session_bus_address")
_NO_REVISIONS = "systemd knows no earlier revision: undo only starts what does not run"


@dataclass(frozen=True)
class SystemdRuntime:
    """One unit. A job that we are cancelled in goes on in systemd, which ends it as well without us."""

    settings: Systemd

    @property
    def name(self) -> str:
        """Such as "unit atom-os.service"."""
        return f"{'user ' if self.settings.user else ''}unit {self.settings.unit}"

    async def describe(self) -> Running:
        """What systemd shows. Raises NotThere for a unit that it does not know, or cannot load."""
        unit = await self._show()
        wanted = 0 if unit.active == "inactive" else 1
        notes = [_NO_REVISIONS, *(f"{each} starts it again when it is stopped" for each in unit.triggered_by)]
        if unit.needs_reload:
            notes.append("its unit files have changed: a restart takes them over, by a daemon-reload")
        return Running("systemd", wanted, (_instance(unit),) if wanted else (), notes=tuple(notes))

    async def stop(self, before: Running) -> None:  # noqa: ARG002 - systemd remembers nothing for us
        """The unit is inactive and without a main process. Raises TimedOut, AccessDenied or CommandFailed."""
        await self._change("stop")
        unit = await self._until(lambda unit: unit.is_stopped)
        if not unit.is_stopped:
            raise TimedOut(f"{self.name} is still {unit.state} after {self._within}", action=self._look)

    async def start(self, before: Running) -> None:
        """The unit is up, and stays up, if it ran `before`. Raises NotComingUp, AccessDenied or TimedOut."""
        unit = await self._show()
        if not before.wanted or unit.active == "active":
            return
        since = dt.datetime.now(dt.UTC)
        if unit.active == "failed":  # or the limit of starts would refuse this one
            await self._run(systemd.change("reset-failed", unit.id, user=self.settings.user), self.settings.within)
        await self._bring_up("start", unit, since)

    async def restart(self) -> None:
        """The unit is up with another process than before. Raises as `start`."""
        before, since = await self._show(), dt.datetime.now(dt.UTC)
        if before.needs_reload:
            await self._run(systemd.reload(user=self.settings.user), self.settings.within)
        await self._bring_up("restart", before, since)

    async def undo(self, before: Running) -> None:
        """It runs, if it ran `before`: there is no earlier revision to go back to. Raises as `start`."""
        await self.start(before)

    async def missing_rights(self) -> tuple[Unseen, ...]:
        """Whether polkit lets a user manage a unit is told only by trying: that nobody has is said, with the rule."""
        if self.settings.user or os.geteuid() == 0:
            return ()
        action = f"let polkit allow it to manage {self.settings.unit} (see docs/runtimes.md), or run as root"
        return (Unseen(f"whether this user may restart {self.name} is known only when it is tried", action),)

    async def logs(self, since: dt.datetime) -> tuple[str, ...]:
        """The unit's last lines in the journal. Raises AccessDenied when this user may not read it."""
        argv = systemd.journal(self.settings.unit, since, self.settings.log_lines, user=self.settings.user)
        output = await self._run(argv, _SECONDS)
        if "not seeing messages" in output.stderr or "No journal files were opened" in output.stderr:
            action = "add this user to the group systemd-journal"
            raise AccessDenied(f"this user may not read the journal of {self.name}", action=action)
        lines = output.stdout.decode(errors="replace").splitlines()
        return tuple(f"{self.settings.unit}: {line}" for line in reversed(lines) if not line.startswith("-- "))

    @property
    def _within(self) -> str:
        return f"{self.settings.within:g} s"

    @property
    def _look(self) -> str:
        scope = "--user " if self.settings.user else ""
        return f"look at: systemctl {scope}status {self.settings.unit}; systemctl {scope}list-jobs"

    async def _bring_up(self, verb: str, before: Unit, since: dt.datetime) -> None:
        try:
            await self._change(verb)
        except CommandFailed as error:
            await self._not_coming_up(await self._show(), since, error)
        unit = await self._until(lambda unit: unit.active == "failed" or _is_another(unit, before))
        if not _is_another(unit, before) or not await self._is_steady(unit):
            await self._not_coming_up(await self._show(), since)

    async def _is_steady(self, up: Unit) -> bool:
        """Whether it stays the same process for a moment. A job that has done its work and ended well is as good."""
        deadline = time.monotonic() + _STEADY_SECONDS
        while (unit := await self._show()).active == "active" and unit.invocation == up.invocation:
            if time.monotonic() > deadline:
                return True
            await asyncio.sleep(_EVERY_SECONDS)
        return False

    async def _not_coming_up(self, unit: Unit, since: dt.datetime, error: Exception | None = None) -> NoReturn:
        try:
            evidence = await self.logs(since)
        except AtomOpsError as unread:
            evidence = (f"its journal could not be read: {unread.what}",)
        why = f": {unit.why}" if unit.why else ""
        what = f"{self.name} does not come up; it is {unit.state}{why}"
        raise NotComingUp(what, action=self._look, evidence=evidence) from error

    async def _until(self, true: Callable[[Unit], bool]) -> Unit:
        """The unit once that is true of it, or as it is when the time is over."""
        deadline = time.monotonic() + self.settings.within
        while not true(unit := await self._show()) and time.monotonic() < deadline:  # noqa: ASYNC110 - systemd's state
            await asyncio.sleep(_EVERY_SECONDS)
        return unit

    async def _show(self) -> Unit:
        output = await self._run(systemd.show(self.settings.unit, user=self.settings.user), _SECONDS)
        try:
            unit = systemd.parse(output.stdout.decode(errors="replace"))
        except ValueError as error:
            raise BadAnswer(str(error), action="is that systemd's own systemctl?") from error
        if unit.load != "loaded":
            why = f": {unit.load_error}" if unit.load_error else ""
            action = "correct runtime.unit in the inventory, or the unit's files"
            raise NotThere(f"{self.name} is {unit.load}{why}", action=action)
        return unit

    async def _change(self, verb: str) -> None:
        await self._run(systemd.change(verb, self.settings.unit, user=self.settings.user), self.settings.within)

    async def _run(self, argv: list[str], seconds: float) -> shell.Output:
        """Raises AccessDenied, Unreachable, TimedOut, NotThere or CommandFailed."""
        try:
            return await shell.run(argv, timeout=seconds, env=systemd.PLAIN)
        except TimedOut as error:
            raise TimedOut(f"`{shell.display(argv)}` did not end within {seconds:g} s", action=self._look) from error
        except CommandFailed as error:
            raise self._named(error, argv) from error

    def _named(self, error: CommandFailed, argv: list[str]) -> AtomOpsError:
        said = error.stderr.lower()
        if any(word in said for word in _DENIED):
            action = (
                f"let this user manage {self.settings.unit} by a polkit rule (see docs/runtimes.md), or run as root"
            )
            return AccessDenied(f"systemd refuses us `{shell.display(argv)}`", action=action)
        if any(word in said for word in _ABSENT):
            action = "run the worker on the host of the unit; for a user's unit, with XDG_RUNTIME_DIR set"
            return Unreachable(f"no systemd answers here: {error.what}", action=action)
        return CommandFailed(error.what, exit_code=error.exit_code, stderr=error.stderr, action=self._look)


def _is_another(unit: Unit, before: Unit) -> bool:
    """Up, and not what ran before."""
    return unit.active == "active" and unit.invocation != before.invocation


def _instance(unit: Unit) -> Instance:
    name = f"{unit.id}, process {unit.main_pid}" if unit.main_pid else unit.id
    is_ready = unit.active == "active"
    return Instance(name, unit.state, is_ready, unit.started_at, restarts=unit.restarts, problem=unit.why)
