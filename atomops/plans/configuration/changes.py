"""What is another one than in the last set, told without a secret value."""

import difflib
from collections.abc import Iterator, Mapping

from atomops.facts.configuration import Difference, Item
from atomops.plans.configuration.fields import CONTENT
from atomops.plans.configuration.secrecy import MASK, masked, names_a_secret

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
_LINES = 20  # of a difference between two texts
_COMPARED = 2_000  # lines of each text
_WIDTH = 100  # characters of a line
Values = Mapping[str, Mapping[str, str]]  # by item, then by field


def differences(
    before: Mapping[str, Item], after: Mapping[str, Item], old: Values | None, new: Values
) -> tuple[Difference, ...]:
    """Every item and field that was added, removed or changed; `old` is None where its values cannot be read.

    The digests of both must be of the same key.
    """
    found: list[Difference] = []
    for name in sorted({*before, *after}):
        if name not in after:
            found.append(Difference(name, "", REMOVED))
        elif name not in before:
            found.append(Difference(name, "", ADDED))
        else:
            values = None if old is None else old.get(name, {})
            found += _within(before[name], after[name], values, new.get(name, {}))
    return tuple(sorted(found, key=lambda each: not each.is_striking))


def _within(before: Item, after: Item, old: Mapping[str, str] | None, new: Mapping[str, str]) -> Iterator[Difference]:
    is_secret = before.is_secret_whole or after.is_secret_whole
    for field in sorted({*before.digests, *after.digests}):
        was, is_now = before.digests.get(field), after.digests.get(field)
        if was == is_now:
            continue
        what = ADDED if was is None else REMOVED if is_now is None else CHANGED
        if field in before.shown or field in after.shown:
            told = f"{before.shown.get(field, 'none')} → {after.shown.get(field, 'none')}"
            yield Difference(after.name, field, what, told, is_striking=True)
        else:
            hidden = is_secret or old is None
            told = "" if hidden else change_of(field, (old or {}).get(field), new.get(field))
            yield Difference(after.name, field, what, told)
    for name in ("mode", "owner", "link"):
        was, is_now = getattr(before, name), getattr(after, name)
        if was != is_now:
            yield Difference(after.name, name, CHANGED, f"{was or 'none'} → {is_now or 'none'}")


def change_of(field: str, old: str | None, new: str | None) -> str:
    """Both values, or the lines that differ; what looks secret in them is masked."""
    if field != CONTENT and names_a_secret(field):
        return ""
    was, is_now = masked(old or ""), masked(new or "")
    if "\n" not in (old or "") + (new or ""):
        if was == is_now:
            return f"{MASK} (not shown)"
        return f"{_short(was) or 'none'} → {_short(is_now) or 'none'}"
    return lines_between(was, is_now)


def lines_between(was: str, is_now: str) -> str:
    """The lines that differ between two texts that are masked already, as `diff` writes them, and not too many."""
    before, after = _without_common_ends(was.splitlines(), is_now.splitlines())
    every = difflib.unified_diff(before[:_COMPARED], after[:_COMPARED], lineterm="", n=0)
    lines = [_short(line) for line in every if not line.startswith(("---", "+++", "@@"))]
    if not lines:
        return "only in what is not shown"
    more = [f"and {len(lines) - _LINES} lines more"] if len(lines) > _LINES else []
    return "\n".join([*lines[:_LINES], *more])


def _without_common_ends(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """What is left to compare; comparing a megabyte of lines that are alike takes very long."""
    begin = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    begin = min(len(before), len(after)) if begin is None else begin
    before, after = before[begin:], after[begin:]
    pairs = zip(reversed(before), reversed(after), strict=False)
    end = next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(before), len(after)))
    return before[: len(before) - end], after[: len(after) - end]


def _short(line: str) -> str:
    printable = line.encode("utf-8", "replace").decode()
    return printable if len(printable) <= _WIDTH else printable[: _WIDTH - 1] + "…"
