"""What the README shows is tried here, word for word."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from atomops import overrides, registry
from atomops.facts.outcome import Outcome
from atomops.facts.postgres import Answer, ClientGroup
from atomops.inventory import Inventory
from atomops.profiles import load_profile
from atomops.questions import question_checks
from atomops.registry import Check, checks
from atomops.verdict import Finding, Level
from tests.unit.postgres_facts import HEALTHY

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found, language
    return found[1]


def test_the_inventory_of_the_readme_is_valid_and_its_codes_exist() -> None:
    inventory = Inventory.model_validate(tomllib.loads(block("toml")))
    target = inventory.target("production", read=lambda _reference: "secret")
    overrides.limits(checks(), target)
    overrides.acknowledgements(checks(), target)


def test_the_check_of_the_readme_works_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh: dict[str, Check] = {}
    monkeypatch.setattr(registry, "_CHECKS", fresh)
    exec(compile(block("python"), "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - our own README
    seen = replace(HEALTHY, clients=(ClientGroup("atom", "", "idle", 12), ClientGroup("atom", "web", "idle", 30)))
    finding = fresh["PG-SESSIONS-UNNAMED"].judge(Outcome("postgres", 0.1, facts=seen), None)
    assert isinstance(finding, Finding)
    assert (finding.level, finding.observed) == (Level.WARNING, 12)


def test_the_sql_file_of_the_readme_is_a_check_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "episodes.sql").write_text(block("sql"), encoding="utf-8")
    description = (ROOT / "atomops" / "profiles" / "atom" / "profile.toml").read_text(encoding="utf-8")
    (tmp_path / "profile.toml").write_text(description, encoding="utf-8")
    (check,) = question_checks([load_profile(str(tmp_path))])
    seen = replace(HEALTHY, answers={"EPISODES-UNARCHIVED": Answer(("old",), ((30,),))})
    finding = check.judge(Outcome("postgres", 0.1, facts=seen), None)
    assert isinstance(finding, Finding)
    assert finding.level is Level.WARNING
    assert finding.summary == "30 episodes are older than 180 days and not archived"


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_every_flow_of_the_readme_is_a_deployment_and_the_other_way_round() -> None:
    deployed = re.findall(r"^  - name: (\S+)", (ROOT / "prefect.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    told = re.findall(r"^\| `(\S+)` \|", README, re.MULTILINE)
    assert told == deployed
