"""What the exit code of `atomops` says to a script."""

from atomops.verdict import Level

FAILED = 3
BY_LEVEL = {Level.OK: 0, Level.WARNING: 1, Level.CRITICAL: 2, Level.UNKNOWN: FAILED}
