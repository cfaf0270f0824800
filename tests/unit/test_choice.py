"""Which set is meant."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.backup import BackupSet, Listing, Result
from atomops.plans.choice import Choice, choose
from tests.backup_sets import NIGHT, backup_set, proof

OLD, NEW, NEWEST = backup_set(3), backup_set(1), backup_set(0, proven=False)


def chosen(wanted: str, *stores: tuple[BackupSet, ...], database: str = "atom", timezone: str = "UTC") -> Choice:
    return choose(wanted, database, [Listing(f"store {n}", sets) for n, sets in enumerate(stores)], timezone)


def test_latest_is_the_newest_that_was_restored_before() -> None:
    assert chosen("latest", (NEWEST, NEW, OLD)).set == NEW


def test_a_set_is_taken_from_the_first_store_unless_only_another_one_has_proven_it() -> None:
    unproven = replace(NEW, proof=None)
    assert chosen("latest", (NEW,), (NEW,)).store == 0
    assert chosen(NEW.id, (unproven,), (NEW,)).store == 1


def test_an_id_is_that_set_proven_or_not() -> None:
    assert chosen(NEWEST.id, (NEWEST, NEW)).set == NEWEST


@pytest.mark.parametrize(
    ("time", "timezone", "expected"),
    [
        ("2026-11-24T01:00Z", "UTC", NEW),
        ("2026-11-24T03:30", "Europe/Berlin", NEWEST),  # 02:30 UTC
        ("2026-11-24T02:30", "Europe/Berlin", NEW),  # 01:30 UTC
        ("2026-11-22", "UTC", OLD),
    ],
)
def test_before_a_time_is_the_newest_that_is_older_in_the_targets_own_time(
    time: str, timezone: str, expected: BackupSet
) -> None:
    newest = replace(NEWEST, manifest=replace(NEWEST.manifest, at=NIGHT + dt.timedelta(minutes=15)))
    found = chosen(f"before:{time}", (newest, NEW, OLD), timezone=timezone).set
    assert found is not None
    assert found.id == expected.id


def test_a_set_that_was_found_to_be_damaged_is_not_the_newest_before_a_time() -> None:
    damaged = replace(NEW, proof=proof(Result.FAILED))
    assert chosen("before:2026-11-25", (damaged, OLD)).set == OLD


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("latest", "no backup set of atom is proven"),
        ("nothing", f"is called nothing; the newest is {NEWEST.id}"),
        ("before:tomorrow", "is no time"),
        ("before:2020-01-01", "no sound backup set is older than 2020-01-01"),
    ],
)
def test_what_there_is_not_is_said(wanted: str, why: str) -> None:
    choice = chosen(wanted, (NEWEST,))
    assert choice.set is None
    assert why in choice.why_not


def test_sets_of_another_database_are_none() -> None:
    assert chosen("latest", (NEW,), database="other").why_not == "there is no backup set of other"


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=8))
def test_latest_is_never_older_than_any_proven_set(days: list[tuple[int, bool]]) -> None:
    sets = tuple(backup_set(day, proven=proven) for day, proven in days)
    proven = [each.at for each in sets if each.is_proven]
    found = chosen("latest", sets).set
    assert (found.at if found else None) == max(proven, default=None)
