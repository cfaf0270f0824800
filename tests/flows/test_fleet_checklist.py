"""Six targets in one run: three of them are in a bad way, each in its own, and none of them harms another."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atomops.errors import NotThere
from atomops.probes import redis as redis_probe
from atomops.sandbox.redis import RedisServer, redis_server
from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Level
from flows.fleet_checklist import fleet_checklist
from tests import servers
from tests.flows.running import artifacts
from tests.peers import black_hole

SECRET = "a-word-that-nobody-may-read"


@pytest.fixture(scope="module")
def valkey(server_folder: Path) -> Iterator[RedisServer]:
    with redis_server(servers.redis_program("valkey"), server_folder, password=SECRET) as running:
        yield running


@pytest.fixture
def fleet(
    postgres: PostgresServer, valkey: RedisServer, inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    monkeypatch.setenv("VALKEY", SECRET)
    monkeypatch.setenv("POSTGRES", postgres.password)
    with black_hole() as hole:
        parts = {
            "good-1": _redis(valkey.url),
            "good-2": _redis(valkey.url),
            "hanging": _redis(f"redis://127.0.0.1:{hole}", timeout=3),
            "wrong": _postgres(postgres.dsn(), "env:VALKEY"),
            "secretless": _postgres(postgres.dsn(), "env:NO_SUCH_SECRET"),
            "faulty": _redis(valkey.url, timeout=19),
        }
        lines = [
            f'[targets.{name}]\nhistory = "{tmp_path}/history"\n{part.format(name=name)}'
            for name, part in parts.items()
        ]
        inventory.write_text("\n".join(lines), encoding="utf-8")
        yield inventory


def _redis(url: str, timeout: float = 20) -> str:
    return f'[targets.{{name}}.redis]\nurl = "{url}"\npassword = "env:VALKEY"\ntimeout = {timeout}'


def _postgres(dsn: str, password: str) -> str:
    return f'[targets.{{name}}.postgres]\ndsn = "{dsn}"\npassword = "{password}"\nconnect_timeout = 30'


def run(**parameters: object) -> tuple[Any, Any]:
    async def whole() -> tuple[Any, Any]:
        begun: Any = fleet_checklist(**parameters, return_state=True)
        state = await begun
        return state, await state.aresult(raise_on_failure=False)

    return asyncio.run(whole())


def test_each_target_is_a_row_and_no_bad_one_harms_another(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = redis_probe.connect

    def bent(settings: Any, **options: Any) -> Any:  # noqa: ANN401 - what the client takes
        if asyncio.current_task() and settings.timeout == 19:
            raise RuntimeError(f"a bug, with {SECRET} in its words")
        return look(settings, **options)

    monkeypatch.setattr(redis_probe, "connect", bent)

    state, report = run(targets=("*",), at_once=4)

    assert state.is_failed()
    (table,) = artifacts("fleet-checklist-morning-targets")
    rows = {row["target"]: row for row in json.loads(table.data)}
    assert list(rows)[-2:] == ["good-1", "good-2"]
    assert {name: row["level"] for name, row in rows.items()} == {
        "hanging": "CRITICAL",
        "wrong": "CRITICAL",
        "faulty": "CRITICAL",
        "secretless": "UNKNOWN",
        "good-1": rows["good-1"]["level"],
        "good-2": rows["good-1"]["level"],
    }
    assert rows["good-1"]["level"] in {"OK", "WARNING"}
    assert "did not answer within 3 s" in rows["hanging"]["summary"]
    assert "refuses the password" in rows["wrong"]["summary"]
    assert "NO_SUCH_SECRET is not set" in rows["secretless"]["summary"]
    assert "a bug, with *** in its words" in rows["faulty"]["summary"]
    assert report.level is Level.CRITICAL
    assert report.summary.startswith("6 targets: 3 critical, 1 unknown, ")
    assert SECRET not in table.data
    (markdown,) = artifacts("fleet-checklist-morning")
    assert "secretless" in markdown.data
    assert artifacts("morning-checklist-good-1")
    assert artifacts("morning-checklist-wrong-findings")
    history = fleet.parent / "history"
    assert list((history / "good-2" / "morning-checklist").glob("*.json"))
    assert list((history / "morning" / "fleet-checklist").glob("*.html"))


@pytest.mark.usefixtures("fleet")
def test_a_few_by_name_are_looked_at_and_a_name_that_nobody_has_is_refused() -> None:
    state, report = run(targets=("good-*",), checklist="end-of-day")
    assert state.is_completed()
    assert report.key == "fleet-checklist-end-of-day"
    assert report.summary.startswith("2 targets: 2 unknown")

    state, error = run(targets=("god-1",))
    assert state.is_failed()
    assert isinstance(error, NotThere)
    assert "did you mean 'good-1'?" in str(error)
