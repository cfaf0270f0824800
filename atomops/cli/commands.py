"""Each import registers a command."""

from atomops.cli import (
    alerts,
    automations,
    backup_fetch,
    backups,
    demo,
    deploy,
    doctor,
    inventory,
    replaced,
    resume,
    run,
)

__all__ = [
    "alerts",
    "automations",
    "backup_fetch",
    "backups",
    "demo",
    "deploy",
    "doctor",
    "inventory",
    "replaced",
    "resume",
    "run",
]
