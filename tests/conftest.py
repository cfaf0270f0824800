"""Real servers, started only when a test asks for them.

PostgreSQL and Redis are of one file each, since a file lists what is in the whole server; what is dear to start is of
the session, and each test has a place of its own there.
"""

import functools
import gc
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from atomops.sandbox.redis import RedisServer, redis_server
from atomops.scratch.place import make_folder
from atomops.scratch.postgres import PostgresServer
from tests import servers
from tests.ports import own_port
from tests.postgres_servers import copy_scratch_servers, postgres_server
from tests.rounds import IS_THOROUGH
from tests.s3_servers import SERVERS, S3Server
from tests.starter import starter

pytest_plugins = ["tests.leftovers"]
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell without job control starts what ends with "&"
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or no child of ours can be ended by Ctrl-C
settings.register_profile("house", deadline=None)  # how busy the machine is says nothing about a law
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files begin first, or one of them is still at work when the other core has nothing left to do.

    Of a test with very many cases `make test` tries the first few.
    """
    items[:] = sorted(_without_the_many(items), key=_seconds, reverse=True)
    gc.freeze()  # or each full collection looks through all that was imported


def _without_the_many(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    taken = Counter[str]()
    for item in items:
        few, name = item.get_closest_marker("few"), item.nodeid.partition("[")[0]
        taken[name] += 1
        if few is None or IS_THOROUGH or taken[name] <= few.args[0]:
            yield item


def _seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("slow")
    return float(mark.args[0]) if mark else 0


@pytest.fixture(scope="session", autouse=True)
def own_ports() -> Iterator[None]:
    """A server that a test stops keeps its port: nobody else answers there, and it can be started there again."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("atomops.scratch.postgres", "atomops.sandbox.redis", "atomops.sandbox.application.server"):
            patch.setattr(f"{module}.free_port", own_port)
        yield


@pytest.fixture(scope="session", autouse=True)
def scratch_servers_of_copies() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        copy_scratch_servers(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def end_of_the_starter() -> Iterator[None]:
    yield
    if starter.cache_info().currsize:
        starter().stop()


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    folder = make_folder("atomops-test-")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server. Whoever wants it is told it; no setting changes."""
    from tests.prefect_servers import prefect_server  # noqa: PLC0415 - a second, which most files need not wait for

    with prefect_server(tmp_path_factory.mktemp("prefect")) as address:
        yield address


@pytest.fixture(scope="module")
def postgres(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[PostgresServer]:
    """PostgreSQL 17, or the major that a test names: `@pytest.mark.parametrize("postgres", MAJORS, indirect=True)`."""
    major = getattr(request, "param", 17)
    with ExitStack() as stack:
        yield stack.enter_context(postgres_server(major, server_folder))


@pytest.fixture(scope="module", params=["valkey", "redis"])
def redis(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[RedisServer]:
    program = servers.required(lambda: servers.redis_program(request.param))
    with ExitStack() as stack:
        yield stack.enter_context(redis_server(program, server_folder, password="open sesame"))


@pytest.fixture(scope="session")
def s3(server_folder: Path) -> Iterator[Callable[[str], S3Server]]:
    """An S3 server by its name, started when first asked for."""
    with ExitStack() as stack:

        @functools.cache
        def started(name: str) -> S3Server:
            return stack.enter_context(SERVERS[name](server_folder / name))

        yield started
