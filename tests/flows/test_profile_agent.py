"""An agent profiled, on a target without any database: off again however the run ends."""

import asyncio
import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.settings import PREFECT_API_URL

from atomops.change import profiling
from atomops.change.audit import audit_path
from atomops.change.profiling import Held
from atomops.cli.resume import resume
from atomops.errors import TimedOut
from atomops.inventory import Target, load_inventory
from flows.profile_agent import profile_agent
from tests.flows.running import run
from tests.waiting import PATIENCE, wait_until

AGENT = "agent/7 b"
MOMENT = 0.02  # minutes


@dataclass
class Application:
    """What is profiled there, and what it does when it is asked: `answer` None is the truth."""

    profiled: set[str] = field(default_factory=set)
    answer: tuple[int, bytes] | None = None
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def application() -> Iterator[tuple[Application, str]]:
    state = Application()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            agent = unquote(self.path.split("/")[3])
            state.asked.append(f"{self.path} {body} {self.headers['Authorization']}")
            if state.answer is None:
                (state.profiled.add if body["enabled"] else state.profiled.discard)(agent)
            told = json.dumps({"enabled": agent in state.profiled}).encode()
            status, said = state.answer or (200, told)
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield state, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def app(application: tuple[Application, str], inventory: Path) -> Application:
    state, url = application
    inventory.write_text(
        f'[targets.test]\nhistory = "{inventory.parent}/history"\n'
        f'[targets.test.app]\nurl = "{url}"\n[targets.test.profiling]\ntoken = "env:PASSWORD"',
        encoding="utf-8",
    )
    return state


def target() -> Target:
    return load_inventory().target("test")


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report
    return {finding.code: finding for finding in report.findings}


def files() -> list[Path]:
    return list((target().history / "test" / "profiling").glob("*.json"))


def results() -> list[str]:
    path = audit_path(target())
    return [json.loads(line)["result"] for line in path.read_text().splitlines()] if path.exists() else []


def test_it_is_on_for_a_while_and_then_off_and_read_back_each_time(app: Application) -> None:
    state, report = run(profile_agent, agent=AGENT, minutes=MOMENT)

    assert state.is_completed(), report.summary
    found = findings(report)
    assert [found[code].observed for code in ("PROFILE-RUN", "PROFILE-ON", "PROFILE-OFF")] == [0, 0, 0]
    assert "it is on, says the application (200" in found["PROFILE-ON"].summary
    assert app.asked[0].startswith("/api/agents/agent%2F7%20b/profile {'enabled': True} Bearer ")
    assert "{'enabled': False}" in app.asked[1]
    assert (app.profiled, files(), results()) == (set(), [], ["started", "done"])


def test_a_dry_run_sends_nothing(app: Application) -> None:
    state, report = run(profile_agent, agent=AGENT, dry_run=True)
    assert state.is_completed()
    assert [row[0] for row in findings(report)["PROFILE-RUN"].evidence.rows] == [
        "switch its profiling on",
        "hold it",
        "switch its profiling off",
    ]
    assert (app.asked, files(), results()) == ([], [], [])


def test_what_the_application_refuses_is_told_and_nothing_is_left_to_do(app: Application) -> None:
    app.answer = (404, b'{"detail":"Not Found"}')
    state, report = run(profile_agent, agent=AGENT)
    assert state.is_failed()
    assert "answers 404, there is no such endpoint (the public Atom has none)" in findings(report)["PROFILE-ON"].summary
    assert len(app.asked) == 1
    assert files() == []


def test_an_answer_that_says_nothing_is_unknown_and_a_contradiction_critical(app: Application) -> None:
    app.answer = (204, b"")
    silent = findings(run(profile_agent, agent=AGENT, minutes=MOMENT)[1])
    app.answer = (200, b'{"enabled": false}')
    against = findings(run(profile_agent, agent=AGENT, minutes=MOMENT)[1])
    assert str(silent["PROFILE-ON"].level) == str(silent["PROFILE-OFF"].level) == "UNKNOWN"
    assert str(against["PROFILE-ON"].level) == "CRITICAL"
    assert 'and "enabled": false' in against["PROFILE-ON"].summary


