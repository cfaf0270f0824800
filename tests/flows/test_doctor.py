"""`atomops doctor`, on parts that are well, failing, and absent."""

from pathlib import Path

import pytest

from atomops.cli.doctor import doctor
from tests.flows.running import write
from tests.peers import refused_port


def test_each_checklist_is_told_what_will_work_of_its_own_parts(
    inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        inventory,
        app=f'url = "http://127.0.0.1:{refused_port()}"',
        prometheus=f'url = "http://127.0.0.1:{refused_port()}"',
        host=f'paths = ["{inventory.parent}", "/nowhere"]',
    )
    assert doctor(target="test", inventory=inventory) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "✗ alerts" in said
    assert "! capacity answers in" in said
    assert "/nowhere does not exist" in said
    assert "end-of-day-checklist will run, and report as failing or UNKNOWN: Alerts; not checked: " in said
    assert "morning-checklist will run, and report as failing or UNKNOWN: Health, Metrics; not checked: " in said


def test_what_an_inventory_does_not_name_fails_nothing(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(inventory, host=f'paths = ["{inventory.parent}"]')
    assert doctor(target=None, inventory=inventory) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "end-of-day-checklist will work; not checked: Alerts" in said
    assert "✓ capacity" in said
