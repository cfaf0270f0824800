"""The statements of a vacuum, every identifier quoted. Pure: they are built here and executed elsewhere."""

from collections.abc import Iterable

from psycopg import sql

from atomops.plans.vacuum import Step, statistics_apart

DATABASE_STATISTICS = sql.SQL("VACUUM (ONLY_DATABASE_STATS)")


def statement(step: Step) -> sql.Composed:
    """What is executed for the step."""
    table = sql.Identifier(step.relation.schema, step.relation.name)
    options = sql.SQL(f"({', '.join(step.options)}) " if step.options else "")
    only = sql.SQL("ONLY " if step.only else "")
    return sql.SQL(step.verb + " {}{}{}").format(options, only, table)


def settings(wanted: Iterable[tuple[str, str]]) -> list[sql.Composed]:
    """What every session of the run sets first."""
    return [sql.SQL("SET {} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in wanted]


def texts(steps: Iterable[Step]) -> list[str]:
    """Every statement of the run in its order, as people read it."""
    every = list(steps)
    last = [DATABASE_STATISTICS.as_string(None)] if statistics_apart(every) else []
    return [*(statement(step).as_string(None) for step in every), *last]
