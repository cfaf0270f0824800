"""What the checks make of a vacuum."""

from dataclasses import replace

import pytest

from atomops.facts.outcome import Outcome
from atomops.facts.vacuum import FullCost, Holder, Status, VacuumFacts
from atomops.registry import checks, judge_all
from atomops.verdict import Finding, Gap, Level, Unseen
from tests.unit.vacuum_samples import AFTER, BEFORE, facts, outcome


def judged(seen: VacuumFacts) -> tuple[dict[str, Finding], list[Gap]]:
    found, gaps = judge_all(checks(), {VacuumFacts: Outcome("vacuum", 4, facts=seen)}, {}, {})
    return {each.code: each for each in found}, gaps


def rows(finding: Finding) -> tuple[tuple[str, ...], ...]:
    assert finding.evidence is not None
    return finding.evidence.rows


def test_a_good_run_is_ok_throughout_and_shows_every_table_before_and_after() -> None:
    found, _ = judged(facts(outcome()))
    assert {each.level for each in found.values()} == {Level.OK}
    assert found["VACUUM-DONE"].summary == "1 of 1 table vacuumed"
    assert found["VACUUM-DEAD-ROWS"].summary == "500 dead rows removed from 1 table (estimated)"
    ((table, dead, live, size, age, vacuumed, analysed),) = rows(found["VACUUM-DEAD-ROWS"])
    assert (table, dead, live, size, age) == ("public.episode", "500 → 0", "1,000", "80.0 KiB", "2,000")
    assert vacuumed == analysed == "never → just now"
    assert found["VACUUM-TIME"].summary == "vacuuming took 2.0 s, the longest public.episode with 2.0 s"


def test_a_run_that_could_not_begin_is_critical_and_the_rest_unknown() -> None:
    busy: Outcome[VacuumFacts] = Outcome("vacuum", 1, unseen=Unseen("production is being changed by ...", "wait"))
    found, _ = judge_all(checks(), {VacuumFacts: busy}, {}, {})
    assert [each.code for each in found if each.level is Level.CRITICAL] == ["VACUUM-RUN"]
    assert {each.level for each in found} == {Level.CRITICAL, Level.UNKNOWN}


@pytest.mark.parametrize(
    ("status", "code", "level"),
    [
        (Status.FAILED, "VACUUM-FAILED", Level.CRITICAL),
        (Status.FORBIDDEN, "VACUUM-FORBIDDEN", Level.WARNING),
        (Status.MISSING, "VACUUM-MISSING", Level.WARNING),
        (Status.REFUSED, "VACUUM-REFUSED", Level.WARNING),
        (Status.LOCKED, "VACUUM-LOCKED", Level.WARNING),
        (Status.NOT_STARTED, "VACUUM-WINDOW", Level.WARNING),
        (Status.CANCELLED, "VACUUM-WINDOW", Level.WARNING),
        (Status.UNCONFIRMED, "VACUUM-UNCONFIRMED", Level.UNKNOWN),
    ],
)
def test_a_table_that_was_not_vacuumed_is_told_with_its_remedy(status: Status, code: str, level: Level) -> None:
    not_done = outcome(status, reason="the reason", action="the remedy", after=None)
    found, _ = judged(facts(outcome(), not_done, replace(not_done, table="public.other")))
    assert [each.code for each in found.values() if each.level is not Level.OK] == [code]
    assert found[code].level is level
    assert found[code].summary.startswith("the reason")
    assert found[code].action == "the remedy"
    assert found["VACUUM-DONE"].summary == "1 of 3 tables vacuumed"


def test_a_run_that_comes_to_nothing_is_critical_and_one_that_nobody_can_confirm_unknown() -> None:
    nothing, gaps = judged(facts(outcome(Status.LOCKED, after=None)))
    assert nothing["VACUUM-DONE"].level is Level.CRITICAL
    assert Gap("Vacuum", "dead rows that went: nothing was vacuumed") in gaps
    unsure, _ = judged(facts(outcome(Status.UNCONFIRMED, reason="no statistics", after=None)))
    assert unsure["VACUUM-DONE"].level is Level.UNKNOWN


def test_where_no_table_needs_it_nothing_is_wrong() -> None:
    found, gaps = judged(facts(choice="never analysed"))
    assert {each.level for each in found.values()} == {Level.OK}
    assert Gap("Vacuum", "vacuumed tables: none needs it (never analysed)") in gaps


def test_a_dry_run_shows_every_statement_and_the_tables_as_they_are() -> None:
    found, gaps = judged(facts(outcome(Status.PLANNED, after=None), dry_run=True))
    assert set(gaps) == {
        Gap("Vacuum", "what came of it: a dry run vacuums nothing"),
        Gap("Vacuum", "VACUUM FULL: not asked for"),
    }
    assert {each.level for each in found.values()} == {Level.OK}
    assert "dry run: 1 table of atom by atom" in found["VACUUM-RUN"].summary
    told = "500 dead rows, 1,000 live ones, 80.0 KiB, last vacuum never"
    assert rows(found["VACUUM-RUN"]) == (('VACUUM (ANALYZE) "public"."episode"', told),)
    assert found["VACUUM-FOUND"].summary == "500 dead rows in 1 table (estimated)"
    assert rows(found["VACUUM-FOUND"])[0][0] == "public.episode"
    assert "VACUUM-DEAD-ROWS" not in found
    assert "VACUUM-DONE" not in found
    assert "VACUUM-LOCKED" not in found


