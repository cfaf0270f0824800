"""By which statements tables are vacuumed, and what is refused: decided before anything is done. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from atomops.errors import PermanentError
from atomops.facts.vacuum import FullCost, Relation, Status, TableOutcome
from atomops.humane import size
from atomops.verdict import Unseen

Choice = Literal["named", "dead-tuples", "age", "never-vacuumed", "never-analysed"]
Switch = Literal["auto", "on", "off"]
STATISTICS_APART_SINCE = 160_000  # SKIP_DATABASE_STATS; PostgreSQL's version numbers
MAINTAIN_SINCE = 170_000
ONLY_SINCE = 180_000
TABLES = ("r", "m")  # of pg_class.relkind: what VACUUM can be asked for by itself
PARTITIONED = "p"
FULL_BYTES_PER_SECOND = 50e6  # with its indexes, on one core; a measured one is in the report of each run
_MARGIN = 1.1  # of the disk: what else is written meanwhile


@dataclass(frozen=True)
class Options:
    """What VACUUM is to do besides removing dead rows. "auto" leaves it to the table's own settings."""

    analyze: bool = True
    full: bool = False
    freeze: bool = False
    index_cleanup: Switch = "auto"
    truncate: Switch = "auto"
    skip_locked: bool = False
    parallel_workers: int | None = None


@dataclass(frozen=True)
class Wish:
    """What is asked for. `within` and `grace` are seconds, `min_age` transactions, `cost_delay` milliseconds."""

    tables: tuple[str, ...] = ()
    choose: Choice = "named"
    min_dead_rows: int = 10_000
    min_dead_percent: float = 10
    min_age: int = 150_000_000
    most_tables: int = 20
    options: Options = Options()
    jobs: int = 1
    within: float = 7200
    grace: float = 600
    cost_delay: float | None = None
    cost_limit: int | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What each session sets before its VACUUM."""
        delay = {} if self.cost_delay is None else {"vacuum_cost_delay": f"{self.cost_delay:g}ms"}
        return delay | ({} if self.cost_limit is None else {"vacuum_cost_limit": str(self.cost_limit)})

    @property
    def sessions(self) -> int:
        """How many tables are vacuumed at a time; with FULL one, so that one is locked and one copy is on the disk."""
        return 1 if self.options.full else self.jobs


@dataclass(frozen=True)
class Step:
    """One statement for one table: VACUUM or ANALYZE, with these options; `only` leaves its children out."""

    relation: Relation
    verb: Literal["VACUUM", "ANALYZE"]
    options: tuple[str, ...]
    only: bool = False


def check_options(options: Options) -> None:
    """Options that exclude each other are refused. Raises PermanentError."""
    if options.full and options.parallel_workers:
        raise PermanentError("VACUUM FULL cannot be done in parallel", action="leave parallel_workers out")
    if options.full and (options.index_cleanup != "auto" or options.truncate != "auto"):
        what = "index_cleanup and truncate mean nothing to VACUUM FULL, which writes table and indexes anew"
        raise PermanentError(what, action="leave them out, or set full=false")


def options_of(options: Options, version: int, *, alone: bool = True) -> tuple[str, ...]:
    """The words between VACUUM's brackets. `alone`: the statistics of the database are brought up to date by it too."""
    switches = {"INDEX_CLEANUP": options.index_cleanup, "TRUNCATE": options.truncate}
    return (
        *(["FULL"] if options.full else []),
        *(["FREEZE"] if options.freeze else []),
        *(["ANALYZE"] if options.analyze else []),
        *(f"{name} {value}" for name, value in switches.items() if value != "auto"),
        *([] if options.parallel_workers is None else [f"PARALLEL {options.parallel_workers}"]),
        *(["SKIP_LOCKED"] if options.skip_locked else []),
        *(["SKIP_DATABASE_STATS"] if not alone and version >= STATISTICS_APART_SINCE else []),
    )


def partitions(root: Relation, relations: Sequence[Relation]) -> list[Relation]:
    """Every partition below it that is not partitioned itself, in the order of their names."""
    below = sorted((each for each in relations if each.parent == root.oid), key=lambda each: each.label)
    return [leaf for each in below for leaf in (partitions(each, relations) if each.kind == PARTITIONED else [each])]


def steps(chosen: Sequence[Relation], relations: Sequence[Relation], options: Options, version: int) -> list[Step]:
    """One statement a table, partitions by themselves, so that they can be done side by side and each is told.

    A partitioned table has no rows of its own: after its partitions it is analysed, which before 18 does those again,
    so they need no ANALYZE of their own then.
    """
    leaves: dict[int, tuple[Relation, bool]] = {}
    for each in chosen:
        is_root = each.kind == PARTITIONED
        for leaf in partitions(each, relations) if is_root else [each]:
            leaves.setdefault(leaf.oid, (leaf, is_root and version < ONLY_SINCE))
    planned = []
    for leaf, analysed_by_root in leaves.values():
        own = replace(options, analyze=options.analyze and not analysed_by_root)
        words = options_of(own, version, alone=len(leaves) == 1)
        planned.append(Step(leaf, "VACUUM", words, only=leaf.has_children and version >= ONLY_SINCE))
    if options.analyze:
        words = ("SKIP_LOCKED",) if options.skip_locked else ()
        roots = (each for each in chosen if each.kind == PARTITIONED)
        planned += (Step(root, "ANALYZE", words, only=version >= ONLY_SINCE) for root in roots)
    return planned


def statistics_apart(planned: Sequence[Step]) -> bool:
    """Whether the statistics of the database are brought up to date once at the end, instead of by every VACUUM."""
    return any("SKIP_DATABASE_STATS" in step.options for step in planned)


def obstacle(step: Step, role: str, version: int, cost: FullCost | None) -> TableOutcome | None:
    """Why this step would come to nothing, known before it is tried; None when nothing speaks against it."""
    relation = step.relation
    if relation.kind not in (*TABLES, PARTITIONED):
        reason = f"{relation.label} is a foreign partition: vacuum it on its own server"
        return TableOutcome(relation.label, Status.REFUSED, reason=reason, action="name the other partitions")
    if not relation.may_vacuum:
        reason = f"the role {role} may not vacuum {relation.label}, which belongs to {relation.owner}"
        return TableOutcome(relation.label, Status.FORBIDDEN, reason=reason, action=grant(relation, role, version))
    if cost is not None and not isinstance(cost.available, Unseen) and cost.available < cost.bytes * _MARGIN:
        reason = (
            f"VACUUM FULL of {relation.label} needs up to {size(cost.bytes)} on {cost.disk}, where "
            f"{size(cost.available)} are free"
        )
        return TableOutcome(relation.label, Status.REFUSED, reason=reason, action=f"free some space on {cost.disk}")
    return None


def grant(relation: Relation, role: str, version: int) -> str:
    """The statement that lets the role vacuum the table. Before 17 that is the right of owners alone."""
    if version >= MAINTAIN_SINCE:
        return f"GRANT MAINTAIN ON TABLE {quoted(relation.schema)}.{quoted(relation.name)} TO {quoted(role)};"
    return f"GRANT {quoted(relation.owner)} TO {quoted(role)};"


def quoted(name: str) -> str:
    """An identifier as SQL wants it, for people to copy."""
    return '"' + name.replace('"', '""') + '"'


def full_cost(relation: Relation, disk: str, available: float | Unseen) -> FullCost:
    """What writing the table anew needs at most: all of it once more, and its indexes, beside what is there."""
    needs = relation.state.size if relation.state.size is not None else relation.pages
    return FullCost(relation.label, needs, needs / FULL_BYTES_PER_SECOND, disk, available)
