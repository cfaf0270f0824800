"""Tell people, through Prefect's own notification blocks; what cannot be delivered stays owed and is told."""

import asyncio
import datetime as dt
import re
import time
from collections.abc import Callable, Iterable
from functools import partial

from prefect import task
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.blocks.core import Block
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.settings import PREFECT_UI_URL

from atomops.automations import block_address
from atomops.errors import AtomOpsError
from atomops.facts.incidents import Outbox, Owed
from atomops.inventory import Target
from atomops.plans import telling
from atomops.plans.telling import Message
from atomops.reports.report import Report
from atomops.reports.strings import one_line
from atomops.stores.kept_files import locked
from atomops.stores.outbox import change_outbox, outbox_path, read_outbox
from atomops.threads import beside

_DEADLINE = 60  # seconds for everything that is owed: a channel that hangs must not hold up a flow for long
_LONGEST_ERROR = 200
_ADDRESS = re.compile(r"[a-z]+s?://\S+", re.IGNORECASE)  # of a channel: it often holds its secret

Change = Callable[[Outbox], Outbox]


def link() -> str:
    """Where this run can be read; "" where nobody serves its pages."""
    base = PREFECT_UI_URL.value()
    return f"{base}/runs/flow-run/{flow_run.id}" if base and flow_run.id else ""


async def tell_of(report: Report, target: Target) -> None:
    """The target's channels know of the report, once an incident, and when it is over. Never raises.

    What is owed from earlier goes out as well.
    """
    if target.notify.every_channel:
        await _tell(target, partial(telling.tell_report, report=report, notify=target.notify, link=link()))


@task(task_run_name="notify", cache_policy=NO_CACHE)
async def tell(messages: Iterable[Message], target: Target) -> None:
    """The messages are on their way: sent, or owed and tried again with the next report. Never raises."""
    if target.notify.every_channel:
        await _tell(target, partial(telling.owing, messages=tuple(messages), at=dt.datetime.now(dt.UTC)))


async def _tell(target: Target, change: Change) -> None:
    try:
        outbox = await beside(lambda: change_outbox(target, change))
        if outbox.owed:
            await _send_all(target)
    except AtomOpsError as error:
        get_run_logger().error("Nobody could be told: %s", error)


async def _send_all(target: Target) -> None:
    """Everything that is owed is tried once, by one run at a time; a channel that fails is left for the next time."""
    sending = locked(outbox_path(target).with_name("sending.lock"), seconds=_DEADLINE)
    await beside(sending.__enter__)
    try:
        deadline = time.monotonic() + _DEADLINE
        away: set[str] = set()
        for message in read_outbox(target).owed:
            if message.channel not in away and time.monotonic() < deadline:
                problem = await _send(message, target.notify.timeout)
                if problem:
                    away.add(message.channel)
                    _complain(message, problem)
                await beside(partial(change_outbox, target, partial(_settled, message=message, problem=problem)))
    finally:
        sending.__exit__(None, None, None)


def _settled(outbox: Outbox, message: Owed, problem: str) -> Outbox:
    if problem:
        return telling.failed(outbox, message, problem)
    return telling.gone_out(outbox, message, dt.datetime.now(dt.UTC))


def _complain(message: Owed, problem: str) -> None:
    get_run_logger().error(
        "%s could not be told %r: %s. It is owed, and the next report tries again",
        message.channel,
        message.subject,
        problem,
    )


async def _send(message: Owed, seconds: float) -> str:
    """Why it could not be sent, without any address; "" when it was."""
    try:
        async with asyncio.timeout(seconds):
            block: object = await Block.aload(block_address(message.channel))
            if not isinstance(block, NotificationBlock):
                return "it is no notification block"
            with block.raise_on_failure():
                await block.notify(body=message.body, subject=message.subject)
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except Exception as error:  # noqa: BLE001 - a channel's client may raise anything, and a report stands all the same
        return _in_our_words(error)
    return ""


def _in_our_words(error: Exception) -> str:
    if isinstance(error, NotificationError):
        return _without_address(error.log or "it was refused")
    if isinstance(error, ValueError) and "Unable to find block document" in str(error):
        return "this Prefect server has no such block: atomops automations apply creates it"
    return _without_address(f"{type(error).__name__}: {error}")


def _without_address(said: str) -> str:
    """The last of it on one line: an address may hold a token, and a log the whole request."""
    return one_line(_ADDRESS.sub("(address)", said), _LONGEST_ERROR)
