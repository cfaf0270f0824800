"""Each import registers a command."""

from atomops.cli import demo, deploy, doctor, inventory, run

__all__ = ["demo", "deploy", "doctor", "inventory", "run"]
