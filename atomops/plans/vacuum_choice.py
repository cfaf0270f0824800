"""Which tables a wish to vacuum means in this database: by name, or by what they need. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from atomops.facts.vacuum import Relation, Status, TableOutcome
from atomops.humane import plural
from atomops.plans.vacuum import PARTITIONED, TABLES, Wish, partitions

_KINDS = {
    "v": "a view, which has no rows of its own: name its tables",
    "f": "a foreign table: vacuum it on its own server",
    "S": "a sequence, which needs no vacuum",
    "i": "an index, which is vacuumed with its table",
    "I": "an index, which is vacuumed with its table",
    "t": "a TOAST table, which is vacuumed with the table that it belongs to",
}


@dataclass(frozen=True)
class Chosen:
    """The relations to vacuum, and the names that come to nothing, each with its reason."""

    relations: tuple[Relation, ...]
    refused: tuple[TableOutcome, ...] = ()


def choose(wish: Wish, defaults: Sequence[str], relations: Sequence[Relation], path: Sequence[str]) -> Chosen:
    """What the wish means in this database. `path` is the search path; `defaults` stand for no names at all.

    With another choice than "named", given names only restrict it. The same relation is never chosen twice.
    """
    names = wish.tables or (tuple(defaults) if wish.choose == "named" else ())
    found = [resolve(name, relations, path) for name in dict.fromkeys(names)]
    named = tuple({each.oid: each for each in found if isinstance(each, Relation)}.values())
    refused = tuple(each for each in found if isinstance(each, TableOutcome))
    if wish.choose == "named":
        return Chosen(named, refused)
    among = _with_rows(named if names else _users_own(relations), relations)
    needy = sorted((each for each in among if _needs(wish, each)), key=_ORDER[wish.choose], reverse=True)
    return Chosen(tuple(needy[: wish.most_tables]), refused)


def resolve(name: str, relations: Sequence[Relation], path: Sequence[str]) -> Relation | TableOutcome:
    """The relation of that name, or why there is none to vacuum. Upper case counts; quotes may be there or not."""
    matches = [each for each in relations if each.schema in path and name in (each.name, _quoted(each.name))]
    matches.sort(key=lambda each: path.index(each.schema))
    found = next(iter([*matches, *(each for each in relations if name in _spellings(each))]), None)
    if found is None:
        return _missing(name, relations, path)
    if found.persistence == "t":
        reason = f"{found.label} is a temporary table, which only its own session can vacuum"
        return TableOutcome(name, Status.REFUSED, reason=reason, action="leave it out of `tables`")
    if found.kind in (*TABLES, PARTITIONED):
        return found
    told = _KINDS.get(found.kind, f"of the kind {found.kind!r}, which VACUUM does not know")
    return TableOutcome(name, Status.REFUSED, reason=f"{found.label} is {told}", action="leave it out of `tables`")


def _spellings(relation: Relation) -> tuple[str, ...]:
    schema, name = relation.schema, relation.name
    return (
        relation.label,
        *(f"{first}.{_quoted(name)}" for first in (schema, _quoted(schema))),
        f"{_quoted(schema)}.{name}",
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _missing(name: str, relations: Sequence[Relation], path: Sequence[str]) -> TableOutcome:
    bare = name.replace('"', "")
    tables = [each for each in relations if each.kind in (*TABLES, PARTITIONED)]
    elsewhere = [each.label for each in tables if each.name == bare]
    known = {(each.name if each.schema in path else each.label).lower(): each.label for each in tables}
    known |= {each.label.lower(): each.label for each in tables}
    close = elsewhere or [known[each] for each in get_close_matches(bare.lower(), known, n=1)]
    action = f"did you mean {close[0]}?" if close else "look at the tables that there are (psql: \\dt *.*)"
    where = "" if "." in name else f" in the search path ({', '.join(path)})"
    return TableOutcome(name, Status.MISSING, reason=f"there is no table {name}{where}", action=action)


def _users_own(relations: Iterable[Relation]) -> Iterator[Relation]:
    for each in relations:
        if each.persistence != "t" and not each.schema.startswith("pg_") and each.schema != "information_schema":
            yield each


def _with_rows(chosen: Iterable[Relation], relations: Sequence[Relation]) -> list[Relation]:
    """Those with rows of their own; a partitioned table stands for its partitions."""
    leaves = [leaf for each in chosen for leaf in (partitions(each, relations) if each.kind == PARTITIONED else [each])]
    return list({leaf.oid: leaf for leaf in leaves if leaf.kind in TABLES}.values())


def _needs(wish: Wish, each: Relation) -> bool:
    state = each.state
    dead, live = state.dead_rows or 0, state.live_rows or 0
    match wish.choose:
        case "dead-tuples":
            return dead >= max(1, wish.min_dead_rows) and 100 * dead >= wish.min_dead_percent * (live + dead)
        case "age":
            return (state.xid_age or 0) >= wish.min_age
        case "never-vacuumed":
            return state.since_vacuum is None
        case _:
            return state.since_analyze is None


_ORDER: dict[str, Callable[[Relation], int]] = {
    "dead-tuples": lambda each: each.state.dead_rows or 0,
    "age": lambda each: each.state.xid_age or 0,
    "never-vacuumed": lambda each: each.pages,
    "never-analysed": lambda each: each.pages,
}


def told_choice(wish: Wish, defaults: Sequence[str]) -> str:
    """How the tables were chosen, in words."""
    limits = {
        "dead-tuples": f"with {wish.min_dead_rows:,} dead rows or more, {wish.min_dead_percent:g} % or more of all",
        "age": f"{wish.min_age:,} transactions old or older",
        "never-vacuumed": "never vacuumed",
        "never-analysed": "never analysed",
    }
    if wish.choose == "named":
        return f"named: {', '.join(wish.tables)}" if wish.tables else f"the profile's: {', '.join(defaults)}"
    among = f" among {', '.join(wish.tables)}" if wish.tables else ""
    return f"{limits[wish.choose]}{among}, {plural(wish.most_tables, 'table')} at most"
