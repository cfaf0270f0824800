"""Look at a history of migrations and its database: what would be done, and what stands against it."""

from pathlib import Path

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from atomops.inventory import Target
from atomops.migration.look import Look, look
from atomops.migration.order import Order
from atomops.reports.redact import redact
from atomops.secret import secrets_in

_LONGEST = 200_000  # characters of SQL that a page can show


@task(task_run_name="look-at-migrations", cache_policy=NO_CACHE)
async def look_at_migrations(target: Target, order: Order, work: Path) -> Look:
    """The look; its SQL is an artifact. Raises what alembic and the database raise."""
    seen = await look(target, order, work)
    if seen.sql:
        sql = redact(seen.sql, (secret.value for secret in secrets_in(target) if secret.value))
        cut = f"\n-- {len(sql) - _LONGEST:,} more characters" if len(sql) > _LONGEST else ""
        await acreate_markdown_artifact(
            f"````sql\n{sql[:_LONGEST]}{cut}\n````",
            key=f"migrate-database-{target.name}-sql",
            description=f"{seen.facts.action} from {', '.join(seen.facts.current)} to {seen.facts.target}"
            if isinstance(seen.facts.current, tuple)
            else "",
        )
    return seen
