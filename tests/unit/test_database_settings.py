"""A setting of a database, from the catalogue's text to the values that ALTER DATABASE wants."""

import pytest

from atomops.plans.settings import Setting, setting_of


@pytest.mark.parametrize(
    ("text", "role", "name", "values"),
    [
        ("work_mem=8MB", "", "work_mem", ("8MB",)),
        ("app.words=a, b=c", "", "app.words", ("a, b=c",)),
        ("ann: work_mem=8MB", "ann", "work_mem", ("8MB",)),
        ('search_path="$user", public', "", "search_path", ("$user", "public")),
        ('search_path="a, ""b""", c', "", "search_path", ('a, "b"', "c")),
        ('ann of us: search_path=""', "ann of us", "search_path", ("",)),
        ("search_path=", "", "search_path", ("",)),
        ('search_path=a "b', "", "search_path", ('a "b',)),
        ("temp_tablespaces=fast,slow", "", "temp_tablespaces", ("fast", "slow")),
    ],
)
def test_a_setting_is_taken_apart_as_pg_dump_does_it(text: str, role: str, name: str, values: tuple[str, ...]) -> None:
    assert setting_of(text) == Setting(role, name, values)
