"""Every probe, with what it fills: the one table that flows and the doctor go through."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from atomops.facts.health import HealthFacts
from atomops.facts.logs import LogFacts
from atomops.facts.metrics import MetricsFacts
from atomops.facts.postgres import PostgresFacts
from atomops.facts.redis import RedisFacts
from atomops.facts.tls import TlsFacts
from atomops.inventory import Target
from atomops.probes import health, logs, metrics, postgres, redis, tls


@dataclass(frozen=True)
class Part:
    """One thing to look at: its probe, the facts that come of it, and the report's sections that they fill.

    `missing` says why a target is not configured for it, or "".
    """

    name: str
    sections: tuple[str, ...]
    facts: type
    look: Callable[[Target], Awaitable[Any]]
    missing: Callable[[Target], str]


def _table(*names: str) -> Callable[[Target], str]:
    def missing(target: Target) -> str:
        there = any(getattr(target, name) is not None for name in names)
        return "" if there else "not configured: the inventory has no " + " or ".join(f"[…{name}]" for name in names)

    return missing


def _no_tls(target: Target) -> str:
    if target.app is None:
        return _table("app")(target)
    if not target.app.tls:
        return "switched off: app.tls = false"
    scheme = urlsplit(target.app.url).scheme
    return "" if scheme == "https" else f"not configured: app.url is {scheme}, without a certificate"


HEALTH = Part("health", ("Health",), HealthFacts, health.look, _table("app"))
POSTGRES = Part("postgres", ("Database", "Agent executions"), PostgresFacts, postgres.look, _table("postgres"))
REDIS = Part("redis", ("Redis",), RedisFacts, redis.look, _table("redis"))
LOGS = Part("logs", ("Error logs",), LogFacts, logs.look, _table("logs"))
METRICS = Part("metrics", ("Metrics",), MetricsFacts, metrics.look, _table("prometheus", "app"))
TLS = Part("tls", ("TLS",), TlsFacts, tls.look, _no_tls)
PARTS = (HEALTH, POSTGRES, REDIS, LOGS, METRICS, TLS)
