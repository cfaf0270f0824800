"""Redis or Valkey: authenticated, bounded, and each command that an ACL forbids is unseen by itself."""

import asyncio
import datetime as dt
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from redis import asyncio as client
from redis import exceptions

from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, NotThere, TemporaryError, TimedOut, Unreachable
from atomops.facts.redis import Info, Queue, RedisFacts
from atomops.inventory import Redis, Target
from atomops.verdict import Unseen

Seen = TypeVar("Seen")
_PINGS = 3  # the fastest of them is the latency: the first one also opens the connection


async def look(target: Target) -> RedisFacts:
    """Everything there is to see. Raises AccessDenied, Unreachable, TimedOut, TemporaryError or BadAnswer."""
    settings = target.redis
    if settings is None:
        raise NotThere(f"the target {target.name} has no Redis", action="add [targets.….redis] to the inventory")
    where = address(settings)
    try:
        async with asyncio.timeout(settings.timeout), _connect(settings) as connection:
            return await _look(connection, settings)
    except (TimeoutError, exceptions.TimeoutError) as error:
        action = "look at the firewall, and whether the server hangs (SLOWLOG GET)"
        raise TimedOut(f"{where} did not answer within {settings.timeout:g} s", action=action) from error
    except exceptions.RedisError as error:
        raise _error(error, where) from None  # its text may repeat the command
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise BadAnswer(f"{where} cannot be asked: {error}", action="check redis.url and ca_file") from error


def address(settings: Redis) -> str:
    """The server as a person would name it."""
    parts = urlsplit(settings.url)
    return f"Redis {parts.hostname}:{parts.port or 6379}" if parts.hostname else f"Redis {parts.path}"


def _connect(settings: Redis) -> client.Redis:
    tls: dict[str, Any] = (
        {"ssl_ca_certs": str(settings.ca_file)} if settings.ca_file and settings.url.startswith("rediss:") else {}
    )
    connection: client.Redis = client.Redis.from_url(
        settings.url,
        password=settings.password.reveal() if settings.password else None,
        socket_connect_timeout=settings.timeout,
        socket_timeout=settings.timeout,
        decode_responses=True,
        single_connection_client=True,
        **tls,
    )
    return connection


async def _look(connection: client.Redis, settings: Redis) -> RedisFacts:
    latency = min([await _timed_ping(connection) for _ in range(_PINGS)])
    return RedisFacts(
        at=dt.datetime.now(dt.UTC),
        latency=latency,
        info=await _allowed("info", lambda: _info(connection)),
        clock_offset=await _allowed("time", lambda: _clock_offset(connection)),
        saves=await _allowed("config|get", lambda: _saves(connection)),
        queues=await _allowed("llen +zcard", lambda: _queues(connection, settings.queues)),
    )


async def _timed_ping(connection: client.Redis) -> float:
    started = time.monotonic()
    await connection.ping()
    return time.monotonic() - started


async def _info(connection: client.Redis) -> Info:
    return {name: value for name, value in (await connection.info()).items() if isinstance(value, str | int | float)}


async def _saves(connection: client.Redis) -> bool:
    settings = await connection.config_get("save")
    return bool(settings.get("save"))


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


async def _allowed(commands: str, ask: Callable[[], Awaitable[Seen]]) -> Seen | Unseen:
    try:
        return await ask()
    except exceptions.NoPermissionError as error:
        return Unseen(f"Redis forbids it: {error}", f"ACL SETUSER <our user> +ping +{commands}")


_REASONS: tuple[tuple[str, type[AtomOpsError], str, str], ...] = (
    (
        r"NOAUTH|AuthenticationError|Authentication required|WRONGPASS|invalid username-password|without any password",
        AccessDenied,
        "refuses the password",
        "check redis.password and the user in redis.url",
    ),
    (r"NOPERM|no permissions", AccessDenied, "forbids even PING", "ACL SETUSER <our user> on +ping +info +time"),
    (r"DENIED", AccessDenied, "is in protected mode", "give it a password, or bind it to a private address"),
    (r"max number of clients", TemporaryError, "has no free connection", "look for clients that never close"),
    (r"LOADING|BusyLoading", TemporaryError, "is loading its data", "wait until it has loaded"),
    (r"MASTERDOWN|CLUSTERDOWN", TemporaryError, "has lost its primary", "look at the replication or the cluster"),
    (
        r"Connection refused|Connect call failed",
        Unreachable,
        "refuses the connection",
        "is it running, and on this port?",
    ),
    (
        r"Name or service not known|Temporary failure in name|No address",
        Unreachable,
        "is a host that nobody knows",
        "check redis.url",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        BadAnswer,
        "shows a certificate that is not trusted",
        "name its authority with redis.ca_file",
    ),
    (
        r"Protocol Error|InvalidResponse|SSL",
        BadAnswer,
        "does not speak Redis's protocol",
        "check redis.url: redis or rediss, and the port",
    ),
)


def _error(error: exceptions.RedisError, where: str) -> AtomOpsError:
    said = f"{type(error).__name__} {' '.join(str(error).split())}"
    for pattern, kind, what, action in _REASONS:
        if re.search(pattern, said):
            return kind(f"{where} {what}", action=action)
    return Unreachable(f"{where} cannot be used: {said}", action="look at its log")
