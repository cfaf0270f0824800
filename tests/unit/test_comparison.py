from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomops.facts.backup import Contents, SequenceValue, TableContent
from atomops.plans.comparison import compare, furthest_back

DUMPED = Contents(
    tables={"public.a": TableContent(3, "21", "record"), "public.b": TableContent(1, "7", "text")},
    sequences={
        "public.s": SequenceValue(10, 1),
        "public.down": SequenceValue(-10, -5),
        "public.new": SequenceValue(None, 1),
    },
    objects={"index": 2, "check constraint (not validated)": 1},
    large_objects=TableContent(2, "5", "text"),
)
tables = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.builds(TableContent, st.integers(0, 3), st.sampled_from(["0", "1", "2"]), st.just("record")),
)


def _with(**changed: object) -> Contents:
    return replace(DUMPED, **changed)  # type: ignore[arg-type]  # given by name, as they are


def test_an_equal_copy_has_no_difference_and_nothing_to_note() -> None:
    same = compare(DUMPED, DUMPED)
    assert same.differences == ()
    assert same.notes == ()


@pytest.mark.parametrize(
    ("restored", "words"),
    [
        (_with(tables={"public.b": DUMPED.tables["public.b"]}), "the table public.a is missing"),
        (
            _with(tables={**DUMPED.tables, "public.a": TableContent(2, "14", "record")}),
            "public.a has 2 rows, 3 were dumped",
        ),
        (
            _with(tables={**DUMPED.tables, "public.a": TableContent(3, "22", "record")}),
            "public.a has as many rows as were dumped, but not the same ones",
        ),
        (_with(tables={**DUMPED.tables, "public.c": TableContent(0)}), "the table public.c was not dumped"),
        (_with(sequences={}), "the sequence public.s is missing"),
        (
            _with(sequences={**DUMPED.sequences, "public.s": SequenceValue(9, 1)}),
            "the sequence public.s is at 9, behind 10",
        ),
        (
            _with(sequences={**DUMPED.sequences, "public.s": SequenceValue(None, 1)}),
            "the sequence public.s is at None, behind 10",
        ),
        (
            _with(sequences={**DUMPED.sequences, "public.down": SequenceValue(-5, -5)}),
            "the sequence public.down is at -5, behind -10",
        ),
        (_with(objects={"index": 1, "check constraint (not validated)": 1}), "1 index, 2 were dumped"),
        (_with(objects={"index": 2}), "no check constraints (not validated), 1 were dumped"),
        (
            _with(objects={**DUMPED.objects, "invalid index": 1}),
            "1 invalid index, 0 were dumped",
        ),
        (_with(large_objects=TableContent(1, "5", "text")), "1 large object, 2 were dumped"),
        (_with(large_objects=TableContent(2, "6", "text")), "the large objects are not the same ones"),
    ],
)
def test_whatever_is_not_as_it_was_is_named(restored: Contents, words: str) -> None:
    assert words in compare(DUMPED, restored).differences


def test_a_sequence_may_have_gone_on_meanwhile() -> None:
    gone_on = {
        "public.s": SequenceValue(12, 1),
        "public.down": SequenceValue(-20, -5),
        "public.new": SequenceValue(1, 1),
    }
    assert compare(DUMPED, _with(sequences=gone_on)).differences == ()


def test_an_index_that_is_invalid_is_in_no_dump_and_told() -> None:
    same = compare(_with(objects={**DUMPED.objects, "invalid index": 1}), DUMPED)
    assert same.differences == ()
    assert same.notes == ("1 invalid index of the original, which no dump holds: REINDEX or drop it there",)


def test_hashes_of_another_version_prove_when_they_are_equal_and_disprove_nothing() -> None:
    restored = _with(tables={**DUMPED.tables, "public.a": TableContent(3, "22", "record")})
    other = compare(DUMPED, restored, hashes_alike=False)
    assert other.differences == ()
    assert other.notes == ("only the number of rows of 1 table was compared: other versions hash apart",)
    assert compare(DUMPED, DUMPED, hashes_alike=False).notes == ()
    without = compare(DUMPED, _with(tables={"public.b": DUMPED.tables["public.b"]}), hashes_alike=False)
    assert without.differences == ("the table public.a is missing",)


def test_text_hashes_alike_in_every_version() -> None:
    restored = _with(tables={**DUMPED.tables, "public.b": TableContent(1, "8", "text")})
    assert len(compare(DUMPED, restored, hashes_alike=False).differences) == 1


def test_large_objects_that_could_only_be_counted_are_told() -> None:
    notes = compare(_with(large_objects=TableContent(2)), DUMPED).notes
    assert notes == ("large objects were only counted: the role that dumped them may not read pg_largeobject",)


def test_what_no_dump_holds_is_told_in_short() -> None:
    assert compare(_with(left_out={"public.far": "a foreign table"}), DUMPED).notes == ("not in the dump: public.far",)
    many = compare(_with(left_out={f"t{n}": "a foreign table" for n in range(9)}), DUMPED).notes
    assert many == ("not in the dump: t0, t1, t2, t3, t4 and 4 more",)


@given(tables, tables)
def test_no_difference_means_the_same_rows(before: dict[str, TableContent], after: dict[str, TableContent]) -> None:
    assert (compare(_with(tables=before), _with(tables=after)).differences == ()) == (before == after)


def test_a_sequence_counts_from_where_it_was_furthest_back_in_any_look() -> None:
    looks = [
        {"s": SequenceValue(start, 1), "down": SequenceValue(-start, -1), "new": SequenceValue(used, 1)}
        for start, used in ((100, 4), (5, None), (7, 6))
    ]
    assert furthest_back(*looks) == {
        "s": SequenceValue(5, 1),
        "down": SequenceValue(-5, -1),
        "new": SequenceValue(None, 1),
    }


def test_a_sequence_that_goes_or_comes_between_two_looks_is_the_first_looks() -> None:
    assert furthest_back({"gone": SequenceValue(3, 1)}, {"come": SequenceValue(1, 1)}) == {"gone": SequenceValue(3, 1)}
