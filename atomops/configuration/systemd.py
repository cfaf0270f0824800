"""The files of a unit, as systemd says: the unit file, its drop-ins, and the environment files that they name."""

from pathlib import Path

from atomops import shell
from atomops.commands import systemd
from atomops.configuration.files import read_files
from atomops.errors import CommandFailed, NotThere, Unreachable
from atomops.facts.configuration import NotTaken, Why
from atomops.inventory.runtime import Systemd
from atomops.plans.configuration.found import Found

_SECONDS = 10


async def collect_unit(runtime: Systemd, *, limit: int) -> tuple[str, tuple[Found, ...], tuple[NotTaken, ...]]:
    """Every file. Raises NotThere for a unit that systemd does not know, Unreachable without a systemd."""
    name = f"{'user ' if runtime.user else ''}unit {runtime.unit}"
    argv = systemd.show_files(runtime.unit, user=runtime.user)
    try:
        output = await shell.run(argv, timeout=_SECONDS, env=systemd.PLAIN)
    except CommandFailed as error:
        raise Unreachable(
            f"no systemd answers here: {error.what}", action="run the worker on the unit's host"
        ) from error
    files = systemd.parse_files(output.stdout.decode(errors="replace"))
    if not files.units:
        raise NotThere(f"{name} has no unit file here", action="correct runtime.unit in the inventory")
    units, untaken = await read_files(map(Path, files.units), limit=limit)
    named, unread = await read_files(map(Path, files.environment), limit=limit, are_environment=True)
    excused = tuple(_excused(each) if each.name in files.optional else each for each in unread)
    return name, (*units, *named), (*untaken, *excused)


def _excused(each: NotTaken) -> NotTaken:
    if each.why is not Why.MISSING:
        return each
    return NotTaken(each.name, Why.BY_INTENTION, "the unit names it with a -, and it is not there")
