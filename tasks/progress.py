"""Show how far a step has come: a progress artifact in the Prefect UI, for steps that take more than a moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from atomops.errors import AtomOpsError

_EVERY_SECONDS = 2
_MOST = 99.0  # per cent, until the step has ended


@contextlib.asynccontextmanager
async def shown_progress(key: str, description: str, measure: Callable[[], Awaitable[float]]) -> AsyncIterator[None]:
    """Whatever takes longer than two seconds shows how far it is; `measure` gives that from 0 to 1.

    It is a courtesy: no failure of measuring or showing reaches the step itself.
    """
    watching = asyncio.create_task(_watch(key, description, measure))
    try:
        yield
    finally:
        watching.cancel()
        (shown,) = await asyncio.gather(watching, return_exceptions=True)
        if isinstance(shown, UUID):
            with contextlib.suppress(Exception):
                await aupdate_progress_artifact(shown, progress=100.0)


async def _watch(key: str, description: str, measure: Callable[[], Awaitable[float]]) -> UUID | None:
    shown: UUID | None = None
    try:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            with contextlib.suppress(AtomOpsError, OSError):
                shown = await _show(shown, key, description, min(_MOST, 100 * await measure()))
    except asyncio.CancelledError:
        return shown


async def _show(shown: UUID | None, key: str, description: str, progress: float) -> UUID:
    if shown is None:
        return await acreate_progress_artifact(progress=progress, key=key, description=description)
    await aupdate_progress_artifact(shown, progress=progress)
    return shown
