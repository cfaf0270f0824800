"""The stores that a target's backups name."""

import re
from pathlib import Path

from atomops.errors import InventoryError
from atomops.inventory import BackupStore
from atomops.stores.local import LocalStore
from atomops.stores.store import Store

# A place beside the one of the target's databases, so that neither is listed, swept or pruned with the other; no
# target's name has a dot in it.
CONFIGURATION = ".configuration"
_SCHEME = re.compile(r"(?P<name>[a-z][a-z0-9+.-]*)://")


def store_of(settings: BackupStore, target: str) -> Store:
    """The store, not reached yet. Raises InventoryError for an address that no store understands."""
    scheme = _SCHEME.match(settings.store)
    if scheme is None:
        return LocalStore(Path(settings.store), target)
    if scheme["name"] != "s3":
        raise InventoryError(f"no store understands {settings.store}", action="name a folder, or s3://bucket/prefix")
    from atomops.stores.s3 import S3Store  # noqa: PLC0415 - boto3 takes time and memory that a folder does not need

    return S3Store(settings, target)


def is_folder(address: str) -> bool:
    """Whether the address of a store is one of a folder."""
    return _SCHEME.match(address) is None
