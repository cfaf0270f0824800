"""Whether a restored database is the one that was dumped, table by table. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from atomops.facts.backup import Contents, SequenceValue, TableContent
from atomops.humane import plural

OTHER_ROWS = "has as many rows as were dumped, but not the same ones"
_INVALID = "invalid "


@dataclass(frozen=True)
class Comparison:
    """`differences` disprove a set; `notes` say what could not be compared, or is as it should be but worth a word."""

    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def compare(dumped: Contents, restored: Contents, *, hashes_alike: bool = True) -> Comparison:
    """Rows and fingerprints of every table, sequences, objects of every kind, large objects.

    `hashes_alike` is False where the restored copy was hashed by another version of PostgreSQL, whose hashes may
    differ: then a fingerprint that is equal proves as much, and one that is not proves nothing.
    """
    differences = [*_tables(dumped, restored, hashes_alike=hashes_alike), *_sequences(dumped, restored)]
    differences += [*_objects(dumped, restored), *_large_objects(dumped, restored)]
    return Comparison(tuple(differences), tuple(_notes(dumped, restored, hashes_alike=hashes_alike)))


def furthest_back(first: Mapping[str, SequenceValue], *later: Mapping[str, SequenceValue]) -> dict[str, SequenceValue]:
    """Each sequence of the first look where it was furthest back in any of them: setval moves one both ways."""
    return {
        name: _furthest_back([seen, *(look[name] for look in later if name in look)]) for name, seen in first.items()
    }


def _furthest_back(seen: Sequence[SequenceValue]) -> SequenceValue:
    values = [each.value for each in seen if each.value is not None]
    if len(values) < len(seen):
        return replace(seen[0], value=None)
    return replace(seen[0], value=min(values) if seen[0].increment > 0 else max(values))


def _tables(dumped: Contents, restored: Contents, *, hashes_alike: bool) -> Iterator[str]:
    for name, before in dumped.tables.items():
        after = restored.tables.get(name)
        if after is None:
            yield f"the table {name} is missing"
        elif after.rows != before.rows:
            yield f"{name} has {plural(after.rows, 'row')}, {before.rows:,} were dumped"
        elif after.fingerprint != before.fingerprint and (hashes_alike or before.method == "text"):
            yield f"{name} {OTHER_ROWS}"
    for name in sorted(restored.tables.keys() - dumped.tables.keys()):
        yield f"the table {name} was not dumped"


def _sequences(dumped: Contents, restored: Contents) -> Iterator[str]:
    for name, before in dumped.sequences.items():
        after = restored.sequences.get(name)
        if after is None:
            yield f"the sequence {name} is missing"
        elif _is_behind(after, before):
            yield f"the sequence {name} is at {after.value}, behind {before.value}"


def _is_behind(after: SequenceValue, before: SequenceValue) -> bool:
    """A sequence may have gone on between our look and the dump's; `before` is where it was furthest back."""
    if before.value is None:
        return False
    if after.value is None:
        return True
    return after.value < before.value if before.increment > 0 else after.value > before.value


def _objects(dumped: Contents, restored: Contents) -> Iterator[str]:
    """An index that is invalid is in no dump."""
    before = {kind: number for kind, number in dumped.objects.items() if not kind.startswith(_INVALID)}
    after = restored.objects
    for kind in sorted(before.keys() | after.keys()):
        if before.get(kind, 0) != after.get(kind, 0):
            yield f"{_many(after.get(kind, 0), kind)}, {before.get(kind, 0):,} were dumped"


def _many(number: int, kind: str) -> str:
    noun, bracket, rest = kind.partition(" (")
    return f"{plural(number, noun)}{bracket}{rest}"


def _large_objects(dumped: Contents, restored: Contents) -> Iterator[str]:
    before, after = dumped.large_objects, restored.large_objects
    if before.rows != after.rows:
        yield f"{plural(after.rows, 'large object')}, {before.rows:,} were dumped"
    elif _both_hashed(before, after) and before.fingerprint != after.fingerprint:
        yield "the large objects are not the same ones"


def _notes(dumped: Contents, restored: Contents, *, hashes_alike: bool) -> Iterator[str]:
    by_count = list(_only_counted(dumped, restored)) if not hashes_alike else []
    if by_count:
        yield f"only the number of rows of {plural(len(by_count), 'table')} was compared: other versions hash apart"
    if dumped.large_objects.rows and not _both_hashed(dumped.large_objects, restored.large_objects):
        yield "large objects were only counted: the role that dumped them may not read pg_largeobject"
    invalid = sum(number for kind, number in dumped.objects.items() if kind.startswith(_INVALID))
    if invalid:
        yield f"{plural(invalid, 'invalid index')} of the original, which no dump holds: REINDEX or drop it there"
    if dumped.left_out:
        yield f"not in the dump: {_listed(dumped.left_out)}"


def _only_counted(dumped: Contents, restored: Contents) -> Iterator[str]:
    for name, before in dumped.tables.items():
        after = restored.tables.get(name)
        if after and before.method == "record" and before.fingerprint != after.fingerprint:
            yield name


def _both_hashed(before: TableContent, after: TableContent) -> bool:
    return bool(before.method and after.method)


def _listed(names: Iterable[str]) -> str:
    every = sorted(names)
    more = f" and {len(every) - 5} more" if len(every) > 5 else ""  # noqa: PLR2004 - enough to tell what it is about
    return ", ".join(every[:5]) + more
