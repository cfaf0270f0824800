"""What a person would say of the errors of Redis, of its client and of the network between them."""

import re
from dataclasses import dataclass

from atomops.errors import AccessDenied, AtomOpsError, BadAnswer, NotThere, TemporaryError, Unreachable


@dataclass(frozen=True)
class _Cause:
    """`pattern` is looked for in the name of the error's class and its words; the first cause that fits is taken."""

    pattern: str
    kind: type[AtomOpsError]
    what: str
    action: str


_CAUSES = (
    _Cause(
        "without any password|no password is set",
        AccessDenied,
        "has no password, but the inventory sets one",
        "remove redis.password, or set requirepass on the server",
    ),
    _Cause(
        "NOAUTH|Authentication required",
        AccessDenied,
        "wants a password (NOAUTH)",
        'set redis.password = "env:NAME", and the user in redis.url if it is not default',
    ),
    _Cause(
        "WRONGPASS|invalid username-password|invalid password",
        AccessDenied,
        "refuses the user or the password (WRONGPASS)",
        "check redis.password and the user in redis.url; on the server: ACL LIST",
    ),
    _Cause(
        "NoPermission",
        AccessDenied,
        "does not let our user choose a database (NOPERM)",
        "ACL SETUSER <user> +select, or leave the database out of redis.url",
    ),
    _Cause(
        "DENIED",
        AccessDenied,
        "is in protected mode: it answers its own machine only",
        "give it a password (requirepass), then redis.password",
    ),
    _Cause(
        "max number of clients",
        TemporaryError,
        "has no free connection: maxclients is reached",
        "CLIENT LIST, by idle time; raise maxclients",
    ),
    _Cause(
        "DB index is out of range|invalid DB index",
        NotThere,
        "has no database of that number",
        "check the number in redis.url",
    ),
    _Cause(
        "Connection refused|Connect call failed|Error 111",
        Unreachable,
        "refuses the connection",
        "is it running, and on this port?",
    ),
    _Cause("No such file", Unreachable, "is a socket that is not there", "is it running, with this unixsocket?"),
    _Cause("Permission denied", AccessDenied, "is a socket that we may not open", "check unixsocketperm"),
    _Cause(
        "CERTIFICATE_VERIFY_FAILED",
        BadAnswer,
        "shows a certificate that is not trusted",
        "renew it, or name its authority with redis.ca_file",
    ),
    _Cause("SSL", BadAnswer, "does not speak TLS as expected", "check redis.url: redis or rediss, and the port"),
    _Cause(
        "Protocol Error|InvalidResponse",
        BadAnswer,
        "does not speak Redis's protocol",
        "check redis.url: who listens on this port?",
    ),
    _Cause(
        "Connection closed|Connection reset|Connection lost|while reading",
        Unreachable,
        "closes the connection without an answer",
        "look at its log; is it a Redis, with TLS (rediss) or without (redis)?",
    ),
)


def explain(error: Exception, where: str) -> AtomOpsError:
    """The same error, as one of ours: which server, what is wrong, what to do."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())}"
    for cause in _CAUSES:
        if re.search(cause.pattern, said):
            return cause.kind(f"{where} {cause.what}", action=cause.action)
    return Unreachable(f"{where} cannot be used: {said}", action="look at the network and its log")
