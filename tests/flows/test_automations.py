"""`atomops automations apply` on a Prefect server: what it makes, leaves, updates and removes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client

from atomops.cli import automations as command
from atomops.errors import InventoryError, NotThere, PermanentError, SecretError
from flows.alert_response import alert_response
from tests.flows.running import write

SHIPPED = Path(__file__).parents[2] / "deployments" / "automations.yaml"
NOTIFY = (
    'critical = ["slack-webhook/atomops-critical", "email/atomops-mail"]\nwarning = ["custom-webhook/atomops-webhook"]'
)
SECRETS = {
    "ATOMOPS_SLACK_URL": "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "ATOMOPS_SMTP_PASSWORD": "p@ss/word",
    "ATOMOPS_WEBHOOK_TOKEN": "hook-secret",
}


@pytest.fixture
def described(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The file that we ship; its secrets are in the environment, and the inventory names all of its blocks."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    write(inventory, notify=NOTIFY)
    asyncio.run(_deploy())
    shipped = SHIPPED.read_text(encoding="utf-8")
    return dict(yaml.safe_load(shipped))


async def _deploy() -> None:
    async with get_client() as client:
        flow_id = await client.create_flow(alert_response)
        await client.create_deployment(flow_id, "alert-response")


def apply(path: Path, described: object, *, dry_run: bool = False) -> list[str]:
    path.write_text(yaml.safe_dump(described), encoding="utf-8")
    return asyncio.run(command._apply(path, dry_run=dry_run))


def signs(lines: list[str], *names: str) -> list[str]:
    return [line for line in lines if any(line.endswith(name) for name in names)]


def test_it_makes_updates_and_removes_what_the_file_says_and_repeating_it_changes_nothing(
    described: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "automations.yaml"
    first = apply(file, described, dry_run=True)
    assert {line[0] for line in first} == {"+"}
    assert apply(file, described) == first
    assert {line[0] for line in apply(file, described)} == {"="}

    blocks, automations = described["blocks"], described["automations"]
    changed = {"blocks": [{**blocks[0], "notify_type": "warning"}, *blocks[1:]], "automations": automations[:2]}
    automations[0]["trigger"]["within"] = 60
    expected = ["~ block slack-webhook/atomops-critical", "~ atomops: flow crashed"]
    assert [line for line in apply(file, changed, dry_run=True) if line[0] == "~"] == expected
    lines = apply(file, changed)
    assert [line for line in lines if line[0] == "~"] == expected
    assert "- atomops: no proven backup test" in lines
    assert {line[0] for line in apply(file, changed)} == {"="}


def test_channels_that_are_no_longer_named_go_and_others_stay(
    described: dict[str, Any], inventory: Path, tmp_path: Path
) -> None:
    file = tmp_path / "automations.yaml"
    apply(file, described)
    write(inventory)
    lines = apply(file, described)
    assert "- block slack-webhook/atomops-critical" in lines
    assert signs(lines, "alert received test") == ["= atomops: alert received test"]
    assert [line for line in lines if line.startswith("-- approval waiting")] == [
        "-- approval waiting: left out, nobody is to be told: the inventory has no notify.critical"
    ]


def test_what_is_wrong_is_one_clear_error_and_no_secret_is_in_it(
    described: dict[str, Any], inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "automations.yaml"
    mine = {"name": "mine", "trigger": {"type": "event", "within": -1}, "actions": [{"run": "alert-response"}]}
    with pytest.raises(InventoryError, match=r"'atomops: mine': trigger\.event\.within"):
        apply(file, {**described, "automations": [mine]})
    with pytest.raises(NotThere, match="no deployment alert-respons/alert-respons: atomops deploy"):
        apply(file, {**described, "automations": [{**mine, "trigger": {}, "actions": [{"run": "alert-respons"}]}]})
    clear = {"name": "atomops-webhook", "kind": "custom-webhook", "url": "env:ATOMOPS_WEBHOOK_TOKEN"}
    with pytest.raises(PermanentError, match="keeps url in clear"):
        apply(file, {**described, "blocks": [*described["blocks"][:2], clear]})
    unknown = {"name": "atomops-webhook", "kind": "custom-webhook", "colour": "red"}
    with pytest.raises(InventoryError, match="cannot be made of colour, name"):
        apply(file, {**described, "blocks": [*described["blocks"][:2], unknown]})
    write(inventory, notify='critical = ["pigeon/post"]')
    with pytest.raises(InventoryError, match=r"no notification block of kind 'pigeon'"):
        apply(file, {**described, "blocks": [{"name": "post", "kind": "pigeon"}]})
    with pytest.raises(InventoryError, match="which nobody describes"):
        apply(file, {**described, "blocks": []})
    monkeypatch.delenv("ATOMOPS_SLACK_URL")
    write(inventory, notify=NOTIFY)
    with pytest.raises(SecretError, match="ATOMOPS_SLACK_URL is not set"):
        apply(file, described)
    for text in ("- a list", "a: [", None):
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text, encoding="utf-8")
        with pytest.raises((InventoryError, NotThere)):
            asyncio.run(command._apply(file, dry_run=False))
