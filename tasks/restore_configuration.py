"""Put a set of the configuration back."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.configuration import restoring
from atomops.configuration.restoring import Chosen
from atomops.facts.configuration_restore import Restoration
from atomops.inventory import Target


@task(task_run_name="look-at-configuration", cache_policy=NO_CACHE)
async def look(target: Target, backup: str, names: Sequence[str], *, take_over: bool) -> Chosen:
    """The set, read whole, and what each object of it would change. Changes nothing. Raises what reading it raises."""
    return await restoring.choose_and_look(target, backup, names, take_over=take_over)


@task(task_run_name="apply-configuration", cache_policy=NO_CACHE)
async def apply(chosen: Chosen) -> tuple[Restoration, ...]:
    """What became of each. Nothing is deleted; what is refused is told, and stops nothing else."""
    return await restoring.carry_out(chosen)
