"""The Role that docs/kubernetes.md gives."""

from pathlib import Path

import yaml

from tests.kubernetes_api.patches import Json

_PAGE = Path(__file__).parent.parent.parent / "docs" / "kubernetes.md"


def documented_role(number: int = 1) -> Json:
    block = _PAGE.read_text().split("```yaml\n")[number].split("```")[0]
    role: Json = next(iter(yaml.safe_load_all(block)))
    return role


def configuration_rules() -> set[tuple[str, str, str]]:
    """What a backup of the configuration needs."""
    return documented_rules(2)


def restoring_rules() -> set[tuple[str, str, str]]:
    """What its restore needs."""
    return documented_rules(3)


def documented_rules(number: int = 1) -> set[tuple[str, str, str]]:
    """Verb, API group, resource."""
    return {
        (verb, group, resource)
        for rule in documented_role(number)["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
