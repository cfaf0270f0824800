from dataclasses import replace

import pytest

from atomops.facts.outcome import Outcome
from atomops.facts.postgres import Answer, PostgresFacts
from atomops.profiles.profile import HealthPaths, Profile, Question
from atomops.questions import question_checks, read
from atomops.verdict import Finding, Gap, Level, NotSeen, Unseen
from tests.unit.postgres_facts import HEALTHY

QUESTION = Question(
    code="THINGS-BAD",
    section="Things",
    value="bad",
    summary="{bad} of {total} are bad",
    action="look at {worst}",
    sql="SELECT ...",
    guarantee="Bad things are counted.",
    warning=2,
)
HEALTH = HealthPaths(live="/live", ready="/ready", metrics="/metrics")
PROFILE = Profile(name="atom", tables=("things",), health=HEALTH, questions=(QUESTION,))
COLUMNS = ("bad", "total", "worst")


def judged(answer: Answer | Unseen | None, profile: str | Unseen = "atom") -> Finding | Gap:
    (check,) = question_checks([PROFILE])
    facts = replace(HEALTHY, profile=profile, answers={"THINGS-BAD": answer} if answer else {})
    outcome: Outcome[PostgresFacts] = Outcome("postgres", 0.1, facts=facts)
    return check.judge(outcome, None)


def test_an_answer_is_judged_and_phrased_as_its_header_says() -> None:
    result = judged(Answer(COLUMNS, ((3, 10, "this one"),)))
    assert isinstance(result, Finding)
    assert (result.level, result.observed) == (Level.WARNING, 3)
    assert (result.summary, result.action) == ("3 of 10 are bad", "look at this one")
    assert result.evidence
    assert result.evidence.rows == (("3", "10", "this one"),)


@pytest.mark.parametrize("profile", ["atom", Unseen("no tables")])
def test_an_unseen_answer_or_profile_is_unknown(profile: str | Unseen) -> None:
    result = judged(Unseen("there is no table things"), profile)
    assert isinstance(result, Finding)
    assert result.level is Level.UNKNOWN


def test_what_the_found_profile_does_not_ask_is_a_gap() -> None:
    assert isinstance(judged(None), Gap)
    assert isinstance(judged(Answer(COLUMNS, ()), "another"), Gap)


def test_no_rows_mean_what_the_header_says_and_are_unknown_without_it() -> None:
    empty = Answer(COLUMNS, ())
    with pytest.raises(NotSeen, match="brought no rows"):
        read(QUESTION, empty)
    assert read(QUESTION.model_copy(update={"empty": "none at all"}), empty).summary == "none at all"
    assert read(QUESTION.model_copy(update={"value": "rows"}), empty).value == 0


def test_rows_may_be_what_is_counted() -> None:
    counting = QUESTION.model_copy(update={"value": "rows", "summary": "{rows} of them"})
    assert read(counting, Answer(COLUMNS, ((1, 2, "x"), (3, 4, "y")))).summary == "2 of them"


def test_a_null_is_unknown_and_a_missing_column_is_named() -> None:
    assert read(QUESTION, Answer(COLUMNS, ((None, 1, "x"),))).value is None
    with pytest.raises(NotSeen, match="has no column 'lost'"):
        read(QUESTION.model_copy(update={"value": "lost"}), Answer(COLUMNS, ((1, 2, "x"),)))
