"""What stands in the way of a migration, without making one."""

from atomops.backup.access import backups_of
from atomops.inventory import Target
from atomops.migration.look import look
from atomops.migration.order import Order
from atomops.verdict import Unseen


async def reach(target: Target) -> tuple[Unseen, ...]:
    """What would be refused, and what could not be seen. Raises what the look raises; NotThere without backups."""
    backups_of(target)
    facts = (await look(target, Order(action="show"), None)).facts
    refused = [Unseen(each.reason, each.action) for each in facts.refusals]
    hidden = [each for each in (facts.statements, facts.lint, facts.sizes) if isinstance(each, Unseen)]
    return tuple(dict.fromkeys([*refused, *hidden]))
