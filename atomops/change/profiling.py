"""An agent's profiling on for a while, and off again however that while ends: a file tells whoever finds it.

`HISTORY/TARGET/profiling/AGENT.json` is written before it is switched on, and removed when it is off. Who holds it on
has the file locked, so that one without a holder is of somebody who was killed. No lock of the target is taken: no
other change meets the flag of one agent, and a nightly backup must not wait for it.
"""

import asyncio
import contextlib
import datetime as dt
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic_core import to_json

from atomops.administration import endpoint
from atomops.errors import AtomOpsError, NotThere, TemporaryError
from atomops.facts.cache import Answered
from atomops.inventory import Target
from atomops.stores.kept_files import is_ours, writing

_ATTEMPTS, _PAUSE_SECONDS = 3, 1.0
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Held:
    """What the file says: which agent, until when, and by which run."""

    agent: str
    run: str
    since: AwareDatetime
    until: AwareDatetime


class Busy(TemporaryError):
    """Somebody else holds the profiling of this agent on."""


def endpoint_of(target: Target, agent: str) -> endpoint.Endpoint:
    """Where the profiling of the agent is switched. Raises NotThere where that is not configured."""
    settings = target.profiling
    if settings is None:
        action = 'add [targets.….profiling], with token = "env:NAME"'
        raise NotThere(f"the inventory does not say how an agent of {target.name} is profiled", action=action)
    place = settings.url.replace("{agent}", quote(agent, safe=""))
    url = endpoint.address_of(target, place)
    return endpoint.Endpoint("profiling", settings.method, url, settings.token, settings.timeout)


async def switch(target: Target, agent: str, *, on: bool) -> Answered:
    """What the application answered. Switching off is tried a few times: it may be asked for twice without harm."""
    asked = endpoint_of(target, agent)
    for attempt in range(1, _ATTEMPTS + 1):
        answered = await endpoint.ask(target, asked, {"enabled": on})
        if on or attempt == _ATTEMPTS or answered.problem is None or not _may_pass(answered):
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    return answered


def _may_pass(answered: Answered) -> bool:
    """No answer, or one of a server in trouble."""
    return answered.status is None or answered.status >= 500  # noqa: PLR2004 - HTTP's own border


@contextlib.asynccontextmanager
async def held(target: Target, held: Held) -> AsyncIterator[None]:
    """The file is there and ours; at the end it stays, unless `forget` was called. Raises Busy or PermanentError."""
    path = _path(target, held.agent)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = path.open("a+b")
    with file:
        if not is_ours(file.fileno()):
            raise Busy(_who(path), action=f"wait, or switch it off first: action=off agent={held.agent}")
        with writing(path):
            file.truncate(0)
            file.write(to_json(held))
            file.flush()
            os.fsync(file.fileno())
        yield


async def until_over(target: Target, agent: str, until: dt.datetime) -> bool:
    """The while is over: True by the clock, False when somebody has switched it off meanwhile."""
    path = _path(target, agent)
    while dt.datetime.now(dt.UTC) < until:
        if not path.exists():
            return False
        await asyncio.sleep(min(_LOOK_SECONDS, max(0.0, (until - dt.datetime.now(dt.UTC)).total_seconds())))
    return path.exists()


def forget(target: Target, agent: str) -> None:
    """It is off, for all that is known."""
    _path(target, agent).unlink(missing_ok=True)


async def finish_left(target: Target) -> tuple[str, ...]:
    """What a killed run has left on is switched off, and told; what could not be is told too. Never raises."""
    return tuple([told async for told in _finished(target)])


async def _finished(target: Target) -> AsyncIterator[str]:
    for path in sorted(_path(target, "").parent.glob("*.json")):
        try:
            with path.open("rb") as file:
                if not is_ours(file.fileno()):
                    continue  # its holder lives, and will switch it off
                left = TypeAdapter(Held).validate_json(file.read())
                answered = await switch(target, left.agent, on=False)
        except FileNotFoundError:
            continue  # just now switched off
        except (OSError, ValidationError, AtomOpsError) as error:
            yield f"{path} tells of an agent that may still be profiled, and could not be followed: {error}"
            continue
        since = f"{left.since:%Y-%m-%d %H:%M:%S} UTC"
        if answered.problem is not None:
            reason = answered.problem.reason
            yield f"the profiling of {left.agent}, on since {since}, could not be switched off: {reason}"
            continue
        path.unlink(missing_ok=True)
        yield f"the profiling of {left.agent}, on since {since} by a run that was killed, was switched off"


def _who(path: Path) -> str:
    with contextlib.suppress(OSError, ValidationError):
        found = TypeAdapter(Held).validate_json(path.read_bytes())
        run = f" by flow run {found.run}" if found.run else ""
        return f"{found.agent} is profiled already{run}, until {found.until:%Y-%m-%d %H:%M:%S} UTC"
    return "the agent is profiled already"


def _path(target: Target, agent: str) -> Path:
    return target.history / target.name / "profiling" / f"{quote(agent, safe='')}.json"