def test_what_cannot_be_switched_off_stays_written_down_until_it_is(app: Application) -> None:
    app.answer = (503, b"busy")
    state, report = run(profile_agent, agent=AGENT, minutes=MOMENT)
    assert state.is_failed()
    assert "atomops resume" in findings(report)["PROFILE-OFF"].action
    assert len(files()) == 1
    assert "could not be switched off" in asyncio.run(profiling.finish_left(target()))[0]

    app.answer, app.profiled = None, {AGENT}
    state, report = run(profile_agent, agent="another", action="off")
    assert state.is_completed(), report.summary
    assert "by a run that was killed, was switched off" in findings(report)["PROFILE-RESUMED"].summary
    assert (app.profiled, files()) == (set(), [])


def test_one_at_a_time_and_whoever_switches_it_off_ends_the_other(app: Application) -> None:
    async def both() -> tuple[Any, Any, Any]:
        first = asyncio.create_task(_started(agent=AGENT, minutes=10))
        await asyncio.to_thread(wait_until, lambda: AGENT in app.profiled, "the profiling")
        second = await _started(agent=AGENT, minutes=10)
        assert await profiling.finish_left(target()) == ()
        off = await _started(agent=AGENT, action="off")
        return await first, second, off

    first, second, off = asyncio.run(both())
    assert "is profiled already by flow run" in findings(second)["PROFILE-RUN"].summary
    assert "is off" in findings(off)["PROFILE-RUN"].summary
    assert "when somebody else had switched it off" in findings(first)["PROFILE-RUN"].summary
    assert files() == []


async def _started(**parameters: object) -> Any:  # noqa: ANN401 - a report
    begun: Any = profile_agent(target="test", **parameters, return_state=True)
    return await (await begun).aresult(raise_on_failure=False)


@contextlib.contextmanager
def held(app: Application) -> Iterator[subprocess.Popen[bytes]]:
    """`atomops run profile-agent` as a process of its own, which has just switched it on."""
    environment = {**os.environ, "PREFECT_API_URL": PREFECT_API_URL.value() or ""}
    argv = [sys.executable, "-m", "atomops.cli", "run", "profile-agent", "--target", "test"]
    argv += ["--set", f"agent={AGENT}", "--set", "minutes=30"]
    with (target().history.parent / "output").open("wb") as output:
        process = subprocess.Popen(argv, env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: AGENT in app.profiled or process.poll() is not None, "the profiling")
        yield process
    finally:
        process.kill()
        process.wait()


async def scheduled() -> list[Any]:
    wanted = FlowRunFilter(name=FlowRunFilterName(any_=["profile-agent-test-off"]))
    async with get_client() as client:
        return await client.read_flow_runs(flow_run_filter=wanted)


async def deploy() -> None:
    async with get_client() as client:
        await client.create_deployment(await client.create_flow(profile_agent), "profile-agent")


@pytest.mark.slow(15)
def test_ended_it_is_off_and_killed_it_is_switched_off_by_whoever_comes_next(app: Application) -> None:
    asyncio.run(deploy())
    with held(app) as process:
        assert len(asyncio.run(scheduled())) == 1
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    assert (app.profiled, files(), results()[-1]) == (set(), [], "cancelled")
    assert asyncio.run(scheduled()) == []

    before = dt.datetime.now(dt.UTC)
    with held(app) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    assert app.profiled == {AGENT}
    (off,) = asyncio.run(scheduled())
    assert off.parameters == {"target": "test", "agent": AGENT, "action": "off"}
    assert off.state.state_details.scheduled_time >= before + dt.timedelta(minutes=30)

    assert resume("test") == 0
    assert (app.profiled, files(), results()[-1]) == (set(), [], "done")


def test_a_file_that_cannot_be_read_is_told_and_holds_nobody_up(app: Application) -> None:
    async def spoiled() -> tuple[str, ...]:
        until = dt.datetime.now(dt.UTC)
        async with profiling.held(target(), Held(AGENT, "", until, until)):
            pass
        files()[0].write_text("no JSON")
        return await profiling.finish_left(target())

    assert "could not be followed" in asyncio.run(spoiled())[0]
    assert app.asked == []


def test_a_time_out_while_it_is_held_is_told_as_what_it_is(app: Application) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)

    assert app.asked == []

    async def held_while_something_hangs() -> None:
        async with profiling.held(target(), Held(AGENT, "", until, until)):
            raise TimedOut("the application did not answer within 5 s", action="look at it")

    with pytest.raises(TimedOut, match="the application did not answer"):
        asyncio.run(held_while_something_hangs())
