"""Label selectors mean the same as a query, as they do when they are matched here."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.plans.selectors import as_query, matches
from tests.kubernetes_api.selection import by_labels

KEYS, VALUES = st.sampled_from(["app", "tier", "example.com/part"]), st.sampled_from(["atom", "web", "a.b-c"])
EXPRESSIONS = st.one_of(
    st.builds(
        lambda key, operator, values: {"key": key, "operator": operator, "values": values},
        KEYS, st.sampled_from(["In", "NotIn"]), st.lists(VALUES, min_size=1, max_size=3),
    ),
    st.fixed_dictionaries({"key": KEYS, "operator": st.sampled_from(["Exists", "DoesNotExist"])}),
)  # fmt: skip
SELECTORS = st.builds(
    lambda labels, expressions: {"matchLabels": labels, "matchExpressions": expressions},
    st.dictionaries(KEYS, VALUES, max_size=2),
    st.lists(EXPRESSIONS, max_size=3),
)


@given(SELECTORS, st.dictionaries(KEYS, VALUES))
def test_a_selector_and_its_query_select_the_same(selector: dict[str, Any], labels: dict[str, str]) -> None:
    assert matches(selector, labels) is by_labels(as_query(selector))({"metadata": {"labels": labels}})


@pytest.mark.parametrize(("selector", "selected"), [(None, False), ({}, True), ({"matchLabels": None}, True)])
def test_none_selects_nothing_and_an_empty_one_everything(selector: dict[str, Any] | None, *, selected: bool) -> None:
    assert matches(selector, {"app": "atom"}) is selected
    assert as_query(selector or {}) == ""


@pytest.mark.parametrize(("labels", "selected"), [({}, True), ({"app": "web"}, True), ({"app": "atom"}, False)])
def test_what_is_not_in_a_list_is_selected(labels: dict[str, str], *, selected: bool) -> None:
    assert matches({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["atom"]}]}, labels) is selected
