"""A profile's .sql files as checks like any other: the same limits, verdicts and acknowledgements. Pure."""

from collections.abc import Callable, Iterable, Mapping

from atomops.facts.postgres import Answer, Cell, PostgresFacts
from atomops.profiles.profile import Profile, Question
from atomops.registry import Check
from atomops.verdict import Evidence, Gap, Limit, NotSeen, Reading, Unseen, known

ROWS = "rows"  # as `value`: the number of rows is what is judged


def question_checks(profiles: Iterable[Profile]) -> tuple[Check, ...]:
    """A check for each code that any of the profiles asks; the profile that is found decides how it is phrased."""
    by_code: dict[str, dict[str, Question]] = {}
    for profile in profiles:
        for question in profile.questions:
            by_code.setdefault(question.code, {})[profile.name] = question
    return tuple(_check(questions) for questions in by_code.values())


def read(question: Question, answer: Answer) -> Reading:
    """The answer as a number and a sentence. No rows are 0 where the question says what they mean, else UNKNOWN."""
    evidence = Evidence.of(answer.columns, answer.rows)
    if not answer.rows:
        if question.value == ROWS or question.empty is not None:
            return Reading(0, question.empty or "none")
        raise NotSeen(Unseen(f"{question.code} brought no rows", "say in its header what that means: -- empty: ..."))
    first = dict(zip(answer.columns, answer.rows[0], strict=True))
    summary = question.summary.format_map({**first, ROWS: len(answer.rows)})
    return Reading(_value(question, answer, first), summary, question.action.format_map(first), evidence)


def _value(question: Question, answer: Answer, first: Mapping[str, Cell]) -> float | None:
    if question.value == ROWS:
        return len(answer.rows)
    if question.value not in first:
        raise NotSeen(Unseen(f"{question.code} has no column {question.value!r}", "mend `value` in its header"))
    value = first[question.value]
    return None if value is None else float(value)


def _check(questions: Mapping[str, Question]) -> Check:
    question = next(iter(questions.values()))
    return Check(
        code=question.code,
        section=question.section,
        limit=Limit(question.warning, question.critical, question.worse),
        unit=question.unit,
        source=question.source,
        trend=question.trend,
        function=_reader(question, questions),
        facts=PostgresFacts,
    )


def _reader(question: Question, questions: Mapping[str, Question]) -> Callable[[PostgresFacts], Reading | Gap]:
    def answered(seen: PostgresFacts) -> Reading | Gap:
        profile = known(seen.profile)
        if profile not in questions or question.code not in seen.answers:
            return Gap(question.section, f"{question.code}: the profile {profile} does not ask it")
        return read(questions[profile], known(seen.answers[question.code]))

    answered.__doc__ = question.guarantee
    return answered
