"""What the checks make of a night."""

from dataclasses import replace

from atomops.facts.backup import Obstacle, Proof, Result
from atomops.facts.nightly import DatabaseNight, NightFacts, Pruning, SetInShort, Stored
from atomops.facts.outcome import Outcome
from atomops.plans.retention import Refusal
from atomops.probes.parts import NIGHT
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.backup_sets import NIGHT as TWO_O_CLOCK
from tests.backup_sets import manifest, proof
from tests.targets import findings

SET = SetInShort.of(replace(manifest(), durations={"dump": 4.0}))
FULL = Unseen("the disk is full", "free some space")


def stored(store: str = "/backups", result: Result = Result.RESTORED, **given: object) -> Stored:
    made: Proof = replace(proof(result, reason="a row is missing"), durations={"restore": 2.0}, action="look")
    return replace(Stored(store, proof=made), **given)  # type: ignore[arg-type]  # given by name, as they are


def night(*databases: DatabaseNight, prunings: tuple[Pruning, ...] = (), **given: object) -> NightFacts:
    found = databases or (DatabaseNight("atom", SET, stored=(stored(),)),)
    facts = NightFacts(TWO_O_CLOCK, dry_run=False, databases=found, prunings=prunings, tools="PostgreSQL 17.10")
    return replace(facts, **given)  # type: ignore[arg-type]  # given by name, as they are


def judged(facts: NightFacts) -> tuple[dict[str, Finding], list[Gap]]:
    mine = [check for check in checks() if check.facts is NightFacts]
    outcome: Outcome[NightFacts] = Outcome("night", 60, facts=facts)
    found, gaps = judge_all(mine, {NightFacts: outcome}, {}, {})
    return {each.code: each for each in found}, gaps


def test_a_good_night_is_ok_throughout_and_says_what_was_proven() -> None:
    found, _ = judged(night())
    assert {each.level for each in found.values()} == {Level.OK}
    assert found["NIGHT-UNPROVEN"].summary == "atom: restored, 1 table, 3 rows equal"
    assert found["NIGHT-DUMP-MISSING"].summary == "1 database dumped"
    assert found["NIGHT-STORE-FAILED"].summary == "every new set lies in /backups"
    assert "atom looked after in 1 minute, with PostgreSQL 17.10" in found["NIGHT-RUN"].summary


def test_a_night_that_could_not_begin_is_critical_and_the_rest_unknown() -> None:
    mine = [check for check in checks() if check.facts is NightFacts]
    busy: Outcome[NightFacts] = Outcome("night", 1, unseen=Unseen("production is being changed by ...", "wait"))
    found, _ = judge_all(mine, {NightFacts: busy}, {}, {})
    assert {each.level for each in found} == {Level.CRITICAL, Level.UNKNOWN}
    assert [each.code for each in found if each.level is Level.CRITICAL] == ["NIGHT-RUN"]


def test_every_missing_grant_is_shown_table_by_table() -> None:
    obstacles = tuple(Obstacle(f"the table {name}", "no right to read it", f"GRANT SELECT ON {name}") for name in "ab")
    found = findings(NIGHT, night(DatabaseNight("atom", problem=Unseen("not whole", "GRANT"), obstacles=obstacles)))
    missing = found["NIGHT-DUMP-MISSING"]
    assert missing.level is Level.CRITICAL
    assert missing.evidence is not None
    assert [row[3] for row in missing.evidence.rows] == ["GRANT SELECT ON a", "GRANT SELECT ON b"]


def test_a_failed_dump_is_shown_with_its_reason_and_nothing_else_is_called_fine() -> None:
    found, gaps = judged(night(DatabaseNight("atom", problem=FULL)))
    missing = found["NIGHT-DUMP-MISSING"]
    assert missing.level is Level.CRITICAL
    assert missing.evidence is not None
    assert missing.evidence.rows == (("atom", "the dump", "the disk is full", "free some space"),)
    assert not {"NIGHT-STORE-FAILED", "NIGHT-UNPROVEN", "NIGHT-PROOF-FAILED", "NIGHT-SET-BYTES"} & found.keys()
    assert len(gaps) == 10


def test_a_store_that_does_not_take_the_set_is_critical_though_another_one_has_it() -> None:
    found = findings(NIGHT, night(DatabaseNight("atom", SET, stored=(stored(), Stored("s3://b", FULL)))))
    assert found["NIGHT-STORE-FAILED"].level is Level.CRITICAL
    assert found["NIGHT-STORE-FAILED"].summary == "s3://b did not take the new set: the disk is full"


def test_a_failed_proof_is_critical_and_names_every_difference() -> None:
    failed = stored()
    assert failed.proof is not None
    failed = replace(
        failed, proof=replace(failed.proof, result=Result.FAILED, differences=("a has 2 rows", "b is gone"))
    )
    found = findings(NIGHT, night(DatabaseNight("atom", SET, stored=(failed, stored("s3://b", Result.FAILED)))))
    assert found["NIGHT-PROOF-FAILED"].level is Level.CRITICAL
    assert found["NIGHT-PROOF-FAILED"].observed == 2
    assert found["NIGHT-PROOF-FAILED"].evidence is not None
    assert [row[3] for row in found["NIGHT-PROOF-FAILED"].evidence.rows] == ["a has 2 rows", "b is gone", ""]


