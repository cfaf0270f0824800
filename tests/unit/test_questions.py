from dataclasses import replace

import pytest

from atomops.facts.application import AgentFacts, Given
from atomops.facts.outcome import Outcome
from atomops.facts.postgres import Answer, PostgresFacts
from atomops.profiles.profile import HealthPaths, Profile, Question
from atomops.questions import Found, found, question_checks, read
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


def asked(question: Question, answer: Answer | Unseen | None, **parameters: Given) -> Finding | Gap:
    """What a report on agents makes of the answer."""
    (check,) = question_checks([PROFILE.model_copy(update={"questions": (question,)})])
    answers = {question.code: answer} if answer else {}
    facts = AgentFacts(HEALTHY.at, HEALTHY.server, "atom", parameters, answers)
    outcome: Outcome[AgentFacts] = Outcome("agents", 0.1, facts=facts)
    return check.judge(outcome, None)


def of_agents(**header: object) -> Question:
    return Question.model_validate(QUESTION.model_dump() | {"parts": ("agents",)} | header)


def test_a_reports_sentences_know_its_parameters_and_its_rows_are_listed() -> None:
    result = asked(
        of_agents(summary="{bad} in {hours:g} h", hide=("total",)), Answer(COLUMNS, ((3, 10, "x"),)), hours=24.0
    )
    assert isinstance(result, Finding)
    assert (result.summary, result.listing) == ("3 in 24 h", True)
    assert result.evidence
    assert (result.evidence.columns, result.evidence.rows) == (("bad", "worst"), (("3", "x"),))


def test_no_rows_of_what_cannot_be_judged_then_are_not_checked_instead_of_bad() -> None:
    question = of_agents(unjudged="nothing within {hours:g} h", worse="lower", warning=90)
    assert asked(question, Answer(COLUMNS, ()), hours=2.0) == Gap("Things", "THINGS-BAD: nothing within 2 h")
    assert isinstance(asked(question, Answer(COLUMNS, ((95, 1, "x"),))), Finding)


@pytest.mark.parametrize("header", [{"needs": "agent"}, {"finds": "agent"}])
def test_what_is_about_one_thing_is_not_asked_without_it(header: dict[str, str]) -> None:
    result = asked(of_agents(**header), None, agent="")
    assert result == Gap("Things", "no agent was asked for: --set agent=ID or its name")
    assert isinstance(asked(of_agents(**header), Answer(COLUMNS, ((1, 1, "x"),)), agent="a"), Finding)


def test_a_question_of_two_looks_is_one_code_and_listed_in_the_report_alone() -> None:
    question = of_agents(parts=("postgres", "agents"))
    every = question_checks([PROFILE.model_copy(update={"questions": (question,)})])
    assert [(each.code, each.facts, each.listing) for each in every] == [
        ("THINGS-BAD", PostgresFacts, False),
        ("THINGS-BAD", AgentFacts, True),
    ]


def test_what_was_asked_for_comes_first() -> None:
    last = of_agents(code="Z", finds="agent")
    every = question_checks([PROFILE.model_copy(update={"questions": (QUESTION, last)})])
    assert [each.code for each in every] == ["Z", "THINGS-BAD"]


def test_series_and_points_are_read_by_their_columns_and_what_is_null_is_left_out() -> None:
    answer = Answer(("bad", "total", "worst"), ((3, 5, "b"), (1, None, "a"), (2, 4, None), (0, 6, "a")))
    reading = read(of_agents(series=("worst", "total"), points=("worst", "bad")), answer)
    assert reading.series == {"b": 5, "a": 6}
    assert reading.points == (("a", 0), ("a", 1), ("b", 3))
    with pytest.raises(NotSeen, match="has no column lost"):
        read(of_agents(series=("worst", "lost")), answer)


ALIKE = ("id", "name", "exact")


def test_the_one_that_is_meant_is_found_by_its_id_beside_what_is_alike() -> None:
    answer = Answer(ALIKE, ((7, "Inbox", True), (8, "Inbox 2", False)))
    assert found(of_agents(finds="agent"), answer, "Inbox") == Found("7", Answer(ALIKE, ((7, "Inbox", True),)))


@pytest.mark.parametrize(
    ("rows", "reason", "action"),
    [
        (
            ((7, "Inbox", True), (8, "Inbox", True)),
            "2 agents are called x",
            "name one by its id, --set agent=ID: 7 (Inbox), 8 (I",
        ),
        (((7, "In\nbox", False),), "no agent is called x", "name one by its id, --set agent=ID: 7 (In box)"),
        ((), "no agent is called x", "run it without agent, to see which there are"),
    ],
)
def test_nothing_or_several_are_told_with_what_is_alike(
    rows: tuple[tuple[int, str, bool], ...], reason: str, action: str
) -> None:
    result = found(of_agents(finds="agent"), Answer(ALIKE, rows), "x")
    assert isinstance(result, Unseen)
    assert result.reason == reason
    assert result.action.startswith(action)


def test_a_search_without_its_columns_names_them() -> None:
    result = found(of_agents(finds="agent"), Answer(("id",), ()), "x")
    assert result == Unseen("THINGS-BAD has no column exact, name", "mend its statement")


@pytest.mark.parametrize(("limit", "value", "told"), [(2, "bad", True), (3, "bad", False), (2, "rows", False)])
def test_a_table_that_may_go_on_says_so(limit: int, value: str, told: bool) -> None:  # noqa: FBT001 - a verdict
    question = of_agents(value=value, sql="-- code: X\n\nSELECT 1 LIMIT %(limit)s")
    reading = read(question, Answer(COLUMNS, ((3, 10, "x"), (1, 10, "y"))), {"limit": limit})
    assert ("; the first 2 rows are shown" in reading.summary) is told
