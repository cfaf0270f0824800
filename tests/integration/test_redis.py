import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from atomops import shell
from atomops.checks.redis_server import redis_answers
from atomops.errors import AccessDenied, NotThere, TemporaryError, Unreachable
from atomops.facts.outcome import Outcome
from atomops.facts.redis import Queue, mode, number, word
from atomops.probes.parts import REDIS
from atomops.sandbox.redis import RedisServer, redis_server
from atomops.verdict import Level, NotSeen, Unseen
from tests import servers
from tests.integration.redis_looks import failure, look
from tests.ports import own_port
from tests.targets import findings
from tests.waiting import wait_until


def as_user(server: RedisServer, *rights: str) -> str:
    """The address of a user who may do just this, with the password "hunter2"."""
    with server.connect() as client:
        client.execute_command("ACL", "SETUSER", "atom", "reset", "on", ">hunter2", *rights)
    return f"redis://atom@127.0.0.1:{server.port}/0"


@pytest.fixture(scope="module", params=["valkey", "redis"])
def program(request: pytest.FixtureRequest) -> Path:
    return servers.required(lambda: servers.redis_program(request.param))


@contextmanager
def started(program: Path, folder: Path, *options: str) -> Iterator[RedisServer]:
    with redis_server(program, folder, options=options) as server:
        yield server


def test_everything_is_seen_of_a_real_server(redis: RedisServer) -> None:
    with redis.connect() as client:
        client.delete("rq:queue:default", "rq:failed:default")
        client.rpush("rq:queue:default", "one", "two")
        client.zadd("rq:failed:default", {"three": 3})
    before = time.time()
    facts = look(redis.url, redis.password, queues=("default", "mail"))
    took = time.time() - before

    assert facts.refusal == ""
    assert isinstance(facts.latency, float)
    assert 0 < facts.latency < took
    assert number(facts, "used_memory") > 0
    assert word(facts, "role") == "master"
    assert isinstance(facts.clock_offset, float)
    assert abs(facts.clock_offset) < took
    assert facts.saves is False
    assert facts.queues == (Queue("default", 2, 1), Queue("mail", 0, 0))


def test_evictions_count_since_the_last_look_and_a_full_memory_is_critical(redis: RedisServer) -> None:
    with redis.connect() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 300_000)
        before = look(redis.url, redis.password)
        for each in range(400):
            client.set(f"key-{each}", "x" * 4000)
        found = findings(REDIS, look(redis.url, redis.password), before)
        client.config_set("maxmemory", 0)
        client.flushdb()

    assert found["REDIS-EVICTED"].level is Level.WARNING
    assert found["REDIS-MEMORY"].level is Level.CRITICAL


def test_hits_are_a_share_of_the_look_ups_since_the_last_look(redis: RedisServer) -> None:
    before = look(redis.url, redis.password)
    with redis.connect() as client:
        client.set("there", 1)
        for key in ("there", "there", "there", "not there"):
            client.get(key)
        client.delete("there")

    assert findings(REDIS, look(redis.url, redis.password), before)["REDIS-HIT-RATIO"].observed == 0.75


def test_reset_counters_make_every_change_unknown(redis: RedisServer) -> None:
    before = look(redis.url, redis.password)
    with redis.connect() as client:
        client.config_resetstat()
    found = findings(REDIS, look(redis.url, redis.password), before)

    assert {found[code].level for code in ("REDIS-HIT-RATIO", "REDIS-EVICTED", "REDIS-REJECTED")} == {Level.UNKNOWN}


def test_a_missing_password_is_told_from_a_wrong_one(redis: RedisServer) -> None:
    missing, wrong = failure(redis.url), failure(redis.url, "hunter2")

    assert isinstance(missing, AccessDenied)
    assert "NOAUTH" in missing.what
    assert "redis.password" in missing.action
    assert isinstance(wrong, AccessDenied)
    assert "WRONGPASS" in wrong.what


def test_a_password_for_a_server_without_one_is_told_too(program: Path, server_folder: Path) -> None:
    with started(program, server_folder) as server:
        error = failure(server.url, "hunter2")

    assert isinstance(error, AccessDenied)
    assert "has no password" in error.what


def test_a_wrong_password_never_shows(redis: RedisServer) -> None:
    error: BaseException | None = failure(redis.url, "hunter2")

    while error is not None:
        assert "hunter2" not in f"{error!r} {error}"
        error = error.__cause__


def test_an_unknown_user_is_refused_and_a_known_one_comes_in(redis: RedisServer) -> None:
    assert "WRONGPASS" in failure(redis.url.replace("//", "//nobody@"), "hunter2").what
    assert look(as_user(redis, "+@all", "~*"), "hunter2").refusal == ""


def test_each_command_that_an_acl_forbids_is_unseen_by_itself_with_its_remedy(redis: RedisServer) -> None:
    facts = look(as_user(redis, "+ping", "+time"), "hunter2", queues=("default",))

    assert isinstance(facts.latency, float)
    assert isinstance(facts.clock_offset, float)
    assert isinstance(facts.info, Unseen)
    assert facts.info.action == "ACL SETUSER atom +info"
    assert isinstance(facts.saves, Unseen)
    assert facts.saves.action == "ACL SETUSER atom +config|get"
    assert isinstance(facts.queues, Unseen)
    assert facts.queues.action == "ACL SETUSER atom +llen +zcard ~rq:*"


