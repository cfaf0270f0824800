"""Whether this night's backup was made, kept everywhere, and proven."""

from collections.abc import Iterator

from atomops.facts.backup import Proof, Result
from atomops.facts.nightly import DatabaseNight, NightFacts, SetInShort, Stored
from atomops.facts.outcome import Outcome
from atomops.humane import plural, size, span
from atomops.registry import check
from atomops.verdict import Evidence, Gap, NotSeen, Reading, Unseen

SECTION = "Backup"
GUIDE = "operations guide"
PROVEN = "a backup is one that has been restored"
SHOWN = 40  # rows of evidence
_DRY = "dry run: nothing was dumped"


@check("NIGHT-RUN", section=SECTION, critical=1, unit="failures", source=GUIDE)
def run(outcome: Outcome[NightFacts]) -> Reading:
    """The backup could begin: the server lets us in, nobody else is changing the target, and the programs fit."""
    if outcome.facts is None:
        return outcome.reachable("the backup")
    facts = outcome.facts
    names = ", ".join(each.database for each in facts.databases)
    done = "would be backed up" if facts.dry_run else "looked after"
    planned = [(each.database, pruning.store) for each in facts.databases for pruning in facts.prunings]
    evidence = Evidence.of(("would be dumped", "and kept in"), planned[:SHOWN]) if facts.dry_run else None
    return Reading(0, f"{names} {done} in {span(outcome.seconds)}, with {facts.tools}", evidence=evidence)


@check("NIGHT-UNPROVEN", section=SECTION, unit="sets", source=PROVEN)
def unproven(seen: NightFacts) -> Reading | Gap:
    """Every new set was restored from its store. Where that could not be tried, nobody knows what it is worth."""
    every = list(proofs(seen))
    waiting = [(each, proof) for each, _, proof in every if proof.result is Result.INTACT]
    if waiting:
        told = f"{waiting[0][0].database} was not restored: {waiting[0][1].reason}"
        raise NotSeen(Unseen(told, waiting[0][1].action))
    proven = [(each, stored, proof) for each, stored, proof in every if proof.result is Result.RESTORED]
    if not proven:
        return Gap(SECTION, "proofs: there was no new set to prove")
    columns = ("database", "store", "proof", "took", "on", "notes")
    rows = [
        (
            each.database,
            stored.store,
            proof.sentence,
            span(proof.seconds),
            f"PostgreSQL {proof.server_version}",
            "; ".join(proof.notes),
        )
        for each, stored, proof in proven
    ]
    return Reading(0, f"{proven[0][0].database}: {proven[0][2].sentence}", evidence=Evidence.of(columns, rows[:SHOWN]))


@check("NIGHT-DUMP-MISSING", section=SECTION, critical=1, unit="databases", source=GUIDE)
def missing_dumps(seen: NightFacts) -> Reading | Gap:
    """Every database has a new, whole set. One that our role may not read whole has none: half a backup is none."""
    failed = [each for each in seen.databases if each.problem]
    if seen.dry_run and not failed:
        return Gap(SECTION, f"new sets: {_DRY}")
    if not failed:
        told = f"{plural(len(seen.databases), 'database')} dumped"
        rows = [_row(each.database, each.set) for each in seen.databases if each.set]
        columns = ("database", "set", "size", "of", "tables", "rows", "dump took")
        return Reading(0, told, evidence=Evidence.of(columns, rows[:SHOWN]))
    first = failed[0].problem or Unseen("")
    rows = [row for each in failed for row in _problems(each)]
    return Reading(
        len(failed),
        f"{plural(len(failed), 'database')} without a new set: {first.reason}",
        action=first.action,
        evidence=Evidence.of(("database", "what", "why", "repair"), rows[:SHOWN]),
    )


def _row(database: str, made: SetInShort) -> tuple[object, ...]:
    of = size(made.origin_bytes)
    took = span(made.seconds.get("dump", 0))
    return (database, made.id, size(made.bytes), of, f"{made.tables:,}", f"{made.rows:,}", took)


def _problems(each: DatabaseNight) -> Iterator[tuple[str, str, str, str]]:
    if each.obstacles:
        yield from ((each.database, found.thing, found.reason, found.remedy) for found in each.obstacles)
        return
    problem = each.problem or Unseen("")
    yield each.database, "the dump", problem.reason, problem.action


@check("NIGHT-STORE-FAILED", section=SECTION, critical=1, unit="stores", source=GUIDE)
def failed_stores(seen: NightFacts) -> Reading | Gap:
    """Every new set lies in every store."""
    every = [(each, stored) for each in seen.databases for stored in each.stored]
    failed = [(each, stored, stored.problem) for each, stored in every if stored.problem]
    if not every:
        return Gap(SECTION, "stores: there was no new set to keep")
    if not failed:
        places = dict.fromkeys(stored.store for _, stored in every)
        return Reading(0, f"every new set lies in {', '.join(places)}")
    return Reading(
        len({stored.store for _, stored, _ in failed}),
        f"{failed[0][1].store} did not take the new set: {failed[0][2].reason}",
        action=failed[0][2].action,
        evidence=Evidence.of(
            ("database", "store", "reason"),
            ((each.database, stored.store, problem.reason) for each, stored, problem in failed[:SHOWN]),
        ),
    )


@check("NIGHT-PROOF-FAILED", section=SECTION, critical=1, unit="sets", source=PROVEN)
def failed_proofs(seen: NightFacts) -> Reading | Gap:
    """No new set has failed its proof: it restores, without an error, to exactly the rows that were dumped."""
    every = list(proofs(seen))
    failed = [(each, stored, proof) for each, stored, proof in every if proof.result is Result.FAILED]
    if not every:
        return Gap(SECTION, "failed proofs: there was no new set to prove")
    if not failed:
        return Reading(0, f"none of {plural(len(every), 'proof')} failed")
    rows = [
        (each.database, stored.store, proof.reason, difference)
        for each, stored, proof in failed
        for difference in proof.differences or ("",)
    ]
    return Reading(
        len(failed),
        f"{failed[0][0].database} in {failed[0][1].store}: {failed[0][2].reason}",
        action=failed[0][2].action,
        evidence=Evidence.of(("database", "store", "reason", "difference"), rows[:SHOWN]),
    )


@check("NIGHT-DUMP-REPEATED", section=SECTION, unit="databases", source="information")
def repeated(seen: NightFacts) -> Reading | Gap:
    """A dump under which something was dropped may hold half a statement: it is made again, and this is known."""
    if seen.dry_run:
        return Gap(SECTION, f"repeated dumps: {_DRY}")
    rows = [(each.database, each.torn, each.set.id if each.set else "") for each in seen.databases if each.torn]
    if not rows:
        return Reading(0, "no dump had to be repeated")
    told = f"{rows[0][0]} was dumped twice: {rows[0][1]} was torn by something that was dropped meanwhile"
    return Reading(len(rows), told, evidence=Evidence.of(("database", "torn", "instead"), rows[:SHOWN]))


def proofs(seen: NightFacts) -> Iterator[tuple[DatabaseNight, Stored, Proof]]:
    """Every proof of the night, with its database and its store."""
    for each in seen.databases:
        for stored in each.stored:
            if stored.proof:
                yield each, stored, stored.proof
