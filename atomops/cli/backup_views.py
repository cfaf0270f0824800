"""Backup sets, retention plans and what came of them, as tables and lines for a terminal."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from atomops.cli.backup_stores import DATABASE, Listed
from atomops.commands.by_hand import restore_by_hand
from atomops.facts.backup import BackupSet, Manifest, Result
from atomops.facts.backup_stores import PlainDump, PlainDumps
from atomops.humane import plural, size, span
from atomops.plans.configuration.words import NOTHING, by_hand
from atomops.plans.retention import RetentionPlan
from atomops.reports.strings import clean
from atomops.stores.pruning import Pruned
from atomops.verdict import Unseen

_PIPED = 160  # columns where there is no terminal to fit
_COLOURS = {Result.RESTORED: "green", Result.READ: "green", Result.INTACT: "yellow", Result.FAILED: "red"}


def show(lines: Iterable[RenderableType]) -> None:
    """Print them; text from stores is never read as markup."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED)
    for line in lines:
        console.print(line, soft_wrap=isinstance(line, Text))  # a command is to be copied whole


def store_lines(look: Listed, plain: PlainDumps | Unseen | None, now: dt.datetime) -> Iterator[RenderableType]:
    """One store: its sets, what of it is no set, and the files of the guide's own script."""
    of = "" if look.kind == DATABASE else f" ({look.kind})"
    yield Text(clean(f"\n{look.settings.store}{of}"), "bold")
    if look.error:
        yield Text(clean(f"cannot be listed: {look.error}"), "red")
    elif not look.listing.sets:
        yield Text("no sets")
    else:
        rows = (
            (each.id, each.manifest.kind, each.database, _age(each.at, now), size(each.manifest.bytes), _proof(each))
            for each in look.listing.sets
        )
        yield table(("set", "kind", "database", "age", "size", "proof"), rows)
    if look.listing.unreadable:
        yield Text("cannot be read, and is never touched:", "yellow")
        yield table(("name", "reason"), ((each.name, each.reason) for each in look.listing.unreadable))
    if isinstance(plain, Unseen):
        yield Text(clean(plain.reason), "yellow")
    elif plain and plain.number:
        told = f"{plural(plain.number, 'plain dump')} of the guide's own script, {size(plain.bytes)}, never pruned"
        yield Text(f"{told}; the newest {len(plain.newest)}:", "yellow")
        files = (
            (each.path.rpartition("/")[2], _age(each.at, now), size(each.bytes), plain_state(each))
            for each in plain.newest
        )
        yield table(("file", "age", "size", "state"), files)


def plain_state(each: PlainDump) -> str:
    """What can be said of such a file."""
    state = each.problem.reason if isinstance(each.problem, Unseen) else each.problem or "whole, unproven"
    return state + ("; every user may read it" if each.is_public else "")


def set_lines(found: BackupSet, stores: list[str], folder: str, now: dt.datetime) -> Iterator[RenderableType]:
    """One set in full: where it comes from, what it holds, what it is worth, and how to restore it by hand."""
    manifest = found.manifest
    yield Text(clean(manifest.id), "bold")
    yield _pairs(_facts(found, stores, now))
    yield Text("\ntables", "bold")
    yield table(
        ("table", "rows"), ((name, f"{table.rows:,}") for name, table in sorted(manifest.contents.tables.items()))
    )
    if manifest.contents.left_out:
        yield Text("\nnot in it, or not to be compared", "bold")
        yield _pairs(manifest.contents.left_out.items())
    yield Text("\nfiles", "bold")
    yield table(("file", "size", "SHA-256"), ((file.path, size(file.bytes), file.sha256) for file in manifest.files))
    yield Text("\nrestoring it by hand", "bold")
    for line in restore_by_hand(manifest, folder):
        yield Text(clean(line), "cyan")


def configuration_lines(found: BackupSet, stores: list[str], folder: str, now: dt.datetime) -> Iterator[RenderableType]:
    """One set of a configuration in full: what it holds, what not, and how to restore it by hand."""
    manifest = found.manifest
    known = manifest.configuration or NOTHING
    yield Text(clean(manifest.id), "bold")
    yield _pairs(
        [
            ("stores", ", ".join(stores)),
            ("configuration", f"of {known.runtime}, {'complete' if known.is_complete else 'INCOMPLETE'}"),
            ("at", f"{manifest.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC, {_age(manifest.at, now)} ago"),
            ("encrypted for", ", ".join(manifest.encrypted_for) or "nobody: nothing secret is in it"),
            ("size", f"{size(manifest.bytes)} in {plural(len(manifest.files), 'file')}"),
            ("proof", _sentence(found)),
        ]
    )
    yield Text("\nobjects and files", "bold")
    shown = ((each.name, ", ".join(each.shown.values()), "; ".join(each.notes)) for each in known.items)
    yield table(("name", "images, replicas", "notes"), shown)
    if known.not_taken:
        yield Text("\nnot in it", "bold")
        yield table(("name", "", "why"), ((each.name, str(each.why), each.reason) for each in known.not_taken))
    yield Text("\nrestoring it by hand", "bold")
    for line in by_hand(manifest, folder):
        yield Text(clean(line), "cyan")


