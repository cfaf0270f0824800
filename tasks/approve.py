"""Ask a person in the Prefect UI: the run pauses, shows what it would do, and goes on with the answer."""

import asyncio
import sys
from typing import Literal

from prefect.client.orchestration import get_client
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL
from prefect.states import Running
from pydantic import Field

from atomops.errors import PermanentError
from atomops.facts.migration import Approval
from atomops.humane import span
from atomops.reports.markdown import markdown
from atomops.reports.report import Report

_LONGEST = 60_000  # characters that the form can show
_SPARE = 24 * 3600  # seconds: the server's own time-out would end the run as failed, whatever we make of it
_EVERY = 2  # seconds between two looks for the answer


class Answer(RunInput):
    """The form that resumes the run."""

    approve: Literal["no", "yes"] = Field("no", description="yes: it is done now; no: nothing is changed")
    who: str = Field("", description="your name, for the record")
    reason: str = Field("", description="whatever the record ought to say besides")


def can_be_asked() -> None:
    """Somebody can see the question. Raises PermanentError where the Prefect server is a temporary one of our own."""
    if not flow_run.id or not PREFECT_API_URL.value() or not PREFECT_UI_URL.value():
        action = (
            "read the dry run, then add --set approve=auto; or set PREFECT_API_URL to the server whose UI shall ask you"
        )
        raise PermanentError("nobody can approve this run: it has no Prefect server with a UI", action=action)


async def approval(report: Report, seconds: float) -> Approval:
    """The answer to the report; none within `seconds` is a no."""
    place = f"{PREFECT_UI_URL.value()}/runs/flow-run/{flow_run.id}"
    get_run_logger().warning("Waiting %s for the answer: resume this run at %s", span(seconds), place)
    if sys.stderr.isatty():
        sys.stderr.write(f"Waiting {span(seconds)} for your answer: resume the run at {place}\n")
    question = Answer.with_initial_data(description=markdown(report)[:_LONGEST], approve="no")
    try:
        async with asyncio.timeout(seconds):
            answer = await apause_flow_run(
                wait_for_input=question, timeout=round(seconds) + _SPARE, poll_interval=_EVERY
            )
    except TimeoutError:
        await _go_on()
        return Approval(granted=False, words=f"nobody answered within {span(seconds)}")
    said = ": ".join(filter(None, (answer.who.strip(), answer.reason.strip())))
    if answer.approve != "yes":
        return Approval(granted=False, words=f"refused by {said or 'somebody without a name'}")
    return Approval(granted=True, words=f"approved by {said or 'somebody without a name'}")


async def _go_on() -> None:
    """The run is not paused any more, so that a late answer finds nothing to resume."""
    async with get_client() as client:
        await client.set_flow_run_state(flow_run.id, Running(), force=True)
