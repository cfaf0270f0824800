"""Back the configuration up: looked at, kept in every store, read again, and old sets pruned."""

import datetime as dt

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.change.lock import Lock
from atomops.configuration import backing_up
from atomops.configuration.backing_up import Prepared
from atomops.facts.configuration_backup import ConfigurationFacts
from atomops.inventory import Target


@task(task_run_name="collect-configuration", cache_policy=NO_CACHE)
async def collect(target: Target, *, dry_run: bool) -> Prepared:
    """Everything that a set would hold, sealed in memory. Raises AtomOpsError when the workload cannot be seen."""
    return await backing_up.prepare(target, dry_run=dry_run)


@task(task_run_name="save-configuration", cache_policy=NO_CACHE)
async def save(prepared: Prepared, lock: Lock) -> ConfigurationFacts:
    """The set is listed in every store that took it, and was read again there; then the rules prune old ones."""
    set_id, stored, swept = await backing_up.save(prepared, dt.datetime.now(dt.UTC))
    prunings = await backing_up.prune_places(prepared, stored, lock, dry_run=False)
    return prepared.facts(set_id=set_id, stored=stored, prunings=prunings, swept=swept)


@task(task_run_name="plan-pruning", cache_policy=NO_CACHE)
async def would_prune(prepared: Prepared, lock: Lock) -> ConfigurationFacts:
    """What a run would keep and prune; nothing is written."""
    return prepared.facts(prunings=await backing_up.prune_places(prepared, (), lock, dry_run=True))
