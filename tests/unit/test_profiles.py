from pathlib import Path

import pytest

from atomops.errors import AccessDenied, AtomOpsError, InventoryError, TimedOut, Unreachable, is_temporary
from atomops.profiles import candidates, load_profile

DESCRIPTION = """
name = "mine"
tables = ["things"]
[health]
live = "/live"
ready = "/ready"
metrics = "/metrics"
"""
QUESTION = """-- code: THINGS
-- section: Things
-- guarantee: Things are counted,
--   all of them.
-- tables: things, more_things
-- value: rows
-- summary: {rows} things

SELECT 1
"""


def profile(folder: Path, description: str = DESCRIPTION, question: str | None = QUESTION) -> str:
    (folder / "profile.toml").write_text(description, encoding="utf-8")
    if question is not None:
        (folder / "queries").mkdir()
        (folder / "queries" / "things.sql").write_text(question, encoding="utf-8")
    return str(folder)


def test_auto_tries_the_applications_own_names_before_the_guides() -> None:
    assert [each.name for each in candidates("auto")] == ["atom", "guide"]
    assert [each.name for each in candidates("guide")] == ["guide"]


def test_a_folder_of_ones_own_is_a_profile(tmp_path: Path) -> None:
    loaded = load_profile(profile(tmp_path))
    assert loaded.name == "mine"
    assert loaded.questions[0].guarantee == "Things are counted, all of them."
    assert loaded.questions[0].tables == ("things", "more_things")
    assert loaded.questions[0].sql == QUESTION


def test_a_profile_needs_no_questions(tmp_path: Path) -> None:
    assert load_profile(profile(tmp_path, question=None)).questions == ()


def test_a_question_of_a_report_takes_that_reports_parameters(tmp_path: Path) -> None:
    text = QUESTION.replace("-- value", "-- parts: agents\n-- hide: a, b\n-- series: c d\n-- value").replace(
        "SELECT 1", "SELECT %(hours)s, '%%'"
    )
    (question,) = load_profile(profile(tmp_path, question=text)).questions
    assert (question.parts, question.hide, question.series) == (("agents",), ("a", "b"), ("c", "d"))
    assert question.statement == "SELECT %(hours)s, '%%'\n"
    assert question.parameters == {"hours"}


@pytest.mark.parametrize(
    ("description", "question", "words"),
    [
        ("name = ", QUESTION, "profile.toml: Invalid value"),
        (DESCRIPTION + 'colour = "red"', QUESTION, "colour"),
        (DESCRIPTION + '[metrics.requests]\nkind = "count"\nname = "x"', QUESTION, "metrics.requests"),
        (DESCRIPTION, "-- code: X\n\nSELECT 1", "things.sql: section: Field required"),
        (DESCRIPTION, QUESTION.replace("value", "valeu"), "things.sql: value: Field required"),
        (DESCRIPTION, "SELECT 1", "things.sql"),
        (DESCRIPTION, QUESTION.replace("1", "%(hours)s"), "the part postgres gives nothing, but not hours"),
        (
            DESCRIPTION,
            QUESTION.replace("-- value", "-- parts: users\n-- finds: agent\n-- value"),
            "limit, user, but not",
        ),
        (DESCRIPTION, QUESTION.replace("-- value", "-- parts: everybody\n-- value"), "things.sql: parts.0"),
        (DESCRIPTION, QUESTION.replace("-- value", "-- series: one\n-- value"), "things.sql: series"),
    ],
)
def test_what_is_wrong_in_a_profile_is_named_with_its_file(
    tmp_path: Path, description: str, question: str, words: str
) -> None:
    with pytest.raises(InventoryError, match=words):
        load_profile(profile(tmp_path, description, question))


def test_a_profile_that_is_not_there_names_the_ones_that_are() -> None:
    with pytest.raises(InventoryError, match="use atom, guide, auto"):
        load_profile("no/such/folder")


@pytest.mark.parametrize(
    ("error", "temporary"),
    [(Unreachable("x"), True), (TimedOut("x"), True), (AccessDenied("x"), False), (ValueError("x"), False)],
)
def test_only_what_may_pass_by_itself_is_temporary(error: Exception, temporary: bool) -> None:  # noqa: FBT001 - a verdict
    assert is_temporary(error) is temporary


def test_an_error_is_one_line_with_what_to_do() -> None:
    assert str(AtomOpsError("it broke", action="mend it")) == "it broke: mend it"
    assert str(AtomOpsError("it broke")) == "it broke"
