"""A Prefect harness for the session, which costs 8 s (minutes on a busy machine), and an inventory for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

from atomops.inventory import INVENTORY_VARIABLE

PASSWORD = "hunter2-in-the-inventory"


@pytest.fixture(scope="session", autouse=True)
def harness() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=240):
        yield


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the inventory in force, still to be written."""
    path = tmp_path / "inventory.toml"
    monkeypatch.setenv(INVENTORY_VARIABLE, str(path))
    monkeypatch.setenv("PASSWORD", PASSWORD)
    return path
