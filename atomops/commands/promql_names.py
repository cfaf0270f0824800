"""Which metrics a PromQL expression reads, told from its text: no API of Prometheus before 3.0 parses for others."""

import re
from collections.abc import Iterator
from itertools import pairwise

_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)"""
    r"""|(?P<comment>\#[^\n]*)"""
    r"""|(?P<number>\.?[0-9][0-9a-zA-Z_.]*)"""
    r"""|(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)"""
    r"""|(?P<sign>!=|=~|!~|==|[^\s])"""
)
_WITH_LABELS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_AGGREGATIONS = frozenset(
    [
        "sum",
        "avg",
        "min",
        "max",
        "count",
        "group",
        "stddev",
        "stdvar",
        "topk",
        "bottomk",
        "quantile",
        "count_values",
        "limitk",
        "limit_ratio",
    ]
)
_KEYWORDS = frozenset(["and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"]) | _WITH_LABELS
_ABSENT = frozenset({"absent", "absent_over_time"})
_EITHER = frozenset({"or", "unless"})

Token = tuple[str, str]  # its kind, its text


def metric_names(expression: str) -> frozenset[str]:
    """Every metric that the expression names, outright or by `__name__="..."`; a pattern of names counts for nothing.

    Names in quotes alone (`{"http.requests"}`, since Prometheus 3) are not told from strings, and left out.
    """
    tokens = list(_tokens(expression))
    return frozenset(_outside(tokens)) | frozenset(_by_label(tokens))


def unmet(expression: str, there: frozenset[str]) -> frozenset[str]:
    """The metrics without which the expression says nothing, and that are not `there`.

    One that asks for absence needs none, and one with `or` or `unless` makes do with any of its metrics.
    """
    words = {text.lower() for kind, text in _tokens(expression) if kind == "word"}
    needed = metric_names(expression)
    if words & _ABSENT or (words & _EITHER and needed & there):
        return frozenset()
    return needed - there


def _tokens(expression: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(expression):
        kind = found.lastgroup or ""
        if kind != "comment":
            yield kind, found.group()


def _outside(tokens: list[Token]) -> Iterator[str]:
    """The words outside braces, brackets and lists of labels that are no function, aggregation or keyword."""
    depth, labels = 0, False
    for (kind, text), (_, following) in pairwise([*tokens, ("end", "")]):
        depth += (text in "{[") - (text in "}]") if kind == "sign" else 0
        labels = (labels and text != ")") or (text.lower() in _WITH_LABELS and following == "(")
        if kind == "word" and not depth and not labels and not _has_another_meaning(text.lower(), following):
            yield text


def _has_another_meaning(word: str, following: str) -> bool:
    return following == "(" or word in _KEYWORDS or (word in _AGGREGATIONS and following.lower() in {"by", "without"})


def _by_label(tokens: list[Token]) -> Iterator[str]:
    for (_, label), (_, sign), (kind, value) in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (label, sign, kind) == ("__name__", "=", "string"):
            yield value[1:-1]
