from dataclasses import replace

import pytest

from atomops.facts.backup import Unreadable
from atomops.facts.backup_stores import BackupFacts, PlainDump, PlainDumps, Reread, StoreSeen
from atomops.verdict import Level, Unseen
from tests.unit.seen_backups import AT_NIGHT, GONE, NOW, PROVEN, facts, found, gap, nights, seen_set, store


@pytest.mark.parametrize(
    ("size", "level"),
    [
        (5_000_000, Level.OK),
        (9_000_000, Level.OK),
        (11_000_000, Level.WARNING),
        (2_400_000, Level.WARNING),
        (60_000_000, Level.CRITICAL),
        (20, Level.CRITICAL),
    ],
)
def test_a_set_much_smaller_or_larger_than_those_before_it_is_told(size: int, level: Level) -> None:
    seen = facts(store(seen_set(size=size), *nights(8)[1:]))

    finding = found("BACKUP-SIZE-CHANGE", seen)

    assert finding.level is level
    assert "the sets before it 4.8 MiB (median)" in finding.summary


def test_one_odd_set_before_does_not_move_the_median() -> None:
    seen = facts(store(seen_set(), seen_set(40, size=20), *nights(8)[2:]))

    assert found("BACKUP-SIZE-CHANGE", seen).level is Level.OK


def test_the_newest_set_is_no_part_of_what_it_is_compared_with() -> None:
    sizes = (20_000_000, 1_000_000, 5_000_000, 9_000_000)
    seen = facts(store(*(seen_set(AT_NIGHT + 24 * night, size=size) for night, size in enumerate(sizes))))

    assert found("BACKUP-SIZE-CHANGE", seen).observed == pytest.approx(4, rel=0.02)


def test_three_sets_before_make_a_comparison_and_two_do_not() -> None:
    assert "fewer than 3 sets" in gap("BACKUP-SIZE-CHANGE", facts(store(*nights(3))))
    assert found("BACKUP-SIZE-CHANGE", facts(store(*nights(4)))).level is Level.OK


def test_small_databases_are_not_compared_by_their_headers() -> None:
    sets = (seen_set(size=30_000), *(replace(each, bytes=9_000) for each in nights(8)[1:]))

    assert found("BACKUP-SIZE-CHANGE", facts(store(*sets))).level is Level.OK


def test_the_size_is_that_of_one_store_with_all_its_databases_and_shows_the_last_five_of_each() -> None:
    sets = (*nights(7), *nights(2, database="other"))

    finding = found("BACKUP-SIZE", facts(store(*sets), store(*nights(1), name="second"), databases=("atom", "other")))

    assert finding.observed == 10_000_000
    assert finding.summary == "the newest sets take 9.5 MiB in one store; 10 sets are kept"
    assert finding.evidence
    assert len(finding.evidence.rows) == 5 + 2 + 1


def test_the_slowest_restore_is_followed() -> None:
    slow = replace(PROVEN, durations={"restore": 90.0}, seconds=120, host="worker-1")

    finding = found("BACKUP-RESTORE-TIME", facts(store(seen_set(), seen_set(proved=slow, database="other"))))
    both = facts(store(seen_set(), seen_set(proved=slow, database="other")), databases=("atom", "other"))

    assert finding.observed == 1
    assert found("BACKUP-RESTORE-TIME", both).observed == 90
    assert found("BACKUP-RESTORE-TIME", both).summary.endswith("took 2 minutes on worker-1")


def test_a_changed_byte_of_the_newest_set_is_critical_and_names_the_file() -> None:
    damaged = Reread("atom-1", 3, 99, ("data/1.dat has changed: its SHA-256 is another one", "data/2.dat is missing"))

    finding = found("BACKUP-CHECKSUM", facts(replace(store(seen_set()), reread=(damaged,)), StoreSeen("s3://x", GONE)))

    assert (finding.level, finding.observed) == (Level.CRITICAL, 2)
    assert finding.summary == (
        "2 files not as written: data/1.dat has changed: its SHA-256 is another one (atom-1 in /backups)"
    )
    assert finding.evidence
    assert finding.evidence.rows[1] == ("/backups", "atom-1", "data/2.dat is missing")


