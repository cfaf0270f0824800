"""Ask for something that others do without: its failure is a part of the facts, not the end of the look."""

from collections.abc import Awaitable
from typing import TypeVar

from atomops.errors import AtomOpsError
from atomops.verdict import Unseen

T = TypeVar("T")


async def attempt(asked: Awaitable[T]) -> T | Unseen:
    """What came of it, or why nothing did and what to do."""
    try:
        return await asked
    except AtomOpsError as error:
        return Unseen(error.what, error.action)
