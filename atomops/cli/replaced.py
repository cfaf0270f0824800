"""`atomops replaced list` and `drop`: the databases that restores have replaced, without any Prefect server."""

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Annotated

import orjson
import typer
from pydantic_core import to_jsonable_python
from rich.console import RenderableType
from rich.text import Text

from atomops.change.audit import Entry, record
from atomops.change.lock import one_change_at_a_time
from atomops.cli import backup_views as views
from atomops.cli.app import InventoryOption, TargetOption, app, use_inventory
from atomops.cli.backup_options import JsonOption
from atomops.cli.backup_stores import load
from atomops.cli.exit_codes import BY_LEVEL
from atomops.facts.replaced import Dropping, ReplacedFacts
from atomops.humane import plural, size
from atomops.inventory import Target
from atomops.probes.replaced import look
from atomops.restore.dropping import drop_due
from atomops.verdict import Level

replaced = typer.Typer(help="The databases that restores have replaced: kept, dropped in time.", no_args_is_help=True)
app.add_typer(replaced, name="replaced")
_WHAT = "replaced drop"


@replaced.command("list")
def list_replaced(
    target: TargetOption = "production", *, json: JsonOption = False, inventory: InventoryOption = None
) -> int:
    """Every one of the server, with its size, how long it is kept, and how to go back to it."""
    use_inventory(inventory)
    world, _ = load(target, with_database=True)
    seen = asyncio.run(look(world))
    if json:
        typer.echo(orjson.dumps(to_jsonable_python(seen), option=orjson.OPT_INDENT_2).decode())
    else:
        views.show(_lines(seen))
    return 0


@replaced.command()
def drop(
    target: TargetOption = "production",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print which would go, and change nothing")] = False,
    inventory: InventoryOption = None,
) -> int:
    """Drop those whose time has come, as the nightly backup does; nobody else may change the target meanwhile.

    One that somebody has opened again, or whose comment is no longer ours, stays. It takes changes.dsn.
    Exit code 0: done; 1: one is still there, and why; 3: the server cannot be asked.
    """
    use_inventory(inventory)
    world, _ = load(target, with_database=True)
    done = asyncio.run(_drop(world, dry_run=dry_run))
    views.show(_dropped(done, dry_run=dry_run))
    if done.problem:
        return BY_LEVEL[Level.UNKNOWN]
    return BY_LEVEL[Level.WARNING if done.failed or done.held_back else Level.OK]


async def _drop(world: Target, *, dry_run: bool) -> Dropping:
    """On record: a line before anything is dropped, and one that says what became of it."""
    if dry_run:
        return await drop_due(world, None)
    async with one_change_at_a_time(world, _WHAT) as lock:
        record(world, _entry(world, "started", {}))
        done = await drop_due(world, lock)
        result = "failed" if done.failed or done.problem or done.held_back else "done"
        record(world, _entry(world, result, {"dropped": done.dropped, "failed": done.failed}))
    return done


def _entry(world: Target, result: str, after: Mapping[str, object]) -> Entry:
    return Entry(dt.datetime.now(dt.UTC), _WHAT, world.name, "", result, after=after)


def _lines(seen: ReplacedFacts) -> Iterator[RenderableType]:
    if not seen.databases:
        yield Text("no replaced database is kept")
    else:
        rows = [
            (
                each.name,
                each.of,
                "not seen" if each.bytes is None else size(each.bytes),
                f"{each.until:%Y-%m-%d %H:%M %Z}",
                "opened by somebody" if each.is_open else each.kind,
                each.why,
            )
            for each in seen.databases
        ]
        yield views.table(("database", "was", "size", "kept until", "state", "why"), rows)
    for name, previous in seen.previous().items():
        command = f"--set database={name} --set backup=previous --set dry_run=false"
        yield Text(f"back to {previous}: atomops run restore-database --target {seen.target} {command}")
    for copy in seen.copies:
        yield Text(f"a copy for a restore of {copy.of}, begun {copy.at:%Y-%m-%d %H:%M %Z}: {copy.name}", "yellow")
    for name in seen.unreadable:
        yield Text(f"with a mark that nobody understands, and never dropped: {name}", "yellow")


def _dropped(done: Dropping, *, dry_run: bool) -> Iterator[RenderableType]:
    if done.problem:
        yield Text(f"nobody knows which are due: {done.problem.reason}: {done.problem.action}", "red")
    elif dry_run:
        yield Text(f"{plural(len(done.due), 'database')} would be dropped")
        yield from (Text(f'DROP DATABASE "{each.name}"') for each in done.due)
    elif done.held_back:
        yield Text(f"nothing was dropped: {done.held_back}", "yellow")
    else:
        yield Text(f"{plural(len(done.dropped), 'database')} dropped")
        yield from (Text(f"dropped {name}") for name in done.dropped)
        yield from (Text(f"stays: {name}: {why}", "yellow") for name, why in done.failed.items())
