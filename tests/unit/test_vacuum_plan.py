"""By which statements tables are vacuumed, on which version, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.errors import PermanentError
from atomops.facts.vacuum import FullCost, Status
from atomops.plans.vacuum import (
    Options,
    Step,
    Wish,
    check_options,
    full_cost,
    grant,
    obstacle,
    options_of,
    statistics_apart,
    steps,
)
from atomops.plans.vacuum_seen import rows_counted, shows
from atomops.vacuum.statements import settings, statement, texts
from atomops.verdict import Unseen
from tests.unit.vacuum_samples import AFTER, BEFORE, relation

VERSIONS = (130_000, 150_000, 160_000, 170_000, 180_000)
EVERY = Options(freeze=True, index_cleanup="off", truncate="on", skip_locked=True, parallel_workers=0)


def test_the_defaults_are_the_guides_own_command() -> None:
    assert [options_of(Options(), version) for version in VERSIONS] == [("ANALYZE",)] * 5
    assert options_of(Options(analyze=False), 170_000) == ()


def test_every_option_has_its_word_and_the_databases_statistics_come_last_where_that_can_be() -> None:
    words = ("FREEZE", "ANALYZE", "INDEX_CLEANUP off", "TRUNCATE on", "PARALLEL 0", "SKIP_LOCKED")
    assert options_of(EVERY, 150_000, alone=False) == words
    assert options_of(EVERY, 160_000, alone=False) == (*words, "SKIP_DATABASE_STATS")
    assert options_of(Options(full=True), 170_000) == ("FULL", "ANALYZE")


@pytest.mark.parametrize(
    "options",
    [
        Options(full=True, parallel_workers=2),
        Options(full=True, truncate="off"),
        Options(full=True, index_cleanup="on"),
    ],
)
def test_options_that_exclude_each_other_are_refused(options: Options) -> None:
    with pytest.raises(PermanentError):
        check_options(options)


def test_options_that_go_together_are_taken() -> None:
    check_options(EVERY)
    check_options(Options(full=True, freeze=True))


def test_full_is_done_to_one_table_after_another() -> None:
    assert Wish(jobs=8).sessions == 8
    assert Wish(jobs=8, options=Options(full=True)).sessions == 1


def test_what_a_session_sets_is_what_was_asked_for() -> None:
    assert Wish().settings == {}
    wanted = Wish(cost_delay=2.5, cost_limit=400).settings
    assert [each.as_string(None) for each in settings(wanted.items())] == [
        "SET \"vacuum_cost_delay\" = '2.5ms'",
        "SET \"vacuum_cost_limit\" = '400'",
    ]


@given(st.text(min_size=1).filter(lambda text: "\x00" not in text), st.sampled_from(VERSIONS))
def test_no_name_breaks_out_of_its_quotes(name: str, version: int) -> None:
    (step,) = steps([relation(name)], [], Options(), version)
    quoted = name.replace('"', '""')
    assert statement(step).as_string(None) == f'VACUUM (ANALYZE) "public"."{quoted}"'


ROOT = relation("part", 1, kind="p")
TREE = [
    ROOT,
    relation("part_b", 3, parent=1, kind="p"),
    relation("part_ba", 4, parent=3),
    relation("part_a", 2, parent=1),
    relation("other", 9),
]


def test_a_partitioned_table_is_its_partitions_and_then_its_own_statistics() -> None:
    assert texts(steps([ROOT], TREE, Options(), 150_000)) == [
        'VACUUM "public"."part_a"',
        'VACUUM "public"."part_ba"',
        'ANALYZE "public"."part"',
    ]
    assert texts(steps([ROOT], TREE, Options(), 180_000)) == [
        'VACUUM (ANALYZE, SKIP_DATABASE_STATS) "public"."part_a"',
        'VACUUM (ANALYZE, SKIP_DATABASE_STATS) "public"."part_ba"',
        'ANALYZE ONLY "public"."part"',
        "VACUUM (ONLY_DATABASE_STATS)",
    ]
    assert len(steps([ROOT], TREE, Options(analyze=False), 170_000)) == 2
    assert steps([ROOT], TREE, Options(skip_locked=True), 170_000)[-1].options == ("SKIP_LOCKED",)


def test_a_table_that_is_named_beside_its_partitioned_one_is_vacuumed_once() -> None:
    both = steps([TREE[3], ROOT], TREE, Options(), 170_000)
    assert [step.relation.name for step in both] == ["part_a", "part_ba", "part"]


def test_a_table_with_children_is_vacuumed_alone_on_every_version() -> None:
    parent = relation("parent", has_children=True)
    assert [step.only for version in VERSIONS for step in steps([parent], [], Options(), version)] == [
        *[False] * 4,
        True,
    ]


def test_one_table_needs_no_statement_for_the_databases_statistics() -> None:
    assert not statistics_apart(steps([relation("a")], [], Options(), 170_000))
    assert statistics_apart(steps([relation("a"), relation("b", 2)], [], Options(), 170_000))


def test_what_would_come_to_nothing_is_known_before() -> None:
    def found(cost: FullCost | None = None, **given: Any) -> tuple[Status, str] | None:  # noqa: ANN401 - as the fields
        told = obstacle(Step(relation("episode", **given), "VACUUM", ()), "vacuumer", 170_000, cost)
        return (told.status, told.action) if told else None

    assert found() is None
    assert found(kind="f") == (Status.REFUSED, "name the other partitions")
    assert found(may_vacuum=False) == (
        Status.FORBIDDEN,
        'GRANT MAINTAIN ON TABLE "public"."episode" TO "vacuumer";',
    )
    small, large = FullCost("x", 1000, 1, "the disk of /data", 1099), FullCost("x", 1000, 1, "the disk of /data", 1101)
    assert found(small) == (Status.REFUSED, "free some space on the disk of /data")
    assert found(large) is None
    assert found(replace(small, available=Unseen("nobody knows"))) is None


def test_the_right_is_given_by_the_statement_of_the_version() -> None:
    table = relation('a"b')
    assert grant(table, "me", 170_000) == 'GRANT MAINTAIN ON TABLE "public"."a""b" TO "me";'
    assert grant(table, "me", 160_000) == 'GRANT "atom" TO "me";'


def test_full_needs_the_exact_size_or_else_the_counted_pages() -> None:
    assert full_cost(relation("a"), "/data", 1.0).bytes == 81_920
    assert full_cost(relation("a", state=replace(BEFORE, size=None)), "/data", 1.0).bytes == 8192


VACUUM, ANALYZE, FULL = (
    Step(relation("a"), "VACUUM", ("ANALYZE",)),
    Step(relation("a"), "ANALYZE", ()),
    Step(relation("a"), "VACUUM", ("FULL",)),
)


def test_done_is_what_the_statistics_show() -> None:
    assert shows(VACUUM, BEFORE, AFTER) is True
    assert shows(VACUUM, BEFORE, BEFORE) is False
    assert shows(VACUUM, BEFORE, replace(AFTER, analyzes=1)) is False
    assert shows(ANALYZE, BEFORE, AFTER) is True
    assert shows(FULL, BEFORE, AFTER) is False
    assert shows(FULL, BEFORE, replace(AFTER, filenode=8)) is True


def test_where_nothing_is_counted_nothing_is_shown() -> None:
    assert shows(VACUUM, None, AFTER) is None
    assert shows(ANALYZE, replace(BEFORE, analyzes=None), replace(AFTER, analyzes=None)) is None


def test_full_alone_counts_no_rows() -> None:
    assert rows_counted(FULL, AFTER).dead_rows is None
    assert rows_counted(VACUUM, AFTER) == AFTER
