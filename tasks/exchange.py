"""Exchange the live database for another one, with the application around it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from atomops.facts.restore import Exchange
from atomops.restore.planning import RestorePlan
from atomops.restore.swapping import Swap


@task(task_run_name="exchange-{plan.names.live}", cache_policy=NO_CACHE)
async def exchange(plan: RestorePlan, run: str) -> Exchange:
    """The exchange, or its way back. Never repeated by itself. Raises what `Swap.do` raises: then all is as before."""
    return await Swap(plan, run).do()
