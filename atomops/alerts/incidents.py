"""The incidents of a target, kept: what the spool tells is put in order, and what fires now is asked for."""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, TypeAdapter

from atomops.alerts import spool
from atomops.errors import AtomOpsError
from atomops.facts.incidents import Incident, IncidentFacts, Signal, Spooled
from atomops.inventory import Prometheus, Target
from atomops.plans.incidents import merge, missing_from
from atomops.plans.signals import read_active, target_of
from atomops.plans.telling import identity
from atomops.probes.alerts.alertmanager import firing
from atomops.probes.prometheus.query import listed, prometheus
from atomops.probes.prometheus.service import unknown_form
from atomops.stores.kept_files import locked, read_kept, write_kept
from atomops.threads import beside
from atomops.verdict import Unseen

_WAIT = 300  # seconds for another run of the same target


@dataclass(frozen=True)
class Kept:
    """Every incident that is open or ended within a week; `looked` is when that was last put in order."""

    incidents: tuple[Incident, ...] = ()
    looked: AwareDatetime | None = field(default=None)


_KEPT: TypeAdapter[Kept] = TypeAdapter(Kept)


def incidents_path(target: Target) -> Path:
    """Where they lie."""
    return spool.folder_of(target) / "incidents.json"


def read_incidents(target: Target) -> Kept:
    """As the last run left them. Raises PermanentError for a file that says nothing."""
    return read_kept(incidents_path(target), _KEPT, Kept())


async def reach(target: Target) -> Kept:
    """The incidents as they are kept, whatever fires: what a run begins with. Raises as `read_incidents`."""
    return await beside(lambda: read_incidents(target))


@contextlib.asynccontextmanager
async def held(target: Target) -> AsyncIterator[None]:
    """No other run puts this target's incidents in order. Raises TimedOut after five minutes."""
    lock = locked(spool.folder_of(target) / "incidents.lock", seconds=_WAIT)
    await beside(lock.__enter__)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


async def put_in_order(target: Target, targets: tuple[Target, ...]) -> IncidentFacts:
    """What the spool tells and what fires now, as incidents that are kept when this returns.

    Only then the files of the spool go: who is killed before puts the same in order once more, which changes nothing.
    Raises PermanentError when the history cannot be read or written. `targets` are all of the inventory: whose an
    alert is depends on the others.
    """
    at = dt.datetime.now(dt.UTC)
    told = await beside(lambda: spool.drain(target))
    kept = read_incidents(target)
    first = merge(kept.incidents, told.signals, at)
    firing_now, asked, unasked = await _ask(target, targets)
    ended = missing_from(first.incidents, firing_now.known, at) if asked else ()
    second = merge(first.incidents, (*firing_now.heard, *ended), at, by_asking=True)
    write_kept(incidents_path(target), Kept(second.incidents, at))
    spool.forget(told.files)
    open_now = tuple(each for each in second.incidents if each.is_open)
    closed_now = {identity(each) for each in (*first.closed, *second.closed)}
    new = {identity(each) for each in (*first.opened, *second.opened)}
    return IncidentFacts(
        at=at,
        critical=tuple(each.lower() for each in target.alerts.critical),
        ticket_after=target.alerts.ticket_after_minutes * 60,
        changes_hours=target.alerts.changes_hours,
        open=open_now,
        resolved=tuple(each for each in second.incidents if not each.is_open and _is_news(each, closed_now)),
        new=tuple(identity(each) for each in open_now if identity(each) in new),
        spooled=Spooled(len(told.files), len(told.signals), first.replays, told.broken),
        asked=asked,
        unasked=unasked,
        is_heard=bool(asked or told.files or second.incidents),
        on_call=target.notify.on_call or target.notify.critical,
    )


def _is_news(incident: Incident, closed_now: set[str]) -> bool:
    """It ended at this look, or its end has not been told to those who were called for it."""
    return identity(incident) in closed_now or (incident.told is not None and not incident.closing_told)


def mark(target: Target, changed: Mapping[str, Incident]) -> None:
    """These are known as told from now on. Raises PermanentError."""
    if changed:
        kept = read_incidents(target)
        marked = tuple(changed.get(identity(each), each) for each in kept.incidents)
        write_kept(incidents_path(target), Kept(marked, kept.looked))


@dataclass(frozen=True)
class _Firing:
    """All that is known to fire, and of it what somebody should hear of: not what a silence hides."""

    known: tuple[Signal, ...] = ()
    heard: tuple[Signal, ...] = ()


async def _ask(target: Target, targets: tuple[Target, ...]) -> tuple[_Firing, tuple[str, ...], Unseen | None]:
    """What fires by whoever can be asked: Alertmanager, else Prometheus where no webhook tells us."""
    settings = target.prometheus
    if settings is None:
        return _Firing(), (), None
    try:
        if settings.alertmanager_url is not None:
            seen = await firing(settings, settings.alertmanager_url)
            mine = [each for each in seen if target_of(each["labels"], targets) == target.name]
            heard = [each for each in mine if each["status"]["state"] == "active"]
            return _Firing(read_active(mine), read_active(heard)), (f"Alertmanager {settings.alertmanager_url}",), None
        if spool.is_used(target):
            return _Firing(), (), None
        signals = await _of_prometheus(target, targets, settings)
    except AtomOpsError as error:
        return _Firing(), (), Unseen(error.what, error.action)
    return _Firing(signals, signals), (f"Prometheus {settings.url}",), None


async def _of_prometheus(target: Target, targets: tuple[Target, ...], settings: Prometheus) -> tuple[Signal, ...]:
    data = await listed(settings, "/alerts", settings.timeout)
    try:
        alerts = [_as_alertmanager(each) for each in data["alerts"] if each["state"] == "firing"]
        return read_active(each for each in alerts if target_of(each["labels"], targets) == target.name)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unknown_form(prometheus(settings), error) from error


def _as_alertmanager(alert: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"labels": alert["labels"], "annotations": alert.get("annotations") or {}, "startsAt": alert["activeAt"]}
