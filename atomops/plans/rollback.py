"""What taking the latest changes back would be: exact commands, prepared and not run. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from atomops.facts.incidents import RecentChange
from atomops.facts.restore import Step
from atomops.inventory import Command, Docker, Kubernetes, Systemd, Target
from atomops.reports.report import stamp

MIGRATION, RESTORE, RESTART = "migrate-database", "restore-database", "restart-service"
_WITHOUT_REVISIONS = (
    "the runtime keeps no earlier revision: start the earlier release by the means that deploy it; then"
)


def ways_back(target: Target, changes: Sequence[RecentChange], revisions: Sequence[str] = ()) -> tuple[Step, ...]:
    """How the release goes back, and the last migration and restore, the release first.

    `revisions` are those that the runtime keeps, the one that runs first, each as the runtime names it.
    """
    return (*_release(target, revisions), *_data(target, changes))


def _release(target: Target, revisions: Sequence[str]) -> Iterator[Step]:
    match target.runtime:
        case Kubernetes() as settings:
            kind = "deployment" if settings.deployment else "statefulset"
            name = f"{kind}/{settings.deployment or settings.statefulset}"
            before = f"kubectl --namespace {settings.namespace} rollout"
            yield Step("what ran before", f"{before} history {name}")
            if len(revisions) > 1:
                number = revisions[1].partition(" ")[0]
                yield Step(f"back to revision {revisions[1]}", f"{before} undo {name} --to-revision={number}")
            else:
                yield Step("back to the previous revision", f"{before} undo {name}")
            yield Step("until it has come up", f"{before} status {name} --timeout=300s")
        case Command() | Docker() | Systemd():
            yield Step("the release", f"{_WITHOUT_REVISIONS} atomops run {RESTART} --target {target.name}")
        case _:
            yield Step("the release", "the inventory names no runtime: by the means that deploy it")


def _data(target: Target, changes: Sequence[RecentChange]) -> Iterator[Step]:
    run = f"--target {target.name}"
    migrated = _latest(changes, MIGRATION)
    if migrated is not None:
        yield Step(
            f"the migration of {stamp(migrated.at)}{_detail(migrated)}: look first where the database is",
            f"atomops run {MIGRATION} {run} --set action=show",
        )
        yield Step(
            "and rehearse the way back; it changes nothing",
            f"atomops run {MIGRATION} {run} --set action=downgrade --set revision=REVISION --set dry_run=true",
        )
        moment = migrated.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield Step(
            "where the downgrade loses data: the set from before it; it changes nothing",
            f"atomops run {RESTORE} {run} --set backup=before:{moment} --set dry_run=true",
        )
    restored = _latest(changes, RESTORE)
    if restored is not None:
        yield Step(
            f"the restore of {stamp(restored.at)}{_detail(restored)}: what was replaced, and how long it is kept",
            f"atomops replaced list {run}",
        )
        yield Step(
            "back to it; it changes nothing", f"atomops run {RESTORE} {run} --set backup=previous --set dry_run=true"
        )


def _latest(changes: Iterable[RecentChange], what: str) -> RecentChange | None:
    """The last one of that kind that may have changed something: whatever did not fail before it began."""
    of_that_kind = [each for each in changes if each.what == what]
    return max(of_that_kind, key=lambda each: each.at, default=None)


def _detail(change: RecentChange) -> str:
    return f" ({change.detail})" if change.detail else ""
