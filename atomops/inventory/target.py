"""One installation of Atom, part by part. Defaults are the operations guide's values."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from platformdirs import user_state_path
from pydantic import AfterValidator, Field, model_validator

from atomops.inventory.backups import Backups
from atomops.inventory.base import HttpUrl, Seconds, Settings, url, zone
from atomops.inventory.cache import Cache, Profiling
from atomops.inventory.configuration import Configuration
from atomops.inventory.migrations import Migrations
from atomops.inventory.notify import Alerts, Notify
from atomops.inventory.runtime import Changes, Runtime
from atomops.inventory.security import Security
from atomops.secret import SecretField


class App(Settings):
    """Where the application answers."""

    url: HttpUrl
    host_header: str | None = Field(None, description="the Host header to send, when it is not the host of `url`")
    tls: bool = Field(default=True, description="check the certificate of `url` (only looked at when it is https)")
    ca_file: Path | None = Field(None, description="PEM file with the certificate authority of `url`")
    timeout: Seconds = Field(5, description="seconds that one request may take")
    metrics_path: str | None = Field(None, description="the application's metrics page; default: the profile's")
    metrics_interval: Seconds = Field(5, description="seconds between two scrapes when there is no Prometheus")


class Postgres(Settings):
    """The database, and the role that reads it (pg_monitor and pg_read_all_data, nothing more)."""

    dsn: Annotated[str, url("postgresql", "postgres")]
    password: SecretField | None = None
    connect_timeout: Seconds = 5
    statement_timeout: Seconds = Field(10, description="seconds that one statement may take")
    deadline: Seconds = Field(45, description="seconds for the whole look at the database")


class Redis(Settings):
    """The Redis or Valkey server, and the job queues that live in it."""

    url: Annotated[str, url("redis", "rediss", "unix")]
    password: SecretField | None = None
    ca_file: Path | None = None
    timeout: Seconds = 5
    queues: tuple[str, ...] = Field((), description="RQ queue names whose depth and failed jobs are judged")


class Prometheus(Settings):
    """The monitoring system that scrapes the application."""

    url: HttpUrl
    alertmanager_url: HttpUrl | None = Field(None, description="asked with the same credentials and ca_file")
    username: str | None = None
    password: SecretField | None = None
    token: SecretField | None = Field(None, description="bearer token, instead of user name and password")
    ca_file: Path | None = None
    timeout: Seconds = 5
    window: str = Field("5m", pattern=r"^[0-9]+[smhd]$", description="the range of rates and quantiles")
    selector: str = Field("", description='added to every metric, such as job="atom"')
    minimum_requests: float = Field(20, ge=0, description="fewer requests in the window make no ratio")


class Logs(Settings):
    """The application's log files; rotated and .gz siblings are found."""

    paths: tuple[Path, ...] = Field(min_length=1)
    hours: float = Field(24, gt=0, le=24 * 31, description="how far back errors are counted")
    timezone: Annotated[str, AfterValidator(zone)] | None = Field(None, description="of times without an offset")
    deadline: Seconds = 120


class Host(Settings):
    """The machine whose disks, memory and processors the end-of-day checklist looks at.

    Without `instance` it is the one where the flow runs; with it, the one that a node exporter speaks for.
    """

    paths: tuple[Path, ...] = Field(min_length=1, description="folders whose file systems are judged")
    instance: str | None = Field(None, min_length=1, description="the node exporter's `instance` label in Prometheus")
    job: str | None = Field(None, min_length=1, description="its `job` label, where `instance` alone is not enough")
    timeout: Seconds = Field(5, description="seconds that a path of this machine may take")

    @model_validator(mode="after")
    def _job_of_an_instance(self) -> Self:
        if self.job is not None and self.instance is None:
            message = 'job needs the instance too, such as instance = "db.example.com:9100"'
            raise ValueError(message)
        return self


class Acknowledged(Settings):
    """A finding that somebody has decided to live with until a day."""

    code: str
    reason: str = Field(min_length=3)
    until: dt.date


class LimitOverride(Settings):
    """Other bounds for a check; the one that is left out keeps its default."""

    warning: float | None = None
    critical: float | None = None


def _default_history() -> Path:
    return user_state_path("atomops")


class Target(Settings):
    """One installation of Atom. A part that is absent is "not configured": it is reported so, and nothing fails."""

    timezone: Annotated[str, AfterValidator(zone)] = "UTC"
    profile: str = Field("auto", description="guide, atom, auto, or the path of a folder with a profile")
    history: Path = Field(default_factory=_default_history, description="folder that keeps reports and last facts")
    app: App | None = None
    postgres: Postgres | None = None
    redis: Redis | None = None
    cache: Cache | None = None
    profiling: Profiling | None = None
    prometheus: Prometheus | None = None
    logs: Logs | None = None
    host: Host | None = None
    backups: Backups | None = None
    configuration: Configuration | None = None
    runtime: Runtime | None = None
    migrations: Migrations | None = None
    changes: Changes = Changes()
    security: Security = Security()
    notify: Notify = Notify()
    alerts: Alerts = Alerts()
    limits: Mapping[str, LimitOverride] = Field(default_factory=dict, description="by check code")
    acknowledged: tuple[Acknowledged, ...] = ()
    name: str = Field("", exclude=True, description="set from the table's name")

    @model_validator(mode="after")
    def _node_exporter_through_prometheus(self) -> Self:
        if self.host is not None and self.host.instance is not None and self.prometheus is None:
            message = "host.instance is asked for through Prometheus: add [targets.….prometheus]"
            raise ValueError(message)
        return self