def test_a_set_that_could_not_be_read_again_is_not_intact() -> None:
    late = Reread("atom-1", 3, 99, Unseen("1 of 3 files could be read in the time allowed", "raise look_deadline"))

    finding = found("BACKUP-CHECKSUM", facts(replace(store(seen_set()), reread=(late,))))

    assert (finding.level, finding.action) == (Level.UNKNOWN, "raise look_deadline")


def test_what_cannot_be_read_among_the_sets_is_a_warning() -> None:
    odd = replace(store(*nights(3)), unreadable=(Unreadable("atom-9", "made by another version (schema 2)"),))

    finding = found("BACKUP-UNREADABLE", facts(odd))

    assert finding.level is Level.WARNING
    assert finding.summary == "1 thing among the sets cannot be read: atom-9, made by another version (schema 2)"


def plain(problem: str | Unseen = "", *, is_public: bool = False) -> PlainDump:
    return PlainDump("/backups/backup_20261124_020000.sql.gz", NOW, 1_000, is_public=is_public, problem=problem)


def with_plain(*dumps: PlainDump, number: int = 0) -> BackupFacts:
    kept = PlainDumps(number or len(dumps), 9_000, dumps)
    return facts(replace(store(*nights(1)), plain=kept), replace(store(*nights(1), name="s3://x"), plain=None))


def test_whole_plain_dumps_are_told_as_unproven() -> None:
    finding = found("BACKUP-PLAIN-BROKEN", with_plain(plain(), plain(), number=30))

    assert finding.level is Level.OK
    assert finding.summary == "30 plain dumps of the guide's script: the newest 2 whole, but unproven"
    assert finding.evidence
    assert finding.evidence.rows[0][3] == "whole, unproven"


def test_a_broken_plain_dump_is_a_warning_with_its_file_and_what_is_wrong() -> None:
    unread = plain(Unseen("it cannot be read (Permission denied)", "let this user read it"))

    finding = found("BACKUP-PLAIN-BROKEN", with_plain(unread, plain("empty: pg_dump failed"), plain()))

    assert (finding.level, finding.observed) == (Level.WARNING, 1)
    assert finding.summary.endswith("backup_20261124_020000.sql.gz, empty: pg_dump failed")
    assert finding.evidence
    assert [row[3] for row in finding.evidence.rows] == [
        "it cannot be read (Permission denied)", "empty: pg_dump failed", "whole, unproven",
    ]  # fmt: skip


def test_a_plain_dump_that_cannot_be_read_is_unknown() -> None:
    unread = plain(Unseen("it cannot be read (Permission denied)", "let this user read it"))

    finding = found("BACKUP-PLAIN-BROKEN", with_plain(plain(), unread))

    assert (finding.level, finding.action) == (Level.UNKNOWN, "let this user read it")


def test_plain_dumps_that_everybody_may_read_are_a_warning_with_the_command_that_closes_them() -> None:
    finding = found("BACKUP-PLAIN-EXPOSED", with_plain(plain(is_public=True), plain()))

    assert (finding.level, finding.observed) == (Level.WARNING, 1)
    assert finding.action.startswith("chmod go= /backups/backup_20261124_020000.sql.gz")
    assert found("BACKUP-PLAIN-EXPOSED", with_plain(plain())).level is Level.OK


def test_a_folder_that_cannot_be_listed_leaves_its_plain_dumps_unknown() -> None:
    shut = replace(store(*nights(1), name="second"), plain=Unseen("second cannot be read", "let this user list it"))
    seen = facts(*with_plain(plain()).stores, shut)

    assert {found(code, seen).level for code in ("BACKUP-PLAIN-BROKEN", "BACKUP-PLAIN-EXPOSED")} == {Level.UNKNOWN}
    worse = facts(*with_plain(plain("damaged", is_public=True)).stores, shut)
    assert {found(code, worse).level for code in ("BACKUP-PLAIN-BROKEN", "BACKUP-PLAIN-EXPOSED")} == {Level.WARNING}
