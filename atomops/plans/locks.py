"""From many looks at pg_locks to the strongest lock on each table, and how long it was held. Pure."""

from collections.abc import Iterable, Iterator

from atomops.facts.migration import TableLock

_MODES = (  # from the weakest to the strongest
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
_WRITES_FROM, _READS_FROM = _MODES.index("ShareLock"), _MODES.index("AccessExclusiveLock")


def blocks(mode: str) -> str:
    """What others cannot do meanwhile."""
    strength = _strength(mode)
    if strength >= _READS_FROM:
        return "reads and writes"
    return "writes" if strength >= _WRITES_FROM else "changes of the schema only"


def blocks_traffic(mode: str) -> bool:
    """Whether the application's own statements wait behind it."""
    return _strength(mode) >= _WRITES_FROM


def _strength(mode: str) -> int:
    return _MODES.index(mode) if mode in _MODES else len(_MODES)


class Tally:
    """Looks at the locks of one server, added up. Moments are monotonic seconds.

    `names` are what sessions were called there, `waited_for` those that held what was wanted, in their order.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str, str], tuple[float, float]] = {}
        self.names: set[str] = set()
        self.waited_for: dict[str, None] = {}

    def add(self, at: float, rows: Iterable[tuple[int, str, str]]) -> None:
        """One look: process, table and mode of every lock that was held."""
        for pid, table, mode in rows:
            first, _ = self._seen.get((pid, table, mode), (at, at))
            self._seen[pid, table, mode] = (first, at)

    def strongest(self) -> tuple[TableLock, ...]:
        """One for each table, those that block most come first."""
        worst: dict[str, TableLock] = {}
        for lock in self._locks():
            known = worst.get(lock.table)
            if known is None or _rank(lock) > _rank(known):
                worst[lock.table] = lock
        return tuple(sorted(worst.values(), key=lambda lock: (*(-each for each in _rank(lock)), lock.table)))

    def _locks(self) -> Iterator[TableLock]:
        for (_, table, mode), (first, last) in self._seen.items():
            yield TableLock(table, mode, last - first)


def _rank(lock: TableLock) -> tuple[int, float]:
    return _strength(lock.mode), lock.seconds