HOLDERS = {
    "session": ("of backend 42", "SELECT pg_terminate_backend(42)"),
    "prepared transaction": ("'two phase'", "ROLLBACK PREPARED 'two phase';"),
    "replication slot": ("it's_gone", "SELECT pg_drop_replication_slot('it''s_gone');"),
    "standby": ("replica (hot_standby_feedback)", "hot_standby_feedback"),
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_who_holds_dead_rows_back_is_named_with_what_ends_it(kind: str) -> None:
    name, remedy = HOLDERS[kind]
    holder = Holder(kind, name, 7_000, 3_600 if kind == "session" else None, "atom, web, idle in transaction")
    left = outcome(after=replace(AFTER, dead_rows=2_000), held_by=(holder,))
    found, _ = judged(facts(left, outcome()))
    told = found["VACUUM-HELD-BACK"]
    assert told.level is Level.WARNING
    assert f"2,000 dead rows could not be removed: {kind} {name} (atom, web, idle in transaction)" in told.summary
    assert ("for 60 minutes" in told.summary or "for 1 hour" in told.summary) is (kind == "session")
    assert remedy in told.action
    assert "7,000 transactions old" in rows(told)[0][2]
    now, _ = judged(facts(dry_run=True, holders=(holder,)))
    assert "just now" in now["VACUUM-HELD-BACK"].summary


def test_rows_that_nobody_was_seen_to_hold_are_told_too() -> None:
    found, _ = judged(facts(outcome(after=replace(AFTER, dead_rows=5))))
    assert found["VACUUM-HELD-BACK"].level is Level.OK
    assert "nobody held those of public.episode when it began" in found["VACUUM-HELD-BACK"].summary
    blind = outcome(after=replace(AFTER, dead_rows=5_000), held_by=Unseen("the role is blind", "GRANT pg_monitor"))
    found, _ = judged(facts(blind))
    assert "by whom is not known, since the role is blind" in found["VACUUM-HELD-BACK"].summary
    assert found["VACUUM-HELD-BACK"].action == "GRANT pg_monitor"
    unseen, _ = judged(facts(dry_run=True, holders=Unseen("the role is blind")))
    assert unseen["VACUUM-HELD-BACK"].level is Level.UNKNOWN


def test_full_says_what_it_locks_for_how_long_and_what_it_needs() -> None:
    cost = FullCost("public.episode", 2**30, 21, "the disk of /data", 2.0**31)
    found, _ = judged(facts(outcome(), costs=(cost,)))
    assert "nobody can even read public.episode for about 21.0 s (ACCESS EXCLUSIVE)" in found["VACUUM-FULL"].summary
    assert rows(found["VACUUM-FULL"])[0][-1] == "2.0 GiB free"
    unknown, _ = judged(facts(outcome(), costs=(cost, replace(cost, available=Unseen("who knows", "set host")))))
    assert unknown["VACUUM-FULL"].level is Level.UNKNOWN
    assert "needs up to 1.0 GiB on the disk of /data: who knows" in unknown["VACUUM-FULL"].summary


def test_every_statement_is_shown_with_what_came_of_it() -> None:
    cost = FullCost("public.episode", 2**30, 21, "the disk of /data", 2.0**31)
    planned, _ = judged(facts(outcome(Status.PLANNED, after=None), dry_run=True, costs=(cost,)))
    assert "needs up to 1.0 GiB more on the disk of /data (2.0 GiB free)" in rows(planned["VACUUM-RUN"])[0][1]
    unknown = replace(cost, available=Unseen("who knows"))
    planned, _ = judged(facts(outcome(Status.PLANNED, after=None), dry_run=True, costs=(unknown,)))
    assert "how much is free there is not known" in rows(planned["VACUUM-RUN"])[0][1]
    last = "VACUUM (ONLY_DATABASE_STATS)"
    found, _ = judged(facts(outcome(), statements=("SET a = 1", outcome().statement, last)))
    assert rows(found["VACUUM-RUN"]) == (
        ("SET a = 1", ""),
        (outcome().statement, "done in 2.0 s: dead rows 500 → 0, size 80.0 KiB"),
        (last, ""),
    )
    for reason, told in (("why", "locked: why"), ("", "locked")):
        found, _ = judged(facts(outcome(Status.LOCKED, reason=reason, after=None)))
        assert rows(found["VACUUM-RUN"])[0][1] == told


def test_what_full_gained_and_what_it_did_not_count_is_told() -> None:
    done = outcome(after=replace(AFTER, size=40_960, dead_rows=None, live_rows=None))
    found, _ = judged(facts(done))
    assert found["VACUUM-SIZE"].summary == "all in all 40.0 KiB, 40.0 KiB less than before"
    assert rows(found["VACUUM-DEAD-ROWS"])[0][1] == "500 → not counted"


def test_a_table_whose_size_was_not_seen_and_one_vacuumed_before_are_told_so() -> None:
    old = replace(BEFORE, size=None, xid_age=None, since_vacuum=7_200.0)
    found, gaps = judged(facts(outcome(before=old)))
    assert rows(found["VACUUM-DEAD-ROWS"])[0][3:6] == ("locked → 80.0 KiB", " → 2,000", "2 hours ago → just now")
    assert Gap("Vacuum", "sizes: nothing was vacuumed") in gaps


def test_a_done_table_of_which_nothing_was_seen_is_no_number() -> None:
    _, gaps = judged(facts(outcome(before=None)))
    assert Gap("Vacuum", "time: nothing was vacuumed") in gaps


def test_what_autovacuum_does_already_and_what_was_ended_is_named() -> None:
    left = outcome(Status.LEFT, reason="backend 7 is an autovacuum worker", after=None)
    found, _ = judged(facts(left, ended=("backend 9",)))
    assert found["VACUUM-AUTOVACUUM"].observed == 1
    assert found["VACUUM-DONE"].level is Level.OK
    assert found["VACUUM-ENDED"].summary == "1 session of a killed run ended: backend 9"
