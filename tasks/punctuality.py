"""Tell a run that is on time from one that a returning worker makes up for."""

import datetime as dt
from typing import Any

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

STALE = "STALE"


def stale_since(hours: float) -> dt.datetime | None:
    """When this run should have begun, if that is more than `hours` ago (UTC); None for a run on time or by hand."""
    planned: dt.datetime = flow_run.scheduled_start_time
    late = dt.datetime.now(dt.UTC) - planned
    return planned if late > dt.timedelta(hours=hours) else None


def stale(flow: str, planned: dt.datetime) -> State[Any]:
    """The end of a run that came too late to speak for its hour: completed, and named so."""
    message = (
        f"{flow} of {planned:%Y-%m-%d %H:%M} UTC came too late and was not run; start it by hand for the state of now"
    )
    return Completed(name=STALE, message=message)
