"""The demo's own behaviour; a whole one runs in tests/e2e."""

import asyncio
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from atomops import shell
from atomops.errors import NotThere
from atomops.sandbox import demo, prefect
from atomops.sandbox.demo import _history
from atomops.scratch.place import make_folder
from tests.waiting import PATIENCE, wait_until

DEMO = "from atomops.sandbox.demo import demonstrate; raise SystemExit(demonstrate(once=True))"


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary folder of its own, so that no sweep meets another test's demo."""
    folder = make_folder("atomops-test-")
    yield folder
    shutil.rmtree(folder)


def test_stopped_half_way_it_says_so_and_leaves_nothing(temporary: Path, tmp_path: Path) -> None:
    own = {"TMPDIR": str(temporary), "XDG_STATE_HOME": str(tmp_path)}
    started = shell.start([sys.executable, "-c", DEMO], log=tmp_path / "log", env=own)
    wait_until(lambda: "the Prefect server at" in started.tail(), "the Prefect server")
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(PATIENCE) == 130
    assert "Stopped before every report was there" in started.tail()
    assert "Traceback" not in started.tail()
    assert list(temporary.iterdir()) == []


def test_two_demos_do_not_share_a_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with ExitStack() as first, ExitStack() as second:
        kept = _history(first, tmp_path / "one")
        assert kept == tmp_path / "state" / "atomops" / "demo"
        assert _history(second, tmp_path / "two") == tmp_path / "two" / "history"
    with ExitStack() as third:
        assert _history(third, tmp_path / "three") == kept


def test_without_a_home_the_history_ends_with_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with ExitStack() as stack:
        assert _history(stack, tmp_path) == tmp_path / "history"


def test_the_users_own_prefect_settings_never_reach_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "postgresql+asyncpg://production/prefect")
    monkeypatch.setenv("PREFECT_API_KEY", "theirs")
    seen = asyncio.run(shell.run([*prefect._clean(), "env"], timeout=PATIENCE)).stdout
    assert b"PATH=" in seen
    assert b"PREFECT_" not in seen


def test_a_flow_without_a_report_is_an_error_that_quotes_the_worker(tmp_path: Path) -> None:
    worker = shell.start(["sh", "-c", "echo the flow could not be loaded"], log=tmp_path / "log")
    worker.process.wait()
    planned = prefect.Planned("id", "morning-checklist", {"target": "sandbox"})
    ended = prefect.Ended("Crashed", "no module")
    with pytest.raises(NotThere, match=r"gave no report \(Crashed: no module\).*\nthe flow could not be loaded"):
        demo._report(tmp_path, worker, planned, ended, time.time())
