"""Kubernetes label selectors: as a query of the API, and whether they match."""

from collections.abc import Mapping, Sequence
from typing import Any

Selector = Mapping[str, Any]  # matchLabels and matchExpressions, as in the API's LabelSelector


def as_query(selector: Selector) -> str:
    """The selector as the parameter `labelSelector` wants it; "" matches everything."""
    return ",".join([*_equalities(selector), *(_expression(each) for each in selector.get("matchExpressions") or ())])


def _equalities(selector: Selector) -> list[str]:
    return [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]


def _expression(expression: Mapping[str, Any]) -> str:
    key, operator = expression["key"], expression["operator"]
    if operator == "Exists":
        return str(key)
    if operator == "DoesNotExist":
        return f"!{key}"
    word = {"In": "in", "NotIn": "notin"}[operator]
    return f"{key} {word} ({','.join(sorted(expression.get('values') or ()))})"


def matches(selector: Selector | None, labels: Mapping[str, str]) -> bool:
    """Whether the labels are selected. An empty selector selects all of them, none selects nothing."""
    if selector is None:
        return False
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    expressions: Sequence[Mapping[str, Any]] = selector.get("matchExpressions") or ()
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(each, labels) for each in expressions
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value is not None and value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None
