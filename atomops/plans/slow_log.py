"""What is to be logged of slow statements: by which statements, with which rights, and how it goes back. Pure."""

import re
from dataclasses import dataclass

from atomops.facts.tuning import Remembered, Scope, SlowLog
from atomops.plans.vacuum import quoted
from atomops.verdict import Unseen

PARAMETER = "log_min_duration_statement"
RELOAD = "SELECT pg_reload_conf()"
AUTO_CONF = "postgresql.auto.conf"
PRIVILEGES_SINCE = 150_000  # GRANT ... ON PARAMETER; PostgreSQL's version numbers
_UNITS = {"us": 0.001, "": 1, "ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_BEFORE_FILES = ("command line", "environment variable", "override")


@dataclass(frozen=True)
class TuningWish:
    """What is asked for: a limit in milliseconds, to go back, or neither, which is a report."""

    slow_statement_ms: int | None = None
    undo: bool = False
    scope: Scope = "server"

    @property
    def changes(self) -> bool:
        """Whether anything is to be changed at all."""
        return self.undo or self.slow_statement_ms is not None

    @property
    def sentence(self) -> str:
        """In words."""
        if self.undo:
            return f"go back to what {self._whose} logged before"
        if self.slow_statement_ms is None:
            return "report only"
        if self.slow_statement_ms < 0:
            return f"{self._whose} logs no slow statements any more"
        return f"{self._whose} logs statements of {self.slow_statement_ms:,} ms or more"

    @property
    def _whose(self) -> str:
        return f"the {self.scope}"


@dataclass(frozen=True)
class Rights:
    """What our role may do on a server of that version. None: only trying tells."""

    role: str
    database: str
    version: int
    is_superuser: bool
    is_standby: bool
    alter_system: bool | None
    set_parameter: bool | None
    reload: bool
    owns_database: bool
    system_is_fixed: bool = False


@dataclass(frozen=True)
class Step:
    """What is executed, what it is to come to (None: no value of its own), and what is remembered for the way back."""

    scope: Scope
    statements: tuple[str, ...]
    value: str | None
    remembered: Remembered | None


def milliseconds(text: str | None) -> float | None:
    """A value as people write it into a file, in milliseconds; None when it is none."""
    found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*", text or "")
    return float(found[1]) * _UNITS[found[2] or ""] if found else None


def current(log: SlowLog, scope: Scope) -> str | Unseen | None:
    """The value that the scope has of its own."""
    return log.entry if scope == "server" else log.ours


def unread(log: SlowLog) -> bool:
    """Whether postgresql.auto.conf says what the running server has not read yet: somebody has not reloaded."""
    if isinstance(log.entry, Unseen) or log.setting.source not in {"default", "configuration file"}:
        return False
    if log.entry is None:
        return from_auto_conf(log)
    return milliseconds(log.entry) != milliseconds(log.setting.value)


def from_auto_conf(log: SlowLog) -> bool:
    """Whether the value in force is the one that ALTER SYSTEM has written."""
    return (log.setting.file or "").endswith(f"/{AUTO_CONF}")


def rights_missing(rights: Rights, scope: Scope) -> tuple[Unseen, ...]:
    """What our role lacks for a change of that scope, each with its grant."""
    role, database, version, found = quoted(rights.role), rights.database, rights.version, list[Unseen]()
    if scope == "server":
        if rights.alter_system is False:
            grant = f"GRANT ALTER SYSTEM ON PARAMETER {PARAMETER} TO {role};"
            found.append(Unseen(f"the role {rights.role} may not ALTER SYSTEM", _grant(grant, version)))
        if not rights.reload:
            action = f"GRANT EXECUTE ON FUNCTION pg_reload_conf() TO {role};"
            found.append(Unseen(f"the role {rights.role} may not reload the configuration", action))
        return tuple(found)
    if not rights.owns_database:
        action = f"use the database's owner in changes.dsn, or ALTER DATABASE {quoted(database)} OWNER TO {role};"
        found.append(Unseen(f"the role {rights.role} does not own the database {database}", action))
    if rights.set_parameter is False:
        grant = f"GRANT SET ON PARAMETER {PARAMETER} TO {role};"
        found.append(Unseen(f"the role {rights.role} may not SET {PARAMETER}", _grant(grant, version)))
    return tuple(found)


def _grant(statement: str, version: int) -> str:
    if version >= PRIVILEGES_SINCE:
        return f"{statement} or use scope=database" if "ALTER SYSTEM" in statement else statement
    return "before PostgreSQL 15 only a superuser can: use one in changes.dsn"


def obstacle(wish: TuningWish, log: SlowLog, rights: Rights, kept: Remembered | None) -> Unseen | None:
    """Why nothing can be changed, or would have no effect, or could not be taken back; None when it can."""
    if wish.undo and wish.slow_statement_ms is not None:
        return Unseen("slow_statement_ms and undo exclude each other", "leave one of them out")
    forbidden = _forbidden(wish.scope, rights)
    if forbidden or wish.undo:
        return forbidden or _cannot_go_back(wish, log, kept)
    now = current(log, wish.scope)
    if isinstance(now, Unseen):
        return Unseen(f"there would be no way back: {now.reason}", now.action)
    if wish.scope == "server" and log.setting.source in _BEFORE_FILES:
        reason = f"it would have no effect: the server's {log.setting.source} says {log.setting.value}"
        return Unseen(reason, "take it out of there and restart, or use scope=database, which wins over it")
    return None


def _forbidden(scope: Scope, rights: Rights) -> Unseen | None:
    if rights.is_standby and scope == "database":
        return Unseen(
            "a standby's databases cannot be altered", "let changes.dsn name the primary, or use scope=server"
        )
    if rights.system_is_fixed and scope == "server":
        return Unseen("allow_alter_system is off: another tool keeps this configuration", "use it, or scope=database")
    return next(iter(rights_missing(rights, scope)), None)


def _cannot_go_back(wish: TuningWish, log: SlowLog, kept: Remembered | None) -> Unseen | None:
    now = current(log, wish.scope)
    if kept is None:
        says = "" if isinstance(now, Unseen) or now is None else f"; it has {now} of its own now"
        reason = f"nothing of ours is on record for the {wish.scope}{says}"
        return Unseen(reason, f"to take away whatever is there: {statement(wish.scope, kept, None)}")
    if isinstance(now, Unseen):
        return now
    if now not in {kept.wanted, kept.before}:
        reason = f"somebody else has set {now or 'no value'} since we set {kept.wanted}: that is not ours to undo"
        return Unseen(reason, "set what is wanted by slow_statement_ms")
    return None


def step(wish: TuningWish, log: SlowLog, kept: Remembered | None, new: Remembered) -> Step:
    """What is executed, when there is no obstacle. `new` is what would be remembered of a first change."""
    now = current(log, wish.scope)
    value = (kept.before if kept else None) if wish.undo else str(wish.slow_statement_ms)
    alter = () if now == value else (statement(wish.scope, new, value),)
    reload = (RELOAD,) if wish.scope == "server" and (alter or unread(log)) else ()
    if wish.undo or not (alter or reload):
        return Step(wish.scope, (*alter, *reload), value, kept)
    return Step(wish.scope, (*alter, *reload), value, _remember(now, kept, new))


def _remember(now: str | Unseen | None, kept: Remembered | None, new: Remembered) -> Remembered:
    """What was there before the first of our changes, as long as nobody else has come between."""
    ours = kept is not None and now in {kept.wanted, kept.before}
    before = kept.before if kept and ours else (now if isinstance(now, str) else None)
    return Remembered(new.at, new.scope, new.database, before, new.wanted, new.run)


def statement(scope: Scope, of: Remembered | None, value: str | None) -> str:
    """The statement that gives the scope that value, or none of its own."""
    what = "ALTER SYSTEM" if scope == "server" else f"ALTER DATABASE {quoted(of.database) if of else '...'}"
    if value is None:
        return f"{what} RESET {PARAMETER}"
    escaped = value.replace("'", "''")
    return f"{what} SET {PARAMETER} = '{escaped}'"


def confirmed(scope: Scope, value: str | None, log: SlowLog) -> bool:
    """Whether what was read back is what was wanted: the value, and where it comes from."""
    if scope == "database":
        in_force = value is None or (log.setting.source in {"database", "user", "database user"} and log.ours == value)
        return log.ours == value and in_force
    if not isinstance(log.entry, Unseen) and log.entry != value:
        return False
    if value is None:
        return not from_auto_conf(log)
    if log.setting.source != "configuration file":
        return log.setting.source in {"database", "user", "database user"} and log.entry == value
    return milliseconds(log.setting.value) == milliseconds(value)
