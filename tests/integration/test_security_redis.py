"""Against real Redis and Valkey servers: with a password, without one, and with users of every kind."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from atomops.errors import AccessDenied, TimedOut, Unreachable
from atomops.facts.redis_access import RedisAccessFacts
from atomops.probes.parts import REDIS_ACCESS
from atomops.sandbox.redis import RedisServer, redis_server
from atomops.verdict import Unseen
from tests import servers
from tests.peers import black_hole, refused_port
from tests.targets import findings, look, target
from tests.waiting import PATIENCE


@pytest.fixture(scope="module", params=["valkey", "redis"])
def open_server(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[RedisServer]:
    program = servers.required(lambda: servers.redis_program(request.param))
    with ExitStack() as stack:
        yield stack.enter_context(redis_server(program, server_folder, options=("protected-mode no",)))


def seen_of(url: str, password: str | None = None) -> RedisAccessFacts:
    settings = {"url": url, "timeout": PATIENCE, **({"password": "env:X"} if password else {})}
    facts = look(REDIS_ACCESS, target(password or "", redis=settings))
    assert isinstance(facts, RedisAccessFacts)
    return facts


def bad(seen: RedisAccessFacts) -> dict[str, str]:
    return {code: str(each.level) for code, each in findings(REDIS_ACCESS, seen).items() if each.level != "OK"}


def test_a_server_with_a_password_turns_strangers_away(redis: RedisServer) -> None:
    seen = seen_of(redis.url, redis.password)
    assert isinstance(seen.stranger, str)
    assert "Authentication required" in seen.stranger
    assert bad(seen) == {}
    assert findings(REDIS_ACCESS, seen)["SEC-REDIS-DANGEROUS"].observed == 1
    assert str(redis.password) not in str(seen)


def test_a_server_without_one_is_open_and_says_so(open_server: RedisServer) -> None:
    seen = seen_of(open_server.url)
    assert (seen.stranger, seen.reveals) == ("", True)
    assert bad(seen) == {
        "SEC-REDIS-OPEN": "CRITICAL",
        "SEC-REDIS-PROTECTED": "WARNING",
        "SEC-REDIS-NOPASS": "WARNING",
    }


def test_a_narrow_user_is_told_which_rights_it_lacks(redis: RedisServer) -> None:
    with redis.connect() as client:
        client.execute_command("ACL", "SETUSER", "narrow", "reset", "on", ">hunter2", "+ping", "+info")
        client.execute_command("ACL", "SETUSER", "idle", "reset", "off", "nopass", "+@all")
        client.execute_command("ACL", "SETUSER", "job", "reset", "on", "nopass", "-@all", "+get")
    seen = seen_of(f"redis://narrow@127.0.0.1:{redis.port}/0", "hunter2")
    assert isinstance(seen.users, Unseen)
    assert seen.users.action == "ACL SETUSER narrow +acl|users +acl|getuser"
    levels = bad(seen)
    assert levels["SEC-REDIS-NOPASS"] == "UNKNOWN"
    assert "SEC-REDIS-OPEN" not in levels
    whole = seen_of(redis.url, redis.password)
    nopass = findings(REDIS_ACCESS, whole)["SEC-REDIS-NOPASS"]
    assert nopass.summary == "1 user without a password: job"
    with redis.connect() as client:
        client.execute_command("ACL", "DELUSER", "narrow", "idle", "job")


def test_what_cannot_be_asked_is_an_error_with_a_name(redis: RedisServer) -> None:
    with pytest.raises(Unreachable):
        seen_of(f"redis://127.0.0.1:{refused_port()}/0")
    with pytest.raises(AccessDenied):
        seen_of(redis.url, "hunter2-but-wrong")
    with black_hole() as silent, pytest.raises(TimedOut):
        look(REDIS_ACCESS, target(redis={"url": f"redis://127.0.0.1:{silent}/0", "timeout": 0.5}))
