"""Every probe, with what it fills: the one table that flows and the doctor go through."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

from atomops.administration.roles import reach as reach_user_role
from atomops.administration.terminating import reach as reach_sessions
from atomops.administration.tuning import reach as reach_tuning
from atomops.alerts.incidents import reach as reach_incidents
from atomops.backup.preflight import reach as reach_backup
from atomops.configuration import settings as configuration_settings
from atomops.drill.planning import reach as reach_drill
from atomops.errors import NotThere
from atomops.facts.access import AccessFacts
from atomops.facts.alerts import AlertFacts
from atomops.facts.application import AgentFacts, EpisodeFacts, Given, SkillFacts, UserFacts
from atomops.facts.backup_stores import BackupFacts
from atomops.facts.cache import CacheFacts
from atomops.facts.capacity import CapacityFacts
from atomops.facts.certificates import CertificateFacts
from atomops.facts.configuration_backup import ConfigurationAge, ConfigurationFacts
from atomops.facts.configuration_restore import ConfigurationRestoreFacts
from atomops.facts.drill import DrillFacts
from atomops.facts.executions import ExecutionFacts
from atomops.facts.fleet import FleetFacts
from atomops.facts.health import HealthFacts
from atomops.facts.incidents import IncidentFacts, NotifyFacts
from atomops.facts.logins import LoginFacts
from atomops.facts.logs import LogFacts
from atomops.facts.metrics import MetricsFacts
from atomops.facts.migration import MigrationFacts
from atomops.facts.nightly import NightFacts
from atomops.facts.postgres import PostgresFacts
from atomops.facts.profiling import ProfilingFacts
from atomops.facts.redis import RedisFacts
from atomops.facts.redis_access import RedisAccessFacts
from atomops.facts.replaced import ReplacedFacts
from atomops.facts.restart import RestartFacts
from atomops.facts.restore import RestoreFacts
from atomops.facts.runtime import Running
from atomops.facts.settling import SettlingFacts
from atomops.facts.terminating import TerminationFacts
from atomops.facts.tls import TlsFacts
from atomops.facts.tuning import TuningFacts
from atomops.facts.user_role import UserRoleFacts
from atomops.facts.vacuum import VacuumFacts
from atomops.inventory import Target
from atomops.migration.reach import reach as reach_migration
from atomops.probes import (
    alerts,
    backups,
    capacity,
    configuration,
    health,
    logs,
    metrics,
    missing,
    notify,
    postgres,
    redis,
    replaced,
    tls,
)
from atomops.probes.postgres import reports
from atomops.probes.security import access, certificates, executions, logins, redis_access
from atomops.profiles.profile import AskedBy
from atomops.restore.planning import reach as reach_restore
from atomops.runtimes.choose import runtime_of
from atomops.runtimes.runtime import KnowsItsRights
from atomops.vacuum.look import reach as reach_vacuum
from atomops.verdict import Unseen


@dataclass(frozen=True)
class Part:
    """One thing to look at: its probe, the facts that come of it, and the report's sections that they fill.

    `missing` says why a target is not configured for it, or "". `reach` is a quicker look, for finding out what works.
    `codes` are the only checks on those facts that are wanted; None: all.
    """

    name: str
    sections: tuple[str, ...]
    facts: type
    look: Callable[[Target], Awaitable[Any]]
    missing: Callable[[Target], str]
    reach: Callable[[Target], Awaitable[Any]] | None = None
    codes: frozenset[str] | None = None

    def asking(self, **parameters: Given) -> "Part":
        """The same part, looked at with these parameters of a flow."""
        return replace(self, look=partial(self.look, **parameters))


def _report(section: tuple[str, ...], part: AskedBy, facts: type, look: Callable[..., Awaitable[Any]]) -> Part:
    return Part(part, section, facts, look, missing.table("postgres"), partial(reports.reach, part=part))


async def _not_to_be_looked_at(target: Target) -> NoReturn:
    """Its facts come of a flow's own work."""
    raise NotThere(f"no probe can see that of {target.name}", action="run the flow that does it")


async def _reach_runtime(target: Target) -> tuple[Running, tuple[Unseen, ...]]:
    """What runs now, and every right that is missing to change that."""
    runtime = runtime_of(target)
    running = await runtime.describe()
    return running, await runtime.missing_rights() if isinstance(runtime, KnowsItsRights) else ()


async def _reach_cache(target: Target) -> RedisFacts | None:
    """The endpoint is not asked: that would clear it."""
    return await redis.look(target) if target.redis is not None else None


async def _reach_application(target: Target) -> HealthFacts | None:
    """Its endpoints are not asked: that would switch something."""
    return await health.look(target) if target.app is not None else None


