"""Command lines of PostgreSQL's own programs. Pure; a connection string in them never holds a password."""

from dataclasses import dataclass

DATA = "data"  # the dump itself, a folder in pg_dump's directory format
ROLES = "roles.sql"
TABLESPACES = "tablespaces.sql"
_NAMED_CODECS = 16  # before, --compress took nothing but gzip's level
_GZIP_LEVEL = "6"
_EXIT = "--exit-on-error"
_ERROR, _UNKNOWN_SETTING = "error: ", 'unrecognized configuration parameter "transaction_timeout"'


@dataclass(frozen=True)
class DumpOptions:
    """How a dump is made. `lock_wait` is in seconds; `major` is the client's version."""

    jobs: int
    codec: str
    lock_wait: float
    major: int


def dump(bin_folder: str, conninfo: str, into: str, snapshot: str, options: DumpOptions) -> list[str]:
    """A dump of exactly that snapshot, in directory format. Rows hidden by row-level security make it fail."""
    return [
        f"{bin_folder}/pg_dump",
        "--format=directory",
        f"--file={into}",
        f"--jobs={options.jobs}",
        f"--snapshot={snapshot}",
        f"--compress={_compression(options)}",
        f"--lock-wait-timeout={round(options.lock_wait * 1000)}",
        "--no-password",
        f"--dbname={conninfo}",
    ]


def dump_globals(  # noqa: PLR0913 - each is a plain part of the command line
    bin_folder: str, conninfo: str, into: str, *, database: str, only: str, passwords: bool
) -> list[str]:
    """What belongs to the whole server: `only` is "roles" or "tablespaces". It is asked for in `database`."""
    return [
        f"{bin_folder}/pg_dumpall",
        f"--{only}-only",
        f"--file={into}",
        "--no-password",
        *([] if passwords else ["--no-role-passwords"]),
        f"--dbname={conninfo}",
        f"--database={database}",
    ]


def restore(bin_folder: str, conninfo: str, archive: str, *, jobs: int) -> list[str]:
    """Everything of the archive into an empty database, ending at the first error; nothing that reaches out of it."""
    outside = ["--no-tablespaces", "--no-publications", "--no-security-labels"]
    return [*_restore(bin_folder, conninfo, jobs), *outside, archive]


@dataclass(frozen=True)
class RestoreOptions:
    """How a copy is restored: `jobs` side by side. `listed` is a file of the wanted entries, as `contents` prints them.

    `goes_on`: errors are told, and end nothing. Without `tablespaces` everything lies in the database's own.
    """

    jobs: int
    listed: str = ""
    goes_on: bool = False
    tablespaces: bool = True


def restore_live(bin_folder: str, conninfo: str, archive: str, options: RestoreOptions) -> list[str]:
    """The same for a database that is going to live: everything but subscriptions, which would begin to pull rows."""
    argv = _restore(bin_folder, conninfo, options.jobs)
    if options.goes_on:
        argv.remove(_EXIT)
    argv += [f"--use-list={options.listed}"] if options.listed else []
    argv += [] if options.tablespaces else ["--no-tablespaces"]
    return [*argv, archive]


def said_nothing_worse(stderr: str) -> bool:
    """Whether a pg_restore that goes on has failed of nothing but the one setting that an older server does not know.

    pg_restore 17 and newer set it in each of their sessions, whatever the server is.
    """
    told = [line for line in stderr.splitlines() if _ERROR in line]
    return bool(told) and all(_UNKNOWN_SETTING in line for line in told)


def contents(bin_folder: str, archive: str) -> list[str]:
    """The table of contents of an archive."""
    return [f"{bin_folder}/pg_restore", "--list", archive]


def analyze(bin_folder: str, conninfo: str, *, jobs: int) -> list[str]:
    """Statistics of every table: a restored database has none, and plans badly without."""
    return [f"{bin_folder}/vacuumdb", "--analyze-only", f"--jobs={jobs}", "--no-password", f"--dbname={conninfo}"]


def dump_schema(bin_folder: str, conninfo: str, into: str, *, schema: str) -> list[str]:
    """The tables of one schema with their rows, without what refers to others (foreign keys, triggers)."""
    argv = [f"{bin_folder}/pg_dump", "--format=custom", f"--file={into}", f'--schema="{schema}"', "--no-password"]
    return [*argv, "--section=pre-data", "--section=data", f"--dbname={conninfo}"]


def restore_schema(bin_folder: str, conninfo: str, archive: str) -> list[str]:
    """All of it or nothing."""
    argv = [f"{bin_folder}/pg_restore", "--single-transaction", "--exit-on-error", "--no-password"]
    return [*argv, f"--dbname={conninfo}", archive]


def _restore(bin_folder: str, conninfo: str, jobs: int) -> list[str]:
    argv = [f"{bin_folder}/pg_restore", _EXIT, f"--jobs={jobs}", "--no-subscriptions", "--no-password"]
    return [*argv, f"--dbname={conninfo}"]


def check_indexes(bin_folder: str, conninfo: str, *, jobs: int) -> list[str]:
    """Every row of every table is in its indexes, and they are in order."""
    argv = [f"{bin_folder}/pg_amcheck", "--heapallindexed", "--install-missing", f"--jobs={jobs}", "--no-password"]
    return [*argv, conninfo]


def _compression(options: DumpOptions) -> str:
    if options.major >= _NAMED_CODECS:
        return options.codec
    name, _, level = options.codec.partition(":")
    return "0" if name == "none" else level or _GZIP_LEVEL
