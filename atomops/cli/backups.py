"""`atomops backups list`, `show`, `verify` and `prune`: the sets of a target, without any Prefect server."""

import asyncio
import datetime as dt
import time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer
from pydantic_core import to_jsonable_python

from atomops.backup.making import workshop
from atomops.backup.preflight import tools_for
from atomops.backup.proving import bench, prove_stored
from atomops.change.lock import one_change_at_a_time
from atomops.cli import backup_views as views
from atomops.cli.app import app
from atomops.cli.backup_options import JsonOption, KindOption, OneKindOption, SetArgument, Which, about_backups
from atomops.cli.backup_stores import DATABASE, SPACES, Found, Listed, find, listed, listed_both
from atomops.cli.exit_codes import BY_LEVEL
from atomops.commands.by_hand import restore_by_hand
from atomops.configuration.proving import prove as prove_configuration
from atomops.configuration.settings import identity_of, settings_of
from atomops.errors import AtomOpsError
from atomops.facts.backup import Result
from atomops.facts.backup_stores import PlainDumps
from atomops.humane import plural, size
from atomops.inventory import Backups, BackupStore, Target
from atomops.plans.configuration.words import by_hand as configuration_by_hand
from atomops.plans.retention import plan_retention
from atomops.probes import plain_dumps
from atomops.probes.backups import plain_folder
from atomops.stores.checksums import verify as verify_checksums
from atomops.stores.choose import store_of
from atomops.stores.local import LocalStore
from atomops.stores.pruning import carry_out
from atomops.verdict import Level, Unseen, worst

backups = typer.Typer(help="The backup sets of a target: their age, size and proof.", no_args_is_help=True)
app.add_typer(backups, name="backups")

_LEVELS = {
    Result.RESTORED: Level.OK,
    Result.READ: Level.OK,
    Result.INTACT: Level.UNKNOWN,
    Result.FAILED: Level.CRITICAL,
}
_PLAIN_SECONDS = 5  # for reading the guide's own files; the end-of-day checklist takes more


@backups.command("list")
@about_backups
def list_sets(which: Which, *, kind: KindOption = None, json: JsonOption = False) -> int:
    """Every store with its sets, the newest first: age, size and proof; and what lies there that is no set."""
    world, _, stores = which.load()
    looks = list(listed(world, stores, kind)) if kind else list(listed_both(world, stores))
    plains = [_plain(look.settings, world) if look.kind == DATABASE else None for look in looks]
    now = dt.datetime.now(dt.UTC)
    if json:
        told = [_store_json(look, plain, now) for look, plain in zip(looks, plains, strict=True)]
        _print_json({"target": world.name, "stores": told})
    else:
        for look, plain in zip(looks, plains, strict=True):
            views.show(views.store_lines(look, plain, now))
    return BY_LEVEL[worst(Level.UNKNOWN if look.error else Level.OK for look in looks)]


@backups.command("show")
@about_backups
def show_set(which: Which, set_id: SetArgument, *, json: JsonOption = False) -> int:
    """One set in full: its origin, tables and rows, files, durations and proof, and how to restore it by hand."""
    world, _, among = which.load()
    found = find(list(listed_both(world, among)), set_id)
    first, stores = found[0].backup_set, [each.store.name for each in found]
    folder = _folder(found[0])
    is_database = first.manifest.configuration is None
    if json:
        by_hand = (restore_by_hand if is_database else configuration_by_hand)(first.manifest, folder)
        proof = to_jsonable_python(first.proof)
        _print_json(
            {"stores": stores, "manifest": to_jsonable_python(first.manifest), "proof": proof, "by_hand": by_hand}
        )
    else:
        lines = views.set_lines if is_database else views.configuration_lines
        views.show(lines(first, stores, folder, dt.datetime.now(dt.UTC)))
    return 0


@backups.command("verify")
@about_backups
def verify_set(
    which: Which,
    set_id: SetArgument,
    *,
    checksums_only: Annotated[
        bool, typer.Option("--checksums-only", help="read every byte, and restore nothing")
    ] = False,
) -> int:
    """Prove a set again, in every store that has it: read every byte, restore it, and compare every row.

    Exit code 0: it restores, to what was dumped; 2: it does not, or is damaged; 3: nobody knows.
    """
    world, settings, stores = which.load()
    looks = list(listed_both(world, stores))
    judge = _judge_checksums if checksums_only else lambda found: asyncio.run(_judge_any(found, world, settings))
    levels = [judge(each) for each in find(looks, set_id)]
    for look in looks:
        if look.error:
            typer.echo(f"{set_id} may be in {look.settings.store} too: {look.error}", err=True)
            levels.append(Level.UNKNOWN)
    return BY_LEVEL[worst(levels)]


@backups.command()
@about_backups
def prune(
    which: Which,
    *,
    kind: OneKindOption = "database",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the plan, and change nothing")] = False,
    max_deletions: Annotated[
        int | None, typer.Option(min=1, help="how many sets may go at once; default: that of the inventory")
    ] = None,
) -> int:
    """Remove what no rule of the inventory wants any more, and say why everything else stays.

    Nobody else may change the target meanwhile, so its PostgreSQL must answer, unless it is a dry run.
    Exit code 0: done; 1: refused, or retained by the store; 3: a store or a removal failed.
    """
    world, settings, stores = which.load(with_database=not dry_run)
    capped = [each.model_copy(update={"max_deletions": max_deletions or each.max_deletions}) for each in stores]
    hours = settings.every_hours if kind == "database" else settings_of(world).every_hours
    return BY_LEVEL[worst(asyncio.run(_prune(world, SPACES[kind], hours, capped, dry_run=dry_run)))]


