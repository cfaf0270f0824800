"""Change a target: nobody else does meanwhile, it is on record, and whoever ends it ends it in good order."""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.utilities import engine

from atomops.change.audit import Entry, record
from atomops.change.ending import cancelled_by_sigterm
from atomops.change.lock import Busy, Lock, Unlocked, one_change_at_a_time
from atomops.change.profiling import finish_left
from atomops.inventory import Target

_DONE, _CANCELLED = "done", "cancelled"


@dataclass
class Record:
    """A change under way, and what its record will say of it."""

    run: str
    plan: tuple[str, ...] = ()
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    result: str = _DONE


@dataclass
class Change(Record):
    """One that nobody else is at beside us."""

    lock: Lock = field(kw_only=True)


@contextlib.asynccontextmanager
async def change(  # noqa: PLR0913 - what there is to say of a change
    target: Target,
    what: str,
    parameters: Mapping[str, object],
    *,
    dry_run: bool,
    wait_minutes: float = 0,
    locked: bool = True,
) -> AsyncIterator[Change]:
    """The lock is held during the block; its begin and its end are audit lines and Prefect events.

    A dry run changes nothing, so it leaves no record. Raises Busy naming who else still changes the target after
    `wait_minutes`. Not `locked` is only what must be done while the database is away.
    """
    with _ended_in_order():
        held = one_change_at_a_time(target, what, patience=wait_minutes * 60, waiting=_Waiting())
        async with held if locked else contextlib.nullcontext(Unlocked()) as lock:
            it = Change(str(flow_run.id or ""), lock=lock)
            if not dry_run:
                await _finish_profiling(target)
            with _on_record(target, what, parameters, it, dry_run=dry_run):
                yield it


async def _finish_profiling(target: Target) -> None:
    """Whatever a killed run has left on; it is no reason to hold up another change."""
    for told in await finish_left(target):
        get_run_logger().warning(told)


@contextlib.asynccontextmanager
async def recorded(
    target: Target, what: str, parameters: Mapping[str, object], *, dry_run: bool
) -> AsyncIterator[Record]:
    """As `change`, without the lock: for what no other change of the target could meet, or where there is none."""
    with _ended_in_order():
        it = Record(str(flow_run.id or ""))
        with _on_record(target, what, parameters, it, dry_run=dry_run):
            yield it


def changing(
    target: Target, what: str, parameters: Mapping[str, object], *, dry_run: bool
) -> contextlib.AbstractAsyncContextManager[Record]:
    """As `change`; only on record where the target has no database that could hold a lock."""
    has_lock = target.postgres is not None or target.changes.dsn is not None
    return (change if has_lock else recorded)(target, what, parameters, dry_run=dry_run)


@contextlib.contextmanager
def _on_record(
    target: Target, what: str, parameters: Mapping[str, object], it: Record, *, dry_run: bool
) -> Iterator[None]:
    if dry_run:
        yield
        return
    tell = _Teller(target, what, parameters, it)
    tell("started")
    try:
        yield
    except Exception as error:
        tell(f"failed: {error}")
        raise
    except BaseException:
        tell(_CANCELLED)
        raise
    tell(it.result)


@dataclass
class _Waiting:
    """Says in the run's log whom we wait for, once each."""

    said: str = ""

    def __call__(self, busy: Busy) -> None:
        if busy.what != self.said:
            self.said = busy.what
            get_run_logger().info("%s; waiting for its end", busy.what)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM cancels the change, and Prefect takes the handler that does so for its own.

    A worker asks Prefect's engine whether that one is installed before it calls a run "cancelled" (else "crashed").
    """
    with cancelled_by_sigterm() as handler:
        earlier = engine._prefect_sigterm_handler  # noqa: SLF001 - there is no public way to say so
        engine._prefect_sigterm_handler = handler or earlier  # type: ignore[assignment]  # noqa: SLF001
        try:
            yield
        finally:
            engine._prefect_sigterm_handler = earlier  # noqa: SLF001


@dataclass(frozen=True)
class _Teller:
    target: Target
    what: str
    parameters: Mapping[str, object]
    change: Record

    def __call__(self, result: str) -> None:
        change = self.change
        entry = Entry(
            at=dt.datetime.now(dt.UTC),
            what=self.what,
            target=self.target.name,
            run=change.run,
            result=result,
            parameters=self.parameters,
            plan=change.plan,
            before=change.before,
            after=change.after,
        )
        record(self.target, entry)
        emit_event(
            f"atomops.change.{'started' if result == 'started' else 'ended'}",
            resource={"prefect.resource.id": f"atomops.target.{self.target.name}", "atomops.change": self.what},
            payload={"run": change.run, "result": result, "who": entry.who, "parameters": dict(self.parameters)},
        )
