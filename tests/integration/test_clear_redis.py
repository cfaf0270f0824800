"""Redis cleared by prefix and as a whole: on real servers, which fail over in the middle."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis as Client

from atomops.administration import redis_keys
from atomops.administration.redis_clear import Clearing
from atomops.errors import AccessDenied, NotThere, Unreachable
from atomops.facts.cache import Keyspace, QueueKeys, Traffic
from atomops.inventory import Cache, Redis
from atomops.plans.cache import Refused
from atomops.sandbox.redis import RedisServer, redis_server
from atomops.secret import Secret
from atomops.verdict import Unseen
from tests import servers
from tests.failover import Pair, pair
from tests.peers import refused_port
from tests.ports import own_port

CACHE = Cache(prefixes=("cache:",), batch=10, within=60)
KEYS = 600


def settings(url: str, password: str | None, **others: object) -> Redis:
    plain = Redis.model_validate({"url": url, "timeout": 20, **others})
    return plain.model_copy(update={"password": Secret("env:REDIS", password)} if password else {})


def of(server: RedisServer, **others: object) -> Redis:
    return settings(server.url, server.password, **others)


def fill(server: RedisServer) -> None:
    with server.connect() as client:
        client.flushdb()
        client.mset({f"cache:{key}": "x" for key in range(50)} | {"cachet": "other", "session:1": "other"})
        client.set(b"cache:\xff\x00binary", "x", ex=90)
        client.sadd("rq:queues", "rq:queue:default")
        client.rpush("rq:queue:default", "one", "two")
        client.zadd("rq:failed:mail", {"three": 1})


def keys(server: RedisServer) -> set[bytes]:
    with Client(port=server.port, password=server.password) as client:
        return set(client.keys("*"))


def test_what_is_under_the_prefix_goes_and_nothing_else(redis: RedisServer) -> None:
    fill(redis)

    async def counted_and_cleared() -> tuple[Keyspace, Clearing]:
        found = await redis_keys.found_in(of(redis), CACHE, "cache:")
        clearing = Clearing(of(redis), CACHE)
        await clearing.by_prefix("cache:")
        return found, clearing

    found, clearing = asyncio.run(counted_and_cleared())

    assert (found.keys, found.of) == (51, 56)
    assert {each.kind for each in found.sampled} == {"string"}
    assert found.size
    assert [each.ttl for each in found.sampled if each.ttl is not None] == [pytest.approx(90, abs=60)]
    assert clearing.problem is None
    assert [each.removed for each in clearing.passes] == [51]
    assert keys(redis) == {b"cachet", b"session:1", b"rq:queues", b"rq:queue:default", b"rq:failed:mail"}


def test_the_queues_are_those_of_the_inventory_of_redis_and_of_its_keys(redis: RedisServer) -> None:
    fill(redis)

    async def looked() -> list[tuple[QueueKeys, ...]]:
        with_celery = CACHE.model_copy(update={"job_prefixes": ("rq:", "session:")})
        return [
            await redis_keys.queues_in(of(redis), CACHE, thoroughly=False),
            await redis_keys.queues_in(of(redis, queues=("mail", "none")), CACHE, thoroughly=False),
            await redis_keys.queues_in(of(redis), with_celery, thoroughly=True),
        ]

    told, named, thorough = asyncio.run(looked())

    assert told == (QueueKeys("default", 2),)
    assert named == (QueueKeys("default", 2), QueueKeys("mail", 1))
    assert thorough == (QueueKeys("default", 2), QueueKeys("mail", 1), QueueKeys("session:", 1))


def test_flushdb_is_done_only_by_the_names_of_all_its_queues(redis: RedisServer) -> None:
    fill(redis)

    def flush(*names: str) -> Clearing:
        clearing = Clearing(of(redis), CACHE)
        asyncio.run(clearing.whole(names))
        return clearing

    with pytest.raises(Refused, match="it would delete mail with 1 job"):
        flush("default")
    with pytest.raises(Refused, match="there is no queue other"):
        flush("default", "mail", "other")
    assert len(keys(redis)) == 56

    assert [each.removed for each in flush("default", "mail").passes] == [56]
    assert keys(redis) == set()


def test_a_user_who_may_not_is_told_which_command_and_which_grant(redis: RedisServer) -> None:
    fill(redis)
    with redis.connect() as client:
        client.execute_command("ACL SETUSER limited on >pass ~* +@all -unlink -flushdb")
        client.execute_command("ACL SETUSER narrow on >pass ~rq:* +@all")
    url = redis.url.replace("redis://", "redis://limited@")

    clearing = Clearing(settings(url, "pass"), CACHE)
    asyncio.run(clearing.by_prefix("cache:"))
    whole = Clearing(settings(url, "pass"), CACHE)
    asyncio.run(whole.whole(("default", "mail")))
    narrow = Clearing(settings(url.replace("limited", "narrow"), "pass"), CACHE)
    asyncio.run(narrow.by_prefix("cache:"))

    assert clearing.problem
    assert clearing.problem.action == "ACL SETUSER limited +unlink"
    assert whole.problem
    assert whole.problem.action == "ACL SETUSER limited +flushdb"
    assert narrow.problem
    assert narrow.problem.action == "ACL SETUSER narrow ~PREFIX* for these keys"
    assert len(keys(redis)) == 56
    with pytest.raises(AccessDenied, match="WRONGPASS"):
        asyncio.run(redis_keys.found_in(settings(url, "wrong"), CACHE, "cache:"))


def test_look_ups_of_others_are_counted_and_ours_are_not(redis: RedisServer) -> None:
    fill(redis)

    async def watched() -> tuple[Traffic | Unseen | None, int]:
        watching = asyncio.create_task(redis_keys.traffic(of(redis), 0.5))
        before = hits()
        with redis.connect() as client:
            while not watching.done():
                client.get("cache:1")
                client.get("cache:none")
                await asyncio.sleep(0.02)
        return await watching, hits() - before

    def hits() -> int:
        with redis.connect() as client:
            return int(client.info()["keyspace_hits"])

    seen, others = asyncio.run(watched())
    assert isinstance(seen, Traffic)
    assert 0 < seen.hits <= others
    assert seen.misses
    assert asyncio.run(redis_keys.traffic(of(redis), 0)) is None
    assert isinstance(asyncio.run(redis_keys.traffic(settings(f"redis://127.0.0.1:{refused_port()}", None), 1)), Unseen)


def test_a_cluster_is_refused(server_folder: Path) -> None:
    program = servers.required(lambda: servers.redis_program("redis"))
    with redis_server(program, server_folder, options=("cluster-enabled yes", f"cluster-port {own_port()}")) as node:
        clearing = Clearing(of(node), CACHE)
        asyncio.run(clearing.by_prefix("cache:"))
        assert clearing.problem
        assert "Redis Cluster" in clearing.problem.reason
        with pytest.raises(NotThere, match="redis-cli --cluster call"):
            asyncio.run(redis_keys.found_in(of(node), CACHE, "cache:"))


def killed(both: Pair) -> None:
    both.primary.server.stop(grace=0, by=signal.SIGKILL)
    both.promote()


def demoted(both: Pair) -> None:
    both.demote()
    both.promote()


@pytest.mark.parametrize(("program", "switch"), [("redis", killed), ("valkey", demoted)])
def test_a_failover_in_the_middle_begins_the_scan_anew_and_counts_honestly(
    program: str, switch: Callable[[Pair], None], server_folder: Path
) -> None:
    path = servers.required(lambda: servers.redis_program(program))
    with pair(path, server_folder) as both:
        both.fill(KEYS)
        both.switch = switch
        clearing = Clearing(settings(both.url, both.primary.password), CACHE)
        asyncio.run(clearing.by_prefix("cache:"))

        assert clearing.problem is None, clearing.passes
        first, last = clearing.passes[0], clearing.passes[-1]
        assert first.problem
        assert first.server != last.server
        assert 0 < first.removed < KEYS
        assert 0 < last.removed <= KEYS
        assert keys(both.replica) == {b"rq:queues", b"rq:queue:default"}


def test_a_primary_that_is_gone_for_good_is_never_told_as_cleared(server_folder: Path) -> None:
    path = servers.required(lambda: servers.redis_program("valkey"))
    with pair(path, server_folder) as both:
        both.fill(KEYS)
        both.switch = lambda both: both.primary.server.stop(grace=0, by=signal.SIGKILL)
        clearing = Clearing(settings(both.url, both.primary.password), CACHE.model_copy(update={"within": 3}))
        asyncio.run(clearing.by_prefix("cache:"))
        replica = Clearing(of(both.replica), CACHE.model_copy(update={"within": 0.5}))
        asyncio.run(replica.by_prefix("cache:"))

    assert clearing.problem
    assert clearing.passes[0].removed > 0
    assert len(clearing.passes) > 1
    assert replica.problem
    assert "is a replica of" in replica.problem.reason


def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="refuses the connection"):
        asyncio.run(redis_keys.found_in(settings(f"redis://127.0.0.1:{refused_port()}", None), CACHE, "cache:"))
