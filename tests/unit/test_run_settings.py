import inspect

import pytest

from atomops.cli.run import _parameters
from atomops.errors import InventoryError
from atomops.parameters import Asked, Name, Window


def flow(*, agent: Asked, hours: Window, tables: tuple[Name, ...], switch: bool, plain: str) -> None:
    """Any flow."""


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("agent=42", "42"),
        ("agent=007", "007"),
        ("agent=true", "true"),
        ("agent=a=b", "a=b"),
        ('agent="quoted"', "quoted"),
        ("plain=1e3", "1e3"),
        ("hours=6", 6),
        ("tables=a,b", ["a", "b"]),
        ("switch=true", True),
    ],
)
def test_a_setting_is_what_its_parameter_wants(setting: str, value: object) -> None:
    assert list(_parameters([setting], inspect.signature(flow)).values()) == [value]


def test_a_setting_that_is_none_says_how_one_is_written() -> None:
    with pytest.raises(InventoryError, match="is not KEY=VALUE"):
        _parameters(["agent"], inspect.signature(flow))
    with pytest.raises(InventoryError, match="did you mean 'agent'"):
        _parameters(["agnet=1"], inspect.signature(flow))
