"""A Prefect server for the flows of each file, and an inventory for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.context import get_settings_context
from prefect.settings import PREFECT_API_URL, temporary_settings

from atomops.inventory import INVENTORY_VARIABLE

PASSWORD = "hunter2-in-the-inventory"


@pytest.fixture(scope="module", autouse=True)
def prefect_settings(api: str) -> Iterator[None]:
    """Whatever runs in this process meanwhile, in its threads too, talks to the server that the whole session has."""
    with temporary_settings({PREFECT_API_URL: api}), pytest.MonkeyPatch.context() as patch:
        patch.setattr("prefect.context.GLOBAL_SETTINGS_CONTEXT", get_settings_context())
        yield


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the inventory in force, still to be written."""
    path = tmp_path / "inventory.toml"
    monkeypatch.setenv(INVENTORY_VARIABLE, str(path))
    monkeypatch.setenv("PASSWORD", PASSWORD)
    return path
