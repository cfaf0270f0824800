"""The steps of a restore, each with the exact statement or command: what a dry run prints. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from atomops.facts.restore import BESIDE, STOP, TABLES, Step


@dataclass(frozen=True)
class Course:
    """What decides which steps there are, and the statements and commands of each.

    `source` is a set's id, or "" when a kept database comes back. `stopping`, `starting` and `restarting` are what the
    runtime does for that, as far as it can be said in a line.
    """

    mode: str
    quiesce: str
    source: str
    store: str
    live: str
    incoming: str
    creating: tuple[str, ...]
    restoring: tuple[str, ...]
    analyzing: str
    settings: tuple[str, ...]
    renaming: tuple[str, ...]
    runtime: str = ""
    stopping: str = ""
    starting: str = ""
    restarting: str = ""
    dropping: str = ""
    schema: str = ""
    tables: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()
    safety_dump: bool = False


def steps(course: Course) -> tuple[Step, ...]:
    """What will be done, in order."""
    return tuple(_steps(course))


def _steps(course: Course) -> Iterator[Step]:
    if course.source:
        yield from _beside(course)
    if course.mode == TABLES:
        yield from _each(f"copy {', '.join(course.tables)} into {course.schema} of {course.live}", course.moving)
    if course.mode in (BESIDE, TABLES):
        yield Step("remove the copy", course.dropping)
    else:
        yield from _exchange(course)


def _each(what: str, exactly: tuple[str, ...]) -> Iterator[Step]:
    for each in exactly:
        yield Step(what, each)


def _beside(course: Course) -> Iterator[Step]:
    yield Step("read every byte of the set again", f"{course.source} in {course.store}")
    yield from _each("make an empty database beside the live one", course.creating)
    yield from _each("restore the set into it", course.restoring)
    yield Step("analyze it", course.analyzing)
    yield Step("compare it with the manifest", "count(*) and fingerprint of every table, sequences, objects")
    yield from _each("give it the settings of the set", course.settings)


def _exchange(course: Course) -> Iterator[Step]:
    if course.safety_dump:
        yield Step("dump the live database first", f"as nightly-backup does, {course.live}")
    if course.quiesce == STOP:
        yield Step(f"stop {course.runtime}", course.stopping)
    yield Step("end the sessions", f"SELECT pg_terminate_backend(pid) of every session in {course.live}")
    yield from _each("exchange the databases in one transaction", course.renaming)
    if course.quiesce == STOP:
        yield Step(f"start {course.runtime}", course.starting)
    elif course.runtime:
        yield Step(f"restart, one after another, {course.runtime}", course.restarting)
    yield Step("wait until the application is ready", "else exchange them back")
