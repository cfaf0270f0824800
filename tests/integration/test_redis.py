import time

import pytest

from atomops.errors import AccessDenied, BadAnswer, TemporaryError, TimedOut, Unreachable
from atomops.facts.redis import RedisFacts
from atomops.inventory import Target
from atomops.probes.parts import REDIS
from atomops.sandbox.redis import RedisServer
from atomops.verdict import Level
from tests.peers import Page, black_hole, http_server, refused_port
from tests.targets import findings, look, target

PASSWORD = "open sesame"


def at(server: RedisServer, password: str = PASSWORD, **settings: object) -> Target:
    return target(password, redis={"url": server.url, "password": "env:P", "timeout": 2, **settings})


def test_a_healthy_server_is_read_in_full(redis: RedisServer) -> None:
    seen: RedisFacts = look(REDIS, at(redis))
    found = findings(REDIS, seen, seen)
    assert {finding.level for finding in found.values()} == {Level.OK}
    assert found["REDIS-MEMORY"].summary.endswith("maxmemory is not set)")
    assert found["REDIS-VERSION"].summary.startswith(("Redis 8", "Valkey 8"))


def test_the_queues_of_the_inventory_are_counted(redis: RedisServer) -> None:
    with redis.connect() as client:
        client.rpush("rq:queue:mails", "one", "two")
        client.zadd("rq:failed:mails", {"three": 1})
        found = findings(REDIS, look(REDIS, at(redis, queues=["mails"])))
        client.flushdb()
    assert found["REDIS-QUEUE-DEPTH"].observed == 2
    assert (found["REDIS-JOBS-FAILED"].level, found["REDIS-JOBS-FAILED"].observed) == (Level.WARNING, 1)


def test_evictions_count_since_the_last_look_and_a_full_memory_is_critical(redis: RedisServer) -> None:
    with redis.connect() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 300_000)
        before = look(REDIS, at(redis))
        for number in range(400):
            client.set(f"key-{number}", "x" * 4000)
        found = findings(REDIS, look(REDIS, at(redis)), before)
        client.config_set("maxmemory", 0)
        client.flushdb()
    assert found["REDIS-EVICTED"].level is Level.WARNING
    assert found["REDIS-MEMORY"].level is Level.CRITICAL


def test_hits_are_a_share_of_the_look_ups_since_the_last_look(redis: RedisServer) -> None:
    before = look(REDIS, at(redis))
    with redis.connect() as client:
        client.set("there", 1)
        for key in ("there", "there", "there", "not there"):
            client.get(key)
        client.delete("there")
    assert findings(REDIS, look(REDIS, at(redis)), before)["REDIS-HIT-RATIO"].observed == 0.75


def test_reset_counters_make_the_change_unknown(redis: RedisServer) -> None:
    with redis.connect() as client:
        client.get("anything")
        before = look(REDIS, at(redis))
        client.config_resetstat()
    finding = findings(REDIS, look(REDIS, at(redis)), before)["REDIS-HIT-RATIO"]
    assert finding.level is Level.UNKNOWN
    assert "reset" in finding.summary


def test_a_command_that_the_acl_forbids_hides_only_its_own_part(redis: RedisServer) -> None:
    with redis.connect() as client:
        client.acl_setuser("prober", enabled=True, passwords=[f"+{PASSWORD}"], commands=["+ping", "+time"])
    address = redis.url.replace("redis://", "redis://prober@")
    found = findings(REDIS, look(REDIS, target(PASSWORD, redis={"url": address, "password": "env:P"})))
    assert found["REDIS-LATENCY"].level is Level.OK
    assert found["REDIS-CLOCK-SKEW"].level is Level.OK
    assert found["REDIS-MEMORY"].level is Level.UNKNOWN
    assert "+info" in found["REDIS-MEMORY"].action


@pytest.mark.parametrize("password", ["hunter2-wrong", ""])
def test_a_wrong_or_missing_password_is_refused_and_never_shown(redis: RedisServer, password: str) -> None:
    with pytest.raises(AccessDenied, match="refuses the password") as caught:
        look(REDIS, at(redis, password))
    assert "hunter2" not in f"{caught.value!r}"


def test_no_password_at_all_where_one_is_needed_is_said(redis: RedisServer) -> None:
    with pytest.raises(AccessDenied, match=r"check redis\.password"):
        look(REDIS, target(redis={"url": redis.url}))


def test_a_server_with_no_free_connection_may_be_tried_again(redis: RedisServer) -> None:
    with redis.connect() as client:
        client.ping()
        client.config_set("maxclients", 1)
        with pytest.raises(TemporaryError, match="no free connection"):
            look(REDIS, at(redis))
        client.config_set("maxclients", 1000)


def test_nobody_at_the_address_is_told_apart_from_silence_and_from_another_protocol() -> None:
    port = refused_port()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} refuses the connection"):
        look(REDIS, target(redis={"url": f"redis://127.0.0.1:{port}"}))
    with pytest.raises(Unreachable, match="nobody knows"):
        look(REDIS, target(redis={"url": "redis://no-such-host.invalid"}))
    with black_hole() as port:
        started = time.monotonic()
        with pytest.raises(TimedOut, match=r"did not answer within 0\.5 s"):
            look(REDIS, target(redis={"url": f"redis://127.0.0.1:{port}", "timeout": 0.5}))
        assert time.monotonic() - started < 2
    with http_server({"/": Page()}) as url, pytest.raises((BadAnswer, Unreachable)) as caught:
        look(REDIS, target(redis={"url": url.replace("http", "redis"), "timeout": 2}))
    assert "Redis 127.0.0.1" in str(caught.value)
