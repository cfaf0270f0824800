"""How a Redis server lets anybody in: it is asked without a password first, and then as ourselves."""

import datetime as dt
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from redis import asyncio as client
from redis import exceptions

from atomops.errors import NotThere
from atomops.facts.redis_access import RedisAccessFacts, RedisUser
from atomops.inventory import Redis, Target
from atomops.probes.names import resolve
from atomops.probes.redis import address, answering, connect
from atomops.verdict import Unseen

Seen = TypeVar("Seen")

DANGEROUS = ("config", "debug", "flushall", "flushdb", "keys", "module", "replicaof", "shutdown")
_CATEGORIES = ("@all", "@dangerous")  # of which every one of them is
_TURNED_AWAY = (exceptions.AuthenticationError, exceptions.NoPermissionError, exceptions.ResponseError)
_MOST_USERS = 100


async def look(target: Target) -> RedisAccessFacts:
    """Everything there is to see. Raises Unreachable, TimedOut or what else the look at Redis raises."""
    settings = target.redis
    if settings is None:
        raise NotThere(f"the target {target.name} has no Redis", action="add [targets.….redis] to the inventory")
    async with answering(settings, 2 * settings.timeout):
        return await _look(settings, address(settings))


async def _look(settings: Redis, where: str) -> RedisAccessFacts:
    parts = urlsplit(settings.url)
    if parts.scheme != "unix":
        await resolve(parts.hostname or "")
    stranger, reveals = await _as_a_stranger(settings)
    user = unquote(parts.username or "") or "default"
    async with connect(settings) as connection:
        return RedisAccessFacts(
            at=dt.datetime.now(dt.UTC),
            address=where,
            is_loopback=_is_loopback(parts.hostname) or parts.scheme == "unix",
            is_encrypted=parts.scheme == "rediss",
            stranger=stranger,
            reveals=reveals,
            protected_mode=await _part(lambda: _setting(connection, "protected-mode"), user, "+config|get"),
            bind=await _part(lambda: _setting(connection, "bind"), user, "+config|get"),
            users=await _part(lambda: _users(connection), user, "+acl|users +acl|getuser"),
        )


async def _as_a_stranger(settings: Redis) -> tuple[str, bool]:
    """The refusal, or "" for a welcome; and whether INFO was answered. A stranger asks nothing else."""
    parts = urlsplit(settings.url)
    place = parts.netloc.rpartition("@")[2]
    nobody = settings.model_copy(update={"url": urlunsplit(parts._replace(netloc=place)), "password": None})
    async with connect(nobody) as connection:
        try:
            await connection.ping()
        except _TURNED_AWAY as error:
            return " ".join(str(error).split())[:160] or "refused", False
        try:
            await connection.info("server")
        except _TURNED_AWAY:
            return "", False
        return "", True


async def _part(ask: Callable[[], Awaitable[Seen]], user: str, grant: str) -> Seen | Unseen:
    try:
        return await ask()
    except exceptions.NoPermissionError as error:
        return Unseen(f"Redis forbids it: {error}", f"ACL SETUSER {user} {grant}")
    except exceptions.AuthenticationError:
        raise
    except exceptions.ResponseError as error:
        return Unseen(f"Redis refuses it: {error}", "a server before Redis 6, or a managed service, may not know it")


async def _setting(connection: client.Redis, name: str) -> str:
    return str((await connection.config_get(name)).get(name, ""))


async def _users(connection: client.Redis) -> tuple[RedisUser, ...]:
    names = sorted(map(str, await connection.acl_users()))[:_MOST_USERS]
    found: list[tuple[str, Any]] = [(name, await connection.acl_getuser(name)) for name in names]
    return tuple(_user(name, about) for name, about in found if about and "on" in about["flags"])


def _user(name: str, about: dict[str, Any]) -> RedisUser:
    """Hashes of passwords, which the server tells as well, stay here."""
    rules = [*about.get("categories", ()), *about.get("commands", ())]
    return RedisUser(name, "nopass" in about["flags"], dangerous(rules))


def dangerous(rules: list[str]) -> tuple[str, ...]:
    """The dangerous commands that these rules (+@all, -config, ...) allow."""
    words = {rule.lower() for rule in rules}
    granted = any(f"+{category}" in words for category in _CATEGORIES) and "-@dangerous" not in words
    return tuple(command for command in DANGEROUS if f"-{command}" not in words and (granted or f"+{command}" in words))


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
