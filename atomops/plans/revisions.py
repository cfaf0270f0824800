"""The graph of a history: what comes before what, and what is to be done from here to there. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from atomops.facts.migration import Refusal, Revision

_RELATIVE = re.compile(r"^(base|heads|[+-].*)$|[@:+]|-[0-9]+$")  # what alembic takes for more, or less, than one


class Refused(Exception):
    """It cannot be said what is meant. Carries the refusal."""

    def __init__(self, reason: str, action: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, action)


class History:
    """Every revision by its id. `revisions` come as alembic prints them, the newest first."""

    def __init__(self, revisions: Sequence[Revision]) -> None:
        self.by_id = {each.id: each for each in revisions}
        labels = {label: each.id for each in revisions for label in each.labels}
        self._before = {
            each.id: tuple(labels.get(name, name) for name in (*each.parents, *each.depends_on)) for each in revisions
        }
        self._after: dict[str, set[str]] = {each.id: set() for each in revisions}
        for each in revisions:
            for parent in self._before[each.id]:
                self._after.setdefault(parent, set()).add(each.id)

    @property
    def heads(self) -> tuple[str, ...]:
        """The revisions that no other one follows as its child; one that is only depended on is a head too."""
        parents = {parent for each in self.by_id.values() for parent in each.parents}
        return tuple(each for each in self.by_id if each not in parents)

    def until(self, ids: Iterable[str]) -> frozenset[str]:
        """These and everything before them: what is applied when these are current."""
        return self._reached(ids, self._before)

    def since(self, revision: str) -> frozenset[str]:
        """That one and everything that builds upon it."""
        return self._reached([revision], self._after)

    def _reached(self, ids: Iterable[str], ways: Mapping[str, Iterable[str]]) -> frozenset[str]:
        waiting, seen = list(ids), set[str]()
        while waiting:
            each = waiting.pop()
            if each not in seen:
                seen.add(each)
                waiting += ways.get(each, ())
        return frozenset(seen)

    def upwards(self, ids: Iterable[str]) -> tuple[Revision, ...]:
        """In an order in which they can be applied: nothing before what it builds upon."""
        wanted, ordered = set(ids), list[str]()
        for each in reversed(self.by_id):
            self._place(each, wanted, ordered)
        return tuple(self.by_id[each] for each in ordered)

    def _place(self, revision: str, wanted: set[str], ordered: list[str]) -> None:
        """That one, behind everything wanted that it builds upon; without recursion, since histories are long."""
        waiting = [revision]
        while waiting:
            each = waiting[-1]
            missing = [before for before in self._before[each] if before in wanted and before not in ordered]
            if each not in wanted or each in ordered:
                waiting.pop()
            elif missing:
                waiting += missing
            else:
                ordered.append(waiting.pop())

    def named(self, name: str) -> str:
        """The id that is meant: itself, or the beginning of exactly one. Raises Refused."""
        if name in self.by_id:
            return name
        if _RELATIVE.search(name):
            raise Refused(f"{name!r} names no revision by itself", "name a revision by its id: see action=show")
        found = [each for each in self.by_id if each.startswith(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Refused(f"{name!r} may be {', '.join(sorted(found)[:5])}", "write the whole id")
        close = get_close_matches(name, self.by_id, n=1)
        raise Refused(
            f"no script has the revision {name!r}", f"did you mean {close[0]!r}?" if close else "see action=show"
        )


def target_of_upgrade(history: History, revision: str) -> str:
    """The revision that is named, or the only head. Raises Refused where that is not one."""
    heads = history.heads
    if revision not in {"", "head"}:
        return history.named(revision)
    if not heads:
        raise Refused("there is no script at all", "check migrations.directory")
    if len(heads) > 1:
        action = f"name one of them as `revision`, or have them merged: {', '.join(heads)}"
        raise Refused(f"the history has {len(heads)} heads", action)
    return heads[0]


def steps_up(history: History, current: Iterable[str], target: str) -> tuple[Revision, ...]:
    """What is to be applied, in order; nothing when the target is current. Raises Refused for one that lies behind."""
    now = tuple(current)
    applied = history.until(now)
    if target in applied and target not in now:
        raise Refused(f"{target} is applied already, and others upon it", "use action=downgrade to go back to it")
    return history.upwards(history.until([target]) - applied)


def steps_down(history: History, current: Iterable[str], revision: str) -> tuple[str, tuple[Revision, ...]]:
    """The target by its id, and what is to be taken back, the newest first. Raises Refused."""
    if not revision:
        raise Refused("a downgrade goes to a named revision only", "name the revision to go back to: see action=show")
    target = history.named(revision)
    applied = history.until(current)
    if target not in applied:
        raise Refused(f"{target} is not applied, so there is no way back to it", "see action=show for what is")
    undone = (history.since(target) - {target}) & applied
    return target, tuple(reversed(history.upwards(undone)))
