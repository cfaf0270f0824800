"""How a set is restored by hand, with nothing but PostgreSQL's own programs: for the day when Atom Ops is not there."""

import shlex
from collections.abc import Iterator

from atomops.commands.postgres import ROLES
from atomops.facts.backup import Manifest
from atomops.humane import plural

_AGE = ".age"
_NOTES = "#"


def restore_by_hand(manifest: Manifest, folder: str) -> tuple[str, ...]:
    """Lines for a shell, comments among them, that restore the set into a new database beside the old one.

    `folder` is where the set's files lie, or will lie. The server is the one that PGHOST, PGPORT and PGUSER name.
    """
    return tuple(_lines(manifest, folder))


def _lines(manifest: Manifest, folder: str) -> Iterator[str]:
    new = f"{manifest.database}_restored"
    archive, roles = _archive(manifest), _find(manifest, ROLES)
    client = manifest.client_version.split(".")[0]
    yield f"{_NOTES} pg_restore {client} or newer; a superuser, or a role that may create roles"
    if manifest.encrypted_for:
        yield f"{_NOTES} encrypted for {', '.join(manifest.encrypted_for)}: key.txt holds the private key"
        yield _decrypt(folder)
    if roles:
        yield f"{_NOTES} roles; what is said of those that exist already can be ignored"
        yield _command("psql", "--no-psqlrc", "--dbname=postgres", f"--file={folder}/{roles}")
    origin = manifest.origin
    yield _command(
        "createdb", "--template=template0", f"--encoding={origin.encoding}", f"--locale={origin.locale}", new
    )
    yield _command("pg_restore", "--exit-on-error", "--jobs=2", f"--dbname={new}", f"{folder}/{archive}")
    for statement in (*origin.settings, *origin.grants):
        yield f"{_NOTES} for the new name: {statement}"
    yield _command("vacuumdb", "--analyze-only", "--jobs=2", f"--dbname={new}")
    held = f"{plural(manifest.contents.rows, 'row')} in {plural(len(manifest.contents.tables), 'table')}"
    yield f"{_NOTES} compare: {held}; then rename both databases"


def _archive(manifest: Manifest) -> str:
    """The folder of the directory format, or the one file of another."""
    contents = _find(manifest, "toc.dat")
    if contents:
        return contents.rpartition("/")[0] or "."
    largest = max(manifest.files, key=lambda file: file.bytes, default=None)
    return largest.path.removesuffix(_AGE) if largest else ""


def _find(manifest: Manifest, name: str) -> str:
    """The path of that file as it is after decryption, or ""."""
    paths = (file.path.removesuffix(_AGE) for file in manifest.files)
    return next((path for path in paths if path.rpartition("/")[2] == name), "")


def _decrypt(folder: str) -> str:
    each = 'age --decrypt --identity key.txt --output "${1%.age}" "$1"'
    return f"find {shlex.quote(folder)} -name '*{_AGE}' -exec sh -c {shlex.quote(each)} _ '{{}}' ';'"


def _command(*argv: str) -> str:
    return shlex.join(argv)
