"""Publish a report: keep it, and show it in the Prefect UI; and the state that a flow deserves by it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from atomops.errors import AtomOpsError
from atomops.facts.fleet import FleetFacts
from atomops.facts.outcome import Outcome
from atomops.inventory import Target
from atomops.reports.fleet import fleet_rows
from atomops.reports.html import html
from atomops.reports.markdown import markdown
from atomops.reports.redact import redact
from atomops.reports.report import Report
from atomops.reports.table import rows
from atomops.secret import secrets_in
from atomops.stores.history import keep_facts, keep_report
from atomops.threads import beside
from atomops.verdict import Level
from tasks.announce import announce
from tasks.judge import report_of_fleet
from tasks.notify import tell_of


@task(task_run_name="publish", cache_policy=NO_CACHE)
async def publish(
    report: Report, target: Target, outcomes: Sequence[Outcome[Any]], *, tells_by_itself: bool = False
) -> Report:
    """The report without any secret, once it is kept, shown, announced and told, as `show` does."""
    return await show(report, target, outcomes, tells_by_itself=tells_by_itself)


async def show(
    report: Report, target: Target, outcomes: Sequence[Outcome[Any]], *, tells_by_itself: bool = False
) -> Report:
    """The report without any secret, once it is kept, shown, announced to the server and told to whom it concerns.

    A history that cannot be written is said in the log and costs neither the artifacts nor the verdict; nor does a
    channel that is away. `tells_by_itself`: the flow has told whom it concerns already.
    """
    safe, drawn, kept = await beside(lambda: _keep(report, target, outcomes))
    if isinstance(kept, AtomOpsError):
        get_run_logger().error("The report could not be kept: %s", kept)
    else:
        get_run_logger().info("The report is kept in %s, and as HTML beside it", kept)
    await acreate_markdown_artifact(drawn, key=safe.key, description=f"{safe.level}: {safe.summary}")
    await acreate_table_artifact(rows(safe), key=f"{safe.key}-findings", description=f"{safe.flow} of {safe.target}")
    announce(safe, target, _facts(outcomes))
    if not tells_by_itself:
        await tell_of(safe, target)
    return safe


def _keep(report: Report, target: Target, outcomes: Sequence[Outcome[Any]]) -> tuple[Report, str, Path | AtomOpsError]:
    """Without any secret; as markdown; and where it is kept. It draws and waits for the disk: no work for the loop."""
    safe = preview(report, target)
    try:
        path = keep_report(target.history, safe, html(safe))
        for facts in _facts(outcomes):
            keep_facts(target.history, target.name, facts)
    except AtomOpsError as error:
        return safe, markdown(safe), error
    return safe, markdown(safe), path


@task(task_run_name="publish-fleet", cache_policy=NO_CACHE)
async def publish_fleet(flow: str, seen: FleetFacts, history: Path, started_at: dt.datetime) -> Report:
    """The report of many targets, once it is kept and shown: a row a target, without any secret, as theirs are."""
    report = report_of_fleet(flow, seen, history, started_at)
    try:
        keep_report(history, report, html(report))
    except AtomOpsError as error:
        get_run_logger().error("The report could not be kept: %s", error)
    await acreate_markdown_artifact(markdown(report), key=report.key, description=f"{report.level}: {report.summary}")
    await acreate_table_artifact(fleet_rows(seen), key=f"{report.key}-targets", description=report.summary)
    return report


def preview(report: Report, target: Target) -> Report:
    """The report without any secret, for somebody who is asked before it is done."""
    return redact(report, (secret.value for secret in secrets_in(target) if secret.value))


def final_state(report: Report) -> State[Any]:
    """Failed when it is critical, the summary its message, so that automations and the red colour work."""
    if report.level is Level.CRITICAL:
        return Failed(message=report.summary, data=report)
    state: State[Any] = Completed(message=report.summary, data=report)
    return state if report.level is Level.OK else state.model_copy(update={"name": str(report.level)})


def _facts(outcomes: Iterable[Outcome[Any]]) -> list[object]:
    return [outcome.facts for outcome in outcomes if outcome.facts is not None]
