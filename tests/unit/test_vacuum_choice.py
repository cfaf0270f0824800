"""Which tables a wish means."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.vacuum import Relation, Status, TableOutcome, TableState
from atomops.plans.vacuum import Choice, Wish
from atomops.plans.vacuum_choice import choose, resolve, told_choice
from tests.unit.vacuum_samples import BEFORE, relation

PATH = ("mine", "public")
THERE = [
    relation("episode", 1),
    relation("episode", 2, schema="mine"),
    relation("episode", 3, schema="other"),
    relation("old", 4, schema="archive"),
    relation("Mixed Case", 5),
    relation("scratch", 6, schema="pg_temp_3", persistence="t"),
    relation("looks", 7, kind="v"),
    relation("strange", 8, kind="Q"),
    relation("pg_class", 9, schema="pg_catalog"),
    relation("columns", 10, schema="information_schema"),
    relation("dotted.name", 11),
]


@pytest.mark.parametrize(
    ("name", "oid"),
    [
        ("episode", 2),
        ("public.episode", 1),
        ('"public"."episode"', 1),
        ('public."episode"', 1),
        ('"public".episode', 1),
        ("other.episode", 3),
        ("Mixed Case", 5),
        ('"Mixed Case"', 5),
        ("dotted.name", 11),
        ("pg_catalog.pg_class", 9),
    ],
)
def test_a_name_is_found_as_it_stands_by_the_search_path_or_by_its_schema(name: str, oid: int) -> None:
    found = resolve(name, THERE, PATH)
    assert isinstance(found, Relation)
    assert found.oid == oid


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("pg_temp_3.scratch", Status.REFUSED, "temporary"),
        ("looks", Status.REFUSED, "a view"),
        ("strange", Status.REFUSED, "of the kind 'Q'"),
        ("old", Status.MISSING, "did you mean archive.old?"),
        ("episod", Status.MISSING, "did you mean mine.episode?"),
        ("mixed case", Status.MISSING, "did you mean public.Mixed Case?"),
        ("zzz", Status.MISSING, r"\dt"),
        ("public.zzzzzzzz", Status.MISSING, "look at"),
    ],
)
def test_what_cannot_be_vacuumed_is_told_with_what_to_do(name: str, status: Status, words: str) -> None:
    found = resolve(name, THERE, PATH)
    assert isinstance(found, TableOutcome)
    assert found.status is status
    assert words in f"{found.reason} {found.action}"


def test_named_tables_are_those_of_the_wish_else_of_the_profile_each_once() -> None:
    mine = choose(Wish(tables=("old", "episode", "mine.episode")), ("public.episode",), THERE, PATH)
    assert [each.oid for each in mine.relations] == [2]
    assert [each.table for each in mine.refused] == ["old"]
    assert [each.oid for each in choose(Wish(), ("public.episode",), THERE, PATH).relations] == [1]


def state(dead: int, live: int = 1000, age: int = 0, since: float | None = 1) -> TableState:
    return replace(BEFORE, dead_rows=dead, live_rows=live, xid_age=age, since_vacuum=since, since_analyze=since)


NEEDY = [
    relation("clean", 1, state=state(0)),
    relation("dirty", 2, state=state(20_000, 100_000, age=200_000_000)),
    relation("dirtier", 3, state=state(30_000, 10_000, age=180_000_000)),
    relation("large", 4, state=state(20_000, 10_000_000)),
    relation("new", 5, state=state(0, since=None), pages=1),
    relation("new_and_large", 6, state=state(0, since=None), pages=2),
    relation("uncounted", 7, state=TableState(since_vacuum=1, since_analyze=1)),
    relation("pg_type", 8, schema="pg_catalog", state=state(99_999)),
    relation("whole", 9, kind="p", state=TableState()),
    relation("piece", 10, parent=9, state=state(50_000, 1)),
]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("dead-tuples", ["piece", "dirtier", "dirty"]),
        ("age", ["dirty", "dirtier"]),
        ("never-vacuumed", ["new_and_large", "new"]),
        ("never-analysed", ["new_and_large", "new"]),
    ],
)
def test_those_are_chosen_that_need_it_the_neediest_first(choice: Choice, names: list[str]) -> None:
    chosen = choose(Wish(choose=choice), (), NEEDY, ("public",))
    assert [each.name for each in chosen.relations] == names


def test_names_restrict_another_choice_and_a_partitioned_one_stands_for_its_partitions() -> None:
    chosen = choose(Wish(choose="dead-tuples", tables=("whole", "dirty", "nowhere")), (), NEEDY, ("public",))
    assert [each.name for each in chosen.relations] == ["piece", "dirty"]
    assert [each.table for each in chosen.refused] == ["nowhere"]


@given(st.integers(1, 5), st.sampled_from(["dead-tuples", "age", "never-vacuumed"]))
def test_never_more_tables_than_asked_for_and_they_are_the_neediest(most: int, choice: Choice) -> None:
    every = choose(Wish(choose=choice), (), NEEDY, ("public",)).relations
    assert choose(Wish(choose=choice, most_tables=most), (), NEEDY, ("public",)).relations == every[:most]


def test_the_choice_is_told_in_words() -> None:
    assert told_choice(Wish(), ("a", "b")) == "the profile's: a, b"
    assert told_choice(Wish(tables=("c",)), ()) == "named: c"
    assert told_choice(Wish(choose="age", tables=("c",)), ()) == (
        "150,000,000 transactions old or older among c, 20 tables at most"
    )
    assert told_choice(Wish(choose="never-analysed", most_tables=1), ()) == "never analysed, 1 table at most"
