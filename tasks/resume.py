"""Put right what a killed change has left, before anything else is changed."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from atomops.change.resuming import resume as resume_application
from atomops.inventory import Target


@task(task_run_name="resume", cache_policy=NO_CACHE)
async def resume(target: Target) -> tuple[str, ...]:
    """What was found and done, in sentences; nothing for the most part. Call it with the lock of the target held.

    Raises what starting the application and waiting for it raise: then nothing else should be changed.
    """
    resumed = await resume_application(target)
    if resumed is None:
        return ()
    told = (resumed.found, *resumed.done)
    get_run_logger().warning("; ".join(told))
    return told
