"""What the target's channels are still owed."""

import datetime as dt

from atomops.facts.incidents import NotifyFacts
from atomops.inventory import Target
from atomops.stores.outbox import read_outbox
from atomops.threads import beside


async def look(target: Target) -> NotifyFacts:
    """The outbox as it is. Raises PermanentError for one that cannot be read."""
    outbox = await beside(lambda: read_outbox(target))
    return NotifyFacts(dt.datetime.now(dt.UTC), target.notify.every_channel, outbox.owed)
