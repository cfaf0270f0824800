"""Rehearses a migration: on a copy of the database, restored from a proven set, with the same role and settings."""

import time
from dataclasses import dataclass, replace

import psycopg

from atomops.backup.access import Access
from atomops.backup.fetching import plain_files
from atomops.backup.prove import Bench, Course, Disproven, Unprovable, read_copy, restored_copy
from atomops.backup.scratch import empty_database, session
from atomops.errors import AtomOpsError, PermanentError
from atomops.facts.backup import BackupSet, Contents, Manifest
from atomops.facts.migration import Downgraded, MigrationFacts, Rehearsal
from atomops.migration.alembic import Alembic
from atomops.migration.losses import values_of
from atomops.migration.role import Role, made_alike, role_of
from atomops.migration.session import looking
from atomops.migration.watch import REHEARSAL_SECONDS, watched
from atomops.plans import migration as plan
from atomops.plans.comparison import compare
from atomops.probes import schema
from atomops.probes.contents import RECORD
from atomops.stores.store import Store
from atomops.verdict import Unseen


@dataclass(frozen=True)
class Copy:
    """A restored copy, and the application's alembic on it."""

    access: Access
    alembic: Alembic
    bench: Bench
    manifest: Manifest
    before: Contents

    async def contents(self) -> Contents:
        """Every row counted and hashed, as it was for the manifest."""
        return await read_copy(self.access, self.bench.settings, self.manifest.options.get("fingerprint", RECORD))

    async def catalogue(self) -> dict[str, str]:
        """The schema."""
        async with looking(self.access) as there:
            return await schema.catalogue(there)


class Astray(PermanentError):
    """The application's alembic works on another database than it was told: nothing may be rehearsed by it."""


async def rehearse(
    facts: MigrationFacts, alembic: Alembic, chosen: tuple[Store, BackupSet], on: Bench, *, downgrade: bool
) -> Rehearsal | Unseen:
    """How the migration goes on the set, or why that cannot be tried here. Raises Astray.

    Before anything else it is made sure that alembic follows the variable by which it is pointed at the copy.
    """
    store, found = chosen
    role = await role_of(alembic.access)
    try:
        await _follows(alembic, on, found.manifest)
        course = Course()
        async with (
            plain_files(store, found.manifest, on.settings.identity, on.work) as folder,
            restored_copy(found.manifest, folder, on, course) as access,
        ):
            copy, notes = await _prepared(alembic, access, on, found.manifest, role)
            rehearsed = await _rehearsed(facts, copy, alembic.access, downgrade=downgrade)
            told = replace(rehearsed, backup=found.id, restore_seconds=course.durations.get("restore", 0))
            return replace(told, notes=(*course.notes, *notes, *told.notes))
    except Astray:
        raise
    except (Unprovable, Disproven) as error:
        action = (
            getattr(error, "action", "") or "take a new backup (nightly-backup), and look at why it does not restore"
        )
        return Unseen(f"the set {found.id} could not be restored for it: {error.reason}", action)
    except (AtomOpsError, psycopg.Error, OSError) as error:
        return Unseen(f"it could not be rehearsed: {getattr(error, 'what', error)}", getattr(error, "action", ""))


async def _follows(alembic: Alembic, on: Bench, manifest: Manifest) -> None:
    """In an empty database it must find no revision; else it did not look there."""
    async with empty_database(on.scratch, manifest.origin) as (decoy, _):
        found = await alembic.at(decoy, server_version=on.scratch.server_version).current()
    if found:
        variable = alembic.settings.url_variable
        what = f"told by {variable} to look at an empty database, the application's alembic found {', '.join(found)}"
        action = f"let env.py take the address from {variable} alone, or name the variable that it reads: url_variable"
        raise Astray(f"{what}: a rehearsal would not run on the copy", action=action)


async def _prepared(
    alembic: Alembic, access: Access, on: Bench, manifest: Manifest, role: Role
) -> tuple[Copy, tuple[str, ...]]:
    options, notes = await made_alike(role, on.scratch, access)
    async with session(access) as own:
        await own.execute("ANALYZE")  # a copy without statistics would be migrated by other plans
    there = alembic.at(access, *options, server_version=on.scratch.server_version)
    copy = Copy(access, there, on, manifest, manifest.contents)
    if on.scratch.major != manifest.origin.major:  # whose hashes may differ
        copy = replace(copy, before=await copy.contents())
    return copy, notes


async def _rehearsed(facts: MigrationFacts, copy: Copy, live: Access, *, downgrade: bool) -> Rehearsal:
    version = f"{copy.bench.scratch.server_version // 10_000}.{copy.bench.scratch.server_version % 10_000}"
    begun = Rehearsal(backup="", restore_seconds=0, seconds=0, server_version=version)
    current = await copy.alembic.current()
    if isinstance(facts.current, Unseen) or set(current) != set(facts.current):
        what = f"the set is of revision {', '.join(current) or 'none'}, not of that which the database is at now"
        raise PermanentError(what, action="take a new backup: nightly-backup")
    before = await copy.catalogue()
    started = time.monotonic()
    problem: AtomOpsError | None = None
    async with watched(copy.access, None, REHEARSAL_SECONDS) as tally:
        try:
            await copy.alembic.migrate(facts.action, facts.target)
        except AtomOpsError as error:
            problem = error
    timed = replace(begun, seconds=time.monotonic() - started, locks=tally.strongest())
    timed = replace(timed, keeps_settings=tally.names <= {copy.alembic.name} if tally.names else None)
    if problem is not None:
        return replace(timed, problem=problem.what, action=problem.action)
    after = await copy.catalogue()
    changes = plan.schema_changes(before, after)
    now = await copy.contents()
    rows = plan.row_changes(copy.before, now)
    tables, columns = plan.gone(changes, after)
    lost = plan.losses(copy.before, rows, tables, await values_of(live, columns))
    done = replace(timed, schema=changes, rows=rows, losses=lost)
    if not downgrade or facts.action != "upgrade":
        return done
    return replace(done, downgrade=await _back(facts, copy, before))


async def _back(facts: MigrationFacts, copy: Copy, before: dict[str, str]) -> Downgraded:
    """To the revision that it came from, and whether everything is as it was."""
    started = time.monotonic()
    current = facts.current
    if isinstance(current, Unseen) or len(current) != 1:
        return Downgraded(0, problem="a way back to several revisions at once is not tried")
    try:
        await copy.alembic.migrate("downgrade", current[0])
    except AtomOpsError as error:
        return Downgraded(time.monotonic() - started, problem=error.what)
    seconds = time.monotonic() - started
    differences = compare(copy.before, await copy.contents()).differences
    schema_differs = plan.schema_changes(before, await copy.catalogue())
    told = (
        f"{each.thing}: {each.before or 'was not there'} -> {each.after or 'is not there'}" for each in schema_differs
    )
    return Downgraded(seconds, (*differences, *told))
