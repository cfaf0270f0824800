"""Caches of the sandbox cleared, and what its application says to who may not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atomops.change.audit import audit_path
from atomops.inventory import load_inventory
from atomops.sandbox.application.admin import CACHED
from atomops.sandbox.world import World, world
from atomops.scratch.leftovers import own_world_folder
from flows.clear_cache import clear_cache
from flows.profile_agent import profile_agent
from tests.flows.running import run
from tests.peers import Page, http_server, refused_port, saying

pytestmark = pytest.mark.slow(12)


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with own_world_folder("atomops-test-") as folder, world(folder, folder / "history") as it:
        yield it


@pytest.fixture
def sandbox(running: World, inventory: Path) -> World:
    text = running.inventory.read_text(encoding="utf-8").replace("[targets.sandbox", "[targets.test")
    inventory.write_text(text, encoding="utf-8")
    with running.redis.connect() as redis:
        redis.mset({f"{CACHED}test:{number}": "x" for number in range(30)})
    return running


def findings(report: Any) -> dict[str, Any]:  # noqa: ANN401 - a report
    return {finding.code: finding for finding in report.findings}


def kept_keys(sandbox: World) -> int:
    with sandbox.redis.connect() as redis:
        return len(redis.keys(f"{CACHED}test:*"))


def record(inventory: Path) -> list[dict[str, Any]]:
    path = audit_path(load_inventory(inventory).target("test"))
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_dry_run_tells_every_command_and_deletes_nothing(sandbox: World, inventory: Path) -> None:
    before = record(inventory)
    state, report = run(clear_cache, watch_seconds=0)
    assert state.is_completed()
    steps = dict(findings(report)["CACHE-RUN"].evidence.rows)
    assert f"POST {sandbox.application.url}/api/admin/cache/clear" in steps.values()
    assert any(f"SCAN cursor MATCH {CACHED}*" in step for step in steps.values())
    assert kept_keys(sandbox) == 30
    assert record(inventory) == before


def test_redis_and_the_application_are_cleared_and_it_is_on_record(sandbox: World, inventory: Path) -> None:
    state, report = run(clear_cache, prefix=f"{CACHED}test:", watch_seconds=1, dry_run=False)
    found = findings(report)
    assert state.is_completed(), report.summary
    assert found["CACHE-RUN"].observed == 0
    assert found["CACHE-INCOMPLETE"].summary == "30 keys deleted"
    assert '"cleared":true' in found["CACHE-APPLICATION"].summary
    assert kept_keys(sandbox) == 0
    started, ended = record(inventory)[-2:]
    assert (started["result"], ended["result"]) == ("started", "done")
    assert ended["after"]["deleted"] == 30
    assert "30 keys" in ended["plan"][0]


def test_a_refusal_clears_nothing_not_even_the_application(sandbox: World) -> None:
    state, report = run(clear_cache, flush_database=True, watch_seconds=0, dry_run=False)
    assert state.is_failed()
    assert "it would delete default with" in findings(report)["CACHE-RUN"].summary
    assert kept_keys(sandbox) == 30


@pytest.mark.usefixtures("sandbox")
def test_an_application_that_refuses_is_told_for_what_it_is(inventory: Path) -> None:
    text = inventory.read_text(encoding="utf-8")

    def answered(place: str, token: str) -> Any:  # noqa: ANN401 - a finding
        section = f'[targets.test.cache]\nclear = "{place}"\n{token}'
        inventory.write_text(f"{text.partition('[targets.test.cache]')[0]}{section}", encoding="utf-8")
        _, report = run(clear_cache, what="application", dry_run=False)
        return findings(report)["CACHE-APPLICATION"]

    own = "/api/admin/cache/clear"
    wrong = 'token = "env:PASSWORD"'
    assert "answers 401, it does not know our token" in answered(own, "").summary
    assert "answers 403, our token may not do this" in answered(own, wrong).summary
    absent = answered("/api/v2/cache/clear", wrong)
    assert "answers 404, there is no such endpoint (the public Atom has none)" in absent.summary
    assert "[targets.….cache]" in absent.action
    assert "answers 405, the endpoint does not take this method" in answered("/api/agents", wrong).summary
    with http_server({"/": Page(status=500, body=b"out of order")}) as url:
        assert "answers 500, it failed: out of order" in answered(f"{url}/", wrong).summary
    gone = answered(f"http://127.0.0.1:{refused_port()}/", wrong)
    assert gone.summary.endswith("refuses the connection")
    with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal") as port:
        cut_off = answered(f"http://127.0.0.1:{port}/", wrong).summary
    assert "closed the connection before its answer was whole; whether it was carried out is not known" in cut_off


@pytest.mark.usefixtures("sandbox")
def test_the_application_of_the_sandbox_profiles_an_agent_too() -> None:
    state, report = run(profile_agent, agent="agent-1", minutes=0.01)
    assert state.is_completed(), report.summary
    assert "it is on, says the application" in findings(report)["PROFILE-ON"].summary
    assert "it is off, says the application" in findings(report)["PROFILE-OFF"].summary
