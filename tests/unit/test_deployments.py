from pathlib import Path

import yaml

from atomops.cli.flows import OF_MANY
from atomops.deployments import expand, scheduled, slugs
from atomops.inventory import Target

PREFECT_YAML = yaml.safe_load((Path(__file__).parents[2] / "prefect.yaml").read_text(encoding="utf-8"))
TARGETS = [Target(name="berlin", timezone="Europe/Berlin"), Target(name="new-york", timezone="America/New_York")]


def test_every_target_gets_every_schedule_at_its_own_local_time() -> None:
    checklist = expand(PREFECT_YAML, TARGETS)["deployments"][0]
    assert [(each["slug"], each["cron"], each["timezone"], each["parameters"]) for each in checklist["schedules"]] == [
        ("berlin-daily-0900", "0 9 * * *", "Europe/Berlin", {"target": "berlin"}),
        ("new-york-daily-0900", "0 9 * * *", "America/New_York", {"target": "new-york"}),
    ]
    assert checklist["parameters"] == {"target": "berlin"}


def test_expanding_for_the_target_of_the_file_changes_no_slug_and_the_file_stays_as_it_is() -> None:
    before = yaml.safe_dump(PREFECT_YAML)
    production = Target(name="production", timezone="Europe/Berlin")
    assert slugs(expand(PREFECT_YAML, [production])) == slugs(PREFECT_YAML)
    assert yaml.safe_dump(PREFECT_YAML) == before


def test_the_morning_checklist_is_scheduled() -> None:
    assert "morning-checklist" in scheduled(PREFECT_YAML)


def test_what_is_of_many_targets_is_deployed_once_and_its_schedule_waits_to_be_switched_on() -> None:
    expanded = {each["name"]: each for each in expand(PREFECT_YAML, TARGETS)["deployments"]}
    fleet = expanded["fleet-checklist"]
    assert [(each["slug"], each["active"]) for each in fleet["schedules"]] == [("fleet-daily-0900", False)]
    assert "target" not in fleet.get("parameters", {})
    assert "fleet-checklist" not in scheduled(PREFECT_YAML)
    assert {name for name, each in expanded.items() if "target" not in each.get("parameters", {})} == OF_MANY
