"""One typed, frozen tree: targets and all their settings. Defaults are the operations guide's values."""

from atomops.inventory.backups import Backups, BackupStore, Keep
from atomops.inventory.cache import Cache, Profiling
from atomops.inventory.configuration import Configuration
from atomops.inventory.load import INVENTORY_VARIABLE, Inventory, inventory_path, load_inventory
from atomops.inventory.migrations import Migrations
from atomops.inventory.notify import Alerts, Notify
from atomops.inventory.runtime import Changes, Command, Docker, Kubernetes, NoRuntime, Runtime, Systemd
from atomops.inventory.security import Security
from atomops.inventory.target import (
    Acknowledged,
    App,
    Host,
    LimitOverride,
    Logs,
    Postgres,
    Prometheus,
    Redis,
    Target,
)

__all__ = [
    "INVENTORY_VARIABLE",
    "Acknowledged",
    "Alerts",
    "App",
    "BackupStore",
    "Backups",
    "Cache",
    "Changes",
    "Command",
    "Configuration",
    "Docker",
    "Host",
    "Inventory",
    "Keep",
    "Kubernetes",
    "LimitOverride",
    "Logs",
    "Migrations",
    "NoRuntime",
    "Notify",
    "Postgres",
    "Profiling",
    "Prometheus",
    "Redis",
    "Runtime",
    "Security",
    "Systemd",
    "Target",
    "inventory_path",
    "load_inventory",
]
