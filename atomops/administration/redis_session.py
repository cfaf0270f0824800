"""A session with the Redis server that may delete, and its errors: what a failover explains is temporary."""

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import unquote, urlsplit

from redis import asyncio as client
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from atomops.errors import AccessDenied, AtomOpsError, NotThere, TemporaryError, TimedOut
from atomops.inventory import Redis
from atomops.probes.redis import address, connect
from atomops.probes.redis_errors import explain

_FAILOVER = ("READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "UNBLOCKED")


class FailingOver(TemporaryError):
    """Somebody else is, or becomes, the primary: nothing can be deleted here just now."""


@contextlib.asynccontextmanager
async def session(settings: Redis) -> AsyncIterator[client.Redis]:
    """A session of names in bytes, whose commands are sent once: a repeated UNLINK would count too little.

    Every error in the block is raised as an AtomOpsError; those that may pass by themselves are TemporaryErrors.
    """
    where = address(settings)
    try:
        async with connect(settings, decode_responses=False, retry=Retry(NoBackoff(), 0)) as connection:
            yield connection
    except AtomOpsError:
        raise
    except (TimeoutError, exceptions.TimeoutError) as error:
        action = "look whether it hangs (SLOWLOG GET), and at the network"
        raise TimedOut(f"{where} did not answer within {settings.timeout:g} s", action=action) from error
    except exceptions.NoPermissionError as error:
        raise forbidden(error, settings) from None
    except (exceptions.RedisError, OSError) as error:
        raise _explained(error, where) from None


def forbidden(error: Exception, settings: Redis) -> AccessDenied:
    """What an ACL forbids, and the statement that would allow it. NOPERM names the command, or only "a key"."""
    said = " ".join(str(error).split())
    user = unquote(urlsplit(settings.url).username or "") or "default"
    command = said.partition("'")[2].partition("'")[0]
    grant = f"ACL SETUSER {user} +{command}" if command else f"ACL SETUSER {user} ~PREFIX* for these keys"
    return AccessDenied(f"{address(settings)} forbids it (NOPERM): {said}", action=grant)


async def primary(connection: client.Redis, where: str) -> str:
    """The run id of the server, which is a primary of no cluster. Raises FailingOver or NotThere."""
    info = {_text(name): _text(value) for name, value in (await connection.info("everything")).items()}
    if (info.get("redis_mode") or info.get("server_mode")) == "cluster":
        action = "its keys lie on several primaries: redis-cli --cluster call HOST:PORT, with SCAN and UNLINK on each"
        raise NotThere(f"{where} is a node of a Redis Cluster, which is not cleared by us", action=action)
    if info.get("role") != "master":
        action = "put the primary, or an address that follows it, into redis.url"
        raise FailingOver(f"{where} is a replica of {info.get('master_host')}:{info.get('master_port')}", action=action)
    return info.get("run_id", "")


def _explained(error: Exception, where: str) -> AtomOpsError:
    said = " ".join(str(error).split())
    kind = type(error).__name__
    if isinstance(error, exceptions.BusyLoadingError | exceptions.ReadOnlyError | exceptions.MasterDownError):
        return FailingOver(f"{where} is failing over or starting ({kind}: {said})", action="wait, and look at its log")
    if said.startswith(_FAILOVER):
        return FailingOver(f"{where} is failing over ({said})", action="wait, and look at its log")
    if isinstance(error, exceptions.MovedError):
        return NotThere(
            f"{where} is a node of a Redis Cluster ({said})", action="clear it with redis-cli --cluster call"
        )
    if "unknown command" in said:
        return NotThere(f"{where} does not know a command: {said}", action="Redis 4 or newer is needed (UNLINK)")
    return explain(error, where)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
