"""The reference part of the runbook: a page for every check, drawn from the check itself."""

from collections.abc import Iterable

from atomops.registry import Check
from atomops.verdict import Limit


def page(check: Check) -> str:
    """What the check looks at, from when on it speaks, and how to change or acknowledge that (markdown)."""
    return f"""# {check.code}

Section of the report: {check.section}. Source of the limits: {check.source or "none; it informs"}.

{check.guarantee}

{_limits(check)}

## When it speaks
Follow the finding's *next step* in the report; it names the command for what was seen. `UNKNOWN` means that it could
not be looked at: the finding says why, and `atomops doctor` names the grant, package or setting that is missing.

## Changing or acknowledging it
```toml
[targets.production.limits]
"{check.code}" = {_example(check.limit)}

[[targets.production.acknowledged]]
code = "{check.code}"
reason = "why this is all right for now"
until = 2027-01-31
```
"""


def index(checks: Iterable[Check]) -> str:
    """The table of every check (markdown), in the order of the report's sections."""
    rows = "\n".join(
        f"| [{check.code}]({check.code.lower()}.md) | {check.section} | {_bound(check.limit.warning, check)} "
        f"| {_bound(check.limit.critical, check)} | {check.source} |"
        for check in checks
    )
    return f"""# Every check

| check | section | warning | critical | source |
|---|---|---|---|---|
{rows}
"""


def _limits(check: Check) -> str:
    if check.limit.warning is None and check.limit.critical is None:
        return "It has no limit of its own: it informs, and the inventory can give it one."
    return f"""| level | value |
|---|---|
| WARNING | {_bound(check.limit.warning, check)} |
| CRITICAL | {_bound(check.limit.critical, check)} |"""


def _bound(bound: float | None, check: Check) -> str:
    if bound is None:
        return "-"
    relation = "from" if check.limit.worse == "higher" else "below"
    return f"{relation} {bound:,.10g} {check.unit}".strip()


def _example(limit: Limit) -> str:
    warning, critical = limit.warning or limit.critical or 1, limit.critical or limit.warning or 1
    return f"{{ warning = {warning:.10g}, critical = {critical:.10g} }}"
