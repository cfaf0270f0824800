"""The reports as Prefect runs them: what is published, what is kept, and how they end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from atomops.scratch.postgres import PostgresServer
from atomops.verdict import Level
from flows.agent_report import agent_report
from flows.episode_report import episode_report
from flows.skill_report import skill_report
from flows.user_report import user_report
from tests.flows.running import AnyFlow, artifacts, run, write

ROOT = Path(__file__).parents[2]
DATABASE = "flow_of_reports"
PASSWORD = "a reader's password"


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[str]:
    schema = (ROOT / "atomops" / "sandbox" / "schemas" / "guide.sql").read_text(encoding="utf-8")
    rows = (ROOT / "tests" / "data" / "reports-guide.sql").read_text(encoding="utf-8")
    postgres.create_database(DATABASE, schema + rows)
    postgres.create_reader("flow reader", PASSWORD)
    yield postgres.dsn(DATABASE, "flow reader")
    with postgres.connect() as session:
        session.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


@pytest.fixture
def world(database: str, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PASSWORD", PASSWORD)
    write(inventory, postgres=f'dsn = "{database}"\npassword = "env:PASSWORD"')
    return inventory


CASES: tuple[tuple[AnyFlow, dict[str, object], str, str], ...] = (
    (agent_report, {"agent": "Inbox", "hours": 12}, r"pipe \| quote", "agents.executions_daily"),
    (skill_report, {"limit": 2}, r"HTTP &lt;n&gt; \| bad", "skills.success_percent"),
    (episode_report, {"older_than_days": 10}, "archived", "episodes.size of episode"),
    (user_report, {"user": "4"}, r"O'Mally \| ", "users.count of admin"),
)


@pytest.mark.parametrize(("flow", "parameters", "shown", "trend"), CASES, ids=[flow.name for flow, *_ in CASES])
def test_a_report_is_published_with_its_rows_and_kept_with_its_trends(
    world: Path, flow: AnyFlow, parameters: dict[str, object], shown: str, trend: str
) -> None:
    state, report = run(flow, **parameters)
    assert (state.name, report.level, report.flow) == ("WARNING", Level.WARNING, flow.name)
    assert trend in report.trends
    (artifact, *_) = artifacts(f"{flow.name}-test")
    assert shown in artifact.data
    assert "data:image/svg+xml;base64," in artifact.data
    kept = [path.read_text("utf-8") for path in (world.parent / "history").rglob("*.*")]
    assert kept
    assert not [text for text in kept if "secret-hash" in text or PASSWORD in text or "hunter2" in text]


def test_without_a_database_nothing_is_checked_and_nothing_fails(inventory: Path) -> None:
    write(inventory)
    state, report = run(agent_report)
    assert (report.findings, state.name) == ((), "UNKNOWN")
    assert {gap.section for gap in report.not_checked} >= {"Agents", "Agent errors"}
