"""A target whose configuration is backed up and restored, without Prefect: as its tasks do it."""

import asyncio
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from atomops.change.lock import Unlocked
from atomops.configuration import backing_up, restoring
from atomops.configuration.backing_up import Prepared
from atomops.configuration.reading import Content, contents_of
from atomops.configuration.settings import identity_of
from atomops.facts.backup import BackupSet
from atomops.facts.configuration_backup import ConfigurationFacts
from atomops.facts.configuration_restore import ConfigurationRestoreFacts
from atomops.inventory import Inventory, Target
from atomops.stores.choose import CONFIGURATION
from atomops.stores.local import LocalStore
from tests.kubernetes_api.place import Place


@dataclass(frozen=True)
class Keys:
    """A pair of age keys."""

    public: str
    private: str


def new_keys() -> Keys:
    identity = pyrage.x25519.Identity.generate()
    return Keys(str(identity.to_public()), str(identity))


@dataclass(frozen=True)
class Saved:
    """A backup that was made."""

    prepared: Prepared
    facts: ConfigurationFacts


@dataclass(frozen=True)
class Configured:
    """One target, and the folder of its store."""

    folder: Path
    target: Target

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.folder / "store", self.target.name + CONFIGURATION)

    def sets(self) -> tuple[BackupSet, ...]:
        return self.store.listing().sets

    def back_up(self, *, dry_run: bool = False) -> Saved:
        async def work() -> Saved:
            prepared = await backing_up.prepare(self.target, dry_run=dry_run)
            if dry_run:
                prunings = await backing_up.prune_places(prepared, (), Unlocked(), dry_run=True)
                return Saved(prepared, prepared.facts(prunings=prunings))
            set_id, stored, swept = await backing_up.save(prepared, dt.datetime.now(dt.UTC))
            prunings = await backing_up.prune_places(prepared, stored, Unlocked(), dry_run=False)
            return Saved(prepared, prepared.facts(set_id=set_id, stored=stored, prunings=prunings, swept=swept))

        return asyncio.run(work())

    def restore(
        self, *names: str, dry_run: bool = False, take_over: bool = False, backup: str = "latest"
    ) -> ConfigurationRestoreFacts:
        async def work() -> ConfigurationRestoreFacts:
            chosen = await restoring.choose_and_look(self.target, backup, names, take_over=take_over)
            if dry_run:
                return chosen.facts(chosen.restorations, dry_run=True)
            return chosen.facts(await restoring.carry_out(chosen), dry_run=False)

        return asyncio.run(work())

    def contents(self) -> dict[str, Content]:
        """Of the newest set."""
        return dict(contents_of(self.store, self.sets()[0].manifest, identity_of(self.target)))

    def everything_stored(self) -> bytes:
        """Every byte in the store, and the names."""
        files = [path for path in (self.folder / "store").rglob("*") if path.is_file()]
        return b"\n".join(str(path).encode() + b"\n" + path.read_bytes() for path in files)


def configured(
    folder: Path,
    keys: Keys | None,
    *,
    runtime: dict[str, Any] | None = None,
    **settings: Any,  # noqa: ANN401 - as in an inventory
) -> Configured:
    """A target with a store in the folder; encrypted for the keys, when there are any."""
    own = {**settings}
    if keys is not None:
        own |= {"recipients": [keys.public], "identity": "env:IDENTITY"} | settings
    tree: dict[str, Any] = {
        "history": folder / "history",
        "backups": {"store": str(folder / "store"), "work_folder": folder / "work"},
        "configuration": {key: value for key, value in own.items() if value is not None},
    }
    if runtime is not None:
        tree["runtime"] = runtime
    inventory = Inventory.model_validate({"targets": {"test": tree}})
    return Configured(folder, inventory.target("test", read=lambda _reference: keys.private if keys else ""))


def on_kubernetes(place: Place, folder: Path, keys: Keys | None, **settings: Any) -> Configured:  # noqa: ANN401 - as in an inventory
    runtime = {
        "kind": "kubernetes",
        "deployment": "atom",
        "namespace": place.namespace,
        "kubeconfig": place.cluster.kubeconfig,
        "timeout": 5,
    }
    return configured(folder, keys, runtime=runtime, **{"deadline": 20, **settings})
