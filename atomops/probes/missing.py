"""Why a target is not configured for a part, in the words of a report; or "", when it is."""

from collections.abc import Callable
from urllib.parse import urlsplit

from atomops.inventory import NoRuntime, Target
from atomops.probes.security import certificates


def table(*names: str) -> Callable[[Target], str]:
    """None of these tables is in the inventory."""

    def missing(target: Target) -> str:
        there = any(getattr(target, name) is not None for name in names)
        return "" if there else "not configured: the inventory has no " + " or ".join(f"[…{name}]" for name in names)

    return missing


def tls(target: Target) -> str:
    """There is no certificate to look at."""
    if target.app is None:
        return table("app")(target)
    if not target.app.tls:
        return "switched off: app.tls = false"
    scheme = urlsplit(target.app.url).scheme
    return "" if scheme == "https" else f"not configured: app.url is {scheme}, without a certificate"


def nothing(_target: Target) -> str:
    """Nothing has to be configured for it."""
    return ""


def runtime(target: Target) -> str:
    """Nothing says what runs the application."""
    if target.runtime is None or isinstance(target.runtime, NoRuntime):
        return "not configured: the inventory has no […runtime]"
    return ""


def migration(target: Target) -> str:
    """It takes the application's alembic, a backup, and a database to change."""
    return table("migrations")(target) or table("backups")(target) or table("postgres", "changes")(target)


def restore(target: Target) -> str:
    """It takes a backup, and a server to restore into."""
    return table("backups")(target) or table("postgres", "changes")(target)


def database(target: Target) -> str:
    """It takes a database, by whichever role."""
    return "" if target.changes.dsn is not None else table("postgres")(target)


def logins(target: Target) -> str:
    """Neither a log nor a table could tell of them."""
    return "" if target.security.postgres_logs else table("logs", "postgres")(target)


def hosts(target: Target) -> str:
    """No host is named, and the application's own has no certificate."""
    if certificates.configured(target):
        return ""
    return "not configured: the inventory has no security.hosts, and app.url is not https"


def cache(target: Target) -> str:
    """Neither an endpoint nor Redis has anything to clear."""
    return table("cache")(target) or table("redis", "app")(target)


def configuration(target: Target) -> str:
    """It takes what belongs to it, and a store."""
    return table("configuration")(target) or table("backups")(target)


def notify(target: Target) -> str:
    """Nobody is to be told."""
    return "" if target.notify.every_channel else "not configured: the inventory has no channels in […notify]"
