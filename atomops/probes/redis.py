"""Redis or Valkey: authenticated, bounded, and each command that an ACL forbids is unseen by itself."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from redis import asyncio as client
from redis import exceptions

from atomops.errors import AtomOpsError, BadAnswer, NotThere, TimedOut
from atomops.facts.redis import Info, Queue, RedisFacts
from atomops.inventory import Redis, Target
from atomops.probes.names import resolve
from atomops.probes.redis_errors import explain
from atomops.probes.trust import trusting
from atomops.verdict import Unseen

Seen = TypeVar("Seen")

_PINGS = 3  # the fastest of them is the latency, so that a busy machine of ours does not look like a slow Redis
_FAST, _PATIENCE = 0.02, 0.5  # seconds; as long as none was that fast, more are sent: one that is slow is so each time
_REFUSED = (exceptions.ResponseError, exceptions.BusyLoadingError, exceptions.MasterDownError)


async def look(target: Target) -> RedisFacts:
    """Everything there is to see. Raises AccessDenied, NotThere, BadAnswer, Unreachable, TimedOut or TemporaryError."""
    settings = target.redis
    if settings is None:
        raise NotThere(f"the target {target.name} has no Redis", action="add [targets.….redis] to the inventory")
    async with answering(settings, settings.timeout):
        return await _connect_and_look(settings)


@contextlib.asynccontextmanager
async def answering(settings: Redis, seconds: float) -> AsyncIterator[None]:
    """Whatever its server does not answer in the block, or not in that time, is an error that says what to do."""
    where = address(settings)
    try:
        async with asyncio.timeout(seconds):
            yield
    except AtomOpsError:
        raise
    except (TimeoutError, exceptions.TimeoutError) as error:
        action = "look at the firewall, whether it hangs (SLOWLOG GET), and at redis or rediss in redis.url"
        raise TimedOut(f"{where} did not answer within {seconds:g} s", action=action) from error
    except (exceptions.RedisError, OSError) as error:
        raise explain(error, where) from None  # the client's own words may repeat the command
    except (ValueError, TypeError) as error:
        raise BadAnswer(f"{where} cannot be asked: {error}", action="check redis.url") from None


def address(settings: Redis) -> str:
    """The server as a person would name it: neither user nor password."""
    parts = urlsplit(settings.url)
    return f"Redis {parts.hostname}:{parts.port or 6379}" if parts.hostname else f"Redis {parts.path}"


async def _connect_and_look(settings: Redis) -> RedisFacts:
    parts = urlsplit(settings.url)
    if parts.scheme != "unix":
        await resolve(parts.hostname or "")
    async with connect(settings) as connection:
        return await _look(connection, settings, unquote(parts.username or "") or "default")


def connect(settings: Redis, **options: Any) -> client.Redis:  # noqa: ANN401 - what the client takes
    """One connection, which says nothing that an old or a narrow server might not know (HELLO, CLIENT SETINFO)."""
    if settings.ca_file and settings.url.startswith("rediss:"):
        trusting(settings.ca_file)  # its errors name the file
        options["ssl_ca_certs"] = str(settings.ca_file)
    connection: client.Redis = client.Redis.from_url(
        settings.url,
        password=settings.password.reveal() if settings.password else None,
        socket_connect_timeout=settings.timeout,
        socket_timeout=settings.timeout,
        encoding_errors="replace",
        single_connection_client=True,
        protocol=2,
        driver_info=None,
        **{"decode_responses": True, **options},
    )
    return connection


async def _look(connection: client.Redis, settings: Redis, user: str) -> RedisFacts:
    async def part(grant: str, ask: Callable[[], Awaitable[Seen]]) -> Seen | Unseen:
        return await _part(ask, f"ACL SETUSER {user} {grant}")

    refusal, latency = await _pings(connection, user)
    return RedisFacts(
        at=dt.datetime.now(dt.UTC),
        refusal=refusal,
        latency=latency,
        info=await part("+info", lambda: _info(connection)),
        clock_offset=await part("+time", lambda: _clock_offset(connection)),
        saves=await part("+config|get", lambda: _saves(connection)),
        queues=await part("+llen +zcard ~rq:*", lambda: _queues(connection, settings.queues)),
    )


async def _pings(connection: client.Redis, user: str) -> tuple[str, float | Unseen]:
    """What PING was refused with, and how long the fastest took. Raises what says that we may not come in at all."""
    refusal = ""
    times: list[float] = []
    while len(times) < _PINGS or (min(times) > _FAST and sum(times) < _PATIENCE):
        started = time.monotonic()
        try:
            await connection.ping()
        except exceptions.NoPermissionError as error:
            return "", Unseen(f"Redis forbids it: {error}", f"ACL SETUSER {user} +ping")
        except _REFUSED as error:
            if str(error).startswith("DENIED"):  # protected mode
                raise
            refusal = str(error)
        times.append(time.monotonic() - started)
    return refusal, min(times)


async def _part(ask: Callable[[], Awaitable[Seen]], repair: str) -> Seen | Unseen:
    try:
        return await ask()
    except exceptions.NoPermissionError as error:
        return Unseen(f"Redis forbids it: {error}", repair)
    except exceptions.MovedError as error:
        return Unseen(f"the key lives on another node of the cluster ({error})", "put that node into redis.url")
    except _REFUSED as error:
        return Unseen(f"Redis refuses it: {error}", "a managed service may not allow it; else see REDIS-REACHABLE")


async def _info(connection: client.Redis) -> Info:
    return {name: value for name, value in (await connection.info()).items() if isinstance(value, str | int | float)}


async def _saves(connection: client.Redis) -> bool:
    return bool((await connection.config_get("save")).get("save"))


async def _clock_offset(connection: client.Redis) -> float:
    before = time.time()
    seconds, microseconds = await connection.time()
    return float(seconds + microseconds / 1e6 - (before + time.time()) / 2)


async def _queues(connection: client.Redis, names: tuple[str, ...]) -> tuple[Queue, ...]:
    """As RQ keeps them: a list of waiting jobs, and a sorted set of failed ones."""
    return tuple(
        [
            Queue(name, await connection.llen(f"rq:queue:{name}"), await connection.zcard(f"rq:failed:{name}"))
            for name in names
        ]
    )