def test_the_remedies_together_show_everything(redis: RedisServer) -> None:
    rights = ("+ping", "+info", "+time", "+config|get", "+llen", "+zcard", "~rq:*")
    facts = look(as_user(redis, *rights), "hunter2", queues=("default",))
    seen = (facts.latency, facts.info, facts.clock_offset, facts.saves, facts.queues)

    assert not [part for part in seen if isinstance(part, Unseen)]


def test_a_forbidden_ping_leaves_only_the_latency_unseen(redis: RedisServer) -> None:
    facts = look(as_user(redis, "+info"), "hunter2")

    assert isinstance(facts.latency, Unseen)
    assert facts.latency.action == "ACL SETUSER atom +ping"
    assert number(facts, "used_memory") > 0


def test_a_key_of_another_kind_is_not_taken_for_a_queue(redis: RedisServer) -> None:
    with redis.connect() as client:
        client.set("rq:queue:odd", "not a list")
    facts = look(redis.url, redis.password, queues=("odd",))

    assert isinstance(facts.queues, Unseen)
    assert "wrong kind of value" in facts.queues.reason


def test_a_database_that_does_not_exist_is_named(redis: RedisServer) -> None:
    error = failure(redis.url.replace("/0", "/99"), redis.password)

    assert isinstance(error, NotThere)
    assert "no database of that number" in error.what


def test_a_full_server_is_a_temporary_error(program: Path, server_folder: Path) -> None:
    with started(program, server_folder, "maxclients 1") as server, server.connect() as client:
        client.ping()
        error = failure(server.url)

    assert isinstance(error, TemporaryError)
    assert "maxclients" in error.what


def test_a_unix_socket_is_asked(program: Path, server_folder: Path) -> None:
    path = server_folder / "redis.sock"
    with started(program, server_folder, f"unixsocket {path}"):
        assert look(f"unix://{path}").refusal == ""
    error = failure(f"unix://{server_folder}/nothing.sock")

    assert isinstance(error, Unreachable)
    assert "nothing.sock is a socket that is not there" in error.what


def test_a_server_that_cannot_save_refuses_even_ping_and_still_shows_why(program: Path, tmp_path: Path) -> None:
    lost = tmp_path / "lost"
    lost.mkdir()
    with started(program, tmp_path, "save 3600 1", f"dir {lost}") as server:
        with server.connect() as client:
            lost.rmdir()
            client.bgsave()
            wait_until(lambda: client.info()["rdb_last_bgsave_status"] == "err", "the save to fail")
        facts = look(server.url)
        with server.connect() as client:
            client.config_set("save", "")  # else it does not want to end

    assert facts.refusal.startswith("MISCONF")
    assert redis_answers(Outcome("redis", 0.1, facts=facts)).value == 1
    assert word(facts, "rdb_last_bgsave_status") == "err"
    assert facts.saves is True


def test_a_server_that_loads_is_seen_loading(program: Path, tmp_path: Path) -> None:
    slowly = f"dir {tmp_path}\nkey-load-delay 2000\nloading-process-events-interval-bytes 1024\n"
    with started(program, tmp_path, f"dir {tmp_path}") as server, server.connect() as client:
        client.mset({f"key-{number}": secrets.token_bytes(2000) for number in range(2000)})
        client.save()
    with running(program, tmp_path, slowly) as url:
        facts = look(url, queues=("default",))

    assert "loading" in facts.refusal
    assert number(facts, "loading") == 1
    assert isinstance(facts.queues, Unseen)


def test_a_sentinel_says_what_it_is(program: Path, tmp_path: Path) -> None:
    with running(program, tmp_path, "sentinel monitor atom 127.0.0.1 1 1\n", "--sentinel") as url:
        facts = look(url)

    assert mode(facts) == "sentinel"
    assert number(facts, "uptime_in_seconds") >= 0
    with pytest.raises(NotSeen, match="this is a Sentinel"):
        number(facts, "used_memory")


@contextmanager
def running(program: Path, folder: Path, settings: str, *options: str) -> Iterator[str]:
    """The address of a server that accepts connections, though it may answer none of them."""
    port = own_port()
    configuration = folder / "odd.conf"
    configuration.write_text(f"port {port}\nbind 127.0.0.1\n{settings}", encoding="utf-8")
    server = shell.start([program, configuration, *options], log=folder / "odd.log", cwd=folder)
    try:
        wait_until(lambda: accepts(port), "the port")
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.stop()


def accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_replica_that_has_lost_its_primary_is_seen(program: Path, server_folder: Path) -> None:
    with started(program, server_folder, "replicaof 127.0.0.1 1") as server:
        facts = look(server.url)
        with server.connect() as client:
            client.config_set("replica-serve-stale-data", "no")
        stale = look(server.url, queues=("default",))

    assert (word(facts, "role"), word(facts, "master_link_status")) == ("slave", "down")
    assert facts.refusal == ""
    assert "MASTER is down" in stale.refusal
    assert redis_answers(Outcome("redis", 0.1, facts=stale)).value == 1
    assert word(stale, "master_link_status") == "down"
    assert isinstance(stale.queues, Unseen)


def test_a_node_of_a_cluster_says_what_it_is(program: Path, server_folder: Path) -> None:
    bus = f"cluster-port {own_port()}"  # else it is the port plus 10,000, which may be too high
    with started(program, server_folder, "cluster-enabled yes", bus) as server:
        facts = look(server.url, queues=("default",))

    assert mode(facts) == "cluster"
    assert isinstance(facts.queues, Unseen)