HEALTH = Part("health", ("Health",), HealthFacts, health.look, missing.table("app"))
POSTGRES = Part("postgres", ("Database", "Agent executions"), PostgresFacts, postgres.look, missing.table("postgres"))
REDIS = Part("redis", ("Redis",), RedisFacts, redis.look, missing.table("redis"))
LOGS = Part("logs", ("Error logs",), LogFacts, logs.look, missing.table("logs"))
METRICS = Part("metrics", ("Metrics",), MetricsFacts, metrics.look, missing.table("prometheus", "app"))
TLS = Part("tls", ("TLS",), TlsFacts, tls.look, missing.tls)
BACKUPS = Part("backups", ("Backups",), BackupFacts, backups.look, missing.table("backups"), backups.reach)
NIGHT = Part("night", ("Backup", "Retention"), NightFacts, _not_to_be_looked_at, missing.table("backups"), reach_backup)
RESTORE = Part("restore", ("Restore",), RestoreFacts, _not_to_be_looked_at, missing.restore, reach_restore)
VACUUM = Part("vacuum", ("Vacuum",), VacuumFacts, _not_to_be_looked_at, missing.database, reach_vacuum)
DRILL = Part("drill", ("Drill",), DrillFacts, _not_to_be_looked_at, missing.table("backups"), reach_drill)
RUNTIME = Part("runtime", ("Restart",), RestartFacts, _not_to_be_looked_at, missing.runtime, _reach_runtime)
SETTLING = Part("settling", ("Settling",), SettlingFacts, _not_to_be_looked_at, missing.nothing)
MIGRATION = Part(
    "migration",
    ("Migration", "Rehearsal", "Result"),
    MigrationFacts,
    _not_to_be_looked_at,
    missing.migration,
    reach_migration,
)
CACHE = Part("cache", ("Cache",), CacheFacts, _not_to_be_looked_at, missing.cache, _reach_cache)
USER_ROLE = Part("user role", ("User role",), UserRoleFacts, _not_to_be_looked_at, missing.database, reach_user_role)
SESSIONS = Part("sessions", ("Sessions",), TerminationFacts, _not_to_be_looked_at, missing.database, reach_sessions)
TUNING = Part("tuning", ("Tuning",), TuningFacts, _not_to_be_looked_at, missing.database, reach_tuning)
INDEXES = Part(
    "indexes",
    ("Database",),
    PostgresFacts,
    postgres.look,
    missing.table("postgres"),
    codes=frozenset(
        {
            "PG-STATEMENTS-SLOW",
            "PG-SEQUENTIAL-SCANS",
            "PG-FOREIGN-KEY-NO-INDEX",
            "PG-INDEX-UNUSED",
            "PG-INDEX-DUPLICATE",
            "PG-INDEX-INVALID",
        }
    ),
)
ALERTS = Part("alerts", ("Alerts",), AlertFacts, alerts.look, missing.table("prometheus"))
REPLACED = Part("replaced", ("Replaced databases",), ReplacedFacts, replaced.look, missing.table("postgres"))
CONFIGURATION = Part(
    "configuration",
    ("Configuration",),
    ConfigurationFacts,
    _not_to_be_looked_at,
    configuration_settings.missing,
    configuration.reach,
)
CONFIGURATION_RESTORE = Part(
    "configuration-restore",
    ("Configuration restore",),
    ConfigurationRestoreFacts,
    _not_to_be_looked_at,
    configuration_settings.missing,
    configuration.reach_restore,
)
CONFIGURATION_AGE = Part(
    "configuration-age", ("Configuration backup",), ConfigurationAge, configuration.look, missing.configuration
)
INCIDENTS = Part(
    "incidents",
    ("Incidents", "Changes before"),
    IncidentFacts,
    _not_to_be_looked_at,
    missing.nothing,
    reach_incidents,
)
NOTIFY = Part("notify", ("Notifications",), NotifyFacts, notify.look, missing.notify)
CAPACITY = Part("capacity", ("Capacity",), CapacityFacts, capacity.look, missing.table("host"))
CERTIFICATES = Part("certificates", ("Certificates",), CertificateFacts, certificates.look, missing.hosts)
EXECUTIONS = Part("executions", ("Executions",), ExecutionFacts, executions.look, missing.table("postgres"))
LOGINS = Part("logins", ("Failed logins",), LoginFacts, logins.look, missing.logins)
ACCESS = Part("access", ("Roles", "Rights", "Server settings"), AccessFacts, access.look, missing.table("postgres"))
REDIS_ACCESS = Part("redis-access", ("Redis access",), RedisAccessFacts, redis_access.look, missing.table("redis"))
PROFILING = Part(
    "profiling", ("Profiling",), ProfilingFacts, _not_to_be_looked_at, missing.table("profiling"), _reach_application
)
FLEET = Part("fleet", ("Fleet",), FleetFacts, _not_to_be_looked_at, missing.nothing)
MORNING = (HEALTH, POSTGRES, REDIS, LOGS, METRICS, TLS)
END_OF_DAY = (ALERTS, BACKUPS, REPLACED, CONFIGURATION_AGE, CAPACITY, NOTIFY)
CHECKLISTS = {"morning": ("morning-checklist", MORNING), "end-of-day": ("end-of-day-checklist", END_OF_DAY)}
AGENTS = _report(
    ("Selected agent", "Agent executions", "Agent errors", "Agents"), "agents", AgentFacts, reports.look_at_agents
)
SKILLS = _report(("Selected skill", "Skill executions", "Skill errors"), "skills", SkillFacts, reports.look_at_skills)
EPISODES = _report(("Episodes",), "episodes", EpisodeFacts, reports.look_at_episodes)
USERS = _report(("Selected user", "Users"), "users", UserFacts, reports.look_at_users)
PARTS = (
    HEALTH,
    POSTGRES,
    REDIS,
    LOGS,
    METRICS,
    TLS,
    ALERTS,
    BACKUPS,
    REPLACED,
    CONFIGURATION_AGE,
    CAPACITY,
    NIGHT,
    RESTORE,
    DRILL,
    CONFIGURATION,
    CONFIGURATION_RESTORE,
    VACUUM,
    RUNTIME,
    MIGRATION,
    CERTIFICATES,
    EXECUTIONS,
    LOGINS,
    ACCESS,
    REDIS_ACCESS,
    CACHE,
    AGENTS,
    SKILLS,
    EPISODES,
    USERS,
    USER_ROLE,
    TUNING,
    SESSIONS,
    PROFILING,
    INCIDENTS,
    NOTIFY,
)
