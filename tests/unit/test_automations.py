"""From the file and the inventory to blocks and automations."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from atomops.automations import block_address, email_address, expand, resource_of, unknown_channels
from atomops.errors import InventoryError
from atomops.inventory import Target

SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "deployments" / "automations.yaml").read_text(encoding="utf-8"))
BERLIN = Target(name="berlin", notify={"critical": ["slack-webhook/atomops-critical", "email/atomops-mail"]})
ROME = Target(name="rome", notify={"critical": ["email/atomops-mail"], "on_call": ["pager-duty-webhook/us"]})
TRIGGER = {"type": "event"}


def automation(**given: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML's own types
    return {"automations": [{"name": "mine", "trigger": TRIGGER, **given}]}


def test_every_target_gets_its_own_dead_mans_switches_and_its_own_channels() -> None:
    wanted = {each["name"]: each for each in expand(SHIPPED, [BERLIN, ROME]).automations}
    berlin, rome = wanted["atomops: no proven backup berlin"], wanted["atomops: no proven backup rome"]
    assert berlin["trigger"]["match"] == {
        key: value for key, value in resource_of("berlin", "nightly-backup").items() if key != "prefect.resource.name"
    }
    assert berlin["trigger"]["within"] == 26 * 3600
    assert [each["block"] for each in berlin["actions"]] == [
        "slack-webhook/atomops-critical",
        "slack-webhook/atomops-mail",
    ]
    assert len(rome["actions"]) == 1
    crashed = wanted["atomops: flow crashed"]
    assert len(crashed["actions"]) == 2
    run = wanted["atomops: alert received rome"]["actions"]
    assert run[0]["deployment"] == "alert-response/alert-response"
    assert run[0]["parameters"] == {"target": "rome"}


def test_the_file_is_not_changed_by_expanding_it() -> None:
    before = yaml.safe_dump(SHIPPED)
    expand(SHIPPED, [BERLIN, ROME])
    assert yaml.safe_dump(SHIPPED) == before


def test_only_blocks_that_a_target_names_are_wanted_and_who_nobody_describes_is_named() -> None:
    wanted = expand(SHIPPED, [BERLIN, ROME])
    assert [each.channel for each in wanted.blocks] == ["slack-webhook/atomops-critical", "email/atomops-mail"]
    assert unknown_channels(wanted, [BERLIN, ROME], []) == ["pager-duty-webhook/us"]
    assert unknown_channels(wanted, [BERLIN, ROME], ["pager-duty-webhook/us"]) == []


def test_without_anybody_to_tell_only_what_starts_runs_is_left() -> None:
    wanted = expand(SHIPPED, [Target(name="quiet")])
    assert [each["name"] for each in wanted.automations] == ["atomops: alert received quiet"]
    assert wanted.left_out["flow crashed"] == "nobody is to be told: the inventory has no notify.critical"
    assert expand(automation(), [BERLIN]).left_out == {"mine": "nobody is to be told: the inventory has no actions"}
    assert expand({}, [BERLIN]).automations == ()


def test_whoever_is_on_call_is_the_critical_channel_where_nobody_else_is_named() -> None:
    told = automation(actions=[{"notify": role, "subject": "s", "body": "b"} for role in ("on_call", "warning")])
    (berlin,) = expand(told, [BERLIN]).automations
    assert len(berlin["actions"]) == 2
    (rome,) = expand(told, [ROME]).automations
    assert [each["block"] for each in rome["actions"]] == ["pager-duty-webhook/us"]


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ({"blocks": [{"kind": "email"}]}, "has no 'name'"),
        ({"automations": [{"name": "mine"}]}, r"lacks something: \['name'\]"),
        (automation(actions=[{"notify": "everybody"}]), "'everybody', which nobody is"),
        (automation(actions=[{"shout": "help"}]), r"neither notifies nor runs: \['shout'\]"),
    ],
)
def test_a_bad_file_says_what_is_wrong(described: dict[str, Any], reason: str) -> None:
    with pytest.raises(InventoryError, match=reason):
        expand(described, [BERLIN])


def test_an_e_mail_block_is_an_address_of_apprise() -> None:
    settings = {"server": "smtp.example.com", "user": "a@b", "password": "p:/@", "sender": "a@b", "to": ["x@y", "z@y"]}
    address = urlsplit(email_address(settings))
    assert (address.scheme, address.hostname, address.port) == ("mailtos", "smtp.example.com", 587)
    assert (address.username, address.password) == ("a%40b", "p%3A%2F%40")
    assert parse_qs(address.query) == {
        "smtp": ["smtp.example.com"],
        "from": ["a@b"],
        "to": ["x@y,z@y"],
        "mode": ["starttls"],
    }
    plain = email_address({"server": "mx:2525", "tls": "none", "sender": "a@b", "to": "x@y"})
    assert plain == "mailto://mx:2525?smtp=mx&from=a%40b&to=x%40y"
    assert ":465?" in email_address({"server": "mx", "tls": "tls", "sender": "a@b", "to": "x@y"})
    for bad, reason in (({"server": "mx"}, "no sender, to"), ({**settings, "tls": "maybe"}, "'maybe'")):
        with pytest.raises(InventoryError, match=reason):
            email_address(bad)


def test_e_mail_lives_in_a_block_that_takes_apprises_addresses() -> None:
    assert block_address("email/atomops-mail") == "slack-webhook/atomops-mail"
    assert block_address("ms-teams-webhook/us") == "ms-teams-webhook/us"
