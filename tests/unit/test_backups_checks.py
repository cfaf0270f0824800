import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.backup import Proof
from atomops.facts.backup_stores import BackupFacts, SetSeen, StoreSeen
from atomops.facts.outcome import Outcome
from atomops.registry import checks
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.unit.seen_backups import (
    CODES,
    FAILED,
    GONE,
    INTACT,
    PROVEN,
    facts,
    found,
    judged,
    nights,
    seen_set,
    store,
)

WELL = facts(store(*nights(8)))


def test_with_proven_sets_of_every_night_all_is_ok() -> None:
    judgements = {code: judged(code, WELL) for code in CODES}

    assert len(CODES) == 13
    assert {each.level for each in judgements.values() if isinstance(each, Finding)} == {Level.OK}
    assert {code for code, each in judgements.items() if isinstance(each, Gap)} == {
        "BACKUP-PLAIN-BROKEN",
        "BACKUP-PLAIN-EXPOSED",
    }


def test_what_could_not_be_looked_at_is_unknown_and_reachability_says_why() -> None:
    failed = Outcome[BackupFacts](
        "backups", 1, unseen=Unseen("the inventory does not say which databases", "name them")
    )
    levels = {
        each.code: judgement.level
        for each in checks()
        if each.code in CODES and isinstance(judgement := each.judge(failed, None), Finding)
    }

    assert levels.pop("BACKUP-STORE-REACHABLE") is Level.CRITICAL
    assert set(levels.values()) == {Level.UNKNOWN}
    assert len(levels) == 12


@pytest.mark.parametrize(
    ("hours", "level"),
    [
        (16, Level.OK),  # 02:00, judged at 18:00
        (29.9, Level.OK),  # a run that takes until 08:00
        (31, Level.WARNING),  # a night was missed: at 09:00 of the next day
        (40, Level.WARNING),
        (48, Level.CRITICAL),
        (24 * 400, Level.CRITICAL),
    ],
)
def test_a_late_backup_is_a_warning_and_two_missed_ones_are_critical(hours: float, level: Level) -> None:
    assert found("BACKUP-AGE", facts(store(seen_set(hours)))).level is level


def test_the_age_is_counted_in_what_the_schedule_wants() -> None:
    hourly = replace(facts(store(seen_set(1.5))), every_hours=1)

    finding = found("BACKUP-AGE", hourly)

    assert (finding.level, finding.observed) == (Level.WARNING, 1.5)
    assert (
        finding.summary
        == "the newest backup of atom in /backups is 1 hour and 30 minutes old; one is expected every 1 hour"
    )
    assert "nightly-backup" in finding.action


@pytest.mark.parametrize("databases", [("atom",), ("atom", "other")])
def test_a_database_without_any_set_is_critical_whatever_the_others_have(databases: tuple[str, ...]) -> None:
    others = nights(3) if "other" in databases else ()
    seen = facts(store(*others), databases=databases)

    finding = found("BACKUP-AGE", seen)

    assert (finding.level, finding.observed) == (Level.CRITICAL, math.inf)
    missing = "other" if others else "atom"
    assert finding.summary.startswith(f"there is no backup of {missing} in /backups at all")
    assert finding.evidence
    assert ("/backups", missing, "none", "", "never") in finding.evidence.rows


def test_a_store_that_lacks_what_the_other_has_is_the_one_that_is_judged() -> None:
    seen = facts(store(*nights(3)), store(seen_set(100), name="s3://atom"))

    assert "s3://atom" in found("BACKUP-AGE", seen).summary


def test_no_database_and_no_set_anywhere_is_critical() -> None:
    finding = found("BACKUP-AGE", facts(store(), databases=()))

    assert finding.level is Level.CRITICAL
    assert finding.summary.startswith("there is no backup at all")


def test_without_any_set_nothing_else_claims_to_be_fine() -> None:
    seen = facts(store())

    assert found("BACKUP-PROVEN-AGE", seen).level is Level.UNKNOWN
    assert "nightly-backup" in found("BACKUP-PROVEN-AGE", seen).action
    for code in ("BACKUP-PROOF-FAILED", "BACKUP-UNPROVEN", "BACKUP-SIZE", "BACKUP-CHECKSUM", "BACKUP-RESTORE-TIME"):
        assert isinstance(judged(code, seen), Gap), code


def test_a_set_from_the_future_is_told_and_stands_for_no_night() -> None:
    seen = facts(store(seen_set(-30), seen_set(50)))

    assert found("BACKUP-AGE", seen).level is Level.CRITICAL
    ahead = found("BACKUP-CLOCK-AHEAD", seen)
    assert (ahead.level, ahead.observed) == (Level.WARNING, 30 * 3600)
    assert found("BACKUP-CLOCK-AHEAD", facts(store(seen_set(-0.05)))).level is Level.OK


