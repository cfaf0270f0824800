"""The shipped alerting rules, hurried: the application's billing webhook fails by design, so one of them fires soon."""

from pathlib import Path

import yaml

from atomops.sandbox.prometheus import Rule

SHIPPED = Path(__file__).parents[2] / "deployments" / "prometheus" / "atom.rules.yml"
_GROUPS = ("atom-application", "atom-watchdog")  # the sandbox has neither node exporter nor containers
_FOR = "10s"  # as nobody waits five minutes for a demo


def rules() -> tuple[Rule, ...]:
    """The rules of the file, those on the application and the watchdog, each with a shorter time to wait."""
    groups = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["groups"]
    shipped = (rule for group in groups if group["name"] in _GROUPS for rule in group["rules"])
    return tuple(rule | ({"for": _FOR} if "for" in rule else {}) for rule in shipped)
