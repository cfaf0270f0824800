"""The small world: a real application on real servers, with something to say."""

import asyncio
import datetime as dt
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from atomops.facts.vacuum import Status
from atomops.inventory import load_inventory
from atomops.plans.vacuum import Wish
from atomops.sandbox.application.log_history import write_history
from atomops.sandbox.world import World, world
from atomops.scratch.leftovers import own_world_folder, processes_of
from atomops.vacuum.look import reach
from tests.vacuums import vacuumed
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(15)

JSON_UPPER = re.compile(r'^\{"level": "(INFO|ERROR)", "message": ')
JSON_LOWER = re.compile(r'^\{"event": .*"level": "(info|error)"')
PLAIN = re.compile(r"^(INFO|WARNING|ERROR):[a-z._]+:")


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with own_world_folder("atomops-test-") as folder, world(folder, folder / "history") as it:
        yield it


@pytest.fixture
def client(running: World) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.application.url, trust_env=False) as it:
        yield it


def count(running: World, table: str) -> int:
    with running.postgres.connect("atom") as session:
        row = session.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608 - our own constants
    return int((row or [0])[0])


def test_ready_looks_at_its_real_components(client: httpx.Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    checks = answer.json()["checks"]
    assert set(checks) == {"database", "redis", "disk"}
    assert all(check["healthy"] is True and check["latency_ms"] >= 0 for check in checks.values())


def test_live_answers_without_its_components(client: httpx.Client) -> None:
    assert client.get("/health/live").json()["status"] == "alive"


def test_a_foreign_host_header_is_refused(client: httpx.Client) -> None:
    answer = client.get("/health/live", headers={"Host": "elsewhere.example.net"})
    assert (answer.status_code, answer.text) == (400, "Invalid host header")


@pytest.mark.parametrize("path", ["/metrics", "/health/metrics"])
def test_its_own_traffic_shows_in_its_metrics(client: httpx.Client, path: str) -> None:
    def samples() -> dict[tuple[str, str, str], float]:
        families = text_string_to_metric_families(client.get(path).text)
        return {
            (sample.name, sample.labels.get("endpoint", ""), sample.labels.get("status", "")): sample.value
            for family in families
            for sample in family.samples
        }

    failed = ("http_requests_total", "/api/webhooks/billing", "500")
    wait_until(
        lambda: failed in samples() and "agent_executions_total" in {name for name, _, _ in samples()}, "its traffic"
    )
    seen = samples()
    assert seen["http_requests_total", "/api/agents", "200"] > 0
    names = {name for name, _, _ in seen}
    assert names >= {"http_request_duration_seconds_bucket", "agent_executions_total", "active_agents"}
    assert names >= {"skill_executions_total", "db_connections_active", "process_resident_memory_bytes"}


def test_agents_and_skills_are_at_work(running: World) -> None:
    tables = ["agent_executions", "skill_executions", "agent_episodes", "episode_segments"]
    before = {table: count(running, table) for table in tables}
    assert all(before.values())
    wait_until(lambda: all(count(running, table) > before[table] for table in tables), "new rows")
    wait_until(lambda: count(running, "agent_executions WHERE status = 'failed'") > 0, "a failed execution")


def test_jobs_wait_in_the_queue_beside_the_cache(running: World) -> None:
    with running.redis.connect() as redis:
        wait_until(
            lambda: bool(redis.llen("rq:queue:default")) and bool(list(redis.scan_iter("atom:cache:*"))),
            "a job and a key",
        )


def test_the_log_mixes_three_shapes_and_a_traceback(running: World) -> None:
    def told() -> list[str]:
        return running.log.read_text(encoding="utf-8").splitlines()

    wait_until(lambda: any(line.startswith("KeyError") for line in told()), "a traceback")
    for shape in (JSON_UPPER, JSON_LOWER, PLAIN):
        assert any(shape.match(line) for line in told())


def test_the_log_reaches_back_behind_its_rotation(tmp_path: Path) -> None:
    now = 1_790_000_000.0
    write_history(tmp_path / "atom.log", now)
    older = (tmp_path / "atom.log.1").read_text(encoding="utf-8").splitlines()
    newer = (tmp_path / "atom.log").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in older + newer if line.startswith("{")]
    times = [dt.datetime.fromisoformat(record["timestamp"]) for record in records]
    assert times == sorted(times)
    assert times[-1] - times[0] > dt.timedelta(hours=29)
    assert len(newer) > 500
    assert any('"OAUTH_EXPIRED"' in line or '"VECTOR_TIMEOUT"' in line or '"STORAGE_QUOTA"' in line for line in newer)


def test_a_forgotten_export_sits_idle_in_its_transaction(running: World) -> None:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND application_name LIKE 'atom-%'"
    )

    def held() -> bool:
        with running.postgres.connect("atom") as session:
            return (session.execute(query).fetchone() or [0])[0] == 1

    wait_until(held, "the forgotten export")


def test_the_inventory_reads_and_its_role_cannot_write(running: World) -> None:
    target = load_inventory(running.inventory).target("sandbox")
    assert target.postgres is not None
    assert target.postgres.password is not None
    with psycopg.connect(target.postgres.dsn, password=target.postgres.password.reveal()) as session:
        row = session.execute("SELECT count(*) FROM agent_executions").fetchone()
        assert row is not None
        assert row[0] > 2000
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("DELETE FROM agent_executions")


def test_no_secret_is_in_the_inventory_or_readable_by_others(running: World) -> None:
    files = list((running.folder / "secrets").iterdir())
    assert {file.name for file in files} >= {"redis", "admin", "age-identity", "atom_reader", "atom_changer"}
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text(encoding="utf-8") not in running.inventory.read_text(encoding="utf-8")


def test_without_its_redis_it_is_not_ready_and_at_the_end_nothing_is_left() -> None:
    with own_world_folder("atomops-test-") as folder:
        with world(folder, folder / "history") as running:
            running.redis.server.stop()
            answer = httpx.get(f"{running.application.url}/health/ready", trust_env=False)
            assert answer.status_code == 503
            detail = answer.json()["detail"]
            assert detail["status"] == "not_ready"
            assert detail["checks"]["redis"]["healthy"] is False
            assert detail["checks"]["database"]["healthy"] is True
        assert processes_of(folder) == []
    assert not folder.exists()


def test_its_busiest_tables_can_be_vacuumed_by_the_role_that_changes_it(running: World) -> None:
    target = load_inventory(running.inventory).target("sandbox")
    assert asyncio.run(reach(target)) == ()
    seen = vacuumed(target, Wish())
    assert [(each.table, each.status) for each in seen.outcomes] == [
        ("public.agent_executions", Status.DONE),
        ("public.agent_episodes", Status.DONE),
        ("public.episode_segments", Status.DONE),
    ]
