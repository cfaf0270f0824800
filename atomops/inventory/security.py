"""What the security audit looks at, and what it is told to expect."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from atomops.inventory.base import Seconds, Settings

_SCHEMES = ("https", "postgresql", "postgres", "rediss", "tls")


def _host(given: str) -> str:
    """HOST:PORT, or an address of a scheme that tells how TLS begins there. Raises ValueError."""
    parts = urlsplit(given if "://" in given else f"tls://{given}")
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.path.strip("/") or parts.password:
        message = f"expected HOST:PORT, or one of {', '.join(f'{scheme}://' for scheme in _SCHEMES)} before it"
        raise ValueError(message)
    if parts.port is None and parts.scheme in {"tls", "rediss"}:
        message = f"{given} needs a port, such as {parts.hostname}:443"
        raise ValueError(message)
    return given


class Security(Settings):
    """What the daily security audit looks at. Whatever is expected here is not reported as a finding."""

    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        (), description="HOST:PORT whose certificates are judged; default: the application's, where it is https"
    )
    ca_file: Path | None = Field(None, description="PEM file with the authority of `hosts`; default: app.ca_file")
    timeout: Seconds = Field(5, description="seconds that one handshake may take")
    superusers: tuple[str, ...] = Field(("postgres",), description="login roles that may be superusers")
    privileged: tuple[str, ...] = Field(
        (), description="roles that may have CREATEROLE, REPLICATION, BYPASSRLS or a predefined role over files"
    )
    public_tables: tuple[str, ...] = Field((), description="SCHEMA.NAME of tables that everybody may use")
    languages: tuple[str, ...] = Field((), description="untrusted languages that are meant to be there")
    login_hours: float = Field(24, gt=0, le=24 * 31, description="how far back failed logins are counted")
    postgres_logs: tuple[Path, ...] = Field(
        (), description="PostgreSQL's own log files (stderr, csvlog or jsonlog); default: not read"
    )
    execution_days: int = Field(7, ge=1, le=90, description="days over which executions are counted by user and agent")
    baseline_days: int = Field(14, ge=3, le=90, description="days that tell what is usual for a user and an agent")
    baseline_hours: int = Field(72, ge=24, description="hours of history below which nothing is known as usual")
    executions_per_hour: int = Field(100, ge=1, description="the limit of those without such a history")
    unusual_times: float = Field(1.5, ge=1, description="how many times its own busy hours is unusual")
    unusual_at_least: int = Field(30, ge=1, description="fewer executions in an hour are never unusual")
