"""A profile's .sql files as checks like any other: the same limits, verdicts and acknowledgements. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from atomops.facts.application import AgentFacts, ApplicationFacts, EpisodeFacts, Given, SkillFacts, UserFacts
from atomops.facts.postgres import Answer, Cell, PostgresFacts
from atomops.profiles.profile import AskedBy, Pair, Profile, Question
from atomops.registry import Check
from atomops.reports.strings import one_line
from atomops.verdict import Evidence, Gap, Limit, NotSeen, Reading, Unseen, known

ROWS = "rows"  # as `value`: the number of rows is what is judged
_MOST_ALIKE = 5  # names beside one that was not found
_MOST_TEXT = 100  # characters of such a name
_MOST_SERIES = 12  # beside a trend; a chart each
Asked = PostgresFacts | ApplicationFacts
FACTS: Mapping[AskedBy, type[Asked]] = {
    "postgres": PostgresFacts,
    "agents": AgentFacts,
    "skills": SkillFacts,
    "episodes": EpisodeFacts,
    "users": UserFacts,
}


def question_checks(profiles: Iterable[Profile]) -> tuple[Check, ...]:
    """A check for each code that any of the profiles asks, and each look that asks it.

    The profile that is found decides how it is phrased.
    """
    by_code: dict[tuple[str, AskedBy], dict[str, Question]] = {}
    for profile in profiles:
        for question in sorted(profile.questions, key=lambda each: not each.finds):
            for part in question.parts:
                by_code.setdefault((question.code, part), {})[profile.name] = question
    return tuple(_check(questions, part) for (_, part), questions in by_code.items())


def read(question: Question, answer: Answer, parameters: Mapping[str, Given] | None = None) -> Reading:
    """The answer as a number and a sentence. No rows are what the question says they mean, else UNKNOWN."""
    given = parameters or {}
    if not answer.rows:
        return _nothing(question, given)
    row = {**dict(zip(answer.columns, answer.rows[0], strict=True)), ROWS: len(answer.rows)}
    first = {**given, **row}
    return Reading(
        _value(question, row),
        question.summary.format_map(first) + _cut(question, answer, given),
        question.action.format_map(first),
        _evidence(question, answer),
        dict(_pairs(question, answer, question.series)[:_MOST_SERIES]),
        tuple(sorted(_pairs(question, answer, question.points))),
    )


@dataclass(frozen=True)
class Found:
    """What a parameter means: its id, and the row that tells of it."""

    id: str
    answer: Answer


def found(question: Question, answer: Answer, asked: Given) -> Found | Unseen:
    """The one row that is meant, or why there is none or more than one, with what is alike."""
    if lost := {"id", "name", "exact"} - set(answer.columns):
        return Unseen(f"{question.code} has no column {', '.join(sorted(lost))}", "mend its statement")
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    meant = [(row, cells) for row, cells in zip(rows, answer.rows, strict=True) if row["exact"]]
    if len(meant) == 1:
        ((row, cells),) = meant
        return Found(str(row["id"]), Answer(answer.columns, (cells,)))
    alike = ([row for row, _ in meant] or rows)[:_MOST_ALIKE]
    listed = ", ".join(one_line(f"{row['id']} ({row['name']})", _MOST_TEXT) for row in alike)
    what, action = question.finds, f"name one by its id, --set {question.finds}=ID: {listed}"
    if meant:
        return Unseen(f"{len(meant)} {what}s are called {asked}", action)
    return Unseen(f"no {what} is called {asked}", action if rows else f"run it without {what}, to see which there are")


def _cut(question: Question, answer: Answer, given: Mapping[str, Given]) -> str:
    """That there may be more rows than its reader wished to see."""
    limit = given.get("limit") if "limit" in question.parameters and question.value != ROWS else None
    return f"; the first {limit} rows are shown" if limit == len(answer.rows) else ""


def _nothing(question: Question, given: Mapping[str, Given]) -> Reading:
    if question.value == ROWS or question.empty is not None:
        return Reading(0, (question.empty or "none").format_map(given))
    raise NotSeen(Unseen(f"{question.code} brought no rows", "say in its header what that means: -- empty: ..."))


def _value(question: Question, first: Mapping[str, Cell]) -> float | None:
    if question.value not in first:
        raise NotSeen(Unseen(f"{question.code} has no column {question.value!r}", "mend `value` in its header"))
    value = first[question.value]
    return None if value is None else float(value)


def _evidence(question: Question, answer: Answer) -> Evidence:
    shown = [place for place, column in enumerate(answer.columns) if column not in question.hide]
    return Evidence.of((answer.columns[place] for place in shown), ([row[at] for at in shown] for row in answer.rows))


def _pairs(question: Question, answer: Answer, columns: Pair | None) -> list[tuple[str, float]]:
    """A name and a value of each row that has both."""
    if columns is None:
        return []
    if lost := set(columns) - set(answer.columns):
        raise NotSeen(Unseen(f"{question.code} has no column {', '.join(sorted(lost))}", "mend its header"))
    name, value = map(answer.columns.index, columns)
    pairs = ((row[name], row[value]) for row in answer.rows)
    return [(str(what), float(much)) for what, much in pairs if what is not None and much is not None]


def _check(questions: Mapping[str, Question], part: AskedBy) -> Check:
    question = next(iter(questions.values()))
    return Check(
        code=question.code,
        section=question.section,
        limit=Limit(question.warning, question.critical, question.worse),
        unit=question.unit,
        source=question.source,
        trend=question.trend,
        function=_reader(question, questions),
        facts=FACTS[part],
        listing=part != "postgres",
    )


def _reader(question: Question, questions: Mapping[str, Question]) -> Callable[[Asked], Reading | Gap]:
    def answered(seen: Asked) -> Reading | Gap:
        given = seen.parameters if isinstance(seen, ApplicationFacts) else {}
        if (wanted := question.finds or question.needs) and not given.get(wanted):
            return Gap(question.section, f"no {wanted} was asked for: --set {wanted}=ID or its name")
        profile = known(seen.profile)
        if profile not in questions or question.code not in seen.answers:
            return Gap(question.section, f"{question.code}: the profile {profile} does not ask it")
        asked, answer = questions[profile], known(seen.answers[question.code])
        if asked.unjudged is not None and not answer.rows:
            return Gap(question.section, f"{question.code}: {asked.unjudged.format_map(given)}")
        return read(asked, answer, given)

    answered.__doc__ = question.guarantee
    return answered
