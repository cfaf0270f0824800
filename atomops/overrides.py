"""What a target says about single checks: other limits, and acknowledgements. A code that no check has is an error."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches

from atomops.errors import InventoryError
from atomops.inventory import LimitOverride, Target
from atomops.registry import Check
from atomops.verdict import Acknowledgement, Limit


def limits(checks: Iterable[Check], target: Target) -> dict[str, Limit]:
    """The limits that the target overrides, by code. Raises InventoryError for an unknown code or odd bounds."""
    by_code = {check.code: check for check in checks}
    return {code: _limit(code, _known(code, by_code), override) for code, override in target.limits.items()}


def acknowledgements(checks: Iterable[Check], target: Target) -> dict[str, Acknowledgement]:
    """The target's acknowledgements by code. Raises InventoryError for an unknown code."""
    by_code = {check.code: check for check in checks}
    for acknowledged in target.acknowledged:
        _known(acknowledged.code, by_code)
    return {
        acknowledged.code: Acknowledgement(acknowledged.reason, acknowledged.until.isoformat())
        for acknowledged in target.acknowledged
    }


def _known(code: str, by_code: Mapping[str, Check]) -> Check:
    if code in by_code:
        return by_code[code]
    close = get_close_matches(code, by_code, n=1)
    action = f"did you mean {close[0]!r}?" if close else "the report names the code beside every finding"
    raise InventoryError(f"no check has the code {code!r}", action=action)


def _limit(code: str, check: Check, override: LimitOverride) -> Limit:
    given = override.model_dump(exclude_none=True)
    try:
        return replace(check.limit, **given)
    except ValueError as error:
        raise InventoryError(f"the limits of {code}: {error}", action="give both bounds, in the right order") from error
