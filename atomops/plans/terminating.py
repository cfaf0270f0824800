"""Which idle sessions may be ended, and which are let alone. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from atomops.facts.terminating import IdleSession
from atomops.humane import span

POOLED = 3  # idle sessions of one role, application and client: a pool, that will open them again


@dataclass(frozen=True)
class TerminationWish:
    """What is asked for. Limits are seconds, None lets that kind alone; names may hold `*`."""

    idle_in_transaction: float | None = 300
    idle: float | None = 3600
    users: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    superusers: bool = False
    monitoring: bool = False
    most: int = 50

    @property
    def sentence(self) -> str:
        """In words."""
        limits = (("idle in transaction", self.idle_in_transaction), ("idle", self.idle))
        told = [f"{state} for {span(limit)} or more" for state, limit in limits if limit is not None]
        of = [f"of {', '.join(names)}" for names in (self.users, self.applications) if names]
        return " ".join([" or ".join(told) or "nothing", *of])


@dataclass(frozen=True)
class Chosen:
    """The sessions that are to be ended, those that are let alone by the reason, and how many there are besides."""

    sessions: tuple[IdleSession, ...]
    left_out: tuple[tuple[str, int], ...]
    more: int


def choose(wish: TerminationWish, found: Iterable[IdleSession]) -> Chosen:
    """Those that hold a transaction first, and of them those that others wait for; then the longest idle."""
    wanted, left_out = list[IdleSession](), Counter[str]()
    for session in found:
        why = _let_alone(wish, session)
        if why:
            left_out[why] += 1
        else:
            wanted.append(session)
    wanted.sort(key=lambda each: (not each.in_transaction, not each.blocks, -each.seconds))
    return Chosen(tuple(wanted[: wish.most]), tuple(left_out.items()), max(0, len(wanted) - wish.most))


def _let_alone(wish: TerminationWish, session: IdleSession) -> str:
    if session.is_ours:
        return "our own (atomops)"
    if not _fits(session.role, wish.users):
        return "of other users"
    if not _fits(session.application, wish.applications):
        return "of other applications"
    if session.is_superuser and not wish.superusers:
        return "of superusers (superusers=true)"
    if session.is_monitor and not wish.monitoring:
        return "of monitoring, which has pg_monitor (monitoring=true)"
    return ""


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def pools(sessions: Iterable[IdleSession]) -> tuple[tuple[str, int], ...]:
    """Groups of idle sessions that look like a pool's, with their numbers."""
    groups = Counter(
        f"{each.role}, {each.application or 'unnamed application'}, {each.client}"
        for each in sessions
        if not each.in_transaction
    )
    return tuple((name, number) for name, number in groups.most_common() if number >= POOLED)