def test_only_a_set_with_half_a_statement_asks_for_another_dump() -> None:
    def made(result: Result, reason: str) -> DatabaseNight:
        return DatabaseNight("atom", SET, stored=(Stored("/a"), Stored("/b", proof=proof(result, reason=reason))))

    said = 'pg_restore failed: could not execute query: ERROR: syntax error at or near "LANGUAGE"'
    assert made(Result.FAILED, said).is_torn
    assert not made(Result.FAILED, "the restored copy is not what was dumped").is_torn
    assert not made(Result.INTACT, said).is_torn


def test_a_dump_that_was_repeated_is_named_with_the_set_that_stands_for_it() -> None:
    found = findings(NIGHT, night(DatabaseNight("atom", SET, stored=(stored(),), torn="atom-first")))
    repeated = found["NIGHT-DUMP-REPEATED"]
    assert (repeated.observed, repeated.level) == (1, Level.OK)
    assert "atom was dumped twice: atom-first was torn" in repeated.summary
    assert repeated.evidence is not None
    assert repeated.evidence.rows == (("atom", "atom-first", SET.id),)


def test_what_could_not_be_restored_here_is_unknown_never_ok() -> None:
    found = findings(NIGHT, night(DatabaseNight("atom", SET, stored=(stored(result=Result.INTACT),))))
    assert found["NIGHT-UNPROVEN"].level is Level.UNKNOWN
    assert found["NIGHT-UNPROVEN"].summary == "atom was not restored: a row is missing"


def test_a_set_of_another_size_than_the_last_ones_speaks_both_ways() -> None:
    for bytes_, level in ((SET.bytes, Level.OK), (10_000_000, Level.CRITICAL)):
        like_that = stored(earlier_bytes=(bytes_,) * 3)
        found = findings(NIGHT, night(DatabaseNight("atom", SET, stored=(like_that,))))
        assert found["NIGHT-SIZE-CHANGE"].level is level


def test_nothing_pruned_is_a_warning_with_every_reason() -> None:
    refusal = Refusal("no set of atom has ever been proven", "see why", "atom")
    prunings = (Pruning("/a", held_back="atom has no new set"), Pruning("/b", due=("x",), refusals=(refusal,)))
    found = findings(NIGHT, night(prunings=prunings))
    refused = found["NIGHT-PRUNE-REFUSED"]
    assert refused.level is Level.WARNING
    assert refused.observed == 2
    assert refused.action == "see why"
    only = findings(NIGHT, night(prunings=prunings[:1]))["NIGHT-PRUNE-REFUSED"]
    assert only.action == "see the findings of the backup itself"


def test_what_went_and_what_is_retained_is_listed() -> None:
    pruning = Pruning("/a", kept=7, due=("old", "locked"), removed=("old",), retained={"locked": "object lock"})
    found = findings(NIGHT, night(prunings=(pruning,)))
    assert found["NIGHT-PRUNED"].summary == "1 set pruned, 7 kept"
    assert found["NIGHT-PRUNED"].evidence is not None
    assert [row[2] for row in found["NIGHT-PRUNED"].evidence.rows] == ["removed", "retained: object lock"]


def test_a_removal_that_failed_is_a_warning_and_a_store_that_was_not_seen_unknown() -> None:
    found = findings(NIGHT, night(prunings=(Pruning("/a", failed={"old": "no right"}),)))
    assert found["NIGHT-PRUNE-FAILED"].level is Level.WARNING
    unseen = findings(NIGHT, night(prunings=(Pruning("/a", problem=FULL),)))
    assert unseen["NIGHT-PRUNE-FAILED"].level is Level.UNKNOWN


def test_a_dry_run_says_what_would_be_done() -> None:
    found, gaps = judged(night(DatabaseNight("atom"), prunings=(Pruning("/a", kept=8, due=("old",)),), dry_run=True))
    assert "atom would be backed up" in found["NIGHT-RUN"].summary
    assert found["NIGHT-RUN"].evidence is not None
    assert found["NIGHT-RUN"].evidence.rows == (("atom", "/a"),)
    assert "NIGHT-SWEPT" not in found
    assert found["NIGHT-PRUNED"].evidence is not None
    assert found["NIGHT-PRUNED"].evidence.rows == (("/a", "old", "would go"),)
    assert Gap("Backup", "new sets: dry run: nothing was dumped") in gaps


def test_a_clock_that_was_not_compared_is_said() -> None:
    prunings = (Pruning("/a", is_clock_seen=False), Pruning("s3://b"))
    found = findings(NIGHT, night(prunings=prunings, dry_run=True))
    told = "nothing stood against pruning; the clock of /a tells its time only by writing: not compared"
    assert found["NIGHT-PRUNE-REFUSED"].summary == told


def test_what_no_dump_holds_and_what_was_swept_is_named() -> None:
    made = manifest()
    origin = replace(made.origin, slots=("reporting",))
    contents = replace(made.contents, left_out={"public.far": "a foreign table"})
    short = SetInShort.of(replace(made, origin=origin, contents=contents))
    found = findings(NIGHT, night(DatabaseNight("atom", short, stored=(stored(),)), swept=(".incoming-x",)))
    assert found["NIGHT-LEFT-OUT"].observed == 2
    assert found["NIGHT-SWEPT"].summary == "1 thing that killed runs had left removed: .incoming-x"


def test_a_stored_set_is_proven_only_where_it_lies() -> None:
    assert stored().is_proven
    assert not stored(problem=FULL).is_proven
    assert not Stored("/a").is_proven
