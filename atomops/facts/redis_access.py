"""How a Redis or Valkey server lets anybody in."""

import datetime as dt
from dataclasses import dataclass

from atomops.verdict import Unseen


@dataclass(frozen=True)
class RedisUser:
    """A user that may log in. `dangerous` are commands it may run that destroy, reveal or reconfigure everything."""

    name: str
    without_password: bool
    dangerous: tuple[str, ...]


@dataclass(frozen=True)
class RedisAccessFacts:
    """`stranger` is how PING without a password was answered: "" when it was welcome, else the refusal.

    `reveals` tells whether INFO was answered too.
    """

    at: dt.datetime
    address: str
    is_loopback: bool
    is_encrypted: bool
    stranger: str | Unseen
    reveals: bool
    protected_mode: str | Unseen
    bind: str | Unseen
    users: tuple[RedisUser, ...] | Unseen
