"""What the checks make of the databases that restores have replaced."""

import datetime as dt
from dataclasses import replace

from atomops.facts.replaced import CopyLeft, Dropping, ReplacedFacts
from atomops.facts.restore import Replaced
from atomops.probes.parts import NIGHT, REPLACED
from atomops.registry import checks
from atomops.verdict import Level, Unseen
from tests.backup_sets import NIGHT as NOW
from tests.targets import findings
from tests.unit.test_nightly_checks import night

DAY = dt.timedelta(days=1)
KEPT = Replaced("atom_replaced_1", "atom", NOW + 3 * DAY, 3 << 30, "replaced by atom-1", at=NOW - 4 * DAY)
NEWER = replace(KEPT, name="atom_replaced_2", until=NOW + 5 * DAY, at=NOW - DAY)
REFUSED = replace(NEWER, name="atom_refused_3", kind="refused", at=NOW, why="it was not ready")
SEEN = ReplacedFacts(NOW, "production", (KEPT, NEWER, REFUSED))


def test_what_is_kept_is_told_with_the_command_that_goes_back_to_the_last_one() -> None:
    kept = findings(REPLACED, SEEN)["REPLACED-KEPT"]
    assert (kept.level, kept.observed) == (Level.OK, 3)
    assert kept.summary == "3 replaced databases kept; atom_replaced_1 goes on 2026-11-27"
    back = "atomops run restore-database --target production --set database=atom --set backup=previous"
    assert kept.action == f"to go back: {back} --set dry_run=false"
    assert kept.evidence is not None
    assert [bool(row[-1]) for row in kept.evidence.rows] == [False, True, False]
    assert kept.evidence.rows[0][:5] == ("atom_replaced_1", "atom", "2026-11-20 02:00 UTC", "3.0 GiB", "2026-11-27")


def test_a_server_without_any_has_nothing_to_tell_but_marks_that_nobody_understands() -> None:
    found = findings(REPLACED, ReplacedFacts(NOW, "production", unreadable=("odd",)))
    assert {each.level for each in found.values()} == {Level.OK}
    assert found["REPLACED-KEPT"].summary.startswith("no replaced database is kept; with a mark that nobody")
    assert found["REPLACED-SIZE"].observed == 0


def test_a_size_that_our_role_may_not_see_is_unknown_and_the_rest_is_told() -> None:
    found = findings(REPLACED, replace(SEEN, databases=(replace(KEPT, bytes=None, at=None),)))
    assert found["REPLACED-SIZE"].level is Level.UNKNOWN
    assert found["REPLACED-SIZE"].action == "GRANT pg_monitor TO the reading role"
    assert found["REPLACED-KEPT"].level is Level.OK
    assert found["REPLACED-KEPT"].evidence is not None
    assert found["REPLACED-KEPT"].evidence.rows[0][2:4] == ("", "not seen")


def test_one_that_should_be_gone_for_a_day_is_a_warning_with_the_statement() -> None:
    on_time = findings(REPLACED, replace(SEEN, at=KEPT.until + DAY - dt.timedelta(minutes=1)))
    assert on_time["REPLACED-OVERDUE"].level is Level.OK
    late = findings(REPLACED, replace(SEEN, at=KEPT.until + 2 * DAY))["REPLACED-OVERDUE"]
    assert (late.level, late.observed) == (Level.WARNING, 1)
    assert late.summary == "atom_replaced_1 should have been dropped 2 days ago"
    assert 'DROP DATABASE "atom_replaced_1"' in late.action
    opened = replace(SEEN, at=KEPT.until + 2 * DAY, databases=(replace(KEPT, is_open=True),))
    assert 'COMMENT ON DATABASE "atom_replaced_1" IS NULL' in findings(REPLACED, opened)["REPLACED-OVERDUE"].action


def test_a_copy_of_a_restore_under_way_is_no_leftover_and_one_of_yesterday_is() -> None:
    copy = CopyLeft("atom_incoming_1", "atom", NOW - DAY / 2, 1)
    assert findings(REPLACED, replace(SEEN, copies=(copy,)))["REPLACED-COPIES"].summary == "1 copy being made"
    left = findings(REPLACED, replace(SEEN, at=NOW + DAY, copies=(copy,)))["REPLACED-COPIES"]
    assert left.level is Level.WARNING
    assert left.summary == "atom_incoming_1 was left by a restore that was killed"


def test_the_night_names_what_it_dropped_and_gives_the_statement_for_what_it_could_not() -> None:
    done = Dropping((KEPT, NEWER), (KEPT.name,), {NEWER.name: "no role"})
    found = findings(NIGHT, night(replaced=done))
    assert found["NIGHT-REPLACED-DROPPED"].summary == "1 replaced database dropped"
    assert found["NIGHT-REPLACED-DROPPED"].evidence is not None
    assert [row[2] for row in found["NIGHT-REPLACED-DROPPED"].evidence.rows] == ["dropped", "stays: no role"]
    assert found["NIGHT-REPLACED-STAYS"].level is Level.WARNING
    assert found["NIGHT-REPLACED-STAYS"].action.endswith('DROP DATABASE "atom_replaced_2"')
    assert findings(NIGHT, night(replaced=Dropping()))["NIGHT-REPLACED-STAYS"].level is Level.OK


def test_the_night_that_kept_them_back_or_could_not_look_says_so() -> None:
    held = findings(NIGHT, night(replaced=Dropping((KEPT,), held_back="atom has no new set")))
    assert held["NIGHT-REPLACED-DROPPED"].summary == "1 replaced database kept although due: atom has no new set"
    blind = findings(NIGHT, night(replaced=Dropping(problem=Unseen("db is down", "look"))))
    assert blind["NIGHT-REPLACED-DROPPED"].level is Level.UNKNOWN
    assert "NIGHT-REPLACED-STAYS" not in blind
    assert "NIGHT-REPLACED-DROPPED" not in findings(NIGHT, night())


def test_a_dry_run_of_the_night_lists_what_would_go() -> None:
    planned = findings(NIGHT, night(replaced=Dropping((KEPT,)), dry_run=True))["NIGHT-REPLACED-DROPPED"]
    assert planned.summary == "1 replaced database would be dropped"
    assert planned.evidence is not None
    assert planned.evidence.rows == (("atom_replaced_1", "2026-11-27", "would go"),)


def test_every_check_of_it_has_a_section_of_its_part() -> None:
    assert {each.section for each in checks() if each.facts is ReplacedFacts} == set(REPLACED.sections)
