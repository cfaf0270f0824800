"""Which targets of an inventory are meant: names, patterns, and lists of both between commas. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

from atomops.errors import NotThere

_PATTERN = frozenset("*?[")


def choose(wanted: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """The targets in the inventory's order, each once. Raises NotThere for what fits none, with a suggestion."""
    names = list(known)
    chosen: set[str] = set()
    for word in _words(wanted):
        found = [name for name in names if (fnmatchcase(name, word) if _PATTERN & set(word) else name == word)]
        if not found:
            close = get_close_matches(word, names, n=1)
            action = f"did you mean {close[0]!r}?" if close else f"they are {', '.join(names)}"
            raise NotThere(f"the inventory has no target {word!r}", action=action)
        chosen |= set(found)
    if not chosen:
        raise NotThere("no target is named", action='name some, such as "berlin-*"; or all: "*"')
    return tuple(name for name in names if name in chosen)


def _words(wanted: Iterable[str]) -> Iterable[str]:
    return (word.strip() for each in wanted for word in each.split(",") if word.strip())
