"""Any text as markdown that shows exactly it: it makes no link, image, heading, table cell or HTML."""

import re

from atomops.reports.strings import one_line

MOST_TEXT = 500  # characters of one piece of text
_SPECIAL = re.compile(r"([\\`*_\[\]|~#!$])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}  # no others: one of the two Prefect UIs shows them as they are
# What the UI's dialect makes a link of by itself, even when it is spelt with entities: it must be code to stay text.
_ADDRESS = re.compile(r"([^\s`|]*(?:https?://|www\.|@)[^\s`|]*)", re.IGNORECASE)


def escape(text: str) -> str:
    """The text on one line, for any place inside a line or a table cell. Addresses of web and mail become code."""
    pieces = _ADDRESS.split(one_line(text, MOST_TEXT))
    return "".join(f"`{piece}`" if place % 2 else _plain(piece) for place, piece in enumerate(pieces))


def fence(text: str) -> str:
    """The text as a block of code, which no run of backticks in it ends, however many lines it has."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}\n{text.strip()}\n{ticks}"


def _plain(text: str) -> str:
    return "".join(_ENTITIES.get(character, character) for character in _SPECIAL.sub(r"\\\1", text))
