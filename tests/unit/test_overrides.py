from typing import Any

import pytest

from atomops import overrides
from atomops.errors import InventoryError
from atomops.inventory import Target
from atomops.registry import checks
from atomops.verdict import Acknowledgement, Limit


def target(**parts: Any) -> Target:  # noqa: ANN401 - as in an inventory
    return Target.model_validate({"name": "test", **parts})


def test_the_bound_that_is_left_out_keeps_its_default() -> None:
    limits = overrides.limits(checks(), target(limits={"PG-CONNECTIONS": {"warning": 50}}))
    assert limits == {"PG-CONNECTIONS": Limit(50, 95)}


def test_an_acknowledgement_carries_its_reason_and_its_day() -> None:
    acknowledged = [{"code": "PG-INDEX-UNUSED", "reason": "kept for the report", "until": "2027-01-31"}]
    found = overrides.acknowledgements(checks(), target(acknowledged=acknowledged))
    assert found == {"PG-INDEX-UNUSED": Acknowledgement("kept for the report", "2027-01-31")}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"limits": {"PG-CONECTIONS": {"warning": 1}}}, "did you mean 'PG-CONNECTIONS'"),
        ({"limits": {"?": {"warning": 1}}}, "the report names the code"),
        ({"limits": {"PG-CONNECTIONS": {"warning": 99}}}, "give both bounds"),
        ({"acknowledged": [{"code": "PG-LOST", "reason": "why", "until": "2027-01-31"}]}, "no check has the code"),
    ],
)
def test_an_unknown_code_or_a_bound_out_of_order_is_an_error(parts: dict[str, Any], words: str) -> None:
    wanted = target(**parts)
    read = overrides.limits if wanted.limits else overrides.acknowledgements
    with pytest.raises(InventoryError, match=words):
        read(checks(), wanted)
