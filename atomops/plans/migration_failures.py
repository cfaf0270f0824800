"""Why the application's alembic has failed, in our own words: what to do, and whether it may pass by itself. Pure."""

import re

from atomops.errors import AtomOpsError, PermanentError, TemporaryError


class LockNotGranted(TemporaryError):
    """Somebody held a table for longer than a migration may wait; nothing of the statement was done."""


class UnknownRevision(PermanentError):
    """The database is at a revision, or was told one, that no script has."""


_REASONS: tuple[tuple[str, type[PermanentError | TemporaryError], str, str], ...] = (
    (
        r"invalid interpolation syntax",
        PermanentError,
        "its env.py hands the address of the database to configparser, where a % of the password must be doubled",
        'set migrations.password_in_url = false; or in env.py: config.set_main_option(..., url.replace("%", "%%"))',
    ),
    (
        r"Can't locate revision identified by '(?P<what>[^']*)'|No such revision or branch '(?P<other>[^']*)'",
        UnknownRevision,
        "no script has the revision {what}",
        "deploy the scripts that the database was migrated with: another release, or another branch",
    ),
    (
        r"Revision (?P<what>\S+) referenced from .* is not present",
        UnknownRevision,
        "the script of {what} is missing, and another one builds upon it",
        "deploy all of the application's scripts",
    ),
    (
        r"Multiple head revisions are present",
        PermanentError,
        "the history has several heads",
        "name a revision",
    ),
    (
        r"value too long for type character varying\(\d+\).*alembic_version",
        PermanentError,
        "alembic_version has no room for an id as long as this",
        "ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(255)",
    ),
    (
        r"lock timeout|LockNotAvailable|could not obtain lock",
        LockNotGranted,
        "a lock was not granted in time",
        "see who holds it (PG-LOCK-WAIT, PG-TRANSACTION-LONG), or migrate at a quieter hour",
    ),
    (
        r"statement timeout",
        PermanentError,
        "a statement took longer than the whole migration may",
        "raise migrations.timeout, or cut the migration into smaller ones",
    ),
    (
        r"must be owner of|permission denied",
        PermanentError,
        "the role may not do that",
        "set changes.dsn to the role that owns the application's tables",
    ),
    (
        r"password authentication failed",
        PermanentError,
        "the server refuses its password",
        "check changes.password, and that env.py takes the address from migrations.url_variable as it is",
    ),
    (
        r"Connection refused|could not translate host name|server closed the connection|terminating connection",
        TemporaryError,
        "it cannot reach the server, or has lost it",
        "look at the server, and at what env.py makes of the address",
    ),
    (
        r"No config file|No 'script_location' key|Path doesn't exist",
        PermanentError,
        "there is no alembic.ini, or no scripts, in its folder",
        "check migrations.directory",
    ),
    (
        r"(ModuleNotFoundError|ImportError): (?P<what>.*)",
        PermanentError,
        "its interpreter lacks what it imports: {what}",
        "name the application's own alembic in migrations.command, such as /srv/atom/.venv/bin/alembic",
    ),
    (
        r"KeyError: (?P<what>.*)|NoSuchModuleError: (?P<other>.*)",
        PermanentError,
        "its env.py misses something: {what}",
        "check migrations.url_variable, migrations.url_scheme and migrations.environment",
    ),
)


def failure(what: str, said: str, words: str) -> AtomOpsError:
    """The error for what was tried; `said` is all of its output, `words` the line that counts, without secrets."""
    for pattern, kind, reason, action in _REASONS:
        found = re.search(pattern, said)
        if found:
            groups = found.groupdict()
            told = reason.format(what=groups.get("what") or groups.get("other") or "")
            return kind(f"{what} failed: {told} ({words})", action=action)
    return PermanentError(f"{what} failed: {words}", action="look at the message, and at the script that it names")
