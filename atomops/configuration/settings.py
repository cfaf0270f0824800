"""What of an inventory is meant for the configuration, where it says nothing of its own."""

from atomops.inventory import Configuration, Docker, Kubernetes, Systemd, Target
from atomops.secret import Secret

SERIES = "configuration"  # what a set of it has in place of a database's name


def settings_of(target: Target) -> Configuration:
    """The target's own, or the defaults."""
    return target.configuration or Configuration()


def recipients_of(target: Target) -> tuple[str, ...]:
    """For whom it is encrypted; nobody where neither part names one."""
    return settings_of(target).recipients or (target.backups.recipients if target.backups else ())


def identity_of(target: Target) -> Secret | None:
    """What reads it again, where it is at hand."""
    return settings_of(target).identity or (target.backups.identity if target.backups else None)


def missing(target: Target) -> str:
    """Why there is nothing to back up, or nowhere to keep it; "" when there is."""
    if target.backups is None:
        return "not configured: the inventory has no […backups]"
    if isinstance(target.runtime, Kubernetes | Docker | Systemd) or settings_of(target).files:
        return ""
    return "not configured: no […runtime] that knows its configuration, and no configuration.files"