def test_backups_that_are_no_longer_restored_are_a_warning_and_never_restored_ones_unknown() -> None:
    fresh = seen_set(proved=None)

    since = found("BACKUP-PROVEN-AGE", facts(store(fresh, seen_set(64))))
    never = found("BACKUP-PROVEN-AGE", facts(store(fresh, seen_set(40, proved=INTACT))))

    assert (since.level, never.level) == (Level.WARNING, Level.UNKNOWN)
    assert "2 days and 16 hours" in since.summary
    assert never.summary == "no set of atom in /backups has ever been restored"
    assert never.action == f"atomops backups verify {fresh.id}"


def test_a_failed_proof_of_the_newest_set_is_critical_with_its_reason_and_differences() -> None:
    seen = facts(store(seen_set(proved=FAILED), seen_set(40)))

    finding = found("BACKUP-PROOF-FAILED", seen)

    assert finding.level is Level.CRITICAL
    assert finding.summary == "1 of 1 newest set failed the proof: 2 tables differ"
    assert finding.evidence
    assert finding.evidence.rows[0][3] == "public.t has 2 rows, not 3; public.u is missing"
    assert "older set" in finding.action
    assert found("BACKUP-UNPROVEN", seen).level is Level.OK


def test_a_failed_proof_further_back_is_history() -> None:
    assert found("BACKUP-PROOF-FAILED", facts(store(seen_set(), seen_set(40, proved=FAILED)))).level is Level.OK


@pytest.mark.parametrize(
    ("proved", "told", "action"),
    [
        (INTACT, "(intact: no server binaries of 18)", "install postgresql-18"),
        (None, "(no proof yet)", "atomops backups verify atom-20261124T020000Z-beef"),
    ],
)
def test_a_set_that_nobody_has_restored_is_unknown_with_the_reason(
    proved: Proof | None, told: str, action: str
) -> None:
    finding = found("BACKUP-UNPROVEN", facts(store(seen_set(proved=proved), seen_set(40))))

    assert finding.level is Level.UNKNOWN
    assert finding.summary == f"not proven by a restore: atom-20261124T020000Z-beef {told}"
    assert finding.action == action
    assert finding.evidence
    assert [row[4] for row in finding.evidence.rows][1] == "restored, 1 table, 3 rows equal"


def test_one_bad_store_never_hides_another() -> None:
    seen = facts(StoreSeen("/backups", GONE), store(seen_set(100, proved=FAILED), name="second"))

    reachable = found("BACKUP-STORE-REACHABLE", seen)
    assert (reachable.level, reachable.summary, reachable.action) == (Level.CRITICAL, GONE.reason, GONE.action)
    for code in ("BACKUP-AGE", "BACKUP-PROOF-FAILED"):
        finding = found(code, seen)
        assert finding.level is Level.CRITICAL
        assert "second" in finding.summary or finding.evidence


def test_a_store_that_cannot_be_seen_leaves_nothing_fine_that_would_need_it() -> None:
    for others in ([store(*nights(8))], []):
        seen = facts(*others, StoreSeen("s3://atom", GONE))
        for code in CODES - {"BACKUP-STORE-REACHABLE", "BACKUP-SIZE", "BACKUP-RESTORE-TIME"}:
            judgement = judged(code, seen)
            if isinstance(judgement, Finding):
                assert (judgement.level, code) == (Level.UNKNOWN, code)
            else:
                assert code.startswith("BACKUP-PLAIN")
    for code in ("BACKUP-SIZE", "BACKUP-RESTORE-TIME"):
        assert found(code, facts(StoreSeen("s3://atom", GONE))).level is Level.UNKNOWN


AGES = st.floats(0, 24 * 60)


@given(st.lists(AGES, max_size=8), st.floats(0, 24 * 60))
def test_law_older_backups_never_score_better(hours: list[float], more: float) -> None:
    for code in ("BACKUP-AGE", "BACKUP-PROVEN-AGE"):
        now = found(code, facts(store(*map(seen_set, sorted(hours)))))
        later = found(code, facts(store(*(seen_set(each + more) for each in sorted(hours)))))
        assert later.level.rank >= now.level.rank


SETS = st.builds(
    seen_set,
    st.floats(-50, 2_000),
    proved=st.sampled_from([PROVEN, INTACT, FAILED, None]),
    size=st.integers(0, 10**12),
)


@given(st.lists(SETS, max_size=12), st.sampled_from([[], [StoreSeen("s3://x", GONE)]]))
def test_law_every_check_has_a_word_for_whatever_a_store_holds(sets: list[SetSeen], others: list[StoreSeen]) -> None:
    newest_first = sorted(sets, key=lambda each: each.at, reverse=True)
    seen = facts(store(*newest_first), *others)

    for code in CODES:
        judgement = judged(code, seen)
        told = judgement.summary if isinstance(judgement, Finding) else judgement.reason
        assert told
        assert "the check itself failed" not in told
