"""The steps of a restore, the tables that are chosen, and what is dropped later."""

import datetime as dt
from dataclasses import replace

import pytest

from atomops.facts.restore import BESIDE, DISCONNECT, STOP, SWAP, TABLES, Replaced
from atomops.plans.replaced import due
from atomops.plans.restoring import Course, steps
from atomops.plans.tables import definitions_of, full_names, only, rows_of, same_names
from tests.backup_sets import NIGHT, contents

COURSE = Course(
    mode=SWAP,
    quiesce=STOP,
    source="atom-1",
    store="/backups",
    live="atom",
    incoming="atom_incoming",
    creating=("CREATE DATABASE atom_incoming", "COMMENT ON DATABASE atom_incoming"),
    restoring=("pg_restore data",),
    analyzing="vacuumdb",
    settings=("ALTER DATABASE atom_incoming SET work_mem TO '8MB'",),
    renaming=("BEGIN", "ALTER DATABASE atom RENAME TO atom_replaced", "COMMIT"),
    runtime="deployment atom",
    dropping="DROP DATABASE atom_incoming",
)
TOC = """\
;
; Archive created at 2026-11-24
216; 1259 16389 TABLE public agents atom
3456; 0 16389 TABLE DATA public agents atom
3457; 0 16390 TABLE DATA public odd name atom
3458; 0 16391 TABLE DATA other agents atom
3460; 0 16393 TABLE DATA my schema t the owner
3461; 0 16394 TABLE DATA public two lines atom
3500; 0 0 SEQUENCE SET public agents_id_seq atom
3300; 2606 16400 CONSTRAINT public agents agents_pkey atom
"""


def whats(course: Course) -> list[str]:
    return [step.what for step in steps(course)]


def test_the_live_database_is_renamed_only_after_the_copy_was_compared_and_the_application_stopped() -> None:
    told = whats(COURSE)
    compared = told.index("compare it with the manifest")
    assert compared < told.index("stop deployment atom") < told.index("exchange the databases in one transaction")
    assert told.index("start deployment atom") == len(told) - 2


def test_disconnecting_stops_nothing_and_restarts_one_instance_after_another() -> None:
    told = whats(replace(COURSE, quiesce=DISCONNECT))
    assert "stop deployment atom" not in told
    assert "restart, one after another, deployment atom" in told


def test_without_a_runtime_nothing_is_started() -> None:
    assert not [each for each in whats(replace(COURSE, quiesce=DISCONNECT, runtime="")) if "restart" in each]


@pytest.mark.parametrize("mode", [BESIDE, TABLES])
def test_the_other_modes_never_touch_the_live_database(mode: str) -> None:
    course = replace(COURSE, mode=mode, schema="restored", tables=("public.agents",), moving=("CREATE SCHEMA s",))
    assert not [step for step in steps(course) if "RENAME" in step.exactly]
    assert whats(course)[-1] == "remove the copy"
    assert ("copy public.agents into restored of atom" in whats(course)) is (mode == TABLES)


def test_going_back_restores_nothing() -> None:
    assert whats(replace(COURSE, source=""))[0] == "stop deployment atom"


def test_a_safety_dump_comes_before_the_application_is_stopped() -> None:
    told = whats(replace(COURSE, safety_dump=True))
    assert told.index("dump the live database first") < told.index("stop deployment atom")


def test_every_statement_is_a_step_of_its_own() -> None:
    told = [each.exactly for each in steps(COURSE)]
    for each in (*COURSE.creating, *COURSE.restoring, COURSE.analyzing, *COURSE.settings, *COURSE.renaming):
        assert told.count(each) == 1


def test_of_the_archive_the_definitions_are_what_tables_are_made_of() -> None:
    lines = definitions_of(TOC).splitlines()
    assert lines == ["216; 1259 16389 TABLE public agents atom"]


def test_of_the_archive_only_the_chosen_rows_are_read() -> None:
    assert rows_of(TOC, ["public.agents"]) == "3456; 0 16389 TABLE DATA public agents atom\n"
    assert rows_of(TOC, ["public.agent"]) == ""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ('public."odd name"', "3457; 0 16390 TABLE DATA public odd name atom"),
        ('"my schema".t', "3460; 0 16393 TABLE DATA my schema t the owner"),
        ('public."two\nlines"', "3461; 0 16394 TABLE DATA public two lines atom"),
    ],
)
def test_a_name_that_needs_quotes_is_found_in_the_archive(name: str, line: str) -> None:
    assert rows_of(TOC, [name]) == f"{line}\n"


def test_two_tables_of_one_name_do_not_fit_into_one_schema() -> None:
    assert same_names(["a.t", 'b."t"', "b.u"]) == ("t",)


@pytest.mark.parametrize(
    ("wanted", "known", "unknown"),
    [
        ("agents", ("public.agents",), ()),
        ("other.agents", ("other.agents",), ()),
        ("odd name", ('public."odd name"',), ()),
        ('public."odd name"', ('public."odd name"',), ()),
        ("lonely", ("other.lonely",), ()),
        ("twice", (), ("twice",)),
        ("other.nothing", (), ("other.nothing",)),
        ("a.b.c", (), ("a.b.c",)),
    ],
)
def test_tables_are_named_as_people_write_them(wanted: str, known: tuple[str, ...], unknown: tuple[str, ...]) -> None:
    held = ["public.agents", "other.agents", 'public."odd name"', "other.lonely", "a.twice", "b.twice"]
    assert full_names([wanted], dict.fromkeys(held)) == (known, unknown)


def test_only_the_chosen_tables_are_compared() -> None:
    some = only(contents(a=1, b=2), ["b"])
    assert list(some.tables) == ["b"]
    assert some.rows == 2
    assert not some.sequences


def test_what_was_replaced_is_dropped_when_its_time_has_come_and_not_before() -> None:
    kept = [
        Replaced(name, "atom", NIGHT + dt.timedelta(days=day), 1, "") for name, day in (("b", 0), ("a", -1), ("c", 1))
    ]
    assert [each.name for each in due(kept, NIGHT)] == ["a", "b"]
