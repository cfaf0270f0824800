"""Asks squawk, the linter of migrations, which comes as a wheel with us."""

import shutil
import sys
from pathlib import Path

from atomops import shell
from atomops.commands import squawk
from atomops.errors import AtomOpsError, NotThere
from atomops.facts.migration import LintFinding
from atomops.verdict import Unseen

_SECONDS = 60


async def lint(sql: str, server_version: int) -> tuple[LintFinding, ...] | Unseen:
    """What it finds in the SQL, or why nobody could look."""
    try:
        argv = squawk.lint(_program(), server_version)
        said = await shell.run(argv, timeout=_SECONDS, stdin=sql.encode(), accept=(0, squawk.FOUND_SOMETHING))
        return squawk.findings(said.stdout.decode())
    except AtomOpsError as error:
        return Unseen(f"the statements were not linted: {error.what}", error.action)


def _program() -> str:
    """That of our own environment, else of PATH."""
    beside = Path(sys.executable).with_name("squawk")
    found = str(beside) if beside.exists() else shutil.which("squawk")
    if not found:
        raise NotThere("there is no program squawk", action="pip install squawk-cli")
    return found
