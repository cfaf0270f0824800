"""The whole world in one folder: PostgreSQL, Valkey, the application, and an inventory that points at them.

Start it from a thread that outlives it, such as the main one: its servers die with the thread that started them.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyrage.x25519 import Identity

from atomops.sandbox import inventory, seed
from atomops.sandbox.alert_rules import rules
from atomops.sandbox.application.log_history import write_history
from atomops.sandbox.application.server import ApplicationServer, application_server
from atomops.sandbox.application.settings import Settings
from atomops.sandbox.prometheus import PrometheusServer, prometheus_server
from atomops.sandbox.redis import RedisServer, bundled_server, redis_server
from atomops.scratch.installations import bundled_binaries
from atomops.scratch.postgres import PostgresServer, postgres_server

_POSTGRES = {"shared_preload_libraries": "pg_stat_statements", "max_connections": "40", "shared_buffers": "64MB"}
_REDIS = ("maxmemory 64mb", "maxmemory-policy allkeys-lru")


@dataclass(frozen=True)
class World:
    """A running world; the one target of its inventory is called `sandbox`."""

    folder: Path
    history: Path
    inventory: Path
    log: Path
    postgres: PostgresServer
    redis: RedisServer
    application: ApplicationServer
    prometheus: PrometheusServer | None


@contextmanager
def world(folder: Path, history: Path) -> Iterator[World]:
    """Everything runs and has something to say. At the end every process is gone; the files stay in `folder`."""
    (folder / "secrets").mkdir(mode=0o700)
    owner, reader, changer = (_secret(folder, name) for name in (seed.OWNER, seed.READER, seed.CHANGER))
    password, token = _secret(folder, "redis"), _secret(folder, "admin")
    log = folder / "logs" / "atom.log"
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(bundled_server(), folder, password=_read(password), options=_REDIS))
        postgres = stack.enter_context(postgres_server(bundled_binaries(), folder, settings=_POSTGRES))
        seed.fill(postgres, owner=_read(owner), reader=_read(reader), changer=_read(changer))
        write_history(log)
        settings = Settings(0, postgres.dsn(seed.DATABASE, seed.OWNER), owner, redis.url, password, log, token)
        application = stack.enter_context(application_server(folder, settings))
        prometheus = _prometheus(stack, folder, application.url)
        file = folder / "inventory.toml"
        running = World(folder, history, file, log, postgres, redis, application, prometheus)
        kept = {"environment": _environment(folder, running), "identity": _identity(folder)}
        inventory.write(running, reader=reader, changer=changer, redis=password, admin=token, **kept)
        yield running


def _prometheus(stack: ExitStack, folder: Path, application: str) -> PrometheusServer | None:
    """A Prometheus that scrapes the application, when its binary is on the machine; no wheel carries one."""
    program = shutil.which("prometheus")
    if program is None:
        return None
    address = application.removeprefix("http://")
    return stack.enter_context(prometheus_server(Path(program), folder, {"atom": address}, rules=rules()))


def _environment(folder: Path, running: World) -> Path:
    """What a unit or a container of the application would get, so that there is a configuration to back up."""
    file = folder / "atom.env"
    file.touch(mode=0o600)
    database = running.application.settings.database.replace("://", f"://:{_read(folder / 'secrets' / seed.OWNER)}@", 1)
    lines = [
        "# of the sandbox's application",
        "LOG_LEVEL=info",
        f"DATABASE_URL={database}",
        f"REDIS_URL={running.redis.url}",
    ]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file


def _identity(folder: Path) -> Path:
    file = folder / "secrets" / "age-identity"
    file.touch(mode=0o600)
    file.write_text(str(Identity.generate()), encoding="utf-8")
    return file


def _secret(folder: Path, name: str) -> Path:
    file = folder / "secrets" / name
    file.touch(mode=0o600)
    file.write_text(secrets.token_urlsafe(18), encoding="utf-8")
    return file


def _read(secret: Path) -> str:
    return secret.read_text(encoding="utf-8")
