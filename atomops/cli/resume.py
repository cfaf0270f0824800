"""`atomops resume`: after a change that was killed, the application runs as before it."""

import asyncio
import datetime as dt

import typer

from atomops.change.audit import Entry, record
from atomops.change.ending import cancelled_by_sigterm
from atomops.change.lock import one_change_at_a_time
from atomops.change.profiling import finish_left
from atomops.change.resuming import Resumed
from atomops.change.resuming import resume as resume_target
from atomops.cli.app import InventoryOption, TargetOption, app, use_inventory
from atomops.errors import AtomOpsError
from atomops.inventory import Target

_WHAT = "resume"


@app.command()
def resume(
    target: TargetOption = "production",
    inventory: InventoryOption = None,
) -> int:
    """Bring the application back after a change that was killed: started as before, on a whole database, and ready.

    Exit code 0: it runs as before, or there was nothing to do; 3: it could not be brought back, and why.
    """
    use_inventory(inventory)
    try:
        profiled, resumed = asyncio.run(_resume(target))
    except asyncio.CancelledError:
        raise typer.Abort from None
    for line in profiled:
        typer.echo(f"{line[:1].upper()}{line[1:]}.")
    if resumed is None and profiled:
        return 0
    if resumed is None:
        typer.echo(f"There is nothing to bring back: no change of {target} was killed.")
        return 0
    typer.echo(f"{resumed.found[:1].upper()}{resumed.found[1:]}.")
    for line in resumed.done:
        typer.echo(f"  {line}")
    return 0


async def _resume(name: str) -> tuple[tuple[str, ...], Resumed | None]:
    """What profiling was switched off, for which no lock is taken; and what was brought back with the lock held."""
    from tasks.target import load_target  # noqa: PLC0415 - 2 s that `--help` need not wait for

    world = await load_target(name)
    profiled = await finish_left(world)
    if profiled:
        _put_on_record(world, "done", profiled)
    if world.postgres is None and world.changes.dsn is None:
        return profiled, None
    with cancelled_by_sigterm():
        async with one_change_at_a_time(world, _WHAT):
            try:
                resumed = await resume_target(world)
            except AtomOpsError as error:
                _put_on_record(world, f"failed: {error}", ())
                raise
            if resumed is not None:
                _put_on_record(world, "done", (resumed.found, *resumed.done))
    return profiled, resumed


def _put_on_record(target: Target, result: str, plan: tuple[str, ...]) -> None:
    now = dt.datetime.now(dt.UTC)
    record(target, Entry(at=now, what=_WHAT, target=target.name, run="", result=result, plan=plan))
