"""One typed, frozen tree: targets and all their settings. Defaults are the operations guide's values."""

import datetime as dt
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from platformdirs import user_state_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from atomops.errors import InventoryError, NotThere
from atomops.secret import SecretField, SecretReader, read_secret

INVENTORY_VARIABLE = "ATOMOPS_INVENTORY"
DEFAULT_PATH = Path("inventory.toml")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = f"no time zone is called {name!r}; examples: UTC, Europe/Berlin, America/New_York"
        raise ValueError(message) from error
    return name


def _url(*schemes: str) -> AfterValidator:
    def validate(address: str) -> str:
        parts = urlsplit(address)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            message = f"expected an address such as {schemes[0]}://host"
            raise ValueError(message)
        _ = parts.port  # raises ValueError when it is no number from 0 to 65535
        if parts.password is not None:
            message = (
                f'no password in an address: write password = "env:NAME" beside it ({parts.scheme}://{parts.hostname})'
            )
            raise ValueError(message)
        return address

    return AfterValidator(validate)


Seconds = Annotated[float, Field(gt=0, le=86_400)]
HttpUrl = Annotated[str, _url("https", "http"), AfterValidator(lambda address: address.rstrip("/"))]


class Settings(BaseModel):
    """The base of every part: frozen, and a key that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


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

    dsn: Annotated[str, _url("postgresql", "postgres")]
    password: SecretField | None = None
    connect_timeout: Seconds = 5
    statement_timeout: Seconds = Field(10, description="seconds that one statement may take")
    deadline: Seconds = Field(45, description="seconds for the whole look at the database")


class Redis(Settings):
    """The Redis or Valkey server, and the job queues that live in it."""

    url: Annotated[str, _url("redis", "rediss", "unix")]
    password: SecretField | None = None
    ca_file: Path | None = None
    timeout: Seconds = 5
    queues: tuple[str, ...] = Field((), description="RQ queue names whose depth and failed jobs are judged")


class Prometheus(Settings):
    """The monitoring system that scrapes the application."""

    url: HttpUrl
    alertmanager_url: HttpUrl | None = None
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
    timezone: Annotated[str, AfterValidator(_zone)] | None = Field(None, description="of times without an offset")
    deadline: Seconds = 120


class Host(Settings):
    """The machine whose disks are watched by the end-of-day checklist."""

    paths: tuple[Path, ...] = Field(min_length=1)


class Backups(Settings):
    """Where backup sets live, and how long they are kept."""

    store: str = Field(min_length=1, description="a folder, or s3://bucket/prefix")
    keep_days: int = Field(30, ge=1)
    keep_last: int = Field(7, ge=1, description="the newest proven sets that are never pruned, whatever their age")
    jobs: int = Field(2, ge=1, le=64)


class Runtime(Settings):
    """What runs the application, so that it can be stopped and started."""

    kind: Literal["kubernetes", "docker", "systemd", "command", "none"]
    deployment: str | None = None
    namespace: str = "default"


class Migrations(Settings):
    """How the application's schema is migrated: its own alembic, with its own interpreter."""

    command: tuple[str, ...] = ("alembic",)
    directory: Path


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

    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    profile: str = Field("auto", description="guide, atom, auto, or the path of a folder with a profile")
    history: Path = Field(default_factory=_default_history, description="folder that keeps reports and last facts")
    app: App | None = None
    postgres: Postgres | None = None
    redis: Redis | None = None
    prometheus: Prometheus | None = None
    logs: Logs | None = None
    host: Host | None = None
    backups: Backups | None = None
    runtime: Runtime | None = None
    migrations: Migrations | None = None
    limits: Mapping[str, LimitOverride] = Field(default_factory=dict, description="by check code")
    acknowledged: tuple[Acknowledged, ...] = ()
    name: str = Field("", exclude=True, description="set from the table's name")


class Inventory(Settings):
    """Every target of one file."""

    targets: Mapping[Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")], Target] = Field(min_length=1)

    def target(self, name: str, *, read: SecretReader = read_secret) -> Target:
        """The target, with its secrets read. Raises NotThere or InventoryError."""
        if name not in self.targets:
            close = get_close_matches(name, self.targets, n=1) or sorted(self.targets)
            raise NotThere(f"the inventory has no target {name!r}", action=f"did you mean {close[0]!r}?")
        plain = self.targets[name].model_dump() | {"name": name}
        try:
            return Target.model_validate(plain, context={"read_secret": read})
        except ValidationError as error:
            raise InventoryError(_explain(error, prefix=f"targets.{name}.")) from error


def inventory_path(given: Path | None = None) -> Path:
    """The file in force: the given one, else that of ATOMOPS_INVENTORY, else ./inventory.toml."""
    return given or Path(os.environ.get(INVENTORY_VARIABLE) or DEFAULT_PATH)


def load_inventory(path: Path | None = None) -> Inventory:
    """The whole validated file, secrets unread. Raises InventoryError naming the file, the key and a suggestion."""
    file = inventory_path(path)
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        action = f"write one (see README), pass --inventory FILE, or set {INVENTORY_VARIABLE}"
        raise InventoryError(f"the inventory {file} cannot be read ({error.strerror})", action=action) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InventoryError(f"the inventory {file} is not valid TOML: {error}") from error
    try:
        return Inventory.model_validate(tree)
    except ValidationError as error:
        raise InventoryError(f"{file}: {_explain(error)}") from error


def _explain(error: ValidationError, prefix: str = "") -> str:
    return "; ".join(prefix + _explain_one(dict(problem)) for problem in error.errors())


def _explain_one(problem: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    if problem["type"] == "extra_forbidden":
        return f"{key} is not a known key{_suggestion(problem['loc'])}"
    if problem["type"] == "missing":
        return f"{key} is missing"
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}"


def _suggestion(place: tuple[str | int, ...]) -> str:
    keys = {name for model in Settings.__subclasses__() for name in model.model_fields if name != "name"}
    close = get_close_matches(str(place[-1]), keys, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
