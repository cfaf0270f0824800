"""SQL as text: cut into its statements, and the tables that they name. Pure, and no parser: names may be missed."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*.*?\*/ )
  | (?P<quoted> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$ )
  | (?P<end> ; )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = r'(?P<name>(?:"[^"]+"|[A-Za-z_]\w*)(?:\.(?:"[^"]+"|[A-Za-z_]\w*))?)'
_NAMING = (
    rf"\bALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_NAME}",
    rf"\bDROP TABLE (?:IF EXISTS )?{_NAME}",
    rf"\bTRUNCATE (?:TABLE )?(?:ONLY )?{_NAME}",
    rf"\bLOCK (?:TABLE )?(?:ONLY )?{_NAME}",
    rf"^UPDATE (?:ONLY )?{_NAME}",
    rf"\bDELETE FROM (?:ONLY )?{_NAME}",
    rf"\bINSERT INTO {_NAME}",
    rf"\bCREATE (?:UNIQUE )?INDEX .*?\bON (?:ONLY )?{_NAME}",
    rf"\bREFERENCES {_NAME}",
)


def statements(sql: str) -> tuple[str, ...]:
    """Each statement on one line, without comments and without its semicolon."""
    return tuple(filter(None, (" ".join(text.split()) for text in _cut(sql))))


def _cut(sql: str) -> Iterator[str]:
    text: list[str] = []
    for token in _TOKEN.finditer(sql):
        if token["end"]:
            yield "".join(text)
            text = []
        else:
            text.append(" " if token["comment"] else token[0])
    yield "".join(text)


def tables(statement: str) -> tuple[str, ...]:
    """The tables that it changes, locks or refers to, as they are written there."""
    found = [match["name"] for pattern in _NAMING for match in re.finditer(pattern, statement, re.IGNORECASE)]
    return tuple(dict.fromkeys(found))
