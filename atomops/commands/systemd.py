"""Command lines of systemctl and journalctl for one unit, and what `systemctl show` says. Pure."""

import datetime as dt
from dataclasses import dataclass

PLAIN = {"LC_ALL": "C", "TZ": "UTC", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}  # what both programs are to speak
_PROPERTIES = (
    "Id",
    "LoadState",
    "LoadError",
    "ActiveState",
    "SubState",
    "MainPID",
    "NRestarts",
    "ExecMainStartTimestamp",
    "ExecMainStatus",
    "Result",
    "InvocationID",
    "NeedDaemonReload",
    "TriggeredBy",
)
_TIME = "%a %Y-%m-%d %H:%M:%S UTC"  # with TZ=UTC, from the oldest version to the newest
_STOPPED = frozenset({"inactive", "failed"})


@dataclass(frozen=True)
class Unit:
    """One moment of a unit, in systemd's own words. `invocation` is another one after every start."""

    id: str
    load: str
    load_error: str
    active: str
    sub: str
    main_pid: int
    restarts: int
    started_at: dt.datetime | None
    exit_status: str
    result: str
    invocation: str
    needs_reload: bool
    triggered_by: tuple[str, ...]

    @property
    def is_stopped(self) -> bool:
        """Nothing of it runs, and nothing is on its way up."""
        return self.active in _STOPPED and self.main_pid == 0

    @property
    def state(self) -> str:
        """Such as "active (running)"."""
        return f"{self.active} ({self.sub})"

    @property
    def why(self) -> str:
        """Why it has failed, or ""."""
        if self.result in {"", "success"}:
            return ""
        return f"{self.result}, exit status {self.exit_status}"


def show(unit: str, *, user: bool) -> list[str]:
    """Everything that `parse` reads."""
    return [*_systemctl(user), "show", f"--property={','.join(_PROPERTIES)}", "--", unit]


def change(verb: str, unit: str, *, user: bool) -> list[str]:
    """`start`, `stop`, `restart` or `reset-failed`: ends when systemd's job has ended. Asks nobody for a password."""
    return [*_systemctl(user), "--no-ask-password", verb, "--", unit]


def reload(*, user: bool) -> list[str]:
    """Let systemd read its unit files again."""
    return [*_systemctl(user), "--no-ask-password", "daemon-reload"]


def journal(unit: str, since: dt.datetime, lines: int, *, user: bool) -> list[str]:
    """The unit's last lines since then, the newest first, and an end: no following.

    The order is what makes them the last: with --since, --lines alone means the first ones.
    """
    which = "--user-unit" if user else "--unit"
    bounds = [f"--since=@{int(since.timestamp())}", f"--lines={lines}"]
    return ["journalctl", f"{which}={unit}", *bounds, "--reverse", "--no-pager", "--output=short-iso"]


def parse(text: str) -> Unit:
    """What `show` has printed. Raises ValueError for anything else."""
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    missing = [name for name in ("Id", "LoadState", "ActiveState", "SubState") if name not in told]
    if missing:
        message = f"systemctl show told no {missing[0]}: {text[:120]!r}"
        raise ValueError(message)
    started = told.get("ExecMainStartTimestamp", "")
    return Unit(
        id=told["Id"],
        load=told["LoadState"],
        load_error=told.get("LoadError", "").strip(' "'),
        active=told["ActiveState"],
        sub=told["SubState"],
        main_pid=int(told.get("MainPID", "0")),
        restarts=int(told.get("NRestarts", "0")),
        started_at=_moment(started) if started else None,
        exit_status=told.get("ExecMainStatus", ""),
        result=told.get("Result", ""),
        invocation=told.get("InvocationID", ""),
        needs_reload=told.get("NeedDaemonReload") == "yes",
        triggered_by=tuple(told.get("TriggeredBy", "").split()),
    )


def _moment(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, _TIME).replace(tzinfo=dt.UTC)


def _systemctl(user: bool) -> list[str]:  # noqa: FBT001 - the caller's keyword, passed on
    return ["systemctl", *(["--user"] if user else [])]


@dataclass(frozen=True)
class UnitFiles:
    """The files that a unit is made of. `optional` are environment files that need not be there."""

    units: tuple[str, ...]
    environment: tuple[str, ...]
    optional: frozenset[str]


def show_files(unit: str, *, user: bool) -> list[str]:
    """Everything that `parse_files` reads."""
    return [*_systemctl(user), "show", "--property=FragmentPath,DropInPaths,EnvironmentFiles", "--", unit]


def parse_files(text: str) -> UnitFiles:
    """What `show_files` has printed."""
    units: list[str] = []
    environment: dict[str, bool] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name in {"FragmentPath", "DropInPaths"}:
            units += value.split()
        elif name == "EnvironmentFiles" and value:
            path, _, how = value.partition(" (")
            environment[path] = "ignore_errors=yes" in how
    optional = frozenset(path for path, may_be_absent in environment.items() if may_be_absent)
    return UnitFiles(tuple(units), tuple(environment), optional)
