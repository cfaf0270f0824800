"""Who is let into Redis, what they may do there, and whether it can be read on the way."""

from atomops.facts.outcome import Outcome
from atomops.facts.redis_access import RedisAccessFacts
from atomops.humane import plural
from atomops.registry import check
from atomops.verdict import Evidence, Gap, Reading, known

SECTION = "Redis access"
_REDIS = "Redis documentation: security"
_PASSWORD = "ACL SETUSER default >NEW-PASSWORD, in the configuration file too (requirepass)"  # noqa: S105 - a hint


@check("SEC-REDIS-REACHABLE", section=SECTION, critical=1, unit="failures", source="operations guide")
def reachable(outcome: Outcome[RedisAccessFacts]) -> Reading:
    """The server answers: one that cannot be asked has not been found safe."""
    return outcome.reachable("Redis")


@check("SEC-REDIS-OPEN", section=SECTION, critical=1, unit="servers", source=_REDIS)
def open_to_strangers(seen: RedisAccessFacts) -> Reading:
    """A stranger without a password is turned away: one who is not can read, change and delete everything."""
    refusal = known(seen.stranger)
    if refusal:
        return Reading(0, f"{seen.address} turns a stranger away: {refusal}")
    more = ", and tells about itself (INFO)" if seen.reveals else ""
    return Reading(1, f"{seen.address} answers PING without a password{more}", action=_PASSWORD)


@check("SEC-REDIS-PROTECTED", section=SECTION, warning=1, unit="settings", source=_REDIS)
def protected_mode(seen: RedisAccessFacts) -> Reading:
    """Protected mode is on where the default user has no password, so that other machines are turned away."""
    mode, bind = known(seen.protected_mode), known(seen.bind)
    is_open = mode == "no" and known(seen.stranger) == ""
    told = f"protected-mode {mode}, bind {bind or 'every address'}"
    return Reading(int(is_open), told, action="CONFIG SET protected-mode yes; and bind the addresses that are needed")


@check("SEC-REDIS-NOPASS", section=SECTION, warning=1, unit="users", source=_REDIS)
def without_password(seen: RedisAccessFacts) -> Reading:
    """Every user that may log in has a password."""
    names = [user.name for user in known(seen.users) if user.without_password]
    return Reading(
        len(names),
        f"{plural(len(names), 'user')} without a password{': ' if names else ''}{', '.join(names[:5])}",
        action=f"ACL SETUSER {names[0]} resetpass >NEW-PASSWORD; ACL SAVE" if names else "",
    )


@check("SEC-REDIS-DANGEROUS", section=SECTION, unit="users", source="information; Redis documentation: ACL")
def dangerous_commands(seen: RedisAccessFacts) -> Reading:
    """Users that may delete, reveal or reconfigure everything; information, unless the inventory gives a limit."""
    users = [user for user in known(seen.users) if user.dangerous]
    rows = (
        (user.name, ", ".join(user.dangerous), f"ACL SETUSER {user.name} -@dangerous +info; ACL SAVE") for user in users
    )
    return Reading(
        len(users),
        f"{plural(len(users), 'user')} with dangerous commands, such as FLUSHALL and CONFIG",
        evidence=Evidence.of(("user", "commands", "statement"), rows),
    )


@check("SEC-REDIS-TLS", section=SECTION, warning=1, unit="servers", source=_REDIS)
def encrypted(seen: RedisAccessFacts) -> Reading | Gap:
    """Passwords and data on their way to another machine cannot be read."""
    if seen.is_loopback:
        return Gap(SECTION, f"TLS: {seen.address} is on this machine")
    told = f"{seen.address} is spoken to {'over TLS' if seen.is_encrypted else 'in clear text'}"
    return Reading(int(not seen.is_encrypted), told, action="tls-port in redis.conf, and rediss:// in redis.url")
