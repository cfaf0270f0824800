"""Publish a report: keep it, and show it in the Prefect UI; and the state that a flow deserves by it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from atomops.errors import AtomOpsError
from atomops.facts.outcome import Outcome
from atomops.inventory import Target
from atomops.reports.html import html
from atomops.reports.markdown import markdown
from atomops.reports.redact import redact
from atomops.reports.report import Report
from atomops.reports.table import rows
from atomops.secret import Secret
from atomops.stores.history import keep_facts, keep_report
from atomops.verdict import Level


@task(task_run_name="publish", cache_policy=NO_CACHE)
async def publish(report: Report, target: Target, outcomes: Sequence[Outcome[Any]]) -> Report:
    """The report without any secret, once it is kept and shown.

    A history that cannot be written is said in the log and costs neither the artifacts nor the verdict.
    """
    safe = redact(report, _secrets(target))
    try:
        path = keep_report(target.history, safe, html(safe))
        for facts in _facts(outcomes):
            keep_facts(target.history, target.name, facts)
        get_run_logger().info("The report is kept in %s, and as HTML beside it", path)
    except AtomOpsError as error:
        get_run_logger().error("The report could not be kept: %s", error)
    await acreate_markdown_artifact(markdown(safe), key=safe.key, description=f"{safe.level}: {safe.summary}")
    await acreate_table_artifact(rows(safe), key=f"{safe.key}-findings", description=f"{safe.flow} of {safe.target}")
    return safe


def final_state(report: Report) -> State[Any]:
    """Failed when it is critical, the summary its message, so that automations and the red colour work."""
    if report.level is Level.CRITICAL:
        return Failed(message=report.summary, data=report)
    state: State[Any] = Completed(message=report.summary, data=report)
    return state if report.level is Level.OK else state.model_copy(update={"name": str(report.level)})


def _facts(outcomes: Iterable[Outcome[Any]]) -> list[object]:
    return [outcome.facts for outcome in outcomes if outcome.facts is not None]


def _secrets(part: object) -> Iterator[str]:
    """The value of every secret of the target."""
    if isinstance(part, Secret):
        if part.value:
            yield part.value
        return
    for value in getattr(part, "__dict__", {}).values():
        yield from _secrets(value)
