"""The shipped alerting rules and their cases, as data."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "deployments" / "prometheus"
AS_WRITTEN = ROOT / "tests" / "data" / "prometheus"
PROFILES = ("atom", "guide")


def rules(file: Path) -> list[dict[str, Any]]:
    """Every rule of the file."""
    return [rule for group in _tree(file)["groups"] for rule in group["rules"]]


def alerts(file: Path) -> list[dict[str, Any]]:
    return [rule for rule in rules(file) if "alert" in rule]


def cases(file: Path) -> dict[str, dict[str, Any]]:
    """The cases of a file for `promtool test rules`, by name."""
    return {case["name"]: case for case in _tree(file)["tests"]}


def _tree(file: Path) -> Any:  # noqa: ANN401 - YAML's own types
    return yaml.safe_load(file.read_text(encoding="utf-8"))
