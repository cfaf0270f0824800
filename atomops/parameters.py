"""The parameters of flows, as the run form of the Prefect UI explains and bounds them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

TargetName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)]
Name = Annotated[str, Field(min_length=1, max_length=127)]  # of something in the database, its schema before a dot
Backup = Annotated[str, Field(pattern=r"^(latest|previous|before:.{10,40}|[A-Za-z0-9_-]+)$", max_length=100)]
Asked = Annotated[str, Field(pattern=r"^[^\x00-\x1f]*$", max_length=255)]  # an id or a name in the application's tables
Window = Annotated[float, Field(gt=0, le=31 * 24)]
Age = Annotated[int, Field(ge=0, le=3650)]
Shown = Annotated[int, Field(ge=1, le=200)]
KeptDays = Annotated[int, Field(ge=0, le=365)]
RestoreMode = Literal["swap", "beside", "tables"]
Quiesce = Literal["stop", "disconnect"]


def _switched(given: object) -> object:
    """YAML and scripts write booleans where the form offers words."""
    return {True: "on", False: "off"}.get(given, given) if isinstance(given, bool) else given


Switch = Annotated[Literal["auto", "on", "off"], BeforeValidator(_switched)]


def _as_text(given: object) -> object:
    """A number on a command line is one of the names that are digits."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


UserName = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=320)]
RoleName = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=127)]
Milliseconds = Annotated[int, Field(ge=-1, le=2**31 - 1)]
Scope = Literal["server", "database"]
Sessions = Annotated[int, Field(ge=1, le=1000)]
Rows = Annotated[int, Field(ge=0, le=10**12)]
Percent = Annotated[float, Field(ge=0, le=100)]
Transactions = Annotated[int, Field(ge=0, le=2**31)]
Tables = Annotated[int, Field(ge=1, le=1000)]
Jobs = Annotated[int, Field(ge=1, le=16)]
ParallelWorkers = Annotated[int, Field(ge=0, le=1024)]
Hours = Annotated[float, Field(gt=0, le=7 * 24)]
Minutes = Annotated[float, Field(gt=0, le=7 * 24 * 60)]
WaitMinutes = Annotated[float, Field(ge=0, le=24 * 60)]
CostDelay = Annotated[float, Field(ge=0, le=100)]
CostLimit = Annotated[int, Field(ge=1, le=10_000)]
SettleSeconds = Annotated[float, Field(ge=0, le=3600)]
Migrate = Literal["upgrade", "downgrade", "show"]
RevisionName = Annotated[str, Field(pattern=r"^[^\s:@+]*$", max_length=255)]
Approve = Literal["ask", "auto"]
WhichCache = Literal["application", "redis", "both"]
KeyPrefix = Annotated[str, Field(max_length=512)]
WatchSeconds = Annotated[float, Field(ge=0, le=3600)]
ChecklistName = Literal["morning", "end-of-day"]
TargetPattern = Annotated[str, Field(min_length=1, max_length=1000)]  # a name, a pattern, or several between commas
AtOnce = Annotated[int, Field(ge=1, le=100)]
TargetSeconds = Annotated[float, Field(gt=0, le=3600)]
AgentName = Annotated[str, Field(min_length=1, max_length=255)]
ProfileMinutes = Annotated[float, Field(gt=0, le=24 * 60)]
OnOff = Annotated[Literal["on", "off"], BeforeValidator(_switched)]
Retries = Annotated[int, Field(ge=0, le=50)]
ItemName = Annotated[str, Field(min_length=2, max_length=4096)]  # "ConfigMap/atom-config", "/etc/atom/atom.env"
