"""Runs the application's alembic: with its own interpreter, in its own folder, on the database that we say."""

import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from atomops import shell
from atomops.backup.access import Access, access_of, changing
from atomops.commands import alembic as commands
from atomops.commands import alembic_output as output
from atomops.errors import NotThere
from atomops.facts.migration import Action, Revision
from atomops.inventory import Migrations, Target
from atomops.plans.migration_failures import failure
from atomops.reports.redact import redact
from atomops.scratch.leftovers import FOLDER_VARIABLE
from atomops.secret import Secret, secrets_in
from atomops.shell import Output

_ANY_EXIT_CODE = range(256)
_NOTICES_SINCE = 140_000  # PostgreSQL's version number


@dataclass(frozen=True)
class Alembic:
    """The application's alembic on one database. `name` is what its sessions are called, and nobody else's.

    `onlooker` is the same database through the role that may see what others do there.

    Every call bounds its own time, leaves no process, and raises what `failure` makes of what it says, TimedOut, or
    NotThere without the program or the folder. No password is in any of it.
    """

    settings: Migrations
    access: Access
    onlooker: Access
    work: Path | None
    lock_timeout: float
    hidden: tuple[str, ...] = field(repr=False)
    more_options: tuple[str, ...] = ()
    server_version: int = 0
    name: str = field(default_factory=lambda: f"atomops-migrate-{secrets.token_hex(3)}")

    def at(self, access: Access, *options: str, server_version: int = 0) -> "Alembic":
        """The same on another database, whose sessions get these settings besides."""
        hidden = (*self.hidden, *([access.password] if access.password else []))
        version = server_version or self.server_version
        there = replace(self, access=access, onlooker=access, more_options=options, server_version=version)
        return replace(there, hidden=hidden)

    async def history(self) -> tuple[Revision, ...]:
        """Every script that there is, the newest first. No database is asked."""
        found = await self._run(commands.history(self.settings.command), self.settings.look_timeout, "alembic history")
        return output.revisions(found)

    async def current(self) -> tuple[str, ...]:
        """The revisions that the database is at; none when it was never stamped. Raises UnknownRevision."""
        argv = commands.current(self.settings.command)
        found = await self._run(argv, self.settings.look_timeout, f"alembic current of {self.access.address}")
        return tuple(each.id for each in output.revisions(found))

    async def sql(self, action: Action, start: str, end: str) -> str:
        """The statements between two revisions, as alembic prints them. No database is asked."""
        argv = commands.print_sql(self.settings.command, action, start, end)
        return output.sql(await self._run(argv, self.settings.look_timeout, f"alembic {action} {start}:{end} --sql"))

    async def migrate(self, action: Action, revision: str) -> None:
        """The database is at that revision. Raises LockNotGranted and everything else that went wrong."""
        argv = commands.migrate(self.settings.command, action, revision)
        await self._run(argv, self.settings.timeout, f"alembic {action} {revision} on {self.access.address}")

    async def _run(self, argv: list[str], timeout: float, what: str) -> str:  # noqa: ASYNC109 - the child's own
        settings = self.settings
        if not settings.directory.is_dir():
            raise NotThere(f"there is no folder {settings.directory}", action="check migrations.directory")
        done = await shell.run(
            argv, timeout=timeout, env=self._environment(), cwd=settings.directory, accept=_ANY_EXIT_CODE
        )
        if done.exit_code != 0:
            raise self._failure(what, done)
        return done.stdout.decode(errors="replace")

    def _failure(self, what: str, done: Output) -> Exception:
        stdout = redact(done.stdout.decode(errors="replace"), self.hidden)
        stderr = redact(done.stderr, self.hidden)
        return failure(what, f"{stdout}\n{stderr}", output.last_words(stdout, stderr))

    def _environment(self) -> dict[str, str]:
        settings, password = self.settings, self.access.password
        given = {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in settings.environment.items()
        }
        parts = {name: str(value) for name, value in conninfo_to_dict(self.access.conninfo).items()}
        url = commands.address(parts, password if settings.password_in_url else None, settings.url_scheme)
        options = commands.session_options(
            commands.Patience(self.lock_timeout, settings.timeout),
            self.more_options,
            notices_our_end=self.server_version >= _NOTICES_SINCE,
        )
        ours = {
            settings.url_variable: url,
            "PGOPTIONS": f"{given.get('PGOPTIONS', '')} {options}".strip(),
            "PGAPPNAME": self.name,
            "PYTHONDONTWRITEBYTECODE": "1",  # looking leaves nothing in the application's folder
        }
        if self.work is not None:
            ours[FOLDER_VARIABLE] = str(self.work)  # by which the warden knows what is left of us after a kill -9
        if password is not None and not settings.password_in_url:
            ours["PGPASSWORD"] = password
        return given | ours


def migrations_of(target: Target) -> Migrations:
    """The target's settings for migrations. Raises NotThere when it has none."""
    if target.migrations is None:
        action = "add [targets.….migrations] with command and directory to the inventory"
        raise NotThere(f"the target {target.name} has no migrations", action=action)
    return target.migrations


def alembic_of(target: Target, work: Path | None) -> Alembic:
    """The target's alembic on the database that changes are made to. Raises NotThere without [….migrations]."""
    access = changing(target)
    known = {secret.value for secret in secrets_in(target) if secret.value}
    hidden = (*known, *([access.password] if access.password else []))
    onlooker = access_of(target).to(access.database)
    return Alembic(migrations_of(target), access, onlooker, work, target.changes.lock_timeout, hidden)
