"""Tell a run that is on time from one that a returning worker makes up for."""

import datetime as dt
from typing import Any

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from atomops.backup.places import places_of
from atomops.facts.backup import Listing
from atomops.inventory import Target

STALE = "STALE"


def stale(flow: str, hours: float) -> State[Any] | None:
    """The end of a run that came too late to speak for its hour: completed, and named so.

    None for a run that began within `hours` of its time, or by hand.
    """
    planned: dt.datetime = flow_run.scheduled_start_time
    if dt.datetime.now(dt.UTC) - planned <= dt.timedelta(hours=hours):
        return None
    message = (
        f"{flow} of {planned:%Y-%m-%d %H:%M} UTC came too late and was not run; start it by hand for the state of now"
    )
    return Completed(name=STALE, message=message)


async def caught_up(flow: str, target: Target, hours: float = 1) -> State[Any] | None:
    """The end of a late run whose work another has done since: after a downtime all late runs come at once.

    None for a run on time, by hand, or without a proven set in every store since the time it was planned for.
    """
    planned: dt.datetime = flow_run.scheduled_start_time
    if dt.datetime.now(dt.UTC) - planned <= dt.timedelta(hours=hours) or target.backups is None:
        return None
    held = [place.before for place in await places_of(target, target.backups)]
    if not all(isinstance(listing, Listing) and _has_since(listing, planned) for listing in held):
        return None
    return Completed(name=STALE, message=f"{flow} of {planned:%Y-%m-%d %H:%M} UTC was caught up by a later run")


def done_since(flow: str, done: dt.datetime | None, hours: float = 1) -> State[Any] | None:
    """The end of a late run whose work was done at a moment since; None for every other run."""
    planned: dt.datetime = flow_run.scheduled_start_time
    if done is None or done < planned or dt.datetime.now(dt.UTC) - planned <= dt.timedelta(hours=hours):
        return None
    return Completed(name=STALE, message=f"{flow} of {planned:%Y-%m-%d %H:%M} UTC was caught up by a later run")


def _has_since(listing: Listing, planned: dt.datetime) -> bool:
    return any(each.is_proven and each.at >= planned for each in listing.sets)
