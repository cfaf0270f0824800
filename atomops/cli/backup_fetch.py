"""`atomops backups fetch`: a set as plain files in a folder, for PostgreSQL's own programs or for a look inside."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic_core import to_jsonable_python
from rich.text import Text

from atomops.backup.fetching import fetch
from atomops.backup.making import telling_full_disk
from atomops.cli import backup_views as views
from atomops.cli.backup_options import SetArgument, Which, about_backups
from atomops.cli.backup_stores import Found, find, listed
from atomops.cli.backups import backups
from atomops.commands.by_hand import restore_by_hand
from atomops.errors import AtomOpsError, NotThere, PermanentError
from atomops.facts.backup import MANIFEST
from atomops.humane import plural, size
from atomops.inventory import Backups

_UNFINISHED = ".unfinished"


@backups.command("fetch")
@about_backups
def fetch_set(
    which: Which, set_id: SetArgument, folder: Annotated[Path, typer.Argument(help="a folder that is not there yet")]
) -> int:
    """Copy a set into a folder, every byte checked and decrypted, and say how to restore it by hand.

    Of several stores the first that has it whole is used. Needs neither PostgreSQL nor a Prefect server.
    """
    if folder.exists():
        raise PermanentError(f"{folder} is there already", action="name a folder that is not")
    world, settings, stores = which.load()
    found = find(list(listed(world, stores)), set_id)
    source = _first_whole(found, settings, folder)
    manifest = source.backup_set.manifest
    told = f"{plural(len(manifest.files), 'file')}, {size(manifest.bytes)}, every byte as it was written"
    by_hand = restore_by_hand(replace(manifest, encrypted_for=()), str(folder))
    views.show([Text(line) for line in (f"{set_id} from {source.store.name} is in {folder}: {told}", "", *by_hand)])
    return 0


def _first_whole(found: list[Found], settings: Backups, folder: Path) -> Found:
    """The copy that could be fetched; each that could not is told. Raises what the last one says."""
    problem: AtomOpsError = NotThere("no store has it")
    for each in found:
        try:
            _fetch(each, settings, folder)
        except AtomOpsError as error:
            typer.echo(f"{each.backup_set.id} from {each.store.name}: {error}", err=True)
            problem = error
        else:
            return each
    raise problem


def _fetch(found: Found, settings: Backups, folder: Path) -> None:
    """All or nothing: the folder has its name when the last byte is in it."""
    manifest = found.backup_set.manifest
    if manifest.encrypted_for and settings.identity is None:
        raise NotThere(f"{manifest.id} is encrypted, and no identity is at hand", action="set backups.identity")
    unfinished = folder.with_name(folder.name + _UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with telling_full_disk(folder):
            unfinished.mkdir(mode=0o700, parents=True)
            fetch(found.store, manifest, unfinished, settings.identity)
            told = orjson.dumps(to_jsonable_python(manifest), option=orjson.OPT_INDENT_2)
            (unfinished / MANIFEST).write_bytes(told)
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
