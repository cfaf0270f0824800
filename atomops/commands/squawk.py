"""The command line of squawk, the linter of migrations, and what it says. Pure."""

import json

from atomops.errors import BadAnswer
from atomops.facts.migration import LintFinding

FOUND_SOMETHING = 1  # its exit code
_FILE = "migration.sql"
_NOT_FOR_US = (
    "require-lock-timeout",  # every session of ours has one
    "require-statement-timeout",  # likewise
    "prefer-robust-stmts",  # a revision is run once, and alembic keeps count
)


def lint(program: str, server_version: int) -> list[str]:
    """Judge the SQL on standard input, for that server (PostgreSQL's own number, such as 170010)."""
    version = f"{server_version // 10_000}.{server_version % 10_000}"
    rules = [f"--exclude={rule}" for rule in _NOT_FOR_US]
    return [program, "--reporter=json", f"--pg-version={version}", f"--stdin-filepath={_FILE}", *rules]


def findings(output: str) -> tuple[LintFinding, ...]:
    """What it found, in the order of the SQL. Raises BadAnswer for something else than its JSON."""
    try:
        return tuple(
            LintFinding(str(each["rule_name"]), int(each["line"]) + 1, str(each["message"]), str(each["help"] or ""))
            for each in json.loads(output)
        )
    except (ValueError, KeyError, TypeError) as error:
        what = f"squawk answered something that is not its JSON ({type(error).__name__})"
        raise BadAnswer(what, action="see whether another program of that name is installed") from error