def _facts(found: BackupSet, stores: list[str], now: dt.datetime) -> Iterator[tuple[str, str]]:
    manifest, origin = found.manifest, found.manifest.origin
    yield "stores", ", ".join(stores)
    yield (
        "database",
        f"{manifest.database} of {origin.address}, PostgreSQL {origin.server_version}, {size(origin.bytes)}",
    )
    yield "at", f"{manifest.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC, {_age(manifest.at, now)} ago, at {origin.lsn}"
    yield "made", f"on {manifest.made_on or 'an unnamed host'} with pg_dump {manifest.client_version}, {manifest.codec}"
    yield "encoding", f"{origin.encoding}, locale {origin.locale}"
    yield from _given(manifest)
    yield (
        "durations",
        ", ".join(f"{name} {span(seconds)}" for name, seconds in manifest.durations.items()) or "not noted",
    )
    yield "rows", f"{manifest.contents.rows:,} in {plural(len(manifest.contents.tables), 'table')}"
    yield "stored", f"{size(manifest.bytes)} in {plural(len(manifest.files), 'file')}"
    yield "proof", _sentence(found)
    if found.proof:
        proof = found.proof
        yield "proven", f"{proof.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC on {proof.host}, in {span(proof.seconds)}"
        for kind, told in (("differs", proof.differences), ("note", proof.notes)):
            yield from ((kind, each) for each in told)


def _given(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """What not every set has."""
    origin = manifest.origin
    lists = {"extensions": [f"{name} {version}" for name, version in origin.extensions.items()], "roles": origin.roles}
    lists |= {"settings": origin.settings, "grants": origin.grants, "encrypted": manifest.encrypted_for}
    lists |= {"slots": origin.slots, "subscriptions": origin.subscriptions, "tablespaces": origin.tablespaces}
    lists |= {"migration": [origin.migration] if origin.migration else []}
    return ((name, ", ".join(values)) for name, values in lists.items() if values)


def plan_lines(plan: RetentionPlan, now: dt.datetime, *, dry_run: bool) -> Iterator[RenderableType]:
    """What goes, why everything else stays, and what is refused."""
    yield Text(clean(f"\n{plan.store}"), "bold")
    for refusal in plan.refusals:
        yield Text.assemble(("refused: ", "bold red"), clean(refusal.reason))
        yield Text(clean(f"  ➜ {refusal.action}"), "cyan")
    would = "would " if dry_run else ""
    yield Text(f"{len(plan.deletions)} of {plural(len(plan.deletions) + len(plan.stays), 'set')} {would}go")
    rows = [("goes", each, "no rule wants it") for each in plan.deletions]
    rows += [("stays", stays.backup_set, "; ".join(stays.reasons)) for stays in plan.stays]
    if rows:
        told = ((word, each.id, _age(each.at, now), size(each.manifest.bytes), why) for word, each, why in rows)
        yield table(("", "set", "age", "size", "why"), told)


def pruned_lines(done: Pruned) -> Iterator[RenderableType]:
    """What became of what was to go."""
    gone = f", {len(done.gone)} had gone already" if done.gone else ""
    yield Text(f"{plural(len(done.removed), 'set')} removed{gone}", "green" if not done.failed else "")
    yield from (Text(clean(f"retained: {name}: {why}"), "yellow") for name, why in done.retained.items())
    yield from (Text(clean(f"failed: {name}: {why}"), "red") for name, why in done.failed.items())


def table(columns: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> Table:
    """Columns side by side, without lines."""
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for column in columns:
        grid.add_column(column, no_wrap=column in {"set", "age", "size", "database"}, overflow="fold")
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row))
    return grid


def _pairs(pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    for name, value in pairs:
        table.add_row(Text(clean(name), "dim"), Text(clean(value)))
    return table


def _proof(each: BackupSet) -> Text:
    return Text(clean(_sentence(each)), _COLOURS[each.proof.result] if each.proof else "yellow")


def _sentence(each: BackupSet) -> str:
    return each.proof.sentence if each.proof else "no proof yet"


def _age(at: dt.datetime, now: dt.datetime) -> str:
    return span((now - at).total_seconds())
