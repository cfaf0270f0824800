"""The command `atomops`: the front door, and the one package that stands above the flows."""

from atomops.cli.app import main

__all__ = ["main"]
