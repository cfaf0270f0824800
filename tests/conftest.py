"""Real servers, started once a session and only when a test asks for them."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from atomops.sandbox.place import make_folder
from atomops.sandbox.postgres import PostgresServer, postgres_server
from atomops.sandbox.redis import RedisServer, redis_server
from tests import servers


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    folder = make_folder("atomops-test-")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[PostgresServer]:
    """PostgreSQL 17, or the major that a test names: `@pytest.mark.parametrize("postgres", MAJORS, indirect=True)`."""
    major = getattr(request, "param", 17)
    installation = servers.required(lambda: servers.postgres_installation(major))
    with ExitStack() as stack:
        yield stack.enter_context(postgres_server(installation, server_folder))


@pytest.fixture(scope="session", params=["valkey", "redis"])
def redis(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[RedisServer]:
    program = servers.required(lambda: servers.redis_program(request.param))
    with ExitStack() as stack:
        yield stack.enter_context(redis_server(program, server_folder, password="open sesame"))
