"""How much would go with a column: counted in the database itself, which is only read."""

from collections.abc import Iterable

import psycopg

from atomops.backup.access import Access
from atomops.errors import AtomOpsError
from atomops.migration.session import looking
from atomops.probes import schema

_SECONDS = 120


async def values_of(access: Access, columns: Iterable[str]) -> dict[str, int | None]:
    """The values in each column, None where they could not be counted in time."""
    return {column: await _values(access, column) for column in columns}


async def _values(access: Access, column: str) -> int | None:
    try:
        async with looking(access, _SECONDS) as session:
            return await schema.exact_values(session, column)
    except (AtomOpsError, psycopg.Error):
        return None
