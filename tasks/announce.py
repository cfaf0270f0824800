"""Announce to the Prefect server what has come about: events that automations and dead-man's switches wait for."""

from collections.abc import Iterable

from prefect.events import emit_event

from atomops.automations import BACKUP_PROVEN, REPORT_PUBLISHED, resource_of
from atomops.facts.nightly import NightFacts
from atomops.inventory import Target
from atomops.reports.report import Report


def announce(report: Report, target: Target, facts: Iterable[object]) -> None:
    """That a report is published; and a night that has proven every database in every store, that too."""
    resource = resource_of(target.name, report.flow)
    emit_event(REPORT_PUBLISHED, resource={**resource, "atomops.level": str(report.level)}, payload=_short(report))
    nights = [each for each in facts if isinstance(each, NightFacts)]
    if any(is_proven(night) for night in nights):
        emit_event(BACKUP_PROVEN, resource=resource, payload=_short(report))


def is_proven(night: NightFacts) -> bool:
    """Every database has a new set, restored from every store. A dry run proves nothing."""
    if night.dry_run or not night.databases:
        return False
    return all(each.stored and all(stored.is_proven for stored in each.stored) for each in night.databases)


def _short(report: Report) -> dict[str, str]:
    return {"level": str(report.level), "summary": report.summary, "flow_run": report.run.flow_run_id}
