"""Containers of a real Docker engine: by exact label, one at a time, and no further than the first that fails."""

import asyncio
import contextlib
import datetime as dt
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from atomops.errors import AccessDenied, AtomOpsError, NotThere, PermanentError, TemporaryError, TimedOut, Unreachable
from atomops.facts.runtime import Instance, Running
from atomops.inventory.runtime import Docker as Settings
from atomops.runtimes.choose import runtime_of
from atomops.runtimes.docker import DockerRuntime
from atomops.runtimes.runtime import NotComingUp
from atomops.scratch.place import make_folder
from tests.engines import IMAGE, DockerEngine, docker_engine
from tests.targets import target
from tests.users import unprivileged
from tests.waiting import PATIENCE, wait_until

BEGINNING = dt.datetime.fromtimestamp(1, dt.UTC)
SERVES = 'trap "exit 0" TERM; while :; do sleep 0.1; done'
SECOND = 1_000_000_000  # nanoseconds
HEALTHY = {"test": ["CMD-SHELL", "test -e /ready"], "interval": SECOND // 4, "retries": 2, "timeout": 5 * SECOND}
READY_LATER = f"rm -f /ready; (sleep 0.5; echo ready; touch /ready) & {SERVES}"


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    with docker_engine(make_folder("atomops-docker-")) as it:
        yield it


@pytest.fixture
def run(engine: DockerEngine) -> Iterator[Callable[..., Any]]:
    """Runs a container of this test's own, with the label app=atom unless another one is given."""

    def made(name: str, script: str = SERVES, **others: Any) -> Any:  # noqa: ANN401 - as the client has it
        options = {"labels": {"app": "atom"}, "network_mode": "none", **others}
        return engine.client.containers.run(IMAGE, ["sh", "-c", script], detach=True, name=name, **options)

    yield made
    for container in engine.client.containers.list(all=True):
        container.remove(force=True)


@pytest.fixture
def runtime(engine: DockerEngine) -> DockerRuntime:
    return DockerRuntime(Settings(kind="docker", label="app=atom", host=engine.host, within=20))


def failure(kind: type[AtomOpsError], of: DockerRuntime, what: str, *given: object) -> AtomOpsError:
    with pytest.raises(kind) as caught:
        asyncio.run(getattr(of, what)(*given))
    return caught.value


def started(container: Any) -> str:  # noqa: ANN401 - the client's
    container.reload()
    return str(container.attrs["State"]["StartedAt"])


def names(running: Running) -> list[str]:
    return [instance.name for instance in running.instances]


def evidence_of(error: AtomOpsError) -> tuple[str, ...]:
    assert isinstance(error, NotComingUp)
    return error.evidence


def test_only_what_bears_the_exact_label_is_meant_and_what_was_stopped_stays_so(
    run: Callable[..., Any], runtime: DockerRuntime
) -> None:
    run("atom-1")
    run("atom-postgres", labels={"app": "atom-postgres"})
    run("atom-job", labels={"app": "atom", "com.docker.compose.oneoff": "True"})
    run("atom-old").stop(timeout=0)

    seen = asyncio.run(runtime.describe())

    assert names(seen) == ["atom-1"]
    assert (seen.wanted, seen.ready, seen.instances[0].version) == (1, 1, IMAGE)
    assert "atom-old is exited and stays so" in seen.notes


def test_stopped_and_started_exactly_those_run_that_ran_before(run: Callable[..., Any], runtime: DockerRuntime) -> None:
    run("atom-1", READY_LATER, healthcheck=HEALTHY)
    run("atom-2", READY_LATER, healthcheck=HEALTHY)
    run("atom-idle").stop(timeout=0)
    bystander = run("postgres", labels={"app": "postgres"})
    since = started(bystander)
    before = asyncio.run(runtime.describe())

    asyncio.run(runtime.stop(before))
    assert asyncio.run(runtime.describe()).is_stopped
    asyncio.run(runtime.start(before))
    after = asyncio.run(runtime.describe())
    asyncio.run(runtime.undo(before))

    assert names(after) == names(before) == ["atom-1", "atom-2"]
    assert after.ready == 2
    assert asyncio.run(runtime.describe()) == after
    assert started(bystander) == since


def test_a_restart_goes_on_to_the_next_only_when_the_last_is_healthy(
    run: Callable[..., Any], runtime: DockerRuntime
) -> None:
    made = [run(f"atom-{number}", READY_LATER, healthcheck=HEALTHY) for number in (1, 2, 3)]
    before = [started(each) for each in made]

    asyncio.run(runtime.restart())

    after = [started(each) for each in made]
    assert after == sorted(after)
    assert all(new > old for new, old in zip(after, before, strict=True))
    for each, successor in zip(made, after[1:], strict=False):
        last_ready = each.logs(timestamps=True, tail=1).decode().split()
        assert last_ready[1] == "ready"
        assert last_ready[0][:23] < successor[:23]


def test_the_first_that_ends_is_told_and_the_others_are_not_touched(
    run: Callable[..., Any], runtime: DockerRuntime
) -> None:
    run("atom-1", f"[ -e /was ] && {{ echo no licence found; exit 7; }}; touch /was; {SERVES}")
    others = [run(f"atom-{number}") for number in (2, 3)]
    before = [started(each) for each in others]

    error = failure(NotComingUp, runtime, "restart")

    assert error.what == "container atom-1 has ended with exit code 7"
    evidence = evidence_of(error)
    assert any("no licence found" in line for line in evidence)
    assert evidence[-2:] == ("atom-2 was not touched, and runs", "atom-3 was not touched, and runs")
    assert [started(each) for each in others] == before


def test_one_that_is_unhealthy_is_told_with_what_its_check_said(
    run: Callable[..., Any], runtime: DockerRuntime
) -> None:
    look = {**HEALTHY, "test": ["CMD-SHELL", "echo the database is away; test -e /ready"]}
    run("atom-1", f"[ -e /was ] && rm -f /ready || touch /was /ready; {SERVES}", healthcheck=look)
    error = failure(NotComingUp, runtime, "restart")
    assert error.what == "container atom-1 is unhealthy"
    assert evidence_of(error)[0] == "its health check says: the database is away"


def test_one_that_its_policy_starts_again_and_again_has_not_come_up(
    run: Callable[..., Any], runtime: DockerRuntime
) -> None:
    run("atom-1", f"[ -e /was ] && {{ sleep 0.2; exit 1; }}; touch /was; {SERVES}", restart_policy={"Name": "always"})
    assert "ends again and again" in failure(NotComingUp, runtime, "restart").what


def test_one_that_is_never_healthy_is_not_waited_for_for_ever(engine: DockerEngine, run: Callable[..., Any]) -> None:
    slow = {**HEALTHY, "retries": 1000}
    run("atom-1", healthcheck=slow)
    runtime = DockerRuntime(Settings(kind="docker", label="app=atom", host=engine.host, within=1))
    assert "is running (starting) after 1 s" in failure(NotComingUp, runtime, "restart").what


def test_without_a_health_check_it_must_run_for_a_while(
    run: Callable[..., Any], runtime: DockerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomops.runtimes.docker._STEADY_SECONDS", 2)
    run("atom-1", f"[ -e /was ] && {{ sleep 0.5; exit 9; }}; touch /was; {SERVES}")
    assert "has ended with exit code 9" in failure(NotComingUp, runtime, "restart").what
    steady = run("atom-0")
    before = started(steady)
    failure(NotComingUp, runtime, "start", Running("docker", 1, (Instance("atom-1", "exited", is_ready=False),)))
    asyncio.run(runtime.restart())
    assert started(steady) > before


def test_a_container_gets_the_time_to_end_that_it_is_configured_to_get(
    engine: DockerEngine, runtime: DockerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomops.runtimes.docker_engine._GRACE_SECONDS", 3600)  # what it is configured to is less
    deaf = ["sh", "-c", 'trap "" TERM; while :; do sleep 0.1; done']
    made = engine.client.api.create_container(IMAGE, deaf, labels={"app": "atom"}, stop_timeout=1)
    engine.client.api.start(made["Id"])
    begun = time.monotonic()
    asyncio.run(runtime.stop(asyncio.run(runtime.describe())))
    seconds = time.monotonic() - begun
    engine.client.api.remove_container(made["Id"])
    assert seconds >= 1


def test_a_restart_that_is_cancelled_half_way_leaves_no_container_stopped(
    run: Callable[..., Any], runtime: DockerRuntime
) -> None:
    container = run("atom-1", 'trap "echo stopping; sleep 1; exit 0" TERM; while :; do sleep 0.1; done')
    before = started(container)

    async def cancelled() -> None:
        restarting = asyncio.create_task(runtime.restart())
        await asyncio.to_thread(wait_until, lambda: b"stopping" in container.logs(), "the stop")
        restarting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await restarting

    asyncio.run(cancelled())
    assert started(container) > before
    assert container.status == "running"


def test_the_last_lines_of_both_outputs_bear_the_name_of_their_container(
    run: Callable[..., Any], engine: DockerEngine
) -> None:
    # The engine reads the two outputs one beside the other: only the pause makes their order certain.
    run("atom-1", f"for n in 1 2 3 4; do echo line $n; done; sleep 1; echo worse >&2; {SERVES}")
    runtime = DockerRuntime(Settings(kind="docker", label="app=atom", host=engine.host, log_lines=3))

    def to_the_end() -> Sequence[str]:
        told = asyncio.run(runtime.logs(BEGINNING))
        return told if any(line.endswith("worse") for line in told) else ()

    told = wait_until(to_the_end, "the last line")
    assert all(line.startswith("atom-1: 20") for line in told)
    assert {line.split("Z ")[1] for line in told} == {"line 3", "line 4", "worse"}
    assert asyncio.run(runtime.logs(dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))) == ()


def test_we_never_restart_the_container_that_we_run_in(
    run: Callable[..., Any], runtime: DockerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = run("atom-1")
    before = started(container)
    monkeypatch.setattr(socket, "gethostname", lambda: container.id[:12])
    assert "we run in atom-1 ourselves" in failure(PermanentError, runtime, "restart").what
    assert started(container) == before


def test_what_is_not_there_is_named(run: Callable[..., Any], runtime: DockerRuntime) -> None:
    assert failure(NotThere, runtime, "describe").what == "there are no containers with app=atom"
    container = run("atom-1")
    before = asyncio.run(runtime.describe())
    container.remove(force=True)
    assert "No such container: atom-1" in failure(NotThere, runtime, "start", before).what


def test_without_an_engine_the_address_is_named(tmp_path: Path) -> None:
    nobody = DockerRuntime(Settings(kind="docker", label="app=atom", host=f"unix://{tmp_path}/docker.sock"))
    assert str(tmp_path) in failure(Unreachable, nobody, "describe").what


def test_a_user_who_may_not_use_the_socket_is_told_what_to_do(engine: DockerEngine, runtime: DockerRuntime) -> None:
    assert engine.host
    with unprivileged():
        error = failure(AccessDenied, runtime, "describe")
    assert "the group of the socket" in error.action


class Answering(http.server.BaseHTTPRequestHandler):
    """An engine that refuses what a real one refuses only with plugins, races or a full disk."""

    protocol_version = "HTTP/1.1"
    status = 500
    over: threading.Event

    def do_GET(self) -> None:
        if self.status == 0:
            self.over.wait()
            return
        body: dict[str, Any] = {"ApiVersion": "1.41"} if self.path == "/version" else {"message": "made up"}
        content = json.dumps(body).encode()
        self.send_response(200 if self.path == "/version" else self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.mark.parametrize(
    ("status", "kind"), [(403, AccessDenied), (409, TemporaryError), (500, PermanentError), (0, TimedOut)]
)
def test_an_engine_that_refuses_or_hangs_is_told_apart(status: int, kind: type[AtomOpsError]) -> None:
    over = threading.Event()
    handler = type("Handler", (Answering,), {"status": status, "over": over})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"tcp://127.0.0.1:{server.server_address[1]}"
        refusing = DockerRuntime(
            Settings(kind="docker", label="app=atom", host=host, timeout=PATIENCE if status else 1)
        )
        try:
            error = failure(kind, refusing, "describe")
        finally:
            over.set()
            server.shutdown()
    assert type(error) is kind
    assert "made up" in error.what or status == 0


def test_the_inventorys_label_is_the_runtime_of_a_target() -> None:
    chosen = runtime_of(target(runtime={"kind": "docker", "label": "com.docker.compose.service=atom-backend"}))
    assert chosen.name == "containers with com.docker.compose.service=atom-backend"