async def _prune(world: Target, space: str, hours: float, stores: list[BackupStore], *, dry_run: bool) -> list[Level]:
    """Everything from looking to removing, while nobody else changes the target; looking alone needs no lock."""
    if dry_run:
        return [_prune_one(world, space, hours, each, dry_run=True) for each in stores]
    async with one_change_at_a_time(world, "backups prune"):
        return [_prune_one(world, space, hours, each, dry_run=False) for each in stores]


def _prune_one(world: Target, space: str, hours: float, keep: BackupStore, *, dry_run: bool) -> Level:
    """One store; whatever is wrong with it does not keep the others from being pruned."""
    try:
        store = store_of(keep, world.name + space)
        listing, store_now = store.listing(), store.now_by_reading() if dry_run else store.now()
        now = dt.datetime.now(dt.UTC)
        plan = plan_retention(listing, keep, now=now, store_now=store_now, every_hours=hours)
    except AtomOpsError as error:
        typer.echo(f"{keep.store} was not pruned: {error}", err=True)
        return Level.UNKNOWN
    views.show(views.plan_lines(plan, now, dry_run=dry_run))
    if store_now is None:
        typer.echo("its clock was not compared with ours: it can only be read by writing")
    level = Level.WARNING if plan.refusals else Level.OK
    if dry_run or not plan.deletions:
        return level
    done = carry_out(plan, store)
    views.show(views.pruned_lines(done))
    if done.failed:
        return Level.UNKNOWN
    return Level.WARNING if done.retained else level


async def _judge_any(found: Found, world: Target, settings: Backups) -> Level:
    if found.backup_set.manifest.configuration is None:
        return await _judge_proof(found, settings)
    place = f"{found.backup_set.id} in {found.store.name}"
    try:
        proof = await prove_configuration(found.store, found.backup_set.manifest, identity_of(world))
    except AtomOpsError as error:
        typer.echo(f"{place}: unknown: {error}", err=True)
        return Level.UNKNOWN
    typer.echo(f"{place}: {proof.sentence}" + (f"; {proof.action}" if proof.action else ""))
    return _LEVELS[proof.result]


async def _judge_proof(found: Found, settings: Backups) -> Level:
    manifest, place = found.backup_set.manifest, f"{found.backup_set.id} in {found.store.name}"
    try:
        tools = await tools_for(settings, int(manifest.client_version.split(".")[0]))
        with workshop(settings) as work:
            async with bench(settings, tools, work) as on:
                proof = await prove_stored(found.store, manifest, on, work)
    except AtomOpsError as error:
        typer.echo(f"{place}: unknown: {error}", err=True)
        return Level.UNKNOWN
    for line in (*proof.differences, *proof.notes):
        typer.echo(f"{place}: {line}")
    typer.echo(f"{place}: {proof.sentence}" + (f"; {proof.action}" if proof.action else ""))
    return _LEVELS[proof.result]


def _judge_checksums(found: Found) -> Level:
    manifest, place = found.backup_set.manifest, f"{found.backup_set.id} in {found.store.name}"
    try:
        problems = verify_checksums(found.store, manifest)
    except AtomOpsError as error:
        typer.echo(f"{place}: unknown: {error}", err=True)
        return Level.UNKNOWN
    for problem in problems:
        typer.echo(f"{place}: {problem}")
    if problems:
        typer.echo(f"{place}: damaged, {plural(len(problems), 'problem')}: use another set or store")
        return Level.CRITICAL
    typer.echo(f"{place}: {plural(len(manifest.files), 'file')}, {size(manifest.bytes)}, every byte as it was written")
    return Level.OK


def _plain(settings: BackupStore, world: Target) -> PlainDumps | Unseen | None:
    folder, over = plain_folder(settings), time.monotonic() + _PLAIN_SECONDS
    if folder is None:
        return None
    return plain_dumps.look(folder, ZoneInfo(world.timezone), stop=lambda: time.monotonic() > over)


def _folder(found: Found) -> str:
    """Where the set's files lie, or what to call the folder that they are copied to."""
    store = found.store
    return str(store.folder(found.backup_set.id)) if isinstance(store, LocalStore) else found.backup_set.id


def _store_json(look: Listed, plain: PlainDumps | Unseen | None, now: dt.datetime) -> dict[str, Any]:
    sets = [
        {
            "id": each.id,
            "kind": each.manifest.kind,
            "database": each.database,
            "at": each.at.isoformat(),
            "age_seconds": (now - each.at).total_seconds(),
            "bytes": each.manifest.bytes,
            "is_proven": each.is_proven,
            "proof": to_jsonable_python(each.proof),
        }
        for each in look.listing.sets
    ]
    return {
        "store": look.settings.store,
        "error": str(look.error) if look.error else None,
        "sets": sets,
        "unreadable": to_jsonable_python(look.listing.unreadable),
        "plain_dumps": to_jsonable_python(plain),
    }


def _print_json(tree: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(tree, option=orjson.OPT_INDENT_2).decode())
