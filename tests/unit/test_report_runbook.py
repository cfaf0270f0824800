import tomllib

import pytest

from atomops.registry import Check, checks
from atomops.reports.runbook import index, page


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.code)
def test_every_check_has_a_page_whose_example_can_be_pasted_into_the_inventory(check: Check) -> None:
    text = page(check)
    assert text.startswith(f"# {check.code}\n")
    assert check.guarantee in text
    example = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    assert list(example["targets"]["production"]["limits"]) == [check.code]
    assert example["targets"]["production"]["acknowledged"][0]["code"] == check.code


def test_a_page_says_from_where_on_its_check_speaks() -> None:
    by_code = {check.code: check for check in checks()}
    assert "| WARNING | from 300,000,000 transactions |" in page(by_code["PG-XID-AGE"])
    assert "| CRITICAL | below 7 days |" in page(by_code["TLS-EXPIRY-LEAF"])
    assert "It has no limit of its own" in page(by_code["PG-DATABASE-SIZE"])


def test_the_index_links_every_page() -> None:
    text = index(checks())
    assert all(f"[{check.code}]({check.code.lower()}.md)" in text for check in checks())
